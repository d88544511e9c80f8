//! Many small files written as one text, so that a whole made-up host can be read from top to bottom.
//!
//! ```text
//! # A comment. Empty lines mean nothing either.
//! :: FRAGMENT        the lines that follow are a fragment, for several files
//! == DIRECTORY       there is this directory; what follows is in it
//! = FILE TEXT        a file of one line
//! = FILE             a file of the lines that follow
//! + FRAGMENT         among these: all lines of a fragment
//! -> LINK TARGET     a symbolic link
//! ```
//!
//! `{root}` in a text is the directory in which all of it is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A host with the unified hierarchy and nothing in it.
pub(crate) const BARE: &str = "
== proc
= meminfo
MemTotal:       16777216 kB
MemFree:         8388608 kB
MemAvailable:    8388608 kB
== etc
= passwd
== sys/fs/cgroup
= cgroup.controllers memory
";

/// Writes what `text` describes below `root`.
///
/// # Panics
/// With the line, if it makes no sense.
pub(crate) fn expand(text: &str, root: &Path) {
    let mut tree = Tree { root, directory: String::new(), open: Open::Nothing, fragments: BTreeMap::new() };
    for (number, line) in (1..).zip(text.lines()) {
        tree.line(line).unwrap_or_else(|| panic!("line {number} makes no sense here: {line:?}"));
    }
    tree.close();
}

struct Tree<'a> {
    root: &'a Path,
    directory: String,
    open: Open,
    fragments: BTreeMap<String, String>,
}

/// What the next lines belong to, and what has been collected of it.
enum Open {
    Nothing,
    File(String, String),
    Fragment(String, String),
}

impl Tree<'_> {
    fn line(&mut self, line: &str) -> Option<()> {
        let (marker, rest) = line.split_once(' ').unwrap_or((line, ""));
        match marker {
            "" if rest.is_empty() => {}
            "#" => {}
            "::" => self.begin(Open::Fragment(rest.to_string(), String::new())),
            "==" => {
                self.begin(Open::Nothing);
                self.directory = rest.to_string();
                fs::create_dir_all(self.root.join(rest)).expect("to create a directory");
            }
            "=" => match rest.split_once(' ') {
                Some((name, text)) => self.begin(Open::File(name.to_string(), format!("{text}\n"))),
                None => self.begin(Open::File(rest.to_string(), String::new())),
            },
            "+" => self.add(&self.fragments.get(rest)?.clone())?,
            "->" => {
                let (name, target) = rest.split_once(' ')?;
                self.begin(Open::Nothing);
                symlink(target, self.root.join(&self.directory).join(name)).expect("to create a link");
            }
            _ => self.add(&format!("{line}\n"))?,
        }
        Some(())
    }

    fn begin(&mut self, open: Open) {
        self.close();
        self.open = open;
    }

    fn add(&mut self, lines: &str) -> Option<()> {
        match &mut self.open {
            Open::File(_, text) | Open::Fragment(_, text) => text.push_str(lines),
            Open::Nothing => return None,
        }
        Some(())
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::File(name, text) => {
                let text = text.replace("{root}", &self.root.to_string_lossy());
                fs::write(self.root.join(&self.directory).join(name), text).expect("to write a file");
            }
            Open::Fragment(name, text) => drop(self.fragments.insert(name, text)),
            Open::Nothing => {}
        }
    }
}

#[test]
fn a_text_becomes_files_directories_and_links() {
    let root = tempfile::tempdir().unwrap();
    let text = "# Nothing yet.\n:: twice\nb 2\nc 3\n\n== proc/7\n= comm a b\n= empty\n= stat\na 1\n+ twice\nd {root}\n\
                == dev\n= stat\n+ twice\n-> self ../proc\n== none\n";
    expand(text, root.path());
    let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    assert_eq!(read("proc/7/comm"), "a b\n");
    assert_eq!(read("proc/7/empty"), "");
    assert_eq!(read("proc/7/stat"), format!("a 1\nb 2\nc 3\nd {}\n", root.path().display()));
    assert_eq!(read("dev/stat"), "b 2\nc 3\n");
    assert_eq!(read("dev/self/7/comm"), "a b\n");
    assert_eq!(fs::read_dir(root.path().join("none")).unwrap().count(), 0);
}

#[test]
fn a_line_that_belongs_to_nothing_is_named() {
    for text in ["lost\n", "== a\nlost\n", "= a\n+ unknown\n", "-> a\n"] {
        let root = tempfile::tempdir().unwrap();
        let caught = std::panic::catch_unwind(|| expand(text, root.path()));
        assert!(caught.is_err(), "{text:?}");
    }
}
