//! How good a method is at one threshold.

use super::bounds::{Rate, Share};
use super::outcome::{Call, Outcome, Rise, TO_ACT, Way};
use super::quantile::{median, quantile};

const HOUR: f64 = 3600.0;

/// Nobody wants to wait longer for the all-clear after a fix, seconds.
const RECOVERED_WITHIN: f64 = 6.0 * HOUR;

/// How good a method is at one threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Suspect is what is above it.
    pub threshold: f64,
    /// Caught leaks among all calls.
    pub precision: Share,
    /// Caught leaks among all leaks.
    pub recall: Share,
    /// Traces called while no leak went on, per day before any leak.
    pub false_alarms: Rate,
    /// Benign traces that were called, among all benign ones.
    pub benign_called: Share,
    /// Hours from the onset to the call.
    pub delay: Delay,
    /// The calls against the limits.
    pub limits: Limits,
    /// Suspect at the last reading, among caught leaks that nobody fixed.
    pub held: Share,
    /// After a fix.
    pub recovery: Recovery,
}

/// Hours from the onset to the call. Missed leaks lie beyond any of it; `None` where a quantile falls among them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Delay {
    /// Half of the leaks are called sooner.
    pub median: Option<f64>,
    /// Nine in ten are.
    pub p90: Option<f64>,
    /// The median over steady leaks after a plateau or an earlier life.
    pub steady: Option<f64>,
}

/// The calls against the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Median share of the way from the onset to the limit at the call; missed leaks went all of it.
    pub way: Option<f64>,
    /// Leaks called before half the way, among all with a limit.
    pub before_half: Share,
    /// The same, before any life had gone half the way.
    pub before_any_half: Share,
    /// Never rightly suspect, among the leaks that hit their limit.
    pub unwarned: Share,
    /// Neither rightly suspect nor foretold to be hit within the hour while there was time to act.
    pub unwarned_by_either: Share,
    /// Benign traces with such a forecast, among all benign ones.
    pub counted_down_benign: Share,
}

/// After a fix, of the leaks that were caught.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recovery {
    /// Median hours to the last suspect reading.
    pub hours: Option<f64>,
    /// Median of that over the age of the life at the call.
    pub of_age: Option<f64>,
    /// Clean within that age, or six hours if that is less.
    pub soon: Share,
}

impl Figures {
    /// Of a method with `outcomes`, at `threshold`.
    pub fn at(outcomes: &[Outcome], threshold: f64) -> Figures {
        let calls: Vec<(&Outcome, Call)> =
            outcomes.iter().map(|outcome| (outcome, outcome.call(threshold))).collect();
        let leaks: Vec<_> = calls.iter().filter(|(outcome, _)| outcome.onset().is_some()).copied().collect();
        let recall = Share::of(&leaks, |(_, call)| right(*call).is_some());
        let wrong = calls.iter().filter(|(_, call)| matches!(call, Call::False(_))).count();
        Figures {
            threshold,
            precision: Share { part: recall.part, whole: recall.part + wrong },
            recall,
            false_alarms: Rate { events: wrong, exposure: outcomes.iter().map(Outcome::clean_days).sum() },
            benign_called: Share::of(
                calls.iter().filter(|(outcome, _)| outcome.onset().is_none()),
                |(_, call)| *call != Call::Never,
            ),
            delay: delay(&leaks),
            limits: limits(&calls),
            held: held(&leaks, threshold),
            recovery: recovery(&leaks, threshold),
        }
    }

    /// The harmonic mean of precision and recall; `None` without leaks and calls.
    pub fn f1(&self) -> Option<f64> {
        let all = self.precision.whole + self.recall.whole;
        (all > 0).then(|| 2.0 * self.recall.part as f64 / all as f64)
    }
}

fn right(call: Call) -> Option<Rise> {
    match call {
        Call::Right(rise) => Some(rise),
        Call::Never | Call::False(_) => None,
    }
}

/// Hours from the onset to the call; infinite where there is no right one.
fn hours_to_call((outcome, call): &(&Outcome, Call)) -> f64 {
    let delay = right(*call).zip(outcome.onset()).map(|(rise, onset)| rise.time - onset);
    delay.map_or(f64::INFINITY, |seconds| seconds / HOUR)
}

