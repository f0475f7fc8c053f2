//! Footage: an Annex-B file as the access units a camera sends, packetised once.
//!
//! What belongs here: loading, presentation order, and what a test needs to know about each access
//! unit.

use crate::annexb::{self, Codec};
use crate::rtp::{CLOCK, Packets};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

/// One access unit of a footage file.
#[derive(Clone, Debug)]
pub struct AccessUnit {
    data: Arc<[u8]>,
    nals: Vec<Range<usize>>,
    codec: Codec,
    is_key: bool,
    presentation: usize,
    decode: usize,
}

impl AccessUnit {
    /// The NAL units as in the file, without start codes.
    pub fn nal_units(&self) -> impl Iterator<Item = &[u8]> {
        self.nals.iter().map(|range| &self.data[range.clone()])
    }

    /// Whether this is a key frame: IDR, or for H.265 any IRAP picture (so also CRA and BLA).
    pub fn is_key(&self) -> bool {
        self.is_key
    }

    /// Place in presentation order within the loop, from 0.
    pub fn presentation(&self) -> usize {
        self.presentation
    }

    /// Place in decode order (= order of the file and of sending) within the loop, from 0.
    pub fn decode(&self) -> usize {
        self.decode
    }

    /// The access unit as a recorder that takes parameter sets out of band stores it: every NAL
    /// unit but VPS, SPS and PPS, each after its length in four bytes, big-endian. SEI, access unit
    /// delimiters and filler data stay, as retina 0.4.21 leaves them in with `FrameFormat::MP4`.
    pub fn stored_form(&self) -> Vec<u8> {
        let mut stored = Vec::new();
        for nal in self
            .nal_units()
            .filter(|nal| !self.codec.is_parameter_set(nal))
        {
            stored.extend_from_slice(&u32::try_from(nal.len()).unwrap_or(u32::MAX).to_be_bytes());
            stored.extend_from_slice(nal);
        }
        stored
    }
}

/// A loop of access units, shared by any number of cameras.
pub struct Footage {
    path: PathBuf,
    codec: Codec,
    fps: u32,
    units: Vec<AccessUnit>,
    packets: Vec<Packets>,
    /// For each access unit the highest presentation index up to it: it cannot leave a camera
    /// before the latest picture it may refer to has been captured.
    ready: Vec<usize>,
    format_parameters: String,
}

impl fmt::Debug for Footage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Footage({}, {} access units)",
            self.path.display(),
            self.units.len()
        )
    }
}

impl Footage {
    /// Loads an Annex-B file: H.265 if its name ends in `.265`, `.h265` or `.hevc`, else H.264.
    ///
    /// The file's order is decode order. Where pictures are reordered (B-frames), a sidecar
    /// `FILE.pts` gives the presentation index of each access unit, one decimal number a line, in
    /// decode order; without it both orders are the same.
    pub fn load(path: impl AsRef<Path>, fps: u32) -> io::Result<Footage> {
        let path = path.as_ref();
        let within =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let data: Arc<[u8]> = std::fs::read(path).map_err(within)?.into();
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let codec = match extension.as_str() {
            "265" | "h265" | "hevc" => Codec::H265,
            _ => Codec::H264,
        };
        let sidecar = PathBuf::from(format!("{}.pts", path.display()));
        let order = match std::fs::read_to_string(&sidecar) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(within(error)),
        };
        Footage::assemble(path, codec, fps, data, order.as_deref())
            .map_err(|e| within(io::Error::new(io::ErrorKind::InvalidData, e)))
    }

    fn assemble(
        path: &Path,
        codec: Codec,
        fps: u32,
        data: Arc<[u8]>,
        order: Option<&str>,
    ) -> Result<Footage, String> {
        if fps == 0 || !CLOCK.is_multiple_of(u64::from(fps)) {
            // Otherwise RTP timestamps would drift against the loop, or need rounding that tests
            // would have to repeat.
            return Err(format!(
                "{fps} frames a second do not divide the RTP clock of 90 kHz"
            ));
        }
        let grouped = annexb::access_units(codec, &data);
        let order = match order {
            Some(text) => presentation_order(text, grouped.len())?,
            None => (0..grouped.len()).collect(),
        };
        let units: Vec<AccessUnit> = grouped
            .into_iter()
            .zip(&order)
            .enumerate()
            .map(|(decode, (nals, &presentation))| {
                let is_key = nals
                    .iter()
                    .any(|range| codec.is_key_slice(&data[range.clone()]));
                AccessUnit {
                    data: data.clone(),
                    nals,
                    codec,
                    is_key,
                    presentation,
                    decode,
                }
            })
            .collect();
        if !units.first().is_some_and(AccessUnit::is_key) {
            return Err("does not begin with a key frame".into());
        }
        let ready = order.iter().scan(0, |latest, &presentation| {
            *latest = presentation.max(*latest);
            Some(*latest)
        });
        Ok(Footage {
            path: path.into(),
            codec,
            fps,
            ready: ready.collect(),
            packets: units
                .iter()
                .map(|unit| Packets::new(codec, unit.nal_units()))
                .collect(),
            format_parameters: format_parameters(codec, &units)?,
            units,
        })
    }

    /// The file it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the video is coded.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Frames a second.
    pub fn fps(&self) -> u32 {
        self.fps
    }

    /// The access units of one loop in decode order.
    pub fn access_units(&self) -> &[AccessUnit] {
        &self.units
    }

    /// RTP clock units from one frame to the next.
    pub fn ticks_per_frame(&self) -> u64 {
        CLOCK / u64::from(self.fps)
    }

    /// RTP clock units of one loop.
    pub fn ticks_per_loop(&self) -> u64 {
        self.ticks_per_frame() * as_ticks(self.units.len())
    }

    pub(crate) fn packets(&self, index: usize) -> &Packets {
        &self.packets[index]
    }

    /// RTP clock units into the loop at which an access unit is presented (captured).
    pub(crate) fn presented_at(&self, index: usize) -> u64 {
        self.ticks_per_frame() * as_ticks(self.units[index].presentation)
    }

    /// RTP clock units into the loop at which an access unit can be sent. Never falls from one to
    /// the next.
    pub(crate) fn ready_at(&self, index: usize) -> u64 {
        self.ticks_per_frame() * as_ticks(self.ready[index])
    }

    /// The first access unit that is ready at or after a time in the loop; the number of units if
    /// there is none.
    pub(crate) fn first_ready_from(&self, ticks: u64) -> usize {
        let step = self.ticks_per_frame();
        self.ready
            .partition_point(|&ready| as_ticks(ready) * step < ticks)
    }

    /// `a=rtpmap` and `a=fmtp` lines of the video track.
    pub(crate) fn format_parameters(&self) -> &str {
        &self.format_parameters
    }
}

