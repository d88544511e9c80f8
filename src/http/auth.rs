//! Who may ask, by name and password.
//!
//! What to learn from the time of an answer is only whether a password was right: for a name that nobody has, as much
//! work is done as for somebody's. Passwords that were right are remembered by keyed hashes, so that a scraper costs one
//! bcrypt and not one a scrape.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::response::Refusal;

/// Passwords that are looked at once: each takes a core for as long as its user's hash says.
const AT_ONCE: usize = 2;

/// Requests that wait for that; one more is sent away.
const WAITING: usize = 64;

/// Right passwords that are remembered.
const REMEMBERED: usize = 128;

/// Bytes of the version and the cost in a hash, and of what follows them.
const HASH_PREFIX: usize = "$2y$10$".len();
const SALT_AND_HASH: usize = 22 + 31;

/// Who has which password.
pub(super) struct Users {
    /// Names and hashes; there is one at least.
    hashes: Vec<(String, String)>,
    pub(super) kept: Arc<Kept>,
}

/// What goes on when the file is read again.
pub(super) struct Kept {
    known: Known,
    work: Arc<Semaphore>,
    waiting: Semaphore,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("number", &self.hashes.len()).finish_non_exhaustive()
    }
}

impl Users {
    pub(super) fn new(hashes: Vec<(String, String)>) -> Users {
        let kept = Kept {
            known: Known::default(),
            work: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Semaphore::new(WAITING),
        };
        Users { hashes, kept: Arc::new(kept) }
    }

    /// Knows the passwords that `before` knew, of those whose hashes are the same, and has its queue.
    pub(super) fn continue_from(&mut self, before: &Users) {
        self.kept = Arc::clone(&before.kept);
    }

    /// Whether it is a hash that a password can be compared with.
    pub(super) fn is_hash(text: &str) -> bool {
        // The library looks at salt and hash only when it compares.
        let Some((_, salt_and_hash)) = text.split_at_checked(HASH_PREFIX) else { return false };
        let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
        salt_and_hash.len() == SALT_AND_HASH
            && salt_and_hash.bytes().all(is_encoded)
            && text.parse().is_ok_and(|parts: bcrypt::HashParts| (4..=31).contains(&parts.get_cost()))
    }

    /// Lets a request in, or says why not.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Credentials { name, password } = Credentials::of(headers).ok_or_else(unauthorized)?;
        let (hash, is_somebody) = self.hash_of(&name);
        // The hash is part of it: one that changed is not known any more.
        let key = self.kept.known.key(&name, hash, &password);
        if is_somebody && self.kept.known.has(key) {
            return Ok(());
        }
        let is_right = self.compare(hash.to_string(), password).await?;
        if !(is_right && is_somebody) {
            return Err(unauthorized());
        }
        self.kept.known.add(key);
        Ok(())
    }

    /// What to compare the password of `name` with, and whether the name is somebody's. If it is not, the hash is that
    /// of one user or another, always of the same for the same name: it takes as long.
    fn hash_of(&self, name: &str) -> (&str, bool) {
        if let Some((_, hash)) = self.hashes.iter().find(|(user, _)| user == name) {
            return (hash, true);
        }
        let index = self.kept.known.keys[0].hash_one(name) % self.hashes.len().max(1) as u64;
        (self.hashes.get(index as usize).map_or("", |(_, hash)| hash), false)
    }

    /// Whether `password` is the one that was hashed.
    async fn compare(&self, hash: String, password: Vec<u8>) -> Result<bool, Refusal> {
        let _waiting = self.kept.waiting.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.kept.work).acquire_owned().await.map_err(|_| busy())?;
        let compared = spawn_blocking(move || {
            // Held until it is done, also if the client goes away before.
            let _turn = turn;
            bcrypt::verify(password, &hash).unwrap_or(false)
        });
        compared.await.map_err(|_| busy())
    }
}

fn unauthorized() -> Refusal {
    let challenge = "Basic realm=\"memleak-exporter\", charset=\"UTF-8\"";
    Refusal::new(StatusCode::UNAUTHORIZED, "a name and a password are needed")
        .with(WWW_AUTHENTICATE, challenge)
}

fn busy() -> Refusal {
    let message = "too many passwords are being looked at";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).with(RETRY_AFTER, "1")
}

/// Who somebody claims to be.
struct Credentials {
    name: String,
    password: Vec<u8>,
}

impl Credentials {
    /// Those of the only `Authorization`; `None` where there is none of the scheme Basic. A name that is no text is
    /// nobody's.
    fn of(headers: &HeaderMap) -> Option<Credentials> {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let (Some(only), None) = (all.next(), all.next()) else { return None };
        let (scheme, encoded) = only.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64_STANDARD.decode(encoded.trim_matches(' ')).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
        Some(Credentials { name, password: decoded[colon + 1..].to_vec() })
    }
}

/// What was right, as hashes under keys that nobody knows.
#[derive(Default)]
struct Known {
    keys: [RandomState; 2],
    /// The oldest first.
    right: Mutex<VecDeque<[u64; 2]>>,
}

impl Known {
    /// Stands for a name, its hash and a password together.
    fn key(&self, name: &str, hash: &str, password: &[u8]) -> [u64; 2] {
        self.keys.each_ref().map(|key| key.hash_one((name, hash, password)))
    }

