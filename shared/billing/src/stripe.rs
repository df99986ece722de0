//! A thin client of Stripe's API: form bodies, our own idempotency keys, no retries of its own
//! (the queue delivers again).

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use headcount_model::billing::{BillingError, ItemTarget, Period, ProrationBehavior};
use headcount_model::id::OrganizationId;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::subscription::{
    ITEM_MISSING, Item, MISSING, StripeFailure, Subscription, Subscriptions, Unfit, Updated,
};

/// The version of Stripe's API that this client is written against
/// (<https://docs.stripe.com/api/versioning>).
pub const API_VERSION: &str = "2026-10-28.endive";

/// Key of the metadata that names the organization whose subscription it is.
pub(crate) const ORGANIZATION: &str = "organization";

/// How long one call may take. Stripe answers most in under a second; a call that is cut off
/// here is repeated under the same idempotency key.
pub const CALL_BUDGET: Duration = Duration::from_secs(8);

/// One call of Stripe's API.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// `GET`, or `POST` with an idempotency key.
    pub kind: CallKind<'c>,
    /// Where the object is: `/v1/subscriptions/sub_123`.
    pub path: &'c str,
    /// The query of a `GET`, the form of a `POST`.
    pub parameters: &'c [(String, String)],
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind<'c> {
    /// Reads.
    Get,
    /// Creates or changes, at most once for each idempotency key.
    Post {
        /// The idempotency key.
        key: &'c str,
    },
}

/// What Stripe answered, good or bad.
#[derive(Debug, Clone)]
pub struct Answered {
    /// HTTP status.
    pub status: StatusCode,
    /// Body, JSON.
    pub body: Vec<u8>,
    /// Stripe's id of the request that was carried out, `req_…`
    /// (<https://docs.stripe.com/api/request_ids>). What is answered again under its idempotency key has
    /// that of the first time.
    pub request_id: Option<String>,
}

/// No whole answer came; what happened at Stripe is unknown. Says why, without the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(pub String);

/// How a call gets to Stripe and the answer back.
pub trait Transport: Send + Sync {
    /// Makes one attempt.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn carry(&self, call: Call<'_>) -> impl Future<Output = Result<Answered, NoAnswer>> + Send;
}

/// Calls over HTTPS.
#[derive(Clone)]
pub struct Https {
    http: reqwest::Client,
    base: String,
    key: SecretString,
}

impl Transport for Https {
    async fn carry(&self, call: Call<'_>) -> Result<Answered, NoAnswer> {
        let url = format!("{}{}", self.base, call.path);
        let request = match call.kind {
            CallKind::Get => self.http.get(url).query(call.parameters),
            CallKind::Post { key } => {
                self.http.post(url).header("Idempotency-Key", key).form(call.parameters)
            }
        };
        let response = request
            .bearer_auth(self.key.expose_secret())
            .header("Stripe-Version", API_VERSION)
            .send()
            .await
            .map_err(no_answer)?;
        let status = response.status();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let request_id = carried_out(header("original-request"), header("request-id"));
        let body = response.bytes().await.map_err(no_answer)?;
        Ok(Answered { status, body: body.into(), request_id })
    }
}

/// The request that was carried out, by the headers `Original-Request` and `Request-Id` of its answer. The
/// one is there with an idempotency key alone; they differ when the answer is that of an earlier request.
pub fn carried_out(original: Option<&str>, this: Option<&str>) -> Option<String> {
    original.or(this).map(str::to_owned)
}

/// No answer came. The error is told without its URL.
fn no_answer(error: reqwest::Error) -> NoAnswer {
    NoAnswer(error.without_url().to_string())
}

/// A client of Stripe's API.
#[derive(Clone)]
pub struct Stripe<T = Https> {
    transport: T,
}

impl Stripe {
    /// A client that calls `base` (`https://api.stripe.com`) with a secret API key.
    ///
    /// # Errors
    /// When the TLS stack does not start.
    pub fn new(base: &str, key: SecretString) -> Result<Self, reqwest::Error> {
        install_tls();
        let http = reqwest::Client::builder()
            .timeout(CALL_BUDGET)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { transport: Https { http, base, key } })
    }
}

