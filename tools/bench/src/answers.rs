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
/// An organization that is not billed.
const FREE: &str = "org_01kgjb9z8rd3m0free00000000";
/// The one whose seat the events change.
const SPENT: &str = "org_01kgjb9z8rd3m0spendcap0000";
/// Accounts of the agency: one that others are created below, one without, and one that is deleted.
const PARENT: &str = "LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d190";
const PLAIN: &str = "LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d191";
const SPARE: &str = "LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d194";
/// The account of the events, and the one that they close.
const OWNER: &str = "acct_01kgjb9z8rd3m00wner0000000";
const CLOSED: &str = "acct_01kgjb9z8rd3m0c10sed000000";
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
            let items: Vec<Value> = named(&body).map(|item| item()).collect();
            json!({"Responses": {TABLE: items}, "UnprocessedKeys": {}})
        }
        // The agency lies just behind its accounts; of the other lists nothing is there.
        "Query" if body.contains(":agency") => {
            let items = [parent(), account_of_agency(PLAIN, "Plain", false), agency()];
            json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()})
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

/// What of a key tells an item from all others, and the item.
const ITEMS: [(&str, fn() -> Value); 20] = [
    ("CREDENTIAL#01kgjb9z8rd3m0seats0000000", organization_credential),
    ("CREDENTIAL#01kgjb9z8rd3m0freekey00000", free_credential),
    ("CREDENTIAL#01kgjb9z8rd3m0spendcapkey0", spent_credential),
    ("CREDENTIAL#01kgjb9z8rd3m0seatsn0ne000", || key_of("01kgjb9z8rd3m0seatsn0ne000")),
    ("CREDENTIAL#01kgjb9z8rd3m0seatsg0ne000", || key_of("01kgjb9z8rd3m0seatsg0ne000")),
    ("CREDENTIAL#01kgjb9z8rd3m0adm1n0000000", administrator_credential),
    ("CREDENTIAL#01kgjb9z8rd3m0agency000000", agency_credential),
    ("SESSION#01kgjb9z8rd3m00wnersess000", || session("01kgjb9z8rd3m00wnersess000", "acc0", OWNER)),
    ("SESSION#01kgjb9z8rd3m0c10sedsess00", || {
        session("01kgjb9z8rd3m0c10sedsess00", "c105", CLOSED)
    }),
    ("ACCOUNT#acct_01kgjb9z8rd3m00wner0000000", || account(OWNER, "demo.owner")),
    ("ACCOUNT#acct_01kgjb9z8rd3m0c10sed000000", || account(CLOSED, "demo.closed")),
    ("APIKEY#01kgjb9z8rd3m0seatsn0ne000", || listed_key("01kgjb9z8rd3m0seatsn0ne000")),
    ("APIKEY#01kgjb9z8rd3m0seatsg0ne000", || listed_key("01kgjb9z8rd3m0seatsg0ne000")),
    ("SEAT#acc_01kgjb9z8rd3m0backseat0000", || {
        seat(ORGANIZATION, "acc_01kgjb9z8rd3m0backseat0000")
    }),
    ("SEAT#acc_01kgjb9z8rd3m0spendseat000", || seat(SPENT, "acc_01kgjb9z8rd3m0spendseat000")),
    ("ACCOUNT#LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d190", parent),
    ("ACCOUNT#LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d191", || {
        account_of_agency(PLAIN, "Plain", false)
    }),
    ("ACCOUNT#LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d194", || {
        account_of_agency(SPARE, "Spare", false)
    }),
    ("\"AGENCY\"", agency),
    ("\"ORG\"", organization),
];

/// The items whose keys are in a request.
fn named(body: &str) -> impl Iterator<Item = fn() -> Value> {
    let billing: (&str, fn() -> Value) = ("\"BILLING\"", || billing(ORGANIZATION));
    let all = ITEMS.into_iter().chain([billing]);
    all.filter(move |(key, _)| body.contains(key)).map(|(_, item)| item)
}

/// The item whose key is in a request.
fn item_in(body: &str) -> Option<Value> {
    named(body).next().map(|item| item())
}

/// Every item that the events name.
#[cfg(feature = "growth")]
pub(crate) fn items() -> Vec<Value> {
    let credentials = [organization_credential(), administrator_credential(), agency_credential()];
    credentials.into_iter().chain([agency(), parent(), billing(ORGANIZATION)]).collect()
}

fn organization_credential() -> Value {
    let holder = json!({"M": {"kind": s("organization"), "organization": s(ORGANIZATION)}});
    let permissions = ["accounts:create", "accounts:read", "accounts:deactivate", "keys:manage"];
    credential("01kgjb9z8rd3m0seats0000000", &"5ea7".repeat(16), holder, &permissions)
}

fn free_credential() -> Value {
    let holder = json!({"M": {"kind": s("organization"), "organization": s(FREE)}});
    credential("01kgjb9z8rd3m0freekey00000", &"f4ee".repeat(16), holder, &["keys:manage"])
}

fn spent_credential() -> Value {
    let holder = json!({"M": {"kind": s("organization"), "organization": s(SPENT)}});
    credential("01kgjb9z8rd3m0spendcapkey0", &"ca5b".repeat(16), holder, &["accounts:update"])
}

/// A key of the organization that nobody calls with.
fn key_of(id: &str) -> Value {
    seats_credential(id, &"0".repeat(64), ORGANIZATION)
}

