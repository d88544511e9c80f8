//! What bears on the verdict of hours to days, as one row of numbers: every gate of every time scale, open or not, how the whole
//! life grew and since when, what is known of its age and of the lives before it, and which shapes its floors have.
//!
//! Their order is that in which the forest was fitted: see `benches/verdict/fit`.

use std::ops::Range;

use crate::history::{HOUR, HOURLY, History};

use super::Circumstances;
use super::gate::Test;
use super::lasting::Lasting;
use super::life::Life;
use super::rise::Rise;
use super::season::SeasonEvidence;
use super::trend::{SCALE_COUNT, TrendChannel, TrendEvidence};
use super::urgency::{Urgency, UrgencyChannel};

/// Gates of a time scale that are clues of their own. That of the life is the same on all scales.
const SCALE_TESTS: [Test; 9] = [
    Test::Trend,
    Test::Relative,
    Test::Absolute,
    Test::Signal,
    Test::Slowing,
    Test::Spread,
    Test::Retained,
    Test::Novelty,
    Test::GiveBack,
];

/// Gates of days against days.
const SEASON_TESTS: [Test; 9] = [
    Test::Pattern,
    Test::Concordance,
    Test::QuietHours,
    Test::Spread,
    Test::Slowing,
    Test::WorstDay,
    Test::Relative,
    Test::Absolute,
    Test::Life,
];

const CONTEXT: usize = 6;
/// Besides the gates: the time to the limit, and the evidence.
const SCALE: usize = SCALE_TESTS.len() + 2;
const LIFE: usize = 2;
/// Besides how long it has grown: how fast each time scale grows, by the one above it.
const GROWTH: usize = 2 + SCALE_COUNT - 1;
const SEASON: usize = 1 + SEASON_TESTS.len();

/// The rungs of whose floors the shapes are told: windows of two hours to 64, which are more and shorter ones than have gates.
const SHAPED: Range<usize> = HOURLY - 4..HOURLY + 2;
/// What the bank of shapes says, the same with every objection, and the share of the window for which it has grown.
const SHAPE: usize = 3;

/// The place of the strongest evidence of any window.
const STRONGEST: usize = CONTEXT + SCALE_COUNT * SCALE + LIFE + SEASON;

/// How many there are.
pub const CLUES: usize = STRONGEST + 1 + GROWTH + SHAPE * (SHAPED.end - SHAPED.start);

/// One row. What is not known is not a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Clues([f32; CLUES]);

/// A rise of no more than this share of the level, or of fewer bytes, is none to speak of.
const RISE: [(Test, f32); 2] = [(Test::Relative, 0.01), (Test::Absolute, 1_048_576.0)];

/// Growth that is more times as fast as over a longer time is as much faster.
const MOST_PACE: f64 = 9.0;

/// Limits closer or further than this are as close, or as far, hours.
const LEFT: (f64, f64) = (1e-3, 1e5);

impl Clues {
    /// What is known of one life now that rises, for which there is slow `evidence`, 0 to 1, and which began to grow at `onset`.
    pub(super) fn of(
        history: &History,
        evidence: f64,
        (trend, season, urgency): (&TrendChannel, Option<&SeasonEvidence>, &UrgencyChannel),
        (life, onset): (Life, Option<f64>),
        lasting: &Lasting,
        around: &Circumstances,
    ) -> Option<Clues> {
        let age = around.age.unwrap_or(0.0).max(history.age());
        let rise = trend.strongest().map(|(_, trend)| &trend.rise);
        let mut row = Row(Vec::with_capacity(CLUES));
        row.put((age / HOUR).ln_1p());
        row.put(around.lineage.suspicion(around.executable, age, lasting.grew.is_some()));
        let beyond = rise.is_some_and(|rise| around.lineage.is_beyond_warm_up(rise.floor, rise.grown));
        row.put(f64::from(u8::from(beyond)));
        row.put(around.lineage.grown() / HOUR);
        row.put_known(lasting.grew.map(|(seen, _)| ((history.latest() - seen.get()) / HOUR).ln_1p()));
        row.put_known(lasting.grew.map(|(_, duration)| duration / HOUR));
        trend.each().for_each(|held| row.put_scale(held, around.room));
        row.put_known(life.halves);
        row.put_known(life.quarters);
        row.put(season.map_or(0.0, |season| season.evidence));
        row.put_gates(season.map(|season| &season.rise), &SEASON_TESTS);
        row.put(evidence);
        let growing_for = onset.map(|onset| (history.latest() - onset).max(0.0));
        row.put_known(growing_for.map(|seconds| (seconds / HOUR).ln_1p()));
        row.put_known(growing_for.map(|seconds| (seconds / age.max(1.0)).min(1.0)));
        row.put_paces(trend);
        SHAPED.for_each(|rung| row.put_shape(urgency.at(rung)));
        Some(Clues(row.0.try_into().ok()?))
    }

