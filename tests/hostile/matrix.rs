//! Every operation of docs/openapi.json and every place in it where an identifier can stand, each sent
//! with what another tenant has there and with what nobody has: the same answer to the byte, and nothing
//! changed.
//!
//! The places are found in the document. Whoever adds an operation adds a line to `OPERATIONS`; whoever
//! adds a kind of identifier adds a line to `KINDS`, and to `Side::new` what a tenant has of it. What is
//! not there is named by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::OrganizationId;
use headcount_model::identity::{AccountStatus, PasswordHash};
use headcount_tests::{Call, Item, PASSWORD, Reply, Stage, TABLE, weak_hash};
use serde_json::{Value, json};

use crate::row::To;
use crate::tenants::Tenants;

/// Where the operations of the document are answered.
const OPERATIONS: [(&str, To); 36] = [
    ("createSeats", To::Seats),
    ("quoteSeats", To::Quote),
    ("listSeats", To::List),
    ("updateSeats", To::Update),
    ("deactivateSeats", To::Deactivate),
    ("getOrganization", To::Organization),
    ("listApiKeys", To::Keys),
    ("createApiKey", To::NewKey),
    ("updateApiKey", To::NameKey),
    ("deleteApiKey", To::EndKey),
    ("getBilling", To::Billing),
    ("getBillingHistory", To::History),
    ("openBillingPortal", To::Portal),
    ("cancelBilling", To::Cancel),
    ("resumeBilling", To::Resume),
    ("createAgencyAccount", To::Agency),
    ("listAgencyAccounts", To::Accounts),
    ("getAgencyAccount", To::Account),
    ("updateAgencyAccount", To::Change),
    ("listAccountsOfAgency", To::AccountsOfAgency),
    ("deleteAgencyAccount", To::Delete),
    ("checkDeletion", To::CanBeDeleted),
    ("checkToken", To::Token),
    ("createAccount", To::Identity),
    ("listAccounts", To::AllAccounts),
    ("getAccount", To::AnAccount),
    ("updateAccount", To::Patch),
    ("deleteAccount", To::End),
    ("getOwnAccount", To::OwnAccount),
    ("updateOwnAccount", To::OwnPatch),
    ("deleteOwnAccount", To::OwnEnd),
    ("openSession", To::LogIn),
    ("refreshSession", To::Refresh),
    ("endSession", To::EndSession),
    ("listSessions", To::Sessions),
    ("stripeWebhook", To::Webhook),
];

/// What an identifier is of, by how its pattern begins or else by its whole name. The first that fits
/// counts.
const KINDS: [(&str, Kind); 15] = [
    ("^LCUID-LAP-", Kind::Kept("app")),
    ("^LCUID-LA-", Kind::Kept("agency account")),
    ("^LCUID-LY-", Kind::Kept("agency")),
    ("^acct_", Kind::Kept("account")),
    ("^acc_", Kind::Kept("seat")),
    ("^sess_", Kind::Kept("session")),
    ("^cursor_", Kind::Cursor),
    ("^quote_", Kind::Quote),
    ("Idempotency-Key", Kind::IdempotencyKey),
    ("account_id", Kind::Kept("seat")),
    ("accountId", Kind::Kept("seat")),
    ("apiKeyId", Kind::Kept("API key")),
    ("session_id", Kind::Kept("session")),
    ("email", Kind::Kept("address")),
    ("cursor", Kind::Cursor),
];

/// Places of which the matrix says nothing, and why.
const LEFT_OUT: [(&str, &str, &str); 5] = [
    ("createAccount", "email", "that an address is taken is told (`email_exists`)"),
    ("updateAccount", "email", "the same"),
    ("updateOwnAccount", "email", "the same"),
    ("createAccount", "Idempotency-Key", "who signs up is nobody's tenant; see keys.rs"),
    ("stripeWebhook", "id", "Stripe's own, and signed by it"),
];

/// What a refused request may write, by the beginning of the partition key. Everything else may write nothing.
const WRITTEN: [(&str, &str, &str); 1] =
    [("openSession", "LOGIN#", "attempts are counted by address, whether it is anybody's or not")];

