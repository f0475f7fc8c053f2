//! Papers at the console: made here, sent to the command as bytes, which writes the file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::error::Result;
use crate::base::id::{DisclosureId, PersonId};
use crate::catalog::{DisclosureFilter, Reader};
use crate::daemon::disclosures::{DisclosureAnswer, Place};
use crate::disclosure::act::{By, Desk};
use crate::disclosure::papers::{Format, Papers};
use crate::document::Language;

/// The filter with the person's id in place of a user name.
pub(super) fn named(desk: &Desk<'_>, filter: &DisclosureFilter) -> DisclosureFilter {
    DisclosureFilter {
        person: filter.person.as_deref().map(|person| desk.sought(person)),
        ..filter.clone()
    }
}

pub(super) fn handover(
    desk: &Desk<'_>,
    place: &Place<'_>,
    by: &By,
    (reader, disclosure): (&Reader, DisclosureId),
    language: Option<&str>,
) -> Result<DisclosureAnswer> {
    let language = language.map(str::parse).transpose()?;
    with_papers(desk, place, by, |papers| {
        Ok(papers.handover(reader, disclosure, language)?.1)
    })
}

/// In the person's own language, as the pages give it.
pub(super) fn register(
    desk: &Desk<'_>,
    place: &Place<'_>,
    (by, person): (&By, PersonId),
    filter: &DisclosureFilter,
    format: Format,
) -> Result<DisclosureAnswer> {
    let standing = desk.directory.get(person);
    let own = standing.and_then(|standing| standing.account.language.to_string().parse().ok());
    let language = own.unwrap_or(Language::Finnish);
    with_papers(desk, place, by, |papers| {
        papers.register(named(desk, filter), language, format)
    })
}

fn with_papers(
    desk: &Desk<'_>,
    place: &Place<'_>,
    by: &By,
    make: impl FnOnce(&Papers<'_>) -> Result<Vec<u8>>,
) -> Result<DisclosureAnswer> {
    let made = make(&Papers {
        desk,
        by,
        config: &(place.config)()?,
        box_id: place.box_id,
        key: (place.key)()?,
    })?;
    Ok(DisclosureAnswer::Document {
        base64: STANDARD.encode(made),
    })
}
