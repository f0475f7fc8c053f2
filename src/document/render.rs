//! From what was put on paper to PDF/A-3u: archival, text that can be searched and copied, fonts embedded.

use krilla::color::luma;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};

use crate::base::error::{Error, Kind, Result};
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::document::font::Weight;
use crate::document::page::{About, Ink, Paper, SMALL, Tone};

/// How far above the end of the page the line above the foot is.
const FOOT: f32 = 52.0;

fn fault(text: impl std::fmt::Display) -> Error {
    Error::new(Kind::Internal, format!("writing a PDF: {text}"))
}

pub(super) fn render(paper: &Paper) -> Result<Vec<u8>> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_U)
        .finish()
        .map_err(|e| fault(format!("{e:?}")))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    document.set_metadata(metadata(&paper.about));
    for attached in &paper.attachments {
        let file = EmbeddedFile {
            path: attached.name.clone(),
            mime_type: MimeType::new(attached.kind),
            description: Some(attached.about.clone()),
            association_kind: AssociationKind::Source,
            data: attached.bytes.clone().into(),
            modification_date: Some(moment(paper.about.made)),
            compress: Some(true),
            location: None,
        };
        document
            .embed_file(file)
            .ok_or_else(|| fault("two attachments of one name"))?;
    }
    let count = paper.pages.len();
    for (number, inks) in (1..).zip(&paper.pages) {
        let size = PageSettings::from_wh(paper.sheet.width, paper.sheet.height)
            .ok_or_else(|| fault("the page"))?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for ink in inks {
            draw(&mut surface, paper, ink)?;
        }
        foot(&mut surface, paper, &format!("{number} / {count}"))?;
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|e| fault(format!("{e:?}")))
}

fn metadata(about: &About) -> Metadata {
    Metadata::new()
        .title(about.title.clone())
        .authors(vec![about.author.clone()])
        .creator(format!("Sinetti {}", env!("CARGO_PKG_VERSION")))
        .language(about.language.as_str().to_owned())
        .creation_date(moment(about.made))
        .document_id(about.id.clone())
}

fn moment(at: Wall) -> DateTime {
    let text = Zone::UTC.rfc3339(at);
    let part = |from, to| {
        text.get(from..to)
            .and_then(|part: &str| part.parse::<u16>().ok())
            .unwrap_or_default()
    };
    let small = |from, to| u8::try_from(part(from, to)).unwrap_or_default();
    DateTime::new(part(0, 4))
        .month(small(5, 7))
        .day(small(8, 10))
        .hour(small(11, 13))
        .minute(small(14, 16))
        .second(small(17, 19))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn shade(lightness: u8) -> Fill {
    Fill {
        paint: luma::Color::new(lightness).into(),
        opacity: NormalizedF32::ONE,
        rule: krilla::paint::FillRule::default(),
    }
}

fn draw(surface: &mut Surface<'_>, paper: &Paper, ink: &Ink) -> Result<()> {
    match ink {
        Ink::Text {
            x,
            y,
            size,
            weight,
            tone,
            text,
        } => {
            surface.set_fill(Some(shade(match tone {
                Tone::Black => 0,
                Tone::Grey => 90,
            })));
            write(surface, paper, (*x, *y), (*size, *weight), text);
            Ok(())
        }
        Ink::Rule {
            x,
            y,
            width,
            strong,
        } => {
            let (lightness, thick) = if *strong { (60, 0.8) } else { (190, 0.4) };
            surface.set_fill(Some(shade(lightness)));
            squares(surface, &[(*x, *y, *width, thick)])
        }
        Ink::Squares(all) => {
            surface.set_fill(Some(shade(0)));
            squares(surface, all)
        }
    }
}

fn write(
    surface: &mut Surface<'_>,
    paper: &Paper,
    (x, y): (f32, f32),
    (size, weight): (f32, Weight),
    text: &str,
) {
    let shaped = paper.faces.shape(text, weight);
    let font = paper.faces.font(weight);
    surface.draw_glyphs(
        Point::from_xy(x, y),
        &shaped.glyphs,
        font,
        text,
        size,
        false,
    );
}

fn squares(surface: &mut Surface<'_>, all: &[(f32, f32, f32, f32)]) -> Result<()> {
    let mut path = PathBuilder::new();
    for (x, y, width, height) in all {
        let rect = Rect::from_xywh(*x, *y, *width, *height).ok_or_else(|| fault("a square"))?;
        path.push_rect(rect);
    }
    match path.finish() {
        Some(path) => surface.draw_path(&path),
        None if all.is_empty() => {}
        None => return Err(fault("a shape")),
    }
    Ok(())
}

fn foot(surface: &mut Surface<'_>, paper: &Paper, number: &str) -> Result<()> {
    let sheet = &paper.sheet;
    let (top, room) = (sheet.height - FOOT, sheet.room());
    surface.set_fill(Some(shade(190)));
    squares(surface, &[(sheet.left, top, room, 0.4)])?;
    surface.set_fill(Some(shade(70)));
    let cut = (SMALL.0, Weight::Regular);
    let wide = paper.faces.width(number, cut.1, cut.0);
    let y = top + 14.0;
    let width = room - wide - 20.0;
    let lines = paper.faces.lines(&paper.about.foot, cut.1, cut.0, width);
    if let Some(text) = lines.first() {
        write(surface, paper, (sheet.left, y), cut, text);
    }
    write(surface, paper, (sheet.left + room - wide, y), cut, number);
    Ok(())
}
