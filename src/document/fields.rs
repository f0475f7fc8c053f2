//! Fields of a form: a small name, under it what it is, several beside each other on one grid. A field is never empty: what is
//! missing is a dash.

use crate::document::font::Weight;
use crate::document::page::{BODY, Paper, TINY, Tone};

/// Columns of the grid.
const GRID: u8 = 12;
/// Room between two fields.
const BETWEEN: f32 = 14.0;
/// Room above a name and under a value.
const PAD: (f32, f32) = (3.5, 4.0);
/// What stands for what is not there.
const MISSING: &str = "–";
/// A field that is taller than this goes over pages line by line.
const SPLIT: f32 = 300.0;

/// A name and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    name: String,
    value: String,
    columns: u8,
}

impl Field {
    /// Over all of the width. Lines of the value stay lines.
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
            columns: GRID,
        }
    }

    /// Over so many twelfths of the width.
    #[must_use]
    pub fn over(self, columns: u8) -> Self {
        let columns = columns.clamp(1, GRID);
        Self { columns, ..self }
    }
}

/// A field in lines.
struct Set {
    x: f32,
    name: Vec<String>,
    value: Vec<String>,
}

impl Set {
    #[expect(clippy::cast_precision_loss, reason = "lines of a field")]
    fn height(&self) -> f32 {
        self.name.len() as f32 * TINY.1 + self.value.len() as f32 * BODY.1 + PAD.0 + PAD.1
    }
}

impl Paper {
    /// Puts fields beside each other, and under each other when the width is taken up. A row stays on one page; a field that is
    /// too tall for that has the width for itself and breaks between lines.
    pub fn fields(&mut self, fields: &[Field]) {
        let mut rest = fields;
        while let Some(first) = rest.first() {
            let mut used = first.columns;
            let more = rest[1..].iter().take_while(|field| {
                used = used.saturating_add(field.columns);
                used <= GRID
            });
            let (row, after) = rest.split_at(1 + more.count());
            self.row_of(row);
            rest = after;
        }
        self.advance(4.0);
    }

    fn row_of(&mut self, row: &[Field]) {
        let mut before = 0;
        let mut sets = Vec::with_capacity(row.len());
        for field in row {
            sets.push(self.set(field, before));
            before += field.columns;
        }
        let height = sets.iter().map(Set::height).fold(0.0, f32::max);
        if height > SPLIT {
            for field in row {
                let set = self.set(&field.clone().over(GRID), 0);
                self.tall(&set);
            }
            return;
        }
        self.need(height);
        let top = self.advance(height);
        for set in sets {
            let mut y = top + PAD.0;
            self.names(&set, &mut y);
            for line in set.value {
                self.put((set.x, y + BODY.0), (BODY.0, Weight::Regular), line);
                y += BODY.1;
            }
        }
        self.rule(false);
    }

    fn set(&self, field: &Field, before: u8) -> Set {
        let column = (self.sheet.room() + BETWEEN) / f32::from(GRID);
        let width = column * f32::from(field.columns) - BETWEEN;
        let value = match field.value.trim() {
            "" => MISSING,
            value => value,
        };
        let lines = |text: &str, size| -> Vec<String> {
            let lines = text.lines();
            lines
                .flat_map(|line| self.faces.lines(line, Weight::Regular, size, width))
                .collect()
        };
        Set {
            x: self.sheet.left + column * f32::from(before),
            name: lines(&field.name, TINY.0),
            value: lines(value, BODY.0),
        }
    }

    fn names(&mut self, set: &Set, y: &mut f32) {
        for line in &set.name {
            let at = (set.x, *y + TINY.0);
            self.put_toned(at, (TINY.0, Weight::Regular), Tone::Grey, line.clone());
            *y += TINY.1;
        }
    }

    /// Its name stays with its first lines.
    fn tall(&mut self, set: &Set) {
        self.need(PAD.0 + TINY.1 + 3.0 * BODY.1);
        let mut y = self.advance(PAD.0) + PAD.0;
        let top = y;
        self.names(set, &mut y);
        self.advance(y - top);
        for line in &set.value {
            self.need(BODY.1);
            let y = self.advance(BODY.1) + BODY.0;
            self.put((set.x, y), (BODY.0, Weight::Regular), line.clone());
        }
        self.advance(PAD.1);
        self.rule(false);
    }
}