fn delay(leaks: &[(&Outcome, Call)]) -> Delay {
    let steady = leaks.iter().filter(|(outcome, _)| outcome.steady_after_plateau);
    Delay {
        median: median(leaks.iter().map(hours_to_call)),
        p90: quantile(leaks.iter().map(hours_to_call), 0.9),
        steady: median(steady.map(hours_to_call)),
    }
}

fn limits(calls: &[(&Outcome, Call)]) -> Limits {
    let (leaks, benign): (Vec<_>, Vec<_>) = calls.iter().partition(|(outcome, _)| outcome.onset().is_some());
    // A leak that is called has no share of the way only where its limit was already below it.
    let ways = leaks.iter().filter(|(outcome, _)| outcome.is_limited).map(|(_, call)| match right(*call) {
        Some(rise) => rise.way.unwrap_or(Way::ALL),
        None => Way::ALL,
    });
    let ways: Vec<Way> = ways.collect();
    let unwarned = |(outcome, call): &&(&Outcome, Call)| outcome.dies && right(*call).is_none();
    let called_in_time = |(outcome, call): &(&Outcome, Call)| {
        right(*call).is_some_and(|rise| rise.time <= outcome.end - TO_ACT)
    };
    let no_warning =
        |leak: &&(&Outcome, Call)| leak.0.dies && !called_in_time(leak) && !leak.0.counted_down_in_time;
    let dying = leaks.iter().filter(|(outcome, _)| outcome.dies).count();
    let share = |part| Share { part, whole: dying };
    Limits {
        way: median(ways.iter().map(|way| way.now)),
        before_half: Share::of(&ways, |way| way.now < 0.5),
        before_any_half: Share::of(&ways, |way| way.ever < 0.5),
        unwarned: share(leaks.iter().filter(|leak| unwarned(leak)).count()),
        unwarned_by_either: share(leaks.iter().filter(|leak| no_warning(leak)).count()),
        counted_down_benign: Share::of(benign, |(outcome, _)| outcome.counted_down),
    }
}

fn held(leaks: &[(&Outcome, Call)], threshold: f64) -> Share {
    let unfixed = leaks.iter().filter(|(outcome, call)| outcome.fixed().is_none() && right(*call).is_some());
    Share::of(unfixed, |(outcome, _)| outcome.is_suspect_at_end(threshold))
}

