//! From a decoded frame to pixels: red, green, blue, 8 bits each, at full resolution.
//!
//! FFmpeg's scaler brings the frame to 8 bits and 4:4:4, which changes no colour; the colours are then converted here, by the matrix
//! and the range that the camera named (Rec. ITU-T H.264, annex E; BT.601, BT.709, BT.2020).

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame;
use ffmpeg_next::software::scaling::{Context, Flags};
use sinetti::base::error::{Error, Kind, Result};
use sinetti::base::time::Ticks;
use sinetti::decode::wire::{FromCodec, PIXEL_BYTES_MAX};

use crate::decoder::{Decoder, failed};
use crate::{next, pipe};

/// Pictures of so many lines and more are HD, whose matrix is BT.709 when none is named.
const HD_LINES: u32 = 720;

/// Sends the picture shown at `wanted`. How many could not be decoded whole on the way.
pub(crate) fn still(decoder: &mut Decoder, wanted: Ticks) -> Result<u32> {
    let mut found = None;
    let mut keep = |frame: &mut frame::Video, filled_in: bool| {
        if found.is_none() && frame.pts() == Some(wanted.0) {
            found = Some((std::mem::replace(frame, frame::Video::empty()), filled_in));
        }
        Ok(())
    };
    while let Some(unit) = next()? {
        decoder.decode(Some(&unit), &mut keep)?;
    }
    decoder.decode(None, &mut keep)?;
    let (frame, filled_in) = found.ok_or_else(|| {
        Error::corrupt("the picture at that time is not among those that could be decoded")
    })?;
    pipe::send(&FromCodec::Picture {
        width: frame.width(),
        height: frame.height(),
        // A reference that was lost on the way shows in this picture too.
        is_damaged: filled_in || decoder.damaged > 0,
    })?;
    send_pixels(&frame)?;
    Ok(decoder.damaged)
}

/// The format to bring a frame to: of the same colours, so that nothing but chroma positions and depth is changed.
fn plain_format(format: Pixel) -> Result<Pixel> {
    use Pixel::{
        GRAY8, GRAY10LE, GRAY12LE, YUV420P, YUV420P10LE, YUV420P12LE, YUV422P, YUV422P10LE,
        YUV422P12LE, YUV444P, YUV444P10LE, YUV444P12LE, YUVJ420P, YUVJ422P, YUVJ444P,
    };
    match format {
        YUV420P | YUV422P | YUV444P | YUV420P10LE | YUV422P10LE | YUV444P10LE | YUV420P12LE
        | YUV422P12LE | YUV444P12LE => Ok(YUV444P),
        YUVJ420P | YUVJ422P | YUVJ444P => Ok(YUVJ444P),
        GRAY8 | GRAY10LE | GRAY12LE => Ok(GRAY8),
        other => {
            let text = format!("pictures of format {other:?} are not shown here");
            Err(Error::new(Kind::Unavailable, text))
        }
    }
}

fn send_pixels(frame: &frame::Video) -> Result<()> {
    let (width, height) = (frame.width(), frame.height());
    let format = plain_format(frame.format())?;
    let mut plain = frame::Video::empty();
    let flags = Flags::BICUBIC | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
    Context::get(frame.format(), width, height, format, width, height, flags)
        .and_then(|mut context| context.run(frame, &mut plain))
        .map_err(|e| failed("bringing the picture to 8 bits", e))?;
    let full = frame.color_range() == Range::JPEG || format == Pixel::YUVJ444P;
    let matrix = Matrix::of(frame.color_space(), height, full)?;
    let row_bytes = width as usize * 3;
    let rows_at_once = (PIXEL_BYTES_MAX / row_bytes).max(1);
    let mut out = Vec::with_capacity(row_bytes * rows_at_once);
    for row in 0..height as usize {
        let line = |plane: usize| {
            let at = plain.stride(plane) * row;
            plain
                .data(plane)
                .get(at..at + width as usize)
                .unwrap_or_default()
        };
        if format == Pixel::GRAY8 {
            out.extend(line(0).iter().flat_map(|y| matrix.rgb(*y, 128, 128)));
        } else {
            let chroma = line(1).iter().zip(line(2));
            let pixels = line(0).iter().zip(chroma);
            out.extend(pixels.flat_map(|(y, (cb, cr))| matrix.rgb(*y, *cb, *cr)));
        }
        if (row + 1) % rows_at_once == 0 || row + 1 == height as usize {
            pipe::send(&FromCodec::Pixels(std::mem::take(&mut out)))?;
        }
    }
    Ok(())
}

