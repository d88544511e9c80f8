//! What all clues together say: a sum over small trees, each of which asks the same few questions of every row.
//!
//! Symmetric trees fitted by gradient boosting (Prokhorenkova et al., "CatBoost: unbiased boosting with categorical
//! features", 2018). Where more of a clue can only speak for a leak, the trees were not allowed to hold it against one:
//! significance, signal, steps, what was retained, novelty, growth that goes on. How they were fitted, and to what, is in
//! `benches/verdict/fit`.

mod trees;

use super::clues::Clues;

/// Questions of a tree.
const DEPTH: usize = 6;

/// Leaves are hundredths of log-odds.
const UNIT: f64 = 0.01;

/// What to add to the log-odds: most of the rows to which the trees were fitted are of leaks, and hardly any process leaks. At
/// -1.5, leaks of days would be called an hour later, with a tenth fewer false alarms.
const PRIOR: f64 = -1.3;

/// One tree.
struct Tree {
    /// Whether this clue is above that threshold; what is not known is above none. Each answer is one bit of the number of
    /// the leaf, the first the lowest.
    questions: [(u8, f32); DEPTH],
    leaves: [i16; 1 << DEPTH],
}

impl Tree {
    fn leaf(&self, clues: &Clues) -> i16 {
        let values = clues.values();
        let is_above = |&(clue, threshold): &(u8, f32)| {
            values.get(usize::from(clue)).is_some_and(|&value| value > threshold)
        };
        let number = self
            .questions
            .iter()
            .enumerate()
            .fold(0, |number, (bit, question)| number | usize::from(is_above(question)) << bit);
        self.leaves[number]
    }
}

/// Log-odds that the life which left these clues leaks.
pub(super) fn log_odds(clues: &Clues) -> f64 {
    let sum: i64 = trees::TREES.iter().map(|tree| i64::from(tree.leaf(clues))).sum();
    PRIOR + trees::BIAS + UNIT * sum as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clues::CLUES;
    use super::*;

    /// Clues of which more can only speak for a leak: significance on each scale, and the strongest evidence.
    const ONLY_FOR: [usize; 6] = [6, 17, 28, 39, 50, CLUES - 1];

    #[test]
    fn every_question_is_about_a_clue() {
        let questions = || trees::TREES.iter().flat_map(|tree| tree.questions);
        assert!(questions().all(|(clue, threshold)| usize::from(clue) < CLUES && threshold.is_finite()));
    }

    #[test]
    fn each_answer_is_a_bit_of_the_number_of_the_leaf() {
        let tree = Tree {
            questions: [(0, 1.0), (1, f32::MIN), (2, 5.0), (3, 0.0), (3, f32::MAX), (2, 6.5)],
            leaves: std::array::from_fn(|number| number as i16),
        };
        let leaf = |row: [f32; 4]| {
            let mut values = [f32::NAN; CLUES];
            values[..4].copy_from_slice(&row);
            tree.leaf(&Clues::from(values))
        };
        assert_eq!(leaf([2.0, 7.0, 6.0, 1.0]), 0b001111);
        assert_eq!(leaf([1.0, f32::NAN, f32::INFINITY, -1.0]), 0b100100);
        assert_eq!(leaf([f32::NAN; 4]), 0, "what is not known is above nothing, not even the lowest number");
    }

    proptest! {
        #[test]
        fn any_clues_have_an_answer_and_significance_never_speaks_against_a_leak(
            values in prop::collection::vec(prop_oneof![9 => -10.0_f32..100.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)], CLUES),
            more in prop::sample::select(ONLY_FOR.to_vec()),
            by in 0.1_f32..50.0,
        ) {
            let mut values: [f32; CLUES] = values.try_into().unwrap();
            let before = log_odds(&Clues::from(values));
            values[more] += by;
            let after = log_odds(&Clues::from(values));
            prop_assert!(before.is_finite() && after.is_finite());
            // Leaves are rounded.
            prop_assert!(after >= before - UNIT * trees::TREES.len() as f64, "{} {}", before, after);
        }
    }
}