/// A name with one of these words is one of an identifier. Tokens, secrets and passwords are none: they
/// say who calls, and are the matter of credentials.rs and sessions.rs.
const WORDS: [&str; 16] = [
    "id",
    "ids",
    "lcuid",
    "lcuids",
    "slug",
    "cursor",
    "key",
    "email",
    "session",
    "agency",
    "parent",
    "parents",
    "seat",
    "account",
    "organization",
    "app",
];

/// How an identifier is come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A tenant has it from the beginning, by this name.
    Kept(&'static str),
    /// The same list gives it out.
    Cursor,
    /// A quote for the same seats gives it out.
    Quote,
    /// Whoever calls makes it up, and it names an answer: see `an_answer_is_found_by_its_own_caller_alone`.
    IdempotencyKey,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Organization,
    App,
    Account,
    Refresher,
    Administrator,
    Nobody,
}

const CALLERS: [Caller; 6] = [
    Caller::Organization,
    Caller::App,
    Caller::Account,
    Caller::Refresher,
    Caller::Administrator,
    Caller::Nobody,
];

/// Where in a request an identifier stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum In {
    Path,
    Query,
    Header,
    /// Names of members on the way; `[]` is the first of a list.
    Body(Vec<String>),
}

/// A place for an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// In a body, the names on the way with dots between them.
    name: String,
    stands: In,
    pattern: String,
}

impl Place {
    fn kind(&self) -> Option<Kind> {
        let own = self.name.trim_end_matches(".[]");
        let own = own.rsplit('.').next().unwrap_or_default();
        let fits = |form: &str| {
            if form.starts_with('^') { self.pattern.starts_with(form) } else { form == own }
        };
        KINDS.into_iter().find(|(form, _)| fits(form)).map(|(_, kind)| kind)
    }
}

/// The words of a name, in lower case: `apiKeyId`, `AppIdV3`, `account_id` and `Idempotency-Key` have some.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter.is_uppercase() || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().expect("one").extend(letter.to_lowercase());
        }
    }
    words
}

/// Whether text of this name and schema names something.
fn is_identifier(name: &str, schema: &Value) -> bool {
    let types = [&schema["type"], &schema["type"][0]];
    let is_text = types.iter().any(|kind| **kind == "string");
    let text = |name: &str| schema[name].as_str().unwrap_or_default().to_owned();
    let (pattern, description) = (text("pattern"), text("description"));
    let has = |some: &[&str]| words(name).iter().any(|word| some.contains(&word.as_str()));
    is_text
        && !has(&["token", "secret", "password"])
        && (has(&WORDS)
            || pattern.contains("LCUID")
            || pattern.contains("_[0-9a-")
            || pattern.contains("[0-9a-hjkmnp-tv-z]{26}")
            || pattern.contains("{8}-[")
            || ["uuid", "email"].contains(&text("format").as_str())
            || description.contains("_…`"))
}

/// An operation of the document.
struct Operation {
    id: String,
    path: String,
    /// The name of the security scheme, if it has one; `None` for what is not for tenants at all.
    scheme: Option<String>,
    places: Vec<Place>,
    /// Bodies that are taken.
    examples: Vec<Value>,
    names_app: bool,
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What a reference leads to, or the value itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).expect("it leads somewhere"),
        None => value,
    }
}

/// Adds the places of a body's schema.
fn add_places(document: &Value, schema: &Value, way: &[String], places: &mut Vec<Place>) {
    let schema = resolved(document, schema);
    for several in ["anyOf", "oneOf", "allOf"] {
        list(&schema[several]).for_each(|one| add_places(document, one, way, places));
    }
    let name = way.iter().rev().find(|name| *name != "[]").map_or("", String::as_str);
    if is_identifier(name, schema) {
        let pattern = schema["pattern"].as_str().unwrap_or_default().to_owned();
        places.push(Place { name: way.join("."), stands: In::Body(way.to_vec()), pattern });
    }
    let parts = members(&schema["properties"]).map(|(name, part)| (name.as_str(), part));
    for (name, part) in parts.chain(schema.get("items").map(|part| ("[]", part))) {
        let way: Vec<_> = way.iter().cloned().chain([name.to_owned()]).collect();
        add_places(document, part, &way, places);
    }
}

