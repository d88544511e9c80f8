//! What is written down of a watchlist, and taken back from there when the exporter starts again.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::resources::Lowest;
use super::{Life, Succession, Watched, Watchlist};
use crate::entity::{EntityId, Executable, Identity, LineageKey};
use crate::history::finest_rung;

/// One thing that is remembered. Names of fields are what a file has: a new one needs a default, so that files of the version
/// before can be read.
#[derive(Debug, Serialize, Deserialize)]
pub enum Record<'a> {
    /// A lineage. Comes before the lives.
    Lineage {
        /// Whose it is.
        key: Cow<'a, LineageKey>,
        /// What its lives left to each other.
        succession: Cow<'a, Succession>,
    },
    /// A life, and what its lineage has to know when it has ended meanwhile.
    Life {
        /// Whose it is.
        entity: Cow<'a, EntityId>,
        /// Its lineage, if it may have successors.
        lineage: Option<Cow<'a, LineageKey>>,
        /// What was running.
        executable: Option<Executable>,
        /// The life.
        life: Cow<'a, Life>,
    },
    /// What a process held at the least of resources that have no life. Comes after the life of the process.
    Lowest {
        /// Process id.
        pid: u32,
        /// Start time in clock ticks since boot.
        start_time: u64,
        /// Counts by resource.
        lowest: Lowest,
    },
}

/// A record that no watchlist can have written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("it holds a history that no samples can have made")]
pub struct Unsound;

/// Whether pids and inodes still mean what they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// The machine has not been restarted.
    Same,
    /// It has: all lives ended with the one before.
    Another,
}

impl Watchlist {
    /// How many [`records`](Watchlist::records) there are.
    pub fn record_count(&self) -> usize {
        self.lineages.len() + self.lives.len() + self.lowest().count()
    }

    /// Everything that is remembered, lineages first.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let lineages = self.lineages.iter().map(|(key, succession)| Record::Lineage {
            key: Cow::Borrowed(key),
            succession: Cow::Borrowed(succession),
        });
        let lives = self.lives.iter().map(|(entity, watched)| Record::Life {
            entity: Cow::Borrowed(entity),
            lineage: watched.lineage.as_deref().map(Cow::Borrowed),
            executable: watched.identity.executable,
            life: Cow::Borrowed(&watched.life),
        });
        lineages.chain(lives).chain(self.lowest())
    }

    /// What processes held at the least, of those of which anything was seen.
    fn lowest(&self) -> impl Iterator<Item = Record<'_>> {
        self.lives.iter().filter_map(|(entity, &Watched { lowest, .. })| match *entity {
            EntityId::Process { pid, start_time } if lowest != Lowest::UNSEEN => {
                Some(Record::Lowest { pid, start_time, lowest })
            }
            _ => None,
        })
    }

    /// Takes back what was remembered before `boot`, perhaps of samples that came more often. Who is not seen at the next tick has
    /// ended, as at any other tick.
    ///
    /// # Errors
    /// [`Unsound`] for what can't be relied on. What was taken back before it is still there.
    pub fn take_back(&mut self, record: Record<'_>, boot: Boot) -> Result<(), Unsound> {
        match record {
            Record::Lineage { succession, .. } if !succession.is_sound() => return Err(Unsound),
            Record::Life { life, .. } if !life.is_sound() => return Err(Unsound),
            Record::Lineage { key, succession } => {
                let mut succession = succession.into_owned();
                succession.coarsen(finest_rung(self.interval));
                self.lineages.insert(key.into_owned(), succession);
            }
            Record::Life { entity, lineage, executable, life } if boot == Boot::Same => {
                let mut life = life.into_owned();
                life.coarsen(finest_rung(self.interval_of(&entity)));
                if let EntityId::ProcessResource { pid, start_time, .. } = *entity {
                    self.resources.begin((pid, start_time));
                }
                let identity = Arc::new(Identity { executable, ..Identity::default() });
                let lineage = lineage.map(|key| self.keys.share(key.into_owned()));
                self.lives.insert(entity.into_owned(), Watched::new(life, identity, lineage));
            }
            Record::Life { lineage: Some(key), executable, life, .. } => {
                self.lineages.entry(key.into_owned()).or_default().retire(&life, executable);
            }
            Record::Lowest { pid, start_time, lowest } if boot == Boot::Same => {
                if let Some(process) = self.lives.get_mut(&EntityId::Process { pid, start_time }) {
                    process.lowest = lowest;
                }
            }
            Record::Life { .. } | Record::Lowest { .. } => {}
        }
        Ok(())
    }

    /// Gives up the smallest processes that nothing is seen of, if there are more lives than there is room for: it may be less
    /// than it was when they were written down.
    pub fn fit(&mut self) {
        loop {
            let excess = self.excess();
            let spare = self.smallest_spare(excess);
            if spare.is_empty() {
                return;
            }
            spare.iter().for_each(|(_, entity)| self.give_up(entity));
        }
    }

    /// How many are suspected.
    pub fn suspects(&self) -> usize {
        self.lives.values().filter(|watched| watched.life.assessment().is_suspect()).count()
    }

    /// How many lineages are remembered.
    pub fn lineages(&self) -> usize {
        self.lineages.len()
    }
}

#[cfg(test)]
mod tests;
