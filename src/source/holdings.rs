//! What processes hold besides memory, looked at more seldom than memory and within a budget.
//!
//! What we may not look at is absent and no error: to an exporter without privileges most processes are, at each look,
//! and `memleak_source_read_errors_total` would count nothing else. What can't be read just now is one: what was seen of it
//! before stays, and the process is looked at again when it is next read.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::sync::Arc;

use super::pid_dir::{PidDir, Tally, Unread};
use super::roots::Procfs;
use super::{Hidden, ReadErrorReason, Reading, SourceError};
use crate::entity::Resource;
use crate::parse::sysctl::max_map_count;
use crate::resources::{Count, Descriptors, Resources};

/// Passes from one look at a process's descriptors to the next.
const DESCRIPTORS_EVERY: u32 = Resource::Fds.every();

/// The same for mappings. To list them the kernel holds the process's lock on its mappings, for a page of text at a time,
/// and whoever maps meanwhile in that process waits.
const MAPPINGS_EVERY: u32 = Resource::Maps.every();

/// The same where the address space is as large as at the latest look.
const SAME_MAPPINGS_EVERY: u32 = 8 * MAPPINGS_EVERY;

/// No process takes more than one part in so many of what passes may take: who holds so much that a look takes more is
/// looked at less often.
const PARTS: u64 = 8;

/// What one pass may take. It begins nothing more once any of its parts is used up; what is left undone comes first in the
/// next pass.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// Looks at descriptors: 5 µs each where the kernel counts.
    descriptor_looks: usize,
    /// Descriptors that we have to count ourselves, 1 µs each, or to tell by kind, 2 to 3 µs.
    descriptors: usize,
    /// Looks at mappings: 30 to 100 µs for the usual process.
    mapping_looks: usize,
    /// Bytes that tell of mappings: 20,000 of them, and 30 ms.
    mapping_bytes: usize,
}

const BUDGET: Budget =
    Budget { descriptor_looks: 2048, descriptors: 16_384, mapping_looks: 256, mapping_bytes: 2 << 20 };

/// What one process is known to hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// `None` before anything was looked at.
    looks: Option<Looks>,
    kinds: Option<Arc<Descriptors>>,
}

#[derive(Clone, Copy, Debug)]
struct Looks {
    descriptors: Look,
    mappings: Look,
    mapped: Mapped,
}

impl Held {
    /// Which of it we may not count.
    pub(super) fn hidden(&self) -> impl Iterator<Item = Hidden> {
        let of = |hidden, look: Look| look.is_hidden.then_some(hidden);
        self.looks
            .into_iter()
            .flat_map(move |looks| {
                [of(Hidden::Descriptors, looks.descriptors), of(Hidden::Mappings, looks.mappings)]
            })
            .flatten()
    }
}

/// What there was to map at the latest look at mappings.
#[derive(Clone, Copy, Debug, Default)]
struct Mapped {
    /// Bytes of the address space.
    size: Option<NonZeroU64>,
    pass: u32,
}

impl Mapped {
    /// Whether a look now would most likely show the same: the address space is as large as it was. It need not, for a mapping
    /// can be split, so that there is a look now and then in any case.
    fn is_as_before(&self, size: Option<NonZeroU64>, pass: u32) -> bool {
        self.size.is_some() && self.size == size && pass - self.pass < SAME_MAPPINGS_EVERY
    }
}

/// What else is known of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Threads.
    pub(super) threads: u64,
    /// Bytes of the address space.
    pub(super) address_space: Option<u64>,
    /// How many descriptors it may have.
    pub(super) descriptor_limit: Option<u64>,
}

/// The latest look at one resource of a process.
#[derive(Clone, Copy, Debug)]
struct Look {
    count: Option<u32>,
    /// Whether we may not count.
    is_hidden: bool,
    /// The pass from which on it is to be looked at again.
    due: u32,
}

impl Look {
    /// The pid spreads the work: all processes that we found at our start would be due at once otherwise.
    fn first(pass: u32, pid: u32, every: u32) -> Look {
        Look { count: None, is_hidden: false, due: pass + pid % every }
    }

    fn as_count(&self, limit: Option<u32>, is_new: bool) -> Option<Count> {
        self.count.map(|used| Count { used, limit, is_new })
    }
}

