//! The server over real sockets, on ports that the system chooses.

mod anything;
mod clients;
mod crowd;
mod formats;
mod harness;
mod http2;
mod malformed;
mod openapi;
mod routes;
mod shutdown;
mod tls;
