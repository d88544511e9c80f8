//! One life: its history, the detector that reads it, and the latest verdict. Whoever judges, live or from a
//! recording, does it through this.

use std::sync::Arc;

use crate::detector::{Assessment, Circumstances, Detector, Lineage};
use crate::entity::Executable;
use crate::history::History;
use crate::sample::Memory;

/// Everything that is known of one life of one entity.
#[derive(Clone, Debug)]
pub struct Life {
    history: History,
    detector: Detector,
    assessment: Arc<Assessment>,
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

impl Life {
    /// A life of `lineage` that is first seen at `time`, with samples every `interval` seconds to come.
    pub fn new(time: f64, interval: f64, lineage: &Lineage, executable: Option<Executable>) -> Life {
        Life {
            history: History::new(time, interval),
            detector: Detector::new(lineage, executable),
            assessment: Arc::default(),
        }
    }

    /// Takes in a sample of a life of `lineage`, and gives the new verdict when one has fallen due.
    pub fn observe(&mut self, seen: Observation, lineage: &Lineage) -> Option<&Arc<Assessment>> {
        let closed = self.history.push(seen.time, seen.scored, seen.memory);
        let around = Circumstances {
            threshold: seen.threshold,
            room: seen.room,
            lineage,
            executable: seen.executable,
            age: seen.age,
            cpu_seconds: seen.cpu_seconds,
            crowd: seen.crowd,
        };
        let assessment = self.detector.update(&self.history, closed, around)?;
        self.assessment = Arc::new(assessment);
        Some(&self.assessment)
    }

    /// Judges the latest finding by another threshold, if it is another.
    pub fn judge_by(&mut self, threshold: f64) {
        if self.assessment.threshold != threshold {
            self.assessment = Arc::new(self.assessment.judged_by(threshold));
        }
    }

    /// The latest verdict.
    pub fn assessment(&self) -> &Arc<Assessment> {
        &self.assessment
    }

    /// What it rests on.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Whether its memory has risen at all within a week.
    pub fn is_interesting(&self) -> bool {
        self.detector.is_interesting(&self.history)
    }

    /// Whether there was ever enough history to judge: a life too short for that says nothing about its lineage.
    pub fn has_judged(&self) -> bool {
        self.detector.has_judged()
    }

    /// Ends this life, for its lineage.
    pub fn retire(&self, lineage: &mut Lineage, executable: Option<Executable>) {
        self.detector.retire(&self.history, lineage, executable);
    }
}
