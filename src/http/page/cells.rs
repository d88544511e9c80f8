//! Single cells of a row: the score, and numbers with a note.

use std::fmt::{self, Write};

use super::html::Escaped;
use crate::detector::Assessment;
use crate::entity::Resource;
use crate::human;
use crate::resources::Unit;
use crate::sample::LimitKind;
use crate::snapshot::Entity;

pub(super) fn write_score(html: &mut String, assessment: &Assessment) -> fmt::Result {
    let reason = assessment.reason.as_str().replace('_', " ");
    match assessment.score {
        Some(score) => write!(html, "<td class=\"score\">{score:.0}<small>{reason}</small></td>"),
        None => html.write_str("<td class=\"score\">–</td>"),
    }
}

/// What a leak may live in, and what it is part of; of what is no memory, how many there are and may be.
pub(super) fn write_held(html: &mut String, entity: &Entity) -> fmt::Result {
    if entity.is_resource() {
        let count = entity.count();
        let limit = count.and_then(|count| count.limit);
        let of_limit = limit.map(|limit| format!("of at most {}", human::count(limit as f64)));
        let used = count.map(|count| human::count(count.used as f64));
        return write_number(html, "Count", used, of_limit.as_deref());
    }
    let total = human::bytes(entity.memory().total() as f64);
    let scored = entity.memory().scored(entity.scope()).map(|bytes| human::bytes(bytes as f64));
    let of_all = (scored.as_ref() != Some(&total)).then(|| format!("of {total}"));
    write_number(html, "Memory", scored, of_all.as_deref())
}

/// By the hour: leaks that are worth finding are slow.
pub(super) fn growth_per_hour(unit: Unit, per_second: f64) -> String {
    format!("{}/h", unit.text(per_second * 3600.0))
}

/// What ends growth at a limit.
pub(super) fn limit_of(entity: &Entity) -> Option<&'static str> {
    match entity.unit() {
        Unit::Bytes => entity.limit.map(|limit| limit_name(limit.kind)),
        Unit::Count(resource) => {
            entity.count().and_then(|count| count.limit).and_then(|_| resource_limit(resource))
        }
    }
}

fn resource_limit(resource: Resource) -> Option<&'static str> {
    match resource {
        Resource::Fds => Some("RLIMIT_NOFILE"),
        Resource::Maps => Some("vm.max_map_count"),
        Resource::Threads => None,
    }
}

fn limit_name(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::AddressSpace => "RLIMIT_AS",
        LimitKind::Data => "RLIMIT_DATA",
        LimitKind::CgroupMax => "memory.max",
        LimitKind::CgroupHigh => "memory.high",
        LimitKind::Configured => "limit_bytes",
        LimitKind::Host => "of the host",
    }
}

/// The label stands before the number where there is no room for columns.
pub(super) fn write_number(
    html: &mut String,
    label: &str,
    number: Option<String>,
    note: Option<&str>,
) -> fmt::Result {
    let Some(number) = number else {
        return write!(html, "<td class=\"number none\" data-label=\"{label}\">–</td>");
    };
    write!(html, "<td class=\"number\" data-label=\"{label}\">{}", Escaped(number))?;
    if let Some(note) = note {
        write!(html, "<small>{}</small>", Escaped(note))?;
    }
    html.write_str("</td>")
}
