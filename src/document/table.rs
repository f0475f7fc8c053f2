//! Tables: over as many pages as they take, with their head on each.

use crate::document::font::Weight;
use crate::document::page::{Paper, SMALL, TINY, Tone};

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
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a text for each column.
    pub rows: Vec<Vec<String>>,
    /// A last row that sums up, if any.
    pub sum: Option<Vec<String>>,
    /// What stands under each row, over all of its width and small, in the order of the rows; rows without a remark have an empty
    /// one or, at the end, none.
    pub remarks: Vec<String>,
}

/// Where a column is.
struct Place {
    x: f32,
    width: f32,
    align: Align,
}

/// A row in lines, ready to be put.
struct Row {
    weight: Weight,
    /// Of each cell.
    cells: Vec<Vec<String>>,
    /// Of what stands under it.
    remark: Vec<String>,
}

impl Row {
    /// The first lines of each cell, and what is left. What stands under a row stays with its last lines.
    fn split(self, lines: usize) -> (Self, Option<Self>) {
        let longest = self.cells.iter().map(Vec::len).fold(0, usize::max);
        if longest <= lines {
            return (self, None);
        }
        let mut first = self.cells;
        let rest = first
            .iter_mut()
            .map(|cell| cell.split_off(lines.min(cell.len())))
            .collect();
        let weight = self.weight;
        let first = Self {
            weight,
            cells: first,
            remark: Vec::new(),
        };
        let rest = Self {
            weight,
            cells: rest,
            remark: self.remark,
        };
        (first, Some(rest))
    }

    #[expect(clippy::cast_precision_loss, reason = "lines of a cell")]
    fn height(&self) -> f32 {
        let lines = self.cells.iter().map(Vec::len).fold(1, usize::max);
        let remark = self.remark.len() as f32 * TINY.1;
        lines as f32 * SMALL.1 + remark + 2.0 * PAD
    }
}

impl Paper {
    /// Puts a table. A row that is taller than what is left of the page goes onto the next one as a whole; one that is taller than a
    /// page breaks between lines.
    pub fn table(&mut self, table: &Table) {
        let places = self.places(&table.columns);
        let heads: Vec<String> = table.columns.iter().map(|c| c.head.clone()).collect();
        let head = self.wrapped(&heads, "", Weight::SemiBold, &places);
        let mut remarks = table.remarks.iter().map(String::as_str);
        let rows = table.rows.iter().map(|row| {
            let remark = remarks.next().unwrap_or_default();
            self.wrapped(row, remark, Weight::Regular, &places)
        });
        let mut rows: Vec<Row> = rows.collect();
        if let Some(sum) = &table.sum {
            rows.push(self.wrapped(sum, "", Weight::SemiBold, &places));
        }
        self.gap(3.0);
        self.need(head.height() + rows.first().map_or(0.0, Row::height));
        self.row(&head, &places);
        self.rule(true);
        let most = self.lines_of_a_page(head.height());
        for row in rows {
            let mut next = Some(row);
            while let Some(row) = next.take() {
                let (part, rest) = row.split(most);
                if self.need(part.height()) {
                    self.row(&head, &places);
                    self.rule(true);
                }
                self.row(&part, &places);
                next = rest;
            }
            self.rule(false);
        }
        self.advance(8.0);
    }

    /// How many lines of a row a page has room for, below a head and above two lines of what stands under the row.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lines of a page"
    )]
    fn lines_of_a_page(&self, head: f32) -> usize {
        let room = self.sheet.depth() - head - 2.0 * PAD - 2.0 * TINY.1;
        (room / SMALL.1).max(1.0) as usize
    }

    /// Lines of a cell that are its own stay apart.
    fn wrapped(&self, row: &[String], remark: &str, weight: Weight, places: &[Place]) -> Row {
        let cell = |(text, place): (&String, &Place)| {
            let lines = text
                .lines()
                .flat_map(|line| self.faces.lines(line, weight, SMALL.0, place.width));
            lines.collect()
        };
        let room = self.sheet.room();
        Row {
            weight,
            cells: row.iter().zip(places).map(cell).collect(),
            remark: remark
                .lines()
                .flat_map(|line| self.faces.lines(line, Weight::Regular, TINY.0, room))
                .collect(),
        }
    }

    fn row(&mut self, row: &Row, places: &[Place]) {
        let (size, leading) = SMALL;
        let top = self.advance(row.height()) + PAD;
        let mut end = top;
        for (lines, place) in row.cells.iter().zip(places) {
            let mut y = top;
            for text in lines {
                let x = match place.align {
                    Align::Left => place.x,
                    Align::Right => {
                        place.x + place.width - self.faces.width(text, row.weight, size)
                    }
                };
                self.put((x, y + size), (size, row.weight), text.clone());
                y += leading;
            }
            end = end.max(y);
        }
        for text in &row.remark {
            let at = (self.sheet.left, end + TINY.0);
            self.put_toned(at, (TINY.0, Weight::Regular), Tone::Grey, text.clone());
            end += TINY.1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "columns of a table")]
    fn places(&self, columns: &[Column]) -> Vec<Place> {
        let shares: f32 = columns.iter().map(|column| column.share).sum();
        let room = self.sheet.room() - BETWEEN * columns.len().saturating_sub(1) as f32;
        let mut x = self.sheet.left;
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
}
