//! `backtest` as it is called: verdicts on standard output, complaints on standard error, and an exit code.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::process::{Process, Program};
use crate::support::wait::SOON;

const MIB: f64 = 1_048_576.0;

/// Three days, a row every minute; `mebibytes` tells the memory at each hour.
fn recording(mebibytes: impl Fn(f64) -> f64) -> String {
    let row = |minute: u32| {
        let time = 1_700_000_000 + minute * 60;
        format!("{time},{:.0}\n", mebibytes(f64::from(minute) / 60.0) * MIB)
    };
    std::iter::once("time,bytes\n".to_string()).chain((0..72 * 60).map(row)).collect()
}

fn leak() -> String {
    recording(|hour| 300.0 + 15.0 * hour + 2.0 * (hour * 11.0).sin())
}

/// Grows to its working size within some hours, and then follows the day.
fn benign() -> String {
    recording(|hour| 500.0 - 200.0 * (-hour).exp() + 20.0 * (hour / 24.0 * std::f64::consts::TAU).sin())
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The process once it has ended with this code.
fn backtest(directory: &Path, arguments: &[&str], stdin: &str, code: i32) -> Process {
    let input = directory.join("stdin");
    fs::write(&input, stdin).unwrap();
    let in_directory = |argument: &&str| match argument.contains(".csv") {
        true => directory.join(argument).display().to_string(),
        false => argument.to_string(),
    };
    let arguments: Vec<String> = arguments.iter().map(in_directory).collect();
    let program = Program::exporter().arg("backtest").stdin(File::open(&input).unwrap());
    let mut process = arguments.iter().fold(program, Program::arg).start();
    assert_eq!(process.exit_code(SOON), Some(code), "{}", process.stderr());
    process
}

fn objects(process: &Process) -> Vec<Value> {
    process.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_leak_is_suspect_and_what_settles_is_not() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("shop.csv"), leak()).unwrap();
    fs::write(directory.path().join("search.csv.gz"), packed(&benign())).unwrap();
    let arguments = ["--output=json", "--summary", "shop.csv", "search.csv.gz", "-"];
    let process = backtest(directory.path(), &arguments, &leak(), 0);
    let summaries = objects(&process);
    let told = |field: &str| summaries.iter().map(|summary| summary[field].clone()).collect::<Vec<_>>();
    assert_eq!(told("entity"), ["shop", "search", "stdin"]);
    assert_eq!(told("status"), ["suspect", "clean", "suspect"]);
    assert_eq!(told("samples"), [4320, 4320, 4320]);
    assert_eq!(summaries[0]["leak_score"], summaries[2]["leak_score"]);
    let called = summaries[0]["first_suspect_time"].as_f64().unwrap();
    assert!((1_700_003_600.0..1_700_259_200.0).contains(&called), "{called}");
    assert_eq!(process.stderr(), "");
}

#[test]
fn evaluations_are_one_object_a_line_in_order_of_time() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("shop.csv"), leak()).unwrap();
    let process = backtest(directory.path(), &["--output=json", "shop.csv"], "", 0);
    let evaluations = objects(&process);
    assert!(evaluations.len() > 100, "{}", evaluations.len());
    assert!(evaluations.is_sorted_by_key(|evaluation| evaluation["time"].as_f64().unwrap() as u64));
    assert_eq!((&evaluations[0]["leak_score"], &evaluations[0]["status"]), (&Value::Null, &"clean".into()));
    assert_eq!(evaluations.last().unwrap()["status"], "suspect");

    let strict = ["--output=json", "--score.threshold=99", "shop.csv"];
    let later = objects(&backtest(directory.path(), &strict, "", 0));
    assert_eq!(later.len(), evaluations.len());
    let suspect = |of: &[Value]| of.iter().filter(|evaluation| evaluation["status"] == "suspect").count();
    assert!(suspect(&later) < suspect(&evaluations), "{} of {}", suspect(&later), suspect(&evaluations));
}

#[test]
fn a_file_that_is_wrong_leaves_nothing_on_standard_output() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("shop.csv"), leak()).unwrap();
    fs::write(directory.path().join("bad.csv"), leak() + "1800000000,many\n").unwrap();
    for arguments in [&["shop.csv", "bad.csv"][..], &["--summary", "bad.csv"], &["--output=json", "bad.csv"]]
    {
        let process = backtest(directory.path(), arguments, "", 2);
        assert_eq!(process.stdout(), "");
        let complaint = process.stderr();
        assert!(complaint.ends_with("bad.csv:4322: bytes is \"many\"; expected a number of bytes from 0 to 18446744073709551615, or nothing where a sample is missing\n"), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
    let cut = &packed(&leak())[..2000];
    fs::write(directory.path().join("cut.csv.gz"), cut).unwrap();
    let process = backtest(directory.path(), &["cut.csv.gz"], "", 2);
    assert_eq!((process.stdout(), process.stderr().lines().count()), (String::new(), 1));
}
