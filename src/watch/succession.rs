//! What the lives of one program leave to each other, and the verdict on all of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::detector::{Assessment, Lineage};
use crate::entity::Executable;
use crate::history::{HOUR, is_time};

use super::generations::{Generations, SHORT};
use super::{Life, Observation};

/// What a succession of lives did is forgotten after so many seconds: a week.
const KEPT: f64 = 7.0 * 86_400.0;

/// One program's lives, one after the other or side by side.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Succession {
    lineage: Lineage,
    generations: Generations,
    /// When the last life ended, seconds.
    ended: f64,
}

impl Succession {
    /// What earlier lives say of the next one.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// When the last life ended, seconds.
    pub fn ended(&self) -> f64 {
        self.ended
    }

    /// Whether it still counts at `time` seconds.
    pub fn is_remembered(&self, time: f64) -> bool {
        time - self.ended < KEPT
    }

    /// Whether it is one that lives can have made. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        self.lineage.is_sound() && self.generations.is_sound() && is_time(self.ended)
    }

    /// Goes on with samples that fill no rung below `finest`.
    pub(super) fn coarsen(&mut self, finest: usize) {
        self.generations.coarsen(finest);
    }

    /// Whether short lives are judged together, which takes the memory of one more life.
    pub fn is_judged_jointly(&self) -> bool {
        self.generations.has_begun()
    }

    /// Takes in a sample that `life` has taken in. Samples come every `interval` seconds; `may_begin` where there is room for
    /// one more joint history.
    pub fn observe(&mut self, seen: &Observation, life: &Life, interval: f64, may_begin: bool) {
        let is_first_of_hour = (seen.time / HOUR).floor() != ((seen.time - interval) / HOUR).floor();
        if is_first_of_hour && let Some(level) = life.levelled_off() {
            self.lineage.settle(level);
        }
        let age = seen.time - life.began();
        // A life that has become a long one beside short ones is none of them.
        if age < SHORT && (may_begin || self.generations.has_begun()) {
            self.generations.observe(seen, age, interval);
        }
    }

    /// Takes note of the end of a life.
    pub fn retire(&mut self, life: &Life, executable: Option<Executable>) {
        self.generations.ended(life.latest() - life.began());
        self.ended = self.ended.max(life.latest());
        // A life too short to be judged says nothing about the next one.
        if life.has_judged() {
            life.retire(&mut self.lineage, executable);
        }
    }

    /// The verdict on a life for its own sake; or that on all short lives together, if this is one of them and that
    /// is the surer one.
    pub fn surer<'a>(&'a self, life: &'a Life) -> &'a Arc<Assessment> {
        let own = life.assessment();
        let joint = self.generations.assessment().filter(|_| life.latest() - life.began() < SHORT);
        joint.filter(|joint| joint.score > own.score).unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Memory;

    /// Whether a worker that fills its cache is called, where another of the same program was there for a day and a half
    /// that did what `first` tells by the hour.
    fn is_called_beside(first: fn(f64) -> f64) -> bool {
        const SECOND: f64 = 36.0;
        let memory = Memory::default();
        let mut lineage = Succession::default();
        let [mut older, mut younger] =
            [0.0, SECOND].map(|hour| Life::new(hour * HOUR, 60.0, lineage.lineage(), None));
        let mut is_called = false;
        for minute in 0..40 * 60 {
            let hour = f64::from(minute) / 60.0;
            let second = (hour >= SECOND).then(|| (&mut younger, fill(hour - SECOND)));
            for (life, bytes) in second.into_iter().chain([(&mut older, first(hour))]) {
                let room = Some((300.0 * MIB - bytes) as u64);
                let seen = Observation { room, ..Observation::alone(hour * HOUR, bytes as u64, &memory) };
                life.observe(seen, lineage.lineage());
                lineage.observe(&seen, life, 60.0, true);
            }
            is_called |= younger.assessment().is_suspect();
        }
        is_called
    }

    const MIB: f64 = 1_048_576.0;

    fn fill(hour: f64) -> f64 {
        (50.0 + 66.0 * hour.min(3.0)) * MIB
    }

    #[test]
    fn a_fill_is_known_by_a_sibling_whose_own_has_ended() {
        assert!(is_called_beside(|_| 50.0 * MIB), "one that never did anything shows nothing");
        assert!(!is_called_beside(fill));
        assert!(is_called_beside(|hour| fill(hour) - 60.0 * MIB), "it went on where the other one stopped");
    }

    #[test]
    fn a_long_life_beside_short_ones_that_grow_is_judged_for_itself() {
        let (memory, none) = (Memory::default(), Lineage::default());
        let mut lineage = Succession::default();
        let mut long = Life::new(0.0, 60.0, &none, None);
        let mut short = Life::new(0.0, 60.0, &none, None);
        for minute in 1..96 * 60 {
            let time = 60.0 * f64::from(minute);
            if minute % 60 == 0 {
                lineage.retire(&short, None);
                short = Life::new(time, 60.0, lineage.lineage(), None);
            }
            let parent = 100e6 + 5e6 * time / HOUR;
            for (life, bytes) in [(&mut short, parent as u64), (&mut long, 500 << 20)] {
                let seen = Observation::alone(time, bytes, &memory);
                life.observe(seen, lineage.lineage());
                lineage.observe(&seen, life, 60.0, true);
            }
        }
        assert!(lineage.surer(&short).is_suspect());
        assert!(!lineage.surer(&long).is_suspect(), "{:?}", lineage.surer(&long));
    }
}
