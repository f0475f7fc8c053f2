//! What making a package costs beside what it cannot do without, for `scripts/bench --export` and `scripts/soak`: a box with real
//! pictures of the past, packages of it, and the same bytes copied, unsealed and hashed. One JSON line tells what was done. No part of
//! the product.
//!
//! | arguments | |
//! |---|---|
//! | `make DIR` | a box of its own, whose keys the identity in `DIR/recovery.txt` opens |
//! | `plant STATE VOLUME SECONDS-AGO MINUTES FOOTAGE STREAM…` | gives each stream so many minutes of the pictures of a file |
//! | `pack DIR MINUTES OUT STREAM…` | a package of the first minutes of each, as a disclosure has it: sealed parts |
//! | `folder DIR MINUTES OUT STREAM…` | the same as plain files |
//! | `bare DIR MINUTES OUT STREAM…` | copies their segments, unseals all of their pictures, and hashes these |
#![allow(missing_docs, reason = "a program")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, writes files of its own and tells"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sinetti::base::clock::{SimulatedClock, SystemClock};
use sinetti::base::hash::Digest;
use sinetti::base::id::{RunId, StreamId};
use sinetti::base::time::{Span, Ticks, Wall};
use sinetti::base::zone::Zone;
use sinetti::catalog::{Catalog, Event, Reader};
use sinetti::daemon::ledger;
use sinetti::evidence::find::Places;
use sinetti::evidence::keys::KeyRing;
use sinetti::evidence::package::make::{self, About, Prepared, Wanted};
use sinetti::evidence::package::order;
use sinetti::evidence::package::parts::{self, PART_BYTES_MAX, Parts};
use sinetti::evidence::package::shelf::{FolderShelf, Shelf};
use sinetti::evidence::select;
use sinetti::media::annexb;
use sinetti::media::header::{ClockState, Losses};
use sinetti::media::read;
use sinetti::media::segment::Sample;
use sinetti::recorder::fragment::{Fragment, What};
use sinetti::store::state::State;
use sinetti::store::volume::Volume;
use sinetti::vault::generation::Generation;
use sinetti::vault::identity::Identity;
use sinetti::vault::parcel::Parcel;
use sinetti_simulator::Footage;

#[path = "../tests/retention/plant.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod plant;

/// Pictures of a second in all footage, and how long one lasts.
const FPS: u32 = 15;
const PICTURE: Ticks = Ticks(90_000 / FPS as i64);
/// Of a segment.
const SEGMENT_SECS: i64 = 60;
/// So much is in memory at a time while it is planted.
const AT_ONCE_SECS: i64 = 300;

fn main() {
    // cargo bench adds --bench; there is nothing to do then.
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<_> = given.into_iter().filter(|a| !a.starts_with("--")).collect();
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    match words[..] {
        ["make", dir] => make_box(Path::new(dir)),
        [
            "plant",
            state,
            volume,
            ago,
            minutes,
            footage,
            ref streams @ ..,
        ] => {
            let at = (Path::new(state), Path::new(volume));
            let pictures = Footage::load(footage, FPS).expect("footage loads");
            let start = SystemClock::shared().wall();
            let start = start.plus_us(-number(ago) * plant::SECOND);
            for stream in streams {
                plant_stream(at, &pictures, (stream, start), number(minutes) * 60);
            }
        }
        [what, dir, minutes, out, ref streams @ ..] => {
            let own = OwnBox::open(Path::new(dir), number(minutes), streams);
            let out = Path::new(out);
            fs::create_dir_all(out).expect("a folder");
            let told = match what {
                "pack" => own.pack(out),
                "folder" => own.folder(out),
                "bare" => own.bare(out),
                _ => panic!("what is {what}?"),
            };
            println!("{told}");
        }
        _ => {}
    }
}

fn number(text: &str) -> i64 {
    text.parse().expect("a whole number")
}

fn make_box(dir: &Path) {
    let recovery = Identity::generate();
    fs::create_dir_all(dir).expect("a folder");
    fs::write(dir.join("recovery.txt"), &*recovery.to_text()).expect("written");
    let (state, footage) = (dir.join("state"), dir.join("footage"));
    drop(plant::Plant::make(
        &state,
        &footage,
        &recovery,
        &Identity::generate(),
    ));
}

