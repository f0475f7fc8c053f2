//! Where the footage of a stream lies: from rows of the catalog to sources that can be opened.

use std::path::Path;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{BoxId, VolumeId};
use crate::catalog::{SegmentRow, VolumeRow};
use crate::evidence::select::{Extent, Source};
use crate::store::volume::Volume;

/// A segment that is being written.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its file.
    pub path: &'a Path,
    /// How much of it is durable, in bytes.
    pub durable_bytes: u64,
}

/// The volumes of a box that are needed, each opened once.
#[derive(Debug)]
pub struct Places<'a> {
    box_id: BoxId,
    rows: &'a [VolumeRow],
    opened: Vec<Volume>,
}

impl<'a> Places<'a> {
    /// Of the volumes that the catalog knows.
    pub const fn new(box_id: BoxId, rows: &'a [VolumeRow]) -> Self {
        Self {
            box_id,
            rows,
            opened: Vec::new(),
        }
    }

    /// A closed segment as a source.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when its volume is not known; what opening the volume says.
    pub fn closed(&mut self, row: &SegmentRow) -> Result<Source> {
        let volume = self.volume(|v| v.volume == row.volume)?;
        Ok(Source {
            path: volume.segment_path(&row.stream, row.start, row.segment),
            extent: Extent::Whole(row.content_root),
            volume,
        })
    }

    /// The segment that is being written, as a source.
    ///
    /// # Errors
    /// As [`Places::closed`].
    pub fn growing(&mut self, part: Part<'_>) -> Result<Source> {
        let volume = self.volume(|v| part.path.starts_with(&v.path))?;
        Ok(Source {
            path: part.path.to_owned(),
            extent: Extent::Growing(part.durable_bytes),
            volume,
        })
    }

    /// Closed segments and the one that is being written, in order of time.
    ///
    /// # Errors
    /// As [`Places::closed`].
    pub fn all<'r>(
        &mut self,
        closed: impl IntoIterator<Item = &'r SegmentRow>,
        growing: Option<Part<'_>>,
    ) -> Result<Vec<Source>> {
        let closed = closed.into_iter().map(|row| self.closed(row));
        let mut sources = closed.collect::<Result<Vec<_>>>()?;
        if let Some(part) = growing {
            sources.push(self.growing(part)?);
        }
        Ok(sources)
    }

    fn volume(&mut self, wanted: impl Fn(&VolumeRow) -> bool) -> Result<Volume> {
        let row =
            self.rows.iter().find(|row| wanted(row)).ok_or_else(|| {
                Error::new(Kind::NotFound, "the volume of a segment is not known")
            })?;
        let id: VolumeId = row.volume;
        if let Some(volume) = self.opened.iter().find(|volume| volume.id == id) {
            return Ok(volume.clone());
        }
        let volume = Volume::open(Path::new(&row.path), self.box_id, &row.name)?;
        self.opened.push(volume.clone());
        Ok(volume)
    }
}
