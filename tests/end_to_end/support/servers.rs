//! Servers of this and of other projects, on free ports.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{self, Response};
use super::process::{Process, Program};
use super::speed::faster;
use super::tool;
use super::wait::until;

/// A process that answers HTTP at an address.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// Time from its start to its first answer.
    pub(crate) start_up: Duration,
}

impl Server {
    /// Starts a process that is to listen at the address it is given, until `ready` answers 200. Between looking for
    /// a free port and listening to it, somebody else may take it: then the process ends, and is started again.
    pub(crate) fn start(ready: &str, start: impl Fn(SocketAddr) -> Process) -> Server {
        let is_ready = |address| http::get(address, ready).is_ok_and(|response| response.status == 200);
        Server::start_when(is_ready, start)
    }

    /// The same until `is_ready` says so.
    pub(crate) fn start_when(
        is_ready: impl Fn(SocketAddr) -> bool,
        start: impl Fn(SocketAddr) -> Process,
    ) -> Server {
        for _ in 0..ATTEMPTS {
            let address = free_address();
            let started = Instant::now();
            let mut process = start(address);
            let answers = until("a server to answer", START_UP, || {
                if process.exited().is_some() {
                    return Some(false);
                }
                is_ready(address).then_some(true)
            });
            // Or somebody else answered.
            let answers = answers && process.exited().is_none();
            if answers {
                return Server { process, address, start_up: started.elapsed() };
            }
            println!("a server ended at once:\n{}", process.stderr());
        }
        panic!("a server did not start in {ATTEMPTS} attempts");
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        http::get(self.address, path)
            .unwrap_or_else(|error| panic!("GET {path}: {error}\n{}", self.process.stderr()))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let response = self.get(path);
        serde_json::from_str(&response.body)
            .unwrap_or_else(|error| panic!("GET {path}: {error}: {response:?}"))
    }
}

const ATTEMPTS: usize = 3;
const START_UP: Duration = Duration::from_secs(30);

/// An address that nobody listens at, and that no other test of this process is given.
fn free_address() -> SocketAddr {
    static GIVEN: Mutex<BTreeSet<SocketAddr>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        if GIVEN.lock().expect("no holder panics").insert(address) {
            return address;
        }
    }
}

/// Prometheus and Alertmanager with this repository's configuration, `factor` times as fast.
pub(crate) struct Alerting {
    pub(crate) prometheus: Server,
    _alertmanager: Server,
}

impl Alerting {
    /// `None` where the programs are missing and the test is to be skipped.
    pub(crate) fn start(target: SocketAddr, webhook: SocketAddr, factor: u64) -> Option<Alerting> {
        tool(&["prometheus"])?;
        let alertmanager = tool(&["prometheus-alertmanager", "alertmanager"])?;

        let config = faster(&repository_file("alerts/alertmanager.yml"), factor);
        let url =
            config.lines().find_map(|line| line.trim().strip_prefix("- url: ")).expect("the webhook's URL");
        let config = config.replace(url, &format!("http://{webhook}/"));
        let alertmanager = Server::start("/-/ready", |address| {
            let program = Program::new(&alertmanager);
            let directory = program.directory().to_path_buf();
            write(&directory.join("config.yml"), &config);
            program
                .arg(format!("--config.file={}", directory.join("config.yml").display()))
                .arg(format!("--storage.path={}", directory.join("data").display()))
                .arg(format!("--web.listen-address={address}"))
                .args(&["--cluster.listen-address=", "--log.level=warn"])
                .start()
        });

        let rules = faster(&repository_file("alerts/memleak.rules.yml"), factor);
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [rules.yml]\n\
             alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{}'] }}] }}] }}\n\
             scrape_configs: [{{ job_name: e2e, static_configs: [{{ targets: ['{target}'] }}] }}]\n",
            alertmanager.address
        );
        let prometheus = prometheus(&config, &rules)?;
        Some(Alerting { prometheus, _alertmanager: alertmanager })
    }

    /// The state of an alert, if it is pending or firing, for this value of a label.
    pub(crate) fn state(&self, alert: &str, label: &str, value: &str) -> Option<String> {
        let answer = self.prometheus.json("/api/v1/alerts");
        let alerts = answer["data"]["alerts"].as_array().expect("a list of alerts");
        let found =
            alerts.iter().find(|one| one["labels"]["alertname"] == alert && one["labels"][label] == value)?;
        found["state"].as_str().map(str::to_string)
    }
}

/// A Prometheus with this configuration and these rules, in `rules.yml`. `None` where a test is to be skipped.
pub(crate) fn prometheus(config: &str, rules: &str) -> Option<Server> {
    let prometheus = tool(&["prometheus"])?;
    Some(Server::start("/-/ready", |address| {
        let program = Program::new(&prometheus);
        let directory = program.directory().to_path_buf();
        write(&directory.join("rules.yml"), rules);
        write(&directory.join("config.yml"), config);
        program
            .arg(format!("--config.file={}", directory.join("config.yml").display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .start()
    }))
}

fn repository_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
