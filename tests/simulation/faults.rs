//! What goes wrong, and how often.

use crate::rng::Rng;

/// What happens to one call of AWS or Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The other side says that it failed, and did nothing.
    Refused,
    /// The other side says "too fast", and did nothing.
    Throttled,
    /// The transaction, or the single write, conflicts with another.
    Conflict,
    /// No answer ever comes. What becomes of the call is said by [`Effect`].
    Silent(Effect),
    /// The connection breaks.
    Broken(Effect),
    /// The process dies, before the call arrives or after it was carried out.
    Killed(Effect),
    /// Stripe fails and stores the failure under the idempotency key.
    StoredFailure(Effect),
    /// Stripe refuses for good, and stores the refusal under the idempotency key.
    Declined,
}

/// Whether a call that got no answer was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Done,
    /// It arrives so many microseconds later, when whoever sent it has given up.
    Late(u64),
}

/// Which side a call is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Read,
    Write,
    Transaction,
    StripeRead,
    StripeWrite,
    Queue,
}

/// How much goes wrong in a schedule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// In so many of 1,000 calls of AWS.
    pub(crate) aws: u64,
    /// In so many of 1,000 calls of Stripe.
    pub(crate) stripe: u64,
    /// Whether processes die.
    pub(crate) kills: bool,
    /// Whether calls arrive after their sender gave up.
    pub(crate) late: bool,
    /// In so many of 1,000 deliveries of messages, records and webhooks: it comes twice.
    pub(crate) duplicates: u64,
    /// In so many of 1,000 batches of the billing queue: it comes again while it is worked on.
    pub(crate) overlapping: u64,
    /// In so many of 1,000 ways of a single write to AWS or back: it takes seconds, which may be longer than the SDK waits.
    pub(crate) slow: u64,
    /// Microseconds since the beginning after which nothing goes wrong any more.
    pub(crate) until: u64,
    /// How many calls were struck.
    pub(crate) struck: u64,
}

impl Faults {
    /// Draws the faults of a schedule.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let rates = [0, 0, 5, 20, 20, 60, 120, 200];
        let duplicates = *rng.pick(&[0, 20, 100, 300]);
        Self {
            aws: *rng.pick(&rates),
            stripe: *rng.pick(&rates),
            kills: rng.chance(700),
            late: rng.chance(100),
            duplicates,
            // Two invocations at once are rarer than one after the other.
            overlapping: duplicates * 3 / 10,
            slow: 0,
            until: 1_000_000 * *rng.pick(&[2, 10, 40, 120, 400]),
            struck: 0,
        }
    }

    /// Nothing goes wrong but that invocations meet, and that one is slower than the other, so that nothing
    /// excuses what comes of it.
    pub(crate) fn meetings() -> Self {
        Self { overlapping: 700, slow: 60, until: 40_000_000, ..Self::default() }
    }

    /// What happens to a call at `now`.
    pub(crate) fn strike(&mut self, side: Side, now: u64, rng: &mut Rng) -> Option<Fault> {
        let rate = match side {
            Side::StripeRead | Side::StripeWrite => self.stripe,
            Side::Read | Side::Write | Side::Transaction | Side::Queue => self.aws,
        };
        if now >= self.until || !rng.chance(rate) {
            return None;
        }
        self.struck += 1;
        let fault = match (side, rng.below(8)) {
            (_, 0) => Fault::Throttled,
            (_, 1) if self.kills => Fault::Killed(Effect::None),
            (_, 2) if self.kills => Fault::Killed(Effect::Done),
            (_, 3) => Fault::Silent(self.effect(rng)),
            (_, 4) => Fault::Broken(self.effect(rng)),
            (Side::StripeWrite, 5 | 6) if rng.chance(500) => Fault::StoredFailure(Effect::None),
            (Side::StripeWrite, 5 | 6) => Fault::StoredFailure(Effect::Done),
            (Side::StripeWrite, 7) if rng.chance(300) => Fault::Declined,
            (Side::Write | Side::Transaction, 5 | 6) => Fault::Conflict,
            _ => Fault::Refused,
        };
        Some(fault)
    }

    fn effect(&self, rng: &mut Rng) -> Effect {
        match rng.below(if self.late { 3 } else { 2 }) {
            0 => Effect::None,
            1 => Effect::Done,
            _ => Effect::Late(rng.between(10_000, 15_000_000)),
        }
    }
}
