//! One RTSP connection: requests, answers, and the session played over it.
//!
//! What belongs here: the order of things on a connection. A camera of this kind has one session a
//! connection, and ends it with it.

use crate::auth;
use crate::camera::{Scheme, Shared};
use crate::flood::{self, Flood};
use crate::message::{self, Answer, Received, Request};
use crate::playback::{Outgoing, Playback, Step};
use crate::random::Random;
use crate::rtp;
use crate::server::Cameras;
use crate::transport::{self, Transport};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER";
const VIDEO_TRACK: u8 = 0;
const AUDIO_TRACK: u8 = 1;
/// How long a connection may stay without any request before its first session.
const IDLE: Duration = Duration::from_secs(60);

struct Connection {
    local: IpAddr,
    peer: IpAddr,
    cameras: Cameras,
    close: Arc<Notify>,
    pending: Vec<u8>,
    nonce: String,
    session_id: String,
    ssrc: u32,
    camera: Option<Arc<Shared>>,
    video: Option<Transport>,
    audio: Option<Transport>,
    playback: Option<Playback>,
    last_heard: Instant,
    ended: bool,
    /// Last, so dropped last: a client that sees the connection closed finds its session counted as
    /// ended.
    stream: TcpStream,
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve(stream: TcpStream, cameras: Cameras) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let close = Arc::new(Notify::new());
    let mut random = Random::unseeded();
    let mut connection = Connection {
        local: stream.local_addr()?.ip(),
        peer: stream.peer_addr()?.ip(),
        stream,
        cameras,
        close: close.clone(),
        pending: Vec::new(),
        nonce: format!("{:016x}", random.next()),
        session_id: format!("{:08X}", random.next32()),
        ssrc: random.next32(),
        camera: None,
        video: None,
        audio: None,
        playback: None,
        last_heard: Instant::now(),
        ended: false,
    };
    // Ends also a write that is blocked because the client does not read.
    let result = tokio::select! {
        result = connection.run() => result,
        () = close.notified() => Ok(()),
    };
    if let Some(orphan) = connection.orphan() {
        tokio::spawn(orphan);
    }
    result
}

impl Connection {
    /// The session, if it goes on without its connection.
    fn orphan(&mut self) -> Option<impl Future<Output = ()> + use<>> {
        let camera = self.camera.clone()?;
        let Some(Transport::Udp(datagrams)) = self.video.take() else {
            return None;
        };
        let mut playback = self.playback.take()?;
        if !camera.camera.outlives_connection {
            return None;
        }
        let torn_down = camera.orphaned(self.session_id.clone());
        let until = Instant::now() + camera.camera.session_timeout;
        let session = async move {
            let mut out = Outgoing::default();
            loop {
                sleep_until(playback.due()).await;
                if let Step::Unit = playback.step(Instant::now(), &mut out) {
                    datagrams.send(&out, Duration::ZERO, None).await;
                }
            }
        };
        Some(async move {
            tokio::select! {
                () = session => {}
                () = torn_down.notified() => {}
                () = sleep_until(until) => {}
            }
        })
    }

