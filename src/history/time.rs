//! Which times, and numbers of blocks, can come of samples. What was read back from a file is asked before any arithmetic
//! relies on it.

/// Seconds before and after the epoch: five thousand years, beyond any time lapse.
const FARTHEST: f64 = 1.6e11;

/// Blocks before and after the epoch: more than there are of the narrowest in that time.
const MOST: i64 = 1 << 40;

/// Whether samples may have been taken at `seconds`.
pub fn is_time(seconds: f64) -> bool {
    seconds.abs() <= FARTHEST
}

/// Whether there may be a block, or an hour, of that number.
pub fn is_number(number: i64) -> bool {
    number.unsigned_abs() <= MOST.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::super::width;
    use super::*;

    #[test]
    fn every_time_has_a_block_and_what_is_no_number_is_no_time() {
        assert!(is_time(1.8e9) && is_time(-FARTHEST));
        assert!(is_number((FARTHEST / width(0)) as i64));
        for never in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e12] {
            assert!(!is_time(never), "{never}");
        }
        assert!(!is_number(i64::MIN) && !is_number(i64::MAX));
    }
}
