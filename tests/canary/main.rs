//! No secret gets out. Every function is run with passwords, credentials, keys and signing secrets
//! that are known, through successes, refusals and faults; then every log line, item, message,
//! event, answer and error is searched for each of them, in every spelling that it could have.
//!
//! The log is taken at the lowest level of every crate, ours and the SDK's.
//!
//! The command line tool shows a new credential once; its own tests hold that
//! (`credentials_are_told_once_and_kept_as_hashes`).

mod search;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use headcount_api::Endpoint;
use headcount_billing::rotation::SignatureCheck;
use headcount_billing::stripe::Stripe;
use headcount_billing::webhook::SigningSecrets;
use headcount_model::credential::{Credential, Holder, Permission, Presented, reveal};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{Password, PasswordPolicy, Salt};
use headcount_model::port::{Clock, Entropy, NoEntropy};
use headcount_tests::billing::{Billed, Billing, SecretText, batch, reached};
use headcount_tests::{AgencyTenant, Call, Fault, Item, Ports, Stage, outbox};
use jiff::{SignedDuration, Timestamp};
use publish_changes::{Batch, handle};
use reconcile_billing::{BillingQueue, LogFindings, Message, Pause};
use secrecy::SecretString;
use serde_json::{Value, json};
use stripe_stand_in::sign_webhook;
use tracing_subscriber::filter::LevelFilter;

use search::{Collected, Secret};

const PASSWORD: &str = "canary-Wq7-pässwörd-Hx29-Lm4";
const OTHER_PASSWORD: &str = "canary-Zt4-Qy81-Vb36-Nd52-Rs07";
const STRIPE_KEY: &str = "sk_test_canary51NqXTb0Yw8";
const SIGNING: [&str; 2] = ["whsec_canaryOldR8vK2mQ", "whsec_canaryNewJ3xH7pL"];
const FINGERPRINT: [u8; 32] = *b"canary-fingerprint-key-of-a-stk!";

#[tokio::test]
async fn nobody_is_told_a_secret() {
    let collected = Collected::default();
    log_everything(&collected);
    let mut world = World::new(collected.clone()).await;
    world.sign_ups().await;
    world.sessions().await;
    world.seats().await;
    world.api_keys().await;
    world.agency_accounts().await;
    world.billing().await;
    world.webhooks().await;
    world.reconciliation().await;
    world.publishing().await;
    world.printed();
    world.keep_table().await;

    for place in ["log", "answer", "item", "event or message", "response", "Debug"] {
        assert!(collected.count(place) > 0, "nothing was collected: {place}");
    }
    let told = collected.told(&world.secrets);
    assert!(told.is_empty(), "{}", told.join("\n"));
    // Hashes of passwords stay in the table, where one account has one. (At TRACE the SDK shows
    // what DynamoDB answers.)
    let hash = Secret::new("a hash", "$argon2id$v=19$");
    let mut places = collected.told(&[hash]);
    places.retain(|told| !(told.starts_with("a hash in log") && told.contains(" TRACE ")));
    assert!(places.iter().all(|told| told.starts_with("a hash in item")), "{places:?}");
    assert!(!places.is_empty());
}

/// Everything from everywhere, without colours.
fn log_everything(collected: &Collected) {
    let writer = collected.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
}

struct World {
    stage: Stage,
    billing: Billing,
    billed: Billed,
    agency: AgencyTenant,
    administrator: String,
    /// A credential just made, and its text.
    issued: (Credential, SecretString),
    secrets: Vec<Secret>,
    collected: Collected,
}

