//! Seats and the billing record that counts them.

use headcount_model::billing::{ProrationBehavior, SeatCounts, Standing, SubscriptionStatus};
use headcount_model::history::By;
use headcount_model::id::micros;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::policy::BillingPolicy;
use headcount_model::seats::{Commit, CommitRefusal, Quoted, SeatLedger, Stored};

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;

use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{self, BillingRow, NO_SPENDING_LIMIT, SeatRow, behind_shard};
use crate::table::Table;
use crate::transaction::{
    Condition, Item, MAX_ACTIONS, Refused, Values, number, put_item, text, update,
};

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
    let by = By::text(commit.by.0, commit.by.1);
    actions.push(add_to_billing(table, commit, counts, &by)?);
    for seat in commit.seats {
        let row = SeatRow::new(commit.organization, seat, commit.tiers, &by);
        actions.push(put_item(table, row.into(), Condition::absent())?);
    }
    Ok(actions)
}

/// Counts new seats, provided that the subscription takes seats (see [`takes_seats_condition`]), that
/// both limits leave room and that the record is where the caller was quoted. This and the seats are
/// one transaction: neither exists without the other.
fn add_to_billing(
    table: &Table,
    commit: &Commit<'_>,
    counts: SeatCounts,
    by: &str,
) -> Result<TransactWriteItem, Refused> {
    let organization = commit.organization;
    let cents = commit.tiers.monthly(counts);
    let mut condition = takes_seats_condition(commit.policy, commit.now);
    condition.expression.to_mut().push_str(
        " AND seats_left >= :all AND (attribute_not_exists(cents_left) OR cents_left >= :cents)",
    );
    condition.values.extend([(":all", number(counts.total())), (":cents", number(cents))]);
    add_terms(&mut condition, commit.quoted);
    update(
        table,
        &Key::billing(organization),
        "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, \
         seats_left = seats_left - :all, \
         cents_left = if_not_exists(cents_left, :unlimited) - :cents, \
         version = version + :one, changed_version = version + :one, changed_by = :by, \
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
            (":by", text(by)),
        ],
    )
}

/// The names of the statuses in a condition. There are no more statuses than these.
const STATUSES: [&str; SubscriptionStatus::ALL.len()] = [
    ":status0", ":status1", ":status2", ":status3", ":status4", ":status5", ":status6", ":status7",
];

/// Says that the subscription takes seats by the policy. [`why`] asks the same of a record.
pub(crate) fn takes_seats_condition(policy: &BillingPolicy, now: Timestamp) -> Condition {
    let mut values: Values = Vec::with_capacity(STATUSES.len());
    let mut expression = String::with_capacity(512);
    expression.push_str("(subscription_status IN (");
    for (n, (name, status)) in STATUSES.into_iter().zip(policy.statuses()).enumerate() {
        expression.push_str(if n > 0 { ", " } else { "" });
        expression.push_str(name);
        values.push((name, text(status.as_str())));
    }
    // One that is linked past due counts from when that is seen.
    expression.push_str(
        ") AND (subscription_status <> :past_due OR attribute_not_exists(past_due_since) \
         OR past_due_since > :cutoff))",
    );
    values.push((":past_due", text(SubscriptionStatus::PastDue.as_str())));
    values.push((":cutoff", text(micros(policy.cutoff(now)))));
    if !policy.takes_paused_collection() {
        expression.push_str(" AND attribute_not_exists(collection_paused)");
    }
    Condition { expression: expression.into(), values }
}

/// Adds to a condition what a quote asks of the record.
fn add_terms(condition: &mut Condition, quoted: Option<Quoted>) {
    match quoted {
        None => {}
        Some(Quoted::Expired) => {
            // No record is below its first version.
            condition.expression.to_mut().push_str(" AND version < :zero");
            condition.values.push((":zero", number(0)));
        }
        Some(Quoted::Terms { version, proration }) => {
            condition.expression.to_mut().push_str(" AND version = :quoted AND ");
            condition.expression.to_mut().push_str(if proration == ProrationBehavior::default() {
                "(attribute_not_exists(proration_behavior) OR proration_behavior = :proration)"
            } else {
                "proration_behavior = :proration"
            });
            condition.values.push((":quoted", number(version)));
            condition.values.push((":proration", text(proration.as_str())));
        }
    }
}

/// Whether a record is what a quote asks of it.
fn holds(row: &BillingRow, quoted: Option<Quoted>) -> bool {
    match quoted {
        None => true,
        Some(Quoted::Expired) => false,
        Some(Quoted::Terms { version, proration }) => {
            let current = rows::proration(row.proration_behavior.as_deref());
            row.version == version && current == Ok(proration)
        }
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
    if !takes_seats(row, commit.policy, commit.now) {
        CommitRefusal::NoBilling
    } else if !holds(row, commit.quoted) {
        CommitRefusal::QuoteExpired
    } else if i128::from(row.seats_left) < i128::from(counts.total()) {
        CommitRefusal::SeatLimitReached
    } else {
        CommitRefusal::SpendingLimitReached
    }
}

/// Whether the subscription takes seats by the policy.
pub(crate) fn takes_seats(row: &BillingRow, policy: &BillingPolicy, now: Timestamp) -> bool {
    let status = row.subscription_status.as_deref().map(str::parse);
    let Some(Ok(status)) = status else { return false };
    let standing = Standing {
        status,
        collection_paused: row.collection_paused,
        cancel_at_period_end: row.cancel_at_period_end,
        period: None,
    };
    // A time that cannot be read sorts as a text in the condition, before or after the cutoff.
    let since = row.past_due_since.as_deref().map(|since| since.parse().unwrap_or(Timestamp::MIN));
    policy.check(&standing, since, now).is_ok()
}
