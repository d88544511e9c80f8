//! Recorded memory of real programs.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use thiserror::Error;

use crate::trace::{Label, Point, Trace};

/// Where recordings lie, whatever the working directory.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");

/// Why recordings can't be read.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// A file is missing, or can't be read.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The list of recordings is not what it should be.
    #[error("{}: {cause}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// A row of a recording is not what it should be.
    #[error("{}: {cause}", path.display())]
    Row {
        /// The recording.
        path: PathBuf,
        /// What is wrong, with its line.
        #[source]
        cause: csv::Error,
    },
    /// A leak without an onset, or an onset without a leak.
    #[error("{}: {name} must have an onset just where it is a leak", path.display())]
    Onset {
        /// The list.
        path: PathBuf,
        /// The recording.
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Truth {
    Leak,
    Benign,
}

/// How real time became recorded time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Motion {
    /// Days in minutes.
    Days,
    /// Hours in minutes.
    Fast,
    /// As it was.
    Real,
}

/// An entry of the list.
#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    label: Truth,
    onset_seconds: Option<f64>,
    interval_seconds: f64,
    held_out: bool,
    regime: Motion,
}

/// A row of a recording.
#[derive(Debug, Deserialize)]
struct Row {
    time: f64,
    bytes: u64,
    limit_bytes: Option<u64>,
    start_time: f64,
    cpu_seconds: Option<f64>,
}

/// A leak's limit is what it holds when these shares of the time from its onset on are over.
const UNTIL_LIMIT: [f64; 3] = [0.5, 0.75, 1.0];

/// The limit of what does not leak lies so many times as high as the most that it ever holds: four fifths of it are in use, or a
/// third.
const ROOM: [f64; 4] = [1.25, 1.5, 2.0, 3.0];

/// The recordings in `folder` that are kept for the end, or those that are not; none where the folder is absent.
pub fn load(folder: &Path, held_out: bool) -> Result<Vec<Trace>, RecordingError> {
    chosen(folder, |entry| entry.held_out == held_out)
}

/// Those of hours and of true time, each under several limits that matter: a leak hits its own, where the recording ends, and
/// what does not leak comes close. Leaks that hit theirs anyway are left out.
pub fn load_limited(folder: &Path, held_out: bool) -> Result<Vec<Trace>, RecordingError> {
    let traces = chosen(folder, |entry| entry.held_out == held_out && entry.regime != Motion::Days)?;
    Ok(traces.iter().flat_map(limited).collect())
}

