//! A ledger that is put together again from its mirror on a volume, as far as it was signed.

use std::path::Path;

use crate::base::error::{Error, Result};
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::catalog::{EpochRow, Rebuild};
use crate::evidence::tree_check::{self, TreeDir};
use crate::ledger::audit::Log;
use crate::ledger::checkpoint::{Checkpoint, Key};
use crate::ledger::entry::Entry;

/// Makes the catalog `new` with the ledger that lies in `dir`; the number of entries.
///
/// # Errors
/// `Corrupt` when it is not whole: then it is evidence of something, and nothing to go on from. What the operating system
/// or the catalog says.
pub fn take(new: &Path, box_id: BoxId, dir: &Path, key: Key, now: Wall) -> Result<u64> {
    let checked = tree_check::check(dir, key, &[])?;
    let wrong = checked
        .epochs
        .iter()
        .flat_map(|(_, report)| &report.findings)
        .chain(&checked.findings)
        .next();
    if let Some(finding) = wrong {
        return Err(Error::corrupt(format!(
            "the ledger in {} is not whole: {}: {}",
            dir.display(),
            finding.place,
            finding.text
        )));
    }
    let rebuild = Rebuild::begin(new, box_id, now)?;
    let (mut epochs, mut count) = (Vec::new(), 0);
    for (number, dir) in tree_check::epoch_dirs(dir, key)? {
        let log = TreeDir::open(&dir, key)?;
        let note = log
            .note()
            .ok_or_else(|| Error::corrupt("a log without a checkpoint"))?;
        let checkpoint = Checkpoint::open(&note, key)?;
        if checkpoint.box_id != box_id {
            return Err(Error::corrupt("the ledger is another box's"));
        }
        let mut row = EpochRow {
            number,
            first_seq: log.first_seq(),
            started: now,
            size: checkpoint.size,
            root: Some(checkpoint.root),
            note: Some(note),
        };
        let mut index = 0;
        loop {
            let page = log.records(index, 256)?;
            if page.is_empty() {
                break;
            }
            for record in page {
                let entry = Entry::parse(&record.map_err(Error::corrupt)?.line)?;
                if index == 0 {
                    row.started = entry.at;
                    rebuild.epoch(&row)?;
                }
                rebuild.entry(&entry)?;
                index += 1;
            }
        }
        count += index;
        epochs.push(row);
    }
    rebuild.finish(&epochs)?;
    Ok(count)
}
