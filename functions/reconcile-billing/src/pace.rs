//! Waiting, and how often Stripe is read.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use headcount_model::port::{Clock, System};
use jiff::{SignedDuration, Timestamp};

/// How the function waits, so that a test need not.
pub trait Pause {
    /// Returns at `time`, or at once when that has passed.
    fn pause_until(&self, time: Timestamp) -> impl Future<Output = ()> + Send;
}

impl Pause for System {
    async fn pause_until(&self, time: Timestamp) {
        // What lies in the past is no duration.
        let left = Duration::try_from(time.duration_since(self.now())).unwrap_or_default();
        tokio::time::sleep(left).await;
    }
}

/// Spreads calls evenly: no two in less than the interval, however long none was made.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: SignedDuration,
    next: Mutex<Timestamp>,
}

impl Pace {
    /// So many calls a second, the first one an interval from `now`, so that the rate holds over
    /// runs that follow each other at once.
    pub(crate) fn per_second(calls: NonZeroU32, now: Timestamp) -> Self {
        // Rounded up: too slow is better than too fast.
        let interval = SignedDuration::from_micros(1_000_000_u32.div_ceil(calls.get()).into());
        Self { interval, next: Mutex::new(after(now, interval)) }
    }

    /// When the next call may be made; whoever asks has to make it then.
    pub(crate) fn slot(&self, now: Timestamp) -> Timestamp {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = now.max(*next);
        *next = after(slot, self.interval);
        slot
    }
}

fn after(time: Timestamp, interval: SignedDuration) -> Timestamp {
    time.checked_add(interval).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_spread_and_a_pause_earns_no_burst() {
        let pace = Pace::per_second(NonZeroU32::new(3).expect("above 0"), Timestamp::UNIX_EPOCH);
        let at = |micros| Timestamp::from_microsecond(micros).expect("in range");
        assert_eq!(pace.slot(at(0)), at(333_334));
        assert_eq!(pace.slot(at(0)), at(666_668));
        assert_eq!(pace.slot(at(9_000_000)), at(9_000_000));
        assert_eq!(pace.slot(at(9_000_000)), at(9_333_334));
    }
}
