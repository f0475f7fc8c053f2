//! Forms of dates and numbers, and that any text becomes a document.

use super::*;
use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;

fn about(language: Language) -> About {
    About {
        title: "Koe".to_owned(),
        author: "Myymälä 1".to_owned(),
        language,
        made: Wall::from_secs(1_795_446_000),
        foot: "Koe · Myymälä 1".to_owned(),
        id: "1".to_owned(),
    }
}

#[test]
fn dates_numbers_and_sizes_are_written_as_in_each_language() {
    let zone = Zone::named("Europe/Helsinki").expect("zone");
    let at = |text| Wall::parse_rfc3339(text).expect("time");
    let noon = at("2026-11-23T15:45:00Z");
    // The hour that comes twice: both can be told apart.
    let (first, second) = (at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z"));
    let plain = |text: String| text.replace('\u{a0}', " ");
    for (language, day, time, twice, number, size) in [
        (
            Language::Finnish,
            "23.11.2026",
            "23.11.2026 klo 17.45.00 (UTC+02:00)",
            "25.10.2026 klo 03.30.00 (UTC+03:00)",
            "1 234 567",
            "43,2 Gt",
        ),
        (
            Language::Swedish,
            "23.11.2026",
            "23.11.2026 kl. 17.45.00 (UTC+02:00)",
            "25.10.2026 kl. 03.30.00 (UTC+03:00)",
            "1 234 567",
            "43,2 GB",
        ),
        (
            Language::English,
            "23 November 2026",
            "23 November 2026, 17:45:00 (UTC+02:00)",
            "25 October 2026, 03:30:00 (UTC+03:00)",
            "1,234,567",
            "43.2 GB",
        ),
    ] {
        assert_eq!(plain(date(noon, zone, language)), day);
        assert_eq!(plain(instant(noon, zone, language)), time);
        assert_eq!(plain(instant(first, zone, language)), twice);
        assert_ne!(
            instant(first, zone, language),
            instant(second, zone, language)
        );
        assert_eq!(plain(count(1_234_567, language)), number);
        assert_eq!(plain(bytes(43_210_000_000, language)), size);
        let all = Span {
            start: first,
            end: noon,
        };
        assert!(span(all, zone, language).contains(" – "));
        assert_eq!(
            language.as_str().parse::<Language>().expect("known"),
            language
        );
    }
    assert_eq!(plain(bytes(999, Language::English)), "999 B");
    assert_eq!(plain(bytes(1000, Language::Finnish)), "1,0 kt");
    assert_eq!(plain(bytes(u64::MAX, Language::English)), "18.4 EB");
    assert!("de".parse::<Language>().is_err());
}

/// What a writer of documents may be handed: the validator of the library accepts it as PDF/A all the same.
#[test]
fn any_text_becomes_pdf_a() {
    let mut paper = Paper::new(about(Language::Finnish)).expect("paper");
    paper.title("Äiti, ja \u{7}\u{1F600}漢字");
    paper.heading("");
    paper.paragraph(&"pitkä sana ".repeat(400));
    paper.paragraph(&"x".repeat(3000));
    paper.item("Å\u{200b}\nb\tc");
    paper.note("fi ffl ﬁ – —");
    paper.facts(&[("Nimi", "arvo ".repeat(60)), ("", String::new())]);
    let row = |n: usize| vec![format!("rivi {n}"), "9".repeat(n % 90), String::new()];
    paper.table(&Table {
        columns: vec![
            Column::text("Otsikko", 1.0),
            Column::number("Määrä", 1.0),
            Column::text("", 0.5),
        ],
        rows: (0..300).map(row).collect(),
        sum: Some(row(7)),
        remarks: vec!["huomautus".to_owned(), "x".repeat(900)],
    });
    paper.subtitle("alaotsikko");
    let long = Field::new("Perustelu", "sana ".repeat(3000));
    let fields = ["", "arvo", "rivi\nrivi"].map(|value| Field::new("Nimi", value).over(4));
    paper.fields(&[fields.as_slice(), &[long]].concat());
    paper.fields(&[Field::new("", "x".repeat(90)).over(0)]);
    let line = |n: usize| ("Nimi".to_owned(), "pitkä nimi ".repeat(n));
    let signer = || Signer {
        role: "Luovuttaja".to_owned(),
        lines: (0..40).step_by(9).map(line).collect(),
    };
    paper.section("Allekirjoitukset");
    paper.signatures(&[signer(), signer()]);
    paper.code("sinetti/1\n2\n3\n", "koodi").expect("a code");
    paper.attach("a.json", "application/json", "a", b"{}".to_vec());
    assert!(paper.pages.len() > 5, "{}", paper.pages.len());
    let pdf = paper.finish().expect("PDF/A");
    assert!(pdf.starts_with(b"%PDF-1.7"));
    let empty = Paper::wide(about(Language::English)).expect("paper");
    empty.finish().expect("PDF/A");
}

#[test]
fn what_is_kept_together_goes_onto_the_next_page_as_a_whole() {
    let put = |lines: usize| {
        move |paper: &mut Paper| {
            (0..lines).for_each(|n| paper.paragraph(&format!("rivi {n}")));
            Ok(())
        }
    };
    let mut paper = Paper::new(about(Language::Finnish)).expect("paper");
    paper.keep(put(30)).expect("put");
    assert_eq!(paper.pages.len(), 1);
    paper.keep(put(20)).expect("put");
    let inks: Vec<_> = paper.pages.iter().map(Vec::len).collect();
    assert_eq!(inks, [30, 20]);
    // What no page has room for breaks.
    paper.keep(put(60)).expect("put");
    let inks: Vec<_> = paper.pages.iter().map(Vec::len).collect();
    assert_eq!(inks.iter().sum::<usize>(), 110, "nothing twice: {inks:?}");
    assert_eq!(inks[..2], [30, 20]);
}

#[test]
fn a_period_says_once_what_both_ends_have_in_common() {
    let zone = Zone::named("Europe/Helsinki").expect("zone");
    let at = |text| Wall::parse_rfc3339(text).expect("time");
    let of = |from, to, language| {
        let span = Span {
            start: at(from),
            end: at(to),
        };
        period(span, zone, language).replace('\u{a0}', " ")
    };
    let (from, to) = ("2026-11-23T11:15:00Z", "2026-11-23T11:20:07Z");
    for (language, text) in [
        (
            Language::Finnish,
            "23.11.2026 klo 13.15.00–13.20.07 (UTC+02:00)",
        ),
        (
            Language::Swedish,
            "23.11.2026 kl. 13.15.00–13.20.07 (UTC+02:00)",
        ),
        (
            Language::English,
            "23 November 2026, 13:15:00–13:20:07 (UTC+02:00)",
        ),
    ] {
        assert_eq!(of(from, to, language), text);
    }
    // Another offset, another day: both are written whole.
    let night = of(
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z",
        Language::Finnish,
    );
    assert_eq!(
        night,
        "25.10.2026 klo 03.30.00 (UTC+03:00) – 25.10.2026 klo 03.30.00 (UTC+02:00)"
    );
    let midnight = of(
        "2026-11-23T21:59:00Z",
        "2026-11-23T22:01:00Z",
        Language::Finnish,
    );
    assert!(midnight.contains("23.11.2026") && midnight.contains("24.11.2026"));
}

#[test]
fn lines_are_no_wider_than_they_may_be_and_nothing_is_lost() {
    let paper = Paper::new(about(Language::Swedish)).expect("paper");
    let text = "a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh iiiiiiiii jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj k";
    for width in [20, 35, 50, 80, 200, 1000] {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let width = width as f32;
        let weight = font::Weight::Regular;
        let lines = paper.faces.lines(text, weight, 10.0, width);
        for line in &lines {
            assert!(
                paper.faces.width(line, weight, 10.0) <= width + 0.6,
                "{line}"
            );
        }
        let joined: String = lines.concat().replace(' ', "");
        assert_eq!(joined, text.replace(' ', ""));
    }
}

#[test]
fn a_text_that_is_too_long_for_a_code_is_an_error() {
    let mut paper = Paper::new(about(Language::English)).expect("paper");
    assert!(paper.code(&"x".repeat(5000), "").is_err());
}
