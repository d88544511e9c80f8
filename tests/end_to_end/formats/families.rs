//! Whether the readers of others find in any families just what the writer was told.

use std::fs;
use std::path::Path;

use memleak_exporter::exposition::catalog::MetricKind;
use memleak_exporter::exposition::{Description, Format, Labels, written};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::process::Program;
use crate::support::python;
use crate::support::wait::SOON;

/// Enough for each odd character, number and length to meet most others.
const FAMILIES: usize = 400;

/// A family to be written.
#[derive(Debug)]
struct Told {
    name: String,
    help: String,
    kind: MetricKind,
    /// Values of the labels, and the number.
    samples: Vec<(Vec<String>, f64)>,
}

#[test]
fn strict_parsers_read_back_what_was_written() {
    let Some(python) = python() else { return };
    let families = families();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/support/read_families.py");
    let program = Program::new(python);
    let directory = program.directory().to_path_buf();
    save(&directory, &families);
    let mut reader = program.arg(script).arg(&directory).start();
    assert_eq!(reader.exit_code(SOON), Some(0), "{}", reader.stderr());
    let samples: usize = families.iter().map(|family| family.samples.len()).sum();
    assert_eq!(reader.stdout().trim(), samples.to_string());
}

fn save(directory: &Path, families: &[Told]) {
    let expected: Value = families.iter().map(Told::json).collect();
    fs::write(directory.join("expected.json"), expected.to_string()).unwrap();
    for (name, format) in [("text", Format::Text), ("openmetrics", Format::OpenMetrics)] {
        let text = written(format, |writer| {
            for told in families {
                let about = Description { name: &told.name, help: &told.help, kind: told.kind };
                let mut family = writer.family(about);
                for (at, (values, number)) in told.samples.iter().enumerate() {
                    let values = values.iter().map(String::as_str);
                    let labels: Vec<_> = NAMES.into_iter().zip(values).collect();
                    // No two samples may have the same labels.
                    family.push(Labels::NONE, &[&labels[..], &[("at", &at.to_string())]].concat(), *number);
                }
            }
        });
        fs::write(directory.join(name), text + format.end()).unwrap();
    }
}

const NAMES: [&str; 3] = ["first", "second", "third"];

impl Told {
    /// Numbers by their bits, as JSON knows no infinity.
    fn json(&self) -> Value {
        let samples = self.samples.iter().map(
            |(values, number)| json!({ "labels": values, "bits": format!("{:016x}", number.to_bits()) }),
        );
        let samples: Vec<Value> = samples.collect();
        json!({ "name": self.name, "help": self.help, "type": self.kind.as_str(), "samples": samples })
    }
}

/// The same at each run.
fn families() -> Vec<Told> {
    let mut runner = TestRunner::deterministic();
    let mut family = |number| any_family(number).new_tree(&mut runner).unwrap().current();
    (0..FAMILIES).map(&mut family).collect()
}

fn any_family(number: usize) -> impl Strategy<Value = Told> {
    let unit = prop_oneof![Just(""), Just("_bytes"), Just("_seconds"), Just("_ratio"), Just("_parts")];
    let samples = prop::collection::vec((prop::collection::vec(any_text(), 0..=3), any_number()), 1..8);
    (unit, any::<bool>(), any_help(), samples).prop_map(move |(unit, is_counter, help, samples)| {
        let name = format!("family_{number}{unit}");
        if !is_counter {
            return Told { name, help, kind: MetricKind::Gauge, samples };
        }
        // Counters are never below zero, and never unknown.
        let counted = |number: f64| if number.is_nan() { 0.0 } else { number.abs() };
        let samples = samples.into_iter().map(|(values, number)| (values, counted(number))).collect();
        Told { name: name + "_total", help, kind: MetricKind::Counter, samples }
    })
}

/// What matters to a parser more often than chance would have it.
fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select("\\\"\n\r\t {}=,#\u{0}\u{85}\u{2028}é💧".chars().collect::<Vec<_>>());
    let characters = prop::collection::vec(prop_oneof![special, any::<char>()], 0..12);
    characters.prop_map(|characters| characters.into_iter().collect())
}

/// Without blanks at the ends, where no parser is asked to keep them.
fn any_help() -> impl Strategy<Value = String> {
    "[!-~][ -~\\\\\"\n]{0,20}[!-~]"
}

fn any_number() -> impl Strategy<Value = f64> {
    let extreme = prop::sample::select(vec![
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        5e-324,
        (1_u64 << 53) as f64 - 1.0,
        (1_u64 << 53) as f64,
        u64::MAX as f64,
    ]);
    prop_oneof![extreme, prop::num::f64::ANY, any::<u64>().prop_map(|whole| (whole >> 20) as f64)]
}
