//! Long random sequences of calls, each from its seed: what holds for every one of them.

use std::collections::HashSet;

use serde_json::Value;
use stripe_stand_in::Status;

use crate::account::{Account, DAY, column, id, item};

/// xorshift64*: the walk needs no more than numbers that differ.
struct Steps(u64);

impl Steps {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

/// A change of items, good or bad.
fn change(steps: &mut Steps, subscription: &Value, prices: &[String]) -> String {
    let items = subscription["items"]["data"].as_array().unwrap();
    let mut parts = Vec::new();
    for n in 0..1 + steps.below(3) {
        let at = usize::try_from(steps.below(items.len() as u64)).unwrap();
        let price = &prices[usize::try_from(steps.below(prices.len() as u64)).unwrap()];
        let quantity = i64::try_from(steps.below(12)).unwrap() - 1;
        let target = match steps.below(5) {
            0 => format!("items[{n}][price]={price}"),
            1 => format!("items[{n}][id]=si_x"),
            _ => format!("items[{n}][id]={}", item(subscription, at)),
        };
        parts.push(match steps.below(6) {
            0 => format!("{target}&items[{n}][deleted]=true"),
            _ => format!("{target}&items[{n}][quantity]={quantity}"),
        });
    }
    parts.push(match steps.below(4) {
        0 => "proration_behavior=none".to_owned(),
        1 => "proration_behavior=always_invoice".to_owned(),
        _ => "proration_behavior=create_prorations".to_owned(),
    });
    parts.join("&")
}

fn state(account: &mut Account) -> Value {
    account.control("GET", "state", "")
}

fn check(subscription: &Value) {
    let items = subscription["items"]["data"].as_array().unwrap();
    assert!(!items.is_empty());
    let prices: HashSet<_> = items.iter().map(|item| &item["price"]["id"]).collect();
    assert_eq!(prices.len(), items.len(), "a price is on it twice");
    for item in items {
        assert!(item["quantity"].as_i64().unwrap() >= 0);
        assert!(item["current_period_start"].as_i64() <= item["current_period_end"].as_i64());
    }
}

/// What is previewed is what is invoiced when the period ends and nothing else happens.
fn preview_holds(account: &mut Account, subscription: &str) {
    let path = format!("/v1/subscriptions/{subscription}");
    let before = state(account);
    let form = format!("subscription={subscription}");
    let preview = account.ok("POST", "/v1/invoices/create_preview", &form);
    assert_eq!(state(account), before);
    let current = account.get(&path);
    account.now = current["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    let renewed = account.get(&format!("{path}?expand[]=latest_invoice"));
    let invoice = &renewed["latest_invoice"];
    for field in ["total", "amount_due", "starting_balance"] {
        assert_eq!(preview[field], invoice[field], "{field}");
    }
    assert_eq!(column(&preview["lines"], "amount"), column(&invoice["lines"], "amount"));
}

fn walk(seed: u64) {
    let mut steps = Steps(seed + 1);
    let mut account = Account::new();
    let subscription = id(&account.subscribe(2, 3));
    let path = format!("/v1/subscriptions/{subscription}");
    let prices = [
        account.basic.clone(),
        account.premium.clone(),
        account.price("Gold", 33_333),
        account.price("Odd", 7),
    ];
    for _ in 0..30 {
        account.now += i64::try_from(steps.below(u64::try_from(4 * DAY).unwrap())).unwrap();
        let current = account.get(&path);
        check(&current);
        match steps.below(10) {
            0 => preview_holds(&mut account, &subscription),
            1 => {
                account.stripe.set_status(&subscription, Status::PastDue, account.now);
            }
            2 => {
                account.stripe.set_status(&subscription, Status::Active, account.now);
            }
            _ => {
                let form = change(&mut steps, &current, &prices);
                let before = state(&mut account);
                let reply = account.call("POST", &path, &form);
                assert!(reply.status == 200 || reply.status == 400, "{form}: {}", reply.body);
                if reply.status == 400 {
                    assert_eq!(state(&mut account), before, "a refusal changed something: {form}");
                }
            }
        }
    }
}

#[test]
fn refusals_change_nothing_and_previews_hold() {
    for seed in 0..40 {
        walk(seed);
    }
}
