use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::watch::fixture::{config, live};

const EVERY: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Moment {
    let unix_seconds = 1.7e9 + seconds as f64;
    Moment { instant: Instant::now(), boottime: Duration::from_secs(1000 + seconds), unix_seconds }
}

/// A directory for the state, and watchlists to keep in it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.dir.path().join(format!("state{ending}"))
    }

    fn keeper(&self) -> Keeper {
        let config = StateConfig { file: Some(self.file("")), interval: 5 * EVERY };
        Keeper::open(&config, Some("boot".to_string())).unwrap().unwrap()
    }

    /// Writes what `minutes` of the test's host leave.
    fn write(&self, minutes: u32) {
        let mut watchlist = Watchlist::new(&config(100));
        live(&mut watchlist, 0..minutes);
        self.keeper().close(&watchlist, &config(100), at(0), 1.7e9 + 60.0 * f64::from(minutes));
    }
}

/// Waits until what was handed over is on the disk.
fn settle(keeper: &Keeper) {
    while !keeper.writer.is_idle() {
        std::thread::yield_now();
    }
}

#[test]
fn without_a_file_nothing_is_kept() {
    let config = StateConfig { file: None, interval: EVERY };
    assert!(Keeper::open(&config, None).unwrap().is_none());
}

#[test]
fn what_was_kept_is_there_after_the_gap() {
    let place = Place::new();
    let mut keeper = place.keeper();
    assert!(keeper.resume(&config(100), at(0)).is_none());
    assert!(keeper.status().loaded, "there is nothing to lose at first");
    drop(keeper);
    place.write(90);
    let resumed = place.keeper().resume(&config(100), at(3600)).unwrap();
    assert_eq!(resumed.time, 1.7e9 + 5400.0 + 3600.0);
    assert_eq!(resumed.watchlist.len(), 6);
}

#[test]
fn what_is_wrong_is_kept_aside_and_told() {
    let place = Place::new();
    for damaged in [&b""[..], b"something else", b"MEMLEAK\n\x01\x00"] {
        std::fs::write(place.file(""), damaged).unwrap();
        let mut keeper = place.keeper();
        assert!(keeper.resume(&config(100), at(0)).is_none());
        assert!(!keeper.status().loaded);
        assert!(!place.file("").exists());
        assert_eq!(std::fs::read(place.file(".bad")).unwrap(), damaged);
    }
}

#[test]
fn what_is_no_file_stays_and_nothing_is_written_in_its_place() {
    let place = Place::new();
    std::fs::create_dir(place.file("")).unwrap();
    let mut keeper = place.keeper();
    assert!(keeper.resume(&config(100), at(0)).is_none());
    assert_eq!((keeper.status().loaded, keeper.status().written), (false, Some(false)));
    let (watchlist, config) = (Watchlist::new(&config(1)), config(1));
    keeper.keep(&watchlist, &config, at(0), 1.7e9, EVERY);
    settle(&keeper);
    assert!(place.file("").is_dir() && !place.file(".bad").exists());
    std::fs::remove_dir(place.file("")).unwrap();
    keeper.keep(&watchlist, &config, at(300), 1.7e9, EVERY);
    settle(&keeper);
    assert!(keeper.status().written == Some(true) && place.file("").is_file());
}

#[test]
fn what_cannot_be_kept_aside_is_not_overwritten() {
    let place = Place::new();
    std::fs::write(place.file(""), b"of a later release").unwrap();
    std::fs::create_dir(place.file(".bad")).unwrap();
    let mut keeper = place.keeper();
    assert!(keeper.resume(&config(100), at(0)).is_none());
    keeper.close(&Watchlist::new(&config(1)), &config(1), at(0), 1.7e9);
    assert_eq!(std::fs::read(place.file("")).unwrap(), b"of a later release");
}

#[test]
fn what_can_be_read_is_taken_over_where_nothing_can_be_written() {
    let place = Place::new();
    place.write(90);
    std::fs::remove_file(place.file(".lock")).unwrap();
    std::fs::create_dir(place.file(".lock")).unwrap();
    let mut keeper = place.keeper();
    assert_eq!(keeper.resume(&config(100), at(60)).unwrap().watchlist.len(), 6);
    assert_eq!((keeper.status().loaded, keeper.status().written), (true, Some(false)));
    std::fs::remove_dir(place.file(".lock")).unwrap();
    keeper.close(&Watchlist::new(&config(1)), &config(1), at(120), 1.7e9);
    assert!(!place.file(".bad").exists(), "nothing is lost by replacing it");
}

