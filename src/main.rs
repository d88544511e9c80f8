//! memleak-exporter: parse the flags, run, say how it ended.

use std::io::Write;
use std::process::ExitCode;

use memleak_exporter::cli::{self, Exit};
use memleak_exporter::{Error, log, rules, run};

/// The command line, or the file it names, asks for something that can't be.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let config = match cli::parse(std::env::args_os()) {
        Ok(config) => config,
        Err(Exit::Asked(text)) => return say(std::io::stdout(), &text, ExitCode::SUCCESS),
        Err(Exit::Usage(line)) => return complain(&line, ExitCode::from(USAGE)),
    };
    if let (true, Some(file)) = (config.rules.check_only, &config.rules.file) {
        return match rules::load(file) {
            Ok(_) => say(std::io::stdout(), &format!("{} makes sense\n", file.display()), ExitCode::SUCCESS),
            Err(error) => complain(&error.to_string(), ExitCode::from(USAGE)),
        };
    }
    log::init(config.log);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Rules(_)) => complain(&error.to_string(), ExitCode::from(USAGE)),
        Err(error) => complain(&error.to_string(), ExitCode::FAILURE),
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
