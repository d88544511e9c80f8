//! What the parts cost that run for each process at each tick, and those that run for each scrape.
//!
//! ```text
//! cargo bench --bench micro
//! ```

#![expect(clippy::expect_used, reason = "nothing can be told of what does not run")]

use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;
use std::time::Duration;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use flate2::Compression;
use flate2::write::GzEncoder;
use memleak_exporter::backtest;
use memleak_exporter::config::{BacktestConfig, BacktestOutput, Input};
use memleak_exporter::exposition::{self, Format, Sources};
use memleak_exporter::history::Ladder;
use memleak_exporter::parse::{stat, statm, status};
use memleak_exporter::snapshot::Snapshot;
use memleak_exporter::state::{self, Origin};
use tempfile::NamedTempFile;

#[path = "growth/host.rs"]
mod host;

use host::{Population, Simulation};

/// Room for all processes.
const ROOM: usize = 50_000;

/// The usual time between samples.
const INTERVAL: Duration = Duration::from_secs(15);

/// A recording: how many entities, and samples of each, which are nearly two days of them.
const RECORDED: (u64, u64) = (200, 10_000);

/// Ticks before any is timed, a minute apart: idle processes are remembered as such after some hours.
const WARM_UP: u32 = 600;

const STATM: &str = "38292 4523 2151 121 0 9912 0\n";

const STAT: &str = "7945 (tmux: server) S 1 7945 7945 0 -1 4194368 63915 1432 3 0 8123 4411 2 1 20 0 3 0 105025 \
    156844032 4523 18446744073709551615 1 1 0 0 0 0 0 528386 134433283 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

const STATUS: &str = "Name:\ttmux: server\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7945\nNgid:\t0\nPid:\t7945\n\
    PPid:\t1\nTracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nFDSize:\t64\n\
    Groups:\t24 25 27 29 30 44 46 1000 \nNStgid:\t7945\nNSpid:\t7945\nNSpgid:\t7945\nNSsid:\t7945\nKthread:\t0\n\
    VmPeak:\t  153168 kB\nVmSize:\t  153168 kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\nVmHWM:\t   18092 kB\n\
    VmRSS:\t   18092 kB\nRssAnon:\t    9488 kB\nRssFile:\t    8604 kB\nRssShmem:\t       0 kB\n\
    VmData:\t   39648 kB\nVmStk:\t     132 kB\nVmExe:\t     484 kB\nVmLib:\t    7312 kB\nVmPTE:\t     128 kB\n\
    VmSwap:\t       0 kB\nHugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\nThreads:\t3\n\
    SigQ:\t0/127368\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n\
    SigIgn:\t0000000000001000\nSigCgt:\t0000000180004a02\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n\
    CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n\
    Seccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n\
    Mems_allowed:\t00000001\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t98123\n\
    nonvoluntary_ctxt_switches:\t1211\n";

fn main() {
    divan::main();
}

#[divan::bench]
fn parse_statm() -> bool {
    statm::parse(black_box(STATM.as_bytes())).is_ok()
}

#[divan::bench]
fn parse_stat() -> bool {
    stat::parse(black_box(STAT.as_bytes())).is_ok()
}

#[divan::bench]
fn parse_status() -> bool {
    status::parse(black_box(STATUS.as_bytes())).is_ok()
}

/// One sample of a process whose floor moves.
#[divan::bench]
fn ladder_push(bencher: Bencher<'_, '_>) {
    let mut ladder = Ladder::new(INTERVAL.as_secs_f64());
    let mut time = 0.0;
    bencher.bench_local(|| {
        time += INTERVAL.as_secs_f64();
        ladder.push(time, black_box(50e6))
    });
}

#[divan::bench(sample_count = 40, sample_size = 1)]
fn tick_of_which_nothing_moves(bencher: Bencher<'_, '_>) {
    tick(bencher, Population::IDLE, ROOM);
}

#[divan::bench(sample_count = 40, sample_size = 1)]
fn tick_of_which_a_tenth_moves(bencher: Bencher<'_, '_>) {
    tick(bencher, Population { passing: 0.0, ..Population::USUAL }, ROOM);
}

