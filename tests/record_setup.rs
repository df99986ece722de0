//! record-setup on the real store: what results of setups make of seats, in whatever order they come.

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::audit::Entry;
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::{AuditId, OrganizationId};
use headcount_model::port::Clock;
use headcount_model::seats::{Decision, NotRecorded, Setups};
use headcount_store::Table;
use headcount_tests::billing::batch;
use headcount_tests::{Call, Fault, Item, Ports, Stage, text_of};
use jiff::SignedDuration;
use record_setup::{Function, Poisoned, decode};
use serde_json::{Value, json};

/// An organization with an API key.
struct Bench {
    stage: Stage,
    organization: OrganizationId,
    api_key: String,
}

impl Bench {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (organization, _) = stage.seats_tenant().await;
        let permissions = [
            Permission::AccountsCreate,
            Permission::AccountsUpdate,
            Permission::AccountsDeactivate,
        ];
        let holder = Holder::Organization(organization.clone());
        let api_key = stage.credential(holder, &permissions).await;
        Self { stage, organization, api_key }
    }

    /// Seats whose setup is asked for.
    async fn create(&self, count: usize) -> Vec<String> {
        let seat = |n| {
            json!({
                "tier": "basic", "platform": "tiktok", "username": format!("u{n}"),
                "pfp_url": "https://example.com/a.jpg", "keywords": "a",
            })
        };
        let accounts: Vec<_> = (0..count).map(seat).collect();
        let call = Call::json(&json!({ "accounts": accounts })).bearer(&self.api_key);
        let reply = call.send(&self.stage.create_seats()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let accounts = reply.json()["data"]["accounts"].as_array().expect("a list").clone();
        accounts.iter().map(|seat| seat["id"].as_str().expect("an id").to_owned()).collect()
    }

    fn function(&self) -> Function<Table, Ports> {
        Function { store: self.stage.table.clone(), ports: self.stage.ports.clone() }
    }

    /// Delivers messages of groups and returns the places of those to deliver again.
    async fn deliver<'a>(&self, messages: &[(&'a str, String)]) -> Vec<String> {
        let messages = messages.iter().map(|(group, body)| (*group, body.clone()));
        let response = self.function().handle(batch(messages), "invocation-1".to_owned()).await;
        let failures = response.expect("every message has an id").batch_item_failures.into_iter();
        failures.map(|failure| failure.item_identifier).collect()
    }

    fn result(&self, id: &str, more: &Value) -> String {
        let mut result = json!({"organization": self.organization.as_str(), "id": id});
        for (name, value) in more.as_object().expect("an object") {
            result[name] = value.clone();
        }
        result.to_string()
    }

    /// Delivers one result, which has to be acknowledged, and returns the status of the seat.
    async fn send(&self, id: &str, more: Value) -> String {
        let message = (self.organization.as_str(), self.result(id, &more));
        assert_eq!(self.deliver(&[message]).await, NONE, "{more}");
        self.status(id).await
    }

    async fn seat(&self, id: &str) -> Item {
        let key = (format!("ORG#{}", self.organization), format!("SEAT#{id}"));
        self.stage.snapshot().await.remove(&key).expect("a seat")
    }

    async fn status(&self, id: &str) -> String {
        text_of(&self.seat(id).await, "status").expect("a status").to_owned()
    }

    /// Sends details again, and returns the number of the setup that this asks for.
    async fn complete(&self, id: &str) -> u64 {
        let update = json!({"accountId": id, "keywords": "again"});
        let call = Call::json(&update).bearer(&self.api_key);
        let reply = call.send(&self.stage.update_seats()).await;
        assert_eq!(reply.json()["data"]["account"]["status"], "pending", "{}", reply.text);
        reply.json()["data"]["account"]["version"].as_u64().expect("a version")
    }

    async fn tag(&self, id: &str) {
        let call = Call::json(&json!({"accountId": id, "tag": "x"})).bearer(&self.api_key);
        assert_eq!(call.send(&self.stage.update_seats()).await.status, 200);
    }

    async fn deactivate(&self, id: &str) {
        let call = Call::json(&json!({ "account_id": id })).bearer(&self.api_key);
        assert_eq!(call.send(&self.stage.deactivate_seats()).await.status, 200);
    }

    async fn audit(&self) -> Vec<Item> {
        let items = self.stage.items_under(&format!("ORG#{}", self.organization)).await;
        let is_ours = |item: &Item| text_of(item, "route") == Some("record-setup");
        items.into_iter().filter(is_ours).collect()
    }
}

const NONE: [&str; 0] = [];
const NOBODYS: &str = "acc_01kgjb9z8rd3m0acme00000000";

