//! What a query asks for: its selectors, and the labels that it names outside of them.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_parser::parser::{self, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector};

/// One name, with what is said about it.
#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) name: String,
    /// Such as `job=~"a"`.
    pub(crate) matchers: Vec<String>,
    /// The labels that the matchers name.
    pub(crate) labels: Vec<String>,
    pub(crate) range: Option<Duration>,
    /// The function right around a range.
    pub(crate) function: Option<String>,
}

/// What a query names.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) selectors: Vec<Selector>,
    /// Labels of aggregations and of matching.
    pub(crate) labels: BTreeSet<String>,
    /// Labels that `label_replace` and `label_join` make.
    pub(crate) made: BTreeSet<String>,
}

pub(crate) fn parse(query: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    parsed.walk(&parser::parse(query)?, None);
    Ok(parsed)
}

impl Parsed {
    fn walk(&mut self, expr: &Expr, function: Option<&str>) {
        match expr {
            Expr::Aggregate(aggregate) => {
                self.take(aggregate.modifier.as_ref());
                self.walk(&aggregate.expr, None);
                aggregate.param.iter().for_each(|param| self.walk(param, None));
            }
            Expr::Binary(binary) => {
                if let Some(modifier) = &binary.modifier {
                    self.take(modifier.matching.as_ref());
                    if let VectorMatchCardinality::ManyToOne(labels)
                    | VectorMatchCardinality::OneToMany(labels) = &modifier.card
                    {
                        self.labels.extend(labels.labels.iter().cloned());
                    }
                }
                self.walk(&binary.lhs, None);
                self.walk(&binary.rhs, None);
            }
            Expr::Unary(unary) => self.walk(&unary.expr, None),
            Expr::Paren(paren) => self.walk(&paren.expr, function),
            Expr::Subquery(subquery) => self.walk(&subquery.expr, None),
            Expr::Call(call) => {
                self.take_made(call);
                call.args.args.iter().for_each(|argument| self.walk(argument, Some(call.func.name)));
            }
            Expr::VectorSelector(selector) => self.select(selector, None, None),
            Expr::MatrixSelector(matrix) => self.select(&matrix.vs, Some(matrix.range), function),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
        }
    }

    fn take(&mut self, modifier: Option<&LabelModifier>) {
        self.labels
            .extend(modifier.into_iter().flat_map(|modifier| modifier.labels().labels.iter().cloned()));
    }

    fn take_made(&mut self, call: &Call) {
        let string = |at: usize| match call.args.args.get(at).map(|argument| &**argument) {
            Some(Expr::StringLiteral(literal)) if !literal.val.is_empty() => Some(literal.val.clone()),
            _ => None,
        };
        match call.func.name {
            "label_replace" => {
                self.made.extend(string(1));
                self.labels.extend(string(3));
            }
            "label_join" => {
                self.made.extend(string(1));
                self.labels.extend((3..call.args.args.len()).filter_map(string));
            }
            _ => {}
        }
    }

    fn select(&mut self, selector: &VectorSelector, range: Option<Duration>, function: Option<&str>) {
        let matchers = &selector.matchers.matchers;
        self.selectors.push(Selector {
            name: selector.name.clone().unwrap_or_default(),
            matchers: matchers.iter().map(ToString::to_string).collect(),
            labels: matchers.iter().map(|matcher| matcher.name.clone()).collect(),
            range,
            function: function.map(str::to_string),
        });
    }
}

/// The query with values for Grafana's variables; those without a value stay.
pub(crate) fn with_values(query: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(query.to_string(), |query, (name, value)| query.replace(&format!("${name}"), value))
}

/// Names of the variables in a text. `$1` is none: it belongs to `label_replace`.
pub(crate) fn variables(text: &str) -> Vec<String> {
    let starts = text.split('$').skip(1).map(|rest| rest.trim_start_matches('{'));
    let name = |rest: &str| {
        let end = rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len());
        rest[..end].to_string()
    };
    let names = starts.map(name);
    names.filter(|name| name.starts_with(|first: char| first.is_alphabetic() || first == '_')).collect()
}

#[test]
fn finds_all_that_is_named() {
    let query = r#"sum by (a) (rate(x_total{b="1"}[5m])) * on (c) group_left (d) label_replace(y, "e", "$1", "f", ".+")"#;
    let Parsed { selectors, labels, made } = parse(query).unwrap();
    let found: Vec<_> = selectors.iter().map(|one| (one.name.as_str(), one.function.as_deref())).collect();
    assert_eq!(found, [("x_total", Some("rate")), ("y", None)]);
    assert_eq!(selectors[0].matchers, [r#"b="1""#]);
    assert_eq!(
        (selectors[0].labels.clone(), selectors[0].range),
        (vec!["b".to_string()], Some(Duration::from_secs(300)))
    );
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["a", "c", "d", "f"]);
    assert_eq!(made.into_iter().collect::<Vec<_>>(), ["e"]);
    assert!(parse("sum(").is_err());
}

#[test]
fn knows_variables_from_references() {
    assert_eq!(variables(r#"x{a="$job"}[${__range}] $1 $"#), ["job", "__range"]);
    assert_eq!(with_values("x[$__range]", &[("__range", "1h")]), "x[1h]");
}
