//! Receives what Alertmanager sends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::http::Responder;

/// Everything that was notified so far.
pub(crate) struct Webhook {
    responder: Responder,
    received: Arc<Mutex<Vec<Notification>>>,
}

/// One notification, of one alert or several.
#[derive(Clone, Debug)]
pub(crate) struct Notification(Value);

impl Webhook {
    pub(crate) fn start() -> Webhook {
        let received = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&received);
        let responder = Responder::start(move |body| {
            // Anyone may try a port of this machine; only Alertmanager sends a list of alerts.
            if let Some(notification) = Notification::parse(body) {
                list.lock().expect("no holder panics").push(notification);
            }
            String::new()
        });
        Webhook { responder, received }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.responder.address()
    }

    pub(crate) fn all(&self) -> Vec<Notification> {
        self.received.lock().expect("no holder panics").clone()
    }

    /// Those that have an alert with this label.
    pub(crate) fn with(&self, label: &str, value: &str) -> Vec<Notification> {
        self.all()
            .into_iter()
            .filter(|one| one.alerts().iter().any(|alert| alert["labels"][label] == value))
            .collect()
    }
}

impl Notification {
    fn parse(body: &str) -> Option<Notification> {
        serde_json::from_str(body).ok().filter(|json: &Value| json["alerts"].is_array()).map(Notification)
    }

    pub(crate) fn is_firing(&self) -> bool {
        self.0["status"] == "firing"
    }

    pub(crate) fn alerts(&self) -> &[Value] {
        self.0["alerts"].as_array().map_or(&[], Vec::as_slice)
    }

    /// A label that all its alerts share.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.0["commonLabels"][name].as_str().unwrap_or_default()
    }

    /// An annotation that all its alerts share.
    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.0["commonAnnotations"][name].as_str().unwrap_or_default()
    }
}
