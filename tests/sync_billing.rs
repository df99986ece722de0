//! sync-billing on the real store and our real Stripe client, against the stand-in.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use headcount_model::billing::{
    BillingChange, BillingLedger, Recorded, RememberedItems, TakenUpdate,
};
use headcount_model::port::Clock;
use headcount_model::reconcile::{ReconciliationStore, Shard};
use headcount_tests::billing::{Billed, Billing, batch, reached};
use headcount_tests::{Call, Fault, Stage};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

async fn create(stage: &Stage, billed: &Billed, basic: usize, premium: usize) {
    let mut accounts = vec![json!({"tier": "basic"}); basic];
    accounts.extend(vec![json!({"tier": "premium"}); premium]);
    let reply = Call::json(&json!({ "accounts": accounts }))
        .bearer(&billed.api_key)
        .send(&stage.create_seats())
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Delivers messages and returns the ids of those to deliver again.
async fn deliver<'a>(
    stage: &Stage,
    billing: &Billing,
    messages: impl IntoIterator<Item = (&'a str, String)>,
) -> Vec<String> {
    let response =
        billing.sync(stage).handle(batch(messages)).await.expect("every message has an id");
    let failures = response.batch_item_failures.into_iter();
    failures.map(|failure| failure.item_identifier).collect()
}

/// Version, applied version and the code of the last error of an organization.
async fn record(stage: &Stage, billed: &Billed) -> (u64, u64, Option<String>) {
    let record = stage
        .table
        .billing(&billed.organization)
        .await
        .expect("the table answers")
        .expect("a record");
    (record.version, record.applied_version, record.last_error.map(|error| error.code))
}

/// Since when an organization is behind.
async fn behind_since(stage: &Stage, billed: &Billed) -> Timestamp {
    let shard = Shard::of(&billed.organization);
    let behind = stage.table.behind(shard, Timestamp::MAX, None, 1).await;
    behind.expect("the table answers").first().expect("one that is behind").since
}

const NONE: [&str; 0] = [];

#[tokio::test]
async fn quantities_follow_the_seats_and_the_record_says_so() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 2, 1).await;
    let behind = stage.items_with("behind_since").await;
    assert_eq!(behind, 1, "behind from the moment of the commit");

    let again = deliver(&stage, &billing, [reached(&billed.organization, 1)]).await;
    assert_eq!(again, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (2, 1));
    assert_eq!(record(&stage, &billed).await, (1, 1, None));
    assert_eq!(stage.items_with("behind_since").await, 0);
    assert_eq!(stage.items_with("behind_shard").await, 0);
}

#[tokio::test]
async fn many_messages_of_one_organization_are_one_update() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    for _ in 0..5 {
        create(&stage, &billed, 1, 0).await;
    }
    // Out of order, repeated, and one from the future of the others.
    let versions = [3, 1, 5, 5, 2, 4];
    let messages = versions.map(|version| reached(&billed.organization, version));
    assert_eq!(deliver(&stage, &billing, messages).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (5, 0));
    assert_eq!(billing.updates().await, 1);
    // And again, after a redrive.
    let old = reached(&billed.organization, 1);
    assert_eq!(deliver(&stage, &billing, [old]).await, NONE);
    assert_eq!(billing.updates().await, 1);
}

#[tokio::test]
async fn a_poison_message_stops_its_own_group_only() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let first = billing.organization(&stage).await;
    let second = billing.organization(&stage).await;
    create(&stage, &first, 1, 0).await;
    create(&stage, &second, 0, 1).await;
    let again = deliver(
        &stage,
        &billing,
        [
            (first.organization.as_str(), "{".to_owned()),
            reached(&second.organization, 1),
            reached(&first.organization, 1),
        ],
    )
    .await;
    assert_eq!(again, ["message-0", "message-2"]);
    assert_eq!(billing.quantities(&first.subscription).await, (0, 0));
    assert_eq!(billing.quantities(&second.subscription).await, (0, 1));
}

