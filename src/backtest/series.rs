//! The recorded samples of one entity, in little room.

use super::replay::Row;

/// Seconds between samples, where there are not even two.
const USUAL_INTERVAL: f64 = 15.0;

/// All samples of one entity, in order of time.
#[derive(Clone, Debug)]
pub(super) struct Series {
    entity: String,
    times: Vec<f64>,
    bytes: Vec<u64>,
    /// As long as `times` from the first that is known on, else empty.
    cpu_seconds: Vec<Option<f64>>,
    limits: Changes<u64>,
    starts: Changes<f64>,
}

/// What seldom changes: each value with the number of the first sample that has it.
#[derive(Clone, Debug)]
struct Changes<T>(Vec<(usize, Option<T>)>);

impl Series {
    /// No samples yet.
    pub(super) fn new(entity: String) -> Series {
        Series {
            entity,
            times: Vec::new(),
            bytes: Vec::new(),
            cpu_seconds: Vec::new(),
            limits: Changes(Vec::new()),
            starts: Changes(Vec::new()),
        }
    }

    /// Its name.
    pub(super) fn entity(&self) -> &str {
        &self.entity
    }

    /// How many samples there are.
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// Time of the last sample, seconds since the epoch.
    pub(super) fn latest(&self) -> Option<f64> {
        self.times.last().copied()
    }

    /// Adds a sample that is later than all others.
    pub(super) fn push(&mut self, row: Row) {
        let number = self.times.len();
        self.times.push(row.time);
        self.bytes.push(row.bytes);
        if row.cpu_seconds.is_some() || !self.cpu_seconds.is_empty() {
            self.cpu_seconds.resize(number, None);
            self.cpu_seconds.push(row.cpu_seconds);
        }
        self.limits.push(number, row.limit_bytes);
        self.starts.push(number, row.start_time);
    }

    /// Every sample.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let (mut limits, mut starts) = (self.limits.values(), self.starts.values());
        self.times.iter().zip(&self.bytes).enumerate().map(move |(number, (&time, &bytes))| Row {
            time,
            bytes,
            limit_bytes: limits(number),
            start_time: starts(number),
            cpu_seconds: self.cpu_seconds.get(number).copied().flatten(),
            executable: None,
        })
    }

    /// The usual time between two samples, seconds: the median, which gaps and restarts hardly move.
    pub(super) fn interval(&self) -> f64 {
        let mut spans: Vec<f64> = self.times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if spans.is_empty() {
            return USUAL_INTERVAL;
        }
        let middle = spans.len() / 2;
        *spans.select_nth_unstable_by(middle, f64::total_cmp).1
    }
}

impl<T: Copy + PartialEq> Changes<T> {
    fn push(&mut self, number: usize, value: Option<T>) {
        if self.0.last().map_or(value.is_some(), |(_, last)| *last != value) {
            self.0.push((number, value));
        }
    }

    /// The value of each sample, asked for in order.
    fn values(&self) -> impl FnMut(usize) -> Option<T> {
        let (mut changes, mut current) = (self.0.iter().peekable(), None);
        move |number| {
            if let Some((_, value)) = changes.next_if(|(first, _)| *first <= number) {
                current = *value;
            }
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(times: &[f64]) -> Series {
        let mut series = Series::new("web".to_string());
        times.iter().for_each(|&time| series.push(Row { time, ..Row::default() }));
        series
    }

    #[test]
    fn gaps_do_not_move_the_interval() {
        assert_eq!(at(&[0.0, 10.0, 20.0, 500.0, 510.0, 521.0]).interval(), 10.0);
        assert_eq!(at(&[0.0, 0.5]).interval(), 0.5);
        assert_eq!(at(&[7.0]).interval(), USUAL_INTERVAL);
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out(
            rows in prop::collection::vec((any::<u64>(), prop::option::of(0..3_u64), prop::option::of(0..3_u32), prop::option::of(0.0..9.0)), 0..40)
        ) {
            let rows: Vec<Row> = (0..).zip(rows).map(|(time, (bytes, limit_bytes, start, cpu_seconds))| Row {
                time: f64::from(time),
                bytes,
                limit_bytes,
                start_time: start.map(f64::from),
                cpu_seconds,
                executable: None,
            }).collect();
            let mut series = Series::new(String::new());
            rows.iter().for_each(|row| series.push(*row));
            prop_assert_eq!(series.rows().collect::<Vec<_>>(), rows);
        }
    }
}
