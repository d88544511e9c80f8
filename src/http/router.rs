//! Which request gets which answer.
//!
//! | route | |
//! | --- | --- |
//! | `GET /` | web page |
//! | `GET /style.css` | its looks |
//! | `GET /metrics` | OpenMetrics or Prometheus text, as `Accept` says; `?collect[]=`; the path is configurable |
//! | `GET /api/memory_usage` | the host's memory as JSON |
//! | `GET /api/leak_indicators` | the verdict and its evidence as JSON; `?scope=`, `?status=`, `?limit=` |
//! | `GET /api/history` | the recorded points of one entity as JSON; `?scope=` and `&group=` or `&pid=` |
//! | `GET /api/openapi.json` | describes the JSON routes |
//! | `GET /-/healthy` | 503 when sampling has stalled |
//! | `GET /-/ready` | 503 before the first sample |
//! | `POST /-/reload` | reads the configuration file again; 403 unless `--web.enable-lifecycle` is given |
//!
//! All of them are below `--web.route-prefix`; `/` and the prefix without a slash redirect to the page.
//!
//! `HEAD` goes wherever `GET` goes. No route takes a body. Users, rate limit and headers of `--web.config.file` are for all
//! but `/-/healthy`, whose headers alone are the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Body as HttpBody;
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::metrics::Telemetry;
use super::places::{Asker, Places, TakingRoom};
use super::reload::Reloader;
use super::response::{Body, Refusal, redirect, set};
use super::settings::{LiveSettings, Settings};
use super::{api, health, openapi, page, reload};
use crate::config::WebConfig;
use crate::exposition::SelfMetrics;
use crate::snapshot::Published;

/// Most bytes of a path: ours are short.
const MAX_PATH: usize = 1024;

/// Most bytes of a query: the path of a cgroup, and what it takes to write it down.
const MAX_QUERY: usize = 8192;

/// Time for a connection that has to leave to do so.
const LEAVING: Duration = Duration::from_millis(100);

/// All that answering takes.
#[derive(Debug)]
pub struct App {
    reloader: Reloader,
    enable_lifecycle: bool,
    published: Arc<Published>,
    self_metrics: Arc<SelfMetrics>,
    telemetry: Telemetry,
    telemetry_path: String,
    route_prefix: String,
    started: Instant,
    in_work: Arc<Semaphore>,
    places: Option<Arc<Places>>,
}

impl App {
    /// Answers from what is in `published` at the time.
    pub fn new(
        web: &WebConfig,
        reloader: Reloader,
        published: Arc<Published>,
        self_metrics: Arc<SelfMetrics>,
    ) -> App {
        let own = (!web.disable_exporter_metrics).then(|| Arc::clone(&self_metrics));
        App {
            reloader,
            enable_lifecycle: web.enable_lifecycle,
            published,
            self_metrics,
            telemetry: Telemetry::new(own),
            telemetry_path: web.telemetry_path.clone(),
            route_prefix: web.route_prefix.clone(),
            started: Instant::now(),
            in_work: Arc::new(Semaphore::new(web.max_requests.min(Semaphore::MAX_PERMITS))),
            places: None,
        }
    }

    /// The same, which may let connections leave that keep requests in work for too long.
    pub(super) fn on(self, places: Arc<Places>) -> App {
        App { places: Some(places), ..self }
    }

    /// What the web configuration file says.
    pub(super) fn settings(&self) -> &Arc<LiveSettings> {
        &self.reloader.settings
    }

    /// Where requests are counted.
    pub fn self_metrics(&self) -> &Arc<SelfMetrics> {
        &self.self_metrics
    }

    /// The answer. The request counts as being in work until the last byte of it is written.
    pub async fn answer<B: HttpBody>(&self, request: &Request<B>) -> Response<Body> {
        let in_flight = self.self_metrics.begin_request();
        let route = self.route(request.uri().path());
        let settings = self.settings().current();
        let (mut response, room) = match self.admit(request, route, &settings).await {
            Ok((route, room)) => (self.respond(route, request), room),
            Err(refusal) => (refuse(refusal, request), None),
        };
        settings.decorate(response.headers_mut());
        if request.method() == Method::HEAD {
            response = without_body(response);
        }
        let status = response.status().as_u16();
        self.self_metrics.count_request(route.map_or("other", Route::name), status);
        tracing::debug!(method = %request.method(), path = request.uri().path(), status, "request");
        response.map(|body| body.holding((in_flight, room)))
    }

    fn route(&self, path: &str) -> Option<Route> {
        let is_above = path == "/" || path == self.route_prefix;
        if is_above && !self.route_prefix.is_empty() {
            return Some(Route::Redirect);
        }
        match path.strip_prefix(&self.route_prefix)? {
            path if path == self.telemetry_path => Some(Route::Metrics),
            "/" => Some(Route::Page),
            "/style.css" => Some(Route::Style),
            "/api/memory_usage" => Some(Route::MemoryUsage),
            "/api/leak_indicators" => Some(Route::LeakIndicators),
            "/api/history" => Some(Route::History),
            "/api/openapi.json" => Some(Route::OpenApi),
            "/-/healthy" => Some(Route::Healthy),
            "/-/ready" => Some(Route::Ready),
            "/-/reload" => Some(Route::Reload),
            _ => None,
        }
    }

