//! quote-seats, and creates that carry a quote, on the real store and our real Stripe client,
//! against the stand-in.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::billing::ProrationBehavior;
use headcount_model::credential::{Holder, Permission};
use headcount_model::port::Clock;
use headcount_model::tiers::{TierEntry, Tiers};
use headcount_store::{Limits, SpendingLimit};
use headcount_tests::billing::{Billed, Billing, batch, reached};
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A table and a Stripe account in the middle of a billing period.
struct Bench {
    stage: Stage,
    billing: Billing,
    billed: Billed,
    /// First and last second of the period.
    period: (i64, i64),
}

impl Bench {
    async fn new() -> Self {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        // The stand-in's clock begins with the machine's and goes forward only.
        let start: Timestamp = "2100-03-01T00:00:00Z".parse().expect("a time");
        stage.ports.advance(start.duration_since(stage.ports.now()));
        billing.set_clock(stage.ports.now()).await;
        let billed = billing.organization(&stage).await;
        let path = format!("/v1/subscriptions/{}", billed.subscription);
        let subscription: Value = billing.stripe.get(&path, &[]).await.expect("a subscription");
        let item = &subscription["items"]["data"][0];
        let second = |name: &str| item[name].as_i64().expect("a time");
        let period = (second("current_period_start"), second("current_period_end"));
        let bench = Self { stage, billing, billed, period };
        bench.pass(SignedDuration::from_hours(24 * 10)).await;
        bench
    }

    /// Lets time pass here and at Stripe.
    async fn pass(&self, time: SignedDuration) {
        self.stage.ports.advance(time);
        self.billing.set_clock(self.stage.ports.now()).await;
    }

    async fn quote(&self, body: &Value) -> Reply {
        let call = Call::json(body).bearer(&self.billed.api_key);
        call.send(&self.stage.quote_seats(&self.billing)).await
    }

