//! The seasonal channel: the same hour of the day, day against day (after Hirsch, Slack and Smith's seasonal Kendall
//! test, 1982). It sees the leak that a daily load hides from a trend.

use std::ops::{Range, RangeInclusive};

use crate::history::{HOUR, History};

use super::gate::{Gate, Test};
use super::life::Life;
use super::rise::Rise;
use super::stats::{effective_steps, median, quantile, sign};

/// Days that must be complete before days can be compared, and how many are.
const DAYS: RangeInclusive<usize> = 2..=7;

/// Hours in a day.
const DAY: usize = 24;

/// Of two days the second is higher throughout where something came between them at once, such as a deploy: they say nothing where
/// this share of the growth came within an hour, or while nobody looked.
const AT_ONCE: f64 = 0.5;

mod gate {
    /// Share of the variation within a day that the hour of the day explains.
    pub(super) const PATTERN: (f64, f64) = (0.4, 0.65);
    /// Share of pairs of the same hour that rose, less those that fell.
    pub(super) const CONCORDANCE: (f64, f64) = (0.65, 0.9);
    /// Growth of the quietest fifth of hours against that of the middle: quiet hours must grow too.
    pub(super) const QUIET_HOURS: (f64, f64) = (0.3, 0.6);
    /// Effective steps that grew, as a share of all.
    pub(super) const SPREAD: (f64, f64) = (0.6, 0.85);
    /// Growth of the last step against the median of those before.
    pub(super) const SLOWING: (f64, f64) = (0.35, 0.7);
    /// Growth of the worst step against the median of all.
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

/// Compares the days of `history`, that of such a `life`; `None` before there are two.
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
        self.changes_at(from, to, 0..DAY)
    }

    /// The same of these hours.
    fn changes_at(&self, from: usize, to: usize, hours: Range<usize>) -> impl Iterator<Item = f64> + '_ {
        hours.filter_map(move |hour| Some(self.at(to, hour)? - self.at(from, hour)?))
    }

    /// What a day adds, from each day to the next. Two days have one step between them, of which the halves of the day make two.
    fn daily(&self) -> Option<Vec<f64>> {
        let part = if self.count > 2 { DAY } else { DAY / 2 };
        let parts = (1..self.count).flat_map(|day| (0..DAY).step_by(part).map(move |hour| (day, hour)));
        let change =
            |(day, hour)| median(&self.changes_at(day - 1, day, hour..hour + part).collect::<Vec<_>>());
        parts.map(change).collect()
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
        let daily = self.daily()?;
        let mut total: Vec<f64> = self.changes(0, last).collect();
        let (grown, level) = (slope * last as f64, median(&self.known())?);
        if self.count == 2 && self.largest_rise() >= AT_ONCE * grown {
            return None;
        }
        let worst = daily.iter().copied().reduce(f64::min)?;
        let quiet = quantile(&mut total, 0.2)? / median(&total)?.max(1.0);
        let (latest, before) = daily.split_last()?;
        let slowing = latest / median(before)?.max(1.0);
        let gates = [
            (Test::Pattern, self.pattern()?, gate::PATTERN),
            (Test::Concordance, concordance, gate::CONCORDANCE),
            (Test::QuietHours, quiet, gate::QUIET_HOURS),
            (Test::Spread, effective_steps(daily.iter().copied()) / daily.len() as f64, gate::SPREAD),
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

    /// From one hour that is known to the next.
    fn largest_rise(&self) -> f64 {
        self.known().windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
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

#[cfg(test)]
mod tests {
    use super::super::window::tests::life;
    use super::*;
    use crate::sample::Memory;

    /// What is said after so many `hours` of a life, of which `mib` tells the memory at each of them.
    fn judged(hours: f64, mib: impl Fn(f64) -> f64) -> Option<SeasonEvidence> {
        let history = life(hours, |hour| mib(hour) * 1_048_576.0);
        judge(&history, Life::of(&history))
    }

    fn evidence(hours: f64, mib: impl Fn(f64) -> f64) -> f64 {
        judged(hours, mib).map_or(0.0, |found| found.evidence)
    }

    fn pass(found: &SeasonEvidence, test: Test) -> f32 {
        found.rise.gate(test).unwrap().pass
    }

    /// 0 at night and 1 by day.
    fn load(hour: f64) -> f64 {
        0.5 - 0.5 * (hour / 12.0 * std::f64::consts::PI).cos()
    }

    #[test]
    fn a_leak_under_a_daily_load_shows_once_there_are_two_days() {
        let leak = |hour: f64| 200.0 + 100.0 * load(hour) + 3.0 * hour;
        assert_eq!(judged(47.0, leak), None);
        for hours in [49.0, 73.0, 170.0] {
            let found = judged(hours, leak).unwrap();
            assert!(found.evidence > 0.9, "{hours}: {found:?}");
            assert!((found.rise.slope * 3600.0 / 1_048_576.0 - 3.0).abs() < 0.1, "{hours}: {found:?}");
        }
    }

    #[test]
    fn load_alone_does_not_show() {
        for hours in [49.0, 73.0, 170.0] {
            assert_eq!(evidence(hours, |hour| 200.0 + 100.0 * load(hour)), 0.0, "{hours}");
            assert_eq!(evidence(hours, |_| 200.0), 0.0, "{hours}");
        }
    }

    #[test]
    fn each_rival_closes_the_gate_that_is_named_for_it() {
        let day = |hour: f64| (hour / 24.0).floor();
        // Higher peaks, and nights as they were.
        let peaks = judged(73.0, |hour| 200.0 + (100.0 + 50.0 * day(hour)) * load(hour).powi(3)).unwrap();
        assert_eq!(pass(&peaks, Test::QuietHours), 0.0, "{peaks:?}");
        // What was settled by noon of the first day.
        let settled = |hour: f64| 200.0 + 100.0 * load(hour) + 60.0 * (1.0 - (-hour / 9.0).exp());
        let found = judged(73.0, settled).unwrap();
        assert_eq!(pass(&found, Test::Slowing), 0.0, "{found:?}");
        // Levels that hold for a day.
        let found = judged(97.0, |hour| {
            200.0 + 100.0 * load(hour) + [0.0, 60.0, 30.0, 90.0, 90.0][day(hour) as usize]
        })
        .unwrap();
        assert_eq!(pass(&found, Test::WorstDay), 0.0, "{found:?}");
    }

    #[test]
    fn what_came_at_once_is_no_growth_of_two_days_nor_of_three() {
        let deploy =
            |at: f64| move |hour: f64| 200.0 + 100.0 * load(hour) + if hour > at { 80.0 } else { 0.0 };
        for at in [12.0, 24.0, 36.0] {
            assert_eq!(judged(49.0, deploy(at)), None, "{at}");
        }
        let found = judged(73.0, deploy(48.0)).unwrap();
        assert_eq!(pass(&found, Test::Spread), 0.0, "{found:?}");
    }

    #[test]
    fn awkward_histories_have_an_answer() {
        assert_eq!(judged(0.0, |_| 0.0), None);
        let seen_at = |hours: &[f64], bytes: u64| {
            let mut history = History::new(0.0, 60.0);
            for hour in hours {
                history.push(hour * HOUR, bytes, &Memory::default());
            }
            judge(&history, Life::of(&history))
        };
        // One sample, one each three days, and time that runs backwards.
        for hours in [&[0.0][..], &[0.0, 72.0, 144.0], &[60.0, 0.0, 59.0, 1.0]] {
            assert_eq!(seen_at(hours, 1 << 30).filter(|found| found.evidence > 0.0), None, "{hours:?}");
        }
        let minutes: Vec<f64> = (0..60 * 60).map(|minute| f64::from(minute) / 60.0).collect();
        for bytes in [0, u64::MAX] {
            assert_eq!(seen_at(&minutes, bytes).filter(|found| found.evidence > 0.0), None, "{bytes}");
        }
        let found = judged(80.0, |hour| if hour.fract() < 0.5 { 0.0 } else { 1.7e13 }).unwrap();
        assert!(found.evidence.is_finite() && found.rise.slope.is_finite(), "{found:?}");
    }
}