#[tokio::test]
async fn a_seat_becomes_what_its_setup_came_to_in_one_transaction() {
    let bench = Bench::new().await;
    let ids = bench.create(2).await;
    let own = bench.organization.as_str();
    let ready = bench.result(&ids[0], &json!({"outcome": "ready", "request": 0}));
    bench.stage.operations.take();
    assert_eq!(bench.deliver(&[(own, ready)]).await, NONE);
    assert_eq!(bench.stage.operations.take(), ["GetItem", "TransactWriteItems"]);
    assert_eq!(bench.status(&ids[0]).await, "initialized");
    // Entries are in the order of their times.
    bench.stage.ports.advance(SignedDuration::from_secs(1));
    let failed = json!({"outcome": "failed", "reason": " no\ndevice ", "request": 0});
    assert_eq!(bench.send(&ids[1], failed).await, "failed");
    let seat = bench.seat(&ids[1]).await;
    assert_eq!(text_of(&seat, "setup_error"), Some("no\ndevice"));
    assert_eq!(seat["version"], AttributeValue::N("1".to_owned()));
    let audit = bench.audit().await;
    assert_eq!(audit.len(), 2);
    let list = |texts: &[&str]| {
        AttributeValue::L(texts.iter().map(|&text| AttributeValue::S(text.to_owned())).collect())
    };
    let fields: [&[&str]; 2] = [&["status"], &["status", "setup_error"]];
    for ((entry, id), fields) in audit.iter().zip(&ids).zip(fields) {
        assert_eq!(entry["objects"], list(&[id]));
        assert_eq!(entry["fields"], list(fields));
        assert_eq!(text_of(entry, "request_id"), Some("invocation-1"));
        assert!(!entry.contains_key("credential"), "nobody called");
    }
    // It is counted as before.
    let (_, basic, premium, version) = bench.stage.seats(&bench.organization).await;
    assert_eq!((basic, premium, version), (2, 0, 1));
}

#[tokio::test]
async fn what_failed_is_completed_again_and_the_old_result_decides_nothing_about_it() {
    let bench = Bench::new().await;
    let ids = bench.create(1).await;
    let id = &ids[0];
    let failed = json!({"outcome": "failed", "reason": "no device", "request": 0});
    assert_eq!(bench.send(id, failed.clone()).await, "failed");
    let request = bench.complete(id).await;
    assert_eq!(request, 2);
    assert!(!bench.seat(id).await.contains_key("setup_error"), "it was about the first setup");
    assert_eq!(bench.send(id, failed.clone()).await, "pending", "late");
    assert_eq!(bench.send(id, json!({"outcome": "ready", "request": 0})).await, "pending");
    // What changes meanwhile asks for nothing anew.
    bench.tag(id).await;
    assert_eq!(bench.send(id, json!({"outcome": "ready", "request": 2})).await, "initialized");
    assert_eq!(bench.send(id, failed).await, "initialized");
    assert_eq!(bench.send(id, json!({"outcome": "failed", "request": 2})).await, "initialized");
    assert_eq!(bench.audit().await.len(), 2, "what changes nothing leaves no entry");
}

#[tokio::test]
async fn a_result_that_does_not_say_what_it_answers_decides_while_the_seat_waits() {
    let bench = Bench::new().await;
    let ids = bench.create(1).await;
    assert_eq!(bench.send(&ids[0], json!({"outcome": "failed"})).await, "failed");
    assert_eq!(bench.send(&ids[0], json!({"outcome": "ready"})).await, "failed", "decided");
    bench.complete(&ids[0]).await;
    let ready = json!({"outcome": "ready", "request": null, "reason": "ignored"});
    assert_eq!(bench.send(&ids[0], ready).await, "initialized");
    assert!(!bench.seat(&ids[0]).await.contains_key("setup_error"));
}

#[tokio::test]
async fn a_seat_that_was_given_back_stays_so_and_one_that_is_set_up_can_be() {
    let bench = Bench::new().await;
    let ids = bench.create(2).await;
    bench.deactivate(&ids[0]).await;
    for outcome in ["ready", "failed"] {
        let sent = bench.send(&ids[0], json!({"outcome": outcome, "request": 0})).await;
        assert_eq!(sent, "deactivated");
    }
    assert_eq!(bench.send(&ids[1], json!({"outcome": "ready"})).await, "initialized");
    bench.deactivate(&ids[1]).await;
    let (_, basic, ..) = bench.stage.seats(&bench.organization).await;
    assert_eq!(basic, 0, "it was counted, and is no more");
    assert_eq!(bench.send(&ids[1], json!({"outcome": "failed"})).await, "deactivated");
}