fn recovery(leaks: &[(&Outcome, Call)], threshold: f64) -> Recovery {
    let recovered: Vec<(f64, f64)> = leaks
        .iter()
        .filter_map(|(outcome, call)| Some((outcome.recovery(threshold)?, right(*call)?.age)))
        .collect();
    Recovery {
        hours: median(recovered.iter().map(|(seconds, _)| seconds / HOUR)),
        of_age: median(recovered.iter().map(|(seconds, age)| seconds / age.max(1.0))),
        soon: Share::of(&recovered, |(seconds, age)| *seconds <= age.min(RECOVERED_WITHIN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Reading;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    /// Eleven hourly samples of 100, 110 ... 200 bytes with a limit of 200.
    fn outcome(label: Label, values: &[(f64, f64)]) -> Outcome {
        let mut trace = series(label, HOUR, 11, |time| 100.0 + 10.0 * time / HOUR);
        (trace.limit, trace.dies) = (Some(200), label != Label::Benign);
        let hours: Vec<_> = values.iter().map(|(hour, value)| (hour * HOUR, *value)).collect();
        Outcome::new(&trace, &readings(&hours))
    }

    #[test]
    fn counts_and_delays() {
        let outcomes = [
            outcome(leak(2.0 * HOUR), &[(4.0, 70.0), (10.0, 10.0)]),
            outcome(leak(2.0 * HOUR), &[(8.0, 70.0)]),
            outcome(leak(2.0 * HOUR), &[(1.0, 70.0), (8.0, 90.0)]),
            outcome(leak(2.0 * HOUR), &[(8.0, 60.0)]),
            outcome(Label::Benign, &[(8.0, 61.0)]),
            outcome(Label::Benign, &[(8.0, 5.0)]),
        ];
        let figures = Figures::at(&outcomes, 60.0);
        assert_eq!(figures.precision, Share { part: 2, whole: 4 });
        assert_eq!(figures.recall, Share { part: 2, whole: 4 });
        assert_eq!(figures.f1(), Some(0.5));
        // 4 x 2 h before onsets and 2 x 10 h.
        assert_eq!(figures.false_alarms.events, 2);
        assert!((figures.false_alarms.exposure - 28.0 / 24.0).abs() < 1e-12);
        // 2 h, 6 h, and two beyond: the middle lies between 6 h and what nobody knows.
        assert_eq!(figures.delay, Delay { median: None, p90: None, steady: None });
        let three = Figures::at(&outcomes[..3], 60.0);
        assert_eq!((three.delay.median, three.delay.p90), (Some(6.0), None));
        // At the onset 120 bytes: 140 are a quarter of the way, 180 are three.
        assert_eq!(three.limits.way, Some(0.75));
        assert_eq!(three.limits.before_half, Share { part: 1, whole: 3 });
        assert_eq!(three.limits.unwarned, Share { part: 1, whole: 3 });
        assert_eq!(three.held, Share { part: 1, whole: 2 });
    }

    #[test]
    fn just_half_the_way_is_not_before_half() {
        let at =
            |hour| Figures::at(&[outcome(leak(2.0 * HOUR), &[(hour, 70.0)])], 60.0).limits.before_half.part;
        assert_eq!((at(5.0), at(6.0)), (1, 0));
    }

    #[test]
    fn steady_leaks_have_a_delay_of_their_own() {
        let mut steady = outcome(leak(2.0 * HOUR), &[(3.0, 70.0)]);
        steady.steady_after_plateau = true;
        let figures = Figures::at(&[steady, outcome(leak(2.0 * HOUR), &[(8.0, 70.0)])], 60.0);
        assert_eq!((figures.delay.steady, figures.delay.median), (Some(1.0), Some(3.5)));
    }

    #[test]
    fn a_forecast_in_time_is_a_warning() {
        let mut trace = series(leak(2.0 * HOUR), HOUR, 11, |time| 100.0 + time);
        trace.dies = true;
        let forecast = Reading { time: 9.0 * HOUR, value: 1.0, time_to_limit: Some(3000.0) };
        let limits = Figures::at(&[Outcome::new(&trace, &[forecast])], 60.0).limits;
        assert_eq!((limits.unwarned.part, limits.unwarned_by_either.part), (1, 0));
        trace.label = Label::Benign;
        let limits = Figures::at(&[Outcome::new(&trace, &[forecast])], 60.0).limits;
        assert_eq!(limits.counted_down_benign, Share { part: 1, whole: 1 });
        assert_eq!(limits.unwarned, Share::default());
    }

    #[test]
    fn a_call_in_the_last_minute_is_no_warning() {
        let at = |hour| Figures::at(&[outcome(leak(2.0 * HOUR), &[(hour, 70.0)])], 60.0).limits;
        let (early, late) = (at(9.0), at(9.95));
        assert_eq!((early.unwarned_by_either.part, late.unwarned_by_either.part), (0, 1));
        assert_eq!(late.unwarned.part, 0, "it was called all the same");
    }

    #[test]
    fn recovery_is_judged_by_the_age_at_the_call() {
        let label = Label::Leak { onset: HOUR, fixed: Some(5.0 * HOUR) };
        let quick = outcome(label, &[(4.0, 70.0), (8.0, 70.0), (10.0, 0.0)]);
        let slow = outcome(label, &[(2.0, 70.0), (8.0, 70.0), (10.0, 0.0)]);
        let never = outcome(label, &[(4.0, 70.0), (10.0, 70.0)]);
        let figures = Figures::at(&[quick, slow, never], 60.0);
        assert_eq!(figures.recovery.hours, Some(3.0));
        assert_eq!(figures.recovery.of_age, Some(1.5));
        assert_eq!(figures.recovery.soon, Share { part: 1, whole: 3 });
        assert_eq!(figures.held, Share::default());
    }
}
