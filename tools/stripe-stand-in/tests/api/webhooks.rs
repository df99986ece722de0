//! Events and their delivery.

use serde_json::{Value, json};
use stripe_stand_in::{Status, sign_webhook};

use crate::account::{Account, START, column, id, item};

fn listen(account: &mut Account, events: &str) -> Value {
    let form = format!("url=http://127.0.0.1:9/hook&{events}");
    account.ok("POST", "/v1/webhook_endpoints", &form)
}

#[test]
fn every_change_of_a_subscription_is_an_event() {
    let mut account = Account::new();
    let subscription = account.subscribe(1, 1);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let form = format!("items[0][id]={}&items[0][quantity]=2", item(&subscription, 0));
    account.ok("POST", &path, &form);
    account.ok("POST", &path, &form);
    for status in [Status::PastDue, Status::Paused, Status::Active] {
        assert!(account.stripe.set_status(&id(&subscription), status, account.now));
    }
    account.ok("DELETE", &path, "");
    let events = account.get("/v1/events?limit=100");
    let mut kinds = column(&events, "type");
    kinds.reverse();
    let expected =
        ["created", "updated", "updated", "updated", "paused", "updated", "resumed", "deleted"];
    assert_eq!(kinds, expected.map(|kind| json!(format!("customer.subscription.{kind}"))));
    let updated = account.get("/v1/events?type=customer.subscription.updated");
    let first = updated["data"].as_array().unwrap().last().unwrap();
    let old = &first["data"]["previous_attributes"];
    assert_eq!(old["items"]["data"][0]["quantity"], 1);
    assert!(old.get("status").is_none());
    assert!(first["request"]["id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(account.get(&format!("/v1/events/{}", id(first))), *first);
}

#[test]
fn events_are_delivered_with_a_signature_and_retried() {
    let mut account = Account::new();
    let endpoint = listen(&mut account, "enabled_events[0]=customer.subscription.created");
    let secret = endpoint["secret"].as_str().unwrap().to_owned();
    let path = format!("/v1/webhook_endpoints/{}", id(&endpoint));
    assert!(account.get(&path).get("secret").is_none());
    let subscription = account.subscribe(1, 1);
    account.stripe.set_status(&id(&subscription), Status::PastDue, account.now);

    let due = account.stripe.due_webhooks(START);
    let [post] = due.as_slice() else { panic!("{due:?}") };
    let event: Value = serde_json::from_str(&post.payload).unwrap();
    assert_eq!(event["data"]["object"]["id"], subscription["id"]);
    assert_eq!(post.signature, sign_webhook(&secret, START, &post.payload));
    assert!(account.stripe.due_webhooks(START).is_empty(), "it is on its way");

    account.stripe.delivered(&post.delivery, false, START);
    assert!(account.stripe.due_webhooks(START + 4).is_empty());
    assert_eq!(account.stripe.due_webhooks(START + 5).len(), 1);
    account.stripe.delivered(&post.delivery, true, START + 5);
    assert!(account.stripe.due_webhooks(START + 1_000).is_empty());
    let event = account.get(&format!("/v1/events/{}", id(&event)));
    assert_eq!(event["pending_webhooks"], 0);
}

#[test]
fn an_endpoint_is_changed_disabled_and_deleted() {
    let mut account = Account::new();
    let endpoint = listen(&mut account, "enabled_events[]=*");
    let path = format!("/v1/webhook_endpoints/{}", id(&endpoint));
    assert_eq!(account.ok("POST", &path, "disabled=true")["status"], "disabled");
    account.subscribe(1, 1);
    assert!(account.stripe.due_webhooks(START).is_empty());
    account.ok("POST", &path, "disabled=false&enabled_events[]=customer.subscription.deleted");
    assert_eq!(account.ok("DELETE", &path, "")["deleted"], true);
    assert_eq!(account.refused("GET", &path, "").0, 404);
    assert_eq!(account.get("/v1/webhook_endpoints")["data"], json!([]));
    for form in ["url=ftp://x&enabled_events[]=*", "enabled_events[]=*", "url=http://x"] {
        assert_eq!(account.refused("POST", "/v1/webhook_endpoints", form).0, 400, "{form}");
    }
}
