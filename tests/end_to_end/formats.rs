//! Whether the readers of others understand the metrics in every form, and the same by each.

mod families;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::http::{self, Responder};
use crate::support::process::Program;
use crate::support::servers::{Server, prometheus};
use crate::support::wait::{SOON, until};
use crate::support::{exporter, exporter_of_fixtures, python};

#[test]
fn a_strict_parser_reads_the_same_in_every_form() {
    let exporter = exporter_of_fixtures(&[]);
    if let Some(count) = samples_read(&exporter, &["--constant"]) {
        assert!(count > 100, "{count}");
    }
}

#[test]
fn a_strict_parser_reads_what_the_exporter_says_about_itself() {
    let exporter = exporter(&["--sample.interval=1h", "--no-source.process"]);
    until("the first sample", SOON, || (exporter.get("/-/ready").status == 200).then_some(()));
    // The first scrape of all is the one that is not yet counted in any series.
    exporter.get("/metrics");
    if let Some(count) = samples_read(&exporter, &[]) {
        assert!(count > 40, "{count}");
    }
}

/// How many samples Python's library found; `None` where the test is to be skipped.
pub(crate) fn samples_read(exporter: &Server, flags: &[&str]) -> Option<usize> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/support/read_metrics.py");
    let url = format!("http://{}/metrics", exporter.address);
    let mut reader = Program::new(python()?).arg(script).arg(url).args(flags).start();
    assert_eq!(reader.exit_code(SOON), Some(0), "{}", reader.stderr());
    Some(reader.stdout().trim().parse().unwrap())
}

/// Prometheus asks for OpenMetrics and gzip. To make it read text, there is somebody in between who does not.
#[test]
fn prometheus_stores_the_same_from_either_format() {
    let exporter = exporter_of_fixtures(&[]);
    let address = exporter.address;
    let plain = Responder::start(move |_| http::get(address, "/metrics").unwrap().body);
    let jobs = [("open", address), ("text", plain.address())]
        .map(|(job, target)| format!("{{ job_name: {job}, static_configs: [{{ targets: ['{target}'] }}] }}"))
        .join(", ");
    let config = format!("global: {{ scrape_interval: 1s }}\nscrape_configs: [{jobs}]\n");
    let Some(prometheus) = prometheus(&config, "") else { return };

    let total = |job| stored(&prometheus, job).get("memleak_host_memory_total_bytes{}").cloned();
    let within = Duration::from_secs(30);
    let found = until("both scrapes", within, || total("open").zip(total("text")));
    assert_eq!(found, ("16708005888".to_string(), "16708005888".to_string()));
    let (open, text) = (stored(&prometheus, "open"), stored(&prometheus, "text"));
    assert_eq!(open, text);
    assert!(open.len() > 100, "{open:#?}");
    // Only OpenMetrics says the unit.
    let units = ["open", "text"].map(|job| unit(&prometheus, job, "memleak_host_memory_total_bytes"));
    assert_eq!(units, ["bytes", ""]);
}

/// Value by series, all that a job has of ours.
fn stored(prometheus: &Server, job: &str) -> BTreeMap<String, String> {
    let query = encoded(&format!("{{__name__=~\"memleak_.+\", job=\"{job}\"}}"));
    let answer = prometheus.json(&format!("/api/v1/query?query={query}"));
    let series = answer["data"]["result"].as_array().unwrap().iter().map(|series| {
        let mut labels = series["metric"].as_object().unwrap().clone();
        let name = labels.remove("__name__").unwrap();
        labels.retain(|label, _| label != "job" && label != "instance");
        let labels = if labels.is_empty() { "{}".to_string() } else { format!("{labels:?}") };
        (format!("{}{labels}", name.as_str().unwrap()), series["value"][1].as_str().unwrap().to_string())
    });
    series.collect()
}

fn unit(prometheus: &Server, job: &str, metric: &str) -> String {
    let target = encoded(&format!("{{job=\"{job}\"}}"));
    let answer = prometheus.json(&format!("/api/v1/targets/metadata?metric={metric}&match_target={target}"));
    answer["data"][0]["unit"].as_str().unwrap().to_string()
}

fn encoded(query: &str) -> String {
    form_urlencoded::byte_serialize(query.as_bytes()).collect()
}
