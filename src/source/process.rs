//! Processes, read from Linux's /proc.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rustix::param::page_size;

use super::clock::Clock;
use super::holdings::{Held, Holdings, Seen};
use super::identity::{Known, Sighting};
use super::names::Shared;
use super::pace::{self, Pace, SLICE};
use super::pid_dir::{Digest, PidDir, Unread};
use super::roll::Roll;
use super::roots::{Procfs, Roots};
use super::users::Users;
use super::{Hidden, Reading, Source, SourceError, rights};
use crate::entity::{EntityId, Identity, Wants};
use crate::parse::limits::Limits;
use crate::parse::stat::Stat;
use crate::parse::status::Status;
use crate::parse::{stat, statm, status};
use crate::sample::{Figures, Kind, Limit, LimitKind, Memory, Sample};

mod files;
mod kept;

use files::{Files, Restless};
use kept::{CALM, Kept, RESTLESS, Room, Turn};

/// Reads every process that has memory: of those that have changed two small files each and at times a third, all buffers
/// reused.
pub(super) struct ProcessSource {
    roll: Roll<Life>,
    pids: Vec<u32>,
    reader: Reader,
    pace: Pace,
}

/// One life of a pid.
#[derive(Debug)]
struct Life {
    start_time: u64,
    kept: Option<Kept>,
    /// Of what `statm` was before the sample was taken: a change meanwhile is seen the next time.
    digest: Option<Digest>,
    /// At how many looks in a row its memory was the same, and at how many it was another; one of them is 0.
    same: u8,
    changed: u8,
    /// CPU time that it had used when `stat` was last read, in clock ticks.
    cpu_time: u64,
    known: Known,
    held: Held,
    /// What was seen when it was last read; `None` for what has no memory: a thread of the kernel, a zombie.
    told: Option<Told>,
}

/// What is told of a process again where nothing has changed.
#[derive(Debug)]
struct Told {
    identity: Arc<Identity>,
    figures: Arc<Figures>,
}

/// What it takes to read a process.
struct Reader {
    procfs: Procfs,
    users: Users,
    shared: Shared,
    holdings: Holdings,
    wants: Wants,
    /// What may be kept open in all.
    most: Room,
    /// What of it is free.
    room: Room,
    /// Whether it is to be said that there is too little of it.
    may_complain: bool,
    pass: u64,
    stat: Vec<u8>,
    buffer: Vec<u8>,
}

impl ProcessSource {
    /// A source over the procfs of `roots`.
    pub(super) fn new(roots: &Roots) -> ProcessSource {
        let most = Room::new(roots.procfs().is_genuine());
        let reader = Reader {
            procfs: roots.procfs().clone(),
            users: Users::new(roots.rootfs().clone()),
            shared: Shared::default(),
            holdings: Holdings::new(roots.procfs()),
            wants: Wants::default(),
            most,
            room: most,
            may_complain: roots.procfs().is_genuine(),
            pass: 0,
            stat: Vec::new(),
            buffer: Vec::new(),
        };
        ProcessSource { roll: Roll::default(), pids: Vec::new(), reader, pace: Pace::default() }
    }

    /// The same, which spreads a reading over some of the time until the next.
    pub(super) fn at_each(self, interval: Duration) -> ProcessSource {
        ProcessSource { pace: Pace::of(interval), ..self }
    }
}

impl Source for ProcessSource {
    fn name(&self) -> &'static str {
        "process"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let ProcessSource { roll, pids, reader, pace } = self;
        let clock = reader.begin_pass(pids)?;
        reading.uptime = Some(clock.uptime());
        reader.room = reader.most.beside(roll.iter().filter_map(|life| life.kept.as_ref()));
        reading.samples.reserve(pids.len());
        // Whoever has just started us waits for the first pass.
        let rest = if reader.pass == 0 { Duration::ZERO } else { pace.rest(pids.len()) };
        for (index, &pid) in pids.iter().enumerate() {
            if index > 0 && index.is_multiple_of(SLICE) {
                pace::pause(rest);
            }
            let place = roll.place(pid);
            match reader.look(pid, place, &clock, reading) {
                Ok(sample) => reading.samples.extend(sample),
                Err(Unread::Vanished) => *place = None,
                Err(Unread::Failed(reason)) => {
                    tracing::debug!(pid, reason = reason.as_str(), "process could not be read");
                    reading.count_error(reason);
                    reading.unread.insert(pid);
                    // What else is known of it stays; the next look is at everything.
                    place.iter_mut().for_each(|life| life.kept = None);
                }
            }
        }
        roll.end_pass();
        reading.hidden = hidden(roll);
        reader.end_pass(reading);
        Ok(())
    }

    fn want(&mut self, wants: Wants) {
        self.reader.wants = wants;
    }

    fn suspect_descriptors(&mut self, pids: &HashSet<u32>) {
        self.reader.holdings.suspect(pids);
    }
}

