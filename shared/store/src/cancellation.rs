//! That a subscription ends with its period: the standing of the billing record, the audit entry and the
//! idempotency record in one transaction.

use aws_sdk_dynamodb::types::TransactWriteItem;
use headcount_model::billing::{LinkedSubscription, SubscriptionStatus};
use headcount_model::cancellation::{Billed, Cancellations, NotSettled, Settled};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{OrganizationId, micros};
use headcount_model::idempotency::{Keyed, StoredAnswer};
use headcount_model::right::ManageBilling;
use jiff::Timestamp;

use crate::credentials::{decode, failure};
use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{AuditRow, BillingRow};
use crate::standing;
use crate::table::Table;
use crate::transaction::{Condition, Refused, number, put, text, update};

impl Cancellations for Table {
    async fn billed(
        &self,
        granted: Grant<'_, ManageBilling>,
    ) -> Result<Option<Billed>, LookupFailed> {
        let item = self.get(&Key::billing(granted.tenant())).await.map_err(failure)?;
        let Some(item) = item else { return Ok(None) };
        let row: BillingRow = decode(item)?;
        let (status_version, cancel_at_period_end) = (row.status_version, row.cancel_at_period_end);
        let status = row.subscription_status.and_then(|status| status.parse().ok());
        Ok(row.stripe_subscription.map(|subscription| Billed {
            linked: LinkedSubscription { subscription, status_version },
            customer: row.stripe_customer,
            has_ended: status.is_some_and(SubscriptionStatus::has_ended),
            cancel_at_period_end,
        }))
    }

    async fn answered(
        &self,
        request: &Keyed,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, NotSettled> {
        let item = self.get(&Key::idempotency(&request.name, 0)).await;
        let item = item.map_err(|error| match failure(error) {
            LookupFailed::Throttled => NotSettled::Throttled,
            LookupFailed::Unavailable => NotSettled::Unavailable,
        })?;
        match item.filter(|item| idempotency::is_valid(item, now)) {
            Some(item) => replayed(request, Some(item)).map(Some),
            None => Ok(None),
        }
    }

    async fn settle(
        &self,
        granted: Grant<'_, ManageBilling>,
        settled: &Settled<'_>,
    ) -> Result<Option<StoredAnswer>, NotSettled> {
        let failed = match self.transact(|| actions(self, granted.tenant(), settled)).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed,
            Err(Refused::Throttled) => return Err(NotSettled::Throttled),
            Err(Refused::Unavailable) => return Err(NotSettled::Unavailable),
        };
        if let Some((request, _)) = &settled.record
            && let Some(item) = failed.into_iter().next().flatten()
        {
            return replayed(request, item).map(Some);
        }
        Err(NotSettled::Overtaken)
    }
}

/// What a record that is there already answers.
fn replayed(
    request: &Keyed,
    item: Option<crate::transaction::Item>,
) -> Result<StoredAnswer, NotSettled> {
    match idempotency::found(request, item) {
        Found::Same(answer, _) => Ok(answer),
        Found::Other => Err(NotSettled::KeyReused),
        Found::Unreadable => Err(NotSettled::Unavailable),
    }
}

/// The idempotency record first, as in every transaction that has one.
fn actions(
    table: &Table,
    organization: &OrganizationId,
    settled: &Settled<'_>,
) -> Result<Vec<TransactWriteItem>, Refused> {
    let mut actions = Vec::with_capacity(3);
    if let Some((request, answer)) = &settled.record {
        actions.push(idempotency::record(table, request, 0, answer, settled.now)?);
    }
    let LinkedSubscription { subscription, status_version } = settled.linked;
    let expression =
        standing::expression("status_version = :next, updated_at = :now", settled.standing);
    let mut values = standing::values(settled.standing);
    values.extend([(":next", number(status_version + 1)), (":now", text(micros(settled.now)))]);
    let key = Key::billing(organization);
    let condition = standing::unchanged(subscription, *status_version);
    actions.push(update(table, &key, &expression, condition, values)?);
    if let Some(entry) = &settled.audit {
        actions.push(put(table, &AuditRow::new(organization, entry), Condition::absent())?);
    }
    Ok(actions)
}
