//! Small services in Rust, one scenario each: service SCENARIO [NAME=NUMBER]...
//!
//! Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::{mpsc, Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, process, thread};

/// What time it is in the recording, and what chance brings.
struct World {
    begin: f64,
    hour: f64,
    phase: f64,
    day: f64,
    quiet: f64,
    state: u64,
    at: f64,
}

fn environment(name: &str, otherwise: f64) -> f64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn number(name: &str, otherwise: f64) -> f64 {
    env::args()
        .filter_map(|argument| {
            argument.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
        })
        .find(|(key, _)| key == name)
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(otherwise)
}

impl World {
    fn new() -> Self {
        let seed = environment("SEED", 0.0) as u64;
        let (begin, hour) = (environment("BEGIN", now()), environment("HOUR", 7.5));
        let state = 88_172_645_463_325_252 + seed * 2_654_435_761;
        let (day, quiet) = (environment("DAY", 24.0), environment("QUIET", 0.15));
        Self { begin, hour, phase: environment("PHASE", 0.0), day, quiet, state, at: 0.0 }
    }

    fn uniform(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Traffic as a share of its peak: quiet nights, busy days.
    fn load(&self) -> f64 {
        let wave = 0.5 - 0.5 * (std::f64::consts::TAU * (self.at / self.day + self.phase)).cos();
        self.quiet + (1.0 - self.quiet) * wave.powf(1.5)
    }

    /// Sleeps until the next tick; the hours since the one before.
    fn tick(&mut self) -> f64 {
        thread::sleep(Duration::from_millis(100));
        let before = self.at;
        self.at = (now() - self.begin) / self.hour;
        self.at - before
    }

    /// How many of `hourly` (at peak load) come until the next tick.
    fn arrivals(&mut self, hourly: f64) -> usize {
        let passed = self.tick();
        (hourly * self.load() * passed * (0.5 + self.uniform()) + self.uniform()) as usize
    }

    fn bytes(&mut self, about: f64) -> Vec<u8> {
        vec![0x5a; (about * (0.5 + self.uniform())) as usize]
    }

    /// A request: strings that come and go.
    fn serve(&mut self) -> usize {
        let fields: HashMap<String, String> =
            (0..24).map(|i| (format!("field{i}"), format!("{:x}", (self.uniform() * 1e12) as u64))).collect();
        fields.values().map(String::len).sum()
    }
}

/// A session's two ends hold one another strongly: no count ever reaches zero.
struct End {
    peer: RefCell<Option<Rc<End>>>,
    _buffer: Vec<u8>,
}

fn reference_cycle(world: &mut World) {
    let (hourly, size) = (number("hourly", 600.0), number("size", 1000.0));
    loop {
        for _ in 0..world.arrivals(hourly) {
            world.serve();
            let one = Rc::new(End { peer: RefCell::new(None), _buffer: world.bytes(size) });
            let other =
                Rc::new(End { peer: RefCell::new(Some(Rc::clone(&one))), _buffer: world.bytes(size) });
            *one.peer.borrow_mut() = Some(other);
        }
    }
}

/// A channel without a bound whose reader is slower than its writer from `onset` on.
fn channel(world: &mut World) {
    let (hourly, onset, size) = (number("hourly", 20_000.0), number("onset", 1.5), number("size", 800.0));
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let credit = Arc::new(Mutex::new(0.0_f64));
    let budget = Arc::clone(&credit);
    thread::spawn(move || loop {
        thread::sleep(Duration::from_millis(50));
        loop {
            let mut left = match budget.lock() {
                Ok(left) => left,
                Err(_) => return,
            };
            if *left < 1.0 || receiver.try_recv().is_err() {
                break;
            }
            *left -= 1.0;
        }
    });
    loop {
        let count = world.arrivals(hourly);
        for _ in 0..count {
            world.serve();
            if sender.send(world.bytes(size)).is_err() {
                return;
            }
        }
        let share = if world.at < onset { 1.3 } else { number("share", 0.6) };
        if let Ok(mut left) = credit.lock() {
            *left = (*left + count as f64 * share).min(100.0);
        }
    }
}

/// Names are interned and never forgotten; some of them are new every time.
fn intern(world: &mut World) {
    let hourly = number("hourly", 600.0);
    let mut names: HashMap<String, u32> = HashMap::new();
    loop {
        for _ in 0..world.arrivals(hourly) {
            world.serve();
            let known = world.uniform() < 0.5;
            let id = (world.uniform() * if known { 1e4 } else { 1e15 }) as u64;
            *names.entry(format!("tenant/{id:0>200}")).or_default() += 1;
        }
    }
}

/// An arena that is as large as the day's work so far, reset at the end of the day with its capacity kept.
fn arena(world: &mut World) {
    let hourly = number("hourly", 3000.0);
    let (mut arena, mut day) = (Vec::<u64>::new(), 0.0);
    loop {
        for _ in 0..world.arrivals(hourly) {
            world.serve();
            let length = (60.0 + 120.0 * world.uniform()) as usize;
            arena.extend((0..length).map(|word| word as u64 + 1));
        }
        if (world.at / 24.0 + world.phase).floor() > day {
            day = (world.at / 24.0 + world.phase).floor();
            arena = Vec::with_capacity(arena.len() / 4);
        }
    }
}

/// A cache that is filled evenly from a list until it is complete.
fn cache_fill(world: &mut World) {
    let (until, entries) = (number("until", 30.0), number("entries", 30_000.0));
    let mut cache: Vec<Vec<u8>> = Vec::with_capacity(entries as usize);
    loop {
        for _ in 0..world.arrivals(3000.0) {
            world.serve();
        }
        let wanted = entries * (world.at / until).min(1.0);
        while (cache.len() as f64) < wanted {
            let entry = world.bytes(number("size", 1500.0));
            cache.push(entry);
        }
    }
}

/// A queue that builds while the load is above what the workers manage, and drains after.
fn backlog(world: &mut World) {
    let (hourly, workers, size) =
        (number("hourly", 20_000.0), number("workers", 11_000.0), number("size", 2000.0));
    let mut queue: VecDeque<Vec<u8>> = VecDeque::new();
    loop {
        let passed = world.tick();
        let cycle = 0.5 - 0.5 * (std::f64::consts::TAU * world.at / number("period", 1.6)).cos();
        let coming = hourly * passed * cycle * (0.7 + 0.6 * world.uniform()) + world.uniform();
        for _ in 0..coming as usize {
            world.serve();
            let item = world.bytes(size);
            queue.push_back(item);
        }
        for _ in 0..((workers * passed + world.uniform()) as usize).min(queue.len()) {
            queue.pop_front();
        }
    }
}

/// A cache with a bound that evicts the oldest.
fn bounded_cache(world: &mut World) {
    let (hourly, entries, size) =
        (number("hourly", 12_000.0), number("entries", 20_000.0), number("size", 1500.0));
    let (mut cache, mut order) = (HashMap::<u64, Vec<u8>>::new(), VecDeque::new());
    loop {
        for _ in 0..world.arrivals(hourly) {
            world.serve();
            let key = (world.uniform().powi(3) * entries * 2.5) as u64;
            if cache.contains_key(&key) {
                continue;
            }
            let value = world.bytes(size);
            cache.insert(key, value);
            order.push_back(key);
            if order.len() as f64 > entries {
                order.pop_front().map(|oldest| cache.remove(&oldest));
            }
        }
    }
}

/// Connections with buffers of their own; the pool is enlarged at `step` and made a little smaller later.
fn connections(world: &mut World) {
    let mut open: Vec<Vec<u8>> = Vec::new();
    loop {
        for _ in 0..world.arrivals(3000.0) {
            world.serve();
        }
        let (step, later) = (number("step", 40.0), number("later", 75.0));
        let share = if world.at < step {
            0.4
        } else if world.at < later {
            1.0
        } else {
            0.85
        };
        let wanted = (number("most", 800.0) * share * (0.97 + 0.03 * world.load())) as usize;
        while open.len() < wanted {
            let buffer = world.bytes(65_536.0);
            open.push(buffer);
        }
        open.truncate(wanted);
    }
}

/// Messages to receivers that are gone are tried again for ever, from `onset` on; others are delivered.
fn retries(world: &mut World) {
    let (hourly, size, onset) = (number("hourly", 20_000.0), number("size", 3000.0), number("onset", 0.0));
    let mut waiting: VecDeque<(f64, bool, Vec<u8>)> = VecDeque::new();
    loop {
        for _ in 0..world.arrivals(hourly) {
            world.serve();
            let message = world.bytes(size);
            let gone = world.at >= onset && world.uniform() < number("gone", 0.2);
            waiting.push_back((world.at + number("after", 0.005), gone, message));
        }
        while waiting.front().is_some_and(|(due, ..)| *due <= world.at) {
            if let Some((_, true, message)) = waiting.pop_front() {
                waiting.push_back((world.at + number("after", 0.005), true, message));
            }
        }
    }
}

/// Requests register with the token that would cancel them all; from `onset` on they do not leave it when they end.
fn tokens(world: &mut World) {
    let (hourly, size, onset) = (number("hourly", 1000.0), number("size", 1500.0), number("onset", 0.0));
    let mut registered: HashMap<u64, Vec<u8>> = HashMap::new();
    let mut loaded: HashMap<u64, Vec<u8>> = HashMap::new();
    for id in 0.. {
        for within in 0..world.arrivals(hourly) as u64 {
            world.serve();
            let (waker, template) = (world.bytes(size), world.bytes(12_000.0));
            registered.insert(id * 1_000_000 + within, waker);
            if world.at < onset {
                registered.clear();
            }
            loaded.insert((world.uniform() * number("templates", 1500.0)) as u64, template);
        }
    }
}

/// A cache with a bound, asked for few keys often and for many seldom; the least recently used leaves.
fn recent(world: &mut World) {
    let (hourly, keys, entries) =
        (number("hourly", 40_000.0), number("keys", 1e6), number("entries", 8_000.0));
    let mut cache: HashMap<u64, (u64, Vec<u8>)> = HashMap::new();
    let mut order: BTreeMap<u64, u64> = BTreeMap::new();
    for now in (0..).step_by(1_000_000) {
        for stamp in now..now + world.arrivals(hourly) as u64 {
            world.serve();
            let key = keys.powf(world.uniform()) as u64;
            let value = match cache.remove(&key) {
                Some((used, value)) => order.remove(&used).map_or_else(Vec::new, |_| value),
                None => world.bytes(number("size", 3000.0)),
            };
            cache.insert(key, (stamp, value));
            order.insert(stamp, key);
            if cache.len() as f64 > entries {
                order.pop_first().map(|(_, oldest)| cache.remove(&oldest));
            }
        }
    }
}

/// Rules are read anew again and again, and leaked so that everybody may borrow them: the new ones beside all the old.
fn reloads(world: &mut World) {
    let (mut rules, mut due): (&'static [String], f64) = (&[], 0.0);
    loop {
        for request in 0..world.arrivals(number("hourly", 20_000.0)) {
            world.serve();
            std::hint::black_box(rules.get(request));
        }
        if world.at >= due {
            due = world.at + number("every", 0.25) * (0.5 + world.uniform());
            let read: Vec<String> =
                (0..number("rows", 9000.0) as usize).map(|row| format!("rule {row:0>200}")).collect();
            rules = Box::leak(read.into_boxed_slice());
        }
    }
}

/// A store of one log: what is written goes to its end, and when most of it is outdated the rest is written anew.
fn log_store(world: &mut World) {
    const SEGMENT: usize = 1 << 18;
    fn append(segments: &mut Vec<Vec<u8>>, record: &[u8]) -> (usize, usize, usize) {
        if segments.last().is_none_or(|last| last.len() + record.len() > SEGMENT) {
            segments.push(Vec::with_capacity(SEGMENT));
        }
        let at = segments.len() - 1;
        let start = segments[at].len();
        segments[at].extend_from_slice(record);
        (at, start, record.len())
    }
    let (keys, size) = (number("keys", 6000.0), number("size", 2500.0));
    let (mut segments, mut index) = (Vec::new(), HashMap::<u64, (usize, usize, usize)>::new());
    loop {
        for _ in 0..world.arrivals(number("hourly", 20_000.0)) {
            world.serve();
            let (key, record) = ((world.uniform() * keys) as u64, world.bytes(size));
            index.insert(key, append(&mut segments, &record));
        }
        let live: usize = index.values().map(|(.., length)| length).sum();
        if segments.len() * SEGMENT > 2 * live + 16 * SEGMENT {
            let mut compacted = Vec::new();
            for place in index.values_mut() {
                let (at, start, length) = *place;
                *place = append(&mut compacted, &segments[at][start..start + length]);
            }
            segments = compacted;
        }
    }
}

/// Pages of a larger file are read into frames of a pool; when no frame is left, one that was not used of late is taken.
fn frames(world: &mut World) {
    const PAGE: usize = 8192;
    let (most, pages) = (number("frames", 5000.0) as usize, number("pages", 40_000.0));
    let mut frames: Vec<(u64, bool, Box<[u8]>)> = Vec::with_capacity(most);
    let (mut holds, mut hand) = (HashMap::<u64, usize>::new(), 0);
    loop {
        for _ in 0..world.arrivals(number("hourly", 14_000.0)) {
            world.serve();
            let page = (world.uniform() * pages) as u64;
            if let Some(&frame) = holds.get(&page) {
                frames[frame].1 = true;
                continue;
            }
            if frames.len() < most {
                holds.insert(page, frames.len());
                frames.push((page, false, vec![page as u8 | 1; PAGE].into_boxed_slice()));
                continue;
            }
            while std::mem::take(&mut frames[hand].1) {
                hand = (hand + 1) % most;
            }
            holds.remove(&frames[hand].0);
            holds.insert(page, hand);
            frames[hand].0 = page;
            frames[hand].2.fill(page as u8 | 1);
            hand = (hand + 1) % most;
        }
    }
}

/// A queue with a bound in bytes whose reader is slower than its writer from the start; what does not fit is refused.
fn bounded_queue(world: &mut World) {
    let (bound, size) = (number("megabytes", 30.0) * 1_048_576.0, number("size", 1500.0));
    let (mut queue, mut bytes) = (VecDeque::<Vec<u8>>::new(), 0);
    loop {
        let before = world.at;
        for _ in 0..world.arrivals(number("hourly", 25_000.0)) {
            world.serve();
            let item = world.bytes(size);
            if ((bytes + item.len()) as f64) < bound {
                bytes += item.len();
                queue.push_back(item);
            }
        }
        let reads = number("reads", 10_000.0) * (world.at - before) + world.uniform();
        for _ in 0..reads as usize {
            bytes -= queue.pop_front().map_or(0, |item| item.len());
        }
    }
}

/// A store keeps those versions of a row that a snapshot may still read; from `onset` on one snapshot is never closed.
fn snapshots(world: &mut World) {
    let (onset, size, keys) = (number("onset", 0.0), number("size", 500.0), number("keys", 4000.0));
    let mut rows: HashMap<u64, VecDeque<(f64, Vec<u8>)>> = HashMap::new();
    loop {
        for _ in 0..world.arrivals(number("hourly", 20_000.0)) {
            world.serve();
            let (key, value) = ((world.uniform() * keys) as u64, world.bytes(size));
            let oldest_snapshot = world.at.min(onset);
            let versions = rows.entry(key).or_default();
            versions.push_back((world.at, value));
            while versions.get(1).is_some_and(|(since, _)| *since <= oldest_snapshot) {
                versions.pop_front();
            }
        }
    }
}

fn main() {
    let mut world = World::new();
    world.at = (now() - world.begin) / world.hour;
    let base: Vec<Vec<u8>> =
        (0..(number("base", 0.0) * 16.0) as usize).map(|_| vec![0x5a; 1 << 16]).collect();
    match env::args().nth(1).as_deref() {
        Some("reference-cycle") => reference_cycle(&mut world),
        Some("channel") => channel(&mut world),
        Some("intern") => intern(&mut world),
        Some("arena") => arena(&mut world),
        Some("cache-fill") => cache_fill(&mut world),
        Some("backlog") => backlog(&mut world),
        Some("bounded-cache") => bounded_cache(&mut world),
        Some("connections") => connections(&mut world),
        Some("retries") => retries(&mut world),
        Some("tokens") => tokens(&mut world),
        Some("recent") => recent(&mut world),
        Some("reloads") => reloads(&mut world),
        Some("log-store") => log_store(&mut world),
        Some("frames") => frames(&mut world),
        Some("bounded-queue") => bounded_queue(&mut world),
        Some("snapshots") => snapshots(&mut world),
        _ => {
            eprintln!("service: a scenario that exists is needed as first argument");
            process::exit(2);
        }
    }
    drop(base);
}
