//! From figures to tables and plots.

mod findings;
mod text;

pub use findings::{Baseline, Findings};
pub use text::{Table, calibration_table, class_table, method_table, warning_table};
