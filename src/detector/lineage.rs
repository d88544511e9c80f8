//! What earlier lives of the same program left behind: a program that leaks, dies and comes back is a leak.

use serde::{Deserialize, Serialize};

use crate::entity::Executable;
use crate::history::{HOUR, HOURLY, History, is_time};

use super::life::life_floors;
use super::scores::{Scores, is_share};
use super::window::Window;

/// A life must have grown this long, and for this share of itself, for its growth to add up with the next one's:
/// short jobs do not.
const CARRIED: (f64, f64) = (2.9 * HOUR, 0.4);

/// Growth of less than this share over the last half of a life is a plateau.
const PLATEAU: f64 = 0.1;

/// A life that goes on has levelled off where so many hourly floors differ by no more than this share of the highest, and
/// its first floor was below this share of them.
const STAYED: (usize, f64) = (12, 0.02);
const GROWN: f64 = 0.75;

/// A new life of a suspect program is on probation: for this share of the age at which the old one was called, and for
/// no longer than this, seconds. A leak that is fixed is clean within the one, and within the other in any case.
const PROBATION: (f64, f64) = (0.9, 0.9 * 6.0 * HOUR);

/// A lineage more suspect than this has no known warm-up: its "plateau" may be where it was killed.
const TRUSTED: f64 = 0.5;

/// The record of a lineage. Bytes, seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// How sure the detector was when the last life ended, 0 to 1.
    suspicion: f64,
    /// Growth that went on until death, summed over consecutive lives.
    grown: f64,
    /// Where the last life levelled off.
    plateau: Option<f64>,
    /// How far the last life got that was short and ended of its own accord, bytes.
    job: Option<f64>,
    /// Where living ones have levelled off that had grown: the highest of them, bytes.
    #[serde(default)]
    settled: Option<f64>,
    /// What was running.
    executable: Option<Executable>,
    /// Age at which the last suspect life was called; of several in a row, the oldest.
    called_at_age: Option<f64>,
    /// The score with which the last life ended.
    scores: Scores,
    /// Suspicion that was standing when the last life ended, 0 to 1.
    standing: f64,
    /// Lives in a row that ended under suspicion.
    relapses: u32,
    /// Whether the last of them ended at its limit: a kill is no fix.
    #[serde(default)]
    killed: bool,
    /// When the last life ended.
    ended: f64,
}

/// Half of a score outlives a restart; of that, half outlives a new executable.
const INHERITED: f64 = 0.5;

/// How a life ended, as far as its lineage is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ending {
    /// How sure the detector was, 0 to 1.
    pub(super) suspicion: f64,
    pub(super) scores: Scores,
    /// Seconds of growth that went on until death.
    pub(super) grown: Option<f64>,
    /// Suspicion that was standing, 0 to 1.
    pub(super) standing: f64,
    /// Where the growth ended, bytes; `None` where it ended near a limit.
    pub(super) top: Option<f64>,
    /// Whether it ended at a limit.
    pub(super) at_limit: bool,
    /// Age at which the score passed the threshold.
    pub(super) called_at_age: Option<f64>,
}

/// The suspicion that a new life begins with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Probation {
    /// 0 to 1.
    pub(super) score: f64,
    /// Age at which it ends, seconds, if nothing speaks against that life itself.
    pub(super) until: f64,
}

/// A probation that was served fades with this share of its length as the time constant.
const FADING: f64 = 0.1;

/// Evidence of its own, 0 to 1, that keeps a life under the suspicion it has inherited.
const SUPPORT: f64 = 0.2;

impl Probation {
    /// Whether it is one that a lineage can have given.
    pub(super) fn is_sound(self) -> bool {
        is_share(self.score) && self.until >= 0.0
    }

    /// Lets `step` seconds pass in a life of `age`, for which there is `own` evidence, 0 to 1.
    pub(super) fn serve(&mut self, age: f64, step: f64, own: f64) {
        if age > self.until && own < SUPPORT {
            self.score *= (-step / (FADING * self.until).max(1.0)).exp();
        }
    }
}

impl Lineage {
    /// When the last life ended, seconds; what is older than a week may be forgotten.
    pub fn ended(&self) -> f64 {
        self.ended
    }

