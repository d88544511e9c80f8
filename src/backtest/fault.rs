//! What can be wrong with a recording, each in one sentence that says what is expected.

use std::io;

use thiserror::Error;

use crate::config::Input;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum BacktestError {
    /// An input can't be read.
    #[error("cannot read {input}: {source}")]
    Read {
        /// The input.
        input: Input,
        /// Why not.
        source: io::Error,
    },
    /// It can be read and does not make sense.
    #[error("{input}:{line}: {fault}")]
    Wrong {
        /// The input.
        input: Input,
        /// The line that is wrong, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// The verdicts can't be written.
    #[error("cannot write the verdicts: {0}")]
    Write(io::Error),
}

/// What is wrong at one line.
#[derive(Debug, PartialEq, Error)]
pub enum Fault {
    /// There is not even a first line.
    #[error("there is nothing here; expected a first line that names the columns, such as time,bytes")]
    Empty,
    /// A column is missing that can't be.
    #[error(
        "there is no column {column}{}; the first line has to name time and bytes, and may name entity, limit_bytes, \
         start_time and cpu_seconds",
        instead(similar)
    )]
    NoColumn {
        /// The column.
        column: &'static str,
        /// A column that may be meant.
        similar: Option<String>,
    },
    /// A column is there twice.
    #[error("there are two columns {0}; expected one")]
    ColumnTwice(&'static str),
    /// There is a first line and nothing else.
    #[error("there is nothing below the first line; expected a line for each sample")]
    NoRows,
    /// A line is too short or too long.
    #[error("there are {found} fields; expected {expected}, as in the first line")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many columns there are.
        expected: usize,
    },
    /// A field does not hold what its column says.
    #[error("{column} is {value:?}; expected {expected}")]
    Value {
        /// The column.
        column: &'static str,
        /// What is there instead, shortened.
        value: String,
        /// What should be.
        expected: &'static str,
    },
    /// Rows of an entity are not in order of time.
    #[error(
        "time of entity {entity:?} goes back from {before} to {time}; expected rows sorted by time within an entity"
    )]
    Backwards {
        /// The entity.
        entity: String,
        /// Time of the row before, seconds since the epoch.
        before: f64,
        /// Time of this row, seconds since the epoch.
        time: f64,
    },
    /// There are two samples of an entity at the same time.
    #[error("entity {entity:?} has two rows at time {time}; expected one")]
    SameTime {
        /// The entity.
        entity: String,
        /// The time, seconds since the epoch.
        time: f64,
    },
    /// There is no room for so many.
    #[error("there are more than {0} samples; give fewer files at once")]
    TooMany(u64),
}

fn instead(similar: &Option<String>) -> String {
    similar.as_ref().map(|similar| format!(", but one named {similar:?}")).unwrap_or_default()
}
