//! The ledger: what happened, proofs of it, the checkpoint, and anchors that leave the box and come back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::access::authorise::Authorised;
use crate::access::directory::Directory;
use crate::access::refusal::Refusal as Why;
use crate::access::role::acts;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::{Digest, hex};
use crate::base::time::Wall;
use crate::catalog::{Detail, EntryFilter, EntryRow, EpochRow, Event, Reader};
use crate::http::app::App;
use crate::http::guard::May;
use crate::http::json::{Body, Json, Search, Segments};
use crate::http::problem::{Answer, Problem, Refusal};
use crate::ledger::checkpoint::{Checkpoint, NOTE_BYTES_MAX};

/// Entries of one answer, unless fewer are asked for.
const ENTRIES_MAX: u32 = 500;
const ENTRIES_DEFAULT: u32 = 100;

/// Which entries.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// From this instant on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    start: Option<Wall>,
    /// Before this one.
    #[param(value_type = Option<String>, format = DateTime)]
    end: Option<Wall>,
    /// By whom: a person's id, or `box`.
    actor: Option<String>,
    /// What was done, such as `playback`.
    action: Option<String>,
    /// To what; a camera's id means its streams too.
    object: Option<String>,
    /// Numbers below this one: where the page before said to go on.
    before: Option<u64>,
    /// At most so many; default 100.
    #[param(minimum = 1, maximum = 500)]
    count: Option<u32>,
}

/// Entries, the newest first.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Entries {
    /// The entries.
    entries: Vec<Entry>,
    /// Where to go on (`before`); null at the end.
    #[schema(nullable)]
    next: Option<u64>,
}

/// An entry of the ledger.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Entry {
    /// Its number.
    seq: u64,
    /// The log's epoch: one more after each lawful restore.
    epoch: u32,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Wall,
    /// By whom: a person's id, `box`, or `console`.
    actor: String,
    /// That person's user name, while the box knows it. It is not a part of the entry.
    #[schema(nullable)]
    actor_name: Option<String>,
    /// What was done.
    action: String,
    /// To what.
    object: String,
    /// The user name of the person that it was done to, as `actor_name`.
    #[schema(nullable)]
    object_name: Option<String>,
    /// How it went.
    result: String,
    /// What stays for ever.
    #[schema(value_type = Object)]
    facts: Value,
    /// What may lawfully be erased, such as names and reasons.
    detail: EntryDetail,
    /// Its leaf hash in the tree (RFC 6962, 2.1).
    #[schema(pattern = "^[0-9a-f]{64}$")]
    leaf: String,
}

/// Details of an entry.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct EntryDetail {
    /// `none`, `kept`, `erased` (lawfully), or `lost` (nothing says why).
    state: String,
    /// They themselves, while they are kept.
    #[schema(value_type = Option<Object>, nullable)]
    value: Option<Value>,
    /// Salt of the commitment in the entry, while they are kept.
    #[schema(nullable)]
    salt: Option<String>,
    /// When they were erased.
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    erased: Option<Wall>,
}

impl From<Detail> for EntryDetail {
    fn from(detail: Detail) -> Self {
        let empty = |state: &str| Self {
            state: state.to_owned(),
            value: None,
            salt: None,
            erased: None,
        };
        match detail {
            Detail::None => empty("none"),
            Detail::Lost => empty("lost"),
            Detail::Erased(at) => Self {
                erased: Some(at),
                ..empty("erased")
            },
            Detail::Kept { salt, text } => Self {
                value: serde_json::from_str(&text).ok(),
                salt: Some(hex(&salt)),
                ..empty("kept")
            },
        }
    }
}

impl Entry {
    fn of(row: EntryRow, directory: &Directory) -> Self {
        let entry = row.entry;
        let name = |id: &str| {
            let standing = directory.get(id.parse().ok()?)?;
            Some(standing.account.name.clone())
        };
        Self {
            seq: entry.seq,
            epoch: entry.epoch,
            at: entry.at,
            actor_name: name(&entry.actor),
            actor: entry.actor,
            action: entry.action,
            object_name: name(&entry.object),
            object: entry.object,
            result: entry.result,
            facts: entry.facts,
            detail: row.detail.into(),
            leaf: row.leaf.to_string(),
        }
    }
}

