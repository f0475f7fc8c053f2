//! What a handover document is made of: plain values, each as it was when the document was made.
//!
//! What does not belong here: where the values come from, and how they are set on paper (`write`).

use crate::base::hash::Digest;
use crate::base::id::{BoxId, HoldId};
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::DisclosureKind;
use crate::document::Language;
use crate::evidence::package::manifest::Note;
use crate::ledger::checkpoint::{Checkpoint, Key};

/// A handover document. `None` and an empty text are a dash on paper, never an empty field.
#[derive(Clone, PartialEq, Debug)]
pub struct HandoverDocument {
    /// What it is written in.
    pub language: Language,
    /// What the disclosure is: the wording, and which parts there are, follow from it.
    pub kind: DisclosureKind,
    /// Its serial number; `None` before it was asked for.
    pub serial: Option<String>,
    /// When the document was made.
    pub made: Wall,
    /// Who hands out.
    pub house: House,
    /// What was asked for, and how.
    pub request: Request,
    /// To whom.
    pub recipient: Recipient,
    /// Why it may be.
    pub ground: Ground,
    /// What was decided; `None`: nothing yet.
    pub decision: Option<Decision>,
    /// What of which camera.
    pub cameras: Vec<Camera>,
    /// The clips of the package, or its parts as they are handed out; none when there is no file, or none yet.
    pub files: Vec<File>,
    /// How it was, or is to be, handed over.
    pub delivery: Delivery,
    /// What it can be checked with.
    pub proof: Proof,
    /// What a data subject is told besides; only where the kind is `AccessRequest`.
    pub told: Option<Told>,
}

/// Who hands out.
#[derive(Clone, PartialEq, Debug)]
pub struct House {
    /// The site's name.
    pub site: String,
    /// Its zone: times are written in it, with their offset from UTC.
    pub zone: Zone,
    /// The controller, as in the privacy notice.
    pub controller: Option<String>,
    /// Whom people ask.
    pub contact: Option<String>,
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// When the request came in.
    pub received: Option<Wall>,
    /// How: by letter, on the spot.
    pub channel: Option<String>,
    /// Number of the investigation, or of the case; or why there is none.
    pub case: Option<String>,
    /// How the data subject is told from others in the picture.
    pub appearance: Option<String>,
    /// Who wrote the record.
    pub recorded_by: Option<String>,
}

/// To whom it goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recipient {
    /// What it is, in the words of the catalogue.
    pub sort: Option<String>,
    /// Organisation or authority.
    pub organisation: Option<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// The person's name.
    pub person: Option<String>,
    /// Rank or position.
    pub rank: Option<String>,
    /// Telephone, address.
    pub contact: Option<String>,
    /// From what the person was identified: no number, no copy.
    pub identified: Option<String>,
    /// Who did that.
    pub identified_by: Option<String>,
}

/// Why it may be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ground {
    /// The legal basis, in the words that were in force when it was decided.
    pub basis: Option<String>,
    /// Version of the catalogue that has them.
    pub version: Option<String>,
    /// Purpose.
    pub purpose: Option<String>,
    /// Why it is needed, and why no less would do.
    pub necessity: Option<String>,
    /// True when those whom it is about are not told for now.
    pub secret: bool,
    /// Who asked for that, and until when.
    pub secret_reason: Option<String>,
    /// The hold on the footage.
    pub hold: Option<HoldId>,
}

/// A decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// True: it may be handed out.
    pub granted: bool,
    /// By whom: each person who approved, or the one who refused.
    pub by: Vec<String>,
    /// When it was complete.
    pub at: Wall,
    /// Why.
    pub why: Option<String>,
}

/// What of a camera.
#[derive(Clone, PartialEq, Debug)]
pub struct Camera {
    /// Its id: `kassa-1`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The marked area that it films.
    pub area: Option<String>,
    /// From when to when it was asked for.
    pub asked: Span,
    /// From when to when it is given: outward to whole groups of pictures.
    pub given: Option<Span>,
    /// What of that is not there.
    pub absent: Vec<Absent>,
    /// What was lost on the way; `None`: not known, since nothing was taken from the recording yet.
    pub losses: Option<Losses>,
    /// How good the clocks were; `None` likewise.
    pub clock: Option<Clock>,
}

/// A time without pictures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Absent {
    /// From when to when.
    pub span: Span,
    /// The cause as [`GapCause`](crate::catalog::GapCause) writes it; the rule of a deletion after `deleted`; anything else stands
    /// as it is.
    pub why: String,
}

/// Losses, added up over the segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Losses {
    /// Packets that never came.
    pub packets_lost: u64,
    /// Pictures left out as broken.
    pub corrupt_units: u64,
    /// Jumps of the camera's time.
    pub discontinuities: u64,
    /// Segments that cannot be read any more.
    pub damaged: u64,
}

/// Clocks, over the segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// The box's clock was kept by a time source all the time.
    pub synchronised: bool,
    /// Its error by the kernel's estimate, at most, in µs.
    pub error_us_max: i64,
    /// The camera's clock minus the box's, in ms: least and most; `None` when the camera tells none.
    pub camera_offset_ms: Option<(i64, i64)>,
    /// A clock stepped, or the camera's drifted too fast.
    pub uncertain: bool,
}

/// A clip, or a part of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// From its first picture to the end of its last; `None`: it is no clip.
    pub span: Option<Span>,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: Digest,
    /// What it is besides a clip as it was recorded.
    pub note: Option<Note>,
}

/// How it is handed over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivery {
    /// On what: a stick, in a browser.
    pub medium: Option<String>,
    /// The package is under a passphrase; `None`: there is no package, or it is not decided.
    pub encrypted: Option<bool>,
    /// How it is encrypted, and how the passphrase goes another way, in the words of whoever hands it over.
    pub encryption: Option<String>,
    /// By whom.
    pub by: Option<String>,
    /// To whom, when it was somebody else than the recipient.
    pub to: Option<String>,
    /// How it was checked who that is.
    pub identity: Option<String>,
    /// When.
    pub at: Option<Wall>,
    /// When the receipt was confirmed.
    pub receipt: Option<Wall>,
    /// The house destroys its own copies by then.
    pub destroy_by: Option<Wall>,
}

/// What it can be checked with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The box.
    pub box_id: BoxId,
    /// The key with which it signs.
    pub key: Key,
    /// SHA-256 of the package's `manifest.json`.
    pub manifest: Option<Digest>,
    /// The ledger's entry of the disclosure.
    pub entry: Option<u64>,
    /// A checkpoint over it: its signed note, and what it says.
    pub checkpoint: Option<(String, Checkpoint)>,
}

/// What the controller tells a data subject who asked (GDPR 15(1)).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// What the footage is recorded for.
    pub purposes: Vec<String>,
    /// Seconds that it is kept at most.
    pub keep_s: Option<u32>,
    /// To whom footage is handed out as a rule, and to whom this was.
    pub recipients: Option<String>,
    /// The data protection officer, where there is one.
    pub officer: Option<String>,
}
