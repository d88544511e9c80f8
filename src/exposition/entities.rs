//! What each entity has to say, in the name of its scope.

use super::catalog::{self as metric, ScopeMetrics};
use super::cgroup;
use super::family::{Family, Label, Labels};
use super::sources::Sources;
use crate::entity::{EntityId, Resource, Scope};
use crate::human;
use crate::snapshot::{Entity, Snapshot};

/// The labels that an entity's series have.
pub fn labels(entity: &Entity) -> Vec<Label<'_>> {
    match &entity.id {
        EntityId::Host | EntityId::HostUnaccounted => Vec::new(),
        EntityId::Cgroup { path, .. } => vec![("cgroup", (&**path).into())],
        EntityId::Group { name } => vec![("group", (&**name).into())],
        EntityId::Process { pid, .. } => process_labels(*pid, entity),
        EntityId::ProcessResource { pid, resource, .. } => {
            let mut labels = process_labels(*pid, entity);
            labels.push(("resource", resource.as_str().into()));
            labels
        }
    }
}

fn process_labels(pid: u32, entity: &Entity) -> Vec<Label<'_>> {
    vec![
        ("pid", pid.to_string().into()),
        ("name", (&*entity.identity.name).into()),
        ("group", entity.identity.group.as_deref().unwrap_or_default().into()),
    ]
}

/// The families of all entities that have series of their own.
pub(super) fn families<'a>(snapshot: &'a Snapshot, sources: &Sources) -> Vec<Family<'a>> {
    let mut families = Vec::new();
    for scope in Scope::ALL.into_iter().filter(|scope| sources.cover(*scope)) {
        let exported: Vec<_> =
            exported(snapshot, scope).map(|entity| (entity, Labels::shared(labels(entity)))).collect();
        families.extend(scope_families(scope_metrics(scope), &exported));
        match scope {
            Scope::Host | Scope::HostUnaccounted => {}
            Scope::Cgroup => families.extend(cgroup::families(&exported)),
            Scope::ProcessResource => families.push(resource_growth(&exported)),
            Scope::Group => families.push(group_processes(&exported)),
            Scope::Process => families.extend(process_families(&exported)),
        }
    }
    families.push(suspect_info(snapshot, sources));
    families
}

/// An entity and the labels that its series share.
pub(super) type Labelled<'a> = (&'a Entity, Labels<'a>);

fn exported(snapshot: &Snapshot, scope: Scope) -> impl Iterator<Item = &Entity> {
    snapshot.entities.iter().filter(move |entity| entity.exported && entity.scope() == scope)
}

fn scope_metrics(scope: Scope) -> ScopeMetrics {
    match scope {
        Scope::Host => metric::HOST,
        Scope::HostUnaccounted => metric::HOST_UNACCOUNTED,
        Scope::Cgroup => metric::CGROUP,
        Scope::Group => metric::GROUP,
        Scope::Process => metric::PROCESS,
        Scope::ProcessResource => metric::PROCESS_RESOURCE,
    }
}

fn scope_families<'a>(metrics: ScopeMetrics, entities: &[Labelled<'a>]) -> Vec<Family<'a>> {
    let mut families = Vec::with_capacity(7);
    families.extend(metrics.memory.map(|metric| memory(metric, entities)));
    families.push(each(metrics.score, entities, |entity| entity.assessment.score));
    let judged = |entity: &Entity, set: bool| flag(set).filter(|_| entity.is_judged());
    let suspect = |entity: &Entity| judged(entity, entity.assessment.is_suspect());
    let explained = |entity: &Entity| judged(entity, entity.explained_by.is_some());
    families.push(each(metrics.suspect, entities, suspect));
    families.extend(metrics.explained.map(|metric| each(metric, entities, explained)));
    families.extend(
        metrics
            .growth
            .map(|metric| each(metric, entities, |entity| entity.assessment.growth_bytes_per_second)),
    );
    families.push(each(metrics.time_to_limit, entities, |entity| entity.assessment.time_to_limit_seconds));
    families.push(each(metrics.window, entities, |entity| entity.assessment.window_seconds));
    families
}

