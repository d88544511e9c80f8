//! The plots of one set of traces.

use super::findings::{Baseline, Findings};
use super::svg::{Plot, Scale};
use super::text::significant;
use crate::measure::{Class, Figures, calibration, classes, curve};
use crate::ours::THRESHOLD;

/// So many baselines are drawn, the best ones by F1: more would hide each other.
const BASELINES: usize = 5;

/// A method, and its figures by threshold.
pub(super) type Curve<'a> = (&'a str, Vec<Figures>);

/// A method, and points that are drawn of its curve.
type Line<'a> = (&'a str, Vec<(f64, f64)>);

/// Where the lines of each method end, and their legend stands, pixels.
pub(super) const LEGEND: f64 = 310.0;

/// The curves of the score and of the best baselines.
pub(super) fn curves(findings: &Findings) -> Vec<Curve<'_>> {
    let mut baselines: Vec<&Baseline> = findings.baselines.iter().collect();
    baselines.sort_by(|a, b| f64::total_cmp(&b.figures.f1().unwrap_or(0.0), &a.figures.f1().unwrap_or(0.0)));
    baselines.truncate(BASELINES);
    let others = baselines.iter().map(|baseline| (baseline.name.as_str(), curve(&baseline.outcomes)));
    std::iter::once(("memleak-exporter", curve(&findings.ours))).chain(others).collect()
}

/// The points that are drawn of each curve; of those that have any.
pub(super) fn lines<'a>(
    curves: &[Curve<'a>],
    point: impl Fn(&Figures) -> Option<(f64, f64)>,
) -> Vec<Line<'a>> {
    let lines =
        curves.iter().map(|(name, figures)| (*name, least(figures.iter().filter_map(&point).collect())));
    lines.filter(|(_, points)| !points.is_empty()).collect()
}

/// Those points of a curve that none has on its left and below it, from the left.
fn least(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut best = f64::INFINITY;
    points.retain(|(_, y)| {
        let is_better = *y < best;
        best = best.min(*y);
        is_better
    });
    points
}

/// Draws them, and says on the right which is which.
pub(super) fn draw_lines(plot: &mut Plot, lines: &[Line]) {
    for (series, (name, points)) in lines.iter().enumerate() {
        let places: Vec<_> = points.iter().map(|(x, y)| (plot.place_x(*x), plot.place_y(*y))).collect();
        plot.line(&places, series);
        for place in &places {
            plot.dot(*place, 2.0, series);
        }
        let y = 28.0 + 24.0 * series as f64;
        plot.line(&[(602.0, y), (638.0, y)], series);
        plot.text((646.0, y + 4.5), "start", "", name);
    }
}

/// Draws where the score stands at the exporter's own threshold.
pub(super) fn mark_threshold(plot: &mut Plot, (x, y): (f64, f64)) {
    let (x, y) = (plot.place_x(x), plot.place_y(y));
    plot.dot((x, y), 6.0, 0);
    plot.text((x + 10.0, y - 8.0), "start", "", &format!("threshold {THRESHOLD}"));
}

/// Ticks of a logarithmic scale on which 0 is drawn at its lowest value, since it has no logarithm.
pub(super) fn ticks_from_none(scale: Scale) -> Vec<(f64, String)> {
    let others = scale.ticks().into_iter().filter(|tick| *tick > 1.8 * scale.low);
    std::iter::once((scale.low, "0".to_owned())).chain(labelled(others.collect())).collect()
}

/// Median delay against false alarms, as the threshold goes up and down; `None` where nothing was measured.
pub(super) fn delays_against_false_alarms(findings: &Findings, curves: &[Curve]) -> Option<String> {
    let lines = lines(curves, delay_at_false_alarms);
    let figures = findings.figures();
    // No false alarm is drawn where half of one would be.
    let none = 0.5 / figures.false_alarms.exposure;
    let all = || lines.iter().flat_map(|(_, points)| points);
    let (shortest, longest) = span(all().map(|(_, hours)| *hours))?;
    let most = all().map(|(rate, _)| *rate).fold(4.0 * none, f64::max);
    let x = Scale { low: none, high: most, is_log: true };
    let y = Scale { low: shortest, high: longest, is_log: true };
    let mut plot = Plot::new((900.0, 420.0), (64.0, LEGEND), x, y);
    plot.x_axis("false alarms per entity-day", &ticks_from_none(x));
    plot.y_axis("median delay, hours", &labelled(y.ticks()));
    draw_lines(&mut plot, &lines);
    if let Some(place) = delay_at_false_alarms(&figures) {
        mark_threshold(&mut plot, place);
    }
    Some(plot.finish("Median delay against false alarms per entity-day, by threshold"))
}

/// False alarms per entity-day, and the median delay.
fn delay_at_false_alarms(figures: &Figures) -> Option<(f64, f64)> {
    figures.false_alarms.value().zip(figures.delay.median)
}