fn operations() -> Vec<Operation> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = std::fs::read_to_string(file).expect("the document");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in members(&document["paths"]) {
        let methods_alone = members(methods).filter(|(name, _)| *name != "parameters");
        for (_, operation) in methods_alone {
            let of_both = list(&operation["parameters"]).chain(list(&methods["parameters"]));
            let parameters: Vec<_> = of_both.map(|one| resolved(&document, one)).collect();
            let mut places = Vec::new();
            for parameter in &parameters {
                let name = parameter["name"].as_str().expect("a name");
                let schema = resolved(&document, &parameter["schema"]);
                let stands = match parameter["in"].as_str().expect("a place") {
                    "path" => In::Path,
                    "query" => In::Query,
                    "header" => In::Header,
                    other => panic!("{path}: a parameter in {other}"),
                };
                // What stands in a path names something, whatever it is called.
                if stands == In::Path || is_identifier(name, schema) {
                    let pattern = schema["pattern"].as_str().unwrap_or_default().to_owned();
                    places.push(Place { name: name.to_owned(), stands, pattern });
                }
            }
            let content = &operation["requestBody"]["content"]["application/json"];
            let mut of_body = Vec::new();
            add_places(&document, &content["schema"], &[], &mut of_body);
            for place in of_body {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            let schemes = list(&operation["security"]).flat_map(members);
            let scheme = schemes.map(|(name, _)| name.clone()).last();
            let is_open = list(&operation["security"]).any(|one| members(one).count() == 0);
            operations.push(Operation {
                id: operation["operationId"].as_str().expect("an id").to_owned(),
                path: path.clone(),
                scheme: scheme.or_else(|| is_open.then(|| "nobody".to_owned())),
                examples: members(&content["examples"])
                    .map(|(_, example)| example["value"].clone())
                    .collect(),
                names_app: parameters.iter().any(|one| one["name"] == "AppIdV3"),
                places: {
                    let id = operation["operationId"].as_str().expect("an id");
                    let is_left_out = |place: &Place| {
                        LEFT_OUT
                            .iter()
                            .any(|(of, name, _)| (*of, *name) == (id, place.name.as_str()))
                    };
                    places.into_iter().filter(|place| !is_left_out(place)).collect()
                },
            });
        }
    }
    operations
}

impl Operation {
    fn to(&self) -> Option<To> {
        OPERATIONS.into_iter().find(|(id, _)| *id == self.id).map(|(_, to)| to)
    }

    /// Who it is for.
    fn caller(&self) -> Option<Caller> {
        match self.scheme.as_deref()? {
            "apiKey" => Some(Caller::Organization),
            "appToken" => Some(Caller::App),
            "accountToken" => Some(Caller::Account),
            "refreshToken" => Some(Caller::Refresher),
            "adminToken" => Some(Caller::Administrator),
            "nobody" => Some(Caller::Nobody),
            _ => None,
        }
    }

    /// A good request of a side, but for one place.
    fn request(&self, side: &Side, caller: Caller, other: Option<(&Place, &str)>) -> Call {
        let mut call = match self.body(side, other) {
            Some(body) => Call::json(&body),
            None => Call::empty(),
        };
        let mut path = self.path.clone();
        for place in &self.places {
            let named = other.filter(|(one, _)| *one == place).map(|(_, id)| id);
            let own = || match (place.kind(), &place.stands) {
                // What stands in a query narrows it, and may be left out.
                (Some(Kind::Kept(_)), In::Query) => None,
                (Some(Kind::Kept(kind)), _) => side.ids.get(kind).map(String::as_str),
                _ => None,
            };
            let Some(id) = named.or_else(own) else { continue };
            match place.stands {
                In::Path => path = path.replace(&format!("{{{}}}", place.name), id),
                In::Query => call = call.query(&place.name, id),
                In::Header => call = call.header(&place.name.to_lowercase(), id),
                In::Body(_) => {}
            }
        }
        call = call.at(&path);
        match side.credentials.get(&(caller as u8)) {
            Some(credential) => call.bearer(credential),
            None => call,
        }
    }

