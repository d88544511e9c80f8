//! What a process holds besides memory: how many, up to how many, and what a detector that knows bytes makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::entity::{EntityId, Resource};
use crate::human;

/// Bytes that one of a resource stands for where counts are judged. The detector looks at nothing below 400 kB and is
/// sure of an amount from 3 MB on: six descriptors, threads or mappings, and 46 of them.
const WEIGHT: u64 = 64 << 10;

/// What the numbers of a history and of the verdict on it stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of memory.
    Bytes,
    /// So many of a resource, each of which weighs as much as some bytes.
    Count(Resource),
}

impl Unit {
    /// What the history of this entity is of.
    pub fn of(entity: &EntityId) -> Unit {
        match entity {
            EntityId::ProcessResource { resource, .. } => Unit::Count(*resource),
            _ => Unit::Bytes,
        }
    }

    /// What a detector is told instead of a `count`.
    pub fn weighed(count: u64) -> u64 {
        count.saturating_mul(WEIGHT)
    }

    /// A number of a history or a verdict in its own unit.
    pub fn amount(self, seen: f64) -> f64 {
        match self {
            Unit::Bytes => seen,
            Unit::Count(_) => seen / WEIGHT as f64,
        }
    }

    /// The same where it is bytes.
    pub fn bytes(self, seen: Option<f64>) -> Option<f64> {
        seen.filter(|_| self == Unit::Bytes)
    }

    /// The same where it is a count.
    pub fn count(self, seen: Option<f64>) -> Option<f64> {
        seen.filter(|_| self != Unit::Bytes).map(|seen| self.amount(seen))
    }

    /// The number for a person: `41 MiB`, `1,200`.
    pub fn text(self, seen: f64) -> String {
        match self {
            Unit::Bytes => human::bytes(seen),
            Unit::Count(_) => human::count(self.amount(seen)),
        }
    }
}

/// How many of one resource a process holds. The kernel counts each of them in an `int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many, when it was last looked at.
    pub used: u32,
    /// How many it may hold; `None` where nothing of its own stops it.
    pub limit: Option<u32>,
    /// Whether it was looked at in this tick.
    pub is_new: bool,
}

impl Count {
    /// How many more it may take.
    pub fn room(&self) -> Option<u32> {
        self.limit.map(|limit| limit.saturating_sub(self.used))
    }
}

/// Counts by resource; what may not be read, or was not looked at yet, is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    counts: [Option<Count>; Resource::ALL.len()],
    /// What is behind the descriptors of a process that is suspected of leaking them.
    pub descriptors: Option<Arc<Descriptors>>,
}

impl Resources {
    /// How many of one.
    pub fn get(&self, resource: Resource) -> Option<Count> {
        self.counts[resource as usize]
    }

    /// The same with one recorded where it is known.
    #[must_use]
    pub fn with(mut self, resource: Resource, count: Option<Count>) -> Resources {
        self.counts[resource as usize] = count;
        self
    }

    /// The same with what is known of the descriptors.
    #[must_use]
    pub fn with_descriptors(self, descriptors: Option<Arc<Descriptors>>) -> Resources {
        Resources { descriptors, ..self }
    }

    /// One of them alone.
    #[must_use]
    pub fn only(&self, resource: Resource) -> Resources {
        let descriptors = self.descriptors.as_ref().filter(|_| resource == Resource::Fds).cloned();
        Resources { descriptors, ..Resources::default() }.with(resource, self.get(resource))
    }
}

/// What a file descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DescriptorKind {
    /// A socket of any family.
    Socket,
    /// A pipe or FIFO without a name.
    Pipe,
    /// eventfd(2).
    Eventfd,
    /// memfd_create(2).
    Memfd,
    /// What has a path: files, directories, devices.
    File,
    /// Everything else: epoll, timers, namespaces.
    Other,
}

impl DescriptorKind {
    /// Every kind, in the order of all output.
    pub const ALL: [DescriptorKind; 6] = [
        DescriptorKind::Socket,
        DescriptorKind::Pipe,
        DescriptorKind::Eventfd,
        DescriptorKind::Memfd,
        DescriptorKind::File,
        DescriptorKind::Other,
    ];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            DescriptorKind::Socket => "socket",
            DescriptorKind::Pipe => "pipe",
            DescriptorKind::Eventfd => "eventfd",
            DescriptorKind::Memfd => "memfd",
            DescriptorKind::File => "file",
            DescriptorKind::Other => "other",
        }
    }
}

/// How many descriptors there are of each kind, of those that were looked at; never so many that it takes more bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors([u16; DescriptorKind::ALL.len()]);

impl Descriptors {
    /// Counts one.
    pub fn add(&mut self, kind: DescriptorKind) {
        let count = &mut self.0[kind as usize];
        *count = count.saturating_add(1);
    }

    /// How many of one kind.
    pub fn get(&self, kind: DescriptorKind) -> u64 {
        self.0[kind as usize].into()
    }

    /// How many there are in all.
    pub fn all(&self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }

    /// By name.
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        DescriptorKind::ALL.into_iter().map(|kind| (kind.as_str(), self.get(kind))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_as_they_went_in() {
        let unit = Unit::Count(Resource::Fds);
        for count in [0, 1, 1024, 1 << 20] {
            assert_eq!(unit.amount(Unit::weighed(count) as f64), count as f64);
        }
        assert_eq!(unit.text(Unit::weighed(1200) as f64), "1,200");
        assert_eq!((unit.bytes(Some(1.0)), Unit::Bytes.bytes(Some(1.0))), (None, Some(1.0)));
        assert_eq!((unit.count(Some(WEIGHT as f64)), Unit::Bytes.count(Some(1.0))), (Some(1.0), None));
    }

    #[test]
    fn only_what_is_asked_for_is_left() {
        let count = Count { used: 5, limit: Some(3), is_new: true };
        let descriptors = Some(Arc::new(Descriptors::default()));
        let all = Resources { descriptors: descriptors.clone(), ..Resources::default() }
            .with(Resource::Fds, Some(count))
            .with(Resource::Maps, Some(count));
        assert_eq!(all.only(Resource::Maps).get(Resource::Maps), Some(count));
        assert_eq!(all.only(Resource::Maps).get(Resource::Fds), None);
        assert_eq!(
            (all.only(Resource::Maps).descriptors, all.only(Resource::Fds).descriptors),
            (None, descriptors)
        );
        assert_eq!(count.room(), Some(0), "a limit may be lowered below what is held");
    }
}
