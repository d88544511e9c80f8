//! Clients that are slow, greedy or broken.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::sleep;

use super::harness::{Client, END_OF_METRICS, GET_HEALTHY, LONG, Server, huge, web};
use crate::config::WebConfig;
use crate::exposition::{Format, fixture};
use crate::http::Limits;

const SHORT: Duration = Duration::from_millis(200);

async fn start(limits: Limits) -> Server {
    Server::start_with(Some(fixture::snapshot()), &web(), limits).await
}

#[tokio::test]
async fn a_silent_connection_is_cut_off() {
    let server = start(Limits { header_read: SHORT, ..Limits::default() }).await;
    let began = Instant::now();
    assert_eq!(server.connect().await.rest().await, "");
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn an_idle_connection_is_cut_off_after_its_last_request() {
    let server = start(Limits { header_read: SHORT, ..Limits::default() }).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.send(GET_HEALTHY).await;
        client.read_until("is healthy\n").await;
    }
    let began = Instant::now();
    assert_eq!(client.rest().await, "");
    assert!(began.elapsed() >= SHORT / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let server = start(Limits { header_read: SHORT, ..Limits::default() }).await;
    let mut client = server.connect().await;
    let began = Instant::now();
    let dribble = "GET / HTTP/1.1\r\nHost: x\r\nX: ".bytes().chain(std::iter::repeat(b'x'));
    for byte in dribble {
        if client.0.write_all(&[byte]).await.is_err() {
            break;
        }
        assert!(began.elapsed() < LONG, "a byte now and then keeps the connection");
        sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn who_closes_its_side_after_the_request_is_answered() {
    let server = Server::start(Some(huge())).await;
    let mut client = server.connect().await;
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.0.shutdown().await.unwrap();
    assert!(client.rest().await.contains(END_OF_METRICS));
}

/// Hyper's timer runs between requests only, so this is the turnaround's alone.
async fn is_cut_off_when_it_does_not_read(header: &str) {
    let limits = Limits { turnaround: SHORT * 3, ..Limits::default() };
    let server = Server::start_with(Some(huge()), &web(), limits).await;
    let mut deaf = server.connect().await;
    deaf.send(&format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{header}\r\n")).await;

    // It is in work until it is cut off; there is room for others, so that nothing else makes it leave.
    let began = Instant::now();
    let in_work = || server.metrics.render(Format::Text).contains("memleak_http_requests_in_flight 1\n");
    for expected in [true, false] {
        while in_work() != expected {
            assert!(began.elapsed() < LONG, "a client that does not read is never cut off");
            sleep(Duration::from_millis(10)).await;
        }
    }
    let got = deaf.rest().await;
    assert!(server.metrics.render(Format::Text).contains("memleak_http_connections_given_up_total 0\n"));
    assert!(got.starts_with("HTTP/1.1 200 OK") && !got.contains(END_OF_METRICS), "{}", got.len());
}

#[tokio::test]
async fn a_client_that_does_not_read_its_last_reply_is_cut_off() {
    is_cut_off_when_it_does_not_read("Connection: close\r\n").await;
}

#[tokio::test]
async fn a_client_that_does_not_read_and_stays_is_cut_off() {
    is_cut_off_when_it_does_not_read("").await;
}

#[tokio::test]
async fn who_keeps_no_request_in_work_leaves_for_none() {
    let web = WebConfig { max_requests: 1, ..web() };
    let server = Server::start_with(Some(huge()), &web, Limits::default()).await;
    // Answers that count as no request in work, and more of them than the buffers hold.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut decoy = Client(socket.connect(server.address).await.unwrap());
    decoy.send(&GET_HEALTHY.repeat(1000)).await;
    sleep(SHORT).await;
    let mut deaf = server.connect().await;
    deaf.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    deaf.read_until("200 OK").await;

    let began = Instant::now();
    while server.get("/api/memory_usage").await.status != 200 {
        assert!(began.elapsed() < LONG, "who does not read keeps its place");
    }
    let metrics = server.metrics.render(Format::Text);
    assert!(metrics.contains("memleak_http_connections_given_up_total 1\n"), "{metrics}");
    assert!(!deaf.rest().await.contains(END_OF_METRICS));
}

#[tokio::test]
async fn a_slow_reader_that_does_read_gets_everything() {
    let server = Server::start_with(Some(huge()), &web(), Limits::default()).await;
    let mut client = server.connect().await;
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    sleep(SHORT).await;
    assert!(client.reply().await.body.contains(END_OF_METRICS));
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = start(Limits::default()).await;
    let mut client = server.connect().await;
    let headers: String = (0..100).map(|number| format!("X-{number}: y\r\n")).collect();
    client.send(&format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n")).await;
    assert_eq!(client.reply().await.status, 431);
}

#[tokio::test]
async fn a_huge_head_is_refused() {
    let server = start(Limits::default()).await;
    let mut client = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "y".repeat(17 * 1024));
    // The server may close before all of it is sent.
    let _ = client.0.write_all(head.as_bytes()).await;
    let got = client.rest().await;
    assert!(got.is_empty() || got.starts_with("HTTP/1.1 431 "), "{got}");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = start(Limits::default()).await;
    let mut client = server.connect().await;
    client.send("\u{16}\u{3}\u{1} tls? \r\n\r\n").await;
    assert_eq!(client.reply().await.status, 400);
}

#[tokio::test]
async fn bodies_are_refused_and_not_read() {
    let server = start(Limits::default()).await;
    for framing in
        ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
    {
        for (start, status) in [("POST /api/memory_usage", 405), ("GET /metrics", 413), ("GET /nowhere", 404)]
        {
            let mut client = server.connect().await;
            client.send(&format!("{start} HTTP/1.1\r\nHost: x\r\n{framing}")).await;
            let reply = client.reply().await;
            assert_eq!(reply.status, status, "{start} {framing}");
            assert_eq!(reply.header("connection"), Some("close"));
            assert_eq!(reply.header("allow"), (status == 405).then_some("get, head"));
        }
    }
    let mut client = server.connect().await;
    client
        .send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.status, 413);
}

#[tokio::test]
async fn an_empty_body_is_none() {
    let server = start(Limits::default()).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn a_client_that_has_said_all_is_answered() {
    let server = start(Limits::default()).await;
    let mut client = server.connect().await;
    client.send(GET_HEALTHY).await;
    client.0.shutdown().await.unwrap();
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn who_waits_longest_makes_room_for_one_connection_more() {
    let server = start(Limits { connections: 2, ..Limits::default() }).await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.send(GET_HEALTHY).await;
    idle.read_until("is healthy\n").await;
    assert_eq!(server.get("/-/healthy").await.status, 200);
    assert_eq!(silent.rest().await, "");
    idle.send(GET_HEALTHY).await;
    idle.read_until("is healthy\n").await;
    let metrics = server.metrics.render(Format::Text);
    assert!(metrics.contains("memleak_http_connections_given_up_total 1\n"), "{metrics}");
    assert!(metrics.contains("memleak_http_connections_refused_total 0\n"), "{metrics}");
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_counted_where_all_have_a_request_in_work() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let server = Server::start_with(Some(huge()), &web(), limits).await;
    let mut busy = server.connect().await;
    busy.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    busy.read_until("200 OK").await;
    assert_eq!(server.connect().await.rest().await, "");
    assert!(server.metrics.render(Format::Text).contains("memleak_http_connections_refused_total 1\n"));
    assert!(busy.rest().await.contains(END_OF_METRICS));
}