    /// The data of a quote, and its id.
    async fn quoted(&self, basic: usize, premium: usize) -> (Value, String) {
        let reply = self.quote(&body(basic, premium)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let data = reply.json()["data"].clone();
        let id = data["quote_id"].as_str().expect("an id").to_owned();
        (data, id)
    }

    fn create_seats(
        &self,
    ) -> create_seats::Function<headcount_store::Table, headcount_tests::Ports> {
        create_seats::Function { tiers: self.billing.tiers(), ..self.stage.create_seats() }
    }

    async fn create(&self, body: &Value) -> Reply {
        Call::json(body).bearer(&self.billed.api_key).send(&self.create_seats()).await
    }

    /// Tells Stripe of everything.
    async fn sync(&self, version: u64) {
        let message = batch([reached(&self.billed.organization, version)]);
        let response = self.billing.sync(&self.stage).handle(message).await;
        assert!(response.expect("ids").batch_item_failures.is_empty());
    }

    /// The amounts that wait for the next invoice.
    async fn pending(&self) -> Vec<i64> {
        let list: Value =
            self.billing.stripe.get("/v1/invoiceitems", &[]).await.expect("invoice items");
        let items = list["data"].as_array().expect("a list");
        items.iter().filter_map(|item| item["amount"].as_i64()).collect()
    }

    /// What the rest of the period costs, for some amount a month.
    fn rest_of_period(&self, cents: i64) -> i64 {
        let (start, end) = self.period;
        let (rest, whole) = (end - self.stage.ports.now().as_second(), end - start);
        (2 * cents * rest + whole) / (2 * whole)
    }

    async fn seats(&self) -> usize {
        self.stage.seats(&self.billed.organization).await.0
    }
}

fn body(basic: usize, premium: usize) -> Value {
    let mut accounts = vec![json!({"tier": "basic"}); basic];
    accounts.extend(vec![json!({"tier": "premium"}); premium]);
    json!({ "accounts": accounts })
}

fn with_quote(mut body: Value, quote: impl Into<Value>) -> Value {
    body["quote_id"] = quote.into();
    body
}

fn error(reply: &Reply) -> (u64, String) {
    (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u64, code: &str) -> (u64, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn the_whole_answer() {
    let bench = Bench::new().await;
    let before = bench.stage.items().await.len();
    let reply = bench.quote(&body(2, 1)).await;
    let answer = reply.json();
    let data = &answer["data"];
    let in_an_hour = bench.stage.ports.now().as_second() + 3_600;
    assert_eq!(
        (reply.status, &answer),
        (
            200,
            &json!({
                "ok": true,
                "code": 200,
                "message": "Success",
                "data": {
                    "quote_id": data["quote_id"],
                    "tiers": {
                        "basic": {"before": 0, "after": 2, "unit_amount": 4_000},
                        "premium": {"before": 0, "after": 1, "unit_amount": 10_000},
                    },
                    "monthly_total_before": 0,
                    "monthly_total_after": 18_000,
                    "proration_amount":
                        bench.rest_of_period(8_000) + bench.rest_of_period(10_000),
                    "currency": "usd",
                    "billable": {
                        "states": ["active", "trialing", "past_due"],
                        "past_due_grace_days": 7,
                    },
                    "expires_at": in_an_hour,
                },
            })
        )
    );
    assert!(data["quote_id"].as_str().is_some_and(|id| id.starts_with("quote_")));
    assert_eq!(bench.stage.items().await.len(), before, "nothing was created");
    assert_eq!(bench.billing.quantities(&bench.billed.subscription).await, (0, 0));
}

#[tokio::test]
async fn the_proration_is_that_of_the_change_alone() {
    let bench = Bench::new().await;
    assert_eq!(bench.create(&body(3, 0)).await.status, 200);
    let one_more = bench.rest_of_period(16_000) - bench.rest_of_period(12_000);

    let (data, _) = bench.quoted(1, 0).await;
    assert_eq!(data["tiers"]["basic"], json!({"before": 3, "after": 4, "unit_amount": 4_000}));
    assert_eq!(data["monthly_total_before"], 12_000);
    assert_eq!(data["proration_amount"], one_more, "before Stripe was told of the three");

    bench.sync(1).await;
    bench.pass(SignedDuration::from_hours(24)).await;
    let one_more = bench.rest_of_period(16_000) - bench.rest_of_period(12_000);
    let (data, _) = bench.quoted(1, 0).await;
    assert_eq!(data["proration_amount"], one_more, "beside the pending ones of the three");
}

#[tokio::test]
async fn what_is_quoted_is_what_stripe_then_charges() {
    let bench = Bench::new().await;
    let (data, id) = bench.quoted(5, 2).await;
    assert_eq!(bench.create(&with_quote(body(5, 2), id)).await.status, 200);
    bench.sync(1).await;
    let charged: i64 = bench.pending().await.into_iter().sum();
    let quoted = data["proration_amount"].as_i64().expect("cents");
    // The stand-in's clock runs on between the two: a few seconds of 330 dollars a month.
    assert!((0..100).contains(&(quoted - charged)), "quoted {quoted}, charged {charged}");
}

#[tokio::test]
async fn an_organization_without_prorations_is_quoted_none() {
    let bench = Bench::new().await;
    let organization = &bench.billed.organization;
    let set = bench.stage.table.set_proration(organization, ProrationBehavior::None).await;
    set.expect("an organization");
    let (data, _) = bench.quoted(5, 2).await;
    assert_eq!(data["proration_amount"], 0);
    assert_eq!(data["monthly_total_after"], 40_000);
    assert_eq!(bench.create(&body(5, 2)).await.status, 200);
    bench.sync(1).await;
    assert_eq!(bench.billing.quantities(&bench.billed.subscription).await, (5, 2));
    assert_eq!(bench.pending().await, Vec::<i64>::new(), "sync-billing asks for none either");

    let set = bench.stage.table.set_proration(organization, ProrationBehavior::AlwaysInvoice).await;
    set.expect("an organization");
    // In flexible billing mode Stripe credits what it charged, and it has charged nothing for the five
    // basic seats of this period: with the sixth, all of them are charged from now on.
    let (data, _) = bench.quoted(1, 0).await;
    assert_eq!(data["proration_amount"], bench.rest_of_period(6 * 4_000));
}

#[tokio::test]
async fn a_preview_that_does_not_show_all_of_its_lines_is_quoted_to_the_cent() {
    let bench = Bench::new().await;
    // Each change but the first leaves a credit and a charge: more than the ten lines that an
    // invoice shows.
    for version in 1..=11 {
        assert_eq!(bench.create(&body(1, 1)).await.status, 200);
        bench.pass(SignedDuration::from_hours(1)).await;
        bench.sync(version).await;
    }
    let pending = bench.pending().await.len();
    assert!(pending >= 10, "a page of {pending}");
    let more = |cents: i64| bench.rest_of_period(12 * cents) - bench.rest_of_period(11 * cents);
    let (data, quote) = bench.quoted(1, 1).await;
    assert_eq!(data["proration_amount"], more(4_000) + more(10_000));
    assert_eq!(bench.create(&with_quote(body(1, 1), quote)).await.status, 200);

    // One that Stripe has not been told of is no part of the next.
    let more = |cents: i64| bench.rest_of_period(13 * cents) - bench.rest_of_period(12 * cents);
    let (data, _) = bench.quoted(1, 0).await;
    assert_eq!(data["proration_amount"], more(4_000));
}

#[tokio::test]
async fn a_quote_holds_once() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(1, 1).await;
    let create = with_quote(body(1, 1), id);
    assert_eq!(bench.create(&create).await.status, 200);
    assert_eq!(error(&bench.create(&create).await), refused(409, "quote_expired"));
    assert_eq!(bench.seats().await, 2);
}

#[tokio::test]
async fn seats_that_come_between_end_it() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(1, 0).await;
    assert_eq!(bench.create(&body(0, 1)).await.status, 200);
    let reply = bench.create(&with_quote(body(1, 0), id)).await;
    assert_eq!(error(&reply), refused(409, "quote_expired"));
    assert_eq!(bench.seats().await, 1);
}

#[tokio::test]
async fn while_it_holds_a_limit_is_told_as_a_limit() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(2, 0).await;
    let limits = Limits { seats: Some(1), spending: None };
    let set = bench.stage.table.set_limits(&bench.billed.organization, limits).await;
    set.expect("an organization");
    let reply = bench.create(&with_quote(body(2, 0), id)).await;
    assert_eq!(error(&reply), refused(409, "seat_limit_reached"));
}

