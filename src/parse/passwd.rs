//! /etc/passwd: names of users.

use std::collections::HashMap;
use std::sync::Arc;

use super::text::{lines, number};

/// Most bytes of a name, Linux's LOGIN_NAME_MAX; a longer one is none.
const MAX_NAME_BYTES: usize = 256;

/// Names by user id (passwd(5)). The first line of an id wins, as with getpwuid(3); odd lines are left out.
///
/// ```text
/// www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
/// ```
pub fn parse(text: &[u8]) -> HashMap<u32, Arc<str>> {
    let mut names = HashMap::new();
    for (uid, name) in lines(text).filter_map(user) {
        names.entry(uid).or_insert_with(|| Arc::from(String::from_utf8_lossy(name)));
    }
    names
}

fn user(line: &[u8]) -> Option<(u32, &[u8])> {
    let mut fields = line.split(|byte| *byte == b':');
    let (name, _password, uid) = (fields.next()?, fields.next()?, fields.next()?);
    let uid = u32::try_from(number("uid", uid).ok()?).ok()?;
    (1..=MAX_NAME_BYTES).contains(&name.len()).then_some((uid, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        let line = |length: usize| format!("{}:x:{length}:0\n", "n".repeat(length));
        let names = parse([256, 257].map(line).concat().as_bytes());
        assert_eq!(names.keys().copied().collect::<Vec<_>>(), [256]);
    }

    #[test]
    fn first_name_wins_and_odd_lines_do_no_harm() {
        let names = parse(
            b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n# comment\n\n:x:1::\nbig:x:4294967296:0\n\
              +::::::\nm\xfcller:x:1000:1000\n",
        );
        assert_eq!(names.len(), 2);
        assert_eq!(names[&0].as_ref(), "root");
        assert_eq!(names[&1000].as_ref(), "m\u{fffd}ller");
    }
}
