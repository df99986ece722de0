//! reconcile-billing on the real store, against the stand-in, and against an account of Stripe
//! made of nothing but a clock where it is about many organizations.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_billing::stripe::Stripe;
use headcount_billing::{Item, StripeFailure, Subscription, Subscriptions, Updated};
use headcount_model::billing::{
    BillingError, BillingLedger, ItemTarget, Period, ProrationBehavior, SubscriptionStatus,
};
use headcount_model::id::OrganizationId;
use headcount_model::port::{Clock, Entropy, NoEntropy};
use headcount_model::reconcile::{Cursor, LedgerState, ReconciliationStore, Shard};
use headcount_model::seats::{Change, Deactivation, NotDeactivated, SeatEndings, SeatsEnd};
use headcount_model::tiers::{TierEntry, Tiers};
use headcount_store::Table;
use headcount_tests::billing::{Billed, Billing, batch, reached};
use headcount_tests::{Call, Ports, Stage, text_of};
use jiff::{SignedDuration, Timestamp};
use reconcile_billing::{
    Action, BillingQueue, Ended, Finding, Findings, Function, Message, Pause, Report,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What Lambda gives a run.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(240);
/// The schedule's interval.
const INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// A list that clones share.
#[derive(Debug, Clone)]
struct Shared<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Shared<T> {
    fn push(&self, value: T) -> usize {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(value);
        list.len()
    }

    /// Everything since it was taken last.
    fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waiting moves the clock.
#[derive(Debug, Clone)]
struct Virtual(Ports);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Entropy for Virtual {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.fill(bytes)
    }
}

impl Pause for Virtual {
    async fn pause_until(&self, time: Timestamp) {
        let left = time.duration_since(self.now());
        if left.is_positive() {
            self.0.advance(left);
        }
    }
}

impl BillingQueue for Shared<Message> {
    async fn send(&self, messages: &[Message]) -> usize {
        assert!(messages.len() <= 10, "one batch of SQS");
        for message in messages {
            self.push(message.clone());
        }
        messages.len()
    }
}

/// What is told, by whether it is of an organization or of a row.
#[derive(Debug, Clone, Default)]
struct Told {
    findings: Shared<Finding>,
    keys: Shared<String>,
}

impl Findings for Told {
    fn record(&self, finding: &Finding) {
        self.findings.push(finding.clone());
    }

    fn unreadable(&self, key: &str) {
        self.keys.push(key.to_owned());
    }
}

/// Kind, tier, ledger, other side, number of accounts and action of a finding.
type Line = (&'static str, Option<&'static str>, String, String, usize, Action);

/// A run's function, and what it sends and tells.
struct Reconciler<S> {
    function: Function<Table, S, Shared<Message>, Told, Virtual>,
    ports: Ports,
    messages: Shared<Message>,
    findings: Shared<Finding>,
    /// The rows that could not be read.
    unreadable: Shared<String>,
}

impl<S: Subscriptions> Reconciler<S> {
    fn new(stage: &Stage, stripe: S, tiers: Tiers) -> Self {
        let (messages, told) = (Shared::default(), Told::default());
        let function = Function {
            ledger: stage.table.clone(),
            stripe,
            queue: messages.clone(),
            findings: told.clone(),
            tiers,
            reads_per_second: NonZeroU32::new(15).expect("above 0"),
            ports: Virtual(stage.ports.clone()),
        };
        let Told { findings, keys: unreadable } = told;
        Self { function, ports: stage.ports.clone(), messages, findings, unreadable }
    }

    /// One run that has as long as Lambda gives it.
    async fn run(&self) -> Report {
        self.run_for(TIMEOUT).await
    }

    async fn run_for(&self, time: SignedDuration) -> Report {
        let deadline = self.ports.now() + time;
        self.function.handle(deadline, "run-1".to_owned()).await.expect("the table answers")
    }

    /// What was found since it was asked last.
    fn found(&self) -> Vec<Line> {
        let findings = self.findings.take().into_iter();
        let told = findings.map(|finding| {
            let (ledger, other) = finding.drift.sides();
            let tier = finding.drift.tier().map(|tier| tier.as_str());
            let accounts = finding.accounts.len();
            (finding.drift.kind(), tier, ledger, other, accounts, finding.action)
        });
        told.collect()
    }
}

fn on_stand_in(stage: &Stage, billing: &Billing) -> Reconciler<Stripe> {
    Reconciler::new(stage, billing.stripe.clone(), billing.tiers())
}

async fn create(stage: &Stage, api_key: &str, basic: usize, premium: usize) {
    let mut accounts = vec![json!({"tier": "basic"}); basic];
    accounts.extend(vec![json!({"tier": "premium"}); premium]);
    let call = Call::json(&json!({ "accounts": accounts })).bearer(api_key);
    let reply = call.send(&stage.create_seats()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn state(stage: &Stage, organization: &OrganizationId) -> LedgerState {
    let state = stage.table.ledger_state(organization).await.expect("the table answers");
    state.expect("a record")
}

/// Delivers the message that publish-changes makes of the newest version.
async fn sync(stage: &Stage, billing: &Billing, organization: &OrganizationId) {
    let version = state(stage, organization).await.version;
    let event = batch([reached(organization, version)]);
    let response = billing.sync(stage).handle(event).await.expect("every message has an id");
    assert!(response.batch_item_failures.is_empty());
}

/// An organization with seats that Stripe bills.
async fn billed(stage: &Stage, billing: &Billing, basic: usize, premium: usize) -> Billed {
    let billed = billing.organization(stage).await;
    create(stage, &billed.api_key, basic, premium).await;
    sync(stage, billing, &billed.organization).await;
    billed
}

/// Seats by query = ledger = Stripe, and the room is what the limit leaves.
async fn assert_agreement(stage: &Stage, billing: &Billing, billed: &Billed, seats: (u64, u64)) {
    let counted = stage.table.count_seats(&billed.organization).await.expect("an answer").seats;
    assert_eq!((counted.basic, counted.premium), seats, "the seats");
    let state = state(stage, &billed.organization).await;
    assert_eq!((state.seats.basic, state.seats.premium), seats, "the ledger");
    assert_eq!(state.seats_left, state.room_beside(state.seats), "the room");
    assert_eq!(billing.quantities(&billed.subscription).await, seats, "Stripe");
    assert_eq!(state.version, state.applied_version);
}

fn pk(billed: &Billed) -> String {
    format!("ORG#{}", billed.organization)
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Changes quantities at Stripe behind our back.
async fn edit_by_hand(billing: &Billing, billed: &Billed, quantity: u64) {
    let subscription = billing.stripe.fetch(&billed.subscription).await.expect("a subscription");
    let targets = subscription.items.into_iter().map(|item| ItemTarget {
        id: Some(item.id),
        price: item.price,
        quantity,
    });
    let targets: Vec<_> = targets.collect();
    let key = format!("by-hand:{}:{quantity}", billed.subscription);
    billing
        .stripe
        .set_quantities(&billed.subscription, &targets, ProrationBehavior::default(), &key)
        .await
        .expect("an update");
}

#[tokio::test]
async fn where_all_agree_nothing_is_written_and_nothing_told() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 3, 1).await;
    let reconciler = on_stand_in(&stage, &billing);
    // The first run hears of the billing period, which is no drift.
    reconciler.run().await;
    let before = state(&stage, &billed.organization).await;
    stage.operations.take();

    let report = reconciler.run().await;
    assert_eq!((report.compared, report.drifts, report.ended), (1, 0, Ended::Complete));
    assert_eq!(reconciler.found(), []);
    assert_eq!(reconciler.messages.take(), []);
    assert_eq!(state(&stage, &billed.organization).await, before);
    let operations = stage.operations.take();
    for operation in &operations {
        // The cursors are put.
        let allowed = ["GetItem", "Query", "PutItem"];
        assert!(allowed.contains(&operation.as_str()), "{operation}");
    }
    assert_agreement(&stage, &billing, &billed, (3, 1)).await;
}

#[tokio::test]
async fn a_hand_edit_in_stripe_is_found_told_and_healed() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 5, 1).await;
    edit_by_hand(&billing, &billed, 2).await;
    let reconciler = on_stand_in(&stage, &billing);

    let report = reconciler.run().await;
    assert_eq!((report.compared, report.drifts), (1, 2));
    let found = reconciler.findings.take();
    let newest: Vec<_> = found.iter().map(|finding| finding.accounts.len()).collect();
    assert_eq!(newest, [3, 0], "the seats that Stripe does not bill");
    assert!(found.iter().all(|finding| finding.action == Action::ToldAgain));
    // While it is behind, it is left alone.
    let report = reconciler.run().await;
    assert_eq!((report.behind, report.drifts), (1, 0));

    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (5, 1)).await;
    assert_eq!(reconciler.run().await.drifts, 0);
}

