//! A climb: growth that one full window shows, measured.

use crate::history::{BLOCKS, History, width};

use super::activity::Activity;
use super::life::Life;
use super::shapes::{Compared, Likeness};
use super::window::{Past, Window};

/// Floors that a window needs: nearly all, or for a young life fewer.
const KNOWN: (usize, usize) = (BLOCKS - 6, 14);

/// A rise of less than this share of the end, or of fewer bytes, is not looked at.
const SCREEN: (f64, f64) = (0.004, 400_000.0);

/// A saw finer than four blocks disappears under the minimum of four.
const SAW: usize = 4;

/// A window with enough floors to compare its shape; gaps closed.
pub(super) struct FullWindow {
    rung: usize,
    window: Window,
    /// First known floor of a young life.
    begin: Option<usize>,
}

impl FullWindow {
    pub(super) fn of(history: &History, rung: usize) -> Option<FullWindow> {
        let mut window = Window::of(history, rung, BLOCKS)?;
        let known = window.known();
        let young = history.began() > window.start && known >= KNOWN.1;
        if !(young || known >= KNOWN.0) {
            return None;
        }
        let begin = window.floors.iter().position(Option::is_some).filter(|_| young);
        if let Some(begin) = begin {
            // The first block of a life holds the start-up.
            window.floors[begin] = None;
        }
        window.is_current(4).then_some(FullWindow { rung, window, begin })
    }

    /// The screen that quiet entities never pass.
    pub(super) fn is_rising(&self) -> bool {
        let (Some(end), Some((low, high))) = (self.window.end(), self.window.range()) else {
            return false;
        };
        let rise = end - low;
        rise > SCREEN.0 * end && rise > SCREEN.1 && end >= high - 0.5 * rise
    }

    /// The climb at its end, in such a life; `None` where it has none.
    pub(super) fn climb(&self, history: &History, life: Life) -> Option<Climb> {
        let plain: [f64; BLOCKS] = self.window.filled()?.try_into().ok()?;
        let (like, floors) = likeness(plain);
        if like.growth <= 0.0 {
            return None;
        }
        let most = self.begin.map_or(BLOCKS, |begin| BLOCKS - 1 - begin);
        let blocks = like.growing_for.min(most).max(1);
        let past = Past::of(history, self.rung, self.window.start, &floors, BLOCKS - 1 - blocks);
        Some(Climb {
            rung: self.rung,
            newest: self.window.newest(),
            blocks,
            like,
            floors,
            past,
            life,
            age: history.age(),
        })
    }
}

/// The better of the plain floors and their minima over four blocks, and the floors it was found on.
fn likeness(plain: [f64; BLOCKS]) -> (Likeness, [f64; BLOCKS]) {
    let lowest: [f64; BLOCKS] = std::array::from_fn(|place| {
        plain[place.saturating_sub(SAW - 1)..=place].iter().copied().fold(f64::INFINITY, f64::min)
    });
    let compared = Compared::of(&plain);
    // Smoothing always looks a little better.
    match Compared::above(compared.bayes() + 0.3, &lowest) {
        Some(better) => (better.likeness(), lowest),
        None => (compared.likeness(), plain),
    }
}

/// Growth at the end of a window.
pub(super) struct Climb {
    pub(super) rung: usize,
    /// Number of the last block.
    newest: i64,
    /// Blocks since the growth began.
    pub(super) blocks: usize,
    pub(super) like: Likeness,
    floors: [f64; BLOCKS],
    past: Past,
    pub(super) life: Life,
    /// Seconds for which this life has been watched.
    age: f64,
}

impl Climb {
    /// Bytes since the growth began.
    pub(super) fn grown(&self) -> f64 {
        self.like.growth.max(1.0)
    }

    /// Seconds since the growth began.
    pub(super) fn growing_for(&self) -> f64 {
        self.blocks as f64 * width(self.rung)
    }

    /// Seconds for which this life was well before.
    pub(super) fn well(&self) -> f64 {
        (self.age - self.growing_for()).max(0.0)
    }

    /// Length of the window, seconds.
    pub(super) fn window(&self) -> f64 {
        width(self.rung) * BLOCKS as f64
    }

    /// Bytes a second of the last half of the growth, and at least half as much as of all of it.
    pub(super) fn slope(&self) -> f64 {
        let half = (self.blocks / 2).max(2);
        let recent = (self.like.end - self.floors[BLOCKS - 1 - half]) / (half as f64 * width(self.rung));
        recent.max(0.5 * self.grown() / self.growing_for())
    }

    /// Growth against the level.
    pub(super) fn relative(&self) -> f64 {
        self.grown() / self.like.level.max(1.0)
    }

    /// Growth against the noise.
    pub(super) fn signal(&self) -> f64 {
        self.grown() / self.like.noise.max(1.0)
    }

    /// How far the end is above all that came before, as a share of the growth; infinite without a past.
    pub(super) fn novelty(&self) -> f64 {
        self.past.highest.map_or(f64::INFINITY, |highest| (self.like.end - highest) / self.grown())
    }

    /// Growth against the largest fall in the past.
    pub(super) fn give_back(&self) -> f64 {
        self.grown() / self.past.given_back.max(1.0)
    }

    /// Share of it that a rise of the load explains, 0 to 1; `None` where that is not known.
    pub(super) fn explained(&self, activity: &Activity) -> Option<f64> {
        let busy = activity.beside(self.rung, self.newest, BLOCKS)?;
        busy.explains(&self.floors, BLOCKS - 1 - self.blocks)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::window::tests::life;
    use super::*;
    use crate::history::HOURLY;

    /// The climb that the last hour of a life of so many shows, in blocks of two minutes.
    pub(in crate::detector) fn climb(hours: f64, bytes: impl Fn(f64) -> f64) -> Option<(Climb, History)> {
        let history = life(hours, bytes);
        let window = FullWindow::of(&history, HOURLY - 5).filter(FullWindow::is_rising)?;
        Some((window.climb(&history, Life::of(&history))?, history))
    }

    #[test]
    fn what_is_measured_of_a_line_after_a_plateau_is_what_was_drawn() {
        let line = |hour: f64| 1e8 + 6e7 * (hour - 9.5).max(0.0);
        let (climb, _) = climb(10.0, line).unwrap();
        let (minute, rate) = (60.0, 6e7 / 3600.0);
        assert!((climb.growing_for() - 30.0 * minute).abs() < 7.0 * minute, "{}", climb.growing_for());
        assert!((climb.slope() / rate - 1.0).abs() < 0.1, "{}", climb.slope());
        assert!((climb.well() - 9.5 * 60.0 * minute).abs() < 10.0 * minute);
        assert!((climb.grown() - 3e7).abs() < 6e6 && (climb.relative() - 0.3).abs() < 0.07);
        assert!(climb.novelty() > 0.9 && climb.give_back() > 10.0 && climb.signal() > 10.0);
        assert_eq!(climb.explained(&Activity::default()), None);
    }

    #[test]
    fn what_does_not_rise_shows_none() {
        assert!(climb(10.0, |_| 1e8).is_none());
        assert!(climb(10.0, |hour| 2e8 - 1e7 * hour).is_none());
        assert!(climb(0.1, |hour| 1e8 + 1e9 * hour).is_none(), "too few floors");
    }
}
