//! sync-billing on the real store and our real Stripe client, against the stand-in.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use headcount_billing::{StripeFailure, Subscription, Subscriptions, Updated, Worth};
use headcount_model::billing::{
    Attempt, BillingChange, BillingError, BillingLedger, BillingRecord, ItemTarget,
    ProrationBehavior, Recorded, RememberedItems, SeatCounts, TakenUpdate,
};
use headcount_model::credential::{Holder, Permission};
use headcount_model::fewer::FewerSeats;
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
    behind.expect("the table answers").readable.first().expect("one that is behind").since
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
async fn updates_that_are_invoiced_at_once_wait_in_the_queue_for_their_turn() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let pk = format!("ORG#{}", billed.organization);
    let at_once = aws_sdk_dynamodb::types::AttributeValue::S("always_invoice".to_owned());
    stage.set(&pk, "BILLING", "proration_behavior", at_once).await;
    for version in 1..=6 {
        create(&stage, &billed, 1, 0).await;
        let again = deliver(&stage, &billing, [reached(&billed.organization, version)]).await;
        assert_eq!(again.is_empty(), version < 6, "{version}");
    }
    let (messages, wait) = billing.sent_again.delays()[0];
    assert_eq!((messages, wait.as_secs()), (1, 6_000), "it stays the same message");
    stage.ports.advance(SignedDuration::from_mins(100));
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 6)]).await, NONE);
    assert_eq!(billing.quantities(&billed.subscription).await, (6, 0));
}

/// Stripe that takes its whole budget for each call, and then fails.
struct Slow {
    ports: headcount_tests::Ports,
    calls: std::sync::atomic::AtomicU32,
}

impl Slow {
    fn fail<T>(&self) -> Result<T, StripeFailure> {
        self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.ports.advance(SignedDuration::from_secs(8));
        Err(StripeFailure::Stored("500".to_owned()))
    }
}

impl Subscriptions for &Slow {
    async fn fetch(&self, id: &str) -> Result<Subscription, StripeFailure> {
        self.fail::<()>().ok();
        Ok(serde_json::from_value(json!({"id": id, "status": "active", "items": {"data": []}}))
            .expect("a subscription"))
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        self.fail()
    }
}

impl Worth for &Slow {
    async fn worth(
        &self,
        _: &Subscription,
        _: &[ItemTarget],
        _: &dyn headcount_model::port::Entropy,
    ) -> Result<i64, StripeFailure> {
        self.fail()
    }
}

#[tokio::test]
async fn a_batch_ends_before_lambda_ends_it_however_slow_stripe_is() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    let slow = Slow { ports: stage.ports.clone(), calls: Default::default() };
    let function = sync_billing::Function {
        ledger: stage.table.clone(),
        stripe: &slow,
        queue: billing.sent_again.clone(),
        prices: billing.prices.clone(),
        ports: stage.ports.clone(),
    };
    let began = stage.ports.now();
    let event = batch([reached(&billed.organization, 1)]);
    let response = function.handle(event).await.expect("an id");
    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!(slow.calls.into_inner(), 2, "the third would have ended after 24 s");
    assert!(stage.ports.now().duration_since(began) <= SignedDuration::from_secs(20));
    // It comes again after its own time, not after the queue's 180 s.
    assert_eq!(billing.sent_again.delays(), [(1, Duration::from_secs(5))]);
}

