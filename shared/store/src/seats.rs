//! Seats and the billing record that counts them.

use headcount_model::billing::{SeatCounts, SubscriptionStatus};
use headcount_model::id::{OrganizationId, micros};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{Commit, CommitRefusal, SeatLedger};
use jiff::Timestamp;

use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{BillingRow, SeatRow, behind_shard};
use crate::table::Table;
use crate::transaction::{Condition, Item, MAX_ACTIONS, Refused, number, put, text, update};

impl SeatLedger for Table {
    fn seats_per_commit(&self, keyed: bool) -> usize {
        // One action is the billing record, one the idempotency record.
        MAX_ACTIONS - 1 - usize::from(keyed)
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Option<String>, CommitRefusal> {
        let actions = actions(self, &commit).map_err(|_| CommitRefusal::Unavailable)?;
        let mut failed = match self.transact(actions).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed.into_iter(),
            Err(Refused::Throttled) => return Err(CommitRefusal::Throttled),
            Err(Refused::Unavailable) => return Err(CommitRefusal::Unavailable),
        };
        if let Some(record) = &commit.record
            && let Some(item) = failed.next().flatten()
        {
            return match idempotency::found(record.request, item) {
                Found::Same(answer) => Ok(Some(answer.body)),
                Found::Other => Err(CommitRefusal::KeyReused),
                Found::Unreadable => Err(CommitRefusal::Unavailable),
            };
        }
        Err(match failed.next().flatten() {
            Some(billing) => refusal(billing),
            // A seat of this id exists: the random source repeats itself.
            None => CommitRefusal::Unavailable,
        })
    }
}

fn actions(table: &Table, commit: &Commit<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    let mut actions = Vec::with_capacity(commit.seats.len() + 2);
    if let Some(record) = &commit.record {
        let answer = StoredAnswer { status: 200, location: None, body: record.answer.clone() };
        actions.push(idempotency::record(table, record.request, record.part, &answer, commit.now)?);
    }
    let counts = SeatCounts::of(commit.seats.iter().map(|seat| &seat.new));
    actions.push(add_to_billing(table, commit.organization, counts, commit.now)?);
    for seat in commit.seats {
        let row = SeatRow::new(commit.organization, seat);
        actions.push(put(table, &row, Condition::absent())?);
    }
    Ok(actions)
}

/// Counts new seats, provided that the subscription may be billed for them and the seat limit
/// leaves room. This and the seats are one transaction: neither exists without the other.
fn add_to_billing(
    table: &Table,
    organization: &OrganizationId,
    counts: SeatCounts,
    now: Timestamp,
) -> Result<TransactWriteItem, Refused> {
    let condition = Condition {
        expression: "subscription_status IN (:active, :trialing, :past_due) AND seats_left >= :all",
        values: vec![
            (":active", text(SubscriptionStatus::Active.as_str())),
            (":trialing", text(SubscriptionStatus::Trialing.as_str())),
            (":past_due", text(SubscriptionStatus::PastDue.as_str())),
            (":all", number(counts.total())),
        ],
    };
    update(
        table,
        &Key::billing(organization),
        "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, \
         seats_left = seats_left - :all, version = version + :one, \
         behind_since = if_not_exists(behind_since, :now), behind_shard = :shard, \
         updated_at = :now",
        condition,
        vec![
            (":basic", number(counts.basic)),
            (":premium", number(counts.premium)),
            (":one", number(1)),
            (":now", text(micros(now))),
            (":shard", text(behind_shard(organization))),
        ],
    )
}

/// Which of the two conditions on the billing record failed.
fn refusal(billing: Option<Item>) -> CommitRefusal {
    let row = billing.map(serde_dynamo::aws_sdk_dynamodb_1::from_item::<BillingRow>);
    match row {
        None => CommitRefusal::NoBilling,
        Some(Err(error)) => {
            tracing::error!(%error, "a billing record could not be read");
            CommitRefusal::Unavailable
        }
        Some(Ok(row)) => {
            let takes_seats = row
                .subscription_status
                .and_then(|status| status.parse::<SubscriptionStatus>().ok())
                .is_some_and(SubscriptionStatus::takes_seats);
            if takes_seats { CommitRefusal::SeatLimitReached } else { CommitRefusal::NoBilling }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_lists_exactly_the_statuses_that_take_seats() {
        let listed =
            [SubscriptionStatus::Active, SubscriptionStatus::Trialing, SubscriptionStatus::PastDue];
        for status in SubscriptionStatus::ALL {
            assert_eq!(status.takes_seats(), listed.contains(&status), "{status:?}");
        }
    }
}
