//! The handover document.

use sinetti::catalog::DisclosureKind;
use sinetti::disclosure::paper::HandoverDocument;
use sinetti::document::Language;

use crate::sample::{self, file};
use crate::tools::{Document, plain};

/// Every value of the sample that must be found on paper, whatever the language.
fn values(of: &HandoverDocument) -> Vec<String> {
    let (proof, request, to) = (&of.proof, &of.request, &of.recipient);
    let checkpoint = &proof.checkpoint.as_ref().expect("checkpoint").1;
    let mut values = vec![
        proof.box_id.to_string(),
        proof.key.fingerprint(),
        checkpoint.root.to_string(),
        "+02:00".to_owned(),
        "+03:00".to_owned(),
        "123456".to_owned(),
        "2026-11-01".to_owned(),
    ];
    let texts = [
        &of.serial,
        &request.channel,
        &request.case,
        &request.recorded_by,
        &to.organisation,
        &to.unit,
        &to.person,
        &to.rank,
        &to.contact,
        &to.identified,
        &to.identified_by,
        &of.ground.basis,
        &of.ground.secret_reason,
        &request.appearance,
        &to.sort,
        &of.delivery.identity,
        &of.delivery.encryption,
        &of.delivery.medium,
        &of.ground.purpose,
        &of.ground.necessity,
        &of.delivery.by,
        &of.delivery.to,
    ];
    values.extend(texts.into_iter().flatten().cloned());
    let decision = of.decision.as_ref().expect("decision");
    values.extend(decision.by.clone());
    values.extend(decision.why.clone());
    let house = &of.house;
    values.push(house.site.clone());
    for text in [&house.controller, &house.contact].into_iter().flatten() {
        values.extend(text.lines().map(str::to_owned));
    }
    for camera in &of.cameras {
        values.extend([camera.id.clone(), camera.name.clone()]);
        values.extend(camera.area.clone());
        let given = camera.given.expect("given");
        for at in [camera.asked.start, camera.asked.end, given.start, given.end] {
            values.push(at.rfc3339());
        }
    }
    if of.kind.has_file() {
        values.push(proof.manifest.expect("manifest").to_string());
        values.push("AES-256".to_owned());
    }
    for file in &of.files {
        values.extend([file.name.clone(), file.sha256.to_string()]);
    }
    if let Some(told) = &of.told {
        values.extend(told.purposes.clone());
        values.extend(told.recipients.clone());
        values.extend(told.officer.clone());
    }
    values
}

/// Words that only this kind's document has, by language.
fn own_words(kind: DisclosureKind) -> [&'static str; 3] {
    match kind {
        DisclosureKind::AuthorityRequest => [
            "viranomaiselle sen pyynnöstä",
            "till en myndighet på dess begäran",
            "handed to an authority at its request",
        ],
        DisclosureKind::OwnInitiative => [
            "rekisterinpitäjän aloitteesta",
            "på den personuppgiftsansvariges initiativ",
            "on the controller's own initiative",
        ],
        DisclosureKind::Seizure => ["takavarikkoa", "beslag", "for seizure"],
        DisclosureKind::Viewing => [
            "Katselupöytäkirja",
            "Visningsprotokoll",
            "Record of viewing",
        ],
        DisclosureKind::Oral => [
            "Pöytäkirja suullisesta tiedosta",
            "Protokoll över muntlig uppgift",
            "Record of oral information",
        ],
        DisclosureKind::AccessRequest => [
            "Tietosuojavaltuutetun toimisto, PL 800, 00531 Helsinki",
            "Dataombudsmannens byrå",
            "Office of the Data Protection Ombudsman",
        ],
        DisclosureKind::Internal => ["esimiehelle", "till en chef", "to a supervisor"],
        DisclosureKind::Maintenance => ["virhehälytyksen", "falskt larm", "false alarm"],
    }
}

