//! Causes of gaps: which tell of the same gap, and which failure is which.

use crate::base::error::{Error, Kind};
use crate::catalog::GapCause;

/// Nobody was trying to record.
pub(super) fn is_rest(cause: GapCause) -> bool {
    matches!(
        cause,
        GapCause::NotStarted
            | GapCause::Stopped
            | GapCause::Killed
            | GapCause::Disabled
            | GapCause::Removed
    )
}

/// A gap in which nobody tried to record and one in which it did not succeed are two, each with its cause.
pub(super) fn is_another(before: GapCause, after: GapCause) -> bool {
    before != after && (is_rest(before) || is_rest(after))
}

/// What a failed write means for the footage.
pub(super) fn cause_of(e: &Error) -> GapCause {
    match e.kind() {
        Kind::Full => GapCause::DiskFull,
        Kind::Foreign | Kind::NotFound => GapCause::VolumeMissing,
        Kind::Internal | Kind::Invalid => GapCause::Internal,
        _ => GapCause::WriteError,
    }
}
