//! Recorded series, judged by the code that judges live.

mod replay;

pub use replay::{Replay, Row};
