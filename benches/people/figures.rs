//! Times that were measured.

use std::time::Duration;

/// Times in milliseconds, of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.add_ms(time.as_secs_f64() * 1000.0);
    }

    pub(crate) fn add_ms(&mut self, ms: f64) {
        self.0.push(ms);
    }

    pub(crate) fn append(&mut self, other: Times) {
        self.0.extend(other.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that so many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn max(&self) -> f64 {
        self.percentile(100)
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (p50, p99) = (self.percentile(50), self.percentile(99));
        write!(f, "p50 {p50:.0}, p99 {p99:.0}, max {:.0} ms", self.max())
    }
}
