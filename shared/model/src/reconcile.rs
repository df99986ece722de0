//! Looking for drift: what has to be read and written to find out whether the seats that exist,
//! the billing record that counts them and the subscription that bills them agree.
//!
//! Which differences there can be, and what is done about them, is in `headcount-billing`. This
//! module holds what the table gives and takes for it.

use std::fmt;
use std::future::Future;

use jiff::Timestamp;

use crate::billing::{LedgerUnavailable, LinkedSubscription, Period, SeatCounts};
use crate::id::{OrganizationId, SeatId};
use crate::seats::{KeptSeat, Tier};
use crate::tiers::Tiers;

/// The most account ids that are named to explain one drift.
pub const MAX_NAMED: usize = 20;

/// One of the 16 parts that the organizations are spread over, so that no partition of the table
/// or of its index takes all writes. Written as one hexadecimal digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// How many there are.
    pub const COUNT: u8 = 16;

    /// Every shard, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// Every shard, beginning with `first` modulo [`Shard::COUNT`].
    pub fn all_from(first: i64) -> impl Iterator<Item = Self> {
        let first = u8::try_from(first.rem_euclid(i64::from(Self::COUNT))).unwrap_or(0);
        (0..Self::COUNT).map(move |n| Self((first + n) % Self::COUNT))
    }

    /// The shard that an organization lies in.
    pub fn of(organization: &OrganizationId) -> Self {
        // The last character of a ULID is random.
        let last = organization.as_str().bytes().last().unwrap_or(b'0');
        Self(last % Self::COUNT)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A billing record as reconciliation needs it, all of it read at one moment. Two that are equal
/// mean that nothing was created and nothing was told to Stripe between the two reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerState {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The Stripe subscription with the count of its writes; `None` when none is linked.
    pub linked: Option<LinkedSubscription>,
    /// The subscription's status in Stripe's words, as it is believed to be.
    pub status: Option<String>,
    /// Whether the subscription is believed to end with the current period.
    pub cancel_at_period_end: bool,
    /// Whether its invoices are believed to be collected no longer.
    pub collection_paused: bool,
    /// The billing period, as it is believed to be.
    pub period: Option<Period>,
    /// The seats that the record counts.
    pub seats: SeatCounts,
    /// The most seats that the organization may have.
    pub seat_limit: u64,
    /// How many more may be created: kept beside the limit, because the condition of a
    /// transaction cannot subtract, and so able to drift from it.
    pub seats_left: i64,
    /// The most that the seats may cost, in cents a month; one that nobody reaches without a limit.
    pub spending_limit: i64,
    /// How many more cents a month may be spent; `None` before the first seat.
    pub cents_left: Option<i64>,
    /// How often the seats have changed.
    pub version: u64,
    /// The version that Stripe was last told.
    pub applied_version: u64,
    /// When telling Stripe last failed for good; `None` when the last attempt did not.
    pub failed_at: Option<Timestamp>,
}

impl LedgerState {
    /// Whether Stripe has not been told of everything.
    pub fn is_behind(&self) -> bool {
        self.applied_version < self.version
    }

    /// What the seat limit leaves beside `seats`; below zero when it was lowered under them.
    pub fn room_beside(&self, seats: SeatCounts) -> i64 {
        signed(self.seat_limit).saturating_sub(signed(seats.total()))
    }

    /// What the spending limit leaves beside `seats` at today's prices, in cents a month.
    pub fn cents_beside(&self, seats: SeatCounts, tiers: &Tiers) -> i64 {
        self.spending_limit.saturating_sub(signed(tiers.monthly(seats)))
    }
}

/// How a record is corrected. What is left is changed by a difference, so that a limit that is
/// moved at the same time counts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The seats that there are.
    pub seats: SeatCounts,
    /// What `seats_left` grows by.
    pub seats_left: i64,
    /// What `cents_left` grows by, in cents a month, where the record has it.
    pub cents_left: i64,
}

