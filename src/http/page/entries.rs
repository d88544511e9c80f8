//! What the page lists, and in which order. What would say the same thing twice is one entry.

use std::collections::HashMap;

use super::super::ranking::ranked;
use crate::entity::{EntityId, Scope};
use crate::snapshot::{Entity, Snapshot};

/// Entries on the page; the API has all.
pub(super) const MAX_ENTRIES: usize = 50;

/// A group, a cgroup, a part of the host, or what leaks of a process besides memory.
pub(super) struct Entry<'a> {
    pub(super) entity: &'a Entity,
    /// The processes of a group that are watched, by falling score.
    pub(super) members: Vec<&'a Entity>,
}

impl<'a> Entry<'a> {
    /// The process that is all there is to a group.
    pub(super) fn only_member(&self) -> Option<&'a Entity> {
        match self.members[..] {
            [only] if self.entity.processes == Some(1) => Some(only),
            _ => None,
        }
    }
}

/// Everything that is listed.
pub(super) struct Entries<'a> {
    /// One entry a leak; the host's own before all others.
    pub(super) findings: Vec<Entry<'a>>,
    /// Cgroups that are judged, by falling score.
    pub(super) cgroups: Vec<Entry<'a>>,
    /// All others by falling score.
    pub(super) others: Vec<Entry<'a>>,
    /// How many there would be without a bound.
    pub(super) total: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Entries<'a> {
        let listed = ranked(snapshot.entities.iter().filter(|entity| is_listed(snapshot, entity)));
        let total = listed.len();
        let (mut findings, others): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|entity| snapshot.is_finding(entity));
        let (mut cgroups, mut others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|entity| entity.scope() == Scope::Cgroup);
        findings.sort_by_key(|entity| !matches!(entity.scope(), Scope::Host | Scope::HostUnaccounted));
        findings.truncate(MAX_ENTRIES);
        let room = MAX_ENTRIES - findings.len();
        // Each gets what the other leaves of its half.
        cgroups.truncate((room / 2).max(room.saturating_sub(others.len())));
        others.truncate(room - cgroups.len());
        let mut members = members(snapshot);
        let mut entry = |entity: &'a Entity| {
            let processes = match &entity.id {
                EntityId::Group(id) => members.remove(&*id.name).unwrap_or_default(),
                _ => Vec::new(),
            };
            Entry { entity, members: ranked(processes.into_iter()) }
        };
        Entries {
            findings: findings.into_iter().map(&mut entry).collect(),
            cgroups: cgroups.into_iter().map(&mut entry).collect(),
            others: others.into_iter().map(&mut entry).collect(),
            total,
        }
    }
}

/// Processes stand below their groups, and a cgroup that is the sum of others is told of by those. What processes hold
/// besides memory is of interest where it leaks; there would be too many rows of it where it does not.
fn is_listed(snapshot: &Snapshot, entity: &Entity) -> bool {
    match entity.scope() {
        Scope::Process => false,
        Scope::ProcessResource => snapshot.is_finding(entity),
        Scope::Cgroup => entity.is_judged(),
        Scope::Host | Scope::HostUnaccounted | Scope::Group => true,
    }
}

/// Processes by the name of their group.
fn members(snapshot: &Snapshot) -> HashMap<&str, Vec<&Entity>> {
    let mut members: HashMap<&str, Vec<&Entity>> = HashMap::new();
    for entity in snapshot.entities.iter().filter(|entity| entity.scope() == Scope::Process) {
        if let Some(group) = entity.group() {
            members.entry(group).or_default().push(entity);
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::entity::{Identity, Resource};
    use crate::exposition::fixture;

    fn names(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|entry| entry.entity.display_name()).collect()
    }

    #[test]
    fn one_leak_is_one_entry_and_the_host_comes_first_only_for_one_of_its_own() {
        let mut snapshot = fixture::snapshot();
        let entries = Entries::of(&snapshot);
        assert_eq!(names(&entries.findings), ["web"]);
        assert_eq!(names(&entries.others), ["host", "host_unaccounted"]);
        assert_eq!(entries.findings[0].members.len(), 2);
        assert!(entries.findings[0].only_member().is_none());

        snapshot.entities[0].explained_by = None;
        assert_eq!(names(&Entries::of(&snapshot).findings), ["host", "web"]);
    }

    #[test]
    fn a_resource_is_listed_where_it_leaks_and_is_no_member() {
        let mut snapshot = fixture::snapshot();
        snapshot.entities.push(fixture::resource(42, "leaky", "web", Resource::Fds, 900));
        let mut clean = fixture::resource(42, "leaky", "web", Resource::Threads, 900);
        clean.assessment = Arc::default();
        snapshot.entities.push(clean);
        let entries = Entries::of(&snapshot);
        assert_eq!(names(&entries.findings), ["web", "open files of leaky[42]"]);
        assert_eq!(names(&entries.others), ["host", "host_unaccounted"]);
        assert_eq!((entries.findings[0].members.len(), entries.total), (2, 5));
    }

    #[test]
    fn a_group_of_one_is_its_process() {
        let mut group = fixture::group("web", 70.0);
        group.processes = Some(1);
        let entities = vec![group, fixture::process(42, "leaky", "web", Some(70.0))];
        let snapshot = Snapshot { entities, ..fixture::snapshot() };
        let entries = Entries::of(&snapshot);
        assert_eq!(entries.findings[0].only_member().unwrap().display_name(), "leaky[42]");
    }

    #[test]
    fn the_host_has_no_members_even_where_a_group_has_no_name() {
        let nameless = Identity { group: Some(Arc::from("")), ..Identity::default() };
        let process = fixture::entity(EntityId::Process { pid: 1, start_time: 1 }, nameless);
        let host = fixture::entity(EntityId::Host, Identity::default());
        let snapshot = Snapshot { entities: vec![host, process], ..fixture::snapshot() };
        assert!(Entries::of(&snapshot).others[0].members.is_empty());
    }
}
