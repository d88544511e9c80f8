//! Programs that are started for the measurement, and that end with it: with the value that stands for one, and with this
//! process, however that ends.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};

/// A running program.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program with these streams, by way of [`exec_bound`]. Call it on the main thread: the death signal comes with
    /// the end of the thread that started the program.
    pub fn start(
        program: &Path,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        [stdin, stdout, stderr]: [Stdio; 3],
    ) -> io::Result<Running> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bound", &std::process::id().to_string()]).arg(program).args(args);
        let child = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn()?;
        Ok(Running { child })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it reads and says, once, where those are pipes.
    pub fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.child.stdin.take().zip(self.child.stdout.take())
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Has it stand still, or go on.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) -> io::Result<()> {
        self.child.wait().map(|_| ())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, and there is nobody to tell of anything else.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Becomes `program`, which is killed as soon as `parent` ends. Returns only why it could not.
pub fn exec_bound(parent: u32, program: &OsStr, args: &[impl AsRef<OsStr>]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have ended before we asked.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get().unsigned_abs() != parent) {
        return io::Error::other("the benchmark is gone");
    }
    Command::new(program).args(args).exec()
}
