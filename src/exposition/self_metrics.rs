//! What the exporter says about itself: its own registry, apart from what it watches.

use prometheus::process_collector::ProcessCollector;
use prometheus::proto::{Metric as Gathered, MetricFamily, MetricType};
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use thiserror::Error;

use super::catalog::{self, Metric, MetricKind};
use super::format::Format;
use super::label::Labels;
use super::text::{Description, Writer, written};

/// The exporter's own figures.
#[derive(Debug)]
pub struct SelfMetrics {
    registry: Registry,
    requests: IntCounterVec,
    in_flight: IntGauge,
    connections_refused: IntCounter,
    connections_given_up: IntCounter,
    web_config_is_right: IntGauge,
    web_config_read: Gauge,
}

/// The registry of the exporter's own figures could not be built.
#[derive(Debug, Error)]
#[error("cannot set up the exporter's own metrics: {0}")]
pub struct SelfMetricsError(String);

impl From<prometheus::Error> for SelfMetricsError {
    fn from(error: prometheus::Error) -> SelfMetricsError {
        SelfMetricsError(error.to_string())
    }
}

impl SelfMetrics {
    /// All of them, at zero.
    ///
    /// # Errors
    /// When the prometheus crate refuses a name; the catalog decides that, not the environment.
    pub fn new() -> Result<SelfMetrics, SelfMetricsError> {
        let requests = IntCounterVec::new(opts(catalog::HTTP_REQUESTS), catalog::HTTP_REQUESTS.labels)?;
        let in_flight = IntGauge::with_opts(opts(catalog::HTTP_IN_FLIGHT))?;
        let connections_refused = IntCounter::with_opts(opts(catalog::HTTP_CONNECTIONS_REFUSED))?;
        let connections_given_up = IntCounter::with_opts(opts(catalog::HTTP_CONNECTIONS_GIVEN_UP))?;
        let web_config_is_right = IntGauge::with_opts(opts(catalog::WEB_CONFIG_RELOAD_SUCCESSFUL))?;
        let web_config_read = Gauge::with_opts(opts(catalog::WEB_CONFIG_RELOAD_TIMESTAMP))?;
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(connections_refused.clone()))?;
        registry.register(Box::new(connections_given_up.clone()))?;
        Ok(SelfMetrics {
            registry,
            requests,
            in_flight,
            connections_refused,
            connections_given_up,
            web_config_is_right,
            web_config_read,
        })
    }

    /// Tells of the web configuration file from now on.
    ///
    /// # Errors
    /// When it is told of already.
    pub fn with_web_config(self) -> Result<SelfMetrics, SelfMetricsError> {
        self.registry.register(Box::new(self.web_config_is_right.clone()))?;
        self.registry.register(Box::new(self.web_config_read.clone()))?;
        Ok(self)
    }

    /// The web configuration file was read at this time, in seconds since the epoch, and is in force.
    pub fn web_config_is_in_force(&self, unix_seconds: f64) {
        self.web_config_is_right.set(1);
        self.web_config_read.set(unix_seconds);
    }

    /// The web configuration file makes no sense; the one before stays in force.
    pub fn web_config_is_wrong(&self) {
        self.web_config_is_right.set(0);
    }

    /// Counts a request in until the result is dropped.
    pub fn begin_request(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answer.
    pub fn count_request(&self, handler: &'static str, code: u16) {
        if let Ok(counter) = self.requests.get_metric_with_label_values(&[handler, &code.to_string()]) {
            counter.inc();
        }
    }

    /// Counts a connection that was closed at once.
    pub fn count_refused_connection(&self) {
        self.connections_refused.inc();
    }

    /// Counts a connection that was closed for the sake of others.
    pub fn count_given_up_connection(&self) {
        self.connections_given_up.inc();
    }

    /// All of them, without [`Format::end`].
    pub fn render(&self, format: Format) -> String {
        written(format, |writer| {
            self.registry.gather().iter().for_each(|family| write_family(writer, family))
        })
    }
}

/// Writes a gathered family as one of ours is; nothing for types that the registry has none of.
fn write_family(writer: &mut Writer<'_>, gathered: &MetricFamily) {
    let kind = match gathered.get_field_type() {
        MetricType::COUNTER => MetricKind::Counter,
        MetricType::GAUGE => MetricKind::Gauge,
        _ => return,
    };
    let mut family = writer.family(Description { name: gathered.name(), help: gathered.help(), kind });
    for metric in gathered.get_metric() {
        let labels: Vec<_> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
        family.push(Labels::NONE, &labels, value(metric, kind));
    }
}

fn value(gathered: &Gathered, kind: MetricKind) -> f64 {
    match kind {
        MetricKind::Counter => gathered.get_counter().get_value(),
        MetricKind::Gauge => gathered.get_gauge().get_value(),
    }
}

fn opts(metric: Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

/// A request in work; counted out when dropped.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn none_is_lost_on_the_way_to_the_writer() {
        let metrics = SelfMetrics::new().unwrap();
        metrics.count_request("metrics", 200);
        let theirs = TextEncoder::new().encode_to_string(&metrics.registry.gather()).unwrap();
        assert_eq!(names(&metrics.render(Format::Text)), names(&theirs));
        assert!(names(&theirs).len() > 5, "{theirs}");
    }

    /// Values change from one look to the next.
    fn names(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect()
    }

    #[test]
    fn counts_and_describes_its_own_process() {
        let metrics = SelfMetrics::new().unwrap();
        metrics.count_request("metrics", 200);
        metrics.count_request("metrics", 200);
        metrics.count_refused_connection();
        let in_flight = metrics.begin_request();
        let text = metrics.render(Format::Text);
        assert!(text.contains("memleak_http_requests_total{code=\"200\",handler=\"metrics\"} 2\n"), "{text}");
        assert!(text.contains("memleak_http_connections_refused_total 1\n"), "{text}");
        assert!(text.contains("memleak_http_requests_in_flight 1\n"), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
        drop(in_flight);
        assert!(metrics.render(Format::Text).contains("memleak_http_requests_in_flight 0\n"));
    }
}
