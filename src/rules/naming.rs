//! `process_names`, with the meaning that process-exporter gives it: an item matches when each kind of its matchers
//! does, and then names the group.

use regex::Regex;

use super::template::{Candidate, Captures, Template, base};
use crate::entity::{Launch, Wants};

/// One item of `process_names`.
#[derive(Debug)]
pub struct NameRule {
    pub(super) template: Template,
    /// One of them is the command name.
    pub(super) comm: Option<Vec<String>>,
    /// One of them is the first argument: as it stands with a slash, else what is behind its last slash.
    pub(super) exe: Option<Vec<String>>,
    /// All of them are found in the arguments, joined by spaces.
    pub(super) cmdline: Option<Vec<Regex>>,
}

impl NameRule {
    /// What has to be known of a process to apply it.
    pub fn wants(&self) -> Wants {
        let command_line = self.exe.is_some() || self.cmdline.is_some();
        Wants { command_line, cgroups: false }.and(self.template.wants())
    }

    /// The group's name, if `process` matches.
    pub fn name(&self, process: &Candidate<'_>) -> Option<String> {
        let identity = process.identity;
        let comm = self.comm.as_ref().is_none_or(|names| names.iter().any(|name| **name == *identity.name));
        // Regular expressions last: they cost most.
        if !comm || !self.is_exe(identity.launch()) {
            return None;
        }
        let captures = self.captures(identity.launch())?;
        Some(self.template.fill(process, &captures))
    }

    fn is_exe(&self, launch: &Launch) -> bool {
        let Some(names) = &self.exe else { return true };
        let is = |program: &str, name: &String| match name.contains('/') {
            true => program == name,
            false => base(program) == name,
        };
        launch.program().is_some_and(|program| names.iter().any(|name| is(program, name)))
    }

    /// What the regular expressions catch by name; `None` where one of them finds nothing.
    fn captures(&self, launch: &Launch) -> Option<Captures> {
        let mut caught = Captures::new();
        let Some(expressions) = &self.cmdline else { return Some(caught) };
        let line = launch.joined();
        for expression in expressions {
            let captures = expression.captures(&line)?;
            for name in expression.capture_names().flatten() {
                let text = captures.name(name).map_or("", |found| found.as_str());
                caught.insert(name.to_string(), text.to_string());
            }
        }
        Some(caught)
    }
}
