//! Where log lines go: standard error, in the shape that was asked for.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Makes all log lines of this process follow `config`. Only the first call in a process has an effect.
pub fn init(config: LogConfig) {
    let level = match config.level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let lines = match config.format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().layer();
            layer.with_writer(std::io::stderr).boxed()
        }
        LogFormat::Json => {
            tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
        }
    };
    // A second subscriber is refused; the first one goes on.
    let _ = tracing_subscriber::registry().with(lines.with_filter(level)).try_init();
}