impl World {
    async fn new(collected: Collected) -> Self {
        let (stage, mut billing) = (Stage::new().await, Billing::new().await);
        billing.stripe = stripe(&billing.base);
        let billed = billing.organization(&stage).await;
        let agency = stage.agency_tenant().await;
        let administrator = stage.administrator().await;
        let permissions = BTreeSet::from([Permission::AccountsCreate]);
        let (holder, ports) = (Holder::Administrator, &stage.ports);
        let issued = Credential::issue(holder, permissions, None, ports, ports).expect("entropy");
        let issued_text = reveal(&issued.1).to_owned();
        let credentials = [
            ("credential just made", &issued_text),
            ("API key", &billed.api_key),
            ("token of an app", &agency.token),
            ("other token of an app", &agency.token_without_permission),
            ("token of an administrator", &administrator),
        ];
        // The id of a credential is no secret.
        let halves = credentials.map(|(what, text)| Secret::new(what, &text[30..]));
        let mut secrets = halves.to_vec();
        secrets.extend([
            Secret::new("password", PASSWORD),
            Secret::new("other password", OTHER_PASSWORD),
            Secret::new("Stripe's API key", &STRIPE_KEY[8..]),
            Secret::new("old signing secret", &SIGNING[0][6..]),
            Secret::new("new signing secret", &SIGNING[1][6..]),
            Secret::new("fingerprint key", FINGERPRINT),
        ]);
        Self { stage, billing, billed, agency, administrator, issued, secrets, collected }
    }

    /// Sends a request and keeps all of the answer.
    async fn send(&self, endpoint: &impl Endpoint, call: Call) -> u64 {
        let reply = call.send(endpoint).await;
        self.collected.keep("answer", &reply.text);
        self.collected.keep("answer", format!("{:?}", reply.headers));
        reply.status
    }

    async fn sign_ups(&self) {
        let mut function = self.stage.create_account();
        function.fingerprint_key = fingerprint_key();
        let call = |fields: &Value| {
            let mut body = json!({
                "email": "owner@example.com", "name": "Acme Inc.", "type": "business",
                "password": PASSWORD
            });
            for (name, value) in fields.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            Call::json(&body)
        };
        let new = |n: u32| json!({"email": format!("owner{n}@example.com")});
        let rows = [
            (call(&json!({})).key("one"), 201),
            (call(&json!({})).key("one"), 201),
            (call(&json!({})), 409),
            (call(&json!({"password": OTHER_PASSWORD})).key("one"), 422),
            (call(&new(1)).bearer(&self.administrator), 201),
            (call(&new(2)).bearer(&self.billed.api_key), 401),
            (
                call(
                    &json!({"password": format!("{OTHER_PASSWORD} owner2"), "email": "owner2@example.com"}),
                ),
                400,
            ),
            (call(&json!({"password": {"is": PASSWORD}})), 400),
            (call(&json!({"password": PASSWORD.repeat(5)})), 400),
            (call(&json!({"password": "password", "confirmation": PASSWORD})), 400),
            (call(&json!({"email": PASSWORD})), 400),
            (Call::text(format!("{{\"password\":\"{PASSWORD}\",\"password\":1}}")), 400),
            (Call::text(format!("{{\"password\":\"{PASSWORD}")), 400),
            (Call::text(format!("{{\"password\":{PASSWORD}}}")), 400),
            (Call::text(PASSWORD).header("content-type", "text/plain"), 415),
            (Call::raw_base64(PASSWORD), 400),
        ];
        for (n, (call, status)) in rows.into_iter().enumerate() {
            // A refusal that repeats what was sent would have to be one of these.
            assert_eq!(self.send(&function, call).await, status, "sign-up {n}");
        }
        self.stage.wire.strike([Fault::Refused, Fault::Refused, Fault::Refused]);
        assert_eq!(self.send(&function, call(&new(3))).await, 503);
        self.stage.wire.strike([Fault::Cancelled(vec!["None", "ValidationError"])]);
        assert_eq!(self.send(&function, call(&new(4))).await, 503);
        self.stage.wire.cut();
        assert_eq!(self.send(&function, call(&new(5))).await, 503);
        self.stage.wire.mend();
    }

