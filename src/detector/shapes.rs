//! Which shape do the floors of one window have: growth that goes on, or one of its benign rivals?

use std::sync::LazyLock;

use crate::history::BLOCKS;

use super::stats::{effective_steps, median};
use super::window::never_given_back;

/// One window, position from 0 to 1.
type Shape = [f64; BLOCKS];

/// The likelihood is the share of the power which a shape leaves unexplained, to the minus half of ten degrees of freedom:
/// autocorrelated floors carry fewer than 32 independent points. Written out, as the compiler has several numbers at once
/// multiplied and not raised.
fn likelihood(fit: f32) -> f32 {
    let fit = fit.max(0.0);
    let left = (1.0 - fit * fit).max(LEAST_LEFT);
    let square = left * left;
    1.0 / (left * (square * square))
}

/// No shape explains more than all but this share: less is a question of rounding.
const LEAST_LEFT: f32 = 1e-6;

/// Noise that is always allowed for: this share of the level, and at least this many bytes.
const NOISE: (f64, f64) = (0.002, 65_536.0);

/// How the floors of one window compare with every shape in the bank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likeness {
    /// Logarithm of the Bayes factor: shapes of growth that goes on against shapes that end.
    pub(super) bayes: f64,
    /// Blocks since the growth began.
    pub(super) growing_for: usize,
    /// Rise since then, bytes.
    pub(super) growth: f64,
    /// Median of the last three floors, bytes.
    pub(super) end: f64,
    /// Median of all floors, bytes.
    pub(super) level: f64,
    /// Effective number of steps that made the rise and were never given back.
    pub(super) spread: f64,
    /// Speed of the last third of the growth against the rest of it.
    pub(super) slowing: f64,
    /// Mean distance from the best shape of growth, as a standard deviation, bytes.
    pub(super) noise: f64,
}

impl Likeness {
    /// Compares `floors`, of which there must be a full window.
    pub(super) fn of(floors: &Shape) -> Likeness {
        let level = median(floors).unwrap_or(0.0);
        let mean = floors.iter().sum::<f64>() / BLOCKS as f64;
        let centred = floors.map(|floor| floor - mean);
        let power = dot(&centred, &centred);
        let allowed = BLOCKS as f64 * (NOISE.0 * level).max(NOISE.1).powi(2) / 4.0;
        let bank = &*BANK;
        let likely = bank.likelihoods(&centred, (power + allowed).sqrt());
        let (growing, benign) = likely.split_at(GROWING);
        let mean = |likely: &[f32]| likely.iter().copied().map(f64::from).sum::<f64>() / likely.len() as f64;
        let (ongoing, benign) = (mean(growing), mean(benign));
        let onset = likely_onset(bank, growing);
        Growth::since(onset, floors).likeness(
            (ongoing / benign).ln(),
            level,
            residual(bank, growing, &centred).max(2e-4 * level),
        )
    }
}

/// What grew since an onset inside the window.
struct Growth {
    blocks: usize,
    growth: f64,
    end: f64,
    spread: f64,
    slowing: f64,
}

impl Growth {
    fn since(onset: usize, floors: &Shape) -> Growth {
        let kept = never_given_back(&floors.map(Some));
        let end = median(&floors[BLOCKS - 3..]).unwrap_or(0.0);
        let base = median(&floors[onset.saturating_sub(2)..onset + 2]).unwrap_or(0.0);
        let (growth, blocks) = (end - base, BLOCKS - 1 - onset);
        let steps = kept.windows(2).enumerate().filter(|(place, _)| place + 1 >= onset);
        let spread = effective_steps(steps.map(|(_, pair)| pair[1] - pair[0]));
        let last_third = (BLOCKS as f64 - 1.0 - blocks as f64 / 3.0) as usize;
        let before = last_third - onset;
        let late = (end - kept[last_third]) / blocks.saturating_sub(before).max(1) as f64;
        let early = ((kept[last_third] - kept[onset]) / before.max(1) as f64)
            .max(growth / (3 * blocks).max(1) as f64);
        Growth { blocks, growth, end, spread, slowing: if early > 0.0 { late / early } else { 0.0 } }
    }

