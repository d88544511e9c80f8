//! From readings to figures.
//!
//! Each trace is reduced to an [`Outcome`] as soon as it has been read; all figures, at any threshold, come from those.

mod bounds;
mod calibration;
mod classes;
mod curve;
mod figures;
mod outcome;
mod quantile;

pub use bounds::{Rate, Share};
pub use calibration::{Bin, calibration};
pub use classes::{Class, classes};
pub use curve::{best, curve};
pub use figures::{Delay, Figures, Limits, Recovery};
pub use outcome::{Call, Outcome, Rise, SOON, TO_ACT};
pub use quantile::{median, quantile};
