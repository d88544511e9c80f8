//! memleak-exporter: which program leaks memory, how sure that is, and why.
//!
//! Data flows one way, driven by [`sampler`], the only loop:
//! [`source`] (on [`parse`]) → [`sample`] of an [`entity`] → [`group`] → [`history`] → [`detector`] (one of each a
//! life, in [`watch`]) → [`rollup`] → [`selection`] → [`snapshot`] → [`exposition`] | [`http`].
//! [`backtest`] has the same lives judge what was recorded.
//! [`resources`] are what processes hold besides memory, counted, and judged by the same detector.
//! [`cli`] turns flags into [`config`], and [`rules`] are what the configuration file says; [`mod@file`] and [`yaml`] read our
//! own files; [`human`] words numbers; [`systemd`] is told how it goes.

#![forbid(unsafe_code)]

pub mod backtest;
pub mod cli;
pub mod config;
pub mod detector;
pub mod entity;
pub mod exposition;
pub mod file;
pub mod glob;
pub mod group;
pub mod history;
pub mod http;
pub mod human;
pub mod log;
pub mod maps;
pub mod parse;
pub mod pool;
pub mod resources;
pub mod rollup;
pub mod rules;
pub mod sample;
pub mod sampler;
pub mod selection;
pub mod snapshot;
pub mod source;
pub mod state;
pub mod systemd;
pub mod wall_clock;
pub mod watch;
pub mod yaml;

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use rustix::process::{Resource, getrlimit};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

use config::Config;
use exposition::SelfMetrics;
use http::{App, LiveSettings, Reloader};
use rules::LiveRules;
use sampler::{Moment, Sampler};
use snapshot::Published;
use state::Keeper;

/// Why the exporter could not start, or ended by itself.
#[derive(Debug, Error)]
pub enum Error {
    /// The configuration file can't be read or makes no sense.
    #[error(transparent)]
    Rules(#[from] rules::RulesError),
    /// The web configuration file, or one that it names, can't be read or makes no sense.
    #[error(transparent)]
    WebFile(#[from] http::WebFileError),
    /// The watched system is not where it should be.
    #[error(transparent)]
    Source(#[from] source::SourceError),
    /// An address can't be listened on.
    #[error(transparent)]
    Listen(#[from] http::ListenError),
    /// The metrics about ourselves contradict each other.
    #[error(transparent)]
    SelfMetrics(#[from] exposition::SelfMetricsError),
    /// The system gives us no thread, timer or signal.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    /// The sampler is gone, and with it everything there is to serve.
    #[error("the sampler ended unexpectedly; the log says why")]
    SamplerEnded,
}

/// Runs the exporter until SIGTERM or SIGINT.
///
/// # Errors
/// When it can't start; the message says what to type instead.
pub fn run(config: Config) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let rules = Arc::new(LiveRules::new(config.rules.file.as_deref())?);
        let self_metrics = Arc::new(self_metrics(&config)?);
        let web_file = config.web.config_file.as_deref();
        let settings = Arc::new(LiveSettings::new(web_file, Arc::clone(&self_metrics))?);
        let reloader = Reloader { rules: Arc::clone(&rules), settings };
        // Sockets before sources: who can't be scraped need not sample.
        let listeners = http::bind(&config.web.listen).await?;
        let signals = Signals::new()?;
        let sources = source::all(&config.sources, config.sampler.interval)?;
        let (sampler, selection) = (config.sampler.clone(), config.selection.clone());
        let sampler = Sampler::new(sampler, selection, rules, sources);
        let sampler = match Keeper::open(&config.state, source::boot_id(&config.sources.roots))? {
            Some(keeper) => sampler.keeping(keeper, Moment::now()),
            None => sampler,
        };
        let published = Arc::new(Published::default());
        let app = App::new(&config.web, reloader.clone(), Arc::clone(&published), self_metrics);
        announce(&config, &reloader.settings, &listeners);
        serve(listeners, app, sampler, published, signals, &reloader).await
    });
    // The end does not wait for passwords that are still being compared.
    runtime.shutdown_background();
    outcome
}

fn self_metrics(config: &Config) -> Result<SelfMetrics, exposition::SelfMetricsError> {
    let metrics = SelfMetrics::new()?;
    if config.web.config_file.is_some() { metrics.with_web_config() } else { Ok(metrics) }
}

fn announce(config: &Config, settings: &LiveSettings, listeners: &[TcpListener]) {
    let interval = humantime::format_duration(config.sampler.interval).to_string();
    let tls = settings.current().has_tls();
    for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
        tracing::info!(%address, tls, interval, version = env!("CARGO_PKG_VERSION"), "listening");
    }
    if config.sampler.time_lapse != 1 {
        let factor = config.sampler.time_lapse;
        tracing::warn!(factor, "time lapse: one second counts as many; for demonstrations and tests only");
    }
}

/// What others may tell us to do.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The name of the signal that ends us. Until it comes, SIGHUP reloads the configuration files.
    async fn end(&mut self, reloader: &Reloader) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                // How that went, the log says; but not that there was nothing to do.
                _ = self.hang_up.recv() => if let Err(error) = reloader.reload() && error.is_of_no_file() {
                    tracing::warn!(%error, "SIGHUP");
                },
            }
        }
    }
}

/// Descriptors that are not for connections: what is listened on and watched, and what the sources read, which is as many
/// directories as cgroups are deep.
const RESERVED_DESCRIPTORS: u64 = 96;

/// No more connections at once than leave the sources what they read with; where there are very few descriptors, half of
/// them all the same.
fn within_descriptors(usual: http::Limits) -> http::Limits {
    let all = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let free = all.saturating_sub(RESERVED_DESCRIPTORS).max(all / 2);
    let connections = usize::try_from(free).unwrap_or(usize::MAX).clamp(1, usual.connections);
    if connections < usual.connections {
        tracing::warn!(
            descriptors = all,
            connections,
            "fewer connections are served at once than usual: raise the limit on descriptors (ulimit -n)"
        );
    }
    http::Limits { connections, ..usual }
}

/// Samples on a thread of its own and answers on this one, until a signal or the sampler's end.
async fn serve(
    listeners: Vec<TcpListener>,
    app: App,
    sampler: Sampler,
    published: Arc<Published>,
    mut signals: Signals,
    reloader: &Reloader,
) -> Result<(), Error> {
    let (stop, stopped) = mpsc::channel();
    let (alive, mut ended) = oneshot::channel::<()>();
    let publishing = Arc::clone(&published);
    let thread = thread::Builder::new().name("sampler".to_string()).spawn(move || {
        let _ends_with_the_thread = alive;
        sampler.run(&publishing, &stopped);
    })?;
    systemd::ready();
    let mut outcome = Ok(());
    let shutdown = async {
        tokio::select! {
            signal = signals.end(reloader) => tracing::info!(signal, "draining"),
            _ = &mut ended => outcome = Err(Error::SamplerEnded),
            never = systemd::watchdog(&published) => match never {},
        }
        systemd::stopping();
    };
    let limits = within_descriptors(http::Limits::default());
    let drain = limits.drain;
    http::serve(listeners, app, shutdown, limits).await;
    outcome?;
    drop(stop);
    if timeout(drain, ended).await.is_err() {
        tracing::warn!(
            "the sampler waits for a read, or the state for a write, that does not end; leaving it"
        );
        return Ok(());
    }
    thread.join().map_err(|_| Error::SamplerEnded)
}
