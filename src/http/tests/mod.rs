//! The server over real sockets, on ports that the system chooses.

mod clients;
mod harness;
mod openapi;
mod routes;
mod shutdown;
