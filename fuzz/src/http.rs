//! Bytes of a client, through hyper and our router, over a pipe in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Read as _;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use flate2::read::GzDecoder;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use memleak_exporter::config::{Listen, WebConfig};
use memleak_exporter::exposition::{Format, SelfMetrics};
use memleak_exporter::http::{App, Limits, LiveSettings, Reloader};
use memleak_exporter::rules::LiveRules;
use memleak_exporter::snapshot::Published;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::{Builder, Runtime};

use crate::checker::check;
use crate::world::SNAPSHOT;

/// Bytes that a kernel would hold of either direction.
const PIPE_BYTES: usize = 1 << 16;

static APP: LazyLock<App> = LazyLock::new(|| {
    let web = WebConfig {
        listen: Listen::Systemd,
        config_file: None,
        telemetry_path: "/metrics".to_string(),
        route_prefix: String::new(),
        max_requests: 40,
        enable_lifecycle: true,
        disable_exporter_metrics: false,
    };
    let own = Arc::new(SelfMetrics::new().expect("the catalog is right"));
    let rules = LiveRules::new(None).expect("without a file, nothing is wrong with it");
    let settings =
        LiveSettings::new(None, Arc::clone(&own)).expect("without a file, nothing is wrong with it");
    let reloader = Reloader { rules: Arc::new(rules), settings: Arc::new(settings) };
    let published = Published::default();
    published.publish(Arc::new(SNAPSHOT.clone()));
    App::new(&web, reloader, Arc::new(published), own)
});

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("there is memory for a runtime");
}

/// What a client sends before it sends no more. All answers are well formed, and none is our fault.
pub fn http(request: &[u8]) {
    let (methods, reply) = RUNTIME.with(|runtime| runtime.block_on(converse(request)));
    check_replies(&reply, methods);
}

/// The methods of all requests that came through, and all that was answered.
async fn converse(request: &[u8]) -> (VecDeque<String>, Vec<u8>) {
    let (client, server) = duplex(PIPE_BYTES);
    let methods = Rc::new(RefCell::new(VecDeque::new()));
    let seen = Rc::clone(&methods);
    let service = service_fn(move |request: hyper::Request<_>| {
        seen.borrow_mut().push_back(request.method().to_string());
        async move { Ok::<_, Infallible>(APP.answer(&request).await) }
    });
    let limits = Limits::default();
    // As the server makes it, but for the time that it waits.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .half_close(true)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(server), service);
    let (mut from, mut to) = tokio::io::split(client);
    let mut reply = Vec::new();
    let write = async {
        // The server may have had enough before the end.
        let _ = to.write_all(request).await;
        let _ = to.shutdown().await;
    };
    let (_, (), read) = tokio::join!(connection, write, from.read_to_end(&mut reply));
    read.expect("a pipe in memory does not fail");
    let methods = methods.take();
    (methods, reply)
}

/// All replies, one after another. Those beyond the requests that came through are hyper's own.
fn check_replies(mut replies: &[u8], mut methods: VecDeque<String>) {
    while !replies.is_empty() {
        let is_ours = !methods.is_empty();
        let method = methods.pop_front().unwrap_or_default();
        let head = Head::parse(&mut replies);
        let Head { status, .. } = head;
        assert!(status < 500 || status == 503, "{status} to {method:?}");
        let has_body = method != "HEAD" && status != 204 && status != 304;
        let length = if has_body { head.length() } else { 0 };
        let (body, rest) = replies.split_at_checked(length).expect("as long a body as was said");
        replies = rest;
        if is_ours && has_body {
            head.check_body(body);
        }
    }
    assert!(methods.is_empty(), "{methods:?} had no answer");
}

struct Head<'a> {
    status: u16,
    headers: Vec<(String, &'a str)>,
}

impl<'a> Head<'a> {
    fn parse(reply: &mut &'a [u8]) -> Head<'a> {
        const END: &[u8] = b"\r\n\r\n";
        let end = reply.windows(END.len()).position(|window| window == END).expect("a head's end");
        let head = str::from_utf8(&reply[..end]).expect("a head is text");
        *reply = &reply[end + END.len()..];
        let mut lines = head.split("\r\n");
        let line = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")).expect("a status line");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            assert!(!value.contains(|char: char| char.is_control()), "{line:?}");
            (name.to_ascii_lowercase(), value)
        });
        Head { status, headers: headers.collect() }
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| *value);
        let first = values.next();
        assert!(values.next().is_none(), "{name} is there twice");
        first
    }

    fn length(&self) -> usize {
        assert_eq!(self.header("transfer-encoding"), None, "the length of all that we send is known");
        self.header("content-length").map_or(0, |length| length.parse().expect("a length"))
    }

    fn check_body(&self, body: &[u8]) {
        let kind = self.header("content-type").expect("a type");
        let mut unpacked = Vec::new();
        let body = match self.header("content-encoding") {
            None => body,
            Some(encoding) => {
                assert_eq!(encoding, "gzip");
                GzDecoder::new(body).read_to_end(&mut unpacked).expect("gzip, in whole");
                &unpacked
            }
        };
        let text = str::from_utf8(body).expect("a body is text");
        if kind.starts_with("application/json") {
            drop(serde_json::from_str::<serde_json::Value>(text).expect("JSON"));
        } else if kind.starts_with("application/openmetrics-text") {
            check(text, Format::OpenMetrics);
        } else if kind.starts_with("text/plain; version=0.0.4") {
            check(text, Format::Text);
        } else {
            assert!(kind.starts_with("text/"), "{kind}");
        }
    }
}
