//! What may be tuned on, and what is kept for the end.

/// Seeds that detectors may be tuned on.
pub const TUNING: std::ops::RangeInclusive<u64> = 1..=99;

/// The seed that figures are published of, never tuned on.
pub const FINAL: u64 = 20_261_123;
