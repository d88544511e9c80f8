//! How long it takes to a limit, for one and for all that share it.

use crate::detector::Assessment;

/// How long it takes to a limit, seconds, and the soonest and the latest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Approach {
    /// The most likely time.
    pub left: f64,
    /// Its range, where the evidence gives one.
    pub range: Option<[f64; 2]>,
}

impl Approach {
    /// Of an entity on its own; `None` for what is not on the way to a limit.
    pub fn of(assessment: &Assessment) -> Option<Approach> {
        let left = assessment.time_to_limit_seconds?;
        Some(Approach { left, range: assessment.time_to_limit_range_seconds })
    }
}

/// How fast entities grow, bytes a second, and the fastest and the slowest that it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    growth: f64,
    range: Option<[f64; 2]>,
}

impl Pace {
    /// Of an entity that grows by `growth` bytes a second and has a `way` to go.
    pub fn new(growth: f64, way: Approach) -> Pace {
        Pace { growth, range: way.range.map(|range| range.map(|seconds| growth * way.left / seconds)) }
    }

    /// Both together.
    pub fn add(&mut self, other: Pace) {
        self.growth += other.growth;
        self.range = self.range.zip(other.range).map(|(one, other)| [one[0] + other[0], one[1] + other[1]]);
    }

    /// The way of `room` bytes at this pace; `None` for what does not grow.
    pub fn approach(self, room: u64) -> Option<Approach> {
        let seconds = |growth: f64| room as f64 / growth;
        let range = self.range.map(|range| range.map(seconds)).filter(|range| range[1].is_finite());
        (self.growth > 0.0).then(|| Approach { left: seconds(self.growth), range })
    }
}
