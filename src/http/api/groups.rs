//! Which groups of pictures a stream of a playback has, and how they are decoded.

use std::sync::Arc;

use axum::extract::State;
use log::warn;
use utoipa::{IntoParams, ToSchema};

use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::catalog::Reader;
use crate::evidence::view::Group;
use crate::http::api::coverage::Interval;
use crate::http::api::playback::{Readable, Segment, find, segment_groups};
use crate::http::api::words;
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Json, Search, Segments};
use crate::http::playback::Playback;
use crate::http::problem::{Answer, Problem};
use crate::media::{access_unit::SampleEntry, clear};

/// Segments and groups of one answer.
const SEGMENTS_PER_PAGE: usize = 16;
const GROUPS_PER_PAGE: usize = 600;

/// Path of a stream in a playback.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfStream {
    /// The playback.
    pub(crate) playback: String,
    /// The camera.
    #[param(value_type = String, example = "kassa-1")]
    pub(crate) camera: CameraId,
    /// The full picture, or the small one.
    #[param(schema_with = words::stream)]
    pub(crate) stream: StreamKind,
}

/// Which groups are wanted.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// From this instant on; default: the playback's start.
    #[param(value_type = Option<String>, format = DateTime)]
    start: Option<Wall>,
    /// Up to this one; default: the playback's end.
    #[param(value_type = Option<String>, format = DateTime)]
    end: Option<Wall>,
}

/// Groups of pictures, in order of time.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct GroupPage {
    /// The groups.
    groups: Vec<GroupLine>,
    /// How the groups are decoded, by the name that each bears.
    entries: Vec<EntryLine>,
    /// Footage that is not there as it was recorded. What is left of it is among the groups.
    damaged: Vec<Damaged>,
    /// Where to go on; absent at the end.
    #[schema(value_type = Option<String>, format = DateTime)]
    next: Option<Wall>,
}

/// A segment that is not as it was recorded.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Damaged {
    /// From when to when it was recorded.
    #[serde(flatten)]
    span: Interval,
    /// `damaged`: what the file holds was changed, or a part of it is gone. `missing`: the file cannot be reached; it may be
    /// on a volume that is not there.
    #[schema(schema_with = words::damage)]
    why: &'static str,
}

/// From one key frame to the next.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct GroupLine {
    /// Its bytes.
    media: String,
    /// What stands before them.
    init: String,
    /// Time of day of its first picture.
    #[schema(value_type = String, format = DateTime)]
    start: Wall,
    /// Time of day at which its last picture ends.
    #[schema(value_type = String, format = DateTime)]
    end: Wall,
    /// About how many bytes it has.
    bytes: u64,
    /// False: it is being recorded, and more of it may be there later.
    complete: bool,
}

/// How groups are decoded.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct EntryLine {
    /// What stands before the fragments.
    init: String,
    /// Codec parameters (RFC 6381).
    codec: String,
    /// Picture width in pixels.
    width: u16,
    /// Picture height in pixels.
    height: u16,
}

/// Which groups of pictures there are of a stream in a part of the playback. Each can then be fetched; none reaches outside
/// of what was opened but for the way to the nearest key frames.
#[utoipa::path(
    get,
    path = "/api/v1/playbacks/{playback}/{camera}/{stream}/groups",
    tag = "playback",
    params(OfStream, Which),
    responses(
        (status = 200, body = GroupPage),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn groups(
    State(app): State<Arc<App>>,
    May(who): May<acts::Playback>,
    Segments(of): Segments<OfStream>,
    Search(which): Search<Which>,
) -> Answer<Json<GroupPage>> {
    let playback = find(&app, &who, &of.playback, Some(&of.camera))?;
    let opened = playback.opening.span;
    let span = Span {
        start: which.start.unwrap_or(opened.start).max(opened.start),
        end: which.end.unwrap_or(opened.end).min(opened.end),
    };
    let stream = StreamId {
        camera: of.camera,
        kind: of.stream,
    };
    app.blocking(move |app| page(app, &playback, &stream, span))
        .await
        .map(Json)
}

fn page(app: &App, playback: &Playback, stream: &StreamId, span: Span) -> Result<GroupPage> {
    let mut page = GroupPage {
        groups: Vec::new(),
        entries: Vec::new(),
        damaged: Vec::new(),
        next: None,
    };
    if span.us() <= 0 {
        return Ok(page);
    }
    let reader = app.parts.catalog.reader()?;
    let footage = Readable::of(app, &reader, stream, span)?;
    for (i, segment) in footage.segments.iter().enumerate() {
        if i >= SEGMENTS_PER_PAGE || page.groups.len() >= GROUPS_PER_PAGE {
            page.next = Some(segment.start());
            break;
        }
        let groups = match segment_groups(app, playback, &reader, stream, segment) {
            Ok(groups) => groups,
            Err(e) => {
                let why = unreadable(&reader, stream, segment, e)?;
                page.damaged(segment, why);
                continue;
            }
        };
        page.damaged(segment, groups.is_damaged.then_some("damaged"));
        for group in &groups.list {
            if group.span().overlaps(&span) {
                page.add(playback, stream, group);
            }
        }
    }
    Ok(page)
}

/// Why nothing of a segment can be shown; nothing when it was deleted meanwhile. One that is being written is looked at again.
fn unreadable(
    reader: &Reader,
    stream: &StreamId,
    segment: &Segment,
    e: Error,
) -> Result<Option<&'static str>> {
    let Segment::Closed(row) = segment else {
        return Err(e);
    };
    warn!("a segment of a playback cannot be read: {e}");
    match e.kind() {
        Kind::Corrupt | Kind::Denied => Ok(Some("damaged")),
        Kind::NotFound | Kind::Unavailable | Kind::Foreign | Kind::Io => {
            let rows = reader.segments(stream, row.span())?;
            let is_there = rows.iter().any(|other| other.segment == row.segment);
            Ok(is_there.then_some("missing"))
        }
        _ => Err(e),
    }
}

impl GroupPage {
    fn damaged(&mut self, segment: &Segment, why: Option<&'static str>) {
        let (Some(why), Segment::Closed(row)) = (why, segment) else {
            return;
        };
        self.damaged.push(Damaged {
            span: row.span().into(),
            why,
        });
    }

    fn add(&mut self, playback: &Playback, stream: &StreamId, group: &Group) {
        let (Some(entry), Some(segment)) = (group.entry(), group.segment()) else {
            return;
        };
        let name = entry_name(entry);
        let base = format!("/api/v1/playbacks/{}/{stream}", playback.name());
        let init = format!("{base}/init/{name}.mp4");
        playback.remember_initial(&name, || clear::initial(entry));
        if !self.entries.iter().any(|line| line.init == init) {
            self.entries.push(EntryLine {
                init: init.clone(),
                codec: entry.rfc6381.clone(),
                width: entry.width,
                height: entry.height,
            });
        }
        let span = group.span();
        self.groups.push(GroupLine {
            media: format!("{base}/media/{segment}/{}.m4s", group.number()),
            init,
            start: span.start,
            end: span.end,
            bytes: group.bytes(),
            complete: group.complete,
        });
    }
}

/// Half of the entry's hash, in hex.
pub(crate) fn entry_name(entry: &SampleEntry) -> String {
    let mut name = entry.hash().to_string();
    name.truncate(32);
    name
}
