//! From figures to tables, plots and a page.

mod document;
mod findings;
mod plots;
mod svg;
mod text;

pub use document::{DocumentError, write};
pub use findings::{Baseline, Findings};
pub use text::{Table, calibration_table, class_table, method_table, warning_table};