    /// A body that is taken, with the side's own identifiers, but for one place.
    fn body(&self, side: &Side, other: Option<(&Place, &str)>) -> Option<Value> {
        let way = |place: &Place| match &place.stands {
            In::Body(way) => Some(way.clone()),
            _ => None,
        };
        let wanted = other.and_then(|(place, _)| way(place));
        let has = |body: &&Value| wanted.as_ref().is_some_and(|way| is_there(body, way));
        let mut body = self.examples.iter().find(has).or(self.examples.first())?.clone();
        for place in &self.places {
            if let (Some(way), Some(Kind::Kept(kind))) = (way(place), place.kind())
                && let Some(own) = side.ids.get(kind)
                && is_there(&body, &way)
            {
                put(&mut body, &way, own);
            }
        }
        if let (Some(way), Some((_, id))) = (wanted, other) {
            put(&mut body, &way, id);
        }
        Some(body)
    }

    /// What a side has at a place; `None` when nobody has said how it is come by.
    async fn made(&self, world: &World, place: &Place, side: &Side) -> Option<String> {
        let (caller, to) = (self.caller()?, self.to()?);
        match place.kind()? {
            Kind::Kept(kind) => side.ids.get(kind).cloned(),
            Kind::Quote => {
                let body = json!({ "accounts": self.body(side, None)?["accounts"] });
                let call = Call::json(&body).bearer(side.credential(Caller::Organization));
                let reply = world.send(To::Quote, &call).await;
                found(&reply.json(), "quote_id")
            }
            Kind::Cursor => {
                let call = match &place.stands {
                    In::Body(_) => {
                        let mut body = self.body(side, None)?;
                        // The cursor goes with the filters, which are those that it is sent with.
                        body["limit"] = json!(1);
                        Call::json(&body).bearer(side.credential(caller))
                    }
                    _ => self.request(side, caller, None).query("limit", "1"),
                };
                found(&world.send(to, &call).await.json(), "next_cursor")
            }
            Kind::IdempotencyKey => Some("a-key-of-another-tenant".to_owned()),
        }
    }
}

/// The first text of this name, wherever it stands.
fn found(value: &Value, name: &str) -> Option<String> {
    let own = value[name].as_str().map(str::to_owned);
    own.or_else(|| members(value).find_map(|(_, part)| found(part, name)))
}

fn is_there(body: &Value, way: &[String]) -> bool {
    match way {
        [] => !body.is_null(),
        [name, rest @ ..] if name == "[]" => body.get(0).is_some_and(|one| is_there(one, rest)),
        [name, rest @ ..] => body.get(name).is_some_and(|one| is_there(one, rest)),
    }
}

/// Puts text at a place, and leaves one element of each list on the way.
fn put(body: &mut Value, way: &[String], text: &str) {
    match way {
        [] => *body = json!(text),
        [name, rest @ ..] if name == "[]" => {
            let mut one = body.get(0).cloned().unwrap_or_default();
            put(&mut one, rest, text);
            *body = json!([one]);
        }
        [name, rest @ ..] => put(&mut body[name.as_str()], rest, text),
    }
}

/// One of the two tenants: an organization, an agency and an account.
struct Side {
    /// By the number of the caller.
    credentials: BTreeMap<u8, String>,
    /// What it has, by kind.
    ids: BTreeMap<&'static str, String>,
}

