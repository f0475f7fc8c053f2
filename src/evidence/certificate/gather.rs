//! Takes a certificate from the catalog.

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, CameraId};
use crate::base::time::{Span, Wall};
use crate::catalog::{EntryFilter, EpochRow, Reader};
use crate::evidence::certificate::{
    Certificate, ENTRIES_MAX, EntryLine, EpochPart, FORMAT, KIND, Kept,
};
use crate::ledger::checkpoint::{Checkpoint, Key};

const PAGE: u32 = 1000;

/// What is asked for.
pub struct Asked<'a> {
    /// This box.
    pub box_id: BoxId,
    /// Its ledger key's public half.
    pub key: Key,
    /// Name of the site.
    pub site: &'a str,
    /// Its time zone.
    pub zone: &'a str,
    /// The period.
    pub period: Span,
    /// Of these cameras; empty: all.
    pub cameras: &'a [CameraId],
    /// Now.
    pub now: Wall,
    /// Bytes of all lines: one of the bounds of this module.
    pub lines_bytes_max: usize,
}

/// The certificate of a period.
///
/// # Errors
/// `Invalid` for an empty period or one that is not over; `NotFound` when nothing is signed yet; `Full` for more than
/// [`ENTRIES_MAX`] entries; what the catalog says.
pub fn gather(reader: &Reader, asked: &Asked<'_>) -> Result<Certificate> {
    let Span { start, end } = asked.period;
    if start >= end {
        return Err(Error::invalid("the period ends before it begins"));
    }
    if end > asked.now {
        return Err(Error::invalid(
            "the period is not over; a certificate is of the past",
        ));
    }
    let _snapshot = reader.snapshot()?;
    let mut gathering = Gathering {
        reader,
        asked,
        entries: 0,
        bytes: 0,
    };
    let mut epochs = Vec::new();
    for epoch in reader.epochs()? {
        epochs.extend(gathering.epoch(&epoch)?);
    }
    let known: Vec<CameraId> = reader
        .streams()?
        .into_iter()
        .map(|row| row.stream.camera)
        .collect();
    if let Some(unknown) = asked.cameras.iter().find(|camera| !known.contains(camera)) {
        return Err(Error::new(
            Kind::NotFound,
            format!("{unknown} was never recorded"),
        ));
    }
    Ok(Certificate {
        format: FORMAT,
        kind: KIND.to_owned(),
        box_id: asked.box_id,
        site: asked.site.to_owned(),
        zone: asked.zone.to_owned(),
        made: asked.now,
        from: start,
        to: end,
        cameras: (!asked.cameras.is_empty())
            .then(|| asked.cameras.iter().map(ToString::to_string).collect()),
        kept: kept(reader, asked)?,
        holds: reader.holds_that_keep(asked.now)?.len() as u64,
        epochs,
    })
}

fn kept(reader: &Reader, asked: &Asked<'_>) -> Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for row in reader.streams()? {
        if !asked.cameras.is_empty() && !asked.cameras.contains(&row.stream.camera) {
            continue;
        }
        kept.push(Kept {
            stream: row.stream.to_string(),
            keep_s: row.keep_s,
            overdue: reader.overdue(&row, asked.now)?.unwrap_or_default(),
        });
    }
    Ok(kept)
}

struct Gathering<'a> {
    reader: &'a Reader,
    asked: &'a Asked<'a>,
    entries: usize,
    bytes: usize,
}

impl Gathering<'_> {
    /// What an epoch has; none when that is nothing.
    fn epoch(&mut self, epoch: &EpochRow) -> Result<Option<EpochPart>> {
        let Some(note) = &epoch.note else {
            return Ok(None);
        };
        let checkpoint = Checkpoint::open(note, self.asked.key)?;
        let mut lines = Vec::new();
        for action in ["sweep", "over-age"] {
            self.action(epoch, checkpoint.size, action, &mut lines)?;
        }
        if lines.is_empty() {
            return Ok(None);
        }
        lines.sort_by_key(|line| line.index);
        let indexes: Vec<u64> = lines.iter().map(|line| line.index).collect();
        Ok(Some(EpochPart {
            checkpoint: note.clone(),
            hashes: self.reader.inclusion_of_several(epoch, &indexes)?,
            entries: lines,
        }))
    }

    /// Sweeps of the period; scans of the period and since.
    fn action(
        &mut self,
        epoch: &EpochRow,
        size: u64,
        action: &str,
        lines: &mut Vec<EntryLine>,
    ) -> Result<()> {
        let until = match action {
            "sweep" => Some(self.asked.period.end),
            _ => None,
        };
        let mut after = epoch.first_seq - 1;
        loop {
            let filter = EntryFilter {
                from: Some(self.asked.period.start),
                until,
                action: Some(action.to_owned()),
                after_seq: Some(after),
                ..EntryFilter::default()
            };
            let rows = self.reader.entries(&filter, PAGE)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.entry.seq;
            for row in rows {
                let entry = row.entry;
                let index = entry.seq - epoch.first_seq;
                // Of later epochs, or not signed yet: within a second it will be.
                if entry.epoch != epoch.number || index >= size {
                    continue;
                }
                let line = entry.line()?;
                (self.entries, self.bytes) = (self.entries + 1, self.bytes + line.len());
                if self.entries > ENTRIES_MAX || self.bytes > self.asked.lines_bytes_max {
                    return Err(Error::new(
                        Kind::Full,
                        "so many sweeps do not go into one certificate; ask for a shorter period, or at the console: sinetti retention certificate",
                    ));
                }
                lines.push(EntryLine { index, line });
            }
        }
    }
}
