//! /proc/net/sockstat: memory in the buffers of sockets.

use super::ParseError;
use super::text::{key_value, lines, next_number, words};

/// Memory that /proc/net/sockstat knows of (proc_pid_net(5), the kernel's net/ipv4/proc.c).
///
/// TCP and UDP are of all network namespaces and of both IPv4 and IPv6, fragments of one namespace and of IPv4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockstat {
    /// `mem` of TCP and UDP: pages that the protocols have booked for buffers, rounded up a socket and a CPU.
    pub pages: u64,
    /// `memory` of FRAG: bytes of packets that wait for their other fragments.
    pub fragment_bytes: u64,
}

impl Sockstat {
    /// All of it in bytes, given the bytes of a page. For years before Linux 6.0 the kernel booked 4 KiB at a time even
    /// where pages are larger (`SK_MEM_QUANTUM`); there, this is too much.
    pub fn bytes(&self, page_size: u64) -> u64 {
        self.pages.saturating_mul(page_size).saturating_add(self.fragment_bytes)
    }
}

/// Reads /proc/net/sockstat.
///
/// ```text
/// sockets: used 20
/// TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 1
/// UDP: inuse 0 mem 0
/// UDPLITE: inuse 0
/// RAW: inuse 0
/// FRAG: inuse 0 memory 0
/// ```
///
/// # Errors
/// When TCP's memory is missing, or a figure that we use is no number.
pub fn parse(text: &[u8]) -> Result<Sockstat, ParseError> {
    let (mut tcp, mut udp, mut fragments) = (None, None, None);
    for (protocol, figures) in lines(text).filter_map(key_value) {
        match protocol {
            b"TCP" => tcp = figure(figures, b"mem", "TCP mem")?,
            b"UDP" => udp = figure(figures, b"mem", "UDP mem")?,
            b"FRAG" => fragments = figure(figures, b"memory", "FRAG memory")?,
            _ => {}
        }
    }
    let tcp = tcp.ok_or(ParseError::Missing("TCP mem"))?;
    Ok(Sockstat { pages: tcp.saturating_add(udp.unwrap_or(0)), fragment_bytes: fragments.unwrap_or(0) })
}

/// The number after the word `name`.
fn figure(figures: &[u8], name: &[u8], field: &'static str) -> Result<Option<u64>, ParseError> {
    let mut words = words(figures);
    match words.find(|word| *word == name) {
        Some(_) => next_number(field, &mut words).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"sockets: used 300\nTCP: inuse 9 orphan 1 tw 2 alloc 12 mem 40\nUDP: inuse 3 mem 2\n\
        UDPLITE: inuse 0\nRAW: inuse 1\nFRAG: inuse 1 memory 2304\n";

    #[test]
    fn pages_and_bytes_are_told_apart() {
        let sockstat = parse(TEXT).unwrap();
        assert_eq!(sockstat, Sockstat { pages: 42, fragment_bytes: 2304 });
        assert_eq!(sockstat.bytes(4096), 42 * 4096 + 2304);
        assert_eq!(Sockstat { pages: u64::MAX, ..sockstat }.bytes(4096), u64::MAX);
    }

    #[test]
    fn only_tcp_is_needed() {
        assert_eq!(parse(b"TCP: mem 7\n"), Ok(Sockstat { pages: 7, fragment_bytes: 0 }));
        for without in [&b""[..], b"UDP: inuse 1 mem 2\n", b"TCP: inuse 1\n", b"TCP6: inuse 0 mem 3\n"] {
            assert_eq!(parse(without), Err(ParseError::Missing("TCP mem")));
        }
    }

    #[test]
    fn odd_figures_are_errors() {
        assert_eq!(parse(b"TCP: inuse 1 mem\n"), Err(ParseError::Missing("TCP mem")));
        for odd in [&b"TCP: mem -1\n"[..], b"TCP: mem 1\nUDP: mem x\n", b"TCP: mem 1\nFRAG: memory 1k\n"] {
            assert!(matches!(parse(odd), Err(ParseError::NotANumber { .. })));
        }
    }
}