/// The same as it stands in the list of the organization's keys.
fn listed_key(id: &str) -> Value {
    json!({
        "pk": s(&format!("ORG#{ORGANIZATION}")), "sk": s(&format!("APIKEY#{id}")), "id": s(id),
        "organization": s(ORGANIZATION), "name": s("Reports"), "permissions": {"L": [s("accounts:create")]},
        "created_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

fn organization() -> Value {
    json!({
        "pk": s(&format!("ORG#{ORGANIZATION}")), "sk": s("ORG"), "id": s(ORGANIZATION), "name": s("Demo Studio"),
        "created_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

fn seat(organization: &str, id: &str) -> Value {
    json!({
        "pk": s(&format!("ORG#{organization}")), "sk": s(&format!("SEAT#{id}")), "id": s(id),
        "organization": s(organization), "tier": s("basic"), "status": s("uninitialized"),
        "device_type": s("shared"), "created_at": s("2026-02-03T18:12:47.000000Z"),
        "updated_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

/// An open session; the secret of its access token is `quarter` sixteen times.
fn session(id: &str, quarter: &str, account: &str) -> Value {
    json!({
        "pk": s(&format!("SESSION#{id}")), "sk": s("SESSION"), "id": s(&format!("sess_{id}")), "account": s(account),
        "access_hash": s(&hash(&quarter.repeat(16))), "refresh_hash": s(&hash("nobody's")), "epoch": n(0),
        "access_until": s("2099-01-01T00:00:00.000000Z"), "refresh_until": s("2099-01-01T00:00:00.000000Z"),
        "created_at": s("2026-02-03T18:12:47.000000Z"), "expires_at": n(4_070_908_800),
    })
}

/// An identity account that nobody has the password of.
fn account(id: &str, local_part: &str) -> Value {
    let email = format!("{local_part}@example.com");
    json!({
        "pk": s(&format!("ACCOUNT#{id}")), "sk": s("ACCOUNT"), "id": s(id), "email": s(&email), "email_ascii": s(&email),
        "name": s("Demo Owner"), "type": s("business"), "status": s("active"),
        "password_hash": s("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        "currency": s("USD"), "timezone": s("UTC"), "language": s("en"),
        "created_at": s("2026-02-03T18:12:47.000000Z"), "updated_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

fn administrator_credential() -> Value {
    let holder = json!({"M": {"kind": s("administrator")}});
    credential(
        "01kgjb9z8rd3m0adm1n0000000",
        &"ad31".repeat(16),
        holder,
        &["accounts:create", "accounts:read", "accounts:update", "accounts:delete"],
    )
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
    credential(id, secret, holder, &["accounts:create"])
}

/// SHA-256 as lower-case hexadecimal.
fn hash(secret: &str) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(secret) {
        // Text takes whatever is written to it.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

fn credential(id: &str, secret: &str, holder: Value, permissions: &[&str]) -> Value {
    let permissions: Vec<Value> = permissions.iter().map(|permission| s(permission)).collect();
    json!({
        "pk": s(&format!("CREDENTIAL#{id}")), "sk": s("CREDENTIAL"), "id": s(id),
        "secret_hash": s(&hash(secret)), "holder": holder, "permissions": {"L": permissions},
        "revoked": {"BOOL": false}, "created_at": s("2026-02-03T18:12:47.000000Z"),
    })
}

fn agency_credential() -> Value {
    let holder = json!({"M": {"kind": s("app"), "app": s(APP), "agency": s(AGENCY)}});
    let permissions = [
        "agency.createAccounts",
        "agency.viewAccounts",
        "account.view",
        "account.update",
        "account.delete",
    ];
    credential("01kgjb9z8rd3m0agency000000", &"a9e0".repeat(16), holder, &permissions)
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

/// An account, older than any that is created now.
#[cfg(feature = "growth")]
pub(crate) fn account_number(number: u64) -> Value {
    let id = format!("acct_{number:026}");
    let mut account = account(&id, &format!("owner{number}"));
    account["listed_as"] = s(&format!("2026-02-03T18:12:47.000000Z#{id}"));
    account
}

/// A seat of the organization, older than any that is created now.
#[cfg(feature = "growth")]
pub(crate) fn seat_number(number: u64) -> Value {
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
fn parent() -> Value {
    account_of_agency(PARENT, "Parent", true)
}

fn account_of_agency(lcuid: &str, name: &str, is_parent: bool) -> Value {
    json!({
        "pk": s(&format!("AGENCY#{AGENCY}")), "sk": s(&format!("ACCOUNT#{lcuid}")), "lcuid": s(lcuid),
        "agency": s(AGENCY), "name": s(name), "slug": s(name), "is_parent_account": {"BOOL": is_parent},
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_found_by_its_own_key_alone() {
        for (_, item) in ITEMS {
            let item = item();
            let key = json!({"Key": {"pk": item["pk"], "sk": item["sk"]}}).to_string();
            assert_eq!(of_aws("GetItem", key.as_bytes())["Item"], item);
            let items = of_aws("BatchGetItem", key.as_bytes());
            assert_eq!(items["Responses"][TABLE], json!([item]), "{key}");
        }
        assert_eq!(
            of_aws("GetItem", br#"{"Key":{"pk":{"S":"SLUG#x"},"sk":{"S":"SLUG"}}}"#),
            json!({})
        );
    }
}
