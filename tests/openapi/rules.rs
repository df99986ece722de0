//! The schemas of requests and the endpoints accept and refuse the same: at every limit, for every
//! enumeration, for fields that are missing, `null`, unknown or of another type. What a schema
//! cannot say (whether a time zone exists, whether a URL is public) is not asked here.

use headcount_api::Endpoint;
use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::AccountStatus;
use headcount_tests::billing::Billing;
use headcount_tests::{Call, Stage};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::answers::agency_of_the_examples;
use crate::document::{Document, members};

/// A schema of a request and the endpoint that it belongs to.
struct Rules<'e, E> {
    document: &'e Document,
    operation: &'static str,
    endpoint: &'e E,
    validator: Validator,
    /// Makes a body a call that is refused for nothing but its body.
    call: Box<dyn Fn(Call) -> Call + 'e>,
    asked: usize,
}

impl<E: Endpoint> Rules<'_, E> {
    /// Asks schema and endpoint about a body, and fails when they do not agree or when a refusal
    /// does not name the field.
    async fn agree(&mut self, body: &Value, field: &str) {
        self.asked += 1;
        let documented = self.validator.is_valid(body);
        let reply = (self.call)(Call::json(body)).send(self.endpoint).await;
        let what = format!("{} {field}: {reply:?}\n{body:.500}", self.operation);
        let accepted = match reply.status {
            // Somebody has the address, or nobody the account or the password: the request itself is in
            // order.
            200 | 201 | 401 | 404 | 409 | 429 => true,
            400 | 403 | 422 => false,
            _ => panic!("{what}"),
        };
        assert_eq!(documented, accepted, "what the document says, and the endpoint: {what}");
        let named = field.replace('_', " ");
        assert!(
            accepted
                || reply.status == 403
                || reply.text.contains(field)
                || reply.text.contains(&named),
            "the field is not named: {what}"
        );
    }

    /// Asks about every property of an object that lies at `pointer` in `good`.
    async fn object(&mut self, schema: &Value, good: &Value, pointer: &str) {
        for (name, property) in members(&schema["properties"]) {
            for value in probes(name, self.document.resolved(property)) {
                self.agree(&with(good, pointer, name, Some(value)), name).await;
            }
            self.agree(&with(good, pointer, name, None), name).await;
        }
        for unknown in ["status", "is_admin", "Name"] {
            let body = with(good, pointer, unknown, Some(json!("x")));
            self.agree(&body, unknown).await;
        }
    }
}

/// A body with a member of the object at `pointer` replaced or taken out.
fn with(body: &Value, pointer: &str, name: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let object = body.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    body
}

/// Values on both sides of everything that a property's schema says.
fn probes(name: &str, property: &Value) -> Vec<Value> {
    let mut probes = vec![Value::Null, json!(1), json!(true)];
    let is_text = property["type"] == "string" || property["type"] == json!(["string", "null"]);
    if is_text {
        probes.extend([json!([]), json!({}), json!(["x"])]);
    } else {
        probes.push(json!("x"));
    }
    for value in property["enum"].as_array().into_iter().flatten() {
        probes.push(value.clone());
    }
    if property.get("enum").is_some() {
        probes.extend([json!("neither"), json!("")]);
    }
    let limit = |keyword: &str| property[keyword].as_u64().and_then(|n| usize::try_from(n).ok());
    if let Some(longest) = limit("maxLength") {
        probes.extend([json!(text(name, longest)), json!(text(name, longest + 1))]);
    }
    if let Some(shortest) = limit("minLength").filter(|&n| n > 0) {
        probes.push(json!(text(name, shortest - 1)));
        // One letter is no language.
        if name != "language" {
            probes.push(json!(text(name, shortest)));
        }
    }
    if property.get("pattern").is_some() {
        let forms = forms(name);
        assert!(!forms.is_empty(), "{name} has a pattern: say what is of its form and what is not");
        probes.extend(forms.into_iter().map(Value::String));
    }
    if property["type"] == "null" {
        return probes;
    }
    let asked = ["enum", "maxLength", "maximum", "pattern", "items", "properties"];
    // Whether a time zone exists is for no schema to say.
    let has_rule = asked.iter().any(|keyword| property.get(keyword).is_some())
        || property["type"] == json!(["boolean", "null"])
        // Whether a time is to come, neither.
        || name == "timezone"
        || name == "expires_at";
    assert!(has_rule, "{name} has no rule that this test knows: {property}");
    probes
}

