//! The billing record, as sync-billing reads and writes it.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use headcount_model::billing::{
    BillingError, BillingLedger, BillingRecord, LedgerUnavailable, Recorded,
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
        let output = self
            .client
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(Key::billing(organization).attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| LedgerUnavailable(DisplayErrorContext(&error).to_string()))?;
        output
            .item
            .map(|item| {
                let row: BillingRow = serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
                    .map_err(|error| LedgerUnavailable(error.to_string()))?;
                BillingRecord::try_from(row).map_err(|error| LedgerUnavailable(error.to_string()))
            })
            .transpose()
    }

    async fn record_applied(
        &self,
        organization: &OrganizationId,
        from: u64,
        version: u64,
        now: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        // First the usual case: nothing was added meanwhile, so the record is no longer behind.
        let caught_up = self
            .update_billing(organization, now)
            .update_expression(
                "SET applied_version = :version, updated_at = :now \
                 REMOVE behind_since, behind_shard, last_error",
            )
            .condition_expression("applied_version = :from AND version = :version")
            .expression_attribute_values(":from", number(from))
            .expression_attribute_values(":version", number(version));
        if conditional(caught_up).await? {
            return Ok(Recorded::Yes);
        }
        let still_behind = self
            .update_billing(organization, now)
            .update_expression(
                "SET applied_version = :version, updated_at = :now REMOVE last_error",
            )
            .condition_expression("applied_version = :from AND version > :version")
            .expression_attribute_values(":from", number(from))
            .expression_attribute_values(":version", number(version));
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

impl Table {
    fn update_billing(
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
async fn conditional(update: UpdateItemFluentBuilder) -> Result<bool, LedgerUnavailable> {
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
