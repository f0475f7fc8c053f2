//! `sinetti still`: the one picture that was shown at an instant, as PNG at its full resolution.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, HoldId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::Event;
use crate::cmd::act::{self, Begun};
use crate::cmd::{export, new_file, say, say_json};
use crate::config::{self, Loaded};
use crate::daemon::answer::{Answer, Ask, Footage};
use crate::daemon::control::Client;
use crate::decode::Program;
use crate::evidence::still::{self, About, Found, Still};
use crate::store::state::State;

/// Arguments of `still`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The camera's id.
    camera: CameraId,
    /// When: site time (23.11.2026 17.45.20), or with an offset (2026-11-23T15:45:20.250Z).
    time: String,
    /// Which of its streams: main or sub.
    #[arg(long, default_value = "main")]
    stream: StreamKind,
    /// The picture.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The hold for whose case it is: with it, what is held past its time is shown too, and nothing else.
    #[arg(long, value_name = "NUMBER")]
    hold: Option<HoldId>,
    #[command(flatten)]
    act: act::PersonArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What was written.
#[derive(serde::Serialize)]
struct Report<'a> {
    path: &'a Path,
    stream: &'a StreamId,
    /// From when until when the picture was shown.
    shown: Span,
    width: u32,
    height: u32,
    is_damaged: bool,
    bytes: usize,
    sha256: String,
}

impl Report<'_> {
    /// For people.
    fn text(&self, zone: Zone) -> String {
        let damaged = if self.is_damaged {
            "  damaged    parts of it could not be decoded\n"
        } else {
            ""
        };
        format!(
            "{}\n  shown      {} to {}\n  pixels     {} x {}\n{damaged}  SHA-256    {}\n",
            self.path.display(),
            zone.rfc3339(self.shown.start),
            zone.rfc3339(self.shown.end),
            self.width,
            self.height,
            self.sha256
        )
    }
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let loaded = config::load(&state.config_path())?;
    let zone = loaded.config.site.zone;
    let at = zone.parse(&args.time, SystemClock::shared().wall())?;
    let mut client = Client::open(&state)?;
    let stream = StreamId {
        camera: args.camera.clone(),
        kind: args.stream,
    };
    // Everything that can be refused is refused before a passphrase is asked for.
    let purpose = act::purpose(&args.act, &loaded.config, &stream.camera)?;
    new_file::free(&args.output)?;
    let (footage, found) = find(&mut client, &state, &stream, (at, args.hold))?;
    let Some(found) = found else {
        return Err(export::nothing(&stream, &footage, still::instant(at), zone));
    };
    let begun = act::begin(
        &mut client,
        (&args.act, None),
        (&stream.camera, args.hold),
        |_| {
            let mut facts = json!({ "at": found.shown.start, "purpose": purpose.as_str() });
            if let Some(hold) = args.hold {
                facts["hold"] = hold.0.into();
            }
            Event {
                result: "begun".to_owned(),
                ..Event::of_box(SystemClock::shared().wall(), "still", &stream, facts)
            }
        },
    )?;
    let made = Program::beside()
        .and_then(|program| {
            still::take(
                &found,
                &begun.keys,
                &program,
                &about(&state, &loaded, &stream),
            )
        })
        .and_then(|still| new_file::write(&args.output, &still.picture.png).map(|()| still));
    note(&mut client, &begun, &stream, made.as_ref().ok())?;
    let still = made?;
    let report = Report {
        path: &args.output,
        stream: &stream,
        shown: found.shown,
        width: still.picture.width,
        height: still.picture.height,
        is_damaged: still.picture.is_damaged,
        bytes: still.picture.png.len(),
        sha256: still.sha256.to_string(),
    };
    if args.json {
        say_json(&report)?;
    } else {
        say(&report.text(zone))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn about(state: &State, loaded: &Loaded, stream: &StreamId) -> About {
    let camera = loaded.config.camera(&stream.camera);
    About {
        box_id: state.box_id,
        stream: stream.clone(),
        name: camera.map_or_else(|| stream.camera.to_string(), |c| c.name.clone()),
        site: loaded.config.site.name.clone(),
    }
}

fn find(
    client: &mut Client,
    state: &State,
    stream: &StreamId,
    (at, hold): (Wall, Option<HoldId>),
) -> Result<(Footage, Option<Found>)> {
    let mut attempt = || {
        let ask = Ask::Footage {
            stream: stream.clone(),
            span: still::instant(at),
            hold,
        };
        let Answer::Footage(footage) = client.ask(&ask)? else {
            return Err(Error::new(Kind::Internal, "an answer to another question"));
        };
        let found = still::find(export::sources(&footage, state)?, at)?;
        Ok((*footage, found))
    };
    match attempt() {
        // The segment being written may have been closed, and so renamed, between the question and the look.
        Err(e) if e.kind() == Kind::NotFound => attempt(),
        other => other,
    }
}

/// The outcome; the intent was written before anything was opened.
fn note(client: &mut Client, begun: &Begun, stream: &StreamId, made: Option<&Still>) -> Result<()> {
    let facts = made.map_or_else(
        || json!({}),
        |still| {
            json!({
                "sha256": still.sha256,
                "width": still.picture.width,
                "height": still.picture.height,
                "is_damaged": still.picture.is_damaged,
            })
        },
    );
    let event = Event {
        actor: begun.person.to_string(),
        result: if made.is_some() { "ok" } else { "failed" }.to_owned(),
        phase: begun.ended,
        ..Event::of_box(SystemClock::shared().wall(), "still", stream, facts)
    };
    client.note(event).map(drop)
}
