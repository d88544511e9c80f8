//! Flags -> [`Task`]. The only user of clap; a wrong value gets one line that says what to type instead.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{
    BacktestConfig, CgroupsConfig, Config, Listen, ListenAddress, LogConfig, LogFormat, LogLevel,
    ProcessBackend, RootsConfig, RulesConfig, SamplerConfig, SelectionConfig, SourcesConfig, StateConfig,
    Wanted, WebConfig,
};
use crate::glob::Glob;

mod backtest;
mod generated;
mod usage;
mod values;

use backtest::BacktestArgs;
use usage::one_line;
use values::{
    RoutePrefix, Top, at_least_one, count, depth, duration, external_url, file, glob, interval,
    listen_address, percent, route_prefix, size, telemetry_path, threshold, time_lapse, top,
};

/// Where sysfs is unless --path.sysfs says otherwise.
const SYSFS: &str = "/sys";

const LONG_ABOUT: &str = "\
Watches the memory of this host, of its containers and services, of its processes and of groups of processes, and what \
processes hold besides (open files, threads, mappings), and scores from 0 to 100 how sure it is that one of them leaks. \
Serves that as Prometheus metrics, as JSON and as a web page.

It reads at an interval of its own (--sample.interval) and not when it is scraped: a leak score needs an evenly spaced \
history that does not depend on who scrapes.";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub enum Task {
    /// Run the exporter.
    Export(Box<Config>),
    /// Replay recordings.
    Backtest(BacktestConfig),
}

/// Why the command line gives no task.
#[derive(Debug, PartialEq, Eq)]
pub enum Exit {
    /// `--help`, `--version` or a subcommand that writes: text for standard output.
    Asked(String),
    /// One line for standard error: what is wrong, and what to type instead.
    Usage(String),
}

