//! Clients of HTTP/2 that take more than their part, frame by frame.

use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use super::harness::{LONG, Server, huge};
use super::tls::{Site, connect, get};
use crate::config::WebConfig;
use crate::exposition::{Format, fixture};
use crate::http::Limits;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Kinds of frames, and flags of theirs.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const ENHANCE_YOUR_CALM: u8 = 11;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET` of a path of fewer than 128 bytes from `x`, packed as HPACK has it.
fn get_of(path: &str) -> Vec<u8> {
    let mut packed = vec![0x82, 0x87, 0x41, 1, b'x', 0x44, path.len() as u8];
    packed.extend_from_slice(path.as_bytes());
    packed
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

struct Client(TlsStream<TcpStream>);

impl Client {
    /// With these settings of its own.
    async fn connect(site: &Site, server: &Server, settings: &[u8]) -> Client {
        let mut config = site.client();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let mut client = Client(connect(server, config).await.unwrap());
        client.send(&[PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).await;
        client
    }

    async fn send(&mut self, bytes: &[u8]) {
        // The server may close before all of it is sent.
        let _ = self.0.write_all(bytes).await;
        let _ = self.0.flush().await;
    }

    /// `None` once the server has closed.
    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        timeout(LONG, self.0.read_exact(&mut head)).await.expect("nothing comes").ok()?;
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], stream, payload })
    }

    async fn next_of(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("a frame of that kind");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// The error for which it is sent away; `None` if the connection ends without a word.
    async fn farewell(&mut self) -> Option<u8> {
        while let Some(frame) = self.next().await {
            if frame.kind == GO_AWAY {
                return frame.payload.get(7).copied();
            }
        }
        None
    }
}

#[tokio::test]
async fn requests_are_answered_and_limits_are_told() {
    let site = Site::new("");
    let server = site.start().await;
    let mut client = Client::connect(&site, &server, &[]).await;
    let settings = client.next_of(SETTINGS).await.payload;
    let told = |id: u16| {
        let one = settings.chunks(6).find(|one| one[..2] == id.to_be_bytes())?;
        Some(u32::from_be_bytes([one[2], one[3], one[4], one[5]]))
    };
    assert_eq!((told(3), told(6)), (Some(16), Some(16 * 1024)), "streams, and bytes of a head");
    assert_eq!(told(4).unwrap_or(65_535), 65_535, "bytes of a body");
    client.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &get_of("/-/healthy"))).await;
    let mut answer = client.next().await.unwrap();
    while answer.kind != HEADERS {
        assert_ne!(answer.kind, WINDOW_UPDATE, "bytes of all bodies");
        answer = client.next().await.unwrap();
    }
    // 200, in the table that all know.
    assert_eq!((answer.stream, answer.payload[0]), (1, 0x88));
}

#[tokio::test]
async fn a_body_of_which_no_header_tells_is_refused() {
    let site = Site::new("");
    let server = site.start().await;
    let mut client = Client::connect(&site, &server, &[]).await;
    client.send(&frame(HEADERS, END_HEADERS, 1, &get_of("/api/memory_usage"))).await;
    client.next_of(HEADERS).await;
    client.send(&frame(DATA, END_STREAM, 1, b"hello")).await;
    let metrics = server.metrics.render(Format::Text);
    let refused = "memleak_http_requests_total{code=\"413\",handler=\"memory_usage\"} 1\n";
    assert!(metrics.contains(refused), "{metrics}");
}

#[tokio::test]
async fn who_takes_requests_back_again_and_again_is_sent_away() {
    let site = Site::new("");
    let server = site.start().await;
    let mut client = Client::connect(&site, &server, &[]).await;
    let request = get_of("/metrics");
    for stream in (1..2001).step_by(2) {
        let open = frame(HEADERS, END_STREAM | END_HEADERS, stream, &request);
        client.send(&[open, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()).await;
    }
    assert_eq!(client.farewell().await, Some(ENHANCE_YOUR_CALM));
    assert_eq!(get(&server, site.client(), "/-/healthy", "").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_without_an_end_is_cut_off() {
    let site = Site::new("");
    let server = site.start().await;
    let mut client = Client::connect(&site, &server, &[]).await;
    client.send(&frame(HEADERS, END_STREAM, 1, &get_of("/"))).await;
    // Fields that no table remembers, of a hundred bytes each.
    let field = [&[0, 1, b'a', 100][..], &[b'b'; 100]].concat().repeat(150);
    for _ in 0..200 {
        client.send(&frame(CONTINUATION, 0, 1, &field)).await;
    }
    assert_eq!(client.farewell().await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn what_is_no_http_2_is_closed() {
    let site = Site::new("");
    let server = site.start().await;
    for bytes in [
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0xff; 64]),
        frame(HEADERS, END_STREAM | END_HEADERS, 2, &get_of("/")),
        frame(CONTINUATION, END_HEADERS, 1, &[]),
        frame(SETTINGS, 0, 0, &[0; 5]),
        vec![0xff; 64],
    ] {
        let mut client = Client::connect(&site, &server, &[]).await;
        client.send(&bytes).await;
        // Before it would be for not answering a PING.
        timeout(Limits::default().handshake, client.farewell()).await.expect("it stays");
    }
}

#[tokio::test]
async fn who_opens_no_window_makes_room() {
    let site = Site::new("");
    let web = WebConfig { max_requests: 1, ..site.web() };
    let server = Server::start_with(Some(huge()), &web, Limits::default()).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let mut deaf = Client::connect(&site, &server, &[0, 4, 0, 0, 0, 0]).await;
    deaf.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &get_of("/metrics"))).await;
    deaf.next_of(HEADERS).await;
    let began = Instant::now();
    while get(&server, site.client(), "/api/memory_usage", "").await.unwrap().status != 200 {
        assert!(began.elapsed() < LONG, "who does not read keeps its place");
        sleep(std::time::Duration::from_millis(50)).await;
    }
    timeout(Limits::default().handshake, deaf.farewell()).await.expect("it stays");
}

#[tokio::test]
async fn no_more_streams_are_answered_at_once_than_was_told() {
    let site = Site::new("");
    let server = Server::start_with(Some(fixture::snapshot()), &site.web(), Limits::default()).await;
    let mut client = Client::connect(&site, &server, &[0, 4, 0, 0, 0, 0]).await;
    let request = get_of("/metrics");
    for stream in (1..61).step_by(2) {
        client.send(&frame(HEADERS, END_STREAM | END_HEADERS, stream, &request)).await;
    }
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < 30 {
        match client.next().await.map(|frame| frame.kind) {
            Some(HEADERS) => answered += 1,
            Some(RST_STREAM) => refused += 1,
            Some(GO_AWAY) | None => break,
            Some(_) => {}
        }
    }
    assert_eq!(answered, 16, "{refused} refused");
}
