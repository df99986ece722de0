//! A thin client of Stripe's API: form bodies, our own idempotency keys, no retries of its own
//! (the queue delivers again).

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use headcount_model::billing::{BillingError, Period, ProrationBehavior};
use headcount_model::id::OrganizationId;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::subscription::{Item, ItemTarget, StripeFailure, Subscription, Subscriptions};

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
        let body = response.bytes().await.map_err(no_answer)?;
        Ok(Answered { status, body: body.into() })
    }
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
        self.send(Call { kind: CallKind::Get, path, parameters: query }).await
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
        self.send(Call { kind, path, parameters: form }).await
    }

    async fn send<O: DeserializeOwned>(&self, call: Call<'_>) -> Result<O, StripeFailure> {
        let answered = self.transport.carry(call).await.map_err(|NoAnswer(why)| {
            StripeFailure::Transient(format!("no answer from Stripe: {why}"))
        })?;
        if answered.status.is_success() {
            // A success that cannot be read is no reason to believe that nothing happened.
            return serde_json::from_slice(&answered.body)
                .map_err(|error| StripeFailure::Transient(format!("unreadable answer: {error}")));
        }
        Err(sort(answered.status, &answered.body))
    }
}

/// Makes ring what `reqwest` encrypts with, in the whole process. To repeat it is harmless.
pub fn install_tls() {
    // It refuses only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Sorts an error answer (<https://docs.stripe.com/error-low-level>).
fn sort(status: StatusCode, body: &[u8]) -> StripeFailure {
    let error =
        serde_json::from_slice::<ErrorBody>(body).map(|body| body.error).unwrap_or_default();
    let is_key_burnt = error.kind.as_deref() == Some("idempotency_error");
    let code = error.code.or(error.kind).unwrap_or_default();
    let told = format!("Stripe answered {status}: {code}");
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => StripeFailure::Transient(told),
        // A key that was first used with other parameters is as burnt as one under which Stripe
        // stored a failure: what a writer makes of a version depends on the items it finds.
        _ if status.is_server_error() || is_key_burnt => StripeFailure::Stored(told),
        _ => StripeFailure::Permanent(BillingError {
            code: if code.is_empty() { format!("http_{}", status.as_u16()) } else { code },
            message: error.message.unwrap_or(told),
        }),
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
}

#[derive(Deserialize)]
struct SubscriptionObject {
    id: String,
    status: String,
    #[serde(default)]
    cancel_at_period_end: bool,
    /// Unix seconds.
    cancel_at: Option<i64>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    items: List<ItemObject>,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
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
}

impl From<SubscriptionObject> for Subscription {
    fn from(object: SubscriptionObject) -> Self {
        // Both tiers are monthly and share the period; of others the first to end counts.
        let periods = object.items.data.iter().filter_map(ItemObject::period);
        let period = periods.min_by_key(|period| period.end);
        // Whoever cancels in Stripe's portal sets `cancel_at` alone in flexible billing mode. An end
        // in a later period is none of this one.
        let ends = |period: Period| object.cancel_at.is_some_and(|end| end <= period.end);
        Self {
            id: object.id,
            status: object.status,
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
                .map(|item| Item { id: item.id, price: item.price.id, quantity: item.quantity })
                .collect(),
        }
    }
}

impl<T: Transport> Subscriptions for Stripe<T> {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        let path = format!("/v1/subscriptions/{subscription}");
        let object: SubscriptionObject = self.get(&path, &[]).await?;
        Ok(object.into())
    }

    async fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> Result<Subscription, StripeFailure> {
        let path = format!("/v1/subscriptions/{subscription}");
        let object: SubscriptionObject =
            self.post(&path, &quantities_form(targets, proration), key).await?;
        Ok(object.into())
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
        sort(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
    }

    #[test]
    fn errors_are_sorted_by_what_to_do() {
        let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such subscription"}}"#;
        assert_eq!(
            sorted(404, missing),
            StripeFailure::Permanent(BillingError {
                code: "resource_missing".to_owned(),
                message: "No such subscription".to_owned()
            })
        );
        for status in [400, 401, 402, 403, 404] {
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
