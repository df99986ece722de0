//! Webhook endpoints, the deliveries that they are owed, and the signature. Source:
//! <https://docs.stripe.com/api/webhook_endpoints> and <https://docs.stripe.com/webhooks/signature>.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    call::Call,
    errors::{Answer, ApiError},
    params::{Fields, Metadata},
    table::{Page, Row},
};

/// Seconds to wait after the first, second and third failure; then the delivery is given up.
/// (Stripe keeps trying for three days; in a sandbox, a few times over a few hours.)
const RETRY_AFTER: [i64; 3] = [5, 30, 120];

/// Where events are posted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    id: String,
    created: i64,
    pub(crate) url: String,
    pub(crate) secret: String,
    enabled_events: Vec<String>,
    disabled: bool,
    deleted: bool,
    description: Option<String>,
    api_version: Option<String>,
    metadata: Metadata,
}

/// One event owed to one endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) endpoint: String,
    pub(crate) event: String,
    /// When to try, in Unix seconds.
    pub(crate) due: i64,
    failures: usize,
}

/// A request to a webhook endpoint that is due now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookPost {
    /// Names the delivery when its outcome is reported.
    pub delivery: String,
    /// Where to post to.
    pub url: String,
    /// The value of the `Stripe-Signature` header.
    pub signature: String,
    /// The body: the event as JSON.
    pub payload: String,
}

impl Delivery {
    pub(crate) fn new(endpoint: String, event: String, now: i64) -> Self {
        Self { endpoint, event, due: now, failures: 0 }
    }

    pub(crate) fn is_of(&self, event: &str) -> bool {
        self.event == event
    }

    pub(crate) fn id(&self) -> String {
        format!("{}:{}", self.endpoint, self.event)
    }

    /// Notes a failure. False when it was the last one that is tolerated.
    pub(crate) fn retry(&mut self, now: i64) -> bool {
        let delay = RETRY_AFTER.get(self.failures);
        self.failures += 1;
        self.due = now + delay.copied().unwrap_or(0);
        delay.is_some()
    }

    /// The request to make.
    pub(crate) fn post(&self, endpoint: &Endpoint, payload: &str, now: i64) -> WebhookPost {
        WebhookPost {
            delivery: self.id(),
            url: endpoint.url.clone(),
            signature: sign_webhook(&endpoint.secret, now, payload),
            payload: payload.to_owned(),
        }
    }
}

impl Row for Endpoint {
    const OBJECT: &'static str = "webhook endpoint";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Endpoint {
    /// Whether events of this kind are to be delivered.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        let listed = self.enabled_events.iter().any(|enabled| enabled == "*" || enabled == kind);
        listed && !self.disabled && !self.deleted
    }

    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        })
    }
}

/// The `Stripe-Signature` header for `payload` at `timestamp` (Unix seconds):
/// `t=<timestamp>,v1=<hex HMAC-SHA256 of "timestamp.payload">`.
#[must_use]
pub fn sign_webhook(secret: &str, timestamp: i64, payload: &str) -> String {
    // HMAC takes keys of any length, so that there always is a code; without one, none would verify.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return format!("t={timestamp}");
    };
    mac.update(format!("{timestamp}.{payload}").as_bytes());
    let code = mac.finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={timestamp},v1={hex}")
}

fn take_url(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    match fields.text("url")? {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Ok(Some(url)),
        Some(_) => Err(ApiError::invalid(
            "url",
            "Invalid URL: An explicit scheme (such as https) must be provided.",
        )),
        None => Ok(None),
    }
}

/// `POST /v1/webhook_endpoints`: the only answer that has the `secret`.
pub(crate) fn create(call: &mut Call, mut fields: Fields) -> Answer {
    let url = take_url(&mut fields)?.ok_or_else(|| ApiError::missing("url"))?;
    let enabled_events = fields.texts("enabled_events")?;
    let description = fields.text("description")?;
    let api_version = fields.text("api_version")?;
    let metadata = fields.metadata()?.fresh();
    fields.flag("connect")?;
    fields.finish()?;
    if enabled_events.is_empty() {
        return Err(ApiError::missing("enabled_events"));
    }
    let endpoint = Endpoint {
        id: call.id("we_"),
        created: call.now,
        url,
        secret: call.state.ids.secret(),
        enabled_events,
        disabled: false,
        deleted: false,
        description,
        api_version,
        metadata,
    };
    let mut view = endpoint.view();
    view["secret"] = endpoint.secret.as_str().into();
    call.state.endpoints.insert(endpoint);
    Ok(view)
}

fn find(call: &Call, id: &str) -> Result<Endpoint, ApiError> {
    let endpoint = call.state.endpoints.find(id)?;
    if endpoint.deleted {
        return Err(ApiError::no_such(Endpoint::OBJECT, id));
    }
    Ok(endpoint.clone())
}

/// `GET /v1/webhook_endpoints/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(find(call, id)?.view())
}

/// `POST /v1/webhook_endpoints/{id}`
pub(crate) fn update(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let mut endpoint = find(call, id)?;
    if let Some(url) = take_url(&mut fields)? {
        endpoint.url = url;
    }
    let events = fields.texts("enabled_events")?;
    if !events.is_empty() {
        endpoint.enabled_events = events;
    }
    if let Some(disabled) = fields.flag("disabled")? {
        endpoint.disabled = disabled;
    }
    if let Some(description) = fields.clearable("description")? {
        endpoint.description = description;
    }
    fields.metadata()?.apply(&mut endpoint.metadata);
    fields.finish()?;
    let view = endpoint.view();
    *call.state.endpoints.find_mut(id)? = endpoint;
    Ok(view)
}

/// `GET /v1/webhook_endpoints`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    fields.finish()?;
    let rows = call.state.endpoints.iter().rev().filter(|endpoint| !endpoint.deleted);
    page.list("/v1/webhook_endpoints", rows, Endpoint::view)
}

/// `DELETE /v1/webhook_endpoints/{id}`: what it was still owed is dropped.
pub(crate) fn delete(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    find(call, id)?;
    call.state.endpoints.find_mut(id)?.deleted = true;
    call.state.deliveries.retain(|delivery| delivery.endpoint != id);
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_published_scheme() {
        // printf '12345.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
        let expected = SIGNATURE;
        assert_eq!(sign_webhook("whsec_test", 12345, r#"{"a":1}"#), expected);
    }

    const SIGNATURE: &str =
        "t=12345,v1=6891b7a66b05b0e53771b0ad1be66a73fc29b6b3c4b4961ddb1efa062c8c05e9";

    #[test]
    fn a_delivery_is_tried_four_times() {
        let mut delivery = Delivery::new("we_1".into(), "evt_1".into(), 100);
        assert!(delivery.retry(100) && delivery.due == 105);
        assert!(delivery.retry(105) && delivery.due == 135);
        assert!(delivery.retry(135) && delivery.due == 255);
        assert!(!delivery.retry(255));
    }
}