fn flag(set: bool) -> Option<f64> {
    Some(if set { 1.0 } else { 0.0 })
}

/// One sample an entity, where there is a value.
pub(super) fn each<'a>(
    metric: metric::Metric,
    entities: &[Labelled<'a>],
    value: impl Fn(&Entity) -> Option<f64>,
) -> Family<'a> {
    let mut family = Family::new(metric);
    for (entity, labels) in entities {
        if let Some(value) = value(entity) {
            family.push(labels.clone(), value);
        }
    }
    family
}

fn memory<'a>(metric: metric::Metric, entities: &[Labelled<'a>]) -> Family<'a> {
    let mut family = Family::new(metric);
    for (entity, labels) in entities {
        for (kind, bytes) in entity.memory().iter() {
            family.push(labels.with("kind", kind.as_str()), bytes as f64);
        }
    }
    family
}

fn group_processes<'a>(groups: &[Labelled<'a>]) -> Family<'a> {
    each(metric::GROUP_PROCESSES, groups, |group| group.processes.map(|count| count as f64))
}

fn resource_growth<'a>(resources: &[Labelled<'a>]) -> Family<'a> {
    each(metric::RESOURCE_GROWTH, resources, |resource| {
        resource.unit().count(resource.assessment.growth_bytes_per_second)
    })
}

fn process_families<'a>(processes: &[Labelled<'a>]) -> [Family<'a>; 7] {
    let count = |process: &Entity, resource| process.figures.resources.get(resource);
    let used = |process: &Entity, resource| count(process, resource).map(|count| count.used as f64);
    [
        each(metric::PROCESS_START_TIME, processes, |process| {
            process.figures.start.map(|start| start.unix_seconds)
        }),
        each(metric::PROCESS_THREADS, processes, |process| process.figures.threads.map(|count| count as f64)),
        each(metric::PROCESS_OPEN_FDS, processes, |process| used(process, Resource::Fds)),
        each(metric::PROCESS_MAX_FDS, processes, |process| {
            count(process, Resource::Fds)?.limit.map(|limit| limit as f64)
        }),
        each(metric::PROCESS_MEMORY_MAPS, processes, |process| used(process, Resource::Maps)),
        each(metric::PROCESS_MEMORY_LIMIT, processes, |process| {
            process.figures.limit.map(|limit| limit.bytes as f64)
        }),
        process_info(processes),
    ]
}

fn process_info<'a>(processes: &[Labelled<'a>]) -> Family<'a> {
    let mut family = Family::new(metric::PROCESS_INFO);
    for (process, _) in processes {
        let mut all = labels(process);
        // As the cgroup's own series have it, which is not always how the kernel tells it to us.
        let cgroup = process.within.as_ref().or(process.identity.cgroup.as_ref());
        all.push(("cgroup", cgroup.map(|path| &**path).unwrap_or_default().into()));
        all.push(("user", process.identity.user.as_deref().unwrap_or_default().into()));
        family.push(Labels::shared(all), 1.0);
    }
    family
}

fn suspect_info<'a>(snapshot: &'a Snapshot, sources: &Sources) -> Family<'a> {
    let mut family = Family::new(metric::SUSPECT_INFO);
    for suspect in snapshot.suspects().filter(|entity| entity.exported && sources.cover(entity.scope())) {
        let assessment = &suspect.assessment;
        let kind = assessment.dominant_kind(suspect.scope()).map_or("", |kind| kind.as_str());
        let window = assessment.window_seconds.map(human::duration).unwrap_or_default();
        family.push(
            Labels::shared([
                ("scope", suspect.scope().as_str().into()),
                ("entity", suspect.display_name().into()),
                ("reason", assessment.reason.as_str().into()),
                ("kind", kind.into()),
                ("window", window.into()),
            ]),
            1.0,
        );
    }
    family
}
