//! Whether what was remembered is there again, however the exporter ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use memleak_exporter::config::SamplerConfig;
use memleak_exporter::state::{Restored, decode};
use serde_json::Value;

use crate::support::exposition::value;
use crate::support::process::{Process, Program};
use crate::support::servers::Server;
use crate::support::wait::{SOON, until, watch};
use crate::support::{exporter, exporter_at, tool};

/// Processes of the host that is watched: enough that writing takes a part of the time, and so few that it comes often.
const PROCESSES: u32 = 300;

/// The exporter is killed so many times, or as often as the variable `KILLS` says.
const KILLS: usize = 15;

/// Time between two writes.
const INTERVAL: Duration = Duration::from_secs(1);

/// Bytes that are written in a second at most, 1 GiB a day: a file that is larger than that is written less often.
const PACE: f64 = (1_u64 << 30) as f64 / 86_400.0;

/// Time that a busy machine may keep a tick waiting.
const LATE: Duration = Duration::from_secs(3);

fn state_flags(file: &Path) -> [String; 2] {
    [format!("--state.file={}", file.display()), format!("--state.interval={}s", INTERVAL.as_secs())]
}

fn start(flags: &[String]) -> Process {
    let address = ([127, 0, 0, 1], 0).into();
    flags.iter().fold(exporter_at(address), Program::arg).start()
}

/// A state as a file has it, in whole.
fn read(file: &Path) -> Restored {
    let config = SamplerConfig {
        interval: Duration::from_millis(100),
        max_entities: 30_000,
        ..SamplerConfig::every_minute()
    };
    decode(&fs::read(file).unwrap(), &config, None, Duration::MAX).unwrap()
}

fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// A host of files with so many processes.
fn host(root: &Path) -> PathBuf {
    let proc = root.join("proc");
    fs::create_dir(&proc).unwrap();
    let write = |name: &str, text: &str| fs::write(proc.join(name), text).unwrap();
    write("meminfo", "MemTotal: 8000000 kB\nMemFree: 4000000 kB\nMemAvailable: 6000000 kB\n");
    write("stat", "cpu  1 2 3\nbtime 1700000000\n");
    write("uptime", "10000.00 20000.00\n");
    for pid in 1..=PROCESSES {
        fs::create_dir(proc.join(pid.to_string())).unwrap();
        let file = |name: &str| format!("{pid}/{name}");
        let zeros = "0 ".repeat(28);
        write(
            &file("stat"),
            &format!("{pid} (worker) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 {pid} 1000 5 {zeros}\n"),
        );
        write(&file("statm"), "1000 500 100 1 0 400 0\n");
        write(
            &file("status"),
            "Name:\tworker\nUid:\t0\t0\t0\t0\nRssAnon:\t1600 kB\nRssFile:\t400 kB\nRssShmem:\t0 kB\nVmSwap:\t0 kB\nThreads:\t1\n",
        );
    }
    proc
}

#[test]
fn whenever_it_is_killed_there_is_a_whole_state_no_older_than_an_interval() {
    let directory = tempfile::tempdir().unwrap();
    let (proc, file) = (host(directory.path()), directory.path().join("state"));
    let mut flags = state_flags(&file).to_vec();
    flags
        .extend(["--no-source.cgroup", "--sample.interval=100ms", "--sample.max-cpu=100%"].map(String::from));
    flags.push(format!("--path.procfs={}", proc.display()));
    let kills = std::env::var("KILLS").ok().map_or(KILLS, |kills| kills.parse().expect("a number of kills"));
    let (mut amid, mut oldest, mut largest) = (0, 0.0_f64, 0);
    for kill in 0..kills {
        let began = SystemTime::now();
        let exporter = start(&flags);
        until("a state of its own", SOON, || {
            let written = fs::metadata(&file).and_then(|file| file.modified()).ok()?;
            (written > began).then_some(())
        });
        let temporary = directory.path().join("state.tmp");
        if kill % 2 == 0 {
            // While it writes, as seen from the outside.
            let began = Instant::now();
            while !temporary.exists() {
                assert!(began.elapsed() < SOON, "no state is written");
                std::thread::yield_now();
            }
        } else {
            // Any moment: what of a second is left by a number that has no beat in common with the interval.
            let moment = Duration::from_millis((kill as u64 * 379) % 1000);
            watch(moment, Duration::from_millis(5), |_| ());
        }
        drop(exporter);
        let killed = unix_seconds();
        amid += usize::from(temporary.exists());
        let restored = read(&file);
        assert!(restored.watchlist.len() >= PROCESSES as usize, "{:?}", restored.origin);
        let (age, bytes) = (killed - restored.origin.unix_seconds, fs::metadata(&file).unwrap().len());
        (oldest, largest) = (oldest.max(age), largest.max(bytes));
        let interval = INTERVAL.as_secs_f64().max(bytes as f64 / PACE);
        assert!(age <= interval + LATE.as_secs_f64(), "{age} s old after {kill} kills, of {bytes} bytes");
    }
    assert!(amid > 0, "none was killed while it wrote");
    println!(
        "{kills} kills, {amid} of them amid a write; the oldest state was {oldest:.2} s old, the largest had {largest} bytes"
    );
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let exporter = exporter(&flags);
    let loaded = || value(&exporter.get("/metrics").body, "memleak_state_load_successful");
    assert_eq!(until("the first sample", SOON, loaded), 1.0);
    assert!(exporter.process.stderr().contains("state restored"), "{}", exporter.process.stderr());
}