#[tokio::test]
async fn what_arrives_late_changes_nothing() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 3, 0).await;
    let subscriptions = json!({"kind": "cut_before", "method": "POST", "path_prefix": "/v1/subscriptions/", "count": 1});
    billing.fault(&subscriptions).await;
    let message = [reached(&billed.organization, 1)];
    assert_eq!(deliver(&stage, &billing, message).await, ["message-0"]);
    let record = stage.table.billing(&billed.organization).await.expect("a table").expect("there");
    let late = record.attempt.expect("it is written down");

    create(&stage, &billed, 2, 0).await;
    assert_eq!(deliver(&stage, &billing, [reached(&billed.organization, 2)]).await, NONE);
    let (id, Attempt { key, targets, proration, .. }) = (&billed.subscription, &late);
    billing.stripe.set_quantities(id, targets, *proration, key).await.expect("it arrives");
    assert_eq!(billing.quantities(&billed.subscription).await, (5, 0));
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
    let error = Some("subscription_missing".to_owned());
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
    let ledger = &stage.table;
    let read =
        async || ledger.billing(&billed.organization).await.expect("a table").expect("there");
    let attempt = |key: &str, version| Attempt {
        key: key.to_owned(),
        version,
        part_of: None,
        targets: vec![ItemTarget { id: None, price: "price_1".to_owned(), quantity: version }],
        proration: ProrationBehavior::None,
        at: Timestamp::UNIX_EPOCH,
    };
    let begin = async |record: &BillingRecord, attempt: &Attempt, second| {
        let paced_until = Timestamp::from_second(second).expect("in range");
        ledger.begin(record, attempt, paced_until, stage.ports.now()).await
    };
    let end = async |key: &str, version| {
        let (key, items) = (key.to_owned(), RememberedItems::default());
        let seats = SeatCounts { basic: version, premium: 0 };
        let update = TakenUpdate { key, version, seats, items };
        ledger.record_applied(&billed.organization, &update, stage.ports.now()).await
    };
    // What a writer that read version 1 records after version 2 was committed.
    stage.ports.advance(SignedDuration::from_mins(1));
    let unread = read().await;
    assert_eq!(begin(&unread, &attempt("a", 1), 20).await, Ok(Recorded::Yes));
    assert_eq!(begin(&unread, &attempt("b", 2), 20).await, Ok(Recorded::Overtaken));
    let begun = read().await;
    assert_eq!(begun.attempt, Some(attempt("a", 1)));
    assert_eq!(end("b", 2).await, Ok(Recorded::Overtaken), "it is not the one on record");
    assert_eq!(end("a", 1).await, Ok(Recorded::Yes));
    assert_eq!(read().await.attempt, None);
    assert_eq!(record(&stage, &billed).await, (2, 1, None));
    assert_eq!(stage.items_with("behind_since").await, 1, "still behind");
    let since = behind_since(&stage, &billed).await;
    assert_eq!(since, stage.ports.now(), "what was told is behind no longer");

    // One that was overtaken records nothing, be it that the other has begun or that it has ended.
    assert_eq!(begin(&begun, &attempt("c", 2), 40).await, Ok(Recorded::Overtaken));
    assert_eq!(end("a", 2).await, Ok(Recorded::Overtaken));
    let error = BillingError {
        code: "late".to_owned(),
        message: "It is late.".to_owned(),
        request_id: None,
    };
    let late =
        ledger.record_failure(&billed.organization, Some("a"), &error, Timestamp::UNIX_EPOCH);
    late.await.expect("a table");
    assert_eq!(record(&stage, &billed).await, (2, 1, None));

    assert_eq!(begin(&read().await, &attempt("d", 2), 40).await, Ok(Recorded::Yes));
    assert_eq!(end("d", 2).await, Ok(Recorded::Yes));
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

/// Sent again it would begin to count anew, and what fails for good, and waits in between, would never be
/// given up.
#[tokio::test]
async fn a_message_that_failed_before_keeps_its_count_while_it_waits() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    for version in 1..=6 {
        create(&stage, &billed, 1, 0).await;
        let message = [reached(&billed.organization, version)];
        assert_eq!(deliver(&stage, &billing, message).await, NONE);
    }
    create(&stage, &billed, 1, 0).await;
    let mut event = batch([reached(&billed.organization, 7)]);
    let count = ("ApproximateReceiveCount".to_owned(), "2".to_owned());
    event.records[0].attributes.extend([count]);
    let response = billing.sync(&stage).handle(event).await.expect("an id");
    assert_eq!(response.batch_item_failures.len(), 1, "it comes again itself");
    let [(messages, wait)] = billing.sent_again.delays()[..] else { panic!("one delay") };
    assert_eq!(messages, 1);
    assert!((1..=20).contains(&wait.as_secs()), "until its turn: {wait:?}");
    billing.settle(&stage).await;
    assert_eq!(billing.quantities(&billed.subscription).await, (6, 0), "nothing was sent again");
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
    // Stripe took the update; nothing was recorded of that. To the next process it looks like this.
    stage.wire.strike_on("UpdateItem", [Fault::Spared]);
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

// ---------------------------------------------------------------------------- Fewer seats

/// An organization that is billed for seats in the middle of a period.
struct Midterm {
    stage: Stage,
    billing: Billing,
    billed: Billed,
    ids: Vec<String>,
}

impl Midterm {
    /// Basic seats first.
    async fn new(basic: usize, premium: usize) -> Self {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        let start: Timestamp = "2100-03-01T00:00:00Z".parse().expect("a time");
        stage.ports.advance(start.duration_since(stage.ports.now()));
        billing.set_clock(stage.ports.now()).await;
        let billed = billing.organization(&stage).await;
        let mut midterm = Self { stage, billing, billed, ids: Vec::new() };
        midterm.create(basic, premium).await;
        midterm.sync().await;
        midterm
    }

