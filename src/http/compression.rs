//! Text that many responses begin with, and each ends in its own way.

use std::io::{self, Write};
use std::mem;
use std::sync::OnceLock;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use hyper::body::Bytes;

use crate::exposition::Take;

/// A beginning, written and compressed each when that is first asked for, and once.
///
/// What is compressed for all of them ends on a byte's boundary and not with a last block, so that the rest of any
/// one response makes a single gzip member of both. A member for each would be shorter to write and is as valid
/// (RFC 1952, section 2.2), but curl fails on the second one, and Chromium leaves it out.
///
/// Whoever asks says how it is written. Where nobody wants the plain text, it is compressed as it is written and not
/// kept: it takes ten times the memory.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    plain: OnceLock<Vec<Bytes>>,
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
    /// All of it, in pieces.
    pub(super) fn plain(&self, write: impl FnOnce(Take<'_>)) -> &[Bytes] {
        self.plain.get_or_init(|| {
            let mut pieces = Vec::new();
            write(&mut |piece| {
                piece.shrink_to_fit();
                pieces.push(mem::take(piece).into());
            });
            pieces
        })
    }

    /// The shared piece and the one that makes it a whole with `rest`; `None` if that can't be compressed.
    pub(super) fn gzip(&self, write: impl FnOnce(Take<'_>), rest: &str) -> Option<[Bytes; 2]> {
        let packed = self.packed.get_or_init(|| logged(self.pack(write))).as_ref()?;
        Some([packed.bytes.clone(), logged(packed.end(rest.as_bytes()))?])
    }

    fn pack(&self, write: impl FnOnce(Take<'_>)) -> io::Result<Packed> {
        let mut packing = Packing::new();
        match self.plain.get() {
            Some(pieces) => pieces.iter().for_each(|piece| packing.add(piece)),
            None => write(&mut |piece| packing.add(piece)),
        }
        packing.finish()
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

/// What is on the way to [`Packed`].
struct Packing {
    encoder: DeflateEncoder<Vec<u8>>,
    checksum: Crc,
    result: io::Result<()>,
}

impl Packing {
    /// At the fastest level: metrics shrink to less than a tenth by it, and little more by slower ones.
    fn new() -> Packing {
        let encoder = DeflateEncoder::new(HEAD.to_vec(), Compression::fast());
        Packing { encoder, checksum: Crc::new(), result: Ok(()) }
    }

    fn add(&mut self, piece: &[u8]) {
        if self.result.is_ok() {
            self.checksum.update(piece);
            self.result = self.encoder.write_all(piece);
        }
    }

    fn finish(mut self) -> io::Result<Packed> {
        self.result?;
        self.encoder.flush()?;
        // Taken before the encoder is dropped, which would add a last block.
        let mut bytes = mem::take(self.encoder.get_mut());
        bytes.shrink_to_fit();
        Ok(Packed { bytes: bytes.into(), checksum: self.checksum })
    }
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

    /// Hands over `text` as if it had been written in pieces of so many bytes.
    fn in_pieces(text: &str, bytes: usize) -> impl Fn(Take<'_>) {
        move |take| text.as_bytes().chunks(bytes).for_each(|piece| take(&mut piece.to_vec()))
    }

    fn never(_: Take<'_>) {
        panic!("it is written again");
    }

    /// What a reader gets who knows of one member only; there must be nothing behind it.
    fn unpacked(pieces: [Bytes; 2]) -> String {
        let stream = pieces.concat();
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
        let [shared, own] = Beginning::default().gzip(in_pieces(&text, 1000), "# EOF\n").unwrap();
        assert!(shared.len() < text.len() / 10, "{} bytes", shared.len());
        assert!(own.len() < 20, "{} bytes", own.len());
        assert!(unpacked([shared, own]) == text + "# EOF\n");
    }

    #[test]
    fn a_beginning_is_compressed_once() {
        let beginning = Beginning::default();
        let first = beginning.gzip(in_pieces("text", 3), "a").unwrap();
        let second = beginning.gzip(never, "b").unwrap();
        assert_eq!(first[0].as_ptr(), second[0].as_ptr());
        assert_eq!((unpacked(first), unpacked(second)), ("texta".into(), "textb".into()));
    }

    #[test]
    fn plain_text_is_kept_only_if_it_was_asked_for() {
        let packed_first = Beginning::default();
        packed_first.gzip(in_pieces("text", 3), "").unwrap();
        assert_eq!(packed_first.plain.get(), None);

        let plain_first = Beginning::default();
        assert_eq!(plain_first.plain(in_pieces("text", 3)), ["tex", "t"]);
        assert_eq!(unpacked(plain_first.gzip(never, "").unwrap()), "text");
        assert_eq!(plain_first.plain(never), ["tex", "t"]);
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(
            text in "(.|\n){0,40}",
            rest in "(.|\n){0,40}",
            times in 0..1000_usize,
            bytes in 1..100_000_usize,
        ) {
            let text = text.repeat(times);
            let pieces = Beginning::default().gzip(in_pieces(&text, bytes), &rest).unwrap();
            prop_assert_eq!(unpacked(pieces), text + &rest);
        }
    }
}
