//! How far the threads of a volume are behind: what a power cut would lose, and whether pictures still get through. A disk
//! that hangs is seen by it while it hangs; what became of the footage is told by gaps, afterwards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::time::Mono;

/// A volume that is further behind does not keep up. Above the longest `sync_secs`, and a sync that takes its time.
pub const BEHIND_MAX: Duration = Duration::from_secs(15);

/// What the threads of one volume are at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pulse {
    /// Everything that was written before this was synced, or is in a gap.
    synced: Option<Mono>,
    /// Since when the writer is at one and the same order; `None`: it waits for one.
    writing: Option<Mono>,
}

impl Pulse {
    /// For how long nothing became durable that should have, or nothing was taken.
    pub fn behind(self, now: Mono) -> Duration {
        let since = |at: Option<Mono>| at.map_or(Duration::ZERO, |at| now.since(at));
        since(self.synced).max(since(self.writing))
    }
}

/// All volumes', by name.
#[derive(Clone, Debug, Default)]
pub struct Pulses(Arc<Mutex<BTreeMap<String, Pulse>>>);

impl Pulses {
    fn update(&self, volume: &str, change: impl FnOnce(&mut Pulse)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pulse) = all.get_mut(volume) {
            return change(pulse);
        }
        change(all.entry(volume.to_owned()).or_default());
    }

    /// The keeper has synced what was written before `at`.
    pub fn synced(&self, volume: &str, at: Mono) {
        self.update(volume, |pulse| pulse.synced = Some(at));
    }

    /// The writer begins with an order at this time, or waits for one.
    pub fn writing(&self, volume: &str, since: Option<Mono>) {
        self.update(volume, |pulse| pulse.writing = since);
    }

    /// How far each volume is behind.
    pub fn behind(&self, now: Mono) -> BTreeMap<String, Duration> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = all.iter().map(|(name, p)| (name.clone(), p.behind(now)));
        behind.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_behind_by_what_is_not_durable_and_by_what_is_not_taken() {
        let (pulses, second) = (Pulses::default(), |n: u64| Mono(n * 1_000_000));
        let behind = |now| pulses.behind(second(now)).get("levy-1").copied();
        assert_eq!(behind(5), None);
        pulses.synced("levy-1", second(5));
        assert_eq!(behind(7), Some(Duration::from_secs(2)));
        pulses.writing("levy-1", Some(second(6)));
        pulses.synced("levy-1", second(29));
        // The keeper has nothing to sync since the writer hangs.
        assert_eq!(behind(30), Some(Duration::from_secs(24)));
        pulses.writing("levy-1", None);
        assert_eq!(behind(30), Some(Duration::from_secs(1)));
    }
}
