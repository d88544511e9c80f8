//! A host where nothing leaks, judged as the exporter judges one: the more of its entities rise, the more careful it is
//! with each.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::measure::{Figures, Outcome};
use crate::method::{Method, Reading};
use crate::ours::{Ours, THRESHOLD};
use crate::run::run;
use crate::trace::{Make, Trace};

/// So many entities are a host.
pub const HOST: usize = 10_000;

/// What became of the entities of one host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Each judged as if it were the only one.
    pub alone: Vec<Outcome>,
    /// How many of [`HOST`] entities had risen within the week before the end.
    pub crowd: usize,
    /// Each judged as one of those.
    pub together: Vec<Outcome>,
}

impl Host {
    /// Watches the entities that `traces` makes, twice: how many of them rise is known only at the end. Fewer than
    /// [`HOST`] stand for as many as that. Live, the crowd gathers during the first week; here it is there at once.
    pub fn watch<T: Iterator<Item: Make> + Send>(traces: impl Fn() -> T, ours: &Ours) -> Host {
        let counting = Counting { ours: Ours { crowd: 0, ..*ours }, risen: AtomicUsize::new(0) };
        let alone = only(run(traces(), &[&counting]));
        let crowd = counting.risen.into_inner() * HOST / alone.len().max(1);
        // A crowd only takes away: what never scored need not be looked at again.
        let again = traces().zip(&alone).filter(|(_, alone)| has_scored(alone)).map(|(trace, _)| trace);
        let mut judged = only(run(again, &[&Ours { crowd, ..*ours }])).into_iter();
        let either = |alone: &Outcome| if has_scored(alone) { judged.next() } else { Some(alone.clone()) };
        let together = alone.iter().filter_map(either).collect();
        Host { alone, crowd, together }
    }

    /// At the exporter's threshold, judged together.
    pub fn figures(&self) -> Figures {
        Figures::at(&self.together, THRESHOLD)
    }
}

fn has_scored(outcome: &Outcome) -> bool {
    outcome.peak().is_some_and(|peak| peak.value > 0.0)
}

fn only(outcomes: Vec<Vec<Outcome>>) -> Vec<Outcome> {
    outcomes.into_iter().next().unwrap_or_default()
}

/// The detector, and how many traces rose.
struct Counting {
    ours: Ours,
    risen: AtomicUsize,
}

impl Method for Counting {
    fn name(&self) -> &str {
        self.ours.name()
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        let (readings, has_risen) = self.ours.watch(trace);
        self.risen.fetch_add(usize::from(has_risen), Ordering::Relaxed);
        readings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, series};

    /// Half of a host rises for a day.
    fn watched() -> Host {
        let rise = |time: f64| 1e8 + 300.0 * (time - 86_400.0).max(0.0);
        let traces = || {
            let line = series(leak(86_400.0), 60.0, 2 * 1440, rise);
            [line, series(leak(86_400.0), 60.0, 2 * 1440, |_| 1e8)].into_iter().map(|trace| || trace)
        };
        Host::watch(traces, &Ours::default())
    }

    #[test]
    fn what_rises_is_counted_and_scaled_to_a_host() {
        assert_eq!(watched().crowd, HOST / 2);
    }

    #[test]
    fn among_many_the_same_rise_means_less() {
        let host = watched();
        let peak = |outcomes: &[Outcome]| outcomes[0].peak().unwrap().value;
        let (alone, together) = (peak(&host.alone), peak(&host.together));
        assert!(alone > THRESHOLD && together < alone, "{alone} {together}");
        assert_eq!(host.figures().recall.whole, 2);
    }
}