    /// Whether it is one that lives can have left. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        is_share(self.suspicion)
            && is_share(self.standing)
            && self.scores.is_sound()
            && self.grown >= 0.0
            && self.called_at_age.is_none_or(|age| age >= 0.0)
            && is_time(self.ended)
    }

    /// Takes note of a living one that has grown and levelled off at `level` bytes. To be repeated for as long as that holds.
    pub fn settle(&mut self, level: f64) {
        self.settled = Some(self.settled.map_or(level, |settled| settled.max(level)));
    }

    /// Takes in the end of a life.
    pub(super) fn record(&mut self, history: &History, ending: Ending, executable: Option<Executable>) {
        let follows = history.began() >= self.ended;
        let long_enough = CARRIED.0.max(CARRIED.1 * history.age());
        let grown = ending.grown.filter(|&grown| grown >= long_enough);
        self.grown = match grown {
            Some(grown) if follows => self.grown + grown,
            Some(grown) => self.grown.max(grown),
            None if follows => 0.0,
            None => self.grown,
        };
        let killed = ending.standing > 0.0 && ending.at_limit;
        if follows {
            self.suspicion = ending.suspicion.max(0.5 * self.suspicion);
            self.scores = ending.scores;
            self.relapses = if ending.standing > 0.0 { self.relapses + 1 } else { 0 };
            self.standing = ending.standing;
            self.killed = killed;
        } else {
            // Siblings die in any order: the worst one counts.
            self.suspicion = self.suspicion.max(ending.suspicion);
            self.scores = self.scores.max(ending.scores);
            self.standing = self.standing.max(ending.standing);
            self.killed |= killed;
        }
        if let Some((middle, last)) = second_half(&life_floors(history)) {
            self.plateau = (last - middle < PLATEAU * middle.max(1.0)).then_some(last);
        }
        self.job = match ending.top {
            Some(top) if history.age() < CARRIED.0 => Some(self.job.map_or(top, |job| job.max(top))),
            _ => None,
        };
        // Those that live will say so again.
        self.settled = None;
        let called = ending.called_at_age.or(self.called_at_age);
        // With suspicion to begin with a life is called sooner than it would be by itself, which is what the next has to outlive.
        self.called_at_age = if self.relapses > 1 {
            [called, self.called_at_age].into_iter().flatten().reduce(f64::max)
        } else {
            called
        };
        self.executable = executable.or(self.executable);
        self.ended = self.ended.max(history.latest());
    }

    /// How suspect a new life is for its forebears' sake, 0 to 1. Another executable may be the fix: it is half as
    /// suspect, and not at all once it has outlived without growth the age at which the old one was called.
    pub(super) fn suspicion(&self, executable: Option<Executable>, age: f64, growing: bool) -> f64 {
        match self.called_at_age {
            _ if self.is_same(executable) => self.suspicion,
            Some(called) if age > called && !growing => 0.0,
            _ => 0.5 * self.suspicion,
        }
    }

    /// The score that a new life begins with.
    pub(super) fn inherited(&self, executable: Option<Executable>) -> Scores {
        let share = if self.is_same(executable) { INHERITED } else { INHERITED * 0.5 };
        self.scores.times(share)
    }

    /// The suspicion that a new life has to outlive; `None` for a clean lineage. Another executable may be the fix, so
    /// that half of it is left, unless the last one was not. What was killed at its limit or has relapsed, and is as it was, has no
    /// term but its own.
    pub(super) fn probation(&self, executable: Option<Executable>) -> Option<Probation> {
        let called = self.called_at_age.filter(|_| self.standing > 0.0)?;
        let (has_relapsed, is_same) = (self.relapses > 1, self.is_same(executable));
        let score = if has_relapsed || is_same { self.standing } else { 0.5 * self.standing };
        let most = if is_same && (has_relapsed || self.killed) { f64::INFINITY } else { PROBATION.1 };
        Some(Probation { score, until: (PROBATION.0 * called).min(most) })
    }

    /// Whether `end` bytes, of which `growth` were added, are beyond where an earlier life levelled off: this is no
    /// warm-up.
    pub(super) fn is_beyond_warm_up(&self, end: f64, growth: f64) -> bool {
        self.suspicion < TRUSTED && self.plateau.is_some_and(|plateau| end - plateau > 0.3 * growth)
    }

    /// Where either is unknown, nothing speaks for a new release.
    fn is_same(&self, executable: Option<Executable>) -> bool {
        self.executable.is_none() || executable.is_none() || self.executable == executable
    }

    /// Seconds of growth that earlier lives add to this one's.
    pub(super) fn grown(&self) -> f64 {
        self.grown
    }

    /// Whether growth by `growth` up to `end` bytes is the warm-up that another life, over or not, has shown to end.
    pub(super) fn is_known_warm_up(&self, end: f64, growth: f64) -> bool {
        let ended_at = [self.plateau, self.job, self.settled].into_iter().flatten().reduce(f64::max);
        self.suspicion < TRUSTED && ended_at.is_some_and(|known| end - known < 0.3 * growth)
    }
}

