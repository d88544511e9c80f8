//! A cache that is played through, key by key.

use std::collections::VecDeque;

use super::demand::mean;
use crate::generate::{curves::integral, dice::Dice};

/// Entries, of which the one that was not used for longest goes first.
pub(super) struct Lru {
    /// When each key was used last, in uses; none is not there.
    used: Vec<Option<u64>>,
    /// Keys in the order of their uses; what has been used again since is passed over.
    order: VecDeque<(usize, u64)>,
    sizes: Vec<f64>,
    uses: u64,
    entries: usize,
    /// What its entries weigh.
    pub(super) weight: f64,
}

impl Lru {
    /// Empty; keys are of sizes that differ by `spread`, the deviation of their logarithms.
    pub(super) fn new(dice: &mut Dice, keys: usize, spread: f64) -> Self {
        let sizes = (0..keys).map(|_| libm::exp(spread * dice.normal())).collect();
        Self { used: vec![None; keys], order: VecDeque::new(), sizes, uses: 0, entries: 0, weight: 0.0 }
    }

    /// Asks for `key`, which is there afterwards.
    pub(super) fn ask(&mut self, key: usize) {
        self.uses += 1;
        if self.used[key].replace(self.uses).is_none() {
            self.entries += 1;
            self.weight += self.sizes[key];
        }
        self.order.push_back((key, self.uses));
    }

    /// Lets entries go until there are no more than `entries`.
    pub(super) fn keep(&mut self, entries: usize) {
        while self.entries > entries {
            let Some((key, used)) = self.order.pop_front() else { return };
            if self.used[key] == Some(used) {
                self.used[key] = None;
                self.entries -= 1;
                self.weight -= self.sizes[key];
            }
        }
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }
}

/// Which keys are asked for in each sample.
pub(super) struct Asked {
    keys: Vec<usize>,
    /// How many of the keys have been asked for by the end of each sample.
    until: Vec<usize>,
}

impl Asked {
    /// So many in all, as `load` has it, of so many keys; how popular they are follows Zipf's law with `exponent`.
    pub(super) fn draw(dice: &mut Dice, load: &[f64], asked: usize, keys: usize, exponent: f64) -> Self {
        let shares: Vec<f64> = (1..=keys).map(|rank| libm::pow(rank as f64, -exponent)).collect();
        let sums = integral(&shares);
        let all = sums.last().copied().unwrap_or(0.0);
        let key = |dice: &mut Dice| {
            let at = dice.uniform(0.0, all);
            sums.partition_point(|&sum| sum < at).min(keys - 1)
        };
        let per_load = asked as f64 / (mean(load) * load.len() as f64);
        let until: Vec<usize> = integral(load).into_iter().map(|sum| (sum * per_load) as usize).collect();
        let keys = (0..until.last().copied().unwrap_or(0)).map(|_| key(dice)).collect();
        Self { keys, until }
    }

    /// The keys of each sample.
    pub(super) fn samples(&self) -> impl Iterator<Item = &[usize]> {
        let from = [0].into_iter().chain(self.until.iter().copied());
        from.zip(&self.until).map(|(from, &until)| &self.keys[from..until])
    }
}
