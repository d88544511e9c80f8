//! Bodies, and the one way to build each kind of response.

use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const JSON: &str = "application/json";

/// Pieces of text, handed over one by one, so that what many responses share is not copied into each.
#[derive(Debug, Default)]
pub struct Body {
    /// None of them is empty.
    pieces: vec::IntoIter<Bytes>,
}

impl Body {
    /// The pieces, one after the other.
    pub fn joined(pieces: impl IntoIterator<Item = Bytes>) -> Body {
        let pieces: Vec<Bytes> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        Body { pieces: pieces.into_iter() }
    }

    /// The same body, which drops `guard` only once its last byte has been handed to the kernel.
    #[must_use]
    pub(super) fn holding<G: Send + 'static>(mut self, guard: G) -> Body {
        if let Some(last) = self.pieces.as_mut_slice().last_mut() {
            *last = Bytes::from_owner(Held { bytes: std::mem::take(last), _guard: guard });
        }
        self
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(only: T) -> Body {
        Body::joined([only.into()])
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.pieces.as_slice().iter().map(|piece| piece.len() as u64).sum())
    }
}

struct Held<G> {
    bytes: Bytes,
    _guard: G,
}

impl<G> AsRef<[u8]> for Held<G> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A response of any type. It is of its moment, and it is what it says it is.
pub(super) fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, content_type);
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Sets a header of a response that exists.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// One line of text.
pub(super) fn text(status: StatusCode, line: impl Display) -> Response<Body> {
    response(status, TEXT, format!("{line}\n"))
}

/// Look there instead, for now.
pub(super) fn redirect(path: &str) -> Result<Response<Body>, Refusal> {
    let location = HeaderValue::from_str(path).map_err(Refusal::internal)?;
    let mut response = text(StatusCode::FOUND, format_args!("see {path}"));
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// A value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(body) => response(status, JSON, body),
        Err(error) => Refusal::internal(error).into_response(),
    }
}

/// What every refused request gets.
#[derive(Serialize, JsonSchema)]
pub(super) struct Error {
    /// Why, and what to ask for instead.
    error: String,
}

/// A request that gets no result.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    client: String,
    log: Option<String>,
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    /// The client is told why.
    pub(super) fn new(status: StatusCode, client: impl Into<String>) -> Refusal {
        Refusal { status, client: client.into(), log: None, header: None }
    }

    /// Our own fault: the log is told why, the client only that it is so.
    fn internal(error: impl Display) -> Refusal {
        let client = "internal error; the log has more";
        Refusal { log: Some(error.to_string()), ..Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, client) }
    }

    /// A header that tells programs what the message tells people.
    #[must_use]
    pub(super) fn with(self, name: HeaderName, value: &'static str) -> Refusal {
        Refusal { header: Some((name, value)), ..self }
    }

    /// The answer, an [`Error`] as JSON.
    pub(super) fn into_response(self) -> Response<Body> {
        if let Some(reason) = self.log {
            tracing::error!(%reason, "cannot answer a request");
        }
        // A structure of strings always has a JSON form.
        let body = serde_json::json!(Error { error: self.client }).to_string();
        let mut response = response(self.status, JSON, body);
        if let Some((name, value)) = self.header {
            set(&mut response, name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt;
    use hyper::body::Body as _;

    use super::*;

    #[tokio::test]
    async fn pieces_follow_one_another() {
        let mut body = Body::joined(["one ", "", "two", ""].map(Bytes::from));
        assert_eq!(body.size_hint().exact(), Some(7));
        for piece in ["one ", "two"] {
            assert!(!body.is_end_stream());
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
        }
        assert!(body.is_end_stream() && body.frame().await.is_none());
        assert!(Body::default().is_end_stream() && Body::from("").is_end_stream());
    }

    #[tokio::test]
    async fn a_guard_lives_as_long_as_the_last_piece() {
        let guard = Arc::new(());
        let mut body = Body::joined(["one", "two", ""].map(Bytes::from)).holding(Arc::clone(&guard));
        let first = body.frame().await;
        let last = body.frame().await;
        drop((first, body));
        assert_eq!(Arc::strong_count(&guard), 2);
        drop(last);
        assert_eq!(Arc::strong_count(&guard), 1);
    }

    #[tokio::test]
    async fn the_client_is_not_told_what_the_log_is() {
        let response = Refusal::internal("secret").into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"error":"internal error; the log has more"}"#);
    }
}
