//! What is left of a detector that has nothing to say: a life whose floor does not move is not evaluated.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::history::{BLOCKS, Closed, HOUR, Quiet, RUNGS, is_number, width};

use super::lasting::Lasting;
use super::slope;
use super::{Assessment, Circumstances, Detector, Lineage};

/// A score of less than half a hundredth of a percent is none, 0 to 1.
const NOTHING: f64 = 5e-5;

/// What outlives the rest of a detector. An eighth of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rest {
    lasting: Lasting,
    /// Whether any window was full enough to be judged.
    judged: bool,
    /// Number of the hour in which the slope was found; a width that lasts for as long as any time does.
    hour: i32,
}

impl Detector {
    /// What will be needed of a detector that has found nothing; `None` while there is more to it.
    pub fn rest(&self) -> Option<Rest> {
        let nothing = self.own_score() < NOTHING
            && self.seen < NOTHING
            && self.suspicion.is_none()
            && self.probation.is_none()
            && self.lead().is_none();
        nothing.then(|| Rest { lasting: self.lasting.at_rest(), judged: self.judged, hour: 0 })
    }
}

impl Rest {
    /// Takes note that the latest sample of `quiet` was seen. Gives the new verdict when one falls due and says anything
    /// else than the `last` one; in what has been quiet for long that is only the slope, once an hour.
    pub fn update(&mut self, quiet: &Quiet, last: &Assessment, around: &Circumstances) -> Due {
        let Some(step) = self.lasting.due(quiet.latest(), quiet.finest(), around.cpu_seconds) else {
            return Due::Not;
        };
        if !self.judged {
            return Due::Changed(Arc::new(self.evaluate(quiet, step, around)));
        }
        self.lasting.stand(Some(quiet.floor()), around.room);
        let hour = (quiet.latest() / HOUR).floor() as i32;
        let slope = match self.hour == hour {
            true => last.growth_bytes_per_second,
            false => plain_slope(quiet),
        };
        self.hour = hour;
        if last.threshold == around.threshold && last.growth_bytes_per_second == slope {
            return Due::Unchanged;
        }
        let changed = Assessment { growth_bytes_per_second: slope, ..last.clone() };
        Due::Changed(Arc::new(changed.judged_by(around.threshold)))
    }

    /// The verdict on a life that was too young to be judged. As long as it is, it may say something else each time: a detector
    /// is made, which looks at everything, and not kept.
    fn evaluate(&mut self, quiet: &Quiet, step: f64, around: &Circumstances) -> Assessment {
        let mut detector = self.wake();
        let assessment = detector.evaluate(&quiet.wake(), step, *around);
        *self = Rest { lasting: detector.lasting.at_rest(), judged: detector.judged, ..*self };
        assessment
    }

    /// Whether it is one that a detector can have left. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        self.lasting.is_sound() && is_number(self.hour.into())
    }

    /// Whether there was ever enough history to judge.
    pub fn has_judged(&self) -> bool {
        self.judged
    }

    /// Whether at `now` its memory has risen at all within a week.
    pub fn is_interesting(&self, now: f64) -> bool {
        self.lasting.is_interesting(now)
    }

    /// The detector that would have been there all along. It looks at everything that there is when it is due next.
    pub fn wake(&self) -> Detector {
        Detector {
            closed: Closed::all(),
            judged: self.judged,
            lasting: self.lasting.clone(),
            ..Detector::new(&Lineage::default(), None)
        }
    }
}

/// Whether a verdict has fallen due.
#[derive(Debug)]
pub enum Due {
    /// Not yet.
    Not,
    /// It is what it was.
    Unchanged,
    /// It is another one.
    Changed(Arc<Assessment>),
}

/// As [`PlainSlope`] finds it, bytes a second.
fn plain_slope(quiet: &Quiet) -> Option<f64> {
    let is_long = |rung: &usize| quiet.age() >= width(*rung) * slope::KNOWN as f64;
    (quiet.finest()..RUNGS).rev().filter(is_long).find_map(|rung| {
        if quiet.is_flat() {
            return Some(0.0);
        }
        let floors = quiet.floors::<BLOCKS>(rung);
        let known = floors.iter().flatten().count();
        let slope = if known >= slope::KNOWN { super::stats::slope(&floors) } else { None };
        slope.map(|slope| slope / width(rung))
    })
}