impl Side {
    async fn new(tenants: &Tenants, name: &str, password: &str) -> Self {
        let stage = &tenants.stage;
        let organization = stage.organization(Some(SubscriptionStatus::Active), 100).await;
        let holder = Holder::Organization(organization.clone());
        let key = stage.credential(holder.clone(), &Permission::ALL).await;
        let other_key = stage.credential(holder, &[Permission::KeysManage]).await;
        let seats = json!({"accounts": [{"tier": "basic"}, {"tier": "premium"}]});
        let made = tenants.send(To::Seats, &Call::json(&seats).bearer(&key).event()).await;
        told(stage, &organization).await;

        let agency = stage.agency_tenant().await;
        let manager = stage.credential(agency.holder(), &Permission::ALL).await;

        let hash = PasswordHash::of_phc(weak_hash(password, 8));
        let own = stage.account_hashed(name, hash, AccountStatus::Active).await;
        let session = stage.session_of(&own.id, &own.email, 0).await.session.id.to_string();

        let administrator = stage.credential(Holder::Administrator, &Permission::ALL).await;
        Self {
            ids: BTreeMap::from([
                ("seat", begins(&made.text, "acc_", 30)),
                ("API key", other_key[3..29].to_owned()),
                ("agency", agency.lcuid),
                ("agency account", agency.parent),
                ("app", agency.app),
                ("account", own.id.to_string()),
                ("session", session),
                ("address", own.email),
            ]),
            credentials: BTreeMap::from([
                (Caller::Organization as u8, key),
                (Caller::App as u8, manager),
                (Caller::Account as u8, own.token),
                (Caller::Refresher as u8, own.refresh),
                (Caller::Administrator as u8, administrator),
            ]),
        }
    }

    fn credential(&self, caller: Caller) -> &str {
        self.credentials.get(&(caller as u8)).map_or("", String::as_str)
    }
}

/// The first text that begins so, of so many letters.
fn begins(text: &str, prefix: &str, length: usize) -> String {
    let at = text.find(prefix).unwrap_or_else(|| panic!("no {prefix} in {text}"));
    text[at..at + length].to_owned()
}

/// Two entries of the billing history, past the use case.
async fn told(stage: &Stage, organization: &OrganizationId) {
    for version in 1..=2 {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: u64| AttributeValue::N(number.to_string());
        let item = stage.client.put_item().table_name(TABLE);
        let item = item
            .item("pk", text(&format!("ORG#{organization}")))
            .item("sk", text(&format!("TOLD#{version:020}#told")))
            .item("organization", text(organization.as_str()))
            .item("version", number(version))
            .item("since", number(version - 1))
            .item("outcome", text("told"))
            .item("after_basic", number(version))
            .item("after_premium", number(0))
            .item("proration_behavior", text("create_prorations"))
            .item("stripe_subscription", text(&format!("sub_{organization}")))
            .item("idempotency_key", text("key"))
            .item("begun_at", text("2026-02-03T18:12:47.000000Z"))
            .item("answered_at", text("2026-02-03T18:12:47.000000Z"));
        item.send().await.expect("an item");
    }
}

/// A table with both.
struct World {
    tenants: Tenants,
    ours: Side,
    theirs: Side,
}

impl World {
    /// Any two of them are the same to the byte: time stands still and randomness repeats itself.
    async fn new() -> Self {
        let tenants = Tenants::new().await;
        let ours = Side::new(&tenants, "matrix.owner1", PASSWORD).await;
        let theirs = Side::new(&tenants, "matrix.owner2", "quite another password").await;
        Self { tenants, ours, theirs }
    }

    async fn send(&self, to: To, call: &Call) -> Reply {
        self.tenants.send(to, &call.event()).await
    }

    /// Every item by its key, but for what a refusal of the operation may write.
    async fn items(&self, operation: &Operation) -> BTreeMap<(String, String), Item> {
        let mut items = self.tenants.stage.snapshot().await;
        let mut may_be_written = WRITTEN.iter().filter(|(of, ..)| *of == operation.id);
        if let Some((_, prefix, _)) = may_be_written.next() {
            items.retain(|(pk, _), _| !pk.starts_with(prefix));
        }
        items
    }

    /// Whether something tells of what the other tenant has.
    fn tells_of_them<'i>(&'i self, text: &str) -> Option<&'i str> {
        self.theirs.ids.values().map(String::as_str).find(|id| text.contains(id))
    }
}

