//! The web server: [`bind`] the addresses, make an [`App`], [`serve`] it until told to stop.
//!
//! A request reads the current snapshot. It never samples and never waits for the sampler.

mod api;
mod auth;
mod cgroups;
mod compression;
mod connection;
mod current;
mod health;
mod history;
mod listen;
mod metrics;
mod negotiation;
mod openapi;
mod page;
mod places;
mod progress;
mod query;
mod ranking;
mod rate;
mod reload;
mod response;
mod router;
mod server;
mod settings;
mod views;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;

pub use listen::{ListenError, bind};
pub use places::Places;
pub use reload::Reloader;
pub use response::Body;
pub use router::App;
pub use server::{Crowded, Entrance, Limits, Service, run};
pub use settings::{Fault as WebFault, LiveSettings, Settings, WebFileError, load};

/// Answers requests on `listeners` until `shutdown` completes and what is in flight then is answered.
pub async fn serve(
    listeners: Vec<TcpListener>,
    app: App,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) {
    let places = Places::new(limits.connections);
    let app = Arc::new(app.on(Arc::clone(&places)));
    let (settings, metrics) = (Arc::clone(app.settings()), Arc::clone(app.self_metrics()));
    let answer = move |request: Request<Incoming>| {
        let app = Arc::clone(&app);
        async move { app.answer(&request).await }
    };
    let entrance = move || settings.current().entrance();
    let on_crowded = move |how| match how {
        Crowded::Refused => metrics.count_refused_connection(),
        Crowded::GivenUp => metrics.count_given_up_connection(),
    };
    run(listeners, Service { answer, entrance, on_crowded }, places, shutdown, limits).await;
}
