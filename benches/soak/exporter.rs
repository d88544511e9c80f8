//! The exporter, and what it takes, as the kernel tells.

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::load::pause;

const MIB: f64 = 1_048_576.0;

/// How long it may take to start.
const START_UP: Duration = Duration::from_secs(20);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A running exporter, which ends with this.
pub(crate) struct Exporter {
    child: Child,
    address: SocketAddr,
    configuration: PathBuf,
}

/// What it takes at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Bytes in physical memory.
    pub(crate) resident: u64,
    /// Connections and where they are accepted.
    pub(crate) sockets: u64,
    /// Open files of processes that it watches.
    pub(crate) of_processes: u64,
    /// All other descriptors.
    pub(crate) others: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// Share of one core since the start.
    cpu: f64,
}

impl Exporter {
    /// Starts `program` with its configuration file and its state in `directory` and waits for its first sample.
    ///
    /// # Errors
    /// When it does not start.
    #[expect(clippy::disallowed_methods, reason = "the exporter starts no subprocess; here it is one")]
    pub(crate) fn start(program: &Path, directory: &Path, time_lapse: u32) -> io::Result<Exporter> {
        let configuration = directory.join("memleak.yml");
        fs::write(&configuration, "")?;
        // Free for as long as nobody else takes it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--sample.time-lapse={time_lapse}"))
            .arg(format!("--state.file={}", directory.join("state").display()))
            .args([
                "--sample.interval=250ms",
                "--state.interval=5s",
                "--web.enable-lifecycle",
                "--log.level=error",
                "--process.top=all",
            ])
            .stderr(Stdio::null())
            .spawn()?;
        let exporter = Exporter { child, address, configuration };
        let began = Instant::now();
        while !exporter.get("/-/ready").is_ok_and(|answer| answer.contains(" 200 ")) {
            if began.elapsed() > START_UP {
                return Err(io::Error::other("the exporter is not ready"));
            }
            pause(Duration::from_millis(100));
        }
        Ok(exporter)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes this as its configuration file and has it read.
    pub(crate) fn reload(&self) -> impl Fn(&str) -> io::Result<()> + Send + use<> {
        let (path, pid) = (self.configuration.clone(), Pid::from_child(&self.child));
        move |text| {
            fs::write(&path, text)?;
            Ok(kill_process(pid, Signal::HUP)?)
        }
    }

    /// The whole answer to a request, head and body.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn get(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(ANSWER))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The score that it gives itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn own_score(&self) -> io::Result<Option<f64>> {
        let series = format!("memleak_process_leak_score{{pid=\"{}\",", self.child.id());
        let metrics = self.get("/metrics")?;
        let line = metrics.lines().find(|line| line.starts_with(&series));
        Ok(line.and_then(|line| line.rsplit(' ').next()?.parse().ok()))
    }

    /// What it takes now.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn figures(&self) -> io::Result<Figures> {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = fs::read_to_string(proc.join("status"))?;
        let number = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key))?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        let mut figures = Figures {
            resident: number("VmRSS:").ok_or(io::ErrorKind::InvalidData)? * 1024,
            sockets: 0,
            of_processes: 0,
            others: 0,
            threads: number("Threads:").ok_or(io::ErrorKind::InvalidData)?,
            cpu: share_of_cpu(&fs::read_to_string(proc.join("stat"))?).ok_or(io::ErrorKind::InvalidData)?,
        };
        for descriptor in fs::read_dir(proc.join("fd"))? {
            // Closed meanwhile.
            let Ok(target) = fs::read_link(descriptor?.path()) else { continue };
            match target.to_string_lossy() {
                target if target.starts_with("socket:") => figures.sockets += 1,
                target if target.starts_with("/proc/") => figures.of_processes += 1,
                _ => figures.others += 1,
            }
        }
        Ok(figures)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended, and there is nobody to tell of anything else.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { resident, sockets, of_processes, others, threads, cpu } = self;
        write!(
            f,
            "{:.2} | {sockets} | {of_processes} | {others} | {threads} | {:.1}",
            *resident as f64 / MIB,
            cpu * 100.0
        )
    }
}

/// CPU time by the time since the start (proc_pid_stat(5), fields 14, 15 and 22).
fn share_of_cpu(stat: &str) -> Option<f64> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let fields: Vec<f64> =
        stat.rsplit(')').next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let (used, start) = (fields.get(10)? + fields.get(11)?, fields.get(18)?);
    let uptime: f64 = fs::read_to_string("/proc/uptime").ok()?.split(' ').next()?.parse().ok()?;
    Some(used / ticks / (uptime - start / ticks).max(1.0))
}
