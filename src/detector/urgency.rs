//! The fast channel: growth that is about to hit a limit. Log-odds, weighed against the time that is left.
//!
//! Growth is called once it has lasted a share of the time that remains, and at least three minutes: early enough to
//! act, late enough that warm-up and refills have mostly ended. The share depends on what was before: memory that was
//! flat first has shown its working set, and what grows since birth may be loading; but what was well for many times as
//! long is likelier in an operation that ends than at the beginning of its end. Far from any limit this channel is
//! silent by design.

use crate::history::{BLOCKS, HOUR, History, RUNGS, width};

use super::Circumstances;
use super::activity::{self, Activity};
use super::gate::{Gate, Gates, Test};
use super::rise::Rise;
use super::shapes::Likeness;
use super::stats::ramp;
use super::window::{Life, Past, Window};

/// Floors that a window needs: nearly all, or for a young life fewer.
const KNOWN: (usize, usize) = (BLOCKS - 6, 14);

/// A rise of less than this share of the end, or of fewer bytes, is not looked at.
const SCREEN: (f64, f64) = (0.004, 400_000.0);

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

/// A limit further away than this is not urgent, seconds.
const HORIZON: f64 = 10.0 * HOUR;

/// A saw finer than four blocks disappears under the minimum of four.
const SAW: usize = 4;

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
const ACTIVITY_WEIGHT: f64 = 4.0;

/// Growth of which the load is known to explain less than this share is so much more likely a leak: one innocent cause
/// fewer.
const UNEXPLAINED: (f64, f64) = (0.05, 0.5);

/// What one rung shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Urgency {
    /// Log-odds of a leak that is urgent.
    pub(super) odds: f32,
    /// What the shape adds to the log-odds, all objections counted: above 0 it looks like growth that goes on, however
    /// far the limit.
    pub(super) shape: f32,
    /// Whether an earlier life has shown that this growth ends.
    pub(super) known_warm_up: bool,
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
        activity: &Activity,
        around: &Circumstances,
        is_closed: impl Fn(usize) -> bool,
    ) -> Look {
        let mut look = Look::default();
        for rung in (history.ladder().finest()..RUNGS).filter(|&rung| is_closed(rung)) {
            let window = FullWindow::of(history, rung);
            look.judged |= window.is_some();
            let rising = window.filter(FullWindow::is_rising);
            look.rising |= rising.is_some();
            let found = rising.and_then(|window| window.judge(history, activity, around));
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

/// A window with enough floors to compare its shape; gaps closed.
struct FullWindow {
    rung: usize,
    window: Window,
    /// First known floor of a young life.
    begin: Option<usize>,
}

impl FullWindow {
    fn of(history: &History, rung: usize) -> Option<FullWindow> {
        let mut window = Window::of(history, rung, BLOCKS)?;
        let known = window.known();
        let young = history.began() > window.start && known >= KNOWN.1;
        if !(young || known >= KNOWN.0) {
            return None;
        }
        let begin = window.floors.iter().position(Option::is_some).filter(|_| young);
        if let Some(begin) = begin {
            // The first block of a life holds the start-up.
            window.floors[begin] = None;
        }
        window.is_current(4).then_some(FullWindow { rung, window, begin })
    }

    /// The screen that quiet entities never pass.
    fn is_rising(&self) -> bool {
        let (Some(end), Some((low, high))) = (self.window.end(), self.window.range()) else {
            return false;
        };
        let rise = end - low;
        rise > SCREEN.0 * end && rise > SCREEN.1 && end >= high - 0.5 * rise
    }

    fn judge(&self, history: &History, activity: &Activity, around: &Circumstances) -> Option<Urgency> {
        let lineage = around.lineage;
        let plain: [f64; BLOCKS] = self.window.filled()?.try_into().ok()?;
        let (like, floors) = likeness(plain);
        if like.growth <= 0.0 {
            return None;
        }
        let blocks = match self.begin {
            Some(begin) => like.growing_for.min(BLOCKS - 1 - begin),
            None => like.growing_for,
        }
        .max(1);
        let growth = like.growth.max(1.0);
        let width = width(self.rung);
        let growing_for = blocks as f64 * width;
        let past = Past::of(history, self.rung, self.window.start, &floors, BLOCKS - 1 - blocks);
        let half = (blocks / 2).max(2);
        let recent = (like.end - floors[BLOCKS - 1 - half]) / (half as f64 * width);
        let slope = recent.max(0.5 * growth / growing_for);
        let known_warm_up = lineage.is_known_warm_up(like.end, growth);
        let novelty = past.highest.map_or(f64::INFINITY, |highest| (like.end - highest) / growth);
        let values = [
            like.spread,
            growth / like.level.max(1.0),
            growth,
            growth / like.noise.max(1.0),
            novelty,
            growth / past.given_back.max(1.0),
            like.slowing,
        ];
        let busy = activity.beside(self.rung, self.window.newest(), BLOCKS);
        let explained = busy.and_then(|busy| busy.explains(&floors, BLOCKS - 1 - blocks));
        let gates: Gates = OBJECTIONS
            .iter()
            .zip(values)
            .map(|(&(test, _, limits), value)| Gate::new(test, value, limits))
            .chain([life_gate(Life::of(history))])
            .chain(explained.map(activity::gate))
            .collect();
        let objections: f64 = gates
            .iter()
            .zip(OBJECTIONS.iter().map(|objection| objection.1).chain([LIFE_WEIGHT, ACTIVITY_WEIGHT]))
            .map(|(gate, weight)| weight * (1.0 - f64::from(gate.pass)))
            .sum();
        let is_unexplained = explained.is_some_and(|share| share < UNEXPLAINED.0);
        let shape =
            like.bayes.clamp(SHAPE.0, SHAPE.1) - objections + if known_warm_up { KNOWN_WARM_UP } else { 0.0 };
        let odds = PRIOR
            + if is_unexplained { UNEXPLAINED.1 } else { 0.0 }
            + shape
            + persistence(
                growing_for,
                lineage.grown(),
                around.room.map(|room| room as f64 / slope),
                (history.age() - growing_for).max(0.0),
            );
        Some(Urgency {
            odds: odds as f32,
            shape: shape as f32,
            known_warm_up,
            rise: Rise {
                slope,
                grown: growth,
                floor: like.end,
                window: width * BLOCKS as f64,
                growing_for,
                gates,
            },
        })
    }
}

/// The better of the plain floors and their minima over four blocks, and the floors it was found on.
fn likeness(plain: [f64; BLOCKS]) -> (Likeness, [f64; BLOCKS]) {
    let lowest: [f64; BLOCKS] = std::array::from_fn(|place| {
        plain[place.saturating_sub(SAW - 1)..=place].iter().copied().fold(f64::INFINITY, f64::min)
    });
    let (like, like_lowest) = (Likeness::of(&plain), Likeness::of(&lowest));
    // Smoothing always looks a little better.
    if like_lowest.bayes > like.bayes + 0.3 { (like_lowest, lowest) } else { (like, plain) }
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