    /// The tokens of a log-in are told once, to who logged in; otherwise, and later, no more.
    async fn sessions(&mut self) {
        let mut function = self.stage.open_session();
        function.fingerprint_key = fingerprint_key();
        let call = |password: &str| {
            Call::json(&json!({"email": "owner@example.com", "password": password}))
        };
        let reply = call(PASSWORD).send(&function).await;
        assert_eq!(reply.status, 200);
        let token = |name: &str| reply.json()[name].as_str().expect("a token").to_owned();
        let (access, refresh) = (token("access_token"), token("refresh_token"));
        self.secrets.push(Secret::new("access token", &access[30..]));
        self.secrets.push(Secret::new("refresh token", &refresh[30..]));
        let rows = [
            (call(OTHER_PASSWORD), 401),
            (call(&PASSWORD.repeat(9)), 400),
            (Call::json(&json!({"email": PASSWORD, "password": PASSWORD})), 400),
            (Call::json(&json!({"email": "owner@example.com", "password": [PASSWORD]})), 400),
            (Call::text(format!("{{\"password\":\"{PASSWORD}")), 400),
        ];
        for (n, (call, status)) in rows.into_iter().enumerate() {
            assert_eq!(self.send(&function, call).await, status, "log-in {n}");
        }
        self.stage.wire.cut();
        assert_eq!(self.send(&function, call(PASSWORD)).await, 503);
        self.stage.wire.mend();
        let own = self.stage.get_own_account();
        for (token, status) in [(&access, 200), (&refresh, 401), (&self.administrator, 401)] {
            let call = Call::empty().bearer(token).header("if-none-match", token);
            assert_eq!(self.send(&own, call).await, status);
        }
        let mut accounts = self.stage.list_accounts();
        accounts.fingerprint_key = fingerprint_key();
        let listed = Call::empty().bearer(&self.administrator);
        assert_eq!(self.send(&accounts, listed.clone()).await, 200);
        assert_eq!(self.send(&accounts, listed.clone().query("cursor", &access)).await, 400);
        assert_eq!(self.send(&accounts, listed.query("email", PASSWORD)).await, 400);
        assert_eq!(self.send(&accounts, Call::empty().bearer(&access)).await, 401);
        let get = self.stage.get_account();
        for token in [&access, &self.administrator] {
            let call = Call::empty().at(&format!("/v1/accounts/{access}")).bearer(token);
            assert!(self.send(&get, call).await >= 400);
        }
        let mut update = self.stage.update_own_account();
        update.fingerprint_key = fingerprint_key();
        let patch = |body: Value| Call::json(&body).bearer(&access).key("patch");
        for (body, status) in [
            (json!({"password": OTHER_PASSWORD, "current_password": "wrong"}), 400),
            (json!({"password": OTHER_PASSWORD, "current_password": PASSWORD}), 200),
            (json!({"password": OTHER_PASSWORD, "current_password": PASSWORD}), 200),
            (json!({"password": PASSWORD, "current_password": OTHER_PASSWORD}), 422),
            (json!({"password": [OTHER_PASSWORD], "status": PASSWORD}), 400),
        ] {
            assert_eq!(self.send(&update, patch(body)).await, status);
        }
        let mut list = self.stage.list_sessions();
        list.fingerprint_key = fingerprint_key();
        assert_eq!(self.send(&list, Call::empty().bearer(&access)).await, 200);
        let secret =
            Call::empty().bearer(&access).query("cursor", &access).query("limit", &refresh);
        assert_eq!(self.send(&list, secret).await, 400);
        assert_eq!(self.send(&list, Call::empty().bearer(&refresh)).await, 401);
        let refreshing = self.stage.refresh_session();
        for (call, status) in [
            (Call::json(&json!({"rotate_refresh_token": refresh})).bearer(&refresh), 400),
            (Call::json(&json!({"refresh_token": refresh})).bearer(&refresh), 400),
            (Call::empty().header("authorization", &format!("Basic {refresh}")), 401),
            (Call::empty().bearer(&access), 401),
        ] {
            assert_eq!(self.send(&refreshing, call).await, status);
        }
        let reply = Call::empty().bearer(&refresh).send(&refreshing).await;
        assert_eq!(reply.status, 200);
        for (name, secret) in
            [("access_token", "new access token"), ("refresh_token", "new refresh token")]
        {
            let token = reply.json()[name].as_str().expect("a token").to_owned();
            self.secrets.push(Secret::new(secret, &token[30..]));
        }
        let used = Call::empty().bearer(&refresh);
        assert_eq!(self.send(&refreshing, used).await, 401, "it ends the session");
        let end = self.stage.end_session();
        let other = Call::json(&json!({"session_id": access})).bearer(&access);
        assert_eq!(self.send(&end, other).await, 404);
        assert_eq!(self.send(&end, Call::empty().bearer(&access)).await, 200);
        let close = self.stage.delete_account();
        let token = &self.administrator;
        let call = Call::empty().at(&format!("/v1/accounts/{access}")).bearer(token);
        assert_eq!(self.send(&close, call).await, 403);
        let reused = self.send(&own, Call::empty().bearer(&access));
        assert_eq!(reused.await, 200, "for 30 s");
    }

