//! Subscriptions and their items.

use serde_json::json;

use crate::account::{Account, DAY, MONTH, START, column, id, item, quantities};

#[test]
fn a_subscription_has_several_items_with_their_period() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    assert_eq!(subscription["status"], "active");
    assert_eq!(quantities(&subscription), [3, 2]);
    for item in subscription["items"]["data"].as_array().unwrap() {
        assert_eq!(item["current_period_start"], START);
        assert_eq!(item["current_period_end"], START + MONTH);
        assert_eq!(item["subscription"], subscription["id"]);
    }
    assert!(subscription.get("current_period_end").is_none());
    let path = format!("/v1/subscription_items?subscription={}", id(&subscription));
    let items = account.get(&path);
    assert_eq!(items["data"], subscription["items"]["data"]);
}

#[test]
fn one_call_sets_several_quantities() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let form = format!(
        "items[0][id]={}&items[0][quantity]=7&items[1][id]={}&items[1][quantity]=0&metadata[version]=4",
        item(&subscription, 0),
        item(&subscription, 1),
    );
    let updated = account.ok("POST", &path, &form);
    assert_eq!(quantities(&updated), [7, 0]);
    assert_eq!(updated["metadata"], json!({ "version": "4" }));
    assert_eq!(account.get(&path), updated);
}

#[test]
fn items_are_added_switched_and_removed() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let gold = account.price("Gold", 30_000);
    let silver = account.price("Silver", 20_000);
    let form = format!(
        "items[0][id]={}&items[0][deleted]=true&items[1][price]={gold}&items[2][id]={}&items[2][price]={silver}",
        item(&subscription, 0),
        item(&subscription, 1),
    );
    let updated = account.ok("POST", &path, &form);
    assert_eq!(quantities(&updated), [2, 1]);
    assert_eq!(updated["items"]["data"][0]["price"]["id"], *silver);
    assert_eq!(updated["items"]["data"][1]["price"]["id"], *gold);
}

#[test]
fn a_bad_change_changes_nothing() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let (first, second) = (item(&subscription, 0), item(&subscription, 1));
    let yearly = id(&account.ok(
        "POST",
        "/v1/prices",
        "currency=usd&unit_amount=1&recurring[interval]=year&product_data[name]=y",
    ));
    let once =
        id(&account.ok("POST", "/v1/prices", "currency=usd&unit_amount=1&product_data[name]=o"));
    let euro = id(&account.ok(
        "POST",
        "/v1/prices",
        "currency=eur&unit_amount=1&recurring[interval]=month&product_data[name]=e",
    ));
    let good = format!("items[0][id]={first}&items[0][quantity]=9");
    let cases = [
        ("items[1][id]=si_x&items[1][quantity]=1".to_owned(), json!("resource_missing")),
        (
            format!("items[1][id]={second}&items[1][quantity]=-1"),
            json!("parameter_invalid_integer"),
        ),
        (
            format!("items[1][id]={second}&items[1][quantity]=1.5"),
            json!("parameter_invalid_integer"),
        ),
        (format!("items[1][price]={}", account.basic), json!(null)),
        ("items[1][price]=price_x".to_owned(), json!("resource_missing")),
        (format!("items[1][price]={yearly}"), json!(null)),
        (format!("items[1][price]={once}"), json!(null)),
        (format!("items[1][price]={euro}"), json!(null)),
        ("items[1][quantity]=1".to_owned(), json!("parameter_missing")),
        (format!("items[1][id]={first}"), json!(null)),
        (format!("items[1][id]={second}&items[1][qty]=1"), json!("parameter_unknown")),
        ("proration_behavior=sometimes".to_owned(), json!(null)),
        (format!("proration_date={}", START - 1), json!(null)),
        ("colour=red".to_owned(), json!("parameter_unknown")),
    ];
    for (bad, code) in cases {
        let (status, error) = account.refused("POST", &path, &format!("{good}&{bad}"));
        assert_eq!((status, &error["code"]), (400, &code), "{bad}: {error}");
    }
    let all = format!(
        "items[0][id]={first}&items[0][deleted]=true&items[1][id]={second}&items[1][deleted]=true"
    );
    assert_eq!(account.refused("POST", &path, &all).0, 400);
    assert_eq!(account.get(&path), subscription);
}

