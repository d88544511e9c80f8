//! What a client wants of what there is: `Accept` and `Accept-Encoding`, by RFC 9110, sections 12.4 and 12.5.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use crate::exposition::Format;

/// The form of the metrics that suits a client best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) format: Format,
    pub(super) content_type: &'static str,
    pub(super) gzip: bool,
}

impl Wanted {
    /// What `headers` ask for. Who wants nothing of what there is gets text: an answer is of more use than none.
    pub(super) fn of(headers: &HeaderMap) -> Wanted {
        let accepted = preferences(headers, ACCEPT);
        let mut best = (&TEXT, 0.0);
        for offer in &OFFERS {
            let quality = offer.quality(&accepted);
            if quality > best.1 {
                best = (offer, quality);
            }
        }
        let Offer { format, content_type, .. } = *best.0;
        Wanted { format, content_type, gzip: accepts_gzip(&preferences(headers, ACCEPT_ENCODING)) }
    }
}

/// A type of content that there is.
struct Offer {
    format: Format,
    media_type: &'static str,
    version: &'static str,
    content_type: &'static str,
    /// Ranges that mean it without naming it.
    wildcards: &'static [&'static str],
}

const OPEN_METRICS: &str = "application/openmetrics-text";

/// What comes first is preferred among equals. Only who names OpenMetrics understands it, so no wildcard means it.
const OFFERS: [Offer; 3] = [
    Offer {
        format: Format::OpenMetrics,
        media_type: OPEN_METRICS,
        version: "1.0.0",
        content_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
        wildcards: &[],
    },
    Offer {
        format: Format::OpenMetrics,
        media_type: OPEN_METRICS,
        version: "0.0.1",
        content_type: "application/openmetrics-text; version=0.0.1; charset=utf-8",
        wildcards: &[],
    },
    TEXT,
];

const TEXT: Offer = Offer {
    format: Format::Text,
    media_type: "text/plain",
    version: "0.0.4",
    content_type: "text/plain; version=0.0.4; charset=utf-8",
    wildcards: &["*/*", "text/*"],
};

impl Offer {
    /// That of the most specific range that means it; 0 is unwanted. Parameters other than the version do not matter.
    fn quality(&self, accepted: &[Preference]) -> f64 {
        let meant = accepted.iter().filter_map(|range| Some((self.specificity(range)?, range.quality)));
        let best = meant.reduce(|one, other| if other > one { other } else { one });
        best.map_or(0.0, |(_, quality)| quality)
    }

    fn specificity(&self, range: &Preference) -> Option<usize> {
        if range.name == self.media_type {
            return match &range.version {
                Some(version) => (version == self.version).then_some(3),
                None => Some(2),
            };
        }
        self.wildcards.iter().position(|wildcard| range.name == *wildcard)
    }
}

fn accepts_gzip(accepted: &[Preference]) -> bool {
    let of = |names: &[&str]| {
        let named = accepted.iter().find(|coding| names.contains(&coding.name.as_str()));
        let any = || accepted.iter().find(|coding| coding.name == "*");
        named.or_else(any).map_or(0.0, |coding| coding.quality)
    };
    let gzip = of(&["gzip", "x-gzip"]);
    gzip > 0.0 && gzip >= of(&["identity"])
}

/// One element of such a header: what is accepted, and how gladly.
struct Preference {
    name: String,
    version: Option<String>,
    quality: f64,
}

/// All elements of all headers of this name. One that is malformed asks for nothing.
fn preferences(headers: &HeaderMap, name: HeaderName) -> Vec<Preference> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| split(value, ',')).filter_map(preference).collect()
}

fn preference(element: &str) -> Option<Preference> {
    let mut parts = split(element, ';');
    let name = parts.next()?.trim().to_ascii_lowercase();
    let mut preference = Preference { name, version: None, quality: 1.0 };
    for (key, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            "q" => preference.quality = value.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?,
            "version" => preference.version = Some(value.to_string()),
            _ => {}
        }
    }
    Some(preference)
}