/// Where a life that goes on has grown to and stayed, bytes; `None` of one that has not, or not for long enough.
pub fn levelled_off(history: &History) -> Option<f64> {
    let window = Window::of(history, HOURLY, STAYED.0)?;
    let (low, high) = window.range().filter(|_| window.known() == STAYED.0)?;
    let first = life_floors(history).into_iter().flatten().next()?;
    (high - low <= STAYED.1 * high && first < GROWN * low).then_some(high)
}

/// Floors in the middle and at the end of a life; `None` where too little is remembered.
fn second_half(floors: &[Option<f64>]) -> Option<(f64, f64)> {
    // Of a very long life only the end is remembered.
    let remembered = floors.iter().position(Option::is_some)?;
    let floors = &floors[remembered..];
    if floors.iter().flatten().count() < 8 {
        return None;
    }
    let (half, part) = (floors.len() / 2, (floors.len() / 8).max(2));
    let lowest = |part: &[Option<f64>]| part.iter().flatten().copied().reduce(f64::min);
    Some((lowest(&floors[half..half + part])?, lowest(&floors[floors.len() - part..])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Memory;

    const NEW: Option<Executable> = Some(Executable { device: Some(1), inode: 3, modified: 0 });
    const OLD: Option<Executable> = Some(Executable { device: Some(1), inode: 2, modified: 0 });

    fn life(began: f64, hours: f64, bytes: impl Fn(f64) -> f64) -> History {
        let mut history = History::new(began, 60.0);
        for minute in 0..=(hours * 60.0) as u32 {
            let time = f64::from(minute) * 60.0;
            history.push(began + time, bytes(time / HOUR) as u64, &Memory::default());
        }
        history
    }

    fn ending(suspicion: f64, grown_hours: Option<f64>) -> Ending {
        Ending {
            suspicion,
            scores: Scores { slow: suspicion, urgent: 0.0 },
            grown: grown_hours.map(|hours| hours * HOUR),
            standing: 0.0,
            top: None,
            at_limit: false,
            called_at_age: Some(10.0 * HOUR),
        }
    }

    #[test]
    fn growth_of_consecutive_lives_adds_up_and_that_of_siblings_does_not() {
        let mut lineage = Lineage::default();
        lineage.record(&life(0.0, 8.0, |hour| 1e8 + hour * 1e7), ending(0.4, Some(7.0)), OLD);
        lineage.record(&life(9.0 * HOUR, 8.0, |hour| 1e8 + hour * 1e7), ending(0.4, Some(7.0)), OLD);
        assert_eq!(lineage.grown(), 14.0 * HOUR);
        lineage.record(&life(9.5 * HOUR, 8.0, |hour| 1e8 + hour * 1e7), ending(0.4, Some(7.0)), OLD);
        assert_eq!(lineage.grown(), 14.0 * HOUR);
        lineage.record(&life(20.0 * HOUR, 1.0, |_| 1e8), ending(0.0, Some(1.0)), OLD);
        assert_eq!(lineage.grown(), 0.0, "a short life adds nothing");
    }

    #[test]
    fn siblings_that_die_together_leave_the_same_in_any_order() {
        let (leaking, idle) = (ending(0.9, Some(15.0)), ending(0.0, None));
        let life = || life(0.0, 20.0, |hour| 1e8 + hour * 1e7);
        let records = [[leaking, idle, idle], [idle, leaking, idle], [idle, idle, leaking]].map(|endings| {
            let mut lineage = Lineage::default();
            endings.into_iter().for_each(|ending| lineage.record(&life(), ending, OLD));
            lineage
        });
        assert_eq!(records[0], records[1]);
        assert_eq!(records[0], records[2]);
        assert_eq!(records[0].suspicion(OLD, HOUR, false), 0.9);
    }

    /// Score of a probation, and its hours.
    fn term(lineage: &Lineage, executable: Option<Executable>) -> Option<(f64, f64)> {
        lineage.probation(executable).map(|probation| (probation.score, probation.until / HOUR))
    }

    #[test]
    fn a_relapse_is_to_be_outlived_for_as_long_as_any_before_it_went_uncalled() {
        let mut lineage = Lineage::default();
        let mut after = |called: f64, standing| {
            let ending = Ending { called_at_age: Some(called * HOUR), standing, ..ending(0.9, None) };
            lineage.record(&life(lineage.ended(), 12.0, |hour| 1e8 + hour * 1e7), ending, OLD);
            [term(&lineage, OLD), term(&lineage, NEW)]
        };
        assert_eq!(after(4.0, 0.9), [Some((0.9, 3.6)), Some((0.45, 3.6))]);
        assert_eq!(after(10.0, 0.9), [Some((0.9, 9.0)), Some((0.9, 5.4))]);
        assert_eq!(after(2.0, 0.9), [Some((0.9, 9.0)), Some((0.9, 5.4))]);
        assert_eq!(after(3.0, 0.0), [None, None], "a life that was well");
        assert_eq!(after(1.0, 0.9), [Some((0.9, 0.9)), Some((0.45, 0.9))]);
    }

    #[test]
    fn what_was_killed_at_its_limit_is_outlived_for_as_long_as_it_went_uncalled() {
        let after = |at_limit, standing| {
            let mut lineage = Lineage::default();
            let ending = Ending { at_limit, standing, ..ending(0.9, None) };
            lineage.record(&life(0.0, 12.0, |hour| 1e8 + hour * 1e7), ending, OLD);
            [term(&lineage, OLD), term(&lineage, NEW)]
        };
        assert_eq!(after(false, 0.9), [Some((0.9, 5.4)), Some((0.45, 5.4))], "it may have been the fix");
        assert_eq!(after(true, 0.9), [Some((0.9, 9.0)), Some((0.45, 5.4))]);
        assert_eq!(after(true, 0.0), [None, None], "nobody suspected it");
    }

    #[test]
    fn a_new_executable_is_half_as_suspect_and_clean_once_it_has_outlived_the_old_one() {
        let mut lineage = Lineage::default();
        lineage.record(&life(0.0, 20.0, |hour| 1e8 + hour * 1e7), ending(0.8, Some(20.0)), OLD);
        assert_eq!(lineage.suspicion(OLD, 12.0 * HOUR, false), 0.8);
        assert_eq!(lineage.inherited(OLD).slow, 0.4);
        assert_eq!(lineage.inherited(NEW).slow, 0.2);
        assert_eq!(lineage.suspicion(NEW, HOUR, false), 0.4);
        assert_eq!(lineage.suspicion(NEW, 12.0 * HOUR, true), 0.4);
        assert_eq!(lineage.suspicion(NEW, 12.0 * HOUR, false), 0.0);
    }

    #[test]
    fn what_has_grown_and_stayed_has_levelled_off() {
        let level = |hours: f64, shape: fn(f64) -> f64| levelled_off(&life(0.0, hours, shape));
        let filled = |hour: f64| 1e8 + 5e7 * hour.min(3.0);
        let (early, late) = (level(10.0, filled), level(20.0, filled));
        assert_eq!(early, None, "not for long enough");
        assert!(late.is_some_and(|level| (level - 2.5e8).abs() < 3e6), "{late:?}");
        assert_eq!(level(20.0, |_| 1e8), None, "it has never grown");
        assert_eq!(level(40.0, |hour| 1e8 + 1e7 * hour), None, "it grows still");
        assert_eq!(level(0.0, filled), None);
    }

    #[test]
    fn a_warm_up_is_known_where_an_earlier_life_levelled_off() {
        let mut lineage = Lineage::default();
        assert!(!lineage.is_known_warm_up(1e8, 1e7));
        lineage.record(&life(0.0, 20.0, |hour| 1e8 + 1e8 * (hour / 4.0).min(1.0)), ending(0.1, None), OLD);
        assert!(lineage.is_known_warm_up(1.9e8, 5e7));
        assert!(!lineage.is_known_warm_up(3e8, 1e8));
        lineage.suspicion = 0.9;
        assert!(!lineage.is_known_warm_up(1.9e8, 5e7), "a suspect lineage has no known warm-up");
    }
}
