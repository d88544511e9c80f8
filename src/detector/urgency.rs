//! The fast channel: growth that is about to hit a limit. Log-odds, weighed against the time that is left: a quarter by a rule,
//! the rest by trees ([`forest`](super::forest)) that were fitted to what a climb shows. Each alone takes some benign growth for
//! a leak, mostly not the same.
//!
//! By the rule, growth is called once it has lasted a share of the time that remains, and at least three minutes: early enough to
//! act, late enough that warm-up and refills have mostly ended. The share depends on what was before: memory that was
//! flat first has shown its working set, and what grows since birth may be loading; but what was well for many times as
//! long is likelier in an operation that ends than at the beginning of its end. Far from any limit this channel is
//! silent by design.

use crate::history::{HOUR, History, RUNGS, width};

use super::Circumstances;
use super::activity::{self, Activity};
use super::climb::{Climb, FullWindow};
use super::forest::URGENT;
use super::gate::{Gate, Gates, Test};
use super::lasting::BLOCKS_AN_EVALUATION;
use super::life::{Life, WholeLife};
use super::rise::Rise;
use super::signs::{Beside, Ruled, Signs};
use super::stats::ramp;

/// Log-odds of a leak before anything is known.
const PRIOR: f64 = -4.6;

/// What the shape alone may say.
const SHAPE: (f64, f64) = (-6.0, 3.1);

/// What the duration of the growth may say, and how much its logarithm counts.
const PERSISTENCE: (f64, f64) = (-8.0, 5.0);
const PERSISTENCE_WEIGHT: f64 = 9.0;

/// Growth since birth must have lasted this share of the time that is left, growth after a plateau this one, and what
/// has been well for long so much more.
const SINCE_BIRTH: f64 = 0.8;
const AFTER_PLATEAU: f64 = 0.45;
const LONG_WELL: f64 = 0.8;

/// How long a life was well, against the time that it has grown, to have had a plateau, and to have been well for long.
const PLATEAU: (f64, f64) = (0.1, 0.5);
const LONG: (f64, f64) = (4.0, 8.0);

/// Growth must have lasted so long in any case, seconds.
const SHORTEST: f64 = 0.05 * HOUR;

/// Older growth needs a larger share: operations of hours are common, and there is time to act. Seconds. At 5 h a tenth
/// more leaks of hours would be called before half of the way, with half as many false alarms again over days: most of those
/// are of this channel.
const OPERATION: f64 = 1.8 * HOUR;

/// A limit further away than the first is not urgent by the rule, and further away than the second not by the trees,
/// seconds.
const HORIZON: f64 = 10.0 * HOUR;
const TREES_HORIZON: f64 = 30.0 * HOUR;

/// What the rule counts where it is asked; the trees have the rest. At a half, one call in thirty more is wrong on curves of hours that
/// others drew; at a tenth, of leaks that come suddenly after days a third are called in time, and not half.
const RULE: f64 = 0.25;

/// What is added at the first and from the second of these times to the limit on, seconds: with little time to act less
/// evidence has to do. With half an hour and two and a half in place of these, one call in two hundred fewer would be wrong over
/// days, but less than two fifths of the fast leaks called before half of the way, and a quarter more limits hit without a warning.
const HASTE: (f64, f64) = (1.4, -1.8);
const HASTE_LEFT: (f64, f64) = (HOUR, 4.0 * HOUR);

/// An earlier life has shown that this growth ends.
const KNOWN_WARM_UP: f64 = -4.0;

/// Weight of each objection, and the values between which it fades.
const OBJECTIONS: [(Test, f64, (f64, f64)); 7] = [
    (Test::Spread, 8.0, (1.5, 5.3)),
    (Test::Relative, 2.4, (0.003, 0.011)),
    (Test::Absolute, 8.0, (5e5, 3e6)),
    (Test::Signal, 1.5, (3.0, 5.7)),
    (Test::Novelty, 3.0, (0.0, 0.3)),
    (Test::GiveBack, 3.0, (0.6, 1.4)),
    (Test::Slowing, 3.3, (0.47, 0.58)),
];
const LIFE_WEIGHT: f64 = 2.0;

/// Growth that the load does not explain is taken for no likelier a leak for it. Half a unit of log-odds more would have a tenth more
/// fast leaks called before half of the way, with a fifth more false alarms over days and half as many again of fast series.
const ACTIVITY_WEIGHT: f64 = 4.0;

