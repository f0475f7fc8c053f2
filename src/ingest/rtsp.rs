//! A camera's stream over RTSP (RFC 2326): the only file that names retina.
//!
//! Only the video track is ever set up: audio is never asked for. retina bounds no wait, so each one
//! is bounded here or by the supervisor; and no size, so what it takes is charged to an account. How sessions end:
//! `docs/decisions/017-how-a-session-ends.md`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use retina::client::{
    Credentials, Demuxed, Described, InitialTimestampPolicy, PlayOptions, Session as RetinaSession,
    SessionGroup, SessionOptions, SetupOptions, TcpTransportOptions, TeardownPolicy, Transport,
    UdpTransportOptions,
};
use retina::codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame, VideoParameters};

use crate::base::Clock;
use crate::base::time::{TICKS_PER_SECOND, Ticks};
use crate::catalog::GapCause;
use crate::config;
use crate::ingest::allowance::{Account, Allowance, Charged, charged, silently};
use crate::ingest::redirect::{self, Allowed};
use crate::ingest::{Ended, Item, Session, Source};
use crate::media::access_unit::{AccessUnit, Codec, SampleEntry};
use crate::media::nal;

/// Longest wait for connecting, describing and starting a stream.
const CONNECT_MAX: Duration = Duration::from_secs(15);
/// Longest wait for an old session of ours to end in the camera. Over TCP these are sessions whose packets come into the
/// connection of another (live555 before 2017), which expire after 65 s. Over UDP each session has ports of its own.
const STALE_WAIT_TCP_MAX: Duration = Duration::from_secs(65);
const STALE_WAIT_UDP_MAX: Duration = Duration::from_secs(10);
/// So many sessions that a camera does not end are tried to be ended in the background; no more are added.
const STALE_MAX: usize = 4;
/// A camera is followed so many times in a row.
const REDIRECTS_MAX: u32 = 3;
/// Largest access unit that is taken, in bytes.
const UNIT_BYTES_MAX: usize = 16 << 20;
/// So many packets in a row without a picture that could not be understood end the session.
const CORRUPT_IN_A_ROW_MAX: u32 = 200;
/// Seconds between 1900 (NTP, RFC 5905) and 1970 (Unix).
const NTP_TO_UNIX_SECS: i64 = 2_208_988_800;

/// How to reach a stream.
#[derive(Clone, Debug)]
pub struct Options {
    /// The camera.
    pub address: SocketAddr,
    /// Path and query on the camera, with the leading `/`.
    pub path: String,
    /// How RTP travels.
    pub transport: config::Transport,
    /// File with the user name and password; read anew at each connection.
    pub credentials: Option<PathBuf>,
    /// Where the camera may send the recorder.
    pub allowed: Allowed,
    /// What all sessions together may take.
    pub allowance: Allowance,
}

/// A camera's stream over RTSP.
pub struct Rtsp {
    options: Options,
    clock: Arc<dyn Clock>,
    group: Group,
}

impl Rtsp {
    /// A source that is not connected yet. Streams of one camera share `group`, so that a session left over from
    /// before is known to both.
    pub fn new(options: Options, clock: Arc<dyn Clock>, group: &Group) -> Self {
        Self {
            options,
            clock,
            group: group.clone(),
        }
    }

    fn credentials(&self) -> Result<Option<config::Credentials>, Ended> {
        let read = self.options.credentials.as_deref();
        read.map(config::Credentials::read)
            .transpose()
            .map_err(|e| Ended::new(GapCause::Refused, e.to_string()))
    }

    /// Describes the stream, wherever the camera sends us.
    async fn describe(&self) -> Result<RetinaSession<Described>, Ended> {
        let url = format!("rtsp://{}{}", self.options.address, self.options.path);
        let mut url = url::Url::parse(&url)
            .map_err(|e| Ended::new(GapCause::Internal, format!("{url} is not a URL: {e}")))?;
        let credentials = self.credentials()?;
        let mut followed = 0;
        loop {
            let described = self.describe_at(&url, credentials.as_ref()).await;
            let status = match &described {
                Ok(_) => None,
                Err(e) => e.status_code(),
            };
            if !status.is_some_and(redirect::is_redirect) {
                return described.map_err(|e| explain("describing the stream", &e));
            }
            let refused = |why: String| {
                let address = self.options.address;
                let detail = format!(
                    "the camera redirects: {why}; give its stream's own address in place of {address}"
                );
                Ended::new(GapCause::Refused, detail)
            };
            followed += 1;
            if followed > REDIRECTS_MAX {
                return Err(refused(format!("more than {REDIRECTS_MAX} times in a row")));
            }
            url = redirect::follow(&url, credentials.as_ref(), &self.options.allowed)
                .await
                .map_err(|e| refused(e.to_string()))?;
        }
    }

