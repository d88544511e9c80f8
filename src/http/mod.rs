//! The web server: [`bind`] the addresses, make an [`App`], [`serve`] it until told to stop.
//!
//! A request reads the current snapshot. It never samples and never waits for the sampler.

mod api;
mod cgroups;
mod compression;
mod current;
mod health;
mod history;
mod listen;
mod metrics;
mod negotiation;
mod openapi;
mod page;
mod query;
mod ranking;
mod reload;
mod response;
mod router;
mod server;
mod views;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::net::TcpListener;

pub use listen::{ListenError, bind};
pub use response::Body;
pub use router::App;
pub use server::{Limits, run};

/// Answers requests on `listeners` until `shutdown` completes and what is in flight then is answered.
pub async fn serve(
    listeners: Vec<TcpListener>,
    app: App,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) {
    let app = Arc::new(app);
    let metrics = Arc::clone(app.self_metrics());
    let answer = move |request| {
        let response = app.answer(&request);
        std::future::ready(response)
    };
    run(listeners, answer, shutdown, limits, move || metrics.count_refused_connection()).await;
}
