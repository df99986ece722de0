//! Whole requests, from the gateway's event to its answer.

use std::sync::atomic::AtomicU32;

use headcount_api::{Endpoint, GatewayEvent, answer};
use headcount_billing::rotation::SignatureCheck;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{PasswordPolicy, Retention};
use headcount_model::policy::BillingPolicy;
use headcount_model::port::Clock;
use headcount_model::seats::Platforms;
use headcount_model::tiers::{TierEntry, Tiers};
use hmac::{Hmac, KeyInit, Mac};
use lambda_http::Context;
use lambda_http::lambda_runtime::LambdaEvent;
use serde_json::Value;
use sha2::Sha256;

use crate::ports::{Draws, Ending, Right, SIGNING_SECRET, Still, Table, Willing, block_on};
use crate::request::{Found, Sent};

/// The largest answer that Lambda passes on.
const MAX_ANSWER: usize = 6 * 1024 * 1024;
/// One sign-up in so many may hash its password, which takes longer than everything else.
const HASHED: u32 = 256;

/// The function behind the target `create-seats`.
pub(crate) fn seats(found: Found) -> create_seats::Function<Table, Still> {
    create_seats::Function {
        store: Table(found),
        ports: Still,
        platforms: platforms(),
        tiers: tiers(),
        policy: BillingPolicy::default(),
        fingerprint_key: fingerprint_key(),
    }
}

pub(crate) fn create_seats(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&seats(sent.found()), &sent);
}

