//! `POST /api/v3/accounts`: CONTRACT, the part common to all APIs and section 2.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::agency::{
    Agency, AgencyAccount, AgencyAccounts, AgencySettings, Commit, CommitRefusal,
};
use headcount_model::audit::Entry;
use headcount_model::credential::{
    AgencyDirectory, Credential, Credentials, Holder, LookupFailed, Permission, Presented,
};
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, AppLcuid, AuditId};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::port::Clock;
use headcount_model::text::Text;
use headcount_store::{ProvisionError, Table};
use headcount_tests::{
    AgencyTenant, Call, Item, Ports, Reply, Stage, bad_credentials, text_of, transport,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

const UNAUTHENTICATED: &str = r#"{"message":"Unauthenticated."}"#;
const BAD_PARENT: &str = "The selected parent account lcuid is invalid.";

/// A stage with one agency, and its endpoint.
struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    function: create_agency_account::Function<Table, Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let function = stage.create_agency_account();
        stage.operations.take();
        Self { stage, tenant, function }
    }

    /// Sends a call as it is. What every answer of this API has is checked here.
    async fn send(&self, call: &Call) -> Reply {
        let reply = call.send(&self.function).await;
        assert_eq!(reply.header("x-request-id"), "request-1");
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("location"), "");
        let later = matches!(reply.status, 429 | 503);
        assert_eq!(!reply.header("retry-after").is_empty(), later, "{reply:?}");
        reply
    }

    /// The call with the app and its token.
    fn signed(&self, call: Call) -> Call {
        call.bearer(&self.tenant.token).header("appidv3", &self.tenant.app)
    }

    async fn post(&self, body: &Value) -> Reply {
        self.send(&self.signed(Call::json(body))).await
    }

    /// A body that is accepted, with the fields of `fields` over it.
    fn body(&self, fields: &Value) -> Value {
        let mut body = json!({"name": "Blue River", "agency_lcuid": self.tenant.lcuid});
        for (name, value) in fields.as_object().expect("fields") {
            body[name] = value.clone();
        }
        body
    }

    /// How many accounts and slugs were made, and how many answers are kept.
    async fn made(&self) -> (usize, usize) {
        // Two accounts, `Parent` and `Plain`, belong to the tenant.
        let slugs = self.stage.items_under("SLUG#").await.len() - 2;
        let mut accounts = self.stage.items_under("AGENCY#").await;
        accounts.retain(|item| {
            matches!(item.get("sk"), Some(AttributeValue::S(sk)) if sk.starts_with("ACCOUNT#"))
        });
        assert_eq!(accounts.len() - 2, slugs);
        (slugs, self.stage.items_under("IDEMPOTENCY#").await.len())
    }

    async fn made_nothing(&self) -> bool {
        self.made().await == (0, 0)
    }

    /// Gives an account the flag or takes it, as an operator does.
    async fn set_parent(&self, lcuid: &str, is_parent: bool) -> Result<bool, ProvisionError> {
        let ports = &self.stage.ports;
        let entry = Entry {
            id: AuditId::new(ports, ports).expect("entropy"),
            credential: None,
            route: "headcount agency-account set-parent",
            objects: vec![lcuid],
            fields: &["is_parent_account"],
            at: ports.now(),
            request_id: "",
        };
        let agency = AgencyLcuid::parse(&self.tenant.lcuid).expect("an agency");
        let account = AgencyAccountLcuid::parse(lcuid).expect("an account");
        self.stage.table.set_parent(&agency, &account, is_parent, &entry).await
    }

    /// Sets or clears the flag of the parent account, whatever speaks against it.
    async fn set_parent_flag(&self, value: AttributeValue) {
        let pk = format!("AGENCY#{}", self.tenant.lcuid);
        let sk = format!("ACCOUNT#{}", self.tenant.parent);
        self.stage.set(&pk, &sk, "is_parent_account", value).await;
    }
}

