//! What cgroups say besides what every scope does.

use super::catalog::{self as metric, Metric};
use super::entities::write_each;
use super::exported::Exported;
use super::text::Writer;
use crate::sample::{CgroupFigures, LimitKind, Pressure};
use crate::snapshot::Entity;

/// A figure that the kernel may not tell.
type Figure = fn(&CgroupFigures) -> Option<u64>;

/// Writes the families of cgroups alone.
pub(super) fn write(writer: &mut Writer<'_>, cgroups: &Exported<'_>) {
    let figures: [(Metric, Figure); 6] = [
        (metric::CGROUP_USAGE, |figures| figures.usage),
        (metric::CGROUP_PEAK, |figures| figures.peak),
        (metric::CGROUP_LIMIT, |figures| figures.smallest(LimitKind::CgroupMax)),
        (metric::CGROUP_HIGH, |figures| figures.smallest(LimitKind::CgroupHigh)),
        (metric::CGROUP_OOM_EVENTS, |figures| figures.oom_events),
        (metric::CGROUP_OOM_KILLS, |figures| figures.oom_kills),
    ];
    for (metric, figure) in figures {
        write_each(writer, metric, cgroups, |cgroup| Some(figure(cgroup.figures.cgroup.as_ref()?)? as f64));
    }
    write_each(writer, metric::CGROUP_PRESSURE_WAITING, cgroups, |cgroup| {
        Some(pressure(cgroup)?.waiting.as_secs_f64())
    });
    write_each(writer, metric::CGROUP_PRESSURE_STALLED, cgroups, |cgroup| {
        Some(pressure(cgroup)?.stalled.as_secs_f64())
    });
    write_info(writer, cgroups);
}

fn pressure(cgroup: &Entity) -> Option<&Pressure> {
    cgroup.figures.cgroup.as_ref()?.pressure.as_ref()
}

fn write_info(writer: &mut Writer<'_>, cgroups: &Exported<'_>) {
    let mut family = writer.family(metric::CGROUP_INFO);
    for (cgroup, labels) in cgroups.iter() {
        let tenant = cgroup.identity.tenant();
        let known = [
            ("container_id", tenant.container_id.as_deref()),
            ("pod_uid", tenant.pod_uid.as_deref()),
            ("qos", tenant.qos),
            ("namespace", tenant.namespace.as_deref()),
            ("pod", tenant.pod.as_deref()),
            ("container", tenant.container.as_deref()),
            ("unit", tenant.unit.as_deref()),
        ];
        family.push(labels, &known.map(|(name, value)| (name, value.unwrap_or_default())), 1.0);
    }
}