impl Correction {
    /// What makes `state` say that there are `seats`, which cost what `tiers` say today.
    pub fn of(state: &LedgerState, seats: SeatCounts, tiers: &Tiers) -> Self {
        let cents = |left| state.cents_beside(seats, tiers).saturating_sub(left);
        Self {
            seats,
            seats_left: state.room_beside(seats).saturating_sub(state.seats_left),
            cents_left: state.cents_left.map_or(0, cents),
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The seats of an organization, counted one by one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountedSeats {
    /// How many there are of each tier.
    pub seats: SeatCounts,
    /// The newest basic seats, oldest first, at most [`MAX_NAMED`].
    pub newest_basic: Vec<SeatId>,
    /// The newest premium seats, oldest first, at most [`MAX_NAMED`].
    pub newest_premium: Vec<SeatId>,
    /// Those of them that are to end, by age.
    pub ending: Vec<KeptSeat>,
    /// The sort keys of seats that say nothing we understand, at most [`MAX_NAMED`]. While there
    /// are any, the counts prove nothing.
    pub unreadable: Vec<String>,
}

impl CountedSeats {
    /// Counts one more seat that is to end.
    pub fn add_ending(&mut self, seat: KeptSeat) {
        self.add(seat.id.clone(), seat.tier);
        self.ending.push(seat);
    }

    /// Counts one more seat. Seats come in the order of their ids, which is that of their age.
    pub fn add(&mut self, id: SeatId, tier: Tier) {
        let newest = match tier {
            Tier::Basic => {
                self.seats.basic += 1;
                &mut self.newest_basic
            }
            Tier::Premium => {
                self.seats.premium += 1;
                &mut self.newest_premium
            }
        };
        if newest.len() == MAX_NAMED {
            newest.remove(0);
        }
        newest.push(id);
    }

    /// Notes a seat that cannot be read.
    pub fn add_unreadable(&mut self, sort_key: String) {
        if self.unreadable.len() < MAX_NAMED {
            self.unreadable.push(sort_key);
        }
    }

    /// The newest `count` seats of a tier, oldest first, at most [`MAX_NAMED`].
    pub fn newest(&self, tier: Tier, count: u64) -> &[SeatId] {
        let newest = match tier {
            Tier::Basic => &self.newest_basic,
            Tier::Premium => &self.newest_premium,
        };
        let skipped = newest.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        &newest[skipped..]
    }
}

/// An organization whose billing is behind, as the sparse index `behind` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The organization.
    pub organization: OrganizationId,
    /// Since when.
    pub since: Timestamp,
}

/// Some rows of the table in their order, and those among them that cannot be read. One that cannot
/// must not keep the others from being looked at, and must not pass in silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What could be read.
    pub readable: Vec<T>,
    /// The keys of what could not.
    pub unreadable: Vec<String>,
    /// Whether there is nothing behind these.
    pub is_end: bool,
}

/// How far the walk through one shard of the directory has come. It is kept in the table, so
/// that a run that is killed is continued by the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The shard.
    pub shard: Shard,
    /// How often the shard has been walked to its end.
    pub cycle: u64,
    /// The last organization that this cycle has looked at; `None` at the beginning.
    pub after: Option<OrganizationId>,
    /// How many runs in a row came no further than `after`, because Stripe gave no answer.
    pub stalls: u32,
    /// Until when a run has the shard to itself; `None` when it has left it.
    pub claimed_until: Option<Timestamp>,
    /// How often the cursor has been written; `None` before the first time. Every write has the revision that it read as its condition.
    pub revision: Option<u64>,
}

impl Cursor {
    /// The cursor of a shard that was never walked.
    pub fn new(shard: Shard) -> Self {
        Self { shard, cycle: 0, after: None, stalls: 0, claimed_until: None, revision: None }
    }
}

/// Whether a conditional write took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It did.
    Yes,
    /// What was read is no longer what is there; nothing was written.
    Overtaken,
}

/// Everything that reconciliation asks of the table. Each method fails when the table does not
/// answer, and only then.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
pub trait ReconciliationStore {
    /// Organizations of a shard that are behind since `until` or longer, the longest first, at
    /// most `limit`, beginning behind `after`. An index is read: an organization may have caught up
    /// meanwhile.
    fn behind(
        &self,
        shard: Shard,
        until: Timestamp,
        after: Option<&Behind>,
        limit: u16,
    ) -> impl Future<Output = Result<Listed<Behind>, LedgerUnavailable>> + Send;

    /// Organizations of a shard in the order of their ids, at most `limit`, beginning behind
    /// `after`.
    fn organizations(
        &self,
        shard: Shard,
        after: Option<&OrganizationId>,
        limit: u16,
    ) -> impl Future<Output = Result<Listed<OrganizationId>, LedgerUnavailable>> + Send;

    /// The billing record as of now (a consistent read).
    fn ledger_state(
        &self,
        organization: &OrganizationId,
    ) -> impl Future<Output = Result<Option<LedgerState>, LedgerUnavailable>> + Send;

    /// Counts the seats by consistent reads. Several of them are no snapshot: the count is exact
    /// when the record has the same version before and after.
    fn count_seats(
        &self,
        organization: &OrganizationId,
    ) -> impl Future<Output = Result<CountedSeats, LedgerUnavailable>> + Send;