/// A value of a field with this many characters, in order but perhaps for its length.
fn text(name: &str, length: usize) -> String {
    let filled = |start: &str| start.to_owned() + &"a".repeat(length.saturating_sub(start.len()));
    match name {
        "pfp_url" | "website" => filled("https://example.com/"),
        // Labels of a domain have at most 63 characters each.
        "email" => {
            let mut address = "owner@".to_owned();
            while address.len() + 69 < length {
                address += &"a".repeat(60);
                address.push('.');
            }
            let rest = length - address.len() - ".com".len();
            address + &"b".repeat(rest) + ".com"
        }
        // A subtag has at most 8 characters, and at least 2 here.
        "language" if length > 8 => {
            let mut tag = "en-x".to_owned();
            while tag.len() + 9 + 3 <= length {
                tag += "-aaaaaaaa";
            }
            let rest = length - tag.len();
            tag + "-" + &"b".repeat(rest - 1)
        }
        "password" => "x7 ".chars().cycle().take(length).collect(),
        _ => "é".repeat(length),
    }
}

/// Texts that are of the form of a field and texts that are not.
fn forms(name: &str) -> Vec<String> {
    let long = |length: usize| "a".repeat(length);
    let keywords = |count: usize| vec!["word"; count].join(",");
    let upper = |id: &str| id[..9].to_owned() + &id[9..].to_uppercase();
    match name {
        "username" => vec![
            "new.creator_1-x".to_owned(),
            "@newcreator".to_owned(),
            long(64),
            "@".to_owned() + &long(64),
            long(65),
            String::new(),
            "@".to_owned(),
            "@@a".to_owned(),
            "a b".to_owned(),
            "é".to_owned(),
        ],
        "keywords" => vec![
            "one".to_owned(),
            "one,two words".to_owned(),
            keywords(50),
            keywords(51),
            long(64),
            long(65),
            String::new(),
            "a,,b".to_owned(),
            "a,".to_owned(),
        ],
        "age_range" => {
            ["18-24", "0-120", "24", "18–24", "a-b", "-", "18-", ""].map(str::to_owned).into()
        }
        "currency" => ["USD", "EUR", "usd", "US", "USDX", ""].map(str::to_owned).into(),
        "quote_id" => ["quote", "", "QUOTE_a_b", "quote_xyz_0"].map(str::to_owned).into(),
        // One that is of the form and not given out for a list no schema knows.
        "cursor" => ["cursor", "", "CURSOR_00_00", "cursor__"].map(str::to_owned).into(),
        "apiKeyId" => vec![
            api_reference::API_KEY_ID.to_owned(),
            api_reference::API_KEY_ID.to_uppercase(),
            format!("hc_{}", api_reference::API_KEY_ID),
            format!("{} ", api_reference::API_KEY_ID),
            String::new(),
        ],
        "account_id" | "accountId" => vec![
            api_reference::ACCOUNTS[0].to_owned(),
            api_reference::ACCOUNTS[0].to_uppercase(),
            api_reference::ACCOUNTS[0].replace("acc_", "org_"),
            format!(" {}", api_reference::ACCOUNTS[0]),
            "acc_".to_owned(),
            String::new(),
        ],
        "agency_lcuid" => vec![
            api_reference::AGENCY.to_owned(),
            upper(api_reference::AGENCY),
            api_reference::PARENT.to_owned(),
            api_reference::AGENCY.to_lowercase(),
            api_reference::AGENCY.replace('-', ""),
            String::new(),
        ],
        "parent_account_lcuid" => vec![
            api_reference::PARENT.to_owned(),
            upper(api_reference::PARENT),
            api_reference::AGENCY.to_owned(),
            api_reference::PARENT.to_lowercase(),
            "x".to_owned(),
            String::new(),
        ],
        _ => Vec::new(),
    }
}

