//! What a climb shows whose limit is near, as one row of numbers: its age and what is left of its way, its shape, and what
//! is known of the life and the lives before it.
//!
//! Their order is that in which the forest was fitted: see `benches/verdict/fit`.

use crate::history::{HOUR, History};

use super::Circumstances;
use super::climb::Climb;

/// How many there are.
pub const SIGNS: usize = 23;

/// One row. What is not known is not a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Signs([f32; SIGNS]);

/// What comparing shapes may say, log-odds.
const BAYES: (f64, f64) = (-20.0, 20.0);

/// What is sooner there than in a second is there in one.
const SOONEST: f64 = 1.0;

/// What is seen beside a climb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// What the shapes say of windows twice and four times as long, where they show growth.
    pub(super) longer: [Option<f32>; 2],
    /// Slow evidence, 0 to 1.
    pub(super) slow: f64,
}

/// What the rule makes of it: log-odds, and a ground for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruled {
    /// Of the shape, the load aside.
    pub(super) shape: f64,
    /// Of how long it has lasted, against the time that is left.
    pub(super) persistence: f64,
    /// Whether an earlier life has shown that this growth ends.
    pub(super) known_warm_up: bool,
}

impl Signs {
    /// Of a climb that has `left` seconds to its limit.
    pub(super) fn of(
        climb: &Climb,
        left: f64,
        ruled: Ruled,
        beside: Beside,
        history: &History,
        around: &Circumstances,
    ) -> Signs {
        let (lineage, growing_for, left) = (around.lineage, climb.growing_for(), left.max(SOONEST));
        let age = around.age.unwrap_or(0.0).max(history.age());
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let [twice, four_times] = beside.longer.map(|bayes| known(bayes.map(f64::from)));
        let row = [
            (growing_for / 60.0).log2(),
            (left / 60.0).log2(),
            ((growing_for + lineage.grown()) / left).ln(),
            (climb.well() / growing_for).ln_1p(),
            climb.like.bayes.clamp(BAYES.0, BAYES.1),
            twice,
            four_times,
            climb.like.spread,
            climb.relative(),
            climb.grown().log2(),
            climb.signal(),
            climb.novelty(),
            climb.give_back(),
            climb.like.slowing,
            known(climb.life.halves),
            known(climb.life.quarters),
            f64::from(u8::from(ruled.known_warm_up)),
            (age / HOUR).ln_1p(),
            lineage.suspicion(around.executable, age, true),
            climb.blocks as f64,
            ruled.shape,
            ruled.persistence,
            beside.slow,
        ];
        Signs(row.map(|value| value as f32))
    }

    /// Each of them.
    pub fn values(&self) -> &[f32; SIGNS] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lineage;
    use super::super::climb::tests::climb;
    use super::*;

    #[test]
    fn what_is_told_is_what_was_seen() {
        let (climb, history) = climb(10.0, |hour| 1e8 + 6e7 * (hour - 9.5).max(0.0)).unwrap();
        let around = Circumstances {
            threshold: 60.0,
            room: Some(60_000_000),
            lineage: &Lineage::default(),
            executable: None,
            age: Some(100.0 * HOUR),
            cpu_seconds: None,
            crowd: 1,
        };
        let beside = Beside { longer: [Some(1.5), None], slow: 0.25 };
        let ruled = Ruled { shape: -2.0, persistence: 3.0, known_warm_up: false };
        let signs = Signs::of(&climb, 3600.0, ruled, beside, &history, &around);
        let at = |place: usize| f64::from(signs.values()[place]);
        assert!(
            (at(1) - 60_f64.log2()).abs() < 1e-3
                && (at(2) - (climb.growing_for() / 3600.0).ln()).abs() < 1e-3
        );
        assert!((at(17) - 101_f64.ln()).abs() < 1e-3, "the age of the program and not of its history");
        assert_eq!([at(5), at(20), at(21), at(22)], [1.5, -2.0, 3.0, 0.25]);
        assert!(at(6).is_nan());
        assert_eq!(signs.values()[14], climb.life.halves.map_or(f32::NAN, |halves| halves as f32));
    }
}
