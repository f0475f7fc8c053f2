//! An alarm as a mail: plain text in the language of whoever reads it (RFC 5322, RFC 2045, RFC 2047).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::alarm::message::{Message, Sender};
use crate::alarm::words;
use crate::base::time::Wall;
use crate::catalog::AlarmRow;
use crate::config::Mail;

/// Bytes of a text that one encoded word of a header holds: it has 75 characters at most.
const WORD_BYTES_MAX: usize = 45;
/// Bytes that one line of base64 holds.
const LINE_BYTES: usize = 57;

/// The whole mail, lines ended by CR LF. Closed texts, ids of cameras and names of volumes: nothing about persons, no free text.
pub(super) fn text(to: &Mail, sender: &Sender, message: &Message, at: Wall) -> String {
    let (subject, body) = told(sender, message, at);
    let mut lines = vec![
        format!("Date: {}", sender.zone.rfc2822(at)),
        format!("From: Sinetti <{}>", to.from),
        format!("To: {}", to.to.join(",\r\n ")),
        format!("Subject: {}", encoded(&subject)),
        format!("Message-ID: <{}>", id(to, sender, message, at)),
        // Nobody's absence notice answers it (RFC 3834).
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
        String::new(),
    ];
    let chunks = body.as_bytes().chunks(LINE_BYTES);
    lines.extend(chunks.map(|chunk| BASE64.encode(chunk)));
    lines.push(String::new());
    lines.join("\r\n")
}

/// The same for each try, so that a mail that was taken twice is one.
fn id(to: &Mail, sender: &Sender, message: &Message, at: Wall) -> String {
    let domain = to.from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let of_box = sender.box_id;
    match message {
        Message::Raised(row) => format!("raised-{}-{of_box}@{domain}", row.id),
        Message::Cleared(row) => format!("cleared-{}-{of_box}@{domain}", row.id),
        Message::Test => format!("test-{}-{of_box}@{domain}", at.us()),
        Message::Checkpoint { .. } => format!("checkpoint-{}-{of_box}@{domain}", at.us()),
    }
}

/// Subject and body.
fn told(sender: &Sender, message: &Message, at: Wall) -> (String, String) {
    let labels = words::labels(sender.language);
    let (what, lines) = match message {
        Message::Raised(row) => (labels.raised, alarm(sender, row)),
        Message::Cleared(row) => (labels.cleared, alarm(sender, row)),
        Message::Test => (labels.test, vec![labels.test_text.to_owned()]),
        Message::Checkpoint { note } => (
            labels.checkpoint,
            vec![
                labels.checkpoint_text.to_owned(),
                String::new(),
                note.clone(),
            ],
        ),
    };
    let about = match message {
        Message::Raised(row) | Message::Cleared(row) => {
            let (title, _, _) = words::of(row.kind, sender.language);
            format!(": {title} ({})", row.object)
        }
        Message::Test | Message::Checkpoint { .. } => String::new(),
    };
    let subject = format!("[Sinetti] {}: {what}{about}", sender.site);
    let end = format!("{}, {} {}", sender.site, labels.of_box, sender.box_id);
    let when = format!("{}: {}", labels.sent, sender.zone.display(at));
    let body = [lines, vec![String::new(), end, when, String::new()]].concat();
    // What an auditor copies out of it has line breaks of its own.
    (
        subject,
        body.join("\n")
            .lines()
            .map(|line| format!("{line}\r\n"))
            .collect(),
    )
}

fn alarm(sender: &Sender, row: &AlarmRow) -> Vec<String> {
    let labels = words::labels(sender.language);
    let (title, effect, remedy) = words::of(row.kind, sender.language);
    let time = |at: Wall| sender.zone.display(at);
    let mut lines = vec![
        format!("{title}: {}", row.object),
        String::new(),
        format!("{}: {effect}.", labels.effect),
        format!("{}: {remedy}.", labels.remedy),
        String::new(),
        format!("{}: {}", labels.since, time(row.raised)),
    ];
    lines.extend(
        row.cleared
            .map(|at| format!("{}: {}", labels.over, time(at))),
    );
    // What commands, log and ledger call it.
    lines.push(format!(
        "{}: {} {} ({})",
        labels.alarm, row.id, row.kind, row.object
    ));
    lines
}

