//! The text of a configuration file -> [`Rules`], or the first line that is wrong and why.

use std::str::FromStr;
use std::sync::Arc;

use regex::Regex;
use serde::Deserialize;

use super::fault::Fault;
use super::naming::NameRule;
use super::selector::Selector;
use super::template::Template;
use super::{Override, Rules};
use crate::entity::Scope;
use crate::glob::Glob;
use crate::yaml::{self, Spanned, Text, line};

/// A fault and its line, from 1.
pub(super) type Wrong = (u64, Fault);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    process_names: Option<Spanned<Vec<Spanned<Item>>>>,
    #[serde(default)]
    exclude: Vec<Exclusion>,
    #[serde(default)]
    overrides: Vec<Spanned<Change>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: Option<Text>,
    comm: Option<Vec<Text>>,
    exe: Option<Vec<Text>>,
    cmdline: Option<Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exclusion {
    r#match: Spanned<Match>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    r#match: Spanned<Match>,
    #[serde(default)]
    ignore: bool,
    threshold: Option<Spanned<f64>>,
    limit_bytes: Option<Text>,
    expected_max_bytes: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    scope: Option<Text>,
    group: Option<Text>,
    name: Option<Text>,
    cgroup: Option<Text>,
}

/// Makes sense of the whole text.
pub(super) fn parse(text: &str) -> Result<Rules, Wrong> {
    let file: File = yaml::from_str(text).map_err(|(line, fault)| (line, fault.into()))?;
    Ok(Rules {
        names: file.process_names.map(names).transpose()?,
        exclude: file.exclude.into_iter().map(|one| selector(one.r#match)).collect::<Result<_, _>>()?,
        overrides: file.overrides.into_iter().map(change).collect::<Result<_, _>>()?,
    })
}

fn names(items: Spanned<Vec<Spanned<Item>>>) -> Result<Vec<NameRule>, Wrong> {
    if items.value.is_empty() {
        let instead = "name some, or leave it out to group by command name";
        return Err((line(&items), Fault::Empty("process_names", instead)));
    }
    items.value.into_iter().map(name_rule).collect()
}

fn name_rule(item: Spanned<Item>) -> Result<NameRule, Wrong> {
    let at = line(&item);
    let Item { name, comm, exe, cmdline } = item.value;
    let lists = [&comm, &exe, &cmdline];
    if lists.into_iter().flatten().all(Vec::is_empty) {
        return Err((at, Fault::NoMatcher));
    }
    let plain = |list: Option<Vec<Text>>, what| {
        let texts = list.map(|list| list.into_iter().map(|text| filled(text, what, NO_ENTRY)).collect());
        texts.transpose()
    };
    let cmdline = cmdline.map(|list| list.into_iter().map(expression).collect::<Result<Vec<_>, _>>());
    let cmdline = cmdline.transpose()?;
    let captures: Vec<String> =
        cmdline.iter().flatten().flat_map(Regex::capture_names).flatten().map(str::to_string).collect();
    let template = match name {
        None => Template::exe_base(),
        Some(name) => {
            let at = line(&name);
            let name = filled(name, "name", "leave it out for {{.ExeBase}}")?;
            Template::parse(&name, &captures).map_err(|fault| (at, fault))?
        }
    };
    Ok(NameRule { template, comm: plain(comm, "comm")?, exe: plain(exe, "exe")?, cmdline })
}

/// What to do about an empty text in a list.
const NO_ENTRY: &str = "leave it out";

fn filled(text: Text, what: &'static str, instead: &'static str) -> Result<String, Wrong> {
    match text.value.is_empty() {
        true => Err((line(&text), Fault::Empty(what, instead))),
        false => Ok(text.value),
    }
}

fn expression(text: Text) -> Result<Regex, Wrong> {
    let at = line(&text);
    let expression = filled(text, "cmdline", NO_ENTRY)?;
    Regex::new(&expression).map_err(|error| (at, unusable(expression, &error)))
}

fn unusable(expression: String, error: &regex::Error) -> Fault {
    // The library draws the place below the expression; its last line says what is wrong.
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
    Fault::Expression { expression, reason }
}

fn change(change: Spanned<Change>) -> Result<Arc<Override>, Wrong> {
    let at = line(&change);
    let Change { r#match, ignore, threshold, limit_bytes, expected_max_bytes } = change.value;
    if !ignore && threshold.is_none() && limit_bytes.is_none() && expected_max_bytes.is_none() {
        let instead = "give ignore, threshold, limit_bytes or expected_max_bytes";
        return Err((at, Fault::Empty("what this overrides", instead)));
    }
    if let Some(score) = threshold.as_ref().filter(|score| !(0.0..100.0).contains(&score.value)) {
        return Err((line(score), Fault::Threshold(score.value)));
    }
    Ok(Arc::new(Override {
        selector: selector(r#match)?,
        ignore,
        threshold: threshold.map(|score| score.value),
        limit_bytes: limit_bytes.map(bytes).transpose()?,
        expected_max_bytes: expected_max_bytes.map(bytes).transpose()?,
    }))
}

fn bytes(text: Text) -> Result<u64, Wrong> {
    let size = bytesize::ByteSize::from_str(&text.value).ok().filter(|size| size.as_u64() > 0);
    size.map(|size| size.as_u64()).ok_or_else(|| (line(&text), Fault::Size(text.value)))
}

fn selector(given: Spanned<Match>) -> Result<Selector, Wrong> {
    let at = line(&given);
    let Match { scope, group, name, cgroup } = given.value;
    let selector = Selector {
        scope: scope.map(parse_scope).transpose()?,
        group: group.map(|text| glob(text, "group")).transpose()?,
        name: name.map(|text| glob(text, "name")).transpose()?,
        cgroup: cgroup.map(|text| glob(text, "cgroup")).transpose()?,
    };
    if selector.is_empty() {
        return Err((at, Fault::Empty("match", "give scope, group, name or cgroup")));
    }
    match selector.impossible() {
        Some((scope, criterion)) => Err((at, Fault::Impossible(scope, criterion))),
        None => Ok(selector),
    }
}

fn parse_scope(text: Text) -> Result<Scope, Wrong> {
    let known = Scope::ALL.into_iter().find(|scope| scope.as_str() == text.value);
    known.ok_or_else(|| (line(&text), Fault::Scope(text.value)))
}

fn glob(text: Text, what: &'static str) -> Result<Glob, Wrong> {
    let at = line(&text);
    let pattern = filled(text, what, "write * for any")?;
    Glob::new(&pattern).map_err(|error| (at, unusable(pattern, &error)))
}
