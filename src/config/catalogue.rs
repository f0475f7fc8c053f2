//! The catalogue of disclosures: legal bases, purposes, recipients and kinds, as dated data. One comes with Sinetti; a box may have
//! its own, `DIR/catalogue.toml`.
//!
//! What does not belong here: what a disclosure does with it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;

use crate::base::error::{Context, Error, Kind, Result};
use crate::config::load::read_bounded;

/// The catalogue that comes with Sinetti.
const SHIPPED: &str = include_str!("../../config/catalogue.toml");
/// The box's own, in the state folder.
pub const CATALOGUE_NAME: &str = "catalogue.toml";
/// What this version of Sinetti reads.
const FORMAT: u32 = 1;
const TEXT_CHARS_MAX: usize = 500;
const CODE_BYTES_MAX: usize = 60;
/// Items of a list.
const ITEMS_MAX: usize = 200;

/// The kinds of disclosure that there are. The words are those of the catalog's closed list.
pub const DISCLOSURE_KINDS: [&str; 8] = [
    "authority-request",
    "own-initiative",
    "seizure",
    "viewing",
    "oral",
    "access-request",
    "internal",
    "maintenance",
];
/// Fields that a kind may make mandatory.
pub const DISCLOSURE_FIELDS: [&str; 11] = [
    "received",
    "channel",
    "organisation",
    "person",
    "rank",
    "unit",
    "contact",
    "verified_how",
    "case_number",
    "necessity",
    "appearance",
];

/// A text in the three languages.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Finnish: what counts.
    pub fi: String,
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

/// Something that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// What records name it by; it never gets another meaning.
    pub code: String,
    /// For which kinds of disclosure.
    pub kinds: BTreeSet<String>,
    /// First day.
    pub from: NaiveDate,
    /// First day on which it may not be chosen any more.
    pub until: Option<NaiveDate>,
    /// How many persons have to approve, besides whoever asks: 1 or 2.
    pub approvers: u8,
    /// What it says.
    pub texts: Texts,
}

impl Choice {
    /// True when it may be chosen on `day` for a disclosure of `kind`.
    pub fn is_open(&self, kind: &str, day: NaiveDate) -> bool {
        self.kinds.contains(kind) && self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// What a kind of disclosure has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindRules {
    /// Which.
    pub code: String,
    /// Fields without which it cannot be asked for.
    pub mandatory: BTreeSet<String>,
    /// It is answered within so many months of the day on which it was received.
    pub answer_within_months: Option<u32>,
    /// What it is called.
    pub texts: Texts,
}

/// The catalogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catalogue {
    /// As its writer names it: a date.
    pub version: String,
    /// What stands beside every legal basis.
    pub note: Texts,
    /// Legal bases.
    pub bases: Vec<Choice>,
    /// Purposes.
    pub purposes: Vec<Choice>,
    /// Types of recipients.
    pub recipients: Vec<Choice>,
    /// Each kind, once.
    pub kinds: Vec<KindRules>,
}

impl Catalogue {
    /// The one that comes with Sinetti.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::parse(SHIPPED)
            .context(|| "reading the catalogue of disclosures that comes with Sinetti")
    }

    /// The box's own in the folder `dir`, or the one that comes with Sinetti.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the box's own cannot be used: disclosures then wait until it is mended.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(CATALOGUE_NAME);
        let what = || format!("reading {}", path.display());
        match read_bounded(&path) {
            Err(e) if e.kind() == Kind::NotFound => Self::shipped(),
            Err(e) => Err(e.attempted(what())),
            Ok(bytes) => {
                let text = String::from_utf8(bytes)
                    .map_err(|_| Error::invalid("it is not UTF-8 text"))
                    .context(what)?;
                Self::parse(&text).context(what)
            }
        }
    }

    /// Reads a catalogue and checks it as a whole.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|e| Error::invalid(e.to_string()))?;
        if file.format != FORMAT {
            let text = format!(
                "it has format {}, this version of Sinetti reads {FORMAT}",
                file.format
            );
            return Err(Error::invalid(text));
        }
        check_text("version", &file.version)?;
        check_texts("note", &file.note)?;
        Ok(Self {
            version: file.version,
            note: file.note,
            bases: choices("basis", file.basis)?,
            purposes: choices("purpose", file.purpose)?,
            recipients: choices("recipient", file.recipient)?,
            kinds: kinds(file.kind)?,
        })
    }

    /// What a kind of disclosure has to say.
    pub fn kind(&self, code: &str) -> Option<&KindRules> {
        self.kinds.iter().find(|rules| rules.code == code)
    }
}

