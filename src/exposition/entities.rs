//! What each entity has to say, in the name of its scope.

use super::catalog::{self as metric, Metric, ScopeMetrics};
use super::cgroup;
use super::exported::{Everyone, Exported};
use super::label::{Label, Labels, push_label};
use super::sources::Sources;
use super::text::Writer;
use crate::entity::{EntityId, Resource, Scope};
use crate::human;
use crate::sample::Kind;
use crate::snapshot::{Entity, Snapshot};

/// The labels that an entity's series have.
pub fn labels(entity: &Entity) -> Vec<Label<'_>> {
    match &entity.id {
        EntityId::Host | EntityId::HostUnaccounted => Vec::new(),
        EntityId::Cgroup(id) => vec![("cgroup", (&*id.path).into())],
        EntityId::Group(id) => vec![("group", (&*id.name).into())],
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

/// Writes the families of all entities that have series of their own.
pub(super) fn write(writer: &mut Writer<'_>, snapshot: &Snapshot, sources: &Sources) {
    let everyone = Everyone::of(snapshot);
    for scope in Scope::ALL.into_iter().filter(|scope| sources.cover(*scope)) {
        let exported = everyone.in_scope(scope);
        write_scope(writer, scope_metrics(scope), &exported);
        match scope {
            Scope::Host | Scope::HostUnaccounted => {}
            Scope::Cgroup => cgroup::write(writer, &exported),
            Scope::ProcessResource => write_resource_growth(writer, &exported),
            Scope::Group => write_group_processes(writer, &exported),
            Scope::Process => write_processes(writer, &exported),
        }
    }
    write_suspect_info(writer, &everyone, sources);
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

fn write_scope(writer: &mut Writer<'_>, metrics: ScopeMetrics, entities: &Exported<'_>) {
    let judged = |entity: &Entity, set: bool| entity.is_judged().then_some(f64::from(u8::from(set)));
    if let Some(memory) = metrics.memory {
        write_memory(writer, memory, entities);
    }
    write_each(writer, metrics.score, entities, |entity| entity.assessment.score);
    write_each(writer, metrics.suspect, entities, |entity| judged(entity, entity.assessment.is_suspect()));
    if let Some(explained) = metrics.explained {
        write_each(writer, explained, entities, |entity| judged(entity, entity.explained_by.is_some()));
    }
    if let Some(growth) = metrics.growth {
        write_each(writer, growth, entities, |entity| entity.assessment.growth_bytes_per_second);
    }
    write_each(writer, metrics.time_to_limit, entities, |entity| entity.assessment.time_to_limit_seconds);
    write_each(writer, metrics.window, entities, |entity| entity.assessment.window_seconds);
}

/// One sample an entity, where there is a value.
pub(super) fn write_each(
    writer: &mut Writer<'_>,
    metric: Metric,
    entities: &Exported<'_>,
    value: impl Fn(&Entity) -> Option<f64>,
) {
    let mut family = writer.family(metric);
    for (entity, labels) in entities.iter() {
        if let Some(value) = value(entity) {
            family.push(labels, &[], value);
        }
    }
}

fn write_memory(writer: &mut Writer<'_>, metric: Metric, entities: &Exported<'_>) {
    let kinds = Kind::ALL.map(|kind| {
        let mut label = Vec::new();
        push_label(&mut label, true, "kind", kind.as_str());
        label
    });
    let mut family = writer.family(metric);
    for (entity, labels) in entities.iter() {
        for (kind, bytes) in entity.memory().iter() {
            family.push_joined(labels, Labels::written(&kinds[kind as usize]), bytes as f64);
        }
    }
}

fn write_group_processes(writer: &mut Writer<'_>, groups: &Exported<'_>) {
    let processes = |group: &Entity| group.processes.map(|count| count as f64);
    write_each(writer, metric::GROUP_PROCESSES, groups, processes);
}

fn write_resource_growth(writer: &mut Writer<'_>, resources: &Exported<'_>) {
    write_each(writer, metric::RESOURCE_GROWTH, resources, |resource| {
        resource.unit().count(resource.assessment.growth_bytes_per_second)
    });
}

fn write_processes(writer: &mut Writer<'_>, processes: &Exported<'_>) {
    let count = |process: &Entity, resource| process.figures.resources.get(resource);
    let used = |process: &Entity, resource| count(process, resource).map(|count| f64::from(count.used));
    let start = |process: &Entity| process.figures.start.map(|start| start.unix_seconds);
    let max_fds = |process: &Entity| Some(f64::from(count(process, Resource::Fds)?.limit?));
    let limit = |process: &Entity| process.figures.limit().map(|limit| limit.bytes as f64);
    write_each(writer, metric::PROCESS_START_TIME, processes, start);
    write_each(writer, metric::PROCESS_THREADS, processes, |process| used(process, Resource::Threads));
    write_each(writer, metric::PROCESS_OPEN_FDS, processes, |process| used(process, Resource::Fds));
    write_each(writer, metric::PROCESS_MAX_FDS, processes, max_fds);
    write_each(writer, metric::PROCESS_MEMORY_MAPS, processes, |process| used(process, Resource::Maps));
    write_each(writer, metric::PROCESS_MEMORY_LIMIT, processes, limit);
    write_process_info(writer, processes);
}

fn write_process_info(writer: &mut Writer<'_>, processes: &Exported<'_>) {
    let mut family = writer.family(metric::PROCESS_INFO);
    for (process, labels) in processes.iter() {
        // As the cgroup's own series have it, which is not always how the kernel tells it to us.
        let cgroup = process.within.as_deref().or(process.identity.cgroup.as_deref()).unwrap_or_default();
        let user = process.identity.user.as_deref().unwrap_or_default();
        family.push(labels, &[("cgroup", cgroup), ("user", user)], 1.0);
    }
}

fn write_suspect_info(writer: &mut Writer<'_>, everyone: &Everyone<'_>, sources: &Sources) {
    let mut family = writer.family(metric::SUSPECT_INFO);
    for suspect in everyone.suspects().filter(|entity| sources.cover(entity.scope())) {
        let assessment = &suspect.assessment;
        let kind = assessment.dominant_kind(suspect.scope()).map_or("", |kind| kind.as_str());
        let labels = [
            ("scope", suspect.scope().as_str()),
            ("entity", &suspect.display_name()),
            ("reason", assessment.reason.as_str()),
            ("kind", kind),
            ("window", &assessment.window_seconds.map(human::duration).unwrap_or_default()),
        ];
        family.push(Labels::NONE, &labels, 1.0);
    }
}