#[tokio::test]
async fn what_comes_before_the_first_failure_of_a_group_is_acknowledged() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    let again = deliver(
        &stage,
        &billing,
        [
            reached(&billed.organization, 1),
            (billed.organization.as_str(), "poison".to_owned()),
            reached(&billed.organization, 1),
        ],
    )
    .await;
    assert_eq!(again, ["message-1", "message-2"]);
    assert_eq!(billing.quantities(&billed.subscription).await, (1, 0));
}

#[tokio::test]
async fn faults_that_pass_heal_with_the_next_delivery() {
    for kind in ["429", "lock_timeout", "409", "cut_before", "cut_after"] {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        let billed = billing.organization(&stage).await;
        create(&stage, &billed, 3, 2).await;
        billing
            .fault(&json!({"kind": kind, "method": "POST", "path_prefix": "/v1/subscriptions/", "count": 1}))
            .await;
        let message = || [reached(&billed.organization, 1)];
        let again = deliver(&stage, &billing, message()).await;
        assert_eq!(again, ["message-0"], "{kind}");
        assert_eq!(record(&stage, &billed).await, (1, 0, None), "{kind}");
        assert_eq!(deliver(&stage, &billing, message()).await, NONE, "{kind}");
        assert_eq!(billing.quantities(&billed.subscription).await, (3, 2), "{kind}");
        assert_eq!(record(&stage, &billed).await, (1, 1, None), "{kind}");
    }
}

#[tokio::test]
async fn a_failure_stored_under_the_key_is_passed_at_once() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 3, 2).await;
    billing
        .fault(&json!({"kind": "500", "method": "POST", "path_prefix": "/v1/subscriptions/", "count": 1}))
        .await;
    let message = [reached(&billed.organization, 1)];
    assert_eq!(deliver(&stage, &billing, message).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (3, 2));
    assert_eq!(billing.updates().await, 2, "the second under another key");
}

#[tokio::test]
async fn a_permanent_failure_is_recorded_and_the_seats_stay() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    let pk = format!("ORG#{}", billed.organization);
    let nowhere = aws_sdk_dynamodb::types::AttributeValue::S("sub_nowhere".to_owned());
    stage.set(&pk, "BILLING", "stripe_subscription", nowhere).await;

    let message = [reached(&billed.organization, 1)];
    assert_eq!(deliver(&stage, &billing, message).await, ["message-0"]);
    let error = Some("resource_missing".to_owned());
    assert_eq!(record(&stage, &billed).await, (1, 0, error));
    assert_eq!(stage.seats(&billed.organization).await.0, 1);
}

#[tokio::test]
async fn what_seats_cannot_be_billed_by_any_more_goes_on_record() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    // The first time the items are looked up, the second time they are known.
    for version in 1..=2 {
        let billed = billing.organization(&stage).await;
        for told in 1..version {
            create(&stage, &billed, 1, 1).await;
            let message = [reached(&billed.organization, told)];
            assert_eq!(deliver(&stage, &billing, message).await, NONE);
        }
        billing.attach_schedule(&billed.subscription).await;
        create(&stage, &billed, 1, 1).await;
        let message = [reached(&billed.organization, version)];
        assert_eq!(deliver(&stage, &billing, message).await, ["message-0"]);
        let error = Some("subscription_schedule".to_owned());
        assert_eq!(record(&stage, &billed).await, (version, version - 1, error));
    }
}

