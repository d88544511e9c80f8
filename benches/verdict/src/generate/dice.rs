//! Chance that falls the same way on every machine.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers that depends on nothing but what it was made from.
///
/// Everything continuous goes through `libm`: the functions of the platform's own C library differ in the last bit, and
/// the samplers of `rand_distr` may come to use those, by features that other crates ask for.
pub(super) struct Dice {
    stream: ChaCha8Rng,
    /// Normal numbers come in pairs: the one not yet used.
    spare: Option<f64>,
}

/// What a stream is for: no two purposes share one.
pub(super) struct Purpose<'a> {
    pub(super) seed: u64,
    pub(super) kind: u8,
    pub(super) class: &'a str,
    pub(super) number: u32,
    pub(super) attempt: u32,
}

impl Dice {
    /// The class goes in by its name, so that a class added elsewhere in the table changes no other.
    pub(super) fn new(purpose: &Purpose<'_>) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&purpose.seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(purpose.class.bytes()).to_le_bytes());
        key[16..20].copy_from_slice(&purpose.number.to_le_bytes());
        key[20..24].copy_from_slice(&purpose.attempt.to_le_bytes());
        key[24] = purpose.kind;
        Self { stream: ChaCha8Rng::from_seed(key), spare: None }
    }

    /// What `draw` makes of the first attempt at `purpose` that it can make something of.
    pub(super) fn until<T>(purpose: &Purpose<'_>, draw: impl Fn(&mut Dice) -> Option<T>) -> T {
        let mut attempt = purpose.attempt;
        loop {
            if let Some(drawn) = draw(&mut Dice::new(&Purpose { attempt, ..*purpose })) {
                return drawn;
            }
            attempt += 1;
        }
    }

    /// Anything from `low` up to `high`, each as likely.
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.stream.random::<f64>()
    }

    /// Anything from `low` up to `high`, each order of magnitude as likely.
    pub(super) fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        libm::exp(self.uniform(libm::log(low), libm::log(high)))
    }

    /// A factor from `low` up to `high` in every other case, each order of magnitude as likely; else 1.
    pub(super) fn factor(&mut self, (low, high): (f64, f64)) -> f64 {
        if self.chance(0.5) { self.log_uniform(low, high) } else { 1.0 }
    }

    /// A whole number from `low` up to, but without, `high`.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        low + (self.stream.random::<f64>() * high.saturating_sub(low) as f64) as usize
    }

    /// From the normal distribution around 0, with a standard deviation of 1: Marsaglia's polar method.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let stretch = (-2.0 * libm::log(square) / square).sqrt();
                self.spare = Some(y * stretch);
                return x * stretch;
            }
        }
    }

    /// From the exponential distribution with a mean of 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log1p(-self.stream.random::<f64>())
    }

    /// True in a share `p` of all cases.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.stream.random::<f64>() < p
    }

    /// How many events there are where `mean` are expected.
    pub(super) fn poisson(&mut self, mean: f64) -> usize {
        let mut reached = self.exponential();
        let mut events = 0;
        while reached < mean {
            reached += self.exponential();
            events += 1;
        }
        events
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.whole(0, of.len())]
    }
}

/// The FNV-1a hash: the same everywhere, and enough to tell names apart.
pub(super) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{Dice, Purpose};

    /// Mean and variance of many draws.
    fn moments(draw: impl Fn(&mut Dice) -> f64) -> (f64, f64) {
        const DRAWS: usize = 200_000;
        let mut dice = Dice::new(&Purpose { seed: 5, kind: 0, class: "", number: 0, attempt: 0 });
        let all: Vec<f64> = (0..DRAWS).map(|_| draw(&mut dice)).collect();
        let mean = all.iter().sum::<f64>() / DRAWS as f64;
        (mean, all.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / DRAWS as f64)
    }

    fn near((mean, variance): (f64, f64), expected: (f64, f64)) {
        assert!((mean - expected.0).abs() < 0.02, "mean {mean}");
        assert!((variance - expected.1).abs() < 0.03 * expected.1, "variance {variance}");
    }

    #[test]
    fn distributions_have_the_moments_that_they_should() {
        near(moments(Dice::normal), (0.0, 1.0));
        near(moments(Dice::exponential), (1.0, 1.0));
        near(moments(|dice| dice.uniform(-1.0, 2.0)), (0.5, 0.75));
        near(moments(|dice| dice.poisson(2.5) as f64), (2.5, 2.5));
        near(moments(|dice| dice.whole(3, 7) as f64), (4.5, 1.25));
        near(moments(|dice| f64::from(u8::from(dice.chance(0.3)))), (0.3, 0.21));
        near(moments(|dice| dice.log_uniform(1.0, std::f64::consts::E).ln()), (0.5, 1.0 / 12.0));
    }
}
