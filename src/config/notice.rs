//! `[notice]`: what the privacy notice says that nobody but the controller knows.

use crate::config::read::Section;

/// The keys of the section.
pub(crate) const KEYS: &[&str] = &["controller", "contact", "officer", "basis", "recipients"];

const TEXT_CHARS_MAX: usize = 1000;

/// What the controller says of itself. Each is shown as it stands here, in every language; lines are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NoticeConfig {
    /// Who answers for the surveillance: name, business id, address.
    pub controller: Option<String>,
    /// Whom people ask, and where they use their rights.
    pub contact: Option<String>,
    /// The data protection officer, where there is one.
    pub officer: Option<String>,
    /// The legal basis, with the interest that it rests on.
    pub basis: Option<String>,
    /// To whom footage is handed out as a rule.
    pub recipients: Option<String>,
}

/// Reads the section; what is wrong is noted, and `None`.
pub(crate) fn read(section: &Section<'_>) -> Option<NoticeConfig> {
    let read = |key| {
        let text = section.parsed(key, parse_text).map(|field| field.value);
        (text.is_some() || !section.has(key)).then_some(text)
    };
    let [controller, contact, officer, basis, recipients] =
        ["controller", "contact", "officer", "basis", "recipients"].map(read);
    Some(NoticeConfig {
        controller: controller?,
        contact: contact?,
        officer: officer?,
        basis: basis?,
        recipients: recipients?,
    })
}

fn parse_text(text: &str) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty; leave the key out".to_owned());
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("it has more than {TEXT_CHARS_MAX} characters"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("it has control characters; only line breaks are taken".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse_text;
    use crate::config::parse;
    use std::path::Path;

    const REST: &str =
        "[site]\nname = \"Myymälä 1\"\n[[volume]]\nname = \"levy-1\"\npath = \"/srv/sinetti\"\n";

    #[test]
    fn what_is_left_out_is_not_said_and_lines_are_kept() {
        let base = Path::new("/var/lib/sinetti");
        let bare = parse(REST, base).expect("good").notice;
        assert_eq!(bare, super::NoticeConfig::default());
        let text = format!("{REST}[notice]\ncontroller = \"\"\"\nKauppa Oy\r\nKatu 1\"\"\"\n");
        let notice = parse(&text, base).expect("good").notice;
        assert_eq!(notice.controller.as_deref(), Some("Kauppa Oy\nKatu 1"));
        assert_eq!(notice.contact, None);
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        assert!(parse_text(" \n ").is_err());
        assert!(parse_text(&"ä".repeat(1001)).is_err());
        assert!(parse_text("a\u{1b}[31m").is_err());
        assert!(parse_text(&"ä".repeat(1000)).is_ok());
    }
}
