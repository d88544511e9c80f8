//! The web page: the verdict, what it rests on, and where to read on. Made here, complete without any script,
//! font or picture from elsewhere.

use std::fmt::{self, Write};
use std::time::Instant;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use hyper::{Response, StatusCode};

use super::current::{Absence, fresh};
use super::html::Escaped;
use super::ranking::ranked;
use super::response::{Body, Refusal, response, set};
use crate::detector::Status;
use crate::human;
use crate::snapshot::{Entity, Published, Snapshot};

/// Entities on the page; the API has all.
const MAX_ROWS: usize = 50;

const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/`
pub(super) fn page(published: &Published, telemetry_path: &str, now: Instant) -> Response<Body> {
    let mut html = String::with_capacity(16 * 1024);
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
         <h1>memleak-exporter</h1>\n",
    );
    match present {
        Ok(snapshot) => write_snapshot(html, snapshot)?,
        Err(absence) => writeln!(html, "<p class=\"verdict unknown\">No verdict: {}.</p>", Escaped(absence))?,
    }
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
    write_table(html, snapshot)
}

/// One sentence. Of several findings it names the most certain one.
fn write_verdict(html: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let findings = ranked(snapshot.findings());
    let threshold = findings.first().map_or(snapshot.threshold, |finding| finding.assessment.threshold);
    match (findings.first(), snapshot.highest_score()) {
        (Some(finding), _) => {
            let name = finding.display_name();
            let score = finding.assessment.score.unwrap_or_default();
            write!(html, "<p class=\"verdict suspect\">{} looks like a memory leak", Escaped(name))?;
            write!(html, " (score {score:.0}, threshold {threshold})")?;
            match findings.len() - 1 {
                0 => {}
                1 => html.push_str(", and so does one other"),
                others => write!(html, ", and so do {others} others")?,
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

fn write_table(html: &mut String, snapshot: &Snapshot) -> fmt::Result {
    html.push_str(
        "<div class=\"scroll\"><table>\n<thead><tr><th>Scope</th><th>Name</th><th class=\"number\">Score</th>\
         <th>Status</th><th>What was seen</th><th class=\"number\">Memory</th><th class=\"number\">Growth</th>\
         <th class=\"number\">Time to limit</th></tr></thead>\n<tbody>\n",
    );
    for entity in ranked(snapshot.entities.iter()).into_iter().take(MAX_ROWS) {
        write_row(html, entity, entity.assessment.status())?;
    }
    html.push_str("</tbody>\n</table></div>\n");
    let watched = snapshot.entities.len();
    if watched > MAX_ROWS {
        writeln!(html, "<p>The {MAX_ROWS} with the highest scores of {watched} that are watched.</p>")?;
    }
    Ok(())
}

fn write_row(html: &mut String, entity: &Entity, status: Status) -> fmt::Result {
    let assessment = &entity.assessment;
    let status = status.as_str();
    write!(html, "<tr class=\"{status}\"><td>{}</td>", entity.scope())?;
    write!(html, "<td class=\"name\">{}</td>", Escaped(entity.display_name()))?;
    write_number(html, assessment.score.map(|score| format!("{score:.0}")))?;
    write!(html, "<td class=\"status\">{status}</td><td>{}", Escaped(assessment.sentence()))?;
    if let Some(narrower) = &entity.explained_by {
        write!(html, " Explained by {} {}.", narrower.scope, Escaped(&narrower.entity))?;
    }
    html.push_str("</td>");
    write_number(html, Some(human::bytes(entity.memory.total() as f64)))?;
    write_number(html, assessment.growth_bytes_per_second.map(growth_per_hour))?;
    write_number(html, assessment.time_to_limit_seconds.map(human::duration))?;
    html.push_str("</tr>\n");
    Ok(())
}

/// By the hour: leaks that are worth finding are slow.
fn growth_per_hour(bytes_per_second: f64) -> String {
    format!("{}/h", human::bytes(bytes_per_second * 3600.0))
}

fn write_number(html: &mut String, number: Option<String>) -> fmt::Result {
    write!(html, "<td class=\"number\">{}</td>", Escaped(number.as_deref().unwrap_or("–")))
}

/// Relative, so that they hold behind a proxy that puts us below a path of its own.
fn write_links(html: &mut String, telemetry_path: &str) -> fmt::Result {
    let telemetry = telemetry_path.trim_start_matches('/');
    let links = [telemetry, "api/leak_indicators", "api/memory_usage", "-/healthy", "-/ready"];
    html.push_str("<ul>\n");
    for link in links {
        writeln!(html, "<li><a href=\"./{0}\">/{0}</a></li>", Escaped(link))?;
    }
    html.push_str("</ul>\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;
    use crate::detector::Assessment;
    use crate::exposition::fixture;

    async fn html(snapshot: Snapshot, age: Duration) -> String {
        let (published, taken) = (Published::default(), snapshot.taken);
        published.publish(Arc::new(snapshot));
        let body = page(&published, "/metrics", taken + age).into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn one_leak_is_one_finding() {
        let html = html(fixture::snapshot(), Duration::ZERO).await;
        assert!(html.contains("web looks like a memory leak (score 92, threshold 60).</p>"), "{html}");
        assert!(html.contains("Explained by group web."), "{html}");
        assert!(
            html.contains("<td class=\"number\">1.8 KiB/h</td><td class=\"number\">1h56m</td>"),
            "{html}"
        );
        assert!(!html.contains("Time lapse"));
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
    async fn hostile_names_stay_text() {
        let mut snapshot = fixture::snapshot();
        snapshot.entities.push(fixture::process(66, fixture::HOSTILE, "", Some(99.0)));
        snapshot.entities.push(fixture::group(fixture::HOSTILE, 99.0));
        let html = html(snapshot, Duration::ZERO).await;
        assert!(!html.contains("<script"), "{html}");
        for place in ["&lt;script&gt;&quot;a\\b\n&lt;/script&gt;[66]</td>", "&lt;/script&gt; looks like"] {
            assert!(html.contains(place), "{html}");
        }
    }

    #[tokio::test]
    async fn rows_are_bounded() {
        let entities = (0..200).map(|pid| fixture::process(pid, "p", "", None)).collect();
        let html = html(Snapshot { entities, ..fixture::snapshot() }, Duration::ZERO).await;
        assert_eq!(html.matches("<tr class=").count(), MAX_ROWS);
        assert!(html.contains("The 50 with the highest scores of 200"), "{html}");
    }
}
