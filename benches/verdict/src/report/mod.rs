//! From figures to tables, plots and a page.

mod activity;
mod document;
mod errors;
mod findings;
mod plots;
mod section;
mod spans;
mod svg;
mod text;

pub use document::{DocumentError, write};
pub use findings::{Baseline, Findings};
pub use section::{Drawing, Section};
