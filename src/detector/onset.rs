//! When growth began: a level that turns into a rise, fitted to the floors of the whole life.
//!
//! Two-phase regression with a joint (Hinkley, "Inference in two-phase regression", 1971): for every candidate the
//! flat line and the rising one are fitted together by least squares, and the one that leaves least is the estimate.
//! It is as fine as the blocks that still hold the whole life, which is a sixteenth to a thirty-second of it.

use crate::history::{BLOCKS, Closed, History, Number};

use super::life::telling_rung;
use super::stats::median;
use super::window::{Window, never_given_back};

/// Floors below which there is no telling.
const LEAST: usize = 8;

/// Candidates to a block: a joint lies between floors as often as on them.
const CANDIDATES: usize = 2;

/// A rise in one block of more than so many times the usual one is a step: a deploy, a reload, the end of a start. It
/// is no part of the growth before or after it.
const STEP: f64 = 3.0;

/// A rise that is complete but for this share has paused: the level that follows tells nothing of its beginning.
const PAUSED: f64 = 0.03;

/// A later beginning than the first floor must explain so much more than chance would, as the F statistic of one
/// further parameter: 1 % significance, doubled because the joint is chosen where it explains most.
const LATER: f64 = 15.0;

/// A line from the first floor on that leaves no more than this share of the rise is right as it is.
const STRAIGHT: f64 = 0.01;

/// When the growth of a life began, held until a block closes of the rung that tells it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Onset {
    /// That rung.
    rung: Option<u8>,
    /// What it told.
    began: Option<Number>,
}

impl Onset {
    /// Forgets what is held if what was `closed` can make a difference.
    pub(super) fn update(&mut self, closed: Closed) {
        self.rung = self.rung.filter(|&rung| !closed.contains(rung.into()));
    }

    /// When growth began, seconds, as of [`onset`].
    pub(super) fn of(&mut self, history: &History) -> Option<f64> {
        let rung = telling_rung(history);
        if self.rung.map(usize::from) != Some(rung) {
            let began = onset(history, rung).map(Number::from);
            *self = Onset { rung: Some(rung as u8), began };
        }
        self.began.map(Number::get)
    }
}

/// When the growth of this life began by its floors on `rung`, seconds. Growth that is as old as what is remembered began then at the latest:
/// with the first sample, or for a life of more than ten days with its oldest floor. `None` where nothing grew, or too
/// little is remembered.
fn onset(history: &History, rung: usize) -> Option<f64> {
    let window = Window::of(history, rung, BLOCKS)?;
    let points = growth(&window.floors);
    let joint = joint(&points)?;
    let is_first = points.first().is_some_and(|first| first.0 >= joint);
    let began = history.began();
    // The first block that lies inside the life begins a little after it.
    if is_first && window.start <= began {
        return Some(began);
    }
    Some((window.start + joint * window.width).clamp(began, history.latest()))
}

/// Floors by their place, as far as they were never given back, without steps, and until the rise was complete.
fn growth(floors: &[Option<f64>]) -> Vec<(f64, f64)> {
    let kept = never_given_back(floors);
    let known = floors.iter().zip(kept).enumerate().filter(|(_, (floor, _))| floor.is_some());
    let mut points: Vec<(f64, f64)> = known.map(|(place, (_, kept))| (place as f64, kept)).collect();
    remove_steps(&mut points);
    if let (Some(&(_, first)), Some(&(_, last))) = (points.first(), points.last()) {
        let complete = last - PAUSED * (last - first);
        let reached = points.iter().position(|&(_, kept)| kept >= complete).unwrap_or(points.len());
        points.truncate((reached + 1).max(LEAST));
    }
    points
}

/// Puts the usual rise in the place of a step.
fn remove_steps(points: &mut [(f64, f64)]) {
    let pace = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
    let rises: Vec<f64> = points.windows(2).map(pace).filter(|pace| *pace > 0.0).collect();
    let Some(usual) = median(&rises) else { return };
    let mut steps = 0.0;
    let mut before = points[0];
    for point in &mut points[1..] {
        let (blocks, rise) = (point.0 - before.0, point.1 - before.1);
        before = *point;
        if rise > STEP * usual * blocks {
            steps += rise - usual * blocks;
        }
        point.1 -= steps;
    }
}

/// Where the level turns into a rise; the first point where nothing speaks for a later one.
fn joint(points: &[(f64, f64)]) -> Option<f64> {
    let (&(first, low), &(last, high)) = points.first().zip(points.last())?;
    if points.len() < LEAST || high <= low {
        return None;
    }
    let line = left_over(points, first)?;
    let until = (CANDIDATES as f64 * (last - first - 2.0)).max(0.0) as usize;
    let candidates = (0..=until).map(|step| first + step as f64 / CANDIDATES as f64);
    let fitted = candidates.filter_map(|joint| Some((joint, left_over(points, joint)?)));
    let (best, least) = fitted.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let n = points.len() as f64;
    let is_straight = line <= n * (STRAIGHT * (high - low)).powi(2);
    let is_later = line - least > LATER * least / (n - 3.0);
    Some(if is_straight || !is_later { first } else { best })
}

