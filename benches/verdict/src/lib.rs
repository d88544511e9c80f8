//! How good is the verdict? Labelled series in, precision, recall, delay and their bounds out.

pub mod measure;
pub mod method;
pub mod ours;
pub mod report;
pub mod run;
#[cfg(test)]
mod testing;
pub mod trace;
