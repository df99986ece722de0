//! Webhooks that are nearly Stripe's.

use headcount_model::port::Clock;
use headcount_tests::Call;
use headcount_tests::billing::SIGNING_SECRET;
use stripe_stand_in::sign_webhook;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

const EVENT: &str = r#"{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1"}}}"#;
const MALFORMED: &str =
    "The Stripe-Signature header must have the form t=<Unix seconds>,v1=<signature>.";
const WRONG: &str = "No signature in the Stripe-Signature header is right.";
const OUT_OF_TIME: &str = "The time of the signature is more than 5 minutes from now.";
const NO_EVENT: &str = "The body is not an event of Stripe's API.";

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let now = t.stage.ports.now().as_second();
    let header = sign_webhook(SIGNING_SECRET, now, EVENT);
    let signature = header.split_once(",v1=").expect("a signature").1.to_owned();
    let sent = |header: &str| Call::text(EVENT).header("stripe-signature", header);
    let bad = |name, header: String, says| refused(name, To::Webhook, sent(&header), 400, says);
    let no_event =
        |name, body: &str| refused(name, To::Webhook, t.webhook_call(body), 400, NO_EVENT);
    vec![
        bad("the signature of another secret", sign_webhook("whsec_other", now, EVENT), WRONG),
        bad("the signature of another body", sign_webhook(SIGNING_SECRET, now, "{}"), WRONG),
        bad("the signature under another scheme", header.replace("v1=", "v0="), WRONG),
        bad("half the signature", header[..header.len() - 32].to_owned(), WRONG),
        bad("the signature in full width", format!("t={now},v1={}", signature.replace('0', "０")), WRONG),
        bad("an old one", sign_webhook(SIGNING_SECRET, now - 301, EVENT), OUT_OF_TIME),
        bad("one of the future", sign_webhook(SIGNING_SECRET, now + 301, EVENT), OUT_OF_TIME),
        bad("another time", format!("t={},v1={signature}", now + 1), WRONG),
        bad("two times", format!("t={now},t={},v1={signature}", now - 9_999), MALFORMED),
        bad("a time with a sign", format!("t=+{now},v1={signature}"), MALFORMED),
        bad("a time in Arabic digits", format!("t=١٧٧٠١٤٢٣٦٧,v1={signature}"), MALFORMED),
        bad("a time without end", format!("t={},v1={signature}", "9".repeat(4_000)), MALFORMED),
        bad("a line break in the header", format!("{header}\r\n"), WRONG),
        bad("a thousand signatures", format!("t={now}{}", format!(",v1={}", "0".repeat(64)).repeat(1_000)), WRONG),
        bad("nothing", String::new(), MALFORMED),
        refused("a body with a space behind", To::Webhook, Call::text(format!("{EVENT} ")).header("stripe-signature", &header), 400, WRONG),
        refused("no signature", To::Webhook, Call::text(EVENT), 400, "There is no Stripe-Signature header."),
        refused("more than 256 KiB", To::Webhook, t.webhook_call(&" ".repeat(262_145)), 413, "The request body is larger than 256 KiB."),
        no_event("signed and no JSON", "{"),
        no_event("signed and a list", "[]"),
        no_event("a subscription that is a path", r#"{"id":"evt_1","type":"customer.subscription.updated","data":{"object":{"id":"sub_../../v1/accounts"}}}"#),
        no_event("a subscription that is nothing", r#"{"id":"evt_1","type":"customer.subscription.updated","data":null}"#),
        accepted("an event of another kind", To::Webhook, sent(&header)),
        accepted("an event of another kind with base64 body", To::Webhook, Call::bytes(EVENT.as_bytes()).header("stripe-signature", &header)),
        accepted("a subscription of an organization that is a key of the table", To::Webhook, t.webhook_call(r#"{"id":"evt_1","type":"customer.subscription.updated","data":{"object":{"id":"sub_1","metadata":{"organization":"ORG#x"}}}}"#)),
    ]
}
