//! Stills: one picture of an open playback, at its full resolution, handed out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::ToSchema;

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::StreamId;
use crate::base::time::Wall;
use crate::catalog::Event;
use crate::evidence::find::Places;
use crate::evidence::keys::KeyRing;
use crate::evidence::still::{self, About, Found, Still};
use crate::http::api::playback::{self, OfStream};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Segments};
use crate::http::playback::Playback;
use crate::http::problem::{Answer, Problem, Refusal};

/// Which picture.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStill {
    /// The instant at which it was shown (RFC 3339): within the playback.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T06:30:00.5Z")]
    at: Wall,
}

/// Takes a still: the picture that was shown at an instant, at its full resolution, with its exact time of day, camera and box
/// written into it. It is a handing out: the ledger has it before it is decoded.
#[utoipa::path(
    post,
    path = "/api/v1/playbacks/{playback}/{camera}/{stream}/stills",
    tag = "playback",
    params(OfStream),
    request_body = NewStill,
    responses(
        (status = 200, content_type = "image/png", description = "ISO/IEC 15948"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn take(
    State(app): State<Arc<App>>,
    May(who): May<acts::HandOut>,
    Segments(of): Segments<OfStream>,
    Body(new): Body<NewStill>,
) -> Answer<Response> {
    let playback = playback::find(&app, &who, &of.playback, Some(&of.camera))?;
    let opened = playback.opening.span;
    if new.at < opened.start || new.at >= opened.end {
        return Err(Refusal::field("/at", "it lies outside of what was opened"));
    }
    let stream = StreamId {
        camera: of.camera,
        kind: of.stream,
    };
    let wanted = Wanted {
        who,
        playback,
        stream,
    };
    let (wanted, found) = app
        .blocking(move |app| wanted.find(app, new.at).map(|found| (wanted, found)))
        .await?;
    let none = || Refusal::not_found("no picture was recorded at that time");
    let found = found.ok_or_else(none)?;
    let (width, height) = found.size();
    // As pixels, and as the file that is made of them.
    let kib = u32::from(width) * u32::from(height) / 1024 * 3 * 2;
    let room = app.playbacks.budget();
    let _room = room
        .try_acquire_many_owned(kib.max(1))
        .map_err(|_| Error::new(Kind::Busy, "too much is being sent at once"))?;
    let name = still::file_name(&wanted.stream, found.shown.start);
    let made = app
        .blocking(move |app| wanted.take(app, &found).map(|made| (wanted, made)))
        .await?;
    let (wanted, made) = made;
    let still = made.map_err(undecodable)?;
    // It took a while.
    wanted.who.again(Some(&wanted.stream.camera))?;
    app.counts.media(still.picture.png.len());
    let headers = [
        (CONTENT_TYPE, "image/png".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, still.picture.png).into_response())
}

/// What is wrong with the picture is said; where it lies is not in it.
fn undecodable(e: Error) -> Refusal {
    match e.kind() {
        Kind::Corrupt => Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "undecodable",
            "The picture cannot be shown",
            e.to_string(),
        ),
        _ => e.into(),
    }
}

/// A still that somebody wants.
struct Wanted {
    who: Arc<Authorised<acts::HandOut>>,
    playback: Arc<Playback>,
    stream: StreamId,
}

impl Wanted {
    fn find(&self, app: &App, at: Wall) -> Result<Option<Found>> {
        let reader = app.parts.catalog.reader()?;
        let hold = self.playback.opening.hold;
        let footage = app.footage(&reader, hold)?;
        let segments = footage.readable(&self.stream, still::instant(at))?;
        let volumes = reader.volumes()?;
        let mut places = Places::new(app.parts.box_id, &volumes);
        let sources = segments
            .iter()
            .map(|segment| segment.source(&mut places))
            .collect::<Result<Vec<_>>>()?;
        still::find(sources, at).map_err(|e| match e.kind() {
            // It was closed, and so renamed, or deleted on time, meanwhile.
            Kind::NotFound => Error::new(Kind::Busy, "a segment is being closed"),
            _ => e,
        })
    }

    /// Intent, still, outcome. Blocks; whoever asked may be gone before the outcome is written. The inner error is about the picture.
    fn take(&self, app: &App, found: &Found) -> Result<Result<Still>> {
        let about = self.about(app);
        // No ledger, no act.
        let act = app
            .parts
            .catalog
            .begin_act(self.intent(app, found), Vec::new())?;
        let keys = KeyRing::of_opener(self.who.vault());
        let made = still::take(found, &keys, &app.codec, &about).map_err(|e| match e.kind() {
            // Whoever may see it is not refused: what is stored is not what was recorded.
            Kind::Denied if self.who.vault().is_open() => {
                Error::corrupt(format!("it cannot be opened: {e}"))
            }
            _ => e,
        });
        let (result, facts) = match &made {
            Ok(still) => (
                "ok",
                json!({
                    "sha256": still.sha256,
                    "width": still.picture.width,
                    "height": still.picture.height,
                    "is_damaged": still.picture.is_damaged,
                }),
            ),
            Err(_) => ("failed", json!({})),
        };
        let outcome = Event {
            actor: self.who.actor(),
            result: result.to_owned(),
            ..Event::of_box(app.now(), "still", &self.stream, facts)
        };
        app.parts.catalog.end_act(act, outcome, Vec::new())?;
        Ok(made)
    }

    fn about(&self, app: &App) -> About {
        let config = app.config();
        let camera = config.camera(&self.stream.camera);
        About {
            box_id: app.parts.box_id,
            name: camera.map_or_else(|| self.stream.camera.to_string(), |c| c.name.clone()),
            stream: self.stream.clone(),
            site: config.site.name.clone(),
        }
    }

    fn intent(&self, app: &App, found: &Found) -> Event {
        let (mut facts, detail) = self.playback.opening.grounds(&self.who);
        facts["playback"] = json!(self.playback.id);
        facts["at"] = json!(found.shown.start);
        Event {
            actor: self.who.actor(),
            detail: Some(detail),
            ..Event::of_box(app.now(), "still", &self.stream, facts)
        }
    }
}
