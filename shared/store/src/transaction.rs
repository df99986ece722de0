//! One `TransactWriteItems` call and what came of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::config::AsyncSleep;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use headcount_model::port::random;
use jiff::Timestamp;
use serde::Serialize;

use crate::key::Key;
use crate::table::Table;

/// The most actions of one transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub(crate) const MAX_ACTIONS: usize = 100;

/// Never waits longer than this between two tries.
const MAX_WAIT: Duration = Duration::from_millis(400);
/// The wait before the first retry is below this, and doubles.
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// An item as DynamoDB returns it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An expression's value placeholders.
pub(crate) type Values = Vec<(&'static str, AttributeValue)>;

/// A text value.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number value.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Why a transaction did nothing.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Conditions failed. One entry per action, in order: `Some` where its condition failed,
    /// with the item that is there, if any.
    Conditions(Vec<Option<Option<Item>>>),
    /// More writes than the table takes.
    Throttled,
    /// No answer, or one that makes no sense; what happened is unknown.
    Unavailable,
}

/// A condition, with its values.
pub(crate) struct Condition {
    pub(crate) expression: Cow<'static, str>,
    pub(crate) values: Values,
}

impl Condition {
    /// Nothing may be there yet.
    pub(crate) fn absent() -> Self {
        Self { expression: "attribute_not_exists(pk)".into(), values: Vec::new() }
    }
}

/// The condition on a lock that nobody has it, or that it was kept long enough. DynamoDB deletes it some
/// time later, so the condition looks at the time itself.
pub(crate) fn free(now: Timestamp) -> Condition {
    Condition {
        expression: "attribute_not_exists(pk) OR expires_at <= :now".into(),
        values: vec![(":now", number(now.as_second()))],
    }
}

/// The condition on an item that its version, `:version`, is still this one. One without a version
/// was never changed.
pub(crate) fn unchanged(version: u64) -> &'static str {
    if version == 0 {
        "attribute_exists(pk) AND (attribute_not_exists(version) OR version = :version)"
    } else {
        "version = :version"
    }
}

/// Puts a row.
pub(crate) fn put(
    table: &Table,
    row: &impl Serialize,
    condition: Condition,
) -> Result<TransactWriteItem, Refused> {
    put_item(table, encoded(row)?, condition)
}

fn encoded(row: &impl Serialize) -> Result<Item, Refused> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row).map_err(|error| {
        tracing::error!(%error, "a row could not be encoded");
        Refused::Unavailable
    })
}