impl Reader {
    /// Begins a pass over all processes, whose pids it lists in rising order.
    fn begin_pass(&mut self, pids: &mut Vec<u32>) -> Result<Clock, SourceError> {
        let clock = Clock::read(&self.procfs, &mut self.buffer)?;
        self.users.refresh(&mut self.buffer);
        self.procfs.pids(&mut self.buffer, pids)?;
        self.holdings.begin_pass(&self.procfs, &mut self.buffer);
        Ok(clock)
    }

    fn end_pass(&mut self, reading: &Reading) {
        if self.pass == 0 {
            say_what_is_missing(reading);
        }
        if self.may_complain && self.room.is_short_beside(self.most) {
            self.may_complain = false;
            tracing::info!(
                kept = self.most.number(),
                "too few descriptors to keep every process open; a look at the others takes longer; raise the hard limit (LimitNOFILE=)"
            );
        }
        self.holdings.end_pass();
        self.pass += 1;
    }

    /// One process, told again where nothing has changed; `None` if it has no memory of its own.
    fn look(
        &mut self,
        pid: u32,
        place: &mut Option<Life>,
        clock: &Clock,
        reading: &mut Reading,
    ) -> Result<Option<Sample>, Unread> {
        let turn = place.as_mut().map_or(Turn::Everything, |life| self.turn(pid, life));
        if let (Some(life), Turn::Nothing | Turn::Statm | Turn::Stat) = (&mut *place, turn)
            && life.passes_by(self.number(pid), self.wants)
        {
            return Ok(life.told_again(pid));
        }
        let mut text = std::mem::take(&mut self.stat);
        let files = self.files(pid, place, &mut text)?;
        let stat = stat::parse(&text)?;
        let is_known = place.as_ref().is_some_and(|life| life.start_time == stat.start_time);
        let life = match place {
            Some(life) if is_known => life,
            _ => place.insert(Life::new(&stat)),
        };
        life.cpu_time = stat.cpu_time;
        // Many are gone before they are seen twice.
        let may_be_kept = is_known && life.kept.is_none();
        if may_be_kept && !stat.is_kernel_thread() && !files.are_kept() {
            life.kept = self.room.keep_file(files.dir());
            life.digest = life.kept.as_ref().and_then(|kept| kept.digest(&mut self.buffer).ok()).flatten();
        }
        let sample = self.sample((pid, &stat), life, &files, clock, reading)?;
        if files.are_kept() {
            life.note(life.has_memory_of(sample.as_ref()));
        }
        life.told = sample.as_ref().map(Told::of);
        self.stat = text;
        self.keep(life, files, may_be_kept);
        Ok(sample)
    }

    /// The files of a process, and in `text` what its `stat` says.
    fn files(&self, pid: u32, place: &mut Option<Life>, text: &mut Vec<u8>) -> Result<Files, Unread> {
        let restless = place.as_mut().and_then(Life::take_restless);
        if let Some(files) = restless.map(Files::Kept)
            && files.read_stat(text).is_ok()
        {
            return Ok(files);
        }
        // Where it can't be read any more, that life has ended, and another may have its pid.
        let files = Files::Fresh(self.procfs.pid_dir(pid)?);
        files.read_stat(text)?;
        Ok(files)
    }

    /// Keeps open what the next look is at.
    fn keep(&mut self, life: &mut Life, files: Files, may_be_kept: bool) {
        match files {
            Files::Kept(restless) if life.same < CALM => life.kept = Some(Kept::Restless(restless)),
            Files::Kept(restless) => {
                life.kept = self.room.keep_file(restless.dir());
                // What it was before the sample is not known.
                life.digest = None;
            }
            Files::Fresh(dir) if life.changed >= RESTLESS => {
                life.kept = self.room.keep_restless(dir).or(life.kept.take());
            }
            Files::Fresh(dir) if may_be_kept && life.kept.is_none() => life.kept = self.room.keep_dir(dir),
            Files::Fresh(_) => {}
        }
    }

