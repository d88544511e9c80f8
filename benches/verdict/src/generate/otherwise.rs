//! A series as somebody else would have recorded it: what is fitted to series must not learn how they were sampled, that
//! there is always a limit or how close it is, how large programs are, how much of them never moves, or how finely memory
//! is counted.

use crate::trace::{Label, Point, Trace};

use super::dice::{Dice, Purpose};

/// The longest that samples are apart, seconds: counts of mappings are looked at so seldom.
const APART: f64 = 2880.0;

/// How much smaller and larger the program may be, as logarithms.
const SIZE: (f64, f64) = (-3.0, 3.0);

/// How much further away the limit may be: those of descriptors and mappings are hundreds of times what is in use.
const FURTHER: (f64, f64) = (1.0, 300.0);

/// What is counted one by one weighs so many bytes.
const GRAIN: u64 = 64 << 10;

/// The same program, recorded in a way that depends on nothing but which series it is.
pub fn otherwise(trace: &Trace) -> Trace {
    let dice = &mut dice(trace, 4);
    let every = (dice.log_uniform(1.0, (APART / trace.interval).max(2.0)) as usize).max(1);
    let size = libm::exp(dice.uniform(SIZE.0, SIZE.1));
    let is_limited = dice.chance(0.5);
    let grain = if dice.chance(0.5) { GRAIN } else { 1 };
    let further = dice.factor(FURTHER);
    // What is counted may begin with next to none: what a program is made of does not count.
    let without = if dice.chance(0.3) { dice.uniform(0.5, 1.0) } else { 0.0 };
    let lowest = trace.points.iter().map(|point| point.bytes).min().unwrap_or(0);
    let resized = |bytes: u64| (size * (bytes as f64 - without * lowest as f64)) as u64;
    let mut points = Vec::with_capacity(trace.points.len() / every + 1);
    for life in trace.points.chunk_by(|a, b| a.life == b.life) {
        points.extend(life.iter().step_by(every).cloned());
    }
    for point in &mut points {
        point.bytes = resized(point.bytes) / grain * grain;
    }
    Trace {
        interval: every as f64 * trace.interval,
        limit: trace.limit.map(|limit| (further * resized(limit) as f64) as u64).filter(|_| is_limited),
        points,
        ..trace.clone()
    }
}

/// The least that samples of a series are apart that is hurried, seconds: what is watched most closely is looked at so often.
const CLOSEST: f64 = 1.0;

/// The same in fast motion: what leaks within minutes leaks as others do in hours.
pub fn hurried(trace: &Trace) -> Trace {
    let faster = dice(trace, 6).log_uniform(1.0, (trace.interval / CLOSEST).max(1.0));
    let label = match trace.label {
        Label::Leak { onset, fixed } => {
            Label::Leak { onset: onset / faster, fixed: fixed.map(|fixed| fixed / faster) }
        }
        Label::Benign => Label::Benign,
    };
    let hurry = |point: &Point| Point {
        time: point.time / faster,
        cpu_seconds: point.cpu_seconds.map(|seconds| seconds / faster),
        ..*point
    };
    Trace {
        label,
        interval: trace.interval / faster,
        up_for: trace.up_for / faster,
        points: trace.points.iter().map(hurry).collect(),
        ..trace.clone()
    }
}

/// What depends on nothing but which series it is: no two have the same peak, unless they are the same.
fn dice(trace: &Trace, kind: u8) -> Dice {
    let (class, number) = (trace.class, trace.number);
    Dice::new(&Purpose { seed: trace.peak().unwrap_or(0), kind, class, number, attempt: 0 })
}

/// How much of a limit that is near may be left at the peak of what keeps below it.
const LEFT: (f64, f64) = (0.01, 1.0);

/// How far a leak may come before it hits a limit that is near, as a share of all that it grows.
const WAY: (f64, f64) = (0.2, 1.0);

