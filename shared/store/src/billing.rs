//! The billing record, as sync-billing and stripe-webhook read and write it.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::{
    Attempt, BillingError, BillingLedger, BillingRecord, LedgerUnavailable, LinkedSubscription,
    Recorded, Standing, SubscriptionLedger, TakenUpdate,
};
use headcount_model::history::{Change, Outcome, Told};
use headcount_model::id::{OrganizationId, micros};
use jiff::Timestamp;
use serde::Serialize;

use crate::history::{ChangeRow, ToldRow};
use crate::key::Key;
use crate::rows::{AttemptRow, BillingRow};
use crate::standing;
use crate::table::Table;
use crate::transaction::{Item, number, text};

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

    async fn begin(
        &self,
        record: &BillingRecord,
        attempt: &Attempt,
        paced_until: Timestamp,
        now: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        let entry = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(AttemptRow::from(attempt));
        let entry: AttributeValue = entry.map_err(|error| LedgerUnavailable(error.to_string()))?;
        let mut update = self
            .update_billing(&record.organization, now)
            .update_expression("SET attempt = :attempt, paced_until = :paced, updated_at = :now")
            .expression_attribute_values(":attempt", entry)
            .expression_attribute_values(":paced", text(micros(paced_until)))
            .expression_attribute_values(":applied", number(record.applied_version));
        let mut unchanged = "applied_version = :applied".to_owned();
        let known = [
            ("stripe_subscription", ":subscription", record.subscription.clone()),
            ("paced_until", ":paced_from", record.paced_until.map(micros)),
            (
                "attempt.idempotency_key",
                ":key",
                record.attempt.as_ref().map(|attempt| attempt.key.clone()),
            ),
        ];
        for (attribute, name, value) in known {
            match value {
                Some(value) => {
                    unchanged.push_str(&format!(" AND {attribute} = {name}"));
                    update = update.expression_attribute_values(name, text(value));
                }
                None => {
                    let attribute = attribute.trim_end_matches(".idempotency_key");
                    unchanged.push_str(&format!(" AND attribute_not_exists({attribute})"));
                }
            }
        }
        Ok(recorded(conditional(update.condition_expression(unchanged)).await?))
    }

    async fn keep_changes(
        &self,
        organization: &OrganizationId,
        changes: &[Change],
    ) -> Result<(), LedgerUnavailable> {
        for change in changes {
            self.keep(&ChangeRow::new(organization, change)).await?;
        }
        Ok(())
    }

    async fn keep_told(
        &self,
        organization: &OrganizationId,
        told: &Told,
    ) -> Result<(), LedgerUnavailable> {
        let row = ToldRow::new(organization, told);
        match &told.outcome {
            Outcome::Told => self.keep(&row).await,
            // It may be that the same version is told in parts, or refused, more than once.
            Outcome::Partly | Outcome::Failed { .. } => self.keep_newest(row).await,
        }
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
                " REMOVE behind_since, behind_shard, last_error, attempt",
            )
            .condition_expression("attempt.idempotency_key = :key AND version = :version");
        if conditional(caught_up).await? {
            return Ok(Recorded::Yes);
        }
        // What is left was added since this writer read the record, so that it is behind from now.
        // An organization that never rests would seem to have been behind since its first change.
        let still_behind = self
            .record_update(
                organization,
                update,
                now,
                ", behind_since = :now REMOVE last_error, attempt",
            )
            .condition_expression("attempt.idempotency_key = :key AND version > :version");
        Ok(recorded(conditional(still_behind).await?))
    }

    async fn record_failure(
        &self,
        organization: &OrganizationId,
        attempt: Option<&str>,
        error: &BillingError,
        now: Timestamp,
    ) -> Result<(), LedgerUnavailable> {
        let entry = std::collections::HashMap::from([
            ("code".to_owned(), text(&error.code)),
            ("message".to_owned(), text(&error.message)),
            ("at".to_owned(), text(micros(now))),
        ]);
        let set = "SET last_error = :error, updated_at = :now";
        let update = self
            .update_billing(organization, now)
            .expression_attribute_values(":error", AttributeValue::M(entry));
        let update = match attempt {
            Some(key) => update
                .update_expression(format!("{set} REMOVE attempt"))
                .condition_expression("attempt.idempotency_key = :key")
                .expression_attribute_values(":key", text(key)),
            None => update.update_expression(set).condition_expression("attribute_exists(pk)"),
        };
        // Without a record there is nothing to write the error on; the message's own fate (the
        // dead-letter queue) tells of it.
        conditional(update).await.map(|_| ())
    }
}

impl Table {
    /// Keeps an entry of the history, unless it is there already.
    async fn keep(&self, row: &impl Serialize) -> Result<(), LedgerUnavailable> {
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row);
        let item = item.map_err(|error| LedgerUnavailable(error.to_string()))?;
        let put = self
            .client
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(LedgerUnavailable(DisplayErrorContext(&error).to_string())),
        }
    }

    /// Keeps an entry of the history in the place of an earlier one of its kind, and counts them.
    async fn keep_newest(&self, row: ToldRow) -> Result<(), LedgerUnavailable> {
        let key = row.key.attributes();
        let item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row)
            .map_err(|error| LedgerUnavailable(error.to_string()))?;
        let mut update = self.client.update_item().table_name(&*self.name).set_key(Some(key));
        let mut set = Vec::with_capacity(item.len());
        let fields = item.into_iter().filter(|(name, _)| name != "pk" && name != "sk");
        for (n, (name, value)) in fields.enumerate() {
            set.push(format!("#f{n} = :f{n}"));
            update = update
                .expression_attribute_names(format!("#f{n}"), name)
                .expression_attribute_values(format!(":f{n}"), value);
        }
        let set = set.join(", ");
        let update = update
            .update_expression(format!("SET {set} ADD times :one"))
            .expression_attribute_values(":one", number(1));
        update
            .send()
            .await
            .map(|_| ())
            .map_err(|error| LedgerUnavailable(DisplayErrorContext(&error).to_string()))
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
        let unchanged = standing::unchanged(&linked.subscription, linked.status_version);
        let mut update = self
            .update_billing(organization, now)
            .update_expression(standing::expression(
                "status_version = :next, updated_at = :now",
                standing,
            ))
            .condition_expression(unchanged.expression)
            .expression_attribute_values(":next", number(linked.status_version + 1));
        for (name, value) in standing::values(standing).into_iter().chain(unchanged.values) {
            update = update.expression_attribute_values(name, value);
        }
        Ok(recorded(conditional(update).await?))
    }
}

fn recorded(is_recorded: bool) -> Recorded {
    if is_recorded { Recorded::Yes } else { Recorded::Overtaken }
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
        let mut set = "SET applied_version = :version, told_basic = :told_basic, \
                       told_premium = :told_premium, updated_at = :now"
            .to_owned();
        let mut builder = self
            .update_billing(organization, now)
            .expression_attribute_values(":key", text(&update.key))
            .expression_attribute_values(":version", number(update.version))
            .expression_attribute_values(":told_basic", number(update.seats.basic))
            .expression_attribute_values(":told_premium", number(update.seats.premium));
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
