//! Which column stands where, from the first line of a recording.

use super::fault::Fault;
use super::lines::Record;

const TIME: &str = "time";
const BYTES: &str = "bytes";
const ENTITY: &str = "entity";
const LIMIT: &str = "limit_bytes";
const START: &str = "start_time";
const CPU: &str = "cpu_seconds";

const KNOWN: [&str; 6] = [TIME, BYTES, ENTITY, LIMIT, START, CPU];

/// A column is meant by a name that is no more different from its own.
const SIMILAR: f64 = 0.7;

/// Where one column stands, and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) place: usize,
}

/// The columns of one recording.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) time: Column,
    pub(super) bytes: Column,
    pub(super) entity: Option<Column>,
    pub(super) limit: Option<Column>,
    pub(super) start: Option<Column>,
    pub(super) cpu: Option<Column>,
    /// How many there are, unknown ones included.
    pub(super) count: usize,
    /// Names that mean nothing here.
    pub(super) unknown: Vec<String>,
}

impl Columns {
    /// What the first line says.
    ///
    /// # Errors
    /// When a column is missing that can't be, or is there twice.
    pub(super) fn read(header: &Record) -> Result<Columns, Fault> {
        let names: Vec<String> = header.iter().map(name).collect();
        let unknown: Vec<String> =
            names.iter().filter(|name| !KNOWN.contains(&name.as_str())).cloned().collect();
        let find = |column: &'static str| {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == column);
            match (places.next(), places.next()) {
                (Some(_), Some(_)) => Err(Fault::ColumnTwice(column)),
                (first, _) => Ok(first.map(|(place, _)| Column { name: column, place })),
            }
        };
        let required = |column: &'static str| {
            let missing = || Fault::NoColumn { column, similar: nearest(column, &unknown) };
            find(column)?.ok_or_else(missing)
        };
        Ok(Columns {
            time: required(TIME)?,
            bytes: required(BYTES)?,
            entity: find(ENTITY)?,
            limit: find(LIMIT)?,
            start: find(START)?,
            cpu: find(CPU)?,
            count: names.len(),
            unknown,
        })
    }

    /// The known column that is missing and may be meant by `unknown`.
    pub(super) fn meant_by(&self, unknown: &str) -> Option<&'static str> {
        let optional = [(ENTITY, self.entity), (LIMIT, self.limit), (START, self.start), (CPU, self.cpu)];
        let missing = optional.into_iter().filter(|(_, column)| column.is_none());
        missing.map(|(name, _)| name).find(|name| are_similar(name, unknown))
    }
}

/// Without the mark that some programs put before a text in UTF-8.
fn name(field: &[u8]) -> String {
    let field = field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field);
    String::from_utf8_lossy(field).trim().to_string()
}

fn nearest(column: &str, unknown: &[String]) -> Option<String> {
    unknown.iter().find(|unknown| are_similar(column, unknown)).cloned()
}

fn are_similar(one: &str, other: &str) -> bool {
    strsim::normalized_damerau_levenshtein(one, &other.to_lowercase()) >= SIMILAR
}
