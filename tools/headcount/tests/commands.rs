//! The program itself, against the embedded DynamoDB and the Stripe stand-in.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::future::Future;
use std::process::{Command, Output};
use std::sync::mpsc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use headcount_billing::stripe::Stripe;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

const TABLE: &str = "headcount-test";
const REGION: &str = "us-east-1";

type Item = HashMap<String, AttributeValue>;

/// An AWS with an empty table, and a Stripe account without anything in it.
struct World {
    aws: String,
    stripe: String,
    client: Client,
    runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let aws = serve(|| async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let database = dynoxide::Database::memory().expect("SQLite in memory");
            (address, dynoxide::server::serve_on(listener, database))
        });
        let stripe = serve(|| async {
            let server = stripe_stand_in::Server::bind(0, None).await.expect("a port");
            (server.address(), async {
                let forever = std::future::pending::<()>();
                server.run(forever).await.expect("serving");
            })
        });
        let runtime = runtime();
        let client = client(&aws);
        runtime.block_on(create_table(&client));
        Self { aws, stripe, client, runtime }
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
        // Nothing of the machine: its credentials are for something else.
        command
            .env_clear()
            .env("AWS_ENDPOINT_URL", &self.aws)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("TABLE_NAME", TABLE)
            .env("STRIPE_API_BASE", &self.stripe)
            .env("STRIPE_API_KEY", "sk_test_commands")
            .args(line);
        command
    }

    /// What a command that works prints, as JSON.
    fn run(&self, line: &[&str]) -> Value {
        let output = self.command(line).args(["--output", "json"]).output();
        let output = output.expect("the program starts");
        assert!(output.status.success(), "{line:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    }

    /// Exit code and message of a command that does not work.
    fn fail(&self, line: &[&str]) -> (i32, String) {
        failed(self.command(line))
    }

    fn stripe(&self) -> Stripe {
        Stripe::new(&self.stripe, "sk_test_commands".into()).expect("a client")
    }

    fn stripe_get(&self, path: &str) -> Value {
        let stripe = self.stripe();
        self.runtime.block_on(stripe.get(path, &[])).expect("Stripe answers")
    }

    /// The objects of a list at Stripe.
    fn at_stripe(&self, path: &str) -> Vec<Value> {
        let mut list = self.stripe_get(path);
        match list["data"].take() {
            Value::Array(objects) => objects,
            other => panic!("no list: {other}"),
        }
    }

    fn post(&self, path: &str, form: &[(&str, &str)], key: &str) -> Value {
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let form: Vec<_> = form.collect();
        let stripe = self.stripe();
        let key = format!("{path}:{key}");
        self.runtime.block_on(stripe.post(path, &form, &key)).expect("Stripe answers")
    }

    /// A subscription that nobody has told us of.
    /// Writes an item of texts by hand.
    fn put(&self, attributes: &[(&str, &str)]) {
        let item = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())));
        let put = self.client.put_item().table_name(TABLE).set_item(Some(item.collect()));
        self.runtime.block_on(put.send()).expect("the table takes it");
    }

    fn subscribe(&self, price: &str, key: &str) -> String {
        self.subscribe_to(price, "0", key)
    }

    fn subscribe_to(&self, price: &str, quantity: &str, key: &str) -> String {
        let customer = self.post("/v1/customers", &[("name", "By hand")], key);
        let form = [
            ("customer", text(&customer, "id")),
            ("items[0][price]", price),
            ("items[0][quantity]", quantity),
        ];
        text(&self.post("/v1/subscriptions", &form, key), "id").to_owned()
    }

    /// Moves a subscription to a status, as if it had happened at Stripe.
    fn set_status(&self, subscription: &str, status: &str) {
        let url = format!("{}/_stand-in/subscriptions/{subscription}/status", self.stripe);
        let body = json!({ "status": status }).to_string();
        let answer = reqwest::Client::new().post(url).body(body).send();
        assert!(self.runtime.block_on(answer).expect("an answer").status().is_success());
    }

    /// Writes attributes of an organization's billing record.
    fn set(&self, org: &str, attributes: &[(&str, AttributeValue)]) {
        for (name, value) in attributes {
            let update = self
                .client
                .update_item()
                .table_name(TABLE)
                .key("pk", AttributeValue::S(format!("ORG#{org}")))
                .key("sk", AttributeValue::S("BILLING".to_owned()))
                .update_expression(format!("SET {name} = :value"))
                .expression_attribute_values(":value", value.clone());
            self.runtime.block_on(update.send()).expect("an update");
        }
    }

    fn items(&self) -> Vec<Item> {
        let scan = self.client.scan().table_name(TABLE).consistent_read(true);
        let output = self.runtime.block_on(scan.send()).expect("a scan");
        output.items.unwrap_or_default()
    }

    fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        let is = |item: &Item, name: &str, value: &str| {
            item.get(name) == Some(&AttributeValue::S(value.to_owned()))
        };
        let found = |item: &Item| is(item, "pk", pk) && is(item, "sk", sk);
        self.items().into_iter().find(found)
    }
}

/// Runs a server on a thread of its own for the rest of the process; returns its address.
fn serve<Start, Started, Serving>(start: Start) -> String
where
    Start: FnOnce() -> Started + Send + 'static,
    Started: Future<Output = (std::net::SocketAddr, Serving)>,
    Serving: Future<Output = ()>,
{
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let (address, serving) = start().await;
            send.send(address).expect("the test waits");
            serving.await;
        });
    });
    format!("http://{}", receive.recv().expect("the server starts"))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn client(endpoint: &str) -> Client {
    Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build(),
    )
}

