//! CPU time against processes, as SVG; legible on light and dark pages, and without colour.

use std::fmt::Write;

use crate::contenders::{Contender, Id};
use crate::floor::File;
use crate::measure::Run;
use crate::quantile::Spread;
use crate::table::{grouped, significant};

/// Pixels of the whole, and around the axes: top, right, bottom, left.
const SIZE: (f64, f64) = (900.0, 440.0);
const AROUND: [f64; 4] = [16.0, 270.0, 52.0, 72.0];

/// Okabe and Ito's colours, which people with any colour vision tell apart; some are lighter on dark pages.
const STYLE: &str = ".page{fill:#fff}text{font:13px system-ui,sans-serif;fill:#1f2328}\
    .axis{stroke:#818b98;stroke-width:1;fill:none}.grid{stroke:#d1d9e0;stroke-width:1}\
    .s0{stroke:#0072b2;fill:#0072b2}.s1{stroke:#d55e00;fill:#d55e00}.s2{stroke:#cc79a7;fill:#cc79a7}\
    .s3{stroke:#59636e;fill:#59636e}.line{fill:none;stroke-width:2}\
    @media(prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#f0f6fc}.axis{stroke:#9198a1}.grid{stroke:#3d444d}\
    .s0{stroke:#56b4e9;fill:#56b4e9}.s3{stroke:#9198a1;fill:#9198a1}.line{fill:none}}";

/// A logarithmic axis from one place to another.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        self.from + (value / self.low).ln() / (self.high / self.low).ln() * (self.to - self.from)
    }
}

/// Colour and dashes: one colour a family, one kind of dashes a member.
fn look(id: Id) -> (usize, &'static str) {
    match id {
        Id::Defaults => (0, "none"),
        Id::Groups => (0, "2 4"),
        Id::All => (0, "8 4"),
        Id::Lean => (1, "none"),
        Id::ByPid => (1, "8 4"),
        Id::Node => (2, "none"),
        Id::NodeProcesses => (2, "8 4"),
        Id::Floor(File::Statm) => (3, "none"),
        Id::Floor(File::Status) => (3, "8 4"),
    }
}

/// A plot of all loads; `None` of fewer than two.
pub fn cpu(runs: &[Run], contenders: &[Contender]) -> Option<String> {
    let processes: Vec<f64> = runs.iter().map(|run| f64::from(run.processes)).collect();
    let cpu = |run: &Run, id| Some(1000.0 * Spread::of(&run.of(id)?.cpu)?.median).filter(|cpu| *cpu > 0.0);
    let all: Vec<f64> = runs
        .iter()
        .flat_map(|run| contenders.iter().filter_map(move |contender| cpu(run, contender.id)))
        .collect();
    let (processes, all) = (Spread::of(&processes)?, Spread::of(&all)?);
    if processes.low == processes.high {
        return None;
    }
    let [top, right, bottom, left] = AROUND;
    let x = Axis { low: processes.low, high: processes.high, from: left, to: SIZE.0 - right };
    let decade = |value: f64, round: fn(f64) -> f64| 10.0_f64.powf(round(value.log10()));
    let (low, high) = (decade(all.low, f64::floor), decade(all.high * 1.001, f64::ceil));
    let y = Axis { low, high, from: SIZE.1 - bottom, to: top };
    let mut body = axes(&x, &y, runs);
    let drawn = contenders.iter().map(|contender| {
        let points = runs.iter().filter_map(|run| Some((f64::from(run.processes), cpu(run, contender.id)?)));
        (contender, points.map(|(processes, cpu)| (x.place(processes), y.place(cpu))).collect::<Vec<_>>())
    });
    for (index, (contender, places)) in drawn.filter(|(_, places)| !places.is_empty()).enumerate() {
        line(&mut body, contender.id, &places);
        for (x, y) in &places {
            let (colour, _) = look(contender.id);
            let _ = writeln!(body, r#"<circle class="s{colour}" cx="{x:.1}" cy="{y:.1}" r="3"/>"#);
        }
        let (left, y) = (SIZE.0 - right + 24.0, 28.0 + 24.0 * index as f64);
        line(&mut body, contender.id, &[(left, y), (left + 36.0, y)]);
        text(&mut body, (left + 44.0, y + 4.5), "start", contender.name);
    }
    Some(document("CPU time a tick against processes", &body))
}

/// Both axes, what they mean, and their ticks.
fn axes(x: &Axis, y: &Axis, runs: &[Run]) -> String {
    let mut body = String::new();
    for run in runs {
        let place = x.place(f64::from(run.processes));
        let _ = writeln!(body, r#"<path class="grid" d="M{place:.1} {}V{}"/>"#, y.to, y.from);
        text(&mut body, (place, y.from + 18.0), "middle", &grouped(run.processes as usize));
    }
    let decades = y.low.log10().round() as i32..=y.high.log10().round() as i32;
    for value in decades.map(|decade| 10.0_f64.powi(decade)) {
        let place = y.place(value);
        let _ = writeln!(body, r#"<path class="grid" d="M{} {place:.1}H{}"/>"#, x.from, x.to);
        text(&mut body, (x.from - 8.0, place + 4.5), "end", &significant(value));
    }
    let _ = writeln!(body, r#"<path class="axis" d="M{} {}H{}"/>"#, x.from, y.from, x.to);
    text(&mut body, (f64::midpoint(x.from, x.to), SIZE.1 - 12.0), "middle", "processes");
    let middle = f64::midpoint(y.from, y.to);
    let _ = writeln!(
        body,
        r#"<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">CPU ms a tick</text>"#
    );
    body
}

fn line(body: &mut String, id: Id, places: &[(f64, f64)]) {
    let (colour, dashes) = look(id);
    let mut path = String::new();
    for (index, (x, y)) in places.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    }
    let _ = writeln!(body, r#"<path class="s{colour} line" stroke-dasharray="{dashes}" d="{path}"/>"#);
}

fn text(body: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(body, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
}

/// The document. `title` is what it shows, for those who can't see it.
fn document(title: &str, body: &str) -> String {
    let (width, height) = SIZE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n{body}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn everybody_who_was_measured_has_a_line() {
        let (less, more) = (Run { processes: 100, ..run() }, run());
        let contenders: Vec<_> = more.outcomes.iter().map(|outcome| outcome.contender.clone()).collect();
        let svg = cpu(&[less.clone(), more], &contenders).unwrap();
        assert_eq!(svg.matches("<circle").count(), 8);
        assert!(
            svg.contains(">ours, defaults<") && svg.contains(">1,000<") && svg.contains(">100<"),
            "{svg}"
        );
        assert_eq!(cpu(&[less], &contenders), None, "one load makes no line");
    }

    #[test]
    fn an_axis_is_logarithmic() {
        let axis = Axis { low: 1.0, high: 100.0, from: 50.0, to: 150.0 };
        assert!((axis.place(10.0) - 100.0).abs() < 1e-9);
    }
}
