//! Fuzz targets: everything that comes from outside, from bytes to whole requests.
//!
//! A target is a function over bytes that panics when something does not hold. libFuzzer looks for
//! bytes that make it panic, hang or grow (`make fuzz`); what it found worth keeping lies in
//! `corpus/`, and the tests send that and random bytes through the same functions.

mod endpoints;
mod events;
mod ports;
mod request;
mod stripe;
mod texts;

/// What is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, that of its corpus too.
    pub name: &'static str,
    /// Takes any bytes; panics when something does not hold.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 46] = [
    target("create-seats", endpoints::create_seats),
    target("quote-seats", endpoints::quote_seats),
    target("update-seats", endpoints::update_seats),
    target("deactivate-seats", endpoints::deactivate_seats),
    target("list-seats", endpoints::list_seats),
    target("get-organization", endpoints::get_organization),
    target("list-api-keys", endpoints::list_api_keys),
    target("create-api-key", endpoints::create_api_key),
    target("update-api-key", endpoints::update_api_key),
    target("delete-api-key", endpoints::delete_api_key),
    target("open-billing-portal", endpoints::open_billing_portal),
    target("cancel-billing", endpoints::cancel_billing),
    target("resume-billing", endpoints::resume_billing),
    target("get-billing", endpoints::get_billing),
    target("get-billing-history", endpoints::get_billing_history),
    target("create-agency-account", endpoints::create_agency_account),
    target("check-token", endpoints::check_token),
    target("get-agency-account", endpoints::get_agency_account),
    target("list-agency-accounts", endpoints::list_agency_accounts),
    target("list-accounts-of-agency", endpoints::list_accounts_of_agency),
    target("update-agency-account", endpoints::update_agency_account),
    target("delete-agency-account", endpoints::delete_agency_account),
    target("check-deletion", endpoints::check_deletion),
    target("create-account", endpoints::create_account),
    target("open-session", endpoints::open_session),
    target("refresh-session", endpoints::refresh_session),
    target("end-session", endpoints::end_session),
    target("list-sessions", endpoints::list_sessions),
    target("list-accounts", endpoints::list_accounts),
    target("get-own-account", endpoints::get_own_account),
    target("get-account", endpoints::get_account),
    target("update-own-account", endpoints::update_own_account),
    target("update-account", endpoints::update_account),
    target("delete-own-account", endpoints::delete_own_account),
    target("delete-account", endpoints::delete_account),
    target("stripe-webhook", endpoints::stripe_webhook),
    target("gateway-event", events::gateway),
    target("billing-message", events::billing_messages),
    target("stream-record", events::stream_records),
    target("stripe-answer", stripe::answers),
    target("signature", texts::signature),
    target("credential", texts::credential),
    target("idempotency-key", texts::idempotency_key),
    target("email", texts::email),
    target("web-url", texts::web_url),
    target("text", texts::text),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

impl Target {
    /// The target that is called `name`.
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }
}
