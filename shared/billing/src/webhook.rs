//! Webhooks: whether Stripe sent them, and what they are about
//! (<https://docs.stripe.com/webhooks/signature>).

use std::fmt;

use headcount_model::id::OrganizationId;
use headcount_model::idempotency::{hex, unhex};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::stripe::ORGANIZATION;

/// How far a signature's time may lie from now, before or after: an older one may be a
/// recording.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The bytes of an HMAC-SHA256.
type Code = [u8; 32];

/// The secrets that webhooks may be signed with, `whsec_…`: one, or several while a secret is
/// being replaced.
#[derive(Debug, Clone)]
pub struct SigningSecrets(Vec<SecretString>);

/// A text that does not hold signing secrets. The text itself is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSigningSecrets;

impl fmt::Display for NoSigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it must be a JSON array or a comma-separated list of texts whsec_…")
    }
}

impl std::error::Error for NoSigningSecrets {}

/// Why a request is not taken for one of Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSignature {
    /// There is no header.
    Missing,
    /// The header is not `t=…,v1=…` with one time in Unix seconds.
    Malformed,
    /// No signature in it is one of this body and time with one of our secrets.
    Wrong,
    /// It is right, and its time more than 5 minutes away.
    OutOfTime,
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadSignature::Missing => "There is no Stripe-Signature header.",
            BadSignature::Malformed => {
                "The Stripe-Signature header must have the form t=<Unix seconds>,v1=<signature>."
            }
            BadSignature::Wrong => "No signature in the Stripe-Signature header is right.",
            BadSignature::OutOfTime => "The time of the signature is more than 5 minutes from now.",
        })
    }
}

impl std::error::Error for BadSignature {}

impl SigningSecrets {
    /// Reads a JSON array of texts, or texts with commas between them.
    ///
    /// # Errors
    /// [`NoSigningSecrets`] when there is none or one does not begin with `whsec_`.
    pub fn parse(text: &str) -> Result<Self, NoSigningSecrets> {
        let secrets: Vec<String> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(|_| NoSigningSecrets)?
        } else {
            text.split(',').map(|secret| secret.trim().to_owned()).collect()
        };
        let is_secret = |text: &String| {
            text.strip_prefix("whsec_")
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
        };
        if secrets.is_empty() || !secrets.iter().all(is_secret) {
            return Err(NoSigningSecrets);
        }
        Ok(Self(secrets.into_iter().map(SecretString::from).collect()))
    }

    /// The value of a `Stripe-Signature` header for `body`, to the byte, at a time: what
    /// [`SigningSecrets::verify`] accepts. With several secrets it has a signature of each, as
    /// Stripe's has while one is being replaced.
    pub fn sign(&self, body: &[u8], at: Timestamp) -> String {
        let timestamp = at.as_second().to_string();
        let signatures = self.0.iter().map(|secret| hex(&code(secret, &timestamp, body)));
        signatures.fold(format!("t={timestamp}"), |header, code| format!("{header},v1={code}"))
    }

    /// Whether Stripe signed `body`, to the byte as it came, within 5 minutes of `now`.
    /// `header` is the value of `Stripe-Signature`.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        header: Option<&[u8]>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), BadSignature> {
        let header = Header::parse(header.ok_or(BadSignature::Missing)?)?;
        // Every secret is tried with every signature, whatever the outcome of those before.
        let mut right = Choice::from(0);
        for secret in &self.0 {
            let code = code(secret, header.timestamp, body);
            for signature in &header.signatures {
                right |= code.ct_eq(signature);
            }
        }
        if !bool::from(right) {
            return Err(BadSignature::Wrong);
        }
        if header.time()?.duration_until(now).abs() > TOLERANCE {
            return Err(BadSignature::OutOfTime);
        }
        Ok(())
    }
}

/// The code that Stripe signs with: of the time as it is written, a full stop, and the body.
fn code(secret: &SecretString, timestamp: &str, body: &[u8]) -> Code {
    // HMAC takes keys of any length. Were there no code, the one in its place is of nothing that
    // Stripe signs, so that nothing is accepted by it.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return Code::default();
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

/// The header, read: `t=…,v1=…`, in any order, v1 any number of times.
#[derive(Debug, PartialEq, Eq)]
struct Header<'h> {
    /// Decimal digits.
    timestamp: &'h str,
    /// The signatures of scheme v1. Those of other schemes are none of ours.
    signatures: Vec<Code>,
}

