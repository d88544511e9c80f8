//! What people write: the configuration file and recordings. Both are read as the exporter reads them, from a file, which here is
//! one in memory.

use std::cell::LazyCell;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use memleak_exporter::backtest;
use memleak_exporter::config::{BacktestConfig, BacktestOutput, Input};
use memleak_exporter::entity::{Identity, Launch, Scope};
use memleak_exporter::http;
use memleak_exporter::rules::{Candidate, Subject, load};
use rustix::fs::{MemfdFlags, memfd_create};

/// Times in a recording for whose evaluations there is patience.
const MOST_EVALUATIONS: usize = 10_000;

thread_local! {
    static FILE: LazyCell<File> = LazyCell::new(|| {
        memfd_create("input", MemfdFlags::CLOEXEC).expect("there is no memory for a file").into()
    });
}

/// The path of a file that holds `text`.
fn file(text: &[u8]) -> PathBuf {
    FILE.with(|file| {
        let mut file: &File = file;
        let written = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(text));
        written.expect("a file in memory takes it");
        format!("/proc/self/fd/{}", file.as_raw_fd()).into()
    })
}

/// The configuration file: what can be loaded can be applied to anybody.
pub fn configuration(text: &[u8]) {
    let rules = match load(&file(text)) {
        Ok(rules) => rules,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let launch =
        Launch::new(Some("/usr/bin/java\0-jar\0shop.jar".to_string()), vec!["/a.slice/b".to_string()]);
    let known = Identity {
        name: "java".into(),
        group: Some("shop".into()),
        cgroup: Some("/a.slice/b".into()),
        user: Some("www".into()),
        launch: Some(launch.into()),
        ..Identity::default()
    };
    let _ = rules.wants();
    for identity in [&known, &Identity::default()] {
        let process = Candidate { identity, pid: 7, start_unix_seconds: Some(1.7e9) };
        let group = rules.group(&process);
        let subjects = Scope::ALL.map(|scope| Subject::of(scope, identity, group.as_deref()));
        for subject in subjects.iter().chain(&group.as_deref().map(Subject::group)) {
            let _ = rules.excludes(subject);
            if let Some(change) = rules.treatment(subject) {
                assert!(!change.threshold(60.0, 1 << 30).is_nan());
                let _ = (change.resource_threshold(60.0), change.limit(1 << 30), change.is_of_group());
            }
        }
    }
}

/// The web configuration file, in which certificates and keys may stand as well.
pub fn web_configuration(text: &[u8]) {
    match http::load(&file(text)) {
        // A header is for all to see, whatever somebody puts into it.
        Ok(settings) if !text.windows(7).any(|word| word == b"headers") => {
            assert!(!format!("{settings:?}").contains("$2"), "a hash is shown");
        }
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().contains('\n'), "more than one line: {error}"),
    }
}

/// A recording: nothing is written of one that makes no sense, and of others one JSON object a line.
pub fn recording(text: &[u8]) {
    if text.iter().filter(|byte| **byte == b'\n').count() > MOST_EVALUATIONS {
        return;
    }
    let inputs = vec![Input::File(file(text))];
    for (output, summary) in
        [(BacktestOutput::Json, false), (BacktestOutput::Json, true), (BacktestOutput::Table, true)]
    {
        let config = BacktestConfig { inputs: inputs.clone(), output, summary, threshold: 60.0 };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        match backtest::run(&config, &mut out, &mut notes) {
            Ok(()) => check_report(&out, output),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(out.is_empty(), "half an answer to what is wrong");
                return;
            }
        }
    }
}

fn check_report(report: &[u8], output: BacktestOutput) {
    let text = str::from_utf8(report).expect("a report is text");
    if output == BacktestOutput::Json {
        for line in text.lines() {
            let verdict: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let score = &verdict["leak_score"];
            let is_score = score.as_f64().is_some_and(|score| (0.0..=100.0).contains(&score));
            assert!(score.is_null() || is_score, "{line}");
        }
    }
}
