//! What `headcount webhook sign` prints, given to the function that checks it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use headcount_model::port::Clock;
use headcount_tests::Stage;
use headcount_tests::billing::SIGNING_SECRET;
use headcount_tests::samples::{SUBSCRIPTION, fall_past_due, one, reply, seed};
use serde_json::{Value, json};

const FUNCTION: &str = "stripe-webhook";

/// The sample, signed at a time by the program.
fn sign(file: &Path, secret: &str, at: i64) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .env_clear()
        .args(["webhook", "sign", "--secret", secret, "--at", &at.to_string()])
        .args(["--subscription", SUBSCRIPTION])
        .arg(file)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an event")
}

#[tokio::test]
async fn a_webhook_of_the_past_is_accepted_when_it_is_signed_anew() {
    let stage = Stage::new().await;
    seed(&stage, SUBSCRIPTION).await;
    fall_past_due(&stage, SUBSCRIPTION).await;
    let old = one(FUNCTION, "too-old");
    assert_eq!(reply(&stage, FUNCTION, &old.event).await.status, 400);

    let now = stage.ports.now().as_second();
    let forged = sign(&old.path, "whsec_another", now);
    assert_eq!(reply(&stage, FUNCTION, &forged).await.status, 400);

    let new = sign(&old.path, SIGNING_SECRET, now);
    let accepted = reply(&stage, FUNCTION, &new).await;
    assert_eq!((accepted.status, accepted.json()), (200, json!({"received": true})));
    let billing = one("get-billing", "shown");
    let billing = reply(&stage, "get-billing", &billing.event).await.json();
    assert_eq!(billing["data"]["subscription"]["status"], "active");
}
