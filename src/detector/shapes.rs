//! Which shape do the floors of one window have: growth that goes on, or one of its benign rivals?

use std::sync::LazyLock;

use crate::history::BLOCKS;

use super::stats::{effective_steps, median};
use super::window::keep;

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

/// What the bank says of the floors of one window.
pub(super) struct Compared<'a> {
    floors: &'a Shape,
    /// The same about their mean.
    centred: Shape,
    /// Their median.
    level: f64,
    /// How likely each shape of growth makes them, and the sum of that.
    growing: [[f32; LANES]; GROWING / LANES],
    ongoing: f64,
    /// The same sum of shapes that end.
    benign: f64,
}

/// More than rounding can make of a logarithm and its inverse.
const ROUNDING: f64 = 1e-9;

impl<'a> Compared<'a> {
    /// Compares `floors`, of which there must be a full window, with every shape.
    pub(super) fn of(floors: &'a Shape) -> Compared<'a> {
        let (mut found, scaled) = Compared::with_growth(floors);
        (0..BANK.benign_lanes.len()).for_each(|some| found.compare_benign(some, &scaled));
        found
    }

    /// The same of floors that are more like growth than `bayes` says. Others are not compared to the end: most are known by
    /// their first benign rivals.
    pub(super) fn above(bayes: f64, floors: &'a Shape) -> Option<Compared<'a>> {
        let (mut found, scaled) = Compared::with_growth(floors);
        let most = found.ongoing / GROWING as f64 * BENIGN as f64 / bayes.exp() * (1.0 + ROUNDING);
        for some in 0..BANK.benign_lanes.len() {
            found.compare_benign(some, &scaled);
            if found.benign > most {
                return None;
            }
        }
        (found.bayes() > bayes).then_some(found)
    }

    /// Compares with shapes of growth. Gives what to compare with the others, too.
    fn with_growth(floors: &'a Shape) -> (Compared<'a>, [f32; BLOCKS]) {
        let level = median(floors).unwrap_or(0.0);
        let mean = floors.iter().sum::<f64>() / BLOCKS as f64;
        let centred = floors.map(|floor| floor - mean);
        let scaled = scaled(&centred, level);
        let growing = std::array::from_fn(|some| likelihoods(&BANK.growing_lanes[some], &scaled));
        let ongoing = sum(growing.as_flattened());
        (Compared { floors, centred, level, growing, ongoing, benign: 0.0 }, scaled)
    }

    fn compare_benign(&mut self, some: usize, scaled: &[f32; BLOCKS]) {
        let likely = likelihoods(&BANK.benign_lanes[some], scaled);
        let count = LANES.min(BENIGN - LANES * some);
        self.benign += sum(&likely[..count]);
    }

    /// As in [`Likeness`].
    pub(super) fn bayes(&self) -> f64 {
        ((self.ongoing / GROWING as f64) / (self.benign / BENIGN as f64)).ln()
    }

    /// All that there is to say.
    pub(super) fn likeness(&self) -> Likeness {
        let (bayes, level) = (self.bayes(), self.level);
        let Growth { blocks, growth, end, spread, slowing } = Growth::since(self.onset(), self.floors);
        let noise = self.residual().max(2e-4 * level);
        Likeness { bayes, growing_for: blocks, growth, end, level, spread, slowing, noise }
    }

    /// The onset, averaged over all shapes of growth by how likely they are.
    fn onset(&self) -> usize {
        let likely = self.growing.as_flattened().iter().copied().map(f64::from);
        let sum: f64 = BANK.onsets.iter().zip(likely).map(|(onset, likely)| likely * onset).sum();
        (sum / self.ongoing).round_ties_even() as usize
    }

    /// Mean distance of the window from the best shape of growth, times 1.25: a standard deviation if it is normal.
    fn residual(&self) -> f64 {
        let likely = self.growing.as_flattened().iter().enumerate();
        let best = likely.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(place, _)| place);
        let shape = &BANK.growing[best];
        let fit = dot(shape, &self.centred).max(0.0);
        let distance: f64 =
            self.centred.iter().zip(shape).map(|(floor, shape)| (floor - fit * shape).abs()).sum();
        1.25 * distance / BLOCKS as f64
    }
}

/// Floors that are `centred`, of length one with the noise that is allowed for at such a `level`.
fn scaled(centred: &Shape, level: f64) -> [f32; BLOCKS] {
    let power = dot(centred, centred);
    let allowed = BLOCKS as f64 * (NOISE.0 * level).max(NOISE.1).powi(2) / 4.0;
    let length = (power + allowed).sqrt();
    centred.map(|floor| (floor / length) as f32)
}

/// Four sums side by side, of which none waits for another: of so many values as four go into.
fn sum(likely: &[f32]) -> f64 {
    let mut sums = [0.0; 4];
    for four in likely.as_chunks::<4>().0 {
        sums.iter_mut().zip(four).for_each(|(sum, likely)| *sum += f64::from(*likely));
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
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
        let mut kept = *floors;
        keep(&mut kept);
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
}

fn dot(a: &Shape, b: &Shape) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// So many shapes are compared at once: as many as have room where the processor computes.
const LANES: usize = 24;

/// Some shapes: block by block, and of each block what each of them has there, so that the compiler can have several at
/// once. Half as precise, which is precise enough to compare.
type Lanes = [[f32; LANES]; BLOCKS];

/// Every shape, centred and of length one.
struct Bank {
    /// Growth that goes on.
    growing: [Shape; GROWING],
    /// The block where each of it begins.
    onsets: [f64; GROWING],
    growing_lanes: Vec<Lanes>,
    /// Its benign rivals.
    benign_lanes: Vec<Lanes>,
}

static BANK: LazyLock<Bank> = LazyLock::new(|| {
    let growing = std::array::from_fn(|number| growing_shape(onset(number), POWERS[number % POWERS.len()]));
    Bank {
        growing,
        onsets: std::array::from_fn(|number| onset(number) as f64),
        growing_lanes: lanes(&growing),
        benign_lanes: lanes(&benign_shapes()),
    }
});

/// All `shapes`; those that are missing from the last are nothing.
fn lanes(shapes: &[Shape]) -> Vec<Lanes> {
    let block = |some: &[Shape], place: usize| {
        std::array::from_fn(|lane| some.get(lane).map_or(0.0, |shape| shape[place] as f32))
    };
    shapes.chunks(LANES).map(|some| std::array::from_fn(|place| block(some, place))).collect()
}

/// How likely each of `shapes` makes floors that are scaled.
fn likelihoods(shapes: &Lanes, floors: &[f32; BLOCKS]) -> [f32; LANES] {
    let mut fits = [0.0; LANES];
    for (shapes, floor) in shapes.iter().zip(floors) {
        for (fit, shape) in fits.iter_mut().zip(shapes) {
            *fit += shape * floor;
        }
    }
    fits.map(likelihood)
}

/// Powers of the time since an onset, from slightly slowing to square; onsets are two blocks apart.
const POWERS: [f64; 4] = [0.85, 1.0, 1.5, 2.0];
const ONSETS: usize = 12;
const GROWING: usize = ONSETS * POWERS.len();

/// How many shapes end.
const BENIGN: usize = 136;

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
        Compared::of(&std::array::from_fn(|place| 1e8 * (1.0 + shape(place as f64 / 31.0)))).bayes()
    }

