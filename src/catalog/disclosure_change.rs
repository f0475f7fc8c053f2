//! What can happen to a disclosure, written. A step that its state does not allow is refused here too, whoever asks for it, and
//! nobody approves what they asked for.
//!
//! What does not belong here: who may do it, and what the fields have to say (`disclosure`, layer 5).

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::DisclosureId;
use crate::base::time::Wall;
use crate::catalog::column::{Columns, int};
use crate::catalog::disclosure::{
    Asked, DisclosureKind, DisclosureRow, DisclosureState, DisclosureStep, Serial,
};
use crate::catalog::disclosure_scan::{self, NewScan};
use crate::catalog::event;
use crate::ledger::canonical;

/// The action of the entry of a restore; the last numbers that it skipped stand in its facts.
pub const RESTORED: &str = "restored";
/// The fact of that entry with the last number of each year.
pub const SKIPPED: &str = "serials_skipped";
/// The action of the entry with which a disclosure gets its serial number, which stands in its facts.
pub const REQUESTED: &str = "disclosure-requested";

/// Something about a disclosure. Each but [`DisclosureChange::Saved`] goes with its entry in the ledger, whose number stands in
/// the step; that of [`What::Prepare`] is older, since the package holds the proof of it.
#[derive(Clone, Debug)]
pub enum DisclosureChange {
    /// A draft is begun. `Exists` when the number is taken.
    Drafted(Box<DisclosureRow>),
    /// A draft is saved. `Exists` when it was saved since `version`, `NotFound` when it is no draft.
    Saved {
        /// Which.
        disclosure: DisclosureId,
        /// As it was read.
        version: u32,
        /// What it is now.
        kind: DisclosureKind,
        /// Its fields.
        form: Value,
        /// When.
        at: Wall,
    },
    /// A draft is thrown away. `NotFound` when it is none.
    Discarded {
        /// Which.
        disclosure: DisclosureId,
    },
    /// The written request is put beside it, in the place of the one that lay there. `Exists` when somebody has decided already.
    Scanned(Box<NewScan>),
    /// That goes. `NotFound` when there is none, `Exists` when somebody has decided already.
    Unscanned {
        /// Which.
        disclosure: DisclosureId,
        /// When.
        at: Wall,
    },
    /// It is asked for. `Busy` when another took the serial number meanwhile.
    Requested(Box<NewRequest>),
    /// Something was done with it.
    Stepped(Box<Stepped>),
    /// After a restore: this number and each before it may have been given already, and is not given any more.
    NumbersSkipped {
        /// The last one.
        until: Serial,
    },
    /// An auditor looked at it.
    Reviewed {
        /// Which.
        disclosure: DisclosureId,
        /// When.
        at: Wall,
        /// Who.
        by: String,
        /// What they say.
        remark: Option<String>,
    },
}

/// A draft that becomes a request.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Which.
    pub disclosure: DisclosureId,
    /// As it was read.
    pub version: u32,
    /// Its fields as they stand from now on.
    pub form: Value,
    /// True when those whom it is about are not told for now.
    pub secret: bool,
    /// What it has from now on.
    pub asked: Asked,
    /// Who.
    pub by: String,
    /// In words.
    pub detail: Value,
}

/// A step of a disclosure that was asked for.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// Which.
    pub disclosure: DisclosureId,
    /// When.
    pub at: Wall,
    /// Who: a person's id, or `box`.
    pub by: String,
    /// Why, to whom, how: in words.
    pub detail: Value,
    /// What.
    pub what: What,
}

/// What is done.
#[derive(Clone, Debug)]
pub enum What {
    /// A person approves.
    Approve {
        /// With that, enough have.
        enough: bool,
        /// The catalogue's texts at this moment.
        frozen: Value,
    },
    /// A person refuses.
    Refuse {
        /// The catalogue's texts at this moment.
        frozen: Value,
    },
    /// It is taken back.
    Withdraw,
    /// Its package is whole.
    Prepare {
        /// SHA-256 of the manifest.
        manifest: Digest,
        /// Number of the entry with that hash. It is older than this step: the package proves it.
        entry: u64,
    },
    /// It is handed over, shown or told.
    HandOver {
        /// When that was, which is not when it is noted.
        handed: Wall,
        /// The house's own copies are destroyed by then; `None`: there is no file.
        copies_until: Option<Wall>,
    },
    /// The receipt is confirmed.
    Receive,
    /// The house's own copies are destroyed.
    Destroy,
}

impl What {
    /// The step that it is.
    pub const fn step(&self) -> DisclosureStep {
        match self {
            Self::Approve { .. } => DisclosureStep::Approved,
            Self::Refuse { .. } => DisclosureStep::Refused,
            Self::Withdraw => DisclosureStep::Withdrawn,
            Self::Prepare { .. } => DisclosureStep::Prepared,
            Self::HandOver { .. } => DisclosureStep::HandedOver,
            Self::Receive => DisclosureStep::Received,
            Self::Destroy => DisclosureStep::Destroyed,
        }
    }

