//! What AWS and Stripe answer here: at once, and always the same.
//!
//! The items are those of the tenants that `tests/events` name.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The organization of the events.
const ORGANIZATION: &str = "org_01kgjb9z8rd3m0acme00000000";
/// The agency of the events.
const AGENCY: &str = "LCUID-LY-506fc585-77be-11ec-acb9-c2cdb617d190";
/// The app of the events.
const APP: &str = "LCUID-LAP-0d3e0000-0000-4000-8000-000000000001";
/// The table.
pub(crate) const TABLE: &str = "headcount";
/// The secret of the stack.
pub(crate) const FINGERPRINT_KEY: &str =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// With which Stripe signs webhooks.
pub(crate) const SIGNING_SECRET: &str = "whsec_bench";

/// The answer to a call of AWS; `operation` is the last part of `x-amz-target`.
pub(crate) fn of_aws(operation: &str, body: &[u8]) -> Value {
    let body = String::from_utf8_lossy(body);
    match operation {
        "GetItem" => item_in(&body).map_or_else(|| json!({}), |item| json!({"Item": item})),
        "BatchGetItem" => {
            let items = [agency_credential(), agency()];
            json!({"Responses": {TABLE: items}, "UnprocessedKeys": {}})
        }
        "Query" => json!({"Items": [], "Count": 0, "ScannedCount": 0}),
        "GetSecretValue" => {
            let secret = match &*body {
                body if body.contains("webhook") => SIGNING_SECRET,
                body if body.contains("fingerprint") => FINGERPRINT_KEY,
                _ => "sk_test_bench",
            };
            json!({"ARN": "arn", "Name": "secret", "VersionId": "1", "SecretString": secret})
        }
        "SendMessageBatch" => {
            let each = |entry: &Value| json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": ""});
            json!({"Successful": entries(&body, each), "Failed": []})
        }
        "PutEvents" => {
            json!({"FailedEntryCount": 0, "Entries": entries(&body, |_| json!({"EventId": "1"}))})
        }
        // A write that went well says nothing.
        _ => json!({}),
    }
}

/// Id and secret of the credential of the organization number `index`.
pub(crate) fn anybody(index: u64) -> (String, String) {
    (format!("01kgjb9z8rd3m0{index:012}"), format!("{index:064}"))
}

/// The answer of a table that has a credential for [`anybody`].
pub(crate) fn of_everybody(operation: &str, body: &[u8]) -> Value {
    const CREDENTIAL: &str = "CREDENTIAL#01kgjb9z8rd3m0";
    let body = String::from_utf8_lossy(body);
    let index = body
        .split_once(CREDENTIAL)
        .filter(|_| operation == "GetItem")
        .and_then(|(_, rest)| rest.get(..12)?.parse().ok());
    let Some(index) = index else { return json!({}) };
    let (id, secret) = anybody(index);
    json!({"Item": seats_credential(&id, &secret, &format!("org_{id}"))})
}

/// The answer to a call of Stripe.
pub(crate) fn of_stripe(path: &str) -> Value {
    if path.starts_with("/v1/invoices") {
        let line = json!({
            "id": "il_1",
            "amount": 14_000,
            "period": {"start": 1_769_904_000, "end": 1_772_323_200},
            "parent": {"type": "subscription_item_details", "subscription_item_details": {"proration": true}},
        });
        return json!({"object": "invoice", "lines": {"object": "list", "data": [line], "has_more": false, "url": "/v1/invoices/upcoming/lines"}});
    }
    let item = |tier: &str| {
        json!({
            "id": format!("si_{tier}"), "object": "subscription_item", "quantity": 1,
            "price": {"id": format!("price_{tier}")},
            "current_period_start": 1_769_904_000, "current_period_end": 4_102_444_800_i64,
        })
    };
    json!({
        "id": "sub_demo", "object": "subscription", "status": "active", "cancel_at_period_end": false,
        "metadata": {"organization": ORGANIZATION},
        "items": {"object": "list", "data": [item("basic"), item("premium")]},
    })
}

/// One answer for each entry of a batch.
fn entries(body: &str, each: impl Fn(&Value) -> Value) -> Vec<Value> {
    let batch: Value = serde_json::from_str(body).unwrap_or_default();
    batch["Entries"].as_array().into_iter().flatten().map(each).collect()
}

/// The item whose key is in a request.
fn item_in(body: &str) -> Option<Value> {
    if body.contains("CREDENTIAL#01kgjb9z8rd3m0seats0000000") {
        Some(organization_credential())
    } else if body.contains("CREDENTIAL#01kgjb9z8rd3m0adm1n0000000") {
        Some(administrator_credential())
    } else if body.contains("CREDENTIAL#01kgjb9z8rd3m0agency000000") {
        Some(agency_credential())
    } else if body.contains("\"BILLING\"") {
        Some(billing(ORGANIZATION))
    } else {
        None
    }
}

