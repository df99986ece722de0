//! The table as reconcile-billing sees it. A run of it asks for each of 16 shards, of which the
//! organizations of a schedule fill three at most: most of its calls, and most calls of a whole
//! schedule, would ask for nothing. So empty shards are answered here, and only in some schedules
//! by the table.

use std::collections::BTreeSet;

use headcount_model::billing::{
    LedgerUnavailable, LinkedSubscription, Recorded, Standing, SubscriptionLedger,
};
use headcount_model::id::{OrganizationId, SeatId};
use headcount_model::reconcile::{
    Behind, Correction, CountedSeats, Cursor, LedgerState, Listed, ReconciliationStore, Shard,
    Written,
};
use headcount_model::seats::{Deactivation, Kept, NotDeactivated, SeatEndings, Stored};
use headcount_store::Table;
use jiff::Timestamp;

/// A table whose empty shards are known.
pub(crate) struct Sharded {
    table: Table,
    /// The shards to ask the table for.
    asked: BTreeSet<Shard>,
}

impl Sharded {
    pub(crate) fn new(table: Table, asked: BTreeSet<Shard>) -> Self {
        Self { table, asked }
    }
}

fn nothing<T>() -> Listed<T> {
    Listed { readable: Vec::new(), unreadable: Vec::new(), is_end: true }
}

impl ReconciliationStore for Sharded {
    async fn behind(
        &self,
        shard: Shard,
        until: Timestamp,
        after: Option<&Behind>,
        limit: u16,
    ) -> Result<Listed<Behind>, LedgerUnavailable> {
        if !self.asked.contains(&shard) {
            return Ok(nothing());
        }
        self.table.behind(shard, until, after, limit).await
    }

    async fn organizations(
        &self,
        shard: Shard,
        after: Option<&OrganizationId>,
        limit: u16,
    ) -> Result<Listed<OrganizationId>, LedgerUnavailable> {
        if !self.asked.contains(&shard) {
            return Ok(nothing());
        }
        self.table.organizations(shard, after, limit).await
    }

    async fn ledger_state(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<LedgerState>, LedgerUnavailable> {
        self.table.ledger_state(organization).await
    }

    async fn count_seats(
        &self,
        organization: &OrganizationId,
    ) -> Result<CountedSeats, LedgerUnavailable> {
        self.table.count_seats(organization).await
    }

    async fn correct(
        &self,
        state: &LedgerState,
        correction: &Correction,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        self.table.correct(state, correction, now).await
    }

    async fn raise_version(
        &self,
        state: &LedgerState,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        self.table.raise_version(state, now).await
    }

    async fn cursor(&self, shard: Shard) -> Result<Cursor, LedgerUnavailable> {
        if !self.asked.contains(&shard) {
            return Ok(Cursor::new(shard));
        }
        self.table.cursor(shard).await
    }

    async fn save_cursor(
        &self,
        cursor: &mut Cursor,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        if !self.asked.contains(&cursor.shard) {
            return Ok(Written::Yes);
        }
        self.table.save_cursor(cursor, now).await
    }
}

impl SeatEndings for Sharded {
    fn deactivations_per_commit(&self) -> usize {
        self.table.deactivations_per_commit()
    }

    async fn seats(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Kept, NotDeactivated> {
        self.table.seats(organization, ids).await
    }

    async fn deactivate(
        &self,
        deactivation: Deactivation<'_>,
    ) -> Result<Option<Stored>, NotDeactivated> {
        self.table.deactivate(deactivation).await
    }
}

impl SubscriptionLedger for Sharded {
    async fn linked(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<LinkedSubscription>, LedgerUnavailable> {
        self.table.linked(organization).await
    }

    async fn record_standing(
        &self,
        organization: &OrganizationId,
        linked: &LinkedSubscription,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        self.table.record_standing(organization, linked, standing, now).await
    }
}