/// Entries of the ledger. Whoever may see only what they did themselves gets only that.
#[utoipa::path(
    get,
    path = "/api/v1/ledger/entries",
    tag = "ledger",
    params(Which),
    responses(
        (status = 200, body = Entries),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn entries(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Search(which): Search<Which>,
) -> Answer<Json<Entries>> {
    let count = which.count.unwrap_or(ENTRIES_DEFAULT);
    if !(1..=ENTRIES_MAX).contains(&count) {
        return Err(Refusal::field("?count", "1 to 500"));
    }
    if which
        .before
        .is_some_and(|before| i64::try_from(before).is_err())
    {
        return Err(Refusal::field("?before", "it is too large"));
    }
    let mut filter = EntryFilter {
        from: which.start,
        until: which.end,
        actor: which.actor,
        action: which.action,
        object: which.object,
        before_seq: which.before,
        after_seq: None,
    };
    if who.own_acts_only() {
        let own = who.actor();
        if filter.actor.as_ref().is_some_and(|actor| *actor != own) {
            return Ok(Json(Entries {
                entries: Vec::new(),
                next: None,
            }));
        }
        filter.actor = Some(own);
    }
    let rows = app
        .blocking(move |app| app.parts.catalog.reader()?.entries(&filter, count))
        .await?;
    let directory = app.parts.access.directory();
    let full = rows.len() == count as usize;
    let next = rows.last().map(|row| row.entry.seq).filter(|_| full);
    let rows = rows.into_iter();
    Ok(Json(Entries {
        entries: rows.map(|row| Entry::of(row, &directory)).collect(),
        next,
    }))
}

/// Path of an entry.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfEntry {
    /// Its number.
    seq: u64,
}

/// The entry, when `who` may see it; what may not be seen is not there.
fn visible(reader: &Reader, who: &Authorised<acts::Records>, seq: u64) -> Result<EntryRow> {
    let none = || Error::new(Kind::NotFound, format!("the ledger has no entry {seq}"));
    if i64::try_from(seq).is_err() {
        return Err(none());
    }
    let row = reader.entry(seq)?;
    if who.own_acts_only() && row.entry.actor != who.actor() {
        return Err(none());
    }
    Ok(row)
}

