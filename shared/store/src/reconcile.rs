//! What reconciliation reads and writes: the sparse index of what is behind, the directory of
//! organizations, the seats themselves, corrections of the billing record, and cursors.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::{LedgerUnavailable, LinkedSubscription, Period, SeatCounts};
use headcount_model::id::{OrganizationId, SeatId, micros};
use headcount_model::reconcile::{
    Behind, Correction, CountedSeats, Cursor, LedgerState, Listed, ReconciliationStore, Shard,
    Written,
};
use headcount_model::seats::{KeptSeat, SeatStatus};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::billing::conditional;
use crate::key::{Key, ORGANIZATION, SEAT};
use crate::rows::{BillingRow, Malformed, NO_SPENDING_LIMIT, behind_shard};
use crate::table::Table;
use crate::transaction::{Item, number, text};

/// The sparse index of billing records that Stripe has not caught up with.
const BEHIND: &str = "behind";

impl ReconciliationStore for Table {
    async fn behind(
        &self,
        shard: Shard,
        until: Timestamp,
        after: Option<&Behind>,
        limit: u16,
    ) -> Result<Listed<Behind>, LedgerUnavailable> {
        let query = self
            .query()
            .index_name(BEHIND)
            .key_condition_expression("behind_shard = :shard AND behind_since <= :until")
            .expression_attribute_values(":shard", text(shard.to_string()))
            .expression_attribute_values(":until", text(micros(until)))
            .set_exclusive_start_key(after.map(behind_key));
        list(query, limit, |item| Behind::try_from(read::<BehindRow>(item).ok()?).ok()).await
    }

    async fn organizations(
        &self,
        shard: Shard,
        after: Option<&OrganizationId>,
        limit: u16,
    ) -> Result<Listed<OrganizationId>, LedgerUnavailable> {
        // Without an organization to go on from, the bare prefix lies before every key.
        let after = after.map(OrganizationId::as_str).unwrap_or_default();
        let query = self
            .query()
            .consistent_read(true)
            .key_condition_expression("pk = :shard AND sk > :after")
            .expression_attribute_values(":shard", text(Key::directory_of(shard)))
            .expression_attribute_values(":after", text(format!("{ORGANIZATION}{after}")));
        let organization = |item: Item| {
            // The key is what the walk goes on from, whatever else the row says.
            let key = item.get("sk")?.as_s().ok()?;
            OrganizationId::parse(key.strip_prefix(ORGANIZATION)?).ok()
        };
        list(query, limit, organization).await
    }

    async fn ledger_state(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<LedgerState>, LedgerUnavailable> {
        let row = self.read_billing(organization).await?;
        row.map(LedgerState::try_from).transpose().map_err(unavailable)
    }

    async fn count_seats(
        &self,
        organization: &OrganizationId,
    ) -> Result<CountedSeats, LedgerUnavailable> {
        let mut pages = self
            .query()
            .consistent_read(true)
            .key_condition_expression("pk = :organization AND begins_with(sk, :seat)")
            .projection_expression("sk, tier, #status, ends_at, version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":organization", text(Key::billing(organization).pk))
            .expression_attribute_values(":seat", text(SEAT))
            .into_paginator()
            .send();
        let mut counted = CountedSeats::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| unanswered(&error))?;
            for item in page.items.unwrap_or_default() {
                count(&mut counted, item);
            }
        }
        Ok(counted)
    }

    async fn correct(
        &self,
        state: &LedgerState,
        correction: &Correction,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        self.correct_to(state.version + 1, state, correction, now).await
    }

    async fn raise_version(
        &self,
        state: &LedgerState,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        let update = self.new_version(state.version + 1, state, now);
        written(update.update_expression(format!("SET {NEW_VERSION}"))).await
    }

    async fn cursor(&self, shard: Shard) -> Result<Cursor, LedgerUnavailable> {
        let output = self
            .client
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(Key::reconcile(shard).attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unanswered(&error))?;
        let Some(item) = output.item else { return Ok(Cursor::new(shard)) };
        let revision = item.get("revision").and_then(|value| value.as_n().ok()?.parse().ok());
        let cursor = read::<CursorRow>(item).and_then(|row| row.cursor(shard).map_err(unavailable));
        Ok(cursor.unwrap_or_else(|error| {
            tracing::error!(%shard, %error, "a cursor could not be read, and is replaced");
            Cursor { revision, ..Cursor::new(shard) }
        }))
    }

