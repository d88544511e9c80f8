//! The part of a history that changes no more, for whoever reads it while the history goes on.

use std::sync::Arc;

use super::{BLOCKS, Block, Composition, Quiet, RUNGS, Rings, width};

/// The complete blocks of one life at one moment, shared with the history that goes on. A snapshot has one for each entity,
/// and most are quiet, which takes 16 bytes: what has more to tell stands apart.
#[derive(Clone, Debug)]
pub struct Sealed(Blocks);

#[derive(Clone, Debug)]
enum Blocks {
    /// Complete blocks on every rung and memory by kind.
    Told(Box<Told>),
    /// What the blocks are made from when somebody asks.
    Quiet(Quiet),
}

/// What is complete of a history that goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) began: f64,
    pub(super) latest: f64,
    pub(super) rings: Rings,
    pub(super) composition: Arc<Composition>,
}

impl Default for Sealed {
    fn default() -> Sealed {
        Sealed::from(Told::default())
    }
}

impl From<Told> for Sealed {
    fn from(told: Told) -> Sealed {
        Sealed(Blocks::Told(Box::new(told)))
    }
}

impl From<&Quiet> for Sealed {
    fn from(quiet: &Quiet) -> Sealed {
        Sealed(Blocks::Quiet(quiet.clone()))
    }
}

/// Blocks of one width, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Floors {
    /// Width of a block, seconds.
    pub width: f64,
    /// Blocks by number; a block begins at its number times the width. Spans without samples are missing.
    pub blocks: Vec<(i64, Block)>,
}

impl Sealed {
    /// Time of the first sample, seconds.
    pub fn began(&self) -> f64 {
        match &self.0 {
            Blocks::Told(told) => told.began,
            Blocks::Quiet(quiet) => quiet.began(),
        }
    }

    /// Time of the last sample, seconds.
    pub fn latest(&self) -> f64 {
        match &self.0 {
            Blocks::Told(told) => told.latest,
            Blocks::Quiet(quiet) => quiet.latest(),
        }
    }

    /// Complete blocks on every rung.
    pub fn rings(&self) -> Rings {
        match &self.0 {
            Blocks::Told(told) => told.rings.clone(),
            Blocks::Quiet(quiet) => quiet.wake().ladder().rings().clone(),
        }
    }

    /// Memory by kind, earlier.
    pub fn composition(&self) -> &Composition {
        match &self.0 {
            Blocks::Told(told) => &told.composition,
            Blocks::Quiet(quiet) => quiet.composition(),
        }
    }

    /// The blocks of the last `seconds`, at the finest width of which so many are remembered; of the whole life
    /// where that is shorter. `None` before the first block is complete.
    pub fn floors(&self, seconds: f64) -> Option<Floors> {
        let wanted = seconds.min(self.latest() - self.began());
        let spans = |&(rung, _): &(usize, _)| width(rung) * BLOCKS as f64 >= wanted || rung == RUNGS - 1;
        let rings = self.rings();
        let (rung, ring) = rings.iter().find(spans).or_else(|| rings.iter().last())?;
        let first = ring.newest() - (wanted / width(rung)).ceil().max(1.0) as i64;
        let blocks = ring.iter().filter(|&(number, _)| number > first).collect();
        Some(Floors { width: width(rung), blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{HOUR, History};
    use crate::sample::Memory;

    /// Sampled every minute; as many bytes as minutes have passed.
    fn life(hours: u32) -> Sealed {
        let mut history = History::new(0.0, 60.0);
        for minute in 0..=hours * 60 {
            history.push(f64::from(minute) * 60.0, u64::from(minute), &Memory::default());
        }
        history.sealed()
    }

    #[test]
    fn floors_are_as_fine_as_the_span_allows() {
        let life = life(40);
        let day = life.floors(24.0 * HOUR).unwrap();
        assert_eq!((day.width, day.blocks.len()), (HOUR, 24));
        assert_eq!(day.blocks.first().unwrap(), &(16, Block { low: 960.0, high: 1013.0 }));
        assert_eq!(day.blocks.last().unwrap().0, 39);
        let all = life.floors(f64::INFINITY).unwrap();
        assert_eq!((all.width, all.blocks.len()), (2.0 * HOUR, 20));
    }

    #[test]
    fn a_short_life_is_shown_whole_and_a_new_one_not_at_all() {
        let short = life(1).floors(24.0 * HOUR).unwrap();
        assert_eq!((short.width, short.blocks.len()), (112.5, 32));
        assert_eq!(Sealed::default().floors(1.0), None);
    }
}
