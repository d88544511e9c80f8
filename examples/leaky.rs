//! A program that leaks on demand, to see what the exporter makes of it.
//!
//! ```text
//! cargo run --example leaky -- steady --rate 1MB/s --name leak-steady
//! cargo run --example leaky -- warm-up --size 60MB --period 30s --for 10m
//! cargo run --example leaky -- steady --rate 1MB/s --limit-data 512MiB
//! cargo run --example leaky -- fds --rate 5/s --of sockets
//! ```
//!
//! The first half of the file is the shapes: how much is to be held after some time, a pure function. The second
//! half takes and gives back until the process holds that much. What is held depends on the time that passed alone,
//! so a machine that is busy for a while does not change the rate.
//!
//! Exit codes: 0 when `--for` is over, 2 for a wrong option, 3 when a limit was reached, 1 for everything else.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand, ValueEnum};
use rustix::process::{Resource, Rlimit};

/// Leaks memory, threads, mappings or file descriptors in a known shape.
#[derive(Debug, Parser)]
#[command(name = "leaky")]
struct Cli {
    #[command(subcommand)]
    shape: Shape,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Bytes that are held from the start, besides the shape.
    #[arg(long, global = true, default_value = "0B", value_name = "SIZE")]
    base: Size,
    /// Ends after this time; without it, runs until it is killed.
    #[arg(long = "for", global = true, value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// Limits its own private writable memory (RLIMIT_DATA).
    #[arg(long, global = true, value_name = "SIZE")]
    limit_data: Option<Size>,
    /// Command name to go by, so that several can be told apart.
    #[arg(long, global = true, value_parser = parse_name)]
    name: Option<String>,
}

/// What grows, and how.
#[derive(Clone, Debug, PartialEq, Subcommand)]
enum Shape {
    /// Nothing grows.
    Idle,
    /// A leak: grows at --rate for ever.
    Steady {
        #[arg(long, default_value = "1MB/s", value_name = "SIZE/TIME")]
        rate: Rate,
    },
    /// A leak in steps: every --period, what --rate makes of it at once.
    Staircase {
        #[arg(long, default_value = "1MB/s", value_name = "SIZE/TIME")]
        rate: Rate,
        #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = parse_period)]
        period: Duration,
    },
    /// A leak under the saw teeth of a garbage collector: --size is taken and given back every --period.
    Sawtooth {
        #[arg(long, default_value = "100KB/s", value_name = "SIZE/TIME")]
        rate: Rate,
        #[arg(long, default_value = "30MB")]
        size: Size,
        #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = parse_period)]
        period: Duration,
    },
    /// Flat for --after, then a leak.
    Late {
        #[arg(long, default_value = "1MB/s", value_name = "SIZE/TIME")]
        rate: Rate,
        #[arg(long, default_value = "1m", value_name = "DURATION", value_parser = humantime::parse_duration)]
        after: Duration,
    },
    /// No leak: levels off at --size, two thirds of it (1 - 1/e) within the first --period.
    WarmUp {
        #[arg(long, default_value = "60MB")]
        size: Size,
        #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = parse_period)]
        period: Duration,
    },
    /// No leak: fills up to --size at --rate, then replaces what it holds at the same rate.
    Cache {
        #[arg(long, default_value = "5MB/s", value_name = "SIZE/TIME")]
        rate: Rate,
        #[arg(long, default_value = "60MB")]
        size: Size,
    },
    /// No leak: writes a file that nobody else sees, so that page cache grows at --rate for ever.
    PageCache {
        #[arg(long, default_value = "1MB/s", value_name = "SIZE/TIME")]
        rate: Rate,
    },
    /// A leak that is in no process: memfds of 1 MiB, written to and never mapped, at --rate for ever.
    Memfds {
        #[arg(long, default_value = "1MB/s", value_name = "SIZE/TIME")]
        rate: Rate,
    },
    /// Leaks threads, which wait for ever.
    Threads {
        #[arg(long, default_value = "1/s", value_name = "COUNT/TIME")]
        rate: CountRate,
    },
    /// Leaks memory mappings: stacks of threads that ended and that nobody joins, each with the guard below it.
    Maps {
        #[arg(long, default_value = "1/s", value_name = "COUNT/TIME")]
        rate: CountRate,
    },
    /// Leaks file descriptors.
    Fds {
        #[arg(long, default_value = "1/s", value_name = "COUNT/TIME")]
        rate: CountRate,
        #[arg(long, default_value = "files")]
        of: Descriptor,
    },
    /// No leak: opens --count file descriptors within each --period, and closes all at its end.
    FdChurn {
        #[arg(long, default_value = "200")]
        count: u32,
        #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = parse_period)]
        period: Duration,
        #[arg(long, default_value = "sockets")]
        of: Descriptor,
    },
}