/// Bits after the point.
const SHIFT: i32 = 16;

/// From luma and chroma to colours, in fixed point.
struct Matrix {
    black: i32,
    luma: i32,
    red: i32,
    green: (i32, i32),
    blue: i32,
}

impl Matrix {
    fn of(space: Space, height: u32, full: bool) -> Result<Self> {
        let (kr, kb) = match space {
            Space::BT709 => (0.2126, 0.0722),
            Space::BT470BG | Space::SMPTE170M | Space::FCC => (0.299, 0.114),
            Space::SMPTE240M => (0.212, 0.087),
            Space::BT2020NCL | Space::BT2020CL => (0.2627, 0.0593),
            Space::Unspecified | Space::Reserved if height >= HD_LINES => (0.2126, 0.0722),
            Space::Unspecified | Space::Reserved => (0.299, 0.114),
            other => {
                let text = format!("pictures in the colours {other:?} are not shown here");
                return Err(Error::new(Kind::Unavailable, text));
            }
        };
        let (black, luma, chroma) = if full {
            (0, 255.0, 255.0)
        } else {
            (16, 219.0, 224.0)
        };
        let kg: f64 = 1.0 - kr - kb;
        let fixed = |of: f64| fixed(of * 255.0);
        Ok(Self {
            black,
            luma: fixed(1.0 / luma),
            red: fixed(2.0 * (1.0 - kr) / chroma),
            green: (
                fixed(2.0 * (1.0 - kb) * kb / kg / chroma),
                fixed(2.0 * (1.0 - kr) * kr / kg / chroma),
            ),
            blue: fixed(2.0 * (1.0 - kb) / chroma),
        })
    }

    fn rgb(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.black) * self.luma + (1 << (SHIFT - 1));
        let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
        let byte = |value: i32| u8::try_from((value >> SHIFT).clamp(0, 255)).unwrap_or(u8::MAX);
        [
            byte(y + self.red * cr),
            byte(y - self.green.0 * cb - self.green.1 * cr),
            byte(y + self.blue * cb),
        ]
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "constants of at most a few units, times 65 536"
)]
fn fixed(value: f64) -> i32 {
    (value * f64::from(1 << SHIFT)).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_the_primaries_of_bt709_are_themselves() {
        let matrix = Matrix::of(Space::BT709, 1080, false).expect("a matrix");
        for ((y, cb, cr), rgb) in [
            ((16, 128, 128), [0, 0, 0]),
            ((235, 128, 128), [255, 255, 255]),
            ((63, 102, 240), [255, 1, 0]),
            ((173, 42, 26), [0, 255, 1]),
            ((32, 240, 118), [1, 0, 255]),
        ] {
            let found = matrix.rgb(y, cb, cr);
            let off = found.iter().zip(rgb).map(|(a, b)| a.abs_diff(b)).max();
            assert!(off <= Some(2), "{found:?} {rgb:?}");
        }
        let full = Matrix::of(Space::BT470BG, 480, true).expect("a matrix");
        assert_eq!(full.rgb(255, 128, 128), [255, 255, 255]);
        assert_eq!(full.rgb(0, 128, 128), [0, 0, 0]);
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        assert!(Matrix::of(Space::ICTCP, 1080, false).is_err());
        assert!(plain_format(Pixel::GBRP).is_err());
    }
}
