//! A text as a QR code (ISO/IEC 18004), as squares.

use qrcode::{Color, EcLevel, QrCode};

use crate::base::error::{Error, Kind, Result};

/// The empty rim that readers need, in modules.
pub(super) const RIM: usize = 4;

/// Rows of modules, true for dark.
pub(super) struct Modules {
    pub(super) rows: Vec<Vec<bool>>,
}

impl Modules {
    /// A code that is read although an eighth of it is damaged.
    pub(super) fn of(text: &str) -> Result<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|e| {
            Error::new(
                Kind::Internal,
                format!("a text that fits into no QR code: {e}"),
            )
        })?;
        let width = code.width();
        let dark: Vec<bool> = code
            .to_colors()
            .into_iter()
            .map(|c| c == Color::Dark)
            .collect();
        Ok(Self {
            rows: dark.chunks(width).map(<[bool]>::to_vec).collect(),
        })
    }

    /// How many modules it is wide, with its rim.
    pub(super) fn width(&self) -> usize {
        self.rows.len() + 2 * RIM
    }

    /// Dark stretches of each row: row, first module, how many.
    pub(super) fn stretches(&self) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for (y, row) in self.rows.iter().enumerate() {
            let mut x = 0;
            for same in row.chunk_by(|a, b| a == b) {
                if same[0] {
                    found.push((y, x, same.len()));
                }
                x += same.len();
            }
        }
        found
    }
}
