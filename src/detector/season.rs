//! The seasonal channel: the same hour of the day, day against day (after Hirsch, Slack and Smith's seasonal Kendall
//! test, 1982). It sees the leak that a daily load hides from a trend.

use crate::history::{HOUR, History};

use super::gate::{Gate, Test};
use super::life::Life;
use super::rise::Rise;
use super::stats::{effective_steps, median, quantile, sign};

/// Days that must be complete before days can be compared.
const DAYS: std::ops::RangeInclusive<usize> = 3..=7;

/// Hours in a day.
const DAY: usize = 24;

mod gate {
    /// Share of the variation within a day that the hour of the day explains.
    pub(super) const PATTERN: (f64, f64) = (0.4, 0.65);
    /// Share of pairs of the same hour that rose, less those that fell.
    pub(super) const CONCORDANCE: (f64, f64) = (0.65, 0.9);
    /// Growth of the quietest fifth of hours against that of the middle: quiet hours must grow too.
    pub(super) const QUIET_HOURS: (f64, f64) = (0.3, 0.6);
    /// Effective days that grew, as a share of all.
    pub(super) const SPREAD: (f64, f64) = (0.6, 0.85);
    /// Growth of the last day against the median of the days before.
    pub(super) const SLOWING: (f64, f64) = (0.35, 0.7);
    /// Growth of the worst day against the mean.
    pub(super) const WORST_DAY: (f64, f64) = (0.0, 0.4);
    /// As in the trend channel.
    pub(super) const RELATIVE: (f64, f64) = (0.015, 0.05);
    pub(super) const ABSOLUTE: (f64, f64) = (1_048_576.0, 4_194_304.0);
    pub(super) const LIFE: (f64, f64) = (1.15, 1.55);
}

/// What days against days show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SeasonEvidence {
    /// 0 to 1.
    pub(super) evidence: f64,
    pub(super) rise: Rise,
}

/// Compares the days of `history`, that of such a `life`; `None` before there are three.
pub(super) fn judge(history: &History, life: Life) -> Option<SeasonEvidence> {
    let newest = history.hours().newest()?;
    let lived = (newest + 1) as f64 * HOUR - history.began();
    let days = ((lived / HOUR / DAY as f64).max(0.0) as usize).min(*DAYS.end());
    if days < *DAYS.start() {
        return None;
    }
    let floors = history.hours().last(days * DAY).into_iter().map(|floor| floor.map(f64::from)).collect();
    Days { floors, count: days }.judge(life.halves.unwrap_or(f64::INFINITY))
}

/// Hourly floors of whole days, oldest first.
struct Days {
    floors: Vec<Option<f64>>,
    count: usize,
}

impl Days {
    fn at(&self, day: usize, hour: usize) -> Option<f64> {
        self.floors[day * DAY + hour]
    }

    /// The change of every hour of the day that is known on both days.
    fn changes(&self, from: usize, to: usize) -> impl Iterator<Item = f64> + '_ {
        (0..DAY).filter_map(move |hour| Some(self.at(to, hour)? - self.at(from, hour)?))
    }

    fn judge(&self, life: f64) -> Option<SeasonEvidence> {
        let last = self.count - 1;
        let pairs = (0..self.count).flat_map(|from| (from + 1..self.count).map(move |to| (from, to)));
        let (mut slopes, mut signs) = (Vec::new(), Vec::new());
        for (from, to) in pairs {
            slopes.extend(self.changes(from, to).map(|change| change / (to - from) as f64));
            signs.extend(self.changes(from, to).map(sign));
        }
        let slope = median(&slopes)?;
        let concordance = signs.iter().sum::<f64>() / signs.len() as f64;
        let daily: Vec<f64> = (0..last)
            .map(|day| median(&self.changes(day, day + 1).collect::<Vec<_>>()))
            .collect::<Option<_>>()?;
        let mut total: Vec<f64> = self.changes(0, last).collect();
        let (grown, level) = (slope * last as f64, median(&self.known())?);
        let worst = daily.iter().copied().reduce(f64::min)?;
        let quiet = quantile(&mut total, 0.2)? / median(&total)?.max(1.0);
        let slowing = daily[last - 1] / median(&daily[..last - 1])?.max(1.0);
        let gates = [
            (Test::Pattern, self.pattern()?, gate::PATTERN),
            (Test::Concordance, concordance, gate::CONCORDANCE),
            (Test::QuietHours, quiet, gate::QUIET_HOURS),
            (Test::Spread, effective_steps(daily.iter().copied()) / last as f64, gate::SPREAD),
            (Test::Slowing, slowing, gate::SLOWING),
            (Test::WorstDay, worst / slope.max(1.0), gate::WORST_DAY),
            (Test::Relative, grown / level.max(1.0), gate::RELATIVE),
            (Test::Absolute, grown, gate::ABSOLUTE),
            (Test::Life, life, gate::LIFE),
        ]
        .map(|(test, value, limits)| Gate::new(test, value, limits));
        let window = (self.count * DAY) as f64 * HOUR;
        let rise = Rise {
            slope: slope / (DAY as f64 * HOUR),
            grown,
            floor: (0..DAY).filter_map(|hour| self.at(last, hour)).reduce(f64::min)?,
            window,
            growing_for: window,
            gates: gates.into_iter().collect(),
        };
        Some(SeasonEvidence { evidence: rise.evidence(), rise })
    }

    fn known(&self) -> Vec<f64> {
        self.floors.iter().flatten().copied().collect()
    }

    /// How much of the variation within days the hour of the day explains: 0 none, 1 all.
    fn pattern(&self) -> Option<f64> {
        let centred: Vec<Option<f64>> = self
            .floors
            .chunks(DAY)
            .flat_map(|day| {
                let middle = median(&day.iter().flatten().copied().collect::<Vec<_>>());
                day.iter().map(move |floor| Some((*floor)? - middle?)).collect::<Vec<_>>()
            })
            .collect();
        let (mut unexplained, mut all) = (Vec::new(), Vec::new());
        for hour in 0..DAY {
            let same: Vec<f64> = centred.iter().skip(hour).step_by(DAY).flatten().copied().collect();
            let usual = median(&same).unwrap_or(0.0);
            unexplained.extend(same.iter().map(|value| (value - usual).abs()));
            all.extend(same.iter().map(|value| value.abs()));
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        (!all.is_empty()).then(|| 1.0 - mean(&unexplained) / mean(&all).max(1.0))
    }
}