    /// Each of them.
    pub fn values(&self) -> &[f32; CLUES] {
        &self.0
    }
}

/// Whether it is a rise to speak of, however it may be explained.
pub(super) fn is_rise(rise: &Rise) -> bool {
    RISE.iter().all(|&(test, least)| rise.gate(test).is_some_and(|gate| gate.value > least))
}

struct Row(Vec<f32>);

impl Row {
    fn put(&mut self, value: f64) {
        self.0.push(value as f32);
    }

    fn put_known(&mut self, value: Option<f64>) {
        self.put(value.unwrap_or(f64::NAN));
    }

    fn put_gates(&mut self, rise: Option<&Rise>, tests: &[Test]) {
        for &test in tests {
            let value = rise.and_then(|rise| rise.gate(test)).map(|gate| f64::from(gate.value));
            // Bytes matter by their order of magnitude.
            self.put_known(if test == Test::Absolute {
                value.map(|bytes| bytes.max(1.0).log2())
            } else {
                value
            });
        }
    }

    /// What falls over a longer time has no pace to compare with.
    fn put_paces(&mut self, trend: &TrendChannel) {
        let slopes: Vec<Option<f64>> = trend.each().map(|held| held.map(|held| held.rise.slope)).collect();
        for pair in slopes.windows(2) {
            let known = pair[0].zip(pair[1]).filter(|(_, longer)| *longer > 0.0);
            self.put_known(known.map(|(slope, longer)| (slope / longer).clamp(-MOST_PACE, MOST_PACE)));
        }
    }

    fn put_shape(&mut self, held: Option<&Urgency>) {
        self.put_known(held.map(|held| f64::from(held.bayes)));
        self.put_known(held.map(|held| f64::from(held.shape)));
        self.put_known(held.map(|held| held.rise.growing_for / held.rise.window));
    }

    fn put_scale(&mut self, held: Option<&TrendEvidence>, room: Option<u64>) {
        // What does not grow was not asked anything.
        let rise = held.map(|held| &held.rise).filter(|rise| rise.gate(Test::Trend).is_some());
        self.put_gates(rise, &SCALE_TESTS);
        let left = rise.zip(room).map(|(rise, room)| room as f64 / rise.slope.max(1e-3) / HOUR);
        self.put_known(left.map(|hours| hours.clamp(LEFT.0, LEFT.1).log2()));
        self.put(held.map_or(0.0, |held| held.evidence));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Circumstances, Detector, Lineage};
    use super::*;
    use crate::sample::Memory;

    /// The clues after so many hours of which `bytes` tells the memory, with as much room again.
    fn after(hours: u32, bytes: impl Fn(f64) -> f64) -> Option<Clues> {
        let lineage = Lineage::default();
        let (mut history, mut detector) = (History::new(0.0, 60.0), Detector::new(&lineage, None));
        let around = |room| Circumstances {
            threshold: 60.0,
            room: Some(room),
            lineage: &lineage,
            executable: None,
            age: None,
            cpu_seconds: None,
            crowd: 1,
        };
        for minute in 0..hours * 60 {
            let bytes = bytes(f64::from(minute) / 60.0) as u64;
            let closed = history.push(f64::from(minute) * 60.0, bytes, &Memory::default());
            detector.update(&history, closed, around(bytes));
        }
        detector.clues(&history, &around(bytes(f64::from(hours)) as u64))
    }