/// What descriptors stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Descriptor {
    /// Of /dev/null.
    #[default]
    Files,
    /// Pairs of Unix sockets.
    Sockets,
}

/// What is to be held at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Target {
    /// Bytes held.
    bytes: f64,
    /// Bytes that were given back for new ones so far, the oldest first.
    replaced: f64,
    /// Bytes in a file.
    written: f64,
    /// Bytes in memfds.
    unmapped: f64,
    threads: f64,
    mappings: f64,
    descriptors: f64,
    /// What the descriptors stand for.
    of: Descriptor,
}

impl Shape {
    /// What this shape holds `elapsed` after its start.
    fn target(&self, elapsed: Duration) -> Target {
        let bytes = |bytes| Target { bytes, ..Target::default() };
        match self {
            Shape::Idle => Target::default(),
            Shape::Steady { rate } => bytes(rate.times(elapsed)),
            Shape::Staircase { rate, period } => {
                bytes(rate.times(*period) * cycles(elapsed, *period).floor())
            }
            Shape::Sawtooth { rate, size, period } => {
                bytes(rate.times(elapsed) + size.as_f64() * cycles(elapsed, *period).fract())
            }
            Shape::Late { rate, after } => bytes(rate.times(elapsed.saturating_sub(*after))),
            Shape::WarmUp { size, period } => {
                bytes(size.as_f64() * (1.0 - (-cycles(elapsed, *period)).exp()))
            }
            Shape::Cache { rate, size } => {
                let taken = rate.times(elapsed);
                let held = taken.min(size.as_f64());
                Target { bytes: held, replaced: taken - held, ..Target::default() }
            }
            Shape::PageCache { rate } => Target { written: rate.times(elapsed), ..Target::default() },
            Shape::Memfds { rate } => Target { unmapped: rate.times(elapsed), ..Target::default() },
            Shape::Threads { rate } => Target { threads: rate.times(elapsed), ..Target::default() },
            Shape::Maps { rate } => Target { mappings: rate.times(elapsed), ..Target::default() },
            Shape::Fds { rate, of } => {
                Target { descriptors: rate.times(elapsed), of: *of, ..Target::default() }
            }
            Shape::FdChurn { count, period, of } => {
                let descriptors = f64::from(*count) * cycles(elapsed, *period).fract();
                Target { descriptors, of: *of, ..Target::default() }
            }
        }
    }
}

fn cycles(elapsed: Duration, period: Duration) -> f64 {
    elapsed.as_secs_f64() / period.as_secs_f64()
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Idle => write!(f, "does nothing"),
            Shape::Steady { rate } => write!(f, "leaks {rate}"),
            Shape::Staircase { rate, period } => {
                write!(f, "leaks {rate} in steps of {}", humantime::format_duration(*period))
            }
            Shape::Sawtooth { rate, size, period } => write!(
                f,
                "leaks {rate} under saw teeth of {size} every {}",
                humantime::format_duration(*period)
            ),
            Shape::Late { rate, after } => {
                write!(f, "leaks {rate} after {}", humantime::format_duration(*after))
            }
            Shape::WarmUp { size, period } => write!(
                f,
                "levels off at {size} with a time constant of {}",
                humantime::format_duration(*period)
            ),
            Shape::Cache { rate, size } => {
                write!(f, "fills up to {size} at {rate}, then churns at that rate")
            }
            Shape::PageCache { rate } => write!(f, "writes {rate} to a file"),
            Shape::Memfds { rate } => write!(f, "leaks {rate} in memfds"),
            Shape::Threads { rate } => write!(f, "leaks {rate} threads"),
            Shape::Maps { rate } => write!(f, "leaks {rate} memory mappings"),
            Shape::Fds { rate, .. } => write!(f, "leaks {rate} file descriptors"),
            Shape::FdChurn { count, period, .. } => {
                write!(
                    f,
                    "opens and closes {count} file descriptors every {}",
                    humantime::format_duration(*period)
                )
            }
        }
    }
}

