//! Footage as the recorder has it: a sample entry, and samples in decoding order. And what FFmpeg makes of the same file.

use sinetti::base::error::Result;
use sinetti::base::time::Ticks;
use sinetti::decode::Program;
use sinetti::decode::still::{self, Picture};
use sinetti::media::access_unit::SampleEntry;
use sinetti::media::annexb;
use sinetti::media::segment::Sample;
use sinetti_simulator::{Codec, Footage};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of one picture.
pub(crate) const TICKS: i64 = 6000;
/// Pictures of all footage by second.
const FPS: u32 = 15;

/// The program under test.
pub(crate) fn program() -> Program {
    Program::at(env!("CARGO_BIN_EXE_sinetti-codec"))
}

/// A file of the small footage; made unless `scripts/test` did.
pub(crate) fn path(name: &str) -> PathBuf {
    if let Some(dir) = std::env::var_os("SINETTI_TEST_FOOTAGE") {
        return Path::new(&dir).join(name);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = root.join("target/footage");
    let made = Command::new(root.join("scripts/make-footage"))
        .arg(&dir)
        .arg("--small")
        .status()
        .expect("make-footage runs");
    assert!(made.success(), "scripts/make-footage failed");
    dir.join(name)
}

/// A stream.
pub(crate) struct Stream {
    pub(crate) name: &'static str,
    pub(crate) entry: SampleEntry,
    pub(crate) samples: Vec<Sample>,
}

impl Stream {
    pub(crate) fn of(name: &'static str) -> Stream {
        let footage = Footage::load(path(name), FPS).expect("footage loads");
        let units = footage.access_units();
        let sets: Vec<&[u8]> = units[0].nal_units().collect();
        let entry = match footage.codec() {
            Codec::H264 => annexb::avc1(&sets, (320, 180))
                .expect("an entry")
                .expect("parameter sets"),
            Codec::H265 => hvc1(&sets, (320, 180)),
        };
        let samples = units
            .iter()
            .map(|unit| Sample {
                data: unit.stored_form(),
                dts: Ticks(unit.decode() as i64 * TICKS),
                pts: Ticks(unit.presentation() as i64 * TICKS),
                duration: Ticks(TICKS),
                is_key: unit.is_key(),
            })
            .collect();
        Stream {
            name,
            entry,
            samples,
        }
    }

    /// What is needed for the picture that is shown as number `n`: from the key frame before it up to itself.
    pub(crate) fn up_to(&self, n: i64) -> Vec<Sample> {
        let wanted = |s: &Sample| s.pts == Ticks(n * TICKS);
        let last = self.samples.iter().position(wanted).expect("a picture");
        let key = |s: &Sample| s.is_key && s.pts <= Ticks(n * TICKS);
        let first = self.samples[..=last]
            .iter()
            .rposition(key)
            .expect("a key frame");
        self.samples[first..=last].to_vec()
    }

    pub(crate) fn still(&self, program: &Program, samples: Vec<Sample>, n: i64) -> Result<Picture> {
        let texts = |_| vec![("Title", "Kassa 1".to_owned())];
        still::decode(
            program,
            &self.entry,
            samples.into_iter().map(Ok),
            Ticks(n * TICKS),
            texts,
        )
    }

    /// What FFmpeg makes of the pictures shown as numbers `from` up to `to`: red, green, blue.
    pub(crate) fn by_ffmpeg(&self, from: i64, to: i64) -> Vec<Vec<u8>> {
        let select = format!(
            "select=between(n\\,{from}\\,{to}),scale=flags=bicubic+accurate_rnd+full_chroma_int:in_color_matrix=bt601,format=rgb24"
        );
        let ran = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(path(self.name))
            .args([
                "-vf",
                &select,
                "-fps_mode",
                "passthrough",
                "-f",
                "rawvideo",
                "-",
            ])
            .output()
            .expect("ffmpeg runs");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let bytes = usize::from(self.entry.width) * usize::from(self.entry.height) * 3;
        ran.stdout.chunks(bytes).map(<[u8]>::to_vec).collect()
    }
}

/// A sample entry of H.265 (ISO/IEC 14496-15, 8.3.3.1.2) with these parameter sets.
fn hvc1(sets: &[&[u8]], (width, height): (u16, u16)) -> SampleEntry {
    let mut record = vec![
        1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f,
    ];
    let kind = |unit: &&&[u8]| (unit[0] >> 1) & 0x3f;
    let sets: Vec<_> = sets
        .iter()
        .filter(|unit| (32..=34).contains(&kind(unit)))
        .collect();
    record.push(u8::try_from(sets.len()).expect("few"));
    for unit in sets {
        record.push(0x80 | kind(&unit));
        record.extend_from_slice(&[0, 1]);
        record.extend_from_slice(&u16::try_from(unit.len()).expect("short").to_be_bytes());
        record.extend_from_slice(unit);
    }
    entry(*b"hvc1", *b"hvcC", &record, (width, height))
}

/// A sample entry with this decoder record.
pub(crate) fn entry(
    kind: [u8; 4],
    record_kind: [u8; 4],
    record: &[u8],
    (width, height): (u16, u16),
) -> SampleEntry {
    let mut body = vec![0; 78];
    body[7] = 1;
    body[24..26].copy_from_slice(&width.to_be_bytes());
    body[26..28].copy_from_slice(&height.to_be_bytes());
    let boxed = |kind: [u8; 4], body: &[u8]| {
        let bytes = u32::try_from(body.len() + 8).expect("short");
        [&bytes.to_be_bytes(), &kind[..], body].concat()
    };
    body.extend_from_slice(&boxed(record_kind, record));
    SampleEntry::parse(&boxed(kind, &body)).expect("a sample entry")
}

/// The pixels of a still, and its texts.
pub(crate) fn pixels(png: &[u8]) -> (Vec<u8>, Vec<(String, String)>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(png));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
    reader.next_frame(&mut pixels).expect("pixels");
    let texts = reader.info().utf8_text.iter();
    let texts = texts.map(|t| (t.keyword.clone(), t.get_text().expect("text")));
    (pixels, texts.collect())
}