/// A text in a header (RFC 2047): encoded words, folded.
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD_BYTES_MAX => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::BoxId;
    use crate::base::zone::Zone;
    use crate::catalog::AlarmKind;
    use crate::config::{Language, Security};

    fn row() -> AlarmRow {
        AlarmRow {
            id: 7,
            kind: AlarmKind::CameraLost,
            object: "kassa-1/main".to_owned(),
            detail: "manager1 pulled the plug".to_owned(),
            raised: Wall::from_secs(1_795_446_000),
            acknowledged: Some(Wall::from_secs(1_795_446_001)),
            acknowledged_by: Some("manager1".to_owned()),
            cleared: None,
        }
    }

    fn mail(language: Language, message: &Message) -> (String, String) {
        let to = Mail {
            address: ([127, 0, 0, 1], 25).into(),
            security: Security::Clear,
            login: None,
            from: "sinetti@shop.internal".to_owned(),
            to: vec!["a@shop.example".to_owned(), "b@shop.example".to_owned()],
        };
        let sender = Sender {
            box_id: BoxId::random(),
            site: "Myymälä 1".to_owned(),
            zone: Zone::named("Europe/Helsinki").expect("a zone"),
            language,
        };
        let text = text(&to, &sender, message, Wall::from_secs(1_795_446_009));
        let (head, body) = text.split_once("\r\n\r\n").expect("a body");
        let body = BASE64.decode(body.replace("\r\n", "")).expect("base64");
        (head.to_owned(), String::from_utf8(body).expect("UTF-8"))
    }

    /// The subject as a reader decodes it.
    fn subject(head: &str) -> String {
        let folded = head.split("Subject: ").nth(1).expect("a subject");
        let folded = folded.split("\r\nMessage-ID").next().expect("an end");
        let words = folded.split("\r\n ").map(|word| {
            assert!(word.len() <= 75, "{word}");
            let coded = word
                .strip_prefix("=?UTF-8?B?")
                .and_then(|w| w.strip_suffix("?="));
            let text = BASE64.decode(coded.expect("encoded")).expect("base64");
            String::from_utf8(text).expect("whole characters")
        });
        words.collect()
    }

    #[test]
    fn an_alarm_is_told_in_the_reader_s_language_with_nothing_personal() {
        for (language, title, since) in [
            (
                Language::Fi,
                "kameran kuvaa ei tule",
                "Alkoi: 23.11.2026 17.00.00",
            ),
            (
                Language::Sv,
                "ingen bild från kameran",
                "Började: 23.11.2026 17.00.00",
            ),
            (Language::En, "camera-lost", "Since: 23.11.2026 17.00.00"),
        ] {
            let (head, body) = mail(language, &Message::Raised(row()));
            let subject = subject(&head);
            assert!(subject.starts_with("[Sinetti] Myymälä 1: "), "{subject}");
            assert!(subject.contains(title), "{subject}");
            assert!(body.contains(title) && body.contains(since), "{body}");
            assert!(
                body.contains("kassa-1/main") && body.contains("camera-lost"),
                "{body}"
            );
            assert!(
                !body.contains("manager1") && !body.contains("plug"),
                "{body}"
            );
            assert!(
                head.contains("To: a@shop.example,\r\n b@shop.example"),
                "{head}"
            );
            assert!(
                head.contains("Date: Mon, 23 Nov 2026 17:00:09 +0200"),
                "{head}"
            );
            assert!(head.is_ascii() && head.contains("auto-generated"));
        }
    }

    #[test]
    fn each_kind_has_words_in_each_language_and_no_two_the_same() {
        let all = |language| {
            AlarmKind::ALL
                .iter()
                .map(move |kind| words::of(*kind, language))
        };
        for language in [Language::Fi, Language::Sv, Language::En] {
            let mut titles: Vec<_> = all(language).map(|(title, ..)| title).collect();
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), AlarmKind::ALL.len(), "{language:?}");
        }
        for language in [Language::Fi, Language::Sv] {
            for (theirs, english) in all(language).zip(all(Language::En)) {
                let differs =
                    theirs.0 != english.0 && theirs.1 != english.1 && theirs.2 != english.2;
                assert!(differs, "{english:?}");
            }
        }
    }

    #[test]
    fn a_checkpoint_keeps_its_lines() {
        let note = "origin\n12\nroot\n\n— origin sig\n".to_owned();
        let (_, body) = mail(Language::Fi, &Message::Checkpoint { note });
        assert!(
            body.contains("\r\norigin\r\n12\r\nroot\r\n\r\n— origin sig\r\n"),
            "{body}"
        );
    }
}
