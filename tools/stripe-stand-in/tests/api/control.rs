//! The control plane, and that everything replays.

use serde_json::json;
use stripe_stand_in::Request;

use crate::account::{Account, DAY, MONTH, START, column, id};

#[test]
fn the_clock_moves_forward_only() {
    let mut account = Account::new();
    let subscription = account.subscribe(1, 1);
    let clock = account.control("POST", "clock", &format!(r#"{{"advance_seconds":{MONTH}}}"#));
    assert_eq!(clock, json!({ "now": START + MONTH }));
    let renewed = account.get(&format!("/v1/subscriptions/{}", id(&subscription)));
    assert_eq!(renewed["items"]["data"][0]["current_period_start"], START + MONTH);
    account.now += DAY;
    assert_eq!(account.control("GET", "clock", ""), json!({ "now": START + MONTH + DAY }));
    let later = START + 2 * MONTH;
    account.control("POST", "clock", &format!(r#"{{"now":{later}}}"#));
    assert_eq!(account.control("GET", "clock", ""), json!({ "now": later }));
    for body in [r#"{"advance_seconds":-1}"#, r#"{"now":0}"#, r#"{"now":99999999999}"#, "{}", "x"] {
        assert_eq!(account.refused("POST", "/_stand-in/clock", body).0, 400, "{body}");
    }
}

#[test]
fn faults_are_posted_listed_and_removed() {
    let mut account = Account::new();
    let fault = r#"{"kind":"429","method":"GET","path_prefix":"/v1/prices","count":3}"#;
    let listed = account.control("POST", "faults", fault);
    assert_eq!(listed["faults"][0]["count"], 3);
    assert_eq!(account.refused("GET", "/v1/prices", "").0, 429);
    assert_eq!(account.control("GET", "faults", "")["faults"][0]["count"], 2);
    assert_eq!(account.control("DELETE", "faults", ""), json!({ "faults": [] }));
    account.get("/v1/prices");
    for body in [r#"{"kind":"418"}"#, r#"{"kind":"429","often":1}"#, r#"{"kind":"slow_ms"}"#] {
        assert_eq!(account.refused("POST", "/_stand-in/faults", body).0, 400, "{body}");
    }
}

#[test]
fn a_status_is_set_as_if_at_stripe() {
    let mut account = Account::new();
    let subscription = id(&account.subscribe(1, 1));
    let path = format!("subscriptions/{subscription}/status");
    for status in ["past_due", "unpaid", "paused", "incomplete", "active", "trialing", "canceled"] {
        let body = format!(r#"{{"status":"{status}"}}"#);
        assert_eq!(account.control("POST", &path, &body)["status"], status);
    }
    let unknown = "/_stand-in/subscriptions/sub_x/status";
    assert_eq!(account.refused("POST", unknown, r#"{"status":"active"}"#).0, 404);
    assert_eq!(
        account.refused("POST", &format!("/_stand-in/{path}"), r#"{"status":"odd"}"#).0,
        400
    );
}

#[test]
fn the_log_tells_what_was_called() {
    let mut account = Account::new();
    let request = Request::new("POST", "/v1/customers").form("metadata[a]=1").idempotency_key("k");
    account.send(request.clone());
    account.send(request);
    account.refused("GET", "/v1/customers/cus_x", "");
    let log = account.control("GET", "requests", "");
    let entries = log["requests"].as_array().unwrap();
    let [first, second, third] = &entries[entries.len() - 3..] else { panic!() };
    assert_eq!(first["params"], json!({ "metadata": { "a": "1" } }));
    assert_eq!((&first["idempotency_key"], &first["replayed"]), (&json!("k"), &json!(false)));
    assert_eq!(second["replayed"], true);
    assert_eq!((&third["method"], &third["status"]), (&json!("GET"), &json!(404)));
}

#[test]
fn the_log_holds_a_thousand_calls() {
    let mut account = Account::new();
    for _ in 0..1_010 {
        account.get("/v1/prices");
    }
    let log = account.control("GET", "requests", "");
    assert_eq!(log["requests"].as_array().unwrap().len(), 1_000);
}

#[test]
fn a_reset_forgets_everything() {
    let mut account = Account::new();
    account.subscribe(1, 1);
    account.control("POST", "clock", r#"{"advance_seconds":5}"#);
    account.control("POST", "faults", r#"{"kind":"429","count":9}"#);
    account.control("POST", "reset", "");
    assert!(column(&account.get("/v1/subscriptions"), "id").is_empty());
    assert_eq!(account.control("GET", "clock", ""), json!({ "now": START }));
}

#[test]
fn the_same_calls_give_the_same_account() {
    let run = || {
        let mut account = Account::new();
        account.subscribe(2, 3);
        account.now += MONTH * 3;
        account.get("/v1/subscriptions");
        account.control("GET", "state", "")
    };
    assert_eq!(run(), run());
}