/// The same program under a limit that is near, wherever its memory goes: a limit that is drawn with the series knows what
/// the series does. Half of the leaks end there.
pub fn near(trace: &Trace) -> Trace {
    let peak = trace.peak().unwrap_or(0);
    let dice = &mut dice(trace, 5);
    let kept = ((1.0 + dice.log_uniform(LEFT.0, LEFT.1)) * peak as f64) as u64;
    let (way, is_hit) = (dice.uniform(WAY.0, WAY.1), dice.chance(0.5));
    let hit = trace.label.onset().filter(|_| is_hit).and_then(|onset| {
        let (before, after): (Vec<&Point>, Vec<&Point>) =
            trace.points.iter().partition(|point| point.time < onset);
        let highest = |points: &[&Point]| points.iter().map(|point| point.bytes).max();
        let from = after.first()?.bytes;
        let limit = from + (way * (highest(&after)?.saturating_sub(from)) as f64) as u64;
        let limit = limit.max(highest(&before).unwrap_or(0) + 1);
        let end = trace.points.iter().position(|point| point.time >= onset && point.bytes >= limit)?;
        Some((limit, end))
    });
    let (limit, end) = hit.unwrap_or((kept, trace.points.len()));
    Trace { limit: Some(limit), points: trace.points[..end].to_vec(), ..trace.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, series};

    #[test]
    fn what_is_true_of_it_stays_true() {
        let line = |number: u32| {
            let trace = series(leak(3600.0), 60.0, 1440, |time| 1e8 + 100.0 * time + f64::from(number));
            Trace { number, limit: Some(200_000_000), ..trace }
        };
        let others: Vec<Trace> = (0..40).map(|number| otherwise(&line(number))).collect();
        for (other, number) in others.iter().zip(0..) {
            assert_eq!(*other, otherwise(&line(number)), "the same series is recorded in the same way");
            assert_eq!(other.label, leak(3600.0));
            let apart = other.points.windows(2).map(|pair| pair[1].time - pair[0].time);
            assert!(apart.fold(0.0, f64::max) <= other.interval && other.interval <= APART);
            assert!(
                other
                    .points
                    .iter()
                    .map(|point| Some(point.bytes))
                    .all(|bytes| other.limit.is_none() || bytes < other.limit)
            );
        }
        let limited = others.iter().filter(|other| other.limit.is_some()).count();
        assert!((10..=30).contains(&limited), "{limited}");
        assert!(
            others.iter().any(|other| other.interval == 60.0)
                && others.iter().any(|other| other.interval > 1200.0)
        );
    }

    #[test]
    fn what_is_hurried_does_the_same_in_less_time() {
        let slow = series(leak(3600.0), 60.0, 1440, |time| 1e8 + 100.0 * time);
        let fast = hurried(&slow);
        let faster = slow.interval / fast.interval;
        assert!((1.0..=60.0).contains(&faster) && fast.interval >= CLOSEST, "{faster}");
        assert_eq!(fast.label.onset(), Some(3600.0 / faster));
        assert_eq!(fast.points[700].time, slow.points[700].time / faster);
        assert!(fast.points.iter().map(|point| point.bytes).eq(slow.points.iter().map(|point| point.bytes)));
        let closest = series(Label::Benign, CLOSEST, 10, |_| 1e8);
        assert!((hurried(&closest).interval - CLOSEST).abs() < 1e-9, "nothing is looked at more often");
    }

    #[test]
    fn under_a_limit_that_is_near_nothing_else_changes_and_half_of_the_leaks_end_there() {
        let line = |label, number: u32| {
            let trace = series(label, 60.0, 1440, |time| 1e8 + 100.0 * time + f64::from(number));
            Trace { number, ..trace }
        };
        let of = |label| -> Vec<Trace> { (0..40).map(|number| near(&line(label, number))).collect() };
        for (other, number) in of(Label::Benign).iter().zip(0..) {
            let trace = line(Label::Benign, number);
            let (limit, peak) = (other.limit.unwrap(), trace.peak().unwrap());
            assert!(peak < limit && limit <= 2 * peak);
            assert_eq!(*other, Trace { limit: other.limit, ..trace });
        }
        let leaks = of(leak(3600.0));
        assert!(leaks.iter().all(|leak| leak.peak() < leak.limit && leak.points.len() > 60));
        let ended = leaks.iter().filter(|leak| leak.points.len() < 1440).count();
        assert!((10..=30).contains(&ended), "{ended}");
    }
}