/// Who is looked at in a pass: whoever was left out of the one before, and all who come after, first.
#[derive(Clone, Copy, Debug, Default)]
struct Turns {
    /// The first pid whose turn it is.
    from: u32,
    /// The first that was due and was left out.
    left_out: Option<u32>,
}

impl Turns {
    /// Whether to look at a process that is due. Pids come in rising order.
    fn is_turn_of(&mut self, pid: u32, is_affordable: bool) -> bool {
        if pid >= self.from && !is_affordable {
            self.left_out.get_or_insert(pid);
        }
        pid >= self.from && is_affordable
    }

    fn end_pass(&mut self) {
        self.from = self.left_out.take().unwrap_or(0);
    }
}

/// Who is looked at in a pass.
#[derive(Debug)]
pub(super) struct Holdings {
    /// The number of this one, in a width that lasts for decades: each process has three of them.
    pass: u32,
    budget: Budget,
    left: Budget,
    descriptor_turns: Turns,
    mapping_turns: Turns,
    max_mappings: Option<u32>,
    /// Whose descriptors are to be told by kind.
    suspects: HashSet<u32>,
    tally: Tally,
}

impl Holdings {
    /// For the processes in `procfs`.
    pub(super) fn new(procfs: &Procfs) -> Holdings {
        Holdings {
            pass: 0,
            budget: BUDGET,
            left: BUDGET,
            descriptor_turns: Turns::default(),
            mapping_turns: Turns::default(),
            max_mappings: None,
            suspects: HashSet::new(),
            tally: if procfs.is_genuine() { Tally::BySize } else { Tally::ByEntry },
        }
    }

    /// Begins a pass over all processes, to be given by rising pid. `buffer` is scratch space.
    pub(super) fn begin_pass(&mut self, procfs: &Procfs, buffer: &mut Vec<u8>) {
        self.left = self.budget;
        match procfs.parse("sys/vm/max_map_count", buffer, max_map_count) {
            Ok(most) => self.max_mappings = Some(counted(most)),
            Err(SourceError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                self.max_mappings = None;
            }
            // It holds as long as the system runs, unless somebody sets another.
            Err(_) => {}
        }
    }

    /// What the process in `dir` holds, where `held` is what was known before. `buffer` is scratch space. What can't be read
    /// just now counts in `reading`.
    pub(super) fn of(
        &mut self,
        (pid, held): (u32, &mut Held),
        seen: Seen,
        dir: &PidDir,
        buffer: &mut Vec<u8>,
        reading: &mut Reading,
    ) -> Resources {
        let Holdings { pass, budget, left, suspects, tally, descriptor_turns, mapping_turns, .. } = self;
        let (pass, tally) = (*pass, *tally);
        let looks = held.looks.get_or_insert_with(|| Looks::first(pass, pid));
        let is_affordable = left.descriptor_looks > 0 && left.descriptors > 0;
        let (mut has_new_descriptors, mut has_new_mappings) = (false, false);
        if looks.descriptors.due <= pass && descriptor_turns.is_turn_of(pid, is_affordable) {
            left.descriptor_looks -= 1;
            let is_suspect = suspects.contains(&pid);
            match looks.descriptors.at_descriptors(dir, tally, (is_suspect, &mut held.kinds), buffer) {
                Ok(spent) => {
                    left.descriptors = left.descriptors.saturating_sub(spent);
                    looks.descriptors.due =
                        pass.saturating_add(pause(DESCRIPTORS_EVERY, spent, budget.descriptors));
                    has_new_descriptors = true;
                }
                Err(reason) => reading.count_error(reason),
            }
        }
        let address_space = seen.address_space.and_then(NonZeroU64::new);
        let is_affordable = left.mapping_looks > 0 && left.mapping_bytes > 0;
        let looks_at_mappings = looks.mappings.due <= pass
            && !looks.mapped.is_as_before(address_space, pass)
            && mapping_turns.is_turn_of(pid, is_affordable);
        if looks_at_mappings {
            left.mapping_looks -= 1;
            match looks.mappings.at_mappings(dir, buffer) {
                Ok(spent) => {
                    left.mapping_bytes = left.mapping_bytes.saturating_sub(spent);
                    looks.mappings.due =
                        pass.saturating_add(pause(MAPPINGS_EVERY, spent, budget.mapping_bytes));
                    looks.mapped = Mapped { size: address_space, pass };
                    has_new_mappings = true;
                }
                Err(reason) => reading.count_error(reason),
            }
        }
        let descriptor_limit = seen.descriptor_limit.map(counted);
        Resources::default()
            .with_descriptors(held.kinds.clone())
            .with(Resource::Fds, looks.descriptors.as_count(descriptor_limit, has_new_descriptors))
            .with(Resource::Threads, Some(Count { used: counted(seen.threads), limit: None, is_new: true }))
            .with(Resource::Maps, looks.mappings.as_count(self.max_mappings, has_new_mappings))
    }

