//! The deletion certificate: by our own check, and read back as a document by tools that share nothing with ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sinetti::base::time::{Span, Wall};
use sinetti::catalog::{Catalog, Event};
use sinetti::document::Language;
use sinetti::evidence::certificate::{self, Asked, Certificate, Checked, EntryLine};

use crate::plant::{DAY, HOUR, MINUTE, Own, Plant, T0};
use crate::support::{Ran, ran};

/// Two cameras, three sweeps, one of them early, and a scan; signed.
fn shop() -> Own {
    let own = Own::new();
    let plant = &own.plant;
    plant.record("kassa/main", T0, 60, 10, 4000);
    plant.record("ovi/main", T0, 60, 6, 4000);
    plant.keep("kassa/main", HOUR);
    plant.keep("ovi/main", DAY);
    for minutes in [63, 66, 120] {
        plant.set_clock(T0.plus_us(minutes * MINUTE));
        plant.sweep();
    }
    plant.set_clock(T0.plus_us(2 * DAY));
    plant.sweep();
    let scan = |n: i64| {
        let facts = json!({ "files": 7 + n, "deleted": 0, "told": 0, "overdue": 0 });
        Event::of_box(T0.plus_us(n * DAY), "over-age", "levy-1", facts)
    };
    for n in 0..3 {
        plant.catalog.commit(Vec::new(), scan(n)).expect("noted");
    }
    plant.catalog.close().expect("closed");
    let (state, box_id) = (&plant.state, plant.state.box_id);
    let signing = Catalog::open_signing(&state.catalog_path(), box_id, state.signer());
    let signing = signing.expect("catalog");
    signing.commit(Vec::new(), scan(3)).expect("noted");
    signing.close().expect("signed");
    own
}

fn make(plant: &Plant, from: Wall, to: Wall, cameras: &[&str]) -> (Certificate, Value) {
    let cameras: Vec<_> = cameras.iter().map(|id| id.parse().expect("id")).collect();
    let made = certificate::gather(
        &plant.reader(),
        &Asked {
            box_id: plant.state.box_id,
            key: plant.state.key().expect("key"),
            site: "Myymälä 1",
            zone: "Europe/Helsinki",
            period: Span {
                start: from,
                end: to,
            },
            cameras: &cameras,
            now: T0.plus_us(4 * DAY),
            lines_bytes_max: certificate::LINES_BYTES_MAX,
        },
    )
    .expect("gathered");
    let (document, _) = made
        .sign(&plant.state.signer().expect("signer"))
        .expect("signed");
    (made, document)
}

fn lines(checked: &Checked) -> Vec<(String, String, u64)> {
    let lines = checked.summary.lines.iter();
    lines
        .map(|l| (l.stream.clone(), l.rule.clone(), l.segments))
        .collect()
}

#[test]
fn what_was_deleted_adds_up_and_anything_altered_is_found() {
    let own = shop();
    let plant = &own.plant;
    let (made, document) = make(plant, T0, T0.plus_us(3 * DAY), &[]);
    let checked = certificate::check(&document).expect("holds");
    assert_eq!(checked.key, plant.state.key().expect("key"));
    let line = |stream: &str, n| (stream.to_owned(), "expired".to_owned(), n);
    assert_eq!(
        lines(&checked),
        [line("kassa/main", 10), line("ovi/main", 6)]
    );
    assert_eq!((checked.summary.sweeps, checked.summary.holes), (4, 0));
    assert_eq!(checked.summary.days.len(), 2);
    assert_eq!(checked.summary.scans.len(), 1, "the last of the volume");
    assert_eq!(checked.summary.scans[0].files, 10);
    assert!(made.kept.iter().all(|kept| kept.overdue == 0));

    // Half of it, and one camera: what there is of it is the same entries.
    let (_, half) = make(plant, T0, T0.plus_us(65 * MINUTE), &["kassa"]);
    let half = certificate::check(&half).expect("holds");
    assert_eq!(half.summary.sweeps, 1);
    assert_eq!(lines(&half).len(), 1);
    let (_, other) = make(plant, T0, T0.plus_us(3 * DAY), &["ovi"]);
    let other = certificate::check(&other).expect("holds");
    assert_eq!(
        (lines(&other), other.summary.sweeps),
        (vec![line("ovi/main", 6)], 4)
    );

    // Signed by the box itself: whatever entry is left out, changed or put in, the log does not have it so.
    let signer = plant.state.signer().expect("signer");
    let refused = |change: &dyn Fn(&mut Vec<EntryLine>)| {
        let mut bad = made.clone();
        change(&mut bad.epochs[0].entries);
        let (document, _) = bad.sign(&signer).expect("signed");
        certificate::check(&document).expect_err("altered");
    };
    refused(&|entries| drop(entries.remove(1)));
    refused(&|entries| entries[0].line = entries[0].line.replace("kassa/main", "ovi__/main"));
    refused(&|entries| entries.swap(0, 1));
    refused(&|entries| {
        let again = entries[0].clone();
        entries.insert(0, again);
    });
    // And whatever is changed afterwards, the signature.
    let text = document.to_string();
    for at in (0..text.len()).step_by(text.len() / 211 + 1) {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        if let Ok(changed) = serde_json::from_slice::<Value>(&changed) {
            let opened = certificate::check(&changed).ok();
            assert!(opened.is_none_or(|c| c.certificate == made), "byte {at}");
        }
    }
}

