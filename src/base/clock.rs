//! The clocks, behind a trait so that tests can drive them.
//!
//! Only this file asks the operating system for the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::time::{Mono, Wall};

/// How well the host's clock is kept, from `adjtimex(2)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct HostSync {
    /// A time source disciplines the clock.
    pub synchronised: bool,
    /// The kernel's estimate of its error, in microseconds.
    pub error_us: i64,
}

/// What time it is.
pub trait Clock: Send + Sync {
    /// Time of day. It may step.
    fn wall(&self) -> Wall;
    /// Time since some fixed instant. It never steps.
    fn mono(&self) -> Mono;
    /// The same for an instant that a library took.
    fn mono_at(&self, instant: Instant) -> Mono;
    /// How well the host's clock is kept.
    fn host_sync(&self) -> HostSync;
}

/// Waits, at the console, for something that the recorder does meanwhile. Nothing that records or serves waits so.
#[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The host's own clocks.
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// The host's own clocks, shared.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for the time"
    )]
    pub fn shared() -> Arc<dyn Clock> {
        // A day is added so that an instant shortly before the process began still has a number.
        let origin = Instant::now()
            .checked_sub(Duration::from_secs(86_400))
            .unwrap_or_else(Instant::now);
        Arc::new(Self { origin })
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for the time"
    )]
    fn wall(&self) -> Wall {
        std::time::SystemTime::now().into()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for the time"
    )]
    fn mono(&self) -> Mono {
        self.mono_at(Instant::now())
    }

    fn mono_at(&self, instant: Instant) -> Mono {
        Mono::default() + instant.saturating_duration_since(self.origin)
    }

    fn host_sync(&self) -> HostSync {
        // STA_UNSYNC of <sys/timex.h>; the same on every Linux.
        const STA_UNSYNC: i32 = 0x40;
        let mut timex = rtime_clock::adjtime::Timex::new();
        match rtime_clock::adjtime::adjtimex(&mut timex) {
            Ok(_) => HostSync {
                synchronised: timex.0.status & STA_UNSYNC == 0,
                error_us: timex.0.esterror,
            },
            Err(_) => HostSync::default(),
        }
    }
}

/// Clocks that a test moves by hand.
pub struct SimulatedClock {
    now: Mutex<(Wall, Mono, HostSync)>,
    origin: Instant,
}

impl SimulatedClock {
    /// Starts at `wall`, synchronised.
    #[expect(
        clippy::disallowed_methods,
        reason = "the origin of instants that libraries took"
    )]
    pub fn at(wall: Wall) -> Arc<Self> {
        let sync = HostSync {
            synchronised: true,
            error_us: 500,
        };
        Arc::new(Self {
            now: Mutex::new((wall, Mono(1_000_000), sync)),
            origin: Instant::now(),
        })
    }

    /// Both clocks go forward.
    pub fn advance(&self, by: Duration) {
        let us = i64::try_from(by.as_micros()).unwrap_or(i64::MAX / 4);
        self.with(|now| {
            now.0 = now.0.plus_us(us);
            now.1 = now.1 + by;
        });
    }

    /// The time of day steps; the monotonic clock does not.
    pub fn step_wall(&self, us: i64) {
        self.with(|now| now.0 = now.0.plus_us(us));
    }

    /// Sets how well the clock is kept.
    pub fn set_host_sync(&self, sync: HostSync) {
        self.with(|now| now.2 = sync);
    }

    fn with<T>(&self, act: impl FnOnce(&mut (Wall, Mono, HostSync)) -> T) -> T {
        act(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for SimulatedClock {
    fn wall(&self) -> Wall {
        self.with(|now| now.0)
    }

    fn mono(&self) -> Mono {
        self.with(|now| now.1)
    }

    fn mono_at(&self, instant: Instant) -> Mono {
        Mono(1_000_000) + instant.saturating_duration_since(self.origin)
    }

    fn host_sync(&self) -> HostSync {
        self.with(|now| now.2)
    }
}
