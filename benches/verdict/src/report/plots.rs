//! The plots of one set of traces.

use super::findings::{Baseline, Findings};
use super::svg::{Plot, Scale};
use super::text::significant;
use crate::measure::{Class, Figures, Outcome, calibration, classes, curve};
use crate::ours::THRESHOLD;

/// So many baselines are drawn, the best ones by F1: more would hide each other.
const BASELINES: usize = 5;

/// Median delay against false alarms, as the threshold goes up and down; `None` where nothing was measured.
pub(super) fn delays_against_false_alarms(findings: &Findings) -> Option<String> {
    let mut baselines: Vec<&Baseline> = findings.baselines.iter().collect();
    baselines.sort_by(|a, b| f64::total_cmp(&b.figures.f1().unwrap_or(0.0), &a.figures.f1().unwrap_or(0.0)));
    baselines.truncate(BASELINES);
    let mut lines = vec![("memleak-exporter", frontier(&findings.ours))];
    lines.extend(baselines.iter().map(|baseline| (baseline.name.as_str(), frontier(&baseline.outcomes))));
    lines.retain(|(_, points)| !points.is_empty());
    let exposure = findings.figures().false_alarms.exposure;
    // No false alarm has no logarithm: it is drawn where half of one would be.
    let none = 0.5 / exposure;
    let all = || lines.iter().flat_map(|(_, points)| points);
    let (shortest, longest) = span(all().map(|(_, hours)| *hours))?;
    let most = all().map(|(rate, _)| *rate).fold(4.0 * none, f64::max);
    let x = Scale { low: none, high: most, is_log: true };
    let y = Scale { low: shortest, high: longest, is_log: true };
    let mut plot = Plot::new((900.0, 420.0), (64.0, 310.0), x, y);
    let mut ticks = vec![(none, "0".to_owned())];
    ticks.extend(
        x.ticks().into_iter().filter(|tick| *tick > 1.8 * none).map(|tick| (tick, significant(tick))),
    );
    plot.x_axis("false alarms per entity-day", &ticks);
    plot.y_axis("median delay, hours", &labelled(y.ticks()));
    for (series, (name, points)) in lines.iter().enumerate() {
        let places: Vec<_> =
            points.iter().map(|(rate, hours)| (plot.place_x(*rate), plot.place_y(*hours))).collect();
        plot.line(&places, series);
        for place in &places {
            plot.dot(*place, 2.0, series);
        }
        let y = 28.0 + 24.0 * series as f64;
        plot.line(&[(602.0, y), (638.0, y)], series);
        plot.text((646.0, y + 4.5), "start", "", name);
    }
    mark_threshold(&mut plot, findings);
    Some(plot.finish("Median delay against false alarms per entity-day, by threshold"))
}

fn mark_threshold(plot: &mut Plot, findings: &Findings) {
    let figures = findings.figures();
    if let Some((rate, hours)) = figures.false_alarms.value().zip(figures.delay.median) {
        let (x, y) = (plot.place_x(rate), plot.place_y(hours));
        plot.dot((x, y), 6.0, 0);
        plot.text((x + 10.0, y - 8.0), "start", "", &format!("threshold {THRESHOLD}"));
    }
}

/// The shortest median delay with at most so many false alarms per entity-day, by that, ascending.
fn frontier(outcomes: &[Outcome]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = curve(outcomes)
        .iter()
        .filter_map(|figures: &Figures| figures.false_alarms.value().zip(figures.delay.median))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut best = f64::INFINITY;
    points.retain(|(_, hours)| {
        let is_better = *hours < best;
        best = best.min(*hours);
        is_better
    });
    points
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
        let points = frontier(&findings().ours);
        let days = 25.0 / 24.0;
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].0, points[0].1), (0.0, 3.0));
        assert!((points[1].0 - 1.0 / days).abs() < 1e-9 && points[1].1 == 1.0, "{points:?}");
    }

    #[test]
    fn plots_are_drawn_where_there_is_something_to_see() {
        let found = findings();
        let drawn = delays_against_false_alarms(&found).unwrap();
        assert!(drawn.contains("threshold 60") && drawn.starts_with("<svg"), "{drawn}");
        assert!(calibration_plot(&found).contains("highest score"));
        assert_eq!(delays_by_class(&found).unwrap().matches("<circle").count(), 1);
        let nothing = Findings { ours: Vec::new(), ..found };
        assert_eq!((delays_against_false_alarms(&nothing), delays_by_class(&nothing)), (None, None));
    }
}
