//! Who watches a host finds most processes running: what they did before is not seen, and how old they are is.

use crate::generate::{dice::Dice, population::since, shape::Shape, span::Span};
use crate::trace::{Label, Trace};

/// How many processes begin with their series.
const NEW: f64 = 0.55;
/// How many of the others are put to use only when they are first seen: standbys, and pools that nobody asked.
const WAITING: f64 = 0.4;
/// How long the others have been up, seconds.
const UP_FOR: (f64, f64) = (0.5 * 3600.0, 30.0 * 86_400.0);
/// How much of what they did before is drawn, as a share of the series.
const BEFORE: f64 = 0.4;
/// Of a leak, so many samples have to be seen.
const LEFT: usize = 60;

/// How old a process is when it is first seen.
pub(super) struct Age {
    /// Seconds since its start.
    up_for: f64,
    /// Samples that are drawn but not seen.
    pub(super) unseen: usize,
    interval: f64,
}

impl Age {
    pub(super) fn draw(dice: &mut Dice, span: &Span) -> Self {
        let interval = span.interval;
        if dice.chance(NEW) {
            return Self { up_for: 0.0, unseen: 0, interval };
        }
        let up_for = dice.log_uniform(UP_FOR.0, UP_FOR.1);
        let most = (up_for / interval).min(BEFORE * span.samples as f64);
        let unseen = if dice.chance(WAITING) { 0 } else { dice.uniform(0.0, most) as usize };
        Self { up_for, unseen, interval }
    }

    /// What is long up has its start behind it.
    pub(super) fn begin(&self, shape: Shape) -> Shape {
        if self.up_for > 0.0 && shape.lives.is_empty() { shape.own_start() } else { shape }
    }

    /// What is seen of `trace`, whose lives began at the given samples; none if it is too little, or none of the leak.
    pub(super) fn seen(&self, trace: Trace, lives: &[usize]) -> Option<Trace> {
        let start = self.unseen as f64 * self.interval;
        let points = since(&trace.points, start);
        let restart = lives.iter().rev().find(|&&life| life <= self.unseen);
        let up_for = restart.map_or(self.up_for, |&life| (self.unseen - life) as f64 * self.interval);
        let label = match trace.label {
            Label::Leak { onset, fixed } => {
                Label::Leak { onset: (onset - start).max(0.0), fixed: fixed.map(|fixed| fixed - start) }
            }
            Label::Benign => Label::Benign,
        };
        let leaks = label == Label::Benign || points.iter().any(|point| label.leaks_at(point.time));
        (leaks && points.len() >= LEFT).then_some(Trace { up_for, label, points, ..trace })
    }
}
