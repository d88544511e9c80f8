//! How far off a time to a limit may be: from the slowest and the fastest slope that the same evidence supports.

use crate::history::{BLOCKS, Closed, HOUR, HOURLY, History, RUNGS, span, width};

use super::assessment::Channel;
use super::rise::Rise;
use super::stats::{self, Trend, quantile, trend};
use super::window::Window;

/// Half the width of an interval that holds the slope in 95 of 100 cases, in standard deviations.
const CONFIDENCE: f64 = 1.96;

/// Floors below which a piece of the growth has no slope of its own.
const PIECE: usize = 4;

/// The latest sample, from which the room is counted, lies within so many deviations of the floor.
const SWING: f64 = 2.0;

/// Hours in a day.
const DAY: usize = 24;

/// The slopes that bound how soon a limit is reached. They are as they were until a block closes on which they rest: only the
/// room is another at every evaluation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    /// On what they rest.
    basis: Option<Basis>,
    /// The slowest and the fastest, bytes a second; 0 where nothing bounds it.
    slopes: (f64, f64),
    /// Of the finest floors when the slopes were looked for, bytes.
    noise: f64,
}

/// The channel of a rise, the rung on whose blocks it rests, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Basis {
    channel: Channel,
    rung: u8,
    blocks: u8,
}

impl Reach {
    /// Forgets what is held if what was `closed` can make a difference.
    pub(super) fn update(&mut self, closed: Closed) {
        self.basis = self.basis.filter(|basis| !closed.contains(basis.rung.into()));
    }

    /// The soonest and the latest that `room` bytes more are taken, seconds, about the estimate `left` that was made from
    /// `rise`, which is what its channel shows now; `None` where nothing bounds it.
    pub(super) fn range(
        &mut self,
        history: &History,
        lead: (Channel, &Rise),
        room: u64,
        left: f64,
    ) -> Option<[f64; 2]> {
        self.look(history, lead)?;
        let (slowest, fastest) = Some(self.slopes).filter(|(slowest, _)| *slowest > 0.0)?;
        let (room, swing) = (room as f64, SWING * self.noise);
        let (soonest, latest) = ((room - swing).max(0.0) / fastest, (room + swing) / slowest);
        Some([soonest.min(left), latest.max(left)])
    }

    /// Looks anew where nothing is held that rests on the same.
    fn look(&mut self, history: &History, (channel, rise): (Channel, &Rise)) -> Option<()> {
        let rung = if channel == Channel::Season { HOURLY } else { rung_of(history, rise)? };
        let blocks = (rise.window / width(rung)).round() as u8;
        let basis = Some(Basis { channel, rung: rung as u8, blocks });
        if self.basis != basis {
            let slopes = match channel {
                Channel::Trend => of_trend(history, rise),
                Channel::Season => of_season(history, rise),
                Channel::Urgency => of_growth(history, rise),
            };
            *self = Reach { basis, slopes: slopes.unwrap_or_default(), noise: noise(history) };
        }
        Some(())
    }
}

/// Confidence interval of Sen's slope (Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987,
/// 16.5), bytes a second.
fn of_trend(history: &History, rise: &Rise) -> Option<(f64, f64)> {
    let window = of_rise(history, rise)?;
    let (line, n) = (trend(&window.floors)?, window.known() as f64);
    interval(slopes(&window.floors), CONFIDENCE * deviation(&line, n), n * (n - 1.0) / 2.0, window.width)
}

/// Standard deviation of Kendall's S, as it was widened for autocorrelation.
fn deviation(line: &Trend, n: f64) -> f64 {
    let s = (line.tau * n * (n - 1.0) / 2.0).abs();
    // Without any concordance there is no trend to be uncertain about.
    if line.z == 0.0 { f64::INFINITY } else { (s - 1.0).max(0.0) / line.z.abs() }
}

/// The same for the slopes between equal hours of different days (Gilbert, 17.5). The hours of one day depend on each
/// other as if they were one (Hirsch and Slack, 1984, at its worst).
fn of_season(history: &History, rise: &Rise) -> Option<(f64, f64)> {
    let days = (rise.window / HOUR / DAY as f64).round() as usize;
    let floors: Vec<Option<f64>> =
        history.hours().last(days * DAY).into_iter().map(|floor| floor.map(f64::from)).collect();
    let hour = |hour: usize| -> Vec<Option<f64>> { floors.iter().skip(hour).step_by(DAY).copied().collect() };
    let n = days as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let all = (0..DAY).flat_map(|of| slopes(&hour(of))).collect();
    interval(all, CONFIDENCE * deviation, n * (n - 1.0) / 2.0, DAY as f64 * HOUR)
}

/// Of growth that is about to end, the slope may change: those of all of it, of its last half and of its last quarter
/// bound it, each with its own uncertainty left out.
fn of_growth(history: &History, rise: &Rise) -> Option<(f64, f64)> {
    let window = of_rise(history, rise)?;
    let blocks = (rise.growing_for / window.width).round() as usize;
    let pieces = [blocks, blocks / 2, blocks / 4].map(|blocks| (blocks + 1).clamp(PIECE, BLOCKS));
    let slope = |count: usize| {
        let piece = &window.floors[window.floors.len().saturating_sub(count)..];
        Some(stats::slope(piece)? / window.width)
    };
    let slopes = || pieces.into_iter().filter_map(slope).chain([rise.slope]);
    Some((slopes().reduce(f64::min)?, slopes().reduce(f64::max)?))
}

