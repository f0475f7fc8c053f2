//! Keeps one stream connected: connect, read, back off, again, until told to stop.

use std::time::Duration;

use log::{info, warn};

use crate::base::id::RunId;
use crate::base::shutdown::Stopped;
use crate::base::{Clock, time::Mono};
use crate::catalog::GapCause;
use crate::ingest::{Ended, Item, Session, Sink, Source};

/// Shortest wait before connecting again.
const BACK_OFF_MIN: Duration = Duration::from_millis(500);
/// Longest wait before connecting again.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);
/// A run of this length was a good one: the next failure waits the shortest time again.
const GOOD_RUN: Duration = Duration::from_secs(20);
/// The same trouble is logged again only after this long.
const LOG_AGAIN: Duration = Duration::from_secs(600);

/// What the supervisor needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// For log lines: `kassa-1/main`.
    pub name: String,
    /// No picture for this long means that the stream is dead.
    pub stall: Duration,
}

/// Runs one stream until `stopped`. The last thing that `sink` hears is the end of the run.
pub async fn supervise<S: Source>(
    mut source: S,
    mut sink: impl Sink,
    options: Options,
    clock: &dyn Clock,
    mut stopped: Stopped,
) {
    let mut back_off = BackOff::new(&options.name);
    let mut trouble = Trouble::new(options.name.clone());
    loop {
        let connected = tokio::select! {
            biased;
            () = stopped.wait() => return,
            connected = source.connect() => connected,
        };
        match connected {
            Err(ended) => {
                sink.attempt_failed(&ended);
                trouble.log(&ended, clock.mono());
            }
            Ok(session) => {
                let began = clock.mono();
                let mut run = Run {
                    session,
                    stall: options.stall,
                    trouble: &mut trouble,
                };
                sink.run_started(RunId::random());
                let ended = run.read(&mut sink, clock, &mut stopped).await;
                sink.run_ended(&ended);
                if stopped.is_set() {
                    return;
                }
                if clock.mono().since(began) >= GOOD_RUN {
                    back_off.reset();
                }
                trouble.log(&ended, clock.mono());
            }
        }
        tokio::select! {
            biased;
            () = stopped.wait() => return,
            () = tokio::time::sleep(back_off.next_wait()) => {}
        }
    }
}

struct Run<'a, S> {
    session: S,
    stall: Duration,
    trouble: &'a mut Trouble,
}

impl<S: Session> Run<'_, S> {
    async fn read(
        &mut self,
        sink: &mut impl Sink,
        clock: &dyn Clock,
        stopped: &mut Stopped,
    ) -> Ended {
        let mut deadline = tokio::time::Instant::now() + self.stall;
        let mut pictures = false;
        loop {
            let item = tokio::select! {
                biased;
                () = stopped.wait() => return Ended::new(GapCause::Stopped, "Sinetti was stopped"),
                item = tokio::time::timeout_at(deadline, self.session.next()) => item,
            };
            let item = match item {
                Err(_) => {
                    let text = format!("no picture for {} s", self.stall.as_secs());
                    return Ended::new(GapCause::Stalled, text);
                }
                Ok(Err(ended)) => return ended,
                Ok(Ok(item)) => item,
            };
            if matches!(item, Item::Unit(_)) {
                deadline = tokio::time::Instant::now() + self.stall;
                if !pictures {
                    pictures = true;
                    self.trouble.over();
                }
            }
            if let Item::Corrupt(text) = &item {
                self.trouble
                    .log(&Ended::new(GapCause::Protocol, text.clone()), clock.mono());
            }
            if let Err(ended) = sink.item(item) {
                return ended;
            }
        }
    }
}

/// Exponential back-off with jitter, so that many cameras behind one switch do not come back in step.
struct BackOff {
    wait: Duration,
    seed: u64,
}