#[tokio::test]
async fn deactivated_seats_are_not_counted() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 3, 1).await;
    let items = stage.items_under(&format!("ORG#{}", billed.organization)).await;
    let seat =
        items.iter().find_map(|item| text_of(item, "id").filter(|id| id.starts_with("acc_")));
    let call = Call::json(&json!({"account_id": seat})).bearer(&billed.api_key);
    assert_eq!(call.send(&stage.deactivate_seats()).await.status, 200);
    sync(&stage, &billing, &billed.organization).await;
    let reconciler = on_stand_in(&stage, &billing);
    let report = reconciler.run().await;
    assert_eq!((report.compared, report.drifts), (1, 0), "{:?}", reconciler.findings.take());
}

#[tokio::test]
async fn what_cannot_be_brought_up_to_date_still_hears_that_its_subscription_ended() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    let reconciler = on_stand_in(&stage, &billing);
    reconciler.run().await;
    // No webhook comes, and the next seat is what shows that something is wrong.
    billing.set_status(&billed.subscription, SubscriptionStatus::Canceled).await;
    create(&stage, &billed.api_key, 1, 0).await;
    let event = batch([reached(&billed.organization, 2)]);
    let response = billing.sync(&stage).handle(event).await.expect("every message has an id");
    assert_eq!(response.batch_item_failures.len(), 1);

    let report = reconciler.run().await;
    assert_eq!((report.behind, report.drifts), (1, 1));
    let (active, canceled) = ("active".to_owned(), "canceled".to_owned());
    assert_eq!(reconciler.found(), [("status", None, active, canceled, 0, Action::Recorded)]);
    let body = json!({"accounts": [{"tier": "basic"}]});
    let call = Call::json(&body).bearer(&billed.api_key);
    assert_eq!(call.send(&stage.create_seats()).await.status, 402);
    assert_eq!(reconciler.run().await.drifts, 0);
}

#[tokio::test]
async fn an_item_removed_in_stripe_comes_back() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 2).await;
    let subscription = billing.stripe.fetch(&billed.subscription).await.expect("a subscription");
    let premium = billing.prices.premium.as_deref().expect("a price");
    let item = subscription.item_of(premium).expect("an item");
    let form = [
        ("items[0][id]".to_owned(), item.id.clone()),
        ("items[0][deleted]".to_owned(), "true".to_owned()),
    ];
    let path = format!("/v1/subscriptions/{}", billed.subscription);
    let _: Value = billing.stripe.post(&path, &form, "by-hand").await.expect("an update");
    let reconciler = on_stand_in(&stage, &billing);

    reconciler.run().await;
    let expected =
        ("item_missing", Some("premium"), "2".to_owned(), "none".to_owned(), 2, Action::ToldAgain);
    assert_eq!(reconciler.found(), [expected]);
    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (1, 2)).await;
}

#[tokio::test]
async fn a_wrong_count_is_corrected_and_reaches_stripe() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 2, 1).await;
    stage.set(&pk(&billed), "BILLING", "seats_basic", number(7)).await;
    let reconciler = on_stand_in(&stage, &billing);

    reconciler.run().await;
    let found = reconciler.found();
    let ledger = ("ledger", Some("basic"), "7".to_owned(), "2".to_owned(), 0, Action::Corrected);
    assert_eq!(found[0], ledger);
    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (2, 1)).await;
    assert_eq!(reconciler.run().await.drifts, 0);
}

#[tokio::test]
async fn seats_deleted_by_hand_are_billed_no_longer() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 4, 0).await;
    let before = state(&stage, &billed.organization).await;
    let counted = stage.table.count_seats(&billed.organization).await.expect("an answer");
    for seat in &counted.newest_basic[..3] {
        stage
            .client
            .delete_item()
            .table_name("headcount")
            .key("pk", AttributeValue::S(pk(&billed)))
            .key("sk", AttributeValue::S(format!("SEAT#{seat}")))
            .send()
            .await
            .expect("a deletion");
    }
    let reconciler = on_stand_in(&stage, &billing);

    reconciler.run().await;
    let expected = ("ledger", Some("basic"), "4".to_owned(), "1".to_owned(), 0, Action::Corrected);
    assert_eq!(reconciler.found(), [expected]);
    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (1, 0)).await;
    let after = state(&stage, &billed.organization).await;
    let gained = after.cents_left.zip(before.cents_left).map(|(after, before)| after - before);
    assert_eq!(gained, Some(12_000), "three basic seats may be paid again");
}

