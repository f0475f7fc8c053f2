//! Layer 7: joins the parts, hands each what it needs, and stops them in order.
//!
//! Cameras are read on one thread (the async runtime's own); each volume has a writer and a keeper; the catalog has its
//! writer. Stopping goes the way of a frame: cameras, writers, keepers, catalog, so that nothing received is lost.

pub mod alarms;
pub mod answer;
mod around;
pub mod control;
pub mod disclosures;
#[cfg(test)]
mod fault_tests;
mod glue;
pub mod keeping;
pub mod ledger;
pub mod packages;
pub mod people;
pub mod records;
pub mod scrub;
pub mod streams;
pub mod sweeper;
pub mod volumes;
mod watch;
pub mod web;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use log::{error, info, warn};

use crate::access::{self, Access, Premises};
use crate::base::Clock;
use crate::base::clock::SystemClock;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{StreamId, StreamKind};
use crate::base::shutdown::Stopped;
use crate::base::time::Wall;
use crate::catalog::{Catalog, Change, Event, GapCause, LedgerChange};
use crate::config::{self, CameraConfig, Config, Loaded};
use crate::daemon::alarms::{AlarmFeed, Alarms};
use crate::daemon::around::{end_with_essential_threads, take_lock, told_to_stop};
use crate::daemon::control::Control;
use crate::daemon::ledger::{Keeping, LedgerBoard};
use crate::daemon::people::People;
use crate::daemon::scrub::Scrubbing;
use crate::daemon::streams::{Streams, rest};
use crate::daemon::sweeper::{DeletionBoard, Sweeping, Wake};
use crate::daemon::volumes::{Shared, Volumes};
use crate::daemon::watch::VolumeWatch;
use crate::daemon::web::Serving;
use crate::recorder::board::Board;
use crate::recorder::live::Live;
use crate::recorder::recovery;
use crate::recorder::segment::SealingInForce;
use crate::retention::latch;
use crate::store::state::State;
use crate::store::volume::Volume;
use crate::vault::person::Cost;

/// A volume that could not be opened is tried again this often.
const VOLUME_RETRY: Duration = Duration::from_secs(10);
/// Changes of the configuration file are gathered for this long: editors write more than once.
const SETTLE: Duration = Duration::from_millis(300);

/// Runs the recorder on the state folder `dir` until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot begin: another one runs, the configuration is wrong, no vault generation. Nothing was changed then.
pub fn run(dir: &Path) -> Result<()> {
    end_with_essential_threads();
    let state = State::open(dir)?;
    let _lock = take_lock(&state)?;
    let loaded = config::load(&state.config_path())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .context(|| "starting the runtime")?;
    let mut daemon = Daemon::open(state, loaded, SystemClock::shared())?;
    let result = runtime.block_on(daemon.serve());
    drop(runtime);
    daemon.close();
    result
}

struct Daemon {
    state: State,
    config: Loaded,
    clock: Arc<dyn Clock>,
    catalog: Arc<Catalog>,
    board: Board,
    shared: Arc<Shared>,
    volumes: Volumes,
    scrubbing: Scrubbing,
    streams: Streams,
    live: Live,
    serving: Option<Serving>,
    deletion: DeletionBoard,
    sweeper: Option<Sweeping>,
    ledger: LedgerBoard,
    keeping: Option<Keeping>,
    people: Option<People>,
    feed: AlarmFeed,
    alarms: Option<Alarms>,
    woken: Option<Receiver<Wake>>,
    /// Volumes of the configuration that could not be opened yet.
    missing: Vec<String>,
    started: Wall,
}

/// Who may do what; a new vault generation is taken into use by `sealing`.
fn access(
    state: &State,
    config: &Config,
    catalog: &Arc<Catalog>,
    clock: &Arc<dyn Clock>,
    sealing: &SealingInForce,
) -> Result<Access> {
    let sealing = sealing.clone();
    Access::new(access::Options {
        catalog: Arc::clone(catalog),
        clock: Arc::clone(clock),
        recovery: state.recovery.clone(),
        site: config.site.name.clone(),
        premises: Premises::new(config::private_networks()),
        cost: Cost::STANDARD,
        on_generation: Box::new(move |generation| sealing.renew(generation)),
    })
}