    /// Corrects what a record counts, and makes that a new version, which Stripe has to be told;
    /// provided that the record still has `state`'s version.
    fn correct(
        &self,
        state: &LedgerState,
        correction: &Correction,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written, LedgerUnavailable>> + Send;

    /// Makes a new version of the same counts, which Stripe has to be told; provided that the
    /// record still has `state`'s version.
    fn raise_version(
        &self,
        state: &LedgerState,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written, LedgerUnavailable>> + Send;

    /// The cursor of a shard as of now (a consistent read). One that cannot be read counts as none:
    /// the walk begins anew, and the next write replaces it.
    fn cursor(
        &self,
        shard: Shard,
    ) -> impl Future<Output = Result<Cursor, LedgerUnavailable>> + Send;

    /// Replaces the cursor, provided that the one that is there has `cursor`'s revision, which then
    /// becomes the next.
    fn save_cursor(
        &self,
        cursor: &mut Cursor,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written, LedgerUnavailable>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::System;

    #[test]
    fn a_turn_through_the_shards_names_each_once() {
        for first in [-3, 0, 7, 31] {
            let mut turn: Vec<_> = Shard::all_from(first).collect();
            turn.sort_unstable();
            assert_eq!(turn, Shard::all().collect::<Vec<_>>(), "{first}");
        }
        assert_eq!(Shard::all_from(17).next(), Some(Shard(1)));
    }

    #[test]
    fn a_shard_is_written_as_one_digit() {
        let written: String = Shard::all().map(|shard| shard.to_string()).collect();
        assert_eq!(written, "0123456789abcdef");
    }

    #[test]
    fn the_newest_seats_are_kept() {
        let ids: Vec<_> =
            (0..30).map(|_| SeatId::new(&System, &System).expect("entropy")).collect();
        let mut counted = CountedSeats::default();
        for id in &ids {
            counted.add(id.clone(), Tier::Basic);
        }
        assert_eq!(counted.seats, SeatCounts { basic: 30, premium: 0 });
        assert_eq!(counted.newest(Tier::Basic, 2), &ids[28..]);
        assert_eq!(counted.newest(Tier::Basic, 100), &ids[10..]);
        assert_eq!(counted.newest(Tier::Premium, 2), &[]);
    }

    #[test]
    fn a_record_is_behind_until_its_version_is_applied() {
        let state = |applied_version, version| LedgerState {
            organization: OrganizationId::new(&System, &System).expect("entropy"),
            linked: None,
            status: None,
            cancel_at_period_end: false,
            collection_paused: false,
            period: None,
            seats: SeatCounts::default(),
            seat_limit: 0,
            seats_left: 0,
            spending_limit: 0,
            cents_left: None,
            version,
            applied_version,
            failed_at: None,
        };
        assert!(state(1, 2).is_behind());
        assert!(!state(2, 2).is_behind());
        assert!(!state(3, 2).is_behind());
    }

    #[test]
    fn a_correction_moves_what_is_left_by_the_difference() {
        let state = LedgerState {
            organization: OrganizationId::new(&System, &System).expect("entropy"),
            linked: None,
            status: None,
            cancel_at_period_end: false,
            collection_paused: false,
            period: None,
            seats: SeatCounts { basic: 3, premium: 1 },
            seat_limit: 10,
            seats_left: 6,
            spending_limit: 40_000,
            cents_left: Some(18_000),
            version: 4,
            applied_version: 4,
            failed_at: None,
        };
        let correct = |basic, premium| {
            let seats = SeatCounts { basic, premium };
            let correction = Correction::of(&state, seats, &crate::tiers::tests::tiers());
            (correction.seats_left, correction.cents_left)
        };
        // Three at 40 and one at 100 dollars.
        assert_eq!(correct(3, 1), (0, 0));
        assert_eq!(correct(2, 1), (1, 4_000));
        assert_eq!(correct(3, 9), (-8, -80_000));
    }

    #[test]
    fn what_cannot_be_read_is_named_up_to_a_limit() {
        let mut counted = CountedSeats::default();
        for n in 0..MAX_NAMED + 5 {
            counted.add_unreadable(n.to_string());
        }
        let named: Vec<_> = (0..MAX_NAMED).map(|n| n.to_string()).collect();
        assert_eq!(counted.unreadable, named);
        let id = SeatId::new(&System, &System).expect("entropy");
        counted.add(id.clone(), Tier::Premium);
        assert_eq!(counted.newest(Tier::Premium, 1), [id]);
        assert_eq!(counted.seats, SeatCounts { basic: 0, premium: 1 });
    }

    #[test]
    fn an_organization_is_in_the_shard_of_its_last_character() {
        let shard = |last: char| {
            let id = format!("org_01kafzqzxqxqxqxqxqxqxqxqx{last}");
            Shard::of(&OrganizationId::parse(&id).expect("an id"))
        };
        assert_eq!(['0', '9', 'a', 'n', 'z'].map(shard), [0, 9, 1, 14, 10].map(Shard));
    }
}
