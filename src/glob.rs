//! Patterns of names: `*` stands for anything, `?` for one character, everything else for itself.

use regex::Regex;

/// A pattern that a whole text matches or does not.
#[derive(Clone, Debug)]
pub struct Glob(Regex);

/// Equal patterns match the same texts.
impl PartialEq for Glob {
    fn eq(&self, other: &Glob) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Glob {
    /// The pattern as written; any text is one.
    ///
    /// # Errors
    /// When it is longer than a regular expression may be.
    pub fn new(pattern: &str) -> Result<Glob, regex::Error> {
        let inner = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
        Ok(Glob(Regex::new(&format!("(?s)^{inner}$"))?))
    }

    /// Whether the whole of `text` is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything_and_the_rest_for_itself() {
        for (pattern, text, expected) in [
            ("web", "web", true),
            ("web", "web2", false),
            ("web", "a web", false),
            ("web*", "web-1", true),
            ("*.slice/*", "/system.slice/a.service", true),
            ("a.c", "abc", false),
            ("w?b", "wéb", true),
            ("*", "", true),
            ("*", "two\nlines", true),
            (r"\*", r"\x", true),
            ("[a]", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }
}