    async fn create(&mut self, basic: usize, premium: usize) {
        let mut accounts = vec![json!({"tier": "basic"}); basic];
        accounts.extend(vec![json!({"tier": "premium"}); premium]);
        let call = Call::json(&json!({ "accounts": accounts })).bearer(&self.billed.api_key);
        let reply = call.send(&self.stage.create_seats()).await.json();
        let created = reply["data"]["accounts"].as_array().expect("accounts").clone();
        let id = |account: &serde_json::Value| account["id"].as_str().expect("an id").to_owned();
        self.ids.extend(created.iter().map(id));
    }

    /// Gives back the seats at these places.
    async fn give_back(&self, places: &[usize]) {
        let ids: Vec<_> = places.iter().map(|place| &self.ids[*place]).collect();
        let call = Call::json(&json!({ "account_ids": ids })).bearer(&self.billed.api_key);
        let reply = call.send(&self.stage.deactivate_seats()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// Tells Stripe of everything, a day later.
    async fn sync(&self) {
        self.stage.ports.advance(SignedDuration::from_hours(24));
        self.billing.set_clock(self.stage.ports.now()).await;
        self.tell().await;
    }

    /// Tells Stripe of everything.
    async fn tell(&self) {
        let (version, ..) = record(&self.stage, &self.billed).await;
        let message = [reached(&self.billed.organization, version)];
        assert_eq!(deliver(&self.stage, &self.billing, message).await, NONE);
    }

    async fn quantities(&self) -> (u64, u64) {
        self.billing.quantities(&self.billed.subscription).await
    }

    /// Puts a seat into another tier.
    async fn put_into(&self, place: usize, tier: &str) {
        let body = json!({"accountId": self.ids[place], "tier": tier});
        let holder = Holder::Organization(self.billed.organization.clone());
        let api_key = self.stage.credential(holder, &[Permission::AccountsUpdate]).await;
        let reply = Call::json(&body).bearer(&api_key).send(&self.stage.update_seats()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// An hour later, what Stripe previews that other quantities cost until the period ends, in cents.
    async fn previewed(&self, (basic, premium): (u64, u64)) -> i64 {
        self.stage.ports.advance(SignedDuration::from_hours(1));
        self.billing.set_clock(self.stage.ports.now()).await;
        let (stripe, id) = (&self.billing.stripe, &self.billed.subscription);
        let subscription: serde_json::Value =
            stripe.get(&format!("/v1/subscriptions/{id}"), &[]).await.expect("a subscription");
        let mut form = vec![("subscription".to_owned(), id.clone())];
        for (n, (cents, quantity)) in [(4_000, basic), (10_000, premium)].into_iter().enumerate() {
            let items = subscription["items"]["data"].as_array().expect("items");
            let item = items.iter().find(|item| item["price"]["unit_amount"] == cents);
            let item = item.and_then(|item| item["id"].as_str()).expect("an item of the price");
            let name = format!("subscription_details[items][{n}]");
            form.push((format!("{name}[id]"), item.to_owned()));
            form.push((format!("{name}[quantity]"), quantity.to_string()));
        }
        let subtotal = async |behavior: &str| {
            let behavior =
                ("subscription_details[proration_behavior]".to_owned(), behavior.to_owned());
            let form: Vec<_> = form.iter().cloned().chain([behavior.clone()]).collect();
            let path = "/v1/invoices/create_preview";
            let key =
                format!("preview-{}-{basic}-{premium}-{}", behavior.1, self.stage.ports.now());
            let invoice: serde_json::Value =
                stripe.post(path, &form, &key).await.expect("a preview");
            invoice["subtotal"].as_i64().expect("cents")
        };
        subtotal("create_prorations").await - subtotal("none").await
    }

    /// The sum of the differences since there were so many.
    async fn charged_since(&self, count: usize) -> i64 {
        let all = self.differences().await;
        all[..all.len() - count].iter().sum()
    }

    /// The amounts of the differences so far, newest first.
    async fn differences(&self) -> Vec<i64> {
        let list: serde_json::Value =
            self.billing.stripe.get("/v1/invoiceitems", &[]).await.expect("invoice items");
        let items = list["data"].as_array().expect("a list");
        items.iter().filter_map(|item| item["amount"].as_i64()).collect()
    }
}

#[tokio::test]
async fn seats_that_are_given_back_are_not_credited() {
    let midterm = Midterm::new(3, 0).await;
    let before = midterm.differences().await;
    midterm.give_back(&[0]).await;
    midterm.sync().await;
    assert_eq!(midterm.quantities().await, (2, 0));
    assert_eq!(midterm.differences().await, before);
}

#[tokio::test]
async fn seats_that_are_given_back_are_credited_where_the_organization_has_that_set() {
    let midterm = Midterm::new(3, 0).await;
    let (table, organization) = (&midterm.stage.table, &midterm.billed.organization);
    table.set_fewer_seats(organization, FewerSeats::Credit).await.expect("an organization");
    let before = midterm.differences().await;
    midterm.give_back(&[0]).await;
    midterm.sync().await;
    assert_eq!(midterm.quantities().await, (2, 0));
    let after = midterm.differences().await;
    let new: i64 = after[..after.len() - before.len()].iter().sum();
    assert!((-4_000..-3_000).contains(&new), "{new}");
}

#[tokio::test]
async fn one_tier_down_and_one_up_charges_the_one_and_credits_nothing() {
    let mut midterm = Midterm::new(2, 1).await;
    let before = midterm.differences().await;
    midterm.give_back(&[0]).await;
    midterm.create(0, 1).await;
    midterm.sync().await;
    assert_eq!(midterm.quantities().await, (1, 2));
    let after = midterm.differences().await;
    let new = &after[..after.len() - before.len()];
    // One premium seat credited and two charged: what had been charged for the item.
    let sum: i64 = new.iter().sum();
    assert_eq!(new.len(), 2, "{new:?}");
    assert!((8_000..10_000).contains(&sum), "{new:?}");
}

#[tokio::test]
async fn of_one_tier_down_and_one_up_what_is_charged_is_the_preview_of_the_one() {
    let mut midterm = Midterm::new(3, 1).await;
    let before = midterm.differences().await.len();
    let previewed = midterm.previewed((3, 3)).await;
    midterm.give_back(&[0]).await;
    midterm.create(0, 2).await;
    midterm.tell().await;
    assert_eq!(midterm.quantities().await, (2, 3));
    assert_eq!(midterm.charged_since(before).await, previewed);
    assert!(previewed > 0, "{previewed}");
}

#[tokio::test]
async fn a_seat_that_goes_to_another_tier_costs_what_the_preview_says() {
    let midterm = Midterm::new(2, 1).await;
    for (tier, counts) in [("premium", (1, 2)), ("basic", (2, 1))] {
        let before = midterm.differences().await.len();
        let previewed = midterm.previewed(counts).await;
        midterm.put_into(0, tier).await;
        midterm.tell().await;
        assert_eq!(midterm.quantities().await, counts);
        assert_eq!(midterm.charged_since(before).await, previewed, "{tier}");
        assert_eq!(previewed > 0, tier == "premium", "{previewed}");
    }
}

#[tokio::test]
async fn a_seat_that_was_paid_for_is_neither_credited_nor_charged_when_it_comes_again() {
    let mut midterm = Midterm::new(3, 0).await;
    midterm.give_back(&[0, 1]).await;
    midterm.sync().await;
    let before = midterm.differences().await;
    midterm.create(1, 0).await;
    midterm.sync().await;
    assert_eq!(midterm.quantities().await, (2, 0));
    assert_eq!(midterm.differences().await, before, "two of the three that were paid for");
    midterm.create(2, 0).await;
    midterm.sync().await;
    assert_eq!(midterm.quantities().await, (4, 0));
    let after = midterm.differences().await;
    let new: i64 = after[..after.len() - before.len()].iter().sum();
    assert!((3_000..4_000).contains(&new), "the fourth is charged: {new}");
}

/// What Stripe has charged begins by its clock, which may be ahead of ours.
#[tokio::test]
async fn a_clock_that_is_behind_is_no_reason_to_credit() {
    let mut midterm = Midterm::new(2, 0).await;
    let ahead = midterm.stage.ports.now() + SignedDuration::from_mins(4);
    midterm.billing.set_clock(ahead).await;
    midterm.create(1, 0).await;
    midterm.tell().await;
    midterm.give_back(&[0, 1]).await;
    midterm.tell().await;
    let before = midterm.differences().await;
    midterm.create(1, 0).await;
    midterm.tell().await;
    assert_eq!(midterm.quantities().await, (2, 0));
    assert_eq!(midterm.differences().await, before);
}

#[tokio::test]
async fn a_deactivation_that_gets_no_answer_is_told_all_the_same() {
    for kind in ["429", "lock_timeout", "409", "cut_before", "cut_after", "500"] {
        let midterm = Midterm::new(3, 0).await;
        let before = midterm.differences().await;
        midterm.give_back(&[2]).await;
        let fault = json!({"kind": kind, "method": "POST", "path_prefix": "/v1/subscriptions/", "count": 1});
        midterm.billing.fault(&fault).await;
        let (version, ..) = record(&midterm.stage, &midterm.billed).await;
        let message = || [reached(&midterm.billed.organization, version)];
        let again = deliver(&midterm.stage, &midterm.billing, message()).await;
        if !again.is_empty() {
            assert_eq!(deliver(&midterm.stage, &midterm.billing, message()).await, NONE, "{kind}");
        }
        assert_eq!(midterm.quantities().await, (2, 0), "{kind}");
        assert_eq!(midterm.differences().await, before, "{kind}");
    }
}