#[test]
fn a_period_that_is_not_over_or_has_nothing_is_said_so() {
    let own = shop();
    let plant = &own.plant;
    let (made, document) = make(plant, T0.plus_us(-DAY), T0.plus_us(-HOUR), &[]);
    let checked = certificate::check(&document).expect("holds");
    assert_eq!((checked.summary.sweeps, checked.summary.root), (0, None));
    assert!(made.epochs[0].entries.len() == 4, "scans since then");
    let pdf = certificate::paper(&checked, &document, Language::Finnish).expect("PDF");
    assert!(pdf.starts_with(b"%PDF"));
    for (from, to) in [(0, 5 * DAY), (HOUR, HOUR), (2, 1)] {
        let asked = Asked {
            box_id: plant.state.box_id,
            key: plant.state.key().expect("key"),
            site: "Myymälä 1",
            zone: "Europe/Helsinki",
            period: Span {
                start: T0.plus_us(from),
                end: T0.plus_us(to),
            },
            cameras: &[],
            now: T0.plus_us(4 * DAY),
            lines_bytes_max: certificate::LINES_BYTES_MAX,
        };
        certificate::gather(&plant.reader(), &asked).expect_err("refused");
    }
}

fn tool(name: &str, args: &[&Path]) -> Ran {
    ran(Command::new(name).args(args))
}

#[test]
fn other_tools_read_the_document_its_code_and_the_original_in_it() {
    let own = shop();
    let plant = &own.plant;
    let (_, document) = make(plant, T0, T0.plus_us(3 * DAY), &[]);
    let checked = certificate::check(&document).expect("holds");
    let at = |name: &str| own.folder.path().join(name);
    for (language, words) in [
        (
            Language::Finnish,
            [
                "Poistotodistus",
                "Mitä tämä todistus ei osoita",
                "säilytysaika päättyi",
            ],
        ),
        (
            Language::Swedish,
            [
                "Raderingsintyg",
                "Vad detta intyg inte visar",
                "lagringstiden gick ut",
            ],
        ),
        (
            Language::English,
            [
                "Deletion certificate",
                "What this certificate does not prove",
                "time was over",
            ],
        ),
    ] {
        let pdf = certificate::paper(&checked, &document, language).expect("PDF");
        let path = at(&format!("{language}.pdf"));
        fs::write(&path, &pdf).expect("written");
        tool("qpdf", &[Path::new("--check"), &path]).ok();
        let text = read(&path);
        let box_id = plant.state.box_id.to_string();
        let fingerprint = checked.key.fingerprint();
        let (sha256, root) = (
            checked.sha256.to_string(),
            checked.summary.root.expect("root").to_string(),
        );
        let wanted = [
            &box_id,
            &fingerprint,
            &sha256,
            &root,
            &checked.checkpoints[0].root.to_string(),
        ];
        for field in wanted.into_iter().map(String::as_str).chain(words).chain([
            "Myymälä 1",
            "levy-1",
            "kassa",
        ]) {
            let plain = |text: &str| text.split_whitespace().collect::<String>();
            assert!(
                plain(&text).contains(&plain(field)),
                "{language}: {field}\n{text}"
            );
        }
        assert_eq!(original(&path), document, "the original is in it");
    }
    the_code_is_the_checkpoint(&own, &checked);
}

fn the_code_is_the_checkpoint(own: &Own, checked: &Checked) {
    let at = |name: &str| own.folder.path().join(name);
    let (pdf, picture) = (at("fi.pdf"), at("page"));
    ran(Command::new("pdftoppm")
        .args(["-r", "150", "-png"])
        .arg(&pdf)
        .arg(&picture))
    .ok();
    let scanned: String = fs::read_dir(own.folder.path())
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "png"))
        .map(|path| ran(Command::new("zbarimg").args(["-q", "--raw"]).arg(path)).stdout)
        .collect();
    let note = &checked.certificate.epochs[0].checkpoint;
    assert!(scanned.contains(note.trim_end()), "{scanned}");
}

fn read(pdf: &PathBuf) -> String {
    ran(Command::new("pdftotext").arg("-layout").arg(pdf).arg("-")).ok()
}

/// The attachment of a PDF.
fn original(pdf: &Path) -> Value {
    let mut show = Command::new("qpdf");
    let text = ran(show.arg("--show-attachment=certificate.json").arg(pdf)).ok();
    serde_json::from_str(&text).expect("JSON")
}
