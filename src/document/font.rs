//! The two faces, what a text in them looks like and how wide it is.

use std::str::FromStr;

use krilla::Data;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Face, Feature, UnicodeBuffer};

use crate::base::error::{Error, Kind, Result};

const REGULAR: &[u8] = include_bytes!("../../config/fonts/source-sans-3/SourceSans3-Regular.ttf");
const SEMI_BOLD: &[u8] =
    include_bytes!("../../config/fonts/source-sans-3/SourceSans3-SemiBold.ttf");
/// What stands for a character that the fonts do not have.
const UNKNOWN: char = '?';

/// How heavy letters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

/// One face, ready to be measured and drawn.
struct Cut {
    face: Face<'static>,
    font: Font,
    units: f32,
}

/// Both faces. Figures are of one width each, so that columns of numbers stand under each other.
pub(super) struct Faces {
    regular: Cut,
    semi_bold: Cut,
    features: Vec<Feature>,
}

/// A text as glyphs.
pub(super) struct Shaped {
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// Its width at size 1.
    pub(super) width: f32,
}

impl Faces {
    pub(super) fn load() -> Result<Self> {
        let broken = || Error::new(Kind::Internal, "a font in the program cannot be read");
        let cut = |bytes: &'static [u8]| {
            let face = Face::from_slice(bytes, 0).ok_or_else(broken)?;
            let font = Font::new(Data::from(bytes), 0).ok_or_else(broken)?;
            let units = font.units_per_em();
            Ok::<_, Error>(Cut { face, font, units })
        };
        Ok(Self {
            regular: cut(REGULAR)?,
            semi_bold: cut(SEMI_BOLD)?,
            features: Feature::from_str("tnum").into_iter().collect(),
        })
    }

    fn cut(&self, weight: Weight) -> &Cut {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
    }

    pub(super) fn font(&self, weight: Weight) -> Font {
        self.cut(weight).font.clone()
    }

    /// The text as it can be drawn: what the fonts do not have is a question mark, what is no letter at all a space.
    pub(super) fn drawable(&self, text: &str) -> String {
        let known = |c: char| self.regular.face.glyph_index(c).is_some();
        text.chars()
            .map(|c| match c {
                c if c.is_control() => ' ',
                c if known(c) => c,
                _ => UNKNOWN,
            })
            .collect()
    }

    /// `text` is drawable.
    #[expect(clippy::cast_precision_loss, reason = "units of a font are few")]
    pub(super) fn shape(&self, text: &str, weight: Weight) -> Shaped {
        let cut = self.cut(weight);
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.set_direction(rustybuzz::Direction::LeftToRight);
        let output = rustybuzz::shape(&cut.face, &self.features, buffer);
        let (infos, positions) = (output.glyph_infos(), output.glyph_positions());
        let starts: Vec<usize> = infos.iter().map(|info| info.cluster as usize).collect();
        let mut width = 0.0;
        let scaled = |units: i32| units as f32 / cut.units;
        let mut glyphs = Vec::with_capacity(infos.len());
        for (number, (info, at)) in infos.iter().zip(positions).enumerate() {
            let start = starts[number];
            // To where the next letter begins that is not drawn by the same glyph.
            let next = starts[number..].iter().find(|other| **other > start);
            let end = next.copied().unwrap_or(text.len());
            width += scaled(at.x_advance);
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                scaled(at.x_advance),
                scaled(at.x_offset),
                scaled(at.y_offset),
                scaled(at.y_advance),
                start..end,
                None,
            ));
        }
        Shaped { glyphs, width }
    }

    pub(super) fn width(&self, text: &str, weight: Weight, size: f32) -> f32 {
        self.shape(text, weight).width * size
    }

    /// The text in lines of at most `width`, broken between words, and within a word that is longer than a line.
    pub(super) fn lines(&self, text: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
        let text = self.drawable(text);
        let space = self.width(" ", weight, size);
        let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let wide = self.width(word, weight, size);
            if !line.is_empty() && used + space + wide > width {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if wide > width {
                for part in self.parts(word, weight, size, width) {
                    if !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                    }
                    used = self.width(&part, weight, size);
                    line = part;
                }
                continue;
            }
            if !line.is_empty() {
                line.push(' ');
                used += space;
            }
            line.push_str(word);
            used += wide;
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }

    fn parts(&self, word: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
        let (mut parts, mut part, mut used) = (Vec::new(), String::new(), 0.0);
        for c in word.chars() {
            let wide = self.width(c.encode_utf8(&mut [0; 4]), weight, size);
            if !part.is_empty() && used + wide > width {
                parts.push(std::mem::take(&mut part));
                used = 0.0;
            }
            part.push(c);
            used += wide;
        }
        parts.push(part);
        parts
    }
}
