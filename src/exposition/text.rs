//! Writer of the Prometheus text format 0.0.4 and of OpenMetrics 1.0.0.
//!
//! The prometheus crate has one for text too; this one needs no `GaugeVec` or protobuf model in between, which
//! with many thousand series is most of the cost of a scrape.

use std::fmt::Write;

use super::catalog::MetricKind;
use super::family::{Family, Sample};
use super::format::Format;

/// Room that a line usually takes, so that the text seldom has to be moved while it grows.
const LINE_BYTES: usize = 128;

/// Units that a name may end in. OpenMetrics states them once more, in a line of their own.
const UNITS: [&str; 3] = ["bytes", "ratio", "seconds"];

/// The families in the order given, without [`Format::end`]: more may follow.
pub fn encode(families: &[Family<'_>], format: Format) -> String {
    let samples: usize = families.iter().map(|family| family.samples.len()).sum();
    let mut text = String::with_capacity((samples + 2 * families.len()) * LINE_BYTES);
    for family in families {
        encode_description(&mut text, family, format);
        for sample in &family.samples {
            encode_sample(&mut text, family.name, sample);
        }
    }
    text
}

fn encode_description(text: &mut String, family: &Family<'_>, format: Format) {
    let name = described_name(family, format);
    begin_line(text, "HELP", name);
    // OpenMetrics wants the quote escaped here, too; the text format does not.
    push_escaped(text, family.help, format == Format::OpenMetrics);
    text.push('\n');
    begin_line(text, "TYPE", name);
    text.push_str(family.kind.as_str());
    text.push('\n');
    if let Some(unit) = unit(name).filter(|_| format == Format::OpenMetrics) {
        begin_line(text, "UNIT", name);
        text.push_str(unit);
        text.push('\n');
    }
}

fn begin_line(text: &mut String, keyword: &str, name: &str) {
    for part in ["# ", keyword, " ", name, " "] {
        text.push_str(part);
    }
}

/// In OpenMetrics the `_total` of a counter belongs to the sample, not to the family.
fn described_name<'a>(family: &Family<'a>, format: Format) -> &'a str {
    match (format, family.kind) {
        (Format::OpenMetrics, MetricKind::Counter) => {
            family.name.strip_suffix("_total").unwrap_or(family.name)
        }
        _ => family.name,
    }
}

fn unit(name: &str) -> Option<&'static str> {
    let (_, last) = name.rsplit_once('_')?;
    UNITS.into_iter().find(|unit| *unit == last)
}

