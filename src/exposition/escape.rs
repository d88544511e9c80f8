//! Text between other text.

/// Appends `raw` with backslash and line feed escaped, and the quote where quotes delimit the text.
pub(super) fn push_escaped(text: &mut Vec<u8>, raw: &str, quoted: bool) {
    let mut rest = raw.as_bytes();
    // All three are ASCII, so a search of bytes never ends within a character.
    while let Some(at) = next_special(rest, quoted) {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(match rest[at] {
            b'\n' => b"\\n",
            b'"' => b"\\\"",
            _ => b"\\\\",
        });
        rest = &rest[at + 1..];
    }
    text.extend_from_slice(rest);
}

fn next_special(bytes: &[u8], quoted: bool) -> Option<usize> {
    let is_special = |byte: &u8| matches!(byte, b'\\' | b'\n') || (quoted && *byte == b'"');
    // Nearly all text has none. A look that does not stop at the first looks at many bytes at once.
    let has_any = bytes.iter().fold(false, |found, byte| found | is_special(byte));
    if has_any { bytes.iter().position(is_special) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quote_is_escaped_only_within_quotes() {
        for (quoted, expected) in
            [(true, "a\\\\b\\n\\\"c\\\" größe 💧\r\t{}"), (false, "a\\\\b\\n\"c\" größe 💧\r\t{}")]
        {
            let mut text = Vec::new();
            push_escaped(&mut text, "a\\b\n\"c\" größe 💧\r\t{}", quoted);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