async fn create_table(client: &Client) {
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("complete")
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete")
    };
    let behind = GlobalSecondaryIndex::builder()
        .index_name("behind")
        .key_schema(key("behind_shard", KeyType::Hash))
        .key_schema(key("behind_since", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("complete");
    let accounts = GlobalSecondaryIndex::builder()
        .index_name("accounts")
        .key_schema(key("sk", KeyType::Hash))
        .key_schema(key("listed_as", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("complete");
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(
            ["pk", "sk", "behind_shard", "behind_since", "listed_as"].map(attribute).to_vec(),
        ))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(behind)
        .global_secondary_indexes(accounts)
        .send()
        .await
        .expect("a table");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn failed(mut command: Command) -> (i32, String) {
    let output = command.output().expect("the program starts");
    assert!(output.stdout.is_empty(), "a failure prints no result");
    (output.status.code().expect("an exit"), stderr(&output))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a text")
}

/// Names of the fields, in order of the alphabet.
fn fields(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// The line that creates an organization with 100,000 seats at most, whatever they cost.
fn create<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let limits = ["--seat-limit", "100000", "--spending-limit", "none"];
    [&["org", "create", "--name", name][..], &limits, more].concat()
}

/// The secret half of a credential.
fn secret(credential: &str) -> &str {
    let (id, secret) = credential
        .strip_prefix("hc_")
        .and_then(|rest| rest.split_once('_'))
        .expect("hc_<id>_<secret>");
    assert_eq!((id.len(), secret.len()), (26, 64));
    secret
}

#[test]
fn an_organization_without_billing() {
    let world = World::new();
    let made = world.run(&create(" Demo Studio ", &[]));
    let org = text(&made, "org").to_owned();
    assert_eq!(made, json!({"org": org, "customer": null, "subscription": null}));
    let shown = world.run(&["org", "show", &org]);
    assert_eq!(
        shown,
        json!({
            "id": org,
            "name": "Demo Studio",
            "created_at": shown["created_at"],
            "billing": {
                "status": null, "customer": null, "subscription": null,
                "seats": {"basic": 0, "premium": 0}, "seat_limit": 100_000,
                "seats_left": 100_000, "spending_limit": null, "cents_left": null,
                "proration_behavior": "create_prorations", "fewer_seats": "none",
                "seats_end": "at_once",
                "version": 0, "applied_version": 0, "behind_since": null, "last_error": null,
            },
        })
    );
}

#[test]
fn an_organization_is_finished_under_its_id_and_no_other_name() {
    let world = World::new();
    let line = ["org", "create", "--name", "A", "--seat-limit", "7", "--spending-limit", "none"];
    let made = world.run(&line);
    let org = text(&made, "org");
    let again = [&line[..], &["--org-id", org]].concat();
    assert_eq!(world.run(&again), made);
    // The organization, its billing record and its entry in the directory.
    assert_eq!(world.items().len(), 3);
    let (code, message) = world.fail(&["org", "create", "--name", "B", "--org-id", org]);
    assert_eq!(code, 1);
    assert!(message.contains("another name"), "{message}");
}

#[test]
fn a_new_organization_has_the_limits_that_were_said_and_is_not_made_without() {
    let world = World::new();
    let limits = ["--seat-limit", "5", "--spending-limit", "50000"];
    let made = world.run(&[&["org", "create", "--name", "A"][..], &limits].concat());
    let billing = world.run(&["org", "show", text(&made, "org")])["billing"].clone();
    let shown = ["seat_limit", "seats_left", "spending_limit", "cents_left"];
    assert_eq!(shown.map(|name| billing[name].clone()), [5, 5, 50_000, 50_000].map(Value::from));
    assert_eq!(world.items().len(), 3);

    let unknown = "org_01k6z3v8m4t5q7r9w2x1y0abcd";
    let (code, message) = world.fail(&["org", "create", "--name", "B", "--org-id", unknown]);
    assert_eq!(code, 2);
    assert!(message.contains("--seat-limit and --spending-limit"), "{message}");
    assert_eq!(world.items().len(), 3, "nothing was made");
}

#[test]
fn credentials_are_told_once_and_kept_as_hashes() {
    let world = World::new();
    let org = world.run(&create("A", &[]));
    let agency = world.run(&["agency", "create", "--name", "B"]);
    let agency = text(&agency, "agency_lcuid");
    let app = world.run(&["app", "create", "--agency", agency, "--name", "C"]);
    let token = ["token", "create", "--app", text(&app, "app_id"), "--agency", agency];
    let create_seats = ["--permission", "accounts:create"];
    let create_accounts = ["--permission", "agency.createAccounts"];
    let api_key = ["api-key", "create", "--org", text(&org, "org")];
    let lines = [
        [&api_key[..], &create_seats].concat(),
        [&api_key[..], &create_seats, &["--expires-in-days", "30"]].concat(),
        token.to_vec(),
        [&token[..], &create_accounts].concat(),
        [&["admin-token", "create"], &create_seats[..]].concat(),
    ];
    let made: Vec<_> = lines.iter().map(|line| world.run(line)).collect();
    let kept = format!("{:?}", world.items());
    for made in &made {
        assert_eq!(fields(made), ["credential", "id"]);
        let credential = text(made, "credential");
        assert!(credential.contains(text(made, "id")));
        assert!(kept.contains(text(made, "id")));
        assert!(!kept.contains(secret(credential)), "a secret is in the table");
    }
    let row = |n: usize| {
        let id = text(&made[n], "id");
        world.item(&format!("CREDENTIAL#{id}"), "CREDENTIAL").expect("kept")
    };
    let permissions = |n: usize| format!("{:?}", row(n)["permissions"]);
    assert!(permissions(0).contains("accounts:create"));
    assert_eq!(row(2)["permissions"], AttributeValue::L(Vec::new()));
    assert!(permissions(3).contains("agency.createAccounts"));
    assert!(!row(0).contains_key("valid_until"));
    assert!(row(1).contains_key("valid_until"));
}

#[test]
fn a_credential_needs_its_holder() {
    let world = World::new();
    let nobody = "org_01k6z3v8m4t5q7r9w2x1y0abcd";
    let agencies = ["A", "B"].map(|name| world.run(&["agency", "create", "--name", name]));
    let [one, other] = agencies.each_ref().map(|made| text(made, "agency_lcuid"));
    let app = world.run(&["app", "create", "--agency", one, "--name", "C"]);
    let before = world.items().len();
    let permission = ["--permission", "accounts:create"];
    for line in [
        [&["api-key", "create", "--org", nobody], &permission[..]].concat(),
        ["token", "create", "--app", text(&app, "app_id"), "--agency", other].to_vec(),
        ["org", "show", nobody].to_vec(),
        ["credential", "revoke", "01k6z3v8m4t5q7r9w2x1y0abcd"].to_vec(),
        [
            "app",
            "create",
            "--agency",
            "LCUID-LY-60f1bc3d-4172-45ad-be4d-1dcbfce926ef",
            "--name",
            "A",
        ]
        .to_vec(),
        [
            "agency-account",
            "create",
            "--agency",
            "LCUID-LY-60f1bc3d-4172-45ad-be4d-1dcbfce926ef",
            "--name",
            "A",
        ]
        .to_vec(),
    ] {
        let (code, message) = world.fail(&line);
        assert_eq!(code, 1, "{line:?}");
        assert!(message.contains("there is no such"), "{line:?}: {message}");
    }
    assert_eq!(world.items().len(), before);
}

#[test]
fn revoking_is_for_good_and_harmless_to_repeat() {
    let world = World::new();
    let made = world.run(&["admin-token", "create", "--permission", "accounts:create"]);
    let id = text(&made, "id");
    let revoked = || {
        let row = world.item(&format!("CREDENTIAL#{id}"), "CREDENTIAL");
        row.expect("kept")["revoked"].clone()
    };
    assert_eq!(revoked(), AttributeValue::Bool(false));
    for _ in 0..2 {
        let told = world.run(&["credential", "revoke", id]);
        assert_eq!(told, json!({"id": id, "revoked": true}));
        assert_eq!(revoked(), AttributeValue::Bool(true));
    }
}

#[test]
fn accounts_of_an_agency_have_slugs_of_their_own() {
    let world = World::new();
    let agency = world.run(&["agency", "create", "--name", "A"]);
    let agency = text(&agency, "agency_lcuid");
    let line = ["agency-account", "create", "--agency", agency, "--name", "Demo Parent"];
    let parent = world.run(&[&line[..], &["--parent"]].concat());
    let plain = world.run(&line);
    assert_eq!(fields(&parent), ["lcuid", "slug"]);
    assert_eq!(text(&parent, "slug"), "DemoParent");
    assert_eq!(text(&plain, "slug"), "DemoParent2");
    let is_parent = |made: &Value| {
        let sk = format!("ACCOUNT#{}", text(made, "lcuid"));
        world.item(&format!("AGENCY#{agency}"), &sk).expect("kept")["is_parent_account"].clone()
    };
    assert_eq!(is_parent(&parent), AttributeValue::Bool(true));
    assert_eq!(is_parent(&plain), AttributeValue::Bool(false));
}

#[test]
fn an_account_is_made_a_parent_and_none_again() {
    let world = World::new();
    let agency = world.run(&["agency", "create", "--name", "A"]);
    let agency = text(&agency, "agency_lcuid");
    let made = world.run(&["agency-account", "create", "--agency", agency, "--name", "Below"]);
    let lcuid = text(&made, "lcuid");
    let line = ["agency-account", "set-parent", "--agency", agency, "--account", lcuid, "--parent"];
    let audit = || {
        let is_entry =
            |item: &Item| matches!(&item["sk"], AttributeValue::S(sk) if sk.starts_with("AUDIT#"));
        world.items().into_iter().filter(is_entry).count()
    };
    for (value, changed, entries) in
        [("true", true, 1), ("true", false, 1), ("false", true, 2), ("false", false, 2)]
    {
        let told = world.run(&[&line[..], &[value]].concat());
        let is_parent = value == "true";
        let expected = json!({"lcuid": lcuid, "is_parent_account": is_parent, "changed": changed});
        assert_eq!((told, audit()), (expected, entries));
        let kept = world.item(&format!("AGENCY#{agency}"), &format!("ACCOUNT#{lcuid}"));
        assert_eq!(kept.expect("kept")["is_parent_account"], AttributeValue::Bool(is_parent));
    }
    assert_eq!(world.fail(&[&line[..], &["perhaps"]].concat()).0, 2);
    let other = world.run(&["agency", "create", "--name", "B"]);
    let mut of_other = [&line[..], &["true"]].concat();
    of_other[3] = text(&other, "agency_lcuid");
    let (code, message) = world.fail(&of_other);
    assert!(code == 1 && message.contains("there is no such account of this agency"), "{message}");
    assert_eq!(audit(), 2);
}

#[test]
fn a_table_tells_that_a_secret_is_shown_once() {
    let world = World::new();
    let line = ["admin-token", "create", "--permission", "accounts:create"];
    let output = world.command(&line).output().expect("the program starts");
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(told.contains("│ credential ┆ hc_"), "{told}");
    assert!(told.contains("shown this once"), "{told}");
}

#[test]
fn usage_errors_end_with_two_and_say_what_to_do() {
    let world = World::new();
    let mut without_table = world.command(&["agency", "create", "--name", "A"]);
    without_table.env_remove("TABLE_NAME");
    let mut without_key = world.command(&["stripe", "setup"]);
    without_key.env_remove("STRIPE_API_KEY");
    let mut live_key = world.command(&["stripe", "setup"]);
    live_key.env("STRIPE_API_KEY", "sk_live_1");
    let both = world.command(&["stripe", "setup", "--stack-file", "x", "--table", "t"]);
    for (command, advice) in [
        (without_table, "TABLE_NAME"),
        (without_key, "STRIPE_API_KEY"),
        (live_key, "https"),
        (both, "Leave out"),
        (world.command(&["org", "make"]), "--help"),
    ] {
        let (code, message) = failed(command);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(advice), "{message}");
        assert!(!message.contains("sk_live_1"), "{message}");
    }
}

#[test]
fn a_table_that_is_not_there_is_a_failure_with_its_cause() {
    let world = World::new();
    let (code, message) = world.fail(&["agency", "create", "--name", "A", "--table", "nothing"]);
    assert_eq!(code, 1);
    assert!(message.contains("ResourceNotFoundException"), "{message}");
    assert!(message.contains("Check --table"), "{message}");
}

#[test]
fn a_stack_file_stands_for_the_environment() {
    let world = World::new();
    let file = std::env::temp_dir().join(format!("headcount-stack-{}.json", std::process::id()));
    let stack = json!({
        "api": "http://127.0.0.1:1",
        "aws_endpoint": world.aws,
        "aws": {"region": REGION, "access_key_id": "test", "secret_access_key": "test"},
        "table": TABLE,
        "stripe": world.stripe,
        "demo": {},
    });
    std::fs::write(&file, stack.to_string()).expect("a temporary file");
    let run = |line: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
        command
            .env_clear()
            .env("HEADCOUNT_STACK", &file)
            // What it stands for must not leak through.
            .env("TABLE_NAME", "another")
            .env("STRIPE_API_KEY", "sk_live_1")
            .args(["--output", "json"])
            .args(line);
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    run(&["stripe", "setup"]);
    let made = run(&create("A", &["--with-billing"]));
    assert!(world.item(&format!("ORG#{}", text(&made, "org")), "BILLING").is_some());
    std::fs::remove_file(&file).expect("it is there");
}

#[test]
fn the_prices_are_made_once() {
    let world = World::new();
    let made = world.run(&["stripe", "setup"]);
    assert_eq!(fields(&made), ["price_basic", "price_premium"]);
    assert!(text(&made, "price_basic").starts_with("price_"));
    assert_ne!(made["price_basic"], made["price_premium"]);
    assert_eq!(world.run(&["stripe", "setup"]), made);
}

#[test]
fn an_organization_with_billing() {
    let world = World::new();
    let line = create("A", &["--with-billing"]);
    let (code, message) = world.fail(&line);
    assert_eq!(code, 1);
    assert!(message.contains("headcount stripe setup"), "{message}");
    world.run(&["stripe", "setup"]);
    let made = world.run(&line);
    let org = text(&made, "org");
    assert!(text(&made, "customer").starts_with("cus_"));
    assert!(text(&made, "subscription").starts_with("sub_"));
    let shown = world.run(&["org", "show", org]);
    assert_eq!(shown["billing"]["status"], "active");
    assert_eq!(shown["billing"]["customer"], made["customer"]);
    assert_eq!(shown["billing"]["subscription"], made["subscription"]);
    let again = [&line[..], &["--org-id", org]].concat();
    assert_eq!(world.run(&again), made);
}

#[test]
fn an_organization_knows_its_billing_period_from_the_start() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let new = world.run(&create("A", &["--with-billing"]));
    let later = world.run(&create("B", &[]));
    let subscription = world.subscribe(text(&prices, "price_basic"), "1");
    let org = text(&later, "org");
    let link = ["org", "create", "--name", "B", "--org-id", org, "--subscription", &subscription];
    world.run(&link);
    for (org, subscription) in
        [(text(&new, "org"), text(&new, "subscription")), (org, &subscription)]
    {
        let subscription = world.stripe_get(&format!("/v1/subscriptions/{subscription}"));
        let item = &subscription["items"]["data"][0];
        let row = world.item(&format!("ORG#{org}"), "BILLING").expect("kept");
        for name in ["current_period_start", "current_period_end"] {
            assert_eq!(row[name], AttributeValue::N(item[name].to_string()), "{name}");
        }
        assert_eq!(row["cancel_at_period_end"], AttributeValue::Bool(false));
    }
}

#[test]
fn limits_are_set_and_taken_away() {
    let world = World::new();
    let made = world.run(&[
        "org",
        "create",
        "--name",
        "A",
        "--seat-limit",
        "10",
        "--spending-limit",
        "none",
    ]);
    let org = text(&made, "org");
    let limits = |line: &[&str]| {
        let shown = world.run(&[&["org", "set-limit", org], line].concat())["billing"].clone();
        ["seat_limit", "seats_left", "spending_limit", "cents_left"].map(|name| shown[name].clone())
    };
    let none = Value::Null;
    assert_eq!(limits(&["--seats", "3"]), [json!(3), json!(3), none.clone(), none.clone()]);
    let cents = ["--monthly-cents", "12000"];
    assert_eq!(limits(&cents), [json!(3), json!(3), json!(12_000), json!(12_000)]);
    let both = ["--seats", "0", "--monthly-cents", "0"];
    assert_eq!(limits(&both), [json!(0), json!(0), json!(0), json!(0)]);
    let unlimited = ["--monthly-cents", "none", "--seats", "1000000000"];
    let billion = json!(1_000_000_000);
    assert_eq!(limits(&unlimited), [billion.clone(), billion, none.clone(), none]);
    let nobody = "org_01k6z3v8m4t5q7r9w2x1y0abcd";
    let (code, message) = world.fail(&["org", "set-limit", nobody, "--seats", "1"]);
    assert_eq!(code, 1);
    assert!(message.contains("no such organization"), "{message}");
}

#[test]
fn the_proration_of_an_organization_is_set() {
    let world = World::new();
    let made = world.run(&create("A", &[]));
    let org = text(&made, "org");
    for behavior in ["none", "always_invoice", "create_prorations"] {
        let shown = world.run(&["org", "set-proration", org, behavior]);
        assert_eq!(shown["billing"]["proration_behavior"], behavior);
    }
}

#[test]
fn what_becomes_of_seats_that_are_given_back_is_set() {
    let world = World::new();
    let made = world.run(&create("A", &[]));
    let org = text(&made, "org");
    for setting in ["credit", "none"] {
        let shown = world.run(&["org", "set-fewer-seats", org, setting]);
        assert_eq!(shown["billing"]["fewer_seats"], setting);
    }
    for setting in ["period_end", "at_once"] {
        let shown = world.run(&["org", "set-seats-end", org, setting]);
        assert_eq!(shown["billing"]["seats_end"], setting);
    }
    let (code, message) = world.fail(&["org", "set-seats-end", org, "later"]);
    assert_eq!(code, 2);
    assert!(message.contains("there are: at_once, period_end"), "{message}");
    let key =
        world.run(&["api-key", "create", "--org", org, "--permission", "accounts:deactivate"]);
    assert!(!key.is_null(), "the permission is known");
}

#[test]
fn what_a_run_without_a_table_left_at_stripe_is_found_again() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    let line = create("A", &["--with-billing"]);
    // Stripe does its part, the table does not.
    let (code, message) = world.fail(&[&line[..], &["--table", "nothing"]].concat());
    assert_eq!(code, 1);
    assert!(message.contains("ResourceNotFoundException"), "{message}");
    let advised = message.rsplit_once("--org-id ").expect("advice").1;
    let org = advised.trim_end().trim_end_matches('.');
    let left = world.at_stripe("/v1/subscriptions");
    assert_eq!(left.len(), 1);
    let made = world.run(&[&line[..], &["--org-id", org]].concat());
    assert_eq!(text(&made, "org"), org);
    assert_eq!(made["subscription"], left[0]["id"]);
    assert_eq!(made["customer"], left[0]["customer"]);
    assert_eq!(world.at_stripe("/v1/subscriptions").len(), 1);
    assert_eq!(world.at_stripe("/v1/customers").len(), 1);
}

