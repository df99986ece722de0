//! A webhook's event, signed as Stripe would sign it now
//! (<https://docs.stripe.com/webhooks#verify-manually>): the sample's own signature is too old.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::answers::SIGNING_SECRET;
use crate::failure::Failure;

/// Replaces the signature in an event of the gateway.
pub(crate) fn renew(event: &mut Value, now: Timestamp) -> Result<(), Failure> {
    let at = now.as_second();
    let body = event["body"].as_str().ok_or_else(|| Failure::new("an event without a body"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes())?;
    mac.update(format!("{at}.{body}").as_bytes());
    let mut signature = format!("t={at},v1=");
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}")?;
    }
    event["headers"]["stripe-signature"] = json!(signature);
    Ok(())
}