    async fn run(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 8192];
        let mut out = Outgoing::default();
        while !self.ended {
            let wake = self
                .playback
                .as_ref()
                .map_or(self.last_heard + IDLE, Playback::due);
            tokio::select! {
                read = self.stream.read(&mut buffer) => {
                    let count = read?;
                    if count == 0 {
                        return Ok(());
                    }
                    self.pending.extend_from_slice(&buffer[..count]);
                    self.last_heard = Instant::now();
                    self.answer_pending().await?;
                }
                () = sleep_until(wake) => self.send_due(&mut out).await?,
            }
            self.end_if_silent();
        }
        Ok(())
    }

    async fn send_due(&mut self, out: &mut Outgoing) -> io::Result<()> {
        while let Some(playback) = &mut self.playback {
            let flood = self
                .camera
                .as_ref()
                .and_then(|it| it.faults().flood("PLAYING"));
            if let Some(flood) = flood {
                return self.flood(flood, "0").await;
            }
            let now = Instant::now();
            if playback.due() > now {
                break;
            }
            match playback.step(now, out) {
                Step::Nothing => {}
                Step::Unit => self.send(out).await?,
                Step::Close => self.playback = None,
            }
            self.ended = self.playback.is_none();
        }
        Ok(())
    }

    async fn send(&mut self, out: &mut Outgoing) -> io::Result<()> {
        if let Some(Transport::Udp(datagrams)) = &self.video {
            let camera = self.camera.as_ref();
            let fps = camera.map_or(1, |camera| camera.camera.footage.fps());
            let rate = camera.and_then(|camera| camera.faults().slow_drip);
            datagrams
                .send(out, Duration::from_secs(1) / (2 * fps), rate)
                .await;
            return Ok(());
        }
        // One write an access unit, whatever it consists of, unless the camera does otherwise.
        let whole = !out.garbage.is_empty() || !self.writes_packets();
        out.rtp.splice(..0, out.garbage.drain(..));
        out.rtp.append(&mut out.rtcp);
        if whole {
            return self.write(&out.rtp).await;
        }
        for packet in rtp::framed(&out.rtp) {
            self.write(packet).await?;
        }
        Ok(())
    }

    fn writes_packets(&self) -> bool {
        self.camera
            .as_ref()
            .is_some_and(|camera| camera.camera.packet_writes)
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        const STEP: Duration = Duration::from_millis(50);
        while !bytes.is_empty() {
            let rate = self
                .camera
                .as_ref()
                .and_then(|camera| camera.faults().slow_drip);
            let Some(rate) = rate else {
                return self.stream.write_all(bytes).await;
            };
            let count = usize::try_from(rate / 20)
                .unwrap_or(1)
                .clamp(1, bytes.len());
            self.stream.write_all(&bytes[..count]).await?;
            bytes = &bytes[count..];
            sleep(STEP).await;
        }
        Ok(())
    }

    /// Sends what does not end, at about the rate of a gigabit network, until the fault is cleared or the client closes.
    async fn flood(&mut self, flood: Flood, sequence: &str) -> io::Result<()> {
        const PAUSE: Duration = Duration::from_millis(1);
        self.ended = true;
        let Some(camera) = self.camera.clone() else {
            return Ok(());
        };
        let chunk = flood.chunk().repeat(2);
        self.stream.write_all(&flood.beginning(sequence)).await?;
        let mut sent = 0;
        while sent < flood::BYTES_MAX && camera.faults().is_flooding() {
            self.stream.write_all(&chunk).await?;
            sent += chunk.len();
            camera.count(|counters| counters.flood_bytes += crate::footage::as_ticks(chunk.len()));
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn end_if_silent(&mut self) {
        let limit = match &self.camera {
            Some(camera) => camera.camera.session_timeout,
            None => IDLE,
        };
        if self.last_heard.elapsed() < limit {
            return;
        }
        match &self.video {
            Some(Transport::Udp(datagrams)) if datagrams.heard() => {
                self.last_heard = Instant::now()
            }
            _ => self.ended = true,
        }
    }

    async fn answer_pending(&mut self) -> io::Result<()> {
        while !self.ended {
            match message::take(&mut self.pending) {
                Received::Partial => break,
                Received::Interleaved => {}
                Received::Invalid => self.ended = true,
                Received::Request(request) => {
                    if let Some(answer) = self.answer(&request).await? {
                        self.write(&answer.into_bytes()).await?;
                    }
                    self.play_if_wanted(&request).await?;
                }
            }
        }
        Ok(())
    }

    /// What comes right after an answer was written.
    async fn play_if_wanted(&mut self, request: &Request) -> io::Result<()> {
        let stale = self
            .camera
            .as_ref()
            .is_some_and(|camera| camera.faults().effects().stale);
        if stale && request.method == "DESCRIBE" {
            // As cameras do that go on sending a session of the past into a connection that got its
            // file descriptor.
            let packet = [
                b'$', 0, 0, 13, 0x80, 0x60, 0, 1, 0, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef, 0x41,
            ];
            self.write(&packet).await?;
        }
        Ok(())
    }

    /// The answer to a request, unless a fault keeps it back.
    async fn answer(&mut self, request: &Request) -> io::Result<Option<Answer>> {
        let (path, track) = request.target();
        let Some(camera) = self.find_camera(path) else {
            let code = if request.method == "OPTIONS" {
                200
            } else {
                404
            };
            return Ok(Some(Answer::new(code, request).header("Public", METHODS)));
        };
        if camera.faults().never_answer {
            return Ok(None);
        }
        let flood = camera.faults().flood(&request.method);
        if let Some(flood) = flood {
            let sequence = request.header("CSeq").unwrap_or("0").to_owned();
            self.flood(flood, &sequence).await?;
            return Ok(None);
        }
        if let Some(code) = self.refusal(&camera, request) {
            let mut answer = Answer::new(code, request);
            if code == 401 {
                let scheme = camera
                    .camera
                    .login
                    .as_ref()
                    .map_or(Scheme::Digest, |login| login.scheme);
                answer = answer.header("WWW-Authenticate", auth::challenge(scheme, &self.nonce));
            }
            return Ok(Some(answer));
        }
        let session = request
            .header("Session")
            .and_then(|value| value.split(';').next());
        if request.method == "TEARDOWN" && session.is_some_and(|id| camera.tear_down(id)) {
            camera.count(|counters| counters.teardowns += 1);
            return Ok(Some(Answer::new(200, request)));
        }
        let needs_session = matches!(request.method.as_str(), "PLAY" | "TEARDOWN");
        if session.map_or(needs_session, |session| session != self.session_id) {
            return Ok(Some(Answer::new(454, request)));
        }
        let answer = match request.method.as_str() {
            "OPTIONS" => Answer::new(200, request).header("Public", METHODS),
            "DESCRIBE" => self.describe(&camera, request),
            "SETUP" => self.set_up(&camera, request, track).await?,
            "PLAY" => self.play(camera, request),
            "TEARDOWN" => {
                self.ended = true;
                // Ends the session before the answer, so that whoever reads the answer finds it
                // ended.
                self.playback = None;
                camera.count(|counters| counters.teardowns += 1);
                Answer::new(200, request)
            }
            "GET_PARAMETER" | "SET_PARAMETER" => {
                Answer::new(200, request).header("Session", &self.session_id)
            }
            _ => Answer::new(501, request).header("Public", METHODS),
        };
        Ok(Some(answer))
    }

    /// The status that turns a request away: that of a fault, or 401 for want of a login.
    fn refusal(&self, camera: &Shared, request: &Request) -> Option<u16> {
        let status = camera.faults().status(&request.method);
        if request.method != "OPTIONS"
            && let Some(login) = &camera.camera.login
        {
            let header = request.header("Authorization");
            if !auth::accepts(login, &self.nonce, &request.method, header) {
                camera.count(|counters| counters.unauthorized += 1);
                return Some(401);
            }
        }
        status
    }

    /// The camera of a path. Requests for `*` or the server as a whole are for the camera asked for
    /// before.
    fn find_camera(&mut self, path: &str) -> Option<Arc<Shared>> {
        if path.is_empty() {
            return self.camera.clone();
        }
        let found = self.cameras.find(path)?;
        if self
            .camera
            .as_ref()
            .is_none_or(|camera| !Arc::ptr_eq(camera, &found))
        {
            found.connected(&self.close);
            self.camera = Some(found.clone());
        }
        Some(found)
    }

    fn describe(&self, camera: &Shared, request: &Request) -> Answer {
        if let Some((code, location)) = camera.faults().redirect.clone() {
            return Answer::new(code, request).header("Location", location);
        }
        let base = request.uri.trim_end_matches('/');
        let footage = camera.footage();
        let local = self.local;
        let family = if local.is_ipv6() { "IP6" } else { "IP4" };
        let mut description = format!(
            "v=0\r\no=- 1 1 IN {family} {local}\r\ns=Camera\r\nc=IN {family} {local}\r\nt=0 0\r\na=control:*\r\na=range:npt=0-\r\n\
             m=video 0 RTP/AVP 96\r\n{}a=framerate:{}\r\na=control:trackID={VIDEO_TRACK}\r\n",
            footage.format_parameters(),
            footage.fps(),
        );
        if camera.camera.announce_audio {
            description += &format!(
                "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:trackID={AUDIO_TRACK}\r\n"
            );
        }
        camera.count(|counters| counters.descriptions += 1);
        Answer::new(200, request)
            .header("Content-Base", format!("{base}/"))
            .body("application/sdp", description)
    }

    async fn set_up(
        &mut self,
        camera: &Shared,
        request: &Request,
        track: Option<u8>,
    ) -> io::Result<Answer> {
        // Without a track in the URI the only sensible one is meant.
        let track = track.unwrap_or(VIDEO_TRACK);
        if track > AUDIO_TRACK || (track == AUDIO_TRACK && !camera.camera.announce_audio) {
            return Ok(Answer::new(404, request));
        }
        if self.playback.is_some() {
            return Ok(Answer::new(455, request));
        }
        let ssrc = self.ssrc.wrapping_add(u32::from(track));
        let offer = request.header("Transport").unwrap_or("");
        let Some((transport, agreed)) =
            transport::agree(offer, self.local, self.peer, ssrc, track * 2).await?
        else {
            return Ok(Answer::new(461, request));
        };
        if track == AUDIO_TRACK {
            camera.count(|counters| counters.audio_setups += 1);
            self.audio = Some(transport);
        } else {
            camera.count(|counters| counters.video_setups += 1);
            self.video = Some(transport);
        }
        let session = format!(
            "{};timeout={}",
            self.session_id,
            camera.camera.session_timeout.as_secs()
        );
        Ok(Answer::new(200, request)
            .header("Transport", agreed)
            .header("Session", session))
    }

    fn play(&mut self, camera: Arc<Shared>, request: &Request) -> Answer {
        let channel = match &self.video {
            Some(Transport::Interleaved(channel)) => *channel,
            Some(Transport::Udp(_)) => 0,
            None => return Answer::new(455, request),
        };
        let ssrc = self.ssrc;
        let playback = self
            .playback
            .get_or_insert_with(|| Playback::new(camera, channel, ssrc));
        let (sequence, timestamp) = playback.begins_with();
        let base = request.uri.trim_end_matches('/');
        let info = format!("url={base}/trackID={VIDEO_TRACK};seq={sequence};rtptime={timestamp}");
        Answer::new(200, request)
            .header("Session", &self.session_id)
            .header("Range", "npt=0-")
            .header("RTP-Info", info)
    }
}