    /// The state to which it leads.
    const fn next(&self) -> DisclosureState {
        match self {
            Self::Approve { .. } => DisclosureState::Approved,
            Self::Refuse { .. } => DisclosureState::Refused,
            Self::Withdraw => DisclosureState::Withdrawn,
            Self::Prepare { .. } => DisclosureState::Prepared,
            Self::HandOver { .. } => DisclosureState::HandedOver,
            Self::Receive => DisclosureState::Received,
            Self::Destroy => DisclosureState::Destroyed,
        }
    }
}

/// Writes one change inside the caller's transaction.
pub(super) fn apply(db: &Connection, change: &DisclosureChange) -> Result<()> {
    match change {
        DisclosureChange::Drafted(row) => {
            draft(db, row).context(|| "beginning a draft of a disclosure")
        }
        DisclosureChange::Saved {
            disclosure,
            version,
            kind,
            form,
            at,
        } => save(db, (*disclosure, *version), *kind, form, *at)
            .context(|| "saving a draft of a disclosure"),
        DisclosureChange::Discarded { disclosure } => discard(db, *disclosure),
        DisclosureChange::Scanned(new) => disclosure_scan::put(db, new),
        DisclosureChange::Unscanned { disclosure, at } => {
            disclosure_scan::remove(db, *disclosure, *at)
        }
        DisclosureChange::Requested(new) => {
            request(db, new).context(|| format!("asking for disclosure {}", new.asked.serial))
        }
        DisclosureChange::Stepped(stepped) => step(db, stepped)
            .context(|| format!("noting that a disclosure is {}", stepped.what.step())),
        DisclosureChange::NumbersSkipped { until } => {
            given(db, until.year, until.number).context(|| "skipping serial numbers of disclosures")
        }
        DisclosureChange::Reviewed {
            disclosure,
            at,
            by,
            remark,
        } => review(db, *disclosure, *at, (by, remark.as_deref())),
    }
}

fn draft(db: &Connection, row: &DisclosureRow) -> Result<()> {
    db.prepare_cached(
        "insert into disclosure (id, kind, state, version, form, secret, asked_by, drafted_us, changed_us)
         values (?, ?, 'draft', 1, ?, 0, ?, ?, ?)",
    )?
    .execute(params![
        row.disclosure,
        row.kind,
        canonical(&row.form)?,
        row.asked_by,
        row.drafted,
        row.drafted
    ])?;
    let one = (row.disclosure, row.drafted, row.asked_by.as_str());
    note(db, one, DisclosureStep::Drafted, &Value::Null)
}

fn save(
    db: &Connection,
    (disclosure, version): (DisclosureId, u32),
    kind: DisclosureKind,
    form: &Value,
    at: Wall,
) -> Result<()> {
    check_draft(db, disclosure, version)?;
    db.prepare_cached(
        "update disclosure set kind = ?2, form = ?3, version = version + 1, changed_us = ?4 where id = ?1",
    )?
    .execute(params![disclosure, kind, canonical(form)?, at])?;
    Ok(())
}

