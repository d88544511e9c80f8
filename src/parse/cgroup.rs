//! /proc/PID/cgroup: which cgroup's memory a process uses.

use std::borrow::Cow;

use super::text::lines;

/// What the kernel adds to the path of a cgroup that was removed while it still had processes.
const REMOVED: &[u8] = b" (deleted)";

/// Path of the cgroup that accounts the memory of a process, `/` first; `None` where there is none (cgroups(7)).
///
/// The memory controller's own hierarchy on v1 and where both versions are mixed, else the unified one. A mark
/// that the cgroup is gone is cut off. Bytes that are no UTF-8 are replaced.
///
/// ```text
/// 5:devices:/system.slice/nginx.service
/// 4:memory:/system.slice/nginx.service
/// 0::/system.slice/nginx.service
/// ```
pub fn memory_path(text: &[u8]) -> Option<Cow<'_, str>> {
    let mut unified = None;
    for (controllers, path) in lines(text).filter_map(hierarchy) {
        if controllers.split(|byte| *byte == b',').any(|name| name == b"memory") {
            return Some(clean(path));
        }
        if controllers.is_empty() {
            unified = Some(path);
        }
    }
    unified.map(clean)
}

/// Paths of the cgroups in all hierarchies, as they stand in the file.
pub fn paths(text: &[u8]) -> Vec<String> {
    let paths = lines(text).filter_map(hierarchy).map(|(_, path)| path);
    paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}

/// Controllers and path of one line, `ID:CONTROLLERS:PATH`. Only the path may contain further colons.
fn hierarchy(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = line.splitn(3, |byte| *byte == b':');
    let (_id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    path.starts_with(b"/").then_some((controllers, path))
}

fn clean(path: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(path.strip_suffix(REMOVED).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_controller_decides_and_the_unified_hierarchy_is_next() {
        for (text, expected) in [
            ("0::/user.slice/session-1.scope\n", Some("/user.slice/session-1.scope")),
            ("4:cpu,memory:/a\n1:name=systemd:/b\n0::/c\n", Some("/a")),
            ("0::/c\n4:memory:/a\n", Some("/a")),
            ("2:cpu:/a\n1:name=systemd:/b\n", None),
            ("5:memoryless:/a\n0::/\n", Some("/")),
            ("0::/with:colons:in it\n", Some("/with:colons:in it")),
            ("0::/gone.service (deleted)\n", Some("/gone.service")),
            ("0::\n", None),
            ("garbage\n", None),
            ("", None),
        ] {
            assert_eq!(memory_path(text.as_bytes()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn all_hierarchies_are_listed() {
        assert_eq!(paths(b"4:cpu,memory:/a\n1:name=systemd:/b c\nodd\n0::/\n"), ["/a", "/b c", "/"]);
        assert!(paths(b"").is_empty());
    }

    #[test]
    fn odd_bytes_are_replaced() {
        assert_eq!(memory_path(b"0::/a\xff\n").as_deref(), Some("/a\u{fffd}"));
    }
}