/// An identifier of the same form that nobody has: with other digits, or without digits another letter.
fn missing(id: &str) -> String {
    for tail in [id.len().saturating_sub(12), 0] {
        let turned = id.char_indices().map(|(at, letter)| match letter.to_digit(10) {
            Some(digit) if at >= tail => char::from_digit((digit + 1) % 10, 10).expect("a digit"),
            _ => letter,
        });
        let turned: String = turned.collect();
        if turned != id {
            return turned;
        }
    }
    let other = if id.ends_with('b') { 'c' } else { 'b' };
    format!("{}{other}", &id[..id.len() - 1])
}

/// What there is to compare of an answer: all but the id of the request and the date.
fn bytes(reply: &Reply, id: &str) -> String {
    let mut headers = reply.headers.clone();
    headers.retain(|name, _| !["x-request-id", "date"].contains(&name.as_str()));
    let headers = Value::Object(headers).to_string();
    format!("{} {headers} {}", reply.status, reply.text).replace(id, "<id>")
}

/// What a caller names in the place of the other tenant's object. An administrator has all accounts
/// before it: no account is another's, and its own is not compared with nobody's. What it must not learn
/// is whether an id with another beginning is a seat's, nor go on in an organization's list.
async fn foreign(world: &World, operation: &Operation, place: &Place, caller: Caller) -> String {
    if operation.caller() == Some(Caller::Administrator) && caller == Caller::Administrator {
        match place.kind() {
            Some(Kind::Kept("account")) => {
                return world.theirs.ids["seat"].replacen("acc_", "acct_", 1);
            }
            // An address that is kept from others after its account was closed is nobody's.
            Some(Kind::Kept("address")) => {
                let stage = &world.tenants.stage;
                let closed = stage.own_account("matrix.closed").await;
                stage.close(&closed.id).await;
                return closed.email;
            }
            Some(Kind::Cursor) => {
                let call = Call::json(&json!({"limit": 1}));
                let call = call.bearer(world.theirs.credential(Caller::Organization));
                let reply = world.send(To::List, &call).await;
                return found(&reply.json(), "next_cursor").expect("there is more");
            }
            _ => {}
        }
    }
    operation.made(world, place, &world.theirs).await.expect("it can be made")
}

