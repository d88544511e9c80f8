//! `/-/reload`: the one request that changes something.

use hyper::{Response, StatusCode};

use super::response::{Body, Refusal, text};
use crate::rules::{LiveRules, RulesError};

/// Reads the configuration file again. That is one small regular file, so that no other request waits for long. The
/// sampler goes by it from its next tick on.
pub(super) fn reload(rules: &LiveRules, enabled: bool) -> Result<Response<Body>, Refusal> {
    if !enabled {
        let message = "reloading by request is off; start with --web.enable-lifecycle, or send SIGHUP";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    match rules.reload() {
        Ok(()) => Ok(text(StatusCode::OK, "configuration reloaded")),
        Err(error) => Err(Refusal::new(status(&error), error.to_string())),
    }
}

/// A file that can't be read is the server's trouble; one that makes no sense is its author's.
fn status(error: &RulesError) -> StatusCode {
    match error {
        RulesError::Read { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        RulesError::Wrong { .. } | RulesError::NoFile => StatusCode::BAD_REQUEST,
    }
}
