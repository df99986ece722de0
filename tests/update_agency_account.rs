//! `PUT /api/v3/accounts/{lcuid}`: LIFECYCLE, "Common" and "Agency API".

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use headcount_model::credential::Permission;
use headcount_tests::agency::{NOBODYS, asks_for_one_of, forbidden, lets_in_nobody_else};
use headcount_tests::{AgencyTenant, Call, Fault, Item, Reply, Stage, text_of, transport};
use jiff::SignedDuration;
use serde_json::{Value, json};

const PERMISSIONS: [Permission; 2] =
    [Permission::AccountUpdate, Permission::AgencyUpdateDeleteAllAccounts];

fn put(lcuid: &str, body: &Value) -> Call {
    Call::json(body).at(&format!("/api/v3/accounts/{lcuid}"))
}

struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    token: String,
    /// An account with a description and a site.
    account: String,
    function: update_agency_account::Function<headcount_store::Table, headcount_tests::Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let token = stage.credential(tenant.holder(), &[Permission::AccountUpdate]).await;
        let body = json!({
            "name": "My New Account", "description": "Mine", "website": "https://example.com",
            "agency_lcuid": tenant.lcuid,
        });
        let create = tenant.signed(Call::json(&body), &tenant.token);
        let created = create.send(&stage.create_agency_account()).await.json();
        let account = created["account"]["lcuid"].as_str().expect("an id").to_owned();
        let function = stage.update_agency_account();
        stage.ports.advance(SignedDuration::from_hours(1));
        stage.operations.take();
        Self { stage, tenant, token, account, function }
    }

    async fn send(&self, call: Call) -> Reply {
        self.tenant.signed(call, &self.token).send(&self.function).await
    }

    async fn change(&self, body: Value) -> Reply {
        self.send(put(&self.account, &body)).await
    }

    /// As `GET` shows it.
    async fn shown(&self) -> Value {
        let token = self.stage.credential(self.tenant.holder(), &[Permission::AccountView]).await;
        let call = Call::empty().at(&format!("/api/v3/accounts/{}", self.account));
        self.tenant.signed(call, &token).send(&self.stage.get_agency_account()).await.json()
    }

    async fn items(&self, sk: &str) -> Vec<Item> {
        let mut items = self.stage.items_under(&format!("AGENCY#{}", self.tenant.lcuid)).await;
        items.retain(|item| text_of(item, "sk").is_some_and(|own| own.starts_with(sk)));
        items
    }

    async fn item(&self) -> Item {
        self.items(&format!("ACCOUNT#{}", self.account)).await.remove(0)
    }

    async fn version(&self) -> Option<String> {
        self.item().await.get("version").and_then(|value| value.as_n().ok()).cloned()
    }
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_is_cleared() {
    let api = Api::new().await;
    let before = api.shown().await;
    let rows = [
        (json!({"name": "Renamed"}), "Renamed", json!("Mine"), json!("https://example.com")),
        (
            json!({"name": " A ", "description": "One\r\n\ttwo "}),
            "A",
            json!("One\n\ttwo"),
            json!("https://example.com"),
        ),
        (json!({"name": "A", "website": null}), "A", json!("One\n\ttwo"), Value::Null),
        (json!({"name": "Cafe\u{301}", "description": " "}), "Café", Value::Null, Value::Null),
        (
            json!({"name": "B", "description": "d", "website": " https://b.example.com/ "}),
            "B",
            json!("d"),
            json!("https://b.example.com/"),
        ),
        (
            json!({"name": "My New Account", "description": null, "website": ""}),
            "My New Account",
            Value::Null,
            Value::Null,
        ),
    ];
    for (n, (body, name, description, website)) in rows.into_iter().enumerate() {
        let reply = api.change(body.clone()).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text);
        let mut expected = before.clone();
        expected["account"]["name"] = json!(name);
        expected["account"]["description"] = description;
        expected["account"]["website"] = website;
        // The slug too is what it was.
        assert_eq!(reply.json(), expected, "{body}");
        assert_eq!(api.shown().await, expected, "{body}");
        assert_eq!(api.version().await, Some((n + 1).to_string()));
    }
    assert_eq!(text_of(&api.item().await, "updated_at"), Some("2026-02-03T19:12:47.000000Z"));
    assert_eq!(text_of(&api.item().await, "created_at"), Some("2026-02-03T18:12:47.000000Z"));
    assert_eq!(api.stage.items_under("SLUG#").await.len(), 3, "no slug is taken or freed");
}