    async fn describe_at(
        &self,
        url: &url::Url,
        credentials: Option<&config::Credentials>,
    ) -> Result<RetinaSession<Described>, retina::Error> {
        let group = self.group.now();
        let says_goodbye = self.options.transport == config::Transport::Udp
            && group.stale_sessions().num_sessions < STALE_MAX;
        let options = |teardown| {
            SessionOptions::default()
                .creds(credentials.map(|read| Credentials {
                    username: read.user.clone(),
                    password: read.password.to_string(),
                }))
                .user_agent(concat!("Sinetti/", env!("CARGO_PKG_VERSION")).to_owned())
                .session_group(Arc::clone(&group))
                .teardown(teardown)
        };
        if says_goodbye {
            let described =
                RetinaSession::describe(url.clone(), options(TeardownPolicy::Always)).await?;
            if stays(&described, url) {
                return Ok(described);
            }
        }
        RetinaSession::describe(url.clone(), options(TeardownPolicy::Never)).await
    }

    async fn open(&self) -> Result<RtspSession, Ended> {
        let mut session = self.describe().await?;
        let (index, codec) = video_track(&session)?;
        let transport = match self.options.transport {
            config::Transport::Tcp => Transport::Tcp(TcpTransportOptions::default()),
            config::Transport::Udp => Transport::Udp(UdpTransportOptions::default()),
        };
        let setup = SetupOptions::default()
            .transport(transport)
            .frame_format(FrameFormat::MP4);
        session
            .setup(index, setup)
            .await
            .map_err(|e| explain("setting up the video track", &e))?;
        let play = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Permissive);
        let playing = session
            .play(play)
            .await
            .map_err(|e| explain("starting the stream", &e))?;
        let stream = playing
            .demuxed()
            .map_err(|e| explain("starting the stream", &e))?;
        let reading = Reading {
            stream,
            clock: Arc::clone(&self.clock),
            codec,
            track: index,
            first_timestamp: None,
            parameters_sent: false,
            waiting: None,
            corrupt_in_a_row: 0,
            loss: 0,
            broken_by: None,
        };
        Ok(RtspSession {
            reading: Some(Box::new(reading)),
            account: self.options.allowance.playing(),
            group: self.group.clone(),
        })
    }
}

/// True when everything that the description names is at `url`'s own host and port. retina sends TEARDOWN to the base that
/// a description names, by a connection of its own if it must, with the password: it must not be sent elsewhere. The base
/// is seen only where a control is relative to it.
fn stays(session: &RetinaSession<Described>, url: &url::Url) -> bool {
    let sdp = String::from_utf8_lossy(session.sdp());
    let mut controls = sdp
        .lines()
        .filter_map(|line| line.strip_prefix("a=control:"));
    controls.all(|control| url::Url::parse(control.trim()).is_err())
        && session.streams().iter().all(|stream| {
            stream
                .control()
                .is_some_and(|at| (at.host(), at.port()) == (url.host(), url.port()))
        })
}

/// What the sessions with one camera know of each other.
#[derive(Clone)]
pub struct Group {
    name: Arc<str>,
    sessions: Arc<Mutex<Arc<SessionGroup>>>,
}

impl Group {
    /// For the camera of that name.
    pub fn named(name: &str) -> Self {
        let sessions = SessionGroup::default().named(name.to_owned());
        Self {
            name: name.into(),
            sessions: Arc::new(Mutex::new(Arc::new(sessions))),
        }
    }

