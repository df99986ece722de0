//! The end of seats: they are counted no more, and stay. And the mark on those that are to end.

use aws_sdk_dynamodb::types::{
    KeysAndAttributes, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use headcount_model::audit::Entry;
use headcount_model::billing::{Period, SubscriptionStatus};
use headcount_model::credential::LookupFailed;
use headcount_model::history::By;
use headcount_model::id::{OrganizationId, SeatId, micros};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{
    Change, Deactivation, EndTerms, Kept, KeptSeat, NotDeactivated, SeatEndings, SeatStatus, Stored,
};
use serde::Deserialize;

use crate::credentials::{decode, failure};
use crate::idempotency::{self, Found};
use crate::key::{BILLING, Key};
use crate::rows::{AuditRow, Malformed, NO_SPENDING_LIMIT, behind_shard};
use crate::table::Table;
use crate::transaction::{
    Condition, Item, MAX_ACTIONS, Refused, number, put, text, unchanged, update, values,
};

/// What else is in a transaction: the idempotency record, the billing record and the audit entry.
const BESIDE_SEATS: usize = 3;

/// The most items of one `BatchGetItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
const MAX_READS: usize = 100;

impl SeatEndings for Table {
    fn deactivations_per_commit(&self) -> usize {
        MAX_ACTIONS - BESIDE_SEATS
    }

    async fn seats(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Kept, NotDeactivated> {
        let keys: Vec<_> = [Key::billing(organization)]
            .into_iter()
            .chain(ids.iter().map(|id| Key::seat(organization, id)))
            .collect();
        let mut kept = Kept { seats: Vec::with_capacity(ids.len()), terms: EndTerms::default() };
        for keys in keys.chunks(MAX_READS) {
            let items = self.read_ends(keys).await.map_err(|failed| match failed {
                LookupFailed::Throttled => NotDeactivated::Throttled,
                LookupFailed::Unavailable => NotDeactivated::Unavailable,
            })?;
            for item in items {
                let is_billing =
                    item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == BILLING);
                if is_billing {
                    kept.terms = terms(item)?;
                } else {
                    kept.seats.push(kept_seat(item)?);
                }
            }
        }
        Ok(kept)
    }

    async fn deactivate(
        &self,
        deactivation: Deactivation<'_>,
    ) -> Result<Option<Stored>, NotDeactivated> {
        let failed = match self.transact(|| actions(self, &deactivation)).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed,
            Err(Refused::Throttled) => return Err(NotDeactivated::Throttled),
            Err(Refused::Unavailable) => return Err(NotDeactivated::Unavailable),
        };
        if let Some(record) = &deactivation.record
            && let Some(item) = failed.into_iter().next().flatten()
        {
            return match idempotency::found(record.request, item) {
                Found::Same(answer, expires_at) => {
                    Ok(Some(Stored { answer: answer.body, expires_at }))
                }
                Found::Other => Err(NotDeactivated::KeyReused),
                Found::Unreadable => Err(NotDeactivated::Unavailable),
            };
        }
        Err(NotDeactivated::Changed)
    }
}

impl Table {
    /// What decides about the end of seats, of those of the items that are there.
    async fn read_ends(&self, keys: &[Key]) -> Result<Vec<Item>, LookupFailed> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(Key::attributes).collect()))
            .consistent_read(true)
            .projection_expression(
                "sk, id, tier, #status, version, ends_at, seats_end, stripe_subscription, \
                 subscription_status, current_period_start, current_period_end",
            )
            .expression_attribute_names("#status", "status")
            .build()
            .map_err(|_| LookupFailed::Unavailable)?;
        let call = self.client.batch_get_item().request_items(&*self.name, keys);
        let output = call.send().await.map_err(failure)?;
        // What is left unprocessed must not be taken for missing.
        if output.unprocessed_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err(LookupFailed::Throttled);
        }
        let tables = output.responses.into_iter();
        Ok(tables.flat_map(|mut tables| tables.remove(&*self.name).unwrap_or_default()).collect())
    }
}

/// What of a billing record decides when seats end.
#[derive(Deserialize)]
struct TermsState {
    seats_end: Option<String>,
    stripe_subscription: Option<String>,
    subscription_status: Option<String>,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
}

fn terms(item: Item) -> Result<EndTerms, NotDeactivated> {
    let read = || -> Result<EndTerms, Malformed> {
        let state: TermsState = decode(item).map_err(|_| Malformed("billing record"))?;
        let setting = state.seats_end.as_deref().map(str::parse).transpose();
        // One of a status that this version does not know runs.
        let has_ended = |status: &String| {
            status.parse::<SubscriptionStatus>().is_ok_and(SubscriptionStatus::has_ended)
        };
        let is_paid_for = state.stripe_subscription.is_some()
            && state.subscription_status.is_some_and(|status| !has_ended(&status));
        let period = state.current_period_start.zip(state.current_period_end);
        Ok(EndTerms {
            setting: setting.map_err(|_| Malformed("seats_end"))?.unwrap_or_default(),
            period: period.filter(|_| is_paid_for).map(|(start, end)| Period { start, end }),
        })
    };
    read().map_err(|error| {
        tracing::error!(%error, "a billing record could not be read");
        NotDeactivated::Unavailable
    })
}

