//! Papers of the records at hand: who may have them, where their values come from, and what the ledger says of it. The same for the
//! pages and for the command line.
//!
//! What does not belong here: how they look (`paper`), routes, files.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, DisclosureId};
use crate::catalog::{
    DisclosureFilter, DisclosurePage, DisclosureRow, DisclosureState, Event, Reader,
};
use crate::config::Config;
use crate::disclosure::act::{By, Desk};
use crate::disclosure::paper::{HandoverDocument, Record, Register, RegisterLine, filters};
use crate::disclosure::register;
use crate::document::Language;
use crate::evidence::proof::EntryProof;
use crate::ledger::checkpoint::Key;

/// Disclosures of one table.
const LINES_MAX: usize = 5000;
/// Disclosures that are read at a time.
const PAGE: u32 = 200;
/// One is made at a time: it takes memory.
static ONE: Mutex<()> = Mutex::new(());

/// As what the register is taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A table for other programs.
    Csv,
    /// A document for people.
    Pdf,
}

/// Where papers are made, for whom, and what stands on them besides the record.
pub struct Papers<'a> {
    /// The records.
    pub desk: &'a Desk<'a>,
    /// Who wants them.
    pub by: &'a By,
    /// The configuration in force.
    pub config: &'a Config,
    /// This box.
    pub box_id: BoxId,
    /// The key with which its ledger signs.
    pub key: Key,
}

impl Papers<'_> {
    /// The handover document of a record as it is now (PDF/A), in `language`, or else in what the record says; with the name under which
    /// it is kept.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for one that the person may not know of; [`Kind::Exists`] for a draft.
    pub fn handover(
        &self,
        reader: &Reader,
        disclosure: DisclosureId,
        language: Option<Language>,
    ) -> Result<(String, Vec<u8>)> {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (row, _) = self.desk.find_known(reader, self.by, disclosure)?;
        if row.state == DisclosureState::Draft {
            let text = "there is no paper of a draft; ask for it first";
            return Err(Error::new(Kind::Exists, text));
        }
        let document = self.with_record((reader, &row), language, HandoverDocument::of_record)?;
        let asked = row.asked.as_ref();
        let number = asked.map_or_else(|| disclosure.to_string(), |asked| asked.serial.to_string());
        let pdf = self.anchored(reader, document)?.pdf()?;
        Ok((format!("{number}_handover.pdf"), pdf))
    }

    /// The register as far as the person may know of it, in `language`, after the ledger was told who takes it away.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn register(
        &self,
        asked: DisclosureFilter,
        language: Language,
        format: Format,
    ) -> Result<Vec<u8>> {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        match format {
            Format::Csv => Ok(self.table(asked, language, "csv")?.csv()),
            Format::Pdf => self.table(asked, language, "pdf")?.pdf(),
        }
    }

    /// With the checkpoint over its entry, when there is one already: at most a second after.
    fn anchored(&self, reader: &Reader, mut of: HandoverDocument) -> Result<HandoverDocument> {
        let Some(entry) = of.proof.entry else {
            return Ok(of);
        };
        match EntryProof::make(reader, entry) {
            Err(e) if e.kind() == Kind::NotFound => {}
            other => of.anchor(entry, &other?.checkpoint, self.key)?,
        }
        Ok(of)
    }

    /// Gathers what the papers of a record are made of.
    fn with_record<T>(
        &self,
        (reader, row): (&Reader, &DisclosureRow),
        language: Option<Language>,
        make: impl FnOnce(&Record<'_>) -> Result<T>,
    ) -> Result<T> {
        let steps = reader.disclosure_steps(row.disclosure)?;
        let files = reader.package_files(row.disclosure)?;
        make(&Record {
            row,
            steps: &steps,
            files: &files,
            config: self.config,
            catalogue: self.desk.catalogue,
            name: &|person| self.desk.name_of(person),
            language,
            made: self.desk.now,
            box_id: self.box_id,
            key: self.key,
        })
    }

    fn table(&self, asked: DisclosureFilter, language: Language, format: &str) -> Result<Register> {
        let desk = self.desk;
        let zone = self.config.site.zone;
        let said = filters(&asked, zone, language, &|person| desk.name_of(person));
        // Drafts are no disclosures yet.
        let filter = DisclosureFilter {
            drafts_of: None,
            ..desk.known(self.by, asked)
        };
        let reader = desk.catalog.reader()?;
        let page = all(&reader, &filter)?;
        let agreement = register::agreement(&reader, &page.rows)?;
        let mut lines = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            let reviews = reader.disclosure_reviews(row.disclosure)?;
            let line = self.with_record((&reader, row), Some(language), |record| {
                RegisterLine::of_record(record, &reviews, language)
            });
            lines.push(line?);
        }
        let event = Event {
            actor: self.by.person.clone(),
            ..Event::of_box(
                desk.now,
                "register-exported",
                "disclosures",
                json!({ "format": format, "found": page.found, "lines": lines.len() }),
            )
        };
        desk.catalog.note(event)?;
        Ok(Register {
            language,
            made: desk.now,
            made_by: Some(desk.name_of(&self.by.person)),
            site: self.config.site.name.clone(),
            zone,
            filters: said,
            searched: page.searched,
            entries: reader.epoch()?.size,
            intact: desk.catalog.trouble().is_none() && agreement.wrong.is_empty(),
            found: page.found,
            lines,
        })
    }
}

impl Desk<'_> {
    /// The id of a person who is named by user name or id, for a search.
    pub fn sought(&self, person: &str) -> String {
        let named = self.directory.named(person);
        named.map_or_else(|| person.to_owned(), |s| s.account.person.to_string())
    }
}

/// Page after page, up to [`LINES_MAX`].
fn all(reader: &Reader, filter: &DisclosureFilter) -> Result<DisclosurePage> {
    let mut all = reader.find_disclosures(filter, None, PAGE)?;
    while let Some(after) = all.next
        && all.rows.len() < LINES_MAX
    {
        let page = reader.find_disclosures(filter, Some(after), PAGE)?;
        all.rows.extend(page.rows);
        all.next = page.next;
    }
    all.rows.truncate(LINES_MAX);
    Ok(all)
}
