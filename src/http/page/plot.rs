//! A small picture of recorded floors, drawn here as SVG.

use std::fmt::{self, Display};

use super::html::Escaped;
use crate::history::{Block, Floors};
use crate::human;
use crate::resources::Unit;

/// Size in the units that paths are written in; the style sheet decides how large that is.
const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 44.0;

/// Kept free above and below, so that a line on the edge is not cut in half.
const MARGIN: f64 = 2.0;

/// The height of the picture stands for this share of the highest value at least: a change that is nothing
/// looks like nothing.
const LEAST_RANGE: f64 = 0.2;

/// The floors of what is called `name`, with what they begin and end at.
pub(super) struct Plot<'a> {
    name: &'a str,
    floors: &'a Floors,
    unit: Unit,
    bottom: f64,
    range: f64,
    /// When growth began, in blocks.
    onset: Option<f64>,
}

impl<'a> Plot<'a> {
    /// `None` where there is nothing to draw.
    pub(super) fn of(name: &'a str, floors: &'a Floors, unit: Unit) -> Option<Plot<'a>> {
        let blocks = floors.blocks.iter().map(|(_, block)| block);
        let low = f64::from(blocks.clone().map(|block| block.low).reduce(f32::min)?);
        let high = f64::from(blocks.map(|block| block.high).reduce(f32::max)?);
        let range = (high - low).max(LEAST_RANGE * high).max(1.0);
        let bottom = ((low + high - range) / 2.0).max(0.0);
        Some(Plot { name, floors, unit, bottom, range, onset: None })
    }

    /// Marks the time at which growth began, seconds, where it lies in the picture.
    pub(super) fn with_onset(self, time: Option<f64>) -> Plot<'a> {
        let spanned = self.floors.blocks.first().zip(self.floors.blocks.last());
        let onset = time.map(|time| time / self.floors.width).filter(|onset| {
            spanned.is_some_and(|((first, _), (last, _))| (*first as f64..=(last + 1) as f64).contains(onset))
        });
        Plot { onset, ..self }
    }

    fn x(&self, number: f64) -> f64 {
        let first = self.floors.blocks.first().map_or(0, |(number, _)| *number) as f64;
        (number - first) / self.blocks() * WIDTH
    }

    fn y(&self, bytes: f32) -> f64 {
        let share = (f64::from(bytes) - self.bottom) / self.range;
        HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN)
    }

    /// How many blocks the picture spans, gaps included.
    fn blocks(&self) -> f64 {
        let (first, last) = (self.floors.blocks.first(), self.floors.blocks.last());
        first.zip(last).map_or(1.0, |((first, _), (last, _))| (last - first + 1) as f64)
    }

    fn value(&self, block: Option<&(i64, Block)>) -> String {
        self.unit.text(block.map_or(0.0, |(_, block)| f64::from(block.low)))
    }
}

impl Display for Plot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plot { name, floors, .. } = self;
        let (start, end) = (self.value(floors.blocks.first()), self.value(floors.blocks.last()));
        let span = human::duration(self.blocks() * floors.width);
        write!(
            f,
            "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\">"
        )?;
        write!(f, "<title>Floor of {} over {span}: {start} at first, {end} at last", Escaped(name))?;
        if let Some(onset) = self.onset {
            let since =
                self.blocks() - (onset - self.floors.blocks.first().map_or(0, |first| first.0) as f64);
            write!(f, "; growth began {} before the end", human::duration(since * floors.width))?;
        }
        f.write_str("</title>")?;
        for run in floors.blocks.chunk_by(|(one, _), (next, _)| one + 1 == *next) {
            let highs = Line { plot: self, run, value: |block| block.high };
            let lows = Line { plot: self, run, value: |block| block.low };
            let ends = (self.x(run[0].0 as f64), HEIGHT);
            write!(f, "<path class=\"given-back\" d=\"M{highs} V{1} H{0:.1} Z\"/>", ends.0, ends.1)?;
            write!(f, "<path class=\"held\" d=\"M{lows} V{1} H{0:.1} Z\"/>", ends.0, ends.1)?;
            write!(f, "<path class=\"floor\" d=\"M{lows}\"/>")?;
        }
        if let Some(onset) = self.onset {
            write!(f, "<path class=\"onset\" d=\"M{:.1},0 V{HEIGHT}\"/>", self.x(onset))?;
        }
        write!(
            f,
            "</svg><span class=\"axis\"><span>{start}</span><span>{span}</span><span>{end}</span></span>"
        )
    }
}

