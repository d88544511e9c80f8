//! Writer of the Prometheus text format 0.0.4 and of OpenMetrics 1.0.0.
//!
//! The prometheus crate has one for text too; this one needs no model of families, samples and labels in between:
//! with many thousand series that would be most of the cost of a scrape.

use super::catalog::{Metric, MetricKind};
use super::escape::push_escaped;
use super::format::Format;
use super::label::Labels;
use super::number::push_number;
use super::pieces::{Pieces, Take};

/// Units that a name may end in. OpenMetrics states them once more, in a line of their own.
const UNITS: [&str; 3] = ["bytes", "ratio", "seconds"];

/// Writes families in the order in which they are begun, but for [`Format::end`]: more may follow.
pub struct Writer<'t> {
    format: Format,
    pieces: Pieces<'t>,
}

impl<'t> Writer<'t> {
    /// Nothing written yet. Pieces go to `take` as they are full; the last one by [`finish`](Writer::finish).
    pub fn new(format: Format, take: Take<'t>) -> Writer<'t> {
        Writer { format, pieces: Pieces::new(take) }
    }

    /// Begins a family. It is described before its first sample; without any, it is not there.
    pub fn family<'w>(&'w mut self, about: impl Into<Description<'w>>) -> Family<'w, 't> {
        Family { pieces: &mut self.pieces, format: self.format, about: about.into(), is_described: false }
    }

    /// A family of one sample without labels.
    pub(super) fn single(&mut self, metric: Metric, value: f64) {
        self.family(metric).push(Labels::NONE, &[], value);
    }

    /// Hands over what is left.
    pub fn finish(self) {
        self.pieces.finish();
    }
}

/// All that `write` writes, in one.
pub fn written(format: Format, write: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut all = Vec::new();
    let mut take = |piece: &mut Vec<u8>| all.append(piece);
    let mut writer = Writer::new(format, &mut take);
    write(&mut writer);
    writer.finish();
    // Nothing but text goes in, so that nothing is lost here.
    String::from_utf8_lossy(&all).into_owned()
}

/// What is said about a family.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Full name.
    pub name: &'a str,
    /// One sentence for a person.
    pub help: &'a str,
    /// Its type.
    pub kind: MetricKind,
}

impl<'a> From<Metric> for Description<'a> {
    fn from(metric: Metric) -> Description<'a> {
        Description { name: metric.name, help: metric.help, kind: metric.kind }
    }
}

/// A family that is being written.
pub struct Family<'w, 't> {
    pieces: &'w mut Pieces<'t>,
    format: Format,
    about: Description<'w>,
    is_described: bool,
}

impl Family<'_, '_> {
    /// Writes a sample with these labels and `more`.
    pub fn push(&mut self, labels: Labels<'_>, more: &[(&str, &str)], value: f64) {
        self.push_line(|line| labels.push_to(line, more), value);
    }

    /// The same with one or more that are written already.
    pub(super) fn push_joined(&mut self, labels: Labels<'_>, more: Labels<'_>, value: f64) {
        self.push_line(|line| labels.push_joined_to(line, more), value);
    }

    fn push_line(&mut self, push_labels: impl FnOnce(&mut Vec<u8>), value: f64) {
        if !self.is_described {
            self.about.push_to(self.pieces, self.format);
            self.is_described = true;
        }
        let line = self.pieces.line();
        line.extend_from_slice(self.about.name.as_bytes());
        push_labels(line);
        line.push(b' ');
        push_number(line, value);
        line.push(b'\n');
    }
}

impl<'a> Description<'a> {
    fn push_to(&self, pieces: &mut Pieces<'_>, format: Format) {
        let name = self.name_in(format);
        let is_open = format == Format::OpenMetrics;
        // OpenMetrics wants the quote escaped here, too; the text format does not.
        push_line(pieces.line(), "HELP", name, self.help, is_open);
        push_line(pieces.line(), "TYPE", name, self.kind.as_str(), false);
        if let Some(unit) = unit(name).filter(|_| is_open) {
            push_line(pieces.line(), "UNIT", name, unit, false);
        }
    }

    /// In OpenMetrics the `_total` of a counter belongs to the sample, not to the family.
    fn name_in(&self, format: Format) -> &'a str {
        match (format, self.kind) {
            (Format::OpenMetrics, MetricKind::Counter) => {
                self.name.strip_suffix("_total").unwrap_or(self.name)
            }
            _ => self.name,
        }
    }
}

fn push_line(line: &mut Vec<u8>, keyword: &str, name: &str, what: &str, is_quoted: bool) {
    for part in ["# ", keyword, " ", name, " "] {
        line.extend_from_slice(part.as_bytes());
    }
    push_escaped(line, what, is_quoted);
    line.push(b'\n');
}