fn chosen(folder: &Path, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Trace>, RecordingError> {
    let path = folder.join("recordings.json");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let list =
        std::fs::read_to_string(&path).map_err(|cause| RecordingError::Io { path: path.clone(), cause })?;
    let entries: Vec<Entry> =
        serde_json::from_str(&list).map_err(|cause| RecordingError::List { path: path.clone(), cause })?;
    entries.into_iter().filter(wanted).map(|entry| trace(folder, &path, entry)).collect()
}

/// The same under each limit that can be made for it.
fn limited(trace: &Trace) -> Vec<Trace> {
    let made: Vec<Trace> = match trace.label {
        Label::Leak { onset, .. } => {
            UNTIL_LIMIT.iter().filter_map(|share| killed(trace, onset, *share)).collect()
        }
        Label::Benign => ROOM.iter().filter_map(|room| confined(trace, *room)).collect(),
    };
    (0..).zip(made).map(|(number, trace)| Trace { number, ..trace }).collect()
}

/// The same under a limit so many times as high as its peak.
fn confined(trace: &Trace, room: f64) -> Option<Trace> {
    Some(Trace { limit: Some((room * trace.peak()? as f64) as u64), ..trace.clone() })
}

/// A leak under a limit that it hits when such a `share` of the time since its onset is over; `None` of one of several lives, and
/// of one that held more before it leaked.
fn killed(trace: &Trace, onset: f64, share: f64) -> Option<Trace> {
    let last = trace.points.last().filter(|last| last.life == 0)?;
    let until = onset + share * (last.time - onset);
    let leaking = trace.points.iter().filter(|point| (onset..=until).contains(&point.time));
    let limit = leaking.map(|point| point.bytes).max()?;
    let hit = trace.points.iter().position(|point| point.bytes >= limit)?;
    let points = trace.points[..=hit].to_vec();
    (points[hit].time >= onset).then(|| Trace { limit: Some(limit), dies: true, points, ..trace.clone() })
}

fn trace(folder: &Path, list: &Path, entry: Entry) -> Result<Trace, RecordingError> {
    let rows = rows(&folder.join("data").join(format!("{}.csv.gz", entry.name)))?;
    let first = rows.first().map_or(0.0, |row| row.time);
    let label = match (entry.label, entry.onset_seconds) {
        (Truth::Leak, Some(onset)) => Label::Leak { onset: onset - first, fixed: None },
        (Truth::Benign, None) => Label::Benign,
        _ => return Err(RecordingError::Onset { path: list.to_owned(), name: entry.name }),
    };
    Ok(Trace {
        // A recording is a class of its own; there are some hundred, which live as long as the program.
        class: entry.name.leak(),
        number: 0,
        label,
        steady_after_plateau: false,
        up_for: rows.first().map_or(0.0, |row| (row.time - row.start_time).max(0.0)),
        interval: entry.interval_seconds,
        limit: rows.first().and_then(|row| row.limit_bytes),
        dies: false,
        points: points(&rows, first),
    })
}

fn rows(path: &Path) -> Result<Vec<Row>, RecordingError> {
    let file = File::open(path).map_err(|cause| RecordingError::Io { path: path.to_owned(), cause })?;
    let rows = csv::Reader::from_reader(GzDecoder::new(file)).into_deserialize();
    rows.collect::<Result<_, _>>().map_err(|cause| RecordingError::Row { path: path.to_owned(), cause })
}

fn points(rows: &[Row], first: f64) -> Vec<Point> {
    let mut life = 0;
    let mut start = rows.first().map(|row| row.start_time);
    let points = rows.iter().map(|row| {
        if start.replace(row.start_time) != Some(row.start_time) {
            life += 1;
        }
        Point { time: row.time - first, bytes: row.bytes, life, build: 0, cpu_seconds: row.cpu_seconds }
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, series};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn folder(list: &str, rows: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("recordings.json"), list).unwrap();
        let file = File::create(folder.path().join("data/cache.csv.gz")).unwrap();
        let mut file = GzEncoder::new(file, Compression::fast());
        write!(file, "time,bytes,limit_bytes,start_time,cpu_seconds\n{rows}").unwrap();
        file.finish().unwrap();
        folder
    }

    const LIST: &str = r#"[{"name": "cache", "program": "cache", "language": "C", "what": "It caches.", "label": "leak",
        "onset_seconds": 120, "time_factor": 480, "interval_seconds": 60, "held_out": false, "regime": "days"}]"#;

    #[test]
    fn a_restart_begins_a_life_and_time_begins_at_nought() {
        let folder = folder(LIST, "60,100,900,0,0.5\n120,200,900,0,1\n180,50,,150,\n");
        let traces = load(folder.path(), false).unwrap();
        assert_eq!(traces.len(), 1);
        let trace = &traces[0];
        assert_eq!((trace.class, trace.limit, trace.interval), ("cache", Some(900), 60.0));
        assert_eq!(trace.label, Label::Leak { onset: 60.0, fixed: None });
        let points: Vec<_> =
            trace.points.iter().map(|at| (at.time, at.bytes, at.life, at.cpu_seconds)).collect();
        assert_eq!(points, [(0.0, 100, 0, Some(0.5)), (60.0, 200, 0, Some(1.0)), (120.0, 50, 1, None)]);
        assert!(load(folder.path(), true).unwrap().is_empty(), "it is not kept for the end");
    }

    #[test]
    fn under_limits_that_matter_leaks_end_there_and_others_come_close() {
        let hourly = |label, bytes: fn(f64) -> f64| series(label, 3600.0, 9, bytes);
        let limits = |trace: &Trace| -> Vec<_> {
            let limited = limited(trace).into_iter();
            limited
                .map(|trace| (trace.number, trace.limit.unwrap(), trace.dies, trace.points.len()))
                .collect()
        };
        let grows = |time: f64| 100.0 + 10.0 * (time / 3600.0 - 2.0).max(0.0);
        assert_eq!(
            limits(&hourly(leak(7200.0), grows)),
            [(0, 130, true, 6), (1, 140, true, 7), (2, 160, true, 9)],
            "from 2 h on for 6 h"
        );
        let benign = limits(&hourly(Label::Benign, grows));
        assert_eq!(benign, [(0, 200, false, 9), (1, 240, false, 9), (2, 320, false, 9), (3, 480, false, 9)]);
        let more_before = |time: f64| if time < 3600.0 { 150.0 } else { 100.0 + time / 3600.0 };
        assert_eq!(limits(&hourly(leak(7200.0), more_before)), []);
        let mut restarted = hourly(leak(7200.0), grows);
        restarted.points[8].life = 1;
        assert_eq!(limits(&restarted), [], "it is killed anyway");
    }

    #[test]
    fn days_are_not_among_those_under_other_limits() {
        let rows = "60,100,900,0,0.5\n120,200,900,0,1\n180,250,900,0,2\n";
        assert!(load_limited(folder(LIST, rows).path(), false).unwrap().is_empty());
        let fast = LIST.replace("days", "fast");
        assert_eq!(load_limited(folder(&fast, rows).path(), false).unwrap().len(), 3);
    }

    #[test]
    fn what_is_absent_is_none_and_what_is_wrong_is_said() {
        assert!(load(Path::new("/nonexistent"), false).unwrap().is_empty());
        let no_number = load(folder(LIST, "60,many,900,0,0.5\n").path(), false).unwrap_err().to_string();
        assert!(no_number.contains("cache.csv.gz") && no_number.contains("line: 2"), "{no_number}");
        let no_onset = load(folder(&LIST.replace("120", "null"), "").path(), false).unwrap_err().to_string();
        assert!(no_onset.contains("cache must have an onset"), "{no_onset}");
    }
}