#[tokio::test]
async fn seats_that_cannot_be_read_are_named_and_nothing_is_corrected() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 2, 0).await;
    let seat = stage.table.count_seats(&billed.organization).await.expect("an answer");
    let sk = format!("SEAT#{}", seat.newest_basic[0]);
    stage.set(&pk(&billed), &sk, "tier", AttributeValue::S("gold".to_owned())).await;
    let reconciler = on_stand_in(&stage, &billing);

    reconciler.run().await;
    let found = reconciler.findings.take();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].drift.kind(), found[0].action), ("unreadable_seats", Action::Reported));
    assert_eq!(found[0].accounts, [sk]);
    assert_eq!(billing.quantities(&billed.subscription).await, (2, 0));
}

#[tokio::test]
async fn a_status_whose_webhook_was_lost_is_recorded() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    billing.set_status(&billed.subscription, SubscriptionStatus::Unpaid).await;
    let reconciler = on_stand_in(&stage, &billing);

    reconciler.run().await;
    let found = reconciler.found();
    let expected = ("status", None, "active".to_owned(), "unpaid".to_owned(), 0, Action::Recorded);
    assert_eq!(found, [expected]);
    let state = state(&stage, &billed.organization).await;
    assert_eq!(state.status.as_deref(), Some("unpaid"));
    assert_eq!(state.version, 1, "no reason to tell Stripe anything");
    assert_eq!(reconciler.run().await.drifts, 0);
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_told_every_time_and_changes_nothing() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    let nowhere = AttributeValue::S("sub_nowhere".to_owned());
    stage.set(&pk(&billed), "BILLING", "stripe_subscription", nowhere).await;
    let reconciler = on_stand_in(&stage, &billing);
    let before = state(&stage, &billed.organization).await;
    for _ in 0..2 {
        reconciler.run().await;
        let found = reconciler.found();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0, found[0].5), ("subscription_gone", Action::Reported));
    }
    assert_eq!(state(&stage, &billed.organization).await, before);
}

#[tokio::test]
async fn a_subscription_that_became_unfit_is_told_and_put_on_record() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    billing.attach_schedule(&billed.subscription).await;
    let reconciler = on_stand_in(&stage, &billing);
    reconciler.run().await;
    let found = reconciler.found();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].5), ("subscription_unfit", Action::ToldAgain));
    assert_eq!(found[0].3, "a schedule is attached, which changes its items");
    let message = batch([reached(&billed.organization, 2)]);
    let response = billing.sync(&stage).handle(message).await.expect("ids");
    assert_eq!(response.batch_item_failures.len(), 1);
    let record = stage.table.billing(&billed.organization).await.expect("an answer");
    let error = record.and_then(|record| record.last_error).expect("on record");
    assert_eq!(error.code, "subscription_schedule");
}

#[tokio::test]
async fn seats_that_a_subscription_that_has_ended_does_not_bill_are_told_every_time() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let with_seats = billed(&stage, &billing, 2, 1).await;
    let without = billing.organization(&stage).await;
    for billed in [&with_seats, &without] {
        billing.set_status(&billed.subscription, SubscriptionStatus::Canceled).await;
    }
    let reconciler = on_stand_in(&stage, &billing);
    let ended =
        ("subscription_ended", None, "3".to_owned(), "canceled".to_owned(), 0, Action::Reported);
    reconciler.run().await;
    let found = reconciler.found();
    assert_eq!(found.iter().filter(|found| **found == ended).count(), 1, "{found:?}");
    assert_eq!(found.iter().filter(|found| found.0 == "status").count(), 2, "{found:?}");
    reconciler.run().await;
    assert_eq!(reconciler.found(), [ended]);
}

#[tokio::test]
async fn what_is_behind_is_sent_again_once_a_run() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed.api_key, 1, 0).await;
    let reconciler = on_stand_in(&stage, &billing);
    reconciler.run().await;
    assert_eq!(reconciler.messages.take(), [], "its message may be on its way");

    stage.ports.advance(SignedDuration::from_mins(3));
    let mut ids = Vec::new();
    for _ in 0..2 {
        let report = reconciler.run().await;
        assert_eq!((report.republished, report.behind, report.drifts), (1, 1, 0));
        let messages = reconciler.messages.take();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].change.organization, billed.organization);
        assert_eq!(messages[0].change.version, 1);
        ids.push(messages[0].deduplication_id.clone());
        stage.ports.advance(INTERVAL);
    }
    assert!(ids.iter().all(|id| id.starts_with(&format!("{}:1:r", billed.organization))));
    assert!(ids.iter().all(|id| id.len() <= 128), "what SQS takes");
    assert_ne!(ids[0], ids[1], "SQS would drop what it has seen");

    sync(&stage, &billing, &billed.organization).await;
    assert_eq!(reconciler.run().await.republished, 0);
    assert_agreement(&stage, &billing, &billed, (1, 0)).await;
}

#[tokio::test]
async fn how_long_the_oldest_has_been_behind_is_told_by_each_run() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let reconciler = on_stand_in(&stage, &billing);
    let oldest = async || reconciler.run().await.oldest_behind_seconds;
    assert_eq!(oldest().await, 0, "nobody is behind");
    let first = billing.organization(&stage).await;
    create(&stage, &first.api_key, 1, 0).await;
    stage.ports.advance(SignedDuration::from_mins(7));
    let second = billing.organization(&stage).await;
    create(&stage, &second.api_key, 1, 0).await;
    stage.ports.advance(SignedDuration::from_secs(50));
    assert_eq!(oldest().await, 470, "of two the older");
    // What rests after a failure for good is behind all the same.
    let error =
        BillingError { code: "resource_missing".into(), message: "gone".into(), request_id: None };
    let now = stage.ports.now();
    stage.table.record_failure(&first.organization, None, &error, now).await.expect("an answer");
    assert_eq!(oldest().await, 470);
    sync(&stage, &billing, &first.organization).await;
    assert_eq!(oldest().await, 50);
    sync(&stage, &billing, &second.organization).await;
    assert_eq!(oldest().await, 0);
}

#[tokio::test]
async fn what_failed_for_good_is_sent_again_once_an_hour() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed.api_key, 1, 0).await;
    stage.ports.advance(INTERVAL);
    let error =
        BillingError { code: "resource_missing".into(), message: "gone".into(), request_id: None };
    let now = stage.ports.now();
    stage.table.record_failure(&billed.organization, None, &error, now).await.expect("an answer");
    let reconciler = on_stand_in(&stage, &billing);
    let mut republished = Vec::new();
    for _ in 0..14 {
        republished.push(reconciler.run().await.republished);
        stage.ports.advance(INTERVAL);
    }
    assert_eq!(republished, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
}

