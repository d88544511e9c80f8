//! Query strings, of the metrics and of the API. Nothing is guessed: a parameter that is unknown, malformed or repeated
//! without need is refused.

use std::str::FromStr;

use hyper::StatusCode;

use super::response::Refusal;
use crate::detector::Status;
use crate::entity::{Resource, Scope};
use crate::exposition::Sources;

/// Indicators in an answer that does not ask for another number.
pub(super) const DEFAULT_LIMIT: usize = 100;

/// Most indicators in one answer: about a MiB, so that those who read slowly can't pin much of our memory.
pub(super) const MAX_LIMIT: usize = 1_000;

/// The sources whose metrics are wanted: those that are named by `collect[]`, or all.
pub(super) fn parse_collect(query: &str) -> Result<Sources, Refusal> {
    let mut sources = Sources::ALL;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "collect[]" {
            return Err(bad(format!("unknown parameter {name:?}; known is collect[]")));
        }
        sources = sources.with(&value).map_err(|_| {
            let known = Sources::known().into_iter().collect::<Vec<_>>();
            bad(format!("collect[] {value:?} is none of {}", known.join(", ")))
        })?;
    }
    Ok(sources)
}

/// Which indicators are wanted of `/api/leak_indicators`.
#[derive(Debug, PartialEq)]
pub(super) struct IndicatorQuery {
    pub(super) scope: Option<Scope>,
    pub(super) status: Option<Status>,
    pub(super) limit: usize,
}

impl IndicatorQuery {
    /// Understands a query.
    pub(super) fn parse(query: &str) -> Result<IndicatorQuery, Refusal> {
        let (mut scope, mut status, mut limit) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "scope" => once(&mut scope, "scope", parse_scope(&value)?)?,
                "status" => once(&mut status, "status", parse_status(&value)?)?,
                "limit" => once(&mut limit, "limit", parse_limit(&value)?)?,
                unknown => {
                    return Err(bad(format!(
                        "unknown parameter {unknown:?}; known are scope, status and limit"
                    )));
                }
            }
        }
        Ok(IndicatorQuery { scope, status, limit: limit.unwrap_or(DEFAULT_LIMIT) })
    }
}

/// Whose history is wanted of `/api/history`.
#[derive(Debug, PartialEq)]
pub(super) enum HistoryQuery {
    Host,
    HostUnaccounted,
    Cgroup(String),
    Group(String),
    /// A pid is somebody else's later; with the start time, in clock ticks since boot, it is one life's.
    Process {
        pid: u32,
        start_time: Option<u64>,
    },
    ProcessResource {
        pid: u32,
        start_time: Option<u64>,
        resource: Resource,
    },
}

const WHOSE_HISTORY: &str = "give scope=host, scope=host_unaccounted, scope=cgroup&cgroup=PATH, \
     scope=group&group=NAME, scope=process&pid=PID or scope=process_resource&pid=PID&resource=NAME, the last two also \
     with &start_time=TICKS";

impl HistoryQuery {
    pub(super) fn parse(query: &str) -> Result<HistoryQuery, Refusal> {
        let (mut scope, mut cgroup, mut group) = (None, None, None);
        let (mut pid, mut start_time, mut resource) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "scope" => once(&mut scope, "scope", parse_scope(&value)?)?,
                "cgroup" => once(&mut cgroup, "cgroup", value.into_owned())?,
                "group" => once(&mut group, "group", value.into_owned())?,
                "pid" => once(&mut pid, "pid", parse_number(&name, &value)?)?,
                "start_time" => once(&mut start_time, "start_time", parse_number(&name, &value)?)?,
                "resource" => once(&mut resource, "resource", parse_resource(&value)?)?,
                unknown => {
                    return Err(bad(format!(
                        "unknown parameter {unknown:?}; known are scope, cgroup, group, pid, start_time and resource"
                    )));
                }
            }
        }
        match (scope, (cgroup, group), (pid, start_time), resource) {
            (Some(Scope::Host), (None, None), (None, None), None) => Ok(HistoryQuery::Host),
            (Some(Scope::HostUnaccounted), (None, None), (None, None), None) => {
                Ok(HistoryQuery::HostUnaccounted)
            }
            (Some(Scope::Cgroup), (Some(path), None), (None, None), None) => Ok(HistoryQuery::Cgroup(path)),
            (Some(Scope::Group), (None, Some(name)), (None, None), None) => Ok(HistoryQuery::Group(name)),
            (Some(Scope::Process), (None, None), (Some(pid), start_time), None) => {
                Ok(HistoryQuery::Process { pid, start_time })
            }
            (Some(Scope::ProcessResource), (None, None), (Some(pid), start_time), Some(resource)) => {
                Ok(HistoryQuery::ProcessResource { pid, start_time, resource })
            }
            (None, ..) => Err(bad(format!("scope is missing; {WHOSE_HISTORY}"))),
            (Some(scope), ..) => {
                Err(bad(format!("scope {scope} needs other parameters than these; {WHOSE_HISTORY}")))
            }
        }
    }
}

fn bad(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, message)
}

fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), Refusal> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(bad(format!("{name} is given twice; give it once"))),
    }
}