    /// Lets a request in, or says why not.
    async fn admit<B: HttpBody>(
        &self,
        request: &Request<B>,
        route: Option<Route>,
        settings: &Settings,
    ) -> Result<(Route, Option<Room>), Refusal> {
        has_host(request)?;
        is_short(request.uri())?;
        // Who restarts us knows no password.
        if !matches!(route, Some(Route::Healthy)) {
            settings.admit(request.headers()).await?;
        }
        let route = route.ok_or_else(|| not_found(request.uri().path()))?;
        route.allows(request.method())?;
        if has_body(request) {
            return Err(too_large());
        }
        // A busy exporter is not an unhealthy one, and still does as it is told.
        if matches!(route, Route::Healthy | Route::Ready | Route::Reload) {
            return Ok((route, None));
        }
        let permit = self.permit().await?;
        let asker: Option<&Asker> = request.extensions().get();
        Ok((route, Some((permit, asker.map(Asker::takes_room)))))
    }

    /// Room for one more request in work. Where there is none, a client that does not read its answer makes some.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        if let Ok(permit) = Arc::clone(&self.in_work).try_acquire_owned() {
            return Ok(permit);
        }
        if !self.places.as_ref().is_some_and(|places| places.give_up_slowest(Instant::now())) {
            return Err(busy());
        }
        self.self_metrics.count_given_up_connection();
        match timeout(LEAVING, Arc::clone(&self.in_work).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(busy()),
        }
    }

    fn respond<B>(&self, route: Route, request: &Request<B>) -> Response<Body> {
        let (published, now) = (&self.published, Instant::now());
        let query = request.uri().query().unwrap_or_default();
        let answer = match route {
            Route::Redirect => redirect(&format!("{}/", self.route_prefix)),
            Route::Page => Ok(page::page(published, &self.telemetry_path, now)),
            Route::Style => Ok(page::style()),
            Route::Metrics => {
                self.telemetry.answer(published.current().as_ref(), query, request.headers(), now)
            }
            Route::MemoryUsage => api::memory_usage(published, now),
            Route::LeakIndicators => api::leak_indicators(published, query, now),
            Route::History => api::history(published, query, now),
            Route::OpenApi => Ok(openapi::document()),
            Route::Healthy => Ok(health::healthy(published, self.started, now)),
            Route::Ready => Ok(health::ready(published)),
            Route::Reload => reload::reload(&self.reloader, self.enable_lifecycle),
        };
        answer.unwrap_or_else(Refusal::into_response)
    }
}

/// A request in work, and for whom it is one.
type Room = (OwnedSemaphorePermit, Option<TakingRoom>);

#[derive(Clone, Copy, Debug)]
enum Route {
    Redirect,
    Page,
    Style,
    Metrics,
    MemoryUsage,
    LeakIndicators,
    History,
    OpenApi,
    Healthy,
    Ready,
    Reload,
}

impl Route {
    /// The `handler` label: from this list, never from the request.
    fn name(self) -> &'static str {
        match self {
            Route::Redirect => "redirect",
            Route::Page => "page",
            Route::Style => "style",
            Route::Metrics => "metrics",
            Route::MemoryUsage => "memory_usage",
            Route::LeakIndicators => "leak_indicators",
            Route::History => "history",
            Route::OpenApi => "openapi",
            Route::Healthy => "healthy",
            Route::Ready => "ready",
            Route::Reload => "reload",
        }
    }

    /// Whether the route answers to `method`. What changes something is never got.
    fn allows(self, method: &Method) -> Result<(), Refusal> {
        let (allowed, sentence, list) = match self {
            Route::Reload => (*method == Method::POST, "only POST is answered", "POST"),
            _ => {
                let reads = matches!(*method, Method::GET | Method::HEAD);
                (reads, "only GET and HEAD are answered", "GET, HEAD")
            }
        };
        let refusal = || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, sentence).with(ALLOW, list);
        if allowed { Ok(()) } else { Err(refusal()) }
    }
}

/// RFC 9112 has it that a request says, once, whom it is for.
fn has_host<B>(request: &Request<B>) -> Result<(), Refusal> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let is_said = match request.version() {
        Version::HTTP_11 => hosts == 1,
        _ => hosts <= 1,
    };
    let refusal =
        || Refusal::new(StatusCode::BAD_REQUEST, "there must be one Host").with(CONNECTION, "close");
    if is_said { Ok(()) } else { Err(refusal()) }
}

fn is_short(uri: &Uri) -> Result<(), Refusal> {
    if uri.path().len() > MAX_PATH {
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, format!("no path here has {MAX_PATH} bytes")));
    }
    if uri.query().is_some_and(|query| query.len() > MAX_QUERY) {
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, format!("a query has {MAX_QUERY} bytes at most")));
    }
    Ok(())
}

/// Tells only how long the body would be: by HTTP/2, hyper sends whatever there is.
fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response.map(|_| Body::default())
}

/// Whether a body follows; by HTTP/2 no header need say so. A length that is no number counts as one.
fn has_body<B: HttpBody>(request: &Request<B>) -> bool {
    let headers = request.headers();
    !request.body().is_end_stream()
        || headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// A body is not read, so the next request could not be found behind it.
fn refuse<B: HttpBody>(refusal: Refusal, request: &Request<B>) -> Response<Body> {
    let mut response = refusal.into_response();
    if has_body(request) {
        set(&mut response, CONNECTION, "close");
    }
    response
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "no route takes a body")
}

fn not_found(path: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("there is nothing at {path:?}; see /"))
}

fn busy() -> Refusal {
    let message = "too many requests in work; see --web.max-requests";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).with(RETRY_AFTER, "1")
}
