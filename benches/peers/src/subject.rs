//! One of those measured, running: how it is made to do its work once, and what it says of that.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use thiserror::Error;

use crate::child::Running;
use crate::contenders::{Contender, Id};
use crate::load::LoadError;
use crate::probe::ProbeError;
use crate::scrape::{self, Form, ScrapeError, Scraper};
use crate::trace::TraceError;

/// Nobody needs so long to start, or for a tick.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something can't be measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// A program can't be started or talked to.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A scrape failed.
    #[error(transparent)]
    Scrape(#[from] ScrapeError),
    /// The kernel does not say what was used.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// There is no load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// System calls can't be counted.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// It is one contender's.
    #[error("{name}: {cause}")]
    Of {
        /// Whose.
        name: &'static str,
        /// What.
        #[source]
        cause: Box<MeasureError>,
    },
    /// It never said anything of use.
    #[error("there was no useful scrape within {} s", PATIENCE.as_secs())]
    Useless,
    /// It ended.
    #[error("it has ended by itself")]
    Ended,
    /// The exporter does not tick any more.
    #[error("it did not tick")]
    NoTick,
}

/// A contender that runs.
#[derive(Debug)]
pub struct Subject {
    is_ours: bool,
    running: Running,
    way: Way,
}

/// How to have it do its work.
#[derive(Debug)]
enum Way {
    /// Over HTTP; the exporter also works by itself.
    Scrape { scraper: Scraper, port: u16 },
    /// By a byte that it answers.
    Pipe { stdin: ChildStdin, stdout: ChildStdout },
}

/// What the exporter says of its own ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ticks {
    /// When the latest began, Unix seconds.
    pub latest: f64,
    /// Seconds from one to the next.
    pub interval: f64,
    /// Those that did not take place.
    pub skipped: f64,
}

impl Ticks {
    /// How many there have been since an earlier moment.
    pub fn since(&self, earlier: &Ticks) -> f64 {
        ((self.latest - earlier.latest) / self.interval).round() - (self.skipped - earlier.skipped)
    }

    fn parse(text: &str) -> Option<Ticks> {
        Some(Ticks {
            latest: scrape::value(text, "memleak_last_sample_timestamp_seconds")?,
            interval: scrape::value(text, "memleak_sample_interval_seconds")?,
            skipped: scrape::value(text, "memleak_ticks_skipped_total")?,
        })
    }
}

impl Subject {
    /// Starts it. Call it on the main thread, as [`Running::start`] says.
    pub fn start(contender: &Contender) -> Result<Subject, MeasureError> {
        let Contender { id, program, args, .. } = contender;
        let is_ours = contender.is_ours();
        if let Id::Floor(_) = id {
            let streams = [Stdio::piped(), Stdio::piped(), Stdio::inherit()];
            let mut running = Running::start(program, args, streams)?;
            let (stdin, stdout) = running.take_pipes().ok_or(MeasureError::Ended)?;
            return Ok(Subject { is_ours, running, way: Way::Pipe { stdin, stdout } });
        }
        // Free now; nobody else on the machine is likely to take it within milliseconds.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let args = args.iter().cloned().chain([Contender::listen(port)]);
        // Others write a line for each thing that they miss.
        let stderr = if is_ours { Stdio::inherit() } else { Stdio::null() };
        let running = Running::start(program, args, [Stdio::null(), Stdio::null(), stderr])?;
        Ok(Subject { is_ours, running, way: Way::Scrape { scraper: Scraper::new(port), port } })
    }

    /// Starts it, and says how long it took until it was of use; `None` where nothing can be asked of it.
    pub fn start_timed(contender: &Contender) -> Result<(Subject, Option<Duration>), MeasureError> {
        let begun = Instant::now();
        let mut subject = Subject::start(contender)?;
        let Way::Scrape { scraper, .. } = &mut subject.way else { return Ok((subject, None)) };
        while begun.elapsed() < PATIENCE {
            if scraper.scrape(Form::Plain).is_ok()
                && scraper.text().lines().any(|line| line.starts_with(contender.useful))
            {
                return Ok((subject, Some(begun.elapsed())));
            }
            if subject.running.has_ended() {
                return Err(MeasureError::Ended);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(MeasureError::Useless)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Where it listens, if it does.
    pub fn port(&self) -> Option<u16> {
        match self.way {
            Way::Scrape { port, .. } => Some(port),
            Way::Pipe { .. } => None,
        }
    }

    /// Has it stand still while others are measured.
    pub fn stand_still(&self) -> Result<(), MeasureError> {
        Ok(self.running.signal(Signal::STOP)?)
    }

    /// Has it go on.
    pub fn go_on(&self) -> Result<(), MeasureError> {
        Ok(self.running.signal(Signal::CONT)?)
    }

    /// Has it do its work once, or scrapes it once; how long that took.
    pub fn work(&mut self, form: Form) -> Result<Duration, MeasureError> {
        match &mut self.way {
            Way::Scrape { scraper, .. } => Ok(scraper.scrape(form)?),
            Way::Pipe { stdin, stdout } => {
                let (begun, mut byte) = (Instant::now(), [0]);
                stdin.write_all(&byte)?;
                stdout.read_exact(&mut byte)?;
                Ok(begun.elapsed())
            }
        }
    }

    /// What came with the last scrape.
    pub fn scraped(&self) -> Option<&Scraper> {
        match &self.way {
            Way::Scrape { scraper, .. } => Some(scraper),
            Way::Pipe { .. } => None,
        }
    }

    /// What the exporter says of its ticks; `None` of who has none of its own.
    pub fn ticks(&mut self) -> Result<Option<Ticks>, MeasureError> {
        match &mut self.way {
            Way::Scrape { scraper, .. } if self.is_ours => {
                scraper.scrape(Form::Plain)?;
                Ticks::parse(scraper.text()).ok_or(MeasureError::NoTick).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A moment in the middle between two ticks of the exporter, where none is cut in two; now, of all others.
    pub fn meet(&mut self, interval: Duration) -> Result<Instant, MeasureError> {
        let deadline = Instant::now() + PATIENCE + 8 * interval;
        let step = interval.mul_f64(0.02).max(Duration::from_millis(10));
        // After a halt the first tick comes at once, and only the next one in its time.
        for _ in 0..2 {
            let Some(before) = self.ticks()? else { break };
            while self.ticks()?.is_some_and(|now| now.latest == before.latest) {
                if Instant::now() > deadline {
                    return Err(MeasureError::NoTick);
                }
                thread::sleep(step);
            }
        }
        Ok(if self.is_ours { Instant::now() + interval / 2 } else { Instant::now() })
    }
}

/// Waits until that moment; not at all where it is over.
pub fn wait_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_counted_by_what_the_exporter_says() {
        let text = |latest: f64, skipped: u32| {
            format!(
                "memleak_last_sample_timestamp_seconds {latest}\nmemleak_sample_interval_seconds 2\n\
                 memleak_ticks_skipped_total {skipped}\n"
            )
        };
        let before = Ticks::parse(&text(1000.0, 1)).unwrap();
        assert_eq!(Ticks::parse(&text(1020.01, 1)).unwrap().since(&before), 10.0);
        assert_eq!(Ticks::parse(&text(1020.01, 4)).unwrap().since(&before), 7.0);
        assert_eq!(Ticks::parse("up 1\n"), None);
    }
}
