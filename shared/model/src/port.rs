//! Time and randomness. Nothing else in the workspace may ask the machine for them, so that
//! a run can be replayed from its inputs.

use std::fmt;

use jiff::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The current time, UTC.
    fn now(&self) -> Timestamp;
}

/// Where ids, secrets and salts come from.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` from a cryptographically secure source.
    ///
    /// # Errors
    /// When the source gives nothing; the request is then answered as "try again later".
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The random source failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system's random source gave nothing")
    }
}

impl std::error::Error for NoEntropy {}

/// `N` random bytes.
///
/// # Errors
/// As [`Entropy::fill`].
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The machine's own clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl<T: Entropy + ?Sized> Entropy for std::sync::Arc<T> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        (**self).fill(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_machine_has_a_time_and_randomness() {
        let ports = Arc::new(System);
        // Long before this was written, and not the epoch.
        let past: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        assert!(System.now() > past && ports.now() > past);
        let draws = [System.draw(), System.draw(), ports.draw()];
        assert!(draws.iter().all(|draw| *draw != [0; 32]));
        assert!(draws[0] != draws[1] && draws[1] != draws[2]);
    }

    trait Draw {
        fn draw(&self) -> [u8; 32];
    }

    impl<E: Entropy> Draw for E {
        fn draw(&self) -> [u8; 32] {
            random(self).expect("entropy")
        }
    }

    #[test]
    fn a_source_that_gives_nothing_says_so() {
        let expected = "the operating system's random source gave nothing";
        assert_eq!(NoEntropy.to_string(), expected);
    }
}
