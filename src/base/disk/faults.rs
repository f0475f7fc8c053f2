//! A disk that fails on demand, for tests: the n-th change below a folder fails, either undone or done all the same.
//!
//! Both happen: a cable is pulled before the command, or after it and before its answer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::base::disk::Step;

/// What becomes of the change that fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It was not done.
    Undone,
    /// It was done, and reported as failed.
    Done,
    /// There is no room for it.
    Full,
    /// The process dies before it: a panic, which the test catches.
    Dies,
}

/// Which change fails.
#[derive(Clone, Debug)]
struct Plan {
    below: PathBuf,
    /// Changes until then; 0 is the next one.
    after: usize,
    outcome: Outcome,
    /// How many fail from then on.
    count: usize,
    seen: Vec<(Step, PathBuf)>,
}

static PLANS: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

/// Ends the faults of a folder when it is dropped.
pub(crate) struct Faults(PathBuf);

impl Faults {
    /// The changes below `below` from number `after` on fail, `count` of them.
    pub(crate) fn below(below: &Path, after: usize, count: usize, outcome: Outcome) -> Self {
        let plan = Plan {
            below: below.to_owned(),
            after,
            outcome,
            count,
            seen: Vec::new(),
        };
        with(|plans| plans.push(plan));
        Self(below.to_owned())
    }

    /// The changes that were asked for so far.
    pub(crate) fn seen(&self) -> Vec<(Step, PathBuf)> {
        with(|plans| {
            let plan = plans.iter().find(|plan| plan.below == self.0);
            plan.map(|plan| plan.seen.clone()).unwrap_or_default()
        })
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        with(|plans| plans.retain(|plan| plan.below != self.0));
    }
}

fn with<T>(act: impl FnOnce(&mut Vec<Plan>) -> T) -> T {
    act(&mut PLANS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Does the change, unless it is one that fails.
pub(super) fn change<T>(
    step: Step,
    path: &Path,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let outcome = with(|plans| {
        let plan = plans
            .iter_mut()
            .find(|plan| path.starts_with(&plan.below))?;
        let number = plan.seen.len();
        plan.seen.push((step, path.to_owned()));
        let fails = number >= plan.after && number - plan.after < plan.count;
        fails.then_some(plan.outcome)
    });
    match outcome {
        None => act(),
        Some(Outcome::Undone) => Err(fault()),
        Some(Outcome::Done) => act().and_then(|_| Err(fault())),
        // ENOSPC.
        Some(Outcome::Full) => Err(io::Error::from_raw_os_error(28)),
        Some(Outcome::Dies) => panic!("the process dies at {step:?} of {}", path.display()),
    }
}

fn fault() -> io::Error {
    // EIO.
    io::Error::from_raw_os_error(5)
}
