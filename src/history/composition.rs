//! What the memory consisted of earlier, at ages that double: enough to say which kind grew.

use std::mem;

use serde::{Deserialize, Serialize};

use super::is_time;
use crate::sample::{Kind, Kinds, Memory};

/// Two neighbouring checkpoints are at most this factor apart in age, so that their number grows with the
/// logarithm of the history.
const SPACING: f64 = 2.5;

/// Checkpoints of memory by kind, dense in the near past and sparse in the far one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Composition {
    /// The kinds that are known of this entity; a life knows the same ones throughout.
    kinds: Kinds,
    times: Box<[f64]>,
    /// `times.len()` rows of `kinds.len()` bytes.
    rows: Box<[f32]>,
}

impl Composition {
    /// Records what memory consisted of at `time` seconds, and forgets checkpoints that are no longer needed.
    pub fn push(&mut self, time: f64, memory: &Memory) {
        if self.kinds != memory.kinds() {
            *self = Composition { kinds: memory.kinds(), ..Composition::default() };
        }
        if self.times.last().is_some_and(|&last| last >= time) {
            return;
        }
        // No more room than they need: their number hardly grows.
        let (mut times, mut rows) =
            (mem::take(&mut self.times).into_vec(), mem::take(&mut self.rows).into_vec());
        times.reserve_exact(1);
        rows.reserve_exact(self.kinds.len());
        times.push(time);
        rows.extend(memory.iter().map(|(_, bytes)| bytes as f32));
        *self = Composition::thin(self.kinds, times, rows, (time, SPACING));
    }

    /// Fewer checkpoints, of which two neighbours are up to `spacing` times apart in age, in as little memory as that
    /// takes.
    #[must_use]
    pub(super) fn thinned(&self, now: f64, spacing: f64) -> Composition {
        Composition::thin(self.kinds, self.times.to_vec(), self.rows.to_vec(), (now, spacing))
    }

    /// Bytes by kind at `time`, between two checkpoints by proportion; `None` before the first one.
    pub fn at(&self, time: f64) -> Option<Vec<(Kind, f64)>> {
        let after = self.times.partition_point(|&known| known <= time);
        let before = after.checked_sub(1)?;
        let share = match self.times.get(after) {
            Some(next) => (time - self.times[before]) / (next - self.times[before]),
            None => 0.0,
        };
        let (old, new) = (self.row(before), self.row(after.min(self.times.len() - 1)));
        let mix = |old: f32, new: f32| f64::from(old) + share * (f64::from(new) - f64::from(old));
        Some(
            self.kinds
                .iter()
                .zip(old.iter().zip(new))
                .map(|(kind, (&old, &new))| (kind, mix(old, new)))
                .collect(),
        )
    }

    /// Every checkpoint, oldest first: its time in seconds, and bytes by kind.
    pub fn checkpoints(&self) -> impl Iterator<Item = (f64, impl Iterator<Item = (Kind, f32)>)> {
        let row = |index| self.kinds.iter().zip(self.row(index).iter().copied());
        self.times.iter().enumerate().map(move |(index, &time)| (time, row(index)))
    }

    /// Time of the newest checkpoint, seconds.
    pub fn newest(&self) -> Option<f64> {
        self.times.last().copied()
    }

    /// Time of the oldest checkpoint, seconds.
    pub fn oldest(&self) -> Option<f64> {
        self.times.first().copied()
    }

    /// Whether it is one that samples can have made.
    pub(super) fn is_sound(&self) -> bool {
        Some(self.rows.len()) == self.times.len().checked_mul(self.kinds.len())
            && self.times.iter().all(|&time| is_time(time))
            && self.times.is_sorted_by(|before, after| before < after)
    }

    fn row(&self, index: usize) -> &[f32] {
        let width = self.kinds.len();
        &self.rows[index * width..(index + 1) * width]
    }

    /// Of checkpoints at `times` with their `rows`, those that are needed at `now`.
    fn thin(
        kinds: Kinds,
        mut times: Vec<f64>,
        mut rows: Vec<f32>,
        (now, spacing): (f64, f64),
    ) -> Composition {
        let width = kinds.len();
        let mut index = 1;
        while index + 1 < times.len() {
            if now - times[index - 1] <= spacing * (now - times[index + 1]) {
                times.remove(index);
                rows.drain(index * width..(index + 1) * width);
            } else {
                index += 1;
            }
        }
        Composition { kinds, times: times.into(), rows: rows.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_takes_little_room_and_is_told_closely() {
        let mut composition = Composition::default();
        let at = |time: f64| {
            Memory::default().with(Kind::Anon, Some((time * 10.0) as u64)).with(Kind::File, Some(7))
        };
        let now = 864_000.0;
        for tick in 0..=28_800 {
            let time = f64::from(tick) * 30.0;
            composition.push(time, &at(time));
        }
        assert!(composition.times.len() < 26, "{}", composition.times.len());
        for back in [60.0, 3600.0, 86_400.0, 800_000.0] {
            let found = composition.at(now - back).unwrap();
            assert_eq!(found[1], (Kind::File, 7.0));
            let error = (found[0].1 - (now - back) * 10.0).abs();
            assert!(error < 10.0 * 31.0, "{back}: off by {error}");
        }
    }

    #[test]
    fn before_the_beginning_there_is_nothing() {
        let mut composition = Composition::default();
        assert_eq!(composition.at(5.0), None);
        composition.push(10.0, &Memory::default().with(Kind::Anon, Some(1)));
        assert_eq!(composition.at(9.0), None);
        assert_eq!(composition.at(11.0), Some(vec![(Kind::Anon, 1.0)]));
        composition.push(3.0, &Memory::default().with(Kind::Anon, Some(5)));
        assert_eq!(composition.oldest(), Some(10.0));
        let checkpoints: Vec<_> =
            composition.checkpoints().map(|(time, kinds)| (time, kinds.collect::<Vec<_>>())).collect();
        assert_eq!(checkpoints, [(10.0, vec![(Kind::Anon, 1.0)])]);
    }

    #[test]
    fn other_kinds_begin_anew() {
        let mut composition = Composition::default();
        composition.push(1.0, &Memory::default().with(Kind::Anon, Some(1)));
        composition.push(2.0, &Memory::default().with(Kind::Resident, Some(2)));
        assert_eq!(composition.at(2.0), Some(vec![(Kind::Resident, 2.0)]));
        assert_eq!(composition.oldest(), Some(2.0));
    }
}
