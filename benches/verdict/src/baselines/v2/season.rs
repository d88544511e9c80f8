//! The same hour of the day, day against day.

use super::features::{ABSOLUTE, Life, RELATIVE};
use super::grid::Grid;
use super::stats::{effective_number, mean, median, quantile, ramp, sign};

/// Quarters of an hour in a day.
const QUARTERS: usize = 96;

/// Days that are compared.
const DAYS: (usize, usize) = (3, 7);

/// Where gates begin to open, and where they are open.
const STRENGTH: (f64, f64) = (0.4, 0.65);
const TAU: (f64, f64) = (0.65, 0.9);
const QUIET: (f64, f64) = (0.3, 0.6);
const SPREAD: (f64, f64) = (0.6, 0.85);
const DECEL: (f64, f64) = (0.35, 0.7);
const WORST: (f64, f64) = (0.0, 0.4);

type Day = [f64; 24];

/// How much speaks for growth from day to day before minute `end`, 0 to 1.
pub(super) fn evidence(grid: &Grid, life: Life, end: usize) -> f64 {
    let now = end / (24 * 60 / QUARTERS);
    let count = (now.saturating_sub(life.first_quarter()) / QUARTERS).min(DAYS.1);
    if count < DAYS.0 {
        return 0.0;
    }
    let quarters = grid.quarters(now - count * QUARTERS, now);
    let days: Vec<Day> = quarters.chunks_exact(QUARTERS).map(by_the_hour).collect();
    judge(&days).sqrt()
}

/// Lowest floor of each hour; NaN where there is none.
fn by_the_hour(quarters: &[f64]) -> Day {
    std::array::from_fn(|hour| {
        let lowest = quarters[hour * 4..hour * 4 + 4].iter().copied().fold(f64::INFINITY, f64::min);
        if lowest.is_finite() { lowest } else { f64::NAN }
    })
}

fn judge(days: &[Day]) -> f64 {
    let count = days.len();
    let pairs = || (0..count).flat_map(move |later| (0..later).map(move |earlier| (earlier, later)));
    let rises = |(earlier, later): (usize, usize)| {
        (0..24).map(move |hour| (days[later][hour] - days[earlier][hour], (later - earlier) as f64))
    };
    let slope = median(pairs().flat_map(rises).map(|(rise, apart)| rise / apart));
    let tau = mean(pairs().flat_map(rises).map(|(rise, _)| if rise.is_nan() { rise } else { sign(rise) }));
    let total = || (0..24).map(|hour| days[count - 1][hour] - days[0][hour]);
    let quiet = quantile(total(), 0.2) / median(total()).max(1.0);
    let daily: Vec<f64> =
        days.windows(2).map(|pair| median((0..24).map(|hour| pair[1][hour] - pair[0][hour]))).collect();
    if slope.is_nan() || daily.iter().any(|growth| growth.is_nan()) {
        return 0.0;
    }
    let (last, before) = (daily[count - 2], &daily[..count - 2]);
    let spread = effective_number(daily.iter().map(|growth| growth.max(0.0))) / (count - 1) as f64;
    let worst = daily.iter().copied().fold(f64::INFINITY, f64::min) / slope.max(1.0);
    let growth = slope * (count - 1) as f64;
    let level = median(days.iter().flatten().copied());
    ramp(pattern(days), STRENGTH)
        * ramp(tau, TAU)
        * ramp(quiet, QUIET)
        * ramp(spread, SPREAD)
        * ramp(last / median(before.iter().copied()).max(1.0), DECEL)
        * ramp(worst, WORST)
        * ramp(growth / level, RELATIVE)
        * ramp(growth, ABSOLUTE)
}

/// Share of what differs within days that the hour of the day explains.
fn pattern(days: &[Day]) -> f64 {
    let centred: Vec<Day> = days
        .iter()
        .map(|day| {
            let middle = median(day.iter().copied());
            day.map(|floor| floor - middle)
        })
        .collect();
    let typical: Day = std::array::from_fn(|hour| median(centred.iter().map(|day| day[hour])));
    let left = mean(centred.iter().flat_map(|day| (0..24).map(|hour| (day[hour] - typical[hour]).abs())));
    1.0 - left / mean(centred.iter().flatten().map(|floor| floor.abs())).max(1.0)
}