    #[test]
    fn every_shape_is_centred_and_of_length_one() {
        let benign = benign_shapes();
        for shape in BANK.growing.iter().chain(&benign) {
            assert!(shape.iter().sum::<f64>().abs() < 1e-9);
            assert!((dot(shape, shape) - 1.0).abs() < 1e-9);
        }
        assert_eq!((BANK.growing.len(), benign.len()), (GROWING, BENIGN));
        assert_eq!(LANES * BANK.growing_lanes.len(), GROWING);
        assert_eq!(BANK.benign_lanes.len(), BENIGN.div_ceil(LANES));
        assert!(LANES.is_multiple_of(4) && BENIGN.is_multiple_of(4), "none is left out of a sum");
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
    fn what_is_above_is_found_out_without_comparing_to_the_end() {
        for seed in 0..200_u64 {
            let noise =
                |place: usize| ((place as u64 + 1) * (seed + 3)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let floors =
                std::array::from_fn(|place| 1e8 + 1e6 * place as f64 + (seed * noise(place)) as f64 / 8.0);
            let whole = Compared::of(&floors);
            for least in [-0.1, -1e-12, 0.0, 1e-12, 0.1].map(|more| whole.bayes() + more) {
                let found = Compared::above(least, &floors).map(|found| found.likeness());
                assert_eq!(found, (whole.bayes() > least).then(|| whole.likeness()), "{seed} {least}");
            }
        }
    }

    #[test]
    fn onset_and_growth_are_found() {
        let floors = std::array::from_fn(|place| 1e8 + 1e6 * (place as f64 - 16.0).max(0.0));
        let found = Compared::of(&floors).likeness();
        assert!((14..=17).contains(&found.growing_for), "{found:?}");
        assert!((found.growth - 1.4e7).abs() < 2e6, "{found:?}");
        assert!(found.spread > 10.0, "{found:?}");
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        for floors in
            [[0.0; BLOCKS], [f64::from(f32::MAX); BLOCKS], std::array::from_fn(|p| (p % 2) as f64 * 1.8e19)]
        {
            let found = Compared::of(&floors).likeness();
            assert!(
                found.bayes.is_finite() && found.noise.is_finite() && found.spread.is_finite(),
                "{found:?}"
            );
        }
    }
}