#[tokio::test]
async fn it_ends_after_an_hour() {
    let bench = Bench::new().await;
    let (_, first) = bench.quoted(1, 0).await;
    bench.stage.ports.advance(SignedDuration::from_secs(3_599));
    assert_eq!(bench.create(&with_quote(body(1, 0), first)).await.status, 200);
    let (_, second) = bench.quoted(1, 0).await;
    bench.stage.ports.advance(SignedDuration::from_secs(3_600));
    let reply = bench.create(&with_quote(body(1, 0), second)).await;
    assert_eq!(error(&reply), refused(409, "quote_expired"));
}

#[tokio::test]
async fn other_prices_end_it() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(1, 0).await;
    let entry = |name: &str, price: &Option<String>, unit_amount| TierEntry {
        name: name.to_owned(),
        price: price.clone(),
        unit_amount,
        device_type: "shared".to_owned(),
    };
    let (basic, premium) = (&bench.billing.prices.basic, &bench.billing.prices.premium);
    let tiers = vec![entry("basic", basic, 4_100), entry("premium", premium, 10_000)];
    let tiers = Tiers::try_from(tiers).expect("valid");
    let dearer = create_seats::Function { tiers, ..bench.create_seats() };
    let call = Call::json(&with_quote(body(1, 0), id)).bearer(&bench.billed.api_key);
    assert_eq!(error(&call.send(&dearer).await), refused(409, "quote_expired"));
    assert_eq!(bench.seats().await, 0);
}

#[tokio::test]
async fn a_retry_of_a_create_is_answered_again_whatever_became_of_its_quote() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(1, 0).await;
    let create = with_quote(body(1, 0), id);
    let call = Call::json(&create).bearer(&bench.billed.api_key).key("k");
    let first = call.send(&bench.create_seats()).await;
    assert_eq!(first.status, 200);
    bench.stage.ports.advance(SignedDuration::from_hours(2));
    let again = call.send(&bench.create_seats()).await;
    assert_eq!((again.status, again.is_replay(), &again.text), (200, true, &first.text));
    assert_eq!(bench.seats().await, 1);
}

#[tokio::test]
async fn a_quote_covers_all_transactions_of_a_long_request() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(250, 0).await;
    let reply = bench.create(&with_quote(body(250, 0), id)).await;
    assert_eq!(reply.json()["data"]["successful"], 250, "{}", reply.text);
}

