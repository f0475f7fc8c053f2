//! The bytes of a playback: what stands before the fragments, and groups of pictures, unsealed in memory and compared with
//! their leaf hashes fragment by fragment while they are sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, SegmentId, StreamId, StreamKind};
use crate::base::secret::SegmentKey;
use crate::base::time::{Span, Wall};
use crate::evidence::select::Piece;
use crate::evidence::view::{self, Group};
use crate::http::api::playback;
use crate::http::api::readable::segment_groups;
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::{May, peer};
use crate::http::json::{Search, Segments};
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

/// Which pictures of a group.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// `all` (default), or `key`: the key frame alone, in a fragment in which it stands for all of the group's time.
    #[serde(default)]
    #[param(inline)]
    pictures: Pictures,
}

/// Which pictures of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pictures {
    /// All of them.
    #[default]
    All,
    /// The key frame alone: for stills, and for playing fast.
    Key,
}

/// A group of pictures in the clear: `moof` and `mdat` for each fragment, from a key frame on. An answer that breaks off was
/// not whole: a leaf hash did not match, or the session ended.
#[utoipa::path(
    get,
    path = "/api/v1/playbacks/{playback}/{camera}/{stream}/media/{segment}/{file}",
    tag = "playback",
    params(OfGroup, Which),
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
    Search(which): Search<Which>,
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
    let to_send = to_send(&group, which.pictures);
    let need = need_kib(group.pieces().get(..to_send.len()).unwrap_or_default());
    let room = app.playbacks.budget().acquire_many_owned(need);
    let room = match tokio::time::timeout(ROOM_MAX, room).await {
        Ok(Ok(room)) => room,
        _ => return Err(Error::new(Kind::Busy, "too much is being sent at once").into()),
    };
    let mut sending = Sending {
        app,
        playback,
        stream,
        key: Arc::new(key),
        to_send,
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

/// What goes out, in order.
fn to_send(group: &Group, pictures: Pictures) -> VecDeque<Part> {
    match pictures {
        Pictures::All => group.pieces().iter().cloned().map(Part::Fragment).collect(),
        Pictures::Key => [Part::KeyFrame(group.clone())].into(),
    }
}

/// A fragment that goes out.
enum Part {
    Fragment(Piece),
    /// The key frame of a group, for all of its time.
    KeyFrame(Group),
}

impl Part {
    fn span(&self) -> Span {
        match self {
            Self::Fragment(piece) => Span {
                start: piece.start(),
                end: piece.end(),
            },
            Self::KeyFrame(group) => group.span(),
        }
    }

    fn open(&self, key: &SegmentKey, origin: Wall) -> Result<Vec<u8>> {
        match self {
            Self::Fragment(piece) => view::fragment(piece, key, origin),
            Self::KeyFrame(group) => view::key_frame(group, key, origin),
        }
    }
}

/// Whoever may see it is not refused: what is stored is not what was recorded.
fn altered(e: Error) -> Error {
    match e.kind() {
        Kind::Denied => Error::corrupt(format!("a fragment cannot be shown: {e}")),
        _ => e,
    }
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
    let footage = app.footage(&reader, playback.opening.hold)?;
    let segments = footage.readable(stream, span)?;
    let Some(found) = segments.iter().find(|s| s.id() == segment) else {
        return Ok(None);
    };
    let found = segment_groups(app, playback, &reader, stream, found)?;
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
    to_send: VecDeque<Part>,
    first: Option<(Bytes, Span)>,
    _room: OwnedSemaphorePermit,
}

impl Sending {
    /// The next fragment, opened and compared with its leaf.
    async fn next(&mut self) -> Result<Option<(Bytes, Span)>, Refusal> {
        let Some(part) = self.to_send.pop_front() else {
            return Ok(None);
        };
        let (key, origin) = (Arc::clone(&self.key), self.playback.origin);
        let span = part.span();
        let opened = self
            .app
            .blocking(move |_| part.open(&key, origin).map_err(altered));
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