fn check_draft(db: &Connection, disclosure: DisclosureId, version: u32) -> Result<()> {
    let found: Option<(DisclosureState, u32)> = db
        .prepare_cached("select state, version from disclosure where id = ?")?
        .query_row([disclosure], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((DisclosureState::Draft, found)) if found == version => Ok(()),
        Some((DisclosureState::Draft, _)) => {
            let text = "it was saved elsewhere meanwhile; read it anew";
            Err(Error::new(Kind::Exists, text))
        }
        Some((state, _)) => {
            let text = format!("it is {state} and no draft any more");
            Err(Error::new(Kind::Exists, text))
        }
        None => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::new(Kind::NotFound, "there is no such disclosure")
}

fn discard(db: &Connection, disclosure: DisclosureId) -> Result<()> {
    let is_draft: bool = db
        .prepare_cached(
            "select exists (select 1 from disclosure where id = ? and state = 'draft')",
        )?
        .query_row([disclosure], |row| row.get(0))?;
    if !is_draft {
        return Err(unknown());
    }
    for sql in [
        "delete from disclosure_scan where disclosure = ?",
        "delete from disclosure_step where disclosure = ?",
        "delete from disclosure where id = ?",
    ] {
        db.prepare_cached(sql)?.execute([disclosure])?;
    }
    Ok(())
}

fn request(db: &Connection, new: &NewRequest) -> Result<()> {
    check_draft(db, new.disclosure, new.version)?;
    let asked = &new.asked;
    take_serial(db, asked)?;
    db.prepare_cached(
        "update disclosure set state = 'requested', form = ?2, secret = ?3, year = ?4, number = ?5, requested_us = ?6,
             changed_us = ?6, due_us = ?7, hold = ?8, basis = ?9, purpose = ?10, recipient = ?11, approvers = ?12
         where id = ?1",
    )?
    .execute(params![
        new.disclosure,
        canonical(&new.form)?,
        new.secret,
        asked.serial.year,
        asked.serial.number,
        asked.at,
        asked.due,
        asked.hold,
        asked.basis,
        asked.purpose,
        asked.recipient,
        asked.approvers,
    ])?;
    let mut statement = db.prepare_cached(
        "insert into disclosure_camera (disclosure, camera, name, asked_start_us, asked_end_us, given_start_us,
             given_end_us, gaps)
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for camera in &asked.cameras {
        let gaps = serde_json::to_string(&camera.gaps)
            .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
        statement.execute(params![
            new.disclosure,
            camera.camera,
            camera.name,
            camera.asked.start,
            camera.asked.end,
            camera.given.start,
            camera.given.end,
            gaps,
        ])?;
    }
    let one = (new.disclosure, asked.at, new.by.as_str());
    note(db, one, DisclosureStep::Requested, &new.detail)
}

/// That the number is the next of its year, and that it was given.
fn take_serial(db: &Connection, asked: &Asked) -> Result<()> {
    let (year, number) = (asked.serial.year, asked.serial.number);
    let last: Option<u32> = db
        .prepare_cached("select last from disclosure_serial where year = ?")?
        .query_row([year], |row| row.get(0))
        .optional()?;
    if number != last.unwrap_or(0) + 1 {
        let text = "another disclosure took the serial number meanwhile";
        return Err(Error::new(Kind::Busy, text));
    }
    given(db, year, number)
}

/// Notes that the number, and so each before it, was given.
pub(super) fn given(db: &Connection, year: u16, number: u32) -> Result<()> {
    db.prepare_cached(
        "insert into disclosure_serial (year, last) values (?1, ?2)
         on conflict (year) do update set last = max(last, excluded.last)",
    )?
    .execute(params![year, number])?;
    Ok(())
}

/// A row as far as a step needs it.
struct Before {
    kind: DisclosureKind,
    state: DisclosureState,
    asked_by: String,
    approvers: u8,
}

fn before(db: &Connection, disclosure: DisclosureId) -> Result<Before> {
    let found = db
        .prepare_cached(
            "select kind, state, asked_by, coalesce(approvers, 1) from disclosure where id = ?",
        )?
        .query_row([disclosure], |row| {
            let mut columns = Columns::of(row);
            Ok(Before {
                kind: columns.get()?,
                state: columns.get()?,
                asked_by: columns.get()?,
                approvers: columns.get()?,
            })
        })
        .optional()?;
    found.ok_or_else(unknown)
}

fn step(db: &Connection, stepped: &Stepped) -> Result<()> {
    let before = before(db, stepped.disclosure)?;
    let next = match &stepped.what {
        What::Approve { enough, .. } => approve(db, stepped, &before, *enough)?,
        what => what.next(),
    };
    // Also from approved to approved: when a former approver is not one any more.
    let stays = before.state == next && matches!(stepped.what, What::Approve { .. });
    if !stays && !before.state.leads_to(next, before.kind) {
        let text = format!("it is {}, and cannot become {next}", before.state);
        return Err(Error::new(Kind::Exists, text));
    }
    if matches!(stepped.what, What::Destroy) && has_files(db, stepped.disclosure)? {
        let text = "the box itself still has parts of its package; they are wiped first";
        return Err(Error::new(Kind::Exists, text));
    }
    write(db, stepped, next)?;
    let one = (stepped.disclosure, stepped.at, stepped.by.as_str());
    let entry = match stepped.what {
        What::Prepare { entry, .. } => entry,
        _ => event::next(db)?.1,
    };
    note_with(db, one, (stepped.what.step(), entry), &stepped.detail)
}

/// That the person did not ask for it and has not approved it yet, and that `enough` have when that is said; the next state.
fn approve(
    db: &Connection,
    stepped: &Stepped,
    before: &Before,
    enough: bool,
) -> Result<DisclosureState> {
    if before.asked_by == stepped.by {
        let text = "nobody approves what they asked for themselves";
        return Err(Error::new(Kind::Denied, text));
    }
    if !matches!(
        before.state,
        DisclosureState::Requested | DisclosureState::Approved
    ) {
        let text = format!("it is {}, and cannot be approved", before.state);
        return Err(Error::new(Kind::Exists, text));
    }
    let (others, own): (u8, bool) = db
        .prepare_cached(
            "select count(distinct person) filter (where person <> ?2), coalesce(max(person = ?2), 0)
             from disclosure_step where disclosure = ?1 and step = 'approved'",
        )?
        .query_row(params![stepped.disclosure, stepped.by], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if own {
        let text = "the same person approved it already; another one has to";
        return Err(Error::new(Kind::Exists, text));
    }
    if enough && others + 1 < before.approvers {
        let text = "too few persons have approved it";
        return Err(Error::new(Kind::Internal, text));
    }
    Ok(if enough {
        DisclosureState::Approved
    } else {
        before.state
    })
}

fn has_files(db: &Connection, disclosure: DisclosureId) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "select exists (select 1 from disclosure_file where disclosure = ? and wiped_us is null)",
        )?
        .query_row([disclosure], |row| row.get(0))?)
}

