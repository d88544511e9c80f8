//! What the configuration file says: which processes form which group, who is left alone, and what is known to grow.

mod fault;
mod live;
mod naming;
mod selector;
mod template;
mod yaml;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use fault::{Fault, RulesError};
pub use live::{LiveRules, ReloadStatus, load};
pub use naming::NameRule;
pub use selector::{Selector, Subject};
pub use template::Candidate;

use crate::entity::Wants;
use crate::sample::{Limit, LimitKind};

/// Everything that a configuration file may say; without one, nothing.
#[derive(Debug, Default)]
pub struct Rules {
    /// Which group a process belongs to, the first match; `None` groups by command name.
    names: Option<Vec<NameRule>>,
    /// Who is not watched at all.
    exclude: Vec<Selector>,
    /// Who is judged differently, the first match.
    overrides: Vec<Arc<Override>>,
}

impl Rules {
    /// What has to be known of each process to apply them.
    pub fn wants(&self) -> Wants {
        self.names.iter().flatten().fold(Wants::default(), |wants, rule| wants.and(rule.wants()))
    }

    /// The name of the group that `process` belongs to; `None` where no rule matches.
    pub fn group(&self, process: &Candidate<'_>) -> Option<String> {
        match &self.names {
            None => Some(process.identity.name.to_string()),
            Some(rules) => rules.iter().find_map(|rule| rule.name(process)),
        }
    }

    /// Whether `subject` is not to be watched.
    pub fn excludes(&self, subject: &Subject<'_>) -> bool {
        self.exclude.iter().any(|selector| selector.matches(subject))
    }

    /// What is to be done differently with `subject`.
    pub fn treatment(&self, subject: &Subject<'_>) -> Option<&Arc<Override>> {
        self.treatment_of_any(&[*subject])
    }

    /// The same for what is known as more than one subject.
    pub fn treatment_of_any(&self, subjects: &[Subject<'_>]) -> Option<&Arc<Override>> {
        self.overrides.iter().find(|rule| subjects.iter().any(|subject| rule.selector.matches(subject)))
    }
}

/// What is known of some entities, and no detector can see.
#[derive(Debug)]
pub struct Override {
    selector: Selector,
    ignore: bool,
    threshold: Option<f64>,
    limit_bytes: Option<u64>,
    expected_max_bytes: Option<u64>,
}

impl Override {
    /// Whether its bytes are those of a whole group, and not of each process in it.
    pub fn is_of_group(&self) -> bool {
        self.selector.is_of_group()
    }

    /// The score above which `bytes` of scored memory are suspect, where `usual` is for all others: infinite for
    /// what is never to be suspected.
    pub fn threshold(&self, usual: f64, bytes: u64) -> f64 {
        if self.ignore || self.expected_max_bytes.is_some_and(|expected| bytes < expected) {
            return f64::INFINITY;
        }
        self.threshold.unwrap_or(usual)
    }

    /// The same for what is no memory, of which no bytes can be expected.
    pub fn resource_threshold(&self, usual: f64) -> f64 {
        if self.ignore { f64::INFINITY } else { self.threshold.unwrap_or(usual) }
    }

    /// The limit, as far as it is from `bytes` of scored memory.
    pub fn limit(&self, bytes: u64) -> Option<Limit> {
        let limit = self.limit_bytes?;
        Some(Limit { kind: LimitKind::Configured, bytes: limit, room: limit.saturating_sub(bytes) })
    }
}
