//! What is wrong with a command line, in one line: clap explains at length; an operator needs the fault and what to type
//! instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The sentence for `error`.
pub(super) fn one_line(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) if !texts.is_empty() => Some(texts.join(", ")),
        _ => None,
    };
    let flag = context(ContextKind::InvalidArg).unwrap_or_default();
    let name = flag.split(' ').next().unwrap_or_default().trim_end_matches("...").trim_matches(['<', '>']);
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let allowed = context(ContextKind::ValidValue);
    let similar = context(ContextKind::SuggestedArg).or_else(|| context(ContextKind::SuggestedValue));
    match error.kind() {
        ErrorKind::UnknownArgument => match similar.filter(|similar| is_typo_of(name, similar)) {
            Some(similar) => format!("unknown flag {flag}; did you mean {similar}?"),
            None => format!("unknown argument {name}; --help lists the flags"),
        },
        ErrorKind::InvalidValue if value.is_empty() => format!("{name} needs a value: {flag}"),
        ErrorKind::InvalidValue => {
            format!("{name}={value} is not possible; use one of: {}", allowed.unwrap_or_default())
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("{name}={value} is not possible: {reason}")
        }
        ErrorKind::TooManyValues => format!("{name} takes no value"),
        ErrorKind::InvalidSubcommand => {
            let argument = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            match context(ContextKind::SuggestedSubcommand) {
                Some(similar) => format!("unknown command {argument}; did you mean {similar}?"),
                None => format!("unknown argument {argument}; --help lists the flags"),
            }
        }
        ErrorKind::MissingRequiredArgument if flag.starts_with("--") => {
            format!("{} is missing; give it, too", flag.replace(" <", "=<"))
        }
        ErrorKind::MissingRequiredArgument => {
            format!("{name} is missing; --help after the command says what it may be")
        }
        ErrorKind::ArgumentConflict => match context(ContextKind::PriorArg) {
            Some(other) if flag.is_empty() => {
                format!("{other} is for running the exporter; leave it out here")
            }
            Some(other) if other != flag => {
                format!("{flag} and {other} exclude each other; give one of them")
            }
            _ => format!("{flag} may be given only once"),
        },
        _ => first_line(&error.to_string()),
    }
}

/// A few letters away: clap's own guess may be another flag altogether.
fn is_typo_of(flag: &str, similar: &str) -> bool {
    strsim::damerau_levenshtein(flag, similar) <= 3
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string()
}
