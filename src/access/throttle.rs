//! Delays after failed sign-ins: they grow with each failure of an account and of an address, and are forgotten in time.
//!
//! While a delay lasts, nothing is tried and nothing counts, so that whoever keeps knocking does not make it longer. An
//! address from which the person has signed in before does not wait for what others did: no stranger locks anybody out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::base::time::Mono;

/// Failures without a delay: people mistype.
const FREE: u32 = 3;
/// Longest delay of an account.
const ACCOUNT_DELAY_MAX: Duration = Duration::from_secs(60);
/// Longest delay of an address.
const ADDRESS_DELAY_MAX: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure an entry is forgotten.
const FORGET: Duration = Duration::from_secs(3600);
/// Most entries of each table.
const ENTRIES_MAX: usize = 4096;

#[derive(Clone, Copy)]
struct Entry {
    failures: u32,
    last: Mono,
    until: Mono,
}

/// A table of delays by what they are about; bounded.
struct Table<K> {
    entries: HashMap<K, Entry>,
    delay_max: Duration,
}

impl<K: Eq + Hash + Clone> Table<K> {
    fn new(delay_max: Duration) -> Self {
        Self {
            entries: HashMap::new(),
            delay_max,
        }
    }

    fn wait(&self, key: &K, now: Mono) -> Duration {
        self.entries
            .get(key)
            .map_or(Duration::ZERO, |entry| entry.until.since(now))
    }

    fn failed(&mut self, key: K, now: Mono) {
        if !self.entries.contains_key(&key) && self.entries.len() >= ENTRIES_MAX {
            self.make_room(now);
        }
        let entry = self.entries.entry(key).or_insert(Entry {
            failures: 0,
            last: now,
            until: now,
        });
        if now.since(entry.last) >= FORGET {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
        let doublings = entry.failures.saturating_sub(FREE);
        if doublings > 0 {
            // 1, 2, 4, 8 … seconds.
            let secs = 1_u64 << (doublings - 1).min(20);
            entry.until = now + Duration::from_secs(secs).min(self.delay_max);
        }
    }

    /// Forgets what is old, or else the half that failed longest ago.
    fn make_room(&mut self, now: Mono) {
        self.entries.retain(|_, e| now.since(e.last) < FORGET);
        if self.entries.len() >= ENTRIES_MAX {
            let mut times: Vec<_> = self.entries.values().map(|e| e.last).collect();
            times.sort();
            let middle = times[times.len() / 2];
            self.entries.retain(|_, e| e.last > middle);
        }
    }
}

/// The delays of all accounts and addresses.
pub(super) struct Throttle {
    accounts: Table<String>,
    addresses: Table<IpAddr>,
    /// From where persons have signed in since the start.
    known: HashMap<(String, IpAddr), Mono>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            accounts: Table::new(ACCOUNT_DELAY_MAX),
            addresses: Table::new(ADDRESS_DELAY_MAX),
            known: HashMap::new(),
        }
    }
}

impl Throttle {
    /// How long a sign-in as `name` from `address` has to wait; zero: it may be tried.
    pub(super) fn wait(&self, name: &str, address: IpAddr, now: Mono) -> Duration {
        let network = network(address);
        let name = key(name);
        let of_address = self.addresses.wait(&network, now);
        if self.known.contains_key(&(name.clone(), network)) {
            return of_address;
        }
        of_address.max(self.accounts.wait(&name, now))
    }

    /// A sign-in failed.
    pub(super) fn failed(&mut self, name: &str, address: IpAddr, now: Mono) {
        let network = network(address);
        let name = key(name);
        // A mistake at a known address tells nothing of others who try the account.
        if !self.known.contains_key(&(name.clone(), network)) {
            self.accounts.failed(name, now);
        }
        self.addresses.failed(network, now);
    }

    /// A sign-in succeeded.
    pub(super) fn succeeded(&mut self, name: &str, address: IpAddr, now: Mono) {
        // The address keeps its failures: else an account of one's own would wipe out what was tried on others'.
        let network = network(address);
        if self.known.len() >= ENTRIES_MAX {
            self.known.clear();
        }
        self.known.insert((key(name), network), now);
    }
}

/// A name as it is kept: bounded, whatever was typed.
fn key(name: &str) -> String {
    name.chars().take(64).collect()
}

/// What one subscriber has: an IPv4 address, or the /64 of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 10, last])
    }

    #[test]
    fn the_delay_grows_with_each_failure_up_to_its_bound() {
        let (mut throttle, mut now) = (Throttle::default(), Mono(1_000_000));
        let mut waits = Vec::new();
        for _ in 0..20 {
            throttle.failed("manager1", address(1), now);
            let wait = throttle.wait("manager1", address(1), now);
            waits.push(wait.as_secs());
            now = now + wait;
            assert_eq!(throttle.wait("manager1", address(1), now), Duration::ZERO);
        }
        assert_eq!(&waits[..8], [0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(waits.iter().max(), Some(&ADDRESS_DELAY_MAX.as_secs()));
        assert!(waits.is_sorted());
        let elsewhere = throttle.wait("manager1", address(2), now);
        assert_eq!(elsewhere, Duration::ZERO, "the account's own delay is over");
    }

    #[test]
    fn an_account_waits_also_for_what_other_addresses_did_and_is_never_locked() {
        let (mut throttle, now) = (Throttle::default(), Mono(1_000_000));
        throttle.succeeded("manager1", address(1), now);
        for n in 10..60 {
            throttle.failed("manager1", address(n), now);
        }
        let stranger = throttle.wait("manager1", address(200), now);
        assert_eq!(stranger, ACCOUNT_DELAY_MAX);
        assert_eq!(throttle.wait("manager1", address(1), now), Duration::ZERO);
        let later = now + ACCOUNT_DELAY_MAX;
        assert_eq!(
            throttle.wait("manager1", address(200), later),
            Duration::ZERO
        );
    }

    #[test]
    fn failures_are_forgotten_in_time_and_not_by_a_success() {
        let (mut throttle, now) = (Throttle::default(), Mono(1_000_000));
        for _ in 0..10 {
            throttle.failed("manager1", address(1), now);
        }
        throttle.succeeded("another", address(1), now);
        assert!(throttle.wait("manager1", address(1), now) > Duration::ZERO);
        for _ in 0..10 {
            throttle.failed("other", address(2), now);
        }
        let later = now + FORGET;
        throttle.failed("other", address(2), later);
        assert_eq!(throttle.wait("other", address(2), later), Duration::ZERO);
    }

    #[test]
    fn the_tables_are_bounded_and_a_64_counts_as_one() {
        let (mut throttle, mut now) = (Throttle::default(), Mono(1_000_000));
        for n in 0..3 * u32::try_from(ENTRIES_MAX).expect("small") {
            now = now + SECOND / 1000;
            let v4 = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
            throttle.failed(&format!("name{n}"), v4, now);
            throttle.succeeded(&format!("name{n}"), v4, now);
        }
        assert!(throttle.accounts.entries.len() <= ENTRIES_MAX);
        assert!(throttle.addresses.entries.len() <= ENTRIES_MAX);
        assert!(throttle.known.len() <= ENTRIES_MAX);
        for n in 0..10_u16 {
            let v6 = IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, n]);
            throttle.failed(&n.to_string(), v6, now);
        }
        let v6 = IpAddr::from([0xfd00, 0, 0, 0, 9, 9, 9, 9]);
        assert!(throttle.wait("x", v6, now) > Duration::ZERO);
    }
}