fn parse_scope(value: &str) -> Result<Scope, Refusal> {
    Scope::ALL.into_iter().find(|scope| scope.as_str() == value).ok_or_else(|| {
        let known = Scope::ALL.map(Scope::as_str).join(", ");
        bad(format!("scope {value:?} is none of {known}"))
    })
}

fn parse_resource(value: &str) -> Result<Resource, Refusal> {
    Resource::ALL.into_iter().find(|resource| resource.as_str() == value).ok_or_else(|| {
        let known = Resource::ALL.map(Resource::as_str).join(", ");
        bad(format!("resource {value:?} is none of {known}"))
    })
}

fn parse_status(value: &str) -> Result<Status, Refusal> {
    [Status::Clean, Status::Suspect]
        .into_iter()
        .find(|status| status.as_str() == value)
        .ok_or_else(|| bad(format!("status {value:?} is neither clean nor suspect")))
}

fn parse_limit(value: &str) -> Result<usize, Refusal> {
    value
        .parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| bad(format!("limit {value:?} is no whole number from 1 to {MAX_LIMIT}")))
}

fn parse_number<T: FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|_| bad(format!("{name} {value:?} is no whole number, or too large a one")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_asked_is_the_default() {
        let query = IndicatorQuery::parse("").unwrap();
        assert_eq!(query, IndicatorQuery { scope: None, status: None, limit: DEFAULT_LIMIT });
    }

    #[test]
    fn everything_asked_is_understood() {
        let query = IndicatorQuery::parse("scope=host_unaccounted&status=suspect&limit=1000").unwrap();
        let expected = IndicatorQuery {
            scope: Some(Scope::HostUnaccounted),
            status: Some(Status::Suspect),
            limit: MAX_LIMIT,
        };
        assert_eq!(query, expected);
    }

    #[test]
    fn sources_are_collected() {
        assert!(parse_collect("").unwrap().is_all());
        let host = Sources::ALL.with("host").unwrap();
        assert_eq!(parse_collect("collect[]=host&collect%5B%5D=host").unwrap(), host);
        let both = host.with("process").unwrap();
        assert_eq!(parse_collect("collect[]=process&collect[]=host").unwrap(), both);
        for query in
            ["collect[]=", "collect[]", "collect=host", "collect[]=host&collect[]=cpu", "exclude[]=host"]
        {
            assert!(parse_collect(query).is_err(), "{query}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for query in [
            "scope=",
            "scope=Host",
            "scope=container",
            "status=bad",
            "status",
            "limit=0",
            "limit=-1",
            "limit=10001",
            "limit=1e3",
            "limit=",
            "limit=99999999999999999999",
            "x=1",
            "scope=host&scope=host",
            "=",
        ] {
            assert!(IndicatorQuery::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_history_is_one_entity_s() {
        let group = HistoryQuery::Group("a b&c".to_string());
        let process = |start_time| HistoryQuery::Process { pid: 7, start_time };
        for (query, expected) in [
            ("scope=host", HistoryQuery::Host),
            ("scope=host_unaccounted", HistoryQuery::HostUnaccounted),
            ("scope=group&group=a+b%26c", group),
            ("pid=7&scope=process", process(None)),
            ("scope=process&pid=7&start_time=123", process(Some(123))),
            ("scope=cgroup&cgroup=/a.slice/b%20c", HistoryQuery::Cgroup("/a.slice/b c".to_string())),
            (
                "scope=process_resource&pid=7&resource=fds",
                HistoryQuery::ProcessResource { pid: 7, start_time: None, resource: Resource::Fds },
            ),
        ] {
            assert_eq!(HistoryQuery::parse(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn a_history_of_nobody_or_of_several_is_refused() {
        for query in [
            "",
            "pid=7",
            "scope=",
            "scope=process",
            "scope=process&pid=",
            "scope=process&pid=-1",
            "scope=process&pid=99999999999",
            "scope=process&pid=7&start_time=x",
            "scope=process&pid=7&pid=7",
            "scope=process&pid=7&group=a",
            "scope=group",
            "scope=group&group=a&pid=7",
            "scope=group&group=a&start_time=1",
            "scope=host&pid=7",
            "scope=host&limit=1",
        ] {
            assert!(HistoryQuery::parse(query).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_as_a_query_is_read_as_it_was(name: String, pid: u32, start_time: u64) {
            let written = |pairs: &[(&str, &str)]| {
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
            };
            let group = written(&[("scope", "group"), ("group", &name)]);
            prop_assert_eq!(HistoryQuery::parse(&group).unwrap(), HistoryQuery::Group(name));
            let numbers = (pid.to_string(), start_time.to_string());
            let process = written(&[("start_time", &numbers.1), ("pid", &numbers.0), ("scope", "process")]);
            let expected = HistoryQuery::Process { pid, start_time: Some(start_time) };
            prop_assert_eq!(HistoryQuery::parse(&process).unwrap(), expected);
        }

        #[test]
        fn no_query_is_too_odd_to_be_refused(query: String) {
            let _ = (parse_collect(&query), IndicatorQuery::parse(&query), HistoryQuery::parse(&query));
        }
    }
}