#[tokio::test]
async fn many_that_are_behind_are_all_sent_again() {
    let stage = Stage::new().await;
    // More in each shard than one page of the index takes.
    for organization in organizations(&stage, 200).await {
        let pk = format!("ORG#{organization}");
        let shard = AttributeValue::S(Shard::of(&organization).to_string());
        let since = AttributeValue::S("2026-01-01T00:00:00.000000Z".to_owned());
        stage.set(&pk, "BILLING", "version", number(1)).await;
        stage.set(&pk, "BILLING", "behind_shard", shard).await;
        stage.set(&pk, "BILLING", "behind_since", since).await;
    }
    let reconciler = Account::new(&stage).reconciler(&stage);
    let report = reconciler.run().await;
    assert_eq!((report.republished, report.behind), (200, 200));
    let organizations = reconciler.messages.take().into_iter();
    let organizations: BTreeSet<_> =
        organizations.map(|message| message.change.organization).collect();
    assert_eq!(organizations.len(), 200);
}

/// Creates a seat whenever Stripe is read.
struct Meddling<'s> {
    stripe: Stripe,
    stage: &'s Stage,
    api_key: String,
}

impl Subscriptions for Meddling<'_> {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        let answer = self.stripe.fetch(subscription).await;
        create(self.stage, &self.api_key, 1, 0).await;
        answer
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        unreachable!("reconciliation changes nothing at Stripe itself")
    }
}

#[tokio::test]
async fn a_create_while_seats_are_counted_is_no_drift() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 1).await;
    let stripe =
        Meddling { stripe: billing.stripe.clone(), stage: &stage, api_key: billed.api_key.clone() };
    let reconciler = Reconciler::new(&stage, stripe, billing.tiers());
    let report = reconciler.run().await;
    assert_eq!((report.moving, report.compared, report.drifts), (1, 0, 0));
    assert_eq!(reconciler.found(), []);
    assert_eq!(state(&stage, &billed.organization).await.version, 2, "only the create's own");
    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (2, 1)).await;
}

#[tokio::test]
async fn a_create_between_comparison_and_correction_is_not_overwritten() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    let stale = state(&stage, &billed.organization).await;
    create(&stage, &billed.api_key, 2, 0).await;
    let correction = headcount_model::reconcile::Correction::of(
        &stale,
        headcount_model::billing::SeatCounts { basic: 1, premium: 0 },
        &billing.tiers(),
    );
    let now = stage.ports.now();
    let overtaken = Ok(headcount_model::reconcile::Written::Overtaken);
    assert_eq!(stage.table.correct(&stale, &correction, now).await, overtaken);
    assert_eq!(stage.table.raise_version(&stale, now).await, overtaken);
    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (3, 0)).await;
}

/// An account of Stripe whose subscriptions all have no seats. It notes who is read when.
#[derive(Clone)]
struct Account {
    ports: Ports,
    /// The subscription and the time of each answer.
    reads: Shared<(String, Timestamp)>,
    /// The period of each.
    period: Arc<Mutex<Option<Period>>>,
    /// What it does not answer.
    silent: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// From this many reads on none ends, and `hanging` is told.
    hangs_at: usize,
    begun: Shared<()>,
    hanging: Arc<Notify>,
}

impl Account {
    fn new(stage: &Stage) -> Self {
        Self {
            ports: stage.ports.clone(),
            reads: Shared::default(),
            period: Arc::default(),
            silent: Arc::new(|_| false),
            hangs_at: usize::MAX,
            begun: Shared::default(),
            hanging: Arc::default(),
        }
    }

    fn reconciler(&self, stage: &Stage) -> Reconciler<Self> {
        let entry = |name: &str, unit_amount| TierEntry {
            name: name.to_owned(),
            price: Some(format!("price_{name}")),
            unit_amount,
            device_type: "shared".to_owned(),
        };
        let tiers = Tiers::try_from(vec![entry("basic", 4_000), entry("premium", 10_000)]);
        Reconciler::new(stage, self.clone(), tiers.expect("valid"))
    }
}

impl Subscriptions for Account {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        if self.begun.push(()) >= self.hangs_at {
            self.hanging.notify_one();
            std::future::pending::<()>().await;
        }
        if (self.silent)(subscription) {
            return Err(StripeFailure::Transient("no answer".to_owned()));
        }
        self.reads.push((subscription.to_owned(), self.ports.now()));
        let item = |name: &str| Item {
            id: format!("si_{name}"),
            price: format!("price_{name}"),
            quantity: 0,
            unit_amount: None,
        };
        Ok(Subscription {
            id: subscription.to_owned(),
            status: "active".to_owned(),
            collection_paused: false,
            cancel_at_period_end: false,
            period: *self.period.lock().unwrap_or_else(PoisonError::into_inner),
            organization: subscription
                .strip_prefix("sub_")
                .and_then(|id| OrganizationId::parse(id).ok()),
            unfit: Vec::new(),
            customer: "cus_1".to_owned(),
            items: vec![item("basic"), item("premium")],
        })
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        unreachable!("reconciliation changes nothing at Stripe itself")
    }
}

async fn organizations(stage: &Stage, count: usize) -> Vec<OrganizationId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(stage.organization(Some(SubscriptionStatus::Active), 10).await);
    }
    ids
}

/// How often each was read.
fn times(reads: &[(String, Timestamp)]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    for (subscription, _) in reads {
        *times.entry(subscription.as_str()).or_default() += 1;
    }
    times
}

async fn cursors(stage: &Stage) -> Vec<Cursor> {
    let mut cursors = Vec::new();
    for shard in Shard::all() {
        cursors.push(stage.table.cursor(shard).await.expect("an answer"));
    }
    cursors
}

#[tokio::test]
async fn a_thousand_organizations_are_read_once_a_cycle_at_the_rate_that_stripe_takes() {
    let stage = Stage::new().await;
    organizations(&stage, 1_000).await;
    let account = Account::new(&stage);
    let reconciler = account.reconciler(&stage);

    let mut reads = Vec::new();
    let mut runs = 0;
    while reads.len() < 1_000 {
        let began = stage.ports.now();
        // Half a minute is kept in reserve, so half a minute is used: 450 reads.
        let report = reconciler.run_for(SignedDuration::from_secs(60)).await;
        assert_eq!(report.drifts, 0);
        assert!(stage.ports.now() < began + SignedDuration::from_secs(60), "before its deadline");
        assert!(report.compared <= 450 + 8, "{report:?}");
        reads.extend(account.reads.take());
        runs += 1;
    }
    assert_eq!(runs, 3);
    // Every organization once before any comes again.
    let once = times(&reads[..1_000]);
    assert_eq!(once.len(), 1_000);
    for window in reads.windows(16) {
        let span = window[15].1.duration_since(window[0].1);
        assert!(span >= SignedDuration::from_secs(1), "16 reads in {span:?}");
    }
}

