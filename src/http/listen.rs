//! From listen addresses to sockets.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use listenfd::ListenFd;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, lookup_host};

use crate::config::{Listen, ListenAddress};

/// Connections that may wait to be accepted, as the kernel's own default is since Linux 5.4.
const BACKLOG: i32 = 4096;

/// An address that can't be listened on. The message says what to type instead.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program is there.
    #[error(
        "cannot listen on {address}: address in use; stop the other program or choose another port with --web.listen-address={host}:PORT"
    )]
    InUse {
        /// What was asked for.
        address: String,
        /// The part before the port.
        host: String,
    },
    /// Low ports are for root.
    #[error(
        "cannot listen on {address}: permission denied; choose a port above 1023 with --web.listen-address={host}:PORT"
    )]
    Permission {
        /// What was asked for.
        address: String,
        /// The part before the port.
        host: String,
    },
    /// A name that stands for no address.
    #[error("cannot listen on {address}: {source}; give an IP address with --web.listen-address=IP:PORT")]
    Lookup {
        /// What was asked for.
        address: String,
        /// Why it was not found.
        source: io::Error,
    },
    /// Nobody has handed over a socket.
    #[error(
        "systemd has handed over no socket; start the exporter by a .socket unit, or leave out --web.systemd-socket"
    )]
    NotHandedOver,
    /// What was handed over is no TCP socket.
    #[error("cannot use what systemd has handed over: {0}; use only ListenStream=PORT in the .socket unit")]
    HandedOver(io::Error),
    /// Anything else.
    #[error("cannot listen on {address}: {source}; listen on every address with --web.listen-address=:PORT")]
    Other {
        /// What was asked for.
        address: String,
        /// Why not.
        source: io::Error,
    },
}

/// A socket for every place in `listen`; several for a name that stands for several addresses.
///
/// # Errors
/// When any of them can't be had. Serving on some only would look as if all were well.
pub async fn bind(listen: &Listen) -> Result<Vec<TcpListener>, ListenError> {
    match listen {
        Listen::Addresses(addresses) => bind_all(addresses).await,
        Listen::Systemd => handed_over(ListenFd::from_env()),
    }
}

async fn bind_all(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.extend(sockets(address).await.map_err(|failure| failure.of(address))?);
    }
    Ok(listeners)
}

fn handed_over(mut sockets: ListenFd) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for index in 0..sockets.len() {
        let socket = sockets.take_tcp_listener(index).map_err(ListenError::HandedOver)?;
        if let Some(socket) = socket {
            socket.set_nonblocking(true).map_err(ListenError::HandedOver)?;
            listeners.push(TcpListener::from_std(socket).map_err(ListenError::HandedOver)?);
        }
    }
    if listeners.is_empty() { Err(ListenError::NotHandedOver) } else { Ok(listeners) }
}

async fn sockets(address: &ListenAddress) -> Result<Vec<TcpListener>, Failure> {
    match address {
        ListenAddress::Any(port) => Ok(vec![everywhere(*port).map_err(Failure::Bind)?]),
        ListenAddress::Address(socket) => Ok(vec![open(*socket).map_err(Failure::Bind)?]),
        ListenAddress::Name(name, port) => {
            let found = lookup_host((name.as_str(), *port)).await.map_err(Failure::Lookup)?;
            each(found.collect()).map_err(Failure::Bind)
        }
    }
}

/// IPv6 with IPv4 inside; IPv4 alone where the machine has no IPv6.
fn everywhere(port: u16) -> io::Result<TcpListener> {
    match open(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
        Err(error) if is_family_missing(&error) => open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        result => result,
    }
}

/// All addresses of a name. `localhost` stands for ::1 even where there is no IPv6, so one such is left out.
fn each(addresses: BTreeSet<SocketAddr>) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    let mut missing = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match open(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if is_family_missing(&error) => missing = error,
            Err(error) => return Err(error),
        }
    }
    if listeners.is_empty() { Err(missing) } else { Ok(listeners) }
}

fn is_family_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT)
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address == SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port())) {
        // Not left to the sysctl net.ipv6.bindv6only.
        socket.set_only_v6(false)?;
    }
    // A restart must not wait until the last connections are forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

enum Failure {
    Bind(io::Error),
    Lookup(io::Error),
}

impl Failure {
    fn of(self, listen: &ListenAddress) -> ListenError {
        let (host, port) = match listen {
            ListenAddress::Any(port) => (String::new(), *port),
            ListenAddress::Address(SocketAddr::V4(socket)) => (socket.ip().to_string(), socket.port()),
            ListenAddress::Address(SocketAddr::V6(socket)) => (format!("[{}]", socket.ip()), socket.port()),
            ListenAddress::Name(name, port) => (name.clone(), *port),
        };
        let address = format!("{host}:{port}");
        match self {
            Failure::Lookup(source) => ListenError::Lookup { address, source },
            Failure::Bind(source) => match source.kind() {
                io::ErrorKind::AddrInUse => ListenError::InUse { address, host },
                io::ErrorKind::PermissionDenied => ListenError::Permission { address, host },
                _ => ListenError::Other { address, source },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_bare_port_is_reached_by_both_families() {
        let listeners = bind_all(&[ListenAddress::Any(0)]).await.unwrap();
        let address = listeners[0].local_addr().unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).await.unwrap();
        if address.is_ipv6() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, address.port())).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_up() {
        let listeners = bind_all(&[ListenAddress::Name("localhost".to_string(), 0)]).await.unwrap();
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap().ip().is_loopback()));
    }

    #[tokio::test]
    async fn a_taken_port_says_what_to_type() {
        let first = bind_all(&[ListenAddress::Address(SocketAddr::from(([127, 0, 0, 1], 0)))]).await.unwrap();
        let taken = first[0].local_addr().unwrap();
        let error = bind_all(&[ListenAddress::Address(taken)]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {taken}: address in use; stop the other program or choose another port \
                 with --web.listen-address=127.0.0.1:PORT"
            )
        );
    }

    #[tokio::test]
    async fn a_name_without_an_address_says_what_to_type() {
        let error =
            bind_all(&[ListenAddress::Name("no such name".to_string(), 1)]).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot listen on no such name:1: "), "{error}");
        assert!(error.ends_with("; give an IP address with --web.listen-address=IP:PORT"), "{error}");
    }

    #[tokio::test]
    async fn no_socket_from_systemd_says_what_to_do() {
        let error = bind(&Listen::Systemd).await.unwrap_err().to_string();
        assert_eq!(
            error,
            "systemd has handed over no socket; start the exporter by a .socket unit, or leave out --web.systemd-socket"
        );
    }
}
