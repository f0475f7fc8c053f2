//! `sinetti export`: recorded footage as MP4 that plays anywhere, every leaf hash checked on the way. For the house's own hands and with
//! a second person's; what goes to somebody else is a disclosure.

mod package;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{HoldId, StreamId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{CoverageGap, Event};
use crate::cmd::act::{self, Begun};
use crate::cmd::{StreamArgs, say, say_json};
use crate::config::{self, Loaded};
use crate::daemon::answer::{Answer, Ask, Footage};
use crate::daemon::control::Client;
use crate::evidence::clip::{self, Clip};
use crate::evidence::find::{Part, Places};
use crate::evidence::keys::KeyRing;
use crate::evidence::select::{self, Selection, Source};
use crate::store::state::State;

/// Longest span of one export.
const SPAN_US_MAX: i64 = 31 * 86_400_000_000;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    stream: StreamArgs,
    /// From this time on: site time (23.11.2026 17.45, 17:45), or with an offset (2026-11-23T15:45:00Z).
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Until this time.
    #[arg(long, value_name = "TIME")]
    to: String,
    /// The clip. A gap begins a further file: clip-2.mp4 and so on.
    #[arg(short, long, value_name = "FILE", required_unless_present = "package")]
    output: Option<PathBuf>,
    /// A package instead: the clips in a new folder, with a signed manifest, the proof that they were recorded so, and a page
    /// that checks both without a network. `sinetti verify DIR` checks it too.
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    package: Option<PathBuf>,
    /// The hold for whose case it is: with it, what is held past its time is exported too, and nothing else.
    #[arg(long, value_name = "NUMBER")]
    hold: Option<HoldId>,
    #[command(flatten)]
    act: act::PersonArgs,
    #[command(flatten)]
    approver: act::ApproverArgs,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What was exported.
#[derive(serde::Serialize)]
struct Report {
    stream: StreamId,
    asked: Span,
    clips: Vec<Clip>,
    gaps: Vec<CoverageGap>,
    /// Segments that are not whole any more; what is left of them is in the clips.
    damaged: Vec<String>,
    packets_lost: u64,
    time_uncertain: bool,
    /// The folder of the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<PathBuf>,
    /// SHA-256 of its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Digest>,
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let loaded = config::load(&state.config_path())?;
    let zone = loaded.config.site.zone;
    let clock = SystemClock::shared();
    let asked = span(args, zone, clock.wall())?;
    let mut client = Client::open(&state)?;
    let stream = args.stream.id();
    // Everything that can be refused is refused before a passphrase is asked for.
    let purpose = act::purpose(&args.act, &loaded.config, &stream.camera)?;
    let (footage, selection) = find(&mut client, &state, &stream, (asked, args.hold))?;
    if selection.stretches.is_empty() {
        return Err(nothing(&stream, &footage, asked, zone));
    }
    args.check_target(&selection)?;
    let who = (&args.act, Some(&args.approver));
    let begun = act::begin(&mut client, who, (&stream.camera, args.hold), |_| {
        let mut facts = serde_json::json!({ "asked": asked, "purpose": purpose.as_str() });
        if let Some(hold) = args.hold {
            facts["hold"] = hold.0.into();
        }
        Event {
            result: "begun".to_owned(),
            ..Event::of_box(clock.wall(), "export", &stream, facts)
        }
    })?;
    let task = Task {
        args,
        state: &state,
        loaded: &loaded,
        stream: &stream,
        asked,
        purpose: purpose.as_str(),
    };
    let report = match task.found(&mut client) {
        Ok((footage, selection)) => {
            let mut report = Report::new(stream.clone(), asked, &footage, &selection);
            task.write(&mut client, &begun, (&footage, selection), &mut report)?;
            report
        }
        Err(e) => {
            begun.failed(&mut client, "export", &stream.to_string())?;
            return Err(e);
        }
    };
    if args.json {
        say_json(&report)?;
    } else {
        say(&text(&report, zone)?)?;
    }
    Ok(if report.damaged.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Args {
    fn check_target(&self, selection: &Selection) -> Result<()> {
        if let Some(dir) = &self.package {
            package::check_dir(dir)?;
        }
        self.output.as_ref().map_or(Ok(()), |output| {
            check_names(output, selection.stretches.len())
        })
    }
}

/// An export whose intent is written.
struct Task<'a> {
    args: &'a Args,
    state: &'a State,
    loaded: &'a Loaded,
    stream: &'a StreamId,
    asked: Span,
    purpose: &'a str,
}

impl Task<'_> {
    /// What there is now: since the first look recording went on, and for a package the segment that is being written is cut.
    fn found(&self, client: &mut Client) -> Result<(Footage, Selection)> {
        let mut cut = package::Cut::default();
        loop {
            let (footage, selection) = find(
                client,
                self.state,
                self.stream,
                (self.asked, self.args.hold),
            )?;
            self.args.check_target(&selection)?;
            if self.args.package.is_some() && package::is_open(&selection) {
                cut.wait(client, self.stream)?;
                continue;
            }
            return Ok((footage, selection));
        }
    }

