//! Our own files, which people write: read as a whole, and looked at for changes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Most bytes of a file.
const MAX_BYTES: u64 = 1 << 20;

/// All of a regular file of a sane size.
///
/// # Errors
/// When it is none, or can't be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: a pipe would let whoever opens it wait for somebody to write.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and when it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::other("it is not valid UTF-8"))
}

/// By what a file that was changed or replaced differs from what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    file: (u64, u64),
    size: u64,
    /// Of its content, and of everything about it: seconds and nanoseconds.
    changed: [(i64, i64); 2],
}

impl Stamp {
    /// How the file is now; `None` for one that is not there, or can't be looked at.
    pub fn of(path: &Path) -> Option<Stamp> {
        let is = fs::metadata(path).ok()?;
        Some(Stamp {
            file: (is.dev(), is.ino()),
            size: is.size(),
            changed: [(is.mtime(), is.mtime_nsec()), (is.ctime(), is.ctime_nsec())],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_sane_size_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let error = read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
        let large = directory.path().join("large.yml");
        fs::write(&large, "#".repeat(MAX_BYTES as usize + 1)).unwrap();
        assert!(read(&large).unwrap_err().to_string().contains("larger than 1048576 bytes"));
        fs::write(&large, b"# \xff").unwrap();
        assert_eq!(read(&large).unwrap(), b"# \xff");
        assert!(read_text(&large).unwrap_err().to_string().contains("valid UTF-8"));
    }

    #[test]
    fn a_file_that_is_replaced_differs() {
        let directory = tempfile::tempdir().unwrap();
        let (path, next) = (directory.path().join("a"), directory.path().join("b"));
        assert_eq!(Stamp::of(&path), None);
        fs::write(&path, "1").unwrap();
        let first = Stamp::of(&path);
        assert_eq!(Stamp::of(&path), first);
        fs::write(&next, "2").unwrap();
        fs::rename(&next, &path).unwrap();
        assert_ne!(Stamp::of(&path), first);
        assert!(first.is_some());
    }
}
