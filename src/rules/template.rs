//! Names of groups, made of what a process is known by. A small part of Go's text/template: the fields that
//! process-exporter has, and its map of captures.

use std::collections::BTreeMap;

use super::fault::Fault;
use crate::entity::{Identity, Wants};

/// The fields, as they stand in a template.
const FIELDS: [(&str, Field); 7] = [
    (".Comm", Field::Comm),
    (".ExeBase", Field::ExeBase),
    (".ExeFull", Field::ExeFull),
    (".Username", Field::Username),
    (".PID", Field::Pid),
    (".StartTime", Field::StartTime),
    (".Cgroups", Field::Cgroups),
];

/// A process that looks for its group.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its names and how it was started.
    pub identity: &'a Identity,
    /// Its id.
    pub pid: u32,
    /// Since when it lives, seconds since the epoch.
    pub start_unix_seconds: Option<f64>,
}

/// What the named groups of regular expressions have caught.
pub(super) type Captures = BTreeMap<String, String>;

/// A name with gaps.
#[derive(Debug, PartialEq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Field(Field),
    Capture(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Comm,
    ExeBase,
    ExeFull,
    Username,
    Pid,
    StartTime,
    Cgroups,
}

impl Template {
    /// The name that processes get where no other is asked for.
    pub(super) fn exe_base() -> Template {
        Template(vec![Piece::Field(Field::ExeBase)])
    }

    /// Makes sense of a template whose captures are `known`.
    pub(super) fn parse(text: &str, known: &[String]) -> Result<Template, Fault> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (action, next) = after.split_once("}}").ok_or_else(|| Fault::OpenTemplate(text.into()))?;
            pieces.push(Piece::Text(before.to_string()));
            pieces.push(piece(action, known)?);
            rest = next;
        }
        pieces.push(Piece::Text(rest.to_string()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Template(pieces))
    }

    /// What has to be known of a process to fill the gaps.
    pub(super) fn wants(&self) -> Wants {
        let uses = |field| self.0.contains(&Piece::Field(field));
        Wants { command_line: uses(Field::ExeBase) || uses(Field::ExeFull), cgroups: uses(Field::Cgroups) }
    }

    pub(super) fn fill(&self, process: &Candidate<'_>, captures: &Captures) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(field) => field.value(process),
            Piece::Capture(name) => captures.get(name).cloned().unwrap_or_default(),
        };
        self.0.iter().map(fill).collect()
    }
}

fn piece(action: &str, known: &[String]) -> Result<Piece, Fault> {
    let unknown = || Fault::UnknownAction(action.trim().to_string());
    let words: Vec<&str> = action.split_whitespace().collect();
    let capture = match words[..] {
        [field] => match FIELDS.iter().find(|(name, _)| *name == field) {
            Some((_, field)) => return Ok(Piece::Field(*field)),
            None => field.strip_prefix(".Matches.").ok_or_else(unknown)?,
        },
        ["index", ".Matches", name] => {
            name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).ok_or_else(unknown)?
        }
        _ => return Err(unknown()),
    };
    match known.iter().any(|name| name == capture) {
        true => Ok(Piece::Capture(capture.to_string())),
        false => Err(Fault::UnknownCapture { name: capture.to_string(), known: known.to_vec() }),
    }
}

impl Field {
    fn value(self, process: &Candidate<'_>) -> String {
        let Candidate { identity, pid, start_unix_seconds } = process;
        // A process without arguments goes by its command name, as in process-exporter.
        let program = identity.launch().program().unwrap_or(&identity.name);
        match self {
            Field::Comm => identity.name.to_string(),
            Field::ExeBase => base(program).to_string(),
            Field::ExeFull => program.to_string(),
            Field::Username => identity.user.as_deref().unwrap_or_default().to_string(),
            Field::Pid => pid.to_string(),
            Field::StartTime => start_unix_seconds.map(go_time).unwrap_or_default(),
            Field::Cgroups => format!("[{}]", identity.launch().cgroups.join(" ")),
        }
    }
}

/// What Go's filepath.Base says: all behind the last slash, and `.` for nothing.
pub(super) fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None if path.is_empty() => ".",
        Some("") | None => "/",
        Some(last) => last,
    }
}

/// A point in time as Go prints it, to the hundredth of a second that the kernel counts in.
fn go_time(unix_seconds: f64) -> String {
    let since = std::time::Duration::from_millis((unix_seconds * 100.0).round().max(0.0) as u64 * 10);
    let rfc3339 = humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since).to_string();
    let text = rfc3339.trim_end_matches('Z').replace('T', " ");
    format!("{} +0000 UTC", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::entity::Launch;

    fn fill(template: &str, command_line: Option<&str>) -> String {
        let identity = Identity {
            name: Arc::from("postgres"),
            user: Some(Arc::from("www-data")),
            launch: Some(Arc::new(Launch::new(
                command_line.map(str::to_string),
                vec!["/a".to_string(), "/b c".to_string()],
            ))),
            ..Identity::default()
        };
        let process = Candidate { identity: &identity, pid: 7, start_unix_seconds: Some(1_700_000_002.5) };
        let captures = Captures::from([("Cfg".to_string(), "x.yml".to_string())]);
        let known = ["Cfg".to_string()];
        Template::parse(template, &known).unwrap().fill(&process, &captures)
    }

    #[test]
    fn every_field_says_what_process_exporter_says() {
        for (template, expected) in [
            ("{{.Comm}}", "postgres"),
            ("{{ .ExeBase }}", "pg"),
            ("{{.ExeFull}}", "/usr/bin/pg"),
            ("{{.Username}}", "www-data"),
            ("{{.PID}}", "7"),
            ("{{.StartTime}}", "2023-11-14 22:13:22.5 +0000 UTC"),
            ("{{.Cgroups}}", "[/a /b c]"),
            ("{{.Matches.Cfg}}", "x.yml"),
            ("{{ index .Matches \"Cfg\" }}", "x.yml"),
            ("a {{.ExeBase}}:{{.PID}} z", "a pg:7 z"),
            ("upstart:-user", "upstart:-user"),
            ("a } b { c }}", "a } b { c }}"),
        ] {
            assert_eq!(fill(template, Some("/usr/bin/pg\0-D")), expected, "{template}");
        }
    }

    #[test]
    fn without_arguments_the_program_is_the_command() {
        assert_eq!(fill("{{.ExeBase}} {{.ExeFull}}", None), "postgres postgres");
    }

    #[test]
    fn base_is_that_of_go() {
        for (path, expected) in [
            ("/a/b", "b"),
            ("b", "b"),
            ("b/", "b"),
            ("/", "/"),
            ("//", "/"),
            ("", "."),
            ("x: y /u/z -D", "z -D"),
        ] {
            assert_eq!(base(path), expected, "{path:?}");
        }
    }

    #[test]
    fn whole_seconds_have_no_fraction() {
        assert_eq!(go_time(1_700_000_000.0), "2023-11-14 22:13:20 +0000 UTC");
    }
}
