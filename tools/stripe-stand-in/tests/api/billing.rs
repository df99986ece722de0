//! Prorations, previews, invoices and the passing of periods.

use serde_json::{Value, json};
use stripe_stand_in::Request;

use crate::account::{Account, DAY, MONTH, START, column, id, item, quantities};

/// Changes both quantities.
fn change(
    account: &mut Account,
    subscription: &Value,
    basic: i64,
    premium: i64,
    more: &str,
) -> Value {
    let form = format!(
        "items[0][id]={}&items[0][quantity]={basic}&items[1][id]={}&items[1][quantity]={premium}{more}",
        item(subscription, 0),
        item(subscription, 1),
    );
    account.ok("POST", &format!("/v1/subscriptions/{}", id(subscription)), &form)
}

fn pending(account: &mut Account) -> Vec<Value> {
    let mut amounts = column(&account.get("/v1/invoiceitems?pending=true&limit=100"), "amount");
    amounts.reverse();
    amounts
}

#[test]
fn a_change_is_prorated_to_the_second() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    account.now += 10 * DAY + 1;
    change(&mut account, &subscription, 5, 2, "");
    // 1,727,999 of 2,592,000 seconds remain: 12,000 -> 7,999.995, 20,000 -> 13,333.326 cents.
    assert_eq!(pending(&mut account), [json!(-8_000), json!(13_333)]);
    let list = account.get("/v1/invoiceitems");
    let newest = &list["data"][0];
    assert_eq!(newest["description"], "Remaining time on 5 × Basic after 11 Apr 2027");
    assert_eq!(newest["period"], json!({ "start": START + 10 * DAY + 1, "end": START + MONTH }));
    assert_eq!(newest["proration"], true);
    assert_eq!(
        newest["parent"]["subscription_details"]["subscription_item"],
        item(&subscription, 0)
    );
    assert_eq!(list["data"][1]["description"], "Unused time on 3 × Basic after 11 Apr 2027");
    assert_eq!(account.get(&format!("/v1/invoiceitems/{}", id(newest))), *newest);
}

#[test]
fn what_does_not_change_costs_nothing() {
    let mut account = Account::new();
    let subscription = account.subscribe(3, 2);
    account.now += 10 * DAY;
    change(&mut account, &subscription, 3, 2, "");
    change(&mut account, &subscription, 9, 9, "&proration_behavior=none");
    assert!(pending(&mut account).is_empty());
}

#[test]
fn a_credit_is_of_what_the_item_is_now_or_of_what_was_charged_for_it() {
    for (mode, credit) in [("classic", -8_000), ("flexible", -4_000)] {
        let mut account = Account::new();
        let form = format!(
            "customer={}&items[0][price]={}&items[0][quantity]=2&items[1][price]={}&items[1][quantity]=1&billing_mode[type]={mode}",
            account.customer, account.basic, account.premium,
        );
        let subscription = account.ok("POST", "/v1/subscriptions", &form);
        assert_eq!(subscription["billing_mode"]["type"], mode);
        account.now += MONTH / 2;
        // Two more that nobody paid for.
        change(&mut account, &subscription, 4, 1, "&proration_behavior=none");
        change(&mut account, &subscription, 0, 1, "");
        assert_eq!(pending(&mut account), [json!(credit)], "{mode}");
        // What was charged for since is credited as it was charged.
        change(&mut account, &subscription, 3, 1, "");
        account.now += MONTH / 4;
        change(&mut account, &subscription, 1, 1, "");
        let amounts = [credit, 6_000, -3_000, 1_000].map(|amount| json!(amount));
        assert_eq!(pending(&mut account), amounts, "{mode}");
    }
}

#[test]
fn the_billing_mode_is_that_of_the_version_unless_it_is_named() {
    let mut account = Account::new();
    let form = format!("customer={}&items[0][price]={}", account.customer, account.basic);
    for (version, mode) in [
        ("2025-08-27.basil", "classic"),
        ("2025-09-30.clover", "flexible"),
        ("2026-10-28.endive", "flexible"),
    ] {
        let mut request = Request::new("POST", "/v1/subscriptions").form(form.as_str());
        request.api_version = Some(version.to_owned());
        let reply = account.send(request);
        let subscription = reply.body;
        assert_eq!(subscription["billing_mode"]["type"], mode, "{version}");
    }
}

