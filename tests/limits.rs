//! Seat limit and spending limit: the creating transaction holds them, whatever the concurrency.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use headcount_model::id::OrganizationId;
use headcount_store::rows::{BillingRow, NO_SPENDING_LIMIT};
use headcount_store::{Limits, ProvisionError, SpendingLimit};
use headcount_tests::{Call, Reply, Stage};
use serde_json::{Value, json};

struct Bench {
    stage: Stage,
    organization: OrganizationId,
    key: String,
}

impl Bench {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (organization, key) = stage.seats_tenant().await;
        Self { stage, organization, key }
    }

    async fn create(&self, basic: usize, premium: usize) -> Reply {
        let mut accounts = vec![json!({"tier": "basic"}); basic];
        accounts.extend(vec![json!({"tier": "premium"}); premium]);
        let call = Call::json(&json!({ "accounts": accounts })).bearer(&self.key);
        call.send(&self.stage.create_seats()).await
    }

    async fn limit(&self, seats: impl Into<Option<u64>>, spending: Option<SpendingLimit>) {
        let limits = Limits { seats: seats.into(), spending };
        let set = self.stage.table.set_limits(&self.organization, limits).await;
        set.expect("an organization");
    }

    async fn row(&self) -> BillingRow {
        let row = self.stage.table.billing_row(&self.organization).await;
        row.expect("the table answers").expect("a record")
    }

    /// Seats left, spending limit and cents left.
    async fn left(&self) -> (i64, Option<i64>, Option<i64>) {
        let row = self.row().await;
        (row.seats_left, row.spending_limit, row.cents_left)
    }

    async fn seats(&self) -> usize {
        self.stage.seats(&self.organization).await.0
    }
}

const fn cents(cents: u64) -> Option<SpendingLimit> {
    Some(SpendingLimit::Cents(cents))
}

fn told(reply: &Reply) -> (u64, Value) {
    (reply.status, reply.json()["error"].clone())
}

#[tokio::test]
async fn the_last_cent_may_be_spent_and_no_more() {
    let bench = Bench::new().await;
    bench.limit(None, cents(18_000)).await;
    assert_eq!(bench.create(1, 1).await.status, 200);
    assert_eq!(bench.left().await, (99_998, Some(18_000), Some(4_000)));
    assert_eq!(told(&bench.create(0, 1).await), (409, json!("spending_limit_reached")));
    assert_eq!(told(&bench.create(2, 0).await), (409, json!("spending_limit_reached")));
    assert_eq!(bench.create(1, 0).await.status, 200);
    assert_eq!(bench.left().await, (99_997, Some(18_000), Some(0)));
    assert_eq!(bench.seats().await, 3);
}

#[tokio::test]
async fn the_limit_that_leaves_no_room_is_the_one_that_is_told() {
    let bench = Bench::new().await;
    // Room for the seat, and none for its price.
    bench.limit(1, cents(3_999)).await;
    assert_eq!(told(&bench.create(1, 0).await), (409, json!("spending_limit_reached")));
    assert_eq!(told(&bench.create(2, 0).await), (409, json!("seat_limit_reached")));
}

#[tokio::test]
async fn without_a_limit_the_spending_is_counted_all_the_same() {
    let bench = Bench::new().await;
    assert_eq!(bench.create(2, 1).await.status, 200);
    assert_eq!(bench.left().await, (99_997, None, Some(NO_SPENDING_LIMIT - 18_000)));
    bench.limit(None, cents(20_000)).await;
    assert_eq!(bench.left().await, (99_997, Some(20_000), Some(2_000)));
    assert_eq!(told(&bench.create(1, 0).await), (409, json!("spending_limit_reached")));
    bench.limit(None, Some(SpendingLimit::None)).await;
    assert_eq!(bench.left().await, (99_997, None, Some(NO_SPENDING_LIMIT - 18_000)));
    assert_eq!(bench.create(1, 0).await.status, 200);
    bench.limit(None, cents(22_000)).await;
    assert_eq!(bench.left().await, (99_996, Some(22_000), Some(0)));
}

