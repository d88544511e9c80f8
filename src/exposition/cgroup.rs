//! What cgroups say besides what every scope does.

use super::catalog as metric;
use super::entities::{Labelled, each};
use super::family::{Family, Labels};
use crate::sample::{CgroupFigures, LimitKind, Pressure};
use crate::snapshot::Entity;

/// The families of these cgroups alone.
pub(super) fn families<'a>(cgroups: &[Labelled<'a>]) -> Vec<Family<'a>> {
    let figure = |metric, value: fn(&CgroupFigures) -> Option<u64>| {
        each(metric, cgroups, |cgroup| Some(value(cgroup.figures.cgroup.as_ref()?)? as f64))
    };
    let pressure = |metric, value: fn(&Pressure) -> f64| {
        each(metric, cgroups, |cgroup| Some(value(cgroup.figures.cgroup.as_ref()?.pressure.as_ref()?)))
    };
    vec![
        figure(metric::CGROUP_USAGE, |figures| figures.usage),
        figure(metric::CGROUP_PEAK, |figures| figures.peak),
        figure(metric::CGROUP_LIMIT, |figures| figures.smallest(LimitKind::CgroupMax)),
        figure(metric::CGROUP_HIGH, |figures| figures.smallest(LimitKind::CgroupHigh)),
        figure(metric::CGROUP_OOM_EVENTS, |figures| figures.oom_events),
        figure(metric::CGROUP_OOM_KILLS, |figures| figures.oom_kills),
        pressure(metric::CGROUP_PRESSURE_WAITING, |pressure| pressure.waiting.as_secs_f64()),
        pressure(metric::CGROUP_PRESSURE_STALLED, |pressure| pressure.stalled.as_secs_f64()),
        info(cgroups),
    ]
}

fn info<'a>(cgroups: &[Labelled<'a>]) -> Family<'a> {
    let mut family = Family::new(metric::CGROUP_INFO);
    for (cgroup, _) in cgroups {
        family.push(Labels::shared(info_labels(cgroup)), 1.0);
    }
    family
}

fn info_labels(cgroup: &Entity) -> Vec<super::Label<'_>> {
    let tenant = &cgroup.identity.tenant;
    let known = [
        ("container_id", tenant.container_id.as_deref()),
        ("pod_uid", tenant.pod_uid.as_deref()),
        ("qos", tenant.qos),
        ("namespace", tenant.namespace.as_deref()),
        ("pod", tenant.pod.as_deref()),
        ("container", tenant.container.as_deref()),
        ("unit", tenant.unit.as_deref()),
    ];
    let mut labels = super::labels(cgroup);
    labels.extend(known.map(|(name, value)| (name, value.unwrap_or_default().into())));
    labels
}