fn text_in(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// The whole answer to a creation, its `lcuid` taken from the reply and checked.
fn created(reply: &Reply, name: &str, slug: &str, website: Value, description: Value) -> Value {
    let lcuid = reply.json()["account"]["lcuid"].clone();
    let uuid = lcuid.as_str().and_then(|l| l.strip_prefix("LCUID-LA-"));
    let groups: Vec<_> = uuid.expect("an account").split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{lcuid}");
    json!({
        "success": true,
        "account": {
            "name": name,
            "options": {
                "primary_image_public_url": null,
                "primary_image_background_removed_public_url": null
            },
            "lcuid": lcuid,
            "slug": slug,
            "website": website,
            "description": description,
            "created_at": "2026-02-03T18:12:47.000000Z",
            "inventory_item_class": [
                "App\\LuCore\\InventoryItems\\GenericInventoryItemClass",
                "App\\LuCore\\InventoryItems\\PhotoStreamInventoryItemClass",
                "App\\LuCore\\InventoryItems\\CreativeInventoryItemClass"
            ],
            "account_class": "App\\LuCore\\Accounts\\InventoryAccountClass",
            "inventory_item_class_description": "Generic, Post, Creative",
            "account_class_description": "Inventory"
        }
    })
}

/// A `422`, each field with one message, in this order.
fn invalid(summary: &str, errors: &[(&str, &str)]) -> Value {
    let errors: serde_json::Map<_, _> =
        errors.iter().map(|(field, message)| ((*field).to_owned(), json!([message]))).collect();
    json!({"message": summary, "errors": errors})
}

fn forbidden(lcuid: &str) -> Value {
    json!({"message": format!(
        "Unauthorized. Requires agency.createAccounts permission to perform this action on object [[{lcuid}]]"
    )})
}

#[tokio::test]
async fn the_published_request_gets_the_published_answer() {
    let api = Api::new().await;
    // As the documentation writes it, with escaped slashes.
    let body = format!(
        r#"{{
"name": "My New Account",
"description": "My New Account Description",
"agency_lcuid": "{}",
"website": "https:\/\/www.mynewaccount.com",
"parent_account_lcuid": "{}"
}}"#,
        api.tenant.lcuid, api.tenant.parent
    );
    let call = api.signed(Call::text(body));
    let reply = api.send(&call.header("accept", "application/json")).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.is_replay());
    let lcuid = reply.json()["account"]["lcuid"].clone();
    // Byte for byte: the keys in the published order, every one there.
    let expected = format!(
        concat!(
            r#"{{"success":true,"account":{{"name":"My New Account","options":{{"#,
            r#""primary_image_public_url":null,"primary_image_background_removed_public_url":null}},"#,
            r#""lcuid":{},"slug":"MyNewAccount","website":"https://www.mynewaccount.com","#,
            r#""description":"My New Account Description","created_at":"2026-02-03T18:12:47.000000Z","#,
            r#""inventory_item_class":["App\\LuCore\\InventoryItems\\GenericInventoryItemClass","#,
            r#""App\\LuCore\\InventoryItems\\PhotoStreamInventoryItemClass","#,
            r#""App\\LuCore\\InventoryItems\\CreativeInventoryItemClass"],"#,
            r#""account_class":"App\\LuCore\\Accounts\\InventoryAccountClass","#,
            r#""inventory_item_class_description":"Generic, Post, Creative","#,
            r#""account_class_description":"Inventory"}}}}"#,
        ),
        lcuid
    );
    assert_eq!(reply.text, expected);
    assert_eq!(api.made().await, (1, 0));

    let kept = api.stage.items_under("AGENCY#").await;
    let lcuid = lcuid.as_str().expect("an id");
    let kept = kept.iter().find(|item| text_of(item, "lcuid") == Some(lcuid)).expect("an item");
    for (attribute, value) in [
        ("agency", api.tenant.lcuid.to_string().as_str()),
        ("name", "My New Account"),
        ("slug", "MyNewAccount"),
        ("description", "My New Account Description"),
        ("website", "https://www.mynewaccount.com"),
        ("parent", api.tenant.parent.to_string().as_str()),
        ("created_at", "2026-02-03T18:12:47.000000Z"),
        ("updated_at", "2026-02-03T18:12:47.000000Z"),
    ] {
        assert_eq!(text_of(kept, attribute), Some(value), "{attribute}");
    }
    assert_eq!(kept.get("is_parent_account"), Some(&AttributeValue::Bool(false)));
}

#[tokio::test]
async fn created_at_is_utc_with_six_decimals() {
    let api = Api::new().await;
    api.stage.ports.advance(SignedDuration::from_micros(70));
    let reply = api.post(&api.body(&json!({}))).await;
    let account = reply.json();
    assert_eq!(account["account"]["created_at"], "2026-02-03T18:12:47.000070Z");
}

#[tokio::test]
async fn slugs_are_unique_ascii_pascal_case() {
    let api = Api::new().await;
    let long = "a".repeat(255);
    let rows = [
        ("Blue River Real Estate", "BlueRiverRealEstate"),
        ("Blue River Real Estate", "BlueRiverRealEstate2"),
        ("Blue River Real Estate", "BlueRiverRealEstate3"),
        ("blue-river  REAL/estate!", "BlueRiverRealEstate4"),
        ("Unit Test Account - etKzC", "UnitTestAccountEtkzc"),
        ("Unit Test Account - etKzC", "UnitTestAccountEtkzc2"),
        ("Blue River", "BlueRiver"),
        ("Blue River", "BlueRiver2"),
        // The bare slug of this name is the numbered one above.
        ("Blue River 2", "BlueRiver22"),
        ("7 Eleven", "7Eleven"),
        ("Crème Brûlée", "CremeBrulee"),
        ("Straße 7", "Strasse7"),
        ("Москва", "Moskva"),
        ("北京", "BeiJing"),
        ("🚀", "Rocket"),
        ("🚀🚀", "RocketRocket"),
        ("--- !!!", "account"),
        ("\u{E000}", "account2"),
        ("???", "account3"),
        (&long, &format!("A{}", &long[1..])),
        (&long, &format!("A{}2", &long[1..])),
    ];
    let mut slugs = BTreeSet::new();
    for (name, slug) in &rows {
        let reply = api.post(&api.body(&json!({"name": name}))).await;
        assert_eq!(reply.status, 200, "{name}");
        let expected = created(&reply, name, slug, Value::Null, Value::Null);
        assert_eq!(reply.json(), expected, "{name}");
        slugs.insert((*slug).to_owned());
    }
    assert_eq!(slugs.len(), rows.len());
    assert_eq!(api.made().await, (rows.len(), 0));
}

#[tokio::test]
async fn a_number_that_a_name_has_taken_is_passed_over() {
    let api = Api::new().await;
    let slug = async |name: &str| {
        let reply = api.post(&api.body(&json!({"name": name}))).await;
        reply.json()["account"]["slug"].as_str().expect("a slug").to_owned()
    };
    assert_eq!(slug("Blue River 2").await, "BlueRiver2");
    assert_eq!(slug("Blue River").await, "BlueRiver");
    let third = slug("Blue River").await;
    let number: u32 =
        third.strip_prefix("BlueRiver").and_then(|n| n.parse().ok()).expect("a number");
    assert!(number > 2, "{third}");
}

#[tokio::test]
async fn the_numbers_of_another_name_are_not_counted() {
    let api = Api::new().await;
    let slug = async |name: &str| {
        let reply = api.post(&api.body(&json!({"name": name}))).await;
        reply.json()["account"]["slug"].as_str().expect("a slug").to_owned()
    };
    // These take Ka2, and give the numbers 2 to 9 behind it.
    for _ in 0..9 {
        slug("Ka 2").await;
    }
    assert_eq!(slug("Ka").await, "Ka");
    let next = slug("Ka").await;
    assert!(["Ka3", "Ka4"].contains(&next.as_str()), "{next}");
}

