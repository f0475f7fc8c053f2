//! Says aloud, once, that a volume does not keep up, and that it does again: its own threads cannot, since they hang.

use std::collections::BTreeSet;
use std::time::Duration;

use log::{error, info};

use crate::base::Clock;
use crate::catalog::{Catalog, Event};
use crate::recorder::board::Board;
use crate::recorder::pulse::BEHIND_MAX;

/// It is looked for this often.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Volumes that are behind, as far as it was said.
#[derive(Default)]
pub(super) struct VolumeWatch {
    behind: BTreeSet<String>,
}

impl VolumeWatch {
    /// Looks, and says what is new. Never waits.
    pub(super) fn look(&mut self, board: &Board, clock: &dyn Clock, catalog: &Catalog) {
        for (name, behind) in board.pulses.behind(clock.mono()) {
            let secs = behind.as_secs();
            if behind > BEHIND_MAX && self.behind.insert(name.clone()) {
                error!(
                    "volume \"{name}\" does not keep up: for {secs} s nothing became durable; a power cut loses that \
                     much. Look at the disk: dmesg, smartctl -a"
                );
                note(catalog, clock, "volume-behind", "failed", &name);
            } else if behind <= BEHIND_MAX && self.behind.remove(&name) {
                info!("volume \"{name}\" keeps up again");
                note(catalog, clock, "volume-keeps-up", "ok", &name);
            }
        }
    }
}

fn note(catalog: &Catalog, clock: &dyn Clock, action: &str, result: &str, volume: &str) {
    let event = Event {
        result: result.to_owned(),
        ..Event::of_box(clock.wall(), action, volume, serde_json::json!({}))
    };
    let told = |result: crate::base::error::Result<()>| {
        if let Err(e) = result {
            error!("{e}");
        }
    };
    catalog.commit_later(Vec::new(), event, Box::new(told));
}
