//! One life: its history, the detector that reads it, and the latest verdict. Whoever judges, live or from a
//! recording, does it through this.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::detector::{Assessment, Circumstances, Clues, Detector, Due, Lineage, Rest, Signs, levelled_off};
use crate::entity::Executable;
use crate::history::{Closed, HOUR, HOURLY, History, Quiet, RUNGS, Sealed};
use crate::sample::Memory;

/// What is awake has another place in memory whenever a block so many rungs above the finest is complete: once in 30 samples.
const RUNGS_TO_A_MOVE: usize = 4;

/// Everything that is known of one life of one entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Life {
    state: State,
    assessment: Arc<Assessment>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// Something may be found out.
    Awake(Box<Awake>),
    /// The floor does not move, and nothing is found out from that.
    Asleep(Asleep),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Awake {
    history: History,
    detector: Detector,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asleep {
    history: Quiet,
    rest: Box<Rest>,
}

/// One sample of a life and what stands around it.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// When it was made, seconds of the history's own time.
    pub time: f64,
    /// Memory that a leak could live in, bytes.
    pub scored: u64,
    /// Memory by kind.
    pub memory: &'a Memory,
    /// Seconds since the start of the life, where that is known; it may have been watched for less.
    pub age: Option<f64>,
    /// CPU time that the life has used since its start, seconds.
    pub cpu_seconds: Option<f64>,
    /// Bytes that may still be taken before the nearest limit.
    pub room: Option<u64>,
    /// A score above it is a suspicion; infinite for what is never to be suspected.
    pub threshold: f64,
    /// How many entities are watched beside it whose memory rises at times.
    pub crowd: usize,
    /// What is running.
    pub executable: Option<Executable>,
}

impl Observation<'_> {
    /// What stands around a life of `lineage` when this is seen.
    fn around<'a>(&self, lineage: &'a Lineage) -> Circumstances<'a> {
        Circumstances {
            threshold: self.threshold,
            room: self.room,
            lineage,
            executable: self.executable,
            age: self.age,
            cpu_seconds: self.cpu_seconds,
            crowd: self.crowd,
        }
    }
}

#[cfg(test)]
impl Observation<'_> {
    /// Of which nothing else is known, and beside which nobody is watched.
    pub(super) fn alone(time: f64, scored: u64, memory: &Memory) -> Observation<'_> {
        Observation {
            time,
            scored,
            memory,
            age: None,
            cpu_seconds: None,
            room: None,
            threshold: 60.0,
            crowd: 1,
            executable: None,
        }
    }
}

impl Life {
    /// A life of `lineage` that is first seen at `time`, with samples every `interval` seconds to come.
    pub fn new(time: f64, interval: f64, lineage: &Lineage, executable: Option<Executable>) -> Life {
        let (history, detector) = (History::new(time, interval), Detector::new(lineage, executable));
        Life { state: State::Awake(Box::new(Awake { history, detector })), assessment: Arc::default() }
    }

    /// What its verdict goes by where nothing is urgent; `None` where there is nothing that speaks for a leak.
    pub fn clues(&self, seen: &Observation, lineage: &Lineage) -> Option<Clues> {
        match &self.state {
            State::Awake(awake) => awake.detector.clues(&awake.history, &seen.around(lineage)),
            State::Asleep(_) => None,
        }
    }

    /// What its verdict goes by on the way to a limit that is near, of each window.
    pub fn signs(&self, seen: &Observation, lineage: &Lineage) -> Vec<Signs> {
        match &self.state {
            State::Awake(awake) => awake.detector.signs(&awake.history, &seen.around(lineage)),
            State::Asleep(_) => Vec::new(),
        }
    }

    /// Takes in a sample of a life of `lineage`, and gives the new verdict when one has fallen due.
    pub fn observe(&mut self, seen: Observation, lineage: &Lineage) -> Option<&Arc<Assessment>> {
        let around = seen.around(lineage);
        if let State::Asleep(asleep) = &mut self.state {
            if asleep.history.push(seen.time, seen.scored, seen.memory) {
                match asleep.rest.update(&asleep.history, &self.assessment, &around) {
                    Due::Not => return None,
                    Due::Unchanged => {}
                    Due::Changed(assessment) => self.assessment = assessment,
                }
                return Some(&self.assessment);
            }
            self.state = State::Awake(Box::new(asleep.wake()));
        }
        if let State::Awake(awake) = &mut self.state {
            let closed = awake.history.push(seen.time, seen.scored, seen.memory);
            self.assessment = Arc::new(awake.detector.update(&awake.history, closed, around)?);
            if awake.may_sleep(closed)
                && let Some(asleep) = awake.sleep()
            {
                self.state = State::Asleep(asleep);
            } else if awake.is_to_move(closed) {
                *awake = awake.clone();
            }
        }
        Some(&self.assessment)
    }

    /// Judges the latest finding by another threshold, if it is another.
    pub fn judge_by(&mut self, threshold: f64) {
        if self.assessment.threshold != threshold {
            self.assessment = Arc::new(self.assessment.judged_by(threshold));
        }
    }

