//! One task a stream: its camera on one side, its assembler on the other.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::info;
use tokio::task::JoinHandle;

use crate::base::error::{Error, Kind, Result};
use crate::base::id::{CameraId, RunId, StreamId, StreamKind};
use crate::base::shutdown::{self, Stopper};
use crate::base::{Clock, hash::Digest};
use crate::catalog::{Catalog, GapCause};
use crate::config::{CameraConfig, RecorderConfig};
use crate::daemon::volumes::Volumes;
use crate::ingest::rtsp::{self, Group, Rtsp};
use crate::ingest::supervisor::{self, supervise};
use crate::ingest::{Ended, Item, Sink};
use crate::recorder::assembler::{self, Assembler, Unusable};
use crate::recorder::board::{Board, Phase};
use crate::recorder::fragment::{Begin, Order, What};
use crate::recorder::outbox::{Outbox, Waiting};

/// The streams that run.
pub struct Streams {
    clock: Arc<dyn Clock>,
    catalog: Arc<Catalog>,
    board: Board,
    options: RecorderConfig,
    tasks: BTreeMap<CameraId, Vec<Task>>,
    /// Streams begun so far, to spread their cuts.
    begun: u64,
}

struct Task {
    stream: Arc<StreamId>,
    stopper: Stopper,
    why: Why,
    sender: Sender<Order>,
    handle: JoinHandle<()>,
}

/// Why a stream is being stopped, when the supervisor is told to.
#[derive(Clone, Default)]
struct Why(Arc<Mutex<Option<Ended>>>);

impl Streams {
    /// None yet.
    pub fn new(
        clock: Arc<dyn Clock>,
        catalog: Arc<Catalog>,
        board: Board,
        options: RecorderConfig,
    ) -> Self {
        Self {
            clock,
            catalog,
            board,
            options,
            tasks: BTreeMap::new(),
            begun: 0,
        }
    }

    /// Starts a camera's streams.
    ///
    /// # Errors
    /// When the catalog cannot be read or its volume is not known.
    pub fn start(&mut self, camera: &CameraConfig, volumes: &Volumes) -> Result<()> {
        let group = Group::named(camera.id.as_str());
        let mut tasks = Vec::new();
        for kind in [StreamKind::Main, StreamKind::Sub] {
            if let Some(path) = camera.stream_path(kind) {
                let stream = StreamId {
                    camera: camera.id.clone(),
                    kind,
                };
                tasks.push(self.start_stream(camera, Arc::new(stream), path, &group, volumes)?);
            }
        }
        self.tasks.insert(camera.id.clone(), tasks);
        Ok(())
    }

    fn start_stream(
        &mut self,
        camera: &CameraConfig,
        stream: Arc<StreamId>,
        path: &str,
        group: &Group,
        volumes: &Volumes,
    ) -> Result<Task> {
        let reader = self.catalog.reader()?;
        let waiting = Waiting::default();
        let sender = volumes.sender(&camera.volume)?;
        let begin = Begin {
            previous_root: reader
                .last_segment(&stream)?
                .map_or(Digest::ZERO, |row| row.content_root),
            covered_until: reader.last_end(&stream)?,
            gap: reader.open_gap(&stream)?.map(|gap| gap.cause),
            waiting: waiting.clone(),
        };
        let gone = |_| Error::new(Kind::Internal, "the writer of the volume ended");
        sender
            .send(Order {
                stream: Arc::clone(&stream),
                what: What::Begin(begin),
            })
            .map_err(gone)?;
        let outbox = Outbox::new(
            Arc::clone(&stream),
            sender.clone(),
            waiting,
            self.options.queue_bytes as u64,
        );
        let assembler = Assembler::new(
            assembler::Options {
                stream: Arc::clone(&stream),
                segment_secs: self.options.segment_secs,
                stagger_us: stagger_us(self.begun, self.options.segment_secs),
            },
            Arc::clone(&self.clock),
            outbox,
        );
        self.begun += 1;
        let why = Why::default();
        let sink = Glue {
            clock: Arc::clone(&self.clock),
            stream: Arc::clone(&stream),
            assembler,
            board: self.board.clone(),
            why: why.clone(),
        };
        self.board.show(&stream);
        self.board
            .update(&stream, |line| line.phase = Phase::Connecting);
        let source = Rtsp::new(
            rtsp::Options {
                address: camera.address,
                path: path.to_owned(),
                transport: camera.transport,
                credentials: camera.credentials.clone(),
            },
            Arc::clone(&self.clock),
            group,
        );
        let options = supervisor::Options {
            name: stream.to_string(),
            stall: Duration::from_secs(u64::from(self.options.stall_secs)),
        };
        let (stopper, stopped) = shutdown::pair();
        let clock = Arc::clone(&self.clock);
        let handle =
            tokio::spawn(async move { supervise(source, sink, options, &*clock, stopped).await });
        Ok(Task {
            stream,
            stopper,
            why,
            sender,
            handle,
        })
    }

