//! How good is the verdict? Labelled series in, precision, recall, delay and their bounds out.

pub mod baselines;
pub mod floors;
pub mod generate;
pub mod measure;
pub mod method;
pub mod ours;
pub mod recordings;
pub mod report;
pub mod run;
pub mod split;
#[cfg(test)]
mod testing;
pub mod trace;