#[tokio::test]
async fn poison_is_delivered_again_by_itself_and_everything_else_goes_on() {
    let bench = Bench::new().await;
    let ids = bench.create(2).await;
    let own = bench.organization.as_str();
    let ready = json!({"outcome": "ready"});
    let foreign = json!({"organization": "org_01kgjb9z8rd3m0acme00000000", "id": ids[0],
        "outcome": "failed"});
    let messages = [
        (own, "{".to_owned()),
        (own, bench.result(&ids[0], &ready)),
        (own, bench.result(NOBODYS, &ready)),
        ("other", foreign.to_string()),
        (own, bench.result(&ids[1], &json!({"outcome": "ready", "request": 1}))),
        (own, bench.result(&ids[1], &json!({"outcome": "failed"}))),
    ];
    let again = bench.deliver(&messages).await;
    assert_eq!(again, ["message-0", "message-2", "message-4", "message-3"]);
    assert_eq!(bench.status(&ids[0]).await, "initialized");
    assert_eq!(bench.status(&ids[1]).await, "failed");
}

/// Between the read and the transaction the seat was given back, or only given a tag.
#[tokio::test]
async fn a_seat_that_is_not_what_was_read_is_not_decided_about() {
    let bench = Bench::new().await;
    let ids = bench.create(2).await;
    bench.tag(&ids[0]).await;
    bench.deactivate(&ids[1]).await;
    for (id, read) in [(&ids[0], 0), (&ids[1], 1)] {
        let message = bench.result(id, &json!({"outcome": "ready"}));
        let result = decode(&message).expect("a result");
        let audit = Entry {
            id: AuditId::new(&bench.stage.ports, &bench.stage.ports).expect("entropy"),
            credential: None,
            route: "record-setup",
            objects: vec![id],
            fields: &["status"],
            at: bench.stage.ports.now(),
            request_id: "invocation-1",
        };
        let before = bench.stage.snapshot().await;
        let decision = Decision { result: &result, read, audit };
        let decided = bench.stage.table.decide_setup(decision).await;
        assert_eq!(decided, Err(NotRecorded::Changed), "{id}");
        assert_eq!(bench.stage.snapshot().await, before);
    }
    assert_eq!(bench.send(&ids[0], json!({"outcome": "ready", "request": 0})).await, "initialized");
}

/// The seat was decided about, and nobody heard of it.
#[tokio::test]
async fn an_answer_of_the_table_that_gets_lost_is_no_second_entry() {
    let bench = Bench::new().await;
    let ids = bench.create(1).await;
    bench.stage.wire.strike_on("TransactWriteItems", [Fault::AnswerLost]);
    let message =
        (bench.organization.as_str(), bench.result(&ids[0], &json!({"outcome": "ready"})));
    bench.deliver(std::slice::from_ref(&message)).await;
    assert_eq!(bench.deliver(&[message]).await, NONE);
    assert_eq!(bench.status(&ids[0]).await, "initialized");
    assert_eq!(bench.audit().await.len(), 1);
}

#[tokio::test]
async fn the_tables_failure_stops_its_group_and_no_other() {
    let bench = Bench::new().await;
    let ids = bench.create(2).await;
    let own = bench.organization.as_str();
    let messages = [
        (own, bench.result(&ids[0], &json!({"outcome": "ready"}))),
        (own, bench.result(&ids[0], &json!({"outcome": "failed"}))),
    ];
    let before = bench.stage.snapshot().await;
    bench.stage.wire.cut();
    assert_eq!(bench.deliver(&messages).await, ["message-0", "message-1"]);
    bench.stage.wire.mend();
    assert_eq!(bench.stage.snapshot().await, before);
    // In their order, the first decides.
    assert_eq!(bench.deliver(&messages).await, NONE);
    assert_eq!(bench.status(&ids[0]).await, "initialized");
}

#[test]
fn every_fault_of_a_message_is_told() {
    let names = |body: Value| match decode(&body.to_string()) {
        Err(Poisoned::Faults(faults)) => {
            faults.into_iter().map(|fault| fault.field.into_owned()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(names(json!({})), ["organization", "id", "outcome"]);
    let all = json!({"organization": 1, "id": "acc_x", "outcome": "READY", "reason": "\u{0}",
        "request": 0.5, "Request": 1});
    let fields = ["Request", "organization", "id", "outcome", "reason", "request"];
    assert_eq!(names(all), fields);
    let org = "org_01kgjb9z8rd3m0acme00000000";
    let twice = format!(
        r#"{{"organization":"{org}","id":"{NOBODYS}","outcome":"ready","outcome":"failed"}}"#
    );
    for text in ["", "[]", "null", "{", "\"x\"", "{} {}", &twice] {
        assert!(matches!(decode(text), Err(Poisoned::Malformed(_))), "{text}");
    }
}