fn encode_sample(text: &mut String, name: &str, sample: &Sample<'_>) {
    text.push_str(name);
    let mut separator = '{';
    for (label, value) in sample.labels.iter() {
        text.push(separator);
        text.push_str(label);
        text.push_str("=\"");
        push_escaped(text, value, true);
        text.push('"');
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
    text.push(' ');
    push_number(text, sample.value);
    text.push('\n');
}

/// Backslash and line feed are escaped everywhere, the quote only where quotes delimit the text.
fn push_escaped(text: &mut String, raw: &str, quoted: bool) {
    let special = |byte: u8| matches!(byte, b'\\' | b'\n') || (quoted && byte == b'"');
    let mut rest = raw;
    // All three are ASCII, so a search of bytes never ends within a character.
    while let Some(at) = rest.bytes().position(special) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}

fn push_number(text: &mut String, value: f64) {
    if value == f64::INFINITY {
        text.push_str("+Inf");
    } else if value == f64::NEG_INFINITY {
        text.push_str("-Inf");
    } else {
        // Writing to a String can't fail. Display gives the shortest digits that read back as the same number.
        let _ = write!(text, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;
    use prometheus::proto::{Counter, Gauge, LabelPair, Metric as ProtoMetric, MetricFamily, MetricType};
    use proptest::prelude::*;

    use super::super::catalog::{Metric, MetricKind};
    use super::super::family::Labels;
    use super::*;

    const METRIC: Metric = Metric { name: "m", help: "Help.", kind: MetricKind::Gauge, labels: &[] };

    fn line(labels: Labels<'_>, value: f64) -> String {
        let mut family = Family::new(METRIC);
        family.push(labels, value);
        encode(&[family], Format::Text).lines().skip(2).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn label_values_are_escaped_and_kept_whole() {
        let labels = Labels::one("name", "a\\b\n\"c\" größe 💧\r\t{}");
        assert_eq!(line(labels, 1.0), "m{name=\"a\\\\b\\n\\\"c\\\" größe 💧\r\t{}\"} 1");
    }

    #[test]
    fn quotes_in_help_are_escaped_in_openmetrics_alone() {
        let help = Metric { help: "Say \"\\\n\".", ..METRIC };
        let families = [Family::new(help)];
        assert_eq!(encode(&families, Format::Text), "# HELP m Say \"\\\\\\n\".\n# TYPE m gauge\n");
        let expected = "# HELP m Say \\\"\\\\\\n\\\".\n# TYPE m gauge\n";
        assert_eq!(encode(&families, Format::OpenMetrics), expected);
    }

    #[test]
    fn openmetrics_names_counters_without_total_and_units_apart() {
        let counter = Metric { name: "cpu_seconds_total", kind: MetricKind::Counter, ..METRIC };
        let expected = "# HELP cpu_seconds Help.\n# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n\
                        cpu_seconds_total 1\n";
        assert_eq!(encode(&[Family::single(counter, 1.0)], Format::OpenMetrics), expected);
        for (name, expected) in [
            ("a_bytes", Some("bytes")),
            ("a_ratio", Some("ratio")),
            ("a_bytes_per_second", None),
            ("a_kilobytes", None),
            ("bytes", None),
        ] {
            assert_eq!(unit(name), expected, "{name}");
        }
    }

    #[test]
    fn numbers_are_what_prometheus_reads() {
        for (value, expected) in [
            (f64::INFINITY, "m +Inf"),
            (f64::NEG_INFINITY, "m -Inf"),
            (f64::NAN, "m NaN"),
            (0.0, "m 0"),
            (-1.5, "m -1.5"),
            (0.1, "m 0.1"),
            (18_446_744_073_709_551_615.0, "m 18446744073709552000"),
            (1e21, "m 1000000000000000000000"),
        ] {
            assert_eq!(line(Labels::default(), value), expected);
        }
    }

    /// Any text a label may hold, with the characters that matter more often than chance would have them.
    fn any_text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop_oneof![Just('\\'), Just('"'), Just('\n'), any::<char>()], 0..12)
            .prop_map(|chars| chars.into_iter().collect())
    }

    type Arbitrary = (bool, String, Vec<(Vec<String>, f64)>);

    fn any_family() -> impl Strategy<Value = Arbitrary> {
        let sample = (prop::collection::vec(any_text(), 0..4), any::<f64>());
        (any::<bool>(), "[ -~\\\\\n]{1,20}", prop::collection::vec(sample, 1..5))
    }

    const NAMES: [&str; 3] = ["first", "second", "third"];

    fn ours((counter, help, samples): &Arbitrary, format: Format) -> String {
        let kind = if *counter { MetricKind::Counter } else { MetricKind::Gauge };
        let mut family = Family { name: "some_metric_total", help, kind, samples: Vec::new() };
        for (values, number) in samples {
            let labels = NAMES.into_iter().zip(values.iter().map(|value| value.as_str().into()));
            family.push(Labels::shared(labels), *number);
        }
        encode(&[family], format)
    }

    fn samples(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with('#')).collect()
    }

    fn theirs((counter, help, samples): &Arbitrary) -> String {
        let mut family = MetricFamily::default();
        family.set_name("some_metric_total".to_string());
        family.set_help(help.clone());
        family.set_field_type(if *counter { MetricType::COUNTER } else { MetricType::GAUGE });
        family.set_metric(samples.iter().map(|(values, value)| proto(*counter, values, *value)).collect());
        TextEncoder::new().encode_to_string(&[family]).unwrap()
    }

    fn proto(counter: bool, values: &[String], value: f64) -> ProtoMetric {
        let mut metric = ProtoMetric::from_label(
            NAMES
                .into_iter()
                .zip(values)
                .map(|(name, value)| {
                    let mut pair = LabelPair::default();
                    pair.set_name(name.to_string());
                    pair.set_value(value.clone());
                    pair
                })
                .collect(),
        );
        if counter {
            let mut number = Counter::default();
            number.set_value(value);
            metric.set_counter(number);
        } else {
            let mut number = Gauge::default();
            number.set_value(value);
            metric.set_gauge(number);
        }
        metric
    }

    proptest! {
        /// Byte for byte what the prometheus crate writes, for counters and gauges with at least one sample
        /// (it refuses empty families) and help that is not empty (it leaves out the line). The one difference
        /// is made equal here: it writes infinity as Rust does, `inf`; the format's own spelling is `+Inf`.
        #[test]
        fn equals_the_prometheus_crate(family in any_family()) {
            let finite = |text: String| text.replace(" +Inf\n", " inf\n").replace(" -Inf\n", " -inf\n");
            prop_assert_eq!(finite(ours(&family, Format::Text)), finite(theirs(&family)));
        }

        #[test]
        fn both_formats_have_the_same_samples(family in any_family()) {
            let (text, open) = (ours(&family, Format::Text), ours(&family, Format::OpenMetrics));
            prop_assert_eq!(samples(&text), samples(&open));
            prop_assert_eq!(samples(&text).len(), family.2.len());
        }
    }
}
