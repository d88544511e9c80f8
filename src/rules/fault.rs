//! What can be wrong with a configuration file, each in one sentence that says what to write instead.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::entity::Scope;
use crate::yaml::{self, one_line};

/// Why there are no rules.
#[derive(Debug, Error)]
pub enum RulesError {
    /// The file can't be read.
    #[error("cannot read {path}: {source}; give a file that can be read with --config.file")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It can be read and does not make sense.
    #[error("{path}:{line}: {}", one_line(fault))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line that is wrong, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// There is no file.
    #[error("there is nothing to reload: the exporter runs without --config.file")]
    NoFile,
}

/// What is wrong at one line.
#[derive(Debug, Error)]
pub enum Fault {
    /// It is wrong as a file of any kind would be.
    #[error(transparent)]
    Yaml(#[from] yaml::Fault),
    /// A text without a character.
    #[error("{0} is empty; {1}")]
    Empty(&'static str, &'static str),
    /// An item of `process_names` that would match nobody or everybody.
    #[error("nothing says which processes this is about; give comm, exe or cmdline")]
    NoMatcher,
    /// A regular expression that is none.
    #[error("the regular expression {expression:?} can't be used: {reason}")]
    Expression {
        /// As written.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Braces that don't end.
    #[error("the template {0:?} has {{{{ without }}}}")]
    OpenTemplate(String),
    /// Something between braces that is not supported.
    #[error(
        "the template has {{{{{0}}}}}, which is unknown; known are .Comm, .ExeBase, .ExeFull, .Username, .PID, \
         .StartTime, .Cgroups and .Matches.NAME"
    )]
    UnknownAction(String),
    /// A capture that no regular expression of the item makes.
    #[error(".Matches.{name} is caught by no cmdline of this item; {}", caught(known))]
    UnknownCapture {
        /// Its name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A scope that there is not.
    #[error("scope {0:?} is none of {scopes}", scopes = Scope::ALL.map(Scope::as_str).join(", "))]
    Scope(String),
    /// A criterion that holds for nothing of its scope.
    #[error("scope {0} has no {1}, so that this matches nothing; leave one of them out")]
    Impossible(Scope, &'static str),
    /// A number of bytes that is none.
    #[error("{0:?} is no number of bytes; write one such as 800MiB or 8GiB")]
    Size(String),
    /// A score that can't be.
    #[error("the threshold {0} is not possible; write a number from 0 up to, but not including, 100")]
    Threshold(f64),
}

fn caught(known: &[String]) -> String {
    match known {
        [] => "name a capture as in (?P<NAME>…)".to_string(),
        known => format!("caught are {}", known.join(", ")),
    }
}