pub(crate) fn quote_seats(input: &[u8]) {
    let sent = Sent::read(input);
    let function = quote_seats::Function {
        store: Table(sent.found()),
        stripe: Willing,
        ports: Still,
        platforms: platforms(),
        tiers: tiers(),
        policy: BillingPolicy::default(),
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn update_seats(input: &[u8]) {
    let sent = Sent::read(input);
    let function = update_seats::Function {
        store: Table(sent.found()),
        ports: Still,
        platforms: platforms(),
        tiers: tiers(),
        policy: BillingPolicy::default(),
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn deactivate_seats(input: &[u8]) {
    let sent = Sent::read(input);
    let function = deactivate_seats::Function {
        store: Table(sent.found()),
        ports: Still,
        tiers: tiers(),
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn list_seats(input: &[u8]) {
    let sent = Sent::read(input);
    let function = list_seats::Function {
        store: Table(sent.found()),
        ports: Still,
        platforms: platforms(),
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn get_organization(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&get_organization::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn list_api_keys(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&list_api_keys::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn create_api_key(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = create_api_key::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn update_api_key(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = update_api_key::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn delete_api_key(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = delete_api_key::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn open_billing_portal(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, stripe) = (Table(sent.found()), Willing);
    answered(&open_billing_portal::Function { store, stripe, ports: Still }, &sent);
}

pub(crate) fn cancel_billing(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let stripe = Ending::default();
    let function = cancel_billing::Function { store, stripe, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn resume_billing(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let stripe = Ending::default();
    let function = resume_billing::Function { store, stripe, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn get_billing(input: &[u8]) {
    let sent = Sent::read(input);
    answered(
        &get_billing::Function {
            store: Table(sent.found()),
            ports: Still,
            policy: BillingPolicy::default(),
        },
        &sent,
    );
}

pub(crate) fn get_billing_history(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = get_billing_history::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn create_agency_account(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = create_agency_account::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn check_token(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&check_token::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn get_agency_account(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&get_agency_account::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn list_agency_accounts(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&list_agency_accounts::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn list_accounts_of_agency(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, ports) = (Table(sent.found()), Still);
    answered(&list_accounts_of_agency::Function { store, ports }, &sent);
}

pub(crate) fn update_agency_account(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = update_agency_account::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn open_session(input: &[u8]) {
    let sent = Sent::read(input);
    let function = open_session::Function {
        store: Table(sent.found()),
        ports: Still,
        hashing: Right,
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn refresh_session(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&refresh_session::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn end_session(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&end_session::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn list_accounts(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    answered(&list_accounts::Function { store, ports: Still, fingerprint_key }, &sent);
}

pub(crate) fn list_sessions(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    answered(&list_sessions::Function { store, ports: Still, fingerprint_key }, &sent);
}

pub(crate) fn get_own_account(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&get_own_account::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn get_account(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&get_account::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn delete_agency_account(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, fingerprint_key) = (Table(sent.found()), fingerprint_key());
    let function = delete_agency_account::Function { store, ports: Still, fingerprint_key };
    answered(&function, &sent);
}

pub(crate) fn check_deletion(input: &[u8]) {
    let sent = Sent::read(input);
    answered(&check_deletion::Function { store: Table(sent.found()), ports: Still }, &sent);
}

pub(crate) fn update_own_account(input: &[u8]) {
    let sent = Sent::read(input);
    let function = update_own_account::Function {
        store: Table(sent.found()),
        ports: Still,
        hashing: Right,
        password_policy: PasswordPolicy::default(),
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn update_account(input: &[u8]) {
    let sent = Sent::read(input);
    let function = update_account::Function {
        store: Table(sent.found()),
        ports: Still,
        hashing: Right,
        password_policy: PasswordPolicy::default(),
        fingerprint_key: fingerprint_key(),
    };
    answered(&function, &sent);
}

pub(crate) fn delete_own_account(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, retention) = (Table(sent.found()), Retention::new(30).expect("few days"));
    answered(&delete_own_account::Function { store, ports: Still, retention }, &sent);
}

pub(crate) fn delete_account(input: &[u8]) {
    let sent = Sent::read(input);
    let (store, retention) = (Table(sent.found()), Retention::new(30).expect("few days"));
    answered(&delete_account::Function { store, ports: Still, retention }, &sent);
}

/// Most inputs that would create an account are given no salt, and end there: a hash takes as long
/// as a thousand inputs.
pub(crate) fn create_account(input: &[u8]) {
    let sent = Sent::read(input);
    let hashes = checksum(input).is_multiple_of(HASHED);
    let function = create_account::Function {
        store: Table(sent.found()),
        ports: Draws(AtomicU32::new(if hashes { u32::MAX } else { 1 })),
        password_policy: PasswordPolicy::default(),
        hashing: create_account::OwnThread,
        self_signup: true,
        fingerprint_key: fingerprint_key(),
    };
    let status = answer_to(&function, sent.event());
    let had_no_salt = status == 503 && !hashes;
    assert!(status < 500 || had_no_salt, "{status}");
}

/// Without a signature of its own a webhook is signed well.
pub(crate) fn stripe_webhook(input: &[u8]) {
    let mut sent = Sent::read(input);
    if !sent.has_header("stripe-signature") {
        let now = Still.now().as_second();
        let signature = sign(now, &sent.body);
        sent.add_header("stripe-signature", format!("t={now},v1={signature}"));
    }
    let function = stripe_webhook::Function {
        ledger: Table(sent.found()),
        stripe: Willing,
        signatures: SignatureCheck::new(Willing),
        ports: Still,
    };
    answered(&function, &sent);
}

fn answered(endpoint: &impl Endpoint, sent: &Sent) {
    let status = answer_to(endpoint, sent.event());
    assert!(status < 500, "{status}");
}

/// The status of the answer to an event that is a gateway's, and what holds for every answer.
fn answer_to(endpoint: &impl Endpoint, event: Value) -> u64 {
    let event: GatewayEvent = serde_json::from_value(event).expect("an event of a gateway");
    status(endpoint, event)
}

/// The status of the answer to an event, and what holds for every answer.
pub(crate) fn status(endpoint: &impl Endpoint, event: GatewayEvent) -> u64 {
    let mut context = Context::default();
    context.request_id = "fuzz".to_owned();
    let response = block_on(answer(endpoint, LambdaEvent::new(event, context)));
    let response = serde_json::to_value(response).expect("a response serializes");
    let body = response["body"].as_str().expect("every answer has a body");
    if response["statusCode"] == 304 {
        assert_eq!(body, "");
        return 304;
    }
    assert!(body.len() <= MAX_ANSWER, "{} bytes", body.len());
    let body: Value = serde_json::from_str(body).expect("every answer is JSON");
    assert!(body.is_object(), "{body}");
    response["statusCode"].as_u64().expect("a status")
}

/// The code that Stripe signs with.
pub(crate) fn sign(time: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).expect("any length");
    mac.update(time.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// FNV-1a: the same input always takes the same way.
fn checksum(input: &[u8]) -> u32 {
    input.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn platforms() -> Platforms {
    Platforms::from_list("tiktok,instagram")
}

fn fingerprint_key() -> FingerprintKey {
    FingerprintKey::new(&[7; 32]).expect("long enough")
}

/// The tiers as the template has them.
pub(crate) fn tiers() -> Tiers {
    let entry = |name: &str, unit_amount, device_type: &str| TierEntry {
        name: name.to_owned(),
        price: Some(format!("price_{name}")),
        unit_amount,
        device_type: device_type.to_owned(),
    };
    let entries = vec![entry("basic", 4_000, "shared"), entry("premium", 10_000, "dedicated")];
    Tiers::try_from(entries).expect("valid tiers")
}