#[tokio::test]
async fn what_is_no_quote_of_these_seats_is_a_fault_of_the_field() {
    let bench = Bench::new().await;
    let (_, id) = bench.quoted(1, 0).await;
    let other = bench.billing.organization(&bench.stage).await;
    let call = Call::json(&body(1, 0)).bearer(&other.api_key);
    let foreign = call.send(&bench.stage.quote_seats(&bench.billing)).await.json();
    let foreign = foreign["data"]["quote_id"].as_str().expect("an id").to_owned();
    let last = if id.ends_with('0') { "1" } else { "0" };
    let tampered = format!("{}{last}", &id[..id.len() - 1]);
    for quote in ["", "quote_", "quote_1_2", "acc_1", &tampered, &foreign, &"x".repeat(10_000)] {
        let reply = bench.create(&with_quote(body(1, 0), quote)).await;
        assert_eq!(error(&reply), refused(400, "invalid_request"), "{quote}");
        let fault = &reply.json()["errors"][0];
        assert_eq!((&fault["field"], &fault["rule"]), (&json!("quote_id"), &json!("quote")));
        assert_eq!(fault["index"], Value::Null);
    }
    let reply = bench.create(&with_quote(body(2, 0), id.clone())).await;
    assert_eq!(error(&reply), refused(400, "invalid_request"), "for other seats");
    let reply = bench.create(&with_quote(body(1, 0), 7)).await;
    assert_eq!(reply.json()["errors"][0]["rule"], "type");
    let reply = bench.create(&with_quote(json!({"accounts": [{"tier": "gold"}]}), "x")).await;
    let fields: Vec<_> = (0..2).map(|n| reply.json()["errors"][n]["field"].clone()).collect();
    assert_eq!(fields, ["quote_id", "tier"], "all faults at once");
    assert_eq!(bench.seats().await, 0);

    let reply = bench.create(&with_quote(body(1, 0), Value::Null)).await;
    assert_eq!(reply.status, 200, "null is absent");
}

#[tokio::test]
async fn the_body_is_checked_as_a_create_checks_it() {
    let bench = Bench::new().await;
    for bad in [
        json!({}),
        json!({"accounts": []}),
        json!({"accounts": [{"tier": "gold"}]}),
        json!({"accounts": [{"tier": "basic", "platform": "tiktok"}]}),
        json!({"accounts": [{"tier": "basic"}], "org": "x"}),
    ] {
        let (quote, create) = (bench.quote(&bad).await, bench.create(&bad).await);
        assert_eq!((quote.status, &quote.text), (400, &create.text), "{bad}");
    }
    let reply = bench.quote(&with_quote(body(1, 0), "quote_1_2")).await;
    assert_eq!(reply.json()["errors"][0]["rule"], "unknown_field", "a quote has none itself");
}

#[tokio::test]
async fn what_a_create_would_refuse_is_not_quoted() {
    let bench = Bench::new().await;
    let stage = &bench.stage;
    let call = |key: &str| Call::json(&body(2, 0)).bearer(key);
    let unbilled = stage.organization(None, 10).await;
    let key = stage.api_key(&unbilled).await;
    let reply = call(&key).send(&stage.quote_seats(&bench.billing)).await;
    assert_eq!(error(&reply), refused(402, "no_billing"));

    let organization = &bench.billed.organization;
    let limits = Limits { seats: Some(1), spending: None };
    stage.table.set_limits(organization, limits).await.expect("an organization");
    assert_eq!(error(&bench.quote(&body(2, 0)).await), refused(409, "seat_limit_reached"));
    let limits = Limits { seats: Some(10), spending: Some(SpendingLimit::Cents(7_999)) };
    stage.table.set_limits(organization, limits).await.expect("an organization");
    assert_eq!(error(&bench.quote(&body(2, 0)).await), refused(409, "spending_limit_reached"));

    let limits = Limits { seats: None, spending: Some(SpendingLimit::None) };
    stage.table.set_limits(organization, limits).await.expect("an organization");
    let canceled = headcount_model::billing::SubscriptionStatus::Canceled;
    bench.billing.set_status(&bench.billed.subscription, canceled).await;
    let reply = bench.quote(&body(2, 0)).await;
    assert_eq!(error(&reply), refused(402, "no_billing"), "although the table does not know yet");
}

#[tokio::test]
async fn a_quote_ends_with_the_behaviour_that_it_was_made_under() {
    let bench = Bench::new().await;
    let set = async |proration| {
        let organization = &bench.billed.organization;
        bench.stage.table.set_proration(organization, proration).await.expect("an organization");
    };
    for (quoted, charged) in [
        (ProrationBehavior::None, ProrationBehavior::CreateProrations),
        (ProrationBehavior::CreateProrations, ProrationBehavior::AlwaysInvoice),
        (ProrationBehavior::AlwaysInvoice, ProrationBehavior::None),
    ] {
        set(quoted).await;
        let (data, id) = bench.quoted(1, 0).await;
        assert_eq!(data["proration_amount"] == 0, quoted == ProrationBehavior::None);
        let mut create = body(1, 0);
        create["quote_id"] = json!(id);
        set(charged).await;
        assert_eq!(error(&bench.create(&create).await), refused(409, "quote_expired"));
        set(quoted).await;
        assert_eq!(bench.create(&create).await.status, 200);
    }
}

