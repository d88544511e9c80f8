//! YAML that people write -> what a module makes of it, or the first line that is wrong, and why. The only user of the
//! library: its complaints are put into our words here.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_saphyr::Error;
use thiserror::Error as ThisError;

pub use serde_saphyr::Spanned;

/// A text, and where it stands.
pub type Text = Spanned<String>;

/// What can be wrong with any file, each in one sentence that says what to write instead.
#[derive(Debug, ThisError)]
pub enum Fault {
    /// The text is no YAML.
    #[error("this is no YAML: {0}")]
    Syntax(String),
    /// A key that there is not.
    #[error("unknown key {key}; {}", nearest(key, known))]
    UnknownKey {
        /// The key.
        key: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// A key is missing that can't be.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A key is there twice.
    #[error("{0} is given twice; give it once")]
    Twice(String),
    /// A value of another type than the key has.
    #[error("this must be {0}")]
    Type(&'static str),
}

/// Makes sense of the whole text.
///
/// # Errors
/// The first fault and its line, from 1.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, (u64, Fault)> {
    serde_saphyr::from_str(text).map_err(|error| wrong(error.without_snippet()))
}

/// Where it stands, from 1.
pub fn line<T>(value: &Spanned<T>) -> u64 {
    value.referenced.line()
}

/// A complaint without the line breaks of what it quotes.
pub fn one_line(complaint: &impl Display) -> String {
    complaint.to_string().replace(char::is_control, " ")
}

/// What to write in place of `key`, of what there is.
pub fn nearest(key: &str, known: &[&str]) -> String {
    let similar = |name: &&&str| strsim::jaro_winkler(key, name);
    let best = known.iter().max_by(|a, b| similar(a).total_cmp(&similar(b)));
    match best.filter(|name| similar(name) > SIMILAR) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("known here are {}", known.join(", ")),
    }
}

/// Likeness from which on one key may be meant by another, 0 to 1.
const SIMILAR: f64 = 0.7;

/// A fault that the library found, in our words where they can say more than its own.
fn wrong(error: &Error) -> (u64, Fault) {
    let line = error.location().map_or(1, |location| location.line().max(1));
    let fault = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            Fault::UnknownKey { key: short(field), known: expected.clone() }
        }
        Error::SerdeMissingField { field, .. } => Fault::Missing(field),
        Error::DuplicateMappingKey { key, .. } => {
            Fault::Twice(key.as_deref().map_or("a key".to_string(), short))
        }
        Error::Unexpected { expected, .. } => Fault::Type(kind(expected)),
        Error::InvalidBooleanStrict { .. } => Fault::Type("true or false"),
        Error::InvalidScalar { ty, .. } => Fault::Type(kind(ty)),
        Error::NullIntoString { .. } => Fault::Type("a text"),
        Error::MultipleDocuments { .. } => Fault::Syntax("it has a second document; keep one".to_string()),
        other => Fault::Syntax(plain(&other.to_string())),
    };
    (line, fault)
}

/// Enough of a key to find it: where a quote or a brace is not closed, one takes in what follows, lines and secrets with it.
fn short(key: &str) -> String {
    let line = key.split(char::is_control).next().unwrap_or_default();
    match line.char_indices().nth(LONGEST_KEY) {
        None if line.len() == key.len() => key.to_string(),
        end => format!("{}…", &line[..end.map_or(line.len(), |(end, _)| end)]),
    }
}

/// Characters of a key that are told: no key of ours has as many.
const LONGEST_KEY: usize = 40;

/// What an operator calls what the library expected.
fn kind(expected: &str) -> &'static str {
    match expected {
        "sequence start" => "a list",
        "mapping start" => "a mapping of keys to values",
        "boolean" => "true or false",
        text if text.contains("string") => "a text; put quotes around it if it has braces or brackets",
        _ => "a number",
    }
}

/// The library's own words, without the place that we state in front.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.rsplit_once(" at line ").map_or(line, |(message, _)| message).to_string()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Limit {
        #[serde(rename = "burst")]
        _burst: u32,
    }

    fn complaint(text: &str) -> String {
        from_str::<Limit>(text).map(drop).unwrap_err().1.to_string()
    }

    #[test]
    fn of_a_key_no_more_is_told_than_it_takes_to_find_it() {
        assert_eq!(complaint("birst: 1"), "unknown key birst; did you mean burst?");
        let taken_in = format!("{{ \"in\nterval {}", "-----BEGIN PRIVATE KEY-----\n".repeat(9));
        for (text, told) in [
            (format!("{taken_in}\": 1 }}"), "in terval -----BEGIN PRIVATE KEY----- --…"),
            (format!("? |\n  two\n  lines\n: {}", 1), "two…"),
            (format!("{}: 1", "\u{e4}".repeat(50)), &format!("{}…", "\u{e4}".repeat(40))),
        ] {
            assert!(complaint(&text).starts_with(&format!("unknown key {told}; ")), "{}", complaint(&text));
        }
        let twice = complaint(&format!("burst: 1\n{0}: 1\n{0}: 2", "x".repeat(60)));
        assert!(twice.len() < 120 && !twice.contains('\n'), "{twice}");
    }
}
