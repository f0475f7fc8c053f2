//! `sinetti retention certificate`: what was deleted in a period, as signed JSON and as a PDF; and its check, on any machine.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::base::clock::SystemClock;
use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::CameraId;
use crate::base::time::Span;
use crate::base::zone::Zone;
use crate::catalog::{Event, Reader};
use crate::cmd::{same_digits, say, say_json, who};
use crate::config;
use crate::daemon::control::Client;
use crate::document::Language;
use crate::evidence::certificate::{self, Asked, Checked};
use crate::store::state::State;

/// Longer files are none of ours.
const BYTES_MAX: u64 = 256 << 20;

/// Arguments of `retention certificate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Deletions from this time on: site time (1.11.2026 00.00), or with an offset.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Deletions before this time; not in the future.
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Of this camera; may be given several times. Default: all.
    #[arg(long)]
    camera: Vec<CameraId>,
    /// The PDF. The signed JSON, which is the original, lies beside it: the same name with .json.
    #[arg(short, long, value_name = "FILE.pdf")]
    output: PathBuf,
    /// What the PDF is written in: fi, sv or en.
    #[arg(long, default_value = "fi")]
    language: Language,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Arguments of `retention verify`.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// The signed JSON of a certificate.
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    /// The fingerprint of the box from paper. Without it you are asked to compare it yourself.
    #[arg(long)]
    fingerprint: Option<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Makes a certificate.
pub(super) fn make(state: &State, args: &Args) -> Result<ExitCode> {
    let (pdf, original) = (&args.output, args.output.with_extension("json"));
    if pdf.extension().is_none_or(|e| e != "pdf") {
        return Err(Error::invalid("-o: give a name that ends in .pdf"));
    }
    for path in [pdf, &original] {
        if path.exists() {
            let text = format!("{} exists already; give another name", path.display());
            return Err(Error::new(Kind::Exists, text));
        }
    }
    let site = config::load(&state.config_path())?.config.site;
    let now = SystemClock::shared().wall();
    let period = Span {
        start: site.zone.parse(&args.from, now)?,
        end: site.zone.parse(&args.to, now)?,
    };
    // Brings an older catalog up to date, too.
    let mut client = Client::open(state)?;
    let reader = Reader::open(&state.existing_catalog()?, state.box_id)?;
    let made = certificate::gather(
        &reader,
        &Asked {
            box_id: state.box_id,
            key: state.key()?,
            site: &site.name,
            zone: site.zone.name(),
            period,
            cameras: &args.camera,
            now,
            lines_bytes_max: certificate::LINES_BYTES_MAX,
        },
    )?;
    let (document, sha256) = made.sign(&state.signer()?)?;
    let checked = certificate::check(&document)?;
    let paper = certificate::paper(&checked, &document, args.language)?;
    let text =
        serde_json::to_string(&document).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    disk::create(&original, text.as_bytes(), 0o644).context(|| "writing the original")?;
    disk::create(pdf, &paper, 0o644).context(|| "writing the PDF")?;
    let (segments, bytes) = checked.summary.total();
    let facts = json!({
        "from": period.start, "to": period.end, "sha256": sha256, "sweeps": checked.summary.sweeps,
        "segments": segments, "bytes": bytes,
    });
    let event = Event {
        detail: Some(json!({ "by": who() })),
        ..Event::of_box(now, "certificate-made", "retention", facts)
    };
    client.note(event)?;
    if args.json {
        say_json(&answer(&checked))?;
    } else {
        say(&format!(
            "{}\n{}\n{}",
            pdf.display(),
            original.display(),
            text_of(&checked, site.zone)?
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks one; exit status 0 only when it holds, and the fingerprint fits if one was given.
pub(super) fn verify(args: &VerifyArgs) -> Result<ExitCode> {
    let path: &Path = &args.file;
    let what = || format!("checking {}", path.display());
    if std::fs::metadata(path).context(what)?.len() > BYTES_MAX {
        return Err(Error::corrupt("it is too long for a certificate").attempted(what()));
    }
    let bytes = std::fs::read(path).context(what)?;
    let document: Value = serde_json::from_slice(&bytes)
        .map_err(|e| Error::corrupt(format!("it is no JSON: {e}")).attempted(what()))?;
    let checked = certificate::check(&document).context(what)?;
    if let Some(paper) = &args.fingerprint
        && !same_digits(paper, &checked.key.fingerprint())
    {
        let text = format!(
            "it is signed by {}, which is not what stands on the paper",
            checked.key.fingerprint()
        );
        return Err(Error::new(Kind::Denied, text).attempted(what()));
    }
    if args.json {
        say_json(&answer(&checked))?;
    } else {
        let zone = Zone::named(&checked.certificate.zone)?;
        let mut text = text_of(&checked, zone)?;
        if args.fingerprint.is_none() {
            text.push_str("compare the fingerprint with the paper, or give --fingerprint\n");
        }
        text.push_str("it holds: every sweep in it is an entry of the log that this box signed\n");
        say(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(checked: &Checked) -> Value {
    let (segments, bytes) = checked.summary.total();
    let line = |line: &certificate::Line| {
        json!({
            "stream": line.stream, "rule": line.rule, "from": line.span.start, "to": line.span.end,
            "segments": line.segments, "bytes": line.bytes,
        })
    };
    let checkpoint = |checkpoint: &crate::ledger::checkpoint::Checkpoint| {
        json!({
            "epoch": checkpoint.epoch, "size": checkpoint.size, "root": checkpoint.root,
        })
    };
    json!({
        "holds": true,
        "box": checked.certificate.box_id,
        "from": checked.certificate.from,
        "to": checked.certificate.to,
        "sweeps": checked.summary.sweeps,
        "segments": segments,
        "bytes": bytes,
        "lines": checked.summary.lines.iter().map(line).collect::<Vec<_>>(),
        "root": checked.summary.root,
        "missing_sweeps": checked.summary.holes,
        "fingerprint": checked.key.fingerprint(),
        "sha256": checked.sha256,
        "checkpoints": checked.checkpoints.iter().map(checkpoint).collect::<Vec<_>>(),
    })
}

fn text_of(checked: &Checked, zone: Zone) -> Result<String> {
    let (certificate, summary) = (&checked.certificate, &checked.summary);
    let (segments, bytes) = summary.total();
    let mut out = format!(
        "deleted from {} to {}: {segments} segments, {bytes} bytes, in {} sweeps\n",
        zone.display(certificate.from),
        zone.display(certificate.to),
        summary.sweeps
    );
    for line in &summary.lines {
        writeln!(
            out,
            "  {:<24} {:<10} {} segments, {} bytes, recorded {} – {}",
            line.stream,
            line.rule,
            line.segments,
            line.bytes,
            zone.display(line.span.start),
            zone.display(line.span.end)
        )?;
    }
    if summary.holes > 0 {
        writeln!(
            out,
            "NOTE: {} numbers are missing in the numbering of sweeps",
            summary.holes
        )?;
    }
    for checkpoint in &checked.checkpoints {
        writeln!(
            out,
            "checkpoint   epoch {}, {} entries, root {}",
            checkpoint.epoch, checkpoint.size, checkpoint.root
        )?;
    }
    writeln!(
        out,
        "SHA-256      {}\nsigned by    {}",
        checked.sha256,
        checked.key.fingerprint()
    )?;
    Ok(out)
}
