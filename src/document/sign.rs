//! Where people sign: lines to write on, two people beside each other.

use crate::document::font::Weight;
use crate::document::page::{BODY, Ink, Paper, SMALL, TINY, Tone};

/// Above them.
const ABOVE: f32 = 8.0;
/// Between the two.
const BETWEEN: f32 = 28.0;
/// From one line to write on to the next: room for a hand.
const LINE: f32 = 37.0;

/// Who signs, and on which lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signer {
    /// As what they sign.
    pub role: String,
    /// What is written on each line: its name, and what is printed on it already, if anything.
    pub lines: Vec<(String, String)>,
}

impl Paper {
    /// Puts lines for two people to sign on. They stay on one page.
    #[expect(clippy::cast_precision_loss, reason = "lines to write on are few")]
    pub fn signatures(&mut self, signers: &[Signer; 2]) {
        let most = signers.iter().map(|s| s.lines.len()).max().unwrap_or(0);
        let height = BODY.1 + most as f32 * LINE + 12.0;
        self.gap(ABOVE);
        self.need(height);
        let top = self.advance(height);
        let width = (self.sheet.room() - BETWEEN) / 2.0;
        let lefts = [self.sheet.left, self.sheet.left + width + BETWEEN];
        for (signer, x) in signers.iter().zip(lefts) {
            let role = self.faces.drawable(&signer.role);
            self.put((x, top + BODY.0), (BODY.0, Weight::SemiBold), role);
            let mut y = top + BODY.1;
            for (name, printed) in &signer.lines {
                y += LINE;
                let line = y - TINY.1 - 2.0;
                self.ink(Ink::Rule {
                    x,
                    y: line,
                    width,
                    strong: true,
                });
                let lines = self.faces.lines(printed, Weight::Regular, SMALL.0, width);
                // As many as there is room for above the line.
                let shown = lines.len().min(2);
                let mut base = line - 4.0 - SMALL.1 * shown.saturating_sub(1) as f32;
                for text in lines.into_iter().take(shown) {
                    self.put((x, base), (SMALL.0, Weight::Regular), text);
                    base += SMALL.1;
                }
                let name = self.faces.drawable(name);
                let at = (x, line + TINY.1);
                self.put_toned(at, (TINY.0, Weight::Regular), Tone::Grey, name);
            }
        }
    }
}
