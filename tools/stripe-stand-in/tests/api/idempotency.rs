//! Idempotency keys, with and without faults.

use stripe_stand_in::{Fault, FaultKind, Reply, Request};

use crate::account::{Account, DAY, id, item, quantities};

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

fn create(form: &str) -> Request {
    Request::new("POST", "/v1/customers").form(form).idempotency_key("k1")
}

fn customers(account: &mut Account) -> usize {
    account.get("/v1/customers?limit=100")["data"].as_array().unwrap().len() - 1
}

#[test]
fn the_same_request_is_done_once_and_answered_alike() {
    let mut account = Account::new();
    let first = account.send(create("name=a&email=b"));
    let again = account.send(create("email=b&name=a"));
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(header(&first, "Idempotent-Replayed"), None);
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    let id = header(&first, "Request-Id");
    assert_ne!(header(&again, "Request-Id"), id);
    assert_eq!([&first, &again].map(|reply| header(reply, "Original-Request")), [id, id]);
    assert_eq!(customers(&mut account), 1);
}

#[test]
fn other_parameters_under_the_key_are_an_error() {
    let mut account = Account::new();
    account.send(create("name=a"));
    let reply = account.send(create("name=b"));
    assert_eq!((reply.status, &reply.body["error"]["type"]), (400, &"idempotency_error".into()));
    let mut elsewhere = create("name=a");
    elsewhere.path = "/v1/products".to_owned();
    let reply = account.send(elsewhere);
    assert_eq!((reply.status, &reply.body["error"]["type"]), (400, &"idempotency_error".into()));
    assert_eq!(customers(&mut account), 1);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let mut account = Account::new();
    account.send(create("name=a"));
    account.now += DAY - 1;
    account.send(create("name=a"));
    assert_eq!(customers(&mut account), 1);
    account.now += 1;
    account.send(create("name=b"));
    assert_eq!(customers(&mut account), 2);
}

#[test]
fn only_what_was_executed_is_stored() {
    let mut account = Account::new();
    let reply = account.send(create("nmae=a"));
    assert_eq!(reply.body["error"]["code"], "parameter_unknown");
    assert_eq!(account.send(create("name=a")).status, 200);

    let missing =
        |form: &str| Request::new("POST", "/v1/subscriptions").form(form).idempotency_key("k2");
    let form = "customer=cus_x&items[0][price]=price_x";
    assert_eq!(account.send(missing(form)).status, 400);
    let again = account.send(missing(form));
    assert_eq!(again.body["error"]["code"], "resource_missing");
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
}

#[test]
fn keys_are_for_posts_of_up_to_255_characters() {
    let mut account = Account::new();
    for (length, status) in [(255, 200), (256, 400), (0, 400)] {
        let request = Request::new("POST", "/v1/customers").idempotency_key(&"k".repeat(length));
        assert_eq!(account.send(request).status, status);
    }
    let list = Request::new("GET", "/v1/customers").idempotency_key("g");
    account.send(list.clone());
    assert_eq!(header(&account.send(list), "Idempotent-Replayed"), None);
}

#[test]
fn a_lost_answer_is_replayed() {
    let mut account = Account::new();
    let subscription = account.subscribe(1, 1);
    account.stripe.add_fault(Fault::once(FaultKind::CutAfter)).unwrap();
    let update = Request::new("POST", &format!("/v1/subscriptions/{}", id(&subscription)))
        .form(format!("items[0][id]={}&items[0][quantity]=5", item(&subscription, 0)))
        .idempotency_key("k1");
    assert!(account.send(update.clone()).cut);
    let again = account.send(update);
    assert!(!again.cut);
    assert_eq!(quantities(&again.body), [5, 1]);
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
}

#[test]
fn faults_before_the_effect_leave_the_key_free() {
    let kinds = [
        (FaultKind::RateLimited, 429, Some("rate_limit")),
        (FaultKind::LockTimeout, 429, Some("lock_timeout")),
        (FaultKind::KeyInUse, 409, Some("idempotency_key_in_use")),
        (FaultKind::ServerErrorBefore, 500, None),
    ];
    for (kind, status, code) in kinds {
        let mut account = Account::new();
        account.stripe.add_fault(Fault::once(kind)).unwrap();
        let reply = account.send(create("name=a"));
        assert_eq!((reply.status, reply.body["error"]["code"].as_str()), (status, code));
        assert_eq!(customers(&mut account), 0);
        assert_eq!(account.send(create("name=a")).status, 200);
    }
    let mut account = Account::new();
    account.stripe.add_fault(Fault::once(FaultKind::CutBefore)).unwrap();
    assert!(account.send(create("name=a")).cut);
    assert_eq!(customers(&mut account), 0);
}

#[test]
fn a_decline_is_stored_and_another_key_is_not_declined() {
    let mut account = Account::new();
    account.stripe.add_fault(Fault::once(FaultKind::Declined)).unwrap();
    for _ in 0..2 {
        let reply = account.send(create("name=a"));
        let error = &reply.body["error"];
        assert_eq!((reply.status, &error["type"]), (402, &"card_error".into()));
        assert_eq!(error["code"], "card_declined");
    }
    assert_eq!(customers(&mut account), 0);
    assert_eq!(account.send(create("name=a").idempotency_key("k2")).status, 200);
}

#[test]
fn a_stored_500_stays_whether_or_not_the_effect_was_done() {
    for (applied, effects) in [(false, 0), (true, 1)] {
        let mut account = Account::new();
        let fault = Fault { applied, ..Fault::once(FaultKind::ServerError) };
        account.stripe.add_fault(fault).unwrap();
        for _ in 0..2 {
            let reply = account.send(create("name=a"));
            assert_eq!((reply.status, &reply.body["error"]["type"]), (500, &"api_error".into()));
        }
        assert_eq!(customers(&mut account), effects);
        assert_eq!(account.send(create("name=a").idempotency_key("k2")).status, 200);
    }
}