    fn write(
        &self,
        client: &mut Client,
        begun: &Begun,
        (footage, selection): (&Footage, Selection),
        report: &mut Report,
    ) -> Result<()> {
        let note = |client: &mut Client, report: &Report, result: &str| {
            report.note(client, begun, result, SystemClock::shared().wall())
        };
        let written = match (&self.args.package, &self.args.output) {
            (Some(dir), _) => self.pack(client, begun, (footage, selection), (dir, &mut *report)),
            (None, Some(output)) => clips(&selection, &begun.keys, output, &mut report.clips),
            (None, None) => Err(Error::invalid("give -o or --package")),
        };
        match written {
            // The entry of a package is in its proof: it was written before its last file.
            Ok(()) if report.package.is_some() => Ok(()),
            Ok(()) => note(client, report, "ok").map(drop),
            Err(e) => {
                note(client, report, "failed")?;
                Err(e)
            }
        }
    }

    fn pack(
        &self,
        client: &mut Client,
        begun: &Begun,
        (footage, selection): (&Footage, Selection),
        (dir, report): (&Path, &mut Report),
    ) -> Result<()> {
        let wanted = package::wanted(self.stream, self.loaded, self.asked, (footage, selection));
        let job = package::Job {
            dir,
            wanted,
            purpose: self.purpose,
        };
        package::make(
            client,
            (self.state, self.loaded),
            job,
            begun,
            |client, made| {
                report.clips = made.clips();
                for clip in &mut report.clips {
                    clip.path = dir.join(&clip.path);
                }
                report.manifest = Some(made.digest);
                report.note(client, begun, "ok", SystemClock::shared().wall())
            },
        )?;
        report.package = Some(dir.to_owned());
        Ok(())
    }
}

fn clips(selection: &Selection, keys: &KeyRing, output: &Path, out: &mut Vec<Clip>) -> Result<()> {
    for (stretch, n) in selection.stretches.iter().zip(1..) {
        out.push(clip::write(stretch, keys, &numbered(output, n))?);
    }
    Ok(())
}

/// Refuses names that are taken, of all the files that will be written.
fn check_names(output: &Path, count: usize) -> Result<()> {
    match (1..)
        .take(count)
        .map(|n| numbered(output, n))
        .find(|p| p.exists())
    {
        None => Ok(()),
        Some(path) => {
            let text = format!("{} exists already; give another name", path.display());
            Err(Error::new(Kind::Exists, text))
        }
    }
}

impl Report {
    fn new(stream: StreamId, asked: Span, footage: &Footage, selection: &Selection) -> Self {
        let rows = &footage.segments;
        Self {
            stream,
            asked,
            clips: Vec::new(),
            gaps: footage.coverage.gaps.clone(),
            damaged: selection.damaged.clone(),
            packets_lost: rows.iter().map(|s| u64::from(s.packets_lost)).sum(),
            time_uncertain: rows.iter().any(|s| s.time_uncertain),
            package: None,
            manifest: None,
        }
    }

    /// The outcome, after the last byte; the intent was written before the first.
    fn note(
        &self,
        client: &mut Client,
        begun: &Begun,
        result: &str,
        now: Wall,
    ) -> Result<Option<u64>> {
        // One digest over those of the clips: an event is of bounded size.
        let digests: Vec<&[u8]> = self.clips.iter().map(|c| c.sha256.as_bytes()).collect();
        let mut facts = serde_json::json!({
            "asked": self.asked,
            "clips": self.clips.len(),
            "pictures": self.clips.iter().map(|c| c.pictures).sum::<usize>(),
            "sha256_of_sha256": Digest::sha256(&digests).to_string(),
        });
        if let Some(manifest) = &self.manifest {
            facts["manifest"] = manifest.to_string().into();
        }
        let event = Event {
            actor: begun.person.to_string(),
            result: result.to_owned(),
            phase: begun.ended,
            ..Event::of_box(now, "export", &self.stream, facts)
        };
        client.note(event)
    }