    fn likeness(self, bayes: f64, level: f64, noise: f64) -> Likeness {
        let Growth { blocks, growth, end, spread, slowing } = self;
        Likeness { bayes, growing_for: blocks, growth, end, level, spread, slowing, noise }
    }
}

/// The onset, averaged over all shapes of growth by how likely they are.
fn likely_onset(bank: &Bank, growing: &[f32]) -> usize {
    let likely = || growing.iter().copied().map(f64::from);
    let sum: f64 = bank.onsets.iter().zip(likely()).map(|(onset, likely)| likely * onset).sum();
    (sum / likely().sum::<f64>()).round_ties_even() as usize
}

/// Mean distance of the window from the best shape of growth, times 1.25: a standard deviation if it is normal.
fn residual(bank: &Bank, growing: &[f32], centred: &Shape) -> f64 {
    let best = growing.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(place, _)| place);
    let shape = &bank.growing[best];
    let fit = dot(shape, centred).max(0.0);
    let distance: f64 = centred.iter().zip(shape).map(|(value, shape)| (value - fit * shape).abs()).sum();
    1.25 * distance / BLOCKS as f64
}

fn dot(a: &Shape, b: &Shape) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// So many shapes are compared at once.
const LANES: usize = 8;

/// Every shape, centred and of length one.
struct Bank {
    /// Growth that goes on.
    growing: [Shape; GROWING],
    /// The block where each of it begins.
    onsets: [f64; GROWING],
    /// All of them, those that go on first, [`LANES`] at a time: block by block, and of each block what each of them has
    /// there, so that the compiler can have several at once. Half as precise, which is precise enough to compare.
    lanes: Vec<[[f32; LANES]; BLOCKS]>,
    /// How many there are.
    count: usize,
}

static BANK: LazyLock<Bank> = LazyLock::new(|| {
    let growing = std::array::from_fn(|number| growing_shape(onset(number), POWERS[number % POWERS.len()]));
    let all: Vec<Shape> = growing.into_iter().chain(benign_shapes()).collect();
    let lanes = all.chunks(LANES).map(|some| {
        std::array::from_fn(|place| {
            std::array::from_fn(|lane| some.get(lane).map_or(0.0, |shape| shape[place] as f32))
        })
    });
    Bank {
        growing,
        onsets: std::array::from_fn(|number| onset(number) as f64),
        lanes: lanes.collect(),
        count: all.len(),
    }
});

impl Bank {
    /// How likely each shape makes floors that are `centred`, where `length` is that of them with the noise that is allowed
    /// for.
    fn likelihoods(&self, centred: &Shape, length: f64) -> Vec<f32> {
        let floors = centred.map(|floor| (floor / length) as f32);
        let mut likely = Vec::with_capacity(LANES * self.lanes.len());
        for shapes in &self.lanes {
            let mut fits = [0.0; LANES];
            for (shapes, floor) in shapes.iter().zip(floors) {
                for (fit, shape) in fits.iter_mut().zip(shapes) {
                    *fit += shape * floor;
                }
            }
            likely.extend(fits.map(likelihood));
        }
        likely.truncate(self.count);
        likely
    }
}

/// Powers of the time since an onset, from slightly slowing to square; onsets are two blocks apart.
const POWERS: [f64; 4] = [0.85, 1.0, 1.5, 2.0];
const ONSETS: usize = 12;
const GROWING: usize = ONSETS * POWERS.len();

fn onset(number: usize) -> usize {
    2 * (number / POWERS.len())
}

fn growing_shape(onset: usize, power: f64) -> Shape {
    unit(|place| since(place, onset).powf(power))
}