/// What of a seat decides about its end.
#[derive(Deserialize)]
struct SeatState {
    id: String,
    tier: String,
    status: String,
    ends_at: Option<String>,
    #[serde(default)]
    version: u64,
}

fn kept_seat(item: Item) -> Result<KeptSeat, NotDeactivated> {
    let state: SeatState = decode(item).map_err(|_| NotDeactivated::Unavailable)?;
    let read = || {
        Some(KeptSeat {
            id: SeatId::parse(&state.id).ok()?,
            tier: state.tier.parse().ok()?,
            is_deactivated: state.status.parse::<SeatStatus>().ok()? == SeatStatus::Deactivated,
            ends_at: state.ends_at.as_deref().map(str::parse).transpose().ok()?,
            version: state.version,
        })
    };
    read().ok_or_else(|| {
        tracing::error!(seat = state.id, "a seat could not be read");
        NotDeactivated::Unavailable
    })
}

/// The idempotency record first, as in every transaction that has one.
fn actions(
    table: &Table,
    deactivation: &Deactivation<'_>,
) -> Result<Vec<TransactWriteItem>, Refused> {
    let organization = deactivation.organization;
    let mut actions = Vec::with_capacity(deactivation.seats.len() + BESIDE_SEATS);
    if let Some(record) = &deactivation.record {
        let answer = StoredAnswer { status: 200, location: None, body: record.answer.clone() };
        let now = deactivation.now;
        actions.push(idempotency::record(table, record.request, record.part, &answer, now)?);
    }
    // What is to end later is counted until then: Stripe bills it, and its place is taken.
    if deactivation.change == Change::End && !deactivation.seats.is_empty() {
        actions.push(take_from_billing(table, deactivation)?);
    }
    for seat in deactivation.seats {
        actions.push(change(table, deactivation, seat)?);
    }
    if let Some(entry) = &deactivation.audit {
        actions.push(put(table, &AuditRow::new(organization, entry), Condition::absent())?);
    }
    Ok(actions)
}

/// Counts seats no more. What is left grows by what they cost now; what they cost when they were
/// created is not on record. A subscription in any status takes fewer seats.
fn take_from_billing(
    table: &Table,
    deactivation: &Deactivation<'_>,
) -> Result<TransactWriteItem, Refused> {
    let organization = deactivation.organization;
    let counts = deactivation.counts();
    let condition = Condition {
        // A record that counts fewer than there are was changed by hand: reconcile-billing heals it.
        expression: "seats_basic >= :basic AND seats_premium >= :premium".into(),
        values: vec![(":basic", number(counts.basic)), (":premium", number(counts.premium))],
    };
    let mut expression =
        "SET seats_basic = seats_basic - :basic, seats_premium = seats_premium - :premium, \
         seats_left = seats_left + :all, \
         cents_left = if_not_exists(cents_left, :unlimited) + :cents, \
         version = version + :one, fewer_version = version + :one, fewer_at = :now, \
         behind_since = if_not_exists(behind_since, :now), behind_shard = :shard, \
         updated_at = :now"
            .to_owned();
    let mut values = vec![
        (":all", number(counts.total())),
        (":cents", number(deactivation.tiers.monthly(counts))),
        (":unlimited", number(NO_SPENDING_LIMIT)),
        (":one", number(1)),
        (":now", text(micros(deactivation.now))),
        (":shard", text(behind_shard(organization))),
    ];
    // What reconcile-billing ends has no caller, and names nobody.
    if let Some(Entry { credential: Some(credential), request_id, .. }) = &deactivation.audit {
        expression += ", changed_version = version + :one, changed_by = :by";
        values.push((":by", text(By::text(credential, request_id))));
    }
    update(table, &Key::billing(organization), &expression, condition, values)
}

/// Changes a seat that is still what was read, and has not ended.
fn change(
    table: &Table,
    deactivation: &Deactivation<'_>,
    seat: &KeptSeat,
) -> Result<TransactWriteItem, Refused> {
    let unchanged = format!("#status <> :deactivated AND ({})", unchanged(seat.version));
    let mut all = vec![
        (":deactivated", text(SeatStatus::Deactivated.as_str())),
        (":version", number(seat.version)),
        (":next", number(seat.version + 1)),
        (":now", text(micros(deactivation.now))),
    ];
    let expression = match deactivation.change {
        Change::End => {
            "SET #status = :deactivated, version = :next, deactivated_at = :now, \
             updated_at = :now REMOVE ends_at"
        }
        Change::EndAt(ends_at) => {
            all.push((":ends_at", text(micros(ends_at))));
            "SET ends_at = :ends_at, version = :next, updated_at = :now"
        }
        Change::Revoke => "SET version = :next, updated_at = :now REMOVE ends_at",
    };
    let update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::seat(deactivation.organization, &seat.id).attributes()))
        .update_expression(expression)
        .condition_expression(unchanged)
        .expression_attribute_names("#status", "status")
        .set_expression_attribute_values(values(all))
        // What it is instead is read with the others.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
