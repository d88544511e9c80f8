//! One record -> the sample and the entity that its columns tell of.

use super::columns::{Column, Columns};
use super::fault::Fault;
use super::field;
use super::lines::Record;
use super::replay::Row;

/// What each column is to hold.
const ENTITY: &str = "a name in UTF-8";
const TIME: &str = "seconds since 1970 such as 1700000000.5, or RFC 3339 such as 2023-11-14T22:13:20Z";
const BYTES: &str = "a number of bytes from 0 to 18446744073709551615, or nothing where a sample is missing";
const LIMIT: &str = "a number of bytes from 1 to 18446744073709551615, or nothing where there is no limit";
const START: &str = "a time as in the column time, or nothing where it is not known";
const CPU: &str = "a number of seconds from 0, or nothing where it is not known";

/// Most characters of a wrong field that are shown.
const SHOWN: usize = 40;

/// The fields of one row.
pub(super) struct Cells<'a> {
    record: &'a Record,
    columns: &'a Columns,
}

impl<'a> Cells<'a> {
    /// # Errors
    /// When there are not as many as there are columns.
    pub(super) fn new(record: &'a Record, columns: &'a Columns) -> Result<Cells<'a>, Fault> {
        if record.len() != columns.count {
            return Err(Fault::Fields { found: record.len(), expected: columns.count });
        }
        Ok(Cells { record, columns })
    }

    /// Who it is about, where there is a column for that.
    ///
    /// # Errors
    /// When that is empty or no text.
    pub(super) fn entity(&self) -> Result<Option<&'a str>, Fault> {
        self.columns.entity.map(|column| self.required(column, ENTITY, name)).transpose()
    }

    /// The sample; `None` where it is missing.
    ///
    /// # Errors
    /// When a field does not hold what its column says, also where the sample is missing.
    pub(super) fn row(&self) -> Result<Option<Row>, Fault> {
        let time = self.required(self.columns.time, TIME, field::time)?;
        let bytes = self.optional(Some(self.columns.bytes), BYTES, field::bytes)?;
        let limit_bytes = self.optional(self.columns.limit, LIMIT, field::limit)?;
        let start_time = self.optional(self.columns.start, START, field::time)?;
        let cpu_seconds = self.optional(self.columns.cpu, CPU, field::seconds)?;
        Ok(bytes.map(|bytes| Row { time, bytes, limit_bytes, start_time, cpu_seconds, executable: None }))
    }

    fn optional<T>(
        &self,
        column: Option<Column>,
        expected: &'static str,
        parse: impl Fn(&'a [u8]) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(column) = column else {
            return Ok(None);
        };
        let text = self.text(column);
        if text.is_empty() { Ok(None) } else { parsed(text, column, expected, parse).map(Some) }
    }

    fn required<T>(
        &self,
        column: Column,
        expected: &'static str,
        parse: impl Fn(&'a [u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        parsed(self.text(column), column, expected, parse)
    }

    fn text(&self, column: Column) -> &'a [u8] {
        self.record.get(column.place).unwrap_or_default().trim_ascii()
    }
}

fn parsed<'a, T>(
    text: &'a [u8],
    column: Column,
    expected: &'static str,
    parse: impl Fn(&'a [u8]) -> Option<T>,
) -> Result<T, Fault> {
    parse(text).ok_or_else(|| Fault::Value { column: column.name, value: shown(text), expected })
}

fn name(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok().filter(|name| !name.is_empty())
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]).into_owned();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
