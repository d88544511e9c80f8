//! The tests of the evidence, each as a question that a person would ask, its answer, and for which side that speaks.

use std::fmt::{self, Write};

use super::html::Escaped;
use crate::detector::{Channel, Evidence, Gate, Test};
use crate::resources::Unit;

/// A test speaks for one side where it contributes all but so little, or only so little.
const CLEAR: f32 = 0.05;

/// So many times as much as something is not worth counting.
const MANY: f64 = 100.0;

/// All tests of one evidence, those that speak against a leak first.
pub(super) struct Told<'a> {
    gates: Vec<&'a Gate>,
    channel: Channel,
    unit: Unit,
}

impl<'a> Told<'a> {
    pub(super) fn of(evidence: &'a Evidence, unit: Unit) -> Told<'a> {
        let mut gates: Vec<&Gate> = evidence.gates.iter().collect();
        gates.sort_by(|a, b| a.pass.total_cmp(&b.pass));
        Told { gates, channel: evidence.channel, unit }
    }

    /// How many speak for a leak.
    pub(super) fn for_a_leak(&self) -> usize {
        self.gates.iter().filter(|gate| gate.pass >= 1.0 - CLEAR).count()
    }
}

pub(super) fn write_gates(html: &mut String, told: &Told) -> fmt::Result {
    if told.gates.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<table class=\"gates\"><thead><tr><th>Test</th><th>Found</th><th>Speaks</th></tr></thead><tbody>",
    );
    for gate in &told.gates {
        let (question, found) = answer(gate, told);
        let (class, side) = side(gate.pass);
        write!(html, "<tr class=\"{class}\"><th scope=\"row\">{}</th>", Escaped(question))?;
        write!(html, "<td>{}</td><td>{side}</td></tr>", Escaped(found))?;
    }
    html.write_str("</tbody></table>")
}

fn side(pass: f32) -> (&'static str, String) {
    match pass {
        for_it if for_it >= 1.0 - CLEAR => ("for", "for a leak".to_string()),
        against if against <= CLEAR => ("against", "against".to_string()),
        part => ("part", format!("for a leak in part, {:.0} %", 100.0 * part)),
    }
}

/// What the test asks, and what it found.
fn answer(gate: &Gate, told: &Told) -> (&'static str, String) {
    let value = f64::from(gate.value);
    match (gate.test, told.channel) {
        (Test::Trend, _) => {
            ("Does it rise by more than chance?", format!("Z = {value:.1}; 1.6 is chance in 1 of 20"))
        }
        (Test::Relative, _) => ("Is it much, for its size?", format!("{} of its size", percent(value))),
        (Test::Absolute, _) => ("Is it much at all?", told.unit.text(value)),
        (Test::Signal, _) => ("Does it stand out from the noise?", times(value, "the noise")),
        (Test::Slowing, Channel::Season) => {
            ("Does it go on?", format!("the last day grew {} as much as those before", percent(value)))
        }
        (Test::Slowing, _) => ("Does it go on?", format!("of late {} as fast as before", percent(value))),
        (Test::Spread, Channel::Season) => {
            ("Did it grow on all days?", format!("on {} of them", percent(value)))
        }
        (Test::Spread, _) => ("Is it more than one step?", format!("{value:.1} equal steps")),
        (Test::Retained, _) => ("Was it kept?", format!("{} of it is still there", percent(value.min(1.0)))),
        (Test::Novelty, _) if value.is_infinite() => {
            ("Is it higher than ever?", "nothing to compare with".to_string())
        }
        (Test::Novelty, _) => ("Is it higher than ever?", format!("by {} of the growth", percent(value))),
        (Test::GiveBack, _) => {
            ("Is it more than was seen to be given back?", times(value, "the largest fall"))
        }
        (Test::Life, _) if value.is_infinite() => {
            ("Has it grown so all its life?", "too young to tell".to_string())
        }
        (Test::Life, _) => (
            "Has it grown so all its life?",
            format!("{value:.1}; 1 is ever more slowly, 2 steadily, more began late"),
        ),
        (Test::Activity, _) => {
            ("Is it more than the load explains?", format!("the load explains {} of it", percent(value)))
        }
        (Test::Pattern, _) => ("Do days resemble each other?", percent(value)),
        (Test::Concordance, _) => {
            ("Do hours rise from day to day?", format!("{} more rose than fell", percent(value)))
        }
        (Test::QuietHours, _) => {
            ("Do quiet hours grow, too?", format!("{} as much as others", percent(value)))
        }
        (Test::WorstDay, _) => ("Did the worst day grow?", format!("{} as much as the mean", percent(value))),
    }
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        unknown if unknown.is_nan() => "unknown".to_string(),
        small if small.abs() < 9.95 => format!("{small:.1} %"),
        large => format!("{large:.0} %"),
    }
}

fn times(value: f64, what: &str) -> String {
    match value {
        many if many > MANY => format!("more than {MANY:.0} times {what}"),
        value => format!("{value:.1} times {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(channel: Channel, gates: &[(Test, f32, f32)]) -> Evidence {
        Evidence {
            channel,
            grown_bytes: 1.0,
            floor_bytes: 2.0,
            growing_for_seconds: 3.0,
            onset_time: None,
            since_onset_seconds: None,
            gates: gates.iter().map(|&(test, value, pass)| Gate { test, value, pass }).collect(),
        }
    }

    #[test]
    fn what_speaks_against_comes_first() {
        let evidence = evidence(
            Channel::Trend,
            &[
                (Test::Relative, 0.034, 1.0),
                (Test::Slowing, 0.5, 0.25),
                (Test::Novelty, f32::INFINITY, 1.0),
                (Test::Spread, 1.2, 0.0),
            ],
        );
        let (mut html, told) = (String::new(), Told::of(&evidence, Unit::Bytes));
        write_gates(&mut html, &told).unwrap();
        let rows: Vec<&str> = html.split("<tr class=").skip(1).collect();
        assert_eq!((told.for_a_leak(), rows.len()), (2, 4), "{html}");
        let row = "\"against\"><th scope=\"row\">Is it more than one step?</th><td>1.2 equal steps</td><td>against</td>";
        assert!(rows[0].starts_with(row), "{html}");
        assert!(
            rows[1].contains("<td>of late 50 % as fast as before</td><td>for a leak in part, 25 %</td>"),
            "{html}"
        );
        assert!(rows[2].contains("<td>3.4 % of its size</td><td>for a leak</td>"), "{html}");
        assert!(rows[3].contains("nothing to compare with"), "{html}");
    }

    #[test]
    fn numbers_that_are_none_are_told_all_the_same() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, f32::MAX] {
            let gates = [
                Test::Trend,
                Test::Relative,
                Test::Absolute,
                Test::Signal,
                Test::Slowing,
                Test::Life,
                Test::Novelty,
            ]
            .map(|test| (test, value, f32::NAN));
            let evidence = evidence(Channel::Season, &gates);
            let mut html = String::new();
            write_gates(&mut html, &Told::of(&evidence, Unit::Bytes)).unwrap();
            assert_eq!(html.matches("<tr class=").count(), gates.len());
        }
    }
}
