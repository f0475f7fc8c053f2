//! Real pictures on a planted box, and packages of them as files.

use std::fs::File;
use std::io::{IoSlice, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sinetti::base::error::{Error, Kind, Result};
use sinetti::base::id::RunId;
use sinetti::base::time::{Span, Ticks, Wall};
use sinetti::decode::Program;
use sinetti::evidence::keys::KeyRing;
use sinetti::evidence::package::make::{self, Copying, Wanted};
use sinetti::evidence::package::shelf::Shelf;
use sinetti::media::access_unit::SampleEntry;
use sinetti::media::header::{ClockState, Losses};
use sinetti::media::segment::Sample;
use sinetti::recorder::fragment::{Fragment, What};

use crate::exact::about;
use crate::footage::Stream;
use crate::plant::Own;

/// A segment ends after so many groups of pictures.
const CUT_EVERY: usize = 2;

/// An unbroken piece of recording.
pub(crate) struct Take<'a> {
    pub(crate) footage: &'a Stream,
    /// Which of its groups of pictures.
    pub(crate) groups: Range<usize>,
    pub(crate) start: Wall,
    /// Another session than the piece before.
    pub(crate) new_run: bool,
}

pub(crate) fn at(text: &str) -> Wall {
    Wall::parse_rfc3339(text).expect("a time")
}

/// Groups of pictures of a stream.
pub(crate) fn groups(footage: &Stream) -> Vec<&[Sample]> {
    let groups = footage.samples.chunk_by(|_, next| !next.is_key);
    groups.collect()
}

/// Records `takes` of a stream, one after the other, and tells from when to when each is.
pub(crate) fn record(own: &Own, name: &str, takes: &[Take<'_>]) -> Vec<Span> {
    let (mut orders, mut spans) = (Vec::new(), Vec::new());
    let (mut run, mut next) = (RunId::random(), Ticks(0));
    for take in takes {
        if take.new_run {
            (run, next) = (RunId::random(), Ticks(0));
        }
        let entry = Arc::new(take.footage.entry.clone());
        let all = groups(take.footage);
        let taken = &all[take.groups.clone()];
        let shift = next - taken[0][0].dts;
        let (began, mut end) = (next, take.start);
        for (n, group) in taken.iter().enumerate() {
            let start = take.start.plus_ticks(next - began);
            let fragment = fragment((run, &entry), group, shift, (start, n % CUT_EVERY == 0));
            next = fragment.first_dts + group.iter().fold(Ticks(0), |sum, s| sum + s.duration);
            end = fragment.end;
            orders.push(What::Fragment(Box::new(fragment)));
        }
        spans.push(Span {
            start: take.start,
            end,
        });
    }
    own.plant.order(name, orders.into_iter());
    spans
}

fn fragment(
    (run, entry): (RunId, &Arc<SampleEntry>),
    group: &[Sample],
    shift: Ticks,
    (start, cut): (Wall, bool),
) -> Fragment {
    let samples: Vec<_> = group
        .iter()
        .map(|sample| Sample {
            dts: sample.dts + shift,
            pts: sample.pts + shift,
            ..sample.clone()
        })
        .collect();
    let lasts = samples.iter().fold(Ticks(0), |sum, s| sum + s.duration);
    Fragment {
        run,
        entry: Arc::clone(entry),
        cut,
        doubts_before: false,
        starts_with_key: true,
        start,
        end: start.plus_ticks(lasts),
        first_dts: samples[0].dts,
        bytes: samples.iter().map(|s| s.data.len() as u64).sum(),
        samples,
        losses: Losses::default(),
        clock: ClockState::default(),
        activity: Vec::new(),
    }
}

/// How far a package's copies for viewing are, as it was told: bytes in all, and of those that went in; and after how many it is to stop.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) all: std::cell::Cell<u64>,
    pub(crate) done: std::cell::Cell<u64>,
    pub(crate) stop_at: Option<u64>,
}

/// Writes files as they come.
struct Files {
    dir: PathBuf,
    open: Option<File>,
}

impl Shelf for Files {
    fn file_bytes_max(&self) -> u64 {
        1 << 30
    }

    fn begin(&mut self, name: &str, _: u64) -> Result<()> {
        self.open = Some(File::create_new(self.dir.join(name))?);
        Ok(())
    }

    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<()> {
        let file = self.open.as_mut().expect("begun");
        Ok(slices.iter().try_for_each(|slice| file.write_all(slice))?)
    }

    fn end(&mut self) -> Result<()> {
        self.open = None;
        Ok(())
    }
}

/// The clips and copies of a package in `dir`, and its manifest.
pub(crate) fn packed(
    own: Own,
    wanted: Vec<Wanted>,
    dir: &Path,
    (program, told): (&Program, &Told),
) -> Result<Value> {
    let signer = own.plant.state.signer().expect("a key");
    let about = about(&own);
    let keys = KeyRing::of_recovery(own.recovery);
    let began = |bytes| {
        told.all.set(bytes);
        Ok(())
    };
    let went_in = |bytes| {
        told.done.set(told.done.get() + bytes);
        match told.stop_at {
            Some(at) if told.done.get() >= at => Err(Error::new(Kind::Busy, "cancelled")),
            _ => Ok(()),
        }
    };
    let waiting = dir.join("waiting");
    std::fs::create_dir_all(&waiting)?;
    let copying = Copying {
        program,
        dir: &waiting,
        begins: &began,
        went_in: &went_in,
    };
    let shelf = Files {
        dir: dir.to_owned(),
        open: None,
    };
    let prepared = make::prepare(shelf, about, wanted, (&keys, &signer), Some(&copying));
    // What waits has no name, and is gone whatever comes of it.
    std::fs::remove_dir(&waiting)?;
    Ok(serde_json::from_slice(prepared?.manifest()).expect("JSON"))
}