/// Records the pictures of a file again and again, as a camera would have sent them.
fn plant_stream(
    (state, volume): (&Path, &Path),
    footage: &Footage,
    (stream, start): (&str, Wall),
    seconds: i64,
) {
    let units = footage.access_units();
    let sets: Vec<&[u8]> = units[0].nal_units().collect();
    let entry = annexb::avc1(&sets, (1920, 1080)).expect("an entry");
    let entry = Arc::new(entry.expect("parameter sets"));
    let groups: Vec<Vec<_>> = units
        .chunk_by(|_, next| !next.is_key())
        .map(|group| {
            group
                .iter()
                .map(|u| (u.stored_form(), u.is_key()))
                .collect()
        })
        .collect();
    let run = RunId::random();
    let (mut dts, mut next_cut, mut at) = (Ticks(0), Ticks(0), 0);
    let end = Ticks::from_secs(seconds);
    while dts < end {
        let clock = SimulatedClock::at(SystemClock::shared().wall());
        let planted = plant::Plant::open(state, volume, clock);
        let until = end.min(dts + Ticks::from_secs(AT_ONCE_SECS));
        let mut orders = Vec::new();
        while dts < until {
            let group = &groups[at % groups.len()];
            let cut = dts >= next_cut;
            if cut {
                next_cut = dts + Ticks::from_secs(SEGMENT_SECS);
            }
            let samples: Vec<_> = group
                .iter()
                .zip(0..)
                .map(|((data, is_key), n)| Sample {
                    data: data.clone(),
                    dts: dts + Ticks(PICTURE.0 * n),
                    pts: dts + Ticks(PICTURE.0 * n),
                    duration: PICTURE,
                    is_key: *is_key,
                })
                .collect();
            let lasts = Ticks(PICTURE.0 * i64::try_from(group.len()).expect("few"));
            orders.push(What::Fragment(Box::new(Fragment {
                run,
                entry: Arc::clone(&entry),
                cut,
                doubts_before: false,
                starts_with_key: true,
                start: start.plus_ticks(dts),
                end: start.plus_ticks(dts + lasts),
                first_dts: dts,
                bytes: samples.iter().map(|s| s.data.len() as u64).sum(),
                samples,
                losses: Losses::default(),
                clock: ClockState::default(),
                activity: Vec::new(),
            })));
            (dts, at) = (dts + lasts, at + 1);
        }
        planted.order(stream, orders.into_iter());
    }
}

/// A box, and what is wanted of it.
struct OwnBox {
    state: State,
    volume: Volume,
    recovery: Identity,
    generation: Generation,
    minutes: i64,
    streams: Vec<StreamId>,
}

impl OwnBox {
    fn open(dir: &Path, minutes: i64, streams: &[&str]) -> Self {
        let text = fs::read_to_string(dir.join("recovery.txt")).expect("an identity");
        let recovery = Identity::from_text(&text).expect("an identity");
        let planted = plant::Plant::open(
            &dir.join("state"),
            &dir.join("footage"),
            SimulatedClock::at(SystemClock::shared().wall()),
        );
        Self {
            recovery,
            minutes,
            streams: streams.iter().map(|s| plant::stream(s)).collect(),
            generation: planted.sealing.generation.clone(),
            volume: planted.volume.clone(),
            state: planted.state.clone(),
        }
    }

    fn catalog(&self) -> Catalog {
        let (path, id) = (self.state.catalog_path(), self.state.box_id);
        Catalog::open_signing(&path, id, self.state.signer()).expect("the catalog")
    }

    fn wanted(&self, reader: &Reader) -> Vec<Wanted> {
        let volumes = reader.volumes().expect("volumes");
        let mut all = Vec::new();
        for stream in &self.streams {
            let rows = reader.segments(stream, plant::always()).expect("rows");
            let start = rows.first().expect("something is planted").start;
            let given = Span {
                start,
                end: start.plus_us(self.minutes * plant::MINUTE),
            };
            let rows = reader.segments(stream, given).expect("rows");
            let mut places = Places::new(self.state.box_id, &volumes);
            let sources = rows.iter().map(|row| places.closed(row).expect("there"));
            let selection = select::select(sources.collect(), given).expect("selected");
            all.push(Wanted {
                stream: stream.clone(),
                name: stream.to_string(),
                asked: given,
                given: Some(given),
                viewing: false,
                copied: false,
                selection: order::within(selection, given),
                absent: Vec::new(),
                rows,
            });
        }
        all
    }