    async fn seats(&self) {
        let mut function = self.stage.create_seats();
        function.fingerprint_key = fingerprint_key();
        let call = || {
            Call::json(&json!({"accounts": [{"tier": "basic"}, {
                "tier": "premium", "platform": "tiktok", "username": "canary",
                "pfp_url": "https://example.com/a.jpg", "keywords": "a,b"
            }]}))
        };
        let key = &self.billed.api_key;
        let half = &key[30..];
        let rows = [
            (call().bearer(key).key("one"), 200),
            (call().bearer(key).key("one"), 200),
            (call().bearer(&format!("{key}0")), 401),
            (call().bearer(&format!("hc_01kgjb9z8rd3m0seats0000000_{half}")), 401),
            (call().header("authorization", &format!("Basic {key}")), 401),
            (call().header("authorization", &format!("Bearer {key}\r\nx: {half}")), 401),
            (Call::json(&json!({"accounts": [{"tier": half}], "api_key": key})), 401),
            (call().bearer(key).key(&format!("{half} {half}")), 400),
        ];
        for (n, (call, status)) in rows.into_iter().enumerate() {
            assert_eq!(self.send(&function, call).await, status, "seats {n}");
        }
        let cold = self.stage.cold_table();
        self.stage.wire.cut();
        let function = create_seats::Function { store: cold, ..function };
        assert_eq!(self.send(&function, call().bearer(key)).await, 503);
        self.stage.wire.mend();
        let updater = Holder::Organization(self.billed.organization.clone());
        let updater = self.stage.credential(updater, &[Permission::AccountsUpdate]).await;
        let mut update = self.stage.update_seats();
        update.fingerprint_key = fingerprint_key();
        let none = "acc_01kgjb9z8rd3m0n0b0dy000000";
        for (body, status) in [
            (json!({"accountId": half, "tier": key, "pfp_url": half}), 400),
            (json!({"accountId": none, "username": half, "profiles": {"key": half}}), 404),
            (json!({"updates": [{"accountId": none, "tag": half}], "api_key": key}), 400),
            (json!({"updates": [{"accountId": none, "keywords": half, "version": half}]}), 200),
        ] {
            let call = Call::json(&body).bearer(&updater).key("update");
            assert_eq!(self.send(&update, call).await, status);
        }
        let deactivate = self.stage.deactivate_seats();
        let ended = Call::json(&json!({"account_id": half, "account_ids": [key]}));
        assert_eq!(self.send(&deactivate, ended.bearer(key).key("two")).await, 400);
        let none = Call::json(&json!({"account_id": "acc_01kgjb9z8rd3m0n0b0dy000000"}));
        assert_eq!(self.send(&deactivate, none.bearer(key).key("three")).await, 404);
        let organization = self.stage.get_organization();
        assert_eq!(self.send(&organization, Call::empty().bearer(key)).await, 200);
        assert_eq!(self.send(&organization, Call::empty().bearer(&format!("{key}0"))).await, 401);
        let mut list = self.stage.list_seats();
        list.fingerprint_key = fingerprint_key();
        for (body, status) in [
            (json!({}), 200),
            (json!({"cursor": key, "limit": key, "ids": [key]}), 400),
            (json!({"tag": [half], "status": half, "tier": key, "platform": half}), 400),
        ] {
            assert_eq!(self.send(&list, Call::json(&body).bearer(key)).await, status);
        }
        let quote = self.stage.quote_seats(&self.billing);
        assert_eq!(self.send(&quote, call().bearer(key)).await, 200);
        self.billing.fault(&json!({"kind": "500", "count": 9})).await;
        assert_eq!(self.send(&quote, call().bearer(key)).await, 503);
        self.billing.heal().await;
        assert_eq!(self.send(&self.stage.get_billing(), Call::empty().bearer(key)).await, 200);
        let mut history = self.stage.get_billing_history();
        history.fingerprint_key = fingerprint_key();
        assert_eq!(self.send(&history, Call::empty().bearer(key)).await, 200);
        let secret = Call::empty().bearer(key).query("cursor", key).query("limit", key);
        assert_eq!(self.send(&history, secret).await, 400);
    }

