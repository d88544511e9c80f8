//! How busy an entity was while its floors rose. Memory that follows the load is a ramp and no leak; growth that goes on
//! while the load does not is none of its doing.

use serde::{Deserialize, Serialize};

use crate::history::{BLOCKS, Bfloat16, HOUR, Number, RUNGS, is_number, slot, width};

use super::gate::{Gate, Test};
use super::stats::{median, ramp};

/// Time constant of what is usual, seconds.
const USUAL: f64 = 6.0 * HOUR;

/// Less of a core than this is idleness, of which no share is taken.
const IDLE: f64 = 0.002;

/// Work comes in bursts: blocks of activity are averaged with so many before them.
const SMOOTH: usize = 4;

/// Square of the correlation of memory and activity from which on they begin to look alike, and do.
const ALIKE: (f64, f64) = (0.7, 0.9);

/// Relative rise of activity, against that of memory, from which on it can explain it, and does.
const ENOUGH: (f64, f64) = (0.25, 0.5);

/// CPU seconds used a second, by block. Only what has risen is followed in detail, of all else no more than two numbers
/// are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Activity {
    /// Time and CPU seconds of the last sample.
    last: Option<(Number, f64)>,
    usual: Option<Number>,
    lanes: Box<[Lane]>,
    finest: u8,
}

/// The last blocks of one rung.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Lane {
    /// Number of the open block, and CPU seconds and seconds in it so far.
    open: (i64, f32, f32),
    /// Means of the blocks before it by number modulo [`BLOCKS`]; not a number for gaps.
    means: [Bfloat16; BLOCKS],
}

impl Activity {
    /// Takes in the CPU seconds used until `time`.
    pub(super) fn push(&mut self, time: f64, cpu_seconds: f64) {
        let Some((before, used)) = self.last.replace((time.into(), cpu_seconds)) else {
            return;
        };
        let (seconds, cpu) = (time - before.get(), cpu_seconds - used);
        if !(seconds > 0.0 && cpu >= 0.0) {
            return;
        }
        let busy = cpu / seconds;
        let weight = 1.0 - (-seconds / USUAL).exp();
        let usual = self.usual.map(Number::get);
        self.usual = Some(usual.map_or(busy, |usual| usual + weight * (busy - usual)).into());
        // Two blocks make one of the rung above.
        let finest = (time / width(self.finest.into())).floor() as i64;
        for (above, lane) in self.lanes.iter_mut().enumerate() {
            lane.push(finest >> above, cpu as f32, seconds as f32);
        }
    }

    /// Follows it in detail from now on, in blocks from the rung `finest` upwards. What was before is taken for usual.
    pub(super) fn follow(&mut self, finest: usize) {
        if let (true, Some((time, _)), Some(usual)) = (self.lanes.is_empty(), self.last, self.usual) {
            self.finest = finest as u8;
            let lane = |rung| Lane {
                open: ((time.get() / width(rung)).floor() as i64, 0.0, 0.0),
                means: [Bfloat16::from(usual.get() as f32); BLOCKS],
            };
            self.lanes = (finest..RUNGS).map(lane).collect();
        }
    }

    /// Whether it is one that samples can have made.
    pub(super) fn is_sound(&self) -> bool {
        self.lanes.len() <= RUNGS
            && usize::from(self.finest) <= RUNGS - self.lanes.len()
            && self.lanes.iter().all(|lane| is_number(lane.open.0))
    }

    /// What will be needed of it once the floor moves again.
    pub(super) fn at_rest(&self) -> Activity {
        Activity { lanes: Box::default(), finest: 0, ..*self }
    }

    /// Activity in as many blocks as `floors`, which end with the block `newest` of `rung`; `None` where it is not followed.
    pub(super) fn beside(&self, rung: usize, newest: i64, floors: usize) -> Option<Busy> {
        let lane = self.lanes.get(rung.checked_sub(self.finest.into())?)?;
        let first = newest - floors as i64 + 1;
        let mut usual = self.usual?.get();
        let plain: Vec<f64> = (first..=newest)
            .map(|number| {
                usual = lane.mean(number).unwrap_or(usual);
                usual
            })
            .collect();
        let smooth = |place: usize| {
            let part = &plain[place.saturating_sub(SMOOTH - 1)..=place];
            part.iter().sum::<f64>() / part.len() as f64
        };
        Some(Busy((0..floors).map(smooth).collect()))
    }
}

/// Smoothed activity in the blocks of a window, CPU seconds a second.
pub(super) struct Busy(Vec<f64>);

impl Busy {
    /// How much of a rise of `floors`, those of the same blocks, it explains since block `onset`, 0 to 1: how alike they
    /// run, if the load rose enough.
    pub(super) fn explains(&self, floors: &[f64], onset: usize) -> Option<f64> {
        let before = onset.clamp(3, floors.len().saturating_sub(3).max(3));
        let rise = |values: &[f64], least: f64| {
            let from = median(values.get(..before)?)?;
            let to = median(values.get(values.len().checked_sub(3)?..)?)?;
            Some((to - from) / from.max(least))
        };
        let (memory, load) = (rise(floors, 1.0)?, rise(&self.0, IDLE)?);
        if memory <= 0.0 || load <= 0.0 {
            return Some(0.0);
        }
        let correlation = correlation(floors, &self.0).max(0.0);
        Some(ramp(correlation * correlation, ALIKE) * ramp(load / memory, ENOUGH))
    }

