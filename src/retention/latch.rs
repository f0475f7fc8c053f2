//! The latch on deletion: nothing is deleted while the catalog may not be the one that wrote the footage.
//!
//! Each volume bears a mark of the catalog under which it was written. A new catalog (the old one is lost) and an older
//! one (restored from a backup) are told by it, before recovery writes rows.

use serde_json::Value;

use crate::base::error::{Kind, Result};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event, Meta, Reader};
use crate::store::mark::{self, Mark};
use crate::store::volume::Volume;

/// What the reason begins with after a restore: then a controller has to look, and nobody else can confirm.
pub const RESTORED: &str = "the catalog was restored from the backup of";

/// What speaks against deleting on `volume` under this catalog; `None` when nothing does. Reads names of files only
/// when the volume has no mark.
///
/// # Errors
/// When volume or catalog cannot be read.
pub fn doubt(reader: &Reader, volume: &Volume) -> Result<Option<String>> {
    let meta = reader.meta()?;
    let name = &volume.name;
    let mark = match mark::read(volume) {
        Err(e) if e.kind() == Kind::Corrupt => {
            return Ok(Some(format!(
                "the mark on volume \"{name}\" is damaged: {e}"
            )));
        }
        other => other?,
    };
    let Some(mark) = mark else {
        let is_known = !reader.all_segments(volume.id, None, 1)?.rows.is_empty();
        let holds = !is_known && !volume.files(|name| name.ends_with(".mp4"))?.is_empty();
        return Ok(holds.then(|| {
            format!("volume \"{name}\" holds footage of which the catalog knows nothing: the catalog is new or lost")
        }));
    };
    Ok(against(&meta, &mark).map(|why| format!("volume \"{name}\" {why}")))
}

fn against(meta: &Meta, mark: &Mark) -> Option<&'static str> {
    if mark.catalog_us != meta.created.us() {
        return Some("was written under another catalog: that one is lost, or was replaced");
    }
    (mark.segments_ever > meta.segments_ever)
        .then_some("holds newer footage than the catalog knows: the catalog is an older copy")
}

/// Looks at a volume before recovery does, and latches deletion when its footage was not written under this catalog.
///
/// # Errors
/// When volume or catalog cannot be read, or the catalog not be written.
pub fn look(catalog: &Catalog, volume: &Volume, now: Wall) -> Result<()> {
    let reader = catalog.reader()?;
    if reader.meta()?.latch.is_some() {
        return Ok(());
    }
    match doubt(&reader, volume)? {
        Some(reason) => set(catalog, reason, now),
        None => Ok(()),
    }
}

/// Latches deletion.
///
/// # Errors
/// When the catalog cannot be written.
pub fn set(catalog: &Catalog, reason: String, now: Wall) -> Result<()> {
    log::error!("nothing will be deleted: {reason}; look at it, then: sinetti retention confirm");
    let event = Event {
        detail: Some(serde_json::json!({ "text": reason })),
        ..Event::of_box(now, "deletion-latched", "retention", serde_json::json!({}))
    };
    catalog.commit(Change::DeletionLatched { reason }, event)
}

/// Who has looked.
#[derive(Debug)]
pub struct Confirmer {
    /// A person's id; `None`: somebody at the console.
    pub actor: Option<String>,
    /// What shows who it was, used up with the confirmation.
    pub used: Vec<Change>,
    /// Who, for the details.
    pub detail: Value,
}

/// Somebody has looked: deletion goes on, and the volumes that are there count as written under this catalog.
///
/// # Errors
/// When the catalog cannot be written, or a volume's mark; a volume without it latches deletion again.
pub fn confirm(catalog: &Catalog, volumes: &[Volume], now: Wall, by: Confirmer) -> Result<()> {
    let reader = catalog.reader()?;
    let reason = reader.meta()?.latch;
    let facts = serde_json::json!({ "was_latched": reason.is_some() });
    let mut event = Event {
        detail: Some(serde_json::json!({ "by": by.detail, "reason": reason })),
        ..Event::of_box(now, "retention-confirmed", "retention", facts)
    };
    event.actor = by.actor.unwrap_or(event.actor);
    let mut changes = by.used;
    changes.push(Change::DeletionUnlatched);
    catalog.commit(changes, event)?;
    volumes
        .iter()
        .try_for_each(|volume| leave_mark(&reader, volume, now))
}

/// Leaves the catalog's mark on a volume, unless deletion is latched: then the old one is the proof.
///
/// # Errors
/// When the catalog cannot be read or the volume not be written.
pub fn leave_mark(reader: &Reader, volume: &Volume, now: Wall) -> Result<()> {
    let meta = reader.meta()?;
    if meta.latch.is_some() {
        return Ok(());
    }
    let new = Mark {
        catalog_us: meta.created.us(),
        segments_ever: meta.segments_ever,
        at: now,
    };
    let old = mark::read(volume).ok().flatten();
    if old.is_some_and(|old| {
        (old.catalog_us, old.segments_ever) == (new.catalog_us, new.segments_ever)
    }) {
        return Ok(());
    }
    mark::write(volume, &new)
}