#[tokio::test]
async fn a_run_ends_with_one_complete_cycle() {
    let stage = Stage::new().await;
    organizations(&stage, 40).await;
    let account = Account::new(&stage);
    let reconciler = account.reconciler(&stage);
    for cycle in 1..=2 {
        let report = reconciler.run().await;
        assert_eq!((report.compared, report.shards_finished), (40, 16));
        assert_eq!(report.ended, Ended::Complete);
        assert_eq!(times(&account.reads.take()).len(), 40);
        for cursor in cursors(&stage).await {
            assert_eq!((cursor.cycle, cursor.after, cursor.claimed_until), (cycle, None, None));
        }
    }
}

#[tokio::test]
async fn a_run_that_is_killed_is_continued_by_the_next() {
    let stage = Stage::new().await;
    organizations(&stage, 100).await;
    let mut account = Account::new(&stage);
    account.hangs_at = 60;
    let reconciler = account.reconciler(&stage);
    tokio::select! {
        report = reconciler.run() => panic!("it cannot end: {report:?}"),
        () = account.hanging.notified() => {}
    }
    assert_eq!(account.reads.take().len(), 59);
    let reread = 59 - cursors_passed(&stage).await;
    assert!(reread < 8, "less than a group is repeated: {reread}");

    // Until the dead run's time is over, it might live.
    account.hangs_at = usize::MAX;
    let reconciler = account.reconciler(&stage);
    let report = reconciler.run_for(SignedDuration::from_secs(60)).await;
    assert_eq!((report.compared, report.ended), (0, Ended::LeftToAnother));

    stage.ports.advance(INTERVAL);
    let report = reconciler.run().await;
    assert_eq!(report.ended, Ended::Complete);
    let reads = account.reads.take();
    let rest = times(&reads[..41 + reread]);
    assert_eq!(rest.len(), 41 + reread, "every other one once, before any comes again");
    assert!(cursors(&stage).await.iter().all(|cursor| cursor.cycle >= 1));
}

/// How many organizations the cursors have left behind in the first cycle.
async fn cursors_passed(stage: &Stage) -> usize {
    let mut passed = 0;
    for cursor in cursors(stage).await {
        let all = stage.table.organizations(cursor.shard, None, 1_000).await.expect("an answer");
        let all = all.readable;
        passed += match (&cursor.after, cursor.cycle) {
            (None, 0) => 0,
            (Some(after), _) => all.iter().filter(|id| *id <= after).count(),
            (None, _) => all.len(),
        };
    }
    passed
}

#[tokio::test]
async fn of_two_runs_at_once_one_walks() {
    let stage = Stage::new().await;
    organizations(&stage, 60).await;
    let account = Account::new(&stage);
    let (one, other) = (account.reconciler(&stage), account.reconciler(&stage));
    let (one, other) = futures_util::join!(one.run(), other.run());
    assert_eq!(one.compared + other.compared, 60);
    let mut ended = [one.ended, other.ended];
    ended.sort_by_key(|ended| *ended != Ended::Complete);
    assert_eq!(ended, [Ended::Complete, Ended::LeftToAnother]);
    let reads = account.reads.take();
    assert_eq!((reads.len(), times(&reads).len()), (60, 60));
}

#[tokio::test]
async fn while_stripe_is_silent_the_walk_waits_and_then_goes_on() {
    let stage = Stage::new().await;
    organizations(&stage, 50).await;
    let up = Account::new(&stage);
    let mut down = Account::new(&stage);
    down.silent = Arc::new(|_| true);
    let report = down.reconciler(&stage).run().await;
    assert_eq!((report.compared, report.ended), (0, Ended::Unanswered));
    assert!(report.unanswered <= 8, "whoever is silent is not asked on: {report:?}");

    let report = up.reconciler(&stage).run().await;
    assert_eq!((report.compared, report.ended), (50, Ended::Complete));
    assert_eq!(times(&up.reads.take()).len(), 50);
}

#[tokio::test]
async fn one_that_never_answers_is_passed_over() {
    let stage = Stage::new().await;
    let ids = organizations(&stage, 30).await;
    let first = ids.iter().min_by_key(|id| (Shard::of(id), id.as_str())).expect("some").clone();
    let mute = Shard::of(&first);
    let in_mute = ids.iter().filter(|id| Shard::of(id) == mute).count();
    assert!(in_mute <= 8, "one group");
    let mut account = Account::new(&stage);
    account.silent = Arc::new(move |subscription: &str| {
        OrganizationId::parse(subscription.trim_start_matches("sub_"))
            .is_ok_and(|id| Shard::of(&id) == mute)
    });
    let reconciler = account.reconciler(&stage);
    for _ in 0..3 {
        assert_eq!(reconciler.run().await.ended, Ended::Unanswered);
        assert_eq!(account.reads.take(), []);
    }
    let report = reconciler.run().await;
    assert_eq!(report.compared, (30 - in_mute) as u64);
    assert_eq!(report.ended, Ended::Complete);
}

#[tokio::test]
async fn one_that_fails_among_others_holds_nothing_up() {
    let stage = Stage::new().await;
    let ids = organizations(&stage, 30).await;
    // A record that cannot be read, in a group with others where there are any.
    let broken = &ids[0];
    let word = AttributeValue::S("many".to_owned());
    stage.set(&format!("ORG#{broken}"), "BILLING", "seats_basic", word).await;
    let account = Account::new(&stage);
    let reconciler = account.reconciler(&stage);
    let mut compared = 0;
    for _ in 0..5 {
        compared = compared.max(reconciler.run().await.compared);
    }
    assert_eq!(compared, 29);
}

#[tokio::test]
async fn without_a_key_that_works_nothing_is_believed_to_be_gone() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    let stripe = Stripe::new(&billing.base, "pk_wrong".into()).expect("a client");
    let reconciler = Reconciler::new(&stage, stripe, billing.tiers());
    let report = reconciler.run().await;
    assert_eq!((report.unanswered, report.drifts), (1, 0));
    assert_eq!(report.ended, Ended::Unanswered);
    assert_agreement(&stage, &billing, &billed, (1, 0)).await;
}

