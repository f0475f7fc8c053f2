//! Live pictures over a WebSocket (RFC 6455): the bytes of a playback, a fragment a picture, as they come from the camera.
//!
//! Text messages are JSON with a member `type`: `init` (how the following fragments are decoded, where their times begin; the
//! next binary message is what stands before them), `dropped` (pictures were left out since the connection is slow), `time` (every
//! second: the box's time and that of the last picture sent), `end` (why it is over). All other binary messages are fragments.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use log::error;
use serde_json::{Value, json};

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::id::StreamId;
use crate::base::time::{Span, Ticks, Wall};
use crate::catalog::{Act, Event};
use crate::http::api::coverage::OfStream;
use crate::http::app::App;
use crate::http::delivered::Delivered;
use crate::http::guard::{May, peer};
use crate::http::json::Segments;
use crate::http::problem::{Answer, Problem, Refusal};
use crate::http::server::Peer;
use crate::media::access_unit::SampleEntry;
use crate::media::clear;
use crate::recorder::live::{Seen, Watcher};

/// The time is told this often, and rights are looked at again.
const TICK: Duration = Duration::from_secs(1);
/// After so many ticks without a sign of life the watcher is given up; a ping goes out every third of it.
const SILENT_TICKS_MAX: u32 = 30;
/// The largest message that is taken: none is expected.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// Live pictures of a stream, over a WebSocket: JSON texts, and fragmented MP4 in binary messages.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{camera}/{stream}/live",
    tag = "cameras",
    params(OfStream),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn watch(
    State(app): State<Arc<App>>,
    May(who): May<acts::Live>,
    Segments(of): Segments<OfStream>,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let upgrade = upgrade.map_err(|e| {
        Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "web-socket",
            "This is a WebSocket",
            format!("Open it as one: {e}"),
        )
    })?;
    let stream = of.id();
    let known = app.config().camera(&stream.camera).map(Arc::clone);
    if known.is_none_or(|camera| camera.stream_path(stream.kind).is_none()) {
        return Err(Refusal::not_found(format!("{stream} is not configured")));
    }
    let peer = peer(&extensions)?.clone();
    let watcher = app.parts.live.watch(&stream)?;
    // No ledger, no act.
    let intent = event(&app, &who, &stream, json!({}));
    let act = app
        .blocking(move |app| app.parts.catalog.begin_act(intent, Vec::new()))
        .await?;
    let act = Arc::new(Mutex::new(Some(act)));
    let (failed, never) = (Arc::clone(&app), Arc::clone(&act));
    let nothing = event(&app, &who, &stream, json!({ "why": "no-connection" }));
    let upgrade = upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .write_buffer_size(0)
        .on_failed_upgrade(move |_| {
            tokio::spawn(async move { finish(&failed, &never, nothing).await });
        });
    let watching = Watching {
        app,
        who,
        stream,
        watcher,
        _peer: peer,
        delivered: Delivered::default(),
        entry: None,
        origin: Wall::default(),
        sequence: 0,
        last: None,
        act,
    };
    Ok(upgrade.on_upgrade(|socket| watching.run(socket)))
}

fn event(app: &App, who: &Authorised<acts::Live>, stream: &StreamId, mut facts: Value) -> Event {
    facts["stream"] = json!(stream.kind);
    facts["role"] = json!(who.role().as_str());
    Event {
        actor: who.actor(),
        detail: Some(json!({ "name": who.name(), "address": who.address() })),
        ..Event::of_box(app.now(), "live", &stream.camera, facts)
    }
}

/// Writes the outcome, once.
async fn finish(app: &Arc<App>, act: &Mutex<Option<Act>>, outcome: Event) {
    let Some(act) = act.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return;
    };
    let ended = app.blocking(move |app| app.parts.catalog.end_act(act, outcome, Vec::new()));
    if let Err(refusal) = ended.await {
        error!(
            "what was watched live could not be written down: {}",
            refusal.word()
        );
    }
}

/// One watcher's connection.
struct Watching {
    app: Arc<App>,
    who: Arc<Authorised<acts::Live>>,
    stream: StreamId,
    watcher: Watcher,
    /// Its place among all connections.
    _peer: Peer,
    delivered: Delivered,
    entry: Option<Arc<SampleEntry>>,
    /// Where times begin.
    origin: Wall,
    sequence: u32,
    /// Time of day of the last picture sent.
    last: Option<Wall>,
    /// Its intent in the ledger, until the outcome is written.
    act: Arc<Mutex<Option<Act>>>,
}