    /// A new key is a secret from the first answer on, which is the only one that has it.
    async fn api_keys(&mut self) {
        let holder = Holder::Organization(self.billed.organization.clone());
        let manager = self.stage.credential(holder, &[Permission::KeysManage]).await;
        self.secrets.push(Secret::new("managing API key", &manager[30..]));
        let mut create = self.stage.create_api_key();
        create.fingerprint_key = fingerprint_key();
        let body = json!({"name": "Canary", "permissions": ["keys:manage"]});
        let call = || Call::json(&body).bearer(&manager).key("keys");
        let made = call().send(&create).await;
        let made = made.json()["data"]["key"].as_str().expect("a key").to_owned();
        self.secrets.push(Secret::new("new API key", &made[30..]));
        assert_eq!(self.send(&create, call()).await, 200, "the answer again");
        let wrong = json!({"name": made, "permissions": [made], "expires_at": made, "key": made});
        assert_eq!(self.send(&create, Call::json(&wrong).bearer(&made)).await, 400);
        let list = self.stage.list_api_keys();
        assert_eq!(self.send(&list, Call::empty().bearer(&manager)).await, 200);
        let mut update = self.stage.update_api_key();
        update.fingerprint_key = fingerprint_key();
        let mut delete = self.stage.delete_api_key();
        delete.fingerprint_key = fingerprint_key();
        let named = json!({"apiKeyId": &made[3..29], "name": "Renamed"});
        assert_eq!(self.send(&update, Call::json(&named).bearer(&manager).key("n")).await, 200);
        let whole = json!({ "apiKeyId": made });
        assert_eq!(self.send(&update, Call::json(&whole).bearer(&manager)).await, 400);
        assert_eq!(self.send(&delete, Call::json(&whole).bearer(&manager)).await, 400);
        let gone = json!({ "apiKeyId": &made[3..29] });
        assert_eq!(self.send(&delete, Call::json(&gone).bearer(&manager).key("d")).await, 200);
    }

    async fn agency_accounts(&self) {
        let mut function = self.stage.create_agency_account();
        function.fingerprint_key = fingerprint_key();
        let agency = &self.agency;
        let call = |token: &str| {
            let body = json!({"name": "Canary", "agency_lcuid": agency.lcuid});
            Call::json(&body).bearer(token).header("appidv3", &agency.app)
        };
        let rows = [
            (call(&agency.token).key("one"), 200),
            (call(&agency.token_without_permission), 403),
            (call(&self.administrator), 401),
            (call(&agency.token).header("appidv3", &agency.token), 400),
        ];
        for (n, (call, status)) in rows.into_iter().enumerate() {
            assert_eq!(self.send(&function, call).await, status, "agency {n}");
        }
        let signed = |call: Call| agency.signed(call, &agency.token);
        assert_eq!(self.send(&self.stage.check_token(), signed(Call::empty())).await, 200);
        let list = self.stage.list_agency_accounts();
        assert_eq!(self.send(&list, signed(Call::empty().query("page", &agency.token))).await, 422);
        let mut update = self.stage.update_agency_account();
        update.fingerprint_key = fingerprint_key();
        let body = json!({"name": "Canary", "token": agency.token});
        let change = Call::json(&body).at(&format!("/api/v3/accounts/{}", agency.plain)).key("two");
        assert_eq!(self.send(&update, signed(change)).await, 403);
        let mut delete = self.stage.delete_agency_account();
        delete.fingerprint_key = fingerprint_key();
        let path = format!("/api/v3/objects/{}", agency.plain);
        assert_eq!(self.send(&delete, signed(Call::empty().at(&path)).key("three")).await, 403);
        let path = format!("{path}/can-be-deleted");
        assert_eq!(
            self.send(&self.stage.check_deletion(), signed(Call::empty().at(&path))).await,
            403
        );
        let get = self.stage.get_agency_account();
        for (token, status) in [(&agency.token, 403), (&self.administrator, 401)] {
            let call = Call::empty().at(&format!("/api/v3/accounts/{}", agency.plain));
            let call = agency.signed(call, token);
            assert_eq!(self.send(&get, call).await, status);
        }
    }

