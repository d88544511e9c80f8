//! What the text format 0.0.4 and OpenMetrics 1.0.0 allow of what we write: stricter than any reader.

use std::collections::{BTreeMap, BTreeSet};

use memleak_exporter::exposition::Format;

/// Panics unless `text` is a whole exposition in `format`. Gives each sample's labels by its name.
pub(crate) fn check(text: &str, format: Format) -> Vec<(String, BTreeMap<String, String>)> {
    let text = match format {
        Format::Text => text,
        Format::OpenMetrics => text.strip_suffix("# EOF\n").expect("it ends in # EOF"),
    };
    assert!(text.is_empty() || text.ends_with('\n'), "the last line has no end");
    let mut checker = Checker { format, families: BTreeSet::new(), series: BTreeSet::new(), family: None };
    // Of all that a string may hold, the line feed alone ends a line.
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    lines.iter().filter_map(|line| checker.line(line)).collect()
}

struct Checker<'a> {
    format: Format,
    families: BTreeSet<&'a str>,
    series: BTreeSet<(String, BTreeMap<String, String>)>,
    family: Option<Family<'a>>,
}

struct Family<'a> {
    name: &'a str,
    kind: Option<&'a str>,
    has_samples: bool,
}

impl<'a> Checker<'a> {
    fn line(&mut self, line: &'a str) -> Option<(String, BTreeMap<String, String>)> {
        match line.strip_prefix("# ") {
            Some(about) => {
                self.about(about);
                None
            }
            None => Some(self.sample(line)),
        }
    }

    fn about(&mut self, line: &'a str) {
        let (keyword, rest) = line.split_once(' ').expect("a keyword");
        let (name, what) = rest.split_once(' ').expect("a name and what is said about it");
        match keyword {
            "HELP" => {
                assert!(is_name(name, true), "{line:?}");
                assert!(
                    self.family.as_ref().is_none_or(|family| family.has_samples),
                    "an empty family before {line:?}"
                );
                assert!(self.families.insert(name), "{name} is there twice");
                unescaped(what, self.format == Format::OpenMetrics);
                self.family = Some(Family { name, kind: None, has_samples: false });
            }
            "TYPE" => {
                assert!(["gauge", "counter"].contains(&what), "{line:?}");
                let family = self.described(name);
                assert!(family.kind.replace(what).is_none(), "{line:?} comes twice");
            }
            "UNIT" => {
                assert!(
                    self.format == Format::OpenMetrics && name.ends_with(&format!("_{what}")),
                    "{line:?}"
                );
                self.described(name);
            }
            _ => panic!("no keyword: {line:?}"),
        }
    }

    fn described(&mut self, name: &str) -> &mut Family<'a> {
        let family = self.family.as_mut().filter(|family| family.name == name && !family.has_samples);
        family.expect("it is about the family that was begun last")
    }

    fn sample(&mut self, line: &str) -> (String, BTreeMap<String, String>) {
        let end = line.find(['{', ' ']).expect("a name and a value");
        let (name, rest) = line.split_at(end);
        let family = self.family.as_mut().expect("a family was begun");
        let is_open_counter = self.format == Format::OpenMetrics && family.kind == Some("counter");
        let expected =
            if is_open_counter { format!("{}_total", family.name) } else { family.name.to_string() };
        assert_eq!(name, expected, "{line:?}");
        family.has_samples = true;
        let (labels, value) = labels(rest);
        let value = value.strip_prefix(' ').expect("a blank before the value");
        let is_number =
            value.parse::<f64>().is_ok_and(f64::is_finite) && !value.contains(['i', 'I', 'n', 'N']);
        assert!(is_number || ["NaN", "+Inf", "-Inf"].contains(&value), "{line:?}");
        let series = (name.to_string(), labels);
        assert!(self.series.insert(series.clone()), "{line:?} is there twice");
        series
    }
}

/// The labels in braces, and what follows them.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label's name");
        assert!(is_name(name, false), "{name:?} is no name of a label");
        let end = closing_quote(after);
        let value = unescaped(&after[..end], true);
        assert!(labels.insert(name.to_string(), value).is_none(), "label {name} is there twice");
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix('}').expect("a closing brace")),
        }
    }
}

fn closing_quote(text: &str) -> usize {
    let mut is_escaped = false;
    let quote = text.bytes().position(|byte| {
        let found = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        found
    });
    quote.expect("a closing quote")
}

fn unescaped(text: &str, is_quoted: bool) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => plain.push(match chars.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if is_quoted => '"',
                other => panic!("no escape: {other:?}"),
            }),
            '"' if is_quoted => panic!("a bare quote in {text:?}"),
            char => plain.push(char),
        }
    }
    plain
}

fn is_name(name: &str, may_have_colons: bool) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (byte == b':' && may_have_colons);
    let mut bytes = name.bytes();
    bytes.next().is_some_and(fits) && bytes.all(|byte| fits(byte) || byte.is_ascii_digit())
}
