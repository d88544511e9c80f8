//! Small traces whose measures can be worked out by hand.

use crate::method::Reading;
use crate::trace::{Label, Point, Trace};

pub(crate) fn leak(onset: f64) -> Label {
    Label::Leak { onset, fixed: None }
}

/// `count` samples, `interval` seconds apart, of `bytes` by seconds.
pub(crate) fn series(label: Label, interval: f64, count: u32, bytes: impl Fn(f64) -> f64) -> Trace {
    let point = |index| {
        let time = f64::from(index) * interval;
        Point { time, bytes: bytes(time) as u64, life: 0, build: 0, cpu_seconds: None }
    };
    Trace {
        class: "made up",
        number: 0,
        label,
        steady_after_plateau: false,
        up_for: 0.0,
        interval,
        limit: None,
        dies: false,
        points: (0..count).map(point).collect(),
    }
}

pub(crate) fn readings(values: &[(f64, f64)]) -> Vec<Reading> {
    values.iter().filter_map(|&(time, value)| Reading::new(time, value)).collect()
}
