//! The tests of the evidence, each as a question that a person would ask, its answer, and for which side that speaks.

use std::fmt::{self, Write};

use super::html::Escaped;
use crate::detector::{Channel, Evidence, Gate};
use crate::human;

/// A test speaks for one side where it contributes all but so little, or only so little.
const CLEAR: f64 = 0.05;

/// So many times as much as something is not worth counting.
const MANY: f64 = 100.0;

/// All tests of one evidence, those that speak against a leak first.
pub(super) struct Told<'a> {
    gates: Vec<&'a Gate>,
    channel: Channel,
}

impl<'a> Told<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Told<'a> {
        let mut gates: Vec<&Gate> = evidence.gates.iter().collect();
        gates.sort_by(|a, b| a.pass.total_cmp(&b.pass));
        Told { gates, channel: evidence.channel }
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
        let (question, found) = answer(gate, told.channel);
        let (class, side) = side(gate.pass);
        write!(html, "<tr class=\"{class}\"><th scope=\"row\">{}</th>", Escaped(question))?;
        write!(html, "<td>{}</td><td>{side}</td></tr>", Escaped(found))?;
    }
    html.write_str("</tbody></table>")
}

fn side(pass: f64) -> (&'static str, String) {
    match pass {
        for_it if for_it >= 1.0 - CLEAR => ("for", "for a leak".to_string()),
        against if against <= CLEAR => ("against", "against".to_string()),
        part => ("part", format!("for a leak in part, {:.0} %", 100.0 * part)),
    }
}

/// What the test asks, and what it found.
fn answer(gate: &Gate, channel: Channel) -> (&str, String) {
    let &Gate { name, value, .. } = gate;
    match (name, channel) {
        ("trend", _) => {
            ("Does it rise by more than chance?", format!("Z = {value:.1}; 1.6 is chance in 1 of 20"))
        }
        ("relative", _) => ("Is it much, for its size?", format!("{} of its size", percent(value))),
        ("absolute", _) => ("Is it much at all?", human::bytes(value)),
        ("signal", _) => ("Does it stand out from the noise?", times(value, "the noise")),
        ("slowing", Channel::Season) => {
            ("Does it go on?", format!("the last day grew {} as much as those before", percent(value)))
        }
        ("slowing", _) => ("Does it go on?", format!("of late {} as fast as before", percent(value))),
        ("spread", Channel::Season) => ("Did it grow on all days?", format!("on {} of them", percent(value))),
        ("spread", _) => ("Is it more than one step?", format!("{value:.1} equal steps")),
        ("retained", _) => ("Was it kept?", format!("{} of it is still there", percent(value))),
        ("novelty", _) if value.is_infinite() => {
            ("Is it higher than ever?", "nothing to compare with".to_string())
        }
        ("novelty", _) => ("Is it higher than ever?", format!("by {} of the growth", percent(value))),
        ("give_back", _) => ("Is it more than was ever given back?", times(value, "the largest fall")),
        ("life", _) if value.is_infinite() => {
            ("Has it grown so all its life?", "too young to tell".to_string())
        }
        ("life", _) => (
            "Has it grown so all its life?",
            format!("{value:.1}; 1 is ever more slowly, 2 steadily, more began late"),
        ),
        ("activity", _) => {
            ("Is it more than the load explains?", format!("the load explains {} of it", percent(value)))
        }
        ("pattern", _) => ("Do days resemble each other?", percent(value)),
        ("concordance", _) => {
            ("Do hours rise from day to day?", format!("{} more rose than fell", percent(value)))
        }
        ("quiet_hours", _) => ("Do quiet hours grow, too?", format!("{} as much as others", percent(value))),
        ("worst_day", _) => ("Did the worst day grow?", format!("{} as much as the mean", percent(value))),
        (other, _) => (other, format!("{value:.2}")),
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

    fn evidence(channel: Channel, gates: &[(&'static str, f64, f64)]) -> Evidence {
        Evidence {
            channel,
            grown_bytes: 1.0,
            floor_bytes: 2.0,
            growing_for_seconds: 3.0,
            onset_time: None,
            since_onset_seconds: None,
            gates: gates.iter().map(|&(name, value, pass)| Gate { name, value, pass }).collect(),
        }
    }

    #[test]
    fn what_speaks_against_comes_first() {
        let evidence = evidence(
            Channel::Trend,
            &[
                ("relative", 0.034, 1.0),
                ("slowing", 0.5, 0.25),
                ("novelty", f64::INFINITY, 1.0),
                ("spread", 1.2, 0.0),
            ],
        );
        let (mut html, told) = (String::new(), Told::of(&evidence));
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

    /// Whatever the detector asks is worded here: a test that nobody has put into words would show its bare name.
    #[test]
    fn every_test_of_the_detector_has_its_words() {
        let detector = ["trend", "season", "urgency"].map(|channel| {
            std::fs::read_to_string(format!("{}/src/detector/{channel}.rs", env!("CARGO_MANIFEST_DIR")))
                .unwrap()
        });
        let sources = detector.concat();
        let names: Vec<&str> = sources
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("(\"")?.split_once("\", "))
            .map(|(name, _)| name)
            .collect();
        assert!(names.len() > 15, "{names:?}");
        for name in names {
            let gate = Gate { name: name.to_string().leak(), value: 1.0, pass: 1.0 };
            assert!(answer(&gate, Channel::Trend).0.ends_with('?'), "{name}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_told_all_the_same() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e300] {
            let gates =
                ["trend", "relative", "absolute", "signal", "slowing", "spread", "give_back", "life", "new"]
                    .map(|name| (name, value, f64::NAN));
            let evidence = evidence(Channel::Season, &gates);
            let mut html = String::new();
            write_gates(&mut html, &Told::of(&evidence)).unwrap();
            assert_eq!(html.matches("<tr class=").count(), gates.len());
        }
    }
}
