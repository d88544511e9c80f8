//! `match` of exclusions and overrides: whom they speak of.

use crate::entity::{Identity, Scope};
use crate::glob::Glob;

/// What an entity is known by, as far as it has it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    scope: Scope,
    group: Option<&'a str>,
    name: Option<&'a str>,
    cgroup: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// An entity of a source.
    pub fn of(scope: Scope, identity: &'a Identity, group: Option<&'a str>) -> Subject<'a> {
        let is_of_process = matches!(scope, Scope::Process | Scope::ProcessResource);
        let name = is_of_process.then_some(&*identity.name);
        Subject { scope, group, name, cgroup: identity.cgroup.as_deref() }
    }

    /// A group as a whole.
    pub fn group(name: &'a str) -> Subject<'a> {
        Subject { scope: Scope::Group, group: Some(name), name: None, cgroup: None }
    }
}

/// Criteria that must all hold; at least one is given.
#[derive(Debug, Default)]
pub struct Selector {
    pub(super) scope: Option<Scope>,
    pub(super) group: Option<Glob>,
    pub(super) name: Option<Glob>,
    pub(super) cgroup: Option<Glob>,
}

impl Selector {
    /// Whether all criteria hold; one about what the entity does not have never does.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let holds = |glob: &Option<Glob>, text: Option<&str>| {
            glob.as_ref().is_none_or(|glob| text.is_some_and(|text| glob.matches(text)))
        };
        self.scope.is_none_or(|scope| scope == subject.scope)
            && holds(&self.group, subject.group)
            && holds(&self.name, subject.name)
            && holds(&self.cgroup, subject.cgroup)
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        let Selector { scope, group, name, cgroup } = self;
        scope.is_none() && [group, name, cgroup].into_iter().all(Option::is_none)
    }

    /// What is asked for that its scope does not have.
    pub(super) fn impossible(&self) -> Option<(Scope, &'static str)> {
        let scope = self.scope?;
        let asked = [("group", &self.group), ("name", &self.name), ("cgroup", &self.cgroup)];
        let has = |criterion| match scope {
            Scope::Process | Scope::ProcessResource => true,
            Scope::Group => criterion == "group",
            Scope::Cgroup => criterion == "cgroup",
            Scope::Host | Scope::HostUnaccounted => false,
        };
        let wrong = asked.into_iter().find(|(criterion, glob)| glob.is_some() && !has(*criterion));
        wrong.map(|(criterion, _)| (scope, criterion))
    }

    /// Whether it names groups and nothing about single processes.
    pub(super) fn is_of_group(&self) -> bool {
        let about_processes = matches!(self.scope, Some(Scope::Process | Scope::ProcessResource))
            || self.name.is_some()
            || self.cgroup.is_some();
        self.group.is_some() && !about_processes
    }
}
