//! Many callers at once, on the real store against the embedded DynamoDB.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use headcount_api::Endpoint;
use headcount_tests::billing::{Billing, batch, reached};
use headcount_tests::{Call, Reply, Stage};
use serde_json::json;

/// Sends calls side by side.
async fn all<E: Endpoint + Send + Sync + 'static>(
    endpoint: E,
    calls: impl IntoIterator<Item = Call>,
) -> Vec<Reply> {
    let endpoint = Arc::new(endpoint);
    let tasks = calls.into_iter().map(|call| {
        let endpoint = Arc::clone(&endpoint);
        tokio::spawn(async move { call.send(&*endpoint).await })
    });
    let replies = join_all(tasks).await;
    replies.into_iter().map(|reply| reply.expect("no panic")).collect()
}

fn count(replies: &[Reply], status: u64) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

fn account(email: &str) -> serde_json::Value {
    json!({
        "email": email,
        "name": "Acme Inc.",
        "type": "business",
        "password": "secure_password_here"
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_creates_of_one_email_make_one_account() {
    let stage = Stage::new().await;
    let spellings = ["race@example.com", "RACE@example.com", " race@EXAMPLE.com"];
    let calls = (0..100).map(|n| Call::json(&account(spellings[n % spellings.len()])));
    let replies = all(stage.create_account(), calls).await;
    assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 99));
    assert_eq!(stage.items_under("ACCOUNT#").await.len(), 1);
    assert_eq!(stage.items_under("EMAIL#").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_with_one_key_have_one_effect_and_one_answer() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    let tenant = stage.agency_tenant().await;

    let seats = Call::json(&json!({"accounts": [{"tier": "basic"}, {"tier": "premium"}]}))
        .bearer(&api_key)
        .key("once");
    let agency = Call::json(&json!({"name": "Blue River", "agency_lcuid": tenant.lcuid}))
        .bearer(&tenant.token)
        .header("appidv3", &tenant.app)
        .key("once");
    let identity = Call::json(&account("once@example.com")).key("once");

    for replies in [
        all(stage.create_seats(), vec![seats; 100]).await,
        all(stage.create_agency_account(), vec![agency; 100]).await,
        all(stage.create_account(), vec![identity; 100]).await,
    ] {
        let answers: BTreeSet<_> = replies
            .iter()
            .map(|reply| (reply.status, reply.text.clone(), reply.header("location").to_owned()))
            .collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        let replays = replies.iter().filter(|reply| reply.is_replay()).count();
        assert_eq!(replays, 99);
    }
    assert_eq!(stage.seats(&organization).await, (2, 1, 1, 1));
    assert_eq!(stage.items_under("SLUG#BlueRiver").await.len(), 1);
    assert_eq!(stage.items_under("ACCOUNT#").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_request_sent_ten_times_at_once_creates_each_seat_once() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    let call = Call::json(&json!({ "accounts": vec![json!({"tier": "basic"}); 500] }))
        .bearer(&api_key)
        .key("long");
    let replies = all(stage.create_seats(), vec![call; 10]).await;
    let answers: BTreeSet<_> = replies.iter().map(|reply| reply.text.clone()).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(replies[0].json()["data"]["successful"], 500);
    // 98 seats a transaction beside the billing and the idempotency record.
    assert_eq!(stage.seats(&organization).await, (500, 500, 0, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_creates_for_one_organization_end_with_exact_counters_and_quantities() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let calls = (1..=50).map(|n| {
        let tier = if n % 2 == 0 { "basic" } else { "premium" };
        let accounts = vec![json!({ "tier": tier }); n];
        Call::json(&json!({ "accounts": accounts })).bearer(&billed.api_key)
    });
    let replies = all(stage.create_seats(), calls).await;
    assert_eq!(count(&replies, 200), 50);
    let basic: u64 = (1..=50).filter(|n| n % 2 == 0).sum();
    let premium: u64 = (1..=50).filter(|n| n % 2 == 1).sum();
    let seats = usize::try_from(basic + premium).expect("small");
    assert_eq!(stage.seats(&billed.organization).await, (seats, basic, premium, 50));

    // The fifty messages come in five batches, worked on at once.
    let batches = (0..5).map(|n| {
        let sync = billing.sync(&stage);
        let versions: Vec<u64> = (1..=10).map(|v| n * 10 + v).collect();
        let organization = billed.organization.clone();
        tokio::spawn(async move {
            let messages = versions.iter().map(|&version| reached(&organization, version));
            sync.handle(batch(messages)).await
        })
    });
    for response in join_all(batches).await {
        let response = response.expect("no panic").expect("ids");
        assert!(response.batch_item_failures.is_empty(), "{response:?}");
    }
    billing.settle(&stage).await;
    assert_eq!(billing.quantities(&billed.subscription).await, (basic, premium));
    assert_eq!(stage.items_with("behind_since").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_accounts_of_one_name_get_thirty_slugs() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let call = Call::json(&json!({"name": "Blue River", "agency_lcuid": tenant.lcuid}))
        .bearer(&tenant.token)
        .header("appidv3", &tenant.app);
    let replies = all(stage.create_agency_account(), vec![call; 30]).await;
    assert_eq!(count(&replies, 200), 30);
    let slugs: BTreeSet<_> =
        replies.iter().map(|reply| reply.json()["account"]["slug"].to_string()).collect();
    assert_eq!(slugs.len(), 30, "{slugs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seat_limit_is_never_passed() {
    let stage = Stage::new().await;
    let organization =
        stage.organization(Some(headcount_model::billing::SubscriptionStatus::Active), 25).await;
    let api_key = stage.api_key(&organization).await;
    let call =
        Call::json(&json!({ "accounts": vec![json!({"tier": "basic"}); 10] })).bearer(&api_key);
    let replies = all(stage.create_seats(), vec![call; 8]).await;
    assert_eq!((count(&replies, 200), count(&replies, 409)), (2, 6));
    assert_eq!(stage.seats(&organization).await, (20, 20, 0, 2));
}
