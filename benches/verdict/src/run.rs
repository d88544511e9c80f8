//! Does the same with every trace, each of which is made, and dropped, by the thread that gets to it.

use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::measure::Outcome;
use crate::method::Method;
use crate::trace::{Make, Trace};

const THREADS: usize = 2;

/// What `look` finds in each of `traces`, in their order, however the threads took turns.
pub fn each<T: Send>(traces: impl Iterator<Item: Make> + Send, look: impl Fn(&Trace) -> T + Sync) -> Vec<T> {
    let traces = Mutex::new(traces.enumerate());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = traces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, make)) = next else { return done };
            done.push((index, look(&make())));
        }
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().flat_map(join).collect()
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, found)| found).collect()
}

/// The outcomes of each method, in the order of `methods` and then of `traces`.
pub fn run(traces: impl Iterator<Item: Make> + Send, methods: &[&dyn Method]) -> Vec<Vec<Outcome>> {
    let done = each(traces, |trace| judge(trace, methods));
    let mut outcomes: Vec<Vec<Outcome>> = methods.iter().map(|_| Vec::with_capacity(done.len())).collect();
    for judged in done {
        for (method, outcome) in outcomes.iter_mut().zip(judged) {
            method.push(outcome);
        }
    }
    outcomes
}

fn judge(trace: &Trace, methods: &[&dyn Method]) -> Vec<Outcome> {
    methods.iter().map(|method| Outcome::new(trace, &method.statistic(trace))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Reading;
    use crate::testing::series;
    use crate::trace::Label;

    struct Last;

    impl Method for Last {
        fn name(&self) -> &str {
            "last"
        }

        fn statistic(&self, trace: &Trace) -> Vec<Reading> {
            trace
                .points
                .last()
                .and_then(|point| Reading::new(point.time, point.bytes as f64))
                .into_iter()
                .collect()
        }
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_traces() {
        let make = |number| move || Trace { number, ..series(Label::Benign, 10.0, 3, |_| f64::from(number)) };
        let traces = (0..40).map(make);
        let outcomes = run(traces, &[&Last, &Last]);
        assert_eq!(outcomes.len(), 2);
        for method in outcomes {
            let found: Vec<_> =
                method.iter().map(|outcome| (outcome.number, outcome.peak().unwrap().value)).collect();
            assert_eq!(found, (0..40).map(|number| (number, f64::from(number))).collect::<Vec<_>>());
        }
    }
}