/// The row's own columns.
fn write(db: &Connection, stepped: &Stepped, next: DisclosureState) -> Result<()> {
    let (id, at) = (stepped.disclosure, stepped.at);
    db.prepare_cached("update disclosure set state = ?2, changed_us = ?3, decided_us = coalesce(decided_us, ?4),
             frozen = case when decided_us is null then coalesce(?5, frozen) else frozen end, prepared_us = coalesce(?6, prepared_us), manifest = coalesce(?7, manifest),
             handed_us = coalesce(?8, handed_us), copies_us = coalesce(?9, copies_us), received_us = coalesce(?10, received_us),
             destroyed_us = ?11
         where id = ?1")?
        .execute(params![
            id,
            next,
            at,
            matches!(stepped.what, What::Approve { enough: true, .. } | What::Refuse { .. }).then_some(at),
            match &stepped.what {
                What::Approve { frozen, .. } | What::Refuse { frozen } => Some(canonical(frozen)?),
                _ => None,
            },
            matches!(stepped.what, What::Prepare { .. }).then_some(at),
            match &stepped.what {
                What::Prepare { manifest, .. } => Some(*manifest),
                _ => None,
            },
            match &stepped.what {
                What::HandOver { handed, .. } => Some(*handed),
                _ => None,
            },
            match &stepped.what {
                What::HandOver { copies_until, .. } => *copies_until,
                _ => None,
            },
            matches!(stepped.what, What::Receive).then_some(at),
            matches!(stepped.what, What::Destroy).then_some(at),
        ])?;
    Ok(())
}

/// A step with the number of the entry that this transaction writes for it.
fn note(
    db: &Connection,
    (disclosure, at, by): (DisclosureId, Wall, &str),
    step: DisclosureStep,
    detail: &Value,
) -> Result<()> {
    let (_, entry) = event::next(db)?;
    note_with(db, (disclosure, at, by), (step, entry), detail)
}

/// A step with the number of its entry.
fn note_with(
    db: &Connection,
    (disclosure, at, by): (DisclosureId, Wall, &str),
    (step, entry): (DisclosureStep, u64),
    detail: &Value,
) -> Result<()> {
    db.prepare_cached(
        "insert into disclosure_step (disclosure, number, at_us, person, step, entry, detail)
         values (?1, (select coalesce(max(number), 0) + 1 from disclosure_step where disclosure = ?1), ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![disclosure, at, by, step, int(entry), canonical(detail)?])?;
    Ok(())
}

fn review(
    db: &Connection,
    disclosure: DisclosureId,
    at: Wall,
    (by, remark): (&str, Option<&str>),
) -> Result<()> {
    let rows = db
        .prepare_cached(
            "insert into disclosure_review (disclosure, number, at_us, person, remark)
             select id, (select coalesce(max(number), 0) + 1 from disclosure_review where disclosure = ?1), ?2, ?3, ?4
             from disclosure where id = ?1 and state <> 'draft'",
        )?
        .execute(params![disclosure, at, by, remark])?;
    if rows == 1 { Ok(()) } else { Err(unknown()) }
}

/// Forgets those that are over, of which nothing has happened since `before`, and of whose package nothing is left; how many.
/// Their numbers are not given again.
pub(super) fn forget(db: &Connection, before: Wall) -> Result<u64> {
    let over = "select id from disclosure where changed_us < ?1
         and (state in ('refused', 'withdrawn', 'destroyed') or state = 'received' and kind in ('viewing', 'oral'))
         and not exists (select 1 from disclosure_file where disclosure = disclosure.id and wiped_us is null)
         and not exists (select 1 from disclosure_job where disclosure = disclosure.id and ended_us is null)";
    for table in [
        "disclosure_review",
        "disclosure_scan",
        "disclosure_file",
        "disclosure_job",
        "disclosure_step",
        "disclosure_camera",
    ] {
        db.execute(
            &format!("delete from {table} where disclosure in ({over})"),
            [before],
        )?;
    }
    let rows = db.execute(
        &format!("delete from disclosure where id in ({over})"),
        [before],
    )?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}
