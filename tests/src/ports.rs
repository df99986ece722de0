//! Time that stands still until it is moved, and randomness that repeats itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use headcount_model::port::{Clock, Entropy, NoEntropy};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// The ports of a test. Clones share the clock and the random source.
#[derive(Debug, Clone)]
pub struct Ports {
    micros: Arc<AtomicI64>,
    drawn: Arc<AtomicU64>,
}

impl Default for Ports {
    /// The moment of the Agency API's published example, and the first random numbers.
    fn default() -> Self {
        let start: Timestamp = "2026-02-03T18:12:47Z".parse().expect("a time");
        Self { micros: Arc::new(AtomicI64::new(start.as_microsecond())), drawn: Arc::default() }
    }
}

impl Ports {
    /// Lets time pass, or go back.
    pub fn advance(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).expect("a short time");
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros.load(Ordering::SeqCst)).expect("in range")
    }
}

impl Entropy for Ports {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in bytes.chunks_mut(32) {
            let draw = self.drawn.fetch_add(1, Ordering::SeqCst);
            let random = Sha256::digest(draw.to_be_bytes());
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}
