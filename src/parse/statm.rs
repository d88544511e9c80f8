//! /proc/PID/statm: resident memory where the kernel is older than 4.5.

use super::ParseError;
use super::text::{next_number, words};

/// What /proc/PID/statm says (proc_pid_statm(5)). Pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statm {
    /// Everything resident.
    pub resident: u64,
    /// The part of it that files and shared memory back.
    pub shared: u64,
}

impl Statm {
    /// Private anonymous pages: exactly what is resident and not backed.
    pub fn anon(&self) -> u64 {
        self.resident.saturating_sub(self.shared)
    }
}

/// Reads the one line of /proc/PID/statm: size, resident, shared, text, lib, data, dt.
///
/// ```text
/// 765 432 404 5 0 90 0
/// ```
///
/// # Errors
/// When a figure is missing or is no number.
pub fn parse(text: &[u8]) -> Result<Statm, ParseError> {
    let mut fields = words(text).skip(1);
    let resident = next_number("resident", &mut fields)?;
    let shared = next_number("shared", &mut fields)?;
    Ok(Statm { resident, shared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_is_what_nothing_backs() {
        let statm = parse(b"765 432 404 5 0 90 0\n").unwrap();
        assert_eq!(statm, Statm { resident: 432, shared: 404 });
        assert_eq!(statm.anon(), 28);
        assert_eq!(Statm { resident: 1, shared: 2 }.anon(), 0);
    }

    #[test]
    fn short_or_odd_lines_are_errors() {
        assert_eq!(parse(b""), Err(ParseError::Missing("resident")));
        assert_eq!(parse(b"1 2\n"), Err(ParseError::Missing("shared")));
        assert!(matches!(parse(b"1 two 3\n"), Err(ParseError::NotANumber { field: "resident", .. })));
    }
}
