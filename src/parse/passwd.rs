//! /etc/passwd: names of users.

use std::collections::HashMap;
use std::sync::Arc;

use super::text::{lines, number};

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
    (!name.is_empty()).then_some((uid, name))
}

#[cfg(test)]
mod tests {
    use super::*;

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
