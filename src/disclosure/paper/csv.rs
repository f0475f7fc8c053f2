//! CSV (RFC 4180) that a spreadsheet may open: in UTF-8 with a byte order mark, and without formulas.

/// By this a spreadsheet knows a formula, or a cell that becomes one once its first character is cut off (OWASP, CSV injection).
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];
/// What is put before it; a spreadsheet takes the rest as text.
const NEUTRAL: char = '\'';

/// Records, one after the other.
pub(super) struct Csv {
    text: String,
    separator: char,
}

impl Csv {
    pub(super) fn new(separator: char) -> Self {
        Self {
            text: "\u{feff}".to_owned(),
            separator,
        }
    }

    pub(super) fn record<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for (place, cell) in cells.enumerate() {
            if place > 0 {
                self.text.push(self.separator);
            }
            self.cell(cell);
        }
        self.text.push_str("\r\n");
    }

    /// Each is quoted: whoever reads it need not guess.
    fn cell(&mut self, cell: &str) {
        self.text.push('"');
        if cell.starts_with(FORMULA) {
            self.text.push(NEUTRAL);
        }
        self.text.push_str(&cell.replace('"', "\"\""));
        self.text.push('"');
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}
