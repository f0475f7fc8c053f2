//! What is wrong at this moment: a pure function of what is known.

use std::collections::BTreeMap;

use crate::alarm::facts::{Facts, Stream, Thresholds, Volume};
use crate::catalog::{AlarmKind, GapCause};

/// What is wrong, with what, and what more is known.
pub type Due = BTreeMap<(AlarmKind, String), String>;

/// What an alarm is about that is about no stream or volume.
const CLOCK: &str = "clock";
const DELETION: &str = "deletion";
const HOLDS: &str = "holds";
const DISCLOSURES: &str = "disclosures";
/// So many disclosures are named in an alarm.
const NAMED_MAX: usize = 10;
const LEDGER: &str = "ledger";
const VAULT: &str = "vault";
const WEB: &str = "certificate";
const STATE: &str = "state";
const TARGET: &str = "target";

/// What is wrong at this moment. Bounded by the number of streams and volumes.
pub fn due(facts: &Facts, thresholds: &Thresholds) -> Due {
    let mut due = Due::new();
    for stream in &facts.streams {
        of_stream(stream, thresholds, &mut due);
    }
    for volume in &facts.volumes {
        let waits: Vec<&Stream> = facts
            .streams
            .iter()
            .filter(|stream| stream.volume == volume.name && !stream.records)
            .collect();
        of_volume(volume, &waits, thresholds, &mut due);
    }
    of_deletion(facts, &mut due);
    of_disclosures(facts, &mut due);
    of_clock(facts, thresholds, &mut due);
    of_proof(facts, thresholds, &mut due);
    of_records(facts, &mut due);
    due
}

/// What has to do with a stream's volume is told of the volume.
enum Fault {
    Camera,
    Volume,
    Own,
}

fn fault(cause: Option<GapCause>) -> Fault {
    match cause {
        // Nothing is known: it was never recorded.
        None
        | Some(
            GapCause::NotStarted
            | GapCause::ConnectFailed
            | GapCause::Refused
            | GapCause::CameraClosed
            | GapCause::Stalled
            | GapCause::Protocol
            | GapCause::NoKeyFrame,
        ) => Fault::Camera,
        Some(
            GapCause::VolumeMissing
            | GapCause::DiskFull
            | GapCause::WriteError
            | GapCause::StorageSlow,
        ) => Fault::Volume,
        Some(
            GapCause::Stopped
            | GapCause::Killed
            | GapCause::Disabled
            | GapCause::Removed
            | GapCause::ClockStep
            | GapCause::TimeUncertain
            | GapCause::Unreadable
            | GapCause::Internal
            | GapCause::Unknown,
        ) => Fault::Own,
    }
}

fn of_stream(stream: &Stream, thresholds: &Thresholds, due: &mut Due) {
    let object = stream.stream.to_string();
    if !stream.records {
        let cause = stream.cause.map_or("not recorded yet", GapCause::as_str);
        let detail = match &stream.trouble {
            Some(trouble) => format!("{cause}: {trouble}"),
            None => cause.to_owned(),
        };
        match fault(stream.cause) {
            Fault::Camera => drop(due.insert((AlarmKind::CameraLost, object), detail)),
            Fault::Own => drop(due.insert((AlarmKind::Gap, object), detail)),
            Fault::Volume => {}
        }
        return;
    }
    let (count, us) = stream.holes;
    if us > thresholds.holes_us {
        let secs = us / 1_000_000;
        let detail = format!("in the last hour {secs} s are missing, in {count} gaps");
        due.insert((AlarmKind::Gap, object), detail);
    }
}

fn of_volume(volume: &Volume, waits: &[&Stream], thresholds: &Thresholds, due: &mut Due) {
    let mut put = |kind, detail: String| drop(due.insert((kind, volume.name.clone()), detail));
    let waiting = |cause| {
        let names: Vec<_> = waits
            .iter()
            .filter(|stream| stream.cause == Some(cause))
            .map(|stream| stream.stream.to_string())
            .collect();
        (!names.is_empty()).then(|| format!("not recorded: {}", names.join(", ")))
    };
    if let Some(why) = volume
        .missing
        .clone()
        .or_else(|| waiting(GapCause::VolumeMissing))
    {
        put(AlarmKind::VolumeMissing, why);
    }
    if volume.full_in_vain {
        put(
            AlarmKind::VolumeFull,
            "deleting all its footage would make no room".to_owned(),
        );
    } else if let Some(names) = waiting(GapCause::DiskFull) {
        put(AlarmKind::VolumeFull, names);
    }
    if let Some(silent) = volume.silent_for.filter(|for_| *for_ > thresholds.silent) {
        let secs = silent.as_secs();
        put(
            AlarmKind::VolumeFailing,
            format!("it does not answer, for {secs} s"),
        );
    } else if let Some(names) = waiting(GapCause::WriteError) {
        put(AlarmKind::VolumeFailing, names);
    }
    let secs = volume.behind.as_secs();
    if volume.behind > thresholds.lag {
        put(
            AlarmKind::SyncLag,
            format!("for {secs} s nothing became durable"),
        );
    }
    if volume.behind > thresholds.behind {
        put(
            AlarmKind::VolumeBehind,
            format!("for {secs} s nothing became durable"),
        );
    } else if let Some(names) = waiting(GapCause::StorageSlow) {
        put(AlarmKind::VolumeBehind, names);
    }
    footage(volume, due);
}

