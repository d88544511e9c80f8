//! Rows of all inputs -> series, every one checked.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{self, Chain, Read};

use csv::{ByteRecord, Position, ReaderBuilder, Terminator};

use super::columns::{Column, Columns};
use super::fault::{BacktestError, Fault};
use super::field;
use super::input::{Opened, default_entity, open};
use super::progress::Progress;
use super::replay::Row;
use super::series::Series;
use crate::config::Input;

/// Rows between two looks at the clock.
const ROWS_A_LOOK: u64 = 1 << 14;

/// Most characters of a wrong field that are shown.
const SHOWN: usize = 40;

/// Takes in all inputs, one after another.
pub(super) struct Reader {
    series: Vec<Series>,
    by_entity: HashMap<Box<[u8]>, usize>,
    /// The series of the last row: the next one often belongs to it, too.
    current: usize,
    samples: u64,
    most_samples: u64,
    /// Unknown columns that have been told of.
    told: BTreeSet<String>,
}

impl Reader {
    /// Takes in no more than `most_samples`.
    pub(super) fn new(most_samples: u64) -> Reader {
        Reader {
            series: Vec::new(),
            by_entity: HashMap::new(),
            current: 0,
            samples: 0,
            most_samples,
            told: BTreeSet::new(),
        }
    }

    /// What was read, in order of first appearance.
    pub(super) fn into_series(self) -> Vec<Series> {
        self.series
    }

    /// Takes in an input, and gives one sentence about columns that are not understood, where there are any new ones.
    ///
    /// # Errors
    /// When it can't be read, or one of its lines makes no sense.
    pub(super) fn read(
        &mut self,
        input: &Input,
        progress: &mut Progress,
    ) -> Result<Option<String>, BacktestError> {
        let failed = |source| BacktestError::Read { input: input.clone(), source };
        let wrong = |line, fault| BacktestError::Wrong { input: input.clone(), line, fault };
        let Opened { text, size, done } = open(input).map_err(failed)?;
        let mut lines = Lines::new(text);
        if !lines.next().map_err(failed)? {
            return Err(wrong(1, Fault::Empty));
        }
        let columns = Columns::read(&lines.record).map_err(|fault| wrong(lines.number(), fault))?;
        let default_entity = default_entity(input);
        let mut rows = 0;
        while lines.next().map_err(failed)? {
            self.take(&lines.record, &columns, &default_entity)
                .map_err(|fault| wrong(lines.number(), fault))?;
            rows += 1;
            if rows % ROWS_A_LOOK == 0 {
                progress.show("reading", done.get(), size, "bytes");
            }
        }
        if rows == 0 {
            return Err(wrong(1, Fault::NoRows));
        }
        Ok(self.tell(input, &columns))
    }

    /// Takes in one row. One without bytes is a scrape that failed.
    fn take(&mut self, record: &ByteRecord, columns: &Columns, default_entity: &str) -> Result<(), Fault> {
        if record.len() != columns.count {
            return Err(Fault::Fields { found: record.len(), expected: columns.count });
        }
        const TIME: &str =
            "seconds since 1970 such as 1700000000.5, or RFC 3339 such as 2023-11-14T22:13:20Z";
        const BYTES: &str =
            "a number of bytes from 0 to 18446744073709551615, or nothing where a sample is missing";
        const LIMIT: &str =
            "a number of bytes from 1 to 18446744073709551615, or nothing where there is no limit";
        const START: &str = "a time as in the column time, or nothing where it is not known";
        const CPU: &str = "a number of seconds from 0, or nothing where it is not known";
        let row = Cells { record };
        let time = row.required(columns.time, TIME, field::time)?;
        let bytes = row.optional(Some(columns.bytes), BYTES, field::bytes)?;
        let limit_bytes = row.optional(columns.limit, LIMIT, field::limit)?;
        let start_time = row.optional(columns.start, START, field::time)?;
        let cpu_seconds = row.optional(columns.cpu, CPU, field::seconds)?;
        let entity = match columns.entity {
            Some(column) => row.required(column, "a name in UTF-8", name)?,
            None => default_entity,
        };
        let series = self.series_of(entity);
        let Some(bytes) = bytes else {
            return Ok(());
        };
        if let Some(before) = series.latest() {
            let entity = || entity.to_string();
            if time < before {
                return Err(Fault::Backwards { entity: entity(), before, time });
            }
            if time == before {
                return Err(Fault::SameTime { entity: entity(), time });
            }
        }
        series.push(Row { time, bytes, limit_bytes, start_time, cpu_seconds, executable: None });
        self.samples += 1;
        if self.samples > self.most_samples { Err(Fault::TooMany(self.most_samples)) } else { Ok(()) }
    }

