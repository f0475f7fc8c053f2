//! What a handler left unread of a request's body: taken and forgotten when it is little, else the answer says that the connection ends.
//!
//! hyper closes a connection whose request was answered before its body had come, and says nothing of it in the answer. A client
//! that keeps connections would send its next request into the closing one, and could not tell whether it was carried out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::{CONNECTION, EXPECT};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

/// Most that is taken and forgotten, in bytes: a body that JSON routes would have read.
const BYTES_MAX: usize = 64 << 10;
/// Longest wait for it.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// A body that comes back when it was dropped before its end.
pub(super) struct Lent {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

/// Where it comes back to.
pub(super) struct Rest {
    /// `None`: the client waits for a word before it sends anything.
    back: Option<oneshot::Receiver<Incoming>>,
}

/// Lends the body of a request out.
pub(super) fn lend(request: Request<Incoming>) -> (Request<Lent>, Rest) {
    let waits = request.headers().contains_key(EXPECT);
    let (sender, receiver) = oneshot::channel();
    let request = request.map(|body| Lent {
        body: Some(body),
        back: Some(sender),
    });
    (
        request,
        Rest {
            back: (!waits).then_some(receiver),
        },
    )
}

impl Rest {
    /// Sees to it that the connection can go on after `response`, or that the response says that it does not.
    pub(super) async fn settle(self, response: &mut Response) {
        let all_read = match self.back {
            // Whoever waits for `100 Continue` sends nothing after a final answer, or everything: both are lawful (RFC 9110, 10.1.1).
            None => false,
            Some(mut back) => match back.try_recv() {
                Ok(body) => tokio::time::timeout(WAIT_MAX, forget(body))
                    .await
                    .unwrap_or(false),
                // It was read to its end, or something reads it still, as an upgraded connection does.
                Err(_) => true,
            },
        };
        if !all_read {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
    }
}

/// Reads the rest; whether that was all of it.
async fn forget(mut body: Incoming) -> bool {
    let mut left = BYTES_MAX;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let taken = frame.data_ref().map_or(0, |data| data.len());
        let Some(rest) = left.checked_sub(taken) else {
            return false;
        };
        left = rest;
    }
    true
}

impl Body for Lent {
    type Data = <Incoming as Body>::Data;
    type Error = <Incoming as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it when the connection is gone.
            back.send(body).ok();
        }
    }
}