#[derive(Debug, Parser)]
#[command(name = "memleak-exporter", version, about = "Prometheus exporter that says which program leaks memory, how sure it is, and why", long_about = LONG_ABOUT)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where to listen: `:PORT`, `HOST:PORT` or `[::1]:PORT`; may be given several times
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":10054", value_parser = listen_address)]
    listen: Vec<ListenAddress>,
    /// Listen on the sockets that systemd hands over, and on no others
    #[arg(long = "web.systemd-socket", conflicts_with = "listen")]
    systemd_socket: bool,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = telemetry_path)]
    telemetry_path: String,
    /// Where clients reach the exporter through a proxy, such as `https://example.org/memleak/`
    #[arg(long = "web.external-url", value_name = "URL", value_parser = external_url)]
    external_url: Option<RoutePrefix>,
    /// Path that all others are below, as requests arrive here; by default that of --web.external-url
    #[arg(long = "web.route-prefix", value_name = "PATH", value_parser = route_prefix)]
    route_prefix: Option<RoutePrefix>,
    /// Most requests in work at once; 503 above it
    #[arg(long = "web.max-requests", value_name = "N", default_value = "40", value_parser = at_least_one)]
    max_requests: usize,
    /// Leave out metrics about the exporter itself (`process_*`, `memleak_http_*`)
    #[arg(long = "web.disable-exporter-metrics")]
    disable_exporter_metrics: bool,
    /// YAML file of Prometheus' exporter-toolkit: TLS, client certificates, users with passwords, headers, rate limit
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
    /// Allow `POST /-/reload`, which reads --config.file and --web.config.file again; SIGHUP does so in any case
    #[arg(long = "web.enable-lifecycle")]
    enable_lifecycle: bool,
    /// YAML file that says which processes form a group, whom not to watch, and what is known to grow
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Say whether --config.file and --web.config.file make sense, and end: exit code 0 if they do, 2 if not
    #[arg(long = "config.check")]
    config_check: bool,
    /// Time between two samples
    #[arg(long = "sample.interval", value_name = "DURATION", default_value = "15s", value_parser = interval)]
    interval: Duration,
    /// Most CPU that sampling may take, of one core; the interval stretches rather than exceed it
    #[arg(long = "sample.max-cpu", value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    max_cpu: f64,
    /// One second counts as N for history and detector: for demonstrations and tests
    #[arg(long = "sample.time-lapse", value_name = "N", default_value = "1", value_parser = time_lapse)]
    time_lapse: u32,
    /// An entity is suspect while its score is above this
    #[arg(long = "score.threshold", value_name = "SCORE", default_value = "60", value_parser = threshold)]
    threshold: f64,
    /// Processes with series of their own, by score and then by size, suspects besides; 0 is none, `all` every one
    #[arg(long = "process.top", value_name = "N", default_value = "50", value_parser = top)]
    top: Top,
    /// Don't track processes with less memory than this (anonymous and swap), nor what else they hold
    #[arg(long = "process.min-bytes", value_name = "SIZE", default_value = "0", value_parser = size)]
    min_bytes: u64,
    /// Don't track processes younger than this
    #[arg(long = "process.min-age", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    min_age: Duration,
    /// Most series of entities; 0 is no cap
    #[arg(long = "series.max", value_name = "N", default_value = "20000", value_parser = count)]
    max_series: usize,
    /// Most processes, cgroups and the like that are remembered; where there are more, the largest are, and what is suspected
    #[arg(long = "entities.max", value_name = "N", default_value = "30000", value_parser = at_least_one)]
    max_entities: usize,
    /// File in which history survives a restart; beside it are others with its name and .tmp, .lock or .bad
    #[arg(long = "state.file", value_name = "FILE", value_parser = file)]
    state_file: Option<PathBuf>,
    /// Time between two writes of --state.file, and so the most that can be lost; longer where it would be 1 GiB a day
    #[arg(long = "state.interval", value_name = "DURATION", default_value = "5m", requires = "state_file", value_parser = interval)]
    state_interval: Duration,
    /// Read the host's memory (the default)
    #[arg(long = "source.host", overrides_with = "no_host")]
    host: bool,
    /// Don't read the host's memory
    #[arg(long = "no-source.host", action = ArgAction::SetTrue)]
    no_host: bool,
    /// Read cgroups, and fail where there is none to read; by default they are read where the kernel accounts memory to them
    #[arg(long = "source.cgroup", overrides_with = "no_cgroup")]
    cgroup: bool,
    /// Don't read cgroups
    #[arg(long = "no-source.cgroup", action = ArgAction::SetTrue)]
    no_cgroup: bool,
    /// Watch cgroups whose path matches this alone, `*` for anything; may be given several times
    #[arg(long = "cgroup.include", value_name = "PATTERN", value_parser = glob)]
    cgroup_include: Vec<Glob>,
    /// Don't watch cgroups whose path matches this, nor what is below them; may be given several times, and then stands for the defaults
    #[arg(long = "cgroup.exclude", value_name = "PATTERN", default_values = ["*/session-*.scope", "*.mount", "*.swap"], value_parser = glob)]
    cgroup_exclude: Vec<Glob>,
    /// Levels of cgroups below the root that are looked at
    #[arg(long = "cgroup.max-depth", value_name = "N", default_value = "12", value_parser = depth)]
    cgroup_max_depth: usize,
    /// Read processes (the default)
    #[arg(long = "source.process", overrides_with = "no_process")]
    process: bool,
    /// Don't read processes
    #[arg(long = "no-source.process", action = ArgAction::SetTrue)]
    no_process: bool,
    /// Who reads processes: our own reader of /proc, or the sysinfo library (resident memory only)
    #[arg(long = "source.process.backend", value_name = "BACKEND", default_value = "procfs")]
    backend: ProcessBackend,
    /// Where procfs is mounted: `/host/proc` in a container with the host's /proc there
    #[arg(long = "path.procfs", value_name = "DIRECTORY", default_value = "/proc")]
    procfs: PathBuf,
    /// Where sysfs is mounted, with cgroups in fs/cgroup below it; must be there if it is given [default: /sys]
    #[arg(long = "path.sysfs", value_name = "DIRECTORY")]
    sysfs: Option<PathBuf>,
    /// Root of the watched system's files, for names of users and of pods
    #[arg(long = "path.rootfs", value_name = "DIRECTORY", default_value = "/")]
    rootfs: PathBuf,
    /// Least severe messages to log
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    log_level: LogLevel,
    /// Shape of log lines
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt")]
    log_format: LogFormat,
}

/// What to do instead of running the exporter.
#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Replay recorded memory through the detector
    #[command(long_about = backtest::LONG_ABOUT)]
    Backtest(BacktestArgs),
    /// Write a script that completes the flags in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual page, to be read with man -l or installed in man1
    Man,
}

