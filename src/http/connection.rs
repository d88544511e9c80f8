//! One connection: hands are shaken, the version of HTTP is chosen, requests are answered until it ends.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::places::Place;
use super::progress::Watched;
use super::response::Body;
use super::server::Limits;
use super::settings::H2;

/// What a client gets that talks HTTP where TLS is spoken: what Go's servers answer.
const PLAIN: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
      Client sent an HTTP request to an HTTPS server.\n";

/// One connection and what it takes to serve it.
pub(super) struct Connection<S> {
    /// Answers a request.
    pub(super) answer: S,
    pub(super) limits: Limits,
    /// Told of the end of the server.
    pub(super) watcher: Watcher,
    /// Held until the connection ends.
    pub(super) place: Place,
}

impl<S, F> Connection<S>
where
    S: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Serves it until it ends, or has to leave.
    pub(super) async fn serve(self, stream: Arc<TcpStream>, tls: Option<Arc<ServerConfig>>) {
        // A response is written at once; there is nothing to wait for and send along.
        let _ = stream.set_nodelay(true);
        let stream = Watched::new(stream, self.place.progress());
        let Some(tls) = tls else { return self.http1(stream).await };
        let greeted = tokio::select! {
            greeted = timeout(self.limits.handshake, greet(stream, tls)) => greeted,
            () = self.place.given_up() => return tracing::debug!("connection given up for another"),
        };
        match greeted {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(H2) => self.http2(stream).await,
            Ok(Ok(stream)) => self.http1(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS connection"),
            Err(_) => tracing::debug!("no TLS connection: it takes too long"),
        }
    }

    async fn http1(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Connection { answer, limits, watcher, place } = self;
        let begun = Notify::new();
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_read)
            // Who has said all may still listen.
            .half_close(true)
            .max_buf_size(limits.head_bytes)
            .max_headers(limits.headers)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(|request| answered(&answer, request, &begun, &place)),
            );
        run(watcher, connection, &begun, &limits, &place).await;
    }

    async fn http2(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Connection { answer, limits, watcher, place } = self;
        let begun = Notify::new();
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .initial_connection_window_size(BODIES)
            .initial_stream_window_size(BODIES)
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .keep_alive_interval(limits.handshake)
            .keep_alive_timeout(limits.handshake)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(|request| answered(&answer, request, &begun, &place)),
            );
        run(watcher, connection, &begun, &limits, &place).await;
    }
}

/// Bytes of bodies by HTTP/2 that wait to be refused: as few as there may be.
const BODIES: u32 = 65_535;

/// Streams of HTTP/2 that a client may have taken back without being sent away: nobody needs as many, and each is work.
const RESETS: usize = 20;

/// The answer to a request, which is in work until its last byte is with the kernel.
fn answered<S, F>(
    answer: &S,
    mut request: Request<Incoming>,
    begun: &Notify,
    place: &Place,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<S, F>
where
    S: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    begun.notify_one();
    let working = place.begin();
    request.extensions_mut().insert(place.asker());
    let response = answer(request);
    async { Ok(response.await.map(|body| body.holding(working))) }
}

async fn run<C>(watcher: Watcher, connection: C, begun: &Notify, limits: &Limits, place: &Place)
where
    C: GracefulConnection,
    C::Error: fmt::Display,
{
    place.is_greeted();
    tokio::select! {
        result = watcher.watch(connection) => {
            if let Err(error) = result {
                tracing::debug!(%error, "connection ended");
            }
        }
        () = silence(begun, limits.turnaround) => tracing::debug!("connection cut off"),
        () = place.given_up() => tracing::debug!("connection given up for another"),
    }
}

/// Completes when no request has begun for so long.
async fn silence(begun: &Notify, turnaround: Duration) {
    while timeout(turnaround, pin!(begun.notified())).await.is_ok() {}
}

/// Shakes hands. Whoever talks HTTP is told so, where else it would wait for what never comes.
async fn greet(mut stream: Watched, tls: Arc<ServerConfig>) -> io::Result<TlsStream<Watched>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first[0].is_ascii_uppercase() {
        refuse_plain(&mut stream).await?;
        return Err(io::Error::other("the client talks HTTP without TLS"));
    }
    TlsAcceptor::from(tls).accept(stream).await
}

async fn refuse_plain(stream: &mut Watched) -> io::Result<()> {
    // What is not read when we close would take our answer with it.
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    stream.write_all(PLAIN).await?;
    stream.shutdown().await?;
    while stream.read(&mut request).await? > 0 {}
    Ok(())
}