#[tokio::test]
async fn it_is_one_read_and_one_transaction() {
    let api = Api::new().await;
    api.change(json!({"name": "A"})).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "BatchGetItem", "TransactWriteItems"]);
    api.send(put(&api.account, &json!({"name": "B"})).key("k")).await;
    assert_eq!(api.stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn what_is_so_already_is_written_to_nobody() {
    let api = Api::new().await;
    let before = api.stage.snapshot().await;
    let same = json!({"name": "My New Account", "description": "Mine"});
    let reply = api.change(same.clone()).await;
    assert_eq!((reply.status, reply.json()), (200, api.shown().await));
    let now = api.stage.snapshot().await;
    // The token of the reader above is all that is new.
    assert!(before.iter().all(|(key, item)| now.get(key) == Some(item)));
    assert_eq!(now.len(), before.len() + 1);

    let keyed = put(&api.account, &same).key("k");
    let first = api.send(keyed.clone()).await;
    assert_eq!(api.change(json!({"name": "Other"})).await.status, 200);
    let again = api.send(keyed).await;
    assert!(again.is_replay());
    assert_eq!(again.text, first.text);
    assert_eq!(api.version().await, Some("1".to_owned()));
    assert_eq!(api.items("AUDIT#").await.len(), 1);
}

#[tokio::test]
async fn the_audit_says_who_changed_which_fields_and_when() {
    let api = Api::new().await;
    let body = json!({"name": "Renamed", "description": "Mine", "website": null});
    assert_eq!(api.change(body).await.status, 200);
    let [entry] = &api.items("AUDIT#").await[..] else { panic!("one entry") };
    let credential = api.token.split('_').nth(1).expect("an id");
    for (name, value) in [
        ("agency", api.tenant.lcuid.as_str()),
        ("credential", credential),
        ("route", "PUT /api/v3/accounts/{lcuid}"),
        ("at", "2026-02-03T19:12:47.000000Z"),
        ("request_id", "request-1"),
    ] {
        assert_eq!(text_of(entry, name), Some(value), "{name}");
    }
    let list = |name: &str| {
        let list = entry[name].as_l().expect("a list").iter();
        list.map(|value| value.as_s().expect("text").clone()).collect::<Vec<_>>()
    };
    assert_eq!(list("objects"), std::slice::from_ref(&api.account));
    assert_eq!(list("fields"), ["name", "website"], "what differs, and no value");
    assert!(!entry.contains_key("organization"));
    assert!(text_of(entry, "sk").is_some_and(|sk| sk.starts_with("AUDIT#aud_")));
}

#[tokio::test]
async fn a_retry_under_a_key_has_the_first_answer_even_when_the_account_is_gone() {
    let api = Api::new().await;
    let call = put(&api.account, &json!({"name": "Renamed"})).key("k");
    let first = api.send(call.clone()).await;
    assert_eq!((first.status, first.is_replay()), (200, false));
    api.stage.ports.advance(SignedDuration::from_hours(23));
    assert_eq!(api.change(json!({"name": "Later"})).await.status, 200);
    let replayed = async |call: &Call| {
        let reply = api.send(call.clone()).await;
        assert_eq!((reply.status, &reply.text), (200, &first.text));
        assert!(reply.is_replay());
    };
    replayed(&call).await;
    assert_eq!(api.shown().await["account"]["name"], "Later");

    let other = api.send(put(&api.account, &json!({"name": "Other"})).key("k")).await;
    let message = "This Idempotency-Key was used with another request body; nothing was done.";
    assert_eq!((other.status, other.json()["message"].clone()), (422, json!(message)));

    // Another account's request under this key is another request.
    let plain = api.send(put(&api.tenant.plain, &json!({"name": "Renamed"})).key("k")).await;
    assert_eq!((plain.status, plain.is_replay()), (200, false));

    let key = |name: &str, value: String| (name.to_owned(), AttributeValue::S(value));
    let key = [
        key("pk", format!("AGENCY#{}", api.tenant.lcuid)),
        key("sk", format!("ACCOUNT#{}", api.account)),
    ];
    let delete = api.stage.client.delete_item().table_name(headcount_tests::TABLE);
    delete.set_key(Some(key.into())).send().await.expect("deleted");
    replayed(&call).await;
    let other = api.send(put(&api.account, &json!({"name": "Other"})).key("k")).await;
    assert_eq!(other.status, 422);
    for call in [put(&api.account, &json!({"name": "Renamed"})), call.clone().key("another")] {
        let reply = api.send(call).await;
        assert_eq!((reply.status, reply.json()), (403, forbidden(&PERMISSIONS, &api.account)));
    }
    api.stage.ports.advance(SignedDuration::from_hours(2));
    assert_eq!(api.send(call).await.status, 403, "the record is no longer valid");
}

#[tokio::test]
async fn every_fault_is_told_in_the_words_of_the_framework() {
    let api = Api::new().await;
    let before = api.stage.snapshot().await;
    let rows = [
        (json!({}), vec![("name", "The name field is required.")]),
        (json!({"name": null}), vec![("name", "The name field is required.")]),
        (json!({"name": " \u{3164}"}), vec![("name", "The name field is required.")]),
        (json!({"name": 1}), vec![("name", "The name field must be a string.")]),
        (
            json!({"name": "é".repeat(256)}),
            vec![("name", "The name field must not be greater than 255 characters.")],
        ),
        (
            json!({"name": "a\nb"}),
            vec![("name", "The name field must not contain the character U+000A.")],
        ),
        (
            json!({"description": "é".repeat(5_001), "website": "ftp://example.com", "slug": "x", "agency_lcuid": null}),
            vec![
                ("name", "The name field is required."),
                ("description", "The description field must not be greater than 5000 characters."),
                ("website", "The website field must be a valid http or https URL."),
                ("slug", "The slug field is prohibited."),
                ("agency_lcuid", "The agency lcuid field is prohibited."),
            ],
        ),
    ];
    for (body, faults) in rows {
        let reply = api.change(body.clone()).await;
        let errors: serde_json::Map<_, _> =
            faults.iter().map(|(field, message)| ((*field).to_owned(), json!([message]))).collect();
        assert_eq!(
            (reply.status, &reply.json()["errors"]),
            (422, &Value::Object(errors)),
            "{body}"
        );
    }
    assert!(api.stage.snapshot().await == before);
}

#[tokio::test]
async fn transport_faults_are_worded_as_everywhere() {
    let api = Api::new().await;
    let good = json!({"name": "Renamed"});
    let path = format!("/api/v3/accounts/{}", api.account);
    for case in transport::unreadable(&good, 256) {
        let reply = api.send(case.call.at(&path)).await;
        let expected = json!({"message": case.message}).to_string();
        assert_eq!((reply.status, &reply.text), (case.status, &expected), "{}", case.what);
    }
    assert_eq!(api.version().await, None);
    for (what, call) in transport::readable(&good, 256) {
        let reply = api.send(call.at(&path)).await;
        assert_eq!(reply.status, 200, "{what}: {}", reply.text);
    }
}

#[tokio::test]
async fn either_permission_will_do_and_no_account_of_others_is_changed() {
    let api = Api::new().await;
    for (n, permission) in PERMISSIONS.into_iter().enumerate() {
        let token = api.stage.credential(api.tenant.holder(), &[permission]).await;
        let call = put(&api.account, &json!({"name": format!("By {n}")}));
        let reply = api.tenant.signed(call, &token).send(&api.function).await;
        assert_eq!(reply.status, 200, "{permission:?}");
    }
    let other = api.stage.agency_tenant().await;
    let call = |lcuid: &str| put(lcuid, &json!({"name": "Mine now"}));
    let accounts = (api.account.as_str(), other.plain.as_str());
    asks_for_one_of(&api.stage, &api.tenant, &PERMISSIONS, accounts, call, &api.function).await;
    let accounts = (other.plain.as_str(), api.account.as_str());
    asks_for_one_of(&api.stage, &other, &PERMISSIONS, accounts, call, &api.function).await;
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let api = Api::new().await;
    let call = put(&api.account, &json!({"name": "Mine now"}));
    let permission = Permission::AccountUpdate;
    lets_in_nobody_else(&api.stage, &api.tenant, permission, &call, &api.function).await;
}

#[tokio::test]
async fn an_item_is_changed_at_the_version_that_it_has() {
    let api = Api::new().await;
    let (pk, sk) = (format!("AGENCY#{}", api.tenant.lcuid), format!("ACCOUNT#{}", api.account));
    // One of before there were versions counts as 0, and so does one that says so.
    for (set, next) in [(None, "1"), (Some("0"), "1"), (Some("41"), "42")] {
        match set {
            Some(version) => {
                let version = AttributeValue::N(version.to_owned());
                api.stage.set(&pk, &sk, "version", version).await;
            }
            None => api.stage.remove(&pk, &sk, "version").await,
        }
        assert_eq!(api.change(json!({"name": format!("From {set:?}")})).await.status, 200);
        assert_eq!(api.version().await, Some(next.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_changes_at_once_none_is_lost() {
    let api = Api::new().await;
    let function = Arc::new(api.function);
    // Half of them change one field, half another: each has to be seen by the others.
    let calls = (0..8).map(|n| {
        let body = match n % 2 {
            0 => json!({"name": "My New Account", "description": format!("d{n}")}),
            _ => json!({"name": "My New Account", "website": format!("https://{n}.example.com")}),
        };
        let call = api.tenant.signed(put(&api.account, &body), &api.token);
        let function = Arc::clone(&function);
        tokio::spawn(async move { call.send(&*function).await })
    });
    let replies = join_all(calls).await;
    let replies: Vec<_> = replies.into_iter().map(|reply| reply.expect("no panic")).collect();
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    // Whoever was overtaken too often is asked to come back.
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 429)), "{replies:?}");
    let mut items = api.stage.items_under(&format!("AGENCY#{}", api.tenant.lcuid)).await;
    let audits =
        items.iter().filter(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    assert_eq!(audits.count(), done);
    items.retain(|item| text_of(item, "lcuid") == Some(&api.account));
    assert_eq!(items[0]["version"], AttributeValue::N(done.to_string()));
}

#[tokio::test]
async fn a_table_in_trouble_is_told_as_such() {
    let api = Api::new().await;
    let body = json!({"name": "A"});
    api.stage.wire.cut();
    let reply = api.change(body.clone()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    api.stage.wire.mend();
    // An answer that is lost: the retry under the key finds what was done.
    api.stage.wire.strike([Fault::AnswerLost]);
    let call = put(&api.account, &body).key("k");
    let reply = api.send(call.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(api.version().await, Some("1".to_owned()));
    assert_eq!(api.send(put(NOBODYS, &body).key("k")).await.status, 403);
}