    /// True when the camera's streams run.
    pub fn runs(&self, camera: &CameraId) -> bool {
        self.tasks.contains_key(camera)
    }

    /// Stops a camera's streams, each for its reason, and waits until their last picture is handed over.
    pub async fn stop(
        &mut self,
        camera: &CameraId,
        why: impl Fn(StreamKind) -> (GapCause, &'static str),
    ) {
        let tasks = self.tasks.remove(camera).unwrap_or_default();
        for task in &tasks {
            let (cause, detail) = why(task.stream.kind);
            task.tell(cause, detail);
        }
        for task in tasks {
            let stream = Arc::clone(&task.stream);
            let (cause, detail) = why(stream.kind);
            let sender = task.sender.clone();
            task.join().await;
            // There may have been no run that could say so.
            let what = What::Failed {
                at: self.clock.wall(),
                cause,
                detail: detail.to_owned(),
            };
            sender
                .send(Order {
                    stream: Arc::clone(&stream),
                    what,
                })
                .ok();
            self.board.update(&stream, |line| line.phase = Phase::Off);
            info!("{stream}: {detail}");
        }
    }

    /// Stops all streams.
    pub async fn stop_all(&mut self) {
        let tasks: Vec<_> = std::mem::take(&mut self.tasks)
            .into_values()
            .flatten()
            .collect();
        for task in &tasks {
            task.tell(GapCause::Stopped, "Sinetti was stopped");
        }
        for task in tasks {
            task.join().await;
        }
    }
}

impl Task {
    fn tell(&self, cause: GapCause, detail: &str) {
        *self.why.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Ended::new(cause, detail));
        self.stopper.stop();
    }

    async fn join(self) {
        // A task that panicked has already said so; what it handed over is kept.
        self.handle.await.ok();
    }
}

/// Where in the segment cycle the n-th stream is cut: the golden ratio spreads any number of them evenly.
fn stagger_us(n: u64, segment_secs: u32) -> i64 {
    let period_us = u64::from(segment_secs) * 1_000_000;
    // 2^32 / φ, a fraction of 2^32.
    let fraction = n.wrapping_mul(0x9e37_79b9) & 0xffff_ffff;
    ((fraction * period_us) >> 32).cast_signed()
}

struct Glue {
    clock: Arc<dyn Clock>,
    stream: Arc<StreamId>,
    assembler: Assembler,
    board: Board,
    why: Why,
}

impl Glue {
    fn trouble(&self, ended: &Ended) {
        let now = self.clock.wall();
        self.board.trouble(&self.stream, &ended.detail, now);
        self.board.update(&self.stream, |line| {
            line.interruptions = line.interruptions.saturating_add(1);
        });
    }
}

fn unusable(e: Unusable) -> Ended {
    Ended::new(e.cause, e.detail)
}

impl Sink for Glue {
    fn run_started(&mut self, run: RunId) {
        self.board
            .update(&self.stream, |line| line.phase = Phase::Receiving);
        self.assembler.run_started(run);
    }

    fn item(&mut self, item: Item) -> Result<(), Ended> {
        match item {
            Item::Unit(unit) => self.assembler.unit(unit).map_err(unusable),
            Item::Parameters(entry) => self.assembler.parameters(entry).map_err(unusable),
            Item::CameraClock(offset_ms) => {
                self.assembler.camera_clock(offset_ms);
                Ok(())
            }
            Item::Corrupt(_) => {
                self.assembler.corrupt();
                Ok(())
            }
        }
    }

    fn run_ended(&mut self, ended: &Ended) {
        let why = self
            .why
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let told = why.filter(|_| ended.cause == GapCause::Stopped);
        match told {
            Some(told) => self.assembler.run_ended(told.cause, &told.detail),
            None => {
                self.trouble(ended);
                self.assembler.run_ended(ended.cause, &ended.detail);
            }
        }
    }

    fn attempt_failed(&mut self, ended: &Ended) {
        self.trouble(ended);
        self.assembler.attempt_failed(ended.cause, &ended.detail);
    }
}

#[cfg(test)]
mod tests {
    use super::stagger_us;

    #[test]
    fn cuts_are_spread_over_the_cycle() {
        let mut cuts: Vec<_> = (0..32).map(|n| stagger_us(n, 60)).collect();
        cuts.sort_unstable();
        let widest = cuts
            .windows(2)
            .map(|w| w[1] - w[0])
            .max()
            .unwrap_or_default();
        assert!(
            cuts.iter().all(|c| (0..60_000_000).contains(c)) && widest < 4_000_000,
            "{widest}"
        );
    }
}
