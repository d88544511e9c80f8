//! Whatever is asked, there is an answer, and it is what it says it is.

use http_body_util::BodyExt as _;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Request, Uri};
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::harness::{app, web};
use crate::exposition::fixture;
use crate::http::{App, Body};
use crate::rules::LiveRules;

struct Asked {
    app: App,
    runtime: Runtime,
}

impl Asked {
    fn new() -> Asked {
        let app = app(Some(fixture::snapshot()), &web(), LiveRules::new(None).unwrap());
        Asked { app, runtime: Builder::new_current_thread().enable_all().build().unwrap() }
    }

    /// Status, type and body of the answer.
    fn get(&self, uri: Uri, headers: &[(HeaderName, HeaderValue)]) -> (u16, String, Vec<u8>) {
        let mut request = Request::builder().uri(uri).header(HOST, "x").body(Body::default()).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(name, value.clone());
        }
        self.runtime.block_on(async {
            let response = self.app.answer(&request).await;
            let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_string();
            let status = response.status().as_u16();
            (status, content_type, response.into_body().collect().await.unwrap().to_bytes().to_vec())
        })
    }
}

fn header_bytes() -> impl Strategy<Value = HeaderValue> {
    let any = proptest::collection::vec(any::<u8>(), 0..80);
    any.prop_filter_map("no header", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

/// What looks like a header of preferences.
fn preferences() -> impl Strategy<Value = HeaderValue> {
    let part = "(application/openmetrics-text|text/plain|text/\\*|\\*/\\*|gzip|identity|\\*|,|;| |q=|version=|1.0.0|0.0.4|\"|\\\\|0|1|0.5|=){0,12}";
    part.prop_filter_map("no header", |text| HeaderValue::from_str(&text).ok())
}

/// What looks like one of our queries.
fn query() -> impl Strategy<Value = String> {
    "(scope|status|limit|pid|group|cgroup|resource|start_time|collect\\[\\]|=|&|host|process|suspect|fds|7|-1|%|%2|%zz|%00|%ff|\\+|a|;){0,16}"
}

proptest! {
    #[test]
    fn every_path_and_query_has_an_answer(
        path in "(/|api|metrics|-|healthy|ready|reload|history|leak_indicators|memory_usage|\\.\\.|%2f|%00|[a-z%]){0,8}",
        query in prop_oneof![query(), "[!-~]{0,60}"],
    ) {
        let Ok(uri) = format!("/{path}?{query}").parse::<Uri>() else { return Ok(()) };
        let (status, content_type, body) = Asked::new().get(uri, &[]);
        prop_assert!([200, 400, 404, 405].contains(&status), "{}", status);
        if content_type == "application/json" {
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(json.get("error").is_some(), status != 200);
        } else {
            prop_assert!(status == 200 && !body.is_empty());
        }
    }

    #[test]
    fn every_query_of_an_api_is_answered_or_refused(query in query()) {
        let asked = Asked::new();
        for path in ["/metrics", "/api/leak_indicators", "/api/history"] {
            let Ok(uri) = format!("{path}?{query}").parse::<Uri>() else { return Ok(()) };
            let (status, ..) = asked.get(uri, &[]);
            prop_assert!([200, 400, 404].contains(&status), "{}: {}", path, status);
        }
    }

    #[test]
    fn whatever_is_accepted_there_are_metrics(
        accept in prop_oneof![header_bytes(), preferences()],
        encoding in prop_oneof![header_bytes(), preferences()],
        authorization in header_bytes(),
    ) {
        let headers = [(ACCEPT, accept), (ACCEPT_ENCODING, encoding), (AUTHORIZATION, authorization)];
        let (status, content_type, body) = Asked::new().get(Uri::from_static("/metrics"), &headers);
        prop_assert_eq!(status, 200);
        let is_packed = body.starts_with(&[0x1f, 0x8b]);
        let is_open = content_type.starts_with("application/openmetrics-text; version=");
        prop_assert!(is_open || content_type == "text/plain; version=0.0.4; charset=utf-8");
        prop_assert!(is_packed || body.starts_with(b"# HELP "));
        prop_assert!(is_packed || body.ends_with(b"# EOF\n") == is_open);
    }
}
