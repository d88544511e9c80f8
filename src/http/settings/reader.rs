//! The files that settings are made of, and whether one of them has changed since.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::file::{self, Stamp};

/// Reads files, and remembers how each of them was before that.
#[derive(Debug, Default)]
pub(super) struct Reader {
    seen: Vec<(PathBuf, Option<Stamp>)>,
    /// One could not be read for a reason that passes, and leaves the file as it is.
    is_to_be_tried_again: bool,
}

impl Reader {
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.note(path, file::read)
    }

    pub(super) fn read_text(&mut self, path: &Path) -> io::Result<String> {
        self.note(path, file::read_text)
    }

    fn note<T>(&mut self, path: &Path, read: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
        // Before it is read: what is written meanwhile is seen at the next look.
        self.seen.push((path.to_path_buf(), Stamp::of(path)));
        read(path).inspect_err(|error| self.is_to_be_tried_again |= passes(error))
    }

    /// Whether any of them is another one now, is gone, or is there at last; or may be readable at last.
    pub(super) fn has_changed(&self) -> bool {
        self.is_to_be_tried_again || self.seen.iter().any(|(path, stamp)| Stamp::of(path) != *stamp)
    }
}

/// Whether it is the system's, such as a want of descriptors, and not of what the file is.
fn passes(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
        && !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_t_be_read_for_a_while_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        // Is there, and nothing can be read at its start.
        let broken = Path::new("/proc/self/mem");
        for (path, expected) in [(broken, true), (directory.path(), false), (Path::new("/nowhere"), false)] {
            let mut reader = Reader::default();
            reader.read(path).unwrap_err();
            assert_eq!(reader.has_changed(), expected, "{}", path.display());
        }
    }
}
