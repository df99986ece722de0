//! The end of seats: they are counted no more, and stay.

use aws_sdk_dynamodb::types::{
    KeysAndAttributes, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use headcount_model::credential::LookupFailed;
use headcount_model::id::{OrganizationId, SeatId, micros};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{
    Deactivation, KeptSeat, NotDeactivated, SeatEndings, SeatStatus, Stored,
};
use serde::Deserialize;

use crate::credentials::{decode, failure};
use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{AuditRow, NO_SPENDING_LIMIT, behind_shard};
use crate::table::Table;
use crate::transaction::{
    Condition, Item, MAX_ACTIONS, Refused, number, put, text, unchanged, update, values,
};

/// What else is in a transaction: the idempotency record, the billing record and the audit entry.
const BESIDE_SEATS: usize = 3;

impl SeatEndings for Table {
    fn deactivations_per_commit(&self) -> usize {
        MAX_ACTIONS - BESIDE_SEATS
    }

    async fn seats(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Vec<KeptSeat>, NotDeactivated> {
        let items = self.read_seats(organization, ids).await.map_err(|failed| match failed {
            LookupFailed::Throttled => NotDeactivated::Throttled,
            LookupFailed::Unavailable => NotDeactivated::Unavailable,
        })?;
        items.into_iter().map(kept).collect()
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
    /// Those of the seats that are there.
    async fn read_seats(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Vec<Item>, LookupFailed> {
        let keys = ids.iter().map(|id| Key::seat(organization, id).attributes()).collect();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .projection_expression("id, tier, #status, version")
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

/// What of a seat decides about its end.
#[derive(Deserialize)]
struct SeatState {
    id: String,
    tier: String,
    status: String,
    #[serde(default)]
    version: u64,
}

fn kept(item: Item) -> Result<KeptSeat, NotDeactivated> {
    let state: SeatState = decode(item).map_err(|_| NotDeactivated::Unavailable)?;
    let read = || {
        Some(KeptSeat {
            id: SeatId::parse(&state.id).ok()?,
            tier: state.tier.parse().ok()?,
            is_deactivated: state.status.parse::<SeatStatus>().ok()? == SeatStatus::Deactivated,
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
    if !deactivation.seats.is_empty() {
        actions.push(take_from_billing(table, deactivation)?);
    }
    for seat in deactivation.seats {
        actions.push(end(table, deactivation, seat)?);
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
    update(
        table,
        &Key::billing(organization),
        "SET seats_basic = seats_basic - :basic, seats_premium = seats_premium - :premium, \
         seats_left = seats_left + :all, \
         cents_left = if_not_exists(cents_left, :unlimited) + :cents, \
         version = version + :one, fewer_version = version + :one, fewer_at = :now, \
         behind_since = if_not_exists(behind_since, :now), behind_shard = :shard, \
         updated_at = :now",
        condition,
        vec![
            (":all", number(counts.total())),
            (":cents", number(deactivation.tiers.monthly(counts))),
            (":unlimited", number(NO_SPENDING_LIMIT)),
            (":one", number(1)),
            (":now", text(micros(deactivation.now))),
            (":shard", text(behind_shard(organization))),
        ],
    )
}

/// Ends a seat that is still what was read.
fn end(
    table: &Table,
    deactivation: &Deactivation<'_>,
    seat: &KeptSeat,
) -> Result<TransactWriteItem, Refused> {
    let all = vec![
        (":deactivated", text(SeatStatus::Deactivated.as_str())),
        (":version", number(seat.version)),
        (":next", number(seat.version + 1)),
        (":now", text(micros(deactivation.now))),
    ];
    let update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::seat(deactivation.organization, &seat.id).attributes()))
        .update_expression(
            "SET #status = :deactivated, version = :next, deactivated_at = :now, \
             updated_at = :now",
        )
        .condition_expression(unchanged(seat.version))
        .expression_attribute_names("#status", "status")
        .set_expression_attribute_values(values(all))
        // What it is instead is read with the others.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