/// Puts an item.
pub(crate) fn put_item(
    table: &Table,
    item: Item,
    condition: Condition,
) -> Result<TransactWriteItem, Refused> {
    let put = Put::builder()
        .table_name(&*table.name)
        .set_item(Some(item))
        .condition_expression(condition.expression)
        .set_expression_attribute_values(values(condition.values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Puts a row in the place of whatever is there.
pub(crate) fn replace(table: &Table, row: &impl Serialize) -> Result<TransactWriteItem, Refused> {
    let put = Put::builder().table_name(&*table.name).set_item(Some(encoded(row)?));
    let put = put.build().map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Deletes whatever is there.
pub(crate) fn remove(table: &Table, key: &Key) -> Result<TransactWriteItem, Refused> {
    let delete = Delete::builder().table_name(&*table.name).set_key(Some(key.attributes()));
    let delete = delete.build().map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Updates an item by an expression.
pub(crate) fn update(
    table: &Table,
    key: &Key,
    expression: &str,
    condition: Condition,
    expression_values: Values,
) -> Result<TransactWriteItem, Refused> {
    let all = condition.values.into_iter().chain(expression_values);
    let update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(key.attributes()))
        .update_expression(expression)
        .condition_expression(condition.expression)
        .set_expression_attribute_values(values(all.collect()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Deletes an item.
pub(crate) fn delete(
    table: &Table,
    key: &Key,
    condition: Condition,
) -> Result<TransactWriteItem, Refused> {
    let delete = Delete::builder()
        .table_name(&*table.name)
        .set_key(Some(key.attributes()))
        .condition_expression(condition.expression)
        .set_expression_attribute_values(values(condition.values))
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Checks an item without writing it.
pub(crate) fn check(
    table: &Table,
    key: &Key,
    condition: Condition,
) -> Result<TransactWriteItem, Refused> {
    let check = ConditionCheck::builder()
        .table_name(&*table.name)
        .set_key(Some(key.attributes()))
        .condition_expression(condition.expression)
        .set_expression_attribute_values(values(condition.values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}

/// DynamoDB refuses an empty map of values.
pub(crate) fn values(values: Values) -> Option<HashMap<String, AttributeValue>> {
    (!values.is_empty())
        .then(|| values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Table {
    /// Commits all actions or none.
    ///
    /// A conflict with another transaction decides nothing, whatever else the reasons say: it
    /// is tried again with full jitter until the time is up. Each try makes the actions anew,
    /// which keeps the usual case, a single try, from copying them. It is a call of its own with
    /// its own client token; the SDK repeats the token over the retries within a call, so that
    /// an answer that was lost does not commit twice.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) async fn transact(
        &self,
        actions: impl Fn() -> Result<Vec<TransactWriteItem>, Refused>,
    ) -> Result<(), Refused> {
        let began = self.clock.now();
        let mut waited = Duration::ZERO;
        let mut longest_wait = FIRST_WAIT;
        loop {
            let result = self
                .client
                .transact_write_items()
                .set_transact_items(Some(actions()?))
                .send()
                .await;
            let Err(error) = result else { return Ok(()) };
            match classify(&error) {
                Outcome::Refused(refused) => return Err(refused),
                Outcome::Conflict => {
                    // Without randomness the full wait is still a wait.
                    let random = random::<4>(&*self.entropy).map_or(u32::MAX, u32::from_be_bytes);
                    let wait = jitter(longest_wait, random);
                    // A clock that was set back must not make this last for ever.
                    let passed = Duration::try_from(self.clock.now().duration_since(began));
                    let passed = passed.map_or(waited, |passed| passed.max(waited));
                    if passed + wait >= self.conflict_budget {
                        tracing::warn!("conflicts until the time was up");
                        return Err(Refused::Unavailable);
                    }
                    self.sleep.sleep(wait).await;
                    waited += wait;
                    longest_wait = (longest_wait * 2).min(MAX_WAIT);
                }
            }
        }
    }
}

/// The part of `longest` that `random` is of its own range.
fn jitter(longest: Duration, random: u32) -> Duration {
    let micros = longest.as_micros() * u128::from(random) / u128::from(u32::MAX);
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

enum Outcome {
    Conflict,
    Refused(Refused),
}

fn classify(error: &SdkError<TransactWriteItemsError>) -> Outcome {
    if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
        error.as_service_error()
    {
        return classify_reasons(canceled.cancellation_reasons());
    }
    match error.code() {
        Some("TransactionConflictException") => Outcome::Conflict,
        // Our own attempt, whose answer did not come in time, is still at work, also after the
        // SDK's retries. Another call would meet what that one commits, and take it for somebody
        // else's.
        Some("TransactionInProgressException") => {
            tracing::warn!("the transaction is still in progress");
            Outcome::Refused(Refused::Unavailable)
        }
        code if is_throttling(code) => {
            tracing::warn!(code, "the table throttles");
            Outcome::Refused(Refused::Throttled)
        }
        code => {
            // The SDK's own words about the failure, for the log only.
            let cause = aws_sdk_dynamodb::error::DisplayErrorContext(error);
            tracing::error!(code, %cause, "the table did not commit");
            Outcome::Refused(Refused::Unavailable)
        }
    }
}

fn classify_reasons(reasons: &[CancellationReason]) -> Outcome {
    let codes = || reasons.iter().map(CancellationReason::code);
    if codes().any(|code| code == Some("TransactionConflict")) {
        return Outcome::Conflict;
    }
    if codes().any(is_throttling) {
        tracing::warn!("the table throttles");
        return Outcome::Refused(Refused::Throttled);
    }
    let failed: Vec<_> = reasons
        .iter()
        .map(|reason| {
            (reason.code() == Some("ConditionalCheckFailed"))
                .then(|| reason.item().filter(|item| !item.is_empty()).cloned())
        })
        .collect();
    if failed.iter().any(Option::is_some) {
        Outcome::Refused(Refused::Conditions(failed))
    } else {
        let codes: Vec<_> = codes().collect();
        tracing::error!(?codes, "the table cancelled for another reason");
        Outcome::Refused(Refused::Unavailable)
    }
}

/// Codes by which DynamoDB says "too fast", as an error or as a reason to cancel.
pub(crate) fn is_throttling(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ThrottlingException"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str, item: Option<Item>) -> CancellationReason {
        CancellationReason::builder().code(code).set_item(item).build()
    }

    #[test]
    fn a_conflict_outweighs_a_failed_condition() {
        let reasons = [reason("ConditionalCheckFailed", None), reason("TransactionConflict", None)];
        assert!(matches!(classify_reasons(&reasons), Outcome::Conflict));
    }

    #[test]
    fn a_wait_is_anything_up_to_the_longest() {
        let longest = Duration::from_millis(800);
        assert_eq!(jitter(longest, 0), Duration::ZERO);
        assert_eq!(jitter(longest, u32::MAX / 4), Duration::from_micros(199_999));
        assert_eq!(jitter(longest, u32::MAX), longest);
    }

    #[test]
    fn throttling_outweighs_a_failed_condition() {
        let reasons = [reason("ConditionalCheckFailed", None), reason("ThrottlingError", None)];
        assert!(matches!(classify_reasons(&reasons), Outcome::Refused(Refused::Throttled)));
    }

    #[test]
    fn failed_conditions_keep_their_place_and_their_item() {
        let item = Item::from([("pk".to_owned(), text("x"))]);
        let reasons = [
            reason("None", None),
            reason("ConditionalCheckFailed", Some(item.clone())),
            reason("ConditionalCheckFailed", None),
        ];
        let Outcome::Refused(Refused::Conditions(failed)) = classify_reasons(&reasons) else {
            panic!("conditions failed");
        };
        assert_eq!(failed, [None, Some(Some(item)), Some(None)]);
    }

    #[test]
    fn a_reason_that_is_not_known_is_no_refusal_of_the_caller() {
        assert!(matches!(
            classify_reasons(&[reason("ValidationError", None)]),
            Outcome::Refused(Refused::Unavailable)
        ));
    }
}
