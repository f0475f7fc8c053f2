//! Trying a camera: what it sends within a few seconds. Nothing is written.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Clock;
use crate::base::error::{Error, Kind, Result};
use crate::base::time::{TICKS_PER_SECOND, Ticks};
use crate::config;
use crate::ingest::rtsp::{Group, Options, Rtsp};
use crate::ingest::{Ended, Item, Session, Source};

/// A probe looks at the stream for so long.
const PROBE: Duration = Duration::from_secs(6);

/// What a stream showed.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// `H264` or `H265`.
    pub codec: String,
    /// Codec parameters (RFC 6381).
    pub rfc6381: String,
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
    /// Pictures a second.
    pub pictures_per_second: f64,
    /// Megabits a second.
    pub megabits_per_second: f64,
    /// Seconds from a key frame to the next, about; `None`: none was seen.
    pub key_frame_every_secs: Option<f64>,
    /// Packets and pictures that were lost or broken.
    pub lost: u32,
    /// The camera's clock minus this machine's, in milliseconds, where it tells.
    pub clock_offset_ms: Option<i64>,
}

/// A camera's address as people write it: an IP address, with `:PORT` unless 554.
///
/// # Errors
/// When it is none, or a public one.
pub fn address(text: &str) -> Result<SocketAddr> {
    let bare = text
        .parse()
        .map(|ip| SocketAddr::new(ip, config::CAMERA_PORT));
    let address = text.parse::<SocketAddr>().or(bare);
    let address = address.map_err(|_| {
        Error::invalid("the camera's address must be an IP address, with :PORT unless 554")
    })?;
    if !config::is_private(address.ip()) {
        let text = format!(
            "{} is a public address; a camera must be on a private network",
            address.ip()
        );
        return Err(Error::invalid(text));
    }
    Ok(address)
}

#[derive(Default)]
struct Seen {
    picture: Option<(String, String, u32, u32)>,
    units: i64,
    key_frames: i64,
    bytes: usize,
    lost: u32,
    first: Option<Ticks>,
    last: Ticks,
    offset_ms: Option<i64>,
}

/// Connects, looks for six seconds, and says what came.
///
/// # Errors
/// [`Kind::Unavailable`] when it cannot be connected to, ends, or sends no picture.
pub async fn look(options: Options, clock: Arc<dyn Clock>) -> Result<Found> {
    let unavailable =
        |e: Ended| Error::new(Kind::Unavailable, e.detail).attempted("probing the camera");
    let mut source = Rtsp::new(options, clock, &Group::named("probe"));
    let mut session = source.connect().await.map_err(unavailable)?;
    let mut seen = Seen::default();
    let deadline = tokio::time::Instant::now() + PROBE;
    while let Ok(item) = tokio::time::timeout_at(deadline, session.next()).await {
        match item.map_err(unavailable)? {
            Item::Parameters(entry) => {
                seen.picture = Some((
                    format!("{:?}", entry.codec),
                    entry.rfc6381.clone(),
                    u32::from(entry.width),
                    u32::from(entry.height),
                ));
            }
            Item::Unit(unit) => {
                seen.units += 1;
                seen.key_frames += i64::from(unit.is_key);
                seen.bytes += unit.data.len();
                seen.lost += unit.loss;
                seen.first.get_or_insert(unit.pts);
                seen.last = seen.last.max(unit.pts);
            }
            Item::CameraClock(ms) => seen.offset_ms = Some(ms),
            Item::Corrupt(_) => seen.lost += 1,
        }
    }
    seen.found().ok_or_else(|| {
        Error::new(
            Kind::Unavailable,
            format!("the camera sent no picture within {} s", PROBE.as_secs()),
        )
    })
}

impl Seen {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    fn found(self) -> Option<Found> {
        let ticks = (self.last - self.first?).0;
        let secs = ticks.max(1) as f64 / TICKS_PER_SECOND as f64;
        let (codec, rfc6381, width, height) = self.picture?;
        Some(Found {
            codec,
            rfc6381,
            width,
            height,
            pictures_per_second: (self.units - 1).max(0) as f64 / secs,
            megabits_per_second: self.bytes as f64 * 8.0 / 1e6 / secs,
            key_frame_every_secs: (self.key_frames > 0).then(|| secs / self.key_frames as f64),
            lost: self.lost,
            clock_offset_ms: self.offset_ms,
        })
    }
}
