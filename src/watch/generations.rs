//! Lives that are too short to be judged, judged as one: a server that forks a child for each task, a worker that is
//! recycled. Each child may grow and be well; but where every one of them begins above the one before, their parent
//! leaks, and it shows in the floor of them all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::detector::{Assessment, Circumstances, Detector, Lineage};
use crate::history::{HOUR, History};

use super::Observation;

/// A life shorter than this, in seconds, is one of many. A longer one is judged for itself: its own windows of eight hours and more
/// have something to say by then.
pub(super) const SHORT: f64 = 12.0 * HOUR;

/// So many short lives in a row are a habit.
const HABIT: u32 = 3;

/// Share of the usual life that is its start: what is still loading is no floor.
const START: f64 = 0.1;

/// The short lives of one lineage, one after the other or side by side. Nothing but two numbers while lives are long.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Generations {
    /// Short lives in a row.
    lives: u32,
    /// Their mean length, seconds.
    length: f64,
    joint: Option<Box<Joint>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Joint {
    history: History,
    detector: Detector,
    assessment: Option<Arc<Assessment>>,
}

impl Generations {
    /// Takes note of the end of a life that was watched for `age` seconds.
    pub(super) fn ended(&mut self, age: f64) {
        if age < SHORT {
            self.lives = self.lives.saturating_add(1);
            self.length += (age - self.length) / f64::from(self.lives);
        } else {
            *self = Generations::default();
        }
    }

    /// Takes in a sample of a life of `age` seconds; samples come every `interval` seconds.
    pub(super) fn observe(&mut self, seen: &Observation, age: f64, interval: f64) {
        if self.lives < HABIT || age < START * self.length {
            return;
        }
        let joint = self.joint.get_or_insert_with(|| {
            Box::new(Joint {
                history: History::new(seen.time, interval),
                detector: Detector::new(&Lineage::default(), None),
                assessment: None,
            })
        });
        let closed = joint.history.push(seen.time, seen.scored, seen.memory);
        let around = Circumstances {
            threshold: seen.threshold,
            room: seen.room,
            lineage: &Lineage::default(),
            executable: None,
            age: None,
            cpu_seconds: None,
            crowd: seen.crowd,
        };
        if let Some(assessment) = joint.detector.update(&joint.history, closed, around) {
            joint.assessment = Some(Arc::new(assessment));
        }
    }

    /// Goes on with samples that fill no rung below `finest`.
    pub(super) fn coarsen(&mut self, finest: usize) {
        if let Some(joint) = &mut self.joint {
            joint.history.coarsen(finest);
        }
    }

    /// Whether there is a joint history.
    pub(super) fn has_begun(&self) -> bool {
        self.joint.is_some()
    }

    /// Whether it is one that lives can have made.
    pub(super) fn is_sound(&self) -> bool {
        self.length >= 0.0
            && self.joint.as_ref().is_none_or(|joint| {
                joint.history.is_sound()
                    && joint.detector.is_sound()
                    && joint.assessment.as_ref().is_none_or(|assessment| assessment.is_sound())
            })
    }

    /// The verdict on all of them, where there is one.
    pub(super) fn assessment(&self) -> Option<&Arc<Assessment>> {
        self.joint.as_ref()?.assessment.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Memory;

    /// How long children live, one after the other and again, hours.
    const LIVES: [&[u32]; 3] = [&[1], &[4, 7, 5], &[8]];

    /// Scores of children that live for so many hours, one after the other and again, and grow by half each while the parent has
    /// so many MiB at each hour of six days.
    fn scores(lives: &[u32], parent: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut generations = Generations::default();
        let (mut scores, mut began) = (Vec::new(), 0);
        for minutes in lives.iter().map(|hours| 60 * hours).cycle() {
            if began >= 144 * 60 {
                break;
            }
            for minute in 0..minutes {
                let grown = 1.0 + f64::from(minute) / f64::from(2 * minutes);
                let mebibytes = parent(f64::from(began) / 60.0) * grown;
                let memory = Memory::default();
                let time = f64::from(began + minute) * 60.0;
                let seen = Observation::alone(time, (mebibytes * 1_048_576.0) as u64, &memory);
                generations.observe(&seen, f64::from(minute) * 60.0, 60.0);
                scores.extend(generations.assessment().and_then(|assessment| assessment.score));
            }
            generations.ended(60.0 * f64::from(minutes - 1));
            began += minutes;
        }
        scores
    }

    #[test]
    fn children_that_each_begin_above_the_one_before_are_a_leak() {
        for lives in LIVES {
            let leak = scores(lives, |hour| 100.0 + 2.0 * hour);
            assert!(leak.into_iter().any(|score| score > 60.0), "lives of {lives:?} hours");
        }
    }

    #[test]
    fn children_that_each_grow_and_end_are_not() {
        for lives in LIVES {
            let highest = scores(lives, |_| 100.0).into_iter().fold(0.0, f64::max);
            assert!(highest < 20.0, "lives of {lives:?} hours: {highest}");
        }
    }

    #[test]
    fn lives_that_are_long_are_judged_for_themselves() {
        let mut generations = Generations::default();
        (0..3).for_each(|_| generations.ended(60.0));
        assert_eq!(generations.lives, HABIT);
        generations.ended(SHORT);
        assert_eq!(generations.lives, 0);
        assert!(!generations.has_begun());
    }
}
