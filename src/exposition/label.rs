//! Labels of samples.

use std::borrow::Cow;

use super::escape::push_escaped;

/// A label's name and value.
pub type Label<'a> = (&'a str, Cow<'a, str>);

/// Labels as they are written, `a="b",c="d"`: once for all samples that have them, and without braces, so that each
/// may have more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Labels<'a> {
    /// No label.
    pub const NONE: Labels<'static> = Labels(&[]);

    /// What [`push_label`] wrote for one sample.
    pub(super) fn written(text: &'a [u8]) -> Labels<'a> {
        Labels(text)
    }

    /// Appends them with `more` behind them, in braces if there are any.
    pub(super) fn push_to(self, line: &mut Vec<u8>, more: &[(&str, &str)]) {
        if self.0.is_empty() && more.is_empty() {
            return;
        }
        line.push(b'{');
        line.extend_from_slice(self.0);
        for (at, (name, value)) in more.iter().enumerate() {
            push_label(line, at == 0 && self.0.is_empty(), name, value);
        }
        line.push(b'}');
    }

    /// The same with more that are written already.
    pub(super) fn push_joined_to(self, line: &mut Vec<u8>, more: Labels<'_>) {
        let separator: &[u8] = if self.0.is_empty() || more.0.is_empty() { b"" } else { b"," };
        for part in [b"{", self.0, separator, more.0, b"}"] {
            line.extend_from_slice(part);
        }
    }
}

/// Appends a label, after a comma unless it is the first.
pub(super) fn push_label(text: &mut Vec<u8>, is_first: bool, name: &str, value: &str) {
    if !is_first {
        text.push(b',');
    }
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"=\"");
    push_escaped(text, value, true);
    text.push(b'"');
}
