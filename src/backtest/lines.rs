//! Text -> records, each with the number of its line.

use std::io::{self, BufRead, Chain, Cursor, Read as _};
use std::ops::Range;

use csv::{ByteRecord, Position, ReaderBuilder, Terminator};

/// The records of a text, one at a time.
pub(super) struct Lines {
    text: Text,
    record: Record,
}

enum Text {
    /// A record is a line so far, and its fields are what is between commas.
    Plain { text: Box<dyn BufRead>, number: u64 },
    /// From the first line on whose quotes are more than that.
    Quoted(Box<Quoted>),
    /// All has been read.
    Done { number: u64 },
}

/// A line that has been read, all that follows, and an end of the last line.
type Rest = Chain<Chain<Cursor<Vec<u8>>, Box<dyn BufRead>>, &'static [u8]>;

struct Quoted {
    csv: csv::Reader<Rest>,
    /// Lines before it.
    before: u64,
    record: ByteRecord,
}

/// The fields of one record.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    text: Vec<u8>,
    fields: Vec<Range<usize>>,
}

impl Lines {
    /// From the beginning of `text`.
    pub(super) fn new(text: Box<dyn BufRead>) -> Lines {
        Lines { text: Text::Plain { text, number: 0 }, record: Record::default() }
    }

    /// Goes on to the next record that is not blank; false at the end.
    ///
    /// # Errors
    /// When the text can't be read.
    pub(super) fn next(&mut self) -> io::Result<bool> {
        while self.advance()? {
            if self.record.len() > 1 || self.record.get(0).is_some_and(|field| !field.trim_ascii().is_empty())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The record that it has come to.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// The line on which that begins, from 1.
    pub(super) fn number(&self) -> u64 {
        match &self.text {
            Text::Plain { number, .. } | Text::Done { number } => *number,
            Text::Quoted(quoted) => quoted.number(),
        }
    }

    fn advance(&mut self) -> io::Result<bool> {
        match &mut self.text {
            Text::Plain { text, number } => {
                if !self.record.read_line(text)? {
                    return Ok(false);
                }
                *number += 1;
                if self.record.split() {
                    return Ok(true);
                }
            }
            Text::Quoted(quoted) => return quoted.read(&mut self.record),
            Text::Done { .. } => return Ok(false),
        }
        let number = self.number();
        if let Text::Plain { text, .. } = std::mem::replace(&mut self.text, Text::Done { number }) {
            let first = std::mem::take(&mut self.record.text);
            self.text = Text::Quoted(Box::new(Quoted::new(first, text, number - 1)));
        }
        self.advance()
    }
}

impl Quoted {
    /// From the line `first` on, `before` which there were so many.
    fn new(first: Vec<u8>, rest: Box<dyn BufRead>, before: u64) -> Quoted {
        // Lengths are checked where it can be said what is expected. A line ends at its line feed, so that it can be
        // numbered, and the last one has one, too; a carriage return before that is blank.
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(Cursor::new(first).chain(rest).chain(&b"\n"[..]));
        Quoted { csv, before, record: ByteRecord::new() }
    }

    fn read(&mut self, record: &mut Record) -> io::Result<bool> {
        let found = self.csv.read_byte_record(&mut self.record)?;
        record.text.clear();
        record.text.extend_from_slice(self.record.as_slice());
        record.fields.clear();
        record.fields.extend((0..self.record.len()).filter_map(|place| self.record.range(place)));
        Ok(found)
    }

    fn number(&self) -> u64 {
        // The library counts blank lines before a record to it.
        let feeds = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let began = self.record.position().map_or(1, Position::line);
        self.before + began.max(self.csv.position().line().saturating_sub(1 + feeds))
    }
}

impl Record {
    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// One field.
    pub(super) fn get(&self, place: usize) -> Option<&[u8]> {
        self.text.get(self.fields.get(place)?.clone())
    }

    /// All fields.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// Takes in the next line as it is; false at the end.
    fn read_line(&mut self, text: &mut dyn BufRead) -> io::Result<bool> {
        self.text.clear();
        Ok(text.read_until(b'\n', &mut self.text)? > 0)
    }

    /// Finds the fields of the line that was taken in; false where quotes do more than stand around one field each.
    fn split(&mut self) -> bool {
        self.fields.clear();
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        let mut from = 0;
        loop {
            let Some(field) = field(text, from) else {
                return false;
            };
            // Behind the closing quote, where there is one.
            let end = field.end + usize::from(field.start > from);
            self.fields.push(field);
            if end == text.len() {
                return true;
            }
            from = end + 1;
        }
    }
}

/// The field that begins at `from`, without quotes around it; `None` where it is not as simple as that.
fn field(text: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = &text[from..];
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let length = quoted.iter().position(|byte| *byte == b'"')?;
        let ends = quoted.get(length + 1).is_none_or(|byte| *byte == b',');
        return ends.then_some(from + 1..from + 1 + length);
    }
    // What numbers and names are made of comes after both, so that one look is enough for most.
    let is_special = |byte: &u8| *byte <= b',' && (*byte == b',' || *byte == b'"');
    let length = rest.iter().position(is_special).unwrap_or(rest.len());
    (rest.get(length) != Some(&b'"')).then_some(from..from + length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Records, each after the number of its line.
    type Found = Vec<(u64, Vec<Vec<u8>>)>;

    fn records(mut lines: Lines) -> Found {
        let mut found = Vec::new();
        while lines.next().unwrap() {
            found.push((lines.number(), lines.record().iter().map(<[u8]>::to_vec).collect()));
        }
        found
    }

    fn plainly(text: &'static [u8]) -> (Found, bool) {
        let mut lines = Lines::new(Box::new(text));
        while lines.next().unwrap() {}
        (records(Lines::new(Box::new(text))), matches!(lines.text, Text::Plain { .. }))
    }

    #[test]
    fn quotes_around_a_field_are_no_trouble_and_others_are_left_to_the_library() {
        let row = |number, fields: &[&str]| {
            (number, fields.iter().map(|field| field.as_bytes().to_vec()).collect())
        };
        let expected = vec![row(1, &["time", "a,b"]), row(3, &["1", ""])];
        assert_eq!(plainly(b"time,\"a,b\"\n\n1,"), (expected, true));
        let expected = vec![row(1, &["a", "b"]), row(2, &["1", "\"\n"]), row(4, &["2", "3"])];
        assert_eq!(plainly(b"a,b\n1,\"\"\"\n\"\n2,3\n"), (expected, false));
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_the_library_reads_it(text in "[ab,,\"\"\r\n\n é]{0,60}") {
            let by_library = Quoted::new(Vec::new(), Box::new(Cursor::new(text.clone())), 0);
            let by_library = Lines { text: Text::Quoted(Box::new(by_library)), record: Record::default() };
            let mut found = records(Lines::new(Box::new(Cursor::new(text.clone()))));
            let mut expected = records(by_library);
            // Of a quote that nothing closes, which only the last can have, it takes the end of the text for one more line.
            for last in [found.last_mut(), expected.last_mut()].into_iter().flatten() {
                if last.1.last().is_some_and(|field| field.ends_with(b"\n")) {
                    last.0 = 0;
                }
            }
            prop_assert_eq!(found, expected, "{:?}", text);
        }
    }
}