fn rules<'e, E>(
    document: &'e Document,
    operation: &'static str,
    schema: &str,
    endpoint: &'e E,
    call: impl Fn(Call) -> Call + 'e,
) -> Rules<'e, E> {
    let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let validator = document.validator(&reference);
    Rules { document, operation, endpoint, validator, call: Box::new(call), asked: 0 }
}

/// The first seat of the example with details.
fn one_seat(document: &Document) -> Value {
    let two = document.request("createSeats", "two_seats");
    json!({ "accounts": [two["accounts"][1]] })
}

/// Everything about the body of a create or a quote.
async fn seats<E: Endpoint>(rules: &mut Rules<'_, E>, document: &Document, schema: &Value) {
    let good = one_seat(document);
    rules.agree(&good, "accounts").await;
    rules.object(schema, &good, "").await;
    rules.object(&document.schemas()["Seat"], &good, "/accounts/0").await;
    let accounts = &schema["properties"]["accounts"];
    let most =
        accounts["maxItems"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a limit");
    for count in [0, 1, most, most + 1] {
        let seats = vec![json!({ "tier": "basic" }); count];
        rules.agree(&json!({ "accounts": seats }), "accounts").await;
    }
    for element in [json!("x"), json!(null), json!([])] {
        rules.agree(&json!({ "accounts": [element] }), "accounts").await;
    }
    // Every way of giving the detail group: each field there, null or not there.
    let details = ["platform", "username", "pfp_url", "keywords"];
    for way in 0..3_usize.pow(4) {
        let mut body = good.clone();
        for (place, field) in (0_u32..).zip(details) {
            body = match way / 3_usize.pow(place) % 3 {
                0 => body,
                1 => with(&body, "/accounts/0", field, Some(Value::Null)),
                _ => with(&body, "/accounts/0", field, None),
            };
        }
        rules.agree(&body, "keywords").await;
    }
}

#[tokio::test]
async fn create_seats_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let (_, key) = stage.seats_tenant().await;
    let function = stage.create_seats();
    let schema = &document.schemas()["CreateSeats"];
    let mut rules =
        rules(&document, "createSeats", "CreateSeats", &function, |call| call.bearer(&key));
    seats(&mut rules, &document, schema).await;
    assert!(rules.asked > 200, "{}", rules.asked);
}

#[tokio::test]
async fn quote_seats_takes_what_the_document_says() {
    let (document, stage, billing) = (Document::new(), Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let function = stage.quote_seats(&billing);
    let schema = &document.schemas()["QuoteSeats"];
    let call = |call: Call| call.bearer(&billed.api_key);
    let mut rules = rules(&document, "quoteSeats", "QuoteSeats", &function, call);
    rules.agree(&with(&one_seat(&document), "", "quote_id", Some(json!("x"))), "quote_id").await;
    seats(&mut rules, &document, schema).await;
    assert!(rules.asked > 200, "{}", rules.asked);
}

#[tokio::test]
async fn list_seats_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let (_, key) = stage.seats_tenant().await;
    let function = stage.list_seats();
    let schema = &document.schemas()["ListSeats"];
    let call = |call: Call| call.bearer(&key);
    let mut rules = rules(&document, "listSeats", "ListSeats", &function, call);
    let page = document.request("listSeats", "page");
    rules.agree(&page, "limit").await;
    rules.object(schema, &page, "").await;
    for status in
        ["uninitialized", "pending", "initialized", "failed", "setup", "deactivated", "Setup", ""]
    {
        rules.agree(&json!({ "status": status }), "status").await;
    }
    for limit in
        [json!(1), json!(1.0), json!(1_000), json!(0), json!(1_001), json!(1.5), json!("1")]
    {
        rules.agree(&json!({ "limit": limit }), "limit").await;
    }
    for (count, id) in [0, 1, 100, 101].into_iter().zip(1_000..) {
        let ids: Vec<_> =
            (0..count).map(|n| format!("acc_01kgjb9z8rd3m0seat0{id}{n:03}")).collect();
        rules.agree(&json!({ "ids": ids }), "ids").await;
    }
    for element in [json!(1), json!(null), json!([]), json!("acc_")] {
        rules.agree(&json!({ "ids": [element] }), "ids").await;
    }
    assert!(rules.asked > 50, "{}", rules.asked);
}

