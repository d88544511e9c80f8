use std::collections::BTreeSet;

use super::{SUDDEN, classes, trace};
use crate::generate::{
    self, Regime,
    dice::{Dice, Purpose},
    shape::Shape,
    span::Span,
};
use crate::trace::{Label, Point, Trace};

const REGIMES: [Regime; 2] = [Regime::Days, Regime::Fast];
const SEED: u64 = 7;
const PER_CLASS: u32 = 4;

fn some(regime: Regime) -> impl Iterator<Item = Trace> {
    classes().flat_map(move |class| (0..PER_CLASS).map(move |number| trace(regime, class, SEED, number)))
}

/// The lowest after which a share of all is lower.
fn quantile(points: &[Point], share: f64) -> f64 {
    let mut bytes: Vec<u64> = points.iter().map(|point| point.bytes).collect();
    bytes.sort_unstable();
    bytes[(share * (bytes.len() - 1) as f64) as usize] as f64
}

#[test]
fn every_further_class_has_a_name_of_its_own() {
    let measured = generate::classes();
    let names: BTreeSet<_> = measured.iter().chain(classes()).map(|class| class.name).collect();
    assert_eq!(names.len(), measured.len() + classes().count());
    assert!(classes().all(|class| !class.description.is_empty()));
}

#[test]
fn what_leaks_suddenly_is_found_by_its_name() {
    assert!(SUDDEN.iter().all(|name| classes().any(|class| class.name == *name && class.is_leak)));
}

#[test]
fn the_same_seed_gives_the_same_series() {
    for (regime, class) in REGIMES.into_iter().flat_map(|regime| classes().map(move |class| (regime, class)))
    {
        let [one, again, other] = [1, 1, 2].map(|seed| trace(regime, class, seed, 0));
        assert_eq!(one, again);
        assert_ne!(one, other);
    }
}

#[test]
fn sizes_are_sane_and_labels_lie_inside() {
    for trace in REGIMES.into_iter().flat_map(some) {
        let name = (trace.class, trace.number);
        let class = classes().find(|class| class.name == trace.class).unwrap();
        let (first, last) = (trace.points.first().unwrap(), trace.points.last().unwrap());
        assert!(trace.points.len() >= 50 && first.time >= 0.0 && trace.up_for >= 0.0, "{name:?}");
        assert!(trace.points.windows(2).all(|pair| pair[0].time < pair[1].time), "{name:?}");
        let peak = trace.peak().unwrap();
        assert!((10_000_000..100_000_000_000).contains(&peak), "{name:?}: {peak}");
        assert!(trace.points.iter().all(|point| point.bytes > peak / 1000), "{name:?}");
        assert!(trace.limit.is_some_and(|limit| peak <= limit), "{name:?}");
        assert_eq!(class.is_leak, trace.label != Label::Benign, "{name:?}");
        assert!(trace.label.onset().is_none_or(|onset| (0.0..last.time).contains(&onset)), "{name:?}");
    }
}

/// A shape of each class and regime.
fn shapes() -> impl Iterator<Item = (&'static str, Shape)> {
    REGIMES.into_iter().flat_map(|regime| {
        classes().map(move |class| {
            let purpose = Purpose { seed: SEED, kind: 5, class: class.name, number: 0, attempt: 0 };
            let dice = &mut Dice::new(&purpose);
            let span = Span::draw(dice, regime);
            (class.name, class.shape(dice, &span))
        })
    })
}

#[test]
fn a_leak_begins_where_it_is_said_to() {
    for (name, leak) in shapes().filter_map(|(name, shape)| Some((name, shape.leak?))) {
        assert!(leak.leaked[..leak.onset].iter().all(|leaked| *leaked == 0.0), "{name}");
        // A straight line is 0 at its onset.
        assert!(leak.leaked[leak.onset..][..2].iter().any(|leaked| *leaked > 0.0), "{name}");
    }
}

#[test]
fn what_does_not_leak_has_no_leak_in_it() {
    assert!(shapes().all(|(name, shape)| {
        shape.leak.is_some() == classes().any(|class| class.name == name && class.is_leak)
    }));
}

/// A load that falls hides up to so much of a small leak.
const HIDDEN: f64 = 0.93;

#[test]
fn leaks_end_above_the_level_at_their_onset() {
    let floor = |points: &[Point]| quantile(points, 0.1);
    let grown: Vec<(&str, u32, f64)> = REGIMES
        .into_iter()
        .flat_map(some)
        .filter_map(|trace| {
            let leaking: Vec<Point> =
                trace.points.iter().filter(|point| trace.label.leaks_at(point.time)).copied().collect();
            let life = leaking.chunk_by(|a, b| a.life == b.life).max_by_key(|life| life.len())?;
            let part = life.len() / 5;
            Some((trace.class, trace.number, floor(&life[4 * part..]) / floor(&life[..part])))
        })
        .collect();
    let hidden: Vec<_> = grown.iter().filter(|(.., grown)| *grown <= 1.0).collect();
    assert!(
        20 * hidden.len() <= grown.len() && hidden.iter().all(|(.., grown)| *grown > HIDDEN),
        "{hidden:?}"
    );
}

/// What noise, and a day busier than all before, may add to a peak; few have such a day at the end.
const BUSIER: (f64, f64) = (1.1, 1.35);

#[test]
fn what_does_not_leak_ends_no_higher_than_it_was_before() {
    let risen: Vec<(&str, u32, f64)> = REGIMES
        .into_iter()
        .flat_map(some)
        .filter(|trace| trace.label == Label::Benign)
        .map(|trace| {
            let (before, last) = trace.points.split_at(trace.points.len() / 5 * 4);
            (trace.class, trace.number, quantile(last, 0.95) / quantile(before, 0.995))
        })
        .collect();
    let busier: Vec<_> = risen.iter().filter(|(.., risen)| *risen > BUSIER.0).collect();
    assert!(
        20 * busier.len() <= risen.len() && busier.iter().all(|(.., risen)| *risen < BUSIER.1),
        "{busier:?}"
    );
}