fn unit(name: &str) -> Option<&'static str> {
    let (_, last) = name.rsplit_once('_')?;
    UNITS.into_iter().find(|unit| *unit == last)
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;
    use prometheus::proto::{Counter, Gauge, LabelPair, Metric as ProtoMetric, MetricFamily, MetricType};
    use proptest::prelude::*;

    use super::super::label::push_label;
    use super::*;

    const METRIC: Metric = Metric { name: "m", help: "Help.", kind: MetricKind::Gauge, labels: &[] };

    /// One family with these samples.
    fn family(metric: Metric, format: Format, samples: usize) -> String {
        written(format, |writer| {
            let mut family = writer.family(metric);
            (0..samples).for_each(|number| family.push(Labels::NONE, &[], number as f64));
        })
    }

    #[test]
    fn a_family_without_samples_is_not_there() {
        assert_eq!(family(METRIC, Format::Text, 0), "");
        assert_eq!(family(METRIC, Format::Text, 2), "# HELP m Help.\n# TYPE m gauge\nm 0\nm 1\n");
    }

    #[test]
    fn labels_are_escaped_and_kept_whole_wherever_they_stand() {
        let value = "a\\b\n\"c\" größe 💧\r\t{}";
        let escaped = "\"a\\\\b\\n\\\"c\\\" größe 💧\r\t{}\"";
        let mut shared = Vec::new();
        push_label(&mut shared, true, "a", value);
        let shared = Labels::written(&shared);
        let text = written(Format::Text, |writer| {
            let mut family = writer.family(METRIC);
            family.push(shared, &[], 1.0);
            family.push(shared, &[("b", value)], 2.0);
            family.push(Labels::NONE, &[("b", value), ("c", "")], 3.0);
            family.push_joined(shared, shared, 4.0);
            family.push_joined(Labels::NONE, shared, 5.0);
        });
        let expected = ["{a=@} 1", "{a=@,b=@} 2", "{b=@,c=\"\"} 3", "{a=@,a=@} 4", "{a=@} 5"];
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines, expected.map(|labels| format!("m{}", labels.replace('@', escaped))));
    }

    #[test]
    fn quotes_in_help_are_escaped_in_openmetrics_alone() {
        let help = Metric { help: "Say \"\\\n\".", ..METRIC };
        let expected = "# HELP m Say \"\\\\\\n\".\n# TYPE m gauge\nm 0\n";
        assert_eq!(family(help, Format::Text, 1), expected);
        let expected = "# HELP m Say \\\"\\\\\\n\\\".\n# TYPE m gauge\nm 0\n";
        assert_eq!(family(help, Format::OpenMetrics, 1), expected);
    }

    #[test]
    fn openmetrics_names_counters_without_total_and_units_apart() {
        let counter = Metric { name: "cpu_seconds_total", kind: MetricKind::Counter, ..METRIC };
        let expected = "# HELP cpu_seconds Help.\n# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n\
                        cpu_seconds_total 0\n";
        assert_eq!(family(counter, Format::OpenMetrics, 1), expected);
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

    /// Any text a label may hold, with the characters that matter more often than chance would have them.
    fn any_text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop_oneof![Just('\\'), Just('"'), Just('\n'), any::<char>()], 0..12)
            .prop_map(|chars| chars.into_iter().collect())
    }

    type Arbitrary = (bool, String, Vec<(Vec<String>, f64)>);

    fn any_family() -> impl Strategy<Value = Arbitrary> {
        let number = prop_oneof![prop::num::f64::ANY, any::<i32>().prop_map(f64::from)];
        let sample = (prop::collection::vec(any_text(), 0..4), number);
        (any::<bool>(), "[ -~\\\\\n]{1,20}", prop::collection::vec(sample, 1..5))
    }

    const NAMES: [&str; 3] = ["first", "second", "third"];

    /// As many of the labels are shared as the sample has ones before it.
    fn ours((counter, help, samples): &Arbitrary, format: Format) -> String {
        let kind = if *counter { MetricKind::Counter } else { MetricKind::Gauge };
        written(format, |writer| {
            let mut family = writer.family(Description { name: "some_metric_total", help, kind });
            for (at, (values, number)) in samples.iter().enumerate() {
                let labels: Vec<_> = NAMES.into_iter().zip(values.iter().map(String::as_str)).collect();
                let (shared, more) = labels.split_at(at.min(labels.len()));
                let mut written = Vec::new();
                for (at, (name, value)) in shared.iter().enumerate() {
                    push_label(&mut written, at == 0, name, value);
                }
                family.push(Labels::written(&written), more, *number);
            }
        })
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
