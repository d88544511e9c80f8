//! What holds for the exporter as a whole.

use std::collections::BTreeMap;

use super::catalog::{self as metric, Metric};
use super::label::Labels;
use super::text::Writer;
use crate::entity::Scope;
use crate::rules::ReloadStatus;
use crate::snapshot::{Entity, Snapshot, SourceReport};
use crate::source::ReadErrorReason;
use crate::state::StateStatus;

/// Writes what was built. The revision is known only to builds that were told.
pub(super) fn write_build_info(writer: &mut Writer<'_>) {
    let revision = option_env!("MEMLEAK_REVISION").unwrap_or("unknown");
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("revision", revision)];
    writer.family(metric::BUILD_INFO).push(Labels::NONE, &labels, 1.0);
}

/// Writes the verdict over all entities: true of the present only.
pub(super) fn write_verdict(writer: &mut Writer<'_>, snapshot: &Snapshot) {
    let suspects = count(snapshot.suspects());
    write_by_scope(writer, metric::SUSPECTS, |scope| suspects[scope as usize]);
    if let Some(score) = snapshot.highest_score() {
        writer.single(metric::LEAK_SCORE, score);
    }
}

/// Writes how sampling goes: as true of an old snapshot as of a new one.
pub(super) fn write_sampling(writer: &mut Writer<'_>, snapshot: &Snapshot) {
    writer.single(metric::LEAK_SCORE_THRESHOLD, snapshot.threshold);
    writer.single(metric::LAST_SAMPLE_TIMESTAMP, snapshot.taken_unix_seconds);
    writer.single(metric::SAMPLE_INTERVAL, snapshot.interval.as_secs_f64());
    writer.single(metric::SAMPLE_TIME_LAPSE, f64::from(snapshot.time_lapse));
    writer.single(metric::TICKS_SKIPPED, snapshot.ticks_skipped as f64);
    let entities = count(&snapshot.entities);
    let told = |counts: &BTreeMap<Scope, u64>, scope| counts.get(&scope).copied().unwrap_or(0);
    write_by_scope(writer, metric::ENTITIES, |scope| entities[scope as usize]);
    write_by_scope(writer, metric::ENTITIES_DROPPED, |scope| told(&snapshot.dropped, scope));
    write_by_scope(writer, metric::ENTITIES_UNEXPORTED, |scope| told(&snapshot.unexported, scope));
    writer.single(metric::GROUPING_FOLDED_PROCESSES, snapshot.folded as f64);
    if let Some(status) = snapshot.reload {
        write_reload(writer, status);
    }
    if let Some(status) = snapshot.state {
        write_state(writer, status);
    }
    write_sources(writer, &snapshot.sources);
}

fn write_state(writer: &mut Writer<'_>, status: StateStatus) {
    writer.single(metric::STATE_LOAD_SUCCESSFUL, f64::from(u8::from(status.loaded)));
    if let Some(written) = status.written {
        writer.single(metric::STATE_LAST_WRITE_SUCCESSFUL, f64::from(u8::from(written)));
    }
    if let Some(time) = status.written_unix_seconds {
        writer.single(metric::STATE_LAST_WRITE_TIMESTAMP, time);
        writer.single(metric::STATE_SIZE, status.bytes as f64);
    }
    writer.single(metric::STATE_WRITTEN, status.bytes_total as f64);
}

fn write_reload(writer: &mut Writer<'_>, status: ReloadStatus) {
    writer.single(metric::CONFIG_RELOAD_SUCCESSFUL, f64::from(u8::from(status.successful)));
    writer.single(metric::CONFIG_RELOAD_TIMESTAMP, status.success_unix_seconds);
}

/// How many there are of each scope.
fn count<'a>(entities: impl IntoIterator<Item = &'a Entity>) -> [u64; Scope::ALL.len()] {
    let mut counts = [0; Scope::ALL.len()];
    for entity in entities {
        counts[entity.scope() as usize] += 1;
    }
    counts
}

/// One sample a scope, zero included: a series that is always there can be alerted on.
fn write_by_scope(writer: &mut Writer<'_>, metric: Metric, count: impl Fn(Scope) -> u64) {
    let mut family = writer.family(metric);
    for scope in Scope::ALL {
        family.push(Labels::NONE, &[("scope", scope.as_str())], count(scope) as f64);
    }
}

fn write_sources(writer: &mut Writer<'_>, reports: &[SourceReport]) {
    let mut success = writer.family(metric::SOURCE_SUCCESS);
    for report in reports {
        success.push(Labels::NONE, &[("source", report.name)], f64::from(u8::from(report.success)));
    }
    let mut duration = writer.family(metric::SOURCE_DURATION);
    for report in reports {
        duration.push(Labels::NONE, &[("source", report.name)], report.duration.as_secs_f64());
    }
    let mut errors = writer.family(metric::SOURCE_READ_ERRORS);
    for report in reports {
        for reason in ReadErrorReason::ALL {
            let labels = [("source", report.name), ("reason", reason.as_str())];
            let count = report.errors.get(&reason).copied().unwrap_or(0);
            errors.push(Labels::NONE, &labels, count as f64);
        }
    }
    let mut hidden = writer.family(metric::SOURCE_HIDDEN);
    for report in reports {
        for (what, count) in &report.hidden {
            let labels = [("source", report.name), ("what", what.as_str())];
            hidden.push(Labels::NONE, &labels, *count as f64);
        }
    }
}
