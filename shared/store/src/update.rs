//! Changes of seats: a seat under its version, and what another tier changes of the billing record.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use headcount_model::credential::LookupFailed;
use headcount_model::history::By;
use headcount_model::id::{OrganizationId, SeatId, micros};
use headcount_model::idempotency::Keyed;
use headcount_model::seats::{
    CommitRefusal, EarlierUpdate, ListedSeat, NotUpdated, SeatChange, SeatUpdates, Tier,
    UpdateCommit,
};
use jiff::Timestamp;

use crate::credentials::{decode, failure};
use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{AuditRow, BillingRow, NO_SPENDING_LIMIT, behind_shard};
use crate::seats::{takes_seats, takes_seats_condition};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, number, put, text, unchanged, update};

impl SeatUpdates for Table {
    async fn seats_to_update(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> Result<Vec<ListedSeat>, NotUpdated> {
        self.seats_named(organization, ids).await.map_err(lookup)
    }

    async fn earlier_update(
        &self,
        request: &Keyed,
        part: usize,
        now: Timestamp,
    ) -> Result<Option<EarlierUpdate>, NotUpdated> {
        let item = self.get(&Key::idempotency(&request.name, part)).await;
        match item.map_err(failure).map_err(lookup)? {
            Some(item) if idempotency::is_valid(&item, now) => {
                earlier(request, Some(item)).map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn update_seat(
        &self,
        commit: UpdateCommit<'_>,
    ) -> Result<Option<EarlierUpdate>, NotUpdated> {
        let mut failed = match self.transact(|| actions(self, &commit)).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed.into_iter(),
            Err(Refused::Throttled) => return Err(lookup(LookupFailed::Throttled)),
            Err(Refused::Unavailable) => return Err(unavailable()),
        };
        if let Some((request, ..)) = &commit.record
            && let Some(item) = failed.next().flatten()
        {
            return earlier(request, item).map(Some);
        }
        // A seat that somebody else changed is read again, whatever billing says to what it was.
        if failed.next().flatten().is_some() {
            return Err(NotUpdated::Changed);
        }
        match (failed.next().flatten(), commit.change.as_ref().and_then(|change| change.tier)) {
            (Some(billing), Some(tiers)) => Err(refusal(billing, &commit, tiers)),
            // An audit entry of this id exists: the random source repeats itself.
            _ => Err(unavailable()),
        }
    }
}

fn unavailable() -> NotUpdated {
    NotUpdated::Refused(CommitRefusal::Unavailable)
}

fn lookup(failed: LookupFailed) -> NotUpdated {
    NotUpdated::Refused(match failed {
        LookupFailed::Throttled => CommitRefusal::Throttled,
        LookupFailed::Unavailable => CommitRefusal::Unavailable,
    })
}

/// What the record of a request says.
fn earlier(request: &Keyed, record: Option<Item>) -> Result<EarlierUpdate, NotUpdated> {
    match idempotency::found(request, record) {
        Found::Same(answer, expires_at) => Ok(EarlierUpdate { answer, expires_at }),
        Found::Other => Err(NotUpdated::Refused(CommitRefusal::KeyReused)),
        Found::Unreadable => Err(unavailable()),
    }
}

/// The idempotency record first, as in every transaction that has one; then the seat.
fn actions(table: &Table, commit: &UpdateCommit<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    let mut actions = Vec::with_capacity(4);
    if let Some((request, part, answer)) = &commit.record {
        actions.push(idempotency::record(table, request, *part, answer, commit.now)?);
    }
    if let Some(change) = &commit.change {
        actions.push(change_seat(table, commit, change)?);
        if let Some(tiers) = change.tier {
            actions.push(change_billing(table, commit, change, tiers)?);
        }
        let row = AuditRow::new(commit.organization, &change.audit);
        actions.push(put(table, &row, Condition::absent())?);
    }
    Ok(actions)
}

/// Writes the changed fields of a seat that is still what was read.
fn change_seat(
    table: &Table,
    commit: &UpdateCommit<'_>,
    change: &SeatChange<'_>,
) -> Result<TransactWriteItem, Refused> {
    let seat = change.seat;
    let mut set = vec!["version = :next".to_owned(), "updated_at = :now".to_owned()];
    let mut remove = Vec::new();
    let mut update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::seat(commit.organization, &seat.id).attributes()))
        .condition_expression(unchanged(change.read))
        .expression_attribute_values(":version", number(change.read))
        .expression_attribute_values(":next", number(seat.version))
        .expression_attribute_values(":now", text(micros(commit.now)))
        // What it is instead is read again.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None);
    for &field in change.fields {
        let value = match field {
            "status" => Some(seat.status.clone()),
            "tier" => Some(seat.tier.clone()),
            field => seat.value(field),
        };
        // Some are words of DynamoDB's own.
        let (name, placeholder) = (format!("#{field}"), format!(":{field}"));
        match value {
            Some(value) => {
                set.push(format!("{name} = {placeholder}"));
                update = update.expression_attribute_values(placeholder, text(value));
            }
            None => remove.push(name.clone()),
        }
        update = update.expression_attribute_names(name, field);
    }
    if change.fields.contains(&"status") {
        // It asks for a setup. The result of an earlier one decides about this one no more.
        set.push("setup_version = :next".to_owned());
        remove.push("setup_error".to_owned());
    }
    if let Some((_, to)) = change.tier {
        // The tier fixes the device.
        set.push("device_type = :device".to_owned());
        let device = text(commit.tiers.of(to).device_type.clone());
        update = update.expression_attribute_values(":device", device);
    }
    let mut expression = format!("SET {}", set.join(", "));
    if !remove.is_empty() {
        expression += &format!(" REMOVE {}", remove.join(", "));
    }
    let update = update.update_expression(expression).build().map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// What a seat costs more in another tier, in US cents a month.
fn more(commit: &UpdateCommit<'_>, (from, to): (Tier, Tier)) -> i128 {
    let cents = |tier| i128::from(commit.tiers.of(tier).unit_amount);
    cents(to) - cents(from)
}

fn counter(tier: Tier) -> &'static str {
    match tier {
        Tier::Basic => "seats_basic",
        Tier::Premium => "seats_premium",
    }
}

/// Counts a seat in another tier, provided that the subscription takes seats and that the spending limit
/// covers what it costs more. There are as many seats as before, so the seat limit has no say. Nor are
/// there fewer of them: what becomes of the difference is up to the organization's proration behaviour,
/// in both directions, so the version is not marked as one that leaves fewer.
fn change_billing(
    table: &Table,
    commit: &UpdateCommit<'_>,
    change: &SeatChange<'_>,
    tiers: (Tier, Tier),
) -> Result<TransactWriteItem, Refused> {
    let organization = commit.organization;
    let cents = more(commit, tiers);
    let (from, to) = (counter(tiers.0), counter(tiers.1));
    let mut condition = takes_seats_condition(commit.policy, commit.now);
    // A record that counts fewer than there are was changed by hand: reconcile-billing heals it.
    condition.expression.to_mut().push_str(&format!(" AND {from} >= :one"));
    if cents > 0 {
        condition
            .expression
            .to_mut()
            .push_str(" AND (attribute_not_exists(cents_left) OR cents_left >= :cents)");
    }
    let mut expression = format!(
        "SET {from} = {from} - :one, {to} = {to} + :one, \
         cents_left = if_not_exists(cents_left, :unlimited) - :cents, \
         version = version + :one, behind_since = if_not_exists(behind_since, :now), \
         behind_shard = :shard, updated_at = :now"
    );
    let mut values = vec![
        (":one", number(1)),
        (":cents", number(cents)),
        (":unlimited", number(NO_SPENDING_LIMIT)),
        (":now", text(micros(commit.now))),
        (":shard", text(behind_shard(organization))),
    ];
    if let Some(credential) = change.audit.credential {
        expression += ", changed_version = version + :one, changed_by = :by";
        values.push((":by", text(By::text(credential, change.audit.request_id))));
    }
    update(table, &Key::billing(organization), &expression, condition, values)
}

/// Which of the conditions on the billing record failed.
fn refusal(billing: Option<Item>, commit: &UpdateCommit<'_>, tiers: (Tier, Tier)) -> NotUpdated {
    let Some(billing) = billing else { return NotUpdated::Refused(CommitRefusal::NoBilling) };
    let Ok(row) = decode::<BillingRow>(billing) else { return unavailable() };
    let cents = more(commit, tiers);
    let is_short = row.cents_left.is_some_and(|left| i128::from(left) < cents);
    NotUpdated::Refused(if !takes_seats(&row, commit.policy, commit.now) {
        CommitRefusal::NoBilling
    } else if cents > 0 && is_short {
        CommitRefusal::SpendingLimitReached
    } else {
        CommitRefusal::Unavailable
    })
}
