//! Puts made-up segments of the past into a box whose recorder does not run, for `scripts/soak` and the browser tests: written by
//! the recorder's own code, small, with keys, rows, heads and trailers as ever.
//!
//! `plant STATE VOLUME SECONDS-AGO EVERY SEGMENTS BYTES STREAM…` gives each stream so many segments of a minute, one every so many
//! seconds, from so many seconds ago on. No part of the product.
#![allow(missing_docs, reason = "a program")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it writes files of its own and tells"
)]

use std::path::Path;

use sinetti::base::clock::{SimulatedClock, SystemClock};

#[path = "../tests/retention/plant.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod plant;

/// Of a segment.
const LENGTH_SECS: i64 = 60;

fn main() {
    // cargo bench adds --bench; there is nothing to do then.
    let given = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let given: Vec<String> = given.collect();
    let [state, volume, ago, every, segments, bytes, streams @ ..] = &given[..] else {
        return;
    };
    let number = |text: &String| text.parse::<i64>().expect("a whole number");
    let now = SystemClock::shared().wall();
    let start = now.plus_us(-number(ago) * plant::SECOND);
    let clock = SimulatedClock::at(now);
    let planted = plant::Plant::open(Path::new(state), Path::new(volume), clock);
    let bytes = usize::try_from(number(bytes)).expect("not negative");
    let (every, segments) = (number(every), number(segments));
    for stream in streams {
        if every == LENGTH_SECS {
            planted.record(stream, start, LENGTH_SECS, segments, bytes);
            continue;
        }
        for place in 0..segments {
            let start = start.plus_us(place * every * plant::SECOND);
            planted.record(stream, start, LENGTH_SECS, 1, bytes);
        }
    }
    println!("{} segments", streams.len() as i64 * segments);
}
