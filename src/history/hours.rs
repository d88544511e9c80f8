//! Hourly floors of the last week, to compare the same hour on different days.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::is_number;

/// Hours in a week.
pub const WEEK: usize = 7 * DAY;

const DAY: usize = 24;

/// Floors of the last 168 hours, gaps included.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Hours {
    newest: i64,
    /// Oldest first; not a number stands for a gap.
    floors: VecDeque<f32>,
}

impl Hours {
    /// Adds the floor of `hour`, hours since the epoch. One that is not newer than the newest is not taken.
    pub fn push(&mut self, hour: i64, floor: f32) {
        if !self.floors.is_empty() {
            if hour <= self.newest {
                return;
            }
            let gap = hour.saturating_sub(self.newest).saturating_sub(1).min(WEEK as i64);
            (0..gap).for_each(|_| self.append(f32::NAN));
        }
        self.append(floor);
        self.newest = hour;
    }

    /// Whether they are such as samples can have made.
    pub(super) fn is_sound(&self) -> bool {
        is_number(self.newest) && self.floors.len() <= WEEK
    }

    /// Never grows beyond a week, in steps of a day: most lives are shorter.
    fn append(&mut self, floor: f32) {
        if self.floors.len() == WEEK {
            self.floors.pop_front();
        } else if self.floors.len() == self.floors.capacity() {
            self.floors.reserve_exact(DAY);
        }
        self.floors.push_back(floor);
    }

    /// The newest hour, hours since the epoch.
    pub fn newest(&self) -> Option<i64> {
        (!self.floors.is_empty()).then_some(self.newest)
    }

    /// Floors of the last `count` hours, oldest first; `None` for a gap and for what is not remembered.
    pub fn last(&self, count: usize) -> Vec<Option<f32>> {
        let missing = count.saturating_sub(self.floors.len());
        let kept = self.floors.iter().skip(self.floors.len().saturating_sub(count));
        let known = kept.map(|&floor| Some(floor).filter(|floor| !floor.is_nan()));
        std::iter::repeat_n(None, missing).chain(known).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_week_with_its_gaps() {
        let mut hours = Hours::default();
        assert_eq!(hours.newest(), None);
        assert_eq!(hours.last(2), [None, None]);
        hours.push(10, 1.0);
        hours.push(12, 3.0);
        hours.push(12, 9.0);
        hours.push(5, 9.0);
        assert_eq!(hours.last(4), [None, Some(1.0), None, Some(3.0)]);
        for hour in 13..400 {
            hours.push(hour, hour as f32);
        }
        assert_eq!(hours.last(WEEK).first(), Some(&Some(232.0)));
        assert_eq!(hours.floors.len(), WEEK);
        hours.push(i64::MAX, 5.0);
        assert_eq!(hours.last(2), [None, Some(5.0)]);
    }
}