#[test]
fn what_another_exporter_leaves_is_kept_aside() {
    let place = Place::new();
    let other = place.keeper();
    let mut keeper = place.keeper();
    assert!(keeper.resume(&config(100), at(0)).is_none());
    other.close(&Watchlist::new(&config(1)), &config(1), at(0), 1.7e9);
    let left = std::fs::read(place.file("")).unwrap();
    keeper.close(&Watchlist::new(&config(1)), &config(1), at(60), 1.7e9);
    assert_eq!(std::fs::read(place.file(".bad")).unwrap(), left);
}

#[test]
fn whoever_starts_again_and_again_writes_no_more() {
    let place = Place::new();
    place.write(90);
    let mut keeper = place.keeper();
    let resumed = keeper.resume(&config(100), at(60)).unwrap();
    let last = keeper.attempted;
    keeper.keep(&resumed.watchlist, &config(100), at(120), resumed.time, EVERY);
    assert_eq!(keeper.attempted, last, "not before an interval is over");
    keeper.keep(&resumed.watchlist, &config(100), at(240), resumed.time, EVERY);
    assert_eq!(keeper.attempted.unwrap().0, at(240).boottime);
}

#[test]
fn a_disk_that_hangs_is_told() {
    let place = Place::new();
    let mut keeper = place.keeper();
    let (watchlist, config) = (Watchlist::new(&config(1)), config(1));
    keeper.writer.pretend_to_be_busy();
    keeper.keep(&watchlist, &config, at(0), 1.7e9, EVERY);
    assert_eq!(keeper.status().written, Some(false));
}

#[test]
fn it_is_written_before_an_interval_is_over_and_no_sooner_than_it_must() {
    let place = Place::new();
    let mut keeper = place.keeper();
    let (watchlist, config) = (Watchlist::new(&config(1)), config(1));
    let mut written = Vec::new();
    for minute in 0..=12 {
        let before = keeper.attempted;
        let now = at(60 * minute);
        keeper.keep(&watchlist, &config, now, now.unix_seconds, EVERY);
        if keeper.attempted != before {
            written.push(minute);
        }
        settle(&keeper);
    }
    assert_eq!(written, [0, 4, 8, 12]);
    let status = *keeper.status();
    assert_eq!(status.written, Some(true));
    assert!(status.bytes_total > 3 * status.bytes && status.bytes_total < 5 * status.bytes, "{status:?}");
    // As large as that, a day's worth of writes is as much as all others take.
    keeper.attempted = Some((at(0).boottime, 30 << 20));
    keeper.keep(&watchlist, &config, at(2000), 1.7e9, EVERY);
    assert_eq!(keeper.attempted.unwrap().0, at(0).boottime, "not yet");
    keeper.keep(&watchlist, &config, at(2600), 1.7e9, EVERY);
    assert_eq!(keeper.attempted.unwrap().0, at(2600).boottime);
}

#[test]
fn what_cannot_be_written_is_told_and_tried_again() {
    let place = Place::new();
    let mut keeper = place.keeper();
    std::fs::create_dir(place.file(".tmp")).unwrap();
    let (watchlist, config) = (Watchlist::new(&config(1)), config(1));
    keeper.keep(&watchlist, &config, at(0), 1.7e9, EVERY);
    settle(&keeper);
    assert_eq!((keeper.status().written, keeper.status().written_unix_seconds), (Some(false), None));
    std::fs::remove_dir(place.file(".tmp")).unwrap();
    keeper.keep(&watchlist, &config, at(300), 1.7e9, EVERY);
    settle(&keeper);
    assert_eq!(keeper.status().written, Some(true));
}

#[test]
fn who_comes_second_neither_reads_nor_writes_until_the_first_is_gone() {
    let place = Place::new();
    place.write(90);
    let first = place.keeper();
    let mut second = place.keeper();
    assert!(second.resume(&config(100), at(0)).is_none());
    assert_eq!((second.status().loaded, second.status().written), (false, Some(false)));
    let before = std::fs::read(place.file("")).unwrap();
    let watchlist = Watchlist::new(&config(100));
    second.keep(&watchlist, &config(100), at(0), 1.7e9, EVERY);
    assert_eq!(std::fs::read(place.file("")).unwrap(), before);
    drop(first);
    second.close(&watchlist, &config(100), at(60), 1.7e9);
    assert_ne!(std::fs::read(place.file("")).unwrap(), before);
    assert_eq!(std::fs::read(place.file(".bad")).unwrap(), before, "what the first one knew is not lost");
}
