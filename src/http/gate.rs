//! Who may connect at all, before TLS: the premises, and how many at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most connections at a time.
pub const CONNECTIONS_MAX: usize = 640;
/// Most connections at a time from one address. A browser has six, and one for each live picture.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;

/// Counts connections and refusals.
#[derive(Debug, Default)]
pub struct Gate {
    inside: Mutex<HashMap<IpAddr, usize>>,
    /// Let in since the start.
    pub admitted: AtomicU64,
    /// Refused since the start: not on the premises.
    pub off_premises: AtomicU64,
    /// Refused since the start: too many.
    pub too_many: AtomicU64,
    /// TLS did not come about since the start.
    pub no_tls: AtomicU64,
}

/// A connection's place. It is given back when the last copy is dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Gate {
    /// Lets a connection in, when there is room; refusals are counted.
    pub fn enter(self: &Arc<Self>, address: IpAddr, on_premises: bool) -> Option<Place> {
        let address = address.to_canonical();
        if !on_premises {
            self.off_premises.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = inside.values().sum();
        let from_there = inside.entry(address).or_default();
        if all >= CONNECTIONS_MAX || *from_there >= CONNECTIONS_PER_ADDRESS_MAX {
            if *from_there == 0 {
                inside.remove(&address);
            }
            self.too_many.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        *from_there += 1;
        drop(inside);
        self.admitted.fetch_add(1, Ordering::Relaxed);
        Some(Place {
            gate: Arc::clone(self),
            address,
        })
    }

    /// Connections at present.
    pub fn inside(&self) -> usize {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self
            .gate
            .inside
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> IpAddr {
        let n = u8::try_from(n).expect("small");
        IpAddr::from([192, 168, 10, n])
    }

    #[test]
    fn places_are_counted_by_address_and_given_back() {
        let gate = Arc::new(Gate::default());
        let enter = |n: usize| gate.enter(address(n), true);
        let mut all: Vec<_> = (0..CONNECTIONS_PER_ADDRESS_MAX).map(|_| enter(1)).collect();
        assert!(all.iter().all(Option::is_some) && enter(1).is_none());
        // The same address in its other form is the same.
        assert!(
            gate.enter("::ffff:192.168.10.1".parse().expect("one"), true)
                .is_none()
        );
        all.pop();
        assert!(enter(1).is_some());
        assert_eq!(gate.inside(), CONNECTIONS_PER_ADDRESS_MAX - 1);
        drop(all);
        assert_eq!(gate.inside(), 0);
    }

    #[test]
    fn there_is_an_end_of_all_places() {
        let gate = Arc::new(Gate::default());
        let enter = |n: usize| gate.enter(address(n / 50), true);
        let all: Vec<_> = (0..CONNECTIONS_MAX).map(enter).collect();
        assert!(all.iter().all(Option::is_some));
        assert!(gate.enter(address(200), true).is_none());
        assert!(gate.enter(address(201), false).is_none());
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        assert_eq!((count(&gate.too_many), count(&gate.off_premises)), (1, 1));
    }
}
