//! `POST /v1/auth/login`: LIFECYCLE, "Identity API"; docs/adr/0028-tokens-and-sessions.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::identity::{AccountStatus, Hashing, Password, PasswordHash, Salt};
use headcount_store::Table;
use headcount_tests::identity::log_in;
use headcount_tests::{Call, OwnTenant, PASSWORD, Ports, Reply, Stage, text_of, weak_hash};
use jiff::SignedDuration;
use serde_json::json;

const INVALID: &str =
    r#"{"error":"invalid_credentials","message":"The email or the password is wrong."}"#;

/// Knows the one right password at little cost, and counts how often it was asked.
#[derive(Clone, Default)]
struct Quick(Arc<AtomicUsize>);

impl Hashing for Quick {
    async fn hash(&self, password: Password, salt: Salt) -> Option<PasswordHash> {
        self.0.fetch_add(1, Relaxed);
        password.hash(&salt).ok()
    }

    async fn verify(&self, password: Password, hash: PasswordHash) -> Option<bool> {
        self.0.fetch_add(1, Relaxed);
        let right = PasswordHash::of_phc(weak_hash(PASSWORD, 8));
        Some(password.is_of(&right) && hash != PasswordHash::of_nobody())
    }
}

type Function = open_session::Function<Table, Ports, Quick>;

fn quick(stage: &Stage) -> (Function, Quick) {
    let (usual, hashing) = (stage.open_session(), Quick::default());
    let function = open_session::Function {
        store: usual.store,
        ports: usual.ports,
        hashing: hashing.clone(),
        fingerprint_key: usual.fingerprint_key,
    };
    (function, hashing)
}

/// An account with a hash that [`Quick`] takes for that of the password.
async fn account(stage: &Stage, local_part: &str, status: AccountStatus) -> OwnTenant {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";
    stage.account_hashed(local_part, PasswordHash::of_phc(hash.to_owned()), status).await
}

async fn try_in(function: &Function, email: &str, password: &str) -> Reply {
    Call::json(&json!({"email": email, "password": password})).send(function).await
}

#[tokio::test]
async fn the_whole_answer_and_the_token_opens_the_account() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("Owner", AccountStatus::Active).await;
    let reply = log_in(&stage, " oWNER@example.COM ", PASSWORD).await;
    let body = reply.json();
    let token = |name: &str| body[name].as_str().expect("a token").to_owned();
    let (access, refresh) = (token("access_token"), token("refresh_token"));
    let expected = format!(
        concat!(
            r#"{{"access_token":"{}","refresh_token":"{}","token_type":"Bearer","expires_in":3600,"#,
            r#""user":{{"id":"{}","email":"Owner@example.com","name":"Acme Inc."}}}}"#
        ),
        access, refresh, own.id
    );
    assert_eq!((reply.status, reply.text), (200, expected));
    assert_ne!(access, refresh);
    assert_eq!(access[..30], refresh[..30], "one session");

    let get =
        async |token: &str| Call::empty().bearer(token).send(&stage.get_own_account()).await.status;
    assert_eq!((get(&access).await, get(&refresh).await), (200, 401));
    stage.ports.advance(SignedDuration::from_secs(3_599));
    assert_eq!(get(&access).await, 200);
    stage.ports.advance(SignedDuration::from_secs(1));
    assert_eq!(get(&access).await, 401);
}

#[tokio::test]
async fn of_the_tokens_the_hashes_alone_are_kept() {
    let stage = Stage::new().await;
    let (function, _) = quick(&stage);
    let own = account(&stage, "owner", AccountStatus::Active).await;
    let body = try_in(&function, &own.email, PASSWORD).await.json();
    let items = format!("{:?}", stage.items().await);
    for token in ["access_token", "refresh_token"] {
        let token = body[token].as_str().expect("a token");
        assert!(!items.contains(&token[30..]));
        assert!(items.contains(&token[3..29]));
    }
    assert!(!items.contains("LOGIN#"), "who succeeds is forgotten");
}