impl<'h> Header<'h> {
    fn parse(header: &'h [u8]) -> Result<Self, BadSignature> {
        let header = std::str::from_utf8(header).map_err(|_| BadSignature::Malformed)?;
        let (mut timestamp, mut signatures) = (None, Vec::new());
        for element in header.split(',') {
            let (scheme, value) = element.trim().split_once('=').ok_or(BadSignature::Malformed)?;
            match scheme {
                // With two times it would be open which one is meant.
                "t" if timestamp.is_some() || !is_time(value) => {
                    return Err(BadSignature::Malformed);
                }
                "t" => timestamp = Some(value),
                "v1" => {
                    // The case of the digits says nothing.
                    let code: Option<Code> = unhex(&value.to_ascii_lowercase());
                    signatures.extend(code);
                }
                _ => {}
            }
        }
        Ok(Self { timestamp: timestamp.ok_or(BadSignature::Malformed)?, signatures })
    }

    fn time(&self) -> Result<Timestamp, BadSignature> {
        let seconds = self.timestamp.parse().map_err(|_| BadSignature::Malformed)?;
        Timestamp::from_second(seconds).map_err(|_| BadSignature::Malformed)
    }
}

/// Digits, no more than a time before the year 5000 has.
fn is_time(text: &str) -> bool {
    (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What Stripe tells, as far as anything follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `evt_…`, for the log.
    pub id: String,
    /// `customer.subscription.updated` and the like, for the log.
    pub kind: String,
    /// The subscription that it is about; `None` for events about anything else.
    pub subscription: Option<Notice>,
}

/// Something happened to a subscription. What that was, and what the subscription is like now,
/// is not taken from the event: it may come late, twice and out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `sub_…`, safe in the path of a URL.
    pub subscription: String,
    /// Where to look for its billing record, as its metadata says; that record must name the
    /// subscription.
    pub organization: Option<OrganizationId>,
}

/// A body that is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnEvent;

impl fmt::Display for NotAnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The body is not an event of Stripe's API.")
    }
}

impl std::error::Error for NotAnEvent {}

/// An event (<https://docs.stripe.com/api/events/object>), or a thin one, which names its object and
/// shows nothing of it (<https://docs.stripe.com/event-destinations#thin-events>). The fields that
/// other kinds of event have otherwise, or lack, are optional.
#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default)]
    related_object: serde_json::Value,
}

/// Reads an event of any kind.
///
/// # Errors
/// [`NotAnEvent`], also for an event about a subscription that it does not name.
pub fn read(body: &[u8]) -> Result<Event, NotAnEvent> {
    event(serde_json::from_slice(body).map_err(|_| NotAnEvent)?)
}

/// Reads an event that came as a part of something else.
///
/// # Errors
/// As [`read`].
pub fn read_value(value: serde_json::Value) -> Result<Event, NotAnEvent> {
    event(serde_json::from_value(value).map_err(|_| NotAnEvent)?)
}

fn event(wire: Wire) -> Result<Event, NotAnEvent> {
    let object = if wire.kind.starts_with("customer.subscription.") {
        Some(&wire.data["object"])
    } else if wire.kind.starts_with("v1.customer.subscription.") {
        Some(&wire.related_object)
    } else {
        None
    };
    let subscription = object.map(|object| notice(object).ok_or(NotAnEvent)).transpose()?;
    Ok(Event { id: wire.id, kind: wire.kind, subscription })
}

fn notice(object: &serde_json::Value) -> Option<Notice> {
    let id = object["id"].as_str().filter(|id| is_subscription_id(id))?;
    let organization = object["metadata"][ORGANIZATION].as_str();
    Some(Notice {
        subscription: id.to_owned(),
        organization: organization.and_then(|id| OrganizationId::parse(id).ok()),
    })
}

fn is_subscription_id(id: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    id.strip_prefix("sub_").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_of_word))
}

#[cfg(test)]
mod tests;
