//! `sinetti-codec`: decodes what cameras sent, for the recorder, which starts it and talks to it over two pipes
//! (`sinetti::decode::wire`). What cameras send is hostile, and FFmpeg is large: so it locks itself in before it reads a byte, has
//! no key, reaches no file and no network, and ends with its one job.
//!
//! What does not belong here: anything that could be done in the recorder.

mod decoder;
mod encoder;
mod lock;
mod pictures;
mod pipe;

use std::process::ExitCode;

use sinetti::base::error::{Error, Kind, Result};
use sinetti::decode::wire::{FromCodec, Job, ToCodec, VERSION};
use sinetti::media::access_unit::SampleEntry;

use crate::decoder::Decoder;
use crate::lock::Limits;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let limits = match (args.next().as_deref(), args.next()) {
        (Some("still"), None) => Limits::STILL,
        (Some("view"), None) => Limits::VIEW,
        (Some("--version"), None) => return pipe::say(&FromCodec::Ready(VERSION.to_owned())),
        _ => return ExitCode::from(2),
    };
    // Whatever is loaded or looked up at first use is, before that is forbidden.
    let prepared = decoder::prepare().and_then(|()| lock::lock_in(limits));
    let done = prepared.and_then(|()| {
        pipe::send(&FromCodec::Ready(VERSION.to_owned()))?;
        work()
    });
    match done {
        Ok(damaged) => pipe::say(&FromCodec::Done(damaged)),
        Err(e) => {
            pipe::say(&FromCodec::Failed(e.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Does the one job. How many pictures could not be decoded whole.
fn work() -> Result<u32> {
    let ToCodec::Job(job) = pipe::receive()? else {
        return Err(order());
    };
    let ToCodec::Entry(entry) = pipe::receive()? else {
        return Err(order());
    };
    let mut decoder = Decoder::new(&SampleEntry::parse(&entry)?)?;
    match job {
        Job::Still(wanted) => pictures::still(&mut decoder, wanted),
        Job::View => encoder::view(&mut decoder),
    }
}

/// The next access unit; `None` at the end.
fn next() -> Result<Option<sinetti::decode::wire::Unit>> {
    match pipe::receive()? {
        ToCodec::Unit(unit) => Ok(Some(unit)),
        ToCodec::End => Ok(None),
        ToCodec::Job(_) | ToCodec::Entry(_) => Err(order()),
    }
}

fn order() -> Error {
    Error::new(Kind::Invalid, "a message out of order")
}