#[test]
fn the_portal_cancels_by_cancel_at_in_flexible_mode() {
    for (mode, flag) in [("classic", true), ("flexible", false)] {
        let mut account = Account::new();
        let form = format!(
            "customer={}&items[0][price]={}&billing_mode[type]={mode}",
            account.customer, account.basic,
        );
        let subscription = account.ok("POST", "/v1/subscriptions", &form);
        let path = format!("subscriptions/{}/portal-cancel", id(&subscription));
        let canceled = account.control("POST", &path, "");
        assert_eq!(canceled["cancel_at_period_end"], flag, "{mode}");
        assert_eq!(canceled["cancel_at"], START + MONTH, "{mode}");
        account.now = START + MONTH;
        let ended = account.get(&format!("/v1/subscriptions/{}", id(&subscription)));
        assert_eq!(ended["status"], "canceled", "{mode}");
    }
}

#[test]
fn always_invoice_bills_at_once_and_a_credit_stays_with_the_customer() {
    let mut account = Account::new();
    let subscription = account.subscribe(2, 2);
    account.now += MONTH / 2;
    let more = change(&mut account, &subscription, 4, 2, "&proration_behavior=always_invoice");
    let invoice =
        account.get(&format!("/v1/invoices/{}", more["latest_invoice"].as_str().unwrap()));
    assert_eq!((&invoice["total"], &invoice["amount_due"]), (&json!(4_000), &json!(4_000)));
    assert_eq!(invoice["billing_reason"], "subscription_update");
    assert!(pending(&mut account).is_empty());
    let less = change(&mut account, &subscription, 0, 2, "&proration_behavior=always_invoice");
    let invoice =
        account.get(&format!("/v1/invoices/{}", less["latest_invoice"].as_str().unwrap()));
    assert_eq!((&invoice["total"], &invoice["amount_due"]), (&json!(-8_000), &json!(0)));
    assert_eq!(invoice["ending_balance"], -8_000);
    let customer = format!("/v1/customers/{}", account.customer);
    assert_eq!(account.get(&customer)["balance"], -8_000);
}

#[test]
fn periods_roll_over_and_collect_what_is_pending() {
    let mut account = Account::new();
    let subscription = account.subscribe(1, 1);
    account.now += MONTH / 2;
    change(&mut account, &subscription, 3, 1, "");
    account.now = START + MONTH;
    let renewed = account.get(&format!("/v1/subscriptions/{}", id(&subscription)));
    let period = &renewed["items"]["data"][0];
    assert_eq!(period["current_period_start"], START + MONTH);
    assert_eq!(period["current_period_end"], START + MONTH + 31 * DAY);
    let invoice =
        account.get(&format!("/v1/invoices/{}", renewed["latest_invoice"].as_str().unwrap()));
    assert_eq!(column(&invoice["lines"], "amount"), [-2_000, 6_000, 12_000, 10_000]);
    assert_eq!(invoice["total"], 26_000);
    assert_eq!(invoice["billing_reason"], "subscription_cycle");
    assert!(pending(&mut account).is_empty());
    // A long absence is caught up period by period: 1 May to 1 March is ten months.
    account.now = START + 340 * DAY;
    let list = account.get("/v1/invoices?limit=100");
    assert_eq!(list["data"].as_array().unwrap().len(), 1 + 1 + 10);
}