    /// Activity between the middles of the first two quarters against that between the middles of the last two: what slowed
    /// down because there was less to do has not levelled off.
    pub(super) fn waning(&self) -> Option<f64> {
        let mean = |from: usize, to: usize| {
            let part = self.0.get(from..to).filter(|part| !part.is_empty())?;
            Some((part.iter().sum::<f64>() / part.len() as f64).max(IDLE))
        };
        let eighth = self.0.len() / 8;
        Some(mean(eighth, 3 * eighth)? / mean(5 * eighth, 7 * eighth)?)
    }
}

impl Lane {
    fn push(&mut self, number: i64, cpu: f32, seconds: f32) {
        let (open, used, lasted) = self.open;
        if number <= open {
            self.open = (open, used + cpu, lasted + seconds);
            return;
        }
        self.means[slot(open)] = if lasted > 0.0 { used / lasted } else { f32::NAN }.into();
        for gap in (open + 1).max(number - BLOCKS as i64)..number {
            self.means[slot(gap)] = f32::NAN.into();
        }
        self.open = (number, cpu, seconds);
    }

    /// The mean of a block that is complete and remembered.
    fn mean(&self, number: i64) -> Option<f64> {
        let back = self.open.0.checked_sub(number)?;
        let mean = f32::from(self.means[slot(number)]);
        ((1..=BLOCKS as i64).contains(&back) && mean.is_finite()).then_some(f64::from(mean))
    }
}

/// The load speaks against a leak as far as it explains the rise.
pub(super) fn gate(explained: f64) -> Gate {
    Gate::passing(Test::Activity, explained, 1.0 - explained)
}

/// Pearson's correlation; 0 where either is constant.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut together, mut own_a, mut own_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        together += a * b;
        own_a += a * a;
        own_b += b * b;
    }
    let scale = (own_a * own_b).sqrt();
    if scale > 0.0 { together / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNG: usize = 9;

    /// What a day's load at each share of the window explains of floors at each share of it.
    fn explained(load: impl Fn(f64) -> f64, floor: impl Fn(f64) -> f64) -> f64 {
        let mut activity = Activity::default();
        let (width, mut cpu) = (width(RUNG), 0.0);
        let span = BLOCKS as f64 * width;
        for sample in 0..=BLOCKS * 16 {
            let time = sample as f64 * width / 16.0;
            activity.push(time, cpu);
            activity.follow(RUNG - 2);
            cpu += load(time / span) * width / 16.0;
        }
        let floors: Vec<f64> = (0..BLOCKS).map(|place| floor(place as f64 / BLOCKS as f64)).collect();
        activity.beside(RUNG, BLOCKS as i64 - 1, BLOCKS).unwrap().explains(&floors, 8).unwrap()
    }

    #[test]
    fn memory_that_follows_the_load_is_explained_by_it() {
        let ramp = |t: f64| 1.0 + (2.0 * (t - 0.25)).clamp(0.0, 1.0);
        assert!(explained(ramp, |t| 1e8 * ramp(t)) > 0.9);
    }

    #[test]
    fn growth_that_goes_on_at_the_same_load_is_not() {
        assert_eq!(explained(|_| 0.5, |t| 1e8 * (1.0 + t)), 0.0);
        assert_eq!(explained(|t| 1.0 - 0.5 * t, |t| 1e8 * (1.0 + t)), 0.0, "falling load");
        let step = |t: f64| if t < 0.3 { 0.2 } else { 0.4 };
        assert!(
            explained(step, |t| 1e8 * (1.0 + (t - 0.3).max(0.0))) < 0.2,
            "the load stepped up and stayed"
        );
    }

    #[test]
    fn a_little_more_load_does_not_explain_much_more_memory() {
        assert!(explained(|t| 1.0 + 0.05 * t, |t| 1e8 * (1.0 + t)) < 0.1);
    }

    #[test]
    fn what_slowed_down_with_the_load_has_not_levelled_off() {
        let mut activity = Activity::default();
        let mut cpu = 0.0;
        for sample in 0..=BLOCKS * 4 {
            let time = sample as f64 * width(RUNG) / 4.0;
            activity.push(time, cpu);
            activity.follow(RUNG);
            cpu += width(RUNG) / 4.0 * if sample < BLOCKS * 2 { 0.8 } else { 0.2 };
        }
        let waning = activity.beside(RUNG, BLOCKS as i64 - 1, BLOCKS).unwrap().waning().unwrap();
        assert!((3.0..5.0).contains(&waning), "{waning}");
    }

    #[test]
    fn awkward_samples_are_no_trouble() {
        let mut activity = Activity::default();
        assert!(activity.beside(RUNG, 10, BLOCKS).is_none());
        activity.follow(RUNG);
        for (time, cpu) in [(10.0, 5.0), (5.0, 9.0), (20.0, 0.0), (1e9, f64::MAX), (1e18, f64::MAX)] {
            activity.push(time, cpu);
            activity.follow(RUNG);
        }
        for newest in [i64::MIN + 100, 0, 10, i64::MAX] {
            let busy = activity.beside(RUNG, newest, 8);
            let said = busy.and_then(|busy| busy.explains(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 2));
            assert!(said.is_none_or(|share| (0.0..=1.0).contains(&share)), "{said:?}");
            let waning = activity.beside(RUNG, newest, 32).and_then(|busy| busy.waning());
            assert!(waning.is_none_or(|times| times > 0.0));
        }
    }
}