#[test]
fn the_item_endpoints_do_the_same() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    let gold = account.price("Gold", 30_000);
    let form = format!("subscription={}&price={gold}&quantity=4", id(&subscription));
    let added = account.ok("POST", "/v1/subscription_items", &form);
    assert_eq!((&added["quantity"], &added["price"]["id"]), (&json!(4), &json!(gold)));
    assert_eq!(account.refused("POST", "/v1/subscription_items", &form).0, 400);
    let path = format!("/v1/subscription_items/{}", id(&added));
    assert_eq!(account.ok("POST", &path, "quantity=6&proration_behavior=none")["quantity"], 6);
    assert_eq!(account.get(&path)["quantity"], 6);
    assert_eq!(account.ok("DELETE", &path, "")["deleted"], true);
    let (status, error) = account.refused("GET", &path, "");
    assert_eq!((status, &error["code"]), (404, &json!("resource_missing")));
    let current = account.get(&format!("/v1/subscriptions/{}", id(&subscription)));
    assert_eq!(quantities(&current), [3, 2]);
}

#[test]
fn a_canceled_subscription_takes_metadata_only() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    account.now += DAY;
    let canceled = account.ok("DELETE", &format!("{path}?cancellation_details[comment]=bye"), "");
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(canceled["canceled_at"], START + DAY);
    assert_eq!(canceled["ended_at"], START + DAY);
    assert_eq!(canceled["cancellation_details"]["comment"], "bye");
    let change = format!("items[0][id]={}&items[0][quantity]=1", item(&subscription, 0));
    let (status, error) = account.refused("POST", &path, &change);
    assert_eq!(status, 400);
    assert_eq!(
        error["message"],
        "A canceled subscription can only update its cancellation_details and metadata."
    );
    let item_path = format!("/v1/subscription_items/{}", item(&subscription, 0));
    assert_eq!(account.refused("POST", &item_path, "quantity=9").0, 400);
    assert_eq!(account.ok("POST", &path, "metadata[a]=1")["metadata"], json!({ "a": "1" }));
    let (status, error) = account.refused("DELETE", &path, "");
    assert_eq!((status, &error["code"]), (404, &json!("resource_missing")));
}

#[test]
fn lists_filter_by_customer_and_status() {
    let mut account = Account::new();
    let first = id(&account.subscribe(1, 1));
    let second = id(&account.subscribe(2, 2));
    account.ok("DELETE", &format!("/v1/subscriptions/{first}"), "");
    let mut ids = |query: &str| column(&account.get(&format!("/v1/subscriptions?{query}")), "id");
    assert_eq!(ids(""), [json!(second)]);
    assert_eq!(ids("status=all"), [json!(second), json!(first)]);
    assert_eq!(ids("status=canceled"), [json!(first)]);
    assert_eq!(ids("status=ended"), [json!(first)]);
    assert_eq!(ids("status=active"), [json!(second)]);
    assert!(ids("status=past_due").is_empty());
    assert!(ids("customer=cus_other").is_empty());
}

#[test]
fn a_first_payment_that_never_comes_expires() {
    let mut account = Account::new();
    let form = format!(
        "customer={}&items[0][price]={}&payment_behavior=default_incomplete",
        account.customer, account.basic
    );
    let subscription = account.ok("POST", "/v1/subscriptions", &form);
    assert_eq!(subscription["status"], "incomplete");
    account.now += 23 * 3_600;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    assert_eq!(account.get(&path)["status"], "incomplete_expired");
}
