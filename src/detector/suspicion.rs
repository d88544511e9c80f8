//! A suspicion, once raised, is held: thin evidence for some hours is no sign of repair.

use serde::{Deserialize, Serialize};

use crate::history::{History, RUNGS, is_time, width};

use super::assessment::Channel;
use super::rise::Rise;
use super::scores::is_share;

/// Memory counts as given back once so much of the growth that raised the suspicion is gone.
const GIVEN_BACK: f64 = 0.5;

/// A floor rises, rather than wavers, by this share of that growth.
const RISING: f64 = 1.0 / 16.0;

/// Share of the window over which the floor must have risen: a saw or a day's load is no rise.
const RECENT: f64 = 0.25;

/// Share of the window over which memory must have stayed away to be given back: a dip is no repair.
const AWAY: f64 = 0.125;

/// A suspicion that has lost its ground fades with this share of the window as its time constant, and with this many
/// seconds at most.
const FADING: (f64, f64) = (0.0625, 3600.0);

/// What was suspected, and what it would take to drop it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Suspicion {
    /// 0 to 1; does not fall while the suspicion stands.
    pub(super) score: f64,
    /// The evidence that last carried it.
    pub(super) channel: Channel,
    pub(super) rise: Rise,
    /// Highest recent floor since, bytes.
    peak: f64,
    /// When the floor last rose, seconds.
    rose: f64,
    /// Whether it stands without evidence of now that would raise it.
    #[serde(default)]
    pub(super) is_held: bool,
}

impl Suspicion {
    /// The suspicion that `score`, 0 to 1, rests on `rise`.
    pub(super) fn raised(score: f64, channel: Channel, rise: &Rise, history: &History) -> Suspicion {
        let peak = floors(history, rise.window, RECENT).reduce(f64::min).unwrap_or(rise.floor);
        Suspicion { score, channel, rise: rise.clone(), peak, rose: history.latest(), is_held: false }
    }

    /// Whether it is one that evidence can have raised.
    pub(super) fn is_sound(&self) -> bool {
        is_share(self.score) && is_time(self.rise.window) && is_time(self.rose) && self.peak.is_finite()
    }

    /// Evidence of its own carries it again.
    pub(super) fn confirm(&mut self, renewed: Suspicion) {
        let (score, peak) = (renewed.score.max(self.score), renewed.peak.max(self.peak));
        // The score lags behind the evidence: it may still be high when memory has just been given back.
        let rose = if renewed.peak < self.peak { self.rose } else { renewed.rose };
        *self = Suspicion { score, peak, rose, ..renewed };
    }

    /// Lets `step` seconds pass without evidence. Falls only if memory was given back, or the floor has been flat for
    /// as long as the window that raised it.
    pub(super) fn wait(&mut self, step: f64, history: &History) {
        self.is_held = true;
        let lowest = floors(history, self.rise.window, RECENT).reduce(f64::min);
        if let Some(floor) = lowest.filter(|floor| *floor > self.peak + RISING * self.rise.grown) {
            self.peak = floor;
            self.rose = history.latest();
        }
        let highest = floors(history, self.rise.window, AWAY).reduce(f64::max);
        let given_back = highest.is_some_and(|floor| floor < self.peak - GIVEN_BACK * self.rise.grown);
        let flat = history.latest() - self.rose > self.rise.window;
        if given_back || flat {
            self.score *= (-step / (FADING.0 * self.rise.window).min(FADING.1)).exp();
        }
    }
}

/// Floors of the last `share` of `window` seconds, newest first; none where nothing is remembered of it.
fn floors(history: &History, window: f64, share: f64) -> impl Iterator<Item = f64> + '_ {
    let span = share * window;
    let finest = history.ladder().finest();
    let rung = (finest..RUNGS).rfind(|&rung| width(rung) <= span / 4.0).unwrap_or(finest);
    let blocks = (span / width(rung)).ceil() as i64;
    let ring = history.ladder().ring(rung);
    ring.into_iter()
        .flat_map(move |ring| (0..blocks).filter_map(|back| ring.get(ring.newest() - back)))
        .map(|block| f64::from(block.low))
}

#[cfg(test)]
mod tests {
    use super::super::gate::Gates;
    use super::*;
    use crate::history::HOUR;
    use crate::sample::Memory;

    const MIB: f64 = 1_048_576.0;

    /// A suspicion raised after eight hours of growth by 1 MiB in five minutes, and its score once `after` has told the
    /// memory in MiB of each hour since, for so many hours.
    fn score_after(hours: f64, after: impl Fn(f64) -> f64) -> f64 {
        let mut history = History::new(0.0, 60.0);
        let push = |history: &mut History, minute: u32, mebibytes: f64| {
            history.push(f64::from(minute) * 60.0, (mebibytes * MIB) as u64, &Memory::default());
        };
        (0..480).for_each(|minute| push(&mut history, minute, 100.0 + f64::from(minute) / 5.0));
        let rise = Rise {
            slope: MIB / 300.0,
            grown: 96.0 * MIB,
            floor: 196.0 * MIB,
            window: 8.0 * HOUR,
            growing_for: 8.0 * HOUR,
            gates: Gates::default(),
        };
        let mut suspicion = Suspicion::raised(0.9, Channel::Trend, &rise, &history);
        for minute in 480..480 + (hours * 60.0) as u32 {
            push(&mut history, minute, after(f64::from(minute - 480) / 60.0));
            suspicion.wait(60.0, &history);
        }
        suspicion.score
    }

    #[test]
    fn a_pause_shorter_than_the_window_changes_nothing() {
        assert_eq!(score_after(7.5, |_| 196.0), 0.9);
        assert_eq!(score_after(40.0, |hour| 196.0 + 4.0 * hour), 0.9, "slower growth is growth");
    }

    #[test]
    fn it_ends_when_the_floor_has_been_flat_for_as_long_as_the_window() {
        assert!(score_after(13.0, |_| 196.0) < 0.01);
    }

    #[test]
    fn it_ends_when_memory_is_given_back_and_not_when_it_dips() {
        assert!(score_after(4.0, |_| 110.0) < 0.05);
        assert_eq!(score_after(4.0, |hour| if (1.0..1.4).contains(&hour) { 110.0 } else { 196.0 }), 0.9);
        assert_eq!(score_after(4.0, |_| 170.0), 0.9, "a quarter given back is not enough");
    }
}