#[test]
fn stripe_holds_no_seats_and_knows_whose_they_will_be() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let made = world.run(&create("A", &["--with-billing"]));
    let subscription = &world.at_stripe("/v1/subscriptions")[0];
    assert_eq!(subscription["metadata"], json!({"organization": made["org"]}));
    let items = subscription["items"]["data"].as_array().expect("items");
    let items: Vec<_> =
        items.iter().map(|item| (&item["price"]["id"], item["quantity"].as_u64())).collect();
    assert_eq!(items, [(&prices["price_basic"], Some(0)), (&prices["price_premium"], Some(0))]);
    let customer = &world.at_stripe("/v1/customers")[0];
    assert_eq!(customer["metadata"], json!({"organization": made["org"]}));
    assert_eq!(customer["name"], "A");
}

#[test]
fn billing_can_be_linked_later_and_only_once() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let org = world.run(&create("A", &[]));
    let org = text(&org, "org");
    let [first, second] = ["1", "2"].map(|n| world.subscribe(text(&prices, "price_basic"), n));
    let line = |subscription| {
        ["org", "create", "--name", "A", "--org-id", org, "--subscription", subscription]
    };
    for _ in 0..2 {
        let linked = world.run(&line(&first));
        assert_eq!(linked["subscription"], json!(first));
        let shown = world.run(&["org", "show", org]);
        assert_eq!(shown["billing"]["status"], "active");
        assert_eq!(shown["billing"]["customer"], linked["customer"]);
    }
    let path = format!("/v1/subscriptions/{first}");
    let noted: Value = world.stripe_get(&path);
    assert_eq!(noted["metadata"], json!({"organization": org}));
    let (code, message) = world.fail(&line(&second));
    assert_eq!(code, 1);
    assert!(message.contains("another subscription"), "{message}");
}