#[test]
fn the_end_is_written_and_the_next_run_goes_on_from_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    let flags =
        [&format!("--state.file={}", file.display()), "--state.interval=1h", "--sample.interval=100ms"];
    let mut first = exporter(&flags);
    let samples =
        |exporter: &Server| value(&exporter.get("/metrics").body, "memleak_last_sample_timestamp_seconds");
    let begun = until("a sample", SOON, || samples(&first));
    until("later samples", SOON, || samples(&first).filter(|last| *last > begun + 1.0));
    first.process.terminate();
    assert_eq!(first.process.exit_code(SOON), Some(0));
    let names: Vec<_> =
        directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name != "state.tmp"), "{names:?}");

    let second = exporter(&flags);
    let history = until("history", SOON, || {
        let history = second.get("/api/history?scope=host");
        (history.status == 200).then_some(history.body)
    });
    let history: Value = serde_json::from_str(&history).unwrap();
    let began = history["life"]["first_sample"].as_f64().unwrap_or_else(|| panic!("{history}"));
    // A run that has forgotten everything has its first sample after the last one of the run before.
    assert!(began < begun + 0.5, "{began} {begun}");
}

#[test]
fn who_may_not_write_says_so_and_works() {
    let exporter = exporter(&["--state.file=/nowhere/memleak/state"]);
    let written = || value(&exporter.get("/metrics").body, "memleak_state_last_write_successful");
    assert_eq!(until("the first sample", SOON, written), 0.0);
    let log = exporter.process.stderr();
    assert!(log.contains("give --state.file in a directory that this user may write to"), "{log}");
}

/// What the file system is really asked for, in the order in which it is.
#[test]
fn a_state_is_synced_before_it_takes_the_place_of_the_one_before() {
    let Some(strace) = tool(&["strace"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let (file, trace) = (directory.path().join("state"), directory.path().join("trace"));
    // The exporter is our child, and strace is its: what is killed in the end is the exporter.
    let traced = Program::new(strace)
        .args(&["-D", "-f", "-y", "-e", "trace=write,fsync,fdatasync,rename,renameat,renameat2", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_memleak-exporter"))
        .arg(format!("--state.file={}", file.display()))
        .args(&["--web.listen-address=127.0.0.1:0"])
        .start();
    let steps = until("a state", SOON, || {
        let text = fs::read_to_string(&trace).ok()?;
        let steps = steps(&text, directory.path());
        (steps.last().map(String::as_str) == Some("sync directory")).then_some(steps)
    });
    drop(traced);
    let (writes, rest) = steps.split_at(steps.len() - 3);
    assert!(!writes.is_empty() && writes.iter().all(|step| step == "write state.tmp"), "{steps:?}");
    assert_eq!(rest, ["sync state.tmp", "rename", "sync directory"]);
}

/// Lines of strace that are about the state, in words.
fn steps(trace: &str, directory: &Path) -> Vec<String> {
    let directory = directory.display().to_string();
    let about = |line: &str| line.contains(&directory) && !line.contains("<unfinished");
    let step = |line: &str| {
        let name = if line.contains("state.tmp") { "state.tmp" } else { "directory" };
        match line {
            _ if line.contains("write(") => format!("write {name}"),
            _ if line.contains("sync(") => format!("sync {name}"),
            _ => "rename".to_string(),
        }
    };
    trace.lines().filter(|line| about(line)).map(step).collect()
}
