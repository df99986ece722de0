//! The control plane under `/_stand-in/`: what a test does to Stripe, not through Stripe's API. It
//! has no credential; the server listens on loopback only.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    faults::Fault,
    messages::{Reply, Request},
    stripe::Stripe,
    subscription::Status,
};

const ROOT: &str = "/_stand-in/";
/// The clock goes no further than 2200-01-01: a jump renews every subscription period by period.
const LATEST: i64 = 7_258_118_400;

/// Whether the control plane answers this path.
pub(crate) fn is_for(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// A refusal: status and reason.
type Refusal = (u16, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    advance_seconds: Option<i64>,
    now: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusChange {
    status: Status,
}

/// Answers one control call.
pub(crate) fn handle(stripe: &mut Stripe, request: &Request, now: i64) -> Reply {
    let path = request.path.strip_prefix(ROOT).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let outcome = match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["state"]) => Ok(dump(stripe)),
        ("GET", ["requests"]) => Ok(json!({ "requests": stripe.log })),
        ("GET", ["faults"]) => Ok(faults(stripe)),
        ("POST", ["faults"]) => add_fault(stripe, &request.body),
        ("DELETE", ["faults"]) => {
            stripe.clear_faults();
            Ok(faults(stripe))
        }
        ("GET", ["clock"]) => Ok(json!({ "now": stripe.advance(now) })),
        ("POST", ["clock"]) => set_clock(stripe, &request.body, now),
        ("POST", ["subscriptions", id, "status"]) => set_status(stripe, id, &request.body, now),
        ("POST", ["subscriptions", id, "portal-cancel"]) => {
            let known = stripe.cancel_in_portal(id, now);
            subscription(stripe, id, known)
        }
        ("POST", ["subscriptions", id, "schedule"]) => {
            let known = stripe.attach_schedule(id, now);
            subscription(stripe, id, known)
        }
        ("POST", ["reset"]) => {
            stripe.reset();
            Ok(json!({ "reset": true }))
        }
        _ => Err((404, format!("no control call {} {}", request.method, request.path))),
    };
    let (status, body) = match outcome {
        Ok(body) => (200, body),
        Err((status, message)) => (status, json!({ "error": { "message": message } })),
    };
    Reply { status, headers: Vec::new(), body, cut: false }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

fn dump(stripe: &Stripe) -> Value {
    json!({ "state": stripe.state, "faults": stripe.faults.rules() })
}

fn faults(stripe: &Stripe) -> Value {
    json!({ "faults": stripe.faults.rules() })
}

fn add_fault(stripe: &mut Stripe, body: &[u8]) -> Result<Value, Refusal> {
    let fault: Fault = parse(body)?;
    stripe.add_fault(fault).map_err(|message| (400, message))?;
    Ok(faults(stripe))
}

fn set_clock(stripe: &mut Stripe, body: &[u8], now: i64) -> Result<Value, Refusal> {
    let change: ClockChange = parse(body)?;
    let current = now.saturating_add(stripe.state.clock_offset);
    let target = match (change.advance_seconds, change.now) {
        (Some(seconds), None) => current.saturating_add(seconds),
        (None, Some(target)) => target,
        _ => return Err((400, "give either advance_seconds or now".to_owned())),
    };
    if !(current..=LATEST).contains(&target) {
        return Err((400, format!("the clock moves forward only, from {current} up to {LATEST}")));
    }
    stripe.state.clock_offset = target - now;
    stripe.state.touch();
    Ok(json!({ "now": stripe.advance(now) }))
}

fn set_status(stripe: &mut Stripe, id: &str, body: &[u8], now: i64) -> Result<Value, Refusal> {
    let StatusChange { status } = parse(body)?;
    let known = stripe.set_status(id, status, now);
    subscription(stripe, id, known)
}

fn subscription(stripe: &Stripe, id: &str, known: bool) -> Result<Value, Refusal> {
    if !known {
        return Err((404, format!("no subscription {id}")));
    }
    let subscription = stripe.state.subscriptions.get(id);
    Ok(subscription.map_or(Value::Null, |subscription| subscription.view(&stripe.state)))
}
