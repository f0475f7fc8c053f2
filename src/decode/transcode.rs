//! A viewing copy: what was recorded as H.265, coded anew as H.264 by the program, picture by picture. It is for looking at where
//! nothing plays H.265; it is no evidence, and whoever hands it out says so.
//!
//! What does not belong here: files, keys, which footage.

use crate::base::error::{Error, Kind, Result};
use crate::base::time::Ticks;
use crate::decode::program::Program;
use crate::decode::talk::Talk;
use crate::decode::wire::{FromCodec, Job, ToCodec, Unit};
use crate::media::access_unit::{Codec, SampleEntry};
use crate::media::segment::Sample;

/// Takes what was coded anew, as it comes.
pub trait Sink {
    /// How the samples are decoded: before the first of them, once.
    ///
    /// # Errors
    /// Whatever ends the work.
    fn entry(&mut self, entry: &SampleEntry) -> Result<()>;

    /// The next sample. Decoding order is the order of showing, so `dts` is `pts`, in the time of the source.
    ///
    /// # Errors
    /// Whatever ends the work: this is how it is cancelled.
    fn sample(&mut self, sample: Sample) -> Result<()>;
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Transcoded {
    /// Pictures that were given.
    pub pictures_in: u64,
    /// Pictures that came out.
    pub pictures_out: u64,
    /// Of those, pictures that could not be decoded whole.
    pub damaged: u32,
}

/// Codes `samples`, in decoding order from a key frame on, anew as H.264. Memory stays the same however long they are. An error of
/// `samples` or `sink` ends it at once, and the program with it. Blocks, for about as long as the footage lasts on a small machine.
///
/// # Errors
/// As [`still::decode`](crate::decode::still::decode); what `samples` and `sink` say.
pub fn transcode(
    program: &Program,
    entry: &SampleEntry,
    samples: impl IntoIterator<Item = Result<Sample>>,
    sink: &mut impl Sink,
) -> Result<Transcoded> {
    let mut work = Work {
        talk: program.start(Job::View, entry)?,
        sink,
        has_entry: false,
        waiting: None,
        last: Ticks(1),
        done: Transcoded::default(),
    };
    for sample in samples {
        let sample = sample?;
        work.last = sample.duration;
        work.done.pictures_in += 1;
        work.talk.send(&ToCodec::Unit(Unit {
            pts: sample.pts,
            is_key: sample.is_key,
            data: sample.data,
        }))?;
        while let Some(message) = work.talk.heard()? {
            work.take(message)?;
        }
    }
    work.talk.finish()?;
    loop {
        let message = work.talk.receive()?;
        if let FromCodec::Done(damaged) = message {
            work.done.damaged = damaged;
            let last = work.last;
            work.flush(|_| last)?;
            return work.all();
        }
        work.take(message)?;
    }
}

struct Work<'a, S> {
    talk: Talk,
    sink: &'a mut S,
    has_entry: bool,
    /// A picture whose duration is known when the next one comes.
    waiting: Option<Unit>,
    last: Ticks,
    done: Transcoded,
}

impl<S: Sink> Work<'_, S> {
    fn take(&mut self, message: FromCodec) -> Result<()> {
        match message {
            FromCodec::Entry(bytes) if !self.has_entry => {
                let entry = SampleEntry::parse(&bytes)?;
                if entry.codec != Codec::H264 {
                    return Err(strange());
                }
                self.has_entry = true;
                self.sink.entry(&entry)
            }
            FromCodec::Unit(unit) if self.has_entry => {
                if self.done.pictures_out >= self.done.pictures_in {
                    return Err(strange());
                }
                self.done.pictures_out += 1;
                let next = unit.pts.0;
                self.flush(|pts| Ticks(next.checked_sub(pts.0).unwrap_or(0)))?;
                self.waiting = Some(unit);
                Ok(())
            }
            _ => Err(strange()),
        }
    }

    fn flush(&mut self, duration: impl FnOnce(Ticks) -> Ticks) -> Result<()> {
        let Some(unit) = self.waiting.take() else {
            return Ok(());
        };
        let duration = duration(unit.pts);
        if duration.0 <= 0 {
            return Err(strange());
        }
        self.sink.sample(Sample {
            data: unit.data,
            dts: unit.pts,
            pts: unit.pts,
            duration,
            is_key: unit.is_key,
        })
    }

    fn all(self) -> Result<Transcoded> {
        if self.done.pictures_out == 0 {
            return Err(Error::new(
                Kind::Corrupt,
                "nothing of the footage could be decoded",
            ));
        }
        Ok(self.done)
    }
}

fn strange() -> Error {
    Error::corrupt("sinetti-codec gave what it was not asked for, and was ended")
}
