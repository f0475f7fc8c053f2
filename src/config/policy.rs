//! How long footage is kept and promised, why, and where that stands: `[retention]` for the site, and the same keys at a camera.

use std::fmt;
use std::str::FromStr;

use crate::base::error::{Error, Result};
use crate::base::id::StreamKind;
use crate::config::keep::{keep_text, parse_keep};
use crate::config::read::{Field, Section};
use crate::config::types::KEEP_SECS;

/// The keys of `[retention]`.
pub(crate) const KEYS: &[&str] = &[
    "keep",
    "justification",
    "guarantee",
    "special_reason",
    "documented_in",
    "after_release",
];

const HOUR_SECS: u32 = 3600;
const DAY_SECS: u32 = 86_400;
/// What is kept for longer needs a justification.
pub const JUSTIFIED_ABOVE_SECS: u32 = 72 * HOUR_SECS;
/// What is kept for longer needs a special reason, and the place where the sentence for it stands.
pub const SPECIAL_ABOVE_SECS: u32 = 365 * DAY_SECS;
/// For how long what was held is kept after the hold's end: default and bounds.
const AFTER_RELEASE_SECS: (u32, u32, u32) = (14 * DAY_SECS, DAY_SECS, 90 * DAY_SECS);
const SENTENCE_CHARS_MAX: usize = 500;

/// Where a setting stands.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nowhere: it is what holds when nothing is said.
    Default,
    /// In `[retention]`.
    Site,
    /// At the camera.
    Camera,
    /// At the camera, for this stream.
    Stream,
}

impl Origin {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Default, Self::Site, Self::Camera, Self::Stream];

    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Site => "site",
            Self::Camera => "camera",
            Self::Stream => "stream",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Origin {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|origin| origin.as_str() == text)
            .ok_or_else(|| Error::invalid(format!("{text:?} is no place of a setting")))
    }
}

/// What the site says for all cameras that say nothing themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SitePolicy {
    /// Seconds that footage is kept at most; `None`: as long as nothing is said.
    pub keep_secs: Option<u32>,
    /// Seconds for which it is promised; `None`: nothing is.
    pub guarantee_secs: Option<u32>,
    /// Why.
    pub sentences: Sentences,
    /// Seconds for which what was held is kept after the end of the hold, 1 d to 90 d, default 14 d.
    pub after_release_secs: u32,
}

impl SitePolicy {
    /// Seconds that a camera's footage is kept at most when it says nothing of that itself, with a justification or without one.
    pub fn unsaid_keep_secs(&self, is_justified: bool) -> u32 {
        let default = if is_justified {
            KEEP_SECS.default
        } else {
            JUSTIFIED_ABOVE_SECS
        };
        self.keep_secs.unwrap_or(default)
    }
}

impl Default for SitePolicy {
    fn default() -> Self {
        Self {
            keep_secs: None,
            guarantee_secs: None,
            sentences: Sentences::default(),
            after_release_secs: AFTER_RELEASE_SECS.0,
        }
    }
}

/// Why footage is kept for as long as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sentences {
    /// Why for more than 72 hours.
    pub justification: Option<String>,
    /// Why for more than 365 days.
    pub special_reason: Option<String>,
    /// Where the sentence for it stands.
    pub documented_in: Option<String>,
}

/// The policy of a camera's streams.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The full picture.
    pub main: StreamPolicy,
    /// The small picture: never kept longer than the full one.
    pub sub: StreamPolicy,
    /// Why.
    pub sentences: Sentences,
}

/// The policy of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamPolicy {
    /// Seconds that it is kept at most, 1 h to 3650 d: what ended longer ago is unreadable. Default: 14 d when there is a
    /// justification, else 72 h.
    pub keep_secs: u32,
    /// Where that stands.
    pub keep_from: Origin,
    /// Seconds for which it is promised to be there, never more than it is kept; 0: nothing is promised.
    pub guarantee_secs: u32,
    /// Where that stands.
    pub guarantee_from: Origin,
}

impl Policy {
    /// Of one of the streams.
    pub const fn of(&self, kind: StreamKind) -> &StreamPolicy {
        match kind {
            StreamKind::Main => &self.main,
            StreamKind::Sub => &self.sub,
        }
    }
}

/// Reads `[retention]`; what is wrong is noted.
pub(crate) fn site(section: &Section<'_>) -> SitePolicy {
    let secs = |key| section.parsed(key, parse_keep);
    let site = SitePolicy {
        keep_secs: secs("keep").map(|keep| keep.value),
        guarantee_secs: secs("guarantee").map(|guarantee| guarantee.value),
        sentences: sentences(section),
        after_release_secs: section
            .parsed("after_release", parse_after)
            .map_or(AFTER_RELEASE_SECS.0, |after| after.value),
    };
    if let (Some(keep), Some(guarantee)) = (secs_of(section, "keep"), secs_of(section, "guarantee"))
    {
        promise_is_kept(section, "guarantee", &guarantee, keep.value);
    }
    if let Some(keep) = secs_of(section, "keep") {
        needs_sentences(section, keep.at, keep.value, &site.sentences);
    }
    site
}

