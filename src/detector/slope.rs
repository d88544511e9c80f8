//! The slope that is told of everything, whether or not it grows.

use crate::history::{BLOCKS, Closed, History, Number, RUNGS, width};

use super::stats;
use super::window::Window;

/// Floors without which a window is not nearly full.
pub(super) const KNOWN: usize = BLOCKS - 6;

/// Robust slope of the longest window that is nearly full, held until a block of it or of a longer one closes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlainSlope {
    /// The rung of that window.
    rung: Option<u8>,
    /// What it told.
    slope: Option<Number>,
}

impl PlainSlope {
    /// Forgets what is held if what was `closed` can make a difference.
    pub(super) fn update(&mut self, closed: Closed) {
        self.rung = self.rung.filter(|&rung| !(rung.into()..RUNGS).any(|rung| closed.contains(rung)));
    }

    /// Bytes a second. Looked for when somebody asks, which is not as often as blocks close.
    pub(super) fn bytes_per_second(&mut self, history: &History) -> Option<f64> {
        if self.rung.is_none() {
            let (rung, slope) = look(history);
            *self = PlainSlope { rung: Some(rung), slope: slope.map(Number::from) };
        }
        self.slope.map(Number::get)
    }
}

fn look(history: &History) -> (u8, Option<f64>) {
    let full = |rung| Window::of(history, rung, BLOCKS).filter(|window| window.known() >= KNOWN);
    let longest =
        (history.ladder().finest()..RUNGS).rev().find_map(|rung| full(rung).map(|window| (rung, window)));
    longest.map_or((0, None), |(rung, window)| {
        (rung as u8, stats::slope(&window.floors).map(|slope| slope / width(rung)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Memory;

    #[test]
    fn what_is_held_is_what_would_be_found_anew() {
        let mut history = History::new(0.0, 60.0);
        let mut held = PlainSlope::default();
        let mut known = 0;
        for minute in 0..3000_u32 {
            let bytes = 1_000_000 + u64::from(minute) * 6000 + u64::from(minute % 7) * 900;
            let closed = history.push(f64::from(minute) * 60.0, bytes, &Memory::default());
            held.update(closed);
            let slope = held.bytes_per_second(&history);
            assert_eq!(slope, PlainSlope::default().bytes_per_second(&history), "{minute}");
            known += usize::from(slope.is_some_and(|slope| (slope - 100.0).abs() < 20.0));
        }
        assert!(known > 2900, "{known}");
    }
}
