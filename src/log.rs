//! Where log lines go: standard error, in the shape that was asked for.

use std::io::{self, Write};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use crate::config::{LogConfig, LogFormat, LogLevel};
use crate::human::is_layout;

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
            layer.with_writer(|| Plain(io::stderr())).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(|| Plain(io::stderr()))
            .boxed(),
    };
    // A second subscriber is refused; the first one goes on.
    let _ = tracing_subscriber::registry().with(lines.with_filter(level)).try_init();
}

/// Lines with nothing in them that would move the text around it, for names that others choose are quoted in some: neither
/// format escapes all of that.
struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    /// Of whole lines, as both formats give them.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let plain = |char: char| match char {
            '\n' => '\n',
            char if char.is_control() || is_layout(char) => char::REPLACEMENT_CHARACTER,
            char => char,
        };
        let text: String = String::from_utf8_lossy(lines).chars().map(plain).collect();
        self.0.write_all(text.as_bytes())?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_moves_its_surroundings() {
        let mut plain = Plain(Vec::new());
        let line = "a\u{1b}[31m b\r\u{85}\u{202e}c gr\u{f6}\u{df}e\n".as_bytes();
        plain.write_all(line).unwrap();
        plain.write_all(b"\xff\n").unwrap();
        plain.flush().unwrap();
        let expected = "a\u{fffd}[31m b\u{fffd}\u{fffd}\u{fffd}c gr\u{f6}\u{df}e\n\u{fffd}\n";
        assert_eq!(String::from_utf8(plain.0).unwrap(), expected);
    }
}
