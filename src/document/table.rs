//! Tables: over as many pages as they take, with their head on each.

use crate::document::font::Weight;
use crate::document::page::{Ink, LEFT, Paper, ROOM, SMALL};

/// Room between two columns.
const BETWEEN: f32 = 9.0;
/// Room above and below the text of a row.
const PAD: f32 = 2.5;

/// To which side the text of a column goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// Its share of the width, in proportion to the others.
    pub share: f32,
    /// To which side its text goes.
    pub align: Align,
}

impl Column {
    /// A column of text.
    pub fn text(head: &str, share: f32) -> Self {
        Self {
            head: head.to_owned(),
            share,
            align: Align::Left,
        }
    }

    /// A column of numbers.
    pub fn number(head: &str, share: f32) -> Self {
        Self {
            align: Align::Right,
            ..Self::text(head, share)
        }
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a text for each column.
    pub rows: Vec<Vec<String>>,
    /// A last row that sums up, if any.
    pub sum: Option<Vec<String>>,
}

/// Where a column is.
struct Place {
    x: f32,
    width: f32,
    align: Align,
}

impl Paper {
    /// Puts a table. A row that is taller than what is left of the page goes onto the next one as a whole.
    pub fn table(&mut self, table: &Table) {
        let places = places(&table.columns);
        let heads: Vec<String> = table.columns.iter().map(|c| c.head.clone()).collect();
        self.gap(3.0);
        let first = table
            .rows
            .first()
            .map_or(0.0, |row| self.height(row, Weight::Regular, &places));
        self.need(self.height(&heads, Weight::SemiBold, &places) + first);
        self.head(&heads, &places);
        for row in &table.rows {
            self.row(row, Weight::Regular, &heads, &places);
        }
        if let Some(sum) = &table.sum {
            self.row(sum, Weight::SemiBold, &heads, &places);
        }
        self.advance(8.0);
    }

    fn head(&mut self, heads: &[String], places: &[Place]) {
        self.cells(heads, Weight::SemiBold, places);
        self.line(true);
    }

    fn row(&mut self, row: &[String], weight: Weight, heads: &[String], places: &[Place]) {
        let height = self.height(row, weight, places);
        if self.need(height) {
            self.head(heads, places);
        }
        self.cells(row, weight, places);
        self.line(false);
    }

    fn line(&mut self, strong: bool) {
        let y = self.advance(0.0);
        self.ink(Ink::Rule {
            x: LEFT,
            y,
            width: ROOM,
            strong,
        });
    }

    fn wrapped(&self, row: &[String], weight: Weight, places: &[Place]) -> Vec<Vec<String>> {
        let lines =
            |(text, place): (&String, &Place)| self.faces.lines(text, weight, SMALL.0, place.width);
        row.iter().zip(places).map(lines).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "lines of a cell")]
    fn height(&self, row: &[String], weight: Weight, places: &[Place]) -> f32 {
        let lines = self.wrapped(row, weight, places).iter().map(Vec::len).max();
        lines.unwrap_or(1) as f32 * SMALL.1 + 2.0 * PAD
    }

    fn cells(&mut self, row: &[String], weight: Weight, places: &[Place]) {
        let (size, leading) = SMALL;
        let height = self.height(row, weight, places);
        let top = self.advance(height) + PAD;
        for (lines, place) in self.wrapped(row, weight, places).into_iter().zip(places) {
            let mut y = top + size;
            for text in lines {
                let x = match place.align {
                    Align::Left => place.x,
                    Align::Right => place.x + place.width - self.faces.width(&text, weight, size),
                };
                self.put(x, y, size, weight, text);
                y += leading;
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "columns of a table")]
fn places(columns: &[Column]) -> Vec<Place> {
    let shares: f32 = columns.iter().map(|column| column.share).sum();
    let room = ROOM - BETWEEN * columns.len().saturating_sub(1) as f32;
    let mut x = LEFT;
    columns
        .iter()
        .map(|column| {
            let width = room * column.share / shares;
            let place = Place {
                x,
                width,
                align: column.align,
            };
            x += width + BETWEEN;
            place
        })
        .collect()
}
