//! Paper: what is put on it goes under what is there, and onto the next page when there is no room.

use crate::base::error::{Context, Result};
use crate::base::time::Wall;
use crate::document::code::{Modules, RIM};
use crate::document::font::{Faces, Weight};
use crate::document::form::Language;
use crate::document::render;

/// The sides of A4, in points.
const A4: (f32, f32) = (595.28, 841.89);

/// A page and its empty rims.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sheet {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

impl Sheet {
    /// A4, for reading.
    const UPRIGHT: Self = Self {
        width: A4.0,
        height: A4.1,
        left: 62.0,
        right: 62.0,
        top: 60.0,
        bottom: 72.0,
    };
    /// A4 on its side, for wide tables.
    const LYING: Self = Self {
        width: A4.1,
        height: A4.0,
        left: 42.0,
        right: 42.0,
        top: 46.0,
        bottom: 64.0,
    };

    /// What there is between the rims.
    pub(super) const fn room(&self) -> f32 {
        self.width - self.left - self.right
    }

    /// The same, from top to bottom.
    pub(super) const fn depth(&self) -> f32 {
        self.height - self.top - self.bottom
    }
}

/// Sizes and line heights.
pub(super) const BODY: (f32, f32) = (10.0, 14.0);
pub(super) const SMALL: (f32, f32) = (8.5, 11.5);
pub(super) const TINY: (f32, f32) = (7.5, 10.0);
const TITLE: (f32, f32) = (21.0, 26.0);
const SUBTITLE: (f32, f32) = (12.0, 16.0);
const HEADING: (f32, f32) = (12.5, 17.0);
/// The side of a code to scan, at least and at most.
const CODE: (f32, f32) = (118.0, 170.0);
/// The side of one of its modules: 0.48 mm, which the camera of a telephone reads off paper.
const MODULE: f32 = 1.36;
/// Above a code.
const ABOVE: f32 = 6.0;
/// Between a code and the text beside it.
const BESIDE: f32 = 12.0;