/// What one rung shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Urgency {
    /// Log-odds of a leak that is urgent.
    pub(super) odds: f32,
    /// What the shape adds to the log-odds, all objections counted: above 0 it looks like growth that goes on, however
    /// far the limit.
    pub(super) shape: f32,
    /// What the bank of shapes says.
    pub(super) bayes: f32,
    /// Whether an earlier life has shown that this growth ends.
    pub(super) known_warm_up: bool,
    /// Whether the limit is too far away for this to be urgent before the look after the next, whatever its shape.
    is_far: bool,
    /// Whether a look has been left out since.
    has_waited: bool,
    /// Its slope is that of the last half of the growth.
    pub(super) rise: Rise,
}

/// The latest evidence of every rung, held until a block of it closes.
#[derive(Clone, Debug, Default)]
pub(super) struct UrgencyChannel {
    held: Vec<Option<Box<Urgency>>>,
}

impl UrgencyChannel {
    /// Looks again at the rungs on which `is_closed`.
    pub(super) fn update(
        &mut self,
        history: &History,
        (activity, life): (&Activity, &WholeLife),
        (slow, around): (f64, &Circumstances),
        is_closed: impl Fn(usize) -> bool,
    ) -> Look {
        let mut look = Look::default();
        // The longest windows first: shorter ones are judged beside them.
        for rung in (history.ladder().finest()..RUNGS).rev().filter(|&rung| is_closed(rung)) {
            if self.waits(history, rung) {
                continue;
            }
            let window = FullWindow::of(history, rung);
            look.judged |= window.is_some();
            let rising = window.filter(FullWindow::is_rising);
            look.rising |= rising.is_some();
            let beside = Beside { longer: self.longer(rung), slow };
            let climb = rising.and_then(|window| window.climb(history, life.get()));
            let found = climb.map(|climb| judge(&climb, history, activity, beside, around).urgency);
            if self.held.len() <= rung && found.is_some() {
                self.held.reserve_exact(rung + 1 - self.held.len());
                self.held.resize(rung + 1, None);
            }
            if let Some(held) = self.held.get_mut(rung) {
                *held = found.map(Box::new);
            }
        }
        look
    }

    /// What cannot become urgent before is looked at each second time: by the clock, so that it does not matter who looked first.
    fn waits(&mut self, history: &History, rung: usize) -> bool {
        let is_odd = (history.latest() / between_looks(history, rung)) as i64 & 1 != 0;
        let held = self.held.get_mut(rung).and_then(Option::as_mut);
        held.is_some_and(|held| held.is_far && is_odd && !std::mem::replace(&mut held.has_waited, true))
    }

    fn longer(&self, rung: usize) -> [Option<f32>; 2] {
        [1, 2].map(|more| self.at(rung + more).map(|urgency| urgency.bayes))
    }

    /// What each window shows now that is on the way to a limit which is near.
    pub(super) fn signs(&self, history: &History, slow: f64, around: &Circumstances) -> Vec<Signs> {
        let life = Life::of(history);
        let rising = self.held.iter().zip(0..).filter_map(|(held, rung)| held.as_ref().map(|_| rung));
        let signs = rising.filter_map(|rung| {
            let climb = FullWindow::of(history, rung).filter(FullWindow::is_rising)?.climb(history, life)?;
            let beside = Beside { longer: self.longer(rung), slow };
            judge(&climb, history, &Activity::default(), beside, around).signs
        });
        signs.collect()
    }

    /// The latest evidence of `rung`; `None` where its floors do not rise.
    pub(super) fn at(&self, rung: usize) -> Option<&Urgency> {
        self.held.get(rung)?.as_deref()
    }

    /// The most urgent evidence.
    pub(super) fn strongest(&self) -> Option<&Urgency> {
        self.held.iter().flatten().map(Box::as_ref).max_by(|a, b| a.odds.total_cmp(&b.odds))
    }
}

/// What a look at the rungs that closed a block came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Look {
    /// Whether any window was full enough to be judged.
    pub(super) judged: bool,
    /// Whether any passed the screen that quiet entities never pass.
    pub(super) rising: bool,
}

/// What is made of a climb.
struct Judged {
    urgency: Urgency,
    /// What the trees went by, where its limit is near enough.
    signs: Option<Signs>,
}

