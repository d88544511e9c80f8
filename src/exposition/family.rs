//! What is written: families of samples.

use std::borrow::Cow;
use std::rc::Rc;

use super::catalog::{Metric, MetricKind};

/// A label's name and value.
pub type Label<'a> = (&'a str, Cow<'a, str>);

/// The labels of a sample. What all series of an entity have in common is made once and shared by them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels<'a> {
    shared: Option<Rc<[Label<'a>]>>,
    own: Option<Label<'a>>,
}

impl<'a> Labels<'a> {
    /// Labels that several samples share.
    pub fn shared(labels: impl IntoIterator<Item = Label<'a>>) -> Labels<'a> {
        let labels: Rc<[Label<'a>]> = labels.into_iter().collect();
        Labels { shared: (!labels.is_empty()).then_some(labels), own: None }
    }

    /// The only label of a sample.
    pub fn one(name: &'a str, value: impl Into<Cow<'a, str>>) -> Labels<'a> {
        Labels::default().with(name, value)
    }

    /// The same labels and one more, in place of an earlier one that was added like this.
    #[must_use]
    pub fn with(&self, name: &'a str, value: impl Into<Cow<'a, str>>) -> Labels<'a> {
        Labels { shared: self.shared.clone(), own: Some((name, value.into())) }
    }

    /// All of them, in the order of output.
    pub fn iter(&self) -> impl Iterator<Item = &Label<'a>> {
        self.shared.iter().flat_map(|labels| labels.iter()).chain(&self.own)
    }
}

/// One line of output.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// What it belongs to.
    pub labels: Labels<'a>,
    /// The number.
    pub value: f64,
}

/// All samples of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Family<'a> {
    /// Full name.
    pub name: &'a str,
    /// One sentence for a person.
    pub help: &'a str,
    /// Its type.
    pub kind: MetricKind,
    /// Its lines.
    pub samples: Vec<Sample<'a>>,
}

impl<'a> Family<'a> {
    /// A family of the catalog, without samples yet.
    pub fn new(metric: Metric) -> Family<'a> {
        Family { name: metric.name, help: metric.help, kind: metric.kind, samples: Vec::new() }
    }

    /// A family of one sample without labels.
    pub fn single(metric: Metric, value: f64) -> Family<'a> {
        let mut family = Family::new(metric);
        family.push(Labels::default(), value);
        family
    }

    /// Adds a sample.
    pub fn push(&mut self, labels: Labels<'a>, value: f64) {
        self.samples.push(Sample { labels, value });
    }
}
