//! What the kernel's text files have in common: lines, pairs of key and value, decimal numbers.

use super::ParseError;

/// Most bytes of a wrong value that an error repeats.
const SHOWN_BYTES: usize = 40;

/// The lines, without their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// The words of one line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Splits a line at its first `:`. The value keeps its blanks.
pub(super) fn key_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], &line[colon + 1..]))
}

/// The first word of a line and what follows it, which is empty where there is no blank.
pub(super) fn word_value(line: &[u8]) -> (&[u8], &[u8]) {
    let blank = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    line.split_at(blank)
}

/// Keeps a value whose field must not come again.
///
/// # Errors
/// [`ParseError::Repeated`] when there was one already.
pub(super) fn set_once<T>(field: &'static str, place: &mut Option<T>, value: T) -> Result<(), ParseError> {
    match place.replace(value) {
        Some(_) => Err(ParseError::Repeated(field)),
        None => Ok(()),
    }
}

/// A decimal number, blanks around it apart.
///
/// # Errors
/// [`ParseError::NotANumber`] for anything else, signs included, and for what does not fit.
pub(super) fn number(field: &'static str, text: &[u8]) -> Result<u64, ParseError> {
    digits(text.trim_ascii()).ok_or_else(|| not_a_number(field, text))
}

/// The next word as a number.
///
/// # Errors
/// [`ParseError::Missing`] when there is no further word; else as [`number`].
pub(super) fn next_number<'a>(
    field: &'static str,
    words: &mut impl Iterator<Item = &'a [u8]>,
) -> Result<u64, ParseError> {
    number(field, words.next().ok_or(ParseError::Missing(field))?)
}

/// A number of what the kernel calls `kB` and means as 1024 bytes, in bytes.
///
/// # Errors
/// [`ParseError::NotANumber`] for another unit or none, and for what does not fit.
pub(super) fn kibibytes(field: &'static str, text: &[u8]) -> Result<u64, ParseError> {
    text.trim_ascii()
        .strip_suffix(b" kB")
        .and_then(|value| digits(value.trim_ascii()))
        .and_then(|value| value.checked_mul(1024))
        .ok_or_else(|| not_a_number(field, text))
}

/// The error for a value that is no number.
pub(super) fn not_a_number(field: &'static str, text: &[u8]) -> ParseError {
    let text = text.trim_ascii();
    let shown = &text[..text.len().min(SHOWN_BYTES)];
    ParseError::NotANumber { field, text: String::from_utf8_lossy(shown).into_owned() }
}

/// By hand, because `str::parse` would accept a sign and need a check for UTF-8 first.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_and_fit() {
        assert_eq!(number("x", b" 42\t"), Ok(42));
        assert_eq!(number("x", b"18446744073709551615"), Ok(u64::MAX));
        for wrong in [&b""[..], b"-1", b"+1", b"1 2", b"0x1", b"18446744073709551616", b"\xff"] {
            assert!(matches!(number("x", wrong), Err(ParseError::NotANumber { field: "x", .. })));
        }
    }

    #[test]
    fn words_end_at_the_first_blank() {
        assert_eq!(word_value(b"anon 1 2"), (&b"anon"[..], &b" 1 2"[..]));
        assert_eq!(word_value(b"anon"), (&b"anon"[..], &b""[..]));
        assert_eq!(word_value(b""), (&b""[..], &b""[..]));
    }

    #[test]
    fn kilobytes_need_their_unit_and_must_fit_in_bytes() {
        assert_eq!(kibibytes("x", b"\t    1728 kB"), Ok(1728 * 1024));
        for wrong in [&b"1728"[..], b"1728 MB", b" kB", b"18446744073709551615 kB"] {
            assert!(kibibytes("x", wrong).is_err());
        }
    }

    #[test]
    fn errors_repeat_only_the_beginning() {
        let error = number("x", &[b'z'; 5000]).unwrap_err();
        assert_eq!(error, ParseError::NotANumber { field: "x", text: "z".repeat(SHOWN_BYTES) });
    }
}
