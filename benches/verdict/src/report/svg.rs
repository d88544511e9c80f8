//! Just enough SVG for plots: axes, marks, text; legible on light and dark pages. They bring their own ground: the page
//! around may be light where the system is dark.

use std::fmt::{self, Write};

/// How values map to places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) is_log: bool,
}

impl Scale {
    /// 0 at the lowest value, 1 at the highest; what lies beyond is put at the end.
    fn share(self, value: f64) -> f64 {
        let share = if self.is_log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }

    /// 1, 2 and 5 times powers of ten within a logarithmic scale, or powers alone where those are many.
    pub(super) fn ticks(self) -> Vec<f64> {
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let steps: &[f64] = if self.high / self.low > 2000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10.0_f64.powi(decade)));
        all.filter(|tick| (self.low * 0.999..=self.high * 1.001).contains(tick)).collect()
    }
}

/// A plot that is being drawn. Places are pixels from the top left corner.
pub(super) struct Plot {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    x: Scale,
    y: Scale,
    body: String,
}

const TOP: f64 = 16.0;
const BOTTOM: f64 = 52.0;

/// Okabe and Ito's colours, which people with any colour vision tell apart; the blue and the last are lighter on
/// dark pages.
const STYLE: &str = ".page{fill:#fff}text{font:13px system-ui,sans-serif;fill:#1f2328}.quiet{fill:#59636e}\
    .axis{stroke:#818b98;stroke-width:1;fill:none}.grid{stroke:#d1d9e0;stroke-width:1}\
    .area{fill:#009e73;fill-opacity:0.15}.line{fill:none;stroke-width:2}\
    .s0{stroke:#0072b2;fill:#0072b2}.s1{stroke:#d55e00;fill:#d55e00}.s2{stroke:#009e73;fill:#009e73}\
    .s3{stroke:#cc79a7;fill:#cc79a7}.s4{stroke:#b58900;fill:#b58900}.s5{stroke:#59636e;fill:#59636e}\
    .line{fill:none}\
    @media(prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#f0f6fc}.quiet{fill:#9198a1}.axis{stroke:#9198a1}\
    .grid{stroke:#3d444d}.s0{stroke:#56b4e9;fill:#56b4e9}.s4{stroke:#f0e442;fill:#f0e442}\
    .s5{stroke:#9198a1;fill:#9198a1}.line{fill:none}}";

/// Dashes tell lines apart without colour.
const DASHES: [&str; 6] = ["none", "8 4", "2 4", "8 4 2 4", "14 4", "1 5"];

impl Plot {
    /// An empty plot with so much room on the left and right of its axes.
    pub(super) fn new((width, height): (f64, f64), (left, right): (f64, f64), x: Scale, y: Scale) -> Plot {
        Plot { width, height, left, right, x, y, body: String::new() }
    }

    pub(super) fn place_x(&self, value: f64) -> f64 {
        self.left + self.x.share(value) * (self.width - self.left - self.right)
    }

    pub(super) fn place_y(&self, value: f64) -> f64 {
        self.height - BOTTOM - self.y.share(value) * (self.height - TOP - BOTTOM)
    }

    /// Adds an element as it stands.
    pub(super) fn add(&mut self, element: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// The horizontal axis, what it means and its ticks.
    pub(super) fn x_axis(&mut self, title: &str, ticks: &[(f64, String)]) {
        let bottom = self.height - BOTTOM;
        for (value, text) in ticks {
            let x = self.place_x(*value);
            self.add(format_args!(r#"<path class="grid" d="M{x:.1} {TOP}V{bottom}"/>"#));
            self.text((x, bottom + 18.0), "middle", "", text);
        }
        let (left, right) = (self.left, self.width - self.right);
        self.add(format_args!(r#"<path class="axis" d="M{left} {bottom}H{right}"/>"#));
        self.text((f64::midpoint(left, right), self.height - 12.0), "middle", "", title);
    }

    /// The vertical axis, what it means and its ticks.
    pub(super) fn y_axis(&mut self, title: &str, ticks: &[(f64, String)]) {
        let (left, right) = (self.left, self.width - self.right);
        for (value, text) in ticks {
            let y = self.place_y(*value);
            self.add(format_args!(r#"<path class="grid" d="M{left} {y:.1}H{right}"/>"#));
            self.text((left - 8.0, y + 4.5), "end", "", text);
        }
        let middle = f64::midpoint(TOP, self.height - BOTTOM);
        self.add(format_args!(
            r#"<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{}</text>"#,
            escaped(title)
        ));
    }

    /// An area between two values each way, and what it is.
    pub(super) fn area(&mut self, (x_low, x_high): (f64, f64), (y_low, y_high): (f64, f64), text: &str) {
        let (left, right) = (self.place_x(x_low), self.place_x(x_high));
        let (top, bottom) = (self.place_y(y_high), self.place_y(y_low));
        self.add(format_args!(
            r#"<path class="area" d="M{left:.1} {top:.1}H{right:.1}V{bottom:.1}H{left:.1}Z"/>"#
        ));
        self.text((left + 8.0, top + 18.0), "start", "quiet", text);
    }

    /// Text that starts, ends or is centred at a place.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: &str, class: &str, text: &str) {
        self.add(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{}</text>"#,
            escaped(text)
        ));
    }

    /// A dot in the colour of a series.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, series: usize) {
        let class = series % DASHES.len();
        self.add(format_args!(
            r#"<circle class="s{class}" cx="{x:.1}" cy="{y:.1}" r="{radius}" fill-opacity="0.7"/>"#
        ));
    }

    /// A line in the colour and dashes of a series, through places.
    pub(super) fn line(&mut self, places: &[(f64, f64)], series: usize) {
        let class = series % DASHES.len();
        let mut path = String::new();
        for (index, (x, y)) in places.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        let dashes = DASHES[class];
        self.add(format_args!(r#"<path class="s{class} line" stroke-dasharray="{dashes}" d="{path}"/>"#));
    }

    /// The document. `title` is what it shows, for those who can't see it.
    pub(super) fn finish(self, title: &str) -> String {
        let Plot { width, height, body, .. } = self;
        let title = escaped(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_map_to_places() {
        let linear = Scale { low: 0.0, high: 10.0, is_log: false };
        let log = Scale { low: 0.1, high: 10.0, is_log: true };
        let plot = Plot::new((200.0, 168.0), (50.0, 50.0), linear, log);
        assert_eq!([0.0, 5.0, 10.0, 11.0].map(|x| plot.place_x(x)), [50.0, 100.0, 150.0, 150.0]);
        assert!((plot.place_y(1.0) - 66.0).abs() < 1e-9);
        assert_eq!((plot.place_y(0.0), plot.place_y(10.0)), (116.0, 16.0));
        let ticks: Vec<_> = log.ticks().iter().map(|tick| format!("{tick:.1}")).collect();
        assert_eq!(ticks, ["0.1", "0.2", "0.5", "1.0", "2.0", "5.0", "10.0"]);
    }

    #[test]
    fn text_is_escaped() {
        let scale = Scale { low: 0.0, high: 1.0, is_log: false };
        let mut plot = Plot::new((100.0, 100.0), (0.0, 0.0), scale, scale);
        plot.text((0.0, 0.0), "start", "", "a < b & c");
        let document = plot.finish("\"x\"");
        assert!(document.contains("a &lt; b &amp; c") && document.contains("&quot;x&quot;"), "{document}");
    }
}