impl BackOff {
    fn new(name: &str) -> Self {
        // FNV-1a: each stream gets jitter of its own, the same at every run of a test.
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            wait: BACK_OFF_MIN,
            seed,
        }
    }

    fn reset(&mut self) {
        self.wait = BACK_OFF_MIN;
    }

    /// Between half and the whole of the current wait, which then doubles.
    fn next_wait(&mut self) -> Duration {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let half_ms = u64::try_from(self.wait.as_millis() / 2).unwrap_or(u64::MAX);
        let jitter_ms = (self.seed >> 33) % (half_ms + 1);
        self.wait = (self.wait * 2).min(BACK_OFF_MAX);
        Duration::from_millis(half_ms + jitter_ms)
    }
}

/// Logs a trouble when it begins, and seldom while it lasts or comes again and again; and when it is over.
struct Trouble {
    name: String,
    /// When each cause was logged last, and how often it has come unlogged since.
    told: Vec<(GapCause, Mono, u32)>,
    /// Something was logged since it was last said that pictures come.
    is_open: bool,
}

impl Trouble {
    fn new(name: String) -> Self {
        Self {
            name,
            told: Vec::new(),
            is_open: true,
        }
    }

    fn log(&mut self, ended: &Ended, now: Mono) {
        if let Some(text) = self.tell(ended, now) {
            warn!("{}: {text}", self.name);
        }
    }

    fn over(&mut self) {
        if self.tell_over() {
            info!("{}: receiving", self.name);
        }
    }

    /// What is to be logged, if anything is: the same cause again only after [`LOG_AGAIN`], whatever came between.
    fn tell(&mut self, ended: &Ended, now: Mono) -> Option<String> {
        let known = self
            .told
            .iter_mut()
            .find(|(cause, ..)| *cause == ended.cause);
        let silent = match known {
            Some((_, at, silent)) if now.since(*at) < LOG_AGAIN => {
                *silent += 1;
                return None;
            }
            Some((_, at, silent)) => {
                *at = now;
                std::mem::take(silent)
            }
            None => {
                self.told.push((ended.cause, now, 0));
                0
            }
        };
        self.is_open = true;
        Some(match silent {
            0 => ended.detail.clone(),
            more => format!("{} ({more} more like it meanwhile)", ended.detail),
        })
    }

    /// True when it is to be logged that pictures come: once for all that was logged before.
    fn tell_over(&mut self) -> bool {
        std::mem::take(&mut self.is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_grows_from_half_a_second_to_half_a_minute() {
        let mut back_off = BackOff::new("kassa-1/main");
        let waits: Vec<_> = (0..12).map(|_| back_off.next_wait()).collect();
        assert!(waits[0] >= BACK_OFF_MIN / 2 && waits[0] <= BACK_OFF_MIN);
        assert!(waits.iter().all(|w| *w <= BACK_OFF_MAX));
        assert!(waits[11] >= BACK_OFF_MAX / 2);
        back_off.reset();
        assert!(back_off.next_wait() <= BACK_OFF_MIN);
    }

    #[test]
    fn a_camera_that_flaps_is_logged_every_ten_minutes_and_no_more() {
        let mut trouble = Trouble::new("kassa-1/main".to_owned());
        let closed = Ended::new(GapCause::CameraClosed, "it hung up");
        let failed = Ended::new(GapCause::ConnectFailed, "it does not answer");
        let (mut lines, mut now) = (Vec::new(), Mono::default());
        assert!(trouble.tell_over(), "the first pictures are told of");
        // A flap every half a minute, for an hour.
        for _ in 0..120 {
            for ended in [&closed, &failed, &failed] {
                lines.extend(trouble.tell(ended, now));
                now = now + Duration::from_secs(10);
            }
            if trouble.tell_over() {
                lines.push("receiving".to_owned());
            }
        }
        assert_eq!(lines.len(), 18, "{lines:?}");
        assert_eq!(
            lines[..4],
            [
                "it hung up",
                "it does not answer",
                "receiving",
                "it hung up (19 more like it meanwhile)"
            ]
        );
    }
}