#[test]
fn a_preview_shows_the_next_invoice_and_keeps_nothing() {
    let mut account = Account::new();
    let subscription = account.subscribe(2, 1);
    account.now += MONTH / 2;
    let details = format!(
        "subscription={}&subscription_details[items][0][id]={}&subscription_details[items][0][quantity]=4",
        id(&subscription),
        item(&subscription, 0),
    );
    let before = account.control("GET", "state", "");
    let preview = account.ok("POST", "/v1/invoices/create_preview", &details);
    assert_eq!(account.control("GET", "state", ""), before);
    assert_eq!(column(&preview["lines"], "amount"), [-4_000, 8_000, 16_000, 10_000]);
    assert_eq!((&preview["total"], &preview["amount_due"]), (&json!(30_000), &json!(30_000)));
    assert_eq!(preview["lines"]["data"][2]["period"]["start"], START + MONTH);

    let at_once = format!("{details}&subscription_details[proration_behavior]=always_invoice");
    let preview = account.ok("POST", "/v1/invoices/create_preview", &at_once);
    assert_eq!(preview["amount_due"], 4_000);

    let none = format!("{details}&subscription_details[proration_behavior]=none");
    let preview = account.ok("POST", "/v1/invoices/create_preview", &none);
    assert_eq!(preview["amount_due"], 26_000);

    let dated = format!("{details}&subscription_details[proration_date]={START}");
    let preview = account.ok("POST", "/v1/invoices/create_preview", &dated);
    assert_eq!(column(&preview["lines"], "amount"), [-8_000, 16_000, 16_000, 10_000]);

    let both = format!("{none}&subscription_details[proration_date]={START}");
    let (status, error) = account.refused("POST", "/v1/invoices/create_preview", &both);
    assert_eq!((status, &error["param"]), (400, &json!("subscription_details[proration_date]")));
}

#[test]
fn an_invoice_shows_its_first_lines_and_lists_all_of_them_once_it_is_kept() {
    let mut account = Account::new();
    let subscription = account.subscribe(0, 1);
    for basic in 1..=6 {
        account.now += DAY;
        change(&mut account, &subscription, basic, 1, "");
    }
    // Six charges and five credits, then the next period of two items.
    let form = format!("subscription={}", id(&subscription));
    let preview = account.ok("POST", "/v1/invoices/create_preview", &form);
    assert_eq!(column(&preview["lines"], "amount").len(), 10);
    assert_eq!(preview["lines"]["has_more"], true);
    let url = preview["lines"]["url"].as_str().unwrap();
    let (status, error) = account.refused("GET", &format!("{url}?limit=100"), "");
    assert_eq!((status, &error["code"]), (404, &json!("resource_missing")), "it is not kept");

    account.now = START + MONTH;
    let renewed = account.get(&format!("/v1/subscriptions/{}", id(&subscription)));
    let invoice =
        account.get(&format!("/v1/invoices/{}", renewed["latest_invoice"].as_str().unwrap()));
    assert_eq!(invoice["lines"]["has_more"], true);
    let url = invoice["lines"]["url"].as_str().unwrap();
    let all = account.get(&format!("{url}?limit=100"));
    assert_eq!((column(&all, "amount").len(), &all["has_more"]), (13, &json!(false)));
    let tenth = column(&all, "id")[9].as_str().unwrap().to_owned();
    let rest = account.get(&format!("{url}?starting_after={tenth}"));
    assert_eq!(column(&rest, "amount"), column(&all, "amount")[10..]);
}

#[test]
fn a_preview_agrees_with_the_invoice_that_follows() {
    let mut account = Account::new();
    let subscription = account.subscribe(2, 1);
    account.now += 7 * DAY + 12_345;
    change(&mut account, &subscription, 3, 5, "");
    account.now += DAY;
    let form = format!(
        "subscription={}&subscription_details[items][0][id]={}&subscription_details[items][0][quantity]=8",
        id(&subscription),
        item(&subscription, 0),
    );
    let preview = account.ok("POST", "/v1/invoices/create_preview", &form);
    change(&mut account, &subscription, 8, 5, "");
    account.now = START + MONTH;
    let renewed = account.get(&format!("/v1/subscriptions/{}", id(&subscription)));
    let invoice =
        account.get(&format!("/v1/invoices/{}", renewed["latest_invoice"].as_str().unwrap()));
    for field in ["total", "amount_due"] {
        assert_eq!(preview[field], invoice[field]);
    }
    assert_eq!(column(&preview["lines"], "amount"), column(&invoice["lines"], "amount"));
}