    async fn save_cursor(
        &self,
        cursor: &mut Cursor,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        let row = CursorRow::after(cursor, now);
        let next = row.revision;
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row).map_err(unavailable)?;
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item));
        let put = match cursor.revision {
            None => put
                .condition_expression(
                    "attribute_not_exists(revision) OR NOT attribute_type(revision, :number)",
                )
                .expression_attribute_values(":number", text("N")),
            Some(revision) => put
                .condition_expression("revision = :revision")
                .expression_attribute_values(":revision", number(revision)),
        };
        match put.send().await {
            Ok(_) => {
                cursor.revision = Some(next);
                Ok(Written::Yes)
            }
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(Written::Overtaken)
            }
            Err(error) => Err(unanswered(&error)),
        }
    }
}

/// What makes a record a new one that Stripe has to be told of. There may be fewer seats than it
/// bills: what was added by hand is taken back like seats that are given back.
const NEW_VERSION: &str = "version = :next, fewer_version = :next, fewer_at = :now, \
                           behind_since = if_not_exists(behind_since, :now), \
                           behind_shard = :shard, updated_at = :now";

/// How far a version leaps. No organization changes that often within the 24 hours for which Stripe
/// remembers an idempotency key, which is made of the version.
const LEAP: u64 = 1_000_000;

impl Table {
    /// As [`ReconciliationStore::correct`], to a version that Stripe was never told of and that no
    /// message names, however far back the record was restored.
    ///
    /// # Errors
    /// [`LedgerUnavailable`].
    pub async fn leap_version(
        &self,
        state: &LedgerState,
        correction: &Correction,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        self.correct_to(state.version + LEAP, state, correction, now).await
    }

    /// Corrects what a record counts, as version `next`.
    async fn correct_to(
        &self,
        next: u64,
        state: &LedgerState,
        correction: &Correction,
        now: Timestamp,
    ) -> Result<Written, LedgerUnavailable> {
        let SeatCounts { basic, premium } = correction.seats;
        let mut expression = "SET seats_basic = :basic, seats_premium = :premium, \
                              seats_left = seats_left + :seats_left, "
            .to_owned();
        let mut update = self
            .new_version(next, state, now)
            .expression_attribute_values(":basic", number(basic))
            .expression_attribute_values(":premium", number(premium))
            .expression_attribute_values(":seats_left", number(correction.seats_left));
        if state.cents_left.is_some() {
            expression += "cents_left = cents_left + :cents_left, ";
            update =
                update.expression_attribute_values(":cents_left", number(correction.cents_left));
        }
        expression += NEW_VERSION;
        written(update.update_expression(expression)).await
    }

    fn query(&self) -> QueryFluentBuilder {
        self.client.query().table_name(&*self.name)
    }

    /// An update to version `next` by [`NEW_VERSION`], provided that nobody made one since `state`
    /// was read.
    fn new_version(
        &self,
        next: u64,
        state: &LedgerState,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        self.update_billing(&state.organization, now)
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(state.version))
            .expression_attribute_values(":next", number(next))
            .expression_attribute_values(":shard", text(behind_shard(&state.organization)))
    }
}

async fn written(update: UpdateItemFluentBuilder) -> Result<Written, LedgerUnavailable> {
    Ok(if conditional(update).await? { Written::Yes } else { Written::Overtaken })
}

/// The first `limit` items of a query that can be read, and the keys of those before and among them
/// that cannot.
async fn list<T>(
    query: QueryFluentBuilder,
    limit: u16,
    read: impl Fn(Item) -> Option<T>,
) -> Result<Listed<T>, LedgerUnavailable> {
    let mut listed = Listed { readable: Vec::new(), unreadable: Vec::new(), is_end: false };
    let mut pages = query.limit(limit.into()).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| unanswered(&error))?;
        let mut items = page.items.unwrap_or_default().into_iter().peekable();
        while let Some(item) = items.next() {
            let key = spelled(&item);
            match read(item) {
                Some(row) => listed.readable.push(row),
                None => listed.unreadable.push(key),
            }
            if listed.readable.len() == usize::from(limit) {
                listed.is_end = items.peek().is_none() && page.last_evaluated_key.is_none();
                return Ok(listed);
            }
        }
    }
    listed.is_end = true;
    Ok(listed)
}

/// The key of an item, for a person.
fn spelled(item: &Item) -> String {
    let part =
        |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    format!("{} {}", part("pk"), part("sk"))
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, LedgerUnavailable> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(unavailable)
}

fn unavailable(error: impl ToString) -> LedgerUnavailable {
    LedgerUnavailable(error.to_string())
}

fn unanswered<E: std::error::Error + 'static>(error: &E) -> LedgerUnavailable {
    LedgerUnavailable(DisplayErrorContext(error).to_string())
}

/// An entry of the index, which holds keys only.
#[derive(Deserialize)]
struct BehindRow {
    pk: String,
    behind_since: String,
}

impl TryFrom<BehindRow> for Behind {
    type Error = Malformed;

