//! /proc/PID/limits: what stops a process from growing.

use super::ParseError;
use super::text::{lines, number, words};

/// The soft limits on memory, in bytes, and on open files (proc_pid_limits(5), setrlimit(2)). `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// RLIMIT_AS.
    pub address_space: Option<u64>,
    /// RLIMIT_DATA.
    pub data: Option<u64>,
    /// RLIMIT_NOFILE.
    pub open_files: Option<u64>,
}

/// Reads /proc/PID/limits.
///
/// ```text
/// Limit                     Soft Limit           Hard Limit           Units
/// Max data size             unlimited            unlimited            bytes
/// Max open files            1024                 524288               files
/// Max address space         8589934592           unlimited            bytes
/// ```
///
/// # Errors
/// When one of the three lines is missing or says neither a number nor `unlimited`.
pub fn parse(text: &[u8]) -> Result<Limits, ParseError> {
    Ok(Limits {
        address_space: soft(text, "Max address space")?,
        data: soft(text, "Max data size")?,
        open_files: soft(text, "Max open files")?,
    })
}

fn soft(text: &[u8], name: &'static str) -> Result<Option<u64>, ParseError> {
    let values = lines(text).find_map(|line| line.strip_prefix(name.as_bytes()));
    match values.and_then(|values| words(values).next()).ok_or(ParseError::Missing(name))? {
        b"unlimited" => Ok(None),
        value => number(name, value).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data: &str, address_space: &str) -> String {
        format!(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max cpu time              unlimited            unlimited            seconds   \n\
             Max data size             {data:<20} 99                   bytes     \n\
             Max open files            1024                 524288               files     \n\
             Max address space         {address_space:<20} unlimited            bytes     \n"
        )
    }

    #[test]
    fn soft_limits_count() {
        let limits = parse(text("unlimited", "8589934592").as_bytes()).unwrap();
        assert_eq!(limits, Limits { address_space: Some(8 << 30), data: None, open_files: Some(1024) });
        assert_eq!(parse(text("0", "unlimited").as_bytes()).unwrap().data, Some(0));
    }

    #[test]
    fn missing_and_odd_lines_are_errors() {
        assert_eq!(parse(b"Max data size 1 2 bytes\n"), Err(ParseError::Missing("Max address space")));
        assert_eq!(parse(b"Max address space\n"), Err(ParseError::Missing("Max address space")));
        let odd = parse(text("lots", "1").as_bytes());
        assert!(matches!(odd, Err(ParseError::NotANumber { field: "Max data size", .. })));
    }
}
