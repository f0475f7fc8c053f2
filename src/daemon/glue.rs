//! What a camera's session tells becomes what its assembler does, and its line on the board.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Clock;
use crate::base::id::{RunId, StreamId};
use crate::catalog::GapCause;
use crate::ingest::{Ended, Item, Sink};
use crate::recorder::assembler::{Assembler, Unusable};
use crate::recorder::board::{Board, Phase};

/// Why a stream is being stopped, when the supervisor is told to.
#[derive(Clone, Default)]
pub(super) struct Why(Arc<Mutex<Option<Ended>>>);

impl Why {
    pub(super) fn set(&self, cause: GapCause, detail: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ended::new(cause, detail));
    }

    fn get(&self) -> Option<Ended> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One stream's.
pub(super) struct Glue {
    pub clock: Arc<dyn Clock>,
    pub stream: Arc<StreamId>,
    pub assembler: Assembler,
    pub board: Board,
    pub why: Why,
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
            Item::Unit(unit) => {
                let dropped = self.assembler.is_dropping();
                let taken = self.assembler.unit(unit).map_err(unusable);
                if self.assembler.is_dropping() && !dropped {
                    // The writer says so too, but not before the disk lets it.
                    let text = "the disk does not keep up; pictures are dropped";
                    self.board.trouble(&self.stream, text, self.clock.wall());
                }
                taken
            }
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
        let why = self.why.get();
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