/// Lossless on every platform there is; `usize` has no `Into<u64>`.
pub(crate) fn as_ticks(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn presentation_order(text: &str, count: usize) -> Result<Vec<usize>, String> {
    let order: Vec<usize> = text
        .lines()
        .map(|line| {
            line.trim()
                .parse()
                .map_err(|_| format!("sidecar: {line:?} is no number"))
        })
        .collect::<Result<_, _>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..count) {
        return Err(format!(
            "sidecar: {} lines are no order of {count} access units",
            order.len()
        ));
    }
    Ok(order)
}

fn format_parameters(codec: Codec, units: &[AccessUnit]) -> Result<String, String> {
    let find = |kind: u8| {
        let mut nals = units.iter().flat_map(AccessUnit::nal_units);
        nals.find(|nal| codec.nal_type(nal) == kind)
            .ok_or(format!("has no NAL unit of type {kind}"))
    };
    let coded = |kind| find(kind).map(|nal| STANDARD.encode(nal));
    match codec {
        Codec::H264 => {
            let sps = find(7)?;
            let profile: String = sps
                .iter()
                .skip(1)
                .take(3)
                .map(|byte| format!("{byte:02X}"))
                .collect();
            let (sps, pps) = (coded(7)?, coded(8)?);
            Ok(format!(
                "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sps},{pps}\r\n"
            ))
        }
        Codec::H265 => {
            let (vps, sps, pps) = (coded(32)?, coded(33)?, coded(34)?);
            Ok(format!(
                "a=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}\r\n"
            ))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Twelve H.264 pictures without content, key frames at 0 and 6, with the given sidecar.
    pub(crate) fn synthetic(order: Option<&str>) -> Result<Footage, String> {
        let mut data = Vec::new();
        let mut push = |nal: &[u8]| {
            data.extend_from_slice(&[0, 0, 1]);
            data.extend_from_slice(nal);
        };
        for picture in 0..12u8 {
            if picture % 6 == 0 {
                push(&[0x67, 0x4d, 0, 0x1f, 1]);
                push(&[0x68, 0xee]);
                push(&[0x65, 0x88, picture]);
            } else {
                push(&[0x41, 0x9a, picture]);
            }
        }
        Footage::assemble(
            Path::new("synthetic.264"),
            Codec::H264,
            15,
            data.into(),
            order,
        )
    }

    #[test]
    fn stored_form_leaves_out_parameter_sets_only() {
        let footage = synthetic(None).expect("loads");
        assert_eq!(
            footage.access_units()[0].stored_form(),
            [0, 0, 0, 2, 0x65, 0x88]
        );
        assert_eq!(
            footage.access_units()[1].stored_form(),
            [0, 0, 0, 3, 0x41, 0x9a, 1]
        );
    }

    #[test]
    fn reordered_pictures_wait_for_the_latest_captured_one() {
        let order = "0\n3\n1\n2\n5\n4\n6\n9\n7\n8\n11\n10\n";
        let footage = synthetic(Some(order)).expect("loads");
        let ready: Vec<u64> = (0..12).map(|i| footage.ready_at(i) / 6000).collect();
        assert_eq!(ready, [0, 3, 3, 3, 5, 5, 6, 9, 9, 9, 11, 11]);
        assert_eq!(footage.presented_at(2), 6000);
    }

    #[test]
    fn refuses_a_sidecar_that_does_not_fit() {
        assert!(synthetic(Some("0\n1\n")).is_err());
        assert!(synthetic(Some("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n10\n")).is_err());
    }
}
