//! The end of setups: a seat under its version, and the audit entry.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use headcount_model::id::{OrganizationId, SeatId, micros};
use headcount_model::seats::{Decision, NotRecorded, SeatStatus, SetupState, Setups};
use headcount_model::text::Text;
use serde::Deserialize;

use crate::credentials::decode;
use crate::key::Key;
use crate::rows::AuditRow;
use crate::table::Table;
use crate::transaction::{Condition, Refused, number, put, text, unchanged};

/// What of a seat decides about a result.
#[derive(Deserialize)]
struct StateRow {
    status: String,
    #[serde(default)]
    version: u64,
    #[serde(default)]
    setup_version: u64,
}

impl Setups for Table {
    async fn setup_state(
        &self,
        organization: &OrganizationId,
        id: &SeatId,
    ) -> Result<Option<SetupState>, NotRecorded> {
        let item = self.get(&Key::seat(organization, id)).await;
        let Some(item) = item.map_err(|_| NotRecorded::Unavailable)? else { return Ok(None) };
        let row: StateRow = decode(item).map_err(|_| NotRecorded::Unavailable)?;
        Ok(Some(SetupState {
            status: row.status,
            version: row.version,
            request: row.setup_version,
        }))
    }

    async fn decide_setup(&self, decision: Decision<'_>) -> Result<(), NotRecorded> {
        match self.transact(|| actions(self, &decision)).await {
            Ok(()) => Ok(()),
            // Should it be the audit entry, the random source repeats itself; the next try has another.
            Err(Refused::Conditions(_)) => Err(NotRecorded::Changed),
            Err(Refused::Throttled | Refused::Unavailable) => Err(NotRecorded::Unavailable),
        }
    }
}

fn actions(table: &Table, decision: &Decision<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    let row = AuditRow::new(&decision.result.organization, &decision.audit);
    Ok(vec![decide(table, decision)?, put(table, &row, Condition::absent())?])
}

/// Decides about a seat that is still what was read, and waits for its setup.
fn decide(table: &Table, decision: &Decision<'_>) -> Result<TransactWriteItem, Refused> {
    let result = decision.result;
    let condition = format!("#status = :pending AND ({})", unchanged(decision.read));
    let update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::seat(&result.organization, &result.id).attributes()))
        .condition_expression(condition)
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":pending", text(SeatStatus::Pending.as_str()))
        .expression_attribute_values(":version", number(decision.read))
        .expression_attribute_values(":next", number(decision.read + 1))
        .expression_attribute_values(":now", text(micros(decision.audit.at)))
        .expression_attribute_values(":decided", text(result.outcome.status().as_str()))
        // What it is instead is read again.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None);
    let set = "SET #status = :decided, version = :next, updated_at = :now";
    let update = match result.kept_reason().map(Text::as_str) {
        Some(reason) => update
            .update_expression(format!("{set}, setup_error = :reason"))
            .expression_attribute_values(":reason", text(reason)),
        None => update.update_expression(format!("{set} REMOVE setup_error")),
    };
    let update = update.build().map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
