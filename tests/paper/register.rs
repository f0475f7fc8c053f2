//! The register as CSV and PDF.

use std::fs;
use std::process::Command;

use sinetti::base::hash::Digest;
use sinetti::base::time::Wall;
use sinetti::base::zone::Zone;
use sinetti::catalog::{DisclosureKind, DisclosureState};
use sinetti::disclosure::paper::{Filter, Register, RegisterLine};
use sinetti::document::Language;

use crate::sample::{at, span};
use crate::tools::{Document, plain, ran};

fn line(n: usize) -> RegisterLine {
    let day = |days: i64| at("2026-11-24T08:30:00Z").plus_us(days * 86_400_000_000);
    RegisterLine {
        serial: Some(format!("2026-{n:04}")),
        kind: DisclosureKind::ALL[n % DisclosureKind::ALL.len()],
        state: DisclosureState::ALL[n % DisclosureState::ALL.len()],
        requested: Some(day(0)),
        asked_by: Some("manager1".to_owned()),
        recipient: Some("Helsingin poliisilaitos, officer1".to_owned()),
        case: Some("5500/R/12345/26".to_owned()),
        basis: Some("Poliisilaki 4 luku 3 §".to_owned()),
        purpose: Some("Rikosten selvittäminen".to_owned()),
        decided: Some(day(1)),
        decided_by: vec!["controller1".to_owned(), "controller2".to_owned()],
        handed_over: Some(day(2)),
        received: Some(day(3)),
        destroyed: Some(day(4)),
        manifest: Some(Digest::sha256(&[&n.to_le_bytes()])),
        reviewed: Some(day(5)),
        cameras: vec![
            (
                "Kassa 1".to_owned(),
                "kassa-1".to_owned(),
                span("2026-11-23T11:14:58Z", "2026-11-23T11:20:00Z"),
            ),
            (
                "Piha".to_owned(),
                "piha-1".to_owned(),
                span("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ),
        ],
    }
}

fn register(language: Language, lines: Vec<RegisterLine>) -> Register {
    Register {
        language,
        made: at("2026-11-30T10:00:00Z"),
        made_by: Some("auditor1".to_owned()),
        site: "Myymälä 1".to_owned(),
        zone: Zone::named("Europe/Helsinki").expect("zone"),
        filters: vec![
            (Filter::Camera, "kassa-1".to_owned()),
            (Filter::Recipient, "poliisi".to_owned()),
        ],
        searched: 1207,
        entries: 48_212,
        intact: true,
        found: lines.len() as u64,
        lines,
    }
}

/// As Python's csv reads it, in the dialect of the language.
fn read_back(register: &Register) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("register.csv");
    fs::write(&path, register.csv()).expect("written");
    let mark = match register.language {
        Language::English => ",",
        Language::Finnish | Language::Swedish => ";",
    };
    let program = "import csv, json, sys
with open(sys.argv[1], newline='', encoding='utf-8-sig') as f:
    print(json.dumps(list(csv.reader(f, delimiter=sys.argv[2], strict=True))))";
    let text = ran(Command::new("python3")
        .args(["-c", program])
        .arg(&path)
        .arg(mark));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn another_program_reads_the_same_cells() {
    for (language, head) in [
        (Language::Finnish, ["Numero", "Laji", "Tila", "Pyydetty"]),
        (Language::Swedish, ["Nummer", "Slag", "Läge", "Begärt"]),
        (Language::English, ["Number", "Kind", "State", "Requested"]),
    ] {
        let register = register(language, (0..9).map(line).collect());
        let csv = register.csv();
        assert!(
            csv.starts_with("\u{feff}\"".as_bytes()),
            "a byte order mark"
        );
        let rows = read_back(&register);
        assert_eq!(rows.len(), 1 + 9 * 2, "a line for each camera");
        assert_eq!(rows[0][..4], head);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        assert_eq!(rows[1][0], "2026-0000");
        let piha = &rows[2];
        assert_eq!(
            piha[9..13],
            [
                "Piha",
                "piha-1",
                "2026-10-25T03:30:00.000+03:00",
                "2026-10-25T03:30:00.000+02:00"
            ]
        );
        assert_eq!(piha[14], "controller1, controller2");
        assert_eq!(
            piha[19],
            Digest::sha256(&[&0_usize.to_le_bytes()]).to_string()
        );
    }
}

#[test]
fn no_cell_is_a_formula_and_quotes_come_through() {
    let texts = [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "a;b,\"c\"\r\nd",
        "tavallinen =1",
        "",
        "'=1",
    ];
    for language in Language::ALL {
        let lines = texts.map(|text| RegisterLine {
            recipient: Some(text.to_owned()),
            purpose: Some(text.to_owned()),
            decided_by: vec![text.to_owned()],
            cameras: Vec::new(),
            ..line(1)
        });
        let rows = read_back(&register(language, lines.to_vec()));
        for (row, text) in rows[1..].iter().zip(texts) {
            let wanted = match text.chars().next() {
                Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{text}"),
                _ => text.to_owned(),
            };
            for cell in [&row[5], &row[8], &row[14]] {
                assert_eq!(*cell, wanted);
            }
        }
    }
}

#[test]
fn what_was_asked_and_found_is_on_paper() {
    for (language, words) in [
        (
            Language::Finnish,
            [
                "Luovutusrekisteri",
                "Kamera: kassa-1",
                "1 207",
                "48 212 kirjausta, ketju eheä",
            ],
        ),
        (
            Language::Swedish,
            [
                "Register över utlämnanden",
                "Mottagare: poliisi",
                "1 207",
                "kedjan är hel",
            ],
        ),
        (
            Language::English,
            [
                "Register of disclosures",
                "Recipient: poliisi",
                "1,207",
                "chain intact",
            ],
        ),
    ] {
        let mut of = register(language, (0..60).map(line).collect());
        // More cameras than a page has lines.
        let camera = of.lines[7].cameras[0].clone();
        of.lines[7].cameras = vec![camera; 64];
        let document = Document::new(
            &format!("register-{language}.pdf"),
            &of.pdf().expect("PDF/A"),
        );
        let text = plain(&document.text());
        for word in words {
            assert!(text.contains(&plain(word)), "{word}\n{text}");
        }
        for line in &of.lines {
            assert!(text.contains(line.serial.as_deref().expect("serial")));
        }
        assert_eq!(text.matches("Kassa1").count(), 59 + 64);
        let info = ran(Command::new("pdfinfo").arg(&document.path));
        assert!(info.contains("841.89 x 595.28"), "on its side: {info}");
        let pages = document.pages();
        for (number, page) in (1..).zip(&pages) {
            let wanted = format!("{number}/{}", pages.len());
            assert!(plain(page).ends_with(&wanted), "{page}");
        }
    }
}

#[test]
fn nothing_found_and_a_broken_chain_are_said() {
    let mut of = register(Language::Finnish, Vec::new());
    of.filters.clear();
    let document = Document::new("register-none.pdf", &of.pdf().expect("PDF/A"));
    let text = document.text();
    for words in ["ei rajausta", "Rajaukseen osuvia luovutuksia ei ole"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("HUOM"));
    of.intact = false;
    of.lines = vec![line(1)];
    of.found = 2;
    let document = Document::new("register-broken.pdf", &of.pdf().expect("PDF/A"));
    let text = document.text();
    assert!(text.contains("KETJU EI OLE EHEÄ"), "{text}");
    assert!(
        plain(&text).contains(&plain("vain 1 luovutusta löytyneistä 2")),
        "{text}"
    );
    let bare = RegisterLine {
        serial: None,
        requested: None,
        asked_by: None,
        recipient: None,
        case: None,
        basis: None,
        purpose: None,
        decided: None,
        decided_by: Vec::new(),
        handed_over: None,
        received: None,
        destroyed: None,
        manifest: None,
        reviewed: None,
        cameras: Vec::new(),
        ..line(0)
    };
    of.made = Wall(0);
    of.lines = vec![bare];
    let document = Document::new("register-bare.pdf", &of.pdf().expect("PDF/A"));
    assert!(document.text().matches('–').count() >= 5);
}