/// The file as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    version: String,
    note: Texts,
    basis: Vec<Item>,
    purpose: Vec<Item>,
    recipient: Vec<Item>,
    kind: Vec<KindItem>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    code: String,
    kinds: Vec<String>,
    from: String,
    until: Option<String>,
    approvers: Option<u8>,
    fi: String,
    sv: String,
    en: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct KindItem {
    code: String,
    mandatory: Vec<String>,
    answer_within_months: Option<u32>,
    fi: String,
    sv: String,
    en: String,
}

fn wrong<T>(text: String) -> Result<T> {
    Err(Error::invalid(text))
}

fn check_text(what: &str, text: &str) -> Result<()> {
    let chars = text.trim().chars().count();
    if chars == 0 || chars > TEXT_CHARS_MAX || text.contains(char::is_control) {
        return wrong(format!(
            "{what}: a text has 1 to {TEXT_CHARS_MAX} characters on one line"
        ));
    }
    Ok(())
}

fn check_texts(what: &str, texts: &Texts) -> Result<()> {
    for (language, text) in [("fi", &texts.fi), ("sv", &texts.sv), ("en", &texts.en)] {
        check_text(&format!("{what}: {language}"), text)?;
    }
    Ok(())
}

fn check_code(what: &str, code: &str, seen: &mut BTreeSet<String>) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if code.is_empty() || code.len() > CODE_BYTES_MAX || !code.bytes().all(plain) {
        return wrong(format!(
            "{what} {code:?}: a code has 1 to {CODE_BYTES_MAX} of a-z, 0-9 and -"
        ));
    }
    if !seen.insert(code.to_owned()) {
        return wrong(format!("{what} {code:?} stands there twice"));
    }
    Ok(())
}

fn closed(what: &str, words: Vec<String>, all: &[&str]) -> Result<BTreeSet<String>> {
    if let Some(unknown) = words.iter().find(|word| !all.contains(&word.as_str())) {
        return wrong(format!(
            "{what}: {unknown:?} is none of: {}",
            all.join(", ")
        ));
    }
    Ok(words.into_iter().collect())
}

fn day(what: &str, text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| Error::invalid(format!("{what}: {text:?} is no day; write 2026-11-01")))
}

fn choices(what: &'static str, items: Vec<Item>) -> Result<Vec<Choice>> {
    if items.is_empty() || items.len() > ITEMS_MAX {
        return wrong(format!("there are 1 to {ITEMS_MAX} of [[{what}]]"));
    }
    let mut seen = BTreeSet::new();
    let choice = |item: Item| {
        check_code(what, &item.code, &mut seen)?;
        let what = format!("{what} {:?}", item.code);
        let approvers = item.approvers.unwrap_or(1);
        if !(1..=2).contains(&approvers) {
            return wrong(format!(
                "{what}: approvers is 1 or 2; nothing leaves the house by one person alone"
            ));
        }
        let texts = Texts {
            fi: item.fi,
            sv: item.sv,
            en: item.en,
        };
        check_texts(&what, &texts)?;
        let from = day(&what, &item.from)?;
        let until = item.until.map(|until| day(&what, &until)).transpose()?;
        if until.is_some_and(|until| until <= from) {
            return wrong(format!("{what}: until lies after from"));
        }
        Ok(Choice {
            kinds: closed(&what, item.kinds, &DISCLOSURE_KINDS)?,
            code: item.code,
            from,
            until,
            approvers,
            texts,
        })
    };
    items.into_iter().map(choice).collect()
}

