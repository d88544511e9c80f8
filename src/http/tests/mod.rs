//! The server over real sockets, on ports that the system chooses.

mod clients;
mod formats;
mod harness;
mod openapi;
mod routes;
mod shutdown;