/// Units of size, the ones that print first in front.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// A number of bytes, as in `500KB` or `1.5GiB`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size(u64);

impl Size {
    fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let wrong = || format!("{text:?} is no size; write it like 500KB, 1MB or 1.5GiB");
        let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?);
        let (_, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?;
        Ok(Size((non_negative(number).ok_or_else(wrong)? * *factor as f64) as u64))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        let (unit, factor) = whole.copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// Bytes over time, as in `1MB/s` or `20MiB/h`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    size: Size,
    per: Per,
}

impl Rate {
    fn times(self, elapsed: Duration) -> f64 {
        self.size.as_f64() * cycles(elapsed, self.per.duration())
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let (size, per) = Per::split(text)
            .ok_or_else(|| format!("{text:?} is no rate; write it like 1MB/s, 500KB/s or 20MiB/h"))?;
        Ok(Rate { size: size.parse()?, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.size, self.per.as_str())
    }
}

/// Things over time, as in `2/s` or `30/m`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct CountRate {
    count: f64,
    per: Per,
}

impl CountRate {
    fn times(self, elapsed: Duration) -> f64 {
        self.count * cycles(elapsed, self.per.duration())
    }
}

impl FromStr for CountRate {
    type Err = String;

    fn from_str(text: &str) -> Result<CountRate, String> {
        Per::split(text)
            .and_then(|(count, per)| Some(CountRate { count: non_negative(count)?, per }))
            .ok_or_else(|| format!("{text:?} is no rate; write it like 1/s or 30/m"))
    }
}

impl fmt::Display for CountRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.per.as_str())
    }
}

/// The unit of time below a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Per {
    Second,
    Minute,
    Hour,
}

impl Per {
    const ALL: [Per; 3] = [Per::Second, Per::Minute, Per::Hour];

    fn split(text: &str) -> Option<(&str, Per)> {
        let (amount, unit) = text.split_once('/')?;
        Per::ALL.into_iter().find(|per| per.as_str() == unit).map(|per| (amount, per))
    }

    fn as_str(self) -> &'static str {
        match self {
            Per::Second => "s",
            Per::Minute => "m",
            Per::Hour => "h",
        }
    }

    fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Per::Second => 1,
            Per::Minute => 60,
            Per::Hour => 3600,
        })
    }
}

fn non_negative(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

fn parse_period(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(period) if period.is_zero() => Err("must be longer than nothing".to_string()),
        Ok(period) => Ok(period),
        Err(error) => Err(error.to_string()),
    }
}

/// The kernel cuts longer names off without a word (TASK_COMM_LEN less the closing zero).
const LONGEST_NAME: usize = 15;

fn parse_name(text: &str) -> Result<String, String> {
    match text.len() {
        1..=LONGEST_NAME => Ok(text.to_string()),
        length => Err(format!("has {length} bytes, the kernel takes 1 to {LONGEST_NAME}")),
    }
}

fn main() -> ExitCode {
    let Cli { shape, common } = Cli::parse();
    match run(&shape, &common) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "leaky: {failure}");
            failure.exit_code()
        }
    }
}

