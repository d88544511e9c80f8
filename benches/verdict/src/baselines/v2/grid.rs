//! A series by the minute.

use crate::trace::Trace;

/// Minutes in a block of the short history: it is asked for by the quarter of an hour.
pub(super) const QUARTER: usize = 15;

/// Floors by the minute and the life that each belongs to.
pub(super) struct Grid {
    /// Lowest sample, bytes; infinite where there is none.
    floors: Vec<f64>,
    lives: Vec<u32>,
    /// Time of each minute's last sample, or of the last one before.
    times: Vec<f64>,
    /// Floors by the quarter of an hour, of whatever life.
    quarters: Vec<f64>,
}

impl Grid {
    pub(super) fn new(trace: &Trace) -> Option<Grid> {
        let (first, last) = (trace.points.first()?, trace.points.last()?);
        let minute = |time: f64| (time / 60.0).floor().max(0.0) as usize;
        let count = minute(last.time) + 1;
        let mut floors = vec![f64::INFINITY; count];
        let mut held: Vec<Option<(u32, f64)>> = vec![None; count];
        for point in &trace.points {
            let at = minute(point.time);
            let life_began = held[at].is_some_and(|(life, _)| life != point.life);
            floors[at] = if life_began { point.bytes as f64 } else { floors[at].min(point.bytes as f64) };
            held[at] = Some((point.life, point.time));
        }
        let mut latest = (first.life, first.time);
        let filled = held.into_iter().map(|held| {
            latest = held.unwrap_or(latest);
            latest
        });
        let (lives, times) = filled.unzip();
        let quarters = minima(&floors, QUARTER);
        Some(Grid { floors, lives, times, quarters })
    }

    /// Minutes.
    pub(super) fn len(&self) -> usize {
        self.floors.len()
    }

    pub(super) fn life_at(&self, minute: usize) -> u32 {
        self.lives[minute]
    }

    /// First minute of a life.
    pub(super) fn start_of(&self, life: u32) -> usize {
        self.lives.iter().position(|at| *at == life).unwrap_or(0)
    }

    pub(super) fn time_of(&self, minute: usize) -> f64 {
        self.times[minute]
    }

    /// Floors by the quarter of an hour from `from` to `to`, infinite where there is none.
    pub(super) fn quarters(&self, from: usize, to: usize) -> &[f64] {
        &self.quarters[from..to]
    }

    /// Floors of `count` blocks of `width` minutes that end before minute `end`, of that life only.
    pub(super) fn blocks_before(
        &self,
        end: usize,
        width: usize,
        count: usize,
        life: u32,
    ) -> Vec<Option<f64>> {
        let block = |index: usize| {
            let from = end - (count - index) * width;
            let minutes = self.floors[from..from + width].iter().zip(&self.lives[from..]);
            let own = minutes.filter(|(floor, at)| floor.is_finite() && **at == life);
            own.map(|(floor, _)| *floor).reduce(f64::min)
        };
        (0..count).map(block).collect()
    }

    /// Floors of the blocks of `width` minutes with these numbers, which begin in that life, at minute `start` or
    /// later.
    pub(super) fn history(
        &self,
        numbers: std::ops::Range<usize>,
        width: usize,
        life: u32,
        start: usize,
    ) -> impl Iterator<Item = f64> + '_ {
        let begins_in_it =
            move |number: &usize| number * width >= start && self.lives[number * width] == life;
        numbers.filter(begins_in_it).filter_map(move |number| {
            let minutes = &self.floors[number * width..(number + 1) * width];
            minutes.iter().copied().reduce(f64::min).filter(|floor| floor.is_finite())
        })
    }
}

fn minima(floors: &[f64], width: usize) -> Vec<f64> {
    floors.chunks_exact(width).map(|block| block.iter().copied().fold(f64::INFINITY, f64::min)).collect()
}
