//! A number that may be absent without taking more room for that: each life at rest has several of them.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// An `f64` of which an [`Option`] takes eight bytes and not sixteen. Its bits are kept inverted, so that all numbers are
/// among them, and of what is no number all but one, for which another stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "f64", from = "f64")]
pub struct Number(NonZeroU64);

impl Number {
    /// What it is.
    pub fn get(self) -> f64 {
        f64::from_bits(!self.0.get())
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Number {
        Number(NonZeroU64::new(!number.to_bits()).unwrap_or(NonZeroU64::MIN))
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> f64 {
        number.get()
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn absence_takes_no_room_and_what_is_no_number_stays_none() {
        assert_eq!(size_of::<Option<Number>>(), size_of::<f64>());
        assert_eq!(size_of::<Option<(Number, f64)>>(), 2 * size_of::<f64>());
        assert!(Number::from(f64::from_bits(u64::MAX)).get().is_nan());
    }

    proptest! {
        #[test]
        fn every_number_is_itself(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(bits != u64::MAX);
            prop_assert_eq!(Number::from(number).get().to_bits(), bits);
        }
    }
}
