//! The register of disclosures as a table: for other programs (CSV) and for print (PDF).
//!
//! What does not belong here: searching the register, who may have it.

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::{DisclosureKind, DisclosureState};
use crate::disclosure::paper::csv::Csv;
use crate::disclosure::paper::register_words as w;
use crate::document::{
    About, Column, Field, Language, Paper, Table, Words, count, date, instant, period,
};

/// What was found in the register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// What it is written in.
    pub language: Language,
    /// When it was made.
    pub made: Wall,
    /// By whom.
    pub made_by: Option<String>,
    /// The site's name.
    pub site: String,
    /// Its zone.
    pub zone: Zone,
    /// What was asked, in words.
    pub filters: Vec<(Filter, String)>,
    /// Disclosures that were looked at.
    pub searched: u64,
    /// Entries of the ledger when it was made.
    pub entries: u64,
    /// True: the ledger's chain is whole.
    pub intact: bool,
    /// Disclosures that fit; more than there are lines when not all were taken.
    pub found: u64,
    /// What was found, in order.
    pub lines: Vec<RegisterLine>,
}

/// What a search can go by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    /// A camera.
    Camera,
    /// When the footage was recorded.
    Footage,
    /// When it was handed over, shown or told.
    Disclosed,
    /// Who received it.
    Recipient,
    /// Who had a part in it.
    Person,
    /// How far it is.
    State,
    /// What it is.
    Kind,
    /// Its legal basis.
    Basis,
}

/// A disclosure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterLine {
    /// Its serial number.
    pub serial: Option<String>,
    /// What it is.
    pub kind: DisclosureKind,
    /// How far it is.
    pub state: DisclosureState,
    /// When it was asked for.
    pub requested: Option<Wall>,
    /// By whom.
    pub asked_by: Option<String>,
    /// Who receives it.
    pub recipient: Option<String>,
    /// Number of the investigation, or of the case.
    pub case: Option<String>,
    /// Name of the legal basis.
    pub basis: Option<String>,
    /// Purpose.
    pub purpose: Option<String>,
    /// When it was decided.
    pub decided: Option<Wall>,
    /// By whom.
    pub decided_by: Vec<String>,
    /// When it was handed over, shown or told.
    pub handed_over: Option<Wall>,
    /// When the receipt was confirmed.
    pub received: Option<Wall>,
    /// When the house's own copies were destroyed.
    pub destroyed: Option<Wall>,
    /// SHA-256 of the package's manifest.
    pub manifest: Option<Digest>,
    /// When an auditor last looked at it.
    pub reviewed: Option<Wall>,
    /// What of which camera: its name, its id, what is given, or was asked for.
    pub cameras: Vec<(String, String, Span)>,
}

impl Register {
    /// As CSV (RFC 4180): UTF-8 with a byte order mark, so that Excel reads it as such; fields are apart by `;` in Finnish and Swedish,
    /// where the comma is the decimal mark and Excel expects it so, and by `,` in English. A line for each camera of a disclosure. Times
    /// are RFC 3339 in the site's zone. No cell is a formula.
    pub fn csv(&self) -> Vec<u8> {
        let mut csv = Csv::new(match self.language {
            Language::Finnish | Language::Swedish => ';',
            Language::English => ',',
        });
        csv.record(w::COLUMNS.iter().map(|words| words.of(self.language)));
        for line in &self.lines {
            if line.cameras.is_empty() {
                csv.record(self.cells(line, None).iter().map(String::as_str));
            }
            for camera in &line.cameras {
                csv.record(self.cells(line, Some(camera)).iter().map(String::as_str));
            }
        }
        csv.finish()
    }

    /// In the order of [`w::COLUMNS`].
    fn cells(&self, line: &RegisterLine, camera: Option<&(String, String, Span)>) -> [String; 20] {
        let l = self.language;
        let time = |at: Option<Wall>| at.map_or(String::new(), |at| self.zone.rfc3339(at));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (name, id) = camera.map_or(("", ""), |(name, id, _)| (name, id));
        [
            text(&line.serial),
            w::kind(line.kind).of(l).to_owned(),
            w::state(line.state).of(l).to_owned(),
            time(line.requested),
            text(&line.asked_by),
            text(&line.recipient),
            text(&line.case),
            text(&line.basis),
            text(&line.purpose),
            name.to_owned(),
            id.to_owned(),
            time(camera.map(|(_, _, span)| span.start)),
            time(camera.map(|(_, _, span)| span.end)),
            time(line.decided),
            line.decided_by.join(", "),
            time(line.handed_over),
            time(line.received),
            time(line.destroyed),
            time(line.reviewed),
            line.manifest
                .map(|digest| digest.to_string())
                .unwrap_or_default(),
        ]
    }

