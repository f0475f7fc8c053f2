//! `sinetti ls`: what is recorded, what is deleted, and the gaps with their causes.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, StreamId, StreamKind};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{CoverageGap, DeletedSpan};
use crate::cmd::{say, say_json};
use crate::config;
use crate::daemon::answer::{Answer, Ask, Footage, StreamTotals};
use crate::daemon::control::Client;
use crate::store::state::State;

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this camera.
    #[arg(long)]
    camera: Option<CameraId>,
    /// Only this stream: main or sub.
    #[arg(long)]
    stream: Option<StreamKind>,
    /// From this time on: site time, or with an offset. Default: the beginning.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until this time. Default: now.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Each segment, not only spans.
    #[arg(long)]
    segments: bool,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// One stream's answer.
#[derive(serde::Serialize)]
struct Listed {
    stream: StreamId,
    totals: crate::catalog::Totals,
    deleted_until: Option<DeletedSpan>,
    #[serde(flatten)]
    footage: Footage,
}

/// Runs it.
pub(super) fn run(dir: &Path, args: &Args) -> Result<ExitCode> {
    let state = State::open(dir)?;
    let zone = config::load(&state.config_path()).map_or(Zone::UTC, |l| l.config.site.zone);
    let now = SystemClock::shared().wall();
    let from = args.from.as_ref().map(|t| zone.parse(t, now)).transpose()?;
    let to = args.to.as_ref().map_or(Ok(now), |t| zone.parse(t, now))?;
    let mut client = Client::open(&state)?;
    let Answer::Streams { streams } = client.ask(&Ask::Streams)? else {
        return Err(mismatch());
    };
    let wanted = |s: &StreamTotals| {
        args.camera.as_ref().is_none_or(|c| *c == s.stream.camera)
            && args.stream.is_none_or(|k| k == s.stream.kind)
    };
    let mut listed = Vec::new();
    for found in streams.into_iter().filter(wanted) {
        let StreamTotals {
            stream,
            first_seen,
            totals,
            deleted_until,
        } = found;
        let oldest = totals.oldest.map_or(first_seen, |t| t.min(first_seen));
        let start = from.unwrap_or(oldest);
        if start >= to && args.from.is_some() {
            return Err(Error::invalid("--from must lie before --to"));
        }
        let ask = Ask::Footage {
            stream: stream.clone(),
            span: Span {
                start,
                end: to.max(start.plus_us(1)),
            },
            hold: None,
        };
        let Answer::Footage(footage) = client.ask(&ask)? else {
            return Err(mismatch());
        };
        listed.push(Listed {
            stream,
            totals,
            deleted_until,
            footage: *footage,
        });
    }
    if let (Some(camera), true) = (&args.camera, listed.is_empty()) {
        return Err(Error::new(
            Kind::NotFound,
            format!("nothing was ever recorded of camera \"{camera}\""),
        ));
    }
    if args.json {
        say_json(&listed)?;
    } else {
        say(&text(&listed, zone, args.segments)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn mismatch() -> Error {
    Error::new(Kind::Internal, "an answer to another question")
}

fn text(listed: &[Listed], zone: Zone, segments: bool) -> Result<String> {
    let mut out = String::new();
    if listed.is_empty() {
        out.push_str("nothing is recorded yet\n");
    }
    for one in listed {
        let megabytes = megabytes(one.totals.bytes);
        let count = one.totals.segments;
        writeln!(out, "{}  {count} segments, {megabytes:.1} MB", one.stream)?;
        if let Some(deleted) = &one.deleted_until {
            let until = zone.display(deleted.span.end);
            writeln!(out, "  deleted until {until} ({})", deleted.rule)?;
        }
        let mut lines = span_lines(&one.footage, zone);
        if segments {
            lines.extend(segment_lines(&one.footage, zone));
        }
        lines.sort_by_key(|(at, _)| *at);
        for (_, line) in lines {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out)
}

/// Recorded spans and gaps, each with the time by which it is sorted.
fn span_lines(footage: &Footage, zone: Zone) -> Vec<(Wall, String)> {
    let from_to = |start, end| format!("{} – {}", zone.display(start), zone.display(end));
    let recorded = footage.coverage.recorded.iter();
    let recorded = recorded.map(|s| (s.start, format!("  recorded  {}", from_to(s.start, s.end))));
    let gaps = footage.coverage.gaps.iter().map(|gap| {
        let CoverageGap {
            span,
            cause,
            detail,
        } = gap;
        let detail = detail.as_ref().map_or(String::new(), |d| format!(" ({d})"));
        let span_text = from_to(span.start, span.end);
        (
            span.start,
            format!("  gap       {span_text}  {cause}{detail}"),
        )
    });
    let deleted = footage.coverage.deleted.iter();
    let deleted = deleted.map(|d| {
        let span_text = from_to(d.span.start, d.span.end);
        (d.span.start, format!("  deleted   {span_text}  {}", d.rule))
    });
    let growing = footage.growing.iter();
    let growing = growing.map(|g| (g.start, format!("  recording {}", from_to(g.start, g.end))));
    recorded.chain(deleted).chain(gaps).chain(growing).collect()
}

fn segment_lines(footage: &Footage, zone: Zone) -> impl Iterator<Item = (Wall, String)> {
    footage.segments.iter().map(move |row| {
        let note = if row.recovered { "  recovered" } else { "" };
        let start = zone.display(row.start);
        let (id, pictures, bytes) = (row.segment, row.samples, row.bytes);
        let line = format!("    segment {id}  {start}  {pictures} pictures, {bytes} bytes{note}");
        (row.start, line)
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
