//! The billing record, as sync-billing and stripe-webhook read and write it.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::{
    BillingError, BillingLedger, BillingRecord, LedgerUnavailable, LinkedSubscription, Recorded,
    Standing, SubscriptionLedger, SubscriptionStatus, TakenUpdate,
};
use headcount_model::id::{OrganizationId, micros};
use jiff::Timestamp;

use crate::key::Key;
use crate::rows::BillingRow;
use crate::table::Table;
use crate::transaction::{number, text};

impl BillingLedger for Table {
    async fn billing(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<BillingRecord>, LedgerUnavailable> {
        let row = self.read_billing(organization).await?;
        row.map(BillingRecord::try_from)
            .transpose()
            .map_err(|error| LedgerUnavailable(error.to_string()))
    }

    async fn record_applied(
        &self,
        organization: &OrganizationId,
        update: &TakenUpdate,
        now: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        // First the usual case: nothing was added meanwhile, so the record is no longer behind.
        let caught_up = self
            .record_update(
                organization,
                update,
                now,
                " REMOVE behind_since, behind_shard, last_error",
            )
            .condition_expression(format!("{} AND version = :version", untold(update)));
        if conditional(caught_up).await? {
            return Ok(Recorded::Yes);
        }
        // What is left was added since this writer read the record, so that it is behind from now.
        // An organization that never rests would seem to have been behind since its first change.
        let still_behind = self
            .record_update(organization, update, now, ", behind_since = :now REMOVE last_error")
            .condition_expression(format!("{} AND version > :version", untold(update)));
        if conditional(still_behind).await? { Ok(Recorded::Yes) } else { Ok(Recorded::Overtaken) }
    }

    async fn record_failure(
        &self,
        organization: &OrganizationId,
        error: &BillingError,
        now: Timestamp,
    ) -> Result<(), LedgerUnavailable> {
        let entry = std::collections::HashMap::from([
            ("code".to_owned(), text(&error.code)),
            ("message".to_owned(), text(&error.message)),
            ("at".to_owned(), text(micros(now))),
        ]);
        let update = self
            .update_billing(organization, now)
            .update_expression("SET last_error = :error, updated_at = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(
                ":error",
                aws_sdk_dynamodb::types::AttributeValue::M(entry),
            );
        // Without a record there is nothing to write the error on; the message's own fate (the
        // dead-letter queue) tells of it.
        conditional(update).await.map(|_| ())
    }
}

impl SubscriptionLedger for Table {
    async fn linked(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<LinkedSubscription>, LedgerUnavailable> {
        let row = self.read_billing(organization).await?;
        Ok(row.and_then(|row| {
            let subscription = row.stripe_subscription?;
            Some(LinkedSubscription { subscription, status_version: row.status_version })
        }))
    }

    async fn record_standing(
        &self,
        organization: &OrganizationId,
        linked: &LinkedSubscription,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        let update = self
            .update_billing(organization, now)
            .update_expression(standing_expression(standing))
            .condition_expression(if linked.status_version == 0 {
                "stripe_subscription = :subscription \
                 AND (status_version = :from OR attribute_not_exists(status_version))"
            } else {
                "stripe_subscription = :subscription AND status_version = :from"
            })
            .expression_attribute_values(":subscription", text(&linked.subscription))
            .expression_attribute_values(":from", number(linked.status_version))
            .expression_attribute_values(":next", number(linked.status_version + 1))
            .expression_attribute_values(":status", text(standing.status.as_str()))
            .expression_attribute_values(
                ":cancel",
                AttributeValue::Bool(standing.cancel_at_period_end),
            );
        let update = match standing.period {
            Some(period) => update
                .expression_attribute_values(":start", number(period.start))
                .expression_attribute_values(":end", number(period.end)),
            None => update,
        };
        Ok(if conditional(update).await? { Recorded::Yes } else { Recorded::Overtaken })
    }
}

fn standing_expression(standing: &Standing) -> String {
    let mut expression = "SET subscription_status = :status, cancel_at_period_end = :cancel, \
                          status_version = :next, updated_at = :now"
        .to_owned();
    if standing.period.is_some() {
        expression += ", current_period_start = :start, current_period_end = :end";
    }
    // The grace runs from when it was first seen, however often it is seen again.
    expression += match standing.status {
        SubscriptionStatus::PastDue => ", past_due_since = if_not_exists(past_due_since, :now)",
        _ => " REMOVE past_due_since",
    };
    expression
}

/// Says that nobody recorded an update since we began.
fn untold(update: &TakenUpdate) -> &'static str {
    match update.paced_from {
        Some(_) => "applied_version = :from AND paced_until = :paced_from",
        None => "applied_version = :from AND attribute_not_exists(paced_until)",
    }
}

impl Table {
    /// What an update taken by Stripe sets, whether or not the record is still behind, and the
    /// rest of the expression.
    fn record_update(
        &self,
        organization: &OrganizationId,
        update: &TakenUpdate,
        now: Timestamp,
        rest: &str,
    ) -> UpdateItemFluentBuilder {
        let mut set =
            "SET applied_version = :version, paced_until = :paced, updated_at = :now".to_owned();
        let mut builder = self
            .update_billing(organization, now)
            .expression_attribute_values(":from", number(update.from))
            .expression_attribute_values(":version", number(update.version))
            .expression_attribute_values(":paced", text(micros(update.paced_until)));
        if let Some(paced_from) = update.paced_from {
            builder = builder.expression_attribute_values(":paced_from", text(micros(paced_from)));
        }
        if let Some(item) = &update.items.basic {
            set.push_str(", item_basic = :basic");
            builder = builder.expression_attribute_values(":basic", text(item));
        }
        if let Some(item) = &update.items.premium {
            set.push_str(", item_premium = :premium");
            builder = builder.expression_attribute_values(":premium", text(item));
        }
        builder.update_expression(format!("{set}{rest}"))
    }

    pub(crate) async fn read_billing(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<BillingRow>, LedgerUnavailable> {
        let item = self.get(&Key::billing(organization)).await;
        item.map_err(|error| LedgerUnavailable(DisplayErrorContext(&error).to_string()))?
            .map(serde_dynamo::aws_sdk_dynamodb_1::from_item)
            .transpose()
            .map_err(|error| LedgerUnavailable(error.to_string()))
    }

    pub(crate) fn update_billing(
        &self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(Key::billing(organization).attributes()))
            .expression_attribute_values(":now", text(micros(now)))
    }
}

/// Whether a conditional update took place.
pub(crate) async fn conditional(
    update: UpdateItemFluentBuilder,
) -> Result<bool, LedgerUnavailable> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
        {
            Ok(false)
        }
        Err(error) => Err(LedgerUnavailable(DisplayErrorContext(&error).to_string())),
    }
}