/// An organization with three seats, as far as its billing record counts them, all told to Stripe.
fn with_seats(world: &World) -> (String, String) {
    let made = world.run(&create("A", &["--with-billing"]));
    let org = text(&made, "org").to_owned();
    let values = [("seats_basic", 2), ("seats_premium", 1), ("version", 3), ("applied_version", 3)];
    world.set(&org, &values.map(|(name, n)| (name, AttributeValue::N(n.to_string()))));
    let left_behind = [
        ("item_basic", AttributeValue::S("si_old".to_owned())),
        ("item_premium", AttributeValue::S("si_older".to_owned())),
        ("paced_until", AttributeValue::S("2026-02-03T18:12:47.000000Z".to_owned())),
        (
            "last_error",
            AttributeValue::M(HashMap::from(
                [("code", "x"), ("message", "y"), ("at", "2026-02-03T18:12:47.000000Z")]
                    .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))),
            )),
        ),
    ];
    world.set(&org, &left_behind);
    (org, text(&made, "subscription").to_owned())
}

#[test]
fn what_was_told_is_explained_with_its_invoice_lines() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let made = world.run(&create("A", &["--with-billing"]));
    let (org, subscription) = (text(&made, "org"), text(&made, "subscription"));
    let path = format!("/v1/subscriptions/{subscription}");
    let object = world.stripe_get(&path);
    let item = |price: &str| {
        let items = object["items"]["data"].as_array().expect("items").iter();
        let of = |item: &&Value| item["price"]["id"] == prices[price];
        text(items.clone().find(of).expect("an item"), "id").to_owned()
    };
    let (basic, premium) = (item("price_basic"), item("price_premium"));
    let form = [
        ("items[0][id]", basic.as_str()),
        ("items[0][quantity]", "3"),
        ("proration_behavior", "create_prorations"),
    ];
    world.post(&path, &form, &format!("{org}:2"));
    let told = |version: &str, outcome: &str, after: &str, at: &str| {
        let n = |n: &str| AttributeValue::N(n.to_owned());
        let s = |s: &str| AttributeValue::S(s.to_owned());
        let row = [
            ("pk", s(&format!("ORG#{org}"))),
            ("sk", s(&format!("TOLD#{version:0>20}#{outcome}"))),
            ("organization", s(org)),
            ("version", n(version)),
            ("since", n("0")),
            ("outcome", s(outcome)),
            ("after_basic", n(after)),
            ("after_premium", n("0")),
            ("proration_behavior", s("create_prorations")),
            ("stripe_subscription", s(subscription)),
            ("item_basic", s(&basic)),
            ("item_premium", s(&premium)),
            ("idempotency_key", s(&format!("{org}:{version}"))),
            ("stripe_request", s("req_1")),
            ("begun_at", s(at)),
            ("answered_at", s(at)),
        ];
        let item = row.map(|(name, value)| (name.to_owned(), value));
        let put = world.client.put_item().table_name(TABLE).set_item(Some(item.into()));
        world.runtime.block_on(put.send()).expect("the table takes it");
    };
    let now = jiff::Timestamp::now();
    told("1", "told", "1", "2026-02-03T18:12:47.000000Z");
    told("2", "told", "3", &format!("{now:.6}"));

    let explained = world.run(&["billing", "explain", org]);
    assert_eq!(explained["more"], false);
    let history = explained["history"].as_array().expect("a list");
    let versions: Vec<_> = history.iter().map(|entry| &entry["version"]).collect();
    assert_eq!(versions, [2, 1]);
    let stripe = json!({
        "request": "req_1",
        "idempotency_key": format!("{org}:2"),
        "subscription": subscription,
        "item_basic": basic,
        "item_premium": premium,
    });
    assert_eq!(history[0]["stripe"], stripe);
    let lines = history[0]["lines"].as_array().expect("lines");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (&line["item"], &line["quantity"], &line["status"], &line["certain"], &line["invoice"]),
        (&json!(basic), &json!(3), &json!("pending"), &json!(true), &Value::Null)
    );
    assert_eq!(history[1]["lines"], json!([]), "nothing of its time is on an invoice");
    let newest = world.run(&["billing", "explain", org, "--limit", "1"]);
    assert_eq!(
        (newest["history"].as_array().map(Vec::len), &newest["more"]),
        (Some(1), &json!(true))
    );

    // A month later it is a line of an invoice that is paid, beside the whole of the next month.
    let clock = format!("{}/_stand-in/clock", world.stripe);
    let body = json!({"advance_seconds": 32 * 24 * 60 * 60}).to_string();
    let moved = reqwest::Client::new().post(clock).body(body).send();
    assert!(world.runtime.block_on(moved).expect("an answer").status().is_success());
    let explained = world.run(&["billing", "explain", org]);
    let lines = explained["history"][0]["lines"].as_array().expect("lines").clone();
    let of = |line: &Value| {
        let is_on_invoice = text(line, "invoice").starts_with("in_");
        (line["proration"] == true, text(line, "status").to_owned(), is_on_invoice)
    };
    let mut found: Vec<_> = lines.iter().map(of).collect();
    found.sort();
    assert_eq!(found, [(false, "paid".to_owned(), true), (true, "paid".to_owned(), true)]);

    let nobody = "org_01k6z3v8m4t5q7r9w2x1y0abcd";
    let (code, message) = world.fail(&["billing", "explain", nobody]);
    assert_eq!(code, 1);
    assert!(message.contains("no billing record"), "{message}");
}

