//! What each route answers.

use super::harness::{Server, web};
use crate::config::WebConfig;
use crate::exposition::fixture;
use crate::http::Limits;
use crate::rules::LiveRules;
use crate::snapshot::Snapshot;

const ROUTES: [(&str, &str); 9] = [
    ("/", "text/html; charset=utf-8"),
    ("/style.css", "text/css; charset=utf-8"),
    ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ("/api/memory_usage", "application/json"),
    ("/api/leak_indicators", "application/json"),
    ("/api/history?scope=host", "application/json"),
    ("/api/openapi.json", "application/json"),
    ("/-/healthy", "text/plain; charset=utf-8"),
    ("/-/ready", "text/plain; charset=utf-8"),
];

#[tokio::test]
async fn every_route_answers_get_and_head() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for (path, content_type) in ROUTES {
        let get = server.get(path).await;
        assert_eq!(get.status, 200, "{path}");
        assert_eq!(get.header("content-type"), Some(content_type), "{path}");
        assert_eq!(get.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
        let head = server.request("HEAD", path).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_ne!(head.header("content-length"), Some("0"), "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for (path, _) in ROUTES {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"] {
            let reply = server.request(method, path).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), Some("get, head"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for path in ["/metrics/", "/api", "/api/", "//", "/favicon.ico", "/../etc/passwd", "/%2e%2e", "/-/"] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["error"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn the_telemetry_path_is_where_it_was_asked_for() {
    let web = WebConfig { telemetry_path: "/some/where".to_string(), ..web() };
    let server = Server::start_with(Some(fixture::snapshot()), &web, Limits::default()).await;
    assert_eq!(server.get("/metrics").await.status, 404);
    assert_eq!(server.get("/some/where?collect[]=host").await.status, 200);
    assert!(server.get("/").await.body.contains("href=\"./some/where\""));
}

#[tokio::test]
async fn everything_is_below_the_route_prefix() {
    let web = WebConfig { route_prefix: "/a/b".to_string(), ..web() };
    let server = Server::start_with(Some(fixture::snapshot()), &web, Limits::default()).await;
    for (path, content_type) in ROUTES {
        let below = server.get(&format!("/a/b{path}")).await;
        assert_eq!((below.status, below.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(server.get(path).await.status, if path == "/" { 302 } else { 404 }, "{path}");
    }
    for path in ["/", "/a/b"] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.header("location")), (302, Some("/a/b/")), "{path}");
    }
    for path in ["/a", "/a/", "/a/bmetrics", "/a/b//", "/a/b/a/b/"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.request("POST", "/").await.status, 405);
}

#[tokio::test]
async fn links_hold_below_the_route_prefix() {
    let web = WebConfig { route_prefix: "/a/b".to_string(), ..web() };
    let server = Server::start_with(Some(fixture::snapshot()), &web, Limits::default()).await;
    let page = server.get("/a/b/").await.body;
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 5, "{links:?}");
    for link in links {
        let path = link.strip_prefix('.').unwrap_or_else(|| panic!("{link} is not relative to the page"));
        let path = path.replace("&amp;", "&");
        assert_eq!(server.get(&format!("/a/b{path}")).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn bad_queries_say_what_is_allowed() {
    let server = Server::start(Some(fixture::snapshot())).await;
    let reply = server.get("/api/leak_indicators?status=broken").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json(), serde_json::json!({"error": "status \"broken\" is neither clean nor suspect"}));
    assert_eq!(server.get("/api/leak_indicators?scope=process&limit=1").await.status, 200);

    let reply = server.get("/api/history").await;
    assert_eq!(reply.status, 400);
    assert!(
        reply.json()["error"].as_str().unwrap().starts_with("scope is missing; give scope="),
        "{reply:?}"
    );
    assert_eq!(server.get("/api/history?scope=group&group=nobody").await.status, 404);
}

#[tokio::test]
async fn before_the_first_sample_nothing_is_made_up() {
    let server = Server::start(None).await;
    for (path, status) in [
        ("/", 200),
        ("/metrics", 200),
        ("/api/memory_usage", 503),
        ("/api/leak_indicators", 503),
        ("/api/history?scope=host", 503),
        ("/-/healthy", 200),
        ("/-/ready", 503),
    ] {
        assert_eq!(server.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn an_old_sample_is_not_served_as_a_new_one() {
    let interval = std::time::Duration::ZERO;
    let server = Server::start(Some(Snapshot { interval, ..fixture::snapshot() })).await;
    let healthy = server.get("/-/healthy").await;
    assert_eq!(healthy.status, 503);
    assert!(healthy.body.starts_with("memleak-exporter is not healthy: the last sample is "), "{healthy:?}");
    assert_eq!(server.get("/api/memory_usage").await.status, 503);
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains("memleak_last_sample_timestamp_seconds 1700000000.5\n"), "{metrics}");
    assert!(!metrics.contains("\nmemleak_process_"), "{metrics}");
}

#[tokio::test]
async fn the_exporter_describes_itself_unless_told_not_to() {
    let server = Server::start(Some(fixture::snapshot())).await;
    server.get("/nowhere").await;
    let text = server.get("/metrics").await.body;
    assert!(text.contains("memleak_http_requests_total{code=\"404\",handler=\"other\"} 1\n"), "{text}");
    assert!(text.contains("memleak_http_requests_in_flight 1\n"), "{text}");
    assert!(text.contains("\nprocess_start_time_seconds "), "{text}");

    let web = WebConfig { disable_exporter_metrics: true, ..web() };
    let server = Server::start_with(Some(fixture::snapshot()), &web, Limits::default()).await;
    let text = server.get("/metrics").await.body;
    assert!(!text.contains("memleak_http_") && !text.contains("\nprocess_"), "{text}");
    assert!(text.contains("\nmemleak_process_leak_score{"), "{text}");
}

#[tokio::test]
async fn hostile_names_are_text_everywhere() {
    let mut snapshot = fixture::snapshot();
    snapshot.entities.push(fixture::group(fixture::HOSTILE, 99.0));
    snapshot.entities.push(fixture::process(66, fixture::HOSTILE, fixture::HOSTILE, Some(99.0)));
    let server = Server::start(Some(snapshot)).await;

    let page = server.get("/").await;
    assert!(!page.body.contains("<script") && page.body.contains("&lt;script&gt;"), "{page:?}");
    assert!(
        page.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src 'self'")
    );

    let indicators = server.get("/api/leak_indicators").await.json();
    assert_eq!(indicators["indicators"][0]["labels"]["group"], fixture::HOSTILE);

    let name: String = form_urlencoded::byte_serialize(fixture::HOSTILE.as_bytes()).collect();
    assert_eq!(
        server.get(&format!("/api/history?scope=group&group={name}")).await.json()["entity"],
        fixture::HOSTILE
    );
    let history = server.get("/api/history?scope=process&pid=66").await.json();
    assert_eq!(history["life"]["labels"]["group"], fixture::HOSTILE);

    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains("name=\"<script>\\\"a\\\\b\\n</script>\""), "{metrics}");
}

#[tokio::test]
async fn a_reload_has_to_be_posted_and_allowed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let web = WebConfig { enable_lifecycle: true, ..web() };
    let rules = LiveRules::new(Some(file.path())).unwrap();
    let server = Server::start_configured(None, &web, Limits::default(), rules).await;
    assert_eq!(server.request("POST", "/-/reload").await.status, 200);
    for method in ["GET", "HEAD", "PUT"] {
        let reply = server.request(method, "/-/reload").await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("post")), "{method}");
    }
    std::fs::write(file.path(), "exclude: 3").unwrap();
    let reply = server.request("POST", "/-/reload").await;
    let sentence = format!("{}:1: this must be a list", file.path().display());
    assert_eq!((reply.status, reply.json()), (400, serde_json::json!({ "error": sentence })));
    std::fs::remove_file(file.path()).unwrap();
    assert_eq!(server.request("POST", "/-/reload").await.status, 500);

    let server = Server::start(None).await;
    let reply = server.request("POST", "/-/reload").await;
    let sentence = "reloading by request is off; start with --web.enable-lifecycle, or send SIGHUP";
    assert_eq!((reply.status, reply.json()), (403, serde_json::json!({ "error": sentence })));
}