    fn now(&self) -> Arc<SessionGroup> {
        Arc::clone(&self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets all sessions: one that was dropped silently would be waited for in vain.
    fn forget(&self) {
        let anew = SessionGroup::default().named(self.name.to_string());
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(anew);
    }

    /// Returns when the sessions that ended have ended in the camera too, or after `most`.
    pub async fn ended(&self, most: Duration) {
        let sessions = self.now();
        let stale = sessions.stale_sessions();
        if stale.num_sessions > 0 {
            let ended = sessions.await_stale_sessions(&stale);
            tokio::time::timeout(most, ended).await.ok();
        }
    }
}

impl Source for Rtsp {
    type Session = RtspSession;

    async fn connect(&mut self) -> Result<RtspSession, Ended> {
        // Some cameras send the packets of an old session into a new one, or have room for few sessions.
        let most = match self.options.transport {
            config::Transport::Tcp => STALE_WAIT_TCP_MAX,
            config::Transport::Udp => STALE_WAIT_UDP_MAX,
        };
        self.group.ended(most).await;
        let mut account = self.options.allowance.before_play();
        let mut opening = Box::pin(self.open());
        let opened = charged(&mut account, opening.as_mut());
        match tokio::time::timeout(CONNECT_MAX, opened).await {
            Ok(Charged::Done(result)) => result,
            Ok(Charged::Overdrawn(ended)) => {
                silently(opening);
                self.group.forget();
                Err(ended)
            }
            Err(_) => Err(Ended::new(
                GapCause::ConnectFailed,
                format!(
                    "{} did not answer within {} s",
                    self.options.address,
                    CONNECT_MAX.as_secs()
                ),
            )),
        }
    }
}

/// An open RTSP session.
pub struct RtspSession {
    /// `None` after it has taken too much.
    reading: Option<Box<Reading>>,
    account: Account,
    group: Group,
}

struct Reading {
    stream: Demuxed,
    clock: Arc<dyn Clock>,
    codec: Codec,
    track: usize,
    first_timestamp: Option<i64>,
    parameters_sent: bool,
    /// A unit whose parameters were handed out first.
    waiting: Option<AccessUnit>,
    corrupt_in_a_row: u32,
    /// Packets lost since the last unit that was handed out.
    loss: u32,
    /// The last error, if no picture came since.
    broken_by: Option<Ended>,
}

impl Session for RtspSession {
    async fn next(&mut self) -> Result<Item, Ended> {
        let Some(reading) = &mut self.reading else {
            return Err(camera_closed());
        };
        let ended = match charged(&mut self.account, pin!(reading.next())).await {
            Charged::Overdrawn(ended) => ended,
            Charged::Done(item) => {
                if matches!(item, Ok(Item::Unit(_))) {
                    self.account.picture();
                }
                // Without a picture other items may come for ever.
                match self.account.overdrawn() {
                    None => return item,
                    Some(ended) => ended,
                }
            }
        };
        silently(self.reading.take());
        self.group.forget();
        Err(ended)
    }
}

fn camera_closed() -> Ended {
    Ended::new(GapCause::CameraClosed, "the camera ended the session")
}

impl Reading {
    async fn next(&mut self) -> Result<Item, Ended> {
        if let Some(unit) = self.waiting.take() {
            return Ok(Item::Unit(unit));
        }
        loop {
            let item = pin!(self.stream.next()).await;
            match item {
                // retina ends a stream after an error that it cannot go on from.
                None => return Err(self.broken_by.take().unwrap_or_else(camera_closed)),
                Some(Err(e)) => {
                    if let Some(item) = self.broken(&e)? {
                        return Ok(item);
                    }
                }
                Some(Ok(CodecItem::VideoFrame(frame))) => {
                    if let Some(item) = self.frame(frame)? {
                        return Ok(item);
                    }
                }
                Some(Ok(CodecItem::Rtcp(packet))) => {
                    let report = packet
                        .pkts()
                        .find_map(|p| p.as_sender_report().ok().flatten());
                    // 0 means that the camera has no clock (RFC 3550, 6.4.1).
                    let ntp = report.map(|r| r.ntp_timestamp().0).filter(|ntp| *ntp != 0);
                    if let Some(ntp) = ntp {
                        return Ok(Item::CameraClock(self.camera_offset_ms(ntp)));
                    }
                }
                Some(Ok(_)) => {}
            }
        }
    }
    fn frame(&mut self, frame: VideoFrame) -> Result<Option<Item>, Ended> {
        self.corrupt_in_a_row = 0;
        self.broken_by = None;
        // What came with a frame that was left out belongs to the next one.
        self.parameters_sent &= !frame.has_new_parameters();
        self.loss += u32::from(frame.loss());
        if frame.data().len() > UNIT_BYTES_MAX {
            let text = format!(
                "an access unit of {} bytes is above the bound of {UNIT_BYTES_MAX}",
                frame.data().len()
            );
            return Err(Ended::new(GapCause::Protocol, text));
        }
        let timestamp = frame.timestamp();
        let first = *self.first_timestamp.get_or_insert(timestamp.timestamp());
        let rate = i64::from(timestamp.clock_rate().get());
        let raw = timestamp.timestamp() - first;
        let pts = if rate == TICKS_PER_SECOND {
            raw
        } else {
            raw.saturating_mul(TICKS_PER_SECOND) / rate
        };
        let received = frame.start_ctx();
        let unit = AccessUnit {
            pts: Ticks(pts),
            received_mono: self.clock.mono_at(received.received()),
            received_wall: SystemTime::from(received.received_wall()).into(),
            is_key: false,
            loss: self.loss,
            data: frame.into_data(),
        };
        // retina reports IDR only; open-GOP H.265 begins at CRA pictures too.
        let unit = AccessUnit {
            is_key: nal::is_random_access(self.codec, &unit.data),
            ..unit
        };
        if !nal::has_picture(self.codec, &unit.data) {
            return Ok(Some(Item::Corrupt(
                "an access unit without a picture".to_owned(),
            )));
        }
        self.loss = 0;
        if self.parameters_sent {
            return Ok(Some(Item::Unit(unit)));
        }
        let parameters = match self.stream.streams()[self.track].parameters() {
            Some(ParametersRef::Video(parameters)) => sample_entry(self.codec, parameters)?,
            // Not known yet: they will come in band; until then nothing can be decoded.
            _ => return Ok(None),
        };
        self.parameters_sent = true;
        self.waiting = Some(unit);
        Ok(Some(Item::Parameters(Arc::new(parameters))))
    }

    /// An error of retina. It says itself whether polling may go on: after an error that ended the stream the next
    /// poll yields nothing. One broken picture makes an error for each of its packets: it is told once.
    fn broken(&mut self, e: &retina::Error) -> Result<Option<Item>, Ended> {
        self.corrupt_in_a_row += 1;
        let ended = explain("receiving", e);
        let lost_connection = ended.cause == GapCause::CameraClosed;
        if lost_connection || self.corrupt_in_a_row > CORRUPT_IN_A_ROW_MAX {
            return Err(ended);
        }
        // A packet of another session, left over in the camera: nothing of ours is missing.
        if ended.detail.contains("wrong ssrc") {
            return Ok(None);
        }
        let known = self.broken_by.replace(ended.clone()).is_some();
        Ok((!known).then_some(Item::Corrupt(ended.detail)))
    }

    /// The camera's clock minus the host's, from an NTP time stamp (32.32 fixed point).
    fn camera_offset_ms(&self, ntp: u64) -> i64 {
        let secs = (ntp >> 32).cast_signed() - NTP_TO_UNIX_SECS;
        let ms = (((ntp & 0xffff_ffff) * 1000) >> 32).cast_signed();
        secs * 1000 + ms - self.clock.wall().us().div_euclid(1000)
    }
}

fn video_track(session: &RetinaSession<Described>) -> Result<(usize, Codec), Ended> {
    let codec_of = |name: &str| match name {
        "h264" => Some(Codec::H264),
        "h265" => Some(Codec::H265),
        _ => None,
    };
    let videos: Vec<_> = session
        .streams()
        .iter()
        .enumerate()
        .filter(|(_, s)| s.media() == "video")
        .collect();
    videos
        .iter()
        .find_map(|(i, s)| codec_of(s.encoding_name()).map(|codec| (*i, codec)))
        .ok_or_else(|| {
            let names: Vec<_> = videos.iter().map(|(_, s)| s.encoding_name()).collect();
            let offered = if names.is_empty() {
                "no video".to_owned()
            } else {
                names.join(", ")
            };
            Ended::new(
                GapCause::Protocol,
                format!("the camera offers {offered}; set it to H.264 or H.265"),
            )
        })
}

fn sample_entry(codec: Codec, parameters: &VideoParameters) -> Result<SampleEntry, Ended> {
    let entry = parameters.mp4_sample_entry();
    let entry = match parameters.pixel_aspect_ratio() {
        // An anamorphic picture needs its `pasp` box to be shown right.
        Some((h, v)) if h != v => match (u16::try_from(h), u16::try_from(v)) {
            (Ok(h), Ok(v)) => entry.with_aspect_ratio((h, v)),
            _ => entry,
        },
        _ => entry,
    };
    let entry = entry.build().map_err(|e| {
        Ended::new(
            GapCause::Protocol,
            one_line(&format!("unusable parameter sets: {e}")),
        )
    })?;
    let (width, height) = parameters.pixel_dimensions();
    let side = |n: u32| {
        u16::try_from(n)
            .map_err(|_| Ended::new(GapCause::Protocol, format!("a picture side of {n} pixels")))
    };
    Ok(SampleEntry {
        codec,
        rfc6381: parameters.rfc6381_codec().to_owned(),
        width: side(width)?,
        height: side(height)?,
        entry,
    })
}

/// A retina error as a cause. Its texts carry addresses and times of packets after a blank line: those are left out.
fn explain(what: &str, e: &retina::Error) -> Ended {
    let text = one_line(&e.to_string());
    let cause = match e.status_code() {
        Some(_) => GapCause::Refused,
        None if text.contains("Unable to connect")
            || text.contains("refused")
            || text.contains("unreachable") =>
        {
            GapCause::ConnectFailed
        }
        None if text.contains("Error reading")
            || text.contains("Error writing")
            || text.contains("closed")
            || text.contains("EOF") =>
        {
            GapCause::CameraClosed
        }
        None => GapCause::Protocol,
    };
    let remedy = match e.status_code() {
        Some(401 | 403) => "; check the credentials file",
        Some(404) => "; check the path of the stream",
        Some(453 | 503) => "; the camera serves too many viewers already",
        Some(461) => "; try the other transport",
        _ => "",
    };
    Ended::new(cause, format!("{what}: {text}{remedy}"))
}

fn one_line(text: &str) -> String {
    text.split("\n\n")
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
