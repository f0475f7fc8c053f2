//! The bytes of a playback: what stands before the fragments, and groups of pictures, unsealed in memory and compared with
//! their leaf hashes fragment by fragment while they are sent.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, SegmentId, StreamId, StreamKind};
use crate::base::secret::SegmentKey;
use crate::base::time::Span;
use crate::evidence::select::Piece;
use crate::evidence::view::{self, Group};
use crate::http::api::playback;
use crate::http::api::readable::{self, Readable};
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::{May, peer};
use crate::http::json::Segments;
use crate::http::playback::{Playback, need_kib};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::http::server::Peer;

/// Longest wait for room among all that is being sent.
const ROOM_MAX: Duration = Duration::from_secs(10);
/// Rights are looked at again this often while a client takes slowly what it is sent.
const AGAIN_EVERY: Duration = Duration::from_secs(1);
/// Longest that a group may take to go out.
const SENDING_MAX: Duration = Duration::from_secs(120);

/// Path of what stands before the fragments.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfInit {
    /// The playback.
    playback: String,
    /// The camera.
    #[param(value_type = String, example = "kassa-1")]
    camera: CameraId,
    /// The full picture, or the small one.
    #[serde(rename = "stream")]
    #[param(schema_with = words::stream)]
    _stream: StreamKind,
    /// Name of the sample entry, `.mp4`: as the groups say.
    file: String,
}

