//! One copy of each text that many entities have in common: most processes of a host are in a few cgroups and have a few names.

use std::borrow::Cow;
use std::sync::Arc;

use crate::maps::FastSet;

/// Texts are not looked through for those that nobody uses any more before there are so many.
const AT_LEAST: usize = 1024;

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

/// Texts that are in use.
#[derive(Debug)]
pub(super) struct Names {
    known: FastSet<Arc<str>>,
    /// When there are so many, those that nobody uses are forgotten.
    sweep_at: usize,
}

impl Default for Names {
    fn default() -> Names {
        Names { known: FastSet::default(), sweep_at: AT_LEAST }
    }
}

impl Names {
    /// The one copy of `text`.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|text| Arc::strong_count(text) > 1);
            self.sweep_at = AT_LEAST.max(2 * self.known.len());
        }
        let text: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&text));
        text
    }
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

    #[test]
    fn what_is_in_use_has_one_copy_and_what_is_not_is_forgotten() {
        let mut names = Names::default();
        let kept = names.share("/kept");
        for number in 0..10 * AT_LEAST {
            names.share(&number.to_string());
        }
        assert!(names.known.len() <= AT_LEAST);
        assert!(Arc::ptr_eq(&kept, &names.share("/kept")));
        let used: Vec<_> = (0..5 * AT_LEAST).map(|number| names.share(&number.to_string())).collect();
        assert!(used.iter().all(|text| Arc::ptr_eq(text, &names.share(text))));
    }
}
