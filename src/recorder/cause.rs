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
            | GapCause::Unknown
    )
}

/// Pictures came, but could not be kept.
fn is_storage(cause: GapCause) -> bool {
    matches!(
        cause,
        GapCause::StorageSlow
            | GapCause::DiskFull
            | GapCause::WriteError
            | GapCause::VolumeMissing
            | GapCause::Internal
    )
}

/// A gap in which nobody tried to record, one in which the camera sent nothing and one in which the disk took nothing are
/// three, each with its cause. Within each the first cause stands.
pub(super) fn is_another(before: GapCause, after: GapCause) -> bool {
    let rests = before != after && (is_rest(before) || is_rest(after));
    rests || is_storage(before) != is_storage(after)
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
