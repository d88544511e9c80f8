//! The JSON answers: the present in the shape of the views, or an error.

use std::sync::Arc;
use std::time::Instant;

use hyper::{Response, StatusCode};

use super::current::fresh;
use super::history::History;
use super::query::{HistoryQuery, IndicatorQuery};
use super::response::{Body, Refusal, json};
use super::views::{LeakIndicators, MemoryUsage};
use crate::snapshot::{Published, Snapshot};

/// `/api/memory_usage`.
pub(super) fn memory_usage(published: &Published, now: Instant) -> Result<Response<Body>, Refusal> {
    let snapshot = present(published, now)?;
    let host = snapshot.host.as_ref().ok_or_else(|| {
        unavailable("the host's memory is not known: it is left out by --no-source.host, or memleak_source_success{source=\"host\"} is 0")
    })?;
    Ok(json(StatusCode::OK, &MemoryUsage::new(&snapshot, host)))
}

/// `/api/leak_indicators`.
pub(super) fn leak_indicators(
    published: &Published,
    query: &str,
    now: Instant,
) -> Result<Response<Body>, Refusal> {
    let query = IndicatorQuery::parse(query)?;
    let snapshot = present(published, now)?;
    Ok(json(StatusCode::OK, &LeakIndicators::new(&snapshot, &query)))
}

/// `/api/history`.
pub(super) fn history(published: &Published, query: &str, now: Instant) -> Result<Response<Body>, Refusal> {
    let query = HistoryQuery::parse(query)?;
    let snapshot = present(published, now)?;
    Ok(json(StatusCode::OK, &History::of(&snapshot, &query)?))
}

fn present(published: &Published, now: Instant) -> Result<Arc<Snapshot>, Refusal> {
    fresh(published, now).map_err(|absence| unavailable(absence.to_string()))
}

