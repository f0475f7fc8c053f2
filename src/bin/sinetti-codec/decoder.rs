//! From access units to decoded frames.

use ffmpeg_next::codec::{self, Id, threading};
use ffmpeg_next::{Dictionary, Error as Av, Packet, decoder, frame};
use sinetti::base::error::{Error, Kind, Result};
use sinetti::decode::wire::{PIXELS_MAX, Unit, check_size};
use sinetti::media::access_unit::{Codec, SampleEntry};
use sinetti::media::annexb;

/// Decodes one stream.
pub(crate) struct Decoder {
    inner: decoder::Video,
    /// Parameter sets, until they were given.
    before: Vec<u8>,
    /// Units that were refused, and frames that were filled in.
    pub(crate) damaged: u32,
}

/// Loads what is loaded at first use.
pub(crate) fn prepare() -> Result<()> {
    ffmpeg_next::util::log::set_level(ffmpeg_next::util::log::Level::Quiet);
    for id in [Id::H264, Id::HEVC] {
        open(id)?;
    }
    Ok(())
}

fn open(id: Id) -> Result<decoder::Video> {
    let missing = || {
        Error::new(
            Kind::Unavailable,
            format!("FFmpeg has no decoder for {id:?}"),
        )
    };
    let found = decoder::find(id).ok_or_else(missing)?;
    let mut context = codec::Context::new_with_codec(found);
    // No thread can be made.
    context.set_threading(threading::Config::count(1));
    let mut options = Dictionary::new();
    options.set("max_pixels", &PIXELS_MAX.to_string());
    context
        .decoder()
        .open_as_with(found, options)
        .and_then(decoder::Opened::video)
        .map_err(|e| failed("opening the decoder", e))
}

/// An error of FFmpeg.
pub(crate) fn failed(what: &str, e: Av) -> Error {
    let kind = match e {
        Av::Other { errno } if errno == libc::ENOMEM => Kind::Full,
        _ => Kind::Corrupt,
    };
    Error::new(kind, e.to_string()).attempted(what)
}

impl Decoder {
    /// For what is decoded by this entry.
    pub(crate) fn new(entry: &SampleEntry) -> Result<Self> {
        check_size(u32::from(entry.width), u32::from(entry.height))?;
        Ok(Self {
            inner: open(match entry.codec {
                Codec::H264 => Id::H264,
                Codec::H265 => Id::HEVC,
            })?,
            before: annexb::parameter_sets(entry)?,
            damaged: 0,
        })
    }

    /// Decodes a unit, or with `None` what is still in the decoder; `each` is handed the frames in the order of showing, with
    /// whether something of it was filled in.
    pub(crate) fn decode(
        &mut self,
        unit: Option<&Unit>,
        mut each: impl FnMut(&mut frame::Video, bool) -> Result<()>,
    ) -> Result<()> {
        let sent = match unit {
            Some(unit) => {
                let mut bytes = std::mem::take(&mut self.before);
                self.damaged += u32::from(!annexb::put_unit(&mut bytes, &unit.data));
                let mut packet = Packet::copy(&bytes);
                packet.set_pts(Some(unit.pts.0));
                self.inner.send_packet(&packet)
            }
            None => self.inner.send_eof(),
        };
        match sent {
            Ok(()) | Err(Av::Eof) => {}
            Err(e @ Av::Other { errno }) if errno == libc::ENOMEM => {
                return Err(failed("decoding", e));
            }
            // A camera's fault, or packets that were lost: what comes after it may still be seen.
            Err(_) => self.damaged += 1,
        }
        let mut frame = frame::Video::empty();
        loop {
            match self.inner.receive_frame(&mut frame) {
                Ok(()) => {
                    check_size(frame.width(), frame.height())?;
                    let filled_in = frame.is_corrupt() || frame.has_decode_errors();
                    self.damaged += u32::from(filled_in);
                    each(&mut frame, filled_in)?;
                }
                Err(Av::Eof) => return Ok(()),
                Err(Av::Other { errno }) if errno == libc::EAGAIN => return Ok(()),
                Err(e @ Av::Other { errno }) if errno == libc::ENOMEM => {
                    return Err(failed("decoding", e));
                }
                Err(_) => self.damaged += 1,
            }
        }
    }
}