#[test]
fn a_subscription_that_has_ended_is_replaced() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let (org, ended) = with_seats(&world);
    let another = world.subscribe_to(text(&prices, "price_basic"), "1", "1");
    let relink = ["org", "relink", &org, "--subscription", &another];
    let (code, message) = world.fail(&relink);
    assert_eq!(code, 1);
    assert!(message.contains("has not ended"), "{message}");

    world.set_status(&ended, "canceled");
    // Neither of these may leave the dead link there and call it done.
    let create = ["org", "create", "--name", "A", "--org-id", &org];
    for wish in
        [&["--with-billing"][..], &["--subscription", &another], &["--subscription", &ended]]
    {
        let (code, message) = world.fail(&[&create[..], wish].concat());
        assert_eq!(code, 1);
        assert!(message.contains("has ended") && message.contains("org relink"), "{message}");
    }
    let (code, message) = world.fail(&["org", "relink", &org]);
    assert_eq!(code, 2, "which one has to be said: {message}");

    let shown = world.run(&relink);
    let billing = &shown["billing"];
    assert_eq!((&billing["subscription"], &billing["status"]), (&json!(another), &json!("active")));
    assert_eq!(billing["seats"], json!({"basic": 2, "premium": 1}));
    assert_eq!((&billing["version"], &billing["applied_version"]), (&json!(4), &json!(3)));
    assert_eq!(billing["last_error"], Value::Null);
    let row = world.item(&format!("ORG#{org}"), "BILLING").expect("kept");
    assert!(row.contains_key("behind_since") && row.contains_key("behind_shard"));
    for gone in ["item_basic", "item_premium", "paced_until", "last_error", "past_due_since"] {
        assert!(!row.contains_key(gone), "{gone}");
    }
    assert_eq!(row["status_version"], AttributeValue::N("1".to_owned()));

    // And again, with a subscription that is made for the same customer.
    world.set_status(&another, "incomplete_expired");
    let shown = world.run(&["org", "relink", &org, "--with-billing"]);
    let made = text(&shown["billing"], "subscription").to_owned();
    assert!(made != another && made != ended);
    let subscription = world.stripe_get(&format!("/v1/subscriptions/{made}"));
    assert_eq!(subscription["customer"], billing["customer"]);
    assert_eq!(shown["billing"]["version"], 5);
}

