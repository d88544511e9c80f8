//! memleak-exporter: parse the flags, run, say how it ended.

use std::io::{BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use memleak_exporter::backtest::BacktestError;
use memleak_exporter::cli::{self, Exit, Task};
use memleak_exporter::config::{BacktestConfig, Config};
use memleak_exporter::{Error, backtest, http, log, rules, run};

mod allocator;

/// The command line, or a file it names, asks for something that can't be.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    allocator::give_back_at_once();
    match cli::parse(std::env::args_os()) {
        Ok(Task::Export(config)) => export(*config),
        Ok(Task::Backtest(config)) => replay(&config),
        Err(Exit::Asked(text)) => say(std::io::stdout(), &text, ExitCode::SUCCESS),
        Err(Exit::Usage(line)) => complain(&line, ExitCode::from(USAGE)),
    }
}

fn export(config: Config) -> ExitCode {
    if config.rules.check_only {
        return match check(&config) {
            Ok(text) => say(std::io::stdout(), &text, ExitCode::SUCCESS),
            Err(line) => complain(&line, ExitCode::from(USAGE)),
        };
    }
    log::init(config.log);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (Error::Rules(_) | Error::WebFile(_))) => {
            complain(&error.to_string(), ExitCode::from(USAGE))
        }
        Err(error) => complain(&error.to_string(), ExitCode::FAILURE),
    }
}

/// A line for each configuration file, or what is wrong with the first one that is.
fn check(config: &Config) -> Result<String, String> {
    let mut said = String::new();
    if let Some(file) = &config.rules.file {
        rules::load(file).map_err(|error| error.to_string())?;
        said += &format!("{} makes sense\n", file.display());
    }
    if let Some(file) = &config.web.config_file {
        http::load(file).map_err(|error| error.to_string())?;
        said += &format!("{} makes sense\n", file.display());
    }
    Ok(said)
}

fn replay(config: &BacktestConfig) -> ExitCode {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match backtest::run(config, &mut out, &mut std::io::stderr()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(BacktestError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error @ BacktestError::Write(_)) => complain(&error.to_string(), ExitCode::FAILURE),
        Err(error) => complain(&error.to_string(), ExitCode::from(USAGE)),
    }
}

fn complain(line: &str, code: ExitCode) -> ExitCode {
    say(std::io::stderr(), &format!("memleak-exporter: {line}\n"), code)
}

/// A reader that has gone away is no reason to panic.
fn say(mut to: impl Write, text: &str, code: ExitCode) -> ExitCode {
    match to.write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