#[tokio::test]
async fn seats_added_while_stripe_is_told_stay_behind_until_their_own_message() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    create(&stage, &billed, 1, 0).await;
    // What a writer that read version 1 records after version 2 was committed.
    let at = |second| Timestamp::from_second(second).expect("in range");
    let update = |(from, paced_from): (u64, Option<i64>), (version, paced_until)| TakenUpdate {
        from,
        paced_from: paced_from.map(at),
        version,
        items: RememberedItems::default(),
        paced_until: at(paced_until),
    };
    let recorded = async |update: TakenUpdate| {
        let now = stage.ports.now();
        stage.table.record_applied(&billed.organization, &update, now).await
    };
    stage.ports.advance(SignedDuration::from_mins(1));
    assert_eq!(recorded(update((0, None), (1, 20))).await, Ok(Recorded::Yes));
    assert_eq!(record(&stage, &billed).await, (2, 1, None));
    assert_eq!(stage.items_with("behind_since").await, 1, "still behind");
    let since = behind_since(&stage, &billed).await;
    assert_eq!(since, stage.ports.now(), "what was told is behind no longer");

    // One that was overtaken records nothing.
    assert_eq!(recorded(update((0, None), (2, 20))).await, Ok(Recorded::Overtaken));
    assert_eq!(record(&stage, &billed).await, (2, 1, None));

    // Nor does one that began before another told of the applied version again.
    assert_eq!(recorded(update((1, Some(20)), (1, 40))).await, Ok(Recorded::Yes));
    assert_eq!(recorded(update((1, Some(20)), (2, 40))).await, Ok(Recorded::Overtaken));
    assert_eq!(record(&stage, &billed).await, (2, 1, None));
    assert_eq!(recorded(update((1, Some(40)), (2, 60))).await, Ok(Recorded::Yes));
    assert_eq!(record(&stage, &billed).await, (2, 2, None));
    assert_eq!(stage.items_with("behind_since").await, 0);
}

#[tokio::test]
async fn a_thousand_changes_in_a_minute_are_at_most_ten_updates_and_end_exactly() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let mut version = 0;
    for second in 0..60 {
        // Each second brings its changes, and what had to wait comes again.
        let now = if second < 40 { 17 } else { 16 };
        for _ in 0..now {
            create(&stage, &billed, 1, 0).await;
        }
        let waiting = billing.sent_again.take();
        let waiting = waiting.iter().map(|change| change.version);
        let versions: Vec<u64> = waiting.chain(version + 1..=version + now).collect();
        version += now;
        for some in versions.chunks(10) {
            let messages = some.iter().map(|&version| reached(&billed.organization, version));
            assert_eq!(deliver(&stage, &billing, messages).await, NONE);
        }
        stage.ports.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(version, 1_000);
    assert!(billing.updates().await <= 10, "{} updates", billing.updates().await);
    // The burst has ended; at most a minute later the quantity is exact.
    let end = stage.ports.now();
    billing.settle(&stage).await;
    assert!(stage.ports.now().duration_since(end) <= SignedDuration::from_secs(60));
    assert_eq!(billing.quantities(&billed.subscription).await, (1_000, 0));
    assert_eq!(record(&stage, &billed).await, (1_000, 1_000, None));
    assert!(billing.updates().await <= 10, "{} updates", billing.updates().await);
}

#[tokio::test]
async fn a_change_that_has_to_wait_is_acknowledged_only_when_the_queue_took_it_back() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    for version in 1..=6 {
        create(&stage, &billed, 1, 0).await;
        let message = [reached(&billed.organization, version)];
        assert_eq!(deliver(&stage, &billing, message).await, NONE);
    }
    create(&stage, &billed, 1, 0).await;
    let function = sync_billing::Function {
        ledger: stage.table.clone(),
        stripe: billing.stripe.clone(),
        queue: Full,
        prices: billing.prices.clone(),
        ports: stage.ports.clone(),
    };
    let event = batch([reached(&billed.organization, 7)]);
    let response = function.handle(event).await.expect("an id");
    assert_eq!(response.batch_item_failures.len(), 1);

    let message = [reached(&billed.organization, 7)];
    assert_eq!(deliver(&stage, &billing, message).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (6, 0), "it waits");
    billing.settle(&stage).await;
    assert_eq!(billing.quantities(&billed.subscription).await, (7, 0));
}

/// A queue that takes nothing back.
struct Full;

impl sync_billing::BillingQueue for Full {
    async fn send_again(&self, _: &BillingChange, _: &SqsMessage) -> bool {
        false
    }

    async fn delay(&self, _: &[SqsMessage], _: Duration) {}
}