    #[test]
    fn what_does_not_rise_leaves_none() {
        assert_eq!(after(30, |_| 1e8), None);
        assert_eq!(after(30, |hour| 2e8 - 1e6 * hour), None);
        assert_eq!(after(0, |_| 1e8), None);
        assert_eq!(after(30, |hour| 1e9 + 1e5 * hour), None, "a third of a percent is none to speak of");
    }

    #[test]
    fn what_a_gate_explains_is_told_as_well() {
        let steps = after(30, |hour| 1e8 + 5e7 * (hour / 12.0).floor()).unwrap();
        assert_eq!(steps.0[STRONGEST], 0.0, "no window is open");
    }

    #[test]
    fn since_when_it_grows_and_how_much_faster_of_late_is_told() {
        let growth =
            |clues: &Clues| -> [f32; GROWTH] { clues.0[STRONGEST + 1..][..GROWTH].try_into().unwrap() };
        let [hours, share, paces @ ..] = growth(&after(30, |hour| 1e8 + 4e6 * hour).unwrap());
        assert!((hours - 31.0_f32.ln()).abs() < 0.01 && (share - 1.0).abs() < 0.01, "{hours} {share}");
        assert!(paces[..2].iter().all(|pace| (pace - 1.0).abs() < 0.05), "{paces:?}");
        assert!(paces[3].is_nan(), "four days are not full");
        let [hours, share, paces @ ..] =
            growth(&after(30, |hour| 1e8 + 4e6 * (hour - 20.0).max(0.0)).unwrap());
        assert!((hours - 11.0_f32.ln()).abs() < 0.2 && (share - 0.33).abs() < 0.1, "{hours} {share}");
        assert!(paces[1] > 1.5, "{paces:?}");
    }

    #[test]
    fn which_shape_floors_have_is_told_of_windows_of_two_hours_to_64() {
        let shapes = |clues: &Clues| -> Vec<[f32; SHAPE]> {
            let shapes = &clues.0[STRONGEST + 1 + GROWTH..];
            shapes.chunks(SHAPE).map(|shape| shape.try_into().unwrap()).collect()
        };
        let line = shapes(&after(80, |hour| 1e8 + 2e6 * (hour - 20.0).max(0.0)).unwrap());
        assert_eq!(line.len(), 6);
        assert!(line.iter().all(|[bayes, shape, _]| *bayes > 1.0 && *shape > 0.0), "{line:?}");
        assert!((line[5][2] - 60.0 / 64.0).abs() < 0.1, "it has grown for 60 of 64 hours: {line:?}");
        let fill = shapes(&after(80, |hour| 1e8 + 1e8 * (1.0 - (-hour / 20.0).exp())).unwrap());
        assert!(fill[5][0] < 0.0, "what levels off looks like a fill: {fill:?}");
        let stayed = shapes(&after(30, |hour| 1e8 + 1e7 * hour.min(20.0)).unwrap());
        assert!(stayed[0][0].is_nan() && !stayed[4][0].is_nan(), "what no longer rises has none: {stayed:?}");
    }

    #[test]
    fn a_line_is_told_on_every_scale_that_is_full() {
        let clues = after(30, |hour| 1e8 + 4e6 * hour).unwrap();
        let at = |scale: usize, clue: usize| clues.0[CONTEXT + scale * SCALE + clue];
        assert!((clues.0[0] - 31.0_f32.ln()).abs() < 0.01, "age: {}", clues.0[0]);
        for scale in 0..3 {
            assert!(at(scale, 0) > 3.0, "significance on scale {scale}: {}", at(scale, 0));
            // As much room as memory is 55 hours of growth.
            assert!((at(scale, 9) - 55.0_f32.log2()).abs() < 0.1, "{}", at(scale, 9));
        }
        assert!(at(4, 0).is_nan(), "four days are not full");
        assert!((clues.0[CONTEXT + SCALE_COUNT * SCALE] - 2.0).abs() < 0.2, "the halves of a line");
    }
}