/// A key that may do everything in its organization.
async fn managing(stage: &Stage) -> String {
    let organization = stage.organization(None, 10).await;
    stage.credential(Holder::Organization(organization), &Permission::ALL).await
}

#[tokio::test]
async fn create_api_key_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let key = managing(&stage).await;
    let function = stage.create_api_key();
    let call = |call: Call| call.bearer(&key);
    let mut rules = rules(&document, "createApiKey", "CreateApiKey", &function, call);
    let good = document.request("createApiKey", "reports");
    rules.agree(&good, "name").await;
    rules.object(&document.schemas()["CreateApiKey"], &good, "").await;
    for permission in headcount_model::api_key::KEY_PERMISSIONS {
        let list = json!([permission.as_str()]);
        rules.agree(&with(&good, "", "permissions", Some(list)), "permissions").await;
    }
    for list in [json!([]), json!(["account.view"]), json!([null]), json!([1]), json!([""])] {
        rules.agree(&with(&good, "", "permissions", Some(list)), "permissions").await;
    }
    assert!(rules.asked > 30, "{}", rules.asked);
}

#[tokio::test]
async fn changes_of_api_keys_take_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let key = managing(&stage).await;
    let call = |call: Call| call.bearer(&key);
    let function = stage.update_api_key();
    let mut asked = rules(&document, "updateApiKey", "UpdateApiKey", &function, call);
    let good = document.request("updateApiKey", "named");
    asked.object(&document.schemas()["UpdateApiKey"], &good, "").await;
    let call = |call: Call| call.bearer(&key);
    let function = stage.delete_api_key();
    let mut asked = rules(&document, "deleteApiKey", "DeleteApiKey", &function, call);
    let good = document.request("deleteApiKey", "deleted");
    asked.object(&document.schemas()["DeleteApiKey"], &good, "").await;
    let call = |call: Call| call.bearer(&key);
    let function = stage.list_api_keys();
    let mut asked = rules(&document, "listApiKeys", "ListApiKeys", &function, call);
    asked.object(&document.schemas()["ListApiKeys"], &json!({}), "").await;
}

