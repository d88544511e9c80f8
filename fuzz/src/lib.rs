//! Everything that comes from outside, one function for each fuzz target. None may panic; what the exporter makes of it has to be
//! well formed. A plain test runs each over its corpus.
#![forbid(unsafe_code)]

mod checker;
mod exposition;
mod http;
mod parsers;
mod state;
mod texts;
mod world;

pub use exposition::{Names, exposition};
pub use http::http;
pub use parsers::{cgroup_files, host_files, process_files};
pub use state::state;
pub use texts::{configuration, recording, web_configuration};

#[cfg(test)]
mod tests;