    /// Whose descriptors are to be told by kind from the next look on.
    pub(super) fn suspect(&mut self, pids: &HashSet<u32>) {
        self.suspects.clone_from(pids);
    }

    /// Ends a pass over all processes.
    pub(super) fn end_pass(&mut self) {
        self.pass += 1;
        self.descriptor_turns.end_pass();
        self.mapping_turns.end_pass();
    }
}

impl Looks {
    fn first(pass: u32, pid: u32) -> Looks {
        Looks {
            descriptors: Look::first(pass, pid, DESCRIPTORS_EVERY),
            mappings: Look::first(pass, pid, MAPPINGS_EVERY),
            mapped: Mapped::default(),
        }
    }
}

impl Look {
    /// How many descriptors were looked at. Those of a suspect are told by kind.
    ///
    /// # Errors
    /// As [`told`]; then all stays as it was, and it is still due.
    fn at_descriptors(
        &mut self,
        dir: &PidDir,
        tally: Tally,
        (is_suspect, kinds): (bool, &mut Option<Arc<Descriptors>>),
        buffer: &mut Vec<u8>,
    ) -> Result<usize, ReadErrorReason> {
        let seen = self.note(dir.descriptors(tally, buffer))?;
        let of_suspect = if is_suspect { told(dir.descriptor_kinds(buffer))? } else { None };
        self.count = seen.map(|seen| counted(seen.all));
        *kinds = of_suspect.map(Arc::new);
        let told = kinds.as_ref().map_or(0, |kinds| kinds.all() as usize);
        Ok(seen.map_or(0, |seen| seen.touched) + told)
    }

    /// How many bytes were read.
    ///
    /// # Errors
    /// As [`told`]; then all stays as it was, and it is still due.
    fn at_mappings(&mut self, dir: &PidDir, buffer: &mut Vec<u8>) -> Result<usize, ReadErrorReason> {
        let mappings = self.note(dir.mappings(buffer))?;
        self.count = mappings.map(|mappings| counted(mappings.count));
        Ok(mappings.map_or(0, |mappings| mappings.bytes))
    }

    /// What there was to see, taking note of whether we may not.
    fn note<T>(&mut self, seen: Result<T, Unread>) -> Result<Option<T>, ReadErrorReason> {
        let is_hidden = matches!(seen, Err(Unread::Failed(ReadErrorReason::Permission)));
        let told = told(seen)?;
        self.is_hidden = is_hidden;
        Ok(told)
    }
}

/// What there was to see; `None` for what is gone and for what we may not look at.
///
/// # Errors
/// Why it can't be read just now.
fn told<T>(seen: Result<T, Unread>) -> Result<Option<T>, ReadErrorReason> {
    match seen {
        Ok(seen) => Ok(Some(seen)),
        Err(Unread::Vanished | Unread::Failed(ReadErrorReason::Permission)) => Ok(None),
        Err(Unread::Failed(reason)) => Err(reason),
    }
}