    fn try_from(row: BehindRow) -> Result<Self, Malformed> {
        let id = row.pk.strip_prefix(ORGANIZATION).ok_or(Malformed("pk"))?;
        let since = row.behind_since.parse().map_err(|_| Malformed("behind_since"))?;
        Ok(Self { organization: OrganizationId::parse(id)?, since })
    }
}

/// Where a query of the index goes on.
fn behind_key(behind: &Behind) -> HashMap<String, AttributeValue> {
    let mut key = Key::billing(&behind.organization).attributes();
    key.insert("behind_shard".to_owned(), text(behind_shard(&behind.organization)));
    key.insert("behind_since".to_owned(), text(micros(behind.since)));
    key
}

/// What of a seat decides how it is counted, and until when.
#[derive(Deserialize)]
struct CountedRow {
    sk: String,
    #[serde(default)]
    tier: String,
    #[serde(default)]
    status: String,
    ends_at: Option<String>,
    #[serde(default)]
    version: u64,
}

fn count(counted: &mut CountedSeats, item: Item) {
    let Ok(row) = read::<CountedRow>(item) else {
        counted.add_unreadable(String::new());
        return;
    };
    match row.status.parse() {
        Ok(SeatStatus::Deactivated) => {}
        Ok(
            SeatStatus::Uninitialized
            | SeatStatus::Pending
            | SeatStatus::Initialized
            | SeatStatus::Failed,
        ) => match billed(&row) {
            Some(seat) if seat.ends_at.is_some() => counted.add_ending(seat),
            Some(seat) => counted.add(seat.id, seat.tier),
            None => counted.add_unreadable(row.sk),
        },
        Err(_) => counted.add_unreadable(row.sk),
    }
}

/// A seat that is counted; `None` when it cannot be read.
fn billed(row: &CountedRow) -> Option<KeptSeat> {
    Some(KeptSeat {
        id: SeatId::parse(row.sk.strip_prefix(SEAT)?).ok()?,
        tier: row.tier.parse().ok()?,
        is_deactivated: false,
        ends_at: row.ends_at.as_deref().map(str::parse).transpose().ok()?,
        version: row.version,
    })
}

impl TryFrom<BillingRow> for LedgerState {
    type Error = Malformed;

    fn try_from(row: BillingRow) -> Result<Self, Malformed> {
        let failed_at = row.last_error.map(|error| error.at.parse());
        let status_version = row.status_version;
        let period = row.current_period_start.zip(row.current_period_end);
        Ok(Self {
            organization: OrganizationId::parse(&row.organization)?,
            linked: row
                .stripe_subscription
                .map(|subscription| LinkedSubscription { subscription, status_version }),
            status: row.subscription_status,
            cancel_at_period_end: row.cancel_at_period_end,
            collection_paused: row.collection_paused,
            period: period.map(|(start, end)| Period { start, end }),
            seats: SeatCounts { basic: row.seats_basic, premium: row.seats_premium },
            seat_limit: row.seat_limit,
            seats_left: row.seats_left,
            spending_limit: row.spending_limit.unwrap_or(NO_SPENDING_LIMIT),
            cents_left: row.cents_left,
            version: row.version,
            applied_version: row.applied_version,
            failed_at: failed_at.transpose().map_err(|_| Malformed("last_error.at"))?,
        })
    }
}

/// How far the reconciliation of a shard has come.
#[derive(Serialize, Deserialize)]
struct CursorRow {
    #[serde(flatten)]
    key: Key,
    /// How often the shard has been walked to its end.
    cycle: u64,
    /// The last organization that was looked at; absent at the beginning of a cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// How many runs in a row came no further.
    stalls: u32,
    /// Until when a run has the shard to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_until: Option<String>,
    /// How often this item has been written.
    revision: u64,
    updated_at: String,
}

impl CursorRow {
    /// The row that follows the one that `cursor` was read from.
    fn after(cursor: &Cursor, now: Timestamp) -> Self {
        Self {
            key: Key::reconcile(cursor.shard),
            cycle: cursor.cycle,
            after: cursor.after.as_ref().map(ToString::to_string),
            stalls: cursor.stalls,
            claimed_until: cursor.claimed_until.map(micros),
            revision: cursor.revision.unwrap_or_default() + 1,
            updated_at: micros(now),
        }
    }

    fn cursor(self, shard: Shard) -> Result<Cursor, Malformed> {
        let claimed_until = self.claimed_until.map(|until| until.parse()).transpose();
        Ok(Cursor {
            shard,
            cycle: self.cycle,
            after: self.after.as_deref().map(OrganizationId::parse).transpose()?,
            stalls: self.stalls,
            claimed_until: claimed_until.map_err(|_| Malformed("claimed_until"))?,
            revision: Some(self.revision),
        })
    }
}
