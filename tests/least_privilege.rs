//! What a function asks of the table, and what its role in template.yaml allows it: neither is
//! more than the other. The local AWS does not look at `dynamodb:LeadingKeys`, so that a right
//! which is missing would be noticed on AWS first.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "tests/events.rs uses the rest")]
mod sample_events;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_tests::samples::{SUBSCRIPTION, all, fall_past_due, functions, reply, seed, tenants};
use headcount_tests::{Access, Stage, text_of, weak_hash};
use sample_events::{make_seats, partner, queue, schedule};
use serde_json::Value;

/// A statement of a role about the table: actions, and prefixes of partition keys.
#[derive(Debug, Default)]
struct Statement {
    actions: BTreeSet<String>,
    prefixes: BTreeSet<String>,
}

impl Statement {
    fn allows(&self, (action, pk): &Access) -> bool {
        self.actions.contains(action) && self.covers(pk.as_deref())
    }

    fn covers(&self, pk: Option<&str>) -> bool {
        pk.is_some_and(|pk| self.prefixes.iter().any(|prefix| pk.starts_with(prefix)))
    }
}

/// The words of a list on one line, quotes and stars left out.
fn list(text: &str) -> BTreeSet<String> {
    let words = text.trim_matches(['[', ']']).split(", ");
    words.map(|word| word.trim_matches('"').trim_end_matches('*').to_owned()).collect()
}

/// The statements of a function's role whose resource is the table.
fn statements(function: &str) -> Vec<Statement> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(template).expect("a template");
    let pascal = function.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    let head = format!("  {}Role:", pascal.collect::<String>());
    let role = template.lines().skip_while(|line| *line != head).skip(1);
    let role: Vec<_> = role.take_while(|line| !line.is_empty()).map(str::trim).collect();
    let mut found = Vec::new();
    for statement in role.split(|line| *line == "- Effect: Allow").skip(1) {
        if !statement.contains(&"Resource: !GetAtt Table.Arn") {
            continue;
        }
        let value = |name: &str| statement.iter().find_map(|line| line.strip_prefix(name));
        let condition =
            value(r#"Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "#)
                .unwrap_or_else(|| panic!("{function} may reach every partition: {statement:?}"));
        let actions = list(value("Action: ").expect("actions")).into_iter();
        let actions = actions.map(|action| action.trim_start_matches("dynamodb:").to_owned());
        found.push(Statement {
            actions: actions.collect(),
            prefixes: list(condition.trim_end_matches(" } }")),
        });
    }
    found
}

/// The event of a request without its idempotency key.
fn without_key(event: &Value) -> Value {
    let mut event = event.clone();
    for headers in ["headers", "multiValueHeaders"] {
        if let Some(headers) = event[headers].as_object_mut() {
            headers.retain(|name, _| !name.eq_ignore_ascii_case("idempotency-key"));
        }
    }
    event
}

/// The event of a request without the fields of its body.
fn without_fields(event: &Value) -> Value {
    let mut event = event.clone();
    event["body"] = "{}".into();
    event["isBase64Encoded"] = false.into();
    event
}

/// Makes the seat that an event gives back one that is in use: in the demo it was given back before.
async fn take_again(stage: &Stage, event: &Value) {
    let body: Value =
        serde_json::from_str(event["body"].as_str().unwrap_or_default()).unwrap_or_default();
    let Some(id) = body["account_id"].as_str() else { return };
    make_seats(stage).await;
    let pk = format!("ORG#{}", tenants().1.seats.org);
    let status = AttributeValue::S("uninitialized".to_owned());
    stage.set(&pk, &format!("SEAT#{id}"), "status", status).await;
}

/// Lets the time of all seats come.
async fn let_seats_end(stage: &Stage) {
    let pk = format!("ORG#{}", tenants().1.seats.org);
    for item in stage.items_under(&pk).await {
        if let Some(sk) = text_of(&item, "sk").filter(|sk| sk.starts_with("SEAT#")) {
            let ends_at = AttributeValue::S("2026-02-01T00:00:00.000000Z".to_owned());
            stage.set(&pk, sk, "ends_at", ends_at).await;
        }
    }
}

/// Keeps the password of the account that an event logs in to as a weaker hash than one of today.
async fn weaken(stage: &Stage) {
    let pk = format!("ACCOUNT#{}", tenants().1.identity.account);
    let weak = AttributeValue::S(weak_hash("only for demos and tests", 8));
    stage.set(&pk, "ACCOUNT", "password_hash", weak).await;
}

/// Makes the key that events delete one that works: in the demo it was deleted before.
async fn restore_key(stage: &Stage) {
    let id = tenants().1.seats.deleted_api_key.id().clone();
    let works = AttributeValue::Bool(false);
    stage.set(&format!("CREDENTIAL#{id}"), "CREDENTIAL", "revoked", works).await;
}

/// Makes the account that events close one that is open: in the demo it was closed before.
async fn reopen(stage: &Stage) {
    let id = tenants().1.identity.closed_account;
    stage.forget(&format!("ACCOUNT#{id}"), "ACCOUNT").await;
    stage.account_of_id(&id, "demo.closed").await;
}

