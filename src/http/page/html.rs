//! Text into HTML.

use std::fmt::{self, Display, Write};
use std::time::{Duration, SystemTime};

use crate::human::is_layout;

/// Shows anything as text of an element or of a quoted attribute, whatever characters it has. Characters that
/// can't be seen and would tell a browser something, such as to turn the direction of all that follows, show as `�`.
pub(super) struct Escaped<T>(pub(super) T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// A name that others have chosen, as text apart from what stands around it, in whichever direction it is written.
pub(super) struct Name<T>(pub(super) T);

impl<T: Display> Display for Name<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<bdi>{}</bdi>", Escaped(&self.0))
    }
}

/// A time in seconds since the epoch, to the second.
pub(super) struct Utc(pub(super) f64);

impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(self.0).unwrap_or_default();
        let machine = humantime::format_rfc3339_seconds(time).to_string();
        let human = machine.replace('T', " ").replace('Z', " UTC");
        write!(f, "<time datetime=\"{machine}\">{human}</time>")
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, found)) = rest.char_indices().find(|(_, c)| entity(*c).is_some()) {
            self.0.write_str(&rest[..at])?;
            self.0.write_str(entity(found).unwrap_or_default())?;
            rest = &rest[at + found.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

/// What to write in place of a character that is no plain text.
fn entity(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        control if control.is_control() || is_layout(control) => Some("\u{fffd}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(Escaped("a<b> & \"c\" 'ü'").to_string(), "a&lt;b&gt; &amp; &quot;c&quot; &#39;ü&#39;");
    }

    #[test]
    fn nothing_in_a_text_moves_its_surroundings() {
        assert_eq!(
            Escaped("a\0\n\u{1b}[31m\u{7f}\u{85}b").to_string(),
            "a\u{fffd}\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd}b"
        );
        assert_eq!(Name("evil\u{202e}txt\u{2069}").to_string(), "<bdi>evil\u{fffd}txt\u{fffd}</bdi>");
        assert_eq!(
            Utc(1.7e9 + 0.9).to_string(),
            "<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13:20 UTC</time>"
        );
        assert_eq!(Name("שלום").to_string(), "<bdi>שלום</bdi>");
    }
}
