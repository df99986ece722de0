//! Customers, products, prices, lists, expansion, authentication and error objects.

use serde_json::json;
use stripe_stand_in::Request;

use crate::account::{Account, column, id};

#[test]
fn a_customer_lives_and_is_deleted() {
    let mut account = Account::new();
    let path = format!("/v1/customers/{}", account.customer);
    assert_eq!(account.get(&path)["email"], "a@example.com");
    let form = "name=Acme&metadata[org]=o1&invoice_settings[default_payment_method]=pm_1&address[city]=Oslo";
    let updated = account.ok("POST", &path, form);
    assert_eq!(updated["metadata"], json!({ "org": "o1" }));
    assert_eq!(updated["address"]["city"], "Oslo");
    assert_eq!(updated["invoice_settings"]["default_payment_method"], "pm_1");
    let subscription = id(&account.subscribe(1, 1));
    let deleted = account.ok("DELETE", &path, "");
    assert_eq!(deleted, json!({ "id": account.customer, "object": "customer", "deleted": true }));
    assert_eq!(account.get(&path), deleted);
    assert_eq!(account.refused("POST", &path, "name=x").0, 404);
    assert_eq!(account.get("/v1/customers")["data"], json!([]));
    let subscription = account.get(&format!("/v1/subscriptions/{subscription}"));
    assert_eq!(subscription["status"], "canceled");
}

#[test]
fn prices_are_found_by_lookup_key() {
    let mut account = Account::new();
    let product = id(&account.ok("POST", "/v1/products", "name=Seat&id=seat"));
    assert_eq!(product, "seat");
    let form = "currency=USD&unit_amount=500&product=seat&lookup_key=k1&recurring[interval]=year";
    let price = account.ok("POST", "/v1/prices", form);
    assert_eq!(price["recurring"]["interval"], "year");
    assert_eq!(price["currency"], "usd");
    let found = account.get("/v1/prices?lookup_keys[]=k1&lookup_keys[]=k2");
    assert_eq!(column(&found, "id"), [price["id"].clone()]);
    assert_eq!(account.refused("POST", "/v1/prices", form).0, 400);
    let moved = account.ok("POST", "/v1/prices", &format!("{form}&transfer_lookup_key=true"));
    let found = account.get("/v1/prices?lookup_keys[0]=k1");
    assert_eq!(column(&found, "id"), [moved["id"].clone()]);
}

#[test]
fn lists_page_with_cursors() {
    let mut account = Account::new();
    for number in 0..4 {
        account.ok("POST", "/v1/customers", &format!("name=c{number}"));
    }
    let first = account.get("/v1/customers?limit=2");
    assert_eq!(column(&first, "name"), ["c3", "c2"]);
    assert_eq!(first["has_more"], true);
    assert_eq!(first["url"], "/v1/customers");
    let after = first["data"][1]["id"].as_str().unwrap();
    let second = account.get(&format!("/v1/customers?limit=3&starting_after={after}"));
    assert_eq!(second["has_more"], false);
    assert_eq!(column(&second, "name"), [json!("c1"), json!("c0"), json!(null)]);
    let (status, error) = account.refused("GET", "/v1/customers?starting_after=cus_x", "");
    assert_eq!((status, &error["param"]), (400, &json!("starting_after")));
    assert_eq!(account.refused("GET", "/v1/customers?limit=101", "").0, 400);
}

#[test]
fn expansion_replaces_ids_by_objects() {
    let mut account = Account::new();
    let subscription = id(&account.subscribe(1, 2));
    let path = format!(
        "/v1/subscriptions/{subscription}?expand[]=customer&expand[]=latest_invoice&expand[]=items.data.price.product"
    );
    let expanded = account.get(&path);
    assert_eq!(expanded["customer"]["object"], "customer");
    assert_eq!(expanded["latest_invoice"]["amount_due"], 24_000);
    assert_eq!(expanded["items"]["data"][1]["price"]["product"]["name"], "Premium");
    let listed = account.get("/v1/subscriptions?expand[0]=data.customer");
    assert_eq!(listed["data"][0]["customer"]["email"], "a@example.com");
    for path in ["secret", "data.items.data.price.product"] {
        assert_eq!(
            account.refused("GET", &format!("/v1/subscriptions?expand[]={path}"), "").0,
            400
        );
    }
}

#[test]
fn errors_are_stripes() {
    let mut account = Account::new();
    let cases = [
        ("GET", "/v1/customers/cus_x", "", 404, json!("resource_missing"), json!("id")),
        ("POST", "/v1/customers", "nmae=x", 400, json!("parameter_unknown"), json!("nmae")),
        (
            "POST",
            "/v1/prices",
            "currency=usd",
            400,
            json!("parameter_missing"),
            json!("unit_amount"),
        ),
        (
            "POST",
            "/v1/prices",
            "currency=usd&unit_amount=1.5",
            400,
            json!("parameter_invalid_integer"),
            json!("unit_amount"),
        ),
        ("POST", "/v1/products", "name=", 400, json!("parameter_invalid_empty"), json!("name")),
        (
            "POST",
            "/v1/subscriptions",
            "customer=cus_x&items[0][price]=p",
            400,
            json!("resource_missing"),
            json!("customer"),
        ),
        ("GET", "/v1/nothing", "", 404, json!(null), json!(null)),
        ("PUT", "/v1/customers", "", 404, json!(null), json!(null)),
        ("GET", "/v1/customers/", "", 404, json!("resource_missing"), json!("id")),
    ];
    for (method, path, form, status, code, param) in cases {
        let (got, error) = account.refused(method, path, form);
        assert_eq!(
            (got, &error["code"], &error["param"]),
            (status, &code, &param),
            "{path} {form}"
        );
        assert_eq!(error["type"], "invalid_request_error");
    }
}

#[test]
fn a_call_without_a_test_key_is_refused() {
    let mut account = Account::new();
    for authorization in [None, Some("Bearer sk_live_abcdefghij"), Some("Bearer pk_test_1")] {
        let mut request = Request::new("GET", "/v1/customers");
        request.authorization = authorization.map(str::to_owned);
        let reply = account.send(request);
        assert_eq!(reply.status, 401);
        assert_eq!(reply.body["error"]["type"], "invalid_request_error");
    }
}

#[test]
fn replies_say_which_request_and_version() {
    let mut account = Account::new();
    let header = |reply: &stripe_stand_in::Reply, name: &str| {
        let found = reply.headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let reply = account.call("GET", "/v1/customers", "");
    assert!(header(&reply, "Request-Id").starts_with("req_"));
    assert_eq!(header(&reply, "Stripe-Version"), "2026-10-28.endive");
    let mut request = Request::new("POST", "/v1/customers").idempotency_key("k");
    request.api_version = Some("2024-06-20".to_owned());
    let reply = account.send(request.clone());
    assert_eq!(header(&reply, "Stripe-Version"), "2024-06-20");
    assert_eq!(header(&reply, "Idempotency-Key"), "k");
    request.api_version = Some("latest".to_owned());
    assert_eq!(account.send(request).status, 400);
}