/// What a function asks of the table for all its sample events.
async fn asked(function: &str) -> BTreeSet<Access> {
    let mut asked = BTreeSet::new();
    for sample in all().into_iter().filter(|sample| sample.function == function) {
        let stage = Stage::new().await;
        seed(&stage, SUBSCRIPTION).await;
        let event = &sample.event;
        match function {
            "sync-billing" => {
                make_seats(&stage).await;
                stage.operations.take();
                queue::deliver(&stage, event).await;
            }
            "stripe-events" => {
                fall_past_due(&stage, SUBSCRIPTION).await;
                stage.operations.take();
                partner::heed(&stage, event).await;
            }
            "reconcile-billing" => {
                // What has drifted is written; what is behind is sent again.
                fall_past_due(&stage, SUBSCRIPTION).await;
                stage.operations.take();
                schedule::run(&stage, event).await;
                asked.extend(stage.operations.take_accesses());
                make_seats(&stage).await;
                let_seats_end(&stage).await;
                stage.operations.take();
                schedule::run(&stage, event).await;
            }
            _ => {
                if function == "deactivate-seats" {
                    take_again(&stage, event).await;
                }
                if function == "delete-api-key" {
                    restore_key(&stage).await;
                }
                if ["delete-own-account", "delete-account"].contains(&function) {
                    reopen(&stage).await;
                }
                if function == "open-session" {
                    // With a hash of today, and then with a weaker one.
                    stage.operations.take();
                    reply(&stage, function, event).await;
                    asked.extend(stage.operations.take_accesses());
                    weaken(&stage).await;
                }
                stage.operations.take();
                // The second time the answer is on record; without its key, the name is taken; an
                // empty body leaves the credential alone to look up.
                for event in [event, event, &without_key(event), &without_fields(event)] {
                    reply(&stage, function, event).await;
                }
                if function == "refresh-session" {
                    // Without fields the token was rotated; now it is used again.
                    reply(&stage, function, &without_fields(event)).await;
                }
            }
        }
        asked.extend(stage.operations.take_accesses());
    }
    asked
}

#[tokio::test]
async fn a_role_allows_what_its_function_asks_and_nothing_else() {
    // It has no right to the table, only to its stream.
    let others = functions().into_iter().filter(|function| function != "publish-changes");
    let mut roles: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
    for function in others {
        let statements = statements(&function);
        let mut asked = asked(&function).await;
        // The index has a statement of its own.
        asked.retain(|(_, pk)| pk.is_some());
        for access in &asked {
            let allowed = statements.iter().any(|statement| statement.allows(access));
            assert!(allowed, "{function} may not do what it does: {access:?}");
        }
        for statement in &statements {
            let uses: Vec<_> = asked.iter().filter(|access| statement.allows(access)).collect();
            for action in &statement.actions {
                let used = uses.iter().any(|(used, _)| used == action);
                assert!(used, "{function} never uses {action} of {statement:?}");
            }
            for prefix in &statement.prefixes {
                let mut keys = uses.iter().filter_map(|(_, pk)| pk.as_deref());
                let used = keys.any(|pk| pk.starts_with(prefix.as_str()));
                assert!(used, "{function} never uses {prefix} of {statement:?}");
            }
        }
        roles.insert(function, statements);
    }
    let reach = |prefix: &str| -> Vec<&str> {
        let having = roles.iter().filter(|(_, statements)| {
            statements.iter().any(|statement| statement.covers(Some(prefix)))
        });
        having.map(|(function, _)| function.as_str()).collect()
    };
    let callers = [
        "cancel-billing",
        "check-deletion",
        "check-token",
        "create-account",
        "create-agency-account",
        "create-api-key",
        "create-seats",
        "deactivate-seats",
        "delete-account",
        "delete-agency-account",
        "delete-api-key",
        "get-account",
        "get-agency-account",
        "get-billing",
        "get-billing-history",
        "get-organization",
        "list-accounts",
        "list-accounts-of-agency",
        "list-agency-accounts",
        "list-api-keys",
        "list-seats",
        "open-billing-portal",
        "quote-seats",
        "resume-billing",
        "update-account",
        "update-agency-account",
        "update-api-key",
        "update-seats",
    ];
    assert_eq!(reach("CREDENTIAL#"), callers, "who may see a credential");
}

#[test]
fn only_who_manages_keys_may_write_a_credential() {
    let mut writers = BTreeMap::new();
    for function in functions() {
        for statement in statements(&function) {
            let reads = ["GetItem", "BatchGetItem", "ConditionCheckItem"];
            let writes = statement.actions.iter().find(|action| !reads.contains(&action.as_str()));
            if let Some(action) = writes.filter(|_| statement.covers(Some("CREDENTIAL#"))) {
                writers.insert(function.clone(), action.clone());
            }
        }
    }
    // Nobody may delete one: what was revoked stays so.
    let may = |function: &str, action: &str| (function.to_owned(), action.to_owned());
    let expected = [may("create-api-key", "PutItem"), may("delete-api-key", "UpdateItem")];
    assert_eq!(writers, BTreeMap::from(expected));
}
