//! Names that others have given, as text of bounded length, and what processes share.

use std::borrow::Cow;

use crate::entity::Identity;
use crate::parse::limits::Limits;
use crate::pool::Pool;

/// Most bytes of a name that others have given. Each of an entity's series repeats it; the kernel's own have 15 as a rule.
pub(super) const MAX_NAME_BYTES: usize = 1024;

/// A name as text: what is no UTF-8 is replaced, and what is too long ends with a whole character.
pub(super) fn text(name: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(name) {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_string()),
    }
}

/// As much of `text` as a name may have.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME_BYTES)]
}

/// What processes have in common, one copy of each.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Names and paths.
    pub(super) texts: Pool<str>,
    /// All that names a process.
    pub(super) identities: Pool<Identity>,
    /// What they may take.
    pub(super) limits: Pool<Limits>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_of_bounded_length() {
        assert_eq!(text(b"a\xffb"), "a\u{fffd}b");
        for (unit, expected) in [("x", 1024), ("\u{f6}", 1024), ("\u{20ac}", 1023), ("\u{1f4a9}", 1024)] {
            let name = unit.repeat(2000);
            assert_eq!(text(name.as_bytes()), name[..expected], "{unit}");
        }
        assert_eq!(text(&[0xff; 2000]), "\u{fffd}".repeat(341));
        assert_eq!(text(&[b'x'; 1024]), "x".repeat(1024));
    }
}
