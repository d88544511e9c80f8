//! /proc/PID/cmdline: the arguments of a process.

/// The arguments with NUL between them; `None` where there are none, as of a process without an address space
/// (proc_pid_cmdline(5)). The process may have written anything over them: bytes that are no UTF-8 are replaced.
///
/// ```text
/// /usr/bin/python3\0-m\0http.server\0
/// ```
pub fn command_line(text: &[u8]) -> Option<String> {
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    (!text.is_empty()).then(|| String::from_utf8_lossy(&text[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_the_last_argument_is_cut() {
        for (text, expected) in [
            (&b"/bin/a\0-b\0"[..], Some("/bin/a\0-b")),
            (b"nginx: worker process\0\0\0\0", Some("nginx: worker process")),
            (b"a\0\0b", Some("a\0\0b")),
            (b"\xff", Some("\u{fffd}")),
            (b"\0\0", Some("")),
            (b"", None),
        ] {
            assert_eq!(command_line(text).as_deref(), expected, "{text:?}");
        }
    }
}
