//! A disclosure with every value there is.

use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use sinetti::base::hash::Digest;
use sinetti::base::id::{BoxId, HoldId};
use sinetti::base::time::{Span, Wall};
use sinetti::base::zone::Zone;
use sinetti::catalog::{DisclosureKind, GapCause};
use sinetti::disclosure::paper::*;
use sinetti::document::Language;
use sinetti::ledger::checkpoint::{Checkpoint, Signer};

pub(crate) fn at(text: &str) -> Wall {
    Wall::parse_rfc3339(text).expect("a time")
}

pub(crate) fn span(from: &str, to: &str) -> Span {
    Span {
        start: at(from),
        end: at(to),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn proof() -> Proof {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    let signer = Signer::from_pkcs8(pkcs8.as_ref()).expect("a key");
    let checkpoint = Checkpoint {
        box_id: BoxId::random(),
        epoch: 1,
        size: 48_212,
        root: Digest::sha256(&[b"root"]),
    };
    let note = signer.sign(&checkpoint).expect("signed");
    Proof {
        box_id: checkpoint.box_id,
        key: signer.key(),
        manifest: Some(Digest::sha256(&[b"manifest"])),
        entry: Some(48_207),
        checkpoint: Some((note, checkpoint)),
    }
}

/// A till and a door on an ordinary day, with a gap; a yard over both hours of the night when the clocks go back.
fn cameras() -> Vec<Camera> {
    let day = span("2026-11-23T11:15:00Z", "2026-11-23T11:20:00Z");
    vec![
        Camera {
            id: "kassa-1".to_owned(),
            name: "Kassa 1".to_owned(),
            area: some("Kassat"),
            asked: day,
            given: Some(span("2026-11-23T11:14:58.240Z", "2026-11-23T11:20:00.960Z")),
            absent: Vec::new(),
            losses: Some(Losses::default()),
            clock: Some(Clock {
                synchronised: true,
                error_us_max: 11_200,
                camera_offset_ms: Some((-340, -310)),
                uncertain: false,
            }),
        },
        Camera {
            id: "ovi".to_owned(),
            name: "Ulko-ovi".to_owned(),
            area: None,
            asked: day,
            given: Some(span("2026-11-23T11:14:59.100Z", "2026-11-23T11:20:01.500Z")),
            absent: vec![Absent {
                span: span("2026-11-23T11:17:03Z", "2026-11-23T11:17:41Z"),
                why: GapCause::ConnectFailed.as_str().to_owned(),
            }],
            losses: Some(Losses {
                packets_lost: 12,
                corrupt_units: 2,
                discontinuities: 1,
                damaged: 0,
            }),
            clock: Some(Clock {
                synchronised: false,
                error_us_max: 0,
                camera_offset_ms: None,
                uncertain: true,
            }),
        },
        Camera {
            id: "piha-1".to_owned(),
            name: "Piha".to_owned(),
            area: some("Lastauspiha"),
            asked: span("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            given: Some(span("2026-10-25T00:29:59Z", "2026-10-25T01:30:01Z")),
            absent: vec![Absent {
                span: span("2026-10-25T01:10:00Z", "2026-10-25T01:12:00Z"),
                why: "deleted expired".to_owned(),
            }],
            losses: None,
            clock: None,
        },
    ]
}

pub(crate) fn file(n: usize) -> File {
    File {
        name: format!("kassa-1_till_20261123T13{n:02}00+0200.mp4"),
        span: Some(span("2026-11-23T11:14:58.240Z", "2026-11-23T11:20:00.960Z")),
        bytes: 151_204_345 + n as u64,
        sha256: Digest::sha256(&[&n.to_le_bytes()]),
        note: None,
    }
}

fn ground() -> Ground {
    Ground {
        basis: some(
            "Poliisin oikeus saada tietoja päällystöön kuuluvan poliisimiehen pyynnöstä: poliisilaki (872/2011) 4 luku 3 §; yleinen tietosuoja-asetus (EU) 2016/679, 6 artiklan 1 kohdan c alakohta",
        ),
        version: some("2026-11-01"),
        purpose: some("Rikosten selvittäminen"),
        necessity: some(
            "Kassalta on varastettu lompakko kello 13.15 ja 13.20 välillä. Tekijä näkyy vain näissä kameroissa.",
        ),
        secret: true,
        secret_reason: some("tutkinnanjohtaja, 31.1.2027 asti"),
        hold: Some(HoldId(123_456)),
    }
}

fn delivery(kind: DisclosureKind) -> Delivery {
    Delivery {
        medium: some("USB-muisti"),
        encrypted: kind.has_file().then_some(true),
        encryption: kind.has_file().then(|| "salasana puhelimitse".to_owned()),
        by: some("manager2"),
        to: some("officer2"),
        identity: some("henkilökortti"),
        at: Some(at("2026-11-24T08:30:00Z")),
        receipt: Some(at("2026-11-24T08:31:00Z")),
        destroy_by: Some(at("2026-12-08T08:30:00Z")),
    }
}

pub(crate) fn document(kind: DisclosureKind, language: Language) -> HandoverDocument {
    let subject = kind == DisclosureKind::AccessRequest;
    HandoverDocument {
        language,
        kind,
        serial: some("2026-0042"),
        made: at("2026-11-24T08:12:00Z"),
        house: House {
            site: "Myymälä 1".to_owned(),
            zone: Zone::named("Europe/Helsinki").expect("zone"),
            controller: some("Säätiö sr\nEsimerkkikatu 1, 00100 Helsinki"),
            contact: some("tietosuoja@example.fi\n010 000 0000"),
        },
        request: Request {
            received: Some(at("2026-11-23T13:05:00Z")),
            channel: some("sähköposti"),
            case: some("5500/R/12345/26"),
            appearance: subject.then(|| "punainen takki, musta reppu".to_owned()),
            recorded_by: some("manager1"),
        },
        recipient: Recipient {
            sort: (!subject).then(|| "poliisi".to_owned()),
            organisation: (!subject).then(|| "Helsingin poliisilaitos".to_owned()),
            unit: (!subject).then(|| "Päivittäisrikostorjunta".to_owned()),
            person: some("officer1"),
            rank: (!subject).then(|| "rikoskomisario".to_owned()),
            contact: some("officer1@example.fi, 029 000 0000"),
            identified: some("virkamerkki"),
            identified_by: some("manager2"),
        },
        ground: ground(),
        decision: Some(Decision {
            granted: true,
            by: vec!["controller1".to_owned(), "controller2".to_owned()],
            at: at("2026-11-24T08:01:00Z"),
            why: some("Pyyntö on yksilöity ja koskee vain tarpeellista aikaa."),
        }),
        cameras: cameras(),
        files: if kind.has_file() {
            vec![file(14), file(17)]
        } else {
            Vec::new()
        },
        delivery: delivery(kind),
        proof: proof(),
        told: subject.then(|| Told {
            purposes: vec![
                "omaisuuden suojaaminen".to_owned(),
                "rikosten selvittäminen".to_owned(),
            ],
            keep_s: Some(14 * 86_400),
            recipients: some("Poliisi"),
            officer: some("officer3"),
        }),
    }
}