#[tokio::test]
async fn update_seats_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let key = managing(&stage).await;
    let function = stage.update_seats();
    let mut one_schema = document.schemas()["UpdateOne"].clone();
    // Whatever it is, it is kept.
    for kept in ["profiles", "warmupVersion", "postVersion"] {
        let property = one_schema["properties"].as_object_mut().expect("fields").remove(kept);
        assert!(property.is_some_and(|property| property.get("type").is_none()), "{kept}");
    }
    let call = |call: Call| call.bearer(&key);
    let mut rules = rules(&document, "updateSeats", "UpdateSeats", &function, call);
    let one = document.request("updateSeats", "one_account");
    rules.agree(&one, "accountId").await;
    // The account is nobody's, so that only the form of each field is asked about. Without one of two
    // fields there is something to change all the same.
    let two = with(&one, "", "org_group", Some(json!("spring")));
    rules.object(&one_schema, &two, "").await;
    for kept in [json!(null), json!(7), json!("x"), json!([{"a": [1]}]), json!({"a": null})] {
        for field in ["profiles", "warmupVersion", "postVersion"] {
            rules.agree(&with(&one, "", field, Some(kept.clone())), field).await;
        }
    }
    rules.agree(&json!({ "accountId": one["accountId"] }), "accountId").await;
    for version in [json!(0), json!(1.0), json!(-1), json!(1.5), json!("1"), json!(u32::MAX)] {
        rules.agree(&with(&one, "", "version", Some(version)), "version").await;
    }
    let beyond = json!(u64::from(u32::MAX) + 1);
    rules.agree(&with(&one, "", "version", Some(beyond)), "version").await;
    rules.agree(&document.request("updateSeats", "several_accounts"), "updates").await;
    rules.agree(&json!({ "updates": [one], "accountId": "x" }), "accountId").await;
    for count in [0, 1, 100, 101] {
        rules.agree(&json!({ "updates": vec![one.clone(); count] }), "updates").await;
    }
    for element in [json!(1), json!(null), json!([])] {
        rules.agree(&json!({ "updates": [element] }), "updates").await;
    }
    assert!(rules.asked > 100, "{}", rules.asked);
}

#[tokio::test]
async fn deactivate_seats_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let (_, key) = stage.seats_tenant().await;
    let function = stage.deactivate_seats();
    let one_schema = &document.schemas()["DeactivateOne"];
    let call = |call: Call| call.bearer(&key);
    let mut rules = rules(&document, "deactivateSeats", "DeactivateSeats", &function, call);
    let one = document.request("deactivateSeats", "one_account");
    rules.agree(&one, "account_id").await;
    rules.object(one_schema, &one, "").await;
    let several = document.request("deactivateSeats", "several_accounts");
    rules.agree(&several, "account_ids").await;
    for one in [json!(null), json!(1), json!(api_reference::ACCOUNTS[0])] {
        rules.agree(&with(&several, "", "account_id", Some(one)), "account_id").await;
    }
    rules.agree(&json!({}), "account_id").await;
    for (count, id) in [0, 1, 100, 101].into_iter().zip(1_000..) {
        let ids: Vec<_> =
            (0..count).map(|n| format!("acc_01kgjb9z8rd3m0seat0{id}{n:03}")).collect();
        rules.agree(&json!({ "account_ids": ids }), "account_ids").await;
    }
    let revoked = document.request("deactivateSeats", "revoked");
    rules.agree(&revoked, "revoke").await;
    for element in [json!(1), json!(null), json!([]), json!("acc_")] {
        rules.agree(&json!({ "account_ids": [element] }), "account_ids").await;
    }
    assert!(rules.asked > 30, "{}", rules.asked);
}

#[tokio::test]
async fn create_agency_account_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let app = agency_of_the_examples(&stage).await;
    let id = app.id.to_string();
    let function = stage.create_agency_account();
    let schema = &document.schemas()["CreateAgencyAccount"];
    let call = |call: Call| call.bearer(&app.token).header("appidv3", &id);
    let mut rules = rules(&document, "createAgencyAccount", "CreateAgencyAccount", &function, call);
    let good = document.request("createAgencyAccount", "sub_account");
    rules.agree(&good, "name").await;
    rules.object(schema, &good, "").await;
    assert!(rules.asked > 50, "{}", rules.asked);
}

#[tokio::test]
async fn update_agency_account_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountUpdate]).await;
    let (id, path) = (app.id.to_string(), format!("/api/v3/accounts/{}", api_reference::PARENT));
    let function = stage.update_agency_account();
    let schema = &document.schemas()["UpdateAgencyAccount"];
    let call = |call: Call| call.at(&path).bearer(&token).header("appidv3", &id);
    let mut rules = rules(&document, "updateAgencyAccount", "UpdateAgencyAccount", &function, call);
    let good = document.request("updateAgencyAccount", "renamed");
    rules.agree(&good, "name").await;
    rules.object(schema, &good, "").await;
    assert!(rules.asked > 25, "{}", rules.asked);
}