/// Puts an item that says nothing.
async fn put_by_hand(stage: &Stage, item: &[(&str, AttributeValue)]) {
    let mut put = stage.client.put_item().table_name(headcount_tests::TABLE);
    for (name, value) in item {
        put = put.item(*name, value.clone());
    }
    put.send().await.expect("the table takes it");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_and_stops_nobody() {
    let stage = Stage::new().await;
    // More organizations than one page of a shard has, with rows between and behind them.
    let known = organizations(&stage, 200).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for sort_key in ["ORG#", "ORG#org_01kafzqzxqxqxqxqxqxqxqxqx!", "ORG#zzz"] {
        put_by_hand(&stage, &[("pk", text("ORGS#0")), ("sk", text(sort_key))]).await;
    }
    // Of the index: when it is behind since is no time, and whose it is no organization.
    for (pk, since) in
        [("ORG#nobody", "2026-01-01T00:00:00.000000Z"), ("ORG#x", "2026-01-01 sometime")]
    {
        let key = [("pk", text(pk)), ("sk", text("BILLING"))];
        let behind = [("behind_shard", text("0")), ("behind_since", text(since))];
        put_by_hand(&stage, &[key, behind].concat()).await;
    }
    // Of two cursors: one has nothing of a cursor, one is in the middle of nowhere.
    put_by_hand(&stage, &[("pk", text("RECONCILE#1")), ("sk", text("RECONCILE"))]).await;
    let account = Account::new(&stage);
    let reconciler = account.reconciler(&stage);
    reconciler.run().await;
    stage.set("RECONCILE#2", "RECONCILE", "after", text("nowhere")).await;
    reconciler.unreadable.take();
    account.reads.take();

    let report = reconciler.run().await;
    assert_eq!((report.ended, report.compared), (Ended::Complete, 200));
    assert_eq!(times(&account.reads.take()).len(), known.len());
    let mut keys = reconciler.unreadable.take();
    keys.sort();
    assert_eq!(
        keys,
        [
            "ORG#nobody BILLING",
            "ORG#x BILLING",
            "ORGS#0 ORG#org_01kafzqzxqxqxqxqxqxqxqxqx!",
            "ORGS#0 ORG#zzz",
        ]
    );
    assert_eq!(report.drifts, 4);
    let cycles: Vec<_> = cursors(&stage).await.iter().map(|cursor| cursor.cycle).collect();
    assert_eq!(cycles[..4], [2, 2, 1, 2], "the one that was nowhere began anew");
}

#[tokio::test]
async fn a_subscription_whose_metadata_was_cleared_is_told_and_still_followed() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 1, 0).await;
    let reconciler = on_stand_in(&stage, &billing);
    reconciler.run().await;
    reconciler.found();
    let path = format!("/v1/subscriptions/{}", billed.subscription);
    let cleared = [("metadata[organization]".to_owned(), String::new())];
    let _: Value = billing.stripe.post(&path, &cleared, "clear").await.expect("a subscription");
    billing.set_status(&billed.subscription, SubscriptionStatus::PastDue).await;

    reconciler.run().await;
    let kinds: Vec<_> = reconciler.found().into_iter().map(|line| (line.0, line.5)).collect();
    assert_eq!(kinds, [("status", Action::Recorded), ("metadata", Action::Reported)]);
    let status = state(&stage, &billed.organization).await.status;
    assert_eq!(status.as_deref(), Some("past_due"));
}

#[tokio::test]
async fn a_key_that_is_revoked_is_an_outage_and_nobodys_error() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed.api_key, 1, 0).await;
    let revoked = Stripe::new(&billing.base, "pk_revoked".to_owned().into()).expect("a client");
    let function = sync_billing::Function {
        ledger: stage.table.clone(),
        stripe: revoked,
        queue: billing.sent_again.clone(),
        prices: billing.prices.clone(),
        ports: stage.ports.clone(),
    };
    let message = || batch([reached(&billed.organization, 1)]);
    let response = function.handle(message()).await.expect("an id");
    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!(state(&stage, &billed.organization).await.failed_at, None, "no error on record");
    // With a key that works it heals by itself.
    sync(&stage, &billing, &billed.organization).await;
    assert_agreement(&stage, &billing, &billed, (1, 0)).await;
}

#[tokio::test]
async fn what_a_seat_costs_here_and_at_stripe_is_compared() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billed(&stage, &billing, 2, 1).await;
    let entry =
        |name: &str, price: &Option<String>, unit_amount| headcount_model::tiers::TierEntry {
            name: name.to_owned(),
            price: price.clone(),
            unit_amount,
            device_type: "shared".to_owned(),
        };
    let prices = &billing.prices;
    let entries =
        vec![entry("basic", &prices.basic, 5_000), entry("premium", &prices.premium, 10_000)];
    let tiers = Tiers::try_from(entries).expect("valid");
    let reconciler = Reconciler::new(&stage, billing.stripe.clone(), tiers);
    reconciler.run().await;
    // The price was raised here and not at Stripe: a person has to say which is right. What is left
    // to spend follows the configuration.
    let mut found = reconciler.found();
    found.retain(|line| line.0 != "status");
    let told = |ledger: &str, other: &str| (ledger.to_owned(), other.to_owned());
    let (unit, stripe) = told("5000", "4000");
    assert_eq!(found[1], ("unit_amount", Some("basic"), unit, stripe, 0, Action::Reported));
    assert_eq!((found.len(), found[0].0, found[0].5), (2, "spending", Action::Corrected));
    let state = state(&stage, &billed.organization).await;
    assert_eq!(state.cents_left, Some(state.spending_limit - 20_000));
    sync(&stage, &billing, &billed.organization).await;
    reconciler.run().await;
    let kinds: Vec<_> = reconciler.found().iter().map(|line| line.0).collect();
    assert_eq!(kinds, ["unit_amount"], "told every time");
}

// ------------------------------------------------------------------- Ends with the period

/// An organization whose seats end with the period, which is March 2100.
struct Month {
    stage: Stage,
    billing: Billing,
    billed: Billed,
    reconciler: Reconciler<Stripe>,
    ids: Vec<String>,
}

impl Month {
    async fn new(basic: usize) -> Self {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        move_to(&stage, "2100-03-01T00:00:00Z");
        billing.set_clock(stage.ports.now()).await;
        let billed = billed(&stage, &billing, basic, 0).await;
        let set = stage.table.set_seats_end(&billed.organization, SeatsEnd::PeriodEnd).await;
        set.expect("an organization");
        let reconciler = on_stand_in(&stage, &billing);
        // It hears of the period.
        reconciler.run().await;
        let ids = seat_ids(&stage, &billed.organization).await;
        Self { stage, billing, billed, reconciler, ids }
    }

