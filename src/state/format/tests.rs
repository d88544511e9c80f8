use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;
use crate::watch::fixture::{config, live};

const BOOT_ID: Option<&str> = Some("3c2e5a8e-2f1b-4b7e-9f57-6a0a2f1f9c11");

fn origin() -> Origin {
    Origin {
        exporter: "0.1.0".to_string(),
        boot_id: BOOT_ID.map(str::to_string),
        boottime: 5000.0,
        unix_seconds: 1.7e9 + 7200.0,
        time: 1.7e9 + 7200.0,
        time_lapse: 1,
    }
}

/// Of the machine that reads: longer than that of [`origin`].
const UPTIME: Duration = Duration::from_secs(9000);

fn watchlist() -> Watchlist {
    let mut watchlist = Watchlist::new(&config(100));
    live(&mut watchlist, 0..120);
    watchlist
}

/// Everything that is remembered, in an order of its own.
fn contents(watchlist: &Watchlist) -> BTreeSet<Vec<u8>> {
    watchlist.records().map(|record| rmp_serde::to_vec_named(&record).unwrap()).collect()
}

fn read(file: &[u8]) -> Result<Restored, Flaw> {
    decode(file, &config(100), BOOT_ID, UPTIME)
}

/// Splitmix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound
    }
}

#[test]
fn what_is_read_is_what_was_written() {
    let watchlist = watchlist();
    let restored = read(&encode(&watchlist, &origin())).unwrap();
    assert_eq!((restored.origin, restored.boot), (origin(), Boot::Same));
    assert_eq!(restored.watchlist.len(), watchlist.len());
    assert_eq!(contents(&restored.watchlist), contents(&watchlist));
}

#[test]
fn ten_thousand_flipped_bits_and_cut_ends_are_all_found() {
    let file = encode(&watchlist(), &origin());
    let mut random = Random(7);
    for round in 0..10_000 {
        let mut damaged = file.clone();
        if round % 4 == 0 {
            damaged.truncate(random.below(file.len()));
        }
        if round % 4 != 0 || round % 8 == 0 {
            for _ in 0..=random.below(8) {
                let bits = 8 * damaged.len().max(1);
                let bit = random.below(bits);
                if let Some(byte) = damaged.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
        if damaged != file {
            assert!(read(&damaged).is_err(), "round {round}");
        }
    }
    assert!(read(&[file.as_slice(), b"x"].concat()).is_err(), "something follows");
}

#[test]
fn what_is_damaged_says_how() {
    let file = encode(&watchlist(), &origin());
    let with = |at: usize, byte: u8| {
        let mut other = file.clone();
        other[at] = byte;
        read(&other).unwrap_err().to_string()
    };
    assert!(read(b"").unwrap_err().to_string().starts_with("it does not begin like a state file"));
    assert!(with(0, b'm').starts_with("it does not begin like a state file"));
    assert_eq!(
        with(8, 9),
        "it has format 9 and this release reads up to 1; upgrade, or give another --state.file"
    );
    assert_eq!(with(8, 0), "it has format 0 and this release reads none before 1");
    assert_eq!(with(HEADER + 100, !file[HEADER + 100]), "its checksum is wrong");
    let cut = read(&file[..file.len() - 1]).unwrap_err().to_string();
    assert_eq!(cut, format!("it has {} bytes and should have {}", file.len() - 1, file.len()));
}

#[test]
fn after_a_restart_of_the_machine_only_lineages_are_left() {
    let mut watchlist = Watchlist::new(&config(100));
    live(&mut watchlist, 0..40 * 60);
    let file = encode(&watchlist, &origin());
    for other in [None, Some("another")] {
        let restored = decode(&file, &config(100), other, UPTIME).unwrap();
        assert_eq!(restored.boot, Boot::Another);
        assert!(restored.watchlist.is_empty() && restored.watchlist.lineages() > 0);
    }
    let nameless = encode(&watchlist, &Origin { boot_id: None, ..origin() });
    let boot_after = |uptime| decode(&nameless, &config(100), None, uptime).unwrap().boot;
    assert_eq!(boot_after(UPTIME), Boot::Same);
    assert_eq!(boot_after(Duration::from_secs(10)), Boot::Another, "it has been up for less than it had");
}

#[test]
fn a_history_of_another_pace_is_refused() {
    let file = encode(&watchlist(), &Origin { time_lapse: 100, ..origin() });
    assert_eq!(
        read(&file).unwrap_err().to_string(),
        "it was written with --sample.time-lapse=100; use that, or give another --state.file"
    );
}

#[test]
fn the_gap_is_told_by_the_clock_that_nobody_sets() {
    let at = |boottime, unix_seconds| Moment {
        instant: Instant::now(),
        boottime: Duration::from_secs(boottime),
        unix_seconds,
    };
    let written = origin().unix_seconds;
    for (boot, now, expected) in [
        (Boot::Same, at(5060, written + 86_400.0), 60.0),
        (Boot::Same, at(5060, written - 86_400.0), 60.0),
        (Boot::Another, at(9000, written + 300.0), 300.0),
        (Boot::Another, at(9000, written - 300.0), 0.0),
    ] {
        assert_eq!(origin().gap(boot, now), expected, "{boot:?} {now:?}");
        assert_eq!(origin().time(boot, now), origin().time + expected, "{boot:?} {now:?}");
    }
}

#[test]
fn the_time_catches_up_with_the_wall_clock_when_the_machine_restarts() {
    let now = |unix_seconds| Moment { instant: Instant::now(), boottime: UPTIME, unix_seconds };
    let behind = Origin { time: origin().unix_seconds - 86_400.0, ..origin() };
    let soon = origin().unix_seconds + 60.0;
    assert_eq!(behind.time(Boot::Another, now(soon)), soon);
    assert_eq!(behind.time(Boot::Same, now(soon)), behind.time + UPTIME.as_secs_f64() - behind.boottime);
}

fn sample_of(version: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/state/v{version}.state"))
}

#[test]
fn files_of_this_version_and_of_the_one_before_can_be_read() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !sample_of(VERSION).exists() {
        let mut watchlist = Watchlist::new(&config(100));
        live(&mut watchlist, 0..40 * 60);
        std::fs::write(sample_of(VERSION), encode(&watchlist, &origin())).unwrap();
    }
    for version in OLDEST..=VERSION {
        let restored = read(&std::fs::read(sample_of(version)).unwrap()).unwrap();
        assert_eq!(restored.origin, origin(), "version {version}");
        assert_eq!((restored.watchlist.len(), restored.watchlist.lineages()), (6, 1), "version {version}");
        assert_eq!(restored.watchlist.suspects(), 2, "version {version}");
    }
}