fn unavailable(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::*;
    use crate::entity::Resource;
    use crate::exposition::fixture;

    fn published(snapshot: Snapshot) -> (Published, Instant) {
        let (published, taken) = (Published::default(), snapshot.taken);
        published.publish(Arc::new(snapshot));
        (published, taken)
    }

    async fn body(result: Result<Response<Body>, Refusal>) -> (u16, Value) {
        let response = result.unwrap_or_else(Refusal::into_response);
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn indicators(query: &str) -> Value {
        let (published, now) = published(fixture::snapshot());
        let (status, body) = body(leak_indicators(&published, query, now)).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    fn names(body: &Value) -> Vec<&str> {
        let indicators = body["indicators"].as_array().unwrap();
        indicators.iter().map(|indicator| indicator["entity"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn memory_usage_of_the_host() {
        let (published, now) = published(fixture::snapshot());
        let (status, body) = body(memory_usage(&published, now)).await;
        assert_eq!(status, 200);
        let expected = json!({
            "total": 8000, "used": 2000, "free": 1000, "available": 6000, "percent": 25.0, "swap_total": 100,
            "swap_used": 10, "slab_unreclaimable": 5, "sockets": 4, "unaccounted": null, "time": 1_700_000_000.5,
            "time_lapse": 1
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn no_present_figure_is_an_error_and_no_number() {
        let none = Published::default();
        let (status, answer) = body(memory_usage(&none, Instant::now())).await;
        assert_eq!((status, answer), (503, json!({"error": "no sample has been taken yet"})));

        let (off, now) = published(Snapshot { host: None, ..fixture::snapshot() });
        assert_eq!(body(memory_usage(&off, now)).await.0, 503);

        let (old, taken) = published(fixture::snapshot());
        let later = taken + Duration::from_secs(90);
        let (status, answer) = body(leak_indicators(&old, "", later)).await;
        let expected = json!({"error": "the last sample is 1m30s old; sampling has stalled"});
        assert_eq!((status, answer), (503, expected));
    }

    #[tokio::test]
    async fn indicators_are_sorted_by_falling_score() {
        let body = indicators("").await;
        let expected = [
            "web",
            "leaky[42]",
            "host",
            "/system.slice/web.service",
            "/system.slice",
            "small[7]",
            "host_unaccounted",
        ];
        assert_eq!(names(&body), expected);
        assert_eq!(body["leak_score"], 91.5);
        assert_eq!(body["status"], "suspect");
        assert_eq!(body["threshold"], 60.0);
        assert_eq!(body["matched"], 7);
    }

    #[tokio::test]
    async fn filters_choose_indicators_and_leave_the_verdict() {
        let body = indicators("scope=process&status=clean").await;
        assert_eq!(names(&body), ["small[7]"]);
        assert_eq!((&body["leak_score"], &body["status"]), (&json!(91.5), &json!("suspect")));

        let body = indicators("status=suspect&limit=1").await;
        assert_eq!(names(&body), ["web"]);
        assert_eq!(body["matched"], 4);
    }

    #[tokio::test]
    async fn an_indicator_has_all_its_fields() {
        let body = indicators("scope=process&limit=1").await;
        let expected = json!({
            "scope": "process", "entity": "leaky[42]",
            "labels": {"pid": "42", "name": "leaky", "group": "web"},
            "leak_score": 91.5, "threshold": 60.0, "status": "suspect", "reason": "leaking", "standing": "present",
            "sentence": fixture::process(42, "leaky", "web", Some(91.5)).assessment.sentence().to_string(),
            "resource": null, "count": null, "count_limit": null, "fds_by_kind": null,
            "growth_bytes_per_second": 0.5, "growth_per_second": null, "time_to_limit_seconds": 6992.0,
            "time_to_limit_range_seconds": [6000.0, 8000.0], "window_seconds": 450.0,
            "growth_by_kind": {"anon": 225, "swap": -5}, "memory": {"anon": 600, "swap": 0},
            "limit": {"kind": "data", "bytes": 4096, "room": 3496}, "explained_by": null,
            "evidence": {
                "channel": "trend", "grown_bytes": 220.0, "floor_bytes": 600.0, "grown": null, "floor": null,
                "growing_for_seconds": 450.0,
                "onset_time": 225.0, "since_onset_seconds": 225.0,
                "gates": [
                    {"name": "novelty", "value": null, "pass": 1.0},
                    {"name": "slowing", "value": 0.52, "pass": 0.2},
                ]
            },
            "cgroup": null
        });
        assert_eq!(body["indicators"][0], expected);
        let explained = indicators("scope=host").await;
        let expected = json!({"scope": "group", "entity": "web", "share": 1.0});
        assert_eq!(explained["indicators"][0]["explained_by"], expected);
    }

    #[tokio::test]
    async fn a_cgroup_tells_who_is_in_it_and_what_stops_it() {
        let body = indicators("scope=cgroup").await;
        let service = &body["indicators"][0];
        let expected = json!({
            "tenant": {
                "container_id": null, "pod_uid": null, "qos": null, "namespace": null, "pod": null,
                "container": null, "unit": "web.service",
            },
            "usage": 700, "peak": 800, "oom_events": 2, "oom_kills": 1,
            "limits": [
                {"cgroup": "/system.slice", "kind": "cgroup_high", "bytes": 1900, "room": 1100},
                {"cgroup": "/system.slice", "kind": "cgroup_max", "bytes": 2000, "room": 1200},
            ],
            "growing_processes": [
                {"pid": 42, "name": "leaky", "group": "web", "leak_score": 91.5, "growth_bytes_per_second": 0.5},
            ],
        });
        assert_eq!(service["cgroup"], expected);
        assert_eq!(service["explained_by"], json!({"scope": "group", "entity": "web", "share": 0.9}));
        let sum = &body["indicators"][1];
        assert_eq!((&sum["status"], &sum["leak_score"]), (&json!("clean"), &Value::Null));
        assert_eq!(sum["sentence"], "not judged itself, but in each of the cgroups below it");
    }

    #[tokio::test]
    async fn a_resource_is_told_in_its_own_units_and_has_no_part_in_the_verdict_on_memory() {
        let leak = fixture::resource(42, "leaky", "web", Resource::Fds, 900);
        let sentence = leak.sentence().to_string();
        let (published, now) = published(Snapshot { entities: vec![leak], ..fixture::snapshot() });
        let (_, body) = body(leak_indicators(&published, "scope=process_resource", now)).await;
        let verdict = [&body["leak_score"], &body["status"], &body["resource_status"]];
        assert_eq!(verdict, [&Value::Null, &json!("clean"), &json!("suspect")]);
        let indicator = &body["indicators"][0];
        let expected = json!({
            "entity": "open files of leaky[42]", "sentence": sentence, "resource": "fds", "count": 900,
            "count_limit": 1024, "growth_bytes_per_second": null, "growth_per_second": 1.0 / 9.0, "memory": {},
            "limit": null, "growth_by_kind": {}, "labels": {"pid": "42", "name": "leaky", "group": "web", "resource": "fds"},
            "fds_by_kind": {"socket": 1, "pipe": 0, "eventfd": 0, "memfd": 0, "file": 0, "other": 0},
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&indicator[field], value, "{field}");
        }
        let evidence = &indicator["evidence"];
        let bytes = [&evidence["grown_bytes"], &evidence["floor_bytes"]];
        assert_eq!(bytes, [&Value::Null, &Value::Null]);
        let counts = [&evidence["grown"], &evidence["floor"], &evidence["gates"][0]["value"]];
        assert_eq!(counts, [&json!(50.0), &json!(900.0), &json!(50.0)]);
    }

    #[tokio::test]
    async fn no_score_at_all_is_null_and_clean() {
        let (published, now) = published(Snapshot { entities: Vec::new(), ..fixture::snapshot() });
        let (_, body) = body(leak_indicators(&published, "", now)).await;
        assert_eq!((&body["leak_score"], &body["status"]), (&Value::Null, &json!("clean")));
    }
}
