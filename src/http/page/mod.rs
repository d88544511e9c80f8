//! The web page: the verdict, what it rests on, and where to read on. Made here, complete without any script,
//! font or picture from elsewhere. It tells its time and does not reload itself, so as to move under no reader's eyes.

mod cells;
mod entries;
mod gates;
mod html;
mod plot;
mod rows;
mod why;

use std::fmt::{self, Write};
use std::time::Instant;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use hyper::{Response, StatusCode};

use super::current::{Absence, fresh};
use super::ranking::ranked;
use super::response::{Body, Refusal, response, set};
use crate::entity::{EntityId, Scope};
use crate::human;
use crate::snapshot::{Entity, Published, Snapshot};

use html::{Escaped, Name, Utc};

const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/`
pub(super) fn page(published: &Published, telemetry_path: &str, now: Instant) -> Response<Body> {
    let mut html = String::with_capacity(64 * 1024);
    if write_page(&mut html, fresh(published, now).as_deref(), telemetry_path).is_err() {
        let message = "cannot write the page";
        return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response();
    }
    let mut response = response(StatusCode::OK, "text/html; charset=utf-8", html);
    set(&mut response, CONTENT_SECURITY_POLICY, POLICY);
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, REFERRER_POLICY, "no-referrer");
    response
}

/// `/style.css`: a file of its own, so that the policy can forbid styles within the page.
pub(super) fn style() -> Response<Body> {
    let mut response = response(StatusCode::OK, "text/css; charset=utf-8", include_str!("style.css"));
    set(&mut response, CACHE_CONTROL, "max-age=3600");
    response
}

fn write_page(html: &mut String, present: Result<&Snapshot, &Absence>, telemetry_path: &str) -> fmt::Result {
    html.push_str(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>memleak-exporter</title>\n<link rel=\"stylesheet\" href=\"./style.css\">\n</head>\n<body>\n\
         <header><h1>memleak-exporter</h1>",
    );
    if let Ok(snapshot) = present {
        write_head_count(html, snapshot)?;
    }
    html.push_str("</header>\n<main>\n");
    match present {
        Ok(snapshot) => write_snapshot(html, snapshot)?,
        Err(absence) => writeln!(html, "<p class=\"verdict unknown\">No verdict: {}.</p>", Escaped(absence))?,
    }
    html.push_str("</main>\n");
    write_links(html, telemetry_path)?;
    html.push_str("</body>\n</html>\n");
    Ok(())
}

fn write_snapshot(html: &mut String, snapshot: &Snapshot) -> fmt::Result {
    write_verdict(html, snapshot)?;
    if snapshot.time_lapse != 1 {
        writeln!(
            html,
            "<p class=\"note\">Time lapse: one second counts as {}. Growth and times are not those of the clock.</p>",
            snapshot.time_lapse
        )?;
    }
    for source in snapshot.sources.iter().filter(|source| !source.success) {
        let name = Escaped(source.name);
        writeln!(
            html,
            "<p class=\"note\">The source {name} can't be read; what it would tell is missing.</p>"
        )?;
    }
    rows::write_table(html, snapshot)
}

/// What is watched, and as of when.
fn write_head_count(html: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let count = |scope, one, several| {
        let all = snapshot.entities.iter().filter(|entity| entity.scope() == scope && entity.is_judged());
        let count = all.count();
        format!("{} {}", human::count(count as f64), if count == 1 { one } else { several })
    };
    let processes = count(Scope::Process, "process", "processes");
    write!(html, "<p>{processes} in {}", count(Scope::Group, "group", "groups"))?;
    if snapshot.sources.iter().any(|source| source.name == "cgroup") {
        write!(html, ", {}", count(Scope::Cgroup, "container or service", "containers and services"))?;
    }
    write!(html, ", {}</p>", Utc(snapshot.taken_unix_seconds))
}

/// One sentence. Of several findings it names the most certain one.
fn write_verdict(html: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let findings = ranked(snapshot.findings());
    let threshold = findings.first().map_or(snapshot.threshold, |finding| finding.assessment.threshold);
    match (findings.first(), snapshot.highest_score()) {
        (Some(finding), _) => {
            let score = finding.assessment.score.unwrap_or_default();
            html.push_str("<p class=\"verdict suspect\">");
            write_finding(html, finding)?;
            write!(html, " (score {score:.0}, threshold {threshold})")?;
            match findings.len() - 1 {
                0 => {}
                1 => html.push_str(", and there is one other finding"),
                others => write!(html, ", and there are {others} other findings")?,
            }
            html.push_str(".</p>\n");
        }
        (None, Some(score)) => writeln!(
            html,
            "<p class=\"verdict\">No memory leak: the highest score is {score:.0}, the threshold {threshold}.</p>"
        )?,
        (None, None) => {
            html.push_str("<p class=\"verdict unknown\">No verdict yet: there is not enough history.</p>\n");
        }
    }
    Ok(())
}

/// What is called a leak, and of what.
fn write_finding(html: &mut String, finding: &Entity) -> fmt::Result {
    match (finding.process_name(), &finding.id) {
        (Some(process), EntityId::ProcessResource { resource, .. }) => {
            write!(html, "{} looks like a leak of {}", Name(process), resource.plain_name())
        }
        _ => write!(html, "{} looks like a memory leak", Name(finding.display_name())),
    }
}

/// Relative, so that they hold behind a proxy that puts us below a path of its own.
fn write_links(html: &mut String, telemetry_path: &str) -> fmt::Result {
    let telemetry = telemetry_path.trim_start_matches('/');
    let links =
        [telemetry, "api/leak_indicators", "api/memory_usage", "api/openapi.json", "-/healthy", "-/ready"];
    html.push_str("<nav><ul>\n");
    for link in links {
        writeln!(html, "<li><a href=\"./{0}\">/{0}</a></li>", Escaped(link))?;
    }
    html.push_str("</ul></nav>\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::entries::MAX_ENTRIES;
    use super::*;
    use crate::detector::Assessment;
    use crate::entity::Resource;
    use crate::exposition::fixture;
    use crate::snapshot::Explanation;

    async fn html(snapshot: Snapshot, age: Duration) -> String {
        let (published, taken) = (Published::default(), snapshot.taken);
        published.publish(Arc::new(snapshot));
        let body = page(&published, "/metrics", taken + age).into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn one_leak_is_one_finding() {
        let html = html(fixture::snapshot(), Duration::ZERO).await;
        assert!(
            html.contains("<bdi>web</bdi> looks like a memory leak (score 92, threshold 60).</p>"),
            "{html}"
        );
        assert!(html.contains("Explained by group <bdi>web</bdi>."), "{html}");
        assert!(!html.contains("Time lapse"));
    }

    #[tokio::test]
    async fn what_is_watched_is_counted() {
        let mut snapshot = fixture::snapshot();
        let watched = html(snapshot.clone(), Duration::ZERO).await;
        assert!(watched.contains("<p>2 processes in 1 group, 1 container or service, <time"), "{watched}");
        snapshot.sources.retain(|source| source.name != "cgroup");
        let watched = html(snapshot, Duration::ZERO).await;
        assert!(watched.contains("<p>2 processes in 1 group, <time"), "{watched}");
    }

    #[tokio::test]
    async fn what_is_no_memory_is_not_called_a_memory_leak() {
        let leak = fixture::resource(42, "leaky", "web", Resource::Fds, 900);
        let html = html(Snapshot { entities: vec![leak], ..fixture::snapshot() }, Duration::ZERO).await;
        let verdict = "<bdi>leaky[42]</bdi> looks like a leak of open files (score 77, threshold 60).</p>";
        assert!(html.contains(verdict) && !html.contains("memory leak"), "{html}");
    }

    #[tokio::test]
    async fn nothing_suspect_is_said_so() {
        let mut snapshot = fixture::snapshot();
        snapshot.entities.retain(|entity| !entity.assessment.is_suspect());
        snapshot.entities[0].assessment =
            Arc::new(Assessment { score: Some(12.0), threshold: 60.0, ..Assessment::default() });
        let clean = html(snapshot.clone(), Duration::ZERO).await;
        assert!(clean.contains("No memory leak: the highest score is 12, the threshold 60."), "{clean}");
        snapshot.entities.clear();
        assert!(html(snapshot, Duration::ZERO).await.contains("not enough history"));
        let stale = html(fixture::snapshot(), Duration::from_secs(60)).await;
        assert!(stale.contains("No verdict: the last sample is 1m old"), "{stale}");
        assert!(!stale.contains("leaky"), "{stale}");
    }

    #[tokio::test]
    async fn time_lapse_is_said() {
        let html = html(Snapshot { time_lapse: 60, ..fixture::snapshot() }, Duration::ZERO).await;
        assert!(html.contains("one second counts as 60"), "{html}");
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        let html = html(fixture::snapshot(), Duration::ZERO).await;
        assert!(html.contains("The source process can't be read"), "{html}");
        assert!(
            html.contains("<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13:20 UTC</time>"),
            "{html}"
        );
    }

    #[tokio::test]
    async fn hostile_names_stay_text() {
        let longest = "\u{202e}".repeat(85);
        for name in
            [fixture::HOSTILE, "\"><img src=x onerror=alert(1)>", "'</title></svg>\0\u{1b}[2J", &longest]
        {
            let mut process = fixture::process(66, name, name, Some(99.0));
            process.explained_by =
                Some(Box::new(Explanation { scope: Scope::Group, entity: name.to_string(), share: 1.0 }));
            let mut group = fixture::group(name, 99.0);
            group.worst_member = Some(Box::new(process.id.clone()));
            let entities = vec![group, process, fixture::process(67, name, name, None)];
            let html = html(Snapshot { entities, ..fixture::snapshot() }, Duration::ZERO).await;
            for tag in html.split('<').skip(1) {
                let tag = tag.split([' ', '>']).next().unwrap().trim_start_matches('/');
                assert!(ELEMENTS.contains(&tag), "{tag:?} in {html}");
            }
            let is_out_of_place = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!html.contains(is_out_of_place), "{html}");
        }
    }

    /// Nothing else is ever on the page: neither what runs, nor what is fetched, nor styles that stand within.
    const ELEMENTS: [&str; 33] = [
        "!DOCTYPE", "html", "head", "meta", "title", "link", "body", "header", "h1", "p", "time", "main",
        "div", "table", "thead", "tbody", "tr", "th", "td", "small", "bdi", "a", "svg", "path", "span",
        "nav", "ul", "li", "details", "summary", "dl", "dt", "dd",
    ];

    #[tokio::test]
    async fn nothing_is_fetched_from_elsewhere() {
        let html = html(fixture::snapshot(), Duration::ZERO).await;
        for attribute in ["src=", "style=", "http:", "https:", "url(", "xlink", "xmlns"] {
            assert!(!html.contains(attribute), "{attribute} in {html}");
        }
        for target in html.split("href=\"").skip(1) {
            assert!(target.starts_with("./"), "{target}");
        }
        let style = include_str!("style.css");
        assert!(!style.contains("url(") && !style.contains("@import"));
    }

    #[tokio::test]
    async fn entries_are_bounded() {
        let entities = (0..200).map(|number| fixture::group(&format!("group-{number}"), 20.0)).collect();
        let html = html(Snapshot { entities, ..fixture::snapshot() }, Duration::ZERO).await;
        assert_eq!(html.matches("<tr class=\"entry\">").count(), MAX_ENTRIES);
        assert!(html.contains("The 50 with the highest scores of 200"), "{html}");
    }
}