/// Sum of squares that a level until `joint` and a rise from there on leave; `None` where they would fall.
fn left_over(points: &[(f64, f64)], joint: f64) -> Option<f64> {
    let base = points.first()?.1;
    let [mut x, mut y, mut xx, mut xy, mut yy] = [0.0; 5];
    for &(place, floor) in points {
        let (along, above) = ((place - joint).max(0.0), floor - base);
        x += along;
        y += above;
        xx += along * along;
        xy += along * above;
        yy += above * above;
    }
    let n = points.len() as f64;
    let (spread, shared, total) = (xx - x * x / n, xy - x * y / n, yy - y * y / n);
    (shared > 0.0).then(|| (total - shared * shared / spread).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::HOUR;
    use crate::sample::Memory;

    const MIB: f64 = 1_048_576.0;

    /// A life sampled every minute, of which `mebibytes` tells the memory at each hour; `None` is a gap.
    fn life(hours: f64, mebibytes: impl Fn(f64) -> Option<f64>) -> History {
        let mut history = History::new(1.7e9, 60.0);
        for minute in 0..=(hours * 60.0) as u32 {
            if let Some(amount) = mebibytes(f64::from(minute) / 60.0) {
                let time = 1.7e9 + f64::from(minute) * 60.0;
                history.push(time, (amount.max(0.0) * MIB) as u64, &Memory::default());
            }
        }
        history
    }

    fn onset_hours(hours: f64, mebibytes: impl Fn(f64) -> Option<f64>) -> Option<f64> {
        Onset::default().of(&life(hours, mebibytes)).map(|time| (time - 1.7e9) / HOUR)
    }

    #[test]
    fn what_is_held_is_what_would_be_found_anew() {
        let mut history = History::new(1.7e9, 60.0);
        let (mut held, mut found) = (Onset::default(), std::collections::BTreeSet::new());
        for minute in 0..3000_u32 {
            let grown = f64::from(minute.saturating_sub(1000)) + 40.0 * noise(f64::from(minute) / 60.0);
            let bytes = ((300.0 + grown) * MIB) as u64;
            held.update(history.push(1.7e9 + f64::from(minute) * 60.0, bytes, &Memory::default()));
            let onset = held.of(&history);
            assert_eq!(onset, Onset::default().of(&history), "{minute}");
            found.extend(onset.map(|onset| onset as u64));
        }
        assert!(found.len() > 10, "{found:?}");
    }

    /// Uniform in -1..1, the same in every run.
    fn noise(hour: f64) -> f64 {
        let mixed = ((hour * 60.0).round() as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    }

    fn saw(hour: f64) -> f64 {
        60.0 * (hour / 0.7).fract()
    }

    #[test]
    fn the_onset_is_where_the_rise_begins() {
        type Shape = fn(f64) -> f64;
        for (name, expected, shape) in [
            ("after a plateau", 40.0, (|hour| 200.0 + 6.0 * (hour - 40.0).max(0.0)) as Shape),
            ("with noise", 40.0, |hour| 200.0 + 6.0 * (hour - 40.0).max(0.0) + 4.0 * noise(hour)),
            ("under a saw", 40.0, |hour| 200.0 + 6.0 * (hour - 40.0).max(0.0) + saw(hour)),
            ("after a step", 60.0, |hour| {
                200.0 + if hour > 20.0 { 150.0 } else { 0.0 } + 4.0 * (hour - 60.0).max(0.0)
            }),
            ("with a step in it", 40.0, |hour| {
                200.0 + if hour > 70.0 { 150.0 } else { 0.0 } + 4.0 * (hour - 40.0).max(0.0)
            }),
            ("after a warm-up", 50.0, |hour| {
                200.0 + 200.0 * (1.0 - (-hour / 1.5).exp()) + 5.0 * (hour - 50.0).max(0.0)
            }),
            ("after giving back", 30.0, |hour| if hour < 30.0 { 400.0 } else { 100.0 + 5.0 * (hour - 30.0) }),
            ("and a pause", 40.0, |hour| 200.0 + 6.0 * (hour.min(70.0) - 40.0).max(0.0)),
            ("lately", 85.0, |hour| 200.0 + 8.0 * (hour - 85.0).max(0.0)),
        ] {
            let found = onset_hours(100.0, |hour| Some(shape(hour))).unwrap();
            // A block is four hours wide.
            assert!((found - expected).abs() <= 4.0, "{name}: {found:.1} h instead of {expected}");
        }
    }

    #[test]
    fn what_grew_from_its_start_began_with_it() {
        for hours in [3.0, 40.0, 100.0] {
            assert_eq!(onset_hours(hours, |hour| Some(200.0 + 3.0 * hour)), Some(0.0), "{hours}");
            let noisy = |hour| Some(200.0 + 100.0 * hour / hours + 3.0 * noise(hour));
            assert_eq!(onset_hours(hours, noisy), Some(0.0), "{hours} with noise");
        }
        let stairs = |hour: f64| Some(200.0 + 20.0 * (hour / 8.0).floor());
        assert!(onset_hours(100.0, stairs).is_some_and(|found| found < 12.0));
    }

    #[test]
    fn gaps_move_nothing() {
        let shape = |hour: f64| 200.0 + 6.0 * (hour - 40.0).max(0.0);
        for gap in [10.0..25.0, 30.0..50.0, 60.0..80.0] {
            let found = onset_hours(100.0, |hour| (!gap.contains(&hour)).then(|| shape(hour))).unwrap();
            assert!((found - 40.0).abs() <= 4.0, "{gap:?}: {found:.1}");
        }
    }

    #[test]
    fn what_does_not_rise_has_none() {
        assert_eq!(onset_hours(100.0, |_| Some(200.0)), None);
        assert_eq!(onset_hours(100.0, |hour| Some(900.0 - 3.0 * hour)), None);
        assert_eq!(onset_hours(0.1, |hour| Some(200.0 + 900.0 * hour)), None, "too little is remembered");
        assert_eq!(onset_hours(100.0, |_| Some(0.0)), None);
    }

    #[test]
    fn what_is_older_than_memory_began_by_then_at_the_latest() {
        let hours = 24.0 * 20.0;
        let found = onset_hours(hours, |hour| Some(200.0 + 3.0 * hour)).unwrap();
        assert!((hours - found - 256.0).abs() < 16.0, "{found}");
    }
}