    async fn move_to(&self, time: &str) {
        move_to(&self.stage, time);
        self.billing.set_clock(self.stage.ports.now()).await;
    }

    async fn send(&self, places: &[usize], revoke: bool) -> Value {
        let ids: Vec<_> = places.iter().map(|place| &self.ids[*place]).collect();
        give_back(&self.stage, &self.billed.api_key, &json!({"account_ids": ids, "revoke": revoke}))
            .await
    }

    async fn sync(&self) {
        sync(&self.stage, &self.billing, &self.billed.organization).await;
    }

    async fn quantities(&self) -> (u64, u64) {
        self.billing.quantities(&self.billed.subscription).await
    }
}

fn move_to(stage: &Stage, time: &str) {
    let time: Timestamp = time.parse().expect("a time");
    stage.ports.advance(time.duration_since(stage.ports.now()));
}

async fn give_back(stage: &Stage, api_key: &str, body: &Value) -> Value {
    let reply = Call::json(body).bearer(api_key).send(&stage.deactivate_seats()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].clone()
}

async fn seat_ids(stage: &Stage, organization: &OrganizationId) -> Vec<String> {
    let items = stage.items_under(&format!("ORG#{organization}")).await;
    let seats = items.iter().filter_map(|item| text_of(item, "id"));
    seats.filter(|id| id.starts_with("acc_")).map(str::to_owned).collect()
}

/// What the seats of an organization end at, in the order of their ids, and their statuses.
async fn ends(stage: &Stage, organization: &OrganizationId) -> Vec<(String, String)> {
    let items = stage.items_under(&format!("ORG#{organization}")).await;
    let seats =
        items.iter().filter(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("SEAT#")));
    let text = |item, name| text_of(item, name).unwrap_or_default().to_owned();
    seats.map(|item| (text(item, "ends_at"), text(item, "status"))).collect()
}

fn ended() -> (String, String) {
    (String::new(), "deactivated".to_owned())
}

fn marked(ends_at: &str) -> (String, String) {
    (ends_at.to_owned(), "uninitialized".to_owned())
}

#[tokio::test]
async fn seats_end_before_the_period_does_and_are_told_without_a_credit() {
    let month = Month::new(3).await;
    month.send(&[0], false).await;
    month.move_to("2100-03-31T17:00:00Z").await;
    let before = state(&month.stage, &month.billed.organization).await;
    let report = month.reconciler.run().await;
    assert_eq!((report.seats_ended, report.compared, report.drifts), (0, 1, 0));
    assert_eq!(state(&month.stage, &month.billed.organization).await, before);
    let differences = month.billing.stripe.get::<Value>("/v1/invoiceitems", &[]).await;

    month.move_to("2100-03-31T18:00:10Z").await;
    let report = month.reconciler.run().await;
    assert_eq!((report.seats_ended, report.moving, report.drifts), (1, 1, 0));
    month.sync().await;
    assert_eq!(month.quantities().await, (2, 0), "before the period ends");
    let after = month.billing.stripe.get::<Value>("/v1/invoiceitems", &[]).await;
    assert_eq!(after.expect("a list")["data"], differences.expect("a list")["data"]);
    let record = month.stage.table.billing_row(&month.billed.organization).await;
    let record = record.expect("an answer").expect("a record");
    assert_eq!((record.version, record.fewer_version), (2, Some(2)));
    let report = month.reconciler.run().await;
    assert_eq!((report.seats_ended, report.compared, report.drifts), (0, 1, 0));
    assert_agreement(&month.stage, &month.billing, &month.billed, (2, 0)).await;
    assert_eq!(ends(&month.stage, &month.billed.organization).await[0], ended());

    let items = month.stage.items_under(&pk(&month.billed)).await;
    let is_ours =
        |item: &&headcount_tests::Item| text_of(item, "route") == Some("reconcile-billing");
    let entries: Vec<_> = items.iter().filter(is_ours).collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(text_of(entries[0], "request_id"), Some("run-1"));
    assert!(!entries[0].contains_key("credential"), "nobody asked for it now");
}

#[tokio::test]
async fn what_was_revoked_does_not_end() {
    let month = Month::new(3).await;
    month.send(&[0, 1], false).await;
    month.send(&[0], true).await;
    month.move_to("2100-03-31T18:00:10Z").await;
    // The time has come, but nothing has run yet.
    let revoked = month.send(&[1], true).await;
    assert_eq!(revoked["message"], "Revoked the deactivation of 1 account(s)");
    assert_eq!(month.reconciler.run().await.seats_ended, 0);
    assert_agreement(&month.stage, &month.billing, &month.billed, (3, 0)).await;
}

#[tokio::test]
async fn a_seat_that_was_revoked_since_it_was_read_is_not_ended() {
    let month = Month::new(2).await;
    month.send(&[0, 1], false).await;
    let (table, organization) = (&month.stage.table, &month.billed.organization);
    let read = table.count_seats(organization).await.expect("an answer").ending;
    assert_eq!(read.len(), 2);
    month.send(&[0], true).await;
    let tiers = month.billing.tiers();
    let stale = Deactivation::of_the_stack(
        organization,
        Change::End,
        &read,
        ("reconcile-billing", "run-2"),
        &tiers,
        &month.stage.ports,
    );
    let ended = table.deactivate(stale.expect("entropy")).await;
    assert_eq!(ended.err(), Some(NotDeactivated::Changed));
    assert_agreement(&month.stage, &month.billing, &month.billed, (2, 0)).await;
}

#[tokio::test]
async fn seats_end_though_stripe_is_behind_and_more_than_one_transaction_holds() {
    let month = Month::new(100).await;
    month.send(&(0..100).collect::<Vec<_>>(), false).await;
    month.move_to("2100-03-31T18:00:10Z").await;
    create(&month.stage, &month.billed.api_key, 1, 0).await;
    let report = month.reconciler.run().await;
    assert_eq!((report.behind, report.seats_ended), (1, 100));
    let state = state(&month.stage, &month.billed.organization).await;
    assert_eq!((state.seats.basic, state.version), (1, 5), "one more, and fewer twice");
    month.sync().await;
    assert_agreement(&month.stage, &month.billing, &month.billed, (1, 0)).await;
    assert_eq!(month.reconciler.run().await.seats_ended, 0);
}

#[tokio::test]
async fn a_subscription_that_ends_takes_the_seats_with_it_that_were_to_end() {
    let month = Month::new(2).await;
    month.send(&[0], false).await;
    month.billing.set_status(&month.billed.subscription, SubscriptionStatus::Canceled).await;
    assert_eq!(month.reconciler.run().await.seats_ended, 1);
    let statuses = ends(&month.stage, &month.billed.organization).await;
    assert_eq!(statuses, [ended(), marked("")], "the other one is for somebody to look at");
}

