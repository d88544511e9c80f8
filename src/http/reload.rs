//! `/-/reload`: the one request that changes something.

use std::sync::Arc;

use hyper::{Response, StatusCode};
use thiserror::Error;

use super::response::{Body, Refusal, text};
use super::settings::{LiveSettings, WebFileError};
use crate::rules::{LiveRules, RulesError};

/// Reads both of our files again, by request or by signal.
#[derive(Clone, Debug)]
pub struct Reloader {
    /// Of `--config.file`.
    pub rules: Arc<LiveRules>,
    /// Of `--web.config.file`.
    pub settings: Arc<LiveSettings>,
}

/// Why a file that was to be reloaded is not.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// It is that of `--config.file`.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// It is that of `--web.config.file`.
    #[error(transparent)]
    Settings(#[from] WebFileError),
}

impl ReloadError {
    /// Whether there was nothing to do, which the log does not say yet.
    pub fn is_of_no_file(&self) -> bool {
        matches!(self, ReloadError::Rules(RulesError::NoFile))
    }
}

impl Reloader {
    /// Reads each file that there is, also if the other one is wrong. The log says how that went.
    ///
    /// # Errors
    /// When there is none, and the first one that can't be read or makes no sense.
    pub fn reload(&self) -> Result<(), ReloadError> {
        let rules = match self.rules.reload() {
            Err(RulesError::NoFile) if self.settings.has_file() => Ok(()),
            result => result,
        };
        self.settings.reload()?;
        Ok(rules?)
    }
}

/// Reads the configuration files again. Those are few and small regular files, so that no other request waits for long. The
/// sampler goes by them from its next tick on.
pub(super) fn reload(reloader: &Reloader, enabled: bool) -> Result<Response<Body>, Refusal> {
    if !enabled {
        let message = "reloading by request is off; start with --web.enable-lifecycle, or send SIGHUP";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    match reloader.reload() {
        Ok(()) => Ok(text(StatusCode::OK, "configuration reloaded")),
        Err(error) => Err(Refusal::new(status(&error), error.to_string())),
    }
}

/// A file that can't be read is the server's trouble; one that makes no sense is its author's.
fn status(error: &ReloadError) -> StatusCode {
    match error {
        ReloadError::Rules(RulesError::Read { .. }) | ReloadError::Settings(WebFileError::Read { .. }) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        ReloadError::Rules(RulesError::Wrong { .. } | RulesError::NoFile)
        | ReloadError::Settings(WebFileError::Wrong { .. } | WebFileError::Opens { .. }) => {
            StatusCode::BAD_REQUEST
        }
    }
}
