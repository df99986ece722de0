//! An account with one customer, two monthly prices and a subscription, ready to be acted on.

use serde_json::Value;
use stripe_stand_in::{Reply, Request, Stripe};

/// 1 April 2027, 00:00 UTC: a month of 30 days begins.
pub(crate) const START: i64 = 1_806_537_600;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const MONTH: i64 = 30 * DAY;

pub(crate) struct Account {
    pub(crate) stripe: Stripe,
    pub(crate) now: i64,
    pub(crate) customer: String,
    pub(crate) basic: String,
    pub(crate) premium: String,
}

impl Account {
    pub(crate) fn new() -> Self {
        let mut account = Self {
            stripe: Stripe::new(),
            now: START,
            customer: String::new(),
            basic: String::new(),
            premium: String::new(),
        };
        account.customer = account.id_of("/v1/customers", "email=a%40example.com");
        account.basic = account.price("Basic", 4_000);
        account.premium = account.price("Premium", 10_000);
        account
    }

    pub(crate) fn price(&mut self, name: &str, cents: i64) -> String {
        let form = format!(
            "currency=usd&unit_amount={cents}&recurring[interval]=month&product_data[name]={name}"
        );
        self.id_of("/v1/prices", &form)
    }

    /// A subscription to `basic` and `premium`.
    pub(crate) fn subscribe(&mut self, basic: i64, premium: i64) -> Value {
        let form = format!(
            "customer={}&items[0][price]={}&items[0][quantity]={basic}&items[1][price]={}&items[1][quantity]={premium}",
            self.customer, self.basic, self.premium,
        );
        self.ok("POST", "/v1/subscriptions", &form)
    }

    pub(crate) fn send(&mut self, request: Request) -> Reply {
        self.stripe.handle(request, self.now)
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, form: &str) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = Request::new(method, path).form(form);
        query.clone_into(&mut request.query);
        self.send(request)
    }

    /// A call that succeeds.
    pub(crate) fn ok(&mut self, method: &str, path: &str, form: &str) -> Value {
        let reply = self.call(method, path, form);
        assert_eq!(reply.status, 200, "{method} {path} {form}: {:#}", reply.body);
        assert!(!reply.cut);
        reply.body
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.ok("GET", path, "")
    }

    /// A call that is refused: its status and its error object.
    pub(crate) fn refused(&mut self, method: &str, path: &str, form: &str) -> (u16, Value) {
        let mut reply = self.call(method, path, form);
        assert_ne!(reply.status, 200, "{method} {path} {form}: {:#}", reply.body);
        (reply.status, reply.body["error"].take())
    }

    /// A control call.
    pub(crate) fn control(&mut self, method: &str, path: &str, json: &str) -> Value {
        self.ok(method, &format!("/_stand-in/{path}"), json)
    }

    fn id_of(&mut self, path: &str, form: &str) -> String {
        id(&self.ok("POST", path, form))
    }
}

pub(crate) fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// The id of the subscription's `n`th item.
pub(crate) fn item(subscription: &Value, n: usize) -> String {
    id(&subscription["items"]["data"][n])
}

/// The quantities of the subscription's items, in order.
pub(crate) fn quantities(subscription: &Value) -> Vec<i64> {
    let items = subscription["items"]["data"].as_array().unwrap();
    items.iter().map(|item| item["quantity"].as_i64().unwrap()).collect()
}

/// A list's `field`s.
pub(crate) fn column(list: &Value, field: &str) -> Vec<Value> {
    list["data"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
}
