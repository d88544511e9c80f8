//! Where recordings come from: files and standard input, packed by gzip or not.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, stdin};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::config::Input;

/// How every file that gzip made begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

const BUFFER_BYTES: usize = 1 << 16;

/// An open input.
pub(super) struct Opened {
    /// Its text.
    pub(super) text: Box<dyn BufRead>,
    /// Bytes of the input itself, where that can be told.
    pub(super) size: Option<u64>,
    /// Bytes of the input itself that have been read.
    pub(super) done: Rc<Cell<u64>>,
}

/// Opens an input. Whether gzip packed it, its first bytes say, and not its name: standard input has none.
///
/// # Errors
/// When there is no such file, or it can't be read.
pub(super) fn open(input: &Input) -> io::Result<Opened> {
    match input {
        Input::Stdin => unpacked(stdin().lock(), None),
        Input::File(path) => {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            unpacked(file, Some(metadata.len()).filter(|_| metadata.is_file()))
        }
    }
}

fn unpacked(raw: impl Read + 'static, size: Option<u64>) -> io::Result<Opened> {
    let done = Rc::new(Cell::new(0));
    let counted = Counted { raw, done: Rc::clone(&done) };
    let mut buffered = BufReader::with_capacity(BUFFER_BYTES, counted);
    let is_packed = buffered.fill_buf()?.starts_with(&GZIP);
    let text: Box<dyn BufRead> = match is_packed {
        true => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(buffered))),
        false => Box::new(buffered),
    };
    Ok(Opened { text, size, done })
}

/// What the entities of an input are called that it does not name itself.
pub(super) fn default_entity(input: &Input) -> String {
    let Input::File(path) = input else {
        return "stdin".to_string();
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".csv").unwrap_or(name).to_string()
}

struct Counted<R> {
    raw: R,
    done: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.done.set(self.done.get() + count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn text(raw: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        unpacked(io::Cursor::new(raw.to_vec()), None)?.text.read_to_end(&mut text)?;
        Ok(text)
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_or_not_the_text_is_the_same() {
        assert_eq!(text(b"time,bytes\n").unwrap(), b"time,bytes\n");
        assert_eq!(text(b"").unwrap(), b"");
        assert_eq!(text(&packed(b"time,bytes\n")).unwrap(), b"time,bytes\n");
        let two = [packed(b"time,bytes\n"), packed(b"1,2\n")].concat();
        assert_eq!(text(&two).unwrap(), b"time,bytes\n1,2\n");
        let whole = packed(b"time,bytes\n");
        assert!(text(&whole[..whole.len() - 4]).is_err());
    }

    #[test]
    fn entities_are_called_after_the_file() {
        for (path, expected) in
            [("a/web.csv", "web"), ("web.csv.gz", "web"), ("web.2.csv", "web.2"), ("web", "web")]
        {
            assert_eq!(default_entity(&Input::File(path.into())), expected);
        }
        assert_eq!(default_entity(&Input::Stdin), "stdin");
    }
}