#[tokio::test]
async fn another_setting_lets_seats_end_when_they_were_told() {
    let month = Month::new(2).await;
    month.send(&[0, 1], false).await;
    let (table, organization) = (&month.stage.table, &month.billed.organization);
    table.set_seats_end(organization, SeatsEnd::AtOnce).await.expect("an organization");
    assert_eq!(month.reconciler.run().await.seats_ended, 0);
    let given = month.send(&[1], false).await;
    assert_eq!(given.get("ends_at"), None, "given back again, it ends now");
    month.sync().await;
    month.move_to("2100-03-31T18:00:10Z").await;
    assert_eq!(month.reconciler.run().await.seats_ended, 1);
    month.sync().await;
    assert_agreement(&month.stage, &month.billing, &month.billed, (0, 0)).await;
}

#[tokio::test]
async fn an_end_that_cannot_be_read_is_told() {
    let month = Month::new(2).await;
    let sk = format!("SEAT#{}", month.ids[0]);
    let soon = AttributeValue::S("soon".to_owned());
    month.stage.set(&pk(&month.billed), &sk, "ends_at", soon).await;
    let report = month.reconciler.run().await;
    assert_eq!((report.seats_ended, report.drifts), (0, 1));
    assert_eq!(month.reconciler.found()[0].0, "unreadable_seats");
}

/// An organization with two seats that are to end on 2026-03-03, at 12:12:47, and an account of
/// Stripe whose periods can be moved.
async fn to_end(stage: &Stage) -> (OrganizationId, String, Account) {
    let organization = stage.organization(Some(SubscriptionStatus::Active), 10).await;
    let api_key = stage.api_key(&organization).await;
    create(stage, &api_key, 2, 0).await;
    let account = Account::new(stage);
    let begin = stage.ports.now().as_second();
    set_period(&account, begin, begin + 28 * DAY);
    let table = &stage.table;
    table.set_seats_end(&organization, SeatsEnd::PeriodEnd).await.expect("an organization");
    let pk = format!("ORG#{organization}");
    for (name, time) in [("current_period_start", begin), ("current_period_end", begin + 28 * DAY)]
    {
        stage.set(&pk, "BILLING", name, AttributeValue::N(time.to_string())).await;
    }
    let ids = seat_ids(stage, &organization).await;
    give_back(stage, &api_key, &json!({ "account_ids": ids })).await;
    (organization, api_key, account)
}

const DAY: i64 = 24 * 60 * 60;

fn set_period(account: &Account, start: i64, end: i64) {
    let mut period = account.period.lock().unwrap_or_else(PoisonError::into_inner);
    *period = Some(Period { start, end });
}

#[tokio::test]
async fn a_period_that_moves_takes_the_end_with_it() {
    let stage = Stage::new().await;
    let (organization, _, account) = to_end(&stage).await;
    let begin = stage.ports.now().as_second();
    let reconciler = account.reconciler(&stage);
    reconciler.run().await;
    let told = marked("2026-03-03T12:12:47.000000Z");
    assert_eq!(ends(&stage, &organization).await, [told.clone(), told]);
    // It becomes shorter.
    set_period(&account, begin, begin + 14 * DAY);
    assert_eq!(reconciler.run().await.seats_ended, 0);
    let sooner = marked("2026-02-17T12:12:47.000000Z");
    assert_eq!(ends(&stage, &organization).await, [sooner.clone(), sooner]);
    // It is renewed early: what the new one is billed for is used.
    stage.ports.advance(SignedDuration::from_hours(24));
    set_period(&account, begin + DAY, begin + 29 * DAY);
    assert_eq!(reconciler.run().await.seats_ended, 0);
    let later = marked("2026-03-04T12:12:47.000000Z");
    assert_eq!(ends(&stage, &organization).await, [later.clone(), later]);
    let version = state(&stage, &organization).await.version;
    assert_eq!(version, 1, "Stripe has nothing to hear of it");
    // So short that it is about to end.
    stage.ports.advance(SignedDuration::from_hours(24));
    set_period(&account, begin + DAY, begin + 2 * DAY + DAY / 8);
    assert_eq!(reconciler.run().await.seats_ended, 2);
    assert_eq!(ends(&stage, &organization).await, [ended(), ended()]);
    assert_eq!(reconciler.found(), [], "it was in time");
}

#[tokio::test]
async fn seats_that_nobody_ended_in_time_end_late_and_that_is_told() {
    let stage = Stage::new().await;
    let (organization, _, account) = to_end(&stage).await;
    let begin = stage.ports.now().as_second();
    stage.ports.advance(SignedDuration::from_hours(29 * 24));
    set_period(&account, begin + 28 * DAY, begin + 56 * DAY);
    let reconciler = account.reconciler(&stage);
    assert_eq!(reconciler.run().await.seats_ended, 2);
    let found = reconciler.findings.take();
    let late = found.iter().find(|finding| finding.drift.kind() == "ended_late");
    let late = late.expect("it is told");
    assert_eq!((late.accounts.len(), late.action), (2, Action::Reported));
    assert_eq!(late.drift.sides(), ("none".to_owned(), "2".to_owned()));
    assert_eq!(ends(&stage, &organization).await, [ended(), ended()]);
}

#[tokio::test]
async fn without_a_period_seats_end_when_they_were_told() {
    let stage = Stage::new().await;
    let (organization, _, account) = to_end(&stage).await;
    *account.period.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let reconciler = account.reconciler(&stage);
    assert_eq!(reconciler.run().await.seats_ended, 0);
    stage.ports.advance(SignedDuration::from_hours(28 * 24 - 6));
    assert_eq!(reconciler.run().await.seats_ended, 2);
    assert_eq!(ends(&stage, &organization).await, [ended(), ended()]);
}

#[tokio::test]
async fn a_record_that_counts_too_few_is_healed_before_seats_end() {
    let month = Month::new(2).await;
    month.send(&[0, 1], false).await;
    month.stage.set(&pk(&month.billed), "BILLING", "seats_basic", number(1)).await;
    month.move_to("2100-03-31T18:00:10Z").await;
    let report = month.reconciler.run().await;
    assert_eq!((report.seats_ended, report.drifts), (0, 2), "the count, and Stripe's");
    month.sync().await;
    assert_eq!(month.reconciler.run().await.seats_ended, 2);
    month.sync().await;
    assert_agreement(&month.stage, &month.billing, &month.billed, (0, 0)).await;
}
