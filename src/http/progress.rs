//! A connection of which is known whether its client reads.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::places::Progress;

/// Notes for each write whether the kernel took anything of it. The connection is shared with whoever asks the kernel, and
/// ends with this.
#[derive(Debug)]
pub(super) struct Watched {
    stream: Arc<TcpStream>,
    progress: Progress,
}

/// Bytes that wait to be sent before the kernel takes no more. By itself it takes megabytes, and says that it takes more
/// when a third of them is gone: a client that reads slowly would seem to read nothing.
const UNSENT: u32 = 16 * 1024;

impl Watched {
    pub(super) fn new(stream: Arc<TcpStream>, progress: Progress) -> Watched {
        // Where that can't be had, slow clients are told apart later.
        let _ = SockRef::from(&*stream).set_tcp_notsent_lowat(UNSENT);
        Watched { stream, progress }
    }

    /// The first bytes that come, which are read again later.
    pub(super) async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buffer).await
    }

    /// What `write` says once the kernel may have room; a stall where it has none.
    fn write(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.stream.poll_write_ready(cx)?.is_pending() {
                self.progress.stalls();
                return Poll::Pending;
            }
            match write(&self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => {
                    self.progress.moves();
                    return Poll::Ready(written);
                }
            }
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was written is with the kernel.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.stream).shutdown(Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::http::places::{Arrival, Places};

    #[tokio::test]
    async fn who_reads_a_little_is_seen_to_read() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut client, _) = listener.accept().await.unwrap();
        let Arrival::Seated(place) = Places::new(1).take(&stream, Instant::now()) else { panic!("refused") };
        let _watched = Watched::new(Arc::clone(&stream), place.progress());
        let is_full = async || timeout(Duration::from_millis(100), stream.writable()).await.is_err();
        while !is_full().await {
            while stream.try_write(&[0; 65_536]).is_ok() {}
        }
        // A tenth of what it would take.
        client.read_exact(&mut [0; 128 * 1024]).await.unwrap();
        timeout(Duration::from_secs(60), stream.writable()).await.expect("it seems to read nothing").unwrap();
    }
}