impl Daemon {
    fn open(state: State, config: Loaded, clock: Arc<dyn Clock>) -> Result<Self> {
        let catalog = Arc::new(
            Catalog::open_signing(&state.existing_catalog()?, state.box_id, state.signer())
                .context(|| "nothing is recorded and nothing is deleted")?,
        );
        let board = Board::default();
        volumes::look_at(&state, &config.config, &catalog, clock.wall());
        let (wake, woken) = sync_channel(sweeper::WAKES_MAX);
        let sealing = volumes::sealing(&state, &catalog)?;
        let access = access(&state, &config.config, &catalog, &clock, &sealing)?;
        let feed = AlarmFeed::default();
        let shared = Arc::new(Shared {
            feed: feed.clone(),
            box_id: state.box_id,
            sealing,
            access,
            catalog: Arc::clone(&catalog),
            clock: Arc::clone(&clock),
            board: board.clone(),
            scrub: scrub::Handle::new(&state.dir),
            wake,
            packages: packages::Way::default(),
        });
        let live = Live::default();
        let streams = Streams::new(
            Arc::clone(&clock),
            Arc::clone(&catalog),
            board.clone(),
            live.clone(),
            &config.config,
        );
        let missing = config
            .config
            .volumes
            .iter()
            .map(|v| v.name.clone())
            .collect();
        let started = clock.wall();
        Ok(Self {
            state,
            config,
            clock,
            catalog,
            board,
            shared,
            volumes: Volumes::default(),
            scrubbing: Scrubbing::default(),
            streams,
            live,
            serving: None,
            deletion: DeletionBoard::default(),
            sweeper: None,
            ledger: LedgerBoard::default(),
            keeping: None,
            people: None,
            feed,
            alarms: None,
            woken: Some(woken),
            missing,
            started,
        })
    }

    async fn serve(&mut self) -> Result<()> {
        // Signals first: a long recovery ends early when it is told to.
        let mut stopped = told_to_stop()?;
        let (_watcher, mut changes) = watch::changes_of(&self.state.config_path())?;
        // Whoever began them is gone.
        let orphans = |at| LedgerChange::OrphansClosed { at };
        self.catalog.commit(orphans(self.clock.wall()), None)?;
        self.note(
            "start",
            serde_json::json!({
                "version": env!("CARGO_PKG_VERSION"),
                "configuration": self.config.digest.to_string(),
            }),
        )?;
        // Recovery may take a while: status tells of it meanwhile.
        self.show_cameras();
        let control = Control::start(
            &self.state,
            &self.catalog,
            &self.board,
            &self.shared,
            (&self.deletion, &self.ledger, &self.feed),
            self.started,
        )?;
        self.people = Some(People::start(self.shared.access.clone())?);
        self.serving = Some(Serving::start(
            &self.state,
            &self.config.config,
            &self.shared,
            &self.live,
            (&self.deletion, &self.feed),
        ));
        self.alarms = Some(Alarms::start(self.alarm_options())?);
        self.open_volumes(true, &stopped).await;
        if !stopped.is_set() {
            self.begin().await?;
        }
        let mut retry = tokio::time::interval(VOLUME_RETRY);
        retry.tick().await;
        let (mut look, mut watch) = (tokio::time::interval(watch::EVERY), VolumeWatch::default());
        loop {
            tokio::select! {
                biased;
                () = stopped.wait() => break,
                _ = look.tick() => watch.look(&self.board, &*self.clock, &self.catalog),
                Some(()) = changes.recv() => {
                    tokio::time::sleep(SETTLE).await;
                    while changes.try_recv().is_ok() {}
                    self.reload().await;
                }
                _ = retry.tick(), if !self.missing.is_empty() => {
                    if self.open_volumes(false, &stopped).await {
                        self.start_cameras();
                    }
                }
            }
        }
        info!("stopping");
        control.stop();
        self.scrubbing.stop();
        self.streams.stop_all().await;
        Ok(())
    }

    /// Begins to record, and to delete.
    async fn begin(&mut self) -> Result<()> {
        self.start_sweeper()?;
        self.keeping = Some(Keeping::start(self.ledger_options()?)?);
        // Whatever was being recorded when the process died has a gap from there on.
        recovery::open_gaps(&self.catalog, GapCause::Killed, self.clock.wall())?;
        self.explain_rest()?;
        self.explain_missing()?;
        self.start_cameras();
        info!(
            "recording {} cameras of {}",
            self.config
                .config
                .cameras
                .iter()
                .filter(|c| c.enabled)
                .count(),
            self.config.config.site.name
        );
        // What was written before it was watched.
        self.reload().await;
        Ok(())
    }

    fn close(self) {
        // First: nobody is shown what is about to be closed.
        if let Some(serving) = self.serving {
            serving.stop();
        }
        self.scrubbing.finish();
        self.volumes.finish();
        if let Some(sweeper) = self.sweeper {
            sweeper.stop();
        }
        if let Some(alarms) = self.alarms {
            alarms.stop();
        }
        if let Some(people) = self.people {
            people.finish();
        }
        if let Some(keeping) = self.keeping {
            keeping.stop();
        }
        let now = self.clock.wall();
        let event = Event::of_box(now, "stop", "recorder", serde_json::json!({}));
        let closed = ledger::seal(&self.catalog, now, "stop")
            .and_then(|()| self.catalog.commit(Vec::new(), event))
            .and_then(|()| self.catalog.close());
        ledger::last_mirror(&self.state);
        match closed {
            Ok(()) => info!("stopped; everything received is on disk and in the catalog"),
            Err(e) => error!("{e}"),
        }
    }