    fn series_of(&mut self, entity: &str) -> &mut Series {
        let is_current = self.series.get(self.current).is_some_and(|series| series.entity() == entity);
        if !is_current {
            self.current = match self.by_entity.get(entity.as_bytes()) {
                Some(known) => *known,
                None => {
                    self.by_entity.insert(entity.as_bytes().into(), self.series.len());
                    self.series.push(Series::new(entity.to_string()));
                    self.series.len() - 1
                }
            };
        }
        &mut self.series[self.current]
    }

    /// Each unknown column once: there may be hundreds of files alike.
    fn tell(&mut self, input: &Input, columns: &Columns) -> Option<String> {
        let new: Vec<&String> =
            columns.unknown.iter().filter(|&name| self.told.insert(name.clone())).collect();
        let (first, others) = new.split_first()?;
        let mut sentence = format!("{input}: unknown columns are left out: {first:?}");
        for other in others {
            let _ = write!(sentence, ", {other:?}");
        }
        let meant = new.iter().find_map(|name| Some((name, columns.meant_by(name)?)));
        if let Some((name, meant)) = meant {
            let _ = write!(sentence, "; if {name:?} is to be {meant}, call it that");
        }
        Some(sentence)
    }
}

/// The records of a text, one at a time.
struct Lines {
    csv: csv::Reader<Chain<Box<dyn Read>, &'static [u8]>>,
    record: ByteRecord,
}

impl Lines {
    fn new(text: Box<dyn Read>) -> Lines {
        // Lengths are checked where it can be said what is expected. A line ends at its line feed, so that it can be
        // numbered, and the last one has one, too; a carriage return before that is blank.
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(text.chain(&b"\n"[..]));
        Lines { csv, record: ByteRecord::new() }
    }

    /// Goes on to the next record that is not blank; false at the end.
    fn next(&mut self) -> io::Result<bool> {
        while self.csv.read_byte_record(&mut self.record)? {
            if self.record.len() > 1 || self.record.get(0).is_some_and(|field| !field.trim_ascii().is_empty())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The line on which the record begins, from 1.
    fn number(&self) -> u64 {
        // The library counts blank lines before a record to it.
        let feeds = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let began = self.record.position().map_or(1, Position::line);
        began.max(self.csv.position().line().saturating_sub(1 + feeds))
    }
}

/// The fields of one row.
struct Cells<'a> {
    record: &'a ByteRecord,
}

impl<'a> Cells<'a> {
    fn optional<T>(
        &self,
        column: Option<Column>,
        expected: &'static str,
        parse: impl Fn(&'a [u8]) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match column {
            Some(column) if !self.text(column).is_empty() => self.required(column, expected, parse).map(Some),
            _ => Ok(None),
        }
    }

    fn required<T>(
        &self,
        column: Column,
        expected: &'static str,
        parse: impl Fn(&'a [u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        let text = self.text(column);
        parse(text).ok_or_else(|| Fault::Value { column: column.name, value: shown(text), expected })
    }

    fn text(&self, column: Column) -> &'a [u8] {
        self.record.get(column.place).unwrap_or_default().trim_ascii()
    }
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
