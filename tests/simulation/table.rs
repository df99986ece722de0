//! The way from the AWS SDK to the embedded DynamoDB: in this process, without a socket, with
//! everything that can go wrong on it. And back: the stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{
    AsyncSleep, BehaviorVersion, HttpClient, Region, RuntimeComponents, Sleep,
};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::encode_shard_iterator;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::storage_backend::ManualClock;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::{Fault, Side};
use crate::kernel::{Kernel, lock};
use crate::world::World;

/// Its name.
pub(crate) const TABLE: &str = "headcount";

/// An item as DynamoDB writes it in JSON.
pub(crate) type Row = serde_json::Map<String, Value>;

/// What takes new records of the stream.
type Reader = Arc<dyn Fn(Vec<Value>) + Send + Sync>;

/// The embedded DynamoDB with the table of template.yaml. Clones are the same.
#[derive(Clone)]
pub(crate) struct Dynamo {
    world: World,
    database: Database,
    stream: Arc<Mutex<Stream>>,
}

#[derive(Default)]
struct Stream {
    position: i64,
    reader: Option<Reader>,
}

impl std::fmt::Debug for Dynamo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dynamo")
    }
}

impl Dynamo {
    /// An empty table.
    pub(crate) fn new(world: &World) -> Self {
        // The stream is numbered by this clock.
        let clock = ManualClock::new(1).arc();
        let database = Database::memory_with_clock(clock).expect("an embedded database");
        let table = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "behind_shard", "AttributeType": "S"},
                {"AttributeName": "behind_since", "AttributeType": "S"}
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"}
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "behind",
                "KeySchema": [
                    {"AttributeName": "behind_shard", "KeyType": "HASH"},
                    {"AttributeName": "behind_since", "KeyType": "RANGE"}
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"}
            }],
            "StreamSpecification":
                {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        });
        let request = serde_json::from_value(table).expect("a table");
        database.create_table(request).expect("a table");
        Self { world: world.clone(), database, stream: Arc::default() }
    }

    /// Hands every record from now on to `reader`.
    pub(crate) fn follow(&self, reader: impl Fn(Vec<Value>) + Send + Sync + 'static) {
        self.records();
        lock(&self.stream).reader = Some(Arc::new(reader));
    }

    /// Hands on nothing any more.
    pub(crate) fn unfollow(&self) {
        lock(&self.stream).reader = None;
    }

    /// A client of the AWS SDK, as production configures it but for the way.
    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url("http://dynamodb.invalid")
            .allow_no_auth()
            .timeout_config(headcount_store::time_limits())
            // The bucket of retries would be shared by all runs of the process.
            .retry_partition(RetryPartition::custom("simulation").build())
            .sleep_impl(VirtualSleep(self.world.kernel.clone()))
            .http_client(self.clone())
            .build();
        Client::from_conf(config)
    }

    /// Every item, without anything going wrong.
    pub(crate) fn items(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut request = json!({"TableName": TABLE, "ConsistentRead": true});
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let request: ScanRequest = serde_json::from_value(request).expect("a scan");
            let page = self.database.scan(request).expect("the table answers");
            let mut page = serde_json::to_value(page).expect("a page");
            let Value::Array(items) = page["Items"].take() else { unreachable!("a list") };
            rows.extend(items.into_iter().filter_map(|item| match item {
                Value::Object(row) => Some(row),
                _ => None,
            }));
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return rows;
            }
        }
    }

    /// An item, without anything going wrong.
    pub(crate) fn item(&self, pk: &str, sk: &str) -> Option<Row> {
        let key = json!({"TableName": TABLE, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
        let (_, answer) = self.execute("GetItem", key.to_string().as_bytes());
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        answer["Item"].as_object().cloned()
    }

    /// Sets an attribute by hand.
    pub(crate) fn set(&self, pk: &str, sk: &str, name: &str, value: &Value) {
        let update = json!({
            "TableName": TABLE,
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "UpdateExpression": "SET #name = :value",
            "ExpressionAttributeNames": {"#name": name},
            "ExpressionAttributeValues": {":value": value}
        });
        let (status, answer) = self.execute("UpdateItem", update.to_string().as_bytes());
        assert_eq!(status, 200, "{answer}");
        self.publish();
    }

    /// Carries out an operation: status and body of the answer.
    fn execute(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let database = &self.database;
        let result = match operation {
            "GetItem" => act(body, |request| database.get_item(request)),
            "BatchGetItem" => act(body, |request| database.batch_get_item(request)),
            "Query" => act(body, |request| database.query(request)),
            "PutItem" => act(body, |request| database.put_item(request)),
            "UpdateItem" => act(body, |request| database.update_item(request)),
            "TransactWriteItems" => act(body, |request| database.transact_write_items(request)),
            other => unreachable!("no function asks for {other}"),
        };
        result.map_or_else(|error| (error.status_code(), error.to_json()), |body| (200, body))
    }

    /// Hands new records of the stream on.
    fn publish(&self) {
        let reader = lock(&self.stream).reader.clone();
        if let Some(reader) = reader {
            let records = self.records();
            if !records.is_empty() {
                reader(records);
            }
        }
    }

    /// The records since they were read last.
    fn records(&self) -> Vec<Value> {
        let mut stream = lock(&self.stream);
        let shard = dynoxide::streams::shard_id(TABLE);
        let iterator = encode_shard_iterator(TABLE, &shard, stream.position);
        let request = GetRecordsRequest { shard_iterator: iterator, limit: None };
        let page = self.database.get_records(request).expect("the stream answers");
        let records: Vec<Value> = page
            .records
            .into_iter()
            .map(|record| {
                let mut record = serde_json::to_value(record).expect("a record");
                // The embedded table numbers events at random.
                let number = record["dynamodb"]["SequenceNumber"].clone();
                record["eventID"] = number;
                record
            })
            .collect();
        let last = records.last().and_then(|record| record["dynamodb"]["SequenceNumber"].as_str());
        if let Some(last) = last {
            // 21 digits, of which the first is an offset.
            stream.position = last[1..].parse().expect("a number");
        }
        records
    }

    /// One attempt of the SDK.
    async fn attempt(self, operation: String, body: Vec<u8>) -> Result<(u16, String), Broken> {
        let side = match operation.as_str() {
            "TransactWriteItems" => Side::Transaction,
            "PutItem" | "UpdateItem" => Side::Write,
            _ => Side::Read,
        };
        let world = self.world.clone();
        let fault = world.depart(side).await;
        let Some(fault) = fault else {
            let answer = self.carry_out(&operation, &body);
            world.note(format_args!("{operation} -> {}", answer.0));
            world.travel(side).await;
            return Ok(answer);
        };
        world.note(format_args!("{operation} {fault:?}"));
        let effect = {
            let operation = operation.clone();
            let (dynamo, body) = (self.clone(), body.clone());
            move || {
                let answer = dynamo.carry_out(&operation, &body);
                dynamo.world.note(format_args!("{operation} arrives -> {}", answer.0));
            }
        };
        world.carry_out(fault, effect).await;
        match fault {
            Fault::Throttled if operation == "BatchGetItem" => Ok((200, unprocessed(&body))),
            Fault::Throttled => Ok((400, error("ThrottlingException", "Too fast"))),
            Fault::Conflict if side == Side::Transaction => Ok((400, conflict(&world, &body))),
            Fault::Conflict => Ok((400, error("TransactionConflictException", "Conflict"))),
            Fault::Broken(_) => Err(Broken),
            _ => Ok((500, error("InternalServerError", "Internal server error"))),
        }
    }

    fn carry_out(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let answer = self.execute(operation, body);
        if answer.0 == 200 && !matches!(operation, "GetItem" | "BatchGetItem" | "Query") {
            self.publish();
        }
        answer
    }
}

fn act<Request: DeserializeOwned, Response: Serialize>(
    body: &[u8],
    act: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body).expect("a request of the SDK");
    act(request).map(|response| serde_json::to_string(&response).expect("a response"))
}

