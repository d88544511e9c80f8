//! Who is there, from one list of pids to the next.

/// Room for one more is made for each so many that there are.
const SPARE: usize = 8;

/// What is known of each process, by rising pid: the order in which they are listed and looked at, so that one step leads
/// from each to the next and nothing is searched for.
#[derive(Debug)]
pub(super) struct Roll<L> {
    known: Vec<(u32, Option<L>)>,
    /// Who was not known before this pass.
    new: Vec<(u32, Option<L>)>,
    /// The first of those known that this pass has not come to.
    next: usize,
}

impl<L> Default for Roll<L> {
    fn default() -> Roll<L> {
        Roll { known: Vec::new(), new: Vec::new(), next: 0 }
    }
}

impl<L> Roll<L> {
    /// The place of a process, empty if nothing is known of it; whoever leaves it empty is forgotten. Pids are to be given in
    /// rising order, each once a pass.
    pub(super) fn place(&mut self, pid: u32) -> &mut Option<L> {
        while let Some((_, gone)) = self.known.get_mut(self.next).filter(|(known, _)| *known < pid) {
            *gone = None;
            self.next += 1;
        }
        match self.known.get_mut(self.next) {
            Some((known, _)) if *known == pid => {
                self.next += 1;
                &mut self.known[self.next - 1].1
            }
            _ => &mut self.new.push_mut((pid, None)).1,
        }
    }

    /// Ends a pass over all processes: who was not given in it is forgotten.
    pub(super) fn end_pass(&mut self) {
        self.known.truncate(self.next);
        self.known.retain(|(_, life)| life.is_some());
        if !self.new.is_empty() {
            // Not twice as much as there is need of.
            let wanted = self.known.len() + self.new.len();
            if wanted > self.known.capacity() {
                self.known.reserve_exact(wanted + wanted / SPARE - self.known.len());
            }
            // At our start all are new, and hardly anybody is later.
            let new = std::mem::take(&mut self.new);
            self.known.extend(new.into_iter().filter(|(_, life)| life.is_some()));
            // Two sorted runs, which is what this sort is quick with.
            self.known.sort_by_key(|(pid, _)| *pid);
        }
        self.next = 0;
    }

    /// Everyone of whom something is known.
    pub(super) fn iter(&self) -> impl Iterator<Item = &L> {
        self.known.iter().filter_map(|(_, life)| life.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Notes in each place how often it was come to, and says what was noted there before.
    fn pass(roll: &mut Roll<u32>, pids: &[u32]) -> Vec<u32> {
        let seen = pids.iter().map(|pid| {
            let place = roll.place(*pid);
            let before = place.unwrap_or(0);
            *place = Some(before + 1);
            before
        });
        let seen = seen.collect();
        roll.end_pass();
        seen
    }

    #[test]
    fn who_stays_is_known_and_who_comes_or_comes_back_is_not() {
        let mut roll = Roll::default();
        assert_eq!(pass(&mut roll, &[2, 4, 6]), [0, 0, 0]);
        assert_eq!(pass(&mut roll, &[1, 2, 5, 6, 7]), [0, 1, 0, 1, 0]);
        assert_eq!(pass(&mut roll, &[1, 2, 4, 6]), [1, 2, 0, 2]);
        assert_eq!(pass(&mut roll, &[]), [0; 0]);
        assert_eq!(roll.iter().count(), 0);
        assert_eq!(pass(&mut roll, &[6]), [0]);
    }

    #[test]
    fn an_empty_place_is_forgotten() {
        let mut roll = Roll::default();
        pass(&mut roll, &[1, 2, 3]);
        *roll.place(2) = None;
        roll.place(3);
        roll.place(4);
        roll.end_pass();
        assert_eq!(roll.iter().copied().collect::<Vec<_>>(), [1]);
    }

    proptest! {
        #[test]
        fn each_is_known_as_long_as_it_was_there(passes in prop::collection::vec(prop::collection::btree_set(0..20_u32, 0..12), 1..8)) {
            let mut roll = Roll::default();
            let mut expected = std::collections::BTreeMap::new();
            for pids in passes {
                let pids: Vec<u32> = pids.into_iter().collect();
                expected.retain(|pid, _| pids.contains(pid));
                let before: Vec<u32> = pids.iter().map(|pid| expected.get(pid).copied().unwrap_or(0)).collect();
                prop_assert_eq!(pass(&mut roll, &pids), before);
                pids.iter().for_each(|pid| *expected.entry(*pid).or_insert(0) += 1);
                prop_assert_eq!(roll.iter().copied().collect::<Vec<_>>(), expected.values().copied().collect::<Vec<_>>());
            }
        }
    }
}