#[test]
fn a_subscription_that_has_ended_is_not_linked() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let dead = world.subscribe(text(&prices, "price_basic"), "1");
    world.set_status(&dead, "canceled");
    let before = world.items().len();
    let (code, message) = world.fail(&create("A", &["--subscription", &dead]));
    assert_eq!(code, 1);
    assert!(message.contains("has ended (canceled)"), "{message}");
    assert_eq!(world.items().len(), before);
}

#[test]
fn a_subscription_that_bills_more_than_there_is_is_shown_and_not_linked() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let basic = text(&prices, "price_basic");
    let made = world.run(&create("A", &[]));
    let org = text(&made, "org");
    let bills = world.subscribe_to(basic, "250", "1");
    let shown = world.run(&["org", "adopt", org, &bills, "--dry-run"]);
    assert_eq!(
        shown["items"],
        json!([{"price": basic, "tier": "basic", "quantity": 250, "after": 0}])
    );
    assert_eq!(shown["linked"], false);
    assert!(text(&json!({"o": shown["objections"][0]}), "o").contains("bills 250"), "{shown}");
    let create = ["org", "create", "--name", "A", "--org-id", org, "--subscription", &bills];
    for line in [&["org", "adopt", org, &bills][..], &create] {
        let (code, message) = world.fail(line);
        assert_eq!(code, 1);
        assert!(message.contains("bills 250"), "{message}");
    }
    let noted = world.stripe_get(&format!("/v1/subscriptions/{bills}"));
    assert_eq!(noted["metadata"], json!({}), "nothing was written there either");
    assert_eq!(world.run(&["org", "show", org])["billing"]["subscription"], Value::Null);

    let empty = world.subscribe(basic, "2");
    assert_eq!(world.run(&["org", "adopt", org, &empty])["linked"], true);
    assert_eq!(world.run(&["org", "show", org])["billing"]["subscription"], json!(empty));
}