/// How often the highest score of a trace meant a leak.
pub(super) fn calibration_plot(findings: &Findings) -> String {
    let x = Scale { low: 0.0, high: 100.0, is_log: false };
    let y = Scale { low: 0.0, high: 1.0, is_log: false };
    let mut plot = Plot::new((620.0, 380.0), (64.0, 24.0), x, y);
    let tenths: Vec<f64> = (0..=10).map(f64::from).collect();
    let percents: Vec<_> = tenths.iter().map(|tenth| (tenth * 10.0, significant(tenth * 10.0))).collect();
    plot.x_axis("highest score of a trace; above each bin: how many traces", &percents);
    let shares: Vec<_> = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, significant(share))).into();
    plot.y_axis("share that leaks, with 95 % bounds", &shares);
    let diagonal = [(plot.place_x(0.0), plot.place_y(0.0)), (plot.place_x(100.0), plot.place_y(1.0))];
    plot.line(&diagonal, 5);
    for bin in calibration(&findings.ours) {
        let x = plot.place_x(f64::midpoint(bin.from, bin.to));
        if let Some((share, (low, high))) = bin.leaks.value().zip(bin.leaks.bounds()) {
            plot.line(&[(x, plot.place_y(low)), (x, plot.place_y(high))], 0);
            let y = plot.place_y(share);
            plot.dot((x, y), 5.0, 0);
        }
        let top = plot.place_y(1.0);
        plot.text((x, top - 4.0), "middle", "quiet", &bin.leaks.whole.to_string());
    }
    plot.finish("Share of leaks among traces by their highest score")
}

/// The delay of every leak, a row for each class; `None` where none was caught.
pub(super) fn delays_by_class(findings: &Findings) -> Option<String> {
    let mut leaks: Vec<Class> =
        classes(&findings.ours, THRESHOLD).into_iter().filter(|class| class.leaks).collect();
    leaks
        .sort_by(|a, b| f64::total_cmp(&a.delay.unwrap_or(f64::INFINITY), &b.delay.unwrap_or(f64::INFINITY)));
    let (low, high) = span(leaks.iter().flat_map(|class| &class.delays).copied())?;
    let x = Scale { low, high, is_log: true };
    let y = Scale { low: leaks.len() as f64, high: 0.0, is_log: false };
    let height = 68.0 + 22.0 * leaks.len() as f64;
    let mut plot = Plot::new((760.0, height), (230.0, 90.0), x, y);
    plot.x_axis("hours from the onset to the call; bar: median", &labelled(x.ticks()));
    for (row, class) in leaks.iter().enumerate() {
        let y = plot.place_y(row as f64 + 0.5);
        plot.text((220.0, y + 4.5), "end", "", class.name);
        for delay in &class.delays {
            plot.dot((plot.place_x(*delay), y), 3.5, 0);
        }
        if let Some(median) = class.delay {
            let x = plot.place_x(median);
            plot.line(&[(x, y - 8.0), (x, y + 8.0)], 0);
        }
        let missed = class.traces - class.caught;
        if missed > 0 {
            plot.text((680.0, y + 4.5), "start", "quiet", &format!("{missed} missed"));
        }
    }
    Some(plot.finish("Delay of every leak by class"))
}

fn labelled(ticks: Vec<f64>) -> Vec<(f64, String)> {
    ticks.into_iter().map(|tick| (tick, significant(tick))).collect()
}

/// Bounds of positive values for a logarithmic axis, with some room; below a minute nothing is told apart.
fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .map(|value| value.max(1.0 / 60.0))
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    (high > 0.0).then_some((low / 1.2, high * 1.2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Outcome;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    fn findings() -> Findings {
        let outcome = |label, values: &[(f64, f64)]| {
            Outcome::new(&series(label, 3600.0, 25, |_| 100.0), &readings(values))
        };
        let ours = vec![
            outcome(leak(3600.0), &[(7200.0, 40.0), (14_400.0, 90.0)]),
            outcome(Label::Benign, &[(3600.0, 50.0)]),
        ];
        Findings { name: "made up", ours, baselines: Vec::new() }
    }

    #[test]
    fn the_frontier_holds_what_nothing_beats() {
        let found = findings();
        let (_, points) = lines(&curves(&found), delay_at_false_alarms).remove(0);
        let days = 25.0 / 24.0;
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].0, points[0].1), (0.0, 3.0));
        assert!((points[1].0 - 1.0 / days).abs() < 1e-9 && points[1].1 == 1.0, "{points:?}");
    }

    #[test]
    fn plots_are_drawn_where_there_is_something_to_see() {
        let found = findings();
        let drawn = delays_against_false_alarms(&found, &curves(&found)).unwrap();
        assert!(drawn.contains("threshold 60") && drawn.starts_with("<svg"), "{drawn}");
        assert!(calibration_plot(&found).contains("highest score"));
        assert_eq!(delays_by_class(&found).unwrap().matches("<circle").count(), 1);
        let nothing = Findings { ours: Vec::new(), ..found };
        let delays = delays_against_false_alarms(&nothing, &curves(&nothing));
        assert_eq!((delays, delays_by_class(&nothing)), (None, None));
    }
}