/// Why it ended before its time.
#[derive(Debug)]
enum Failure {
    /// Nothing more is to be had.
    Limit { what: &'static str, held: Size, threads: usize, descriptors: usize },
    /// The process could not be set up as asked.
    Setup { what: &'static str, error: io::Error },
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Limit { .. } => ExitCode::from(3),
            Failure::Setup { .. } => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Limit { what, held, threads, descriptors } => write!(
                f,
                "limit reached: no more {what} to be had, holding {} bytes, {threads} threads and {descriptors} \
                 file descriptors",
                held.0
            ),
            Failure::Setup { what, error } => write!(f, "cannot {what}: {error}"),
        }
    }
}

/// How often what is held is brought up to date: several times between two samples of anyone who watches.
const STEP: Duration = Duration::from_millis(50);

fn run(shape: &Shape, common: &Common) -> Result<(), Failure> {
    if let Some(name) = &common.name {
        fs::write("/proc/self/comm", name)
            .map_err(|error| Failure::Setup { what: "set the command name", error })?;
    }
    if let Some(Size(bytes)) = common.limit_data {
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        rustix::process::setrlimit(Resource::Data, limit)
            .map_err(|error| Failure::Setup { what: "limit the data segment", error: error.into() })?;
    }
    announce(shape, common).map_err(|error| Failure::Setup { what: "write to standard output", error })?;

    let start = Instant::now();
    let mut holdings = Holdings::default();
    loop {
        let elapsed = start.elapsed();
        let left = common.duration.map_or(STEP, |duration| duration.saturating_sub(elapsed));
        if left.is_zero() {
            return Ok(());
        }
        let target = shape.target(elapsed);
        if let Err(what) = holdings.follow(&Target { bytes: target.bytes + common.base.as_f64(), ..target }) {
            let failure = holdings.failure(what);
            // Whatever still has to be said needs memory, too.
            drop(holdings);
            return Err(failure);
        }
        pause(left.min(STEP));
    }
}

fn announce(shape: &Shape, common: &Common) -> io::Result<()> {
    let end = match common.duration {
        Some(duration) => format!("for {}", humantime::format_duration(duration)),
        None => "until it is killed".to_string(),
    };
    let limit = common.limit_data.map_or(String::new(), |limit| format!(", RLIMIT_DATA {limit}"));
    let pid = std::process::id();
    writeln!(io::stdout(), "leaky[{pid}] {shape}, on top of {}{limit}, {end}", common.base)
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing can be waited for here: passing time is what makes the shape"
)]
fn pause(duration: Duration) {
    thread::sleep(duration);
}

/// The unit of what is taken: below malloc's threshold for a mapping of its own, as the objects of most leaks are.
const BLOCK: usize = 64 << 10;

/// Stack of a leaked thread: its pages count only once they are touched, so this is about address space.
const STACK: usize = 64 << 10;

/// A stack, and the page below it that nobody may touch, which keeps it apart from the next one.
const MAPPINGS_A_STACK: usize = 2;

/// Everything that is held, the oldest first.
#[derive(Debug, Default)]
struct Holdings {
    blocks: VecDeque<Vec<u8>>,
    /// Blocks that took the place of older ones so far.
    replaced: usize,
    /// Gone with the process, and how many blocks are in it.
    written: Option<(File, usize)>,
    memfds: Vec<File>,
    threads: usize,
    mappings: usize,
    descriptors: Vec<OwnedFd>,
}

