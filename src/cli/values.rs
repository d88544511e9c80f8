//! Text of a flag -> its value, or what to type instead.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{ValueEnum, builder::PossibleValue};

use crate::config::{BacktestOutput, ListenAddress, LogFormat, LogLevel, ProcessBackend};
use crate::glob::Glob;

/// Most levels of cgroups: each takes a file descriptor while what is below it is read.
const MAX_DEPTH: usize = 64;

/// How many processes get series; a type of its own, for clap gives `Option` a meaning of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Top(pub(super) Option<usize>);

/// What all paths begin with, without a slash at the end. Of the external URL nothing else matters: links on the
/// page are relative.
#[derive(Clone, Debug, Default)]
pub(super) struct RoutePrefix(pub(super) String);

pub(super) fn listen_address(text: &str) -> Result<ListenAddress, String> {
    const HINT: &str = "use :PORT, HOST:PORT or [::1]:PORT with a port from 0 to 65535";
    if let Ok(address) = SocketAddr::from_str(text) {
        return Ok(ListenAddress::Address(address));
    }
    let (host, port) = text.rsplit_once(':').ok_or(HINT)?;
    let port = u16::from_str(port).map_err(|_| HINT)?;
    match host {
        "" => Ok(ListenAddress::Any(port)),
        host if host.contains([':', '[', ']', '/', ' ']) => Err(HINT.to_string()),
        host => Ok(ListenAddress::Name(host.to_string(), port)),
    }
}

pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    let taken = ["/api/", "/-/"].iter().any(|prefix| format!("{text}/").starts_with(prefix))
        || ["/", "/style.css"].contains(&text)
        || text.split('/').skip(1).any(|part| ["", ".", ".."].contains(&part));
    if !text.starts_with('/') || taken || !is_plain_path(text) {
        return Err(
            "use a path such as /metrics, of letters, digits and -_.~, and not /, /style.css, /api/… or /-/…"
                .to_string(),
        );
    }
    Ok(text.to_string())
}

pub(super) fn time_lapse(text: &str) -> Result<u32, String> {
    whole_number(text, 1..=100_000)
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "use a whole number; 0 is no cap".to_string())
}

pub(super) fn glob(text: &str) -> Result<Glob, String> {
    Glob::new(text).map_err(|_| "use a shorter pattern".to_string())
}

pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    match Path::new(text).file_name() {
        Some(_) if !text.ends_with('/') => Ok(PathBuf::from(text)),
        _ => Err("use the path of a file, such as /var/lib/memleak-exporter/state".to_string()),
    }
}

pub(super) fn depth(text: &str) -> Result<usize, String> {
    whole_number(text, 1..=MAX_DEPTH)
}

fn whole_number<T: FromStr + PartialOrd + Display>(
    text: &str,
    bounds: RangeInclusive<T>,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("use a whole number from {} to {}", bounds.start(), bounds.end()))
}

/// Whether no character in it needs escaping, in a URL or in HTML.
fn is_plain_path(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte))
}

pub(super) fn external_url(text: &str) -> Result<RoutePrefix, String> {
    const HINT: &str = "use a URL such as https://example.org/memleak/, without a query";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(HINT)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~[]:".contains(&byte))
    {
        return Err(HINT.to_string());
    }
    route_prefix(path).map_err(|_| HINT.to_string())
}

pub(super) fn route_prefix(text: &str) -> Result<RoutePrefix, String> {
    match text.trim_matches('/') {
        "" => Ok(RoutePrefix::default()),
        path if is_plain_path(path) => Ok(RoutePrefix(format!("/{path}"))),
        _ => Err("use a path such as /memleak, of letters, digits and -_.~".to_string()),
    }
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or("use a whole number from 1".to_string())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "use a number with a unit, such as 250ms, 15s or 5m".to_string())
}

pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_millis(100)..=Duration::from_secs(3600);
    duration(text).and_then(|interval| match bounds.contains(&interval) {
        true => Ok(interval),
        false => Err("use a time from 100ms to 1h".to_string()),
    })
}

pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = f64::from_str(text.trim_end_matches('%').trim_end()).ok();
    let share = number.filter(|percent| (0.1..=100.0).contains(percent)).map(|percent| percent / 100.0);
    share.ok_or("use a share of one core from 0.1% to 100%".to_string())
}

pub(super) fn threshold(text: &str) -> Result<f64, String> {
    let score = f64::from_str(text).ok().filter(|score| (0.0..100.0).contains(score));
    score.ok_or("use a number from 0 up to, but not including, 100".to_string())
}

pub(super) fn top(text: &str) -> Result<Top, String> {
    match text {
        "all" => Ok(Top(None)),
        _ => text.parse().map(|count| Top(Some(count))).map_err(|_| "use a whole number or all".to_string()),
    }
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    let size = bytesize::ByteSize::from_str(text);
    size.map(|size| size.as_u64()).map_err(|_| "use bytes, or a number with a unit such as 10MiB".to_string())
}

impl ValueEnum for ProcessBackend {
    fn value_variants<'a>() -> &'a [Self] {
        &[ProcessBackend::Procfs, ProcessBackend::Sysinfo]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            ProcessBackend::Procfs => "procfs",
            ProcessBackend::Sysinfo => "sysinfo",
        }))
    }
}

impl ValueEnum for BacktestOutput {
    fn value_variants<'a>() -> &'a [Self] {
        &[BacktestOutput::Table, BacktestOutput::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            BacktestOutput::Table => "table",
            BacktestOutput::Json => "json",
        }))
    }
}

impl ValueEnum for LogLevel {
    fn value_variants<'a>() -> &'a [Self] {
        &[LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }))
    }
}

impl ValueEnum for LogFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[LogFormat::Logfmt, LogFormat::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            LogFormat::Logfmt => "logfmt",
            LogFormat::Json => "json",
        }))
    }
}