#[tokio::test]
async fn who_is_not_let_in_gets_one_answer_for_one_work() {
    let stage = Stage::new().await;
    let (function, hashing) = quick(&stage);
    for (local_part, status) in [
        ("active", AccountStatus::Active),
        ("suspended", AccountStatus::Suspended),
        ("pending", AccountStatus::Pending),
        ("closed", AccountStatus::Closed),
    ] {
        let own = account(&stage, local_part, status).await;
        if status == AccountStatus::Closed {
            stage.close(&own.id).await;
        }
    }
    let mut works = Vec::new();
    for (email, password) in [
        ("active@example.com", "another password"),
        ("nobody@example.com", PASSWORD),
        ("suspended@example.com", PASSWORD),
        ("suspended@example.com", "another password"),
        ("pending@example.com", PASSWORD),
        ("closed@example.com", PASSWORD),
    ] {
        stage.operations.take();
        hashing.0.store(0, Relaxed);
        let reply = try_in(&function, email, password).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, INVALID), "{email}");
        works.push((stage.operations.take(), hashing.0.load(Relaxed)));
    }
    let calls = ["BatchGetItem", "PutItem", "GetItem"].map(str::to_owned).to_vec();
    assert!(works.iter().all(|work| *work == (calls.clone(), 1)), "{works:?}");
}

#[tokio::test]
async fn a_log_in_makes_four_calls_and_leaves_a_session() {
    let stage = Stage::new().await;
    let (function, hashing) = quick(&stage);
    let own = account(&stage, "owner", AccountStatus::Active).await;
    let before = stage.items().await.len();
    stage.operations.take();
    assert_eq!(try_in(&function, &own.email, PASSWORD).await.status, 200);
    let calls = ["BatchGetItem", "PutItem", "GetItem", "TransactWriteItems"];
    assert_eq!(
        (stage.operations.take(), hashing.0.load(Relaxed)),
        (calls.map(str::to_owned).to_vec(), 1)
    );
    assert_eq!(stage.items().await.len(), before + 2, "and its entry in the list");
}

#[tokio::test]
async fn after_ten_failures_there_is_a_back_off_that_ends_no_session() {
    let stage = Stage::new().await;
    let (function, hashing) = quick(&stage);
    let own = account(&stage, "owner", AccountStatus::Active).await;
    for email in ["owner@example.com", "nobody@example.com"] {
        for n in 0..10 {
            let email = if n % 2 == 0 { email.to_owned() } else { email.to_uppercase() };
            assert_eq!(try_in(&function, &email, "wrong").await.status, 401, "{n}");
        }
        hashing.0.store(0, Relaxed);
        for password in ["wrong", PASSWORD] {
            let reply = try_in(&function, email, password).await;
            let expected = r#"{"error":"too_many_attempts","message":"Too many attempts to log in with this email: try again in 30 s."}"#;
            assert_eq!((reply.status, reply.text.as_str()), (429, expected));
            assert_eq!(reply.header("retry-after"), "30");
        }
        assert_eq!(hashing.0.load(Relaxed), 0, "no password is looked at");
    }
    let session = Call::empty().bearer(&own.token).send(&stage.get_own_account()).await;
    assert_eq!(session.status, 200);
    let other = account(&stage, "other", AccountStatus::Active).await;
    assert_eq!(try_in(&function, &other.email, PASSWORD).await.status, 200, "by address");

    // One more each time, and twice the wait.
    let mut waits = Vec::new();
    for wait in [30, 60, 120, 240, 480, 900, 900] {
        stage.ports.advance(SignedDuration::from_secs(wait - 1));
        assert_eq!(try_in(&function, &own.email, "wrong").await.header("retry-after"), "1");
        stage.ports.advance(SignedDuration::from_secs(1));
        assert_eq!(try_in(&function, &own.email, "wrong").await.status, 401, "{wait}");
        waits.push(try_in(&function, &own.email, "wrong").await.header("retry-after").to_owned());
    }
    assert_eq!(waits, ["60", "120", "240", "480", "900", "900", "900"]);
    stage.ports.advance(SignedDuration::from_secs(900));
    assert_eq!(try_in(&function, &own.email, PASSWORD).await.status, 200);
    for n in 0..10 {
        assert_eq!(try_in(&function, &own.email, "wrong").await.status, 401, "{n} after success");
    }
}

