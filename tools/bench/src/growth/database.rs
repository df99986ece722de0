//! An embedded DynamoDB behind the endpoint, which tells what each call would be charged.

use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use dynoxide::{Database, DynoxideError, Item};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answers::{self, TABLE};
use crate::backend::{Backend, Reply, Replying};
use crate::failure::Failure;

/// What the index `accounts` has of an account besides its keys.
const LISTED: [&str; 10] = [
    "id",
    "email",
    "name",
    "type",
    "status",
    "currency",
    "timezone",
    "language",
    "created_at",
    "updated_at",
];

/// The table, as template.yaml has it.
#[derive(Clone)]
pub(super) struct Embedded {
    pub(super) database: Database,
    charged: Arc<Mutex<Vec<Charge>>>,
}

/// What one call was charged.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    pub(super) operation: String,
    pub(super) request: Value,
    /// Units of the table, in thousandths.
    pub(super) table_milli: u64,
    /// Units of its indexes, in thousandths.
    pub(super) index_milli: u64,
}

impl Embedded {
    /// Makes the table in an empty database, with these items.
    pub(super) fn with(database: Database, items: Vec<Value>) -> Result<Self, Failure> {
        let names = ["pk", "sk", "behind_shard", "behind_since", "listed_as"];
        let attributes = names.map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
        let table = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": keys("pk", "sk"),
            "GlobalSecondaryIndexes": [{
                "IndexName": "behind",
                "KeySchema": keys("behind_shard", "behind_since"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }, {
                "IndexName": "accounts",
                "KeySchema": keys("sk", "listed_as"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": LISTED},
            }],
        });
        database.create_table(serde_json::from_value(table)?)?;
        let items: Vec<Item> =
            items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
        database.import_items(TABLE, items, Default::default())?;
        Ok(Self { database, charged: Arc::default() })
    }

    /// What was charged since the last look.
    pub(super) fn take_charges(&self) -> Vec<Charge> {
        std::mem::take(&mut *self.charged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn call(&self, operation: &str, body: &[u8]) -> Result<Value, DynoxideError> {
        let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let database = &self.database;
        let answer = match operation {
            "GetItem" => told(database.get_item(read(&request)?)?),
            "BatchGetItem" => told(database.batch_get_item(read(&request)?)?),
            "Query" => told(database.query(read(&request)?)?),
            "PutItem" => told(database.put_item(read(&request)?)?),
            "UpdateItem" => told(database.update_item(read(&request)?)?),
            "TransactWriteItems" => told(database.transact_write_items(read(&request)?)?),
            // Queues, buses and secrets are not the table's.
            _ => Ok(answers::of_aws(operation, body)),
        }?;
        let charge = charge(operation, request, &answer["ConsumedCapacity"]);
        self.charged.lock().unwrap_or_else(PoisonError::into_inner).push(charge);
        Ok(answer)
    }
}

fn keys(hash: &str, range: &str) -> Value {
    json!([
        {"AttributeName": hash, "KeyType": "HASH"},
        {"AttributeName": range, "KeyType": "RANGE"},
    ])
}

fn read<T: DeserializeOwned>(request: &Value) -> Result<T, DynoxideError> {
    T::deserialize(request).map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

fn told(answer: impl Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn charge(operation: &str, request: Value, capacity: &Value) -> Charge {
    let tables: Vec<&Value> = match capacity {
        Value::Array(tables) => tables.iter().collect(),
        Value::Null => Vec::new(),
        table => vec![table],
    };
    let milli = |units: &Value| (units.as_f64().unwrap_or_default() * 1_000.0).round() as u64;
    let indexes = |table: &&Value| {
        let indexes = table["GlobalSecondaryIndexes"].as_object().into_iter().flatten();
        indexes.map(|(_, index)| milli(&index["CapacityUnits"])).sum::<u64>()
    };
    Charge {
        operation: operation.to_owned(),
        request,
        table_milli: tables.iter().map(|table| milli(&table["Table"]["CapacityUnits"])).sum(),
        index_milli: tables.iter().map(indexes).sum(),
    }
}

impl Backend for Embedded {
    fn answer(&self, operation: &str, body: Bytes) -> Replying {
        let reply = match self.call(operation, &body) {
            Ok(answer) => Reply::done(answer),
            Err(error) => Reply {
                status: StatusCode::from_u16(error.status_code())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                body: error.to_json(),
            },
        };
        Box::pin(ready(reply))
    }
}
