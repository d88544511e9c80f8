//! Any names and numbers -> text that the checker accepts, and in which the names can be read again.

use std::sync::Arc;

use arbitrary::Arbitrary;
use memleak_exporter::entity::{EntityId, Identity};
use memleak_exporter::exposition::catalog::MetricKind;
use memleak_exporter::exposition::{Description, Format, Labels, Sources, render, written};
use memleak_exporter::snapshot::{Entity, Snapshot};

use crate::checker::check;
use crate::world::SNAPSHOT;

/// What programs, users and administrators call things, and numbers.
#[derive(Arbitrary, Debug)]
pub struct Names {
    help: String,
    labels: [String; 3],
    values: [f64; 2],
    is_counter: bool,
    name: String,
    group: String,
    cgroup: String,
    user: String,
    unit: String,
}

/// A family of such labels and numbers, and a snapshot with such names.
pub fn exposition(names: &Names) {
    for format in [Format::Text, Format::OpenMetrics] {
        check_family(names, format);
        check_snapshot(names, format);
    }
}

fn check_family(names: &Names, format: Format) {
    let Names { help, labels: [first, second, third], values, .. } = names;
    let kind = if names.is_counter { MetricKind::Counter } else { MetricKind::Gauge };
    let mut text = written(format, |writer| {
        let mut family = writer.family(Description { name: "some_seconds_total", help, kind });
        family.push(Labels::NONE, &[("a", first), ("b", second)], values[0]);
        family.push(Labels::NONE, &[("a", first), ("b", second), ("c", third)], values[1]);
        family.push(Labels::NONE, &[], 0.0);
    });
    text.push_str(format.end());
    let samples = check(&text, format);
    let found: Vec<_> = samples.iter().flat_map(|(_, labels)| labels.values()).collect();
    assert_eq!(found, [first, second, first, second, third]);
}

fn check_snapshot(names: &Names, format: Format) {
    let snapshot = &*SNAPSHOT;
    let entities = snapshot.entities.iter().map(|entity| renamed(entity, names)).collect();
    let snapshot = Snapshot { entities, ..snapshot.clone() };
    let mut text = render(Some(&snapshot), &Sources::ALL, snapshot.taken, format);
    text.push_str(format.end());
    let samples = check(&text, format);
    let has = |metric: &str, label: &str, value: &str| {
        samples
            .iter()
            .any(|(name, labels)| name == metric && labels.get(label).is_some_and(|found| found == value))
    };
    assert!(has("memleak_process_info", "name", &names.name));
    assert!(has("memleak_process_info", "user", &names.user));
    assert!(has("memleak_group_suspect", "group", &format!("web{}", names.group)));
    assert!(has("memleak_cgroup_info", "unit", &names.unit));
}

/// With other names. Two groups or cgroups of one name there can't be, so that theirs become longer.
fn renamed(entity: &Entity, names: &Names) -> Entity {
    let longer = |text: &Arc<str>, by: &str| Arc::<str>::from(format!("{text}{by}"));
    let id = match &entity.id {
        EntityId::Group(id) => EntityId::group(longer(&id.name, &names.group)),
        EntityId::Cgroup(id) => EntityId::cgroup(longer(&id.path, &names.cgroup), id.inode),
        other => other.clone(),
    };
    let identity = &entity.identity;
    let mut tenant = identity.tenant().clone();
    tenant.unit = tenant.unit.map(|_| names.unit.clone());
    let identity = Identity {
        name: names.name.as_str().into(),
        group: identity.group.as_ref().map(|group| longer(group, &names.group)),
        cgroup: identity.cgroup.as_ref().map(|path| longer(path, &names.cgroup)),
        user: Some(names.user.as_str().into()),
        tenant: Some(Arc::new(tenant)),
        ..(**identity).clone()
    };
    Entity { id, identity: Arc::new(identity), ..entity.clone() }
}
