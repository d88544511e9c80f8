//! How good is the verdict? Labelled series in, precision, recall, delay and their bounds out.

pub mod baselines;
pub mod floors;
pub mod generate;
pub mod goal;
pub mod host;
pub mod measure;
pub mod method;
pub mod ours;
pub mod recordings;
pub mod report;
pub mod run;
pub mod split;
pub mod targets;
#[cfg(test)]
mod testing;
pub mod trace;
