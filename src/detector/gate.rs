//! One test of the evidence, and all that there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stats::ramp;

/// One test of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The test's name.
    #[serde(rename = "name")]
    pub test: Test,
    /// What it found; null where that is infinite.
    #[schemars(with = "Option<f32>")]
    pub value: f32,
    /// What it contributes, 0 to 1.
    pub pass: f32,
}

impl Gate {
    /// A gate that begins to open at the first of `limits` and is open at the second.
    pub(super) fn new(test: Test, value: f64, limits: (f64, f64)) -> Gate {
        Gate::passing(test, value, ramp(value, limits))
    }

    /// A gate that is open as far as `pass` says, 0 to 1.
    pub(super) fn passing(test: Test, value: f64, pass: f64) -> Gate {
        Gate { test, value: value as f32, pass: pass as f32 }
    }
}

/// The tests of one rise, without the room between them that numbers stand at: a life that leaks holds a dozen rises.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Gate>", into = "Vec<Gate>")]
pub(super) struct Gates(Box<[Packed]>);

/// A [`Gate`] whose numbers may stand anywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Packed {
    test: Test,
    value: [u8; 4],
    pass: [u8; 4],
}

impl From<Gate> for Packed {
    fn from(Gate { test, value, pass }: Gate) -> Packed {
        Packed { test, value: value.to_ne_bytes(), pass: pass.to_ne_bytes() }
    }
}

impl From<Packed> for Gate {
    fn from(Packed { test, value, pass }: Packed) -> Gate {
        Gate { test, value: f32::from_ne_bytes(value), pass: f32::from_ne_bytes(pass) }
    }
}

impl Gates {
    /// Each of them, in the order in which they were asked.
    pub(super) fn iter(&self) -> impl Iterator<Item = Gate> {
        self.0.iter().copied().map(Gate::from)
    }
}

impl FromIterator<Gate> for Gates {
    fn from_iter<I: IntoIterator<Item = Gate>>(gates: I) -> Gates {
        Gates(gates.into_iter().map(Packed::from).collect())
    }
}

impl From<Vec<Gate>> for Gates {
    fn from(gates: Vec<Gate>) -> Gates {
        gates.into_iter().collect()
    }
}

impl From<Gates> for Vec<Gate> {
    fn from(gates: Gates) -> Vec<Gate> {
        gates.iter().collect()
    }
}

/// What is asked of a rise before it is called a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Mann-Kendall's Z: is it more than chance?
    Trend,
    /// Rise by the level: is it much, for its size?
    Relative,
    /// Rise in bytes: is it much at all?
    Absolute,
    /// Rise by the spread around it: does it stand out from the noise?
    Signal,
    /// Late slope by early slope: does it go on?
    Slowing,
    /// Equal steps that it could be made of: is it more than one?
    Spread,
    /// Share that was still there late in the window.
    Retained,
    /// Share of the rise that is above all that came before.
    Novelty,
    /// Rise by the largest fall in the past.
    GiveBack,
    /// Second half of the life by the first: has it grown so ever since it began?
    Life,
    /// Share that a rise of the load explains.
    Activity,
    /// How much of the variation the hour of the day explains.
    Pattern,
    /// How many more hours rose from day to day than fell.
    Concordance,
    /// Rise of the hours that rose least by that of the middle one.
    QuietHours,
    /// Rise on the worst day by that on the middle one.
    WorstDay,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_as_it_was_and_takes_nine_bytes_each() {
        let gates = [
            Gate { test: Test::Trend, value: f32::INFINITY, pass: 1.0 },
            Gate { test: Test::WorstDay, value: -0.1, pass: f32::MIN_POSITIVE },
        ];
        assert_eq!(gates.into_iter().collect::<Gates>().iter().collect::<Vec<_>>(), gates);
        assert_eq!(size_of::<Packed>(), 9);
    }

    #[test]
    fn gates_are_written_down_as_a_list_of_gates() {
        let list = vec![Gate { test: Test::Life, value: 1.5, pass: 0.25 }];
        let written = rmp_serde::to_vec_named(&Gates::from(list.clone())).unwrap();
        assert_eq!(written, rmp_serde::to_vec_named(&list).unwrap());
        assert_eq!(rmp_serde::from_slice::<Gates>(&written).unwrap(), Gates::from(list));
    }
}
