//! Seats and the billing record that counts them.

use headcount_model::billing::{SeatCounts, SubscriptionStatus};
use headcount_model::id::micros;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{Commit, CommitRefusal, Quoted, SeatLedger, Stored};

use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{BillingRow, NO_SPENDING_LIMIT, SeatRow, behind_shard};
use crate::table::Table;
use crate::transaction::{Condition, Item, MAX_ACTIONS, Refused, number, put_item, text, update};

impl SeatLedger for Table {
    fn seats_per_commit(&self, keyed: bool) -> usize {
        // One action is the billing record, one the idempotency record.
        MAX_ACTIONS - 1 - usize::from(keyed)
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Option<Stored>, CommitRefusal> {
        let mut failed = match self.transact(|| actions(self, &commit)).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed.into_iter(),
            Err(Refused::Throttled) => return Err(CommitRefusal::Throttled),
            Err(Refused::Unavailable) => return Err(CommitRefusal::Unavailable),
        };
        if let Some(record) = &commit.record
            && let Some(item) = failed.next().flatten()
        {
            return match idempotency::found(record.request, item) {
                Found::Same(answer, expires_at) => {
                    Ok(Some(Stored { answer: answer.body, expires_at }))
                }
                Found::Other => Err(CommitRefusal::KeyReused),
                Found::Unreadable => Err(CommitRefusal::Unavailable),
            };
        }
        Err(match failed.next().flatten() {
            Some(billing) => refusal(billing, &commit),
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
    actions.push(add_to_billing(table, commit, counts)?);
    for seat in commit.seats {
        let row = SeatRow::new(commit.organization, seat, commit.tiers);
        actions.push(put_item(table, row.into(), Condition::absent())?);
    }
    Ok(actions)
}

/// Counts new seats, provided that the subscription may be billed for them (see [`takes_seats`]),
/// that both limits leave room and that the record is where the caller was quoted. This and the
/// seats are one transaction: neither exists without the other.
fn add_to_billing(
    table: &Table,
    commit: &Commit<'_>,
    counts: SeatCounts,
) -> Result<TransactWriteItem, Refused> {
    let organization = commit.organization;
    let cents = commit.tiers.monthly(counts);
    let (oldest, newest) = versions(commit.quoted);
    let condition = Condition {
        expression: "(subscription_status IN (:active, :trialing) \
                     OR (subscription_status = :past_due \
                     AND (attribute_not_exists(past_due_since) OR past_due_since > :cutoff))) \
                     AND seats_left >= :all \
                     AND (attribute_not_exists(cents_left) OR cents_left >= :cents) \
                     AND version >= :oldest AND version <= :newest",
        values: vec![
            (":active", text(SubscriptionStatus::Active.as_str())),
            (":trialing", text(SubscriptionStatus::Trialing.as_str())),
            (":past_due", text(SubscriptionStatus::PastDue.as_str())),
            (":cutoff", text(cutoff(commit))),
            (":all", number(counts.total())),
            (":cents", number(cents)),
            (":oldest", number(oldest)),
            (":newest", number(newest)),
        ],
    };
    update(
        table,
        &Key::billing(organization),
        "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, \
         seats_left = seats_left - :all, \
         cents_left = if_not_exists(cents_left, :unlimited) - :cents, \
         version = version + :one, \
         behind_since = if_not_exists(behind_since, :now), behind_shard = :shard, \
         updated_at = :now",
        condition,
        vec![
            (":basic", number(counts.basic)),
            (":premium", number(counts.premium)),
            (":unlimited", number(NO_SPENDING_LIMIT)),
            (":one", number(1)),
            (":now", text(micros(commit.now))),
            (":shard", text(behind_shard(organization))),
        ],
    )
}

/// The versions, first and last, at which a create may find the billing record.
fn versions(quoted: Option<Quoted>) -> (u64, u64) {
    match quoted {
        None => (0, u64::MAX),
        Some(Quoted::Version(version)) => (version, version),
        Some(Quoted::Expired) => (1, 0),
    }
}

/// Which of the conditions on the billing record failed.
fn refusal(billing: Option<Item>, commit: &Commit<'_>) -> CommitRefusal {
    let row = billing.map(serde_dynamo::aws_sdk_dynamodb_1::from_item::<BillingRow>);
    match row {
        None => CommitRefusal::NoBilling,
        Some(Err(error)) => {
            tracing::error!(%error, "a billing record could not be read");
            CommitRefusal::Unavailable
        }
        Some(Ok(row)) => why(&row, commit),
    }
}

/// Why a commit did not find the billing record as it has to be. A quote that does not hold comes
/// before the limits: whoever asks for a new one hears of them.
fn why(row: &BillingRow, commit: &Commit<'_>) -> CommitRefusal {
    let counts = SeatCounts::of(commit.seats.iter().map(|seat| &seat.new));
    let (oldest, newest) = versions(commit.quoted);
    if !takes_seats(row, &cutoff(commit)) {
        CommitRefusal::NoBilling
    } else if row.version < oldest || row.version > newest {
        CommitRefusal::QuoteExpired
    } else if i128::from(row.seats_left) < i128::from(counts.total()) {
        CommitRefusal::SeatLimitReached
    } else {
        CommitRefusal::SpendingLimitReached
    }
}

/// Whether a subscription may be billed for more seats: in a status that takes seats, and past
/// due only since later than `cutoff`. One that is linked past due counts from when that is seen.
fn takes_seats(row: &BillingRow, cutoff: &str) -> bool {
    match row.subscription_status.as_deref().map(str::parse) {
        Some(Ok(SubscriptionStatus::PastDue)) => {
            row.past_due_since.as_deref().is_none_or(|since| since > cutoff)
        }
        Some(Ok(status)) => status.takes_seats(),
        Some(Err(_)) | None => false,
    }
}

/// The cutoff of the grace as the table writes times, which sort as texts.
fn cutoff(commit: &Commit<'_>) -> String {
    micros(commit.grace.cutoff(commit.now))
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
