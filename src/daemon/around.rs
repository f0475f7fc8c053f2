//! Around the daemon: the lock on the state folder, signals, and what happens when a thread fails that must not.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use log::error;
use tokio::signal::unix::{SignalKind, signal};

use crate::base::disk::Lock;
use crate::base::error::{Context, Kind, Result};
use crate::base::shutdown::{self, Stopped};
use crate::store::state::State;

/// The lock on the state folder is tried this often, so many times.
const LOCK_RETRY: Duration = Duration::from_millis(100);
const LOCK_TRIES: u32 = 100;

/// A box whose writer, keeper or catalog died would go on looking well and record nothing: it ends instead, at once, and is
/// started again; recovery is made for that. Streams are another matter: their faults are caught one by one.
pub(super) fn end_with_essential_threads() {
    const ESSENTIAL: [&str; 3] = ["write ", "keep ", "catalog"];
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        report(info);
        let thread = std::thread::current();
        let name = thread.name().unwrap_or_default();
        if ESSENTIAL
            .iter()
            .any(|essential| name.starts_with(essential))
        {
            error!("the thread \"{name}\" failed; the recorder ends, to be started again");
            std::process::abort();
        }
    }));
}

/// Takes the state folder. A command that looks at the catalog while none runs holds it for a moment: that is waited for.
pub(super) fn take_lock(state: &State) -> Result<Lock> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let mut tries = LOCK_TRIES;
        loop {
            match state.lock() {
                Err(e)
                    if e.kind() == Kind::Busy
                        && tries > 0
                        && UnixStream::connect(state.socket_path()).is_err() =>
                {
                    tries -= 1;
                    tokio::time::sleep(LOCK_RETRY).await;
                }
                other => return other,
            }
        }
    })
}

/// Is set by SIGTERM and SIGINT, whatever is being done then.
pub(super) fn told_to_stop() -> Result<Stopped> {
    let mut terminate = signal(SignalKind::terminate()).context(|| "listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context(|| "listening for SIGINT")?;
    let (stopper, stopped) = shutdown::pair();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopper.stop();
    });
    Ok(stopped)
}
