//! YAML that people write -> what a module makes of it, or the first line that is wrong, and why. The only user of the
//! library: its complaints are put into our words here.

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
            Fault::UnknownKey { key: field.clone(), known: expected.clone() }
        }
        Error::SerdeMissingField { field, .. } => Fault::Missing(field),
        Error::DuplicateMappingKey { key, .. } => {
            Fault::Twice(key.clone().unwrap_or_else(|| "a key".to_string()))
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
