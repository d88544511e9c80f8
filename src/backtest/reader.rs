//! Rows of all inputs -> series, every one checked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::cells::Cells;
use super::columns::Columns;
use super::fault::{BacktestError, Fault};
use super::input::{Opened, default_entity, open};
use super::lines::{Lines, Record};
use super::progress::Progress;
use super::series::Series;
use crate::config::Input;
use crate::maps::FastMap;

/// Rows between two looks at the clock.
const ROWS_A_LOOK: u64 = 1 << 14;

/// Takes in all inputs, one after another.
pub(super) struct Reader {
    series: Vec<Series>,
    by_entity: FastMap<Box<str>, usize>,
    /// The series of the last row: the next row often belongs to it, too, or to the one after.
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
            by_entity: FastMap::default(),
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
        let columns = Columns::read(lines.record()).map_err(|fault| wrong(lines.number(), fault))?;
        let default_entity = default_entity(input);
        let mut rows = 0;
        while lines.next().map_err(failed)? {
            self.take(lines.record(), &columns, &default_entity)
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
    fn take(&mut self, record: &Record, columns: &Columns, default_entity: &str) -> Result<(), Fault> {
        let cells = Cells::new(record, columns)?;
        let row = cells.row()?;
        let series = self.series_of(cells.entity()?.unwrap_or(default_entity));
        let Some(row) = row else {
            return Ok(());
        };
        if let Some(before) = series.latest().filter(|before| row.time <= *before) {
            let (entity, time) = (series.entity().to_string(), row.time);
            return Err(match time == before {
                true => Fault::SameTime { entity, time },
                false => Fault::Backwards { entity, before, time },
            });
        }
        series.push(row);
        self.samples += 1;
        if self.samples > self.most_samples { Err(Fault::TooMany(self.most_samples)) } else { Ok(()) }
    }

    fn series_of(&mut self, entity: &str) -> &mut Series {
        let is = |place: &usize| self.series.get(*place).is_some_and(|series| series.entity() == entity);
        let next = if self.current + 1 < self.series.len() { self.current + 1 } else { 0 };
        let known = [self.current, next].into_iter().find(is).or_else(|| self.by_entity.get(entity).copied());
        self.current = known.unwrap_or_else(|| {
            self.by_entity.insert(entity.into(), self.series.len());
            self.series.push(Series::new(entity.to_string()));
            self.series.len() - 1
        });
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
