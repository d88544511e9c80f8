//! Text that many responses begin with, and each ends in its own way.

use std::io::{self, Write};
use std::sync::OnceLock;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use hyper::body::Bytes;

/// A beginning, compressed when that is first asked for, and once.
///
/// What is compressed for all of them ends on a byte's boundary and not with a last block, so that the rest of any
/// one response makes a single gzip member of both. A member for each would be shorter to write and is as valid
/// (RFC 1952, section 2.2), but curl fails on the second one, and Chromium leaves it out.
#[derive(Debug)]
pub(super) struct Beginning {
    plain: Bytes,
    packed: OnceLock<Option<Packed>>,
}

/// The head of a gzip member and blocks of data, with the checksum of what they hold.
#[derive(Debug)]
struct Packed {
    bytes: Bytes,
    checksum: Crc,
}

/// Deflate, no name, no time, from anywhere: RFC 1952, section 2.3.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

impl Beginning {
    pub(super) fn new(text: String) -> Beginning {
        Beginning { plain: text.into(), packed: OnceLock::new() }
    }

    pub(super) fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// The shared piece and the one that makes it a whole with `rest`; `None` if that can't be compressed.
    pub(super) fn gzip(&self, rest: &str) -> Option<(Bytes, Bytes)> {
        let packed = self.packed.get_or_init(|| logged(pack(&self.plain))).as_ref()?;
        Some((packed.bytes.clone(), logged(packed.end(rest.as_bytes()))?))
    }
}

impl Packed {
    fn end(&self, rest: &[u8]) -> io::Result<Bytes> {
        let mut checksum = Crc::new();
        checksum.update(rest);
        let mut whole = Crc::new();
        whole.combine(&self.checksum);
        whole.combine(&checksum);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(rest)?;
        let mut bytes = encoder.finish()?;
        bytes.extend(whole.sum().to_le_bytes());
        bytes.extend(whole.amount().to_le_bytes());
        Ok(bytes.into())
    }
}

/// At the fastest level: metrics shrink to less than a tenth by it, and little more by slower ones.
fn pack(text: &[u8]) -> io::Result<Packed> {
    let mut bytes = Vec::with_capacity(text.len() / 8);
    bytes.extend(HEAD);
    let mut encoder = DeflateEncoder::new(bytes, Compression::fast());
    encoder.write_all(text)?;
    encoder.flush()?;
    // Taken before the encoder is dropped, which would add a last block.
    let bytes = std::mem::take(encoder.get_mut()).into();
    let mut checksum = Crc::new();
    checksum.update(text);
    Ok(Packed { bytes, checksum })
}

/// Writing to memory does not fail; if it does, the text is sent as it is.
fn logged<T>(result: io::Result<T>) -> Option<T> {
    result.inspect_err(|error| tracing::error!(%error, "cannot compress a response")).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::bufread::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    /// What a reader gets who knows of one member only; there must be nothing behind it.
    fn unpacked(beginning: &Beginning, rest: &str) -> String {
        let (first, second) = beginning.gzip(rest).unwrap();
        let stream = [first, second].concat();
        let mut decoder = GzDecoder::new(&stream[..]);
        let mut text = String::new();
        decoder.read_to_string(&mut text).unwrap();
        assert_eq!(decoder.into_inner(), b"");
        text
    }

    #[test]
    fn metrics_shrink_to_a_tenth() {
        let line = |pid| format!("memleak_process_suspect{{pid=\"{pid}\",name=\"a\",group=\"b\"}} 0\n");
        let text: String = (0..10_000).map(line).collect();
        let beginning = Beginning::new(text.clone());
        assert!(unpacked(&beginning, "# EOF\n") == text + "# EOF\n");
        let (shared, own) = beginning.gzip("# EOF\n").unwrap();
        assert!(shared.len() < beginning.plain().len() / 10, "{} bytes", shared.len());
        assert!(own.len() < 20, "{} bytes", own.len());
    }

    #[test]
    fn a_beginning_is_compressed_once() {
        let beginning = Beginning::new("text".to_string());
        let (first, second) = (beginning.gzip("a").unwrap(), beginning.gzip("b").unwrap());
        assert_eq!(first.0.as_ptr(), second.0.as_ptr());
        assert_eq!((unpacked(&beginning, "a"), unpacked(&beginning, "b")), ("texta".into(), "textb".into()));
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(text in "(.|\n){0,40}", rest in "(.|\n){0,40}", times in 0..1000_usize) {
            let text = text.repeat(times);
            prop_assert_eq!(unpacked(&Beginning::new(text.clone()), &rest), text + &rest);
        }
    }
}
