//! What all that is known together says: a sum over small trees, each of which asks the same few questions of every row.
//!
//! Symmetric trees fitted by gradient boosting (Prokhorenkova et al., "CatBoost: unbiased boosting with categorical
//! features", 2018). How they were fitted, and to what, is in `benches/verdict/fit`.

mod slow;
mod urgent;

/// Questions of a tree.
const DEPTH: usize = 6;

/// Leaves are hundredths of log-odds.
const UNIT: f64 = 0.01;

/// What hours and days show: the [`clues`](super::clues).
///
/// Four of ten rows to which the trees were fitted are of leaks, and hardly any process leaks. At -1.6, leaks of days would be
/// called 1.2 hours sooner, with a sixth more false alarms.
pub(super) static SLOW: Forest = Forest { prior: -1.8, bias: slow::BIAS, trees: &slow::TREES };

/// What one window shows of growth on the way to a limit that is near: its [`signs`](super::signs).
pub(super) static URGENT: Forest = Forest { prior: -2.8, bias: urgent::BIAS, trees: &urgent::TREES };

/// Trees that were fitted together.
pub(super) struct Forest {
    /// What to add to the log-odds.
    prior: f64,
    /// Log-odds to begin with.
    bias: f64,
    trees: &'static Trees<800>,
}

/// Trees, with what they ask apart from what they answer: to walk over all of them takes a quarter less time than if each had
/// both beside each other.
struct Trees<const N: usize> {
    /// Whether this value is above that threshold; what is not known is above none. Each answer is one bit of the number of
    /// the leaf, the first the lowest.
    questions: [[(u8, f32); DEPTH]; N],
    leaves: [[i16; 1 << DEPTH]; N],
}

/// As many values as a question can ask for, so that none has to be asked whether there is such a one.
type Row = [f32; 1 << u8::BITS];

/// The same values, and nothing known beyond them.
fn row(values: &[f32]) -> Row {
    let mut row = [f32::NAN; 1 << u8::BITS];
    row.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
    row
}

/// Number of the leaf that the answers lead to.
fn leaf(questions: &[(u8, f32); DEPTH], row: &Row) -> usize {
    let answers = questions.iter().map(|&(value, threshold)| row[usize::from(value)] > threshold);
    answers.enumerate().map(|(bit, answer)| usize::from(answer) << bit).fold(0, |number, bit| number | bit)
}

impl<const N: usize> Trees<N> {
    /// The sum of what each tree answers.
    fn sum(&self, row: &Row) -> i64 {
        let trees = self.questions.iter().zip(&self.leaves);
        trees.map(|(questions, leaves)| i64::from(leaves[leaf(questions, row)])).sum()
    }
}

impl Forest {
    /// Log-odds that the life of which these are the values leaks.
    pub(super) fn log_odds(&self, values: &[f32]) -> f64 {
        self.prior + self.bias + UNIT * self.trees.sum(&row(values)) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clues::CLUES;
    use super::super::signs::SIGNS;
    use super::*;

    /// Each forest, and how many values it is asked about.
    const FORESTS: [(&Forest, usize); 2] = [(&SLOW, CLUES), (&URGENT, SIGNS)];

    #[test]
    fn every_question_is_about_a_value() {
        for (forest, values) in FORESTS {
            let mut questions = forest.trees.questions.iter().flatten();
            assert!(questions.all(|&(value, above)| usize::from(value) < values && above.is_finite()));
        }
    }

    #[test]
    fn each_answer_is_a_bit_of_the_number_of_the_leaf() {
        let questions = [(0, 1.0), (1, f32::MIN), (2, 5.0), (3, 0.0), (3, f32::MAX), (2, 6.5)];
        assert_eq!(leaf(&questions, &row(&[2.0, 7.0, 6.0, 1.0])), 0b001111);
        assert_eq!(leaf(&questions, &row(&[1.0, f32::NAN, f32::INFINITY, -1.0])), 0b100100);
        let unknown = leaf(&questions, &row(&[f32::NAN; 4]));
        assert_eq!(unknown, 0, "what is not known is above nothing, not even the lowest number");
    }

    #[test]
    fn each_tree_answers_from_its_own_leaves() {
        let trees = Trees {
            questions: [[(0, 1.0); DEPTH], [(1, 1.0); DEPTH]],
            leaves: [std::array::from_fn(|leaf| leaf as i16), std::array::from_fn(|leaf| 100 + leaf as i16)],
        };
        assert_eq!(trees.sum(&row(&[2.0, 0.0])), 63 + 100);
        assert_eq!(trees.sum(&row(&[0.0, 2.0])), 163);
    }

    proptest! {
        #[test]
        fn any_values_have_an_answer(
            values in prop::collection::vec(prop_oneof![9 => -10.0_f32..100.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)], CLUES.max(SIGNS)),
        ) {
            for (forest, count) in FORESTS {
                prop_assert!(forest.log_odds(&values[..count]).is_finite());
            }
        }
    }
}