    /// What of the span asked for lies after the last clip, if no gap says why: it is not recorded yet, or not on disk yet.
    fn short_by(&self) -> Option<Span> {
        let end = self.clips.last()?.span.end;
        let end = self.gaps.iter().map(|g| g.span.end).fold(end, Wall::max);
        (self.asked.end.us_since(end) > 100_000).then_some(Span {
            start: end,
            end: self.asked.end,
        })
    }
}

fn span(args: &Args, zone: Zone, now: Wall) -> Result<Span> {
    let asked = Span {
        start: zone.parse(&args.from, now)?,
        end: zone.parse(&args.to, now)?,
    };
    if asked.us() <= 0 {
        let (from, to) = (zone.rfc3339(asked.start), zone.rfc3339(asked.end));
        return Err(Error::invalid(format!(
            "--from ({from}) must lie before --to ({to})"
        )));
    }
    if asked.us() > SPAN_US_MAX {
        return Err(Error::new(
            Kind::Full,
            "at most 31 days can be exported at once",
        ));
    }
    Ok(asked)
}

fn find(
    client: &mut Client,
    state: &State,
    stream: &StreamId,
    (span, hold): (Span, Option<HoldId>),
) -> Result<(Footage, Selection)> {
    let mut attempt = || {
        let ask = Ask::Footage {
            stream: stream.clone(),
            span,
            hold,
        };
        let Answer::Footage(footage) = client.ask(&ask)? else {
            return Err(Error::new(Kind::Internal, "an answer to another question"));
        };
        let selection = select::select(sources(&footage, state)?, span)?;
        Ok((*footage, selection))
    };
    match attempt() {
        // The segment being written may have been closed, and so renamed, between the question and the look.
        Err(e) if e.kind() == Kind::NotFound => attempt(),
        other => other,
    }
}

/// The segments of an answer, opened.
///
/// # Errors
/// What opening says.
pub(super) fn sources(footage: &Footage, state: &State) -> Result<Vec<Source>> {
    let growing = footage.growing.as_ref().map(|growing| Part {
        path: &growing.path,
        durable_bytes: growing.durable_bytes,
    });
    Places::new(state.box_id, &footage.volumes).all(&footage.segments, growing)
}

/// Why there is nothing, in words.
pub(super) fn nothing(stream: &StreamId, footage: &Footage, asked: Span, zone: Zone) -> Error {
    let gaps = footage.coverage.gaps.iter();
    let mut causes: Vec<_> = gaps.map(|gap| format!("gap: {}", gap.cause)).collect();
    let deleted = footage.coverage.deleted.iter();
    causes.extend(deleted.map(|part| format!("deleted: {}", part.rule)));
    causes.dedup();
    let why = if causes.is_empty() {
        String::new()
    } else {
        format!(" ({})", causes.join(", "))
    };
    let (from, to) = (zone.rfc3339(asked.start), zone.rfc3339(asked.end));
    Error::new(
        Kind::NotFound,
        format!(
            "nothing is recorded of {stream} from {from} to {to}{why}; sinetti ls shows what is"
        ),
    )
}

/// `clip.mp4`, `clip-2.mp4`, `clip-3.mp4` …
fn numbered(path: &Path, n: u32) -> PathBuf {
    if n == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .map_or(String::new(), |e| format!(".{}", e.to_string_lossy()));
    path.with_file_name(format!("{stem}-{n}{extension}"))
}

fn text(report: &Report, zone: Zone) -> Result<String> {
    let mut out = String::new();
    for clip in &report.clips {
        clip_text(&mut out, clip, zone)?;
    }
    let outward = report
        .clips
        .first()
        .is_some_and(|c| c.span.start < report.asked.start)
        || report
            .clips
            .last()
            .is_some_and(|c| c.span.end > report.asked.end);
    if outward {
        writeln!(
            out,
            "asked for {} to {}; widened to whole groups of pictures, since decoding begins at key frames only",
            zone.rfc3339(report.asked.start),
            zone.rfc3339(report.asked.end)
        )?;
    }
    for gap in &report.gaps {
        writeln!(
            out,
            "gap        {} to {}: {}",
            zone.rfc3339(gap.span.start),
            zone.rfc3339(gap.span.end),
            gap.cause
        )?;
    }
    if let Some(short) = report.short_by() {
        let (from, to) = (zone.rfc3339(short.start), zone.rfc3339(short.end));
        writeln!(
            out,
            "not there  {from} to {to}: not recorded yet, or not on the disk yet"
        )?;
    }
    if let Some(dir) = &report.package {
        writeln!(out, "package    {}", dir.display())?;
        writeln!(
            out,
            "           checked anywhere with: sinetti verify {}",
            dir.display()
        )?;
    }
    for damaged in &report.damaged {
        writeln!(out, "DAMAGED    {damaged}; the clips hold what is left")?;
    }
    if report.packets_lost > 0 {
        writeln!(
            out,
            "lost       {} packets never came from the camera",
            report.packets_lost
        )?;
    }
    if report.time_uncertain {
        writeln!(
            out,
            "time       uncertain: see sinetti ls and the clock of the box and the camera"
        )?;
    }
    Ok(out)
}

fn clip_text(out: &mut String, clip: &Clip, zone: Zone) -> Result<()> {
    writeln!(out, "{}", clip.path.display())?;
    writeln!(out, "  from       {}", zone.rfc3339(clip.span.start))?;
    writeln!(out, "  to         {}", zone.rfc3339(clip.span.end))?;
    writeln!(
        out,
        "  pictures   {}, {} x {}, every one checked against its leaf hash",
        clip.pictures, clip.size.0, clip.size.1
    )?;
    if clip.undecodable_leading > 0 {
        writeln!(
            out,
            "  leading    {} pictures at the beginning refer to pictures before it and are not shown",
            clip.undecodable_leading
        )?;
    }
    writeln!(out, "  SHA-256    {}", clip.sha256)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_files_are_numbered() {
        assert_eq!(
            numbered(Path::new("a/clip.mp4"), 1),
            Path::new("a/clip.mp4")
        );
        assert_eq!(
            numbered(Path::new("a/clip.mp4"), 2),
            Path::new("a/clip-2.mp4")
        );
        assert_eq!(numbered(Path::new("clip"), 3), Path::new("clip-3"));
    }
}
