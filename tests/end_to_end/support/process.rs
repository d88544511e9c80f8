//! Programs that are started for a test and do not outlive it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::wait::until;

/// A command line to be.
pub(crate) struct Program {
    command: Command,
    stdin: Stdio,
    directory: TempDir,
}

impl Program {
    #[expect(
        clippy::disallowed_methods,
        reason = "the exporter starts no subprocess; its tests start the exporter"
    )]
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Program {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Program { command: Command::new(program), stdin: Stdio::null(), directory }
    }

    pub(crate) fn exporter() -> Program {
        Program::new(env!("CARGO_BIN_EXE_memleak-exporter"))
    }

    /// A leaky that was started by this path, a link to it.
    pub(crate) fn leaky_as(path: &Path) -> Program {
        std::os::unix::fs::symlink(Program::leaky().command.get_program(), path).expect("a link");
        Program::new(path)
    }

    /// `cargo test` builds the examples beside the tests, but says nowhere where.
    pub(crate) fn leaky() -> Program {
        let test = std::env::current_exe().expect("the path of this test");
        let leaky = test.ancestors().nth(2).expect("target/PROFILE").join("examples/leaky");
        assert!(leaky.is_file(), "{} is not built: run `cargo build --example leaky`", leaky.display());
        Program::new(leaky)
    }

    /// What is to be started.
    pub(crate) fn path(&self) -> PathBuf {
        self.command.get_program().into()
    }

    /// A directory of its own, gone with the process.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Program {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Reads from this file; without it, from nothing.
    pub(crate) fn stdin(mut self, file: File) -> Program {
        self.stdin = file.into();
        self
    }

    pub(crate) fn start(mut self) -> Process {
        let output = |name: &str| {
            let path = self.directory.path().join(name);
            Stdio::from(File::create(path).expect("a file for the output"))
        };
        let (stdout, stderr) = (output(STDOUT), output(STDERR));
        let started = self.command.stdin(self.stdin).stdout(stdout).stderr(stderr).spawn();
        let child = started.unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        Process { child, directory: self.directory }
    }
}

const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// A running program. Killed when it is dropped, also by a panic.
pub(crate) struct Process {
    child: Child,
    directory: TempDir,
}

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The command name it goes by now.
    pub(crate) fn name(&self) -> Option<String> {
        self.proc("comm").map(|name| name.trim_end().to_string())
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = self.proc("status").expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }

    /// Its exit status, if it has ended.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("to wait for a child")
    }

    /// Its exit code, once it has ended by itself.
    pub(crate) fn exit_code(&mut self, within: Duration) -> Option<i32> {
        until("a process to end", within, || self.exited()).code()
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Stops it until it is resumed.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("to send a signal to a child");
    }

    pub(crate) fn stdout(&self) -> String {
        self.output(STDOUT)
    }

    pub(crate) fn stderr(&self) -> String {
        self.output(STDERR)
    }

    /// What it has written to this file of its directory.
    pub(crate) fn output(&self, name: &str) -> String {
        let bytes = fs::read(self.directory.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn proc(&self, file: &str) -> Option<String> {
        fs::read_to_string(PathBuf::from("/proc").join(self.pid().to_string()).join(file)).ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails where it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("{:?} wrote:\n{}{}", self.child, self.stdout(), self.stderr());
        }
    }
}