    fn alarm_options(&self) -> alarms::Options {
        self.feed.configure(&self.config);
        alarms::Options {
            shared: Arc::clone(&self.shared),
            deletion: self.deletion.clone(),
            ledger: self.ledger.clone(),
            key: self.state.key().ok(),
            dir: self.state.dir.clone(),
            feed: self.feed.clone(),
        }
    }

    fn ledger_options(&self) -> Result<ledger::Options> {
        Ok(ledger::Options {
            catalog: Arc::clone(&self.catalog),
            clock: Arc::clone(&self.clock),
            box_id: self.state.box_id,
            key: self.state.key()?,
            board: self.ledger.clone(),
            feed: self.feed.clone(),
        })
    }

    /// Volumes were looked at and recovered: what is too old may go.
    fn start_sweeper(&mut self) -> Result<()> {
        let Some(woken) = self.woken.take() else {
            return Ok(());
        };
        let options = sweeper::Options {
            shared: Arc::clone(&self.shared),
            deletion: self.deletion.clone(),
            reserves: sweeper::reserves(&self.config.config),
            policies: sweeper::policies(&self.config.config),
            signer: self.state.signer().ok(),
        };
        self.sweeper = Some(Sweeping::start(options, woken)?);
        Ok(())
    }

    fn note(&self, action: &str, facts: serde_json::Value) -> Result<()> {
        let event = Event::of_box(self.clock.wall(), action, "recorder", facts);
        self.catalog.commit(Vec::new(), event)
    }

