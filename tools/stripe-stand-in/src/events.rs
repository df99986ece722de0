//! Events: kept, listed, and handed to the webhook endpoints. Source:
//! <https://docs.stripe.com/api/events> and
//! <https://docs.stripe.com/billing/subscriptions/webhooks>.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, Origin},
    errors::{Answer, ApiError},
    params::Fields,
    state::State,
    stripe::API_VERSION,
    table::{Page, Row},
    webhooks::Delivery,
};

/// What happens to a subscription; the stand-in makes no other events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionEvent {
    Created,
    Updated,
    Deleted,
    Paused,
    Resumed,
}

impl SubscriptionEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "customer.subscription.created",
            Self::Updated => "customer.subscription.updated",
            Self::Deleted => "customer.subscription.deleted",
            Self::Paused => "customer.subscription.paused",
            Self::Resumed => "customer.subscription.resumed",
        }
    }
}

/// One event with the object as it was then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    created: i64,
    kind: String,
    /// The event as JSON, as it is delivered.
    pub(crate) payload: String,
}

impl Row for Event {
    const OBJECT: &'static str = "event";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// Records an event and queues a delivery for every endpoint that wants it.
pub(crate) fn record(
    state: &mut State,
    now: i64,
    origin: &Origin,
    kind: SubscriptionEvent,
    object: Value,
    previous: Option<Value>,
) {
    let kind = kind.as_str();
    let id = state.ids.next("evt_");
    let listening: Vec<String> = state
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.wants(kind))
        .map(|endpoint| endpoint.id().to_owned())
        .collect();
    let mut data = Map::from_iter([("object".to_owned(), object)]);
    if let Some(previous) = previous {
        data.insert("previous_attributes".into(), previous);
    }
    let mut body = json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "livemode": false,
        "pending_webhooks": listening.len(),
        "request": { "id": origin.request_id, "idempotency_key": origin.idempotency_key },
        "type": kind,
    });
    // Put in afterwards, because `json!` copies what it is given.
    body["data"] = data.into();
    for endpoint in listening {
        state.deliveries.push(Delivery::new(endpoint, id.clone(), now));
    }
    state.add_event(Event { id, created: now, kind: kind.to_owned(), payload: body.to_string() });
}

fn view(state: &State, event: &Event) -> Value {
    // What was written as JSON reads as JSON.
    let mut body: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    let pending = state.deliveries.iter().filter(|delivery| delivery.is_of(&event.id)).count();
    body["pending_webhooks"] = pending.into();
    body
}

/// `GET /v1/events`
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let mut kinds = fields.texts("types")?;
    kinds.extend(fields.text("type")?);
    fields.finish()?;
    let state = &*call.state;
    let rows = state.events.iter().rev();
    let rows = rows.filter(|event| kinds.is_empty() || kinds.contains(&event.kind));
    page.list("/v1/events", rows, |event| view(state, event))
}

/// `GET /v1/events/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    let event = call.state.events.iter().find(|event| event.id == id);
    let event = event.ok_or_else(|| ApiError::no_such("event", id))?;
    Ok(view(call.state, event))
}
