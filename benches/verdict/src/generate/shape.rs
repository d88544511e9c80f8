//! What a class says about a series, before anything is measured.

/// One series as it would be without noise. Memory is relative to the base size.
pub(super) struct Shape {
    /// Memory that is used for good reasons, a sample each.
    pub(super) level: Vec<f64>,
    /// Memory that leaked, where it leaks.
    pub(super) leak: Option<Leak>,
    /// Samples at which a further life begins.
    pub(super) lives: Vec<usize>,
    /// Samples at which another build begins.
    pub(super) builds: Vec<usize>,
    /// Activity, around 1; none is constant.
    pub(super) load: Option<Vec<f64>>,
    /// Bytes of 1.0, where the class has its own.
    pub(super) base: Option<f64>,
    /// How strong noise and spikes are, against other classes'.
    pub(super) noise: (f64, f64),
    /// Whether lives start small, within minutes; a class may have its own start instead.
    pub(super) starts_small: bool,
    /// The limit as a multiple of the peak, where the class has its own.
    pub(super) limit: Option<f64>,
}

/// What leaked.
pub(super) struct Leak {
    /// Memory leaked so far, a sample each.
    pub(super) leaked: Vec<f64>,
    /// The sample at which it begins.
    pub(super) onset: usize,
    /// The sample at which a deploy ends it.
    pub(super) fixed: Option<usize>,
    /// How the series ends in the fast regime.
    pub(super) end: End,
    /// The sample from which on everything was flat until the onset, where the leak is linear.
    pub(super) flat_since: Option<usize>,
}

/// How a leak gets to its limit where there is no time to wait.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    /// Growth is scaled so that the limit is 1.3 to 3 times the level at the onset.
    Scaled,
    /// The limit is where its own, small growth ends.
    Own,
    /// Every life ends at the same level.
    EveryLife,
}

impl Shape {
    /// A series that doesn't leak.
    pub(super) fn benign(level: Vec<f64>) -> Self {
        Self {
            level,
            leak: None,
            lives: Vec::new(),
            builds: Vec::new(),
            load: None,
            base: None,
            noise: (1.0, 1.0),
            starts_small: true,
            limit: None,
        }
    }

    /// A series that leaks from the sample `onset` on.
    pub(super) fn leaking(level: Vec<f64>, leaked: Vec<f64>, onset: usize) -> Self {
        let leak = Leak { leaked, onset, fixed: None, end: End::Scaled, flat_since: None };
        Self { leak: Some(leak), ..Self::benign(level) }
    }

    /// The leak is linear, after a level that was flat from the sample `since` on, if it was.
    pub(super) fn linear_after(self, since: usize) -> Self {
        self.with_leak(|leak| leak.flat_since = Some(since))
    }

    /// How it gets to its limit in the fast regime.
    pub(super) fn ending(self, end: End) -> Self {
        self.with_leak(|leak| leak.end = end)
    }

    /// A deploy ended the leak.
    pub(super) fn fixed_at(self, sample: usize) -> Self {
        self.with_leak(|leak| leak.fixed = Some(sample))
    }

    /// Restarts, each the start of a further life.
    pub(super) fn restarting(self, lives: Vec<usize>) -> Self {
        Self { lives, ..self }
    }

    /// Restarts that each brought another build.
    pub(super) fn deploying(self, lives: Vec<usize>) -> Self {
        Self { builds: lives.clone(), lives, ..self }
    }

    /// How busy it is.
    pub(super) fn busy(self, load: Vec<f64>) -> Self {
        Self { load: Some(load), ..self }
    }

    /// The class draws its own starts of lives.
    pub(super) fn own_start(self) -> Self {
        Self { starts_small: false, ..self }
    }

    pub(super) fn with_leak(mut self, change: impl FnOnce(&mut Leak)) -> Self {
        if let Some(leak) = &mut self.leak {
            change(leak);
        }
        self
    }
}