/// One entry.
#[utoipa::path(
    get,
    path = "/api/v1/ledger/entries/{seq}",
    tag = "ledger",
    params(OfEntry),
    responses(
        (status = 200, body = Entry),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn entry(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Segments(of): Segments<OfEntry>,
) -> Answer<Json<Entry>> {
    let row = app
        .blocking(move |app| visible(&app.parts.catalog.reader()?, &who, of.seq))
        .await?;
    Ok(Json(Entry::of(row, &app.parts.access.directory())))
}

/// Proof that an entry is in the log of a checkpoint (RFC 6962, 2.1.1).
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Proof {
    /// The entry as it was hashed: one line of canonical JSON.
    line: String,
    /// Its place in the log, from 0.
    index: u64,
    /// The hashes by which its leaf leads to the root.
    #[schema(value_type = Vec<String>)]
    path: Vec<String>,
    /// The checkpoint.
    checkpoint: CheckpointLine,
}

/// Signed size and root of the log (C2SP tlog-checkpoint).
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CheckpointLine {
    /// The log's epoch.
    epoch: u32,
    /// Entries under it.
    size: u64,
    /// Root over them.
    root: String,
    /// The signed note itself.
    note: String,
    /// The key that verifies it, as other tools take it.
    verifier_key: String,
    /// Fingerprint of that key, to be compared with paper.
    fingerprint: String,
}

/// The checkpoint of an epoch, opened: it is checked before it is handed on.
fn checkpoint(app: &App, epoch: EpochRow) -> Result<(Checkpoint, CheckpointLine)> {
    let key = app.parts.ledger_key;
    let unsigned = || Error::new(Kind::NotFound, "nothing is signed yet; wait a second");
    let note = epoch.note.ok_or_else(unsigned)?;
    let checkpoint = Checkpoint::open(&note, key).context(|| "reading the checkpoint")?;
    let line = CheckpointLine {
        epoch: checkpoint.epoch,
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        note,
        verifier_key: key.verifier_key(app.parts.box_id, checkpoint.epoch),
        fingerprint: key.fingerprint(),
    };
    Ok((checkpoint, line))
}

/// Proof that an entry is in the ledger.
#[utoipa::path(
    get,
    path = "/api/v1/ledger/entries/{seq}/proof",
    tag = "ledger",
    params(OfEntry),
    responses(
        (status = 200, body = Proof),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    Segments(of): Segments<OfEntry>,
) -> Answer<Json<Proof>> {
    let prove = move |app: &App| {
        let reader = app.parts.catalog.reader()?;
        let row = visible(&reader, &who, of.seq)?;
        let (epoch, path) = reader.inclusion(of.seq)?;
        Ok(Proof {
            line: row.entry.line()?,
            index: of.seq - epoch.first_seq,
            path: path.iter().map(Digest::to_string).collect(),
            checkpoint: checkpoint(app, epoch)?.1,
        })
    };
    app.blocking(prove).await.map(Json)
}

/// The checkpoint in force.
#[utoipa::path(
    get,
    path = "/api/v1/ledger/checkpoint",
    tag = "ledger",
    responses(
        (status = 200, body = CheckpointLine),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn current(
    State(app): State<Arc<App>>,
    May(_): May<acts::Records>,
) -> Answer<Json<CheckpointLine>> {
    app.blocking(|app| checkpoint(app, app.parts.catalog.reader()?.epoch()?))
        .await
        .map(|(_, line)| Json(line))
}

fn event(who: &Authorised<acts::Records>, at: Wall, action: &str, of: &Checkpoint) -> Event {
    let facts = json!({ "epoch": of.epoch, "size": of.size, "root": of.root.to_string() });
    Event {
        actor: who.actor(),
        detail: Some(json!({ "name": who.name(), "address": who.address() })),
        ..Event::of_box(at, action, "ledger", facts)
    }
}

/// An anchor is not for those who see only their own acts.
fn whole_ledger(who: &Authorised<acts::Records>) -> Result<(), Refusal> {
    if who.own_acts_only() {
        return Err(Why::WrongRole.into());
    }
    Ok(())
}

/// Takes a checkpoint away, to be kept where nobody who can reach this box can change it. The ledger notes it.
#[utoipa::path(
    post,
    path = "/api/v1/ledger/anchors",
    tag = "ledger",
    responses(
        (status = 201, body = CheckpointLine),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn take(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
) -> Answer<Response> {
    whole_ledger(&who)?;
    let taken = app.blocking(move |app| {
        let (checkpoint, line) = checkpoint(app, app.parts.catalog.reader()?.epoch()?)?;
        let event = event(&who, app.now(), "anchor-taken", &checkpoint);
        app.parts.catalog.note(event)?;
        Ok(line)
    });
    Ok((StatusCode::CREATED, Json(taken.await?)).into_response())
}

/// A checkpoint that comes back.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// The signed note.
    #[schema(max_length = 4096)]
    note: String,
}

/// Whether the ledger goes on from it.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Continuity {
    /// True: all that was in the ledger then is in it now, unchanged.
    consistent: bool,
    /// Entries under the anchor.
    anchored: u64,
    /// Entries under the present checkpoint of the same epoch, when it is consistent.
    #[schema(nullable)]
    size: Option<u64>,
    /// The hashes that prove it (RFC 6962, 2.1.2).
    path: Vec<String>,
    /// Why it is not.
    #[schema(nullable)]
    why: Option<String>,
}

/// Gives an anchor back: the box must prove that nothing before it was changed. The ledger notes how it went.
#[utoipa::path(
    post,
    path = "/api/v1/ledger/anchors/return",
    tag = "ledger",
    request_body = Returned,
    responses(
        (status = 200, body = Continuity),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn give_back(
    State(app): State<Arc<App>>,
    May(who): May<acts::Records>,
    given: Result<Body<Returned>, Refusal>,
) -> Answer<Json<Continuity>> {
    whole_ledger(&who)?;
    let Body(given) = given?;
    let unreadable = |e: Error| Refusal::field("/note", e.to_string());
    if given.note.len() > NOTE_BYTES_MAX {
        return Err(Refusal::field("/note", "it is too long"));
    }
    let anchor = Checkpoint::open(&given.note, app.parts.ledger_key).map_err(unreadable)?;
    let answer = app.blocking(move |app| {
        let proof = app
            .parts
            .catalog
            .reader()?
            .consistency(app.parts.box_id, &anchor);
        let mut event = event(&who, app.now(), "anchor-returned", &anchor);
        if proof.is_err() {
            "failed".clone_into(&mut event.result);
        }
        app.parts.catalog.note(event)?;
        Ok(match proof {
            Ok((epoch, path)) => Continuity {
                consistent: true,
                anchored: anchor.size,
                size: Some(epoch.size),
                path: path.iter().map(Digest::to_string).collect(),
                why: None,
            },
            Err(e) => Continuity {
                consistent: false,
                anchored: anchor.size,
                size: None,
                path: Vec::new(),
                why: Some(e.to_string()),
            },
        })
    });
    answer.await.map(Json)
}