#[tokio::test]
async fn slugs_are_unique_over_all_agencies() {
    let api = Api::new().await;
    api.post(&api.body(&json!({}))).await;
    let other = api.stage.agency_tenant().await;
    let reply = Call::json(&json!({"name": "Blue River", "agency_lcuid": other.lcuid}))
        .bearer(&other.token)
        .header("appidv3", &other.app)
        .send(&api.function)
        .await;
    assert_eq!(reply.json()["account"]["slug"], "BlueRiver2");
}

#[tokio::test]
async fn a_name_of_emoji_that_transliterate_to_long_words_still_fits_a_key() {
    let api = Api::new().await;
    let name = "👩‍🚀🏳️‍🌈🧑‍💻".repeat(20);
    let reply = api.post(&api.body(&json!({"name": name}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let json = reply.json();
    assert_eq!(json["account"]["name"], *name);
    let slug = json["account"]["slug"].as_str().expect("a slug");
    assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric()) && slug.len() <= 255);
}

#[tokio::test]
async fn accepted_fields_come_back_normalised() {
    let name_255 = "é".repeat(255);
    let text_5000 = "x".repeat(5_000);
    let url_2048 = format!("https://example.com/{}", "a".repeat(2_028));
    // What is sent; name, website and description of the answer.
    let rows = [
        (json!({}), "Blue River", Value::Null, Value::Null),
        (
            json!({"description": null, "website": null, "parent_account_lcuid": null}),
            "Blue River",
            Value::Null,
            Value::Null,
        ),
        (
            json!({"description": " \n ", "website": "", "parent_account_lcuid": "  "}),
            "Blue River",
            Value::Null,
            Value::Null,
        ),
        (json!({"name": "  A \u{3000}"}), "A", Value::Null, Value::Null),
        (json!({"name": "Cafe\u{301}"}), "Café", Value::Null, Value::Null),
        (
            // Decomposed, twice as many scalar values before they are composed.
            json!({"name": "e\u{301}".repeat(255)}),
            &name_255,
            Value::Null,
            Value::Null,
        ),
        (
            json!({"name": "می\u{200C}خواهم 👩\u{200D}🚀"}),
            "می\u{200C}خواهم 👩\u{200D}🚀",
            Value::Null,
            Value::Null,
        ),
        (
            json!({"name": "<script>alert('\"&')</script>"}),
            "<script>alert('\"&')</script>",
            Value::Null,
            Value::Null,
        ),
        (
            json!({"description": "\r\n one\r\n\ttwo \n"}),
            "Blue River",
            Value::Null,
            json!("one\n\ttwo"),
        ),
        (
            json!({"description": format!(" {text_5000} ")}),
            "Blue River",
            Value::Null,
            json!(text_5000),
        ),
        (
            json!({"description": "😀".repeat(5_000)}),
            "Blue River",
            Value::Null,
            json!("😀".repeat(5_000)),
        ),
        (
            json!({"website": " https://example.com/a?b=c#d "}),
            "Blue River",
            json!("https://example.com/a?b=c#d"),
            Value::Null,
        ),
        (
            json!({"website": "HTTP://Example.com:8080"}),
            "Blue River",
            json!("HTTP://Example.com:8080"),
            Value::Null,
        ),
        (
            json!({"website": "https://8.8.8.8/"}),
            "Blue River",
            json!("https://8.8.8.8/"),
            Value::Null,
        ),
        (
            json!({"website": "https://[2606:4700::1111]/"}),
            "Blue River",
            json!("https://[2606:4700::1111]/"),
            Value::Null,
        ),
        (
            json!({"website": "https://example.com/@handle"}),
            "Blue River",
            json!("https://example.com/@handle"),
            Value::Null,
        ),
        (json!({"website": url_2048}), "Blue River", json!(url_2048), Value::Null),
    ];
    for (fields, name, website, description) in rows {
        let api = Api::new().await;
        let reply = api.post(&api.body(&fields)).await;
        assert_eq!(reply.status, 200, "{fields} {}", reply.text);
        let slug = reply.json()["account"]["slug"].clone();
        let slug = slug.as_str().expect("a slug");
        let expected = created(&reply, name, slug, website, description);
        assert_eq!(reply.json(), expected, "{fields}");
    }
}

#[tokio::test]
async fn the_agency_may_be_named_in_upper_case_and_with_space_around() {
    let api = Api::new().await;
    let upper = api.tenant.lcuid.replace("LCUID-LY-", "").to_uppercase();
    let upper = format!(" LCUID-LY-{upper} ");
    let reply = api.post(&api.body(&json!({"agency_lcuid": upper}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(api.made().await, (1, 0));
}

#[tokio::test]
async fn every_fault_is_told_in_the_words_of_the_framework() {
    let api = Api::new().await;
    let bad_url = |message: &str| invalid(message, &[("website", message)]);
    let private = "The website field must not point to a private network.";
    let not_a_url = "The website field must be a valid URL.";
    let scheme = "The website field must be a valid http or https URL.";
    let user = "The website field must be a URL without user name and password.";
    let required = "The name field is required.";
    let mut rows = vec![
        (json!({"name": null}), invalid(required, &[("name", required)])),
        (json!({"name": ""}), invalid(required, &[("name", required)])),
        (json!({"name": " \t\n\u{a0}"}), invalid(required, &[("name", required)])),
        (json!({"name": "\u{3164}\u{FFA0}"}), invalid(required, &[("name", required)])),
        (json!({"name": "\u{2800} \u{2800}"}), invalid(required, &[("name", required)])),
        (json!({"name": "\u{200D}"}), invalid(required, &[("name", required)])),
    ];
    for wrong in [json!(1), json!(true), json!(["a"]), json!({"a": "b"}), json!(1.5)] {
        for (field, message) in [
            ("name", "The name field must be a string."),
            ("description", "The description field must be a string."),
            ("website", "The website field must be a string."),
            ("agency_lcuid", "The agency lcuid field must be a string."),
            ("parent_account_lcuid", "The parent account lcuid field must be a string."),
        ] {
            rows.push((json!({field: wrong}), invalid(message, &[(field, message)])));
        }
    }
    for blank in [Value::Null, json!(""), json!("  ")] {
        let message = "The agency lcuid field is required.";
        rows.push((json!({"agency_lcuid": blank}), invalid(message, &[("agency_lcuid", message)])));
    }
    for (length, field, message) in [
        (256, "name", "The name field must not be greater than 255 characters."),
        (5_001, "description", "The description field must not be greater than 5000 characters."),
        (2_049, "website", "The website field must not be greater than 2048 characters."),
    ] {
        rows.push((json!({field: "é".repeat(length)}), invalid(message, &[(field, message)])));
    }
    for character in [
        '\0',
        '\u{1b}',
        '\r',
        '\u{7f}',
        '\u{85}',
        '\u{200B}',
        '\u{2060}',
        '\u{FEFF}',
        '\u{202A}',
        '\u{202E}',
        '\u{2066}',
        '\u{2069}',
        '\u{2028}',
        '\u{2029}',
        '\u{FDD0}',
        '\u{FFFF}',
        '\u{1FFFE}',
        '\u{E0001}',
        '\u{E007F}',
    ] {
        for field in ["name", "description", "website"] {
            let code = u32::from(character);
            let message = format!("The {field} field must not contain the character U+{code:04X}.");
            let value = format!("https://example.com/a{character}b");
            rows.push((json!({field: value}), invalid(&message, &[(field, &message)])));
        }
    }
    for (character, code) in [("\n", "U+000A"), ("\t", "U+0009")] {
        let message = format!("The name field must not contain the character {code}.");
        rows.push((
            json!({"name": format!("a{character}b")}),
            invalid(&message, &[("name", &message)]),
        ));
    }
    for (website, message) in [
        ("www.mynewaccount.com", not_a_url),
        ("//example.com", not_a_url),
        ("http:example.com", not_a_url),
        ("http:///example.com", not_a_url),
        ("https://", not_a_url),
        ("/path", not_a_url),
        ("ftp://example.com", scheme),
        ("javascript:alert(1)", scheme),
        ("data:text/html,x", scheme),
        ("file:///etc/passwd", scheme),
        ("https://user@example.com", user),
        ("https://user:pass@example.com", user),
        ("https://@example.com", user),
        ("http://127.0.0.1", private),
        ("http://127.0.0.1./", private),
        ("http://127.1", private),
        ("http://0x7f.1", private),
        ("http://0177.0.0.1", private),
        ("http://2130706433", private),
        ("http://10.1.2.3", private),
        ("http://172.31.255.255", private),
        ("http://192.168.0.1", private),
        ("http://169.254.169.254/latest/meta-data/", private),
        ("http://⑩.0.0.1", private),
        ("http://127。0。0。1", private),
        ("http://[::1]", private),
        ("http://[::ffff:127.0.0.1]", private),
        ("http://[::ffff:a9fe:a9fe]", private),
        ("http://[fe80::1]", private),
        ("http://[fc00::1]", private),
    ] {
        rows.push((json!({"website": website}), bad_url(message)));
    }
    for field in [
        "id",
        "lcuid",
        "slug",
        "status",
        "org",
        "options",
        "is_parent_account",
        "Name",
        "created_at",
    ] {
        let message = format!("The {} field is prohibited.", field.replace('_', " "));
        for value in [json!(1), Value::Null, json!("x")] {
            rows.push((json!({field: value}), invalid(&message, &[(field, &message)])));
        }
    }
    for (fields, expected) in rows {
        let reply = api.post(&api.body(&fields)).await;
        assert_eq!((reply.status, reply.json()), (422, expected), "{fields}");
    }
    assert!(api.made_nothing().await);
}

#[tokio::test]
async fn all_faults_come_back_at_once_and_are_counted() {
    let api = Api::new().await;
    let agency = &api.tenant.lcuid;
    let name = ("name", "The name field is required.");
    let lcuid = ("agency_lcuid", "The agency lcuid field is required.");
    let website = ("website", "The website field must be a valid URL.");
    let description = ("description", "The description field must be a string.");
    let parent = ("parent_account_lcuid", BAD_PARENT);
    let rows = [
        (json!({}), invalid("The name field is required. (and 1 more error)", &[name, lcuid])),
        (
            json!({"name": null, "agency_lcuid": agency}),
            invalid("The name field is required.", &[name]),
        ),
        (json!({"name": "A"}), invalid("The agency lcuid field is required.", &[lcuid])),
        (
            json!({"agency_lcuid": agency, "website": "x"}),
            invalid("The name field is required. (and 1 more error)", &[name, website]),
        ),
        (
            json!({"name": "A", "agency_lcuid": agency, "website": "x", "description": 1}),
            invalid(
                "The description field must be a string. (and 1 more error)",
                &[description, website],
            ),
        ),
        (
            json!({"description": 1, "website": "x", "parent_account_lcuid": "x", "id": 1, "slug": "x"}),
            invalid(
                "The name field is required. (and 6 more errors)",
                &[
                    name,
                    description,
                    lcuid,
                    website,
                    parent,
                    ("id", "The id field is prohibited."),
                    ("slug", "The slug field is prohibited."),
                ],
            ),
        ),
    ];
    for (body, expected) in rows {
        let reply = api.post(&body).await;
        assert_eq!((reply.status, reply.json()), (422, expected), "{body}");
    }
    assert!(api.made_nothing().await);
}

#[tokio::test]
async fn a_body_full_of_unknown_fields_is_an_ordinary_refusal() {
    let api = Api::new().await;
    let unknown: serde_json::Map<_, _> =
        (0..20_000).map(|n| (format!("{n:x}"), json!(1))).collect();
    let reply = api.post(&Value::Object(unknown)).await;
    assert_eq!(reply.status, 422);
    let json = reply.json();
    // The first thousand are told.
    assert_eq!(json["message"], "The name field is required. (and 1001 more errors)");
    assert_eq!(json["errors"].as_object().map(serde_json::Map::len), Some(1_002));
    // API Gateway passes at most 10 MB, Lambda 6 MB.
    assert!(reply.text.len() < 6_000_000);
}

#[tokio::test]
async fn a_parent_must_be_one_of_this_agency_that_has_the_flag() {
    let api = Api::new().await;
    let foreign = api.stage.agency_tenant().await;
    let unknown = "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";
    let expected = invalid(BAD_PARENT, &[("parent_account_lcuid", BAD_PARENT)]);
    let rows = [
        ("without the flag", api.tenant.plain.as_str()),
        ("missing", unknown),
        ("of another agency", &foreign.parent),
        ("of another kind", &api.tenant.lcuid),
        ("malformed", "parent"),
        ("without dashes", "LCUID-LA-60f1bc3d417245adbe4d1dcbfce926ef"),
        ("the sort key of another item", "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef#AGENCY"),
        ("very long", &"x".repeat(10_000)),
    ];
    for (what, parent) in rows {
        for call in [
            api.signed(Call::json(&api.body(&json!({"parent_account_lcuid": parent})))),
            api.signed(Call::json(&api.body(&json!({"parent_account_lcuid": parent})))).key("k"),
        ] {
            let reply = api.send(&call).await;
            assert_eq!((reply.status, reply.json()), (422, expected.clone()), "{what}");
        }
    }
    let (accounts, records) = api.made().await;
    // The other agency's own two accounts.
    assert_eq!((accounts, records), (2, 0));

    let spaced = format!(" {} ", api.tenant.parent);
    let reply = api.post(&api.body(&json!({"parent_account_lcuid": spaced}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn a_parent_whose_flag_was_taken_away_is_no_parent_from_that_moment() {
    let api = Api::new().await;
    let body = api.body(&json!({"parent_account_lcuid": api.tenant.parent}));
    assert_eq!(api.post(&body).await.status, 200);
    let expected = invalid(BAD_PARENT, &[("parent_account_lcuid", BAD_PARENT)]);
    for unset in [AttributeValue::Bool(false), AttributeValue::Null(true)] {
        api.set_parent_flag(unset).await;
        let reply = api.post(&body).await;
        assert_eq!((reply.status, reply.json()), (422, expected.clone()));
    }
    api.set_parent_flag(AttributeValue::Bool(true)).await;
    assert_eq!(api.post(&body).await.status, 200);
    assert_eq!(api.made().await, (2, 0));
}

#[tokio::test]
async fn accounts_nest_five_deep_and_no_deeper() {
    let api = Api::new().await;
    let mut lowest = api.tenant.parent.clone();
    for _ in 1..AgencyAccount::MAX_LEVELS {
        let created = api.post(&api.body(&json!({"parent_account_lcuid": lowest}))).await.json();
        text_in(&created["account"]["lcuid"]).clone_into(&mut lowest);
        if api.made().await.0 < 4 {
            assert_eq!(api.set_parent(&lowest, true).await, Ok(true));
        }
    }
    let before = api.stage.snapshot().await;
    assert_eq!(api.set_parent(&lowest, true).await, Err(ProvisionError::TooDeep));
    let expected = invalid(BAD_PARENT, &[("parent_account_lcuid", BAD_PARENT)]);
    for call in [
        api.signed(Call::json(&api.body(&json!({"parent_account_lcuid": lowest})))),
        api.signed(Call::json(&api.body(&json!({"parent_account_lcuid": lowest})))).key("k"),
    ] {
        let reply = api.send(&call).await;
        assert_eq!((reply.status, reply.json()), (422, expected.clone()));
    }
    assert!(api.stage.snapshot().await == before, "a refusal has changed something");
}

#[tokio::test]
async fn a_parent_that_is_gone_is_counted_and_nothing_above_it() {
    let api = Api::new().await;
    let body = api.body(&json!({"parent_account_lcuid": api.tenant.parent}));
    let created = api.post(&body).await.json();
    let lcuid = text_in(&created["account"]["lcuid"]);
    let (pk, sk) = (format!("AGENCY#{}", api.tenant.lcuid), format!("ACCOUNT#{lcuid}"));
    let nobody = "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";
    api.stage.set(&pk, &sk, "parent", AttributeValue::S(nobody.to_owned())).await;
    assert_eq!(api.set_parent(lcuid, true).await, Ok(true));
    // What was damaged so that it is below itself is a chain without an end.
    assert_eq!(api.set_parent(lcuid, false).await, Ok(true));
    api.stage.set(&pk, &sk, "parent", AttributeValue::S(lcuid.to_owned())).await;
    assert_eq!(api.set_parent(lcuid, true).await, Err(ProvisionError::TooDeep));
}

#[tokio::test]
async fn the_flag_is_given_and_taken_with_an_entry_in_the_audit() {
    let api = Api::new().await;
    let below = api.body(&json!({"parent_account_lcuid": api.tenant.plain}));
    assert_eq!(api.post(&below).await.status, 422);
    assert_eq!(api.set_parent(&api.tenant.plain, true).await, Ok(true));
    assert_eq!(api.post(&below).await.status, 200);
    assert_eq!(api.set_parent(&api.tenant.plain, false).await, Ok(true));
    assert_eq!(api.post(&below).await.status, 422);

    let of_agency = api.stage.items_under(&format!("AGENCY#{}", api.tenant.lcuid)).await;
    let under = |prefix: &str| {
        let is = |item: &&Item| text_of(item, "sk").is_some_and(|sk| sk.starts_with(prefix));
        of_agency.iter().filter(is).cloned().collect::<Vec<_>>()
    };
    let entries = under("AUDIT#aud_");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(text_of(&entry, "route"), Some("headcount agency-account set-parent"));
        assert_eq!(
            entry["objects"],
            AttributeValue::L(vec![AttributeValue::S(api.tenant.plain.clone())])
        );
        assert!(!entry.contains_key("credential"));
    }
    // Every change has a version, which an event follows.
    let [account] = &under(&format!("ACCOUNT#{}", api.tenant.plain))[..] else { panic!("kept") };
    assert_eq!(account["version"], AttributeValue::N("2".to_owned()));

    // What is so already, and what is not there, writes nothing.
    let before = api.stage.snapshot().await;
    assert_eq!(api.set_parent(&api.tenant.plain, false).await, Ok(false));
    assert_eq!(api.set_parent(&api.tenant.parent, true).await, Ok(false));
    assert!(api.stage.snapshot().await == before);
    let foreign = api.stage.agency_tenant().await;
    let before = api.stage.snapshot().await;
    for nobodys in ["LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef", &foreign.plain] {
        let missing = Err(ProvisionError::NoSuch("account of this agency"));
        assert_eq!(api.set_parent(nobodys, true).await, missing);
    }
    assert!(api.stage.snapshot().await == before);
}

#[tokio::test]
async fn an_account_that_is_made_is_no_parent() {
    let api = Api::new().await;
    let lcuid = api.post(&api.body(&json!({}))).await.json()["account"]["lcuid"].clone();
    let reply = api.post(&api.body(&json!({"parent_account_lcuid": lcuid}))).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["message"], BAD_PARENT);
}

#[tokio::test]
async fn the_classes_are_those_of_the_agency() {
    let api = Api::new().await;
    let lcuid = AgencyLcuid::new(&api.stage.ports).expect("entropy");
    let agency = Agency {
        lcuid: lcuid.clone(),
        name: Text::line("Other", 1..=255).expect("a name"),
        settings: AgencySettings {
            inventory_item_class: vec!["A\\B".to_owned()],
            account_class: "C".to_owned(),
            inventory_item_class_description: "One".to_owned(),
            account_class_description: "Two".to_owned(),
        },
    };
    api.stage.table.create_agency(&agency).await.expect("an agency");
    let app = AppLcuid::new(&api.stage.ports).expect("entropy");
    let app_name = Text::line("App", 1..=255).expect("a name");
    api.stage.table.create_app(&app, &lcuid, &app_name).await.expect("an app");
    let holder = Holder::App { app: app.clone(), agency: lcuid.clone() };
    let token = api.stage.credential(holder, &[Permission::AgencyCreateAccounts]).await;
    let call = Call::json(&json!({"name": "A", "agency_lcuid": lcuid.as_str()}))
        .bearer(&token)
        .header("appidv3", app.as_str());
    let reply = api.send(&call).await;
    let mut expected = created(&reply, "A", "A", Value::Null, Value::Null);
    expected["account"]["inventory_item_class"] = json!(["A\\B"]);
    expected["account"]["account_class"] = json!("C");
    expected["account"]["inventory_item_class_description"] = json!("One");
    expected["account"]["account_class_description"] = json!("Two");
    assert_eq!((reply.status, reply.json()), (200, expected));
}

#[tokio::test]
async fn an_agency_that_is_not_the_callers_is_refused_as_it_was_named() {
    let api = Api::new().await;
    let foreign = api.stage.agency_tenant().await;
    let own = &api.tenant.lcuid;
    let rows = [
        foreign.lcuid.clone(),
        "LCUID-LY-407a0e2f-511a-4925-afd4-491724e0d862".to_owned(),
        "nobody".to_owned(),
        own.replace("LCUID-LY-", "LCUID-LA-"),
        own.replace("LCUID-LY-", "lcuid-ly-"),
        own.replace('-', ""),
        format!("{own}0"),
        format!("AGENCY#{own}"),
        " Ünknown \u{202E} \0 \"agency\" ".to_owned(),
        "x".repeat(10_000),
    ];
    for lcuid in rows {
        // Authorization comes first: nothing else is told about the request.
        for fields in [json!({}), json!({"name": null, "website": "x", "id": 1})] {
            let mut body = api.body(&fields);
            body["agency_lcuid"] = json!(lcuid);
            let reply = api.post(&body).await;
            assert_eq!((reply.status, reply.json()), (403, forbidden(&lcuid)), "{lcuid}");
        }
    }
    assert_eq!(api.made().await, (2, 0));
}

#[tokio::test]
async fn a_token_without_the_permission_is_refused() {
    let api = Api::new().await;
    let call = Call::json(&api.body(&json!({})))
        .bearer(&api.tenant.token_without_permission)
        .header("appidv3", &api.tenant.app);
    let reply = api.send(&call).await;
    assert_eq!((reply.status, reply.json()), (403, forbidden(&api.tenant.lcuid)));

    // The permission of another API does not stand in for it.
    let holder = Holder::App {
        app: AppLcuid::parse(&api.tenant.app).expect("an app"),
        agency: AgencyLcuid::parse(&api.tenant.lcuid).expect("an agency"),
    };
    let token = api.stage.credential(holder, &[Permission::AccountsCreate]).await;
    let reply = api.send(&call.bearer(&token)).await;
    assert_eq!((reply.status, reply.json()), (403, forbidden(&api.tenant.lcuid)));
    assert!(api.made_nothing().await);
}

#[tokio::test]
async fn whoever_has_no_good_token_of_this_api_is_unauthenticated() {
    let api = Api::new().await;
    let holder = Holder::App {
        app: AppLcuid::parse(&api.tenant.app).expect("an app"),
        agency: AgencyLcuid::parse(&api.tenant.lcuid).expect("an agency"),
    };
    let permission = Permission::AgencyCreateAccounts;
    let mut rows = bad_credentials(&api.stage, &holder, permission).await;
    let (organization, api_key) = api.stage.seats_tenant().await;
    rows.push(("an API key of the Seats API", format!("Bearer {api_key}")));
    let administrator = api.stage.administrator().await;
    rows.push(("a token of the Identity API", format!("Bearer {administrator}")));
    for holder in [Holder::Organization(organization), Holder::Administrator] {
        let token = api.stage.credential(holder, &[permission]).await;
        rows.push(("the permission in another API's hands", format!("Bearer {token}")));
    }
    let good = Call::json(&api.body(&json!({}))).header("appidv3", &api.tenant.app);
    let mut calls = vec![("no header", good.clone())];
    for (what, authorization) in rows {
        calls.push((what, good.clone().header("authorization", &authorization)));
    }
    for (what, call) in calls {
        // Whatever else is wrong with the request.
        let unreadable = call.clone().header("content-type", "text/plain");
        for call in [call.clone(), call.clone().key("k"), call.without("appidv3"), unreadable] {
            let reply = api.send(&call).await;
            assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHENTICATED), "{what}");
        }
    }
    assert!(api.made_nothing().await);
}

#[tokio::test]
async fn the_scheme_of_a_good_token_is_read_in_any_case() {
    let api = Api::new().await;
    for scheme in ["bearer", "BEARER"] {
        let call = Call::json(&api.body(&json!({})))
            .header("authorization", &format!("{scheme} {}", api.tenant.token))
            .header("appidv3", &api.tenant.app);
        assert_eq!(api.send(&call).await.status, 200);
    }
}

#[tokio::test]
async fn the_app_header_must_name_the_app_of_the_token() {
    let api = Api::new().await;
    let foreign = api.stage.agency_tenant().await;
    let uuid = api.tenant.app.trim_start_matches("LCUID-LAP-").to_owned();
    let malformed = json!({"message": "The AppIdV3 header is required and must be an app id such as LCUID-LAP-00000000-0000-4000-8000-000000000000."});
    let other = json!({"message": "Unauthorized. The token does not belong to the app that the AppIdV3 header names."});
    let rows = [
        (String::new(), 400, &malformed),
        (" ".to_owned(), 400, &malformed),
        (uuid.clone(), 400, &malformed),
        (format!("LCUID-LA-{uuid}"), 400, &malformed),
        (format!("LCUID-LAP-{}", uuid.replace('-', "")), 400, &malformed),
        (format!("LCUID-LAP-{{{uuid}}}"), 400, &malformed),
        ("LCUID-LAP-********-****-****-****-************".to_owned(), 400, &malformed),
        (format!("{} {}", api.tenant.app, api.tenant.app), 400, &malformed),
        ("LCUID-LAP-é".to_owned(), 400, &malformed),
        (foreign.app.clone(), 403, &other),
        ("LCUID-LAP-60f1bc3d-4172-45ad-be4d-1dcbfce926ef".to_owned(), 403, &other),
    ];
    let call = Call::json(&api.body(&json!({}))).bearer(&api.tenant.token);
    let reply = api.send(&call).await;
    assert_eq!((reply.status, &reply.json()), (400, &malformed));
    for (app, status, expected) in rows {
        let reply = api.send(&call.clone().header("appidv3", &app)).await;
        assert_eq!((reply.status, &reply.json()), (status, expected), "{app}");
    }
    assert_eq!(api.made().await, (2, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_in_this_apis_envelope() {
    let api = Api::new().await;
    let mut wrong = Vec::new();
    for case in transport::unreadable(&api.body(&json!({})), 256) {
        let reply = api.send(&api.signed(case.call)).await;
        let expected = json!({"message": case.message}).to_string();
        if (reply.status, &reply.text) != (case.status, &expected) {
            wrong.push((case.what, expected, reply.status, reply.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(api.made_nothing().await);
}

#[tokio::test]
async fn unusual_spellings_of_a_good_request_are_read() {
    let api = Api::new().await;
    let cases = transport::readable(&api.body(&json!({})), 256);
    let count = cases.len();
    for (what, call) in cases {
        let reply = api.send(&api.signed(call)).await;
        assert_eq!(reply.status, 200, "{what}: {}", reply.text);
        assert_eq!(reply.json()["account"]["name"], "Blue River", "{what}");
    }
    assert_eq!(api.made().await, (count, 1));
}

#[tokio::test]
async fn thirty_two_levels_are_read() {
    let api = Api::new().await;
    let lists = format!("{}{}", "[".repeat(31), "]".repeat(31));
    let body = format!(r#"{{"name":"A","agency_lcuid":"{}","website":{lists}}}"#, api.tenant.lcuid);
    let reply = api.send(&api.signed(Call::text(body))).await;
    let message = "The website field must be a string.";
    assert_eq!((reply.status, reply.json()), (422, invalid(message, &[("website", message)])));
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_and_makes_nothing() {
    let api = Api::new().await;
    let body = api.body(&json!({"parent_account_lcuid": api.tenant.parent}));
    let call = api.signed(Call::json(&body)).key("k");
    let first = api.send(&call).await;
    assert_eq!((first.status, first.is_replay()), (200, false));

    // Later, from another process, with the body in base64, and though the parent would no
    // longer do.
    api.stage.ports.advance(SignedDuration::from_hours(23));
    api.set_parent_flag(AttributeValue::Bool(false)).await;
    let mut cold = api.stage.create_agency_account();
    cold.store = api.stage.cold_table();
    let in_base64 = api.signed(Call::bytes(body.to_string().as_bytes())).key("k");
    for reply in [api.send(&call).await, call.send(&cold).await, api.send(&in_base64).await] {
        assert_eq!((reply.status, &reply.text), (200, &first.text));
        assert!(reply.is_replay());
    }
    assert_eq!(api.made().await, (1, 1));
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_does_nothing() {
    let api = Api::new().await;
    let call = |fields: Value| api.signed(Call::json(&api.body(&fields))).key("k");
    assert_eq!(api.send(&call(json!({}))).await.status, 200);
    let message = "This Idempotency-Key was used with another request body; nothing was done.";
    let expected = invalid(message, &[("Idempotency-Key", message)]);
    // The record speaks before anything else that the transaction finds wrong.
    for fields in [
        json!({"name": "Blue River "}),
        json!({"name": "Other"}),
        json!({"description": null}),
        json!({"parent_account_lcuid": api.tenant.plain}),
    ] {
        let reply = api.send(&call(fields)).await;
        assert_eq!((reply.status, reply.json()), (422, expected.clone()));
        assert!(!reply.is_replay());
    }
    assert_eq!(api.made().await, (1, 1));
}

#[tokio::test]
async fn a_key_belongs_to_an_app_whatever_its_token() {
    let api = Api::new().await;
    let call = api.signed(Call::json(&api.body(&json!({})))).key("k");
    let first = api.send(&call).await;

    let holder = Holder::App {
        app: AppLcuid::parse(&api.tenant.app).expect("an app"),
        agency: AgencyLcuid::parse(&api.tenant.lcuid).expect("an agency"),
    };
    let token = api.stage.credential(holder, &[Permission::AgencyCreateAccounts]).await;
    let reply = api.send(&call.clone().bearer(&token)).await;
    assert!(reply.is_replay());
    assert_eq!(reply.text, first.text);

    // Without the permission there is no answer, stored or not.
    let weak = call.clone().bearer(&api.tenant.token_without_permission);
    assert_eq!(api.send(&weak).await.status, 403);

    let other = api.stage.agency_tenant().await;
    let body = json!({"name": "Blue River", "agency_lcuid": other.lcuid});
    let call = Call::json(&body).key("k").bearer(&other.token).header("appidv3", &other.app);
    let reply = api.send(&call).await;
    assert_eq!((reply.status, reply.is_replay()), (200, false));
    assert_eq!(reply.json()["account"]["slug"], "BlueRiver2");
}

#[tokio::test]
async fn a_key_answers_for_twenty_four_hours() {
    let api = Api::new().await;
    // Not on a whole second.
    api.stage.ports.advance(SignedDuration::from_millis(900));
    let call = api.signed(Call::json(&api.body(&json!({})))).key("k");
    api.send(&call).await;
    let day = SignedDuration::from_hours(24);
    let rows =
        [(day - SignedDuration::from_millis(1), true), (SignedDuration::from_secs(1), false)];
    for (pass, replayed) in rows {
        api.stage.ports.advance(pass);
        let reply = api.send(&call).await;
        assert_eq!((reply.status, reply.is_replay()), (200, replayed), "{pass}");
    }
    assert_eq!(api.made().await, (2, 1));
    // The new record has a day of its own.
    api.stage.ports.advance(SignedDuration::from_hours(23));
    assert!(api.send(&call).await.is_replay());
}

#[tokio::test]
async fn refusals_are_not_recorded() {
    let api = Api::new().await;
    let parent = json!({"parent_account_lcuid": api.tenant.parent});
    api.set_parent_flag(AttributeValue::Bool(false)).await;
    for (fields, status) in [(json!({"name": ""}), 422), (parent.clone(), 422)] {
        let call = api.signed(Call::json(&api.body(&fields))).key("k");
        assert_eq!(api.send(&call).await.status, status);
    }
    assert!(api.made_nothing().await);
    // What failed may be sent again, unchanged or corrected, with the same key.
    api.set_parent_flag(AttributeValue::Bool(true)).await;
    let call = api.signed(Call::json(&api.body(&parent))).key("k");
    let reply = api.send(&call).await;
    assert_eq!((reply.status, reply.is_replay()), (200, false));
}

#[tokio::test]
async fn a_create_costs_one_call_and_the_first_one_of_a_process_two() {
    let api = Api::new().await;
    let call = api.signed(Call::json(&api.body(&json!({"name": "One"})))).key("k");
    api.send(&call).await;
    assert_eq!(api.stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
    api.post(&api.body(&json!({"name": "Two"}))).await;
    assert_eq!(api.stage.operations.take(), ["TransactWriteItems"]);
    api.send(&call).await;
    assert_eq!(api.stage.operations.take(), ["TransactWriteItems"], "a replay");
    api.post(&api.body(&json!({"name": "Two"}))).await;
    assert_eq!(api.stage.operations.take().len(), 2, "a slug that is taken");
    api.post(&api.body(&json!({"name": ""}))).await;
    assert_eq!(api.stage.operations.take(), [""; 0], "a fault");
}

#[tokio::test]
async fn without_the_table_the_caller_is_told_to_come_back() {
    let expected = json!({"message": "The service could not complete the request in time; try again with the same Idempotency-Key."});
    let api = Api::new().await;
    let call = api.signed(Call::json(&api.body(&json!({})))).key("k");
    // At the look-up of the token; then, the token being remembered, at the transaction.
    for _ in 0..2 {
        api.stage.wire.cut();
        let reply = api.send(&call).await;
        assert_eq!((reply.status, reply.json()), (503, expected.clone()));
        assert_eq!(reply.header("retry-after"), "1");
        api.stage.wire.mend();
        assert!(api.made_nothing().await);
        api.post(&api.body(&json!({"name": ""}))).await;
    }
    let reply = api.send(&call).await;
    assert_eq!((reply.status, reply.is_replay()), (200, false));
}

/// A table on which every commit ends in the same refusal.
struct Refusing {
    table: Table,
    refusal: CommitRefusal,
}

impl Credentials for Refusing {
    async fn credential(&self, presented: &Presented) -> Result<Option<Credential>, LookupFailed> {
        self.table.credential(presented).await
    }
}

impl AgencyDirectory for Refusing {
    async fn credential_and_agency(
        &self,
        presented: &Presented,
        agency: Option<&AgencyLcuid>,
    ) -> Result<(Option<Credential>, Option<AgencySettings>), LookupFailed> {
        self.table.credential_and_agency(presented, agency).await
    }
}

impl AgencyAccounts for Refusing {
    async fn commit(&self, _: Commit<'_>) -> Result<Option<StoredAnswer>, CommitRefusal> {
        Err(self.refusal.clone())
    }
}

#[tokio::test]
async fn a_table_that_throttles_and_a_name_that_everybody_wants_make_the_caller_come_back() {
    let api = Api::new().await;
    for refusal in [CommitRefusal::Throttled, CommitRefusal::SlugTaken { last_number: 7 }] {
        let usual = api.stage.create_agency_account();
        let function = create_agency_account::Function {
            store: Refusing { table: usual.store, refusal },
            ports: usual.ports,
            fingerprint_key: usual.fingerprint_key,
        };
        let reply = api.signed(Call::json(&api.body(&json!({})))).send(&function).await;
        let expected = json!({"message": "Too many requests; try again shortly."});
        assert_eq!((reply.status, reply.json()), (429, expected));
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(reply.header("x-request-id"), "request-1");
    }
}