fn judge(
    climb: &Climb,
    history: &History,
    activity: &Activity,
    beside: Beside,
    around: &Circumstances,
) -> Judged {
    let lineage = around.lineage;
    let explained = climb.explained(activity).map(activity::gate);
    let (objections, life) = (objections(climb), life_gate(climb.life));
    let gates: Gates = objections.into_iter().map(|(gate, _)| gate).chain([life]).chain(explained).collect();
    let known_warm_up = lineage.is_known_warm_up(climb.like.end, climb.grown());
    let left = around.room.map(|room| room as f64 / climb.slope());
    let ruled = Ruled {
        shape: shape(climb.like.bayes, objections, life, known_warm_up),
        persistence: persistence(climb.growing_for(), lineage.grown(), left, climb.well()),
        known_warm_up,
    };
    let load = explained.map_or(0.0, |gate| -objection(ACTIVITY_WEIGHT, gate));
    let near = left.filter(|left| *left < TREES_HORIZON);
    let signs = near.map(|left| (left, Signs::of(climb, left, ruled, beside, history, around)));
    let rule = PRIOR + ruled.shape + ruled.persistence;
    let odds = load + signs.as_ref().map_or(rule, |(left, signs)| weighed(*left, rule, signs));
    let urgency = Urgency {
        odds: odds as f32,
        shape: (ruled.shape + load) as f32,
        bayes: climb.like.bayes as f32,
        known_warm_up,
        is_far: left.is_none_or(|left| left > TREES_HORIZON + 2.0 * between_looks(history, climb.rung)),
        has_waited: false,
        rise: Rise {
            slope: climb.slope(),
            grown: climb.grown(),
            floor: climb.like.end,
            window: climb.window(),
            growing_for: climb.growing_for(),
            gates,
        },
    };
    Judged { urgency, signs: signs.map(|(_, signs)| signs) }
}

/// Seconds from one look at a rung to the next: no more often than its blocks close, and than all is evaluated.
fn between_looks(history: &History, rung: usize) -> f64 {
    width(rung).max(BLOCKS_AN_EVALUATION * width(history.ladder().finest()))
}

/// Log-odds of what has `left` seconds to its limit: what the rule and the trees make of it, and far from it the trees alone.
fn weighed(left: f64, rule: f64, signs: &Signs) -> f64 {
    let learned = URGENT.log_odds(signs.values());
    let share = if left < HORIZON { RULE } else { 0.0 };
    let weighed = learned + share * (rule - learned);
    weighed + HASTE.0 + (HASTE.1 - HASTE.0) * ramp(left, HASTE_LEFT)
}

/// What the shape adds to the log-odds, the load aside.
fn shape(bayes: f64, objections: [(Gate, f64); OBJECTIONS.len()], life: Gate, known_warm_up: bool) -> f64 {
    let objections: f64 = objections.map(|(gate, weight)| objection(weight, gate)).into_iter().sum();
    bayes.clamp(SHAPE.0, SHAPE.1) - objections - objection(LIFE_WEIGHT, life)
        + if known_warm_up { KNOWN_WARM_UP } else { 0.0 }
}

fn objection(weight: f64, gate: Gate) -> f64 {
    weight * (1.0 - f64::from(gate.pass))
}

/// Each gate, and what it takes off the log-odds where it is closed.
fn objections(climb: &Climb) -> [(Gate, f64); OBJECTIONS.len()] {
    let value = |test| match test {
        Test::Spread => climb.like.spread,
        Test::Relative => climb.relative(),
        Test::Absolute => climb.grown(),
        Test::Signal => climb.signal(),
        Test::Novelty => climb.novelty(),
        Test::GiveBack => climb.give_back(),
        _ => climb.like.slowing,
    };
    OBJECTIONS.map(|(test, weight, limits)| (Gate::new(test, value(test), limits), weight))
}

/// The life speaks for a leak if it grew as a line does, or of late so and better than a logarithm throughout.
fn life_gate(life: Life) -> Gate {
    let value = life.halves.unwrap_or(f64::INFINITY);
    let late = life.quarters.unwrap_or(if life.halves.is_some() { 0.0 } else { f64::INFINITY });
    let pass = ramp(value, (1.1, 1.8)).max(ramp(late, (0.94, 1.0)).min(ramp(value, (1.0, 1.3))));
    Gate::passing(Test::Life, value, pass)
}

