//! Replays against the live watchlist, and whole recorded lives.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::SamplerConfig;
use crate::detector::Reason;
use crate::entity::{EntityId, Identity};
use crate::history::HOUR;
use crate::sample::{Figures, Limit, LimitKind, Sample, Start};
use crate::watch::{Terms, Watchlist, When};

const MIB: u64 = 1 << 20;
const BEGAN: u64 = 1_700_000_000;
const THRESHOLD: f64 = 60.0;

/// A row every minute, in lives of so many hours each, one a quarter of an hour after the other. `bytes` tells the
/// memory by life and hour.
fn rows(lives: &[u64], bytes: impl Fn(usize, f64) -> f64) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut began = BEGAN;
    for (number, hours) in lives.iter().enumerate() {
        let row = |minute: u64| Row {
            time: (began + minute * 60) as f64,
            bytes: bytes(number, minute as f64 / 60.0) as u64,
            limit_bytes: Some(2048 * MIB),
            start_time: Some(began as f64 - 30.0),
            cpu_seconds: Some(minute as f64),
            executable: None,
        };
        rows.extend((0..=hours * 60).map(row));
        began += hours * 3600 + 900;
    }
    rows
}

fn leak(_: usize, hour: f64) -> f64 {
    (200.0 + 20.0 * hour) * MIB as f64 * (1.0 + 0.01 * (hour * 40.0).sin())
}

/// Every verdict of a replay, with its time.
fn replayed(rows: &[Row]) -> Vec<(f64, Assessment)> {
    let mut replay = Replay::new(60.0, THRESHOLD);
    rows.iter().filter_map(|row| Some((row.time, replay.push(*row)?.clone()))).collect()
}

fn sample(row: &Row) -> Sample {
    let start = row.start_time.unwrap();
    let limit = row.limit_bytes.unwrap();
    let own = Limit { kind: LimitKind::Data, bytes: limit, room: limit.saturating_sub(row.bytes) };
    Sample {
        entity: EntityId::Process { pid: 7, start_time: start as u64 },
        identity: Arc::new(Identity { name: "web".into(), ..Identity::default() }),
        figures: Arc::new(Figures {
            memory: Memory::default().with(Kind::Resident, Some(row.bytes)),
            limit: Some(Box::new(own)),
            start: Some(Start { unix_seconds: start, after_boot: Duration::from_secs_f64(start) }),
            ..Figures::default()
        }),
        cpu_seconds: row.cpu_seconds,
        is_told_again: false,
    }
}

#[test]
fn verdicts_and_their_moments_are_those_of_the_live_watchlist() {
    let config = SamplerConfig { threshold: THRESHOLD, max_entities: 10, ..SamplerConfig::every_minute() };
    // Nine days in all, so that a lineage is forgotten meanwhile.
    for lives in [&[30][..], &[9, 9, 40], &[12, 200, 5, 1, 8]] {
        let mut watchlist = Watchlist::new(&config);
        let mut replay = Replay::new(60.0, THRESHOLD);
        let (mut compared, mut before) = (0, None);
        for row in rows(lives, leak) {
            let sample = sample(&row);
            watchlist.retire(|entity| *entity != sample.entity);
            let when = When { time: row.time, uptime: Some(Duration::from_secs_f64(row.time)) };
            let terms = Terms { threshold: THRESHOLD, limit: sample.figures.limit() };
            let live = watchlist.observe(when, &sample, terms).unwrap().assessment;
            watchlist.forget_lineages(row.time);
            let verdict = replay.push(row);
            // A life begins with a verdict that it did not ask for.
            let is_new =
                before.is_some_and(|(start, old)| start == row.start_time && !Arc::ptr_eq(&old, &live));
            assert_eq!(verdict, is_new.then_some(&*live), "at {}", row.time);
            compared += usize::from(is_new);
            before = Some((row.start_time, live));
        }
        assert!(compared > 200 && replay.restarts() == lives.len() as u64 - 1, "{lives:?}: {compared}");
    }
}

#[test]
fn a_leak_is_called_and_what_levels_off_is_not() {
    let leaking = replayed(&rows(&[40], leak));
    assert!(leaking.last().unwrap().1.is_suspect());
    let first = leaking.iter().find(|(_, assessment)| assessment.is_suspect()).unwrap().0;
    assert!(first - BEGAN as f64 > 2.0 * HOUR, "called after {} s", first - BEGAN as f64);
    let flat = |_: usize, hour: f64| (300.0 - 100.0 * (-hour).exp()) * MIB as f64;
    assert!(replayed(&rows(&[40], flat)).iter().all(|(_, assessment)| !assessment.is_suspect()));
}

#[test]
fn a_restart_begins_a_life_that_inherits_and_a_gap_does_not() {
    let all = rows(&[40, 10], leak);
    let second = all.iter().position(|row| row.start_time != all[0].start_time).unwrap();
    let score = |rows: &[Row]| {
        let verdicts = replayed(rows);
        let (_, first) = verdicts.iter().find(|(time, _)| *time > all[second].time + HOUR).unwrap();
        first.score.unwrap()
    };
    let inherited = score(&all);
    assert!(inherited > score(&all[second..]) + 10.0, "{inherited}");

    let unsaid: Vec<Row> = all.iter().map(|row| Row { start_time: None, ..*row }).collect();
    let mut replay = Replay::new(60.0, THRESHOLD);
    unsaid.iter().for_each(|row| drop(replay.push(*row).cloned()));
    assert_eq!(replay.restarts(), 0);
}

#[test]
fn what_started_long_ago_is_not_warming_up() {
    let warm = |_: usize, hour: f64| (200.0 + 60.0 * (1.0 - (-hour / 3.0).exp())) * MIB as f64;
    let reason = |start: f64| {
        let rows = rows(&[8], warm);
        let rows: Vec<Row> =
            rows.into_iter().map(|row| Row { start_time: Some(start), limit_bytes: None, ..row }).collect();
        replayed(&rows).last().unwrap().1.reason
    };
    assert_eq!(reason(BEGAN as f64), Reason::WarmingUp);
    assert_ne!(reason(BEGAN as f64 - 100.0 * HOUR), Reason::WarmingUp);
}