#[test]
fn every_value_is_on_paper_in_each_language_and_for_each_kind() {
    for kind in DisclosureKind::ALL {
        for (place, language) in Language::ALL.into_iter().enumerate() {
            let of = sample::document(*kind, language);
            let pdf = of.pdf().expect("PDF/A");
            let document = Document::new(&format!("handover-{kind:?}-{language}.pdf"), &pdf);
            let text = document.text();
            for value in values(&of) {
                assert!(
                    plain(&text).contains(&plain(&value)),
                    "{kind:?} {language}: {value}\n{text}"
                );
            }
            for (other, words) in own_words(*kind).into_iter().enumerate() {
                let found = plain(&text).contains(&plain(words));
                assert_eq!(
                    found,
                    other == place,
                    "{kind:?} {language}: {words}\n{text}"
                );
            }
            let times = match language {
                Language::Finnish => ["24.11.2026 klo 10.30.00", "25.10.2026 klo 03.30.00"],
                Language::Swedish => ["24.11.2026 kl. 10.30.00", "25.10.2026 kl. 03.30.00"],
                Language::English => ["24 November 2026, 10:30:00", "25 October 2026, 03:30:00"],
            };
            for time in times {
                assert!(plain(&text).contains(&plain(time)), "{time}\n{text}");
            }
        }
    }
}

#[test]
fn a_scanner_reads_the_code() {
    let of = sample::document(DisclosureKind::AuthorityRequest, Language::Finnish);
    let document = Document::new("code.pdf", &of.pdf().expect("PDF/A"));
    let codes = document.codes();
    let wanted = of.scanned();
    assert_eq!(codes.trim_end(), wanted.trim_end());
    let lines: Vec<&str> = codes.lines().collect();
    assert_eq!(lines[..2], ["sinetti handover 1", "2026-0042"]);
    assert_eq!(lines[2], of.proof.key.fingerprint());
    // The rest is the checkpoint, as the ledger's own check reads it.
    let note = codes.splitn(5, '\n').last().expect("note");
    let note = format!("{}\n", note.trim_end());
    let read = sinetti::ledger::checkpoint::Checkpoint::open(&note, of.proof.key);
    assert_eq!(read.expect("signed"), of.proof.checkpoint.expect("one").1);
}

#[test]
fn each_page_says_which_it_is_and_of_what() {
    let mut of = sample::document(DisclosureKind::AuthorityRequest, Language::Finnish);
    of.files = (0..40).map(file).collect();
    of.recipient.person = Some("Hyvin Pitkä Nimi ".repeat(8));
    of.recipient.organisation = Some("Organisaatio".repeat(20));
    of.ground.necessity = Some("Pykälän teksti jatkuu. ".repeat(300));
    let document = Document::new("long.pdf", &of.pdf().expect("PDF/A"));
    let pages = document.pages();
    assert!(pages.len() > 4, "{}", pages.len());
    for (number, page) in (1..).zip(&pages) {
        let foot = page.trim_end().lines().last().expect("a foot");
        assert!(foot.contains("2026-0042"), "{foot}");
        let wanted = format!("{number}/{}", pages.len());
        assert!(plain(foot).ends_with(&wanted), "{foot}");
    }
    let text = plain(&pages.concat());
    for file in &of.files {
        let one = format!("SHA-256{}", file.sha256);
        assert_eq!(text.matches(&one).count(), 1, "{one}");
    }
    // Where people sign is on one page, with its heading.
    let signed = pages
        .iter()
        .find(|p| p.contains("Kuittaus ja allekirjoitukset"));
    let signed = signed.expect("a page to sign on");
    assert_eq!(signed.matches("Paikka ja aika").count(), 2);
    assert_eq!(signed.matches("Nimenselvennys").count(), 2);
}

#[test]
fn what_is_not_known_is_a_dash() {
    for kind in DisclosureKind::ALL {
        let full = sample::document(*kind, Language::Finnish);
        let bare = HandoverDocument {
            serial: None,
            request: Default::default(),
            recipient: Default::default(),
            ground: Default::default(),
            decision: None,
            files: Vec::new(),
            delivery: Default::default(),
            cameras: Vec::new(),
            told: full.told.as_ref().map(|_| Default::default()),
            ..full
        };
        let document = Document::new(&format!("bare-{kind:?}.pdf"), &bare.pdf().expect("PDF/A"));
        let text = document.text();
        let dashes = text.matches('–').count();
        assert!(dashes >= 14, "{dashes}\n{text}");
        assert!(text.contains("Päätöstä ei ole tehty"), "{text}");
        for name in ["Tutkinta- tai asianumero", "Käyttötarkoitus", "Päättäjä"] {
            assert!(text.contains(name), "{name}\n{text}");
        }
    }
}
