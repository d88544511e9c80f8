//! Files below /proc/sys that hold one number.

use super::ParseError;
use super::text::{number, words};

/// Reads /proc/sys/vm/max_map_count (proc_sys_vm(5)): how many mappings one process may have.
///
/// # Errors
/// When there is no number.
pub fn max_map_count(text: &[u8]) -> Result<u64, ParseError> {
    const NAME: &str = "max_map_count";
    number(NAME, words(text.trim_ascii()).next().ok_or(ParseError::Missing(NAME))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_alone() {
        assert_eq!(max_map_count(b"65530\n"), Ok(65_530));
        assert_eq!(max_map_count(b"\n"), Err(ParseError::Missing("max_map_count")));
        assert!(max_map_count(b"many\n").is_err());
    }
}
