//! Every answer is as `/api/openapi.json` says.

use std::sync::Arc;

use serde_json::{Value, json};

use super::harness::{Reply, Server, web};
use crate::config::WebConfig;
use crate::detector::Assessment;
use crate::entity::{EntityId, Identity, Resource};
use crate::exposition::fixture;
use crate::http::Limits;
use crate::snapshot::Snapshot;

/// The description, read more strictly than it is written: what it does not mention is not there.
async fn description(server: &Server) -> Value {
    let mut document = server.get("/api/openapi.json").await.json();
    close(&mut document);
    document
}

fn close(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.contains_key("properties") && map.get("type") == Some(&json!("object")) {
                map.insert("additionalProperties".to_string(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

fn check(document: &Value, target: &str, reply: &Reply) {
    let (path, status) = (target.split('?').next().unwrap(), reply.status.to_string());
    let mut schema =
        document["paths"][path]["get"]["responses"][&status]["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{target} answers {status}, which is not described");
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let body = reply.json();
    let errors: Vec<String> =
        validator.iter_errors(&body).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{target}: {errors:?} in {body:#}");
}

async fn check_all(server: &Server, targets: &[(&str, u16)]) {
    let document = description(server).await;
    for &(target, status) in targets {
        let reply = server.get(target).await;
        assert_eq!(reply.status, status, "{target}");
        check(&document, target, &reply);
    }
}

/// Every field null or absent that may be.
fn bare() -> Snapshot {
    let nameless = fixture::entity(EntityId::Process { pid: 1, start_time: 0 }, Identity::default());
    let no_evidence = Assessment { score: Some(50.0), ..Assessment::default() };
    let scored = crate::snapshot::Entity {
        assessment: Arc::new(no_evidence),
        ..fixture::entity(EntityId::Host, Identity::default())
    };
    let group = fixture::entity(EntityId::group(fixture::HOSTILE.into()), Identity::default());
    let host = crate::sample::HostMemory::default();
    Snapshot { entities: vec![nameless, scored, group], host: Some(host), ..fixture::snapshot() }
}

#[tokio::test]
async fn answers_are_as_described() {
    let targets = [
        ("/api/memory_usage", 200),
        ("/api/leak_indicators", 200),
        ("/api/leak_indicators?scope=process&status=suspect&limit=1", 200),
        ("/api/history?scope=group&group=web", 200),
        ("/api/history?scope=process&pid=42&start_time=1", 200),
        ("/api/history?scope=host", 200),
        ("/api/openapi.json", 200),
    ];
    check_all(&Server::start(Some(fixture::snapshot())).await, &targets).await;
}

#[tokio::test]
async fn answers_about_resources_are_as_described() {
    let mut snapshot = fixture::snapshot();
    snapshot.entities.push(fixture::resource(42, "leaky", "web", Resource::Fds, 900));
    let targets = [
        ("/api/leak_indicators?scope=process_resource", 200),
        ("/api/history?scope=process_resource&pid=42&resource=fds", 200),
    ];
    check_all(&Server::start(Some(snapshot)).await, &targets).await;
}

#[tokio::test]
async fn answers_without_anything_to_tell_are_as_described() {
    let targets = [
        ("/api/memory_usage", 200),
        ("/api/leak_indicators", 200),
        ("/api/leak_indicators?status=suspect", 200),
        ("/api/history?scope=process&pid=1", 200),
        ("/api/history?scope=group&group=%3Cscript%3E%22a%5Cb%0A%3C%2Fscript%3E", 200),
    ];
    check_all(&Server::start(Some(bare())).await, &targets).await;
    let nothing = Snapshot { entities: Vec::new(), host: None, ..fixture::snapshot() };
    let targets =
        [("/api/memory_usage", 503), ("/api/leak_indicators", 200), ("/api/history?scope=host", 404)];
    check_all(&Server::start(Some(nothing)).await, &targets).await;
}

#[tokio::test]
async fn refusals_are_as_described() {
    let targets = [
        ("/api/leak_indicators?scope=moon", 400),
        ("/api/history", 400),
        ("/api/history?scope=group&group=nobody", 404),
    ];
    let server = Server::start(Some(fixture::snapshot())).await;
    check_all(&server, &targets).await;
    let document = description(&server).await;
    for path in document["paths"].as_object().unwrap().keys() {
        let reply = server.request("POST", path).await;
        assert_eq!(reply.status, 405, "{path}");
        check(&document, path, &reply);
        let reply = server.get(&format!("{path}?{}", "x".repeat(9000))).await;
        assert_eq!(reply.status, 414, "{path}");
        check(&document, path, &reply);
        let mut client = server.connect().await;
        client.send(&format!("GET {path} HTTP/1.1\r\n\r\n")).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, 400, "{path}");
        check(&document, path, &reply);
        let mut client = server.connect().await;
        client.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, 413, "{path}");
        check(&document, path, &reply);
    }
    let unavailable =
        [("/api/memory_usage", 503), ("/api/leak_indicators", 503), ("/api/history?scope=host", 503)];
    check_all(&Server::start(None).await, &unavailable).await;
    let busy = Server::start_with(None, &WebConfig { max_requests: 0, ..web() }, Limits::default()).await;
    let reply = busy.get("/api/openapi.json").await;
    assert_eq!(reply.status, 503);
    check(&document, "/api/openapi.json", &reply);
}

/// Parameters are described by hand; what is described is understood, and named where another is refused.
#[tokio::test]
async fn parameters_are_those_that_are_understood() {
    let server = Server::start(Some(fixture::snapshot())).await;
    let document = description(&server).await;
    for path in ["/api/leak_indicators", "/api/history"] {
        let refusal = server.get(&format!("{path}?nonsense=1")).await.json()["error"].to_string();
        let known = refusal.split_once("known are ").unwrap().1;
        let mut names: Vec<&str> =
            known.split([',', ' ', '"', '\\']).filter(|word| !matches!(*word, "" | "and")).collect();
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let mut described: Vec<&str> =
            parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, names, "{path}");
    }
}
