//! The slow channel: a long and steady rise of the floor that nothing else explains.
//!
//! Evidence is the root of a product of gates, so that one that is closed closes all of them. It is what people are told first,
//! and one clue among others to the trees that decide.

use crate::history::{Closed, HOURLY, History};

use super::activity::{self, Activity, Busy};
use super::gate::{Gate, Gates, Test};
use super::life::{Life, WholeLife};
use super::rise::Rise;
use super::stats::{Line, Trend, effective_steps, median, ramp};
use super::window::{Past, Window, never_given_back};

/// A time scale of this channel.
#[derive(Clone, Copy, Debug)]
struct Scale {
    rung: usize,
    blocks: usize,
    /// The shortest windows say least.
    cap: f64,
    /// Growth against the level at which its gate begins to open, and is open; less is drift of any allocator, and over
    /// days that of a cache whose keys never end.
    relative: (f64, f64),
}

/// Windows of 8 h, 16 h, 24 h, 64 h and four days. Blocks of the last are so long that each holds a full collection: what
/// only such a collection shows is under the saw of the young ones everywhere else.
const SCALES: [Scale; SCALE_COUNT] = [
    Scale { rung: HOURLY - 2, blocks: 32, cap: 0.8, relative: (0.005, 0.015) },
    Scale { rung: HALF_HOURLY, blocks: 32, cap: 0.9, relative: (0.01, 0.02) },
    Scale { rung: HOURLY, blocks: 24, cap: 1.0, relative: (0.01, 0.02) },
    Scale { rung: HOURLY + 1, blocks: 32, cap: 1.0, relative: (0.015, 0.04) },
    Scale { rung: HOURLY + 3, blocks: 12, cap: 1.0, relative: (0.045, 0.15) },
];

const HALF_HOURLY: usize = HOURLY - 1;

pub(super) const SCALE_COUNT: usize = 5;

/// Share of a window's floors that must be known.
const KNOWN: f64 = 0.75;

/// Where each gate begins to open, and where it is open.
mod gate {
    /// Mann-Kendall Z: 1.6 is 5 % significance, one-sided.
    pub(super) const TREND: (f64, f64) = (1.6, 3.4);
    /// Growth in bytes; less harms nobody within the window.
    pub(super) const ABSOLUTE: (f64, f64) = (1_048_576.0, 4_194_304.0);
    /// Growth against the noise around the line.
    pub(super) const SIGNAL: (f64, f64) = (2.5, 5.0);
    /// Last quarter's growth against that of the second; below, it is levelling off.
    pub(super) const SLOWING: (f64, f64) = (0.45, 0.8);
    /// Effective number of steps; one step is a deploy.
    pub(super) const SPREAD: (f64, f64) = (2.5, 5.0);
    /// Share of the growth of the first three quarters that is still there.
    pub(super) const RETAINED: (f64, f64) = (0.35, 0.65);
    /// How far above the highest older floor, as a share of the growth.
    pub(super) const NOVELTY: (f64, f64) = (0.0, 0.35);
    /// Growth against the largest fall of the floor in the past.
    pub(super) const GIVE_BACK: (f64, f64) = (0.6, 1.4);
    /// Share of pairs that rose, less those that fell: noise that wanders does not rise for most of a day without a
    /// break, however long its memory.
    pub(super) const TAU: (f64, f64) = (0.95, 1.0);
    /// Shape of the whole life: 1 is a logarithm, 2 a line.
    pub(super) const LIFE: (f64, f64) = (1.15, 1.55);
    /// Growth of the last quarter of the life against the one before, 1 for a line and 0.7 for a logarithm, where the
    /// halves do not speak against it.
    pub(super) const LATE: (f64, f64) = (0.85, 1.0);
    pub(super) const NOT_LOGARITHMIC: (f64, f64) = (1.1, 1.4);
}

/// Growth that slowed down with the load is taken for at most so many times as fast as it was.
const MOST_WANING: f64 = 3.0;

/// What one time scale shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TrendEvidence {
    /// 0 to 1.
    pub(super) evidence: f64,
    /// Last quarter's growth against the second's, where the window grew by a share worth the name.
    slowing: f64,
    pub(super) rise: Rise,
}

/// The latest evidence on each time scale, held until a block of that scale closes.
#[derive(Clone, Debug, Default)]
pub(super) struct TrendChannel {
    held: [Option<TrendEvidence>; SCALE_COUNT],
}

impl TrendChannel {
    /// Looks again at the scales on which `is_closed`. Returns whether any window was full enough to be judged.
    pub(super) fn update(
        &mut self,
        history: &History,
        activity: &Activity,
        life: &WholeLife,
        is_closed: impl Fn(usize) -> bool,
    ) -> bool {
        let mut judged = false;
        for (held, scale) in self.held.iter_mut().zip(SCALES) {
            if is_closed(scale.rung) {
                let window = Window::of(history, scale.rung, scale.blocks).filter(is_full);
                judged |= window.is_some();
                *held = window.and_then(|window| judge(history, (activity, life), scale, &window));
            }
        }
        judged
    }

    /// Whether blocks of any of its scales are among those that `closed`.
    pub(super) fn looks_at(closed: Closed) -> bool {
        SCALES.iter().any(|scale| closed.contains(scale.rung))
    }