/// Log-odds from how long growth has lasted, in this life and those `before`, against the time left to the limit.
/// `well` is how long this life was well before. All in seconds.
fn persistence(growing_for: f64, before: f64, time_left: Option<f64>, well: f64) -> f64 {
    let Some(left) = time_left.filter(|left| *left < HORIZON) else {
        return PERSISTENCE.0;
    };
    let calm = well / growing_for;
    let share =
        SINCE_BIRTH + (AFTER_PLATEAU - SINCE_BIRTH) * ramp(calm, PLATEAU) + LONG_WELL * ramp(calm, LONG);
    let needed = (share * left).max(SHORTEST) * (growing_for / OPERATION).max(1.0);
    (PERSISTENCE_WEIGHT * ((growing_for + before) / needed).ln()).clamp(PERSISTENCE.0, PERSISTENCE.1)
}

#[cfg(test)]
mod tests {
    use super::super::Lineage;
    use super::super::climb::tests::climb;
    use super::*;

    /// What is made of half an hour of growth by 60 MB an hour, after two hours of calm, with so many hours left.
    fn judged(left: Option<f64>) -> Judged {
        let (climb, history) = climb(2.6, |hour| 1e8 + 6e7 * (hour - 2.1).max(0.0)).unwrap();
        let around = Circumstances {
            threshold: 60.0,
            room: left.map(|left| (6e7 * left) as u64),
            lineage: &Lineage::default(),
            executable: None,
            age: None,
            cpu_seconds: None,
            crowd: 1,
        };
        let beside = Beside { longer: [Some(3.0), Some(2.0)], slow: 0.0 };
        judge(&climb, &history, &Activity::default(), beside, &around)
    }

    #[test]
    fn the_nearer_its_limit_the_surer_is_growth_a_leak() {
        let odds = [0.2, 2.0, 8.0, 1000.0].map(|left| judged(Some(left)).urgency.odds);
        assert!(odds.is_sorted_by(|near, far| near >= far), "{odds:?}");
        assert!(odds[0] > 1.0 && odds[3] < -3.0, "{odds:?}");
        assert_eq!(judged(None).urgency.odds, odds[3], "without a limit it is as far as can be");
    }

    #[test]
    fn of_what_is_near_the_rule_counts_a_quarter_and_of_what_is_far_nothing() {
        let signs = judged(Some(8.0)).signs.unwrap();
        let of_rule = |left| weighed(left, 4.0, &signs) - weighed(left, 0.0, &signs);
        assert!((of_rule(8.0 * HOUR) - 4.0 * RULE).abs() < 1e-9, "{}", of_rule(8.0 * HOUR));
        assert_eq!(of_rule(HORIZON), 0.0);
    }

    #[test]
    fn the_less_time_is_left_the_less_evidence_has_to_do() {
        let signs = judged(Some(8.0)).signs.unwrap();
        let odds = [0.1, 1.0, 2.0, 3.0, 4.0, 9.0].map(|hours| weighed(hours * HOUR, 0.0, &signs));
        assert_eq!((odds[0], odds[4]), (odds[1], odds[5]));
        assert!(odds[1..5].is_sorted_by(|near, far| near > far), "{odds:?}");
    }

    #[test]
    fn what_is_far_is_looked_at_each_second_time_and_what_is_near_each_time() {
        let (_, history) = climb(2.6, |hour| 1e8 + 6e7 * (hour - 2.1).max(0.0)).unwrap();
        let is_odd = |rung| (history.latest() / between_looks(&history, rung)).floor() % 2.0 != 0.0;
        let rungs = history.ladder().finest()..RUNGS;
        let (odd, even) = (
            rungs.clone().find(|&rung| is_odd(rung)).unwrap(),
            rungs.clone().find(|&rung| !is_odd(rung)).unwrap(),
        );
        let seen = |left| Some(Box::new(judged(left).urgency));
        for (left, rung, waits) in
            [(None, odd, [true, false]), (None, even, [false; 2]), (Some(20.0), odd, [false; 2])]
        {
            let mut channel = UrgencyChannel { held: vec![seen(left); RUNGS] };
            let waited = [(); 2].map(|()| channel.waits(&history, rung));
            assert_eq!(waited, waits, "{left:?}, rung {rung}: never twice on end");
        }
        assert!(rungs.into_iter().all(|rung| !UrgencyChannel::default().waits(&history, rung)));
    }

    #[test]
    fn trees_are_asked_about_what_is_near_and_shape_is_told_however_far() {
        let (near, far) = (judged(Some(20.0)), judged(Some(40.0)));
        assert!(near.signs.is_some() && far.signs.is_none());
        assert_eq!(near.urgency.shape, far.urgency.shape);
        assert!(far.urgency.shape > 0.0, "{}", far.urgency.shape);
    }
}
