//! One picture at its full resolution, as PNG (ISO/IEC 15948). The program gives pixels; the file is made here, so nothing that a
//! camera sent can shape it.
//!
//! What does not belong here: which picture, which time of day it has, what is written into it.

use std::io::Write;

use crate::base::error::{Error, Kind, Result};
use crate::base::time::Ticks;
use crate::decode::program::Program;
use crate::decode::wire::{FromCodec, Job, ToCodec, Unit};
use crate::media::access_unit::SampleEntry;
use crate::media::segment::Sample;

/// A picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Something of it could not be decoded, and was filled in by the decoder.
    pub is_damaged: bool,
    /// The file.
    pub png: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a picture of {} x {}", self.width, self.height)
    }
}

/// What stands in the file besides the picture: keyword (1 to 79 Latin-1 characters) and text (`iTXt`).
pub type Texts<'a> = &'a [(&'a str, String)];

/// The picture shown at `wanted`, out of `samples` in decoding order: from a key frame before it up to itself. Blocks.
///
/// # Errors
/// [`Kind::Corrupt`] when it could not be decoded, [`Kind::Unavailable`] when that took too long or the program is not what it
/// must be, [`Kind::Full`] for more bytes or pixels than there may be, [`Kind::Busy`]; what `samples` says.
pub fn decode(
    program: &Program,
    entry: &SampleEntry,
    samples: impl IntoIterator<Item = Result<Sample>>,
    wanted: Ticks,
    texts: impl FnOnce(bool) -> Vec<(&'static str, String)>,
) -> Result<Picture> {
    let mut talk = program.start(Job::Still(wanted), entry)?;
    for sample in samples {
        let sample = sample?;
        talk.send(&ToCodec::Unit(Unit {
            pts: sample.pts,
            is_key: sample.is_key,
            data: sample.data,
        }))?;
    }
    talk.finish()?;
    let FromCodec::Picture {
        width,
        height,
        is_damaged,
    } = talk.receive()?
    else {
        return Err(Error::corrupt("the decoder gave no picture"));
    };
    let mut png = Vec::new();
    {
        let failed = |e: png::EncodingError| {
            Error::new(Kind::Internal, e.to_string()).attempted("writing a picture as PNG")
        };
        let mut writer = header(&mut png, (width, height), &texts(is_damaged)).map_err(failed)?;
        let mut stream = writer.stream_writer().map_err(failed)?;
        let mut left = u64::from(width) * u64::from(height) * 3;
        while left > 0 {
            let FromCodec::Pixels(bytes) = talk.receive()? else {
                return Err(Error::corrupt("the decoder gave half a picture"));
            };
            left = left
                .checked_sub(bytes.len() as u64)
                .ok_or_else(|| Error::corrupt("the decoder gave more than its picture"))?;
            stream.write_all(&bytes)?;
        }
        stream.finish().map_err(failed)?;
    }
    match talk.receive()? {
        FromCodec::Done(_) => Ok(Picture {
            width,
            height,
            is_damaged,
            png,
        }),
        _ => Err(Error::corrupt("the decoder gave more than its picture")),
    }
}

fn header<'a>(
    out: &'a mut Vec<u8>,
    (width, height): (u32, u32),
    texts: Texts<'_>,
) -> Result<png::Writer<&'a mut Vec<u8>>, png::EncodingError> {
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    for (keyword, text) in texts {
        encoder.add_itxt_chunk((*keyword).to_owned(), text.clone())?;
    }
    encoder.write_header()
}
