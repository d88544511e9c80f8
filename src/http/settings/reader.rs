//! The files that settings are made of, and whether one of them has changed since.

use std::io;
use std::path::{Path, PathBuf};

use crate::file::{self, Stamp};

/// Reads files, and remembers how each of them was before that.
#[derive(Debug, Default)]
pub(super) struct Reader {
    seen: Vec<(PathBuf, Option<Stamp>)>,
}

impl Reader {
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.seen.push((path.to_path_buf(), Stamp::of(path)));
        file::read(path)
    }

    pub(super) fn read_text(&mut self, path: &Path) -> io::Result<String> {
        self.seen.push((path.to_path_buf(), Stamp::of(path)));
        file::read_text(path)
    }

    /// Whether any of them is another one now, is gone, or is there at last.
    pub(super) fn has_changed(&self) -> bool {
        self.seen.iter().any(|(path, stamp)| Stamp::of(path) != *stamp)
    }
}
