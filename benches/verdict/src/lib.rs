//! How good is the verdict? Labelled series in, precision, recall, delay and their bounds out.

pub mod generate;
pub mod trace;