/// What the kernel counts in an `int`; a text that says more means no less than the most.
fn counted(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Passes until the next look, where this one `spent` so much and a whole pass may spend no more than `budget`.
fn pause(every: u32, spent: usize, budget: usize) -> u32 {
    every.max(counted(PARTS * spent as u64 / budget.max(1) as u64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fixture::{FakeSystem, live_roots};
    use super::*;
    use crate::resources::DescriptorKind;

    /// Processes of a made-up system, each with descriptors and mappings.
    struct Watch {
        system: FakeSystem,
        holdings: Holdings,
        held: BTreeMap<u32, Held>,
        /// Bytes of each one's address space.
        size: Option<u64>,
        reading: Reading,
    }

    impl Watch {
        fn new(pids: std::ops::Range<u32>) -> Watch {
            let system = FakeSystem::new();
            system.write("proc/sys/vm/max_map_count", "65530\n");
            for pid in pids {
                system.process(pid).write();
                system.descriptors(pid, &["socket:[1]", "/dev/null", "pipe:[3]"]);
                system.mappings(pid, 20);
            }
            let holdings = Holdings::new(system.roots().procfs());
            Watch { system, holdings, held: BTreeMap::new(), size: None, reading: Reading::default() }
        }

        /// What the process 64 holds in one pass over no other.
        fn one_pass(&mut self) -> Resources {
            self.pass(64..65).remove(0)
        }

        /// What these processes hold in one pass.
        fn pass(&mut self, pids: std::ops::Range<u32>) -> Vec<Resources> {
            let (roots, buffer) = (self.system.roots(), &mut Vec::new());
            self.holdings.begin_pass(roots.procfs(), buffer);
            let of = |pid| {
                let dir = roots.procfs().pid_dir(pid).unwrap();
                let held = self.held.entry(pid).or_default();
                let seen = Seen { threads: 3, address_space: self.size, descriptor_limit: Some(1024) };
                self.holdings.of((pid, held), seen, &dir, buffer, &mut self.reading)
            };
            let seen = pids.map(of).collect();
            self.holdings.end_pass();
            seen
        }

        /// In which of so many passes one resource of process 64 was looked at.
        fn looked_at(&mut self, resource: Resource, passes: u64) -> Vec<u64> {
            let is_new =
                |watch: &mut Watch| watch.pass(64..65)[0].get(resource).is_some_and(|count| count.is_new);
            (0..passes).filter(|_| is_new(self)).collect()
        }
    }

    #[test]
    fn looks_come_at_their_own_pace_and_what_was_seen_stays_known() {
        assert_eq!(Watch::new(64..65).looked_at(Resource::Fds, 20), [0, 8, 16]);
        assert_eq!(Watch::new(64..65).looked_at(Resource::Maps, 70), [0, 32, 64]);
        assert_eq!(Watch::new(64..65).looked_at(Resource::Threads, 3), [0, 1, 2]);

        let mut watch = Watch::new(64..65);
        let (first, second) = (watch.one_pass(), watch.one_pass());
        assert_eq!(first.get(Resource::Fds), Some(Count { used: 3, limit: Some(1024), is_new: true }));
        assert_eq!(first.get(Resource::Maps), Some(Count { used: 20, limit: Some(65_530), is_new: true }));
        assert_eq!(second.get(Resource::Maps), Some(Count { used: 20, limit: Some(65_530), is_new: false }));
    }

    #[test]
    fn mappings_are_counted_less_often_while_the_address_space_stays_as_it_is() {
        let mut watch = Watch { size: Some(1 << 20), ..Watch::new(64..65) };
        assert_eq!(watch.looked_at(Resource::Maps, 520), [0, 256, 512]);
        watch.size = Some(2 << 20);
        assert_eq!(watch.looked_at(Resource::Maps, 40), [24], "what grows is looked at in its turn");
    }

    #[test]
    fn what_the_budget_leaves_undone_is_done_next_and_everyone_has_a_turn() {
        let mut watch = Watch::new(0..80);
        watch.holdings.budget = Budget { descriptors: 12, mapping_bytes: 1000, ..BUDGET };
        let mut seen = [[0; 2]; 80];
        for _ in 0..64 {
            let held = watch.pass(0..80);
            let looked_at = |resource| {
                held.iter().filter(|held| held.get(resource).is_some_and(|count| count.is_new)).count()
            };
            assert!(looked_at(Resource::Fds) <= 4 && looked_at(Resource::Maps) <= 2);
            for (seen, held) in seen.iter_mut().zip(held) {
                *seen =
                    [Resource::Fds, Resource::Maps].map(|resource| usize::from(held.get(resource).is_some()));
            }
        }
        assert_eq!(seen, [[1; 2]; 80]);
    }

    #[test]
    fn who_holds_very_much_takes_the_whole_pass_and_comes_less_often() {
        let mut watch = Watch::new(64..66);
        watch.system.mappings(64, 200);
        watch.holdings.budget = Budget { mapping_bytes: 1000, ..BUDGET };
        watch.pass(64..66);
        let looks = |watch: &mut Watch| {
            let held = watch.pass(64..66);
            [0, 1].map(|index| held[index].get(Resource::Maps).is_some_and(|count| count.is_new))
        };
        watch.held.values_mut().for_each(|held| held.looks.as_mut().unwrap().mappings.due = 0);
        assert_eq!([looks(&mut watch), looks(&mut watch)], [[true, false], [false, true]]);
        // 9800 bytes are eight times 9.8 passes.
        let seen: Vec<bool> = (0..78).map(|_| looks(&mut watch)[0]).collect();
        assert_eq!(seen.iter().position(|seen| *seen), Some(76));
    }

    #[test]
    fn who_holds_more_than_is_counted_holds_at_least_that() {
        let mut watch = Watch::new(64..65);
        watch.system.write("proc/64/maps", vec![b'\n'; 65 << 20]);
        let maps = watch.pass(64..65)[0].get(Resource::Maps).unwrap();
        assert!(maps.is_new && maps.used >= 64 << 20);
    }

    #[test]
    fn what_may_not_be_read_is_absent() {
        let mut watch = Watch::new(64..65);
        watch.pass(64..65);
        watch.system.remove("proc/64/fd");
        watch.system.remove("proc/64/maps");
        watch.system.remove("proc/sys/vm/max_map_count");
        let held = (0..32).map(|_| watch.one_pass()).last().unwrap();
        assert_eq!((held.get(Resource::Fds), held.get(Resource::Maps)), (None, None));
        assert!(held.get(Resource::Threads).is_some());
    }

    #[test]
    fn what_cannot_be_read_just_now_stays_as_it_was_counts_and_is_read_soon() {
        let mut watch = Watch { size: Some(1 << 20), ..Watch::new(64..65) };
        watch.holdings.suspect(&HashSet::from([64]));
        let first = watch.one_pass();
        ["fd", "maps"].into_iter().for_each(|name| watch.system.tangle(&format!("proc/64/{name}")));
        watch.system.tangle("proc/sys/vm/max_map_count");
        let old = |resource| first.get(resource).map(|count| Count { is_new: false, ..count });
        for _ in 0..260 {
            let held = watch.one_pass();
            assert_eq!(
                [Resource::Fds, Resource::Maps].map(|resource| held.get(resource)),
                [Resource::Fds, Resource::Maps].map(old)
            );
            assert_eq!(held.descriptors, first.descriptors);
        }
        // From the 8th pass on, and from the 256th.
        assert_eq!(watch.reading.errors, [(ReadErrorReason::Io, 253 + 5)].into());
        ["fd", "maps"].into_iter().for_each(|name| watch.system.remove(&format!("proc/64/{name}")));
        watch.system.descriptors(64, &["socket:[1]"]);
        watch.system.mappings(64, 5);
        let held = watch.one_pass();
        let found = [Resource::Fds, Resource::Maps]
            .map(|resource| held.get(resource).map(|count| (count.used, count.is_new)));
        assert_eq!(found, [Some((1, true)), Some((5, true))]);
        assert_eq!(held.descriptors.map(|kinds| kinds.all()), Some(1));
    }

    #[test]
    fn descriptors_of_suspects_alone_are_told_by_kind() {
        let mut watch = Watch::new(64..66);
        watch.holdings.suspect(&HashSet::from([64]));
        let held: Vec<_> = (0..2).map(|_| watch.pass(64..66)).last().unwrap();
        let kinds = held[0].descriptors.as_deref().unwrap();
        assert_eq!((kinds.all(), kinds.get(DescriptorKind::Pipe)), (3, 1));
        assert_eq!(
            (held[1].get(Resource::Fds).map(|count| count.used), held[1].descriptors.as_ref()),
            (Some(3), None)
        );
    }

    #[test]
    fn our_own_are_counted_live_whichever_way() {
        let roots = live_roots();
        let dir = roots.procfs().pid_dir(std::process::id()).unwrap();
        let buffer = &mut Vec::new();
        let files: Vec<_> = (0..100).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        for tally in [Tally::BySize, Tally::ByEntry] {
            let all = dir.descriptors(tally, buffer).unwrap().all;
            assert!((100..2000).contains(&all), "{tally:?} {all}");
        }
        assert!(dir.descriptor_kinds(buffer).unwrap().get(DescriptorKind::File) >= 100);
        assert!(dir.mappings(buffer).unwrap().count > 10);
        drop(files);
    }
}
