//! The floor that `scripts/bench` compares the recorder with: retina as the recorder uses it, each picture dropped.
//!
//! `null_sink URL…` plays every URL until SIGTERM, then prints pictures, bytes and lost packets. No part of the product.
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "its result")]

use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_util::StreamExt;
use retina::client::{
    InitialTimestampPolicy, PlayOptions, Session, SessionOptions, SetupOptions,
    TcpTransportOptions, Transport,
};
use retina::codec::{CodecItem, FrameFormat};
use tokio::signal::unix::{SignalKind, signal};

static PICTURES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
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
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        for url in urls {
            tokio::spawn(async move {
                if let Err(e) = play(&url).await {
                    eprintln!("{url}: {e}");
                }
            });
        }
        terminate.recv().await;
        Ok::<_, std::io::Error>(())
    })?;
    println!(
        "pictures={} bytes={} lost={}",
        PICTURES.load(Relaxed),
        BYTES.load(Relaxed),
        LOST.load(Relaxed)
    );
    Ok(())
}

async fn play(url: &str) -> Result<(), Failure> {
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
            PICTURES.fetch_add(1, Relaxed);
            BYTES.fetch_add(frame.data().len() as u64, Relaxed);
            LOST.fetch_add(u64::from(frame.loss()), Relaxed);
        }
    }
    Err("the camera ended the session".into())
}
