//! A viewing copy: decoded frames coded anew as H.264 that plays anywhere (8 bits, 4:2:0, no B-pictures), with libx264.

use ffmpeg_next::codec::{self, threading};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling::{Context, Flags};
use ffmpeg_next::{Dictionary, Error as Av, Packet, Rational, encoder, frame};
use sinetti::base::error::{Error, Kind, Result};
use sinetti::base::time::{TICKS_PER_SECOND, Ticks};
use sinetti::decode::wire::{FromCodec, Unit};
use sinetti::media::annexb;

use crate::decoder::{Decoder, failed};
use crate::{next, pipe};

/// Constant quality: hardly to be told from the source by the eye.
const QUALITY: &str = "21";
/// How much time is taken for it.
const PRESET: &str = "veryfast";
/// Longest way to a key frame, in pictures: how fast players can jump.
const KEY_EVERY: u32 = 60;

/// Sends everything coded anew. How many pictures could not be decoded whole.
pub(crate) fn view(decoder: &mut Decoder) -> Result<u32> {
    let mut encoder: Option<Encoder> = None;
    let mut each = |frame: &mut frame::Video, _| {
        let encoder = match &mut encoder {
            Some(encoder) => encoder,
            None => encoder.insert(Encoder::for_frame(frame)?),
        };
        encoder.encode(frame)
    };
    while let Some(unit) = next()? {
        decoder.decode(Some(&unit), &mut each)?;
    }
    decoder.decode(None, &mut each)?;
    if let Some(encoder) = &mut encoder {
        encoder.finish()?;
    }
    Ok(decoder.damaged)
}

struct Encoder {
    inner: encoder::video::Encoder,
    scaler: Option<(Pixel, Context)>,
    size: (u32, u32),
    last_pts: i64,
    has_entry: bool,
}

impl Encoder {
    fn for_frame(frame: &frame::Video) -> Result<Self> {
        let missing = || {
            Error::new(
                Kind::Unavailable,
                "FFmpeg has no libx264 here, by which viewing copies are made",
            )
        };
        let found = encoder::find_by_name("libx264").ok_or_else(missing)?;
        let what = |e| failed("opening the encoder", e);
        let mut context = codec::Context::new_with_codec(found);
        context.set_threading(threading::Config::count(1));
        let mut video = context.encoder().video().map_err(what)?;
        // Half the chroma lines: an odd line or column has no chroma of its own.
        let size = (frame.width() & !1, frame.height() & !1);
        video.set_width(size.0);
        video.set_height(size.1);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(Rational(
            1,
            i32::try_from(TICKS_PER_SECOND).unwrap_or(90_000),
        ));
        video.set_gop(KEY_EVERY);
        video.set_max_b_frames(0);
        video.set_colorspace(frame.color_space());
        video.set_color_range(frame.color_range());
        let mut options = Dictionary::new();
        options.set("preset", PRESET);
        options.set("crf", QUALITY);
        options.set(
            "x264-params",
            "threads=1:lookahead-threads=1:sync-lookahead=0:rc-lookahead=10",
        );
        let inner = video.open_as_with(found, options).map_err(what)?;
        Ok(Self {
            inner,
            scaler: None,
            size,
            last_pts: i64::MIN,
            has_entry: false,
        })
    }

    fn encode(&mut self, frame: &frame::Video) -> Result<()> {
        let Some(pts) = frame.pts().filter(|pts| *pts > self.last_pts) else {
            return Ok(());
        };
        self.last_pts = pts;
        let mut plain = self.plain(frame)?;
        plain.set_pts(Some(pts));
        plain.set_kind(ffmpeg_next::picture::Type::None);
        self.inner
            .send_frame(&plain)
            .map_err(|e| failed("encoding", e))?;
        self.drain()
    }

    fn plain(&mut self, frame: &frame::Video) -> Result<frame::Video> {
        let (width, height) = self.size;
        let format = frame.format();
        if self
            .scaler
            .as_ref()
            .is_none_or(|(known, _)| *known != format)
        {
            let flags = Flags::BILINEAR;
            let context = Context::get(
                format,
                frame.width(),
                frame.height(),
                Pixel::YUV420P,
                width,
                height,
                flags,
            );
            self.scaler = Some((
                format,
                context.map_err(|e| failed("bringing pictures to 4:2:0", e))?,
            ));
        }
        let mut plain = frame::Video::empty();
        if let Some((_, scaler)) = &mut self.scaler {
            scaler
                .run(frame, &mut plain)
                .map_err(|e| failed("bringing pictures to 4:2:0", e))?;
        }
        Ok(plain)
    }

    fn finish(&mut self) -> Result<()> {
        self.inner.send_eof().map_err(|e| failed("encoding", e))?;
        self.drain()
    }

    fn drain(&mut self) -> Result<()> {
        let mut packet = Packet::empty();
        loop {
            match self.inner.receive_packet(&mut packet) {
                Ok(()) => self.send(&packet)?,
                Err(Av::Eof) => return Ok(()),
                Err(Av::Other { errno }) if errno == libc::EAGAIN => return Ok(()),
                Err(e) => return Err(failed("encoding", e)),
            }
        }
    }

    fn send(&mut self, packet: &Packet) -> Result<()> {
        let units = annexb::units(packet.data().unwrap_or_default());
        if !self.has_entry {
            let side = |of: u32| u16::try_from(of).unwrap_or(u16::MAX);
            let entry = annexb::avc1(&units, (side(self.size.0), side(self.size.1)))?;
            let entry =
                entry.ok_or_else(|| Error::corrupt("the encoder gave no parameter sets"))?;
            pipe::send(&FromCodec::Entry(entry.entry))?;
            self.has_entry = true;
        }
        pipe::send(&FromCodec::Unit(Unit {
            pts: Ticks(packet.pts().unwrap_or_default()),
            is_key: packet.is_key(),
            data: annexb::to_lengths(&units),
        }))
    }
}
