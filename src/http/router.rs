//! Which request gets which answer.
//!
//! | route | |
//! | --- | --- |
//! | `GET /` | web page |
//! | `GET /style.css` | its looks |
//! | `GET /metrics` | Prometheus text; the path is configurable |
//! | `GET /api/memory_usage` | the host's memory as JSON |
//! | `GET /api/leak_indicators` | the verdict and its evidence as JSON; `?scope=`, `?status=`, `?limit=` |
//! | `GET /api/history` | the recorded points of one entity as JSON; `?scope=` and `&group=` or `&pid=` |
//! | `GET /api/openapi.json` | describes the JSON routes |
//! | `GET /-/healthy` | 503 when sampling has stalled |
//! | `GET /-/ready` | 503 before the first sample |
//!
//! `HEAD` goes wherever `GET` goes. No route takes a body.

use std::sync::Arc;
use std::time::Instant;

use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::metrics::RenderedMetrics;
use super::response::{Body, Refusal, response};
use super::{api, health, openapi, page};
use crate::config::WebConfig;
use crate::exposition::{CONTENT_TYPE, SelfMetrics};
use crate::snapshot::Published;

/// All that answering takes.
#[derive(Debug)]
pub struct App {
    published: Arc<Published>,
    self_metrics: Arc<SelfMetrics>,
    metrics: RenderedMetrics,
    telemetry_path: String,
    disable_exporter_metrics: bool,
    started: Instant,
    in_work: Arc<Semaphore>,
}

impl App {
    /// Answers from what is in `published` at the time.
    pub fn new(web: &WebConfig, published: Arc<Published>, self_metrics: Arc<SelfMetrics>) -> App {
        App {
            published,
            self_metrics,
            metrics: RenderedMetrics::default(),
            telemetry_path: web.telemetry_path.clone(),
            disable_exporter_metrics: web.disable_exporter_metrics,
            started: Instant::now(),
            in_work: Arc::new(Semaphore::new(web.max_requests.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Where requests are counted.
    pub fn self_metrics(&self) -> &Arc<SelfMetrics> {
        &self.self_metrics
    }

    /// The answer. The request counts as being in work until the last byte of it is written.
    pub fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let in_flight = self.self_metrics.begin_request();
        let route = self.route(request.uri().path());
        let (response, permit) = match self.admit(request, route) {
            Ok((route, permit)) => (self.respond(route, request.uri().query().unwrap_or_default()), permit),
            Err(refusal) => (refusal.into_response(), None),
        };
        let status = response.status().as_u16();
        self.self_metrics.count_request(route.map_or("other", Route::name), status);
        tracing::debug!(method = %request.method(), path = request.uri().path(), status, "request");
        response.map(|body| body.holding((in_flight, permit)))
    }

    fn route(&self, path: &str) -> Option<Route> {
        match path {
            path if path == self.telemetry_path => Some(Route::Metrics),
            "/" => Some(Route::Page),
            "/style.css" => Some(Route::Style),
            "/api/memory_usage" => Some(Route::MemoryUsage),
            "/api/leak_indicators" => Some(Route::LeakIndicators),
            "/api/history" => Some(Route::History),
            "/api/openapi.json" => Some(Route::OpenApi),
            "/-/healthy" => Some(Route::Healthy),
            "/-/ready" => Some(Route::Ready),
            _ => None,
        }
    }

    /// Lets a request in, or says why not.
    fn admit<B>(
        &self,
        request: &Request<B>,
        route: Option<Route>,
    ) -> Result<(Route, Option<OwnedSemaphorePermit>), Refusal> {
        if has_body(request.headers()) {
            return Err(too_large());
        }
        let route = route.ok_or_else(|| not_found(request.uri().path()))?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(wrong_method());
        }
        // A busy exporter is not an unhealthy one.
        if matches!(route, Route::Healthy | Route::Ready) {
            return Ok((route, None));
        }
        let permit = Arc::clone(&self.in_work).try_acquire_owned().map_err(|_| busy())?;
        Ok((route, Some(permit)))
    }

    fn respond(&self, route: Route, query: &str) -> Response<Body> {
        let (published, now) = (&self.published, Instant::now());
        match route {
            Route::Page => page::page(published, &self.telemetry_path, now),
            Route::Style => page::style(),
            Route::Metrics => self.telemetry(now),
            Route::MemoryUsage => api::memory_usage(published, now).unwrap_or_else(Refusal::into_response),
            Route::LeakIndicators => {
                api::leak_indicators(published, query, now).unwrap_or_else(Refusal::into_response)
            }
            Route::History => api::history(published, query, now).unwrap_or_else(Refusal::into_response),
            Route::OpenApi => openapi::document(),
            Route::Healthy => health::healthy(published, self.started, now),
            Route::Ready => health::ready(published),
        }
    }

    fn telemetry(&self, now: Instant) -> Response<Body> {
        let watched = self.metrics.text(self.published.current().as_ref(), now);
        let own = if self.disable_exporter_metrics { String::new() } else { self.self_metrics.render() };
        response(StatusCode::OK, CONTENT_TYPE, Body::joined(watched, own.into()))
    }
}

#[derive(Clone, Copy, Debug)]
enum Route {
    Page,
    Style,
    Metrics,
    MemoryUsage,
    LeakIndicators,
    History,
    OpenApi,
    Healthy,
    Ready,
}

impl Route {
    /// The `handler` label: from this list, never from the request.
    fn name(self) -> &'static str {
        match self {
            Route::Page => "page",
            Route::Style => "style",
            Route::Metrics => "metrics",
            Route::MemoryUsage => "memory_usage",
            Route::LeakIndicators => "leak_indicators",
            Route::History => "history",
            Route::OpenApi => "openapi",
            Route::Healthy => "healthy",
            Route::Ready => "ready",
        }
    }
}

/// Whether a body follows. A length that is no number counts as one.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// The body is not read, so the next request could not be found behind it.
fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "no route takes a body").with(CONNECTION, "close")
}

fn not_found(path: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("there is nothing at {path:?}; see /"))
}

fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered").with(ALLOW, "GET, HEAD")
}

fn busy() -> Refusal {
    let message = "too many requests in work; see --web.max-requests";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).with(RETRY_AFTER, "1")
}