impl Holdings {
    /// Takes and gives back until this is what `target` says, or says what is not to be had.
    fn follow(&mut self, target: &Target) -> Result<(), &'static str> {
        let blocks = blocks_of(target.bytes);
        self.blocks.truncate(blocks);
        while self.blocks.len() < blocks {
            self.take_block()?;
        }
        while self.replaced < blocks_of(target.replaced) {
            self.blocks.pop_front();
            self.take_block()?;
            self.replaced += 1;
        }
        if target.written > 0.0 {
            self.write(blocks_of(target.written)).map_err(|_| "room in a file")?;
        }
        while self.memfds.len() < (target.unmapped / MEMFD as f64) as usize {
            self.memfds.push(filled_memfd().map_err(|_| "memfds")?);
        }
        while self.threads < target.threads as usize {
            thread::Builder::new().stack_size(STACK).spawn(wait_for_ever).map_err(|_| "threads")?;
            self.threads += 1;
        }
        while self.mappings < target.mappings as usize {
            let thread = thread::Builder::new().stack_size(STACK).spawn(|| ()).map_err(|_| "mappings")?;
            // To drop the handle would give the stack back.
            std::mem::forget(thread);
            self.mappings += MAPPINGS_A_STACK;
        }
        let descriptors = target.descriptors as usize;
        self.descriptors.truncate(descriptors);
        while self.descriptors.len() < descriptors {
            self.open(target.of).map_err(|_| "file descriptors")?;
        }
        Ok(())
    }

    fn open(&mut self, what: Descriptor) -> io::Result<()> {
        match what {
            Descriptor::Files => self.descriptors.push(File::open("/dev/null")?.into()),
            Descriptor::Sockets => {
                let (one, other) = UnixStream::pair()?;
                self.descriptors.extend([one.into(), other.into()]);
            }
        }
        Ok(())
    }

    /// Asks for the memory in a way that can be refused; the usual way aborts the process.
    fn take_block(&mut self) -> Result<(), &'static str> {
        let mut block = Vec::new();
        block.try_reserve_exact(BLOCK).map_err(|_| "memory")?;
        // The kernel gives a page only once something is written to it.
        block.resize(BLOCK, 1);
        self.blocks.try_reserve(1).map_err(|_| "memory")?;
        self.blocks.push_back(block);
        Ok(())
    }

    /// Makes the file so many blocks long.
    fn write(&mut self, blocks: usize) -> io::Result<()> {
        let (file, written) = match &mut self.written {
            Some(written) => written,
            none => none.insert((tempfile::tempfile()?, 0)),
        };
        while *written < blocks {
            file.write_all(&[1; BLOCK])?;
            *written += 1;
        }
        Ok(())
    }

    fn failure(&self, what: &'static str) -> Failure {
        Failure::Limit {
            what,
            held: Size((self.blocks.len() * BLOCK) as u64),
            threads: self.threads,
            descriptors: self.descriptors.len(),
        }
    }
}

fn blocks_of(bytes: f64) -> usize {
    (bytes / BLOCK as f64) as usize
}

/// Bytes in one memfd.
const MEMFD: usize = 1 << 20;

fn filled_memfd() -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("leaky", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(&vec![1; MEMFD])?;
    Ok(file)
}

