use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use arbitrary::{Arbitrary as _, Unstructured};

use super::parsers::{CGROUP, HOST, PROCESS, Parser};
use super::*;

/// Most bytes of all corpora: they are part of the repository.
const MOST_BYTES: u64 = 200_000;

const TARGETS: [Parser; 9] = [
    ("cgroup_files", cgroup_files),
    ("configuration", configuration),
    ("exposition", |bytes| {
        if let Ok(names) = Names::arbitrary_take_rest(Unstructured::new(bytes)) {
            exposition(&names);
        }
    }),
    ("host_files", host_files),
    ("http", http),
    ("process_files", process_files),
    ("recording", recording),
    ("state", state),
    ("web_configuration", web_configuration),
];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn names(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(here(directory)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_string()).collect()
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

#[test]
fn what_is_in_the_corpora_is_survived() {
    let mut bytes = 0;
    for (target, run) in TARGETS {
        for entry in fs::read_dir(here("corpus").join(target)).unwrap() {
            let input = fs::read(entry.unwrap().path()).unwrap();
            bytes += input.len() as u64;
            run(&input);
        }
    }
    assert!(bytes <= MOST_BYTES, "{bytes} bytes of corpora");
}

/// Every function of the parsers that makes something of bytes or of a name from outside, `module::function`.
fn parsers_of_the_sources() -> BTreeSet<String> {
    let modules = fs::read_to_string(here("../src/parse/mod.rs")).unwrap();
    let modules = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut found = BTreeSet::new();
    for module in modules {
        let text = fs::read_to_string(here(&format!("../src/parse/{module}.rs"))).unwrap();
        for line in text.lines() {
            let Some((name, arguments)) =
                line.trim_start().strip_prefix("pub fn ").and_then(|line| line.split_once('('))
            else {
                continue;
            };
            if !arguments.contains("self") {
                let name = name.split('<').next().unwrap();
                found.insert(format!("{module}::{name}"));
            }
        }
    }
    found
}

#[test]
fn every_parser_has_a_target() {
    let fuzzed: BTreeSet<String> =
        [PROCESS, HOST, CGROUP].into_iter().flatten().map(|(name, _)| name.to_string()).collect();
    assert_eq!(parsers_of_the_sources(), fuzzed, "fuzz/src/parsers.rs lists what is fuzzed");
}