    /// Rises by one with each pass. What is read of a process, and when its details are, goes by the same number, so that both fall
    /// due together; the pid spreads the work: all processes that we found at our start would be due at once otherwise.
    fn number(&self, pid: u32) -> u64 {
        u64::from(pid) + self.pass
    }

    /// What is to be read of a process that is known.
    fn turn(&mut self, pid: u32, life: &mut Life) -> Turn {
        let Some(kept) = &life.kept else { return Turn::Everything };
        let turn = Turn::of(self.number(pid), life.same);
        if turn == Turn::Nothing {
            return turn;
        }
        match kept.digest(&mut self.buffer) {
            Ok(Some(digest)) => {
                let is_same = life.digest.replace(digest) == Some(digest);
                life.note(is_same);
                let has_changed = !is_same || turn == Turn::Stat && self.has_run(pid, life);
                if has_changed { Turn::Everything } else { turn }
            }
            Ok(None) => Turn::Everything,
            Err(_) => {
                // This life has ended, or another has its pid.
                life.kept = None;
                Turn::Everything
            }
        }
    }

    /// Whether a process has done anything since its `stat` was last read, or another has its pid.
    fn has_run(&mut self, pid: u32, life: &mut Life) -> bool {
        let read = self.procfs.stat(pid, &mut self.stat);
        let stat = read.ok().and_then(|()| stat::parse(&self.stat).ok());
        stat.is_none_or(|stat| stat.start_time != life.start_time || life.has_run(&stat))
    }

    /// Everything that there is to know of a process whose `stat` was read; `None` for a thread of the kernel, a zombie.
    fn sample(
        &mut self,
        (pid, stat): (u32, &Stat<'_>),
        life: &mut Life,
        files: &Files,
        clock: &Clock,
        reading: &mut Reading,
    ) -> Result<Option<Sample>, Unread> {
        if stat.is_kernel_thread() || stat.is_dead() {
            return Ok(None);
        }
        files.read_status(&mut self.buffer)?;
        let (status, dir) = (status::parse(&self.buffer)?, files.dir());
        let Some(memory) = memory(&status, dir, &mut self.buffer)? else {
            return Ok(None);
        };
        let sighting = Sighting { turn: self.number(pid), comm: stat.comm, uid: status.uid };
        let details = life.known.details(
            &sighting,
            self.wants,
            dir,
            (&self.users, &mut self.shared),
            &mut self.buffer,
            reading,
        );
        let threads = status.threads.unwrap_or(stat.threads);
        let seen = Seen { threads, address_space: status.size, descriptor_limit: details.limits.open_files };
        let resources = self.holdings.of((pid, &mut life.held), seen, dir, &mut self.buffer, reading);
        Ok(Some(Sample {
            entity: EntityId::Process { pid, start_time: stat.start_time },
            identity: Arc::clone(&details.identity),
            figures: Arc::new(Figures {
                memory,
                limit: nearest_limit(&details.limits, &status).map(Box::new),
                start: Some(clock.start(stat.start_time)),
                resources,
                cgroup: None,
            }),
            cpu_seconds: Some(clock.seconds(stat.cpu_time)),
            is_told_again: false,
        }))
    }
}

impl Told {
    fn of(sample: &Sample) -> Told {
        Told { identity: Arc::clone(&sample.identity), figures: Arc::clone(&sample.figures) }
    }
}

impl Life {
    fn new(stat: &Stat<'_>) -> Life {
        let (known, held) = (Known::default(), Held::default());
        Life {
            start_time: stat.start_time,
            kept: None,
            digest: None,
            same: 0,
            changed: 0,
            cpu_time: stat.cpu_time,
            known,
            held,
            told: None,
        }
    }

    /// What is kept open of one that is restless, to be read.
    fn take_restless(&mut self) -> Option<Box<Restless>> {
        match self.kept.take() {
            Some(Kept::Restless(restless)) => Some(restless),
            other => {
                self.kept = other;
                None
            }
        }
    }

    /// Takes note of a look at its memory, and whether that was the same as at the one before.
    fn note(&mut self, is_same: bool) {
        let count = |goes_on, count: u8| if goes_on { count.saturating_add(1) } else { 0 };
        (self.same, self.changed) = (count(is_same, self.same), count(!is_same, self.changed));
    }