/// How dark letters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    Black,
    /// Names of fields, remarks.
    Grey,
}

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
        tone: Tone,
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
    pub(super) sheet: Sheet,
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
        Self::on(Sheet::UPRIGHT, about)
    }

    /// The same, on pages that lie on their side: for wide tables.
    ///
    /// # Errors
    /// `Internal` when the fonts in the program are broken.
    pub fn wide(about: About) -> Result<Self> {
        Self::on(Sheet::LYING, about)
    }

    fn on(sheet: Sheet, about: About) -> Result<Self> {
        Ok(Self {
            attachments: Vec::new(),
            faces: Faces::load()?,
            about,
            sheet,
            pages: vec![Vec::new()],
            y: sheet.top,
        })
    }

    /// The document's name, large.
    pub fn title(&mut self, text: &str) {
        self.flow(text, TITLE, Weight::SemiBold, 0.0);
        self.y += 6.0;
    }

    /// What kind of it, under its name.
    pub fn subtitle(&mut self, text: &str) {
        self.flow(text, SUBTITLE, Weight::Regular, 0.0);
        self.y += 8.0;
    }

    /// A part of a form, under a line across. It does not stay alone at the foot of a page.
    pub fn section(&mut self, text: &str) {
        self.need(HEADING.1 + 18.0 + 5.0 * BODY.1);
        self.gap(11.0);
        self.rule(true);
        self.y += 5.0;
        self.flow(text, HEADING, Weight::SemiBold, 0.0);
        self.y += 2.0;
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
        let at = (self.sheet.left + 4.0, self.y + BODY.0);
        self.put(at, (BODY.0, Weight::Regular), "•".to_owned());
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
            .min(self.sheet.room() / 3.0);
        let indent = names + 14.0;
        for (name, value) in rows {
            let left = self.faces.lines(name, Weight::SemiBold, size, names + 1.0);
            let room = self.sheet.room() - indent;
            let right = self.faces.lines(value, Weight::Regular, size, room);
            for n in 0..left.len().max(right.len()) {
                self.need(leading);
                let y = self.y + size;
                if let Some(text) = left.get(n) {
                    let at = (self.sheet.left, y);
                    self.put(at, (size, Weight::SemiBold), text.clone());
                }
                if let Some(text) = right.get(n) {
                    let at = (self.sheet.left + indent, y);
                    self.put(at, (size, Weight::Regular), text.clone());
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
        #[expect(clippy::cast_precision_loss, reason = "modules of a code")]
        let place = |n: usize| n as f32;
        let side = (place(modules.width()) * MODULE).clamp(CODE.0, CODE.1);
        let module = side / place(modules.width());
        let rim = place(RIM) * module;
        let (size, leading) = SMALL;
        let width = self.sheet.room() - side - BESIDE;
        let lines: Vec<String> = beside
            .lines()
            .flat_map(|line| self.faces.lines(line, Weight::Regular, size, width))
            .collect();
        let tall = place(lines.len()) * leading;
        self.gap(ABOVE);
        self.need(side.max(tall));
        // The rim is white: without it the code stands on the edge of the text.
        let (left, top) = (self.sheet.left - rim, self.y - rim);
        let squares = modules
            .stretches()
            .into_iter()
            .map(|(y, x, n)| {
                (
                    left + place(x + RIM) * module,
                    top + place(y + RIM) * module,
                    place(n) * module,
                    module,
                )
            })
            .collect();
        self.ink(Ink::Squares(squares));
        let x = self.sheet.left + side - 2.0 * rim + BESIDE;
        let mut y = self.y + size;
        for text in lines {
            self.put((x, y), (size, Weight::Regular), text);
            y += leading;
        }
        self.y += (side - 2.0 * rim).max(tall) + 8.0;
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

    /// What stays on one page when a page has room for it: it is put twice when the first time it breaks.
    ///
    /// # Errors
    /// As `put`.
    pub fn keep(&mut self, put: impl Fn(&mut Self) -> Result<()>) -> Result<()> {
        let (pages, y) = (self.pages.len(), self.y);
        let inks = self.pages.last().map_or(0, Vec::len);
        put(self)?;
        if self.pages.len() == pages || y <= self.sheet.top {
            return Ok(());
        }
        self.pages.truncate(pages);
        if let Some(page) = self.pages.last_mut() {
            page.truncate(inks);
        }
        self.turn();
        put(self)
    }

    /// Text in lines, indented.
    fn flow(&mut self, text: &str, (size, leading): (f32, f32), weight: Weight, indent: f32) {
        let width = self.sheet.room() - indent;
        for text in self.faces.lines(text, weight, size, width) {
            self.need(leading);
            let at = (self.sheet.left + indent, self.y + size);
            self.put(at, (size, weight), text);
            self.y += leading;
        }
    }

    /// A new page when so much does not fit any more; true when there is one.
    pub(super) fn need(&mut self, height: f32) -> bool {
        let end = self.sheet.height - self.sheet.bottom;
        let is_full = self.y + height > end && self.y > self.sheet.top;
        if is_full {
            self.turn();
        }
        is_full
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = self.sheet.top;
    }

    /// Some room, but not at the top of a page.
    pub(super) fn gap(&mut self, height: f32) {
        if self.y > self.sheet.top {
            self.y += height;
        }
    }

    /// The next free height, and what it is from now on.
    pub(super) fn advance(&mut self, height: f32) -> f32 {
        let y = self.y;
        self.y += height;
        y
    }

    /// A line across the page, where the next text would begin.
    pub(super) fn rule(&mut self, strong: bool) {
        self.ink(Ink::Rule {
            x: self.sheet.left,
            y: self.y,
            width: self.sheet.room(),
            strong,
        });
    }

    pub(super) fn put(&mut self, at: (f32, f32), cut: (f32, Weight), text: String) {
        self.put_toned(at, cut, Tone::Black, text);
    }

    /// A text from `at` on, its base line, in a size and weight.
    pub(super) fn put_toned(
        &mut self,
        (x, y): (f32, f32),
        (size, weight): (f32, Weight),
        tone: Tone,
        text: String,
    ) {
        self.ink(Ink::Text {
            x,
            y,
            size,
            weight,
            tone,
            text,
        });
    }

    pub(super) fn ink(&mut self, ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.push(ink);
        }
    }
}
