//! `sinetti open`: one segment. With shares of the recovery identity it needs neither catalog nor configuration; by a person it
//! is an act like an export.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{SegmentId, StreamId};
use crate::base::time::{Span, Wall};
use crate::catalog::{Event, Phase};
use crate::cmd::act::{self, Begun};
use crate::cmd::{say, secret};
use crate::config;
use crate::daemon::control::Client;
use crate::evidence::clip::{self, Clip};
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{self, Extent, Selection, Source, Stretch};
use crate::store::state::State;
use crate::store::volume::Volume;
use crate::vault::shares;

/// Arguments of `open`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The segment's file, on its volume.
    segment: PathBuf,
    /// A file (mode 0600) with a share, or with the whole recovery identity; given once for each share.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["person", "purpose", "approver"])]
    recovery: Vec<PathBuf>,
    #[command(flatten)]
    act: act::PersonArgs,
    #[command(flatten)]
    approver: act::ApproverArgs,
    /// The clip.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    if args.output.exists() {
        return Err(Error::new(
            Kind::Exists,
            format!(
                "{} exists already; give another name",
                args.output.display()
            ),
        ));
    }
    let path = std::path::absolute(&args.segment)?;
    let source = Source {
        volume: volume_of(&path)?,
        path,
        extent: Extent::Found,
    };
    let clip = if args.recovery.is_empty() {
        by_person(dir, args, source)?
    } else {
        by_shares(dir, args, source)?
    };
    say(&format!(
        "{}\n  from       {}\n  to         {}\n  pictures   {}, every one checked against its leaf hash\n  SHA-256    {}\n",
        clip.path.display(),
        clip.span.start,
        clip.span.end,
        clip.pictures,
        clip.sha256
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// With shares: the one way without a person.
fn by_shares(dir: &Path, args: &Args, source: Source) -> Result<Clip> {
    let texts = args
        .recovery
        .iter()
        .map(|p| secret::text(p))
        .collect::<Result<Vec<_>>>()?;
    let texts: Vec<&str> = texts.iter().map(|t| t.as_str()).collect();
    let identity = shares::combine(&texts)?;
    // On the box itself the use of the recovery identity is an act like any other. The footage may well be another
    // box's: a disk of one that is broken, opened on the one that took its place.
    let state = State::open(dir)
        .ok()
        .filter(|state| source.volume.check(state.box_id).is_ok());
    if let Some(state) = &state {
        identity
            .check_opens(&state.recovery)
            .context(|| "these shares are of another recovery key")?;
    }
    let selection = whole(source)?;
    let keys = KeyRing::of_recovery(identity);
    let stretch = first(&selection)?;
    let mut act = 0;
    if let Some(state) = &state {
        let facts = serde_json::json!({ "segment": segment_of(stretch) });
        act = note(state, "begun", Phase::Begun, facts)?.unwrap_or_default();
    }
    let written = clip::write(stretch, &keys, &args.output);
    if let Some(state) = &state {
        let (result, facts) = match &written {
            Ok(clip) => (
                "ok",
                serde_json::json!({ "segments": clip.source_segments, "sha256": clip.sha256 }),
            ),
            Err(_) => ("failed", serde_json::json!({})),
        };
        note(state, result, Phase::Ended { of: act }, facts)?;
    }
    written
}

/// By a person of this box, who shows passphrase and code and says for what.
fn by_person(dir: &Path, args: &Args, source: Source) -> Result<Clip> {
    let state = State::open(dir)?;
    source.volume.check(state.box_id)?;
    let config = config::load(&state.config_path())?.config;
    let selection = whole(source)?;
    let stretch = first(&selection)?;
    let header = stretch
        .pieces
        .first()
        .map(|p| &p.source.initial.header)
        .ok_or_else(|| Error::corrupt("the segment holds no whole fragment"))?;
    let purpose = act::purpose(&args.act, &config, &header.camera)?;
    let object = StreamId {
        camera: header.camera.clone(),
        kind: header.stream,
    };
    let event = |result: &str, facts: serde_json::Value| Event {
        result: result.to_owned(),
        ..Event::of_box(SystemClock::shared().wall(), "export", &object, facts)
    };
    let mut client = Client::open(&state)?;
    let facts = serde_json::json!({ "segment": header.segment, "purpose": purpose.as_str() });
    let Begun {
        person,
        keys,
        ended,
    } = act::begin(
        &mut client,
        (&args.act, Some(&args.approver)),
        (&header.camera, None),
        |_| event("begun", facts),
    )?;
    let written = clip::write(stretch, &keys, &args.output);
    let mut outcome = match &written {
        Ok(clip) => event(
            "ok",
            serde_json::json!({ "segments": clip.source_segments, "sha256": clip.sha256 }),
        ),
        Err(_) => event("failed", serde_json::json!({ "segment": header.segment })),
    };
    outcome.actor = person.to_string();
    outcome.phase = ended;
    client.note(outcome)?;
    written
}

/// All of the segment.
fn whole(source: Source) -> Result<Selection> {
    let everything = Span {
        start: Wall(i64::MIN / 2),
        end: Wall(i64::MAX / 2),
    };
    select::select(vec![source], everything)
}

fn first(selection: &Selection) -> Result<&Stretch> {
    let none = || Error::corrupt("the segment holds no whole fragment");
    selection.stretches.first().ok_or_else(none)
}

fn segment_of(stretch: &Stretch) -> Option<SegmentId> {
    stretch
        .pieces
        .first()
        .map(|p| p.source.initial.header.segment)
}

/// The use of the recovery identity leaves an event, before and after.
fn note(
    state: &State,
    result: &str,
    phase: Phase,
    facts: serde_json::Value,
) -> Result<Option<u64>> {
    let now = SystemClock::shared().wall();
    let event = Event {
        result: result.to_owned(),
        phase,
        ..Event::of_box(now, "recovery-used", "segment", facts)
    };
    Client::open(state)?.note(event)
}

/// The volume on which a segment lies: the nearest folder above it that bears an identity.
fn volume_of(segment: &Path) -> Result<Volume> {
    let found = segment
        .ancestors()
        .skip(1)
        .find_map(|dir| Volume::of_any_box(dir).ok());
    found.ok_or_else(|| {
        let text = format!(
            "{} lies on no footage volume, so its key slot cannot be found",
            segment.display()
        );
        Error::new(Kind::NotFound, text)
    })
}
