//! The table of entries, each with its evidence and a plot of it.

use std::fmt::{self, Write};

use super::super::ranking::ranked;
use super::cells::{growth_per_hour, limit_of, write_held, write_number, write_score};
use super::entries::{Entries, Entry};
use super::html::{Escaped, Name};
use super::plot::Plot;
use super::why::write_why;
use crate::entity::EntityId;
use crate::human;
use crate::snapshot::{Entity, Snapshot};

/// Members of a suspect group that get rows of their own.
const MAX_MEMBERS: usize = 3;

/// A plot shows growth from its beginning on, and some of the time before: so many times as much in all.
const BEFORE: f64 = 1.3;

const HEAD: &str = "<div class=\"scroll\"><table class=\"entities\">\n<thead><tr><th class=\"score\">Score</th><th>Name</th>\
     <th>What was seen</th><th>Floor</th><th class=\"number\">Growth</th><th class=\"number\">Time to limit</th>\
     <th class=\"number\">Held</th></tr></thead>\n";

const LEGEND: &str = "<p class=\"legend\">Floor: the lowest that was seen in each span of time; the shade above it was given back; a dashed line is where growth began. \
     Of memory, growth and floors are of what a leak lives in: page cache is left out.</p>\n";

pub(super) fn write_table(html: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let entries = Entries::of(snapshot);
    html.push_str(HEAD);
    let surest = ranked(snapshot.findings()).first().map(|finding| &finding.id);
    write_section(html, ("findings", "Findings"), &entries.findings, surest)?;
    write_section(html, ("cgroups", "Containers and services"), &entries.cgroups, None)?;
    write_section(html, ("others", "Host and programs"), &entries.others, None)?;
    html.push_str("</table></div>\n");
    html.push_str(LEGEND);
    let shown = entries.findings.len() + entries.cgroups.len() + entries.others.len();
    if shown < entries.total {
        writeln!(html, "<p>The {shown} with the highest scores of {} that are watched.</p>", entries.total)?;
    }
    Ok(())
}

/// How the evidence on a suspect is shown at first.
#[derive(Clone, Copy, PartialEq)]
enum Why {
    Folded,
    Unfolded,
}

/// The `surest` finding shows its evidence; the others do on demand.
fn write_section(
    html: &mut String,
    (class, title): (&str, &str),
    entries: &[Entry],
    surest: Option<&EntityId>,
) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(
        html,
        "<tbody class=\"{class}\">\n<tr class=\"section\"><th colspan=\"7\" scope=\"rowgroup\">{title}</th></tr>"
    )?;
    for entry in entries {
        let is_surest = surest == Some(&entry.entity.id);
        write_entry(html, entry, if is_surest { Why::Unfolded } else { Why::Folded })?;
    }
    html.push_str("</tbody>\n");
    Ok(())
}

/// A group of one tells of its process. One of several leaves that to rows of its worst members where any is
/// suspect, and else tells of the worst.
fn write_entry(html: &mut String, entry: &Entry, why: Why) -> fmt::Result {
    let Entry { entity, members } = entry;
    if let EntityId::Cgroup(id) = &entity.id {
        return write_row(html, "entry", entity, &id.path, Seen::Itself(why));
    }
    if entity.is_resource() {
        return write_row(html, "entry", entity, &owner(entity), Seen::Itself(why));
    }
    if let Some(only) = entry.only_member() {
        return write_row(html, "entry", entity, &place(only), Seen::Itself(why));
    }
    let suspects = members.iter().filter(|member| member.assessment.is_suspect()).count();
    if suspects == 0 {
        return write_row(html, "entry", entity, &head_count(entry), Seen::Itself(why));
    }
    let count = entity.processes.unwrap_or_default();
    write_row(html, "entry", entity, &format!("{count} processes"), Seen::Members { suspects })?;
    for (place, member) in members.iter().take(suspects.min(MAX_MEMBERS)).enumerate() {
        let why = if place == 0 { why } else { Why::Folded };
        let user = member.identity.user.as_deref().unwrap_or_default();
        write_row(html, "member", member, user, Seen::Itself(why))?;
    }
    Ok(())
}

/// What stands first: of a cgroup who is in it, its path stands below.
fn title(entity: &Entity) -> String {
    let EntityId::Cgroup(id) = &entity.id else { return entity.display_name() };
    let tenant = entity.identity.tenant();
    let of_pod = [&tenant.namespace, &tenant.pod, &tenant.container];
    if tenant.pod.is_some() {
        return of_pod.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/");
    }
    match (&tenant.unit, &tenant.container_id) {
        (Some(unit), None) => unit.clone(),
        _ => id.path.rsplit('/').next().unwrap_or_default().to_string(),
    }
}

/// How many processes a group has, and which of them it tells of.
fn head_count(entry: &Entry) -> String {
    let Some(count) = entry.entity.processes else { return String::new() };
    let is_worst = |member: &&&Entity| Some(&member.id) == entry.entity.worst_member.as_deref();
    match entry.members.iter().find(is_worst) {
        Some(worst) => format!("{count} processes, shown is {}", worst.display_name()),
        None => format!("{count} processes"),
    }
}

