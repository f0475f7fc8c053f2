//! Live pictures over a WebSocket (RFC 6455): the bytes of a playback, a fragment a picture, as they come from the camera.
//!
//! Text messages are JSON with a member `type`: `init` (how the following fragments are decoded, where their times begin; the
//! next binary message is what stands before them), `dropped` (pictures were left out since the connection is slow), `time` (every
//! second: the box's time and that of the last picture sent), `end` (why it is over). All other binary messages are fragments.

use std::sync::Arc;
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
use crate::base::id::{CameraId, StreamId};
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
/// Longest that the last message, why it is over, may take.
const END_MAX: Duration = Duration::from_secs(1);
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
    let nothing = event(&app, &who, &stream, json!({ "why": "no-connection" }));
    let of_act = Arc::clone(&app);
    // Made where it begins: the client may be gone, and this handler with it, before that is over.
    let begin = move |app: &App| {
        let act = app.parts.catalog.begin_act(intent, Vec::new())?;
        Ok(Begun {
            app: of_act,
            open: Some((act, nothing)),
        })
    };
    let begun = app.blocking(begin).await?;
    let upgrade = upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .write_buffer_size(0);
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
        begun,
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

/// An intent in the ledger. Dropped without an outcome, it says that there was no connection.
struct Begun {
    app: Arc<App>,
    open: Option<(Act, Event)>,
}

impl Begun {
    /// Writes the outcome.
    async fn finish(mut self, outcome: Event) {
        let Some((act, _)) = self.open.take() else {
            return;
        };
        let ended = self
            .app
            .blocking(move |app| app.parts.catalog.end_act(act, outcome, Vec::new()));
        if let Err(refusal) = ended.await {
            untold(refusal.word());
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Some((act, nothing)) = self.open.take() else {
            return;
        };
        let app = Arc::clone(&self.app);
        let end = move || {
            if let Err(e) = app.parts.catalog.end_act(act, nothing, Vec::new()) {
                untold(e);
            }
        };
        // It blocks; without a runtime the next start says that it was cut off.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(end);
        }
    }
}

fn untold(why: impl std::fmt::Display) {
    error!("what was watched live could not be written down: {why}");
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
    begun: Begun,
}

/// Why it ends.
type End = &'static str;

impl Watching {
    async fn run(mut self, mut socket: WebSocket) {
        let who = Arc::clone(&self.who);
        let camera = self.stream.camera.clone();
        let mut stopped = self.app.stopped.clone();
        // Also while a message waits for a client that takes nothing.
        let why = tokio::select! {
            biased;
            () = stopped.wait() => "stopped",
            why = lost(&who, &camera) => why,
            why = self.show(&mut socket) => why,
        };
        // The other side may be gone, or take nothing: then nobody needs to know.
        let end = socket.send(text(&json!({ "type": "end", "why": why })));
        tokio::time::timeout(END_MAX, end).await.ok();
        drop(socket);
        let facts = json!({ "why": why, "delivered": self.delivered.facts() });
        let outcome = event(&self.app, &self.who, &self.stream, facts);
        self.begun.finish(outcome).await;
    }

    async fn show(&mut self, socket: &mut WebSocket) -> End {
        let mut tick = tokio::time::interval(TICK);
        let mut silent_ticks = 0;
        loop {
            let sent = tokio::select! {
                biased;
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
        let span = Span {
            start: picture.at,
            end: picture.end(),
        };
        // Before it goes out: sending may be given up halfway.
        self.delivered.add(&self.stream, span);
        self.app.counts.media(fragment.len());
        send(socket, Message::Binary(fragment.into())).await?;
        self.last = Some(picture.at);
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

/// Waits until the session has ended, or the right to the camera is lost.
async fn lost(who: &Authorised<acts::Live>, camera: &CameraId) -> End {
    let mut tick = tokio::time::interval(TICK);
    let again = async {
        loop {
            tick.tick().await;
            if let Err(why) = who.again(Some(camera)) {
                return why.as_str();
            }
        }
    };
    tokio::select! {
        biased;
        why = who.ended() => why.as_str(),
        why = again => why,
    }
}

fn text(value: &Value) -> Message {
    Message::Text(value.to_string().into())
}

/// A write that stands still is ended by the connection itself.
async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    socket.send(message).await.map_err(|_| "closed")
}
