//! The command without its process: recordings in, verdicts or one sentence out.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::config::{BacktestOutput, Input};

const MIB: f64 = 1_048_576.0;

/// Files of a recording, gone with it.
struct Recording {
    directory: TempDir,
    inputs: Vec<Input>,
}

impl Recording {
    fn new(files: &[(&str, &[u8])]) -> Recording {
        let directory = tempfile::tempdir().unwrap();
        let inputs = files
            .iter()
            .map(|(name, text)| {
                let path: PathBuf = directory.path().join(name);
                fs::write(&path, text).unwrap();
                Input::File(path)
            })
            .collect();
        Recording { directory, inputs }
    }

    /// What goes to standard output and to standard error.
    fn run(&self, output: BacktestOutput, summary: bool) -> Result<(String, String), String> {
        let config = BacktestConfig { inputs: self.inputs.clone(), output, summary, threshold: 60.0 };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let result = run(&config, &mut out, &mut notes);
        let plain = |text: Vec<u8>| self.without_directory(&String::from_utf8(text).unwrap());
        match result {
            Ok(()) => Ok((plain(out), plain(notes))),
            Err(error) => {
                assert!(out.is_empty(), "half an answer: {}", plain(out));
                Err(self.without_directory(&error.to_string()))
            }
        }
    }

    fn json(&self, summary: bool) -> Vec<Value> {
        let (out, _) = self.run(BacktestOutput::Json, summary).unwrap();
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn without_directory(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.directory.path().display()), "")
    }
}

/// A row every minute for so many hours, from an hour that all entities share; `bytes` tells the memory at each hour.
fn rows(entity: &str, hours: u64, bytes: impl Fn(f64) -> f64) -> String {
    let row = |minute: u64| {
        let time = 1_700_000_000 + minute * 60;
        format!("{time},{entity},{:.0}\n", bytes(minute as f64 / 60.0) * MIB)
    };
    (0..=hours * 60).map(row).collect()
}

fn leak_and_flat() -> String {
    let leak = rows("leak", 40, |hour| 200.0 + 20.0 * hour);
    let flat = rows("flat", 40, |hour| 200.0 + 5.0 * (hour * 9.0).sin());
    format!("time,entity,bytes\n{leak}{flat}")
}

#[test]
fn a_leak_is_told_from_what_is_none() {
    let recording = Recording::new(&[("a.csv", leak_and_flat().as_bytes())]);
    let [leak, flat] = &recording.json(true)[..] else { panic!("two summaries") };
    assert_eq!(
        (&leak["entity"], &leak["status"], &leak["reason"]),
        (&"leak".into(), &"suspect".into(), &"leaking".into())
    );
    assert_eq!((&flat["entity"], &flat["status"]), (&"flat".into(), &"clean".into()));
    assert_eq!((&leak["samples"], &leak["restarts"]), (&2401.into(), &0.into()));
    assert_eq!(flat["first_suspect_time"], Value::Null);
    assert!(leak["growth_bytes_per_second"].as_f64().unwrap() > 15.0 * MIB / 3600.0);
    assert!(leak["sentence"].as_str().unwrap().starts_with("floor rose"));
}

#[test]
fn a_suspicion_tells_since_when_and_until_when() {
    let rows = (0..100 * 60).map(|minute| {
        let (hour, time) = (f64::from(minute) / 60.0, 1_700_000_000 + minute * 60);
        let bytes = (200.0 + 6.0 * (hour - 40.0).max(0.0)) * MIB;
        format!("{time},{bytes:.0},{:.0}\n", 1000.0 * MIB)
    });
    let text = format!("time,bytes,limit_bytes\n{}", rows.collect::<String>());
    let recording = Recording::new(&[("late.csv", text.as_bytes())]);
    let [late] = &recording.json(true)[..] else { panic!("one summary") };
    assert_eq!((&late["status"], &late["standing"]), (&"suspect".into(), &"present".into()), "{late}");
    let began = late["onset_time"].as_f64().unwrap() - 1.7e9;
    assert!((began / 3600.0 - 40.0).abs() <= 4.0, "{late}");
    let [soonest, latest] = [0, 1].map(|end| late["time_to_limit_range_seconds"][end].as_f64().unwrap());
    let left = late["time_to_limit_seconds"].as_f64().unwrap();
    assert!(soonest <= left && left <= latest, "{late}");
    // 1000 MiB are reached after 173 hours and 20 minutes.
    assert!((left / 3600.0 - 73.3).abs() < 2.0, "{late}");
    for evaluation in recording.json(false) {
        assert_eq!(evaluation["sentence"].is_string(), evaluation["status"] == "suspect", "{evaluation}");
    }
    let (table, _) = recording.run(BacktestOutput::Table, false).unwrap();
    let last = table.lines().last().unwrap();
    assert!(last.ends_with(late["sentence"].as_str().unwrap()), "{last}");
}