/// Which process a group of one is.
fn place(process: &Entity) -> String {
    let EntityId::Process { pid, .. } = process.id else { return String::new() };
    let itself = if process.group() == Some(&process.identity.name) {
        format!("pid {pid}")
    } else {
        process.display_name()
    };
    match &process.identity.user {
        Some(user) => format!("{itself}, {user}"),
        None => itself,
    }
}

/// Whose process it is that holds something, and in which group where that has another name.
fn owner(resource: &Entity) -> String {
    let group = resource.group().filter(|group| **group != *resource.identity.name);
    let parts =
        [group.map(|group| format!("group {group}")), resource.identity.user.as_deref().map(str::to_string)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What a row tells of.
#[derive(Clone, Copy)]
enum Seen {
    Itself(Why),
    /// Rows below tell it; so many members are suspect.
    Members {
        suspects: usize,
    },
}

fn write_row(html: &mut String, class: &str, entity: &Entity, below_name: &str, seen: Seen) -> fmt::Result {
    let assessment = &entity.assessment;
    write!(html, "<tr class=\"{class}\">")?;
    write_score(html, assessment)?;
    write!(html, "<th scope=\"row\" class=\"name\">{}", Name(title(entity)))?;
    if !below_name.is_empty() {
        write!(html, "<small>{}</small>", Name(below_name))?;
    }
    html.push_str("</th>");
    match seen {
        Seen::Itself(_) => write_evidence(html, entity)?,
        Seen::Members { suspects } => write_suspects(html, suspects)?,
    }
    let kind = assessment.dominant_kind(entity.scope()).map(|kind| kind.as_str());
    let growth = assessment.growth_bytes_per_second.map(|growth| growth_per_hour(entity.unit(), growth));
    write_number(html, "Growth", growth, kind)?;
    let limit = limit_of(entity);
    write_number(html, "Time to limit", assessment.time_to_limit_seconds.map(human::duration), limit)?;
    write_held(html, entity)?;
    html.push_str("</tr>");
    if let Seen::Itself(why) = seen
        && assessment.is_suspect()
    {
        write_why(html, entity, why == Why::Unfolded)?;
    }
    html.write_char('\n')
}

fn write_suspects(html: &mut String, suspects: usize) -> fmt::Result {
    html.push_str("<td class=\"seen\" colspan=\"2\">");
    match suspects {
        1 => html.push_str("One process is suspect:"),
        2..=MAX_MEMBERS => write!(html, "{suspects} processes are suspect:")?,
        _ => write!(html, "{suspects} processes are suspect, of which these most:")?,
    }
    html.write_str("</td>")
}

fn write_evidence(html: &mut String, entity: &Entity) -> fmt::Result {
    write!(html, "<td class=\"seen\">{}", Capitalized(&entity.sentence().to_string()))?;
    if let Some(narrower) = &entity.explained_by {
        write!(html, " Explained by {} {}.", narrower.scope, Name(&narrower.entity))?;
    }
    html.push_str("</td><td class=\"evidence\">");
    let window = entity.assessment.window_seconds.unwrap_or(f64::INFINITY);
    let evidence = entity.assessment.evidence.as_ref();
    let beginning = evidence.and_then(|evidence| evidence.since_onset_seconds).unwrap_or(0.0);
    let span = window.max(BEFORE * beginning);
    if let Some(floors) = entity.history.as_ref().and_then(|history| history.floors(span))
        && let Some(plot) = Plot::of(&entity.display_name(), &floors, entity.unit())
    {
        let plot = plot.with_onset(evidence.and_then(|evidence| evidence.onset_time));
        write!(html, "<a href=\"./api/history?{}\">{plot}</a>", Escaped(history_query(entity)))?;
    }
    html.push_str("</td>");
    Ok(())
}

/// A sentence that was made to stand inside another, as one of its own.
struct Capitalized<'a>(&'a str);

impl fmt::Display for Capitalized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        let first = rest.next().map(|first| first.to_ascii_uppercase());
        write!(f, "{}{}.", Escaped(first.map(String::from).unwrap_or_default()), Escaped(rest.as_str()))
    }
}