/// Reads what a camera says of its own, over what the site says; what is wrong is noted.
pub(crate) fn camera(section: &Section<'_>, site: &SitePolicy) -> Policy {
    let own = sentences(section);
    let sentences = Sentences {
        justification: own
            .justification
            .or_else(|| site.sentences.justification.clone()),
        special_reason: own
            .special_reason
            .or_else(|| site.sentences.special_reason.clone()),
        documented_in: own
            .documented_in
            .or_else(|| site.sentences.documented_in.clone()),
    };
    let unsaid = site.unsaid_keep_secs(sentences.justification.is_some());
    let keep = section.parsed("keep", parse_keep);
    let (keep_secs, keep_from) = match (keep, site.keep_secs) {
        (Some(keep), _) => (keep.value, Origin::Camera),
        (None, Some(_)) => (unsaid, Origin::Site),
        (None, None) => (unsaid, Origin::Default),
    };
    let guarantee = section.parsed("guarantee", parse_keep);
    if let Some(guarantee) = &guarantee {
        promise_is_kept(section, "guarantee", guarantee, keep_secs);
    }
    let (guarantee_secs, guarantee_from) = match (guarantee, site.guarantee_secs) {
        (Some(guarantee), _) => (guarantee.value, Origin::Camera),
        (None, Some(secs)) => (secs.min(keep_secs), Origin::Site),
        (None, None) => (0, Origin::Default),
    };
    // What the site says is checked where it says it.
    if let Some(keep) = keep {
        needs_sentences(section, keep.at, keep.value, &sentences);
    }
    let main = StreamPolicy {
        keep_secs,
        keep_from,
        guarantee_secs,
        guarantee_from,
    };
    Policy {
        main,
        sub: small(section, main),
        sentences,
    }
}

/// The policy of the small picture: as the full one's where nothing is said.
fn small(section: &Section<'_>, main: StreamPolicy) -> StreamPolicy {
    let mut sub = main;
    if let Some(keep) = section.parsed("keep_sub", parse_keep) {
        if keep.value > main.keep_secs {
            let most = keep_text(main.keep_secs);
            section.problem(
                keep.at,
                &format!(
                    "keep_sub: the small picture cannot be kept longer than the full one ({most})"
                ),
            );
        }
        (sub.keep_secs, sub.keep_from) = (keep.value, Origin::Stream);
        sub.guarantee_secs = main.guarantee_secs.min(keep.value);
    }
    if let Some(guarantee) = section.parsed("guarantee_sub", parse_keep) {
        promise_is_kept(section, "guarantee_sub", &guarantee, sub.keep_secs);
        (sub.guarantee_secs, sub.guarantee_from) = (guarantee.value, Origin::Stream);
    }
    sub
}

/// The time under `key`, without a note when it is wrong: that was made before.
fn secs_of(section: &Section<'_>, key: &str) -> Option<Field<u32>> {
    let Field { value, at } = section.quiet_text(key)?;
    let value = parse_keep(value).ok()?;
    Some(Field { value, at })
}

fn promise_is_kept(section: &Section<'_>, key: &str, guarantee: &Field<u32>, keep_secs: u32) {
    if guarantee.value > keep_secs {
        let most = keep_text(keep_secs);
        section.problem(
            guarantee.at,
            &format!("{key}: nothing is promised for longer than it is kept ({most})"),
        );
    }
}

/// Notes each sentence that is missing for so long a time, by the key that it would stand under: a form can then say where.
fn needs_sentences(section: &Section<'_>, at: usize, keep_secs: u32, sentences: &Sentences) {
    let is_special = keep_secs > SPECIAL_ABOVE_SECS;
    for (is_needed, sentence, text) in [
        (
            keep_secs > JUSTIFIED_ABOVE_SECS,
            &sentences.justification,
            "justification: keeping footage for more than 72 h needs a reason; say why, here or in [retention]",
        ),
        (
            is_special,
            &sentences.special_reason,
            "special_reason: keeping footage for more than 365 d needs a special reason; say it, here or in [retention]",
        ),
        (
            is_special,
            &sentences.documented_in,
            "documented_in: keeping footage for more than 365 d needs a documented reason; say where it is documented, here or \
             in [retention]",
        ),
    ] {
        if is_needed && sentence.is_none() {
            section.problem(at, text);
        }
    }
}

fn sentences(section: &Section<'_>) -> Sentences {
    let one = |key| section.parsed(key, parse_sentence).map(|text| text.value);
    Sentences {
        justification: one("justification"),
        special_reason: one("special_reason"),
        documented_in: one("documented_in"),
    }
}

fn parse_sentence(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty; say it in a sentence, or leave the key out".to_owned());
    }
    if text.chars().count() > SENTENCE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!(
            "it is one line of at most {SENTENCE_CHARS_MAX} characters"
        ));
    }
    Ok(text.to_owned())
}

fn parse_after(text: &str) -> Result<u32, String> {
    let (_, least, most) = AFTER_RELEASE_SECS;
    let secs = parse_keep(text)?;
    if (least..=most).contains(&secs) {
        return Ok(secs);
    }
    Err(format!(
        "{text:?} is out of range; it can be from {} to {}",
        keep_text(least),
        keep_text(most)
    ))
}