/// What is wrong with what lies on a volume.
fn footage(volume: &Volume, due: &mut Due) {
    let mut put = |kind, detail: String| drop(due.insert((kind, volume.name.clone()), detail));
    if volume.early {
        put(
            AlarmKind::EarlyDeletion,
            "footage was deleted early within the last hour".to_owned(),
        );
    }
    if volume.damaged > 0 {
        put(
            AlarmKind::ScrubDamage,
            format!("{} segments", volume.damaged),
        );
    }
    if volume.missing_segments > 0 {
        put(
            AlarmKind::ScrubMissing,
            format!("{} segments", volume.missing_segments),
        );
    }
    if let Some((count, first)) = &volume.over_age {
        put(
            AlarmKind::OverAge,
            format!("{count} files; the first: {first}"),
        );
    }
    if volume.quarantine_lost > 0 {
        put(
            AlarmKind::Quarantine,
            format!("{} files at the last look", volume.quarantine_lost),
        );
    }
    if let Some(mirror) = &volume.mirror {
        put(AlarmKind::LedgerMirror, mirror.clone());
    }
    if let Some(detail) = strangers(volume) {
        put(AlarmKind::Stranger, detail);
    }
}

fn strangers(volume: &Volume) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(touched) = volume.touched.as_ref().filter(|touched| touched.times > 0) {
        let first = touched.first.join("; ");
        parts.push(format!("seen {} times: {first}", touched.times));
    }
    if volume.strangers > 0 {
        parts.push(format!("{} files are not Sinetti's", volume.strangers));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn of_deletion(facts: &Facts, due: &mut Due) {
    let sweeping = &facts.sweeping;
    let mut why = Vec::new();
    if let Some(latched) = &sweeping.latched {
        why.push(format!("latched: {latched}"));
    }
    if let Some(failed) = &sweeping.failed {
        why.push(format!("failed: {failed}"));
    }
    if let Some(doubt) = &facts.clock.doubt {
        why.push(format!("paused: {doubt}"));
    }
    if sweeping.failures > 0 {
        why.push(format!(
            "{} segments could not be deleted",
            sweeping.failures
        ));
    }
    if !why.is_empty() {
        due.insert((AlarmKind::SweepLate, DELETION.to_owned()), why.join("; "));
    }
    for (stream, count) in sweeping.overdue.iter().filter(|(_, count)| **count > 0) {
        let detail = format!("{count} segments are older than they may be");
        due.insert((AlarmKind::SweepLate, stream.to_string()), detail);
    }
    for (stream, until) in &sweeping.lost {
        let detail = format!("deleted for want of room: all, or some, of what was before {until}");
        due.insert((AlarmKind::GuaranteeLost, stream.to_string()), detail);
    }
    // No more is said: what a hold is for may be secret.
    if sweeping.holds_due > 0 {
        let detail = format!("{} to be looked at", sweeping.holds_due);
        due.insert((AlarmKind::HoldReview, HOLDS.to_owned()), detail);
    }
}

fn of_disclosures(facts: &Facts, due: &mut Due) {
    for (kind, list) in [
        (AlarmKind::AnswerDue, &facts.promised.answers),
        (AlarmKind::CopiesDue, &facts.promised.copies),
    ] {
        if list.is_empty() {
            continue;
        }
        let named = list.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>();
        let more = match list.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let detail = format!("{}{more}", named.join(", "));
        due.insert((kind, DISCLOSURES.to_owned()), detail);
    }
}

fn of_clock(facts: &Facts, thresholds: &Thresholds, due: &mut Due) {
    let mut put = |kind, detail: String| drop(due.insert((kind, CLOCK.to_owned()), detail));
    if facts.clock.unsynchronised {
        put(
            AlarmKind::ClockUnsynchronised,
            "nothing keeps the host's clock".to_owned(),
        );
    }
    if let Some(doubt) = &facts.clock.doubt {
        put(AlarmKind::ClockInDoubt, doubt.clone());
    }
    let stepped = facts.clock.stepped;
    if let Some((_, us)) = stepped.filter(|(ago, _)| *ago < thresholds.step_shown) {
        put(AlarmKind::ClockStepped, format!("by {} ms", us / 1000));
    }
}

fn of_proof(facts: &Facts, thresholds: &Thresholds, due: &mut Due) {
    let mut put =
        |kind, object: &str, detail: String| drop(due.insert((kind, object.to_owned()), detail));
    if let Some(trouble) = &facts.ledger.trouble {
        put(AlarmKind::LedgerTrouble, LEDGER, trouble.clone());
    }
    match facts.ledger.anchor_overdue {
        Some(Some(last)) => put(AlarmKind::NoAnchor, LEDGER, format!("the last was {last}")),
        Some(None) => put(
            AlarmKind::NoAnchor,
            LEDGER,
            "there never was one".to_owned(),
        ),
        None => {}
    }
    if let Some(holders) = &facts.holders {
        put(AlarmKind::VaultHolder, VAULT, holders.clone());
    }
    let left = facts.certificate_left_s;
    if let Some(left) = left.filter(|left| *left < thresholds.certificate_s) {
        let days = left.max(0) / 86_400;
        put(AlarmKind::Certificate, WEB, format!("{days} days are left"));
    }
    let failing = facts.undelivered_for;
    if let Some(failing) = failing.filter(|for_| *for_ > thresholds.undelivered) {
        let secs = failing.as_secs();
        put(AlarmKind::Delivery, TARGET, format!("for {secs} s"));
    }
}

/// Backups, and what is kept besides footage.
fn of_records(facts: &Facts, due: &mut Due) {
    if let Some(last) = &facts.backup_overdue {
        let detail = last.map_or("there never was one".to_owned(), |at| {
            format!("the last was made {at}")
        });
        due.insert((AlarmKind::BackupOverdue, STATE.to_owned()), detail);
    }
    if let Some(old) = &facts.old_catalogs {
        due.insert((AlarmKind::OverAge, STATE.to_owned()), old.clone());
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