fn error(kind: &str, message: &str) -> String {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    json!({"__type": kind, "message": message}).to_string()
}

/// What a batch is answered of which nothing was read, because the table was asked too fast
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
fn unprocessed(body: &[u8]) -> String {
    let request: Value = serde_json::from_slice(body).expect("a request");
    json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]}).to_string()
}

/// A transaction that conflicts on one of its items
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
fn conflict(world: &World, body: &[u8]) -> String {
    let request: HashMap<String, Value> = serde_json::from_slice(body).expect("a request");
    let count = request["TransactItems"].as_array().expect("actions").len() as u64;
    let (at, in_progress) = world.kernel.draw(|rng| (rng.below(count), rng.chance(200)));
    if in_progress {
        return error("TransactionInProgressException", "In progress");
    }
    let code = |n| if n == at { "TransactionConflict" } else { "None" };
    let reasons: Vec<_> = (0..count).map(|n| json!({"Code": code(n)})).collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons
    })
    .to_string()
}

/// The connection broke.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection broke")
    }
}

impl std::error::Error for Broken {}

impl HttpConnector for Dynamo {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let dynamo = self.clone();
        HttpConnectorFuture::new(async move {
            let attempt = dynamo.attempt(operation, body).await;
            let (status, body) = attempt.map_err(|broken| ConnectorError::io(broken.into()))?;
            let status = status.try_into().expect("a status");
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

impl HttpClient for Dynamo {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// The SDK sleeps in virtual time.
#[derive(Debug)]
struct VirtualSleep(Kernel);

impl AsyncSleep for VirtualSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.0.sleep(duration))
    }
}

/// The text of an attribute, or of its number; empty when there is none.
pub(crate) fn text<'r>(row: &'r Row, name: &str) -> &'r str {
    let value = row.get(name).and_then(Value::as_object);
    let value = value.and_then(|value| value.get("S").or_else(|| value.get("N")));
    value.and_then(Value::as_str).unwrap_or_default()
}

/// The number of an attribute; 0 when there is none.
pub(crate) fn number(row: &Row, name: &str) -> i64 {
    text(row, name).parse().unwrap_or(0)
}
