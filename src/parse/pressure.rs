//! memory.pressure: how long tasks stood still for want of memory.

use std::time::Duration;

use super::ParseError;
use super::text::{lines, number, set_once, word_value};

/// Time lost since the cgroup was made or the machine started (Documentation/accounting/psi.rst).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// While at least one task stood still.
    pub some: Duration,
    /// While all that had something to do stood still at once. `None` where the kernel does not tell.
    pub full: Option<Duration>,
}

/// Reads memory.pressure of a cgroup or of the machine. Averages are left alone: differences of the totals say the same
/// over any time.
///
/// ```text
/// some avg10=0.00 avg60=0.00 avg300=0.00 total=54321
/// full avg10=0.00 avg60=0.00 avg300=0.00 total=12345
/// ```
///
/// # Errors
/// When the line of `some` is missing, or a line has no total in microseconds or is there twice.
pub fn parse(text: &[u8]) -> Result<Pressure, ParseError> {
    let (mut some, mut full) = (None, None);
    for (key, values) in lines(text).map(word_value) {
        match key {
            b"some" => set_once("some", &mut some, total(values)?)?,
            b"full" => set_once("full", &mut full, total(values)?)?,
            _ => {}
        }
    }
    Ok(Pressure { some: some.ok_or(ParseError::Missing("some"))?, full })
}

fn total(values: &[u8]) -> Result<Duration, ParseError> {
    let mut words = values.split(u8::is_ascii_whitespace);
    let total = words.find_map(|word| word.strip_prefix(b"total="));
    number("total", total.ok_or(ParseError::Missing("total"))?).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_microseconds() {
        let text = b"some avg10=1.50 avg60=0.00 avg300=0.00 total=54321\n\
            full avg10=0.00 avg60=0.00 avg300=0.00 total=12345\n";
        let expected =
            Pressure { some: Duration::from_micros(54321), full: Some(Duration::from_micros(12345)) };
        assert_eq!(parse(text), Ok(expected));
        assert_eq!(parse(b"some total=7\n"), Ok(Pressure { some: Duration::from_micros(7), full: None }));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(parse(b""), Err(ParseError::Missing("some")));
        assert_eq!(parse(b"full total=1\n"), Err(ParseError::Missing("some")));
        assert_eq!(parse(b"some avg10=0.00\n"), Err(ParseError::Missing("total")));
        assert_eq!(parse(b"some total=1\nsome total=1\n"), Err(ParseError::Repeated("some")));
        assert!(matches!(parse(b"some total=1.5\n"), Err(ParseError::NotANumber { field: "total", .. })));
        assert!(parse(b"some total=1\nfull total=\n").is_err());
    }
}