    /// Whether it was last seen to have the memory of `sample`.
    fn has_memory_of(&self, sample: Option<&Sample>) -> bool {
        let memory = self.told.as_ref().map(|told| &told.figures.memory);
        memory == sample.map(|sample| &sample.figures.memory)
    }

    /// Whether it has used CPU time since this was last asked, or has another name; else it has done nothing.
    fn has_run(&mut self, stat: &Stat<'_>) -> bool {
        let has_worked = std::mem::replace(&mut self.cpu_time, stat.cpu_time) != stat.cpu_time;
        has_worked || (self.told.is_some() && !self.known.is_called(stat.comm))
    }

    /// What was last seen of it, of which nothing has changed.
    fn told_again(&self, pid: u32) -> Option<Sample> {
        let Told { identity, figures } = self.told.as_ref()?;
        Some(Sample {
            entity: EntityId::Process { pid, start_time: self.start_time },
            identity: Arc::clone(identity),
            figures: Arc::clone(figures),
            cpu_seconds: None,
            is_told_again: true,
        })
    }

    /// Takes note that it is told again, unless this is a sighting at which to read its names and limits.
    fn passes_by(&mut self, number: u64, wants: Wants) -> bool {
        self.told.is_none() || self.known.pass_by(number, wants)
    }
}

/// Says which right would show more of what was read, if one would.
fn say_what_is_missing(reading: &Reading) {
    let processes = reading.hidden.get(&Hidden::Executable).copied().unwrap_or(0);
    match rights::missing() {
        Some(missing @ rights::SHOWS_FILES) => {
            tracing::info!(
                missing,
                "of processes of other users it may not be seen what their open files are"
            );
        }
        // Of what another namespace or a security module keeps to itself no right shows more.
        Some(missing) if processes > 0 => tracing::info!(
            processes,
            missing,
            "of some processes it may not be seen which file they run, what they map and what their open files are"
        ),
        _ => {}
    }
}

/// Of how many processes something may not be seen.
fn hidden(roll: &Roll<Life>) -> BTreeMap<Hidden, u64> {
    let mut counts =
        BTreeMap::from([Hidden::Executable, Hidden::Descriptors, Hidden::Mappings].map(|what| (what, 0)));
    for life in roll.iter().filter(|life| life.told.is_some()) {
        let executable = life.known.is_executable_hidden().then_some(Hidden::Executable);
        for what in executable.into_iter().chain(life.held.hidden()) {
            *counts.entry(what).or_default() += 1;
        }
    }
    counts
}

/// Memory by kind; `None` without an address space. Kernels before 4.5 don't split what is resident in `status`,
/// and then `statm` gives private and backed memory. `buffer` is scratch space.
fn memory(status: &Status, dir: &PidDir, buffer: &mut Vec<u8>) -> Result<Option<Memory>, Unread> {
    let memory = Memory::default().with(Kind::Swap, status.swap);
    if status.anon.is_some() {
        let memory = memory.with(Kind::Anon, status.anon).with(Kind::File, status.file);
        return Ok(Some(memory.with(Kind::Shmem, status.shmem)));
    }
    if status.resident.is_none() {
        return Ok(None);
    }
    dir.read(c"statm", buffer)?;
    let statm = statm::parse(buffer)?;
    let bytes = |pages: u64| Some(pages.saturating_mul(page_size() as u64));
    Ok(Some(memory.with(Kind::Anon, bytes(statm.anon())).with(Kind::File, bytes(statm.shared))))
}

/// The limit that leaves the least room. The kernel compares RLIMIT_AS with `VmSize` and RLIMIT_DATA with `VmData`
/// (its `may_expand_vm`).
fn nearest_limit(limits: &Limits, status: &Status) -> Option<Limit> {
    let limit = |kind, bytes: Option<u64>, used: Option<u64>| {
        let (bytes, used) = (bytes?, used?);
        Some(Limit { kind, bytes, room: bytes.saturating_sub(used) })
    };
    let address_space = limit(LimitKind::AddressSpace, limits.address_space, status.size);
    let data = limit(LimitKind::Data, limits.data, status.data);
    address_space.into_iter().chain(data).min_by_key(|limit| limit.room)
}

#[cfg(test)]
mod tests;