    async fn billing(&self) {
        let sync = self.billing.sync(&self.stage);
        let organization = &self.billed.organization;
        for fault in [None, Some("429"), Some("500"), Some("cut_after"), Some("409")] {
            if let Some(kind) = fault {
                self.billing.fault(&json!({"kind": kind, "count": 2})).await;
            }
            self.stage.ports.advance(SignedDuration::from_mins(5));
            let mut function = self.stage.create_seats();
            function.fingerprint_key = fingerprint_key();
            let body = json!({"accounts": [{"tier": "basic"}]});
            let status = self.send(&function, Call::json(&body).bearer(&self.billed.api_key)).await;
            assert_eq!(status, 200);
            let row = self.stage.table.billing_row(organization).await.expect("a table");
            let version = row.expect("a record").version;
            let poison = ("poison", STRIPE_KEY.to_owned());
            let messages = batch([reached(organization, version), poison]);
            let response = sync.handle(messages).await.expect("ids");
            self.collected.keep("response", format!("{response:?}"));
            self.billing.heal().await;
        }
        for change in self.billing.sent_again.take() {
            self.collected.keep("event or message", format!("{change:?}"));
        }
        // An account that the key does not open, and one that nobody answers for.
        for base in [refusing().await, "http://127.0.0.1:9".to_owned()] {
            let mut sync = self.billing.sync(&self.stage);
            sync.stripe = stripe(&base);
            self.stage.ports.advance(SignedDuration::from_mins(5));
            let response = sync.handle(batch([reached(organization, u64::MAX)])).await;
            self.collected.keep("response", format!("{response:?}"));
        }
    }

    async fn webhooks(&self) {
        let mut function = self.billing.webhook(&self.stage);
        let both = SecretText::of(&json!(SIGNING).to_string());
        function.signatures = SignatureCheck::new(both.clone());
        let event = json!({
            "id": "evt_1", "type": "customer.subscription.updated",
            "data": {"object": {"id": self.billed.subscription, "metadata": {
                "organization": self.billed.organization.as_str()
            }}}
        });
        let event = event.to_string();
        let now = self.stage.ports.now().as_second();
        let call = |secret: &str| {
            Call::text(&event).header("stripe-signature", &sign_webhook(secret, now, &event))
        };
        for (secret, status) in [(SIGNING[0], 200), (SIGNING[1], 200), ("whsec_canary", 400)] {
            assert_eq!(self.send(&function, call(secret)).await, status);
        }
        let header = format!("t={now},v1={}", SIGNING[0]);
        let told = Call::text(&event).header("stripe-signature", &header);
        assert_eq!(self.send(&function, told).await, 400);
        // A secret that cannot be read must not be shown for that.
        both.replace(&SIGNING.join(" and "));
        self.stage.ports.advance(SignedDuration::from_mins(6));
        assert_eq!(self.send(&function, call(SIGNING[0])).await, 503);
    }

    async fn reconciliation(&self) {
        for base in [self.billing.base.clone(), "http://127.0.0.1:9".to_owned()] {
            let function = reconcile_billing::Function {
                ledger: self.stage.table.clone(),
                stripe: stripe(&base),
                queue: Taking(self.collected.clone()),
                findings: LogFindings,
                tiers: self.billing.tiers(),
                reads_per_second: NonZeroU32::new(15).expect("above 0"),
                ports: Waiting(self.stage.ports.clone()),
            };
            let deadline = self.stage.ports.now() + SignedDuration::from_mins(4);
            let report = function
                .handle(deadline, "invocation-1".to_owned())
                .await
                .expect("the table answers");
            self.collected.keep("response", format!("{report:?}"));
        }
    }

