//! Text -> records, each with the number of its line.

use std::io::{self, Chain, Read};

use csv::{ByteRecord, Position, ReaderBuilder, Terminator};

/// The records of a text, one at a time.
pub(super) struct Lines {
    csv: csv::Reader<Chain<Box<dyn Read>, &'static [u8]>>,
    record: ByteRecord,
}

impl Lines {
    /// From the beginning of `text`.
    pub(super) fn new(text: Box<dyn Read>) -> Lines {
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
    ///
    /// # Errors
    /// When the text can't be read.
    pub(super) fn next(&mut self) -> io::Result<bool> {
        while self.csv.read_byte_record(&mut self.record)? {
            if self.record.len() > 1 || self.record.get(0).is_some_and(|field| !field.trim_ascii().is_empty())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The record that it has come to.
    pub(super) fn record(&self) -> &ByteRecord {
        &self.record
    }

    /// The line on which that begins, from 1.
    pub(super) fn number(&self) -> u64 {
        // The library counts blank lines before a record to it.
        let feeds = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let began = self.record.position().map_or(1, Position::line);
        began.max(self.csv.position().line().saturating_sub(1 + feeds))
    }
}
