//! Chance that falls the same way on every machine.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

/// A stream of random numbers that depends on nothing but what it was made from.
///
/// Everything continuous goes through `libm`: the functions of the platform's own C library differ in the last bit.
pub(super) struct Dice(ChaCha8Rng);

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
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Anything from `low` up to `high`, each as likely.
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// Anything from `low` up to `high`, each order of magnitude as likely.
    pub(super) fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        libm::exp(self.uniform(libm::log(low), libm::log(high)))
    }

    /// A whole number from `low` up to, but without, `high`.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        low + (self.0.random::<f64>() * high.saturating_sub(low) as f64) as usize
    }

    /// From the normal distribution around 0, with a standard deviation of 1.
    pub(super) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// From the exponential distribution with a mean of 1.
    pub(super) fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// True in a share `p` of all cases.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.0.random::<f64>() < p
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