impl<T: Transport> Stripe<T> {
    /// A client whose calls go another way.
    pub fn over(transport: T) -> Self {
        Self { transport }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`StripeFailure`].
    pub async fn get<O: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(String, String)],
    ) -> Result<O, StripeFailure> {
        let call = Call { kind: CallKind::Get, path, parameters: query };
        self.send(call).await.map(|(object, _)| object)
    }

    /// Creates or changes an object, at most once for each idempotency key.
    ///
    /// # Errors
    /// [`StripeFailure`].
    pub async fn post<O: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(String, String)],
        idempotency_key: &str,
    ) -> Result<O, StripeFailure> {
        let kind = CallKind::Post { key: idempotency_key };
        self.send(Call { kind, path, parameters: form }).await.map(|(object, _)| object)
    }

    /// The object, and the request that was carried out.
    async fn send<O: DeserializeOwned>(
        &self,
        call: Call<'_>,
    ) -> Result<(O, Option<String>), StripeFailure> {
        let answered = self.transport.carry(call).await.map_err(|NoAnswer(why)| {
            StripeFailure::Transient(format!("no answer from Stripe: {why}"))
        })?;
        if answered.status.is_success() {
            // A success that cannot be read is no reason to believe that nothing happened.
            return serde_json::from_slice(&answered.body)
                .map(|object| (object, answered.request_id))
                .map_err(|error| StripeFailure::Transient(format!("unreadable answer: {error}")));
        }
        Err(sort(answered.status, &answered.body, answered.request_id))
    }
}

/// Makes ring what `reqwest` encrypts with, in the whole process. To repeat it is harmless.
pub fn install_tls() {
    // It refuses only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The message of the log when Stripe takes the stack's key no longer, or not for this. A metric filter
/// of template.yaml looks for it.
pub const STRIPE_KEY_REFUSED: &str = "Stripe refuses the key";

/// Sorts an error answer (<https://docs.stripe.com/error-low-level>).
fn sort(status: StatusCode, body: &[u8], request_id: Option<String>) -> StripeFailure {
    let error =
        serde_json::from_slice::<ErrorBody>(body).map(|body| body.error).unwrap_or_default();
    let is_key_burnt = error.kind.as_deref() == Some("idempotency_error");
    let code = match (error.code.as_deref(), error.param.as_deref()) {
        (Some("resource_missing"), param) => missing(param).to_owned(),
        _ => error.code.or(error.kind).unwrap_or_default(),
    };
    let told = format!("Stripe answered {status}: {code}");
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => StripeFailure::Transient(told),
        // The key was revoked, or may not do this: nothing that an organization can help, and over when
        // the key is right.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            tracing::error!(status = status.as_u16(), "{STRIPE_KEY_REFUSED}");
            StripeFailure::Transient(format!("{STRIPE_KEY_REFUSED}: {told}"))
        }
        // A key that was first used with other parameters is as burnt as one under which Stripe
        // stored a failure: what a writer makes of a version depends on the items it finds.
        _ if status.is_server_error() || is_key_burnt => StripeFailure::Stored(told),
        _ => StripeFailure::Permanent(BillingError {
            code: if code.is_empty() { format!("http_{}", status.as_u16()) } else { code },
            message: error.message.unwrap_or(told),
            request_id,
        }),
    }
}

/// What `resource_missing` is about. A price of another account or mode, an item that was deleted and
/// a subscription of another account have one code at Stripe, and each needs something else done.
fn missing(param: Option<&str>) -> &'static str {
    match param {
        Some("id" | "subscription") => MISSING,
        Some("customer") => "customer_missing",
        Some(param) if param.ends_with("[price]") => "price_missing",
        Some(param) if param == "item" || param.starts_with("items[") => ITEM_MISSING,
        _ => "resource_missing",
    }
}

#[derive(Deserialize, Default)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Deserialize, Default)]
struct ErrorObject {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
    param: Option<String>,
}