    /// Opens and recovers the volumes that are missing; true when one came.
    async fn open_volumes(&mut self, loud: bool, stopped: &Stopped) -> bool {
        let mut came = false;
        for name in std::mem::take(&mut self.missing) {
            if stopped.is_set() {
                self.missing.push(name);
                continue;
            }
            let Some(volume_config) = self.config.config.volume(&name).cloned() else {
                continue;
            };
            let (shared, stop) = (Arc::clone(&self.shared), stopped.clone());
            let opened = tokio::task::spawn_blocking(move || {
                let volume = Volume::open(&volume_config.path, shared.box_id, &volume_config.name)?;
                // Before recovery: it makes rows for whatever it finds.
                latch::look(&shared.catalog, &volume, shared.clock.wall())?;
                // The row of the volume must be there before those of its segments.
                volumes::seen(&shared.catalog, &volume)?;
                let (catalog, clock) = (&shared.catalog, &*shared.clock);
                let go_on = || !stop.is_set();
                let report = recovery::recover(&volume, shared.box_id, catalog, clock, &go_on)?;
                Ok::<_, Error>((volume, volume_config, report))
            })
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, e.to_string())));
            let started = opened.and_then(|(volume, volume_config, report)| {
                if report.adopted + report.rows_added > 0 {
                    info!(
                        "volume \"{name}\": {} segments adopted",
                        report.adopted + report.rows_added
                    );
                }
                if stopped.is_set() {
                    return Err(Error::new(Kind::Busy, "told to stop"));
                }
                self.scrubbing.start(volume.clone(), &self.shared)?;
                self.volumes.start(
                    volume,
                    &volume_config,
                    &self.config.config.recorder,
                    &self.shared,
                )
            });
            match started {
                Ok(()) => came = true,
                Err(e) => {
                    if loud && !stopped.is_set() {
                        error!("{e}; its cameras are not recorded until it is there");
                    }
                    self.missing.push(name);
                }
            }
        }
        came
    }

    /// Shows every enabled stream on the board, whether it can be started yet or not: status must not say that all is
    /// well while volumes are being recovered, or missing.
    fn show_cameras(&self) {
        for camera in self.config.config.cameras.iter().filter(|c| c.enabled) {
            for kind in [StreamKind::Main, StreamKind::Sub] {
                if camera.stream_path(kind).is_some() {
                    let stream = StreamId {
                        camera: camera.id.clone(),
                        kind,
                    };
                    self.board.update(&stream, |_| {});
                }
            }
        }
    }

    /// Starts every enabled camera that does not run and whose volume is there.
    fn start_cameras(&mut self) {
        self.show_cameras();
        for camera in self.config.config.cameras.clone() {
            if camera.enabled
                && !self.streams.runs(&camera.id)
                && !self.missing.contains(&camera.volume)
                && let Err(e) = self.streams.start(&camera, &self.volumes)
            {
                error!("{}: {e}", camera.id);
            }
        }
    }

    /// Reads the configuration again. A bad file changes nothing and is reported.
    async fn reload(&mut self) {
        let loaded = match config::load(&self.state.config_path()) {
            Ok(loaded) if loaded.digest == self.config.digest => return,
            Ok(loaded) => loaded,
            Err(e) => {
                error!(
                    "the configuration was changed but is not used, the one before stays in force:\n{e}"
                );
                let refused = Event {
                    result: "refused".to_owned(),
                    ..Event::of_box(
                        self.clock.wall(),
                        "configuration-loaded",
                        "sinetti.toml",
                        serde_json::json!({}),
                    )
                };
                if let Err(e) = self.catalog.commit(Vec::new(), refused) {
                    error!("{e}");
                }
                return;
            }
        };
        let diff = config::diff(&self.config.config, &loaded.config);
        for line in &diff.lines {
            info!("configuration: {line}");
        }
        if diff.volumes_changed || diff.recorder_changed {
            warn!(
                "changes under [recorder] and [[volume]] take effect at the next start: systemctl restart sinetti"
            );
        }
        if let Err(e) = self
            .catalog
            .commit(Vec::new(), self.changed(&loaded, &diff.lines))
        {
            error!("{e}");
        }
        let recorder_and_volumes = (
            self.config.config.recorder.clone(),
            self.config.config.volumes.clone(),
        );
        self.streams.allow(loaded.config.network.clone());
        self.stop_changed(&loaded.config, &diff).await;
        self.config = loaded;
        (self.config.config.recorder, self.config.config.volumes) = recorder_and_volumes;
        self.feed.configure(&self.config);
        if let Some(sweeper) = &self.sweeper {
            sweeper.keep(sweeper::policies(&self.config.config));
        }
        if let Some(serving) = &self.serving {
            serving.reload(&self.config.config, &self.shared);
        }
        self.start_cameras();
        if let Err(e) = self.explain_missing() {
            error!("{e}");
        }
    }

    /// The entry of another configuration: what its lines say may be about people, so only their digest is kept for ever.
    fn changed(&self, loaded: &Loaded, lines: &[String]) -> Event {
        let text = lines.join("\n");
        let facts = serde_json::json!({
            "digest": loaded.digest.to_string(),
            "changes": { "lines": lines.len(), "sha256": Digest::sha256(&[text.as_bytes()]).to_string() },
        });
        let at = self.clock.wall();
        Event {
            detail: Some(serde_json::json!({ "changes": lines })),
            ..Event::of_box(at, "configuration-loaded", "recorder", facts)
        }
    }

    /// What was switched off or removed while the recorder did not run is not recorded for that reason from now on.
    fn explain_rest(&self) -> Result<()> {
        for row in self.catalog.reader()?.streams()? {
            let (cause, detail) = rest(&self.config.config, &row.stream.camera, row.stream.kind);
            if cause != GapCause::Stopped {
                self.explain(&row.stream, cause, detail)?;
            }
        }
        Ok(())
    }

    /// Cameras whose volume is not there: the gap has that cause from now on, and the status shows it.
    fn explain_missing(&self) -> Result<()> {
        let config = &self.config.config;
        let waits = |c: &&Arc<CameraConfig>| c.enabled && self.missing.contains(&c.volume);
        for camera in config.cameras.iter().filter(waits) {
            let detail = format!("volume \"{}\" is not there", camera.volume);
            for kind in [StreamKind::Main, StreamKind::Sub] {
                if camera.stream_path(kind).is_none() {
                    continue;
                }
                let stream = StreamId {
                    camera: camera.id.clone(),
                    kind,
                };
                self.board.show(&stream);
                self.board.trouble(&stream, &detail, self.clock.wall());
                self.explain(&stream, GapCause::VolumeMissing, &detail)?;
            }
        }
        Ok(())
    }

    /// From now on a stream that is not being recorded is in a gap with this cause.
    fn explain(&self, stream: &StreamId, cause: GapCause, detail: &str) -> Result<()> {
        let gap = self.catalog.reader()?.open_gap(stream)?;
        if gap.as_ref().is_some_and(|gap| gap.cause == cause) {
            return Ok(());
        }
        let now = self.clock.wall();
        let start = gap.as_ref().map_or(now, |gap| gap.start.max(now));
        let closed = gap.map(|_| Change::GapClosed {
            stream: stream.clone(),
            end: start,
        });
        let opened = Change::GapOpened {
            stream: stream.clone(),
            start,
            cause,
            detail: Some(detail.to_owned()),
        };
        let changes: Vec<_> = closed.into_iter().chain([opened]).collect();
        self.catalog.commit(changes, None)
    }

    async fn stop_changed(&mut self, new: &Config, diff: &config::Diff) {
        for id in &diff.removed {
            self.streams.stop(id, |kind| rest(new, id, kind)).await;
        }
        for id in &diff.changed {
            self.streams.stop(id, |kind| rest(new, id, kind)).await;
        }
    }
}