/// Why it ends.
type End = &'static str;

impl Watching {
    async fn run(mut self, mut socket: WebSocket) {
        let why = self.show(&mut socket).await;
        // The other side may be gone: then nobody needs to know.
        socket
            .send(text(&json!({ "type": "end", "why": why })))
            .await
            .ok();
        let facts = json!({ "why": why, "delivered": self.delivered.facts() });
        let outcome = event(&self.app, &self.who, &self.stream, facts);
        finish(&self.app, &self.act, outcome).await;
    }

    async fn show(&mut self, socket: &mut WebSocket) -> End {
        let mut tick = tokio::time::interval(TICK);
        let mut silent_ticks = 0;
        let mut stopped = self.app.stopped.clone();
        let who = Arc::clone(&self.who);
        let ended = who.ended();
        tokio::pin!(ended);
        loop {
            let sent = tokio::select! {
                biased;
                () = stopped.wait() => return "stopped",
                why = &mut ended => return why.as_str(),
                _ = tick.tick() => {
                    silent_ticks += 1;
                    self.tick(socket, silent_ticks).await
                }
                heard = socket.recv() => match heard {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return "closed",
                    Some(Ok(_)) => {
                        silent_ticks = 0;
                        Ok(())
                    }
                },
                seen = self.watcher.next() => self.picture(socket, seen).await,
            };
            if let Err(why) = sent {
                return why;
            }
        }
    }

    async fn tick(&mut self, socket: &mut WebSocket, silent_ticks: u32) -> Result<(), End> {
        self.who
            .again(Some(&self.stream.camera))
            .map_err(|why| why.as_str())?;
        if silent_ticks >= SILENT_TICKS_MAX {
            return Err("silent");
        }
        if silent_ticks.is_multiple_of(SILENT_TICKS_MAX / 3) {
            send(socket, Message::Ping(Bytes::new())).await?;
        }
        let now = json!({ "type": "time", "now": self.app.now(), "last": self.last });
        send(socket, text(&now)).await
    }

    async fn picture(&mut self, socket: &mut WebSocket, seen: Seen) -> Result<(), End> {
        let picture = seen.picture;
        if seen.dropped {
            send(socket, text(&json!({ "type": "dropped" }))).await?;
        }
        if self.entry.as_ref().is_none_or(|e| **e != *picture.entry) {
            self.begin(socket, &picture.entry, picture.at).await?;
        }
        let tfdt = Ticks::from_us(picture.at.us_since(self.origin));
        self.sequence = self.sequence.wrapping_add(1);
        let samples = std::slice::from_ref(&picture.sample);
        let fragment = clear::fragment(samples, self.sequence, tfdt)
            .map_err(|_| "a picture was no fragment")?;
        self.app.counts.media(fragment.len());
        send(socket, Message::Binary(fragment.into())).await?;
        self.last = Some(picture.at);
        let span = Span {
            start: picture.at,
            end: picture.end(),
        };
        self.delivered.add(&self.stream, span);
        if self.delivered.is_full() {
            let facts = json!({ "delivered": std::mem::take(&mut self.delivered).facts() });
            let so_far = Event {
                action: "live-delivered".to_owned(),
                ..event(&self.app, &self.who, &self.stream, facts)
            };
            self.app
                .note(so_far)
                .await
                .map_err(|refusal| refusal.word())?;
        }
        Ok(())
    }

    /// Before the first picture, and when the parameters change.
    async fn begin(
        &mut self,
        socket: &mut WebSocket,
        entry: &Arc<SampleEntry>,
        at: Wall,
    ) -> Result<(), End> {
        if self.entry.is_none() {
            self.origin = at.midnight();
        }
        self.entry = Some(Arc::clone(entry));
        let init = json!({
            "type": "init",
            "codec": entry.rfc6381,
            "width": entry.width,
            "height": entry.height,
            "origin": self.origin,
            "timescale": 90_000,
        });
        send(socket, text(&init)).await?;
        send(socket, Message::Binary(clear::initial(entry).into())).await
    }
}

fn text(value: &Value) -> Message {
    Message::Text(value.to_string().into())
}

/// A write that stands still is ended by the connection itself.
async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    socket.send(message).await.map_err(|_| "closed")
}