    /// Clips, manifest, entry, checkpoint, proof, list.
    fn made<S: Shelf>(&self, shelf: S) -> (S, usize) {
        let catalog = self.catalog();
        let reader = catalog.reader().expect("a reader");
        let now = SystemClock::shared().wall();
        ledger::seal(&catalog, now, "demand").expect("sealed");
        let event = |facts| Event::of_box(now, "export", "package".to_owned(), facts);
        let act = catalog.begin_act(event(json!({})), Vec::new());
        let about = About {
            box_id: self.state.box_id,
            epoch: reader.epochs().expect("epochs").last().expect("one").number,
            site: "Myymälä 1".to_owned(),
            zone: Zone::named("Europe/Helsinki").expect("a zone"),
            configuration: Digest::ZERO,
            purpose: "crime-prevention".to_owned(),
            intent: None,
            disclosure: None,
            made: now,
        };
        let keys = KeyRing::of_recovery(self.identity());
        let signer = self.state.signer().expect("a key");
        let signing = (&keys, &signer);
        let prepared: Prepared<S> =
            make::prepare(shelf, about, self.wanted(&reader), signing, None).expect("prepared");
        let pictures = prepared.clips().iter().map(|c| c.pictures).sum();
        let told = json!({ "manifest": prepared.digest.to_string() });
        let seq = catalog.end_act(act.expect("begun"), event(told), Vec::new());
        let seq = seq.expect("an entry");
        while reader.inclusion(seq).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let finished = prepared.finish(&reader, seq, signing, &make::no_papers);
        (finished.expect("finished"), pictures)
    }

    fn identity(&self) -> Identity {
        Identity::from_text(&self.recovery.to_text()).expect("an identity")
    }

    fn pack(&self, out: &Path) -> Value {
        let began = Instant::now();
        let recovery = &self.state.recovery;
        let parts = Parts::new(parts::Options {
            dir: out.to_owned(),
            folder: "2026-0042".to_owned(),
            passphrase: None,
            time: [2026, 11, 24, 12, 0, 0],
            part_bytes_max: PART_BYTES_MAX,
            parcel: Box::new(|| Parcel::new(&self.generation, recovery)),
            wrote: Box::new(|_| Ok(())),
        });
        let (parts, pictures) = self.made(parts);
        let mut bytes = 0;
        for (part, n) in parts.finish().expect("whole").into_iter().zip(1..) {
            bytes += part.bytes;
            part.name(&out.join(format!("{n}.age"))).expect("named");
        }
        told(began, bytes, json!({ "pictures": pictures }))
    }

    fn folder(&self, out: &Path) -> Value {
        let began = Instant::now();
        let (shelf, pictures) = self.made(FolderShelf::new(out));
        shelf.finish().expect("named");
        let files = fs::read_dir(out).expect("a folder");
        let sizes = files.map(|f| f.expect("a file").metadata().expect("a size").len());
        told(began, sizes.sum(), json!({ "pictures": pictures }))
    }

    /// What no package can do without.
    fn bare(&self, out: &Path) -> Value {
        let catalog = self.catalog();
        let wanted = self.wanted(&catalog.reader().expect("a reader"));
        let keys = KeyRing::of_recovery(self.identity());
        let mut files: Vec<PathBuf> = Vec::new();
        for row in wanted.iter().flat_map(|w| &w.rows) {
            files.push(
                self.volume
                    .segment_path(&row.stream, row.start, row.segment),
            );
        }
        let began = Instant::now();
        for (from, n) in files.iter().zip(1..) {
            let to = out.join(format!("{n}.mp4"));
            fs::copy(from, &to).expect("copied");
            File::open(&to).and_then(|f| f.sync_all()).expect("synced");
        }
        let (copied, before) = (began.elapsed(), Instant::now());
        let (mut clear, mut bytes) = (Vec::new(), 0_u64);
        let mut key = None;
        let mut unsealed = Duration::ZERO;
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        for stretch in wanted.iter().flat_map(|w| &w.selection.stretches) {
            for piece in &stretch.pieces {
                let step = Instant::now();
                let (source, number) = (&piece.source, piece.number);
                let header = &source.initial.header;
                if number == 0 || key.is_none() {
                    let opened = keys.segment_key(&source.source.volume, header);
                    key = Some((opened.expect("a key"), source.file().expect("it opens")));
                }
                let (key, file) = key.as_ref().expect("of the segment");
                let raw = read::read_fragment(&**file, &source.initial, number, &piece.index);
                clear.extend(raw.expect("read").open(key).expect("opened"));
                unsealed += step.elapsed();
                for sample in clear.drain(..) {
                    bytes += sample.data.len() as u64;
                    hash.update(&sample.data);
                }
            }
        }
        // Told, so that nothing of it is left out.
        let sha256 = Digest::from_ring(&hash.finish()).to_string();
        let all = before.elapsed();
        let more = json!({
            "copy": copied.as_secs_f64(),
            "unseal": unsealed.as_secs_f64(),
            "hash": (all - unsealed).as_secs_f64(),
            "sha256": sha256,
        });
        told(began, bytes, more)
    }
}

/// Seconds, bytes, and the greatest resident size.
fn told(began: Instant, bytes: u64, mut more: Value) -> Value {
    let status = fs::read_to_string("/proc/self/status").expect("it tells");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.split_whitespace().next());
    more["peak_kib"] = number(peak.expect("a size")).into();
    more["seconds"] = began.elapsed().as_secs_f64().into();
    more["bytes"] = bytes.into();
    more
}
