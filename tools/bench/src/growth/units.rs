//! What the table charges: told by the embedded DynamoDB, and reckoned by the published rule.

use std::path::Path;

use dynoxide::Database;
use serde_json::Value;

use super::Units;
use super::database::{Charge, Embedded};
use crate::answers;
use crate::aws::Aws;
use crate::failure::Failure;
use crate::measure::start;
use crate::subject::{Places, Subject, Transport};

/// The functions that use the table on behalf of a create.
const FUNCTIONS: [&str; 4] =
    ["create-seats", "create-agency-account", "create-account", "sync-billing"];

pub(super) async fn count(places: &Places, folder: &Path) -> Result<Vec<Units>, Failure> {
    let mut units = Vec::new();
    for name in FUNCTIONS {
        units.push(of(&places.subject(name)?, folder).await?);
    }
    Ok(units)
}

async fn of(subject: &Subject, folder: &Path) -> Result<Units, Failure> {
    let table = Embedded::with(Database::memory()?, items(subject))?;
    let aws = Aws::start(table.clone(), folder).await?;
    let mut session = start(subject, Transport::Plain, &aws, &folder.join("growth.log")).await?;
    subject.check(&session.invoke(&subject.event()?).await?.body)?;
    let charges = table.take_charges();
    let of = |operations: [&str; 2]| {
        let wanted = |charge: &&Charge| operations.contains(&charge.operation.as_str());
        charges.iter().filter(wanted).collect::<Vec<_>>()
    };
    let reads = of(["GetItem", "BatchGetItem"]);
    let writes = of(["TransactWriteItems", "UpdateItem"]);
    Ok(Units {
        function: subject.name.clone(),
        write_units_milli: writes.iter().map(|charge| charge.table_milli).sum(),
        index_write_units_milli: writes.iter().map(|charge| charge.index_milli).sum(),
        read_units_milli: reads.iter().map(|charge| charge.table_milli).sum(),
        write_units_by_rule_milli: writes.iter().map(|charge| 1_000 * rule(charge)).sum(),
        stored_bytes: writes.iter().flat_map(|charge| puts(charge)).map(size_of_item).sum(),
    })
}

/// A table in which the organization is in step with Stripe when seats are to be created, so that
/// the create puts it into the index `behind`.
fn items(subject: &Subject) -> Vec<Value> {
    let mut items = answers::items();
    if subject.name == "create-seats" {
        for item in items.iter_mut().filter(|item| item["sk"]["S"] == "BILLING") {
            item["applied_version"] = item["version"].clone();
            if let Some(item) = item.as_object_mut() {
                item.remove("behind_since");
                item.remove("behind_shard");
            }
        }
    }
    items
}

/// The items that a transaction puts.
fn puts(charge: &Charge) -> impl Iterator<Item = &Value> {
    let actions = charge.request["TransactItems"].as_array().into_iter().flatten();
    actions.map(|action| &action["Put"]["Item"]).filter(|item| !item.is_null())
}

/// Write units of the table by the rule: one for each KiB of an item, twice in a transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>).
/// What is updated or checked here has less than one KiB.
fn rule(charge: &Charge) -> u64 {
    let Some(actions) = charge.request["TransactItems"].as_array() else { return 1 };
    let units = |action: &Value| match &action["Put"]["Item"] {
        Value::Null => 1,
        item => size_of_item(item).div_ceil(1_024),
    };
    actions.iter().map(|action| 2 * units(action)).sum()
}

/// The bytes of an item
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
fn size_of_item(item: &Value) -> u64 {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| length(name) + size_of(value)).sum()
}

fn size_of(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => length(text),
        ("N", Value::String(number)) => length(number).div_ceil(2) + 1,
        ("L", Value::Array(elements)) => 3 + elements.iter().map(|e| 1 + size_of(e)).sum::<u64>(),
        ("M", Value::Object(members)) => {
            3 + members.iter().map(|(name, e)| 1 + length(name) + size_of(e)).sum::<u64>()
        }
        _ => 1,
    }
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_as_large_as_its_names_and_values() {
        let item = json!({"pk": {"S": "é"}, "n": {"N": "1234"}, "b": {"BOOL": true}, "l": {"L": [{"S": "ab"}]}});
        assert_eq!(size_of_item(&item), (2 + 2) + (1 + 3) + (1 + 1) + (1 + 3 + 1 + 2));
    }

    #[test]
    fn a_transaction_costs_twice_and_each_kibibyte_counts() {
        let put = |text: &str| json!({"Put": {"Item": {"pk": {"S": text}}}});
        let of = |actions: Value| Charge {
            operation: "TransactWriteItems".to_owned(),
            request: json!({"TransactItems": actions}),
            table_milli: 0,
            index_milli: 0,
        };
        assert_eq!(rule(&of(json!([put("a"), {"Update": {}}]))), 4);
        assert_eq!(rule(&of(json!([put(&"a".repeat(1_022))]))), 2);
        assert_eq!(rule(&of(json!([put(&"a".repeat(1_023))]))), 4);
    }
}