#[tokio::test]
async fn the_parameters_take_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &Permission::ALL).await;
    let parameters = &document.json["components"]["parameters"];
    for (parameter, name) in [("Page", "page"), ("PerPage", "per_page")] {
        let validator = document.validator(&parameters[parameter]["schema"]);
        for value in ["-1", "0", "1", "2", "100", "101", "1000000", "1000001", "x", "1.5"] {
            let call = Call::empty().at("/api/v3/accounts").query(name, value).bearer(&token);
            let call = call.header("appidv3", app.id.as_str());
            let reply = call.send(&stage.list_agency_accounts()).await;
            let number: Value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            assert_eq!(validator.is_valid(&number), reply.status == 200, "{value}: {reply:?}");
        }
    }
    let uuid = api_reference::PARENT.replace("LCUID-LA-", "");
    let validator = document.validator(&parameters["AccountLcuid"]["schema"]);
    for value in [
        api_reference::PARENT,
        &format!("LCUID-LA-{}", uuid.to_uppercase()),
        api_reference::AGENCY,
        &uuid,
        &api_reference::PARENT.replace('-', ""),
        "x",
    ] {
        let call = Call::empty().at(&format!("/api/v3/accounts/{value}")).bearer(&token);
        let reply = call.header("appidv3", app.id.as_str()).send(&stage.get_agency_account()).await;
        assert_eq!(validator.is_valid(&json!(value)), reply.status == 200, "{value}: {reply:?}");
    }
}

#[tokio::test]
async fn create_account_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let function = stage.create_account();
    let schema = &document.schemas()["CreateAccount"];
    let mut rules = rules(&document, "createAccount", "CreateAccount", &function, |call| call);
    let good = document.request("createAccount", "business");
    rules.agree(&good, "name").await;
    rules.object(schema, &good, "").await;
    let settings = &document.schemas()["NewAccountSettings"];
    rules.object(settings, &good, "/settings").await;
    assert!(rules.asked > 70, "{}", rules.asked);
}

#[tokio::test]
async fn open_session_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let function = stage.open_session();
    // Who takes an address or a password of nobody says so with 401.
    stage.own_account_with_password("owner", AccountStatus::Active).await;
    let schema = &document.schemas()["LogIn"];
    let mut rules = rules(&document, "openSession", "LogIn", &function, |call| call);
    let good = document.request("openSession", "log_in");
    rules.agree(&good, "email").await;
    rules.object(schema, &good, "").await;
    assert!(rules.asked > 20, "{}", rules.asked);
}

#[tokio::test]
async fn updates_take_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let token = stage.credential(Holder::Administrator, &[Permission::AccountsUpdate]).await;
    let path = format!("/v1/accounts/{}", own.id);
    let function = stage.update_account();
    let call = |call: Call| call.at(&path).bearer(&token);
    let mut rules = rules(&document, "updateAccount", "PatchAccount", &function, call);
    let schema = &document.schemas()["PatchAccount"];
    let good = document.request("updateAccount", "renamed");
    rules.agree(&good, "name").await;
    for (name, property) in members(&schema["properties"]) {
        for value in probes(name, property) {
            rules.agree(&with(&good, "", name, Some(value)), name).await;
        }
        rules.agree(&with(&good, "", name, None), name).await;
    }
    for unknown in ["id", "type", "current_password", "version"] {
        rules.agree(&with(&good, "", unknown, Some(json!("x"))), unknown).await;
    }
    rules.object(&schema["properties"]["settings"], &good, "/settings").await;
    assert!(rules.asked > 50, "{}", rules.asked);
}

