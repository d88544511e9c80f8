//! What can be wrong with the web configuration file and with the files it names, each in one sentence that says what
//! to write instead. No sentence has a secret in it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::clients::ClientAuth;
use crate::yaml::{self, nearest, one_line};

/// A fault and its line, from 1.
pub(super) type Wrong = (u64, Fault);

/// Why there are no settings.
#[derive(Debug, Error)]
pub enum WebFileError {
    /// The file can't be read.
    #[error("cannot read {path}: {source}; give a file that can be read with --web.config.file")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It can be read and does not make sense.
    #[error("{path}:{line}: {}", one_line(fault))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line that is wrong, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// It makes sense, and would let in whom the one in force does not.
    #[error("{path}: it no longer has {what}; restart the exporter if that is meant to be open")]
    Opens {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
}

/// What is wrong at one line.
#[derive(Debug, Error)]
pub enum Fault {
    /// It is wrong as a file of any kind would be.
    #[error(transparent)]
    Yaml(#[from] yaml::Fault),
    /// A text without a character.
    #[error("{0} is empty; leave it out or fill it in")]
    Empty(&'static str),
    /// TLS without a certificate or a key.
    #[error(
        "tls_server_config has neither {0} nor {0}_file; give one, or leave out the section for no TLS at all"
    )]
    NoPair(&'static str),
    /// The same thing in two places.
    #[error("{0} and {0}_file exclude each other; give one of them")]
    Both(&'static str),
    /// A file that is named and can't be read.
    #[error("cannot read {key} {path}: {source}")]
    File {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// PEM without what it is for.
    #[error("{key} has no {what} that can be used: {reason}")]
    Pem {
        /// The key of the file.
        key: &'static str,
        /// What is looked for.
        what: &'static str,
        /// Why there is none.
        reason: String,
    },
    /// A certificate and a key of somebody else, or neither of a kind that is known.
    #[error("the certificate and the key can't be used together: {0}")]
    Pair(String),
    /// A policy that there is not.
    #[error("client_auth_type {0:?} is unknown; {near}", near = nearest(_0, &ClientAuth::NAMES))]
    ClientAuthType(String),
    /// Certificates are to be verified, by nobody.
    #[error("client_auth_type {0} verifies by a client CA; give client_ca_file or client_ca")]
    NoClientCa(&'static str),
    /// A CA by which nothing is verified.
    #[error(
        "there is a client CA, by which client_auth_type {0} verifies nothing; write RequireAndVerifyClientCert"
    )]
    IdleClientCa(&'static str),
    /// Names that anybody could write into a certificate, or need not.
    #[error(
        "client_allowed_sans would let others in with client_auth_type {0}; write RequireAndVerifyClientCert"
    )]
    IdleSans(&'static str),
    /// Nobody could come in.
    #[error("client_allowed_sans is empty, so that nobody is let in; name some, or leave it out")]
    NoSans,
    /// A version that is broken.
    #[error("{0} is not supported, as it is no longer safe; write TLS12 or TLS13")]
    OldVersion(String),
    /// A version that there is not.
    #[error("the TLS version {0:?} is unknown; write TLS12 or TLS13")]
    Version(String),
    /// Nothing is between them.
    #[error("min_version is above max_version; leave one of them out")]
    VersionOrder,
    /// Cipher suites that the library has not, such as those with CBC or without forward secrecy.
    #[error("the cipher suite {0} is not supported; leave it out, or write one of {known}", known = _1.join(", "))]
    Cipher(String, Vec<&'static str>),
    /// Elliptic curves that it has not.
    #[error("the curve {0} is not supported; leave it out, or write one of {known}", known = _1.join(", "))]
    Curve(String, Vec<&'static str>),
    /// What the library thinks does not go together.
    #[error("TLS can't be set up like this: {0}")]
    Tls(String),
    /// A header whose values are few.
    #[error("{0} must be {1}")]
    HeaderValue(&'static str, &'static str),
    /// A header that would not end where it ends.
    #[error("{0} has characters that no header may have")]
    HeaderText(&'static str),
    /// A user who could not log in.
    #[error("the user {0:?} has a colon in the name, with which nobody can log in")]
    UserName(String),
    /// A password that is no hash of one.
    #[error("the password of {0:?} is no bcrypt hash; make one with: htpasswd -nBC 10 USER")]
    Hash(String),
    /// Neither a time nor 0.
    #[error("{0:?} is no time; write one such as 100ms, 1s or 1m, or 0 for no limit")]
    Duration(String),
    /// A limit that lets nobody through.
    #[error("burst must be 1 at least: with an interval and no burst, no request would be answered")]
    Burst,
}