/// Through the middles of blocks without a gap, from the edge of the first to the edge of the last.
struct Line<'a> {
    plot: &'a Plot<'a>,
    run: &'a [(i64, Block)],
    value: fn(&Block) -> f32,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut point = |number: f64, block: &Block| {
            write!(f, "{:.1},{:.1} ", self.plot.x(number), self.plot.y((self.value)(block)))
        };
        if let [(first, block), ..] = self.run {
            point(*first as f64, block)?;
        }
        for (number, block) in self.run {
            point(*number as f64 + 0.5, block)?;
        }
        match self.run {
            [.., (last, block)] => point((last + 1) as f64, block),
            [] => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(name: &str, blocks: &[(i64, f32, f32)]) -> String {
        let blocks = blocks.iter().map(|&(number, low, high)| (number, Block { low, high })).collect();
        let floors = Floors { width: 3600.0, blocks };
        Plot::of(name, &floors, Unit::Bytes).map(|plot| plot.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_rise_goes_from_the_lower_left_to_the_upper_right() {
        let svg = svg("web", &[(10, 1024.0, 1024.0), (11, 2048.0, 2048.0)]);
        assert!(
            svg.contains("<path class=\"floor\" d=\"M0.0,42.0 40.0,42.0 120.0,2.0 160.0,2.0 \"/>"),
            "{svg}"
        );
        assert!(
            svg.contains("<title>Floor of web over 2h: 1.0 KiB at first, 2.0 KiB at last</title>"),
            "{svg}"
        );
        assert!(svg.ends_with("<span>1.0 KiB</span><span>2h</span><span>2.0 KiB</span></span>"), "{svg}");
    }

    #[test]
    fn the_beginning_of_growth_is_marked_where_it_is_shown() {
        let block = Block { low: 1.0, high: 1.0 };
        let floors = Floors { width: 3600.0, blocks: (10..14).map(|number| (number, block)).collect() };
        let with_onset = |hours: f64| {
            Plot::of("web", &floors, Unit::Bytes).unwrap().with_onset(Some(hours * 3600.0)).to_string()
        };
        let marked = with_onset(11.0);
        assert!(marked.contains("<path class=\"onset\" d=\"M40.0,0 V44\"/>"), "{marked}");
        assert!(marked.contains("; growth began 3h before the end</title>"), "{marked}");
        for outside in [9.0, 15.0] {
            assert!(!with_onset(outside).contains("onset"), "{outside}");
        }
    }

    #[test]
    fn a_change_that_is_nothing_looks_like_nothing() {
        let svg = svg("web", &[(0, 1e9, 1e9), (1, 1.001e9, 1.001e9)]);
        assert!(svg.contains("d=\"M0.0,22.1 40.0,22.1 120.0,21.9 160.0,21.9 \""), "{svg}");
    }

    #[test]
    fn gaps_stay_gaps_and_zero_is_drawn() {
        let gap = svg("web", &[(0, 5.0, 9.0), (1, 5.0, 9.0), (5, 5.0, 9.0)]);
        assert_eq!(gap.matches("class=\"floor\"").count(), 2);
        assert!(!svg("web", &[(0, 0.0, 0.0)]).contains("NaN"));
        assert_eq!(svg("web", &[]), "");
    }

    #[test]
    fn a_name_is_text() {
        let svg = svg("</title><script>\u{202e}", &[(0, 1.0, 1.0)]);
        assert!(svg.contains("Floor of &lt;/title&gt;&lt;script&gt;\u{fffd} over 1h"), "{svg}");
    }
}
