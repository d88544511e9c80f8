//! Requests as RFC 9112 forbids them, or allows them and few send them. What is wrong is refused, and nothing that follows
//! it on the connection is taken for a request: a proxy in front of us may have seen its end elsewhere.

use tokio::io::AsyncWriteExt as _;

use super::harness::{GET_HEALTHY, Reply, Server};
use crate::exposition::fixture;

/// All that comes for these bytes until the server closes.
async fn answers(server: &Server, bytes: &[u8]) -> String {
    let mut client = server.connect().await;
    // The server may close before all of it is sent.
    let _ = client.0.write_all(bytes).await;
    let _ = client.0.shutdown().await;
    client.rest().await
}

fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.").skip(1).filter_map(|answer| answer.split(' ').nth(1)).collect()
}

/// A request with `head` between its first line and its end, and one more behind it.
fn with_one_behind(head: &str, body: &str) -> Vec<u8> {
    format!("GET /-/healthy HTTP/1.1\r\n{head}\r\n\r\n{body}{GET_HEALTHY}").into_bytes()
}

#[tokio::test]
async fn what_could_smuggle_a_request_gets_one_refusal_and_no_more() {
    let server = Server::start(Some(fixture::snapshot())).await;
    let chunked = "5\r\nhello\r\n0\r\n\r\n";
    for (head, body) in [
        ("Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", chunked),
        ("Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", chunked),
        ("Host: x\r\nTransfer-Encoding: chunked", chunked),
        ("Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity", chunked),
        ("Host: x\r\nTransfer-Encoding: identity", chunked),
        ("Host: x\r\nTransfer-Encoding: gzip, chunked", chunked),
        ("Host: x\r\nTransfer-Encoding: chunked, gzip", chunked),
        ("Host: x\r\nTransfer-Encoding:\u{b}chunked", chunked),
        ("Host: x\r\nTransfer-Encoding : chunked", chunked),
        ("Host: x\r\nTransfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("Host: x\r\nTransfer-Encoding: chunked", "-1\r\n\r\n"),
        ("Host: x\r\nTransfer-Encoding: chunked", "ffffffffffffffffff\r\n\r\n"),
        ("Host: x\r\nTransfer-Encoding: chunked", "5;\nhello\r\n0\r\n\r\n"),
        ("Host: x\r\nContent-Length: 5", "hello"),
        ("Host: x\r\nContent-Length: 5\r\nContent-Length: 6", "hello"),
        ("Host: x\r\nContent-Length: 0\r\nContent-Length: 5", "hello"),
        ("Host: x\r\nContent-Length: 5, 6", "hello"),
        ("Host: x\r\nContent-Length: +5", "hello"),
        ("Host: x\r\nContent-Length: -5", "hello"),
        ("Host: x\r\nContent-Length: 0x5", "hello"),
        ("Host: x\r\nContent-Length: 99999999999999999999", "hello"),
        ("Host: x\r\nContent-Length : 5", "hello"),
        ("Host: x\r\n Content-Length: 5", "hello"),
        ("Host: x\r\nX: a\r\n b", ""),
        ("Host: x\r\nX: a\r\n\tb", ""),
        ("Host: x\r\nX: a\0b", ""),
        ("Host: x\r\nX\0: a", ""),
        ("Host: x\r\nX: a\rY: b", ""),
        ("Host: x\r\nno colon", ""),
        ("Host: x\r\n: no name", ""),
        ("Host: x\r\nX(y): a", ""),
        (" Host: x", ""),
        ("Host: x\r\nHost: y", ""),
        ("Host: x\r\nHost: x", ""),
        ("X: no host", ""),
    ] {
        let got = answers(&server, &with_one_behind(head, body)).await;
        let statuses = statuses(&got);
        assert!(
            statuses.len() == 1 && statuses[0].starts_with('4') && !got.contains("is healthy"),
            "{head:?} {body:?}: {got}"
        );
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for first in [
        "GET /-/healthy",
        "GET",
        "GET  /-/healthy HTTP/1.1",
        "GET /-/healthy  HTTP/1.1",
        "GET /-/healthy HTTP/1.1 more",
        "GET /-/healthy HTTP/1.2",
        "GET /-/healthy HTTP/9.9",
        "GET /-/healthy http/1.1",
        "GET /-/hea\0lthy HTTP/1.1",
        "GET /-/hea\u{7f}lthy HTTP/1.1",
        "GET -/healthy HTTP/1.1",
        "G(ET /-/healthy HTTP/1.1",
        " GET /-/healthy HTTP/1.1",
        "CONNECT x:80 HTTP/1.1",
        "GET x:80 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "OPTIONS /-/healthy HTTP/1.1",
        "TRACE /-/healthy HTTP/1.1",
        "get /-/healthy HTTP/1.1",
        "GET * HTTP/1.1",
    ] {
        let got =
            answers(&server, format!("{first}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await;
        let statuses = statuses(&got);
        assert!(statuses.len() == 1 && statuses[0].starts_with('4'), "{first:?}: {got}");
    }
    // A client of HTTP/2 without TLS, and what is no text at all: closed, with an answer or without.
    for bytes in [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0xff; 64], b"\r\n\r\n\r\n\r\n", b"\0"] {
        let got = answers(&server, bytes).await;
        assert!(got.is_empty() || statuses(&got) == ["400"], "{bytes:?}: {got}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for (path, expected) in [
        (format!("/{}", "p".repeat(1023)), "404"),
        (format!("/{}", "p".repeat(1024)), "414"),
        (format!("/api/leak_indicators?{}", "q".repeat(8192)), "400"),
        (format!("/api/leak_indicators?{}", "q".repeat(8193)), "414"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let got = answers(&server, request.as_bytes()).await;
        assert_eq!(statuses(&got), [expected], "{} bytes", path.len());
        assert!(got.len() < 10_000, "{got}");
    }
    for request in [
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "p".repeat(70_000)),
        format!("{} / HTTP/1.1\r\nHost: x\r\n\r\n", "M".repeat(70_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}: y\r\n\r\n", "n".repeat(70_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(65)),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "\t".repeat(70_000)),
        "\r\n".repeat(70_000),
    ] {
        let got = answers(&server, request.as_bytes()).await;
        let statuses = statuses(&got);
        let is_refused = statuses.iter().all(|status| ["400", "414", "431"].contains(status));
        assert!(statuses.len() <= 1 && is_refused, "{}: {got}", &request[..20]);
    }
}

#[tokio::test]
async fn what_few_send_and_all_may_is_answered() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for request in [
        "GET http://other.example:1/-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /-/healthy?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "\r\nGET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /-/healthy HTTP/1.1\nHost: x\nConnection: close\n\n",
        "GET /-/healthy HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        "GET /-/healthy HTTP/1.1\r\nhOsT:x\r\nCONNECTION: x, cLoSe\r\n\r\n",
        "GET /-/healthy HTTP/1.1\r\nHost: x\r\nX: \u{e9}\r\nConnection: close\r\n\r\n",
        "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n",
        "GET /-/healthy HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        "GET /-/healthy HTTP/1.0\r\n\r\n",
        "GET /-/healthy HTTP/1.0\r\nHost: x\r\n\r\n",
    ] {
        let got = answers(&server, request.as_bytes()).await;
        assert_eq!(statuses(&got), ["200"], "{request:?}: {got}");
        assert!(got.ends_with("is healthy\n"), "{request:?}: {got}");
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_may_stay() {
    let server = Server::start(Some(fixture::snapshot())).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.send("GET /-/healthy HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
        let got = client.read_until("is healthy\n").await.to_ascii_lowercase();
        assert!(got.contains("connection: keep-alive\r\n") && got.contains("content-length: "), "{got}");
    }
    client.send("GET /-/healthy HTTP/1.0\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn requests_in_one_piece_are_answered_in_their_order() {
    let server = Server::start(Some(fixture::snapshot())).await;
    let paths = ["/-/ready", "/nowhere", "/-/healthy", "/api/memory_usage?x", "/-/ready"];
    let all: String = paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    let got = answers(&server, all.as_bytes()).await;
    assert_eq!(statuses(&got)[..3], ["200", "404", "200"]);
    assert_eq!(statuses(&got).len(), paths.len());
    let (ready, healthy) = (got.find("is ready"), got.find("is healthy"));
    assert!(ready.is_some() && ready < healthy, "{got}");

    // One that is wrong ends it.
    let all = format!("{GET_HEALTHY}GET /-/healthy HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n{GET_HEALTHY}");
    assert_eq!(statuses(&answers(&server, all.as_bytes()).await), ["200", "400"]);
}

#[tokio::test]
async fn no_answer_to_head_has_a_body() {
    let server = Server::start(Some(fixture::snapshot())).await;
    for path in ["/metrics", "/", "/nowhere", "/-/healthy"] {
        let reply: Reply = server.request("HEAD", path).await;
        assert_eq!(reply.body, "", "{path}");
    }
}