#[tokio::test]
async fn what_failed_comes_again_soon_and_then_ever_later() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    billing
        .fault(&json!({"kind": "429", "method": "POST", "path_prefix": "/v1/subscriptions/"}))
        .await;
    let messages = [reached(&billed.organization, 1), reached(&billed.organization, 1)];
    assert_eq!(deliver(&stage, &billing, messages).await, ["message-0", "message-1"]);
    assert_eq!(billing.sent_again.delays(), [(2, Duration::from_secs(5))]);

    let seconds = |received| sync_billing::backoff(received).as_secs();
    assert_eq!([1, 2, 3, 4, 6, 7, 99].map(seconds), [5, 10, 20, 40, 160, 180, 180]);
}

#[tokio::test]
async fn poison_is_given_up_soon_because_its_organization_waits_for_that() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let messages =
        [(billed.organization.as_str(), "{".to_owned()), reached(&billed.organization, 1)];
    assert_eq!(deliver(&stage, &billing, messages).await, ["message-0", "message-1"]);
    assert_eq!(billing.sent_again.delays(), [(2, Duration::from_secs(5))]);
}

#[tokio::test]
async fn the_items_are_remembered_and_found_again_when_one_was_deleted() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 1).await;
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 1)]).await, NONE);
    let items =
        stage.table.billing(&billed.organization).await.expect("a table").expect("a record");
    let item = items.items.premium.expect("it is remembered");

    let deleted = reqwest::Client::new()
        .delete(format!("{}/v1/subscription_items/{item}", billing.base))
        .bearer_auth(headcount_tests::billing::STRIPE_KEY)
        .send()
        .await;
    assert!(deleted.expect("the stand-in answers").status().is_success());
    create(&stage, &billed, 1, 1).await;
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 2)]).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (2, 2));
}

#[tokio::test]
async fn a_new_price_takes_the_place_of_the_old_one() {
    let (stage, mut billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 2, 1).await;
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 1)]).await, NONE);

    let old = billing.prices.basic.replace(billing.price("Dearer basic seat", 5_000).await);
    create(&stage, &billed, 1, 0).await;
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 2)]).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (3, 1));
    billing.prices.basic = old;
    assert_eq!(billing.quantities(&billed.subscription).await, (0, 1), "nothing at the old price");
}

#[tokio::test]
async fn whatever_answer_of_the_table_is_lost_billing_ends_exact() {
    // The read of the record, what is recorded after Stripe took the update, and both again.
    for (operation, times) in [("GetItem", 1), ("UpdateItem", 1), ("GetItem", 2), ("UpdateItem", 2)]
    {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        let billed = billing.organization(&stage).await;
        create(&stage, &billed, 3, 2).await;
        stage.wire.strike_on(operation, vec![Fault::AnswerLost; times]);
        let message = [reached(&billed.organization, 1)];
        assert_eq!(deliver(&stage, &billing, message).await, NONE, "{operation} {times}");
        assert_eq!(billing.quantities(&billed.subscription).await, (3, 2), "{operation} {times}");
        assert_eq!(record(&stage, &billed).await, (1, 1, None), "{operation} {times}");
        assert_eq!(stage.items_with("behind_since").await, 0, "{operation} {times}");
    }
}

#[tokio::test]
async fn a_process_that_dies_between_stripe_and_the_table_is_made_up_for() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 3, 2).await;
    // Stripe took the update; nothing was recorded. To the next process it looks like this.
    stage.wire.strike_on("UpdateItem", vec![Fault::Refused; 3]);
    let message = || [reached(&billed.organization, 1)];
    assert_eq!(deliver(&stage, &billing, message()).await, ["message-0"]);
    assert_eq!(billing.quantities(&billed.subscription).await, (3, 2));
    assert_eq!(record(&stage, &billed).await, (1, 0, None));

    assert_eq!(deliver(&stage, &billing, message()).await, NONE);
    assert_eq!(record(&stage, &billed).await, (1, 1, None));
    assert_eq!(billing.quantities(&billed.subscription).await, (3, 2));
}

#[tokio::test]
async fn a_stale_message_does_not_answer_for_a_newer_one_behind_it() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 1)]).await, NONE);
    create(&stage, &billed, 1, 0).await;
    let messages = [1, 2].map(|version| reached(&billed.organization, version));
    assert_eq!(deliver(&stage, &billing, messages).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (2, 0));
}
