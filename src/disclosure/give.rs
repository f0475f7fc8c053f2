//! Giving a package, and stopping one: what both the pages and the command line ask before, and note of it.
//!
//! What does not belong here: how the bytes go out, how they are opened.

use serde_json::{Value, json};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::DisclosureId;
use crate::base::time::Wall;
use crate::catalog::{DisclosureRow, Event, FileRow, Reader};
use crate::disclosure::act::{By, Desk, reaches};
use crate::disclosure::packages::Packages;
use crate::vault::parcel;
use crate::vault::slot::WrappedKey;

impl Desk<'_> {
    /// The disclosure, for somebody whose right reaches each of its cameras; to everybody else it is not there.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn in_reach(
        &self,
        reader: &Reader,
        by: &By,
        disclosure: DisclosureId,
    ) -> Result<DisclosureRow> {
        let row = reader.disclosure(disclosure)?;
        row.filter(|row| row.asked.is_some() && reaches(by, row))
            .ok_or_else(|| Error::new(Kind::NotFound, "there is no such disclosure"))
    }

    /// The parts of its package that may be given now: the gate of giving is that of making. Prepared and not handed over yet, and
    /// approved by those who still may.
    ///
    /// # Errors
    /// As [`Desk::permit_by`]; [`Kind::NotFound`] when it has none that is whole.
    pub fn parts(
        &self,
        reader: &Reader,
        by: &By,
        disclosure: DisclosureId,
    ) -> Result<(DisclosureRow, Vec<FileRow>)> {
        let row = self.in_reach(reader, by, disclosure)?;
        self.permit_by(by, row.disclosure)?;
        let job = reader.last_made(row.disclosure)?;
        let mut files = reader.package_files(row.disclosure)?;
        files.retain(|file| job.as_ref().is_some_and(|job| job.job == file.job));
        if files.is_empty() {
            let text = "it has no package that is whole; prepare one first";
            return Err(Error::new(Kind::NotFound, text));
        }
        files.sort_by_key(|file| file.part);
        Ok((row, files))
    }

    /// Stops the making of its package. The ledger says who did.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when none is being made, or it is not in the person's reach.
    pub fn cancel(
        &self,
        reader: &Reader,
        by: &By,
        disclosure: DisclosureId,
        packages: Option<&dyn Packages>,
    ) -> Result<DisclosureRow> {
        let row = self.in_reach(reader, by, disclosure)?;
        if !packages.is_some_and(|packages| packages.cancel(row.disclosure)) {
            let text = "no package is being made for it";
            return Err(Error::new(Kind::NotFound, text));
        }
        let event = Event {
            actor: by.person.clone(),
            detail: Some(by.detail.clone()),
            ..Event::of_box(
                self.now,
                "package-cancelled",
                format!("disclosure {}", row.disclosure),
                json!({}),
            )
        };
        self.catalog.commit(Vec::new(), event)?;
        Ok(row)
    }
}

/// The entry of a download, before the first byte and after the last.
pub fn downloaded(by: &By, file: &FileRow, facts: Value, now: Wall) -> Event {
    Event {
        actor: by.person.clone(),
        detail: Some(by.detail.clone()),
        ..Event::of_box(
            now,
            "package-downloaded",
            format!("disclosure {}", file.disclosure),
            facts,
        )
    }
}

/// What stands in the entry before the first byte of a part, given from byte `from` until before `to`.
pub fn intent(file: &FileRow, (from, to): (u64, u64)) -> Value {
    json!({ "part": file.part, "sha256": file.sha256.to_string(), "from": from, "to": to })
}

/// The wrapped key of a sealed part.
///
/// # Errors
/// [`Kind::NotFound`] when the copy was wiped.
pub fn key(file: &FileRow) -> Result<WrappedKey> {
    let slot = file.key.as_ref().ok_or_else(|| {
        let text = "the box's own copy was wiped; prepare the package anew";
        Error::new(Kind::NotFound, text)
    })?;
    parcel::wrapped(slot)
}
