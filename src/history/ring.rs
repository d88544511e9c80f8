//! The last blocks of one width.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{Bfloat16, is_number};

/// Blocks a ring remembers; as many as a `u32` has bits.
pub const BLOCKS: usize = 32;

/// What is left of the samples in one span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Lowest sample in bytes: what a collection or a batch never gives back.
    pub low: f32,
    /// Highest floor of its eighths, in bytes: shows what was given back inside the block. Rings round its distance
    /// from the low to one part in 256.
    pub high: f32,
}

/// The last 32 blocks of one width, by block number; spans without samples are gaps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ring {
    newest: i64,
    /// Bit `i` is set if block `newest - i` had samples: the newest always had.
    present: NonZeroU32,
    lows: [f32; BLOCKS],
    /// From the low of a block to its high.
    spreads: [Bfloat16; BLOCKS],
}

impl Ring {
    /// A ring that holds one block.
    pub fn new(number: i64, block: Block) -> Ring {
        let mut ring = Ring {
            newest: number,
            present: NonZeroU32::MIN,
            lows: [0.0; BLOCKS],
            spreads: [Bfloat16::default(); BLOCKS],
        };
        ring.put(number, block);
        ring
    }

    /// Adds the block `number`. One that is not newer than the newest is not taken.
    pub fn push(&mut self, number: i64, block: Block) {
        let ahead = number.saturating_sub(self.newest);
        if ahead <= 0 {
            return;
        }
        let kept = u32::try_from(ahead).ok().and_then(|ahead| self.present.get().checked_shl(ahead));
        self.present = NonZeroU32::MIN | kept.unwrap_or(0);
        self.newest = number;
        self.put(number, block);
    }

    /// Number of the newest block.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// The block `number`, unless it is a gap, forgotten or yet to come.
    pub fn get(&self, number: i64) -> Option<Block> {
        let back = u32::try_from(self.newest.checked_sub(number)?).ok()?;
        let bit = self.present.get().checked_shr(back)? & 1;
        (bit == 1).then(|| self.block(number))
    }

    fn put(&mut self, number: i64, Block { low, high }: Block) {
        self.lows[slot(number)] = low;
        self.spreads[slot(number)] = Bfloat16::from(high - low);
    }

    fn block(&self, number: i64) -> Block {
        let low = self.lows[slot(number)];
        Block { low, high: low + f32::from(self.spreads[slot(number)]) }
    }

    /// Whether it is one that blocks can have made.
    pub(super) fn is_sound(&self) -> bool {
        is_number(self.newest)
    }

    /// The blocks that had samples, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (i64, Block)> + '_ {
        let mut left = self.present.get();
        std::iter::from_fn(move || {
            let back = left.checked_ilog2()?;
            left ^= 1 << back;
            let number = self.newest.wrapping_sub(back.into());
            Some((number, self.block(number)))
        })
    }
}

/// Where the block of that number stands among the last [`BLOCKS`].
pub fn slot(number: i64) -> usize {
    number.rem_euclid(BLOCKS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(low: f32) -> Block {
        Block { low, high: low }
    }

    #[test]
    fn remembers_the_last_blocks_and_no_others() {
        let mut ring = Ring::new(0, block(0.0));
        for number in 1..100 {
            ring.push(number, block(number as f32));
        }
        assert_eq!(ring.iter().count(), BLOCKS);
        assert_eq!(ring.get(99), Some(block(99.0)));
        assert_eq!(ring.get(68), Some(block(68.0)));
        assert_eq!(ring.get(67), None);
        assert_eq!(ring.get(100), None);
    }

    #[test]
    fn gaps_stay_gaps() {
        let mut ring = Ring::new(-3, block(1.0));
        ring.push(2, block(2.0));
        assert_eq!(ring.iter().collect::<Vec<_>>(), [(-3, block(1.0)), (2, block(2.0))]);
        ring.push(2 + 31, block(3.0));
        assert_eq!(ring.iter().count(), 2);
        ring.push(2 + 1000, block(4.0));
        assert_eq!(ring.iter().collect::<Vec<_>>(), [(1002, block(4.0))]);
    }

    #[test]
    fn time_running_backwards_changes_nothing() {
        let mut ring = Ring::new(10, block(1.0));
        ring.push(10, block(9.0));
        ring.push(3, block(9.0));
        assert_eq!(ring.iter().collect::<Vec<_>>(), [(10, block(1.0))]);
        ring.push(i64::MAX, block(2.0));
        assert_eq!(ring.get(i64::MIN), None);
        assert_eq!(ring.get(i64::MAX), Some(block(2.0)));
    }
}