/// A subscription as Stripe sends it (<https://docs.stripe.com/api/subscriptions/object>).
#[derive(Deserialize)]
struct SubscriptionObject {
    id: String,
    #[serde(default)]
    customer: String,
    status: String,
    #[serde(default)]
    cancel_at_period_end: bool,
    /// How invoices are kept from being collected; absent while they are collected.
    pause_collection: Option<serde::de::IgnoredAny>,
    /// Unix seconds.
    cancel_at: Option<i64>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    items: List<ItemObject>,
    /// `sub_sched_…`
    schedule: Option<String>,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct ItemObject {
    id: String,
    price: PriceObject,
    /// Absent on metered prices.
    #[serde(default)]
    quantity: u64,
    /// Unix seconds. Periods are told by the items, no longer by the subscription
    /// (<https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end>).
    current_period_start: Option<i64>,
    /// Unix seconds.
    current_period_end: Option<i64>,
}

impl ItemObject {
    fn period(&self) -> Option<Period> {
        Some(Period { start: self.current_period_start?, end: self.current_period_end? })
    }
}

#[derive(Deserialize)]
struct PriceObject {
    id: String,
    currency: Option<String>,
    /// Cents.
    unit_amount: Option<u64>,
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    interval: String,
    interval_count: u64,
    usage_type: Option<String>,
}

impl PriceObject {
    /// Why seats cannot be billed at it.
    fn unfit(&self) -> impl Iterator<Item = Unfit> {
        let price = || self.id.clone();
        let currency = self.currency.as_deref().filter(|&currency| currency != "usd");
        let currency = currency
            .map(|currency| Unfit::Currency { price: price(), currency: currency.to_owned() });
        let recurring = self.recurring.as_ref();
        let is_monthly =
            |recurring: &&Recurring| recurring.interval == "month" && recurring.interval_count == 1;
        let interval = recurring.filter(|recurring| !is_monthly(recurring)).map(|recurring| {
            let every = format!("{} {}", recurring.interval_count, recurring.interval);
            Unfit::Interval { price: price(), every }
        });
        let is_metered =
            |recurring: &&Recurring| recurring.usage_type.as_deref() == Some("metered");
        let metered = recurring.filter(is_metered).map(|_| Unfit::Metered { price: price() });
        [currency, interval, metered].into_iter().flatten()
    }
}

impl SubscriptionObject {
    /// Everything by which seats cannot be billed.
    fn unfit(&self) -> Vec<Unfit> {
        let prices: Vec<_> = self.items.data.iter().map(|item| &item.price).collect();
        let mut unfit: Vec<_> = prices.iter().flat_map(|price| price.unfit()).collect();
        for (n, price) in prices.iter().enumerate() {
            let before = prices.iter().take(n).filter(|other| other.id == price.id).count();
            if before == 1 {
                unfit.push(Unfit::SecondItem { price: price.id.clone() });
            }
        }
        unfit.extend(self.items.has_more.then_some(Unfit::MoreItems));
        unfit.extend(self.schedule.as_ref().map(|_| Unfit::Schedule));
        unfit
    }
}

impl From<SubscriptionObject> for Subscription {
    fn from(object: SubscriptionObject) -> Self {
        let unfit = object.unfit();
        // Both tiers are monthly and share the period; of others the first to end counts.
        let periods = object.items.data.iter().filter_map(ItemObject::period);
        let period = periods.min_by_key(|period| period.end);
        // Whoever cancels in Stripe's portal sets `cancel_at` alone in flexible billing mode. An end
        // in a later period is none of this one.
        let ends = |period: Period| object.cancel_at.is_some_and(|end| end <= period.end);
        Self {
            unfit,
            id: object.id,
            customer: object.customer,
            status: object.status,
            collection_paused: object.pause_collection.is_some(),
            cancel_at_period_end: object.cancel_at_period_end || period.is_some_and(ends),
            period,
            organization: object
                .metadata
                .get(ORGANIZATION)
                .and_then(|id| OrganizationId::parse(id).ok()),
            items: object
                .items
                .data
                .into_iter()
                .map(|item| Item {
                    id: item.id,
                    price: item.price.id,
                    quantity: item.quantity,
                    unit_amount: item.price.unit_amount,
                })
                .collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Subscription {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SubscriptionObject::deserialize(deserializer).map(Self::from)
    }
}

impl<T: Transport> Subscriptions for Stripe<T> {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        let path = format!("/v1/subscriptions/{subscription}");
        self.get(&path, &[]).await
    }

    async fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> Result<Updated, StripeFailure> {
        let path = format!("/v1/subscriptions/{subscription}");
        let (kind, form) = (CallKind::Post { key }, quantities_form(targets, proration));
        let (subscription, request_id) =
            self.send(Call { kind, path: &path, parameters: &form }).await?;
        Ok(Updated { subscription, request_id })
    }
}

/// The form of a quantity update. The price goes with the item, so that one that is billed at a
/// price configured before moves to the new one instead of getting a second item beside it.
fn quantities_form(targets: &[ItemTarget], proration: ProrationBehavior) -> Vec<(String, String)> {
    let mut form = Vec::with_capacity(targets.len() * 3 + 1);
    for (n, target) in targets.iter().enumerate() {
        form.extend(target.id.iter().map(|id| (format!("items[{n}][id]"), id.clone())));
        form.push((format!("items[{n}][price]"), target.price.clone()));
        form.push((format!("items[{n}][quantity]"), target.quantity.to_string()));
    }
    form.push(("proration_behavior".to_owned(), proration.as_str().to_owned()));
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(status: u16, body: &str) -> StripeFailure {
        sort(
            StatusCode::from_u16(status).expect("a status"),
            body.as_bytes(),
            Some("req_1".to_owned()),
        )
    }

    #[test]
    fn what_is_answered_again_is_the_request_that_was_carried_out() {
        let id = |original, this| carried_out(original, this);
        assert_eq!(id(Some("req_1"), Some("req_2")).as_deref(), Some("req_1"));
        assert_eq!(id(None, Some("req_2")).as_deref(), Some("req_2"));
        assert_eq!(id(None, None), None);
    }

    #[test]
    fn errors_are_sorted_by_what_to_do() {
        let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such subscription"}}"#;
        assert_eq!(
            sorted(404, missing),
            StripeFailure::Permanent(BillingError {
                code: "resource_missing".to_owned(),
                message: "No such subscription".to_owned(),
                request_id: Some("req_1".to_owned()),
            })
        );
        let of = |param: &str| {
            let body = format!(r#"{{"error":{{"code":"resource_missing","param":"{param}"}}}}"#);
            match sorted(404, &body) {
                StripeFailure::Permanent(error) => error.code,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            ["id", "items[0][id]", "items[1][price]", "customer", "coupon"].map(of),
            [
                "subscription_missing",
                "item_missing",
                "price_missing",
                "customer_missing",
                "resource_missing"
            ]
        );
        for status in [401, 403] {
            let refused = sorted(status, missing);
            assert!(matches!(refused, StripeFailure::Transient(why) if why.contains("the key")));
        }
        for status in [400, 402, 404] {
            assert!(matches!(sorted(status, ""), StripeFailure::Permanent(_)));
        }
        for status in [409, 429] {
            assert!(matches!(sorted(status, missing), StripeFailure::Transient(_)));
        }
        for status in [500, 502, 503] {
            assert!(matches!(sorted(status, "<html>"), StripeFailure::Stored(_)));
        }
        let reused = r#"{"error":{"type":"idempotency_error","message":"Keys …"}}"#;
        assert!(matches!(sorted(400, reused), StripeFailure::Stored(_)));
        assert!(matches!(sorted(409, reused), StripeFailure::Transient(_)), "it is in use");
    }

    #[test]
    fn what_seats_cannot_be_billed_by_is_told_at_once() {
        let subscription =
            |text: &str| -> Subscription { serde_json::from_str(text).expect("a subscription") };
        let fit = subscription(
            r#"{"id":"sub_1","customer":"cus_1","status":"active","schedule":null,"items":{"has_more":false,"data":[
                {"id":"si_1","quantity":1,"price":{"id":"price_1","currency":"usd","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}},
                {"id":"si_2","quantity":1,"price":{"id":"price_2","currency":"usd","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}}]}}"#,
        );
        assert_eq!((fit.unfit, fit.customer.as_str()), (Vec::new(), "cus_1"));
        let unfit = subscription(
            r#"{"id":"sub_1","customer":"cus_1","status":"active","schedule":"sub_sched_1","items":{"has_more":true,"data":[
                {"id":"si_1","quantity":1,"price":{"id":"price_1","currency":"eur","recurring":{"interval":"year","interval_count":1,"usage_type":"licensed"}}},
                {"id":"si_2","price":{"id":"price_2","currency":"usd","recurring":{"interval":"month","interval_count":3,"usage_type":"metered"}}},
                {"id":"si_3","quantity":1,"price":{"id":"price_1","currency":"usd","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}},
                {"id":"si_4","quantity":1,"price":{"id":"price_1","currency":"usd","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}}]}}"#,
        );
        let codes: Vec<_> = unfit.unfit.iter().map(Unfit::code).collect();
        assert_eq!(
            codes,
            [
                "subscription_currency",
                "subscription_interval",
                "subscription_interval",
                "subscription_metered",
                "subscription_second_item",
                "subscription_more_items",
                "subscription_schedule",
            ]
        );
        assert_eq!(
            crate::subscription::reasons(&unfit.unfit[..2]),
            "the price price_1 is in eur, and seats are billed in usd; the price price_1 is billed \
             every 1 year, and seats every month"
        );
    }

    #[test]
    fn one_form_sets_all_items() {
        let targets = [
            ItemTarget { id: Some("si_1".to_owned()), price: "price_1".to_owned(), quantity: 3 },
            ItemTarget { id: None, price: "price_2".to_owned(), quantity: 1 },
        ];
        let form = quantities_form(&targets, ProrationBehavior::default());
        let form: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            form,
            [
                "items[0][id]=si_1",
                "items[0][price]=price_1",
                "items[0][quantity]=3",
                "items[1][price]=price_2",
                "items[1][quantity]=1",
                "proration_behavior=create_prorations"
            ]
        );
    }
}
