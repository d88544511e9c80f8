//! Numbers of which two or three digits are enough, in half the space of an `f32`.

use serde::{Deserialize, Serialize};

/// The upper half of an `f32`, which it rounds to: its range, and a precision of one part in 256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bfloat16(u16);

impl From<f32> for Bfloat16 {
    fn from(number: f32) -> Bfloat16 {
        let bits = number.to_bits();
        // Half of what is cut off, to even: but never from one that is a number to one that is not, nor back.
        let rounded = bits.saturating_add(0x7fff + ((bits >> 16) & 1));
        let kept = if f32::from_bits(rounded & 0xffff_0000).is_finite() { rounded } else { bits };
        let quiet = if number.is_nan() { 0x40_0000 } else { 0 };
        Bfloat16(((kept | quiet) >> 16) as u16)
    }
}

impl From<Bfloat16> for f32 {
    fn from(number: Bfloat16) -> f32 {
        f32::from_bits(u32::from(number.0) << 16)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rounded(number: f32) -> f32 {
        Bfloat16::from(number).into()
    }

    #[test]
    fn what_is_no_number_stays_none() {
        assert!(rounded(f32::NAN).is_nan());
        assert!(rounded(f32::from_bits(0x7f80_0001)).is_nan());
        assert_eq!(rounded(f32::INFINITY), f32::INFINITY);
        assert!(rounded(f32::MAX).is_finite());
        assert_eq!([0.0, 1.0, 53.0, 256.0].map(rounded), [0.0, 1.0, 53.0, 256.0]);
    }

    proptest! {
        #[test]
        fn every_number_stays_near(number in proptest::num::f32::NORMAL) {
            let error = (f64::from(rounded(number)) - f64::from(number)).abs();
            prop_assert!(error <= f64::from(number).abs() / 128.0, "{}", rounded(number));
        }
    }
}
