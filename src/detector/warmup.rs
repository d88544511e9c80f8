//! Can this growth still be a warm-up? What tells it from a leak is how long it has lasted for the age of the process,
//! whether memory was flat before, where earlier lives levelled off, and how much time there is to wait and see.

use crate::history::HOUR;

use super::Circumstances;
use super::gate::Test;
use super::rise::Rise;
use super::stats::ramp;

/// Most that the slow channel may say of a life that may be warming up.
const CAP: f64 = 0.45;

/// Age in seconds below which growth after a plateau may be no more than a part of the start, and above which not.
pub(super) const YOUNG: (f64, f64) = (12.0 * HOUR, 16.0 * HOUR);

/// Growth since birth has no plateau to show: it must last longer by this share, for it may be a cache that fills.
const FROM_BIRTH: f64 = 0.5;

/// And by this share more where the limit is far enough to wait.
const NO_HURRY: f64 = 1.25;

/// Seconds to the limit from which on there is some time to wait, and all of it.
const FAR: (f64, f64) = (24.0 * HOUR, 5.0 * 24.0 * HOUR);

/// Ratio of the life's halves (2 is a line since birth) from which on growth began after a plateau.
const PLATEAU: (f64, f64) = (2.1, 3.0);

/// The most that may be said of a life on `rise`, 0 to 1. `age` in seconds; `growing` where its shape was seen to be
/// that of growth that goes on.
pub(super) fn cap(rise: Option<&Rise>, around: &Circumstances, age: f64, growing: bool) -> f64 {
    let suspicion = around.lineage.suspicion(around.executable, age, growing);
    let outgrown = rise.is_some_and(|rise| around.lineage.is_beyond_warm_up(rise.floor, rise.grown));
    let known = if outgrown { 1.0 } else { suspicion };
    CAP + (1.0 - CAP) * ramp(age / patience(rise, around.room), YOUNG).max(known)
}

/// How many times as long growth must have lasted as growth after a plateau.
fn patience(rise: Option<&Rise>, room: Option<u64>) -> f64 {
    let life = rise.and_then(|rise| rise.gate(Test::Life)).map_or(0.0, |gate| f64::from(gate.value));
    let from_birth = 1.0 - ramp(life, PLATEAU);
    let left = rise.zip(room).map(|(rise, room)| room as f64 / rise.slope.max(f64::MIN_POSITIVE));
    let far = left.map_or(1.0, |left| ramp(left, FAR));
    1.0 + from_birth * (FROM_BIRTH + NO_HURRY * far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Lineage;
    use crate::detector::gate::Gate;

    fn rise(life: f64) -> Rise {
        let gates = std::iter::once(Gate::passing(Test::Life, life, 1.0)).collect();
        Rise { slope: 1000.0, grown: 1e8, floor: 1e9, window: 8.0 * HOUR, growing_for: 8.0 * HOUR, gates }
    }

    fn cap_at(hours: f64, life: f64, hours_left: Option<f64>) -> f64 {
        let around = Circumstances {
            threshold: 60.0,
            room: hours_left.map(|left| (left * HOUR * 1000.0) as u64),
            lineage: &Lineage::default(),
            executable: None,
            age: None,
            cpu_seconds: None,
            crowd: 1,
        };
        cap(Some(&rise(life)), &around, hours * HOUR, true)
    }

    #[test]
    fn growth_after_a_plateau_is_believed_sooner_than_growth_since_birth() {
        assert_eq!(cap_at(12.0, 9.0, None), CAP);
        assert_eq!(cap_at(16.0, 9.0, None), 1.0);
        assert_eq!(cap_at(16.0, 2.0, None), CAP);
        assert_eq!(cap_at(44.0, 2.0, None), 1.0);
    }

    #[test]
    fn there_is_less_patience_near_a_limit() {
        assert!(cap_at(24.0, 2.0, Some(12.0)) > 0.99);
        assert!(cap_at(24.0, 2.0, Some(1000.0)) < 0.5);
    }

    #[test]
    fn without_a_rise_only_age_counts() {
        let around = Circumstances {
            threshold: 60.0,
            room: None,
            lineage: &Lineage::default(),
            executable: None,
            age: None,
            cpu_seconds: None,
            crowd: 1,
        };
        assert_eq!(cap(None, &around, 100.0 * HOUR, false), 1.0);
        assert_eq!(cap(None, &around, 0.0, false), CAP);
    }
}