/// What asks `/api/history` for this entity, and for no later one that has its pid.
fn history_query(entity: &Entity) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("scope", entity.scope().as_str());
    match &entity.id {
        EntityId::Host | EntityId::HostUnaccounted => {}
        EntityId::Cgroup(id) => {
            query.append_pair("cgroup", &id.path);
        }
        EntityId::Group(id) => {
            query.append_pair("group", &id.name);
        }
        EntityId::Process { pid, start_time } => {
            query.append_pair("pid", &pid.to_string()).append_pair("start_time", &start_time.to_string());
        }
        EntityId::ProcessResource { pid, start_time, resource } => {
            query.append_pair("pid", &pid.to_string()).append_pair("start_time", &start_time.to_string());
            query.append_pair("resource", resource.as_str());
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::Resource;
    use crate::exposition::fixture;

    fn rows(entities: Vec<Entity>) -> Vec<String> {
        let mut html = String::new();
        write_table(&mut html, &Snapshot { entities, ..fixture::snapshot() }).unwrap();
        html.lines().filter(|line| line.starts_with("<tr class=")).map(str::to_string).collect()
    }

    #[test]
    fn a_group_of_one_process_is_one_row() {
        let mut group = fixture::group("web", 70.0);
        group.processes = Some(1);
        let rows = rows(vec![group, fixture::process(42, "leaky", "web", Some(70.0))]);
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows[0].contains("Findings"), "{rows:?}");
        assert!(
            rows[1].starts_with("<tr class=\"entry\"><td class=\"score\">70<small>leaking</small></td>"),
            "{rows:?}"
        );
        let name = "<bdi>web</bdi><small><bdi>leaky[42]</bdi></small>";
        assert!(rows[1].contains(name), "{rows:?}");
        let link = "<a href=\"./api/history?scope=group&amp;group=web\"><svg class=\"plot\"";
        assert!(rows[1].contains(link), "{rows:?}");
        let numbers = "<td class=\"number\" data-label=\"Growth\">1.8 KiB/h<small>anon</small></td>\
                       <td class=\"number\" data-label=\"Time to limit\">1h56m</td>";
        assert!(rows[1].contains(numbers), "{rows:?}");
    }

    #[test]
    fn a_resource_is_told_in_counts() {
        let row = &rows(vec![fixture::resource(42, "leaky", "web", Resource::Fds, 1900)])[1];
        for part in [
            "<bdi>open files of leaky[42]</bdi><small><bdi>group web</bdi></small>",
            "<td class=\"seen\">Open files rose by 50 over 7m30s (22 %/h)",
            "data-label=\"Growth\">400/h</td>",
            "data-label=\"Time to limit\">1h56m<small>RLIMIT_NOFILE</small></td>",
            "data-label=\"Count\">1,900<small>of at most 1,024</small></td>",
            ": 1,870 at first, 1,899 at last",
            "<td>50</td>",
            "<dt>Open files by kind</dt><dd>socket 1</dd>",
            "./api/history?scope=process_resource&amp;pid=42&amp;start_time=1&amp;resource=fds",
        ] {
            assert!(row.contains(part), "{part} in {row}");
        }
        assert!(!row.contains("iB"), "{row}");
    }

    #[test]
    fn a_suspect_group_of_several_lets_its_worst_members_speak() {
        let scores = [Some(61.0), Some(91.0), None, Some(20.0), Some(5.0)];
        let processes = (1..).zip(scores).map(|(pid, score)| fixture::process(pid, "web", "web", score));
        let rows = rows(std::iter::once(fixture::group("web", 91.0)).chain(processes).collect());
        assert!(rows[1].contains("2 processes are suspect") && !rows[1].contains("<svg"), "{rows:?}");
        for (row, pid) in rows[2..].iter().zip([2, 1]) {
            assert!(row.starts_with("<tr class=\"member\">"), "{rows:?}");
            assert!(
                row.contains(&format!("class=\"name\"><bdi>web[{pid}]</bdi></th>")) && row.contains("<svg"),
                "{rows:?}"
            );
        }
        assert_eq!(rows.len(), 2 + 2, "who is not suspect is none of the finding's: {rows:?}");
    }

    #[test]
    fn evidence_is_unfolded_on_the_surest_finding_alone() {
        let mut entities = Vec::new();
        for (pid, (name, score)) in (1..).zip([("one", 70.0), ("other", 90.0), ("third", 20.0)]) {
            let mut group = fixture::group(name, score);
            group.processes = Some(1);
            entities.extend([group, fixture::process(pid, name, name, Some(score))]);
        }
        let rows = rows(entities);
        let row = |name: &str| rows.iter().find(|row| row.contains(&format!("<bdi>{name}</bdi>"))).unwrap();
        assert!(row("other").contains("<tr class=\"why\"><td colspan=\"7\"><details open>"), "{rows:?}");
        assert!(row("one").contains("<details><summary>Evidence"), "{rows:?}");
        assert!(!row("third").contains("<details"), "{rows:?}");
    }

    #[test]
    fn rows_of_members_are_bounded() {
        let processes = (1..=9).map(|pid| fixture::process(pid, "web", "web", Some(91.0)));
        let rows = rows(std::iter::once(fixture::group("web", 91.0)).chain(processes).collect());
        assert!(rows[1].contains("9 processes are suspect, of which these most:"), "{rows:?}");
        assert_eq!(rows.len(), 2 + MAX_MEMBERS);
    }

    #[test]
    fn where_nothing_is_found_a_group_shows_its_worst_member_and_says_so() {
        let processes = [42, 43].map(|pid| fixture::process(pid, "web", "web", Some(20.0)));
        let rows = rows(std::iter::once(fixture::group("web", 20.0)).chain(processes).collect());
        assert!(rows[0].contains("Host and programs"), "{rows:?}");
        assert!(rows[1].contains("<bdi>2 processes, shown is web[42]</bdi>"), "{rows:?}");
        assert!(rows[1].contains("<svg") && rows.len() == 2, "{rows:?}");
    }
}