#[test]
fn what_a_subscription_bills_already_is_imported_before_it_is_linked() {
    let world = World::new();
    let prices = world.run(&["stripe", "setup"]);
    let basic = text(&prices, "price_basic");
    let made = world.run(&create("A", &[]));
    let org = text(&made, "org");
    let bills = world.subscribe_to(basic, "250", "1");
    let line = ["org", "adopt", org, &bills, "--import-seats"];
    let shown = world.run(&[&line[..], &["--dry-run"]].concat());
    assert_eq!((&shown["imported"], &shown["objections"]), (&json!(250), &json!([])));
    assert_eq!(world.items().len(), 3, "nothing was written");

    // There is room for 100 of them: what was made stays, nothing is linked, and nothing is lowered.
    world.run(&["org", "set-limit", org, "--seats", "100", "--monthly-cents", "10000000"]);
    let (code, message) = world.fail(&line);
    assert_eq!(code, 1);
    assert!(message.contains("limits leave room"), "{message}");
    let billing = || world.run(&["org", "show", org])["billing"].clone();
    assert_eq!(
        (&billing()["seats"]["basic"], &billing()["subscription"]),
        (&json!(90), &Value::Null)
    );

    world.run(&["org", "set-limit", org, "--seats", "1000"]);
    let linked = world.run(&line);
    assert_eq!((&linked["imported"], &linked["linked"]), (&json!(160), &json!(true)));
    let billing = billing();
    assert_eq!((&billing["seats"]["basic"], &billing["seats_left"]), (&json!(250), &json!(750)));
    assert_eq!(billing["cents_left"], json!(10_000_000 - 250 * 4_000));
    assert_eq!((&billing["version"], &billing["applied_version"]), (&json!(0), &json!(0)));
    assert_eq!(billing["subscription"], json!(bills));
    let agree = world.run(&["billing", "compare"]);
    assert_eq!((&agree["compared"], &agree["differing"]), (&json!(1), &json!([])));
}

#[test]
fn a_table_that_was_restored_lowers_nobody_who_is_not_named() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    let made = world.run(&create("A", &["--with-billing"]));
    let (org, subscription) = (text(&made, "org"), text(&made, "subscription"));
    let path = format!("/v1/subscriptions/{subscription}");
    let item = text(&world.stripe_get(&path)["items"]["data"][0], "id").to_owned();
    let version = || world.run(&["org", "show", org])["billing"]["version"].clone();
    let all_agree = world.run(&["billing", "compare"]);
    assert_eq!(all_agree, json!({"compared": 1, "differing": [], "unreadable": [], "raised": 0}));

    // Three seats that were made after the time that the table is restored to.
    world.post(&path, &[("items[0][id]", &item), ("items[0][quantity]", "3")], "before");
    let differs = json!([{"tier": "basic", "seats": 0, "stripe": 3}]);
    let differing = json!([{"org": org, "differs": differs}]);
    let compared = world.run(&["billing", "compare"]);
    assert_eq!(
        compared,
        json!({"compared": 1, "differing": differing, "unreadable": [], "raised": 0})
    );
    let (code, message) = world.fail(&["billing", "compare", "--raise-versions"]);
    assert_eq!(code, 1);
    assert!(message.contains(org) && message.contains("Nothing was changed"), "{message}");
    assert_eq!(version(), 0);

    let named = world.run(&["billing", "compare", "--raise-versions", "--lower", org]);
    assert_eq!(named["raised"], 1);
    assert_eq!(version(), 1_000_000, "beyond every key that Stripe may remember");
    let billing = world.run(&["org", "show", org])["billing"].clone();
    assert!(billing["behind_since"].is_string(), "Stripe is told: {billing}");

    // A record that was put back counts no seats; two are there, which is what Stripe is told.
    for seat in ["acc_01k6z3v8m4t5q7r9w2x1y0abcd", "acc_01k6z3v8m4t5q7r9w2x1y0abce"] {
        world.put(&[
            ("pk", &format!("ORG#{org}")),
            ("sk", &format!("SEAT#{seat}")),
            ("tier", "basic"),
            ("status", "uninitialized"),
        ]);
    }
    world.post(&path, &[("items[0][id]", &item), ("items[0][quantity]", "2")], "after");
    assert_eq!(world.run(&["billing", "compare", "--raise-versions"])["raised"], 1);
    let billing = world.run(&["org", "show", org])["billing"].clone();
    assert_eq!(billing["seats"], json!({"basic": 2, "premium": 0}));
    assert_eq!((&billing["version"], &billing["seats_left"]), (&json!(2_000_000), &json!(99_998)));
}

