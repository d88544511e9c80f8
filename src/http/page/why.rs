//! What a suspicion rests on: since when, on what kinds of memory, how far, and what spoke for and against.

use std::fmt::{self, Write};

use super::gates::{Told, write_gates};
use super::html::{Escaped, Name, Utc};
use crate::detector::{Assessment, Channel, Evidence, KindGrowth, Standing};
use crate::human;
use crate::snapshot::Entity;

/// A row below that of a suspect, unfolded if it `is_open`.
pub(super) fn write_why(html: &mut String, entity: &Entity, is_open: bool) -> fmt::Result {
    let assessment = &entity.assessment;
    let Some(evidence) = &assessment.evidence else { return Ok(()) };
    let told = Told::of(evidence, entity.unit());
    let open = if is_open { " open" } else { "" };
    write!(html, "<tr class=\"why\"><td colspan=\"7\"><details{open}><summary>Evidence: ")?;
    write!(html, "{} of {} tests speak for a leak</summary><dl>", told.for_a_leak(), evidence.gates.len())?;
    write_beginning(html, evidence)?;
    write_reach(html, assessment)?;
    if let Some(window) = assessment.window_seconds {
        let (window, look) = (human::duration(window), look(evidence.channel));
        fact(html, "Seen over", format_args!("{window}, {look}"))?;
    }
    write_kinds(html, assessment)?;
    write_descriptors(html, entity)?;
    fact(html, "Rests on", standing(assessment.standing))?;
    if let Some(narrower) = &entity.explained_by {
        let share = 100.0 * narrower.share;
        let (scope, name) = (narrower.scope, Name(&narrower.entity));
        fact(html, "Explained by", format_args!("{scope} {name}, {share:.0} % of the growth"))?;
    }
    html.push_str("</dl>");
    write_gates(html, &told)?;
    html.write_str("</details></td></tr>")
}

/// A name and what it stands for; the latter is HTML.
fn fact(html: &mut String, name: &str, value: impl fmt::Display) -> fmt::Result {
    write!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>")
}

fn write_beginning(html: &mut String, evidence: &Evidence) -> fmt::Result {
    match evidence.onset_time.zip(evidence.since_onset_seconds) {
        Some((time, since)) => {
            let since = human::duration(since);
            fact(html, "Growing since", format_args!("{}, {since} ago", Utc(time)))
        }
        None => Ok(()),
    }
}

fn write_reach(html: &mut String, assessment: &Assessment) -> fmt::Result {
    let Some(left) = assessment.time_to_limit_seconds.map(human::duration) else { return Ok(()) };
    match assessment.time_to_limit_range_seconds.map(|range| range.map(human::duration)) {
        Some([soonest, latest]) if soonest != latest => {
            fact(html, "Limit reached in", format_args!("{left}; between {soonest} and {latest}"))
        }
        _ => fact(html, "Limit reached in", left),
    }
}

fn write_kinds(html: &mut String, assessment: &Assessment) -> fmt::Result {
    let changed = assessment.growth_by_kind.iter().filter(|growth| growth.bytes != 0);
    let kind = |growth: &KindGrowth| {
        let sign = if growth.bytes > 0 { "+" } else { "" };
        format!("{} {sign}{}", growth.kind.as_str(), human::bytes(growth.bytes as f64))
    };
    let kinds: Vec<String> = changed.map(kind).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    fact(html, "Growth by kind", Escaped(kinds.join(", ")))
}

fn write_descriptors(html: &mut String, entity: &Entity) -> fmt::Result {
    let Some(descriptors) = entity.figures.resources.descriptors.as_ref().filter(|_| entity.is_resource())
    else {
        return Ok(());
    };
    let kinds = descriptors.by_name().into_iter().filter(|(_, count)| *count > 0);
    let kinds: Vec<String> =
        kinds.map(|(kind, count)| format!("{kind} {}", human::count(count as f64))).collect();
    fact(html, "Open files by kind", Escaped(kinds.join(", ")))
}

fn look(channel: Channel) -> &'static str {
    match channel {
        Channel::Trend => "as a long and steady rise",
        Channel::Season => "at the same hours of each day",
        Channel::Urgency => "as growth on its way to a limit",
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Present => "what is seen now",
        Standing::Held => "what was seen before; nothing has answered it yet",
        Standing::Inherited => "an earlier run of the same program",
        Standing::Wider => "its cgroup or the host, which grows by it",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exposition::fixture;

    fn why(entity: &Entity, is_open: bool) -> String {
        let mut html = String::new();
        write_why(&mut html, entity, is_open).unwrap();
        html
    }

    #[test]
    fn a_suspicion_is_told_with_all_that_it_rests_on() {
        let process = fixture::process(42, "leaky", "web", Some(91.5));
        let html = why(&process, true);
        for part in [
            "<details open><summary>Evidence: 1 of 2 tests speak for a leak</summary>",
            "<dt>Growing since</dt><dd><time datetime=\"1970-01-01T00:03:45Z\">1970-01-01 00:03:45 UTC</time>, 3m45s ago</dd>",
            "<dt>Limit reached in</dt><dd>1h56m; between 1h40m and 2h13m</dd>",
            "<dt>Seen over</dt><dd>7m30s, as a long and steady rise</dd>",
            "<dt>Growth by kind</dt><dd>anon +225 B, swap -5 B</dd>",
            "<dt>Rests on</dt><dd>what is seen now</dd>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(why(&process, false).contains("<details><summary>"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut process = fixture::process(42, "leaky", "web", Some(91.5));
        let mut bare = Assessment::clone(&process.assessment);
        bare.time_to_limit_seconds = None;
        bare.growth_by_kind.clear();
        if let Some(evidence) = &mut bare.evidence {
            evidence.onset_time = None;
        }
        process.assessment = Arc::new(bare);
        let html = why(&process, true);
        for absent in ["Growing since", "Limit reached", "by kind"] {
            assert!(!html.contains(absent), "{absent} in {html}");
        }
        process.assessment = Arc::default();
        assert_eq!(why(&process, true), "");
    }
}