#[test]
fn summaries_agree_with_evaluations() {
    let recording = Recording::new(&[("a.csv", leak_and_flat().as_bytes())]);
    let evaluations = recording.json(false);
    for summary in recording.json(true) {
        let own: Vec<&Value> =
            evaluations.iter().filter(|evaluation| evaluation["entity"] == summary["entity"]).collect();
        let last = own.last().unwrap();
        for field in [
            "leak_score",
            "status",
            "reason",
            "growth_bytes_per_second",
            "time_to_limit_seconds",
            "time_to_limit_range_seconds",
            "standing",
            "onset_time",
        ] {
            assert_eq!(summary[field], last[field], "{field}");
        }
        let first = own.iter().find(|evaluation| evaluation["status"] == "suspect");
        assert_eq!(summary["first_suspect_time"], first.map_or(Value::Null, |first| first["time"].clone()));
        let highest = own.iter().filter_map(|evaluation| evaluation["leak_score"].as_f64()).reduce(f64::max);
        assert_eq!(summary["max_leak_score"].as_f64(), highest);
    }
}

#[test]
fn fields_are_those_that_are_promised() {
    let recording = Recording::new(&[("a.csv", leak_and_flat().as_bytes())]);
    let begins = |summary, expected: &str| {
        let (out, _) = recording.run(BacktestOutput::Json, summary).unwrap();
        let line = out.lines().last().unwrap();
        let names: Vec<&str> = line
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|name| line.contains(&format!("\"{name}\":")))
            .collect();
        assert!(names.join(" ").starts_with(expected), "{line}");
    };
    begins(false, "time entity leak_score status reason growth_bytes_per_second time_to_limit_seconds");
    begins(true, "entity samples first_suspect_time max_leak_score leak_score status reason");
}

#[test]
fn too_little_to_tell_is_null_and_clean() {
    let recording = Recording::new(&[
        ("short.csv", b"time,bytes\n1700000000,5\n1700000015,\n"),
        ("none.csv", b"time,bytes\n1,\n"),
    ]);
    let [short, none] = &recording.json(true)[..] else { panic!("two summaries") };
    assert_eq!(
        (&short["entity"], &short["samples"], &none["samples"]),
        (&"short".into(), &1.into(), &0.into())
    );
    assert_eq!((&short["leak_score"], &short["max_leak_score"]), (&Value::Null, &Value::Null));
    assert_eq!((&short["status"], &short["reason"]), (&"clean".into(), &"insufficient_data".into()));
    assert!(recording.json(false).is_empty());
}

#[test]
fn an_entity_may_go_on_in_the_next_file() {
    let all = rows("leak", 40, |hour| 200.0 + 20.0 * hour);
    let (first, second) = all.split_at(all.len() / 2 + all[all.len() / 2..].find('\n').unwrap() + 1);
    let header = "time,entity,bytes\n";
    let whole = Recording::new(&[("a.csv", format!("{header}{all}").as_bytes())]);
    let parts = Recording::new(&[
        ("a.csv", format!("{header}{first}").as_bytes()),
        ("b.csv", format!("{header}{second}").as_bytes()),
    ]);
    assert_eq!(whole.json(false), parts.json(false));
}

#[test]
fn tables_are_for_people() {
    let recording =
        Recording::new(&[("a.csv", leak_and_flat().replace("flat", "\"flat\x1b[1m\"").as_bytes())]);
    let (out, notes) = recording.run(BacktestOutput::Table, true).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines.len(), notes.as_str()), (3, ""), "{out}");
    assert!(lines[0].starts_with("ENTITY") && lines[0].ends_with("WHY"));
    assert!(
        lines[1].starts_with("leak ") && lines[1].contains(" suspect ") && lines[1].contains("floor rose")
    );
    assert!(lines[2].starts_with("flat\u{fffd}[1m ") && lines[2].contains(" clean "));
    let column = |line: &str, word: &str| line[..line.find(word).unwrap()].chars().count();
    assert_eq!(column(lines[0], "STATUS"), column(lines[1], "suspect"));
    assert_eq!(column(lines[0], "STATUS"), column(lines[2], "clean"));

    let (out, _) = recording.run(BacktestOutput::Table, false).unwrap();
    assert_eq!(out.lines().count(), 1 + recording.json(false).len());
    assert!(out.lines().nth(1).unwrap().starts_with("2023-11-14T22:"));
}