#[test]
fn a_subscription_that_ends_with_its_period_has_no_next_invoice() {
    let mut account = Account::new();
    let subscription = account.subscribe(2, 1);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    account.now += DAY;
    let ending = account.ok("POST", &path, "cancel_at_period_end=true");
    assert_eq!(ending["cancel_at"], START + MONTH);
    assert_eq!(ending["canceled_at"], START + DAY);
    let form = format!("subscription={}", id(&subscription));
    let (status, error) = account.refused("POST", "/v1/invoices/create_preview", &form);
    assert_eq!((status, &error["code"]), (404, &json!("invoice_upcoming_none")));
    account.now = START + MONTH + 5;
    let ended = account.get(&path);
    assert_eq!((&ended["status"], &ended["ended_at"]), (&json!("canceled"), &json!(START + MONTH)));
    assert_eq!(ended["canceled_at"], START + DAY);
}

#[test]
fn a_trial_is_free_and_then_bills() {
    let mut account = Account::new();
    let form = format!(
        "customer={}&items[0][price]={}&items[0][quantity]=2&trial_period_days=14",
        account.customer, account.basic
    );
    let subscription = account.ok("POST", "/v1/subscriptions", &form);
    assert_eq!(subscription["status"], "trialing");
    assert_eq!(subscription["trial_end"], START + 14 * DAY);
    account.now += 7 * DAY;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let form = format!("items[0][id]={}&items[0][quantity]=3", item(&subscription, 0));
    account.ok("POST", &path, &form);
    assert!(pending(&mut account).is_empty());
    account.now = START + 14 * DAY;
    let active = account.get(&path);
    assert_eq!((&active["status"], quantities(&active)), (&json!("active"), vec![3]));
    assert_eq!(active["items"]["data"][0]["current_period_end"], START + 14 * DAY + MONTH);
    assert_eq!(column(&account.get("/v1/invoices"), "total"), [12_000, 0]);
}

#[test]
fn cancelling_with_proration_gives_the_rest_back() {
    let mut account = Account::new();
    let subscription = account.subscribe(2, 1);
    account.now += MONTH / 2;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let canceled = account.ok("DELETE", &path, "prorate=true&invoice_now=true");
    let invoice =
        account.get(&format!("/v1/invoices/{}", canceled["latest_invoice"].as_str().unwrap()));
    assert_eq!(invoice["total"], -9_000);
}

#[test]
fn an_end_is_taken_back_the_way_it_was_set() {
    for (mode, left) in [("classic", json!(null)), ("flexible", json!(START + MONTH))] {
        let mut account = Account::new();
        let form = format!(
            "customer={}&items[0][price]={}&billing_mode[type]={mode}",
            account.customer, account.basic,
        );
        let subscription = account.ok("POST", "/v1/subscriptions", &form);
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        let set = account.ok("POST", &path, "cancel_at_period_end=true");
        let both = |subscription: &Value| {
            (subscription["cancel_at_period_end"].clone(), subscription["cancel_at"].clone())
        };
        assert_eq!(both(&set), (json!(true), json!(START + MONTH)), "{mode}");
        let back = account.ok("POST", &path, "cancel_at_period_end=false");
        assert_eq!(both(&back), (json!(false), json!(null)), "{mode}");

        account.ok("POST", &path, &format!("cancel_at={}", START + MONTH));
        let alone = account.ok("POST", &path, "cancel_at_period_end=false");
        assert_eq!(both(&alone), (json!(false), left), "{mode}");
        let back = account.ok("POST", &path, "cancel_at=");
        assert_eq!(both(&back), (json!(false), json!(null)), "{mode}");
    }
}

#[test]
fn a_session_of_the_portal_is_the_customers() {
    let mut account = Account::new();
    let form = format!("customer={}&return_url=https://example.com/account", account.customer);
    let session = account.ok("POST", "/v1/billing_portal/sessions", &form);
    assert_eq!(session["object"], "billing_portal.session");
    assert_eq!(session["customer"], account.customer);
    assert_eq!(session["return_url"], "https://example.com/account");
    let url = session["url"].as_str().unwrap();
    assert!(url.starts_with("https://billing.stripe.com/p/session/test_"), "{url}");
}
