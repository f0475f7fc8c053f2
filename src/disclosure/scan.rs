//! The written request that a disclosure answers, as somebody scanned it: who puts it beside the record, and who reads it.
//!
//! What does not belong here: sealing and opening it (HTTP, with a person's vault), its row (`catalog`).

use serde_json::{Value, json};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::DisclosureId;
use crate::catalog::{
    DisclosureChange, DisclosureRow, DisclosureState, Event, NewScan, Role, ScanKind, ScanRow,
};
use crate::disclosure::act::{By, Desk, reaches, unknown};

/// The largest scan, in bytes.
pub const SCAN_BYTES_MAX: usize = 10 << 20;

/// What the first bytes say that a file is; its name and what a browser says of it count for nothing. `None`: nothing that is kept.
pub fn kind_of(bytes: &[u8]) -> Option<ScanKind> {
    const BEGINNINGS: [(ScanKind, &[u8]); 3] = [
        (ScanKind::Pdf, b"%PDF-"),
        (ScanKind::Jpeg, b"\xff\xd8\xff"),
        (ScanKind::Png, b"\x89PNG\r\n\x1a\n"),
    ];
    let found = BEGINNINGS.iter().find(|(_, with)| bytes.starts_with(with));
    found.map(|(kind, _)| *kind)
}

impl Desk<'_> {
    /// The disclosure, for somebody who may put a scan beside it, or remove it: who asks, or a controller once it is asked for; and
    /// while nobody has decided.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for one that is not theirs; [`Kind::Denied`] when a camera is not; [`Kind::Exists`] when it is decided.
    pub fn may_scan(&self, by: &By, disclosure: DisclosureId) -> Result<DisclosureRow> {
        let (row, _) = self.find(&self.catalog.reader()?, disclosure)?;
        let is_own = row.asked_by == by.person;
        let is_draft = row.state == DisclosureState::Draft;
        if !is_own && (is_draft || by.role != Role::Controller) {
            return Err(unknown(disclosure));
        }
        if !reaches(by, &row) {
            let text = "it is of a camera that is not among one's own";
            return Err(Error::new(Kind::Denied, text));
        }
        if !is_draft && row.state != DisclosureState::Requested {
            let text = format!("it is {}: its scan stays as it is", row.state);
            return Err(Error::new(Kind::Exists, text));
        }
        Ok(row)
    }

    /// Puts a scan beside it, in the place of the one that lay there.
    ///
    /// # Errors
    /// As [`Desk::may_scan`].
    pub fn scan(&self, by: &By, new: NewScan) -> Result<()> {
        let row = self.may_scan(by, new.row.disclosure)?;
        let event = self.of_scan(by, &row, "scanned", &new.row);
        let change = DisclosureChange::Scanned(Box::new(new));
        self.catalog.commit(self.with(by, change), event)
    }

    /// Removes it, with its key.
    ///
    /// # Errors
    /// As [`Desk::may_scan`]; [`Kind::NotFound`] when there is none.
    pub fn unscan(&self, by: &By, disclosure: DisclosureId) -> Result<()> {
        let row = self.may_scan(by, disclosure)?;
        let none = || Error::new(Kind::NotFound, "there is no scan of its request");
        let there = self.catalog.reader()?.disclosure_scan(disclosure)?;
        let event = self.of_scan(by, &row, "scan-removed", &there.ok_or_else(none)?);
        let at = self.now;
        let change = DisclosureChange::Unscanned { disclosure, at };
        self.catalog.commit(self.with(by, change), event)
    }

    /// Notes that somebody reads it, before the first byte is given.
    ///
    /// # Errors
    /// What the catalog says; then it is not given.
    pub fn scan_read(&self, by: &By, row: &DisclosureRow, scan: &ScanRow) -> Result<()> {
        let event = self.of_scan(by, row, "scan-read", scan);
        self.catalog.note(event).map(drop)
    }

    fn of_scan(&self, by: &By, row: &DisclosureRow, action: &str, scan: &ScanRow) -> Event {
        let mut event = self.event(by, row, action, &Value::Null);
        event.facts["scan"] = json!({
            "kind": scan.kind,
            "bytes": scan.bytes,
            "sha256": scan.sha256.to_string(),
        });
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_its_first_bytes_say() {
        for (bytes, kind) in [
            (&b"%PDF-1.7\n"[..], Some(ScanKind::Pdf)),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", Some(ScanKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(ScanKind::Png)),
            (b"", None),
            (b"%PD", None),
            (b"<html>%PDF-", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"GIF89a", None),
        ] {
            assert_eq!(kind_of(bytes), kind, "{bytes:?}");
        }
    }
}
