//! memleak-exporter: which program leaks memory, how sure that is, and why.

pub mod config;
pub mod entity;
pub mod human;
pub mod parse;
pub mod sample;
pub mod source;
