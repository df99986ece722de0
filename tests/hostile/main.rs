//! The nastiest requests, as tables: what is sent, and what must come of it.
//!
//! Every row goes through every gateway. No row may get a 5xx, an answer that is not JSON or one
//! that shows how the service is made; a row that is refused must leave the table as it was.

mod agency_accounts;
mod api_keys;
mod bodies;
mod credentials;
mod deactivations;
mod emails;
mod headers;
mod identity_accounts;
mod keys;
mod matrix;
mod queries;
mod row;
mod seat_changes;
mod seat_lists;
mod sessions;
mod subscriptions;
mod tenants;
mod urls;
mod webhooks;
mod work;

use std::collections::BTreeSet;

use headcount_tests::{Call, Item, Reply, Stage};
use serde_json::Value;

use row::{Row, To};
use tenants::Tenants;

/// The largest answer that Lambda passes on
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_ANSWER: usize = 6 * 1024 * 1024;

/// What no caller may see: names of ours, of what we are made of, and of what went wrong inside.
const INTERNALS: [&str; 7] =
    ["dynamo", "amazon", "serde", "panicked", "headcount", "conditionalcheck", "src/"];

type Rows = fn(&Tenants) -> Vec<Row>;

const TABLES: [(&str, Rows); 16] = [
    ("bodies", bodies::rows),
    ("headers", headers::rows),
    ("credentials", credentials::rows),
    ("emails", emails::rows),
    ("urls", urls::rows),
    ("keys", keys::rows),
    ("webhooks", webhooks::rows),
    ("changes of seats", seat_changes::rows),
    ("deactivations", deactivations::rows),
    ("lists of seats", seat_lists::rows),
    ("API keys", api_keys::rows),
    ("subscriptions", subscriptions::rows),
    ("queries", queries::rows),
    ("agency accounts", agency_accounts::rows),
    ("sessions", sessions::rows),
    ("identity accounts", identity_accounts::rows),
];

#[tokio::test]
async fn through_an_http_api() {
    send_all(Call::event).await;
}

#[tokio::test]
async fn through_a_rest_api() {
    send_all(Call::rest_event).await;
}

#[tokio::test]
async fn through_a_load_balancer() {
    send_all(Call::load_balancer_event).await;
}

#[tokio::test]
async fn there_are_at_least_sixty_and_no_two_of_one_name() {
    let tenants = Tenants::new().await;
    for (table, rows) in TABLES {
        let names: Vec<_> = rows(&tenants).iter().map(|row| row.name).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{table}");
    }
    let all: usize = TABLES.iter().map(|(_, rows)| rows(&tenants).len()).sum();
    assert!(all >= 60, "{all}");
}

/// Sends every row and tells all that came out otherwise.
async fn send_all(gateway: fn(&Call) -> Value) {
    let mut wrong = Vec::new();
    for (table, rows) in TABLES {
        // What one table of rows leaves behind is no matter of the next.
        let tenants = Tenants::new().await;
        for row in rows(&tenants) {
            let name = row.name;
            if let Err(what) = send(&tenants, row, gateway).await {
                wrong.push(format!("{table}, {name}: {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn send(tenants: &Tenants, row: Row, gateway: fn(&Call) -> Value) -> Result<(), String> {
    for (to, call) in &row.before {
        let reply = tenants.send(*to, &gateway(call)).await;
        if reply.status >= 400 {
            return Err(format!("what comes before is refused: {}", reply.text));
        }
    }
    let before = tenants.stage.items().await;
    let reply = tenants.send(row.to, &gateway(&row.call)).await;
    is_an_answer(&reply)?;
    let said = said(row.to, &reply);
    if (reply.status, said.as_str()) != (row.status, row.says.as_str()) {
        let (status, says) = (row.status, row.says);
        return Err(format!("{} {said:?} instead of {status} {says:?}", reply.status,));
    }
    if reply.is_replay() {
        return Err("it is an earlier answer".to_owned());
    }
    let after = tenants.stage.items().await;
    if row.status >= 400 && !is_same(&before, &after) {
        return Err("it was refused and changed the table".to_owned());
    }
    match row.keeps {
        Some((prefix, attribute, value)) => keeps(&tenants.stage, prefix, attribute, &value).await,
        None => Ok(()),
    }
}

/// What holds for every answer.
fn is_an_answer(reply: &Reply) -> Result<(), String> {
    if reply.status >= 500 {
        return Err(format!("a {}: {}", reply.status, reply.text));
    }
    if serde_json::from_str::<Value>(&reply.text).is_err() {
        return Err("the answer is not JSON".to_owned());
    }
    if reply.header("x-request-id") != "request-1" {
        return Err("the answer has no x-request-id".to_owned());
    }
    if reply.text.len() > MAX_ANSWER {
        return Err(format!("an answer of {} bytes", reply.text.len()));
    }
    let text = reply.text.to_ascii_lowercase();
    match INTERNALS.into_iter().find(|internal| text.contains(internal)) {
        Some(internal) => Err(format!("the answer tells of {internal}: {}", reply.text)),
        None => Ok(()),
    }
}

/// What an answer says went wrong, in short: the stable code and, for the APIs that have rules,
/// the first fields with theirs. Nothing for a success.
fn said(to: To, reply: &Reply) -> String {
    let body = reply.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if reply.status < 400 {
        return String::new();
    }
    let faults = match to {
        To::Agency
        | To::Token
        | To::Account
        | To::Change
        | To::Delete
        | To::CanBeDeleted
        | To::Accounts
        | To::AccountsOfAgency => return text(&body["message"]),
        To::Webhook => return text(&body["error"]["message"]),
        To::Identity
        | To::LogIn
        | To::Refresh
        | To::EndSession
        | To::Sessions
        | To::AllAccounts
        | To::OwnAccount
        | To::AnAccount
        | To::OwnPatch
        | To::Patch
        | To::OwnEnd
        | To::End => &body["details"],
        To::Seats
        | To::Quote
        | To::Update
        | To::Deactivate
        | To::List
        | To::Keys
        | To::NewKey
        | To::NameKey
        | To::EndKey
        | To::Organization
        | To::Billing
        | To::Portal
        | To::Cancel
        | To::Resume
        | To::History => &body["errors"],
    };
    let faults = faults.as_array().into_iter().flatten().take(4);
    let faults = faults.map(|fault| format!(" {}:{}", text(&fault["field"]), text(&fault["rule"])));
    text(&body["error"]) + &faults.collect::<String>()
}

fn is_same(before: &[Item], after: &[Item]) -> bool {
    before.len() == after.len() && before.iter().all(|item| after.contains(item))
}

/// Whether an item under a prefix has a text attribute of this value.
async fn keeps(stage: &Stage, prefix: &str, attribute: &str, value: &str) -> Result<(), String> {
    let items = stage.items_under(prefix).await;
    let texts = items.iter().filter_map(|item| item.get(attribute)?.as_s().ok());
    let texts: Vec<_> = texts.map(String::as_str).collect();
    if texts.contains(&value) {
        return Ok(());
    }
    Err(format!("{prefix}… {attribute} is one of {texts:?}, none {value:?}"))
}