/// At separators that stand in no quotes. No type of content needs a quote within quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |char| {
        quoted ^= char == '"';
        char == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const V1: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const V0: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";
    const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

    fn wanted(name: HeaderName, values: &[&str]) -> Wanted {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_str(value).unwrap());
        }
        Wanted::of(&headers)
    }

    #[test]
    fn what_prometheus_sends_means_openmetrics() {
        for accept in [
            // 2.5 to 2.33
            "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            // 2.42
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            // 3, also with native histograms
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        ] {
            let wanted = wanted(ACCEPT, &[accept]);
            let expected = if accept.contains("version=1.0.0") { V1 } else { V0 };
            assert_eq!((wanted.format, wanted.content_type), (Format::OpenMetrics, expected), "{accept}");
        }
    }

    #[test]
    fn the_best_of_what_is_accepted_is_served() {
        for (accept, expected) in [
            (&[][..], PLAIN),
            (&[""], PLAIN),
            (&["*/*"], PLAIN),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], PLAIN),
            (&["application/json"], PLAIN),
            (&["application/*"], PLAIN),
            (&["application/openmetrics-text"], V1),
            (&["Application/OpenMetrics-Text ; Version = \"1.0.0\" ; Q=1.000"], V1),
            (&["application/openmetrics-text;charset=\"a,b;c\";version=0.0.1"], V0),
            (&["application/openmetrics-text; version=2.0.0"], PLAIN),
            (&["application/openmetrics-text; version=2.0.0, application/openmetrics-text;q=0.1"], V1),
            (&["application/openmetrics-text; q=0"], PLAIN),
            (&["application/openmetrics-text;q=0.3, text/plain;q=0.31"], PLAIN),
            (&["application/openmetrics-text;q=0.3, text/plain;q=0.3"], V1),
            (&["text/plain, application/openmetrics-text;q=0.9"], PLAIN),
            (&["text/*;q=0.5, application/openmetrics-text;q=0.4"], PLAIN),
            (&["*/*, application/openmetrics-text;q=0.9"], PLAIN),
            // The more specific range decides, whatever its quality.
            (&["text/plain;q=0.1, */*, application/openmetrics-text;q=0.2"], V1),
            (&["application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text;q=0.5"], V0),
            (&["text/plain", "application/openmetrics-text"], V1),
            // Malformed elements ask for nothing.
            (&["application/openmetrics-text;q=2, text/plain;q=0.1"], PLAIN),
            (&["application/openmetrics-text;q=NaN"], PLAIN),
            (&["application/openmetrics-text;q=much"], PLAIN),
            (&[",;,=;q=,application/openmetrics-text"], V1),
        ] {
            assert_eq!(wanted(ACCEPT, accept).content_type, expected, "{accept:?}");
        }
    }

    #[test]
    fn gzip_is_for_those_who_accept_it() {
        for (accept, expected) in [
            (&[][..], false),
            (&[""], false),
            (&["gzip"], true),
            (&["GZip;q=0.1"], true),
            (&["x-gzip"], true),
            (&["gzip, deflate, br, zstd"], true),
            (&["deflate", "gzip"], true),
            (&["*"], true),
            (&["gzip;q=0"], false),
            (&["gzip;q=0.000, *"], false),
            (&["*;q=0"], false),
            (&["identity"], false),
            (&["identity, gzip"], true),
            (&["identity, gzip;q=0.5"], false),
            (&["identity;q=0.5, *;q=0.6"], true),
            (&["br"], false),
            (&["gzip;q=x"], false),
        ] {
            assert_eq!(wanted(ACCEPT_ENCODING, accept).gzip, expected, "{accept:?}");
        }
    }

    proptest! {
        #[test]
        fn the_more_gladly_accepted_form_is_sent(open in 0..=1000_u32, text in 0..=1000_u32, order: bool) {
            let quality = |thousandths: u32| f64::from(thousandths) / 1000.0;
            let mut ranges = [
                format!("application/openmetrics-text;version=1.0.0;q={}", quality(open)),
                format!("text/plain;version=0.0.4;q={}", quality(text)),
            ];
            if order {
                ranges.reverse();
            }
            let expected = if open > 0 && open >= text { V1 } else { PLAIN };
            prop_assert_eq!(wanted(ACCEPT, &[&ranges.join(", ")]).content_type, expected);
            prop_assert_eq!(wanted(ACCEPT, &ranges.each_ref().map(String::as_str)).content_type, expected);
        }

        #[test]
        fn gzip_is_sent_where_it_is_no_less_welcome(gzip in 0..=1000_u32, identity in 0..=1000_u32) {
            let header = format!("br;q=1, gzip;q={}, identity;q={}", f64::from(gzip) / 1000.0, f64::from(identity) / 1000.0);
            prop_assert_eq!(wanted(ACCEPT_ENCODING, &[&header]).gzip, gzip > 0 && gzip >= identity);
        }
    }
}