    /// As PDF/A, on pages that lie on their side.
    ///
    /// # Errors
    /// `Internal`: a fault of ours.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let title = self.of(w::TITLE).to_owned();
        let content = format!("{self:?}");
        let mut paper = Paper::wide(About {
            foot: format!("{title} · {} · {}", self.site, self.day(self.made)),
            title,
            author: format!("Sinetti, {}", self.site),
            language: self.language,
            made: self.made,
            id: Digest::sha256(&[content.as_bytes()]).to_string(),
        })?;
        self.top(&mut paper);
        if self.lines.is_empty() {
            paper.paragraph(self.of(w::NOTHING));
        } else {
            self.table(&mut paper);
        }
        let shown = self.lines.len() as u64;
        if shown < self.found {
            let numbers = [shown, self.found].map(|number| count(number, self.language));
            let text = w::NOT_ALL.with(self.language, &[&numbers[0], &numbers[1]]);
            paper.paragraph(&text);
        }
        paper.finish()
    }

    fn of(&self, words: Words) -> &'static str {
        words.of(self.language)
    }

    fn day(&self, at: Wall) -> String {
        date(at, self.zone, self.language)
    }

    fn top(&self, paper: &mut Paper) {
        let l = self.language;
        paper.title(self.of(w::TITLE));
        let filters: Vec<String> = self
            .filters
            .iter()
            .map(|(filter, value)| format!("{}: {value}", w::filter(*filter).of(l)))
            .collect();
        let filters = match filters.as_slice() {
            [] => self.of(w::NO_FILTER).to_owned(),
            some => some.join("\n"),
        };
        let numbers =
            [self.lines.len() as u64, self.searched, self.entries].map(|number| count(number, l));
        let found = w::FOUND_IS.with(l, &[&numbers[0], &numbers[1]]);
        let chain = if self.intact { w::INTACT } else { w::BROKEN };
        let chain = chain.with(l, &[&numbers[2]]);
        let by = self.made_by.as_deref().unwrap_or_default();
        paper.fields(&[
            Field::new(self.of(w::SITE), self.site.as_str()).over(3),
            Field::new(self.of(w::MADE), instant(self.made, self.zone, l)).over(5),
            Field::new(self.of(w::MADE_BY), by).over(4),
            Field::new(self.of(w::FILTERS), filters).over(5),
            Field::new(self.of(w::FOUND), found).over(3),
            Field::new(self.of(w::CHAIN), chain).over(4),
        ]);
    }

    fn table(&self, paper: &mut Paper) {
        paper.table(&Table {
            columns: vec![
                Column::text(self.of(w::NUMBER), 1.2),
                Column::text(self.of(w::KIND_AND_STATE), 2.0),
                Column::text(self.of(w::RECIPIENT), 2.6),
                Column::text(self.of(w::CAMERAS), 3.6),
                Column::text(self.of(w::BASIS_AND_PURPOSE), 3.0),
                Column::text(self.of(w::STEPS), 3.4),
            ],
            rows: self.lines.iter().map(|line| self.row(line)).collect(),
            ..Table::default()
        });
    }

    fn row(&self, line: &RegisterLine) -> Vec<String> {
        let l = self.language;
        let text = |texts: &[&Option<String>]| {
            let texts: Vec<&str> = texts.iter().filter_map(|text| text.as_deref()).collect();
            if texts.is_empty() {
                w::MISSING.to_owned()
            } else {
                texts.join("\n")
            }
        };
        let camera = |(name, _, span): &(String, String, Span)| {
            format!("{name}\n{}", period(*span, self.zone, l))
        };
        let cameras: Vec<String> = line.cameras.iter().map(camera).collect();
        vec![
            text(&[&line.serial]),
            format!(
                "{}\n{}",
                w::kind(line.kind).of(l),
                w::state(line.state).of(l)
            ),
            text(&[&line.recipient, &line.case]),
            text(&[&Some(cameras.join("\n")).filter(|text| !text.is_empty())]),
            text(&[&line.basis, &line.purpose]),
            self.steps(line),
        ]
    }

    /// What was done with it, a line each.
    fn steps(&self, line: &RegisterLine) -> String {
        let decided = match line.state {
            DisclosureState::Refused => w::REFUSED,
            _ => w::DECIDED,
        };
        let by = line.asked_by.as_deref().unwrap_or(w::MISSING);
        let deciders = line.decided_by.join(", ");
        let steps = [
            (line.requested, w::REQUESTED, by),
            (line.decided, decided, deciders.as_str()),
            (line.handed_over, w::HANDED_OVER, ""),
            (line.received, w::RECEIVED, ""),
            (line.destroyed, w::DESTROYED, ""),
            (line.reviewed, w::REVIEWED, ""),
        ];
        let lines: Vec<String> = steps
            .into_iter()
            .filter_map(|(at, words, by)| {
                let day = self.day(at?);
                let by = if by.is_empty() {
                    String::new()
                } else {
                    format!(", {by}")
                };
                Some(format!("{} {day}{by}", self.of(words)))
            })
            .collect();
        if lines.is_empty() {
            w::MISSING.to_owned()
        } else {
            lines.join("\n")
        }
    }
}
