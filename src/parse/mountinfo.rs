//! /proc/PID/mountinfo: where the cgroup hierarchies are mounted.

use super::text::{lines, words};

/// One mount, as far as it takes to find cgroups (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount<'a> {
    /// The directory of the file system that is to be seen at the mount point: `/`, or in a container without a cgroup
    /// namespace of its own the path of its cgroup.
    pub root: Vec<u8>,
    /// Where it is mounted, below the root directory of the process.
    pub point: Vec<u8>,
    /// The type of the file system, such as `cgroup2`.
    pub fs_type: &'a [u8],
    /// Options of the file system itself, with commas between: controllers of a v1 hierarchy are among them.
    pub super_options: &'a [u8],
}

impl Mount<'_> {
    /// Whether cgroups of v2 are here. Their memory controller may still be in a hierarchy of v1.
    pub fn is_unified(&self) -> bool {
        self.fs_type == b"cgroup2"
    }

    /// Whether cgroups of v1 with a memory controller are here.
    pub fn is_memory_controller(&self) -> bool {
        self.fs_type == b"cgroup"
            && self.super_options.split(|byte| *byte == b',').any(|name| name == b"memory")
    }
}

/// The mounts in the order of the file: of two at one point the later one is seen. Lines that are none are left out.
///
/// ```text
/// 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:15 - cgroup cgroup rw,memory
/// 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
/// ```
pub fn mounts(text: &[u8]) -> impl Iterator<Item = Mount<'_>> {
    lines(text).filter_map(mount)
}

/// ID, parent, device, root, point, options, any number of optional fields, `-`, type, source, options of the file system.
fn mount(line: &[u8]) -> Option<Mount<'_>> {
    let mut fields = words(line).skip(3);
    let (root, point, _options) = (fields.next()?, fields.next()?, fields.next()?);
    fields.find(|field| *field == b"-")?;
    let (fs_type, _source, super_options) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Mount { root: unescaped(root), point: unescaped(point), fs_type, super_options })
}

/// A path as it is. The kernel writes blanks and backslashes in it as a backslash and three octal digits.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let escaped = rest.split_first_chunk::<4>().and_then(|(head, tail)| Some((octal(*head)?, tail)));
        let (byte, next) = escaped.unwrap_or((*first, after));
        plain.push(byte);
        rest = next;
    }
    plain
}

/// The byte that `\OOO` stands for.
fn octal(escape: [u8; 4]) -> Option<u8> {
    let [b'\\', digits @ ..] = escape else { return None };
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = matches!(digit, b'0'..=b'7').then(|| digit - b'0')?;
        value.checked_mul(8)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        32 31 0:29 / /sys/fs/cgroup/cpu rw shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn cgroup_mounts_are_found() {
        let memory: Vec<_> = mounts(TEXT).filter(Mount::is_memory_controller).collect();
        let expected = Mount {
            root: b"/docker/abc".to_vec(),
            point: b"/sys/fs/cgroup/memory".to_vec(),
            fs_type: b"cgroup",
            super_options: b"rw,memory",
        };
        assert_eq!(memory, [expected]);
        let unified: Vec<_> = mounts(TEXT).filter(Mount::is_unified).map(|mount| mount.point).collect();
        assert_eq!(unified, [b"/sys/fs/cgroup/unified"]);
        assert_eq!(mounts(TEXT).count(), 5);
    }

    #[test]
    fn options_and_types_count_whole() {
        for line in [
            "1 1 0:1 / /a rw - cgroup cgroup rw,memoryless",
            "1 1 0:1 / /a rw - cgroup2 cgroup2 rw,memory",
            "1 1 0:1 / /a rw - tmpfs cgroup rw,memory",
            "1 1 0:1 / /a rw,memory - cgroup cgroup rw",
        ] {
            assert!(!mounts(line.as_bytes()).any(|mount| mount.is_memory_controller()), "{line}");
        }
    }

    #[test]
    fn blanks_in_paths_are_escaped() {
        for (escaped, expected) in [
            (r"/a\040b", &b"/a b"[..]),
            (r"/a\011\012\134", b"/a\t\n\\"),
            (r"/\134040", br"/\040"),
            (r"/\377\400", b"/\xff\\400"),
            (r"/\8", br"/\8"),
            (r"/\04", br"/\04"),
            (r"\", br"\"),
        ] {
            assert_eq!(unescaped(escaped.as_bytes()), expected, "{escaped}");
        }
        let line = br"1 1 0:1 /r\040t /p\011t rw - cgroup2 none rw";
        let mount = mounts(line).next().unwrap();
        assert_eq!((mount.root, mount.point), (b"/r t".to_vec(), b"/p\tt".to_vec()));
    }

    #[test]
    fn lines_that_are_no_mounts_are_left_out() {
        for line in [
            "",
            "garbage",
            "1 1 0:1 / /a rw cgroup cgroup rw",
            "1 1 0:1 / /a rw - cgroup cgroup",
            "- - - - - - -",
        ] {
            assert_eq!(mounts(line.as_bytes()).next(), None, "{line}");
        }
    }
}
