//! Paper: what is put on it goes under what is there, and onto the next page when there is no room.

use crate::base::error::{Context, Result};
use crate::base::time::Wall;
use crate::document::code::Modules;
use crate::document::font::{Faces, Weight};
use crate::document::form::Language;
use crate::document::render;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
/// Empty rims.
pub(super) const LEFT: f32 = 62.0;
pub(super) const RIGHT: f32 = 62.0;
const TOP: f32 = 60.0;
const BOTTOM: f32 = 72.0;
/// What there is between them.
pub(super) const ROOM: f32 = WIDTH - LEFT - RIGHT;

/// Sizes and line heights.
pub(super) const BODY: (f32, f32) = (10.0, 14.0);
pub(super) const SMALL: (f32, f32) = (8.5, 11.5);
const TITLE: (f32, f32) = (21.0, 26.0);
const HEADING: (f32, f32) = (12.5, 17.0);
/// The side of a code to scan.
const CODE: f32 = 118.0;

/// What a document says of itself.
#[derive(Clone, Debug)]
pub struct About {
    /// Its title.
    pub title: String,
    /// Who made it: a box, a person.
    pub author: String,
    /// What it is written in.
    pub language: Language,
    /// When it was made.
    pub made: Wall,
    /// What stands at the foot of each page, besides its number.
    pub foot: String,
    /// Identifies it: the same content has the same.
    pub id: String,
}

/// Something on a page.
pub(super) enum Ink {
    Text {
        x: f32,
        y: f32,
        size: f32,
        weight: Weight,
        text: String,
    },
    /// A line across.
    Rule {
        x: f32,
        y: f32,
        width: f32,
        strong: bool,
    },
    /// Dark squares: left, top, width, height.
    Squares(Vec<(f32, f32, f32, f32)>),
}

/// A file that lies in the document.
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) about: String,
    pub(super) bytes: Vec<u8>,
}

/// A document that is being written.
pub struct Paper {
    pub(super) attachments: Vec<Attachment>,
    pub(super) faces: Faces,
    pub(super) about: About,
    pub(super) pages: Vec<Vec<Ink>>,
    /// The next free height on the last page.
    y: f32,
}

impl Paper {
    /// An empty first page.
    ///
    /// # Errors
    /// `Internal` when the fonts in the program are broken.
    pub fn new(about: About) -> Result<Self> {
        Ok(Self {
            attachments: Vec::new(),
            faces: Faces::load()?,
            about,
            pages: vec![Vec::new()],
            y: TOP,
        })
    }

    /// The document's name, large.
    pub fn title(&mut self, text: &str) {
        self.flow(text, TITLE, Weight::SemiBold, 0.0);
        self.y += 6.0;
    }

    /// What follows is about this. It does not stay alone at the foot of a page.
    pub fn heading(&mut self, text: &str) {
        self.need(HEADING.1 + 12.0 + 3.0 * BODY.1);
        self.gap(12.0);
        self.flow(text, HEADING, Weight::SemiBold, 0.0);
        self.y += 2.0;
    }

    /// Some sentences.
    pub fn paragraph(&mut self, text: &str) {
        self.flow(text, BODY, Weight::Regular, 0.0);
        self.y += 5.0;
    }

    /// Some sentences that matter less.
    pub fn note(&mut self, text: &str) {
        self.flow(text, SMALL, Weight::Regular, 0.0);
        self.y += 4.0;
    }

    /// One of several points.
    pub fn item(&mut self, text: &str) {
        self.need(BODY.1);
        let y = self.y;
        self.put(
            LEFT + 4.0,
            y + BODY.0,
            BODY.0,
            Weight::Regular,
            "•".to_owned(),
        );
        self.flow(text, BODY, Weight::Regular, 16.0);
        self.y += 2.0;
    }