    fn has(&self, key: [u64; 2]) -> bool {
        self.right.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    fn add(&self, key: [u64; 2]) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.pop_front();
        }
        right.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    /// As cheap as bcrypt can be.
    fn users() -> Users {
        let hash = |password: &str| bcrypt::hash(password, 4).unwrap();
        Users::new(vec![("ada".to_string(), hash("right")), ("bob".to_string(), hash("other"))])
    }

    fn asking(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(text).unwrap());
        headers
    }

    fn basic(name_and_password: &str) -> HeaderMap {
        asking(&format!("Basic {}", BASE64_STANDARD.encode(name_and_password)))
    }

    async fn status(users: &Users, headers: &HeaderMap) -> u16 {
        users.admit(headers).await.map_or_else(|refusal| refusal.into_response().status().as_u16(), |()| 200)
    }

    #[tokio::test]
    async fn only_the_right_password_lets_in() {
        let users = users();
        for (headers, expected) in [
            (basic("ada:right"), 200),
            (basic("bob:other"), 200),
            (basic("ada:other"), 401),
            (basic("ada:"), 401),
            (basic("nobody:right"), 401),
            (basic("nobody:other"), 401),
            (basic(":right"), 401),
            (basic("ada"), 401),
            (basic("ada:right\0"), 401),
            (asking("basic  YWRhOnJpZ2h0 "), 200),
            (asking("Basic YWRhOnJpZ2h0="), 401),
            (asking("Basic"), 401),
            (asking("Bearer YWRhOnJpZ2h0"), 401),
            (HeaderMap::new(), 401),
        ] {
            assert_eq!(status(&users, &headers).await, expected, "{headers:?}");
        }
        let mut two = basic("ada:right");
        two.append(AUTHORIZATION, HeaderValue::from_static("Basic bm9ib2R5Og=="));
        assert_eq!(status(&users, &two).await, 401);
    }

    #[tokio::test]
    async fn what_was_right_is_remembered_and_bounded() {
        let users = users();
        assert_eq!(status(&users, &basic("ada:wrong")).await, 401);
        assert_eq!(users.kept.known.right.lock().unwrap().len(), 0);
        for _ in 0..3 {
            assert_eq!(status(&users, &basic("ada:right")).await, 200);
        }
        assert_eq!(users.kept.known.right.lock().unwrap().len(), 1);
        (0..2 * REMEMBERED as u64).for_each(|number| users.kept.known.add([number, 0]));
        assert_eq!(users.kept.known.right.lock().unwrap().len(), REMEMBERED);
        // Nothing else is taken for it: neither another's, nor what runs together to the same text.
        assert_eq!(status(&users, &basic("bob:right")).await, 401);
        assert_ne!(users.kept.known.key("a", "b", b"c"), users.kept.known.key("ab", "", b"c"));
    }

    #[tokio::test]
    async fn a_remembered_password_waits_for_nobody() {
        let users = users();
        assert_eq!(status(&users, &basic("ada:right")).await, 200);
        let _all = users.kept.waiting.try_acquire_many(WAITING as u32).unwrap();
        assert_eq!(status(&users, &basic("ada:right")).await, 200);
        assert_eq!(status(&users, &basic("bob:other")).await, 503);
    }

    #[tokio::test]
    async fn a_reload_forgets_no_password_but_one_that_changed() {
        let before = users();
        for who in ["ada:right", "bob:other"] {
            assert_eq!(status(&before, &basic(who)).await, 200);
        }
        let mut hashes = before.hashes.clone();
        hashes[1].1 = bcrypt::hash("new", 4).unwrap();
        let mut after = Users::new(hashes);
        after.continue_from(&before);
        assert_eq!(status(&after, &basic("bob:other")).await, 401);
        assert_eq!(status(&after, &basic("bob:new")).await, 200);
        // Nor does it open a second queue.
        let _all = before.kept.waiting.try_acquire_many(WAITING as u32).unwrap();
        assert_eq!(status(&after, &basic("ada:right")).await, 200);
        assert_eq!(status(&after, &basic("ada:wrong")).await, 503);
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_waits_as_somebody_does() {
        let users = users();
        let _all = users.kept.waiting.try_acquire_many(WAITING as u32).unwrap();
        for who in ["nobody:right", "ada:wrong"] {
            assert_eq!(status(&users, &basic(who)).await, 503, "{who}");
        }
    }

    #[test]
    fn a_name_that_nobody_has_costs_as_much_as_somebody_s() {
        let users = users();
        let (hash, is_somebody) = users.hash_of("nobody");
        assert!(!is_somebody && users.hashes.iter().any(|(_, one)| one == hash));
        assert_eq!(users.hash_of("nobody").0, hash);
    }

    #[test]
    fn what_is_no_hash_is_none() {
        let hash = bcrypt::hash("x", 4).unwrap();
        assert!(
            Users::is_hash(&hash)
                && Users::is_hash("$2y$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi")
        );
        for text in ["", "secret", "$2y$10$tooshort", &hash[..59], &hash.replace("$04$", "$03$")] {
            assert!(!Users::is_hash(text), "{text}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let users = users();
        let shown = format!("{users:?}");
        assert!(!shown.contains("$2") && !shown.contains("ada"), "{shown}");
    }
}
