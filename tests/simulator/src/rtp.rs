//! RTP packets (RFC 3550) of H.264 (RFC 6184) and H.265 (RFC 7798), and RTCP sender reports.
//!
//! What belongs here: turning NAL units into packets once, and what is patched into a copy of them
//! for each session.

use crate::annexb::Codec;
use std::time::{SystemTime, UNIX_EPOCH};

/// RTP clock of video, in Hz.
pub(crate) const CLOCK: u64 = 90_000;
/// Dynamic payload type announced for the video track.
pub(crate) const PAYLOAD_TYPE: u8 = 96;
/// Bytes of payload in a packet, so that packet, UDP and IP headers fit an Ethernet frame.
const MAX_PAYLOAD: usize = 1400;
/// Bytes of the interleaved header (RFC 2326, 10.12) kept before each packet.
pub(crate) const FRAMING: usize = 4;
/// Bytes of the fixed RTP header.
const HEADER: usize = 12;

/// The packets of one access unit, back to back in interleaved form (`$`, channel, length, RTP
/// packet), fields that differ between sessions left zero.
#[derive(Debug)]
pub(crate) struct Packets {
    bytes: Box<[u8]>,
    count: u32,
}

impl Packets {
    /// Packetises the NAL units of one access unit; the last packet carries the marker bit.
    pub(crate) fn new<'a>(codec: Codec, nals: impl Iterator<Item = &'a [u8]>) -> Packets {
        let mut bytes = Vec::new();
        let mut count = 0;
        let mut last = 0;
        let mut push = |parts: [&[u8]; 2]| {
            last = bytes.len();
            count += 1;
            push_packet(&mut bytes, parts);
        };
        for nal in nals {
            if nal.len() <= MAX_PAYLOAD {
                push([nal, &[]]);
            } else {
                fragment(codec, nal, &mut push);
            }
        }
        if let Some(byte) = bytes.get_mut(last + FRAMING + 1) {
            *byte |= 0x80;
        }
        Packets {
            bytes: bytes.into(),
            count,
        }
    }

    /// How many packets there are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The packets, each with its interleaved header.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        framed(&self.bytes)
    }
}

/// Splits a run of packets in interleaved form.
pub(crate) fn framed(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        let (packet, tail) = rest.split_at_checked(FRAMING + length)?;
        rest = tail;
        Some(packet)
    })
}

fn push_packet(bytes: &mut Vec<u8>, parts: [&[u8]; 2]) {
    // At most MAX_PAYLOAD and a header, so it always fits.
    let length = u16::try_from(HEADER + parts[0].len() + parts[1].len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&[b'$', 0]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&[0x80, PAYLOAD_TYPE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for part in parts {
        bytes.extend_from_slice(part);
    }
}

/// FU-A (H.264) or FU (H.265) packets of a NAL unit too large for one packet.
fn fragment<'a>(codec: Codec, nal: &'a [u8], push: &mut impl FnMut([&[u8]; 2])) {
    let kind = codec.nal_type(nal);
    let body: &'a [u8] = match codec {
        Codec::H264 => &nal[1..],
        Codec::H265 => &nal[2..],
    };
    let chunks = body.chunks(MAX_PAYLOAD - 3);
    let last = chunks.len() - 1;
    for (at, chunk) in chunks.enumerate() {
        let start_end = match at {
            0 => 0x80,
            _ if at == last => 0x40,
            _ => 0,
        };
        match codec {
            Codec::H264 => push([&[(nal[0] & 0xe0) | 28, start_end | kind], chunk]),
            Codec::H265 => push([
                &[(nal[0] & 0x81) | (49 << 1), nal[1], start_end | kind],
                chunk,
            ]),
        }
    }
}

/// What a session writes into the packets it sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// Interleaved channel; unused over UDP.
    pub(crate) channel: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Clear the marker bit, so that the access unit never ends.
    pub(crate) unmark: bool,
}

impl Stamp {
    /// Appends a copy of `packet` with this stamp to `out`.
    pub(crate) fn append(&self, packet: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(packet);
        let copy = &mut out[start..];
        copy[1] = self.channel;
        if self.unmark {
            copy[FRAMING + 1] &= 0x7f;
        }
        copy[FRAMING + 2..FRAMING + 4].copy_from_slice(&self.sequence.to_be_bytes());
        copy[FRAMING + 4..FRAMING + 8].copy_from_slice(&self.timestamp.to_be_bytes());
        copy[FRAMING + 8..FRAMING + 12].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// Where the payload begins in a packet in interleaved form.
pub(crate) const PAYLOAD_AT: usize = FRAMING + HEADER;

/// Position of a packet's payload octets for the sender report's count.
pub(crate) fn payload_octets(framed: &[u8]) -> u32 {
    u32::try_from(framed.len().saturating_sub(PAYLOAD_AT)).unwrap_or(0)
}

/// An RTCP sender report without reception reports, in interleaved form.
pub(crate) fn sender_report(
    channel: u8,
    ssrc: u32,
    ntp: u64,
    timestamp: u32,
    packets: u32,
    octets: u32,
) -> Vec<u8> {
    let mut report = vec![b'$', channel, 0, 28, 0x80, 200, 0, 6];
    report.extend_from_slice(&ssrc.to_be_bytes());
    report.extend_from_slice(&ntp.to_be_bytes());
    report.extend_from_slice(&timestamp.to_be_bytes());
    report.extend_from_slice(&packets.to_be_bytes());
    report.extend_from_slice(&octets.to_be_bytes());
    report
}

/// NTP timestamp (RFC 5905, 32.32 fixed point since 1900) of a wall-clock time shifted by
/// `offset_ms`.
pub(crate) fn ntp(wall: SystemTime, offset_ms: i64) -> u64 {
    const SECONDS_1900_TO_1970: u64 = 2_208_988_800;
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = i128::try_from(since.as_nanos()).unwrap_or(0) + i128::from(offset_ms) * 1_000_000;
    let nanos = u64::try_from(nanos.max(0)).unwrap_or(u64::MAX);
    let seconds = nanos / 1_000_000_000 + SECONDS_1900_TO_1970;
    let fraction = ((nanos % 1_000_000_000) << 32) / 1_000_000_000;
    (seconds << 32) | fraction
}

/// The low 32 bits of a time in clock units, as RTP timestamps wrap.
pub(crate) fn wrap(ticks: i64) -> u32 {
    (ticks.cast_unsigned() & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_large_units_and_marks_only_the_last_packet() {
        let nal: Vec<u8> = std::iter::once(0x65)
            .chain((0..5000u32).map(|i| (i % 251) as u8))
            .collect();
        let packets = Packets::new(Codec::H264, [&[0x67u8, 1, 2][..], &nal].into_iter());
        assert_eq!(packets.count(), 5);
        let marks: Vec<bool> = packets.iter().map(|p| p[FRAMING + 1] & 0x80 != 0).collect();
        assert_eq!(marks, [false, false, false, false, true]);
        let body: Vec<u8> = packets
            .iter()
            .skip(1)
            .flat_map(|p| p[PAYLOAD_AT + 2..].to_vec())
            .collect();
        assert_eq!(body, nal[1..]);
    }

    #[test]
    fn ntp_counts_from_1900_and_shifts() {
        let wall = UNIX_EPOCH + std::time::Duration::from_millis(1500);
        assert_eq!(ntp(wall, 0) >> 32, 2_208_988_801);
        assert_eq!(ntp(wall, 0) & 0xffff_ffff, 1 << 31);
        assert_eq!(ntp(wall, -1000) >> 32, 2_208_988_800);
    }
}