/// Every item that the events name.
#[cfg(feature = "growth")]
pub(crate) fn items() -> Vec<Value> {
    let credentials = [organization_credential(), administrator_credential(), agency_credential()];
    credentials.into_iter().chain([agency(), parent(), billing(ORGANIZATION)]).collect()
}

fn organization_credential() -> Value {
    seats_credential("01kgjb9z8rd3m0seats0000000", &"5ea7".repeat(16), ORGANIZATION)
}

fn administrator_credential() -> Value {
    let holder = json!({"M": {"kind": s("administrator")}});
    credential("01kgjb9z8rd3m0adm1n0000000", &"ad31".repeat(16), holder, "accounts:create")
}

fn s(text: &str) -> Value {
    json!({"S": text})
}

fn n(number: i64) -> Value {
    json!({"N": number.to_string()})
}

/// A credential of an organization that may create seats; the secret is 64 characters.
pub(crate) fn seats_credential(id: &str, secret: &str, organization: &str) -> Value {
    let holder = json!({"M": {"kind": s("organization"), "organization": s(organization)}});
    credential(id, secret, holder, "accounts:create")
}

fn credential(id: &str, secret: &str, holder: Value, permission: &str) -> Value {
    let mut hash = String::new();
    for byte in Sha256::digest(secret) {
        // Text takes whatever is written to it.
        let _ = write!(hash, "{byte:02x}");
    }
    json!({
        "pk": s(&format!("CREDENTIAL#{id}")), "sk": s("CREDENTIAL"), "id": s(id),
        "secret_hash": s(&hash), "holder": holder, "permissions": {"L": [s(permission)]},
        "revoked": {"BOOL": false}, "created_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

fn agency_credential() -> Value {
    let holder = json!({"M": {"kind": s("app"), "app": s(APP), "agency": s(AGENCY)}});
    credential("01kgjb9z8rd3m0agency000000", &"a9e0".repeat(16), holder, "agency.createAccounts")
}

fn agency() -> Value {
    json!({
        "pk": s(&format!("AGENCY#{AGENCY}")), "sk": s("AGENCY"), "lcuid": s(AGENCY), "name": s("Blue River"),
        "inventory_item_class": {"L": [s("App\\LuCore\\InventoryItems\\GenericInventoryItemClass")]},
        "account_class": s("App\\LuCore\\Accounts\\InventoryAccountClass"),
        "inventory_item_class_description": s("Generic"), "account_class_description": s("Inventory"),
        "created_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

/// A seat of the organization, older than any that is created now.
#[cfg(feature = "growth")]
pub(crate) fn seat(number: u64) -> Value {
    let id = format!("acc_{number:026}");
    json!({
        "pk": s(&format!("ORG#{ORGANIZATION}")), "sk": s(&format!("SEAT#{id}")), "id": s(&id),
        "organization": s(ORGANIZATION), "tier": s("premium"), "status": s("pending"), "platform": s("tiktok"),
        "username": s(&format!("creator{number}")), "pfp_url": s("https://example.com/avatar.jpg"),
        "keywords": s("fitness,health,workout"), "nick_name": s("New Creator"), "tag": s("influencer"),
        "device_type": s("dedicated"), "created_at": s("2026-02-03T18:12:47.000000Z"),
        "updated_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

/// The account below which the event of the Agency API creates one.
#[cfg(feature = "growth")]
fn parent() -> Value {
    let lcuid = "LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d190";
    json!({
        "pk": s(&format!("AGENCY#{AGENCY}")), "sk": s(&format!("ACCOUNT#{lcuid}")), "lcuid": s(lcuid),
        "agency": s(AGENCY), "name": s("Parent"), "slug": s("Parent"), "is_parent_account": {"BOOL": true},
        "created_at": s("2026-02-03T18:12:47.000000Z"), "updated_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

/// The billing record of an organization with one seat of each tier, of which Stripe has not been
/// told. It has all the fields that one in use has.
pub(crate) fn billing(organization: &str) -> Value {
    json!({
        "pk": s(&format!("ORG#{organization}")), "sk": s("BILLING"), "organization": s(organization),
        "stripe_customer": s("cus_NffrFeUfNV2Hib"), "stripe_subscription": s("sub_demo"),
        "subscription_status": s("active"), "cancel_at_period_end": {"BOOL": false}, "status_version": n(0),
        "current_period_start": n(1_769_904_000), "current_period_end": n(1_772_323_200),
        "seats_basic": n(1), "seats_premium": n(1), "seat_limit": n(10_000_000), "seats_left": n(9_999_998),
        "item_basic": s("si_basic"), "item_premium": s("si_premium"), "version": n(1), "applied_version": n(0),
        "behind_since": s("2026-02-03T18:12:47.000000Z"), "behind_shard": s("0"),
        "updated_at": s("2026-02-03T18:12:47.000000Z"),
    })
}
