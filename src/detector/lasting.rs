//! What a detector remembers, whether or not anything moves.

use serde::{Deserialize, Serialize};

use crate::history::{HOUR, Number, is_number, width};

use super::activity::Activity;

/// An evaluation falls due after so many blocks of the finest rung.
pub(super) const BLOCKS_AN_EVALUATION: f64 = 4.0;

/// Evidence counts for at most so many periods at once: a gap tells nothing.
const MOST_PERIODS: i64 = 4;

/// What has not risen for so long is quiet, seconds.
const INTERESTING: f64 = 7.0 * 24.0 * HOUR;

/// Less room than this share of the memory is near the limit.
const NEAR: f64 = 0.1;

/// With less than this it is at the limit: what ends there was killed, though the last samples missed the rest.
const AT: f64 = 0.05;

/// The part of a detector that outlives its evidence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lasting {
    /// Number of the evaluation period that the last sample fell into.
    period: Option<i64>,
    pub(super) activity: Activity,
    /// When its floor last rose, on any time scale.
    pub(super) rose: Option<Number>,
    /// When growth by shape was last seen and how long it had gone on, seconds.
    pub(super) grew: Option<(Number, f64)>,
    pub(super) called_at_age: Option<Number>,
    /// Latest floor, while it is far from any limit.
    pub(super) top: Option<Number>,
    /// Whether its latest floor is at a limit.
    #[serde(default)]
    pub(super) at_limit: bool,
}

impl Lasting {
    /// Takes note of a sample at `now`, blocks of whose finest rung are those of `finest`. Where an evaluation falls due,
    /// gives the seconds for which what it finds counts.
    pub(super) fn due(&mut self, now: f64, finest: usize, cpu_seconds: Option<f64>) -> Option<f64> {
        if let Some(cpu_seconds) = cpu_seconds {
            self.activity.push(now, cpu_seconds);
        }
        let step = BLOCKS_AN_EVALUATION * width(finest);
        let period = (now / step).floor() as i64;
        let last = self.period.replace(period).filter(|last| *last < period)?;
        Some(step * (period - last).min(MOST_PERIODS) as f64)
    }

    /// Takes note of the latest `floor`, bytes, with `room` bytes above it.
    pub(super) fn stand(&mut self, floor: Option<f64>, room: Option<u64>) {
        let has_room = |floor: f64, share: f64| room.is_none_or(|room| room as f64 > share * floor);
        self.top = floor.filter(|&floor| has_room(floor, NEAR)).map(Number::from);
        self.at_limit = floor.is_some_and(|floor| !has_room(floor, AT));
    }

    /// Whether at `now` memory has risen at all within a week: then it is one of those that may be called by mistake.
    pub(super) fn is_interesting(&self, now: f64) -> bool {
        self.rose.is_some_and(|rose| now - rose.get() < INTERESTING)
    }

    /// Whether it is one that samples can have made.
    pub(super) fn is_sound(&self) -> bool {
        self.period.is_none_or(is_number)
            && self.grew.is_none_or(|(_, lasted)| lasted >= 0.0)
            && self.called_at_age.is_none_or(|age| age.get() >= 0.0)
            && self.activity.is_sound()
    }

    /// What of it is needed while the floor does not move.
    pub(super) fn at_rest(&self) -> Lasting {
        Lasting { activity: self.activity.at_rest(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::Lasting;

    #[test]
    fn what_has_little_room_is_near_its_limit_and_at_it_with_hardly_any() {
        let standing = |room| {
            let mut lasting = Lasting::default();
            lasting.stand(Some(1e9), room);
            (lasting.top.is_some(), lasting.at_limit)
        };
        assert_eq!(standing(None), (true, false));
        assert_eq!(standing(Some(200_000_000)), (true, false));
        assert_eq!(standing(Some(70_000_000)), (false, false));
        assert_eq!(standing(Some(20_000_000)), (false, true));
        let mut unknown = Lasting::default();
        unknown.stand(None, Some(0));
        assert_eq!((unknown.top, unknown.at_limit), (None, false));
    }

    #[test]
    fn nothing_has_lasted_for_less_than_no_time() {
        let sound =
            Lasting { grew: Some((7.0.into(), 0.0)), called_at_age: Some(0.0.into()), ..Lasting::default() };
        assert!(sound.is_sound());
        for wrong in [-3.9, f64::NAN] {
            assert!(!Lasting { grew: Some((7.0.into(), wrong)), ..sound.clone() }.is_sound());
            assert!(!Lasting { called_at_age: Some(wrong.into()), ..sound.clone() }.is_sound());
        }
    }
}
