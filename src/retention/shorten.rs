//! Two persons confirm that footage is kept for a shorter time: one of them a controller.

use serde_json::json;

use crate::base::error::{Error, Kind, Result};
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event, Reader, RetentionChange, ShorteningRow};
use crate::retention::hold::By;
use crate::retention::policy::GRACE_US;

/// The shortening with this number.
///
/// # Errors
/// [`Kind::NotFound`] when there is none any more; what the catalog says.
pub fn find(reader: &Reader, number: u64) -> Result<ShorteningRow> {
    let rows = reader.shortenings()?.into_iter();
    rows.into_iter()
        .find(|row| row.number == number)
        .ok_or_else(|| {
            let text =
                format!("there is no shortening {number} any more; look anew: sinetti retention");
            Error::new(Kind::NotFound, text)
        })
}

/// A person confirms one; after the second it comes into force a day later. `is_controller` tells of a person's id.
///
/// # Errors
/// [`Kind::NotFound`] when it is another by now; [`Kind::Exists`] when the person did already; [`Kind::Denied`] when neither is a
/// controller, or a camera is not the person's.
pub fn confirm(
    catalog: &Catalog,
    by: &By,
    number: u64,
    is_controller: impl Fn(&str) -> bool,
    now: Wall,
) -> Result<ShorteningRow> {
    let reader = catalog.reader()?;
    let row = find(&reader, number)?;
    if !by.cameras.has(&row.camera) {
        let text = format!("camera {} is not among one's own", row.camera);
        return Err(Error::new(Kind::Denied, text));
    }
    if let Some((_, first)) = &row.first
        && first != &by.person
        && !is_controller(first)
        && !is_controller(&by.person)
    {
        let text = "one of the two is a controller; a controller confirms it now";
        return Err(Error::new(Kind::Denied, text));
    }
    let runs = now.plus_us(GRACE_US);
    let facts = json!({
        "shortening": number,
        "main_keep_s": row.main_keep_s,
        "sub_keep_s": row.sub_keep_s,
        "runs": row.first.as_ref().map(|_| runs),
    });
    let event = Event {
        actor: by.person.clone(),
        detail: Some(json!({ "by": by.detail })),
        ..Event::of_box(now, "shortening-confirmed", &row.camera, facts)
    };
    let mut changes = by.with.clone();
    changes.push(Change::Retention(RetentionChange::ShorteningConfirmed {
        number,
        at: now,
        by: by.person.clone(),
        runs,
    }));
    catalog.commit(changes, event)?;
    find(&catalog.reader()?, number)
}