#[test]
fn unknown_columns_are_told_of_once() {
    let text = b"time,bytes,pod,limit_byte\n1,2,a,5\n";
    let recording = Recording::new(&[("a.csv", text), ("b.csv", text)]);
    let (_, notes) = recording.run(BacktestOutput::Json, true).unwrap();
    assert_eq!(
        notes,
        "memleak-exporter: a.csv: unknown columns are left out: \"pod\", \"limit_byte\"; if \"limit_byte\" is to be \
         limit_bytes, call it that\n"
    );
}

#[test]
fn what_is_wrong_gets_one_sentence_and_no_verdict() {
    const HEADER: &str = "the first line has to name time and bytes, and may name entity, limit_bytes, start_time and cpu_seconds";
    const TIME: &str =
        "expected seconds since 1970 such as 1700000000.5, or RFC 3339 such as 2023-11-14T22:13:20Z";
    const BYTES: &str =
        "expected a number of bytes from 0 to 18446744073709551615, or nothing where a sample is missing";
    const LIMIT: &str =
        "expected a number of bytes from 1 to 18446744073709551615, or nothing where there is no limit";
    const START: &str = "expected a time as in the column time, or nothing where it is not known";
    const CPU: &str = "expected a number of seconds from 0, or nothing where it is not known";
    for (text, expected) in [
        ("", "1: there is nothing here; expected a first line that names the columns, such as time,bytes".to_string()),
        ("time,bytes\n", "1: there is nothing below the first line; expected a line for each sample".to_string()),
        ("bytes,entity\n1,a\n", format!("1: there is no column time; {HEADER}")),
        ("time\n1\n", format!("1: there is no column bytes; {HEADER}")),
        ("Time,bytes\n1,2\n", format!("1: there is no column time, but one named \"Time\"; {HEADER}")),
        ("timestamp,byte\n1,2\n", format!("1: there is no column time; {HEADER}")),
        ("time,byte\n1,2\n", format!("1: there is no column bytes, but one named \"byte\"; {HEADER}")),
        ("1700000000,5\n1700000015,6\n", format!("1: there is no column time; {HEADER}")),
        ("time,bytes,time\n1,2,3\n", "1: there are two columns time; expected one".to_string()),
        ("time,bytes\n1,2\n2,3,4\n", "3: there are 3 fields; expected 2, as in the first line".to_string()),
        ("time,bytes\n1\n", "2: there are 1 fields; expected 2, as in the first line".to_string()),
        ("time;bytes\n1;2\n", format!("1: there is no column time; {HEADER}")),
        ("time,bytes\n,2\n", format!("2: time is \"\"; {TIME}")),
        ("time,bytes\nsoon,2\n", format!("2: time is \"soon\"; {TIME}")),
        ("time,bytes\n-5,2\n", format!("2: time is \"-5\"; {TIME}")),
        ("time,bytes\nNaN,2\n", format!("2: time is \"NaN\"; {TIME}")),
        ("time,bytes\n1700000000000,2\n", format!("2: time is \"1700000000000\"; {TIME}")),
        ("time,bytes\n2023-11-14T22:13:20,2\n", format!("2: time is \"2023-11-14T22:13:20\"; {TIME}")),
        ("time,bytes\n1,2\n\n2,-1\n", format!("4: bytes is \"-1\"; {BYTES}")),
        ("\n\r\ntime,bytes\r\n1,2\r\n\r\n \r\n2,-1\r\n", format!("7: bytes is \"-1\"; {BYTES}")),
        ("entity,time,bytes\n\"a\nb\",1,2\n\n\"a\nb\",2,no", format!("5: bytes is \"no\"; {BYTES}")),
        ("time,bytes\n1,NaN\n", format!("2: bytes is \"NaN\"; {BYTES}")),
        ("time,bytes\n1,+Inf\n", format!("2: bytes is \"+Inf\"; {BYTES}")),
        ("time,bytes\n1,18446744073709551616\n", format!("2: bytes is \"18446744073709551616\"; {BYTES}")),
        ("time,bytes\n1,12 MB\n", format!("2: bytes is \"12 MB\"; {BYTES}")),
        (
            "time,bytes\n1,\"2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n15,16\n17,18\n",
            format!("2: bytes is \"2\\n3,4\\n5,6\\n7,8\\n9,10\\n11,12\\n13,14\\n15,16\\n17,…\"; {BYTES}"),
        ),
        ("time,bytes,limit_bytes\n1,2,0\n", format!("2: limit_bytes is \"0\"; {LIMIT}")),
        ("time,bytes,limit_bytes\n1,2,max\n", format!("2: limit_bytes is \"max\"; {LIMIT}")),
        ("time,bytes,start_time\n1,2,-1\n", format!("2: start_time is \"-1\"; {START}")),
        ("time,bytes,cpu_seconds\n1,2,-1\n", format!("2: cpu_seconds is \"-1\"; {CPU}")),
        ("time,bytes,cpu_seconds\n1,2,inf\n", format!("2: cpu_seconds is \"inf\"; {CPU}")),
        ("time,bytes,entity\n1,2,\n", "2: entity is \"\"; expected a name in UTF-8".to_string()),
        (
            "entity,time,bytes\na,100,1\nb,90,1\na,85.5,1\n",
            "4: time of entity \"a\" goes back from 100 to 85.5; expected rows sorted by time within an entity".to_string(),
        ),
        ("time,bytes\n100,1\n100,1\n", "3: entity \"a\" has two rows at time 100; expected one".to_string()),
    ] {
        let recording = Recording::new(&[("good.csv", leak_and_flat().as_bytes()), ("a.csv", text.as_bytes())]);
        for (output, summary) in [(BacktestOutput::Json, false), (BacktestOutput::Table, true)] {
            assert_eq!(recording.run(output, summary), Err(format!("a.csv:{expected}")), "{text:?}");
        }
    }
}

