//! Text of a field -> its value.

use std::str;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Later times (after the year 5138) are in milliseconds, most likely.
const LATEST: f64 = 1e11;

/// Every number of so many digits is exact as a float, and so is every power of ten up to it.
const EXACT_DIGITS: usize = 15;
const POWERS: [f64; EXACT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Seconds since the epoch, from a number of them or from RFC 3339; a blank may take the place of the `T`.
pub(super) fn time(text: &[u8]) -> Option<f64> {
    let seconds = number(text).or_else(|| timestamp(text))?;
    (0.0..LATEST).contains(&seconds).then_some(seconds)
}

/// A whole number of bytes. What is written as a fraction is rounded.
pub(super) fn bytes(text: &[u8]) -> Option<u64> {
    whole(text).or_else(|| {
        let bytes = number(text)?.round();
        // The first number that does not fit is exact as a float, and the last that does is not.
        (0.0..18_446_744_073_709_551_616.0).contains(&bytes).then_some(bytes as u64)
    })
}

/// A limit: bytes, and some.
pub(super) fn limit(text: &[u8]) -> Option<u64> {
    bytes(text).filter(|&limit| limit > 0)
}

/// An amount of time, seconds.
pub(super) fn seconds(text: &[u8]) -> Option<f64> {
    number(text).filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

/// Digits alone, which most fields are.
fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { sum.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

fn number(text: &[u8]) -> Option<f64> {
    decimal(text).or_else(|| str::from_utf8(text).ok()?.parse().ok())
}

/// Digits, and a point among them or none, as most fields are, and not too many. Exact: neither side of the division
/// has been rounded.
fn decimal(text: &[u8]) -> Option<f64> {
    if !text.first()?.is_ascii_digit() || text.len() > EXACT_DIGITS {
        return None;
    }
    let (mut digits, mut point) = (0, None);
    for (place, &byte) in text.iter().enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => digits = 10 * digits + u64::from(digit),
            _ if byte == b'.' && point.is_none() => point = Some(place),
            _ => return None,
        }
    }
    let after = point.map_or(0, |point| text.len() - 1 - point);
    Some(digits as f64 / POWERS[after])
}

fn timestamp(text: &[u8]) -> Option<f64> {
    let mut text = str::from_utf8(text).ok()?.to_string();
    if text.as_bytes().get(10) == Some(&b' ') {
        text.replace_range(10..11, "T");
    }
    let time = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    Some(time.unix_timestamp() as f64 + f64::from(time.nanosecond()) * 1e-9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_seconds_or_timestamps() {
        for (text, expected) in [
            ("0", 0.0),
            ("1700000000", 1.7e9),
            ("1700000000.25", 1_700_000_000.25),
            ("1.7e9", 1.7e9),
            ("2023-11-14T22:13:20Z", 1.7e9),
            ("2023-11-14t22:13:20.5z", 1_700_000_000.5),
            ("2023-11-15T00:13:20+02:00", 1.7e9),
            ("2023-11-14T16:43:20-05:30", 1.7e9),
            ("2023-11-14 22:13:20+00:00", 1.7e9),
            ("1970-01-01T00:00:00Z", 0.0),
            ("2016-12-31T23:59:60Z", 1_483_228_799.999_999_999),
        ] {
            assert_eq!(time(text.as_bytes()), Some(expected), "{text}");
        }
        for text in [
            "",
            "-1",
            "NaN",
            "inf",
            "1e400",
            "1700000000000",
            "soon",
            "2023-11-14T22:13:20",
            "2023-11-14",
            "2023-02-30T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "12:00",
            "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4} x",
        ] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
        assert_eq!(time(b"2023-11-14T22:13:20Z\xff"), None);
    }

    proptest! {
        #[test]
        fn a_decimal_is_what_the_library_reads(before in 0_u64..1_000_000_000_000, after in "[0-9]{0,16}") {
            let text = format!("{before}.{after}");
            let expected = text.parse::<f64>().unwrap();
            prop_assert_eq!(number(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{}", text);
        }
    }

    #[test]
    fn bytes_are_whole_and_fit() {
        for (text, expected) in [
            ("0", 0),
            ("1.5e9", 1_500_000_000),
            ("10.5", 11),
            ("+7", 7),
            ("18446744073709551615", u64::MAX),
            ("1.8446744073709550e19", 18_446_744_073_709_549_568),
        ] {
            assert_eq!(bytes(text.as_bytes()), Some(expected), "{text}");
        }
        for text in
            ["", "-1", "1e20", "18446744073709551616", "nan", "Infinity", "0x10", "12 kB", "1_000", "1,5"]
        {
            assert_eq!(bytes(text.as_bytes()), None, "{text}");
        }
        assert_eq!((limit(b"0"), limit(b"1")), (None, Some(1)));
    }

    #[test]
    fn cpu_time_is_no_less_than_nothing() {
        assert_eq!(seconds(b"12.25"), Some(12.25));
        for text in ["-0.1", "inf", "nan", "", "1m"] {
            assert_eq!(seconds(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u64, seconds in 0.0..LATEST) {
            prop_assert_eq!(bytes(number.to_string().as_bytes()), Some(number));
            prop_assert_eq!(time(seconds.to_string().as_bytes()), Some(seconds));
        }

        #[test]
        fn nothing_makes_it_panic(text: Vec<u8>) {
            let _ = (time(&text), bytes(&text), seconds(&text));
        }
    }
}
