//! The floor that `scripts/bench` compares the recorder with: retina as the recorder uses it, each picture dropped.
//!
//! `null_sink URL…` plays every URL until SIGTERM, then prints pictures, bytes and lost packets. No part of the product.
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "its result")]

use std::cell::Cell;
use std::error::Error;
use std::pin::pin;
use std::rc::Rc;

use futures_util::StreamExt;
use retina::client::{
    InitialTimestampPolicy, PlayOptions, Session, SessionOptions, SetupOptions,
    TcpTransportOptions, Transport,
};
use retina::codec::{CodecItem, FrameFormat};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

#[derive(Clone, Copy, Default)]
struct Seen {
    pictures: u64,
    bytes: u64,
    lost: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    // cargo bench adds --bench; there is nothing to do then.
    let urls: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    if urls.is_empty() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let seen = Rc::new(Cell::new(Seen::default()));
    LocalSet::new().block_on(&runtime, async {
        let mut terminate = signal(SignalKind::terminate())?;
        for url in urls {
            let seen = Rc::clone(&seen);
            tokio::task::spawn_local(async move {
                if let Err(e) = play(&url, &seen).await {
                    eprintln!("{url}: {e}");
                }
            });
        }
        terminate.recv().await;
        Ok::<_, std::io::Error>(())
    })?;
    let Seen {
        pictures,
        bytes,
        lost,
    } = seen.get();
    println!("pictures={pictures} bytes={bytes} lost={lost}");
    Ok(())
}

async fn play(url: &str, seen: &Cell<Seen>) -> Result<(), Box<dyn Error>> {
    let mut session = Session::describe(url::Url::parse(url)?, SessionOptions::default()).await?;
    let video = session
        .streams()
        .iter()
        .position(|s| s.media() == "video")
        .ok_or("no video")?;
    let setup = SetupOptions::default()
        .transport(Transport::Tcp(TcpTransportOptions::default()))
        .frame_format(FrameFormat::MP4);
    session.setup(video, setup).await?;
    let play = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Permissive);
    let mut frames = pin!(session.play(play).await?.demuxed()?);
    while let Some(item) = frames.next().await {
        if let CodecItem::VideoFrame(frame) = item? {
            let Seen {
                pictures,
                bytes,
                lost,
            } = seen.get();
            seen.set(Seen {
                pictures: pictures + 1,
                bytes: bytes + frame.data().len() as u64,
                lost: lost + u64::from(frame.loss()),
            });
        }
    }
    Err("the camera ended the session".into())
}
