//! The query strings of the metrics and of `/api/leak_indicators`. Nothing is guessed: a parameter that is unknown,
//! malformed or repeated without need is refused.

use hyper::StatusCode;

use super::response::Refusal;
use crate::detector::Status;
use crate::entity::Scope;
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

/// Which indicators are wanted.
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

#[cfg(test)]
mod tests {
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
            "scope=cgroup",
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
}
