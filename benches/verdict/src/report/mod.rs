//! From figures to tables and plots.

mod text;

pub use text::{Table, calibration_table, class_table, method_table, warning_table};
