//! The forms in which the metrics are served.

use std::io::Read;

use flate2::read::GzDecoder;

use super::harness::{Reply, Server, web};
use crate::config::WebConfig;
use crate::exposition::fixture;
use crate::http::Limits;
use crate::snapshot::Snapshot;

const TEXT: &str = "Accept: text/plain;version=0.0.4\r\n";
const OPEN_METRICS: &str = "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n";
const GZIP: &str = "Accept-Encoding: gzip\r\n";

fn hostile() -> Snapshot {
    let mut snapshot = fixture::snapshot();
    snapshot.entities.push(fixture::process(66, fixture::HOSTILE, fixture::HOSTILE, Some(99.0)));
    snapshot
}

async fn metrics(server: &Server, headers: &str) -> Reply {
    server.request_with("GET", "/metrics", headers).await
}

fn unpacked(reply: &Reply) -> String {
    let mut text = String::new();
    GzDecoder::new(&reply.bytes[..]).read_to_string(&mut text).unwrap();
    text
}

/// What does not change from one scrape to the next.
fn watched(text: &str) -> Vec<&str> {
    let about_itself = |line: &&str| line.starts_with("process_") || line.contains("memleak_http_");
    text.lines().filter(|line| !line.starts_with('#') && !about_itself(line)).collect()
}

#[tokio::test]
async fn openmetrics_ends_where_it_says() {
    let server = Server::start(Some(hostile())).await;
    let reply = metrics(&server, OPEN_METRICS).await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(reply.body.ends_with("\n# EOF\n") && reply.body.matches("# EOF").count() == 1, "{reply:?}");
    assert!(reply.body.contains("\n# TYPE memleak_http_connections_refused counter\n"), "{reply:?}");
    assert!(reply.body.contains("\nmemleak_http_requests_in_flight 1\n"), "{reply:?}");
    assert!(reply.body.contains("\n# UNIT process_cpu_seconds seconds\n"), "{reply:?}");
    assert!(!metrics(&server, TEXT).await.body.contains("# EOF"));
}

#[tokio::test]
async fn both_formats_have_the_same_values() {
    let server = Server::start(Some(hostile())).await;
    let (text, open) = (metrics(&server, TEXT).await, metrics(&server, OPEN_METRICS).await);
    assert_eq!(watched(&text.body), watched(&open.body));
    assert!(watched(&text.body).len() > 50);
}

#[tokio::test]
async fn gzip_is_the_same_text_in_every_format_and_state() {
    let silent = WebConfig { disable_exporter_metrics: true, ..web() };
    for snapshot in [None, Some(hostile())] {
        let server = Server::start_with(snapshot, &silent, Limits::default()).await;
        for accept in [TEXT, OPEN_METRICS] {
            let (plain, packed) =
                (metrics(&server, accept).await, metrics(&server, &format!("{accept}{GZIP}")).await);
            assert_eq!(
                (plain.header("content-encoding"), packed.header("content-encoding")),
                (None, Some("gzip"))
            );
            assert_eq!(plain.header("content-type"), packed.header("content-type"));
            assert_eq!(unpacked(&packed), plain.body);
        }
    }
}

#[tokio::test]
async fn gzip_has_what_the_exporter_says_about_itself() {
    let server = Server::start(Some(hostile())).await;
    for accept in [TEXT, OPEN_METRICS] {
        let packed = metrics(&server, &format!("{accept}{GZIP}")).await;
        let plain = metrics(&server, accept).await.body;
        assert_eq!(watched(&unpacked(&packed)), watched(&plain));
        assert!(unpacked(&packed).contains("\nmemleak_http_requests_in_flight 1\n"));
    }
}

#[tokio::test]
async fn some_sources_are_served_in_every_form() {
    let silent = WebConfig { disable_exporter_metrics: true, ..web() };
    let server = Server::start_with(Some(hostile()), &silent, Limits::default()).await;
    for accept in [TEXT, OPEN_METRICS] {
        let (all, host) = (metrics(&server, accept).await.body, "/metrics?collect[]=host");
        let plain = server.request_with("GET", host, accept).await.body;
        let packed = server.request_with("GET", host, &format!("{accept}{GZIP}")).await;
        assert_eq!(unpacked(&packed), plain);
        assert!(
            plain.contains("\nmemleak_host_suspect 1\n") && !plain.contains("\nmemleak_process_"),
            "{plain}"
        );
        assert_eq!(
            server
                .request_with("GET", "/metrics?collect%5B%5D=host&collect[]=process&collect[]=cgroup", accept)
                .await
                .body,
            all
        );
    }
}

#[tokio::test]
async fn an_unknown_source_is_told_which_are_known() {
    let server = Server::start(Some(hostile())).await;
    for (query, error) in [
        ("collect[]=cpu", "collect[] \"cpu\" is none of cgroup, host, process"),
        ("collect=host", "unknown parameter \"collect\"; known is collect[]"),
    ] {
        let reply = server.get(&format!("/metrics?{query}")).await;
        assert_eq!((reply.status, reply.json()), (400, serde_json::json!({ "error": error })));
    }
}

#[tokio::test]
async fn caches_are_told_what_the_answer_depends_on() {
    let server = Server::start(Some(hostile())).await;
    for headers in ["", TEXT, OPEN_METRICS, GZIP] {
        assert_eq!(metrics(&server, headers).await.header("vary"), Some("accept, accept-encoding"));
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let silent = WebConfig { disable_exporter_metrics: true, ..web() };
    let server = Server::start_with(Some(hostile()), &silent, Limits::default()).await;
    for headers in [TEXT.to_string(), OPEN_METRICS.to_string(), format!("{OPEN_METRICS}{GZIP}")] {
        let get = server.request_with("GET", "/metrics", &headers).await;
        let head = server.request_with("HEAD", "/metrics", &headers).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        for name in ["content-type", "content-length", "content-encoding", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        assert_eq!(get.header("content-length"), Some(get.bytes.len().to_string().as_str()));
    }
}
