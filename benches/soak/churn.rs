//! Processes that come and go.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::load::pause;

/// Names that they go by: some are new to the exporter for a while, and then all are known.
const NAMES: u64 = 40;

/// Seconds that they live, in turn.
const LIVES: [&str; 5] = ["0.3", "0.7", "1.5", "4", "15"];

/// Starts processes until it is dropped, and then waits for none of them.
pub(crate) struct Churn {
    is_over: Arc<AtomicBool>,
    started: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Churn {
    /// So many a second, by links in `directory`.
    ///
    /// # Errors
    /// When no links can be made.
    pub(crate) fn start(directory: &Path, a_second: f64) -> io::Result<Churn> {
        let programs: Vec<PathBuf> =
            (0..NAMES).map(|number| directory.join(format!("soak-{number}"))).collect();
        programs.iter().try_for_each(|path| symlink("/bin/sleep", path))?;
        let (is_over, started) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ends, counts) = (Arc::clone(&is_over), Arc::clone(&started));
        let thread = thread::spawn(move || {
            let mut running = Vec::new();
            while !ends.load(Ordering::Relaxed) {
                let number = counts.fetch_add(1, Ordering::Relaxed);
                running.extend(begin(
                    &programs[(number % NAMES) as usize],
                    LIVES[(number % LIVES.len() as u64) as usize],
                ));
                running.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
                pause(Duration::from_secs_f64(1.0 / a_second));
            }
            running.iter_mut().for_each(end);
        });
        Ok(Churn { is_over, started, thread: Some(thread) })
    }

    /// How many there were.
    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One that could not be started is one less.
#[expect(clippy::disallowed_methods, reason = "the exporter starts no subprocess; it watches these")]
fn begin(program: &Path, seconds: &str) -> Option<Child> {
    Command::new(program).arg(seconds).spawn().ok()
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