fn wait_for_ever() {
    loop {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: f64 = 1e6;

    fn shape(arguments: &str) -> Shape {
        let words = std::iter::once("leaky").chain(arguments.split(' '));
        Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).shape
    }

    /// Megabytes held after each of `seconds`.
    fn held(arguments: &str, seconds: &[u64]) -> Vec<f64> {
        let shape = shape(arguments);
        let at = |second: &u64| shape.target(Duration::from_secs(*second)).bytes / MB;
        seconds.iter().map(at).collect()
    }

    #[test]
    fn shapes_hold_what_they_say() {
        assert_eq!(held("idle", &[0, 1000]), [0.0, 0.0]);
        assert_eq!(held("steady --rate 2MB/s", &[0, 1, 500]), [0.0, 2.0, 1000.0]);
        assert_eq!(
            held("staircase --rate 1MB/s --period 10s", &[0, 9, 10, 19, 20]),
            [0.0, 0.0, 10.0, 10.0, 20.0]
        );
        assert_eq!(
            held("sawtooth --rate 1MB/s --size 30MB --period 10s", &[0, 5, 10, 15]),
            [0.0, 20.0, 10.0, 30.0]
        );
        assert_eq!(held("late --rate 1MB/s --after 1m", &[0, 60, 61, 70]), [0.0, 0.0, 1.0, 10.0]);
        assert_eq!(held("cache --rate 5MB/s --size 60MB", &[0, 6, 12, 600]), [0.0, 30.0, 60.0, 60.0]);
    }

    #[test]
    fn a_warm_up_levels_off() {
        let held = held("warm-up --size 60MB --period 30s", &[0, 30, 60, 600]);
        assert_eq!(held[0], 0.0);
        assert!((held[1] - 60.0 * (1.0 - (-1f64).exp())).abs() < 1e-9);
        assert!(held[2] - held[1] < held[1], "ever slower");
        assert!((held[3] - 60.0).abs() < 1e-6);
    }

    #[test]
    fn a_full_cache_churns_at_the_rate_at_which_it_filled() {
        let cache = shape("cache --rate 5MB/s --size 60MB");
        assert_eq!(cache.target(Duration::from_secs(12)).replaced, 0.0);
        assert_eq!(cache.target(Duration::from_secs(22)).replaced, 50.0 * MB);
    }

    #[test]
    fn threads_and_descriptors_are_counted() {
        assert_eq!(shape("threads --rate 2/s").target(Duration::from_secs(3)).threads, 6.0);
        assert_eq!(shape("maps --rate 2/s").target(Duration::from_secs(3)).mappings, 6.0);
        assert_eq!(shape("fds --rate 30/m").target(Duration::from_secs(10)).descriptors, 5.0);
        let churn = shape("fd-churn --count 100 --period 10s");
        let open = [0, 5, 9, 10, 15].map(|second| churn.target(Duration::from_secs(second)).descriptors);
        assert_eq!(open.map(f64::round), [0.0, 50.0, 90.0, 0.0, 50.0]);
    }

    #[test]
    fn sizes_and_rates_are_read_and_written() {
        for (text, bytes) in
            [("0B", 0), ("500KB", 500_000), ("1MiB", 1 << 20), ("1.5GiB", 3 << 29), ("1mb", 1_000_000)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        assert_eq!(Size(3 << 20).to_string(), "3MiB");
        assert_eq!(Size(60_000_000).to_string(), "60MB");
        assert_eq!(Size(0).to_string(), "0B");
        assert_eq!("20MiB/h".parse::<Rate>().map(|rate| rate.to_string()), Ok("20MiB/h".to_string()));
        assert_eq!("1MB/s".parse::<Rate>().map(|rate| rate.times(Duration::from_secs(2))), Ok(2.0 * MB));
        for text in ["", "1", "MB", "-1MB", "1XB", "nanB", "1MB/s"] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
        for text in ["1MB", "1MB/", "1/s", "1MB/d"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_that_the_kernel_would_cut_and_empty_periods_are_refused() {
        assert!(parse_name("leak-steady").is_ok());
        assert!(parse_name("").is_err());
        assert!(parse_name("sixteen-letters-").is_err());
        assert!(parse_period("0s").is_err());
    }

    #[test]
    fn holdings_follow_the_target_up_and_down() {
        let mut holdings = Holdings::default();
        let block = BLOCK as f64;
        for (bytes, replaced, blocks) in [(3.0, 0.0, 3), (1.5, 0.0, 1), (4.0, 0.0, 4), (4.0, 2.0, 4)] {
            let target = Target {
                bytes: bytes * block,
                replaced: replaced * block,
                written: 3.0 * block,
                unmapped: 2.0 * MEMFD as f64,
                threads: 1.0,
                ..descriptors(2.0)
            };
            assert_eq!(holdings.follow(&target), Ok(()));
            assert_eq!(holdings.blocks.len(), blocks);
        }
        assert_eq!((holdings.replaced, holdings.descriptors.len(), holdings.threads), (2, 2, 1));
        assert_eq!(holdings.memfds.len(), 2);
        assert_eq!(holdings.follow(&descriptors(0.0)), Ok(()));
        assert!(holdings.descriptors.is_empty());
        assert_eq!(holdings.written.map(|(file, _)| file.metadata().unwrap().len()), Some(3 * BLOCK as u64));
    }

    fn descriptors(descriptors: f64) -> Target {
        Target { descriptors, of: Descriptor::Sockets, ..Target::default() }
    }
}