fn benign_shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    // Warm-up and caches: a saturating exponential. From the beginning counts twice, as the commonest case.
    for onset in [0, 0, 4, 8, 12, 16, 20] {
        shapes.extend(
            [0.05, 0.1, 0.2, 0.35, 0.6]
                .map(|tau: f64| unit(|place| 1.0 - (-since(place, onset) / tau).exp())),
        );
    }
    // A heavy tail of keys, fragmentation: logarithm and root.
    for onset in [0, 8, 16] {
        shapes
            .extend([0.01, 0.05, 0.2].map(|scale: f64| unit(|place| (since(place, onset) / scale).ln_1p())));
        shapes.push(unit(|place| since(place, onset).sqrt()));
    }
    // Deploys and reloads: a step.
    shapes.extend((1..BLOCKS - 1).map(|step| unit(|place| f64::from(u8::from(place >= step)))));
    // A refill or a load that grew and has ended.
    for onset in (0..24).step_by(4) {
        for end in (onset + 4..29).step_by(3) {
            let rise = (end - onset) as f64;
            shapes.push(unit(|place| ((place as f64 - onset as f64) / rise).clamp(0.0, 1.0)));
        }
    }
    // A batch: up and down.
    for onset in (0..22).step_by(4) {
        for peak in (onset + 3..30).step_by(4) {
            shapes.push(unit(|place| pulse(place, onset, peak)));
        }
    }
    shapes
}

/// Rises from `onset` to 1 at `peak`, falls to 0.3 within four blocks and to 0 at the end of the window.
fn pulse(place: usize, onset: usize, peak: usize) -> f64 {
    let last = BLOCKS - 1;
    let fallen = (peak + 4).min(last);
    let line = |from: usize, to: usize, low: f64, high: f64| {
        low + (high - low) * (place - from) as f64 / (to - from) as f64
    };
    match place {
        _ if place >= last || place <= onset => 0.0,
        _ if place < peak => line(onset, peak, 0.0, 1.0),
        _ if place < fallen => line(peak, fallen, 1.0, 0.3),
        _ => line(fallen, last, 0.3, 0.0),
    }
}

/// Time since block `onset`, as a share of the window; 0 before it.
fn since(place: usize, onset: usize) -> f64 {
    place.saturating_sub(onset) as f64 / (BLOCKS as f64 - 1.0)
}

fn unit(shape: impl Fn(usize) -> f64) -> Shape {
    let mut values: Shape = std::array::from_fn(shape);
    let mean = values.iter().sum::<f64>() / BLOCKS as f64;
    values.iter_mut().for_each(|value| *value -= mean);
    let length = dot(&values, &values).sqrt();
    values.map(|value| value / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bayes(shape: impl Fn(f64) -> f64) -> f64 {
        Likeness::of(&std::array::from_fn(|place| 1e8 * (1.0 + shape(place as f64 / 31.0)))).bayes
    }

    #[test]
    fn every_shape_is_centred_and_of_length_one() {
        let benign = benign_shapes();
        for shape in BANK.growing.iter().chain(&benign) {
            assert!(shape.iter().sum::<f64>().abs() < 1e-9);
            assert!((dot(shape, shape) - 1.0).abs() < 1e-9);
        }
        assert_eq!((BANK.growing.len(), benign.len(), BANK.count), (48, 136, 184));
    }

    #[test]
    fn growth_that_goes_on_is_told_from_growth_that_ended() {
        assert!(bayes(|t| 0.5 * t) > 1.0);
        assert!(bayes(|t| 0.5 * (t - 0.4).max(0.0)) > 1.0);
        assert!(bayes(|t| 1.0 - (-t / 0.1).exp()) < -1.0);
        assert!(bayes(|t| (2.0 * t).min(1.0)) < -1.0);
        assert!(bayes(|t| f64::from(u8::from(t > 0.5))) < -1.0);
        assert!(bayes(|_| 0.0).abs() < 0.1);
    }

    #[test]
    fn onset_and_growth_are_found() {
        let floors = std::array::from_fn(|place| 1e8 + 1e6 * (place as f64 - 16.0).max(0.0));
        let found = Likeness::of(&floors);
        assert!((14..=17).contains(&found.growing_for), "{found:?}");
        assert!((found.growth - 1.4e7).abs() < 2e6, "{found:?}");
        assert!(found.spread > 10.0, "{found:?}");
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        for floors in
            [[0.0; BLOCKS], [f64::from(f32::MAX); BLOCKS], std::array::from_fn(|p| (p % 2) as f64 * 1.8e19)]
        {
            let found = Likeness::of(&floors);
            assert!(
                found.bayes.is_finite() && found.noise.is_finite() && found.spread.is_finite(),
                "{found:?}"
            );
        }
    }
}