    /// Shares the verdict on a life at rest with another one of which the same is said: most have nothing to their names.
    /// `common` is such a verdict, and becomes this one's where it says something else.
    pub fn share_verdict(&mut self, common: &mut Arc<Assessment>) {
        if matches!(self.state, State::Awake(_)) || Arc::ptr_eq(&self.assessment, common) {
            return;
        }
        if self.assessment == *common {
            self.assessment = Arc::clone(common);
        } else {
            *common = Arc::clone(&self.assessment);
        }
    }

    /// The latest verdict.
    pub fn assessment(&self) -> &Arc<Assessment> {
        &self.assessment
    }

    /// What it rests on, as far as it changes no more.
    pub fn sealed(&self) -> Sealed {
        match &self.state {
            State::Awake(awake) => awake.history.sealed(),
            State::Asleep(asleep) => Sealed::from(&asleep.history),
        }
    }

    /// When it was first seen, seconds.
    pub fn began(&self) -> f64 {
        match &self.state {
            State::Awake(awake) => awake.history.began(),
            State::Asleep(asleep) => asleep.history.began(),
        }
    }

    /// When it was last seen, seconds.
    pub fn latest(&self) -> f64 {
        match &self.state {
            State::Awake(awake) => awake.history.latest(),
            State::Asleep(asleep) => asleep.history.latest(),
        }
    }

    /// The latest floor, bytes; `None` before a block is complete.
    pub fn floor(&self) -> Option<f64> {
        match &self.state {
            State::Awake(awake) => awake.history.floor(),
            State::Asleep(asleep) => Some(asleep.history.floor()),
        }
    }

    /// Where it has grown to and stayed, bytes; `None` of what has never grown, and of what may grow still.
    pub fn levelled_off(&self) -> Option<f64> {
        match &self.state {
            State::Awake(awake) => levelled_off(&awake.history),
            // As far as it remembers it has not grown.
            State::Asleep(_) => None,
        }
    }

    /// Whether its memory has risen at all within a week.
    pub fn is_interesting(&self) -> bool {
        match &self.state {
            State::Awake(awake) => awake.detector.is_interesting(awake.history.latest()),
            State::Asleep(asleep) => asleep.rest.is_interesting(asleep.history.latest()),
        }
    }

    /// Whether there was ever enough history to judge: a life too short for that says nothing about its lineage.
    pub fn has_judged(&self) -> bool {
        match &self.state {
            State::Awake(awake) => awake.detector.has_judged(),
            State::Asleep(asleep) => asleep.rest.has_judged(),
        }
    }

    /// Whether it is one that samples can have made. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        let is_sound = match &self.state {
            State::Awake(awake) => awake.history.is_sound() && awake.detector.is_sound(),
            State::Asleep(asleep) => asleep.history.is_sound() && asleep.rest.is_sound(),
        };
        is_sound && self.assessment.is_sound()
    }

    /// Goes on with samples that fill no rung below `finest`.
    pub(super) fn coarsen(&mut self, finest: usize) {
        match &mut self.state {
            State::Awake(awake) => awake.history.coarsen(finest),
            State::Asleep(asleep) => asleep.history.coarsen(finest),
        }
    }

    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        matches!(self.state, State::Asleep(_))
    }

    /// Ends this life, for its lineage.
    pub fn retire(&self, lineage: &mut Lineage, executable: Option<Executable>) {
        match &self.state {
            State::Awake(awake) => awake.retire(lineage, executable),
            State::Asleep(asleep) => asleep.wake().retire(lineage, executable),
        }
    }
}

impl Awake {
    /// Whether to look if anything moves, where blocks were `closed`: most lives don't from their start on, so that the young
    /// ones are looked at often.
    fn may_sleep(&self, closed: Closed) -> bool {
        let is_young = self.history.age() < HOUR;
        closed.contains(HOURLY) || is_young && closed.contains(self.history.ladder().finest() + 1)
    }

    /// Whether it is to have another place in memory, where blocks were `closed`. All lives begin awake, and where one in ten
    /// stays so, it keeps the pages of its nine neighbours from being given back: those that move end up beside each other.
    fn is_to_move(&self, closed: Closed) -> bool {
        closed.contains((self.history.ladder().finest() + RUNGS_TO_A_MOVE).min(RUNGS - 1))
    }

    /// What is left to remember where nothing is found and the floor has not moved.
    fn sleep(&self) -> Option<Asleep> {
        let rest = Box::new(self.detector.rest()?);
        Some(Asleep { history: Quiet::of(&self.history)?, rest })
    }

    fn retire(&self, lineage: &mut Lineage, executable: Option<Executable>) {
        self.detector.retire(&self.history, lineage, executable);
    }
}

impl Asleep {
    fn wake(&self) -> Awake {
        Awake { history: self.history.wake(), detector: self.rest.wake() }
    }
}
