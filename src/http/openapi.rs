//! `/api/openapi.json`: the JSON routes described for programs, from the very types that answer.

use std::sync::LazyLock;

use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::history::History;
use super::query::{DEFAULT_LIMIT, MAX_LIMIT};
use super::response::{Body, Error, JSON, response};
use super::views::{LeakIndicators, MemoryUsage};
use crate::detector::Status;
use crate::entity::{Resource, Scope};

/// The same for as long as the program runs.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| describe().to_string().into());

/// `/api/openapi.json`
pub(super) fn document() -> Response<Body> {
    response(StatusCode::OK, JSON, DOCUMENT.clone())
}

/// Every JSON route.
fn describe() -> Value {
    // Names of definitions are where OpenAPI 3.1 looks for them; its dialect of JSON Schema is that of 2020-12.
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let paths = json!({
        "/api/memory_usage": Route {
            summary: "The host's memory.",
            parameters: json!([]),
            errors: &[UNAVAILABLE],
        }.described::<MemoryUsage>(&mut schemas),
        "/api/leak_indicators": Route {
            summary: "The verdict over all, and the evidence on every entity by falling score.",
            parameters: indicator_parameters(&mut schemas),
            errors: &[BAD_REQUEST, UNAVAILABLE],
        }.described::<LeakIndicators>(&mut schemas),
        "/api/history": Route {
            summary: "The recorded points of one entity.",
            parameters: history_parameters(&mut schemas),
            errors: &[BAD_REQUEST, NOT_FOUND, UNAVAILABLE],
        }.described::<History>(&mut schemas),
        "/api/openapi.json": Route {
            summary: "This description.",
            parameters: json!([]),
            errors: &[UNAVAILABLE],
        }.described::<Map<String, Value>>(&mut schemas),
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": env!("CARGO_PKG_NAME"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        // Relative to this document, so that it holds behind a proxy that puts us below a path of its own.
        "servers": [{ "url": ".." }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "users": { "type": "http", "scheme": "basic" } },
        },
        // Nobody is asked who they are, or everybody is: --web.config.file says which.
        "security": [{}, { "users": [] }],
    })
}

const BAD_REQUEST: (StatusCode, &str) =
    (StatusCode::BAD_REQUEST, "A parameter is missing, unknown or malformed.");
const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "Nothing of that name is watched now.");
const UNAVAILABLE: (StatusCode, &str) =
    (StatusCode::SERVICE_UNAVAILABLE, "There are no present figures, or too many requests in work.");

/// What any route may refuse.
const ALWAYS: [(StatusCode, &str); 6] = [
    (StatusCode::BAD_REQUEST, "The request is malformed."),
    (StatusCode::UNAUTHORIZED, "The exporter knows users, and no name and password of one were given."),
    (StatusCode::URI_TOO_LONG, "The path or the query is too long."),
    (StatusCode::TOO_MANY_REQUESTS, "The exporter has a rate limit."),
    (StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered."),
    (StatusCode::PAYLOAD_TOO_LARGE, "No route takes a body."),
];

struct Route {
    summary: &'static str,
    parameters: Value,
    errors: &'static [(StatusCode, &'static str)],
}

impl Route {
    /// The route as OpenAPI has it, with `T` as its answer.
    fn described<T: JsonSchema>(self, schemas: &mut SchemaGenerator) -> Value {
        let mut responses = Map::new();
        let answer = content("The answer.", &schemas.subschema_for::<T>());
        responses.insert(StatusCode::OK.as_str().to_string(), answer);
        let error = schemas.subschema_for::<Error>();
        for (status, meaning) in ALWAYS.iter().chain(self.errors) {
            responses.insert(status.as_str().to_string(), content(meaning, &error));
        }
        json!({ "get": { "summary": self.summary, "parameters": self.parameters, "responses": responses } })
    }
}

fn content(description: &str, schema: &Schema) -> Value {
    json!({ "description": description, "content": { JSON: { "schema": schema } } })
}

fn indicator_parameters(schemas: &mut SchemaGenerator) -> Value {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT });
    json!([
        parameter("scope", "Only of this scope.", &json!(schemas.subschema_for::<Scope>())),
        parameter("status", "Only of this status.", &json!(schemas.subschema_for::<Status>())),
        parameter("limit", "At most so many.", &limit),
    ])
}

fn history_parameters(schemas: &mut SchemaGenerator) -> Value {
    let (pid, start_time) = (schemas.subschema_for::<u32>(), schemas.subschema_for::<u64>());
    let resource = schemas.subschema_for::<Resource>();
    let mut scope =
        parameter("scope", "What kind of entity is meant.", &json!(schemas.subschema_for::<Scope>()));
    scope["required"] = true.into();
    json!([
        scope,
        parameter("cgroup", "Its path; with scope=cgroup, and then needed.", &json!({ "type": "string" })),
        parameter("group", "Its name; with scope=group, and then needed.", &json!({ "type": "string" })),
        parameter("pid", "With scope=process and scope=process_resource, and then needed.", &json!(pid)),
        parameter(
            "start_time",
            "With pid: only the process that began then, in clock ticks since boot, as an earlier answer has it.",
            &json!(start_time),
        ),
        parameter("resource", "With scope=process_resource, and then needed.", &json!(resource)),
    ])
}

fn parameter(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}