/// The finest rung that spans what a rise was found on. Its blocks close with those of every coarser one.
fn rung_of(history: &History, rise: &Rise) -> Option<usize> {
    (history.ladder().finest()..RUNGS).find(|&rung| span(rung) >= rise.window)
}

/// The floors that a rise was found on.
fn of_rise(history: &History, rise: &Rise) -> Option<Window> {
    let rung = rung_of(history, rise)?;
    Window::of(history, rung, (rise.window / width(rung)).round() as usize)
}

/// Slope of every pair of floors, per step.
fn slopes(floors: &[Option<f64>]) -> Vec<f64> {
    let known = || floors.iter().enumerate().filter_map(|(place, floor)| Some((place, (*floor)?)));
    known()
        .flat_map(|(place, floor)| {
            let later = known().filter(move |(later, _)| *later > place);
            later.map(move |(later, higher)| (higher - floor) / (later - place) as f64)
        })
        .collect()
}

/// The slopes `half_width` of `pairs` below and above the median one, in steps of `step` seconds.
fn interval(mut slopes: Vec<f64>, half_width: f64, pairs: f64, step: f64) -> Option<(f64, f64)> {
    let share = (half_width / pairs).min(1.0);
    let low = quantile(&mut slopes, (1.0 - share) / 2.0)?;
    let high = quantile(&mut slopes, (1.0 + share) / 2.0)?;
    Some((low / step, high / step))
}

/// Noise of the finest floors, bytes.
fn noise(history: &History) -> f64 {
    let window = Window::of(history, history.ladder().finest(), BLOCKS);
    window.and_then(|window| stats::noise(&window.floors)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::stats::median;
    use super::super::{Circumstances, Detector, Lineage, Standing};
    use super::*;
    use crate::sample::Memory;

    const MIB: f64 = 1_048_576.0;

    /// Uniform in -1..1 from a seed of its own.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
        }
    }

    /// A line with noise that reaches its limit after a known time.
    struct Line {
        interval: f64,
        /// Seconds until the limit is reached, and until the range is asked for.
        ends: f64,
        asked: f64,
        /// Bytes a second.
        slope: f64,
        /// Of each sample, and as a walk that returns, as shares of the growth until it is asked.
        noise: (f64, f64),
    }

    /// Whether the true time lay inside the last range that was given, and how wide that was against it.
    fn inside(line: &Line, seed: u64) -> Option<(bool, f64)> {
        let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (lineage, began) = (Lineage::default(), 1.7e9);
        let mut history = History::new(began, line.interval);
        let mut detector = Detector::new(&lineage, None);
        let (limit, grown) = (200.0 * MIB + line.slope * line.ends, line.slope * line.asked);
        let (mut walk, mut last) = (0.0, None);
        for tick in 0..=(line.asked / line.interval) as u32 {
            let elapsed = f64::from(tick) * line.interval;
            walk = 0.98 * walk + 0.2 * line.noise.1 * grown * noise.next();
            let bytes = 200.0 * MIB + line.slope * elapsed + line.noise.0 * grown * noise.next() + walk;
            let closed = history.push(began + elapsed, bytes as u64, &Memory::default());
            let around = Circumstances {
                threshold: 60.0,
                room: Some((limit - bytes).max(0.0) as u64),
                lineage: &lineage,
                executable: None,
                age: None,
                cpu_seconds: None,
                crowd: 1,
            };
            let Some(found) = detector.update(&history, closed, around) else { continue };
            let Some(range) = found.time_to_limit_range_seconds else { continue };
            let left = found.time_to_limit_seconds.unwrap();
            assert!(range[0] <= left && left <= range[1] && found.standing == Standing::Present, "{found:?}");
            let anew = |lead| {
                let mut anew = Reach::default();
                anew.range(&history, lead, around.room?, left)?;
                Some(anew.slopes)
            };
            let held = detector.details.reach.slopes;
            assert_eq!(
                detector.lead().and_then(anew),
                Some(held),
                "what is held is what would be found anew"
            );
            last = Some((range, line.ends - elapsed));
        }
        let ([soonest, latest], truth) = last?;
        Some(((soonest..=latest).contains(&truth), (latest - soonest) / truth))
    }

    #[test]
    fn the_true_time_lies_inside() {
        const CASES: u64 = 100;
        for (name, interval, unit, slope) in
            [("hours", 300.0, HOUR, 6.0 * MIB / HOUR), ("minutes", 1.0, 60.0, 1.0 * MIB)]
        {
            let (mut given, mut right, mut widths) = (0, 0, Vec::new());
            for seed in 1..=CASES {
                let mut dice = Noise(seed);
                let asked = unit * (if unit == HOUR { 48.0 } else { 6.0 } * (1.3 + 0.3 * dice.next()));
                let line = Line {
                    interval,
                    asked,
                    ends: asked * (1.6 + 0.4 * dice.next()),
                    slope,
                    noise: (0.015 + 0.01 * dice.next(), 0.015 + 0.015 * dice.next()),
                };
                if let Some((is_inside, width)) = inside(&line, seed) {
                    given += 1;
                    right += u64::from(is_inside);
                    widths.push(width);
                }
            }
            let width = median(&widths).unwrap();
            println!("{name}: {right} of {given}, as wide as {width:.2} of the time");
            assert!(given >= 8 * CASES / 10, "{name}: only {given} ranges");
            assert!(right * 10 >= given * 8, "{name}: {right} of {given}");
            assert!(width < 0.8, "{name}: {width}");
        }
    }
}
