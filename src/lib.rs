//! memleak-exporter: which program leaks memory, how sure that is, and why.

pub mod config;
pub mod detector;
pub mod entity;
pub mod history;
pub mod human;
pub mod parse;
pub mod sample;
pub mod source;
