//! A thousand clients that only take room, a thousand that are slow, and one that scrapes.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::harness::{END_OF_METRICS, GET_HEALTHY, LONG, Server, huge, web};
use super::tls::{Site, connect};
use crate::exposition::{Format, fixture};
use crate::http::Limits;
use crate::snapshot::Snapshot;

/// Of each kind.
const CLIENTS: usize = 1000;

/// Time in which all of them come.
const ARRIVAL: Duration = Duration::from_secs(2);

/// Time after which each that was sent away comes again: fifty of each kind in a second.
const BETWEEN_VISITS: Duration = Duration::from_secs(20);

/// What a scrape may take on a machine that is busy with all else; a tenth of it is what it takes of an idle one.
const GENEROUS: Duration = Duration::from_secs(5);

/// Whether this process may have as many connections, on both sides; says so where not.
fn has_descriptors() -> bool {
    let wanted = 4 * CLIENTS as u64;
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < wanted) {
        let why = format!("a crowd of clients: no {wanted} file descriptors are to be had");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
        // Past what holds back the output of tests that pass.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: {why}");
        return false;
    }
    if limit.current.is_some_and(|now| now < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).unwrap();
    }
    true
}

/// Clients that come again some time after they are sent away, until this is dropped. They are on a thread of their own,
/// as they would be on a machine of their own.
struct Crowd {
    _end: oneshot::Sender<()>,
}

impl Crowd {
    /// `kinds` are what each client says at first, and what it says again and again.
    fn come(address: SocketAddr, kinds: [(&'static [u8], &'static [u8]); 2]) -> Crowd {
        let (end, ended) = oneshot::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                // In turns, so that there are always some of both.
                for (number, (first, dribble)) in (0..).zip(kinds.into_iter().cycle().take(2 * CLIENTS)) {
                    let wait = ARRIVAL * number / (2 * CLIENTS as u32);
                    tokio::spawn(come_again(address, first, dribble, wait));
                }
                drop(ended.await);
            });
        });
        Crowd { _end: end }
    }
}

async fn come_again(address: SocketAddr, first: &[u8], dribble: &[u8], wait: Duration) {
    sleep(wait).await;
    loop {
        // Ends when it is sent away.
        let _ = annoy(address, first, dribble).await;
        sleep(BETWEEN_VISITS).await;
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
        stream.write_all(dribble).await?;
        // Notices that it was sent away, and reads nothing.
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        if timeout(Duration::ZERO, stream.peek(&mut [0]))
            .await
            .is_ok_and(|got| got.is_ok_and(|bytes| bytes == 0))
        {
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

/// Scrapes some times among the crowd. On a machine that is busy with all else one may come at a moment at which everybody
/// has just begun; a scraper comes again.
async fn is_served(what: &str, scrape: impl AsyncFn() -> std::io::Result<String>) {
    let (mut slowest, mut whole) = (Duration::ZERO, 0);
    for _ in 0..SCRAPES {
        sleep(Duration::from_millis(150)).await;
        let began = Instant::now();
        let answer = timeout(LONG, scrape()).await.expect("an answer").unwrap_or_default();
        if answer.starts_with("HTTP/1.1 200 OK") && answer.contains(END_OF_METRICS) {
            slowest = slowest.max(began.elapsed());
            whole += 1;
        } else {
            println!("{what}: {} bytes of {answer:.100}", answer.len());
        }
    }
    println!(
        "{what}: {whole} of {SCRAPES} scrapes among {} clients, the slowest took {slowest:?}",
        2 * CLIENTS
    );
    assert!(whole >= SCRAPES - 2 && slowest < GENEROUS, "{what}: {whole} whole, {slowest:?}");
}

const SCRAPES: usize = 10;

/// Until so many had to leave that all have come.
async fn until_full(server: &Server) {
    let began = Instant::now();
    let left = || {
        let metrics = server.metrics.render(Format::Text);
        let count =
            metrics.lines().find_map(|line| line.strip_prefix("memleak_http_connections_given_up_total "));
        count.unwrap().parse::<usize>().unwrap()
    };
    while left() + Limits::default().connections < 2 * CLIENTS {
        assert!(began.elapsed() < LONG, "only {} had to leave", left());
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
    let _crowd = Crowd::come(server.address, [(b"", b""), (HEAD, b"x")]);
    until_full(&server).await;
    is_served("idle and dribbling", async || scrape(server.address).await).await;
}

#[tokio::test]
async fn a_scraper_comes_through_clients_that_do_not_read() {
    if !has_descriptors() {
        return;
    }
    let server = start(huge()).await;
    // Many answers that count as no request in work, so that the buffers are full of them.
    let health: &[u8] = GET_HEALTHY.repeat(20_000).leak().as_bytes();
    let _crowd = Crowd::come(server.address, [(health, b""), (WHOLE, b"")]);
    until_full(&server).await;
    is_served("deaf to health and to metrics", async || scrape(server.address).await).await;
}

#[tokio::test]
async fn a_scraper_comes_through_half_shaken_hands() {
    if !has_descriptors() {
        return;
    }
    let site = Site::new("");
    let server = Server::start_with(Some(fixture::snapshot()), &site.web(), Limits::default()).await;
    let _crowd =
        Crowd::come(server.address, [(b"", b""), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x03")]);
    until_full(&server).await;
    let client = Arc::new(site.client());
    is_served("half a handshake", async || {
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
