//! One leak, one finding: what a cgroup or the host is suspected of, those are suspected of whose growth it is.
//!
//! Both show the same leak, and hardly ever pass the threshold at the same time. By itself a wider suspicion would raise an
//! alert that names no program, and the narrower one another, hours later.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::detector::Assessment;
use crate::entity::{EntityId, Scope};
use crate::maps::FastMap;
use crate::rollup::EXPLAINED;

use super::judged::Judged;

/// Growth of members in growth of what they are in, that of one and the same leak. Something that has just started grows
/// faster than a wider slow leak, and is not the reason of it.
const SAME_GROWTH: RangeInclusive<f64> = EXPLAINED..=1.0 / EXPLAINED;

/// Share of the time for which the wider growth is seen, for which a member's must be. Windows double in length, so that of the
/// same growth a member may just have missed the longer one.
const AS_LONG: f64 = 0.5;

/// Lets each group that accounts for the growth of a suspect cgroup, or of the suspect host, be as suspect. Who raises no alert
/// for want of a group takes nothing over: that is left to its cgroup.
pub(super) fn hand_down(seen: &mut [Judged<'_>]) {
    let suspects: Vec<Suspect> = seen.iter().filter_map(Suspect::of).collect();
    for suspect in suspects {
        for heir in suspect.heirs(seen) {
            if let Some(verdict) = &mut seen[heir].verdict {
                verdict.assessment = Arc::new(verdict.assessment.with_wider(suspect.score));
            }
        }
    }
}

/// A cgroup or the host that is suspect and grows.
#[derive(Debug)]
struct Suspect {
    /// Path of the cgroup; `None` is the host.
    path: Option<Arc<str>>,
    score: f64,
    /// Bytes a second.
    growth: f64,
    /// For how long it is seen to, seconds.
    since: f64,
}

/// A process that may be what something wider grows by.
struct Member {
    /// Where it is among all that were seen.
    at: usize,
    /// Bytes a second.
    growth: f64,
}

impl Suspect {
    fn of(one: &Judged<'_>) -> Option<Suspect> {
        let path = match &one.sample.entity {
            EntityId::Cgroup(id) => Some(Arc::clone(&id.path)),
            EntityId::Host => None,
            _ => return None,
        };
        let found = one.assessment().filter(|found| found.is_suspect())?;
        let (growth, since) = growth_and_since(found)?;
        Some(Suspect { path, score: found.score?, growth, since })
    }

    /// Positions of the processes that account for the growth, if they are of one group: the fastest, as many as that takes.
    fn heirs(&self, seen: &[Judged<'_>]) -> Vec<usize> {
        let mut groups: FastMap<&Arc<str>, Vec<Member>> = FastMap::default();
        for (at, one) in seen.iter().enumerate().filter(|(_, one)| self.holds(one)) {
            if let Some((group, growth)) = one.sample.identity.group.as_ref().zip(self.growth_of(one)) {
                groups.entry(group).or_default().push(Member { at, growth });
            }
        }
        let fastest = groups.into_values().max_by(|one, other| sum(one).total_cmp(&sum(other)));
        let mut members =
            fastest.filter(|all| SAME_GROWTH.contains(&(sum(all) / self.growth))).unwrap_or_default();
        members.sort_by(|one, other| other.growth.total_cmp(&one.growth));
        let mut so_far = 0.0;
        let needed = members.into_iter().take_while(|member| {
            let is_needed = so_far < EXPLAINED * self.growth;
            so_far += member.growth;
            is_needed
        });
        needed.map(|member| member.at).collect()
    }

    fn holds(&self, one: &Judged<'_>) -> bool {
        one.sample.entity.scope() == Scope::Process
            && self.path.as_ref().is_none_or(|path| one.within.is_some_and(|within| within == path))
    }

    /// How fast a member grows, if it has for long enough.
    fn growth_of(&self, one: &Judged<'_>) -> Option<f64> {
        let (growth, since) = growth_and_since(one.assessment()?)?;
        (since >= AS_LONG * self.since).then_some(growth)
    }
}

fn sum(members: &[Member]) -> f64 {
    members.iter().map(|member| member.growth).sum()
}

/// Bytes a second of what grows, and for how many seconds that is seen.
fn growth_and_since(found: &Assessment) -> Option<(f64, f64)> {
    let growth = found.growth_bytes_per_second.filter(|growth| *growth > 0.0)?;
    let since_onset = found.evidence.as_ref().and_then(|evidence| evidence.since_onset_seconds);
    Some((growth, found.window_seconds?.max(since_onset.unwrap_or(0.0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Standing;
    use crate::entity::Identity;
    use crate::history::Sealed;
    use crate::sample::Sample;
    use crate::watch::Verdict;

    const HOUR: f64 = 3600.0;

    /// Something that grows by so many bytes an hour and was seen to for so many hours, with this score.
    struct Growing(f64, f64, f64);

    fn sample(entity: EntityId, group: Option<&str>) -> Sample {
        Sample {
            entity,
            identity: Arc::new(Identity { group: group.map(Arc::from), ..Identity::default() }),
            figures: Arc::default(),
            cpu_seconds: None,
            is_told_again: false,
        }
    }

    fn cgroup() -> Sample {
        sample(EntityId::cgroup("/a".into(), 1), None)
    }

    fn process(pid: u32, group: &str) -> Sample {
        sample(EntityId::Process { pid, start_time: 0 }, Some(group))
    }

    /// Standing and score of each process after `wider`, suspect above 60, has handed down what it is suspected of.
    fn handed_down(
        wider: (Sample, Growing),
        within: &str,
        processes: &[(Sample, Growing)],
    ) -> Vec<(Standing, Option<f64>)> {
        let within = Arc::from(within);
        let judge = |sample, &Growing(growth, hours, score): &Growing, within| {
            let assessment = Assessment {
                score: Some(score),
                threshold: 60.0,
                growth_bytes_per_second: Some(growth / HOUR),
                window_seconds: Some(hours * HOUR),
                ..Assessment::default()
            };
            let verdict = Verdict { assessment: Arc::new(assessment), history: Sealed::default() };
            Judged { sample, within, limit: None, verdict: Some(verdict) }
        };
        let mut seen = vec![judge(&wider.0, &wider.1, None)];
        seen.extend(processes.iter().map(|(sample, growing)| judge(sample, growing, Some(&within))));
        hand_down(&mut seen);
        let found = seen[1..].iter().map(|one| one.assessment().unwrap());
        found.map(|found| (found.standing, found.score)).collect()
    }

    const SUSPECT: Growing = Growing(100.0, 16.0, 70.0);
    const TAKEN_OVER: (Standing, Option<f64>) = (Standing::Wider, Some(70.0));

    #[test]
    fn the_process_that_a_cgroup_or_the_host_grows_by_is_as_suspect() {
        for wider in [cgroup(), sample(EntityId::Host, None)] {
            let processes = [
                (process(1, "web"), Growing(95.0, 8.0, 50.0)),
                (process(2, "idle"), Growing(5.0, 16.0, 10.0)),
            ];
            assert_eq!(
                handed_down((wider, SUSPECT), "/a", &processes),
                [TAKEN_OVER, (Standing::Present, Some(10.0))]
            );
        }
    }

    #[test]
    fn workers_that_leak_together_take_it_over_together_as_many_as_are_needed() {
        let worker = |pid, growth| (process(pid, "web"), Growing(growth, 16.0, 50.0));
        let workers = [worker(1, 30.0), worker(2, 1.0), worker(3, 30.0), worker(4, 30.0)];
        let expected = [TAKEN_OVER, (Standing::Present, Some(50.0)), TAKEN_OVER, TAKEN_OVER];
        assert_eq!(handed_down((cgroup(), SUSPECT), "/a", &workers), expected);
    }

    #[test]
    fn whose_growth_it_is_not_takes_nothing_over() {
        let of = |wider, within, process, growing: Growing| {
            let score = growing.2;
            let [after] = handed_down((cgroup(), wider), within, &[(process, growing)])[..] else { panic!() };
            assert_eq!(after, (Standing::Present, Some(score)));
        };
        of(Growing(100.0, 16.0, 60.0), "/a", process(1, "web"), Growing(95.0, 16.0, 50.0));
        of(SUSPECT, "/b", process(1, "web"), Growing(95.0, 16.0, 50.0));
        of(SUSPECT, "/a", process(1, "web"), Growing(60.0, 16.0, 50.0));
        // It has just started.
        of(SUSPECT, "/a", process(1, "web"), Growing(1000.0, 16.0, 50.0));
        of(SUSPECT, "/a", process(1, "web"), Growing(95.0, 4.0, 50.0));
        // It has no alert.
        of(
            SUSPECT,
            "/a",
            sample(EntityId::Process { pid: 1, start_time: 0 }, None),
            Growing(95.0, 16.0, 50.0),
        );
        // It speaks for itself.
        of(SUSPECT, "/a", process(1, "web"), Growing(95.0, 16.0, 65.0));
    }
}