    /// Names and what they are, one under the other.
    pub fn facts(&mut self, rows: &[(&str, String)]) {
        let (size, leading) = BODY;
        let names = rows
            .iter()
            .map(|(name, _)| {
                self.faces
                    .width(&self.faces.drawable(name), Weight::SemiBold, size)
            })
            .fold(0.0, f32::max)
            .min(ROOM / 3.0);
        let indent = names + 14.0;
        for (name, value) in rows {
            let left = self.faces.lines(name, Weight::SemiBold, size, names + 1.0);
            let right = self
                .faces
                .lines(value, Weight::Regular, size, ROOM - indent);
            for n in 0..left.len().max(right.len()) {
                self.need(leading);
                let y = self.y + size;
                if let Some(text) = left.get(n) {
                    self.put(LEFT, y, size, Weight::SemiBold, text.clone());
                }
                if let Some(text) = right.get(n) {
                    self.put(LEFT + indent, y, size, Weight::Regular, text.clone());
                }
                self.y += leading;
            }
            self.y += 1.5;
        }
        self.y += 4.0;
    }

    /// A code to scan, and beside it, line by line, what is in it, for whoever has no scanner.
    ///
    /// # Errors
    /// `Internal` when the text is too long for one.
    pub fn code(&mut self, scanned: &str, beside: &str) -> Result<()> {
        let modules = Modules::of(scanned).context(|| "drawing a code")?;
        let (size, leading) = SMALL;
        let width = ROOM - CODE - 10.0;
        let lines: Vec<String> = beside
            .lines()
            .flat_map(|line| self.faces.lines(line, Weight::Regular, size, width))
            .collect();
        #[expect(
            clippy::cast_precision_loss,
            reason = "lines of a page, modules of a code"
        )]
        let (tall, module) = (lines.len() as f32 * leading, CODE / modules.width() as f32);
        self.need(CODE.max(tall));
        let top = self.y;
        #[expect(clippy::cast_precision_loss, reason = "modules of a code")]
        let place = |n: usize| n as f32 * module;
        let squares = modules
            .stretches()
            .into_iter()
            .map(|(y, x, n)| {
                let rim = crate::document::code::RIM;
                (
                    LEFT + place(x + rim),
                    top + place(y + rim),
                    place(n),
                    module,
                )
            })
            .collect();
        self.ink(Ink::Squares(squares));
        let mut y = top + place(crate::document::code::RIM) + size;
        for text in lines {
            self.put(LEFT + CODE + 10.0, y, size, Weight::Regular, text);
            y += leading;
        }
        self.y = top + CODE.max(tall) + 6.0;
        Ok(())
    }

    /// Puts a file into the document, of which the document is a picture: readers show it as an attachment. `kind` is its MIME type.
    pub fn attach(&mut self, name: &str, kind: &'static str, about: &str, bytes: Vec<u8>) {
        self.attachments.push(Attachment {
            name: name.to_owned(),
            kind,
            about: about.to_owned(),
            bytes,
        });
    }

    /// The document as bytes.
    ///
    /// # Errors
    /// `Internal` when it is no PDF/A: a fault of ours.
    pub fn finish(self) -> Result<Vec<u8>> {
        render::render(&self)
    }

    /// Text in lines, indented.
    fn flow(&mut self, text: &str, (size, leading): (f32, f32), weight: Weight, indent: f32) {
        for text in self.faces.lines(text, weight, size, ROOM - indent) {
            self.need(leading);
            let y = self.y + size;
            self.put(LEFT + indent, y, size, weight, text);
            self.y += leading;
        }
    }

    /// A new page when so much does not fit any more; true when there is one.
    pub(super) fn need(&mut self, height: f32) -> bool {
        let is_full = self.y + height > HEIGHT - BOTTOM && self.y > TOP;
        if is_full {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        is_full
    }

    /// Some room, but not at the top of a page.
    pub(super) fn gap(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    /// The next free height, and what it is from now on.
    pub(super) fn advance(&mut self, height: f32) -> f32 {
        let y = self.y;
        self.y += height;
        y
    }

    pub(super) fn put(&mut self, x: f32, y: f32, size: f32, weight: Weight, text: String) {
        self.ink(Ink::Text {
            x,
            y,
            size,
            weight,
            text,
        });
    }

    pub(super) fn ink(&mut self, ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.push(ink);
        }
    }
}