#[test]
fn a_subscription_by_which_seats_cannot_be_billed_is_refused_with_every_reason() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    let price = |currency: &str, interval: &str| {
        let form = [
            ("currency", currency),
            ("unit_amount", "4000"),
            ("recurring[interval]", interval),
            ("product_data[name]", "Seat"),
        ];
        let made = world.post("/v1/prices", &form, &format!("{currency}{interval}"));
        text(&made, "id").to_owned()
    };
    let yearly = world.subscribe(&price("eur", "year"), "1");
    let (code, message) = world.fail(&create("A", &["--subscription", &yearly]));
    assert_eq!(code, 1);
    assert!(message.contains("in eur") && message.contains("every 1 year"), "{message}");
    assert_eq!(world.items().len(), 0);
}

#[test]
fn a_subscription_belongs_to_one_organization() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    let first = world.run(&create("A", &["--with-billing"]));
    let taken = text(&first, "subscription");
    let (code, message) = world.fail(&create("B", &["--subscription", taken]));
    assert_eq!(code, 1);
    assert!(message.contains("belongs to the organization"), "{message}");
    let (code, message) = world.fail(&create("B", &["--subscription", "sub_0"]));
    assert_eq!(code, 1);
    assert!(message.contains("Stripe refused"), "{message}");
}

#[test]
fn accounts_that_are_older_than_the_list_come_into_it_once() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    world.run(&["demo", "seed", DEMO_TENANTS]);
    let accounts = || {
        let mut items = world.items();
        items.retain(|item| item["sk"] == AttributeValue::S("ACCOUNT".to_owned()));
        items
    };
    let as_made = accounts();
    assert_eq!(as_made.iter().filter(|item| item.contains_key("listed_as")).count(), 2);
    assert_eq!(as_made.len(), 3, "one is closed");
    for item in &as_made {
        let update = world.client.update_item().table_name(TABLE).key("pk", item["pk"].clone());
        let update = update.key("sk", item["sk"].clone()).update_expression("REMOVE listed_as");
        world.runtime.block_on(update.send()).expect("an update");
    }
    assert_eq!(world.run(&["account", "list-older"]), json!({"listed": 2}));
    let sorted = |mut items: Vec<Item>| {
        items.sort_by_key(|item| format!("{:?}", item["pk"]));
        items
    };
    assert_eq!(sorted(accounts()), sorted(as_made));
    assert_eq!(world.run(&["account", "list-older"]), json!({"listed": 0}));
}

const DEMO_TENANTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../local/demo-tenants.json");

#[test]
fn the_demo_tenants_are_made_once() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    let line = ["demo", "seed", DEMO_TENANTS];
    let made = world.run(&line);
    let items = world.items();
    assert_eq!(world.run(&line), made);
    assert_eq!(world.items().len(), items.len());
    assert_eq!(world.at_stripe("/v1/subscriptions").len(), 3);
    let shown = world.run(&["org", "show", text(&made, "org")]);
    assert_eq!(shown["billing"]["status"], "active");

    let tenants = std::fs::read_to_string(DEMO_TENANTS).expect("the demo tenants");
    let kept = format!("{items:?}");
    let credentials: Vec<_> = tenants.split('"').filter(|text| text.starts_with("hc_")).collect();
    assert_eq!(credentials.len(), 14);
    for credential in credentials {
        assert!(!kept.contains(secret(credential)), "{credential}: its secret is in the table");
    }

    // A key that was deleted is no reason to begin anew, and does not come back.
    world.run(&["credential", "revoke", "01kgjb9z8rd3m0seats0000000"]);
    let count = world.items().len();
    assert_eq!(world.run(&line), made);
    let items = world.items();
    assert_eq!(items.len(), count);
    assert!(!format!("{items:?}").contains("APIKEY#01kgjb9z8rd3m0seats0000000"));
}

#[test]
fn demo_tenants_of_another_file_are_told_apart() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    world.run(&["demo", "seed", DEMO_TENANTS]);
    let tenants = std::fs::read_to_string(DEMO_TENANTS).expect("the demo tenants");
    let file = std::env::temp_dir().join(format!("headcount-demo-{}.json", std::process::id()));
    std::fs::write(&file, tenants.replace("_a9e0a9e0", "_a9e0a9e9")).expect("a temporary file");
    let (code, message) = world.fail(&["demo", "seed", file.to_str().expect("a path in UTF-8")]);
    assert_eq!(code, 1);
    assert!(message.contains("another credential"), "{message}");
    std::fs::remove_file(&file).expect("it is there");
}

#[test]
fn demo_tenants_stay_on_this_machine() {
    let world = World::new();
    world.run(&["stripe", "setup"]);
    let line = ["demo", "seed", DEMO_TENANTS];
    for endpoint in ["https://dynamodb.us-east-1.amazonaws.com", "http://192.0.2.1:4566", ""] {
        let mut command = world.command(&line);
        command.env("AWS_ENDPOINT_URL", endpoint);
        let (code, message) = failed(command);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains("this machine alone"), "{message}");
    }
    assert!(world.items().is_empty());
    // Nor does a variable for DynamoDB alone lead away from what was checked.
    let mut command = world.command(&line);
    command.env("AWS_ENDPOINT_URL_DYNAMODB", "http://192.0.2.1:4566");
    assert!(command.output().expect("the program starts").status.success());
    assert!(!world.items().is_empty());
}