/// With a pass over all lives for who waits.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn tick_with_room_for_half(bencher: Bencher<'_, '_>) {
    tick(bencher, Population::USUAL, Population::USUAL.processes / 2);
}

/// A scrape of each process, which `--process.top=all` and `--series.max=0` allow.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn encode_all_series(bencher: Bencher<'_, '_>) {
    let snapshot = with_all_series();
    let text = encoded(&snapshot);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| encoded(&snapshot));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn compress_all_series(bencher: Bencher<'_, '_>) {
    let text = encoded(&with_all_series());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| compressed(&text));
}

/// What is remembered of a host of ten hours, as `--state.file` has it.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn encode_state(bencher: Bencher<'_, '_>) {
    let host = warm(Population::USUAL, ROOM);
    let size = state::encode(host.watchlist(), &origin()).len();
    bencher.counter(BytesCount::new(size)).bench_local(|| state::encode(host.watchlist(), &origin()));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn decode_state(bencher: Bencher<'_, '_>) {
    let file = state::encode(warm(Population::USUAL, ROOM).watchlist(), &origin());
    let config = host::config(Duration::from_secs(60), ROOM);
    bencher.counter(ItemsCount::new(Population::USUAL.processes)).bench_local(|| {
        state::decode(&file, &config, None, Duration::MAX).map(|restored| restored.watchlist.len())
    });
}

/// `backtest --summary` of a file of two million rows.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn backtest_noisy_entities(bencher: Bencher<'_, '_>) {
    let recording = recording().expect("there is room for a temporary file");
    let config = BacktestConfig {
        inputs: vec![Input::File(recording.path().to_path_buf())],
        output: BacktestOutput::Json,
        summary: true,
        threshold: 60.0,
    };
    bencher
        .counter(ItemsCount::new(RECORDED.0 * RECORDED.1))
        .bench_local(|| backtest::run(&config, &mut io::sink(), &mut io::sink()).is_ok());
}

/// Memory that goes up and down by a tenth, of which every second one rises besides, and CPU time that goes on.
fn recording() -> io::Result<NamedTempFile> {
    let file = NamedTempFile::new()?;
    let mut out = BufWriter::new(file.as_file());
    writeln!(out, "time,entity,bytes,cpu_seconds")?;
    let mut chance = 0_u64;
    for sample in 0..RECORDED.1 {
        let seconds = 15 * sample;
        for entity in 0..RECORDED.0 {
            // SplitMix64's step and the first half of its finish: noise enough.
            chance = chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (chance ^ (chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let level = (50 + 10 * entity) << 20;
            let bytes = level + mixed % (level / 10) + seconds * 2000 * (entity % 2);
            let cpu = 0.2 * seconds as f64 + (mixed % 300) as f64 / 100.0;
            writeln!(out, "{},pod-{entity:03}/container-app,{bytes},{cpu:.2}", 1_700_000_000 + seconds)?;
        }
    }
    out.flush()?;
    drop(out);
    Ok(file)
}

fn origin() -> Origin {
    Origin {
        exporter: String::new(),
        boot_id: None,
        boottime: 0.0,
        unix_seconds: 0.0,
        time: 0.0,
        time_lapse: 1,
    }
}

fn tick(bencher: Bencher<'_, '_>, population: Population, room: usize) {
    let mut host = warm(population, room);
    bencher.counter(ItemsCount::new(population.processes)).bench_local(|| host.tick());
}

/// A host that has been watched for ten hours.
fn warm(population: Population, room: usize) -> Simulation {
    let mut host =
        Simulation::new(population, Duration::from_secs(60), room).expect("there is no file to be wrong");
    (0..WARM_UP).for_each(|_| drop(host.tick()));
    host
}

fn with_all_series() -> Arc<Snapshot> {
    let mut snapshot = Arc::unwrap_or_clone(warm(Population::USUAL, ROOM).tick());
    snapshot.entities.iter_mut().for_each(|entity| entity.exported = true);
    Arc::new(snapshot)
}

fn encoded(snapshot: &Snapshot) -> String {
    exposition::render(Some(snapshot), &Sources::ALL, snapshot.taken, Format::Text)
}

/// At the level that the exporter uses.
fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes everything")
}
