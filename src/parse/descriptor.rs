//! /proc/PID/fd/N: what a file descriptor stands for.

use crate::resources::DescriptorKind;

/// Sorts by what the link says (proc_pid_fd(5)): `socket:[123]`, `pipe:[123]`, `anon_inode:[eventfd]`,
/// `/memfd:name (deleted)`, or a path.
pub fn kind(link: &[u8]) -> DescriptorKind {
    const STARTS: [(&[u8], DescriptorKind); 6] = [
        (b"socket:[", DescriptorKind::Socket),
        (b"pipe:[", DescriptorKind::Pipe),
        // Since Linux 6.1 with its number after the name.
        (b"anon_inode:[eventfd", DescriptorKind::Eventfd),
        (b"/memfd:", DescriptorKind::Memfd),
        (b"/", DescriptorKind::File),
        (b"", DescriptorKind::Other),
    ];
    let found = STARTS.into_iter().find(|(start, _)| link.starts_with(start));
    found.map_or(DescriptorKind::Other, |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_sorted_by_how_they_begin() {
        for (link, expected) in [
            ("socket:[123]", DescriptorKind::Socket),
            ("pipe:[7]", DescriptorKind::Pipe),
            ("anon_inode:[eventfd]", DescriptorKind::Eventfd),
            ("anon_inode:[eventpoll]", DescriptorKind::Other),
            ("anon_inode:[eventfd:12]", DescriptorKind::Eventfd),
            ("/memfd:cache (deleted)", DescriptorKind::Memfd),
            ("/memfd", DescriptorKind::File),
            ("/dev/null", DescriptorKind::File),
            ("/tmp/socket:[1]", DescriptorKind::File),
            ("net:[4026531840]", DescriptorKind::Other),
            ("", DescriptorKind::Other),
        ] {
            assert_eq!(kind(link.as_bytes()), expected, "{link}");
        }
    }
}
