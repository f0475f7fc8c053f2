//! `sinetti open`: one segment, with shares of the recovery identity. It needs neither catalog nor configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::time::{Span, Wall};
use crate::catalog::{Event, Phase};
use crate::cmd::{say, secret};
use crate::daemon::control::Client;
use crate::evidence::clip;
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{self, Extent, Source};
use crate::store::state::State;
use crate::store::volume::Volume;
use crate::vault::shares;

/// Arguments of `open`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The segment's file, on its volume.
    segment: PathBuf,
    /// A file (mode 0600) with a share, or with the whole recovery identity; given once for each share.
    #[arg(long, value_name = "FILE", required = true)]
    recovery: Vec<PathBuf>,
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
    let everything = Span {
        start: Wall(i64::MIN / 2),
        end: Wall(i64::MAX / 2),
    };
    let selection = select::select(vec![source], everything)?;
    let keys = KeyRing::of_recovery(identity);
    let Some(stretch) = selection.stretches.first() else {
        return Err(Error::corrupt("the segment holds no whole fragment"));
    };
    let mut act = 0;
    if let Some(state) = &state {
        let segment = stretch
            .pieces
            .first()
            .map(|p| p.source.initial.header.segment);
        let facts = serde_json::json!({ "segment": segment });
        act = note(state, "begun", Phase::Begun, facts)?.unwrap_or_default();
    }
    let clip = clip::write(stretch, &keys, &args.output)?;
    if let Some(state) = &state {
        let facts = serde_json::json!({ "segments": clip.source_segments, "sha256": clip.sha256 });
        note(state, "ok", Phase::Ended { of: act }, facts)?;
    }
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