/// The task that `args`, program name first, ask for.
///
/// # Errors
/// When they ask for help, or for something that can't be.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Task, Exit> {
    let args = Args::try_parse_from(args).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Asked(error.to_string()),
        _ => Exit::Usage(one_line(&error)),
    })?;
    match args.command {
        Some(Command::Backtest(args)) => args.into_config().map(Task::Backtest).map_err(Exit::Usage),
        Some(Command::Completions { shell }) => Err(generated::completions(shell)),
        Some(Command::Man) => Err(generated::manual()),
        None if args.no_host && args.no_process && args.no_cgroup => Err(Exit::Usage(
            "nothing to watch; leave out --no-source.host, --no-source.process or --no-source.cgroup"
                .to_string(),
        )),
        None if args.config_check && args.config_file.is_none() && args.web_config_file.is_none() => {
            let what = "there is nothing to check; give --config.file, --web.config.file or both, too";
            Err(Exit::Usage(what.to_string()))
        }
        None => Ok(Task::Export(Box::new(args.into_config()))),
    }
}

impl Args {
    fn into_config(self) -> Config {
        Config {
            sources: SourcesConfig {
                host: !self.no_host,
                cgroup: match (self.no_cgroup, self.cgroup || self.sysfs.is_some()) {
                    (true, _) => Wanted::Not,
                    (false, true) => Wanted::Surely,
                    (false, false) => Wanted::IfThere,
                },
                cgroups: CgroupsConfig {
                    include: self.cgroup_include,
                    exclude: self.cgroup_exclude,
                    max_depth: self.cgroup_max_depth,
                },
                process: !self.no_process,
                process_backend: self.backend,
                roots: RootsConfig {
                    procfs: self.procfs,
                    sysfs: self.sysfs.unwrap_or_else(|| PathBuf::from(SYSFS)),
                    rootfs: self.rootfs,
                },
            },
            rules: RulesConfig { file: self.config_file, check_only: self.config_check },
            sampler: SamplerConfig {
                interval: self.interval,
                max_cpu: self.max_cpu,
                time_lapse: self.time_lapse,
                threshold: self.threshold,
                min_bytes: self.min_bytes,
                min_age: self.min_age,
                max_entities: self.max_entities,
            },
            selection: SelectionConfig {
                top: self.top.0,
                max_series: (self.max_series > 0).then_some(self.max_series),
            },
            state: StateConfig { file: self.state_file, interval: self.state_interval },
            web: WebConfig {
                listen: if self.systemd_socket { Listen::Systemd } else { Listen::Addresses(self.listen) },
                telemetry_path: self.telemetry_path,
                route_prefix: self.route_prefix.or(self.external_url).unwrap_or_default().0,
                max_requests: self.max_requests,
                enable_lifecycle: self.enable_lifecycle,
                config_file: self.web_config_file,
                disable_exporter_metrics: self.disable_exporter_metrics,
            },
            log: LogConfig { level: self.log_level, format: self.log_format },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::ValueEnum as _;

    use super::*;
    use crate::config::{BacktestOutput, Input};

    fn task(args: &[&str]) -> Result<Task, Exit> {
        parse(["memleak-exporter"].iter().chain(args).map(OsString::from))
    }

    fn config(args: &[&str]) -> Result<Config, Exit> {
        match task(args)? {
            Task::Export(config) => Ok(*config),
            other => panic!("{args:?}: {other:?}"),
        }
    }

    fn usage(args: &[&str]) -> String {
        match task(args) {
            Err(Exit::Usage(line)) => line,
            other => panic!("{args:?}: {other:?}"),
        }
    }

    #[test]
    fn no_flags_are_needed() {
        let config = config(&[]).unwrap();
        assert_eq!(config.web.listen, Listen::Addresses(vec![ListenAddress::Any(10_054)]));
        assert_eq!(config.sampler.interval, Duration::from_secs(15));
        assert_eq!(config.sampler.max_cpu, 0.05);
        assert_eq!(config.sampler.max_entities, 30_000);
        assert_eq!(config.selection, SelectionConfig { top: Some(50), max_series: Some(20_000) });
        assert!(config.sources.host && config.sources.process);
    }

    #[test]
    fn flags_mean_what_they_say() {
        let config = config(&[
            "--web.listen-address=127.0.0.1:1",
            "--web.listen-address=[::1]:2",
            "--web.listen-address=localhost:3",
            "--sample.interval=250ms",
            "--process.top=all",
            "--process.min-bytes=10MiB",
            "--series.max=0",
            "--entities.max=500",
            "--no-source.host",
            "--log.format=json",
        ])
        .unwrap();
        let Listen::Addresses(addresses) = config.web.listen else { panic!("{:?}", config.web.listen) };
        assert_eq!(addresses.len(), 3);
        assert_eq!(addresses[2], ListenAddress::Name("localhost".to_string(), 3));
        assert_eq!(config.sampler.interval, Duration::from_millis(250));
        assert_eq!(config.selection, SelectionConfig { top: None, max_series: None });
        assert_eq!(config.sampler.min_bytes, 10 * 1024 * 1024);
        assert_eq!(config.sampler.max_entities, 500);
        assert!(!config.sources.host);
        assert_eq!(config.log.format, LogFormat::Json);
    }

    #[test]
    fn what_is_wrong_gets_one_line_that_says_what_to_type() {
        for (args, expected) in [
            (
                &["--sample.intervall=1s"][..],
                "unknown flag --sample.intervall; did you mean --sample.interval?",
            ),
            (&["--nonsense"], "unknown argument --nonsense; --help lists the flags"),
            (
                &["--sample.interval=15"],
                "--sample.interval=15 is not possible: use a number with a unit, such as 250ms, 15s or 5m",
            ),
            (
                &["--sample.interval=1ms"],
                "--sample.interval=1ms is not possible: use a time from 100ms to 1h",
            ),
            (
                &["--sample.max-cpu=200%"],
                "--sample.max-cpu=200% is not possible: use a share of one core from 0.1% to 100%",
            ),
            (
                &["--score.threshold=100"],
                "--score.threshold=100 is not possible: use a number from 0 up to, but not including, 100",
            ),
            (&["--process.top=most"], "--process.top=most is not possible: use a whole number or all"),
            (
                &["--web.listen-address=9090"],
                "--web.listen-address=9090 is not possible: use :PORT, HOST:PORT or [::1]:PORT with a port from 0 to 65535",
            ),
            (
                &["--web.telemetry-path=metrics"],
                "--web.telemetry-path=metrics is not possible: use a path such as /metrics, of letters, digits and -_.~, and not /, /style.css, /api/… or /-/…",
            ),
            (&["--log.level=loud"], "--log.level=loud is not possible; use one of: debug, info, warn, error"),
            (
                &["--state.file=/var/lib/"],
                "--state.file=/var/lib/ is not possible: use the path of a file, such as /var/lib/memleak-exporter/state",
            ),
            (&["--no-source.host=false"], "--no-source.host takes no value"),
            (
                &["--sample.time-lapse=abc"],
                "--sample.time-lapse=abc is not possible: use a whole number from 1 to 100000",
            ),
            (&["--series.max=-1"], "--series.max=-1 is not possible: use a whole number; 0 is no cap"),
            (&["--entities.max=0"], "--entities.max=0 is not possible: use a whole number from 1"),
            (
                &["--no-source.host", "--no-source.process", "--no-source.cgroup"],
                "nothing to watch; leave out --no-source.host, --no-source.process or --no-source.cgroup",
            ),
            (
                &["--config.check"],
                "there is nothing to check; give --config.file, --web.config.file or both, too",
            ),
            (&["extra"], "unknown argument extra; --help lists the flags"),
            (
                &["--web.systemd-socket", "--web.listen-address=:1"],
                "--web.systemd-socket and --web.listen-address <ADDRESS> exclude each other; give one of them",
            ),
        ] {
            assert_eq!(usage(args), expected);
        }
        for args in [
            &["--log.level"][..],
            &["--sample.time-lapse=0"],
            &["--sample.interval=1s", "--sample.interval=2s"],
        ] {
            assert_eq!(usage(args).lines().count(), 1, "{}", usage(args));
        }
    }

    #[test]
    fn systemd_takes_the_place_of_every_address() {
        assert_eq!(config(&["--web.systemd-socket"]).unwrap().web.listen, Listen::Systemd);
    }

    #[test]
    fn the_route_prefix_is_that_of_the_external_url_unless_given() {
        for (args, expected) in [
            (&[][..], ""),
            (&["--web.external-url=https://example.org"], ""),
            (&["--web.external-url=https://example.org/"], ""),
            (&["--web.external-url=http://[::1]:80/a/b/"], "/a/b"),
            (&["--web.external-url=http://h/a", "--web.route-prefix=/"], ""),
            (&["--web.external-url=http://h/a", "--web.route-prefix=b"], "/b"),
            (&["--web.route-prefix=/c/"], "/c"),
        ] {
            assert_eq!(config(args).unwrap().web.route_prefix, expected, "{args:?}");
        }
        for url in [
            "/a",
            "example.org/a",
            "ftp://h/",
            "http://",
            "http:///a",
            "http://h/a?b",
            "http://h/\"",
            "http://a b/",
        ] {
            let expected = "is not possible: use a URL such as https://example.org/memleak/, without a query";
            assert_eq!(
                usage(&[&format!("--web.external-url={url}")]),
                format!("--web.external-url={url} {expected}")
            );
        }
        assert!(
            usage(&["--web.route-prefix=/<a>"])
                .ends_with("use a path such as /memleak, of letters, digits and -_.~")
        );
    }

    #[test]
    fn subcommands_write_what_is_made_of_the_flags() {
        for shell in Shell::value_variants() {
            let shell = shell.to_string();
            let Err(Exit::Asked(script)) = config(&["completions", &shell]) else { panic!("{shell}") };
            assert!(script.contains("sample.interval") && script.contains("summary"), "{shell}: {script}");
        }
        let Err(Exit::Asked(page)) = config(&["man"]) else { panic!("no manual page") };
        assert!(page.starts_with(".ie") && page.contains("\\-\\-sample.interval"), "{page}");
        assert!(
            page.contains(".SH BACKTEST\n") && page.contains("\\fBmemleak\\-exporter backtest\\fR"),
            "{page}"
        );
        assert!(page.contains("\\-\\-summary") && page.contains("limit_bytes, start_time"), "{page}");
    }

    #[test]
    fn recordings_are_replayed_in_order() {
        let expected = BacktestConfig {
            inputs: vec![Input::File("b.csv".into()), Input::Stdin, Input::File("a.csv.gz".into())],
            output: BacktestOutput::Json,
            summary: true,
            threshold: 70.0,
        };
        let flags =
            ["backtest", "--output=json", "--summary", "--score.threshold=70", "b.csv", "-", "a.csv.gz"];
        assert_eq!(task(&flags), Ok(Task::Backtest(expected)));
        let Ok(Task::Backtest(usual)) = task(&["backtest", "a.csv"]) else { panic!("no backtest") };
        assert_eq!((usual.output, usual.summary, usual.threshold), (BacktestOutput::Table, false, 60.0));
    }

    #[test]
    fn wrong_subcommands_get_one_line_too() {
        for (args, expected) in [
            (&["completion", "bash"][..], "unknown command completion; did you mean completions?"),
            (
                &["completions", "csh"],
                "SHELL=csh is not possible; use one of: bash, elvish, fish, powershell, zsh",
            ),
            (&["completions"], "SHELL is missing; --help after the command says what it may be"),
            (
                &["--log.level=info", "man"],
                "--log.level <LEVEL> is for running the exporter; leave it out here",
            ),
            (&["backtest"], "FILE.csv is missing; --help after the command says what it may be"),
            (&["backtest", "-", "-"], "standard input can be read only once; give - once"),
            (&["backtest", "--output=xml", "a.csv"], "--output=xml is not possible; use one of: table, json"),
            (&["backtest", "--sumary", "a.csv"], "unknown flag --sumary; did you mean --summary?"),
            (
                &["backtest", "--prometheus.url=http://h/"],
                "unknown argument --prometheus.url; --help lists the flags",
            ),
            (&["man", "extra"], "unknown argument extra; --help lists the flags"),
        ] {
            assert_eq!(usage(args), expected, "{args:?}");
        }
    }

    #[test]
    fn help_is_no_error() {
        assert!(matches!(config(&["--help"]), Err(Exit::Asked(text)) if text.contains("--sample.interval")));
        assert!(matches!(config(&["--version"]), Err(Exit::Asked(_))));
    }
}
