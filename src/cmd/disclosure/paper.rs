//! `sinetti disclosure register` and `paper`: what the recorder makes on paper, written to a file that is nobody else's.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::CameraId;
use crate::base::time::{Span, Wall};
use crate::catalog::{DisclosureFilter, DisclosureKind, DisclosureState};
use crate::cmd::act::{self, WhoArgs};
use crate::cmd::disclosure::{Desk, another};
use crate::cmd::{new_file, say};
use crate::daemon::disclosures::{DisclosureAct, DisclosureAnswer, Named};
use crate::disclosure::papers::Format;
use crate::document::Language;

/// Which disclosures: as the pages' filters.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct WhichArgs {
    /// Of this camera alone.
    #[arg(long)]
    camera: Option<CameraId>,
    /// Footage from this instant on: site time (23.11.2026 13.15), or with an offset.
    #[arg(long, value_name = "TIME")]
    footage_from: Option<String>,
    /// Footage before this one.
    #[arg(long, value_name = "TIME")]
    footage_to: Option<String>,
    /// Handed over from this instant on.
    #[arg(long, value_name = "TIME")]
    disclosed_from: Option<String>,
    /// Handed over before this one.
    #[arg(long, value_name = "TIME")]
    disclosed_to: Option<String>,
    /// Whose recipient has this in it.
    #[arg(long)]
    recipient: Option<String>,
    /// Which this person asked for or did a step of: a user name or an id.
    #[arg(long = "by", value_name = "PERSON")]
    by: Option<String>,
    /// In this state: requested, approved, prepared, handed-over …; may be given several times.
    #[arg(long = "state")]
    states: Vec<DisclosureState>,
    /// Of this kind: authority-request, viewing …; may be given several times.
    #[arg(long = "kind")]
    kinds: Vec<DisclosureKind>,
    /// On this legal basis, by its code in the catalogue.
    #[arg(long)]
    basis: Option<String>,
}

impl WhichArgs {
    /// As the recorder searches.
    ///
    /// # Errors
    /// `Invalid` for what is no time, or an end before its start.
    pub(super) fn filter(self, desk: &Desk) -> Result<DisclosureFilter> {
        let (footage_from, footage_to) = (self.footage_from.as_ref(), self.footage_to.as_ref());
        let (from, to) = (self.disclosed_from.as_ref(), self.disclosed_to.as_ref());
        Ok(DisclosureFilter {
            footage: span(desk, "--footage", footage_from, footage_to)?,
            disclosed: span(desk, "--disclosed", from, to)?,
            camera: self.camera,
            recipient: self.recipient,
            person: self.by,
            states: self.states,
            kinds: self.kinds,
            basis: self.basis,
            ..DisclosureFilter::default()
        })
    }
}

fn span(
    desk: &Desk,
    name: &str,
    from: Option<&String>,
    to: Option<&String>,
) -> Result<Option<Span>> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let time =
        |text: Option<&String>, open: i64| text.map_or(Ok(Wall(open)), |text| desk.time(text));
    let span = Span {
        start: time(from, i64::MIN / 2)?,
        end: time(to, i64::MAX / 2)?,
    };
    if span.start >= span.end {
        let text = format!("{name}-from must lie before {name}-to");
        return Err(Error::invalid(text));
    }
    Ok(Some(span))
}

/// Arguments of `disclosure register`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct RegisterArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// A table for other programs, in which no cell is a formula.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "pdf",
        conflicts_with = "pdf"
    )]
    csv: Option<PathBuf>,
    /// A document for people, with what was searched and whether the ledger's chain is intact (PDF/A).
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    #[command(flatten)]
    who: WhoArgs,
}

/// Arguments of `disclosure paper`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct PaperArgs {
    /// 2026-0042, or its eight digits.
    disclosure: Named,
    /// The document (PDF/A).
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// fi, sv or en. Default: what the record says.
    #[arg(long)]
    language: Option<Language>,
    #[command(flatten)]
    who: WhoArgs,
}

/// Writes the register.
pub(super) fn register(mut desk: Desk, args: RegisterArgs) -> Result<ExitCode> {
    let (path, format) = match (&args.csv, &args.pdf) {
        (Some(path), _) => (path, Format::Csv),
        (None, Some(path)) => (path, Format::Pdf),
        (None, None) => return Err(Error::invalid("give --csv or --pdf")),
    };
    let filter = Box::new(args.which.filter(&desk)?);
    let act = DisclosureAct::Register { filter, format };
    document(&mut desk, &args.who, act, path)
}

/// Writes the handover document.
pub(super) fn handover(mut desk: Desk, args: &PaperArgs) -> Result<ExitCode> {
    let act = DisclosureAct::Paper {
        named: args.disclosure,
        language: args.language.map(|language| language.as_str().to_owned()),
    };
    document(&mut desk, &args.who, act, &args.output)
}

fn document(desk: &mut Desk, who: &WhoArgs, act: DisclosureAct, path: &Path) -> Result<ExitCode> {
    // Before a code is asked for.
    new_file::free(path)?;
    let shown = act::show(&mut desk.client, who)?;
    let DisclosureAnswer::Document { base64 } = desk.ask(&shown, act)? else {
        return Err(another());
    };
    let bytes = STANDARD.decode(base64);
    let bytes = bytes.map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    new_file::write(path, &bytes)?;
    say(&format!("{}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