#[tokio::test]
async fn a_password_of_ones_own_is_taken_as_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let function = stage.update_own_account();
    let call = |call: Call| call.bearer(&own.token);
    let mut rules = rules(&document, "updateOwnAccount", "PatchOwnAccount", &function, call);
    let password = headcount_tests::PASSWORD;
    rules.agree(&json!({"password": password, "current_password": password}), "password").await;
    rules.agree(&json!({"password": password}), "current_password").await;
    rules.agree(&json!({"current_password": password}), "password").await;
    rules.agree(&json!({"password": password, "current_password": null}), "current_password").await;
    rules.agree(&json!({"password": null, "current_password": password}), "password").await;
    rules.agree(&json!({"password": password, "current_password": ""}), "current_password").await;
    rules.agree(&json!({"status": "active"}), "status").await;
}

#[tokio::test]
async fn refresh_session_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let own = stage.own_account("owner").await;
    let function = stage.refresh_session();
    let call = |call: Call| call.bearer(&own.refresh);
    let mut rules = rules(&document, "refreshSession", "RefreshSession", &function, call);
    let keep = document.request("refreshSession", "keep");
    rules.agree(&keep, "rotate_refresh_token").await;
    for value in [json!(null), json!(""), json!("x"), json!(1), json!(false), json!([]), json!({})]
    {
        // A token that is rotated would be used up.
        if value.is_null() {
            continue;
        }
        let body = json!({ "rotate_refresh_token": value });
        rules.agree(&body, "rotate_refresh_token").await;
    }
    for unknown in ["refresh_token", "session_id", "all"] {
        rules.agree(&with(&keep, "", unknown, Some(json!("x"))), unknown).await;
    }
    assert!(rules.asked > 8, "{}", rules.asked);
}

#[tokio::test]
async fn end_session_takes_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let own = stage.own_account("owner").await;
    let function = stage.end_session();
    let call = |call: Call| call.bearer(&own.token);
    let mut rules = rules(&document, "endSession", "EndSession", &function, call);
    let another = document.request("endSession", "another_session");
    rules.agree(&another, "session_id").await;
    for value in [json!(null), json!(""), json!("x"), json!(1), json!(true), json!([]), json!({})] {
        rules.agree(&json!({ "session_id": value }), "session_id").await;
    }
    for unknown in ["id", "account", "all"] {
        rules.agree(&with(&another, "", unknown, Some(json!("x"))), unknown).await;
    }
    assert!(rules.asked > 10, "{}", rules.asked);
}

#[tokio::test]
async fn the_headers_take_what_the_document_says() {
    let (document, stage) = (Document::new(), Stage::new().await);
    let parameter = |name: &str| {
        let schema = &document.json["components"]["parameters"][name]["schema"];
        document.validator(schema)
    };
    let (_, key) = stage.seats_tenant().await;
    let validator = parameter("IdempotencyKey");
    for value in ["k", &"k".repeat(255), &"k".repeat(256), "", "two words", "ключ", "~!#\""] {
        let call = Call::text(r#"{"accounts":[{"tier":"basic"}]}"#).bearer(&key).key(value);
        let reply = call.send(&stage.create_seats()).await;
        let accepted = reply.status != 400;
        assert_eq!(validator.is_valid(&json!(value)), accepted, "{value}: {reply:?}");
    }

    let app = agency_of_the_examples(&stage).await;
    let body = document.request("createAgencyAccount", "account");
    let validator = parameter("AppIdV3");
    let id = app.id.to_string();
    for value in [&id, &id.to_lowercase(), &id.replace("LAP", "LA"), "", &id[..40]] {
        let call = Call::json(&body).bearer(&app.token).header("appidv3", value);
        let reply = call.send(&stage.create_agency_account()).await;
        assert_eq!(validator.is_valid(&json!(value)), reply.status == 200, "{value}: {reply:?}");
    }
}