#[tokio::test]
async fn a_quote_says_which_subscriptions_take_seats_and_asks_stripe_whether_this_one_does() {
    let bench = Bench::new().await;
    let (data, _) = bench.quoted(1, 0).await;
    let states = json!(["active", "trialing", "past_due"]);
    assert_eq!(data["billable"], json!({"states": states, "past_due_grace_days": 7}));
    bench.billing.pause_collection(&bench.billed.subscription, "void").await;
    let reply = bench.quote(&body(1, 0)).await;
    assert_eq!(error(&reply), refused(402, "no_billing"), "although the table does not know yet");
}

#[tokio::test]
async fn while_stripe_does_not_answer_there_is_no_quote_but_there_are_seats() {
    let bench = Bench::new().await;
    for kind in ["429", "500", "cut_before"] {
        bench.billing.fault(&json!({"kind": kind, "count": 1, "method": "POST"})).await;
        let reply = bench.quote(&body(1, 0)).await;
        assert_eq!(error(&reply), refused(503, "service_unavailable"), "{kind}");
        assert_eq!(reply.header("retry-after"), "1");
    }
    bench.billing.fault(&json!({"kind": "cut_before", "per_mille": 1_000})).await;
    assert_eq!(bench.quote(&body(1, 0)).await.status, 503);
    assert_eq!(bench.create(&body(1, 0)).await.status, 200);
}

#[tokio::test]
async fn a_price_that_is_not_configured_cannot_be_quoted() {
    let bench = Bench::new().await;
    let unpriced = quote_seats::Function {
        tiers: bench.stage.create_seats().tiers,
        ..bench.stage.quote_seats(&bench.billing)
    };
    let call = Call::json(&body(1, 0)).bearer(&bench.billed.api_key);
    assert_eq!(error(&call.send(&unpriced).await), refused(503, "service_unavailable"));
}

#[tokio::test]
async fn the_moment_lies_within_stripes_period_whatever_our_clock_says() {
    let bench = Bench::new().await;
    let long_ago: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    bench.stage.ports.advance(long_ago.duration_since(bench.stage.ports.now()));
    let (data, _) = bench.quoted(1, 0).await;
    assert_eq!(data["proration_amount"], 4_000, "the whole period");
}

#[tokio::test]
async fn credentials_are_those_of_a_create() {
    let bench = Bench::new().await;
    let quote = bench.stage.quote_seats(&bench.billing);
    let holder = Holder::Organization(bench.billed.organization.clone());
    let key = bench.stage.credential(holder.clone(), &[Permission::BillingRead]).await;
    let reply = Call::json(&body(1, 0)).bearer(&key).send(&quote).await;
    assert_eq!(error(&reply), refused(403, "forbidden"));
    for (what, header) in bad_credentials(&bench.stage, &holder, Permission::AccountsCreate).await {
        let call = Call::json(&body(1, 0)).header("authorization", &header);
        assert_eq!(error(&call.send(&quote).await), refused(401, "unauthorized"), "{what}");
    }
}

#[tokio::test]
async fn seats_that_were_paid_for_and_given_back_cost_nothing_more() {
    let bench = Bench::new().await;
    let created = bench.create(&body(3, 0)).await.json();
    bench.sync(1).await;
    let id = |n: usize| created["data"]["accounts"][n]["id"].clone();
    let call = Call::json(&json!({"account_ids": [id(0), id(1)]})).bearer(&bench.billed.api_key);
    assert_eq!(call.send(&bench.stage.deactivate_seats()).await.status, 200);
    bench.pass(SignedDuration::from_hours(24)).await;
    bench.sync(2).await;
    bench.pass(SignedDuration::from_hours(24)).await;

    let (data, _) = bench.quoted(1, 0).await;
    assert_eq!(data["proration_amount"], 0, "two of the three that are paid for");
    let (data, _) = bench.quoted(2, 1).await;
    let premium = bench.rest_of_period(10_000);
    assert_eq!(data["proration_amount"], premium, "and what is not, costs as ever");
}
