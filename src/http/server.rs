//! Accepting, limiting and draining connections. What is answered on them is handed in, as are the sockets
//! and the end, so that tests bind port 0 and stop the server at will.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

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
    /// Time for what is in flight at the end.
    pub drain: Duration,
    /// Pause after the system would not give us a connection, for want of file descriptors as a rule.
    pub accept_backoff: Duration,
    /// Connections at once. One more is closed as soon as it is accepted: its client learns at once what it
    /// would else learn from its own timeout, and it is counted.
    pub connections: usize,
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
            drain: Duration::from_secs(10),
            accept_backoff: Duration::from_millis(200),
            connections: 256,
            head_bytes: 16 * 1024,
            headers: 64,
        }
    }
}

/// Answers requests on `listeners` until `shutdown` completes. Then it stops listening, lets what is in flight
/// finish, and drops what has not after [`Limits::drain`]. `on_refused` is told of each connection too many.
pub async fn run<S, F>(
    listeners: Vec<TcpListener>,
    answer: S,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
    on_refused: impl Fn(),
) where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send,
{
    let mut server = Server::new(answer, limits);
    tokio::select! {
        () = server.accept(&listeners, on_refused) => {}
        () = shutdown => {}
    }
    drop(listeners);
    server.drain().await;
}

struct Server<S> {
    answer: S,
    limits: Limits,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
    connections: JoinSet<()>,
}

impl<S, F> Server<S>
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send,
{
    fn new(answer: S, limits: Limits) -> Server<S> {
        let places = Arc::new(Semaphore::new(limits.connections));
        Server { answer, limits, places, graceful: GracefulShutdown::new(), connections: JoinSet::new() }
    }

    /// Never returns: an error of accepting is the system's or the client's, and passes.
    async fn accept(&mut self, listeners: &[TcpListener], on_refused: impl Fn()) {
        let mut turn = 0;
        let mut failing = false;
        loop {
            match next_connection(listeners, turn).await {
                Ok(stream) => {
                    failing = false;
                    self.admit(stream, &on_refused);
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

    fn admit(&mut self, stream: TcpStream, on_refused: impl Fn()) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::debug!("too many connections");
            on_refused();
            return;
        };
        let (answer, limits) = (self.answer.clone(), self.limits.clone());
        let watcher = self.graceful.watcher();
        self.connections.spawn(async move {
            serve_connection(stream, answer, &limits, watcher).await;
            drop(place);
        });
    }

    async fn drain(self) {
        if timeout(self.limits.drain, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("dropping connections that did not end in time");
        }
    }
}

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

async fn serve_connection<S, F>(stream: TcpStream, answer: S, limits: &Limits, watcher: Watcher)
where
    S: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    // A response is written at once; there is nothing to wait for and send along.
    let _ = stream.set_nodelay(true);
    let begun = Notify::new();
    let request_begun = &begun;
    let service = service_fn(move |request| {
        request_begun.notify_one();
        let response = answer(request);
        async { Ok::<_, Infallible>(response.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        // Who says that no further request comes still waits for the answer to the last.
        .half_close(true)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        result = watcher.watch(connection) => {
            if let Err(error) = result {
                tracing::debug!(%error, "connection ended");
            }
        }
        () = silence(&begun, limits.turnaround) => tracing::debug!("connection cut off"),
    }
}

/// Completes when no request has begun for so long.
async fn silence(begun: &Notify, turnaround: Duration) {
    while timeout(turnaround, pin!(begun.notified())).await.is_ok() {}
}
