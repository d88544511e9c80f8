//! Scrapes as Prometheus makes them, and what the text says.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use thiserror::Error;

/// After so long Prometheus would have given up six times.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody of those measured says more, bytes.
const LONGEST: u64 = 1 << 30;

/// A scrape that brought nothing.
#[derive(Debug, Error)]
pub enum ScrapeError {
    /// No connection, or it broke.
    #[error("scrape: {0}")]
    Io(#[from] io::Error),
    /// Another status than 200.
    #[error("scrape: status {0}")]
    Status(u16),
    /// It is no HTTP that we understand.
    #[error("scrape: {0}")]
    Malformed(&'static str),
}

/// In which form to ask for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As text.
    Plain,
    /// Compressed, as Prometheus asks for it.
    Gzip,
}

/// A connection that is kept from one scrape to the next.
#[derive(Debug)]
pub struct Scraper {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    body: Vec<u8>,
}

impl Scraper {
    /// For whoever listens there on the loopback interface. Connects when it is first needed.
    pub fn new(port: u16) -> Scraper {
        Scraper { address: (Ipv4Addr::LOCALHOST, port).into(), stream: None, body: Vec::new() }
    }

    /// Scrapes once, and says how long it took until the last byte was here.
    pub fn scrape(&mut self, form: Form) -> Result<Duration, ScrapeError> {
        let begun = Instant::now();
        let was_open = self.stream.is_some();
        let mut result = self.try_scrape(form);
        // A server may close what has been idle.
        if was_open && matches!(result, Err(ScrapeError::Io(_))) {
            result = self.try_scrape(form);
        }
        result.map(|()| begun.elapsed())
    }

    /// What came with the last scrape.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The same as text, empty where it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    fn try_scrape(&mut self, form: Form) -> Result<(), ScrapeError> {
        // Is put back only if the connection can be used again.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                BufReader::with_capacity(64 << 10, stream)
            }
        };
        let encoding = match form {
            Form::Plain => "identity",
            Form::Gzip => "gzip",
        };
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nUser-Agent: Prometheus/peers\r\n\
             Accept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: {encoding}\r\n\r\n",
            self.address
        );
        stream.get_mut().write_all(request.as_bytes())?;
        self.body.clear();
        if answer(&mut stream, &mut self.body)? {
            self.stream = Some(stream);
        }
        Ok(())
    }
}

/// Reads an answer's body to its end, and says whether the connection stays open.
fn answer(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool, ScrapeError> {
    let status = line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status: u16 = status.ok_or(ScrapeError::Malformed("no status"))?;
    let (mut length, mut is_chunked, mut stays) = (None, false, true);
    loop {
        let header = line(stream)?.to_ascii_lowercase();
        let Some((name, value)) = header.split_once(':') else { break };
        match (name, value.trim()) {
            ("content-length", value) => length = value.parse::<u64>().ok(),
            ("transfer-encoding", "chunked") => is_chunked = true,
            ("connection", "close") => stays = false,
            _ => {}
        }
    }
    match length {
        _ if is_chunked => while chunk(stream, body)? {},
        Some(length) => piece(stream, length, body)?,
        None => return Err(ScrapeError::Malformed("neither length nor chunks")),
    }
    if status == 200 { Ok(stays) } else { Err(ScrapeError::Status(status)) }
}

/// One chunk; false after the last.
fn chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool, ScrapeError> {
    let size = line(stream)?;
    let size = size.split(';').next().and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let size = size.ok_or(ScrapeError::Malformed("a chunk without its size"))?;
    piece(stream, size, body)?;
    line(stream)?;
    Ok(size > 0)
}

fn piece(stream: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> Result<(), ScrapeError> {
    if length > LONGEST {
        return Err(ScrapeError::Malformed("too long"));
    }
    let read = stream.take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) }
}

fn line(stream: &mut impl BufRead) -> Result<String, ScrapeError> {
    let mut line = String::new();
    if stream.take(16 << 10).read_line(&mut line)? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(line.trim_end().to_owned())
}

/// Series in a text of metrics.
pub fn series(text: &str) -> usize {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count()
}

/// The value of the series without labels that has this name.
pub fn value(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP up Whether.\n# TYPE up gauge\nup 1\nup_since{a=\"b c\"} 2\n\nup_since 1.5e9\n";

    fn answered(text: &str) -> Result<(String, bool), ScrapeError> {
        let mut body = Vec::new();
        let stays = answer(&mut text.as_bytes(), &mut body)?;
        Ok((String::from_utf8(body).unwrap(), stays))
    }

    #[test]
    fn comments_are_no_series() {
        assert_eq!(series(TEXT), 3);
        assert_eq!(series(""), 0);
    }

    #[test]
    fn a_value_belongs_to_the_whole_name() {
        assert_eq!(
            (value(TEXT, "up"), value(TEXT, "up_since"), value(TEXT, "u")),
            (Some(1.0), Some(1.5e9), None)
        );
    }

    #[test]
    fn a_body_has_a_length_or_chunks() {
        let whole = answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nup 1\nrest").unwrap();
        assert_eq!(whole, ("up 1\n".to_owned(), true));
        let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n3\r\nup \r\nA;x=y\r\n1234567890\r\n0\r\n\r\n";
        assert_eq!(answered(chunks).unwrap(), ("up 1234567890".to_owned(), false));
    }

    #[test]
    fn what_is_cut_off_or_refused_is_no_scrape() {
        assert!(matches!(
            answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nup"),
            Err(ScrapeError::Io(_))
        ));
        assert!(matches!(
            answered("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
            Err(ScrapeError::Status(503))
        ));
        assert!(matches!(answered("HTTP/1.1 200 OK\r\n\r\n"), Err(ScrapeError::Malformed(_))));
    }
}