    /// The latest evidence of each scale, the shortest first.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<&TrendEvidence>> {
        self.held.iter().map(Option::as_ref)
    }

    /// The strongest evidence and its strength: a window is discounted where a longer one slows down, for then the
    /// steady piece is only the beginning of the end.
    pub(super) fn strongest(&self) -> Option<(f64, &TrendEvidence)> {
        let mut best: Option<(f64, &TrendEvidence)> = None;
        let mut slowest = 1.0_f64;
        for held in self.held.iter().rev().flatten() {
            let evidence = held.evidence * ramp(slowest, (0.0, gate::SLOWING.0));
            if best.is_none_or(|(strongest, _)| evidence >= strongest) {
                best = Some((evidence, held));
            }
            slowest = slowest.min(held.slowing);
        }
        best
    }
}

fn is_full(window: &Window) -> bool {
    window.known() as f64 >= KNOWN * window.floors.len() as f64 && window.is_current(3)
}

fn judge(
    history: &History,
    (activity, life): (&Activity, &WholeLife),
    scale: Scale,
    window: &Window,
) -> Option<TrendEvidence> {
    let line = Line::of(&window.floors)?;
    let end = window.end()?;
    let grown = line.slope * (window.floors.len() as f64 - 1.0);
    let window_seconds = window.width * window.floors.len() as f64;
    let rise = |gates| Rise {
        slope: line.slope / window.width,
        grown,
        floor: end,
        window: window_seconds,
        growing_for: window_seconds,
        gates,
    };
    if grown <= 0.0 {
        return Some(TrendEvidence { evidence: 0.0, slowing: 1.0, rise: rise(Gates::default()) });
    }
    let (trend, level) = (line.trend()?, window.level()?);
    let kept = never_given_back(&window.floors);
    let filled = window.filled()?;
    let past = Past::of(history, scale.rung, window.start, &filled, 0);
    let busy = activity.beside(scale.rung, window.newest(), window.floors.len());
    let waning = busy.as_ref().and_then(Busy::waning).unwrap_or(1.0);
    let slowing = slowing(window, grown) * waning.clamp(1.0, MOST_WANING);
    let retained = (kept[window.floors.len() * 3 / 4] - lowest_of_first_three(window)) / (0.75 * grown);
    let signal = grown / trend.noise.max(1e-4 * level);
    let gates = [
        trend_gate(&trend, scale),
        Gate::new(Test::Relative, grown / level.max(1.0), scale.relative),
        Gate::new(Test::Absolute, grown, gate::ABSOLUTE),
        Gate::new(Test::Signal, signal, gate::SIGNAL),
        Gate::new(Test::Slowing, slowing, gate::SLOWING),
        Gate::new(Test::Spread, spread(&kept), gate::SPREAD),
        Gate::new(Test::Retained, retained, gate::RETAINED),
        Gate::new(Test::Novelty, past.highest.map_or(1.0, |highest| (end - highest) / grown), gate::NOVELTY),
        Gate::new(Test::GiveBack, grown / past.given_back.max(1.0), gate::GIVE_BACK),
        life_gate(life.get()),
    ];
    let explained = busy.and_then(|busy| busy.explains(&filled, 0)).map(activity::gate);
    let rise = rise(gates.into_iter().chain(explained).collect());
    Some(TrendEvidence {
        evidence: scale.cap * rise.evidence(),
        slowing: if grown > 0.02 * level && !slowing.is_nan() { slowing } else { 1.0 },
        rise,
    })
}

/// Growth between the medians of the last two quarters against that between the first two; not a number, which opens
/// no gate, where a quarter has no floors.
fn slowing(window: &Window, grown: f64) -> f64 {
    let quarter = window.floors.len() / 4;
    let mut quarters =
        window.floors.chunks(quarter).map(|part| median(&part.iter().flatten().copied().collect::<Vec<_>>()));
    let mut next = || quarters.next().flatten();
    match (next(), next(), next(), next()) {
        (Some(first), Some(second), Some(third), Some(fourth)) => {
            (fourth - third) / (second - first).max(grown / 6.0).max(1e-9)
        }
        _ => f64::NAN,
    }
}

fn spread(kept: &[f64]) -> f64 {
    effective_steps(kept.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| step.is_finite()))
}

fn lowest_of_first_three(window: &Window) -> f64 {
    window.floors.iter().take(3).flatten().copied().fold(f64::INFINITY, f64::min)
}

/// A trend that the correction for autocorrelation hides shows in windows of 16 h and more, where every floor is above
/// the one before: a rate that follows the load bends the line, and its residuals look like noise with a long memory.
fn trend_gate(trend: &Trend, scale: Scale) -> Gate {
    let gate = Gate::new(Test::Trend, trend.z, gate::TREND);
    let monotonic = if scale.rung < HALF_HOURLY { 0.0 } else { ramp(trend.tau, gate::TAU) };
    Gate { pass: gate.pass.max(monotonic as f32), ..gate }
}

/// The life speaks for a leak if it grew as a line does, or of late so and better than a logarithm throughout.
pub(super) fn life_gate(life: Life) -> Gate {
    let halves = life.halves.unwrap_or(f64::INFINITY);
    let gate = Gate::new(Test::Life, halves, gate::LIFE);
    let late = life.quarters.unwrap_or(if life.halves.is_some() { 0.0 } else { f64::INFINITY });
    let late = ramp(late, gate::LATE).min(ramp(halves, gate::NOT_LOGARITHMIC));
    Gate { pass: gate.pass.max(late as f32), ..gate }
}
