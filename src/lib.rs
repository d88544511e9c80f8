//! memleak-exporter: which program leaks memory, how sure that is, and why.

pub mod config;
pub mod detector;
pub mod entity;
pub mod exposition;
pub mod group;
pub mod history;
pub mod http;
pub mod human;
pub mod parse;
pub mod rollup;
pub mod sample;
pub mod sampler;
pub mod selection;
pub mod snapshot;
pub mod source;
pub mod watch;