#[tokio::test]
async fn failures_that_a_success_or_a_day_parts_are_not_in_a_row() {
    let stage = Stage::new().await;
    let (function, _) = quick(&stage);
    let own = account(&stage, "owner", AccountStatus::Active).await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(try_in(&function, &own.email, "wrong").await.status, 401);
        }
        assert_eq!(try_in(&function, &own.email, PASSWORD).await.status, 200);
    }
    for _ in 0..12 {
        for _ in 0..9 {
            assert_eq!(try_in(&function, &own.email, "wrong").await.status, 401);
        }
        stage.ports.advance(SignedDuration::from_hours(24));
    }
}

#[tokio::test]
async fn the_address_is_not_in_the_count() {
    let stage = Stage::new().await;
    let (function, _) = quick(&stage);
    try_in(&function, "somebody.special@example.com", "wrong").await;
    let [count] = stage.items_under("LOGIN#").await.try_into().expect("one");
    assert!(!format!("{count:?}").contains("somebody"), "{count:?}");
    assert_eq!(count["attempts"], AttributeValue::N("1".to_owned()));
}

#[tokio::test]
async fn of_many_at_once_no_more_than_ten_passwords_are_looked_at() {
    let stage = Stage::new().await;
    let (function, hashing) = quick(&stage);
    account(&stage, "owner", AccountStatus::Active).await;
    let tries = (0..40).map(|_| try_in(&function, "owner@example.com", "wrong"));
    let replies = futures_util::future::join_all(tries).await;
    assert!(hashing.0.load(Relaxed) <= 10, "{:?}", hashing.0);
    for reply in replies {
        assert!([401, 429].contains(&reply.status), "{}", reply.text);
        assert_eq!(reply.status == 429, reply.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_weak_hash_is_made_anew_by_who_logs_in_and_by_nobody_else() {
    let stage = Stage::new().await;
    let weak = PasswordHash::of_phc(weak_hash(PASSWORD, 19_456));
    let own = stage.account_hashed("owner", weak, AccountStatus::Active).await;
    let pk = format!("ACCOUNT#{}", own.id);
    let kept = async || {
        let items = stage.items_under(&pk).await;
        text_of(&items[0], "password_hash").expect("a hash").to_owned()
    };
    assert_eq!(log_in(&stage, &own.email, "another password").await.status, 401);
    assert_eq!(kept().await, weak_hash(PASSWORD, 19_456));
    assert_eq!(log_in(&stage, &own.email, PASSWORD).await.status, 200);
    let strong = kept().await;
    assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{strong}");
    assert_eq!(log_in(&stage, &own.email, PASSWORD).await.status, 200);
    assert_eq!(kept().await, strong, "once");
    let shown = Call::empty().bearer(&own.token).send(&stage.get_own_account()).await;
    assert_eq!((shown.status, shown.header("etag")), (200, "\"0\""), "nobody sees a new version");
}

/// Changes the account while its password is compared.
struct Meanwhile<'s> {
    stage: &'s Stage,
    own: &'s OwnTenant,
    attribute: &'static str,
    value: &'static str,
    hashing: Quick,
}

impl Hashing for Meanwhile<'_> {
    async fn hash(&self, password: Password, salt: Salt) -> Option<PasswordHash> {
        self.hashing.hash(password, salt).await
    }

    async fn verify(&self, password: Password, hash: PasswordHash) -> Option<bool> {
        let first = self.hashing.0.load(Relaxed) == 0;
        if first {
            let value = AttributeValue::S(self.value.to_owned());
            let pk = format!("ACCOUNT#{}", self.own.id);
            self.stage.set(&pk, "ACCOUNT", self.attribute, value).await;
        }
        let of_the_new = hash.as_phc() == self.value;
        Some(self.hashing.verify(password, hash).await? && !of_the_new)
    }
}

#[tokio::test]
async fn an_account_that_changes_meanwhile_is_looked_at_again() {
    let nobody: &'static str = Box::leak(PasswordHash::of_nobody().as_phc().to_owned().into());
    for (attribute, value) in [("status", "suspended"), ("password_hash", nobody)] {
        let stage = Stage::new().await;
        let own = account(&stage, "owner", AccountStatus::Active).await;
        let usual = stage.open_session();
        let hashing =
            Meanwhile { stage: &stage, own: &own, attribute, value, hashing: Quick::default() };
        let function = open_session::Function {
            store: usual.store,
            ports: usual.ports,
            hashing,
            fingerprint_key: usual.fingerprint_key,
        };
        let call = Call::json(&json!({"email": own.email, "password": PASSWORD}));
        let reply = call.send(&function).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, INVALID), "{attribute}");
        assert_eq!(stage.items_under("SESSION#").await.len(), 1, "no session was opened");
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_and_not_counted() {
    let stage = Stage::new().await;
    let (function, hashing) = quick(&stage);
    for (body, fields) in [
        (json!({}), json!([["email", "required"], ["password", "required"]])),
        (
            json!({"email": null, "password": null}),
            json!([["email", "required"], ["password", "required"]]),
        ),
        (json!({"email": 1, "password": {}}), json!([["email", "type"], ["password", "type"]])),
        (
            json!({"email": "owner", "password": ""}),
            json!([["email", "email"], ["password", "min_length"]]),
        ),
        (
            json!({"email": "owner@example.com", "password": "x".repeat(129), "name": "x"}),
            json!([["password", "max_length"], ["name", "unknown_field"]]),
        ),
    ] {
        let reply = Call::json(&body).send(&function).await;
        let details = reply.json()["details"].as_array().expect("details").clone();
        let told: Vec<_> = details.iter().map(|one| json!([one["field"], one["rule"]])).collect();
        assert_eq!((reply.status, json!(told)), (400, fields));
    }
    for (call, status) in [
        (Call::text(""), 400),
        (Call::text("{"), 400),
        (Call::text("[]"), 400),
        (Call::text("{}").header("content-type", "text/plain"), 415),
        (Call::text("{}").header("content-encoding", "gzip"), 415),
        (Call::text(" ".repeat(256 * 1024 + 1)), 413),
    ] {
        assert_eq!(call.send(&function).await.status, status);
    }
    assert!(stage.items().await.is_empty());
    assert_eq!(hashing.0.load(Relaxed), 0);
}

#[tokio::test]
async fn a_credential_that_is_sent_along_makes_no_difference() {
    let stage = Stage::new().await;
    let (function, _) = quick(&stage);
    let own = account(&stage, "owner", AccountStatus::Active).await;
    let call = Call::json(&json!({"email": own.email, "password": PASSWORD}));
    for header in ["Bearer hc_bad", "", "Basic eA=="] {
        let reply = call.clone().header("authorization", header).send(&function).await;
        assert_eq!(reply.status, 200, "{header}");
    }
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let (function, _) = quick(&stage);
    let own = account(&stage, "owner", AccountStatus::Active).await;
    stage.wire.cut();
    let reply = try_in(&function, &own.email, PASSWORD).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    stage.wire.mend();
    assert_eq!(try_in(&function, &own.email, PASSWORD).await.status, 200);
}