/// What stands before the fragments of a sample entry: `ftyp` and `moov`.
#[utoipa::path(
    get,
    path = "/api/v1/playbacks/{playback}/{camera}/{stream}/init/{file}",
    tag = "playback",
    params(OfInit),
    responses(
        (status = 200, content_type = "video/mp4", description = "ISO/IEC 14496-12"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn init(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfInit>,
) -> Answer<Response> {
    let playback = playback::find(&app, &who, &of.playback, Some(&of.camera))?;
    let bytes = of
        .file
        .strip_suffix(".mp4")
        .and_then(|name| playback.initial(name));
    let none = || Refusal::not_found("no group that was listed bears that name");
    bytes
        .ok_or_else(none)
        .map(|bytes| video("video/mp4", bytes.into()))
}

/// Path of a group of pictures.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfGroup {
    /// The playback.
    playback: String,
    /// The camera.
    #[param(value_type = String, example = "kassa-1")]
    camera: CameraId,
    /// The full picture, or the small one.
    #[param(schema_with = words::stream)]
    stream: StreamKind,
    /// The segment.
    segment: String,
    /// Number of its first fragment, `.m4s`: as the groups say.
    file: String,
}

/// A group of pictures in the clear: `moof` and `mdat` for each fragment, from a key frame on. An answer that breaks off was
/// not whole: a leaf hash did not match, or the session ended.
#[utoipa::path(
    get,
    path = "/api/v1/playbacks/{playback}/{camera}/{stream}/media/{segment}/{file}",
    tag = "playback",
    params(OfGroup),
    responses(
        (status = 200, content_type = "video/iso.segment", description = "ISO/IEC 14496-12"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn group(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfGroup>,
    extensions: Extensions,
) -> Answer<Response> {
    let playback = playback::find(&app, &who, &of.playback, Some(&of.camera))?;
    let none = || Refusal::not_found("that group is not in this playback");
    let number = of.file.strip_suffix(".m4s").and_then(|n| n.parse().ok());
    let (Some(number), Ok(segment)) = (number, of.segment.parse::<SegmentId>()) else {
        return Err(none());
    };
    let stream = StreamId {
        camera: of.camera,
        kind: of.stream,
    };
    let (shown, wanted) = (Arc::clone(&playback), stream.clone());
    let found = app
        .blocking(move |app| find(app, &shown, &wanted, segment, number))
        .await?;
    let (group, key) = found.ok_or_else(none)?;
    let room = app.playbacks.budget().acquire_many_owned(need_kib(&group));
    let room = match tokio::time::timeout(ROOM_MAX, room).await {
        Ok(Ok(room)) => room,
        _ => return Err(Error::new(Kind::Busy, "too much is being sent at once").into()),
    };
    let mut sending = Sending {
        app,
        playback,
        stream,
        key: Arc::new(key),
        pieces: group.pieces().to_vec().into(),
        first: None,
        _room: room,
    };
    // There may have been a wait. What cannot be opened is told with a status.
    sending.playback.again(&sending.stream.camera)?;
    sending.first = sending.next().await?;
    let watch = Watch::over(&sending, peer(&extensions)?.clone());
    let body = stream::unfold((sending, watch), |(mut sending, watch)| async {
        let sent = sending.step().await?;
        Some((sent, (sending, watch)))
    });
    Ok(video("video/iso.segment", Body::from_stream(body)))
}

fn video(kind: &'static str, body: Body) -> Response {
    let header = (CONTENT_TYPE, HeaderValue::from_static(kind));
    ([header], body).into_response()
}

/// The group and its key; `None` when it is not in the playback, or may not be read any more.
fn find(
    app: &App,
    playback: &Playback,
    stream: &StreamId,
    segment: SegmentId,
    number: u32,
) -> Result<Option<(Group, SegmentKey)>> {
    let reader = app.parts.catalog.reader()?;
    // What was listed lately is found without a look at all the others; whether it is expired is asked for every time.
    let near = playback
        .groups(stream, segment)
        .and_then(|found| found.groups.first().map(Group::span));
    let span = near.unwrap_or(playback.opening.span);
    let readable = Readable::of(app, &reader, stream, span)?;
    let Some(found) = readable.segments.iter().find(|s| s.id() == segment) else {
        return Ok(None);
    };
    let found = readable::segment_groups(app, playback, &reader, stream, found)?;
    let Some(group) = found.groups.iter().find(|group| group.number() == number) else {
        return Ok(None);
    };
    let key = playback.key(group)?;
    Ok(Some((group.clone(), key)))
}

/// A group on its way out.
struct Sending {
    app: Arc<App>,
    playback: Arc<Playback>,
    stream: StreamId,
    key: Arc<SegmentKey>,
    pieces: std::collections::VecDeque<Piece>,
    first: Option<(Bytes, Span)>,
    _room: OwnedSemaphorePermit,
}

impl Sending {
    /// The next fragment, opened and compared with its leaf.
    async fn next(&mut self) -> Result<Option<(Bytes, Span)>, Refusal> {
        let Some(piece) = self.pieces.pop_front() else {
            return Ok(None);
        };
        let (key, origin) = (Arc::clone(&self.key), self.playback.origin);
        let span = Span {
            start: piece.start(),
            end: piece.end(),
        };
        let opened = self
            .app
            .blocking(move |_| view::fragment(&piece, &key, origin));
        Ok(Some((opened.await?.into(), span)))
    }

    /// The next fragment to be sent; `None` at the end.
    async fn step(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        let playback = Arc::clone(&self.playback);
        let sent = tokio::select! {
            biased;
            why = playback.ended() => Err(why),
            sent = self.deliver() => sent,
        };
        sent.map_err(std::io::Error::other).transpose()
    }

    /// The next fragment, for somebody who still may see it, noted as delivered.
    async fn deliver(&mut self) -> Result<Option<Bytes>, &'static str> {
        let found = match self.first.take() {
            Some(first) => Some(first),
            None => self.next().await.map_err(|refusal| refusal.word())?,
        };
        let Some((bytes, span)) = found else {
            return Ok(None);
        };
        let playback = &self.playback;
        playback
            .again(&self.stream.camera)
            .map_err(|why| why.as_str())?;
        let noted = playback.deliver(&self.stream, span, self.app.now());
        if let Some(event) = noted.map_err(|_| "closed")? {
            self.app
                .note(event)
                .await
                .map_err(|refusal| refusal.word())?;
        }
        self.app.counts.media(bytes.len());
        Ok(Some(bytes))
    }
}

/// Breaks the connection off when what is on its way may not go on: nothing is asked for while a client takes slowly what it
/// was sent before. It is over when dropped.
struct Watch(tokio::task::JoinHandle<()>);

impl Watch {
    fn over(sending: &Sending, peer: Peer) -> Self {
        let playback = Arc::clone(&sending.playback);
        let camera = sending.stream.camera.clone();
        Self(tokio::spawn(async move {
            let lost = async {
                while playback.again(&camera).is_ok() {
                    tokio::time::sleep(AGAIN_EVERY).await;
                }
            };
            tokio::select! {
                _ = playback.ended() => {}
                () = lost => {}
                () = tokio::time::sleep(SENDING_MAX) => {}
            }
            peer.cut.notify_one();
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
