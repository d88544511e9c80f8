//! Clients of every kind, and reloads.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What is asked, in turn: every route and format, and what is refused.
const REQUESTS: [&str; 18] = [
    "GET /metrics",
    "GET /metrics\r\nAccept: application/openmetrics-text;version=1.0.0",
    "GET /metrics\r\nAccept-Encoding: gzip",
    "GET /metrics?collect[]=host",
    "GET /metrics?collect[]=process\r\nAccept-Encoding: gzip",
    "GET /metrics?collect[]=none",
    "HEAD /metrics",
    "GET /",
    "GET /style.css",
    "GET /api/memory_usage",
    "GET /api/leak_indicators?limit=1000",
    "GET /api/leak_indicators?limit=0",
    "GET /api/history?scope=host",
    "GET /api/history?scope=group&group=soak-7",
    "GET /api/openapi.json",
    "GET /-/ready",
    "DELETE /nothing",
    "POST /-/reload",
];

/// Configuration files, in turn: names of groups change, and some make no sense.
const CONFIGURATIONS: [&str; 5] = [
    "",
    "process_names:\n- { name: '{{.Comm}}-a', comm: [soak-1, soak-2] }\n- { cmdline: ['.+'] }\n",
    "exclude: [{ match: { name: 'soak-3*' } }]\noverrides: [{ match: { group: 'soak-*' }, threshold: 80 }]\n",
    "process_names: [{ name: '{{.PID}}', comm: [soak-5, soak-6] }]\n",
    "process_name: nonsense\n",
];

/// Clients at once that wait for their answers.
const CLIENTS: usize = 3;

/// Time from one request of a client to its next.
const THINKING: Duration = Duration::from_millis(150);

/// Time from one client that leaves early to the next.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// Time from one reload to the next.
const BETWEEN_RELOADS: Duration = Duration::from_secs(1);

/// How long an answer may take, so that nobody waits for ever.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    answered: AtomicU64,
    aborted: AtomicU64,
    reloads: AtomicU64,
}

/// Clients that ask until they are stopped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Asks the exporter at `address`, and has it read configurations by `reload`.
    pub(crate) fn start(
        address: SocketAddr,
        reload: impl Fn(&str) -> io::Result<()> + Send + 'static,
    ) -> Load {
        let mut load = Load { shared: Arc::default(), threads: Vec::new() };
        for client in 0..CLIENTS {
            load.spawn(THINKING, move |turn, shared| {
                let answered = ask(address, REQUESTS[(turn + client * 5) % REQUESTS.len()]).is_ok();
                shared.answered.fetch_add(u64::from(answered), Ordering::Relaxed);
            });
        }
        load.spawn(IMPATIENCE, move |turn, shared| {
            let left = leave(address, turn).is_ok();
            shared.aborted.fetch_add(u64::from(left), Ordering::Relaxed);
        });
        load.spawn(BETWEEN_RELOADS, move |turn, shared| {
            let reloaded = reload(CONFIGURATIONS[turn % CONFIGURATIONS.len()]).is_ok();
            shared.reloads.fetch_add(u64::from(reloaded), Ordering::Relaxed);
        });
        load
    }

    fn spawn(&mut self, every: Duration, mut act: impl FnMut(usize, &Shared) + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        self.threads.push(thread::spawn(move || {
            for turn in 0.. {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                act(turn, &shared);
                pause(every);
            }
        }));
    }

    /// Requests that had an answer.
    pub(crate) fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Stops, and says how many requests had an answer, how many clients left before, and how often there was a reload.
    pub(crate) fn stop(self) -> (u64, u64, u64) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        let Shared { answered, aborted, reloads, .. } = &*self.shared;
        (answered.load(Ordering::Relaxed), aborted.load(Ordering::Relaxed), reloads.load(Ordering::Relaxed))
    }
}

/// One request on a connection of its own, and all of the answer.
fn ask(address: SocketAddr, request: &str) -> io::Result<()> {
    let mut stream = send(address, request, "Connection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 ") { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// A client that is gone before it has its answer: without a word, in the middle of its request, with the answer unread, or
/// after its first bytes.
fn leave(address: SocketAddr, turn: usize) -> io::Result<()> {
    match turn % 4 {
        0 => TcpStream::connect(address).map(drop),
        1 => send(address, REQUESTS[0], "X: unfinished").map(drop),
        2 => send(address, REQUESTS[turn % REQUESTS.len()], "\r\n").map(drop),
        _ => send(address, REQUESTS[0], "\r\n")?.read(&mut [0; 64]).map(drop),
    }
}

/// A request, whose first line may have headers behind it.
fn send(address: SocketAddr, request: &str, end: &str) -> io::Result<TcpStream> {
    let (line, headers) = request.split_once("\r\n").unwrap_or((request, ""));
    let separator = if headers.is_empty() { "" } else { "\r\n" };
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(stream, "{line} HTTP/1.1\r\nHost: x\r\n{headers}{separator}{end}")?;
    Ok(stream)
}

#[expect(clippy::disallowed_methods, reason = "another program is kept busy for some time, but not too busy")]
pub(crate) fn pause(duration: Duration) {
    thread::sleep(duration);
}
