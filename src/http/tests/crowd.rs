//! A thousand clients that only take room, a thousand that are slow, and one that scrapes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::harness::{END_OF_METRICS, LONG, Server, huge, web};
use super::tls::{Site, connect};
use crate::exposition::fixture;
use crate::http::Limits;
use crate::snapshot::Snapshot;

/// Of each kind.
const CLIENTS: usize = 1000;

/// What a scrape may take on a machine that is busy with all else; a tenth of it is what it takes of an idle one.
const GENEROUS: Duration = Duration::from_secs(5);

/// Whether this process may have as many connections, on both sides; says so where not.
fn has_descriptors() -> bool {
    let wanted = 4 * CLIENTS as u64;
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < wanted) {
        println!("skipped: no {wanted} file descriptors are to be had");
        return false;
    }
    if limit.current.is_some_and(|now| now < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).unwrap();
    }
    true
}

/// Clients that come again whenever they are sent away, and what they say each time.
struct Crowd(JoinSet<()>);

impl Crowd {
    fn new() -> Crowd {
        Crowd(JoinSet::new())
    }

    /// `dribble` is what each sends again and again, once its connection stands.
    fn come(&mut self, address: SocketAddr, first: &'static [u8], dribble: &'static [u8]) {
        for _ in 0..CLIENTS {
            self.0.spawn(async move {
                loop {
                    // Ends when it is sent away.
                    let _ = annoy(address, first, dribble).await;
                    sleep(Duration::from_millis(200)).await;
                }
            });
        }
    }
}

async fn annoy(address: SocketAddr, first: &[u8], dribble: &[u8]) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // So small that no answer fits into the buffers of the system.
    socket.set_recv_buffer_size(4096)?;
    let mut stream = socket.connect(address).await?;
    stream.write_all(first).await?;
    loop {
        sleep(Duration::from_secs(1)).await;
        if dribble.is_empty() {
            // Notices that it was sent away, and reads nothing.
            stream.peek(&mut [0]).await?;
            stream.writable().await?;
        }
        stream.write_all(dribble).await?;
        if stream.peer_addr().is_err() {
            return Ok(());
        }
    }
}

async fn scrape(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The slowest of some scrapes among the crowd, each of which has to be whole.
async fn slowest(what: &str, scrape: impl AsyncFn() -> std::io::Result<String>) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        sleep(Duration::from_millis(150)).await;
        let began = Instant::now();
        let answer = timeout(LONG, scrape()).await.expect("an answer").unwrap();
        slowest = slowest.max(began.elapsed());
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{what}: {:.300}", answer);
        assert!(answer.contains(END_OF_METRICS), "{what}: only {} bytes", answer.len());
    }
    println!("{what}: the slowest scrape among {} clients took {slowest:?}", 2 * CLIENTS);
    assert!(slowest < GENEROUS, "{what}: {slowest:?}");
    slowest
}

async fn until_full(server: &Server) {
    let began = Instant::now();
    let full = "memleak_http_connections_given_up_total 0\n";
    while server.metrics.render(crate::exposition::Format::Text).contains(full) {
        assert!(began.elapsed() < LONG, "nobody had to leave");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn start(snapshot: Snapshot) -> Server {
    Server::start_with(Some(snapshot), &web(), Limits::default()).await
}

const HEAD: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ";
const WHOLE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn a_scraper_comes_through_idle_clients_and_slow_heads() {
    if !has_descriptors() {
        return;
    }
    let server = start(fixture::snapshot()).await;
    let mut crowd = Crowd::new();
    crowd.come(server.address, b"", b"");
    crowd.come(server.address, HEAD, b"x");
    until_full(&server).await;
    slowest("idle and dribbling", async || scrape(server.address).await).await;
}

#[tokio::test]
async fn a_scraper_comes_through_clients_that_do_not_read() {
    if !has_descriptors() {
        return;
    }
    let server = start(huge()).await;
    let mut crowd = Crowd::new();
    crowd.come(server.address, b"", b"");
    crowd.come(server.address, WHOLE, b"");
    until_full(&server).await;
    slowest("idle and deaf", async || scrape(server.address).await).await;
}

#[tokio::test]
async fn a_scraper_comes_through_half_shaken_hands() {
    if !has_descriptors() {
        return;
    }
    let site = Site::new("");
    let server = Server::start_with(Some(fixture::snapshot()), &site.web(), Limits::default()).await;
    let mut crowd = Crowd::new();
    crowd.come(server.address, b"", b"");
    crowd.come(server.address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x03");
    until_full(&server).await;
    let client = Arc::new(site.client());
    slowest("half a handshake", async || {
        let mut stream = connect(&server, (*client).clone()).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        match stream.read_to_string(&mut answer).await {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(answer),
        }
    })
    .await;
}