    /// Everything that is in the table goes through the stream, once well and once to services
    /// that refuse it, and with a record that nobody can read.
    async fn publishing(&self) {
        let mut records: Vec<Value> = self
            .stage
            .items()
            .await
            .iter()
            .enumerate()
            .map(|(n, item)| inserted(n, item))
            .collect();
        let account = records.iter().find(|record| record.to_string().contains("password_hash"));
        let mut unreadable = account.expect("an account").clone();
        unreadable["dynamodb"]["NewImage"]["created_at"] = json!({"N": "1"});
        unreadable["dynamodb"]["NewImage"]["kind"] = json!({"BOOL": true});
        records.push(unreadable);
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
            let outbox = outbox(&self.services(status).await);
            let batch = Batch { records: records.clone() };
            let response = handle(&outbox, batch).await.expect("sequence numbers");
            self.collected.keep("response", format!("{response:?}"));
        }
    }

    /// SQS and EventBridge, which keep what they are sent.
    async fn services(&self, status: StatusCode) -> String {
        let collected = self.collected.clone();
        serve(Router::new().fallback(move |body: Bytes| {
            collected.keep("event or message", &body);
            let answer = r#"{"Failed":[],"Successful":[],"FailedEntryCount":0,"Entries":[]}"#;
            async move { (status, answer) }
        }))
        .await
    }

    /// What values that hold secrets look like when somebody prints them.
    fn printed(&self) {
        let (collected, ports) = (&self.collected, &self.stage.ports);
        let header = format!("Bearer {}", self.billed.api_key);
        collected.debug(&(&self.issued, Presented::parse(header.as_bytes())));
        let password = |text| Password::parse(text, PasswordPolicy::default(), None, None);
        let good = password(PASSWORD).expect("a good one");
        let hashed = good.hash(&Salt::new(ports).expect("there is entropy"));
        collected.debug(&(&good, hashed.is_ok(), password(&PASSWORD.repeat(9))));
        collected.debug(&fingerprint_key());
        collected.debug(&FingerprintKey::new(&FINGERPRINT[..31]).map_err(|weak| weak.to_string()));
        let secrets = SigningSecrets::parse(&SIGNING.join(",")).expect("secrets");
        collected.debug(&secrets);
        let broken =
            SigningSecrets::parse(&SIGNING.concat().replace("whsec_", "")).expect_err("none");
        collected.debug(&(broken, broken.to_string()));
        collected.debug(&SecretString::from(STRIPE_KEY));
    }

    async fn keep_table(&self) {
        for item in self.stage.items().await {
            self.collected.keep("item", format!("{item:?}"));
        }
    }
}

fn fingerprint_key() -> FingerprintKey {
    FingerprintKey::new(&FINGERPRINT).expect("long enough")
}

fn stripe(base: &str) -> Stripe {
    Stripe::new(base, SecretString::from(STRIPE_KEY)).expect("a client")
}

/// A Stripe that does not take the key, and names it as Stripe does.
async fn refusing() -> String {
    let error = json!({"error": {"type": "invalid_request_error", "message": format!(
        "Invalid API Key provided: {}****{}", &STRIPE_KEY[..8], &STRIPE_KEY[STRIPE_KEY.len() - 4..]
    )}});
    let answer = error.to_string();
    serve(Router::new().fallback(move || async move { (StatusCode::UNAUTHORIZED, answer) })).await
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// The stream's record of a new item.
fn inserted(n: usize, item: &Item) -> Value {
    let image = serde_json::to_value(serde_dynamo::Item::from(item.clone())).expect("an item");
    json!({
        "eventID": format!("event-{n}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_770_142_367,
            "Keys": {"pk": image["pk"], "sk": image["sk"]},
            "NewImage": image,
            "SequenceNumber": n.to_string(),
            "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES"
        }
    })
}

/// A queue that takes everything and shows it.
struct Taking(Collected);

impl BillingQueue for Taking {
    async fn send(&self, messages: &[Message]) -> usize {
        self.0.keep("event or message", format!("{messages:?}"));
        messages.len()
    }
}

/// Waiting moves the clock.
struct Waiting(Ports);

impl Clock for Waiting {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Entropy for Waiting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.fill(bytes)
    }
}

impl Pause for Waiting {
    async fn pause_until(&self, time: Timestamp) {
        let left = time.duration_since(self.now());
        if left.is_positive() {
            self.0.advance(left);
        }
    }
}
