//! What stretch of time a series covers, and how a class's own hours lie in it.

use super::dice::Dice;

const HOUR: f64 = 3600.0;
const DAYS_LONG: f64 = 6.0 * 24.0 * HOUR;
const FAST: (f64, f64) = (20.0 * 60.0, 12.0 * HOUR);

/// How fast things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Six days, sampled every 30 or 60 s.
    Days,
    /// The same six days squeezed into 20 min to 12 h, sampled every 5 to 15 s; leaks end at their limit.
    Fast,
}

/// The samples of a series, and how long a class's hours last in it.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Number of samples.
    pub(super) samples: usize,
    /// Seconds between them.
    pub(super) interval: f64,
    /// Whether it is squeezed.
    pub(super) fast: bool,
    /// How many seconds pass while a class passes one.
    pace: f64,
    /// Seconds of one unit of what does not scale with the class: start-up, spikes, outages.
    moment: f64,
}

impl Span {
    /// A span of the given regime, its length and interval drawn.
    pub(super) fn draw(dice: &mut Dice, regime: Regime) -> Self {
        match regime {
            Regime::Days => Self::days(DAYS_LONG, dice.pick(&[30.0, 60.0])),
            Regime::Fast => {
                let long = dice.log_uniform(FAST.0, FAST.1);
                let interval = dice.whole(5, 16) as f64;
                let samples = (long / interval) as usize;
                Self { samples, interval, fast: true, pace: long / DAYS_LONG, moment: interval }
            }
        }
    }

    /// A span that is not squeezed, of so many seconds.
    pub(super) fn days(long: f64, interval: f64) -> Self {
        Self { samples: (long / interval) as usize, interval, fast: false, pace: 1.0, moment: 60.0 }
    }

    /// The same with so many samples more.
    pub(super) fn longer_by(&self, samples: usize) -> Self {
        Self { samples: self.samples + samples, ..self.clone() }
    }

    /// So many of the class's hours, in samples.
    pub(super) fn hours(&self, hours: f64) -> f64 {
        hours * HOUR * self.pace / self.interval
    }

    /// So many of the class's minutes, in samples.
    pub(super) fn minutes(&self, minutes: f64) -> f64 {
        self.hours(minutes / 60.0)
    }

    /// So many moments, in samples: minutes where it is not squeezed, samples where it is.
    pub(super) fn moments(&self, moments: f64) -> f64 {
        moments * self.moment / self.interval
    }

    /// A sample somewhere between two shares of the span.
    pub(super) fn somewhere(&self, dice: &mut Dice, low: f64, high: f64) -> usize {
        self.at(dice.uniform(low, high) * self.samples as f64)
    }

    /// The sample at so many samples' distance, at the latest the last.
    pub(super) fn at(&self, samples: f64) -> usize {
        (samples.max(0.0) as usize).min(self.samples - 1)
    }

    /// Seconds from one sample to another.
    pub(super) fn seconds(&self, from: usize, to: usize) -> f64 {
        to.saturating_sub(from) as f64 * self.interval
    }

    /// One value a sample.
    pub(super) fn map(&self, value: impl FnMut(usize) -> f64) -> Vec<f64> {
        (0..self.samples).map(value).collect()
    }
}