#[tokio::test]
async fn every_place_can_be_filled() {
    let world = World::new().await;
    let (mut wrong, mut kinds, mut places) = (Vec::new(), BTreeSet::new(), 0);
    for operation in operations() {
        let id = &operation.id;
        if operation.to().is_none() {
            wrong.push(format!("{id}: OPERATIONS does not say where it is answered"));
        }
        if operation.caller().is_none() && operation.scheme.is_some() {
            wrong.push(format!("{id}: nobody is known to call by {:?}", operation.scheme));
        }
        if operation.names_app != (operation.scheme.as_deref() == Some("appToken")) {
            wrong.push(format!("{id}: an app is to be named, or is not, against the others"));
        }
        for place in &operation.places {
            places += 1;
            kinds.insert(format!("{:?}", place.kind()));
            for side in [&world.ours, &world.theirs] {
                if operation.made(&world, place, side).await.is_none() {
                    wrong.push(format!("{id}: KINDS does not say what {place:?} is"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Found by rule: what finds nothing says nothing.
    assert!(places >= 35 && kinds.len() >= 11, "{places} {kinds:?}");
}

#[test]
fn names_and_schemas_tell_identifiers() {
    let text = json!({"type": ["string", "null"]});
    for name in ["id", "apiKeyId", "AppIdV3", "parent_account_lcuid", "Idempotency-Key", "cursor"] {
        assert!(is_identifier(name, &text), "{name}");
    }
    for name in ["keywords", "name", "description", "org_group", "password", "If-Match", "valid"] {
        assert!(!is_identifier(name, &text), "{name}");
    }
    let of_pattern = json!({"type": "string", "pattern": "^acc_[0-9a-hjkmnp-tv-z]{26}$"});
    assert!(is_identifier("these", &of_pattern));
    assert!(!is_identifier("id", &json!({"type": "integer"})));
}

#[tokio::test]
async fn foreign_and_missing_are_one_answer_and_change_nothing() {
    let mut wrong = Vec::new();
    let mut asked = 0;
    for operation in operations() {
        let (Some(to), Some(right)) = (operation.to(), operation.caller()) else { continue };
        for place in &operation.places {
            if place.kind().is_none_or(|kind| kind == Kind::IdempotencyKey) {
                continue;
            }
            let world = World::new().await;
            for caller in CALLERS {
                let theirs = foreign(&world, &operation, place, caller).await;
                let nobodys = missing(&theirs);
                let before = world.items(&operation).await;
                assert!(!format!("{before:?}").contains(&nobodys), "{nobodys} is there");
                let mut answers = Vec::new();
                for id in [&theirs, &nobodys] {
                    let call = operation.request(&world.ours, caller, Some((place, id.as_str())));
                    let reply = world.send(to, &call).await;
                    if world.items(&operation).await != before {
                        wrong.push(format!("{} {} {caller:?}: changed", operation.id, place.name));
                    }
                    answers.push(bytes(&reply, id));
                    asked += 1;
                }
                if answers[0] != answers[1] || answers[0].starts_with('5') {
                    let what = format!("{} {} {caller:?}", operation.id, place.name);
                    wrong.push(format!("{what}:\n  {}\n  {}", answers[0], answers[1]));
                }
            }
            // It was the identifier alone that was not good.
            let own = operation.made(&world, place, &world.ours).await.expect("it can be made");
            let call = operation.request(&world.ours, right, Some((place, own.as_str())));
            let reply = world.send(to, &call).await;
            if reply.status >= 400 {
                let what = format!("{} {}", operation.id, place.name);
                wrong.push(format!("{what}: its own is refused: {} {}", reply.status, reply.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 200, "{asked}");
}

#[tokio::test]
async fn no_answer_tells_of_another_tenant() {
    let mut wrong = Vec::new();
    for operation in operations() {
        let (Some(to), Some(caller)) = (operation.to(), operation.caller()) else { continue };
        let world = World::new().await;
        let reply = world.send(to, &operation.request(&world.ours, caller, None)).await;
        if reply.status >= 400 {
            wrong.push(format!("{}: {} {}", operation.id, reply.status, reply.text));
        }
        // Administrators have everybody before them.
        if let Some(id) = world.tells_of_them(&reply.text)
            && caller != Caller::Administrator
        {
            wrong.push(format!("{} tells of {id}", operation.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A key that another tenant has used is as good as one that nobody has. Both are carried out, so that
/// each has a world of its own, and these are the same to the byte until then.
#[tokio::test]
async fn an_answer_is_found_by_its_own_caller_alone() {
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for operation in operations() {
        let (Some(to), Some(caller)) = (operation.to(), operation.caller()) else { continue };
        let is_key = |place: &&Place| place.kind() == Some(Kind::IdempotencyKey);
        let Some(place) = operation.places.iter().find(is_key) else { continue };
        let mut answers = Vec::new();
        for key in ["a-key-of-another-tenant", "b-key-of-another-tenant"] {
            let world = World::new().await;
            let used = Some((place, "a-key-of-another-tenant"));
            let first = world.send(to, &operation.request(&world.theirs, caller, used)).await;
            let before = world.tenants.stage.snapshot().await;
            let call = operation.request(&world.ours, caller, Some((place, key)));
            let reply = world.send(to, &call).await;
            let after = world.tenants.stage.snapshot().await;
            if first.status >= 400 || reply.status >= 400 || reply.is_replay() {
                let answers = format!("{}\n  {}", bytes(&first, key), bytes(&reply, key));
                wrong.push(format!("{}:\n  {answers}", operation.id));
            }
            for (name, item) in &before {
                let text = format!("{item:?}");
                if after.get(name) != Some(item) && world.tells_of_them(&text).is_some() {
                    wrong.push(format!("{} changed {name:?}", operation.id));
                }
            }
            answers.push(bytes(&reply, key));
            asked += 1;
        }
        if answers[0] != answers[1] {
            wrong.push(format!("{}:\n  {}\n  {}", operation.id, answers[0], answers[1]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 16, "{asked}");
}
