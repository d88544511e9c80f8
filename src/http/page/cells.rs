//! Single cells of a row: the score, and numbers with a note.

use std::fmt::{self, Write};

use super::html::Escaped;
use crate::detector::Assessment;
use crate::human;
use crate::sample::LimitKind;
use crate::snapshot::Entity;

pub(super) fn write_score(html: &mut String, assessment: &Assessment) -> fmt::Result {
    let reason = assessment.reason.as_str().replace('_', " ");
    match assessment.score {
        Some(score) => write!(html, "<td class=\"score\">{score:.0}<small>{reason}</small></td>"),
        None => html.write_str("<td class=\"score\">–</td>"),
    }
}

/// What a leak may live in, and what it is part of.
pub(super) fn write_memory(html: &mut String, entity: &Entity) -> fmt::Result {
    let total = human::bytes(entity.memory.total() as f64);
    let scored = entity.memory.scored(entity.scope()).map(|bytes| human::bytes(bytes as f64));
    let of_all = (scored.as_ref() != Some(&total)).then(|| format!("of {total}"));
    write_number(html, "Memory", scored, of_all.as_deref())
}

/// By the hour: leaks that are worth finding are slow.
pub(super) fn growth_per_hour(bytes_per_second: f64) -> String {
    format!("{}/h", human::bytes(bytes_per_second * 3600.0))
}

pub(super) fn limit_name(kind: LimitKind) -> &'static str {
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
