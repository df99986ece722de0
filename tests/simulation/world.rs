//! What all parts of a run share: the kernel, what goes wrong, the record, time and randomness as
//! the functions see them, and what was found to be broken.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use headcount_model::port::{Clock, Entropy, NoEntropy};
use jiff::Timestamp;
use reconcile_billing::Pause;

use crate::faults::{Effect, Fault, Faults, Side};
use crate::kernel::{Kernel, lock};
use crate::trace::Trace;

/// The true time when a run begins: 2026-02-03T18:12:47Z.
const START: i64 = 1_770_142_367;

/// Clones are the same world.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) kernel: Kernel,
    shared: Arc<Shared>,
}

struct Shared {
    faults: Mutex<Faults>,
    trace: Mutex<Trace>,
    /// Microseconds that the clocks of the functions are ahead of the true time.
    ahead: AtomicI64,
    broken: Mutex<Vec<String>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    pub(crate) fn new(seed: u64, trace: Trace) -> Self {
        let shared = Shared {
            faults: Mutex::default(),
            trace: Mutex::new(trace),
            ahead: AtomicI64::new(0),
            broken: Mutex::default(),
        };
        Self { kernel: Kernel::new(seed), shared: Arc::new(shared) }
    }

    /// The true time in Unix seconds.
    pub(crate) fn true_seconds(&self) -> i64 {
        START + i64::try_from(self.kernel.now() / 1_000_000).expect("a short run")
    }

    /// Sets the clocks of all functions to so many microseconds ahead of the true time.
    pub(crate) fn set_clocks(&self, ahead: i64) {
        self.shared.ahead.store(ahead, Ordering::Relaxed);
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *lock(&self.shared.faults) = faults;
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        lock(&self.shared.faults).until = 0;
    }

    pub(crate) fn faults<T>(&self, look: impl FnOnce(&Faults) -> T) -> T {
        look(&lock(&self.shared.faults))
    }

    /// Whether a delivery comes twice.
    pub(crate) fn is_duplicated(&self) -> bool {
        self.strikes(|faults| faults.duplicates)
    }

    /// Whether one entry of a call with several is refused.
    pub(crate) fn is_entry_refused(&self) -> bool {
        self.strikes(|faults| faults.aws)
    }

    /// Whether a batch comes again while it is worked on.
    pub(crate) fn is_overlapping(&self) -> bool {
        self.strikes(|faults| faults.overlapping)
    }

    /// Whether something goes wrong that does so in so many of 1,000 cases, as long as anything does.
    fn strikes(&self, rate: impl FnOnce(&Faults) -> u64) -> bool {
        let now = self.kernel.now();
        let rate = self.faults(|faults| if now < faults.until { rate(faults) } else { 0 });
        self.kernel.draw(|rng| rng.chance(rate))
    }

    /// Decides what happens to a call, and lets it travel.
    pub(crate) async fn depart(&self, side: Side) -> Option<Fault> {
        let now = self.kernel.now();
        let fault = self.kernel.draw(|rng| lock(&self.shared.faults).strike(side, now, rng));
        self.travel(side).await;
        fault
    }

    /// Lets a call or its answer travel: mostly for milliseconds, sometimes for a second, which is
    /// what Stripe often takes.
    pub(crate) async fn travel(&self, side: Side) {
        // A create, which is a transaction, may end in a 503 when it is slow. Those who meet write single items.
        let is_slow = side == Side::Write && self.strikes(|faults| faults.slow);
        let micros = self.kernel.draw(|rng| match (side, rng.below(40)) {
            _ if is_slow => rng.between(500_000, 4_000_000),
            (Side::StripeRead | Side::StripeWrite, 0..20) | (_, 0) => rng.between(20_000, 900_000),
            (_, 1..=8) => rng.between(3_000, 40_000),
            _ => rng.between(200, 3_000),
        });
        self.kernel.sleep_micros(micros).await;
    }

    /// What follows from a fault for a call that gets no answer: carries it out or not, and kills
    /// or not. Never returns for one that kills, nor for silence.
    pub(crate) async fn carry_out(&self, fault: Fault, effect: impl FnOnce() + Send + 'static) {
        let (Fault::Silent(when)
        | Fault::Broken(when)
        | Fault::Killed(when)
        | Fault::StoredFailure(when)) = fault
        else {
            return;
        };
        match when {
            Effect::None => {}
            Effect::Done => effect(),
            Effect::Late(micros) => {
                let kernel = self.kernel.clone();
                self.kernel.spawn("stray-call", async move {
                    kernel.sleep_micros(micros).await;
                    effect();
                });
            }
        }
        match fault {
            Fault::Killed(_) => self.kernel.die().await,
            Fault::Silent(_) => std::future::pending().await,
            _ => {}
        }
    }

    /// Writes a line of the record.
    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        let who = self.kernel.current();
        let mut trace = lock(&self.shared.trace);
        trace.note(self.kernel.now(), who, what);
    }

    pub(crate) fn take_trace(&self) -> Trace {
        std::mem::take(&mut *lock(&self.shared.trace))
    }

    /// Says that an invariant does not hold.
    pub(crate) fn broken(&self, invariant: u8, what: impl fmt::Display) {
        self.report(format!("invariant {invariant}: {what}"));
    }

    /// Says that something panicked.
    pub(crate) fn panicked(&self, what: &str) {
        self.report(format!("a panic: {what}"));
    }

    fn report(&self, line: String) {
        self.note(format_args!("BROKEN {line}"));
        lock(&self.shared.broken).push(line);
    }

    pub(crate) fn all_broken(&self) -> Vec<String> {
        lock(&self.shared.broken).clone()
    }
}

/// Time and randomness of one process. Its clock is off by some milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    world: World,
    skew: i64,
}

impl Ports {
    pub(crate) fn new(world: &World) -> Self {
        let skew = world.kernel.draw(|rng| match rng.below(4) {
            0 => rng.between(0, 4_000_000),
            _ => rng.between(1_999_000, 2_001_000),
        });
        let skew = i64::try_from(skew).expect("seconds") - 2_000_000;
        Self { world: world.clone(), skew }
    }
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.world.kernel.now()).expect("a short run");
        let ahead = self.world.shared.ahead.load(Ordering::Relaxed);
        let micros = START * 1_000_000 + passed + ahead + self.skew;
        Timestamp::from_microsecond(micros).expect("in range")
    }
}

impl Entropy for Ports {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.world.kernel.draw(|rng| rng.fill(bytes));
        Ok(())
    }
}

impl Pause for Ports {
    async fn pause_until(&self, time: Timestamp) {
        let left = time.duration_since(self.now());
        if let Ok(left) = left.try_into() {
            self.world.kernel.sleep(left).await;
        }
    }
}