#[tokio::test]
async fn a_limit_may_be_set_below_what_is_there() {
    let bench = Bench::new().await;
    assert_eq!(bench.create(3, 0).await.status, 200);
    bench.limit(1, cents(5_000)).await;
    assert_eq!(bench.left().await, (-2, Some(5_000), Some(-7_000)));
    assert_eq!(told(&bench.create(1, 0).await), (409, json!("seat_limit_reached")));
    bench.limit(100, None).await;
    assert_eq!(told(&bench.create(1, 0).await), (409, json!("spending_limit_reached")));
    bench.limit(4, cents(16_000)).await;
    assert_eq!(bench.left().await, (1, Some(16_000), Some(4_000)));
    assert_eq!(bench.create(1, 0).await.status, 200);
    assert_eq!(told(&bench.create(1, 0).await), (409, json!("seat_limit_reached")));
    assert_eq!(bench.seats().await, 4);
}

#[tokio::test]
async fn a_refused_create_leaves_no_trace() {
    let bench = Bench::new().await;
    bench.limit(None, cents(9_999)).await;
    let before = bench.stage.items().await;
    let call = Call::json(&json!({"accounts": [{"tier": "premium"}]})).bearer(&bench.key).key("k");
    let refused = call.send(&bench.stage.create_seats()).await;
    assert_eq!(told(&refused), (409, json!("spending_limit_reached")));
    assert_eq!(bench.stage.items().await.len(), before.len());
    // The key is free: a refusal is not recorded.
    bench.limit(None, cents(10_000)).await;
    assert_eq!(call.send(&bench.stage.create_seats()).await.status, 200);
}

#[tokio::test]
async fn a_long_request_stops_where_the_limit_is() {
    let bench = Bench::new().await;
    bench.limit(None, cents(99 * 4_000)).await;
    let reply = bench.create(150, 0).await;
    let data = reply.json()["data"].clone();
    assert_eq!((&data["successful"], &data["failed"]), (&json!(99), &json!(51)));
    assert_eq!(bench.left().await, (99_901, Some(396_000), Some(0)));
}

#[tokio::test]
async fn creates_and_new_limits_at_once_lose_nothing() {
    let bench = Bench::new().await;
    bench.limit(20, cents(1_000_000)).await;
    let creates = join_all((0..30).map(|_| bench.create(1, 0)));
    // Of three writers at once at least one gets through in each of the five tries.
    let limits = join_all((0..3).map(|n| bench.limit(20 + n, cents(1_000_000 + n))));
    let (replies, _) = futures_util::future::join(creates, limits).await;
    let created = replies.iter().filter(|reply| reply.status == 200).count();
    for reply in &replies {
        assert!(matches!(reply.status, 200 | 409), "{}", reply.text);
    }
    let row = bench.row().await;
    assert_eq!(bench.seats().await, created);
    let created = i64::try_from(created).expect("few");
    assert_eq!(row.seats_left, i64::try_from(row.seat_limit).expect("few") - created);
    let limit = row.spending_limit.expect("a limit");
    assert_eq!(row.cents_left, Some(limit - 4_000 * created));
}

#[tokio::test]
async fn a_record_from_before_spending_was_counted_works() {
    let bench = Bench::new().await;
    let row = bench.row().await;
    assert_eq!((row.spending_limit, row.cents_left), (None, None));
    bench.limit(7, None).await;
    assert_eq!(bench.create(7, 0).await.status, 200);
    assert_eq!(told(&bench.create(1, 0).await), (409, json!("seat_limit_reached")));
}

#[tokio::test]
async fn limits_need_an_organization() {
    let bench = Bench::new().await;
    let nobody = OrganizationId::parse("org_01k6z3v8m4t5q7r9w2x1y0abcd").expect("an id");
    let missing = Err(ProvisionError::NoSuch("organization"));
    let table = &bench.stage.table;
    assert_eq!(table.set_limits(&nobody, Limits::default()).await, missing);
    assert_eq!(table.set_proration(&nobody, Default::default()).await, missing);
    assert!(bench.stage.items_under(&format!("ORG#{nobody}")).await.is_empty());
}

#[tokio::test]
async fn a_seat_says_which_device_its_tier_stood_for() {
    let bench = Bench::new().await;
    assert_eq!(bench.create(1, 1).await.status, 200);
    let items = bench.stage.items_under(&format!("ORG#{}", bench.organization)).await;
    let mut devices: Vec<_> = items
        .iter()
        .filter_map(|item| Some((item.get("tier")?.as_s().ok()?, item.get("device_type")?)))
        .map(|(tier, device)| (tier.as_str(), device.clone()))
        .collect();
    devices.sort_by_key(|(tier, _)| *tier);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    assert_eq!(devices, [("basic", text("shared")), ("premium", text("dedicated"))]);
}
