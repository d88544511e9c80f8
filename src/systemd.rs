//! What systemd is told, where it asks to be: that we serve, that we end, and now and then that we are well.

use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::time::interval;

use crate::snapshot::Published;

/// We serve.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// We are about to end.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Says that we are well twice as often as it is asked for, but not while sampling stalls: then systemd is to
/// restart us.
pub async fn watchdog(published: &Published) -> Infallible {
    let Some(asked) = sd_notify::watchdog_enabled() else { return pending().await };
    let mut turns = interval((asked / 2).max(Duration::from_millis(1)));
    loop {
        turns.tick().await;
        if published.current().is_none_or(|snapshot| !snapshot.is_stale(Instant::now())) {
            tell(NotifyState::Watchdog);
        }
    }
}

/// Does nothing where nobody asked to be told.
fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot tell systemd");
    }
}
