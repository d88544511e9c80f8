//! What holds for the exporter as a whole.

use super::catalog as metric;
use super::family::{Family, Labels};
use crate::entity::Scope;
use crate::rules::ReloadStatus;
use crate::snapshot::{Snapshot, SourceReport};
use crate::source::ReadErrorReason;

/// What was built. The revision is known only to builds that were told.
pub(super) fn build_info() -> Family<'static> {
    let mut family = Family::new(metric::BUILD_INFO);
    let revision = option_env!("MEMLEAK_REVISION").unwrap_or("unknown");
    family.push(
        Labels::shared([("version", env!("CARGO_PKG_VERSION").into()), ("revision", revision.into())]),
        1.0,
    );
    family
}

/// The verdict over all entities: true of the present only.
pub(super) fn verdict(snapshot: &Snapshot) -> Vec<Family<'_>> {
    let mut families = vec![by_scope(metric::SUSPECTS, |scope| {
        snapshot.suspects().filter(|entity| entity.scope() == scope).count() as u64
    })];
    families.extend(snapshot.highest_score().map(|score| Family::single(metric::LEAK_SCORE, score)));
    families
}

/// How sampling goes: as true of an old snapshot as of a new one.
pub(super) fn families(snapshot: &Snapshot) -> Vec<Family<'_>> {
    let mut families = vec![
        Family::single(metric::LEAK_SCORE_THRESHOLD, snapshot.threshold),
        Family::single(metric::LAST_SAMPLE_TIMESTAMP, snapshot.taken_unix_seconds),
        Family::single(metric::SAMPLE_INTERVAL, snapshot.interval.as_secs_f64()),
        Family::single(metric::SAMPLE_TIME_LAPSE, f64::from(snapshot.time_lapse)),
        Family::single(metric::TICKS_SKIPPED, snapshot.ticks_skipped as f64),
        by_scope(metric::ENTITIES, |scope| {
            snapshot.entities.iter().filter(|entity| entity.scope() == scope).count() as u64
        }),
        by_scope(metric::ENTITIES_DROPPED, |scope| snapshot.dropped.get(&scope).copied().unwrap_or(0)),
        by_scope(metric::ENTITIES_UNEXPORTED, |scope| snapshot.unexported.get(&scope).copied().unwrap_or(0)),
        Family::single(metric::GROUPING_FOLDED_PROCESSES, snapshot.folded as f64),
    ];
    if let Some(status) = snapshot.reload {
        families.extend(reload(status));
    }
    families.extend(sources(&snapshot.sources));
    families
}

fn reload(status: ReloadStatus) -> [Family<'static>; 2] {
    [
        Family::single(metric::CONFIG_RELOAD_SUCCESSFUL, f64::from(u8::from(status.successful))),
        Family::single(metric::CONFIG_RELOAD_TIMESTAMP, status.success_unix_seconds),
    ]
}

/// One sample a scope, zero included: a series that is always there can be alerted on.
fn by_scope<'a>(metric: metric::Metric, count: impl Fn(Scope) -> u64) -> Family<'a> {
    let mut family = Family::new(metric);
    for scope in Scope::ALL {
        family.push(Labels::one("scope", scope.as_str()), count(scope) as f64);
    }
    family
}

fn sources(reports: &[SourceReport]) -> [Family<'_>; 3] {
    let mut success = Family::new(metric::SOURCE_SUCCESS);
    let mut duration = Family::new(metric::SOURCE_DURATION);
    let mut errors = Family::new(metric::SOURCE_READ_ERRORS);
    for report in reports {
        let labels = Labels::shared([("source", report.name.into())]);
        success.push(labels.clone(), f64::from(u8::from(report.success)));
        duration.push(labels.clone(), report.duration.as_secs_f64());
        for reason in ReadErrorReason::ALL {
            let count = report.errors.get(&reason).copied().unwrap_or(0);
            errors.push(labels.with("reason", reason.as_str()), count as f64);
        }
    }
    [success, duration, errors]
}