#[test]
fn names_in_other_encodings_are_refused() {
    let recording = Recording::new(&[("a.csv", b"time,bytes,entity\n1,2,\xff\n")]);
    let error = recording.run(BacktestOutput::Json, true).unwrap_err();
    assert_eq!(error, "a.csv:2: entity is \"\u{fffd}\"; expected a name in UTF-8");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let mut recording = Recording::new(&[]);
    recording.inputs = vec![Input::File(recording.directory.path().join("none.csv"))];
    let error = recording.run(BacktestOutput::Json, true).unwrap_err();
    assert_eq!(error, "cannot read none.csv: No such file or directory (os error 2)");
    recording.inputs = vec![Input::File(recording.directory.path().to_path_buf())];
    let error = recording.run(BacktestOutput::Json, true).unwrap_err();
    assert!(error.ends_with("Is a directory (os error 21)"), "{error}");
}

#[test]
fn there_is_an_end_to_what_is_taken_in() {
    let recording = Recording::new(&[("a.csv", b"time,bytes\n1,1\n2,1\n3,1\n4,1\n")]);
    let mut reader = Reader::new(3);
    let error = reader.read(&recording.inputs[0], &mut Progress::new(false)).unwrap_err();
    assert!(error.to_string().ends_with("a.csv:5: there are more than 3 samples; give fewer files at once"));
}

/// Valid rows: entity, step of time, bytes, limit, start and CPU.
fn valid_rows() -> impl Strategy<Value = Vec<(usize, Row)>> {
    let row = (
        0..3_usize,
        1..5000_u32,
        any::<u64>(),
        prop::option::of(1..u64::MAX),
        prop::option::of(0.0..9e9),
        prop::option::of(0.0..9e9),
    );
    prop::collection::vec(row, 1..30).prop_map(|rows| {
        let mut time = 0.0;
        let row = |(entity, step, bytes, limit_bytes, start_time, cpu_seconds)| {
            time += f64::from(step) / 8.0;
            (entity, Row { time, bytes, limit_bytes, start_time, cpu_seconds, executable: None })
        };
        rows.into_iter().map(row).collect()
    })
}

fn written<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn columns_may_stand_in_any_order(
        rows in valid_rows(),
        order in Just(vec!["time", "bytes", "entity", "limit_bytes", "start_time", "cpu_seconds", "else"]).prop_shuffle(),
    ) {
        let names = ["a", "b, \"c\"", "größer"];
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(&order).unwrap();
        for (entity, row) in &rows {
            let field = |column: &&str| match *column {
                "time" => row.time.to_string(),
                "bytes" => row.bytes.to_string(),
                "entity" => names[*entity].to_string(),
                "limit_bytes" => written(row.limit_bytes),
                "start_time" => written(row.start_time),
                "cpu_seconds" => written(row.cpu_seconds),
                _ => "?".to_string(),
            };
            csv.write_record(order.iter().map(field)).unwrap();
        }
        let recording = Recording::new(&[("a.csv", &csv.into_inner().unwrap())]);
        let mut reader = Reader::new(MOST_SAMPLES);
        reader.read(&recording.inputs[0], &mut Progress::new(false)).unwrap();
        let series = reader.into_series();
        for series in &series {
            let expected: Vec<Row> =
                rows.iter().filter(|(entity, _)| names[*entity] == series.entity()).map(|(_, row)| *row).collect();
            prop_assert_eq!(series.rows().collect::<Vec<_>>(), expected);
        }
        prop_assert_eq!(series.iter().map(series::Series::len).sum::<usize>(), rows.len());
        prop_assert_eq!(series[0].entity(), names[rows[0].0]);
    }
}
