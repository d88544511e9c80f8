//! Accepting, limiting and draining connections. What is answered on them is handed in, as are the sockets
//! and the end, so that tests bind port 0 and stop the server at will.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

use super::connection::Connection;
use super::places::{Arrival, Places};
use super::response::Body;

/// What a client may take of us.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time for the head of a request to arrive, from the end of the response before it: an idle connection is
    /// one whose next request is slow. Off the usual scrape intervals, so that none meets a connection in closing.
    pub header_read: Duration,
    /// Time from one request to the next on a connection, whatever happens in between: this is what ends a
    /// client that does not read its response.
    pub turnaround: Duration,
    /// Time for TLS to shake hands, and for a client of HTTP/2 to show that it is there.
    pub handshake: Duration,
    /// Time for what is in flight at the end.
    pub drain: Duration,
    /// Pause after the system would not give us a connection, for want of file descriptors as a rule.
    pub accept_backoff: Duration,
    /// Connections at once. For one more the one leaves that has waited longest for a request; where all have one in
    /// work, the new one is closed at once. Either is counted.
    pub connections: usize,
    /// Requests at once on a connection of HTTP/2.
    pub streams: u32,
    /// Bytes of a request's head; hyper wants 8192 at least.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            header_read: Duration::from_secs(40),
            turnaround: Duration::from_secs(80),
            handshake: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            accept_backoff: Duration::from_millis(200),
            connections: 256,
            streams: 16,
            head_bytes: 16 * 1024,
            headers: 64,
        }
    }
}

/// What a server is asked for, and tells.
#[derive(Clone, Debug)]
pub struct Service<S, T, C> {
    /// Answers a request.
    pub answer: S,
    /// How a new connection is let in.
    pub entrance: T,
    /// Told of each connection that had no place, or had to leave.
    pub on_crowded: C,
}

/// How connections are let in.
#[derive(Clone, Debug, Default)]
pub struct Entrance {
    /// How they are encrypted; `None` is not at all.
    pub tls: Option<Arc<ServerConfig>>,
    /// Another number where others may come in: whoever is in has to come in anew.
    pub admissions: u64,
}

/// How too many connections were made fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowded {
    /// The new one was closed at once.
    Refused,
    /// An old one had to leave.
    GivenUp,
}

/// Answers requests on `listeners`, on as many connections as there are `places`, until `shutdown` completes. Then it
/// stops listening, lets what is in flight finish, and drops what has not after [`Limits::drain`].
pub async fn run<S, F, T, C>(
    listeners: Vec<TcpListener>,
    service: Service<S, T, C>,
    places: Arc<Places>,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
    T: Fn() -> Entrance,
    C: Fn(Crowded),
{
    let graceful = GracefulShutdown::new();
    let admissions = (service.entrance)().admissions;
    let mut server = Server { service, places, limits, graceful, admissions, connections: JoinSet::new() };
    tokio::select! {
        () = server.accept(&listeners) => {}
        () = shutdown => {}
    }
    drop(listeners);
    server.drain().await;
}

struct Server<S, T, C> {
    service: Service<S, T, C>,
    places: Arc<Places>,
    limits: Limits,
    graceful: GracefulShutdown,
    /// By which [`Entrance::admissions`] those have come in who are in.
    admissions: u64,
    connections: JoinSet<()>,
}

impl<S, F, T, C> Server<S, T, C>
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
    T: Fn() -> Entrance,
    C: Fn(Crowded),
{
    /// Never returns: an error of accepting is the system's or the client's, and passes.
    async fn accept(&mut self, listeners: &[TcpListener]) {
        let mut turn = 0;
        let mut failing = false;
        loop {
            let Ok(accepted) = timeout(LOOK, next_connection(listeners, turn)).await else {
                self.entrance();
                continue;
            };
            match accepted {
                Ok(stream) => {
                    failing = false;
                    self.admit(stream).await;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "cannot accept connections; trying on");
                    }
                    failing = true;
                    sleep(self.limits.accept_backoff).await;
                }
            }
            // Each listener has its turn, so that a busy one does not starve the others.
            turn += 1;
            while self.connections.try_join_next().is_some() {}
        }
    }

    async fn admit(&mut self, stream: TcpStream) {
        // Before it has a place, or it would have to leave with those who came before.
        let tls = self.entrance();
        let stream = Arc::new(stream);
        let place = match self.places.take(&stream, Instant::now()) {
            Arrival::Seated(place) => place,
            Arrival::SeatedInstead(place) => {
                (self.service.on_crowded)(Crowded::GivenUp);
                // Whoever has to leave does so before the next one comes.
                yield_now().await;
                place
            }
            Arrival::Refused => {
                tracing::debug!("too many connections");
                return (self.service.on_crowded)(Crowded::Refused);
            }
        };
        let connection = Connection {
            answer: self.service.answer.clone(),
            limits: self.limits.clone(),
            watcher: self.graceful.watcher(),
            place,
        };
        self.connections.spawn(connection.serve(stream, tls));
    }

    /// How the next connection is encrypted. Where others may come in than before, nobody stays.
    fn entrance(&mut self) -> Option<Arc<ServerConfig>> {
        let Entrance { tls, admissions } = (self.service.entrance)();
        if admissions != self.admissions {
            self.admissions = admissions;
            self.close();
        }
        tls
    }

    /// Those who are in leave once they are answered.
    fn close(&mut self) {
        self.places.give_up_greeting();
        self.connections.spawn(mem::take(&mut self.graceful).shutdown());
    }

    async fn drain(mut self) {
        self.close();
        let ended = async { while self.connections.join_next().await.is_some() {} };
        if timeout(self.limits.drain, ended).await.is_err() {
            tracing::warn!("dropping connections that did not end in time");
        }
    }
}

/// Time after which it is looked whether others may come in, where nobody comes.
const LOOK: Duration = Duration::from_secs(1);

async fn next_connection(listeners: &[TcpListener], turn: usize) -> io::Result<TcpStream> {
    poll_fn(|cx| {
        let (before, after) = listeners.split_at(turn % listeners.len().max(1));
        for listener in after.iter().chain(before) {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted.map(|(stream, _)| stream));
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether accepting failed for a client that has gone away meanwhile; the next may be had at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