fn kinds(items: Vec<KindItem>) -> Result<Vec<KindRules>> {
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for item in items {
        check_code("kind", &item.code, &mut seen)?;
        let what = format!("kind {:?}", item.code);
        closed(&what, vec![item.code.clone()], &DISCLOSURE_KINDS)?;
        let texts = Texts {
            fi: item.fi,
            sv: item.sv,
            en: item.en,
        };
        check_texts(&what, &texts)?;
        if item
            .answer_within_months
            .is_some_and(|months| !(1..=12).contains(&months))
        {
            return wrong(format!("{what}: answer_within_months is 1 to 12"));
        }
        rules.push(KindRules {
            mandatory: closed(&what, item.mandatory, &DISCLOSURE_FIELDS)?,
            code: item.code,
            answer_within_months: item.answer_within_months,
            texts,
        });
    }
    match DISCLOSURE_KINDS.iter().find(|kind| !seen.contains(**kind)) {
        Some(missing) => wrong(format!("[[kind]] {missing:?} is missing")),
        None => Ok(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk;

    #[test]
    fn the_shipped_catalogue_is_whole() {
        let catalogue = Catalogue::shipped().expect("it is read");
        let today = day("", "2026-11-25").expect("a day");
        for kind in DISCLOSURE_KINDS {
            for (what, list) in [
                ("basis", &catalogue.bases),
                ("purpose", &catalogue.purposes),
                ("recipient", &catalogue.recipients),
            ] {
                assert!(
                    list.iter().any(|c| c.is_open(kind, today)),
                    "{kind} has no {what}"
                );
            }
        }
        let employee = |c: &&Choice| c.code.starts_with("employee-");
        let employee: Vec<_> = catalogue.purposes.iter().filter(employee).collect();
        assert_eq!(employee.len(), 3, "759/2004, section 17, subsection 2");
        assert!(employee.iter().all(|c| c.approvers == 2));
        let named = |code: &str| {
            catalogue
                .bases
                .iter()
                .find(|c| c.code == code)
                .expect("there")
        };
        assert!(named("police-request").texts.fi.contains("872/2011"));
        assert!(named("seizure").texts.fi.contains("806/2011"));
        assert!(
            named("preservation-order").kinds.is_empty(),
            "no right to the content"
        );
        let access = catalogue.kind("access-request").expect("a kind");
        assert_eq!(access.answer_within_months, Some(1));
    }

    #[test]
    fn an_item_is_open_on_its_days() {
        let text = SHIPPED.replacen(
            "from = \"2014-01-01\"",
            "from = \"2026-01-01\"\nuntil = \"2027-01-01\"",
            1,
        );
        let catalogue = Catalogue::parse(&text).expect("read");
        let open = |text| catalogue.bases[0].is_open("oral", day("", text).expect("a day"));
        assert!(open("2026-01-01") && open("2026-12-31"));
        assert!(!open("2025-12-31") && !open("2027-01-01"));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (from, to) in [
            ("format = 1", "format = 2"),
            ("format = 1", "format = 1\nmore = 1"),
            (
                "code = \"seizure\"\nkinds",
                "code = \"police-request\"\nkinds",
            ),
            ("code = \"police-request\"", "code = \"Police\""),
            ("approvers = 2", "approvers = 0"),
            ("approvers = 2", "approvers = 3"),
            ("[\"maintenance\"]", "[\"repair\"]"),
            ("\"necessity\"]", "\"need\"]"),
            ("from = \"2014-01-01\"", "from = \"1.1.2014\""),
            (
                "from = \"2014-01-01\"",
                "from = \"2014-01-01\"\nuntil = \"2014-01-01\"",
            ),
            ("fi = \"Poliisi\"", "fi = \" \""),
            ("[[kind]]\ncode = \"oral\"", "[[kind]]\ncode = \"viewing\""),
            ("answer_within_months = 1", "answer_within_months = 0"),
        ] {
            let text = SHIPPED.replacen(from, to, 1);
            assert_ne!(text, SHIPPED, "{from}");
            assert!(Catalogue::parse(&text).is_err(), "{to}");
        }
    }

    #[test]
    fn the_boxs_own_comes_before_the_shipped_one() {
        let dir = tempfile::tempdir().expect("dir");
        let shipped = Catalogue::load(dir.path()).expect("shipped");
        let own = SHIPPED.replacen("2026-11-01", "2027-02-01", 1);
        disk::replace(&dir.path().join(CATALOGUE_NAME), own.as_bytes(), 0o644).expect("written");
        let found = Catalogue::load(dir.path()).expect("own");
        assert_eq!(
            (shipped.version.as_str(), found.version.as_str()),
            ("2026-11-01", "2027-02-01")
        );
        disk::replace(&dir.path().join(CATALOGUE_NAME), b"format = 1", 0o644).expect("written");
        assert_eq!(
            Catalogue::load(dir.path()).expect_err("bad").kind(),
            Kind::Invalid
        );
    }
}
