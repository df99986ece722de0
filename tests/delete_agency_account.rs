//! `DELETE /api/v3/objects/{lcuid}`: LIFECYCLE, "Common" and "Agency API".

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::credential::Permission;
use headcount_tests::agency::{NOBODYS, asks_for_one_of, forbidden, lets_in_nobody_else};
use headcount_tests::{AgencyTenant, Call, Fault, Item, Reply, Stage, text_of};
use jiff::SignedDuration;
use serde_json::json;

const PERMISSIONS: [Permission; 2] =
    [Permission::AccountDelete, Permission::AgencyUpdateDeleteAllAccounts];
const HAS_SUB_ACCOUNTS: &str =
    r#"{"message":"The account cannot be deleted. The account has sub-accounts."}"#;

fn delete(lcuid: &str) -> Call {
    Call::empty().at(&format!("/api/v3/objects/{lcuid}"))
}

struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    token: String,
    function: delete_agency_account::Function<headcount_store::Table, headcount_tests::Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let token = stage.credential(tenant.holder(), &[Permission::AccountDelete]).await;
        let function = stage.delete_agency_account();
        stage.operations.take();
        Self { stage, tenant, token, function }
    }

    async fn send(&self, call: Call) -> Reply {
        self.tenant.signed(call, &self.token).send(&self.function).await
    }

    fn create(&self, parent: Option<&str>) -> Call {
        let body = json!({
            "name": "Plain", "agency_lcuid": self.tenant.lcuid, "parent_account_lcuid": parent,
        });
        self.tenant.signed(Call::json(&body), &self.tenant.token)
    }

    async fn sub_account(&self) -> String {
        let created = self.create(Some(&self.tenant.parent));
        let created = created.send(&self.stage.create_agency_account()).await.json();
        created["account"]["lcuid"].as_str().expect("an account").to_owned()
    }

    async fn items(&self, sk: &str) -> Vec<Item> {
        let mut items = self.stage.items_under(&format!("AGENCY#{}", self.tenant.lcuid)).await;
        items.retain(|item| text_of(item, "sk").is_some_and(|own| own.starts_with(sk)));
        items
    }

    async fn is_there(&self, lcuid: &str) -> bool {
        !self.items(&format!("ACCOUNT#{lcuid}")).await.is_empty()
    }
}

#[tokio::test]
async fn an_account_goes_and_its_slug_stays_taken() {
    let api = Api::new().await;
    let reply = api.send(delete(&api.tenant.plain)).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, r#"{"success":true}"#));
    assert!(!api.is_there(&api.tenant.plain).await);
    assert!(api.is_there(&api.tenant.parent).await);

    let token = api.stage.credential(api.tenant.holder(), &Permission::ALL).await;
    let signed = |call: Call| api.tenant.signed(call, &token);
    let get = Call::empty().at(&format!("/api/v3/accounts/{}", api.tenant.plain));
    assert_eq!(signed(get).send(&api.stage.get_agency_account()).await.status, 403);
    let list = signed(Call::empty()).send(&api.stage.list_agency_accounts()).await.json();
    assert_eq!(list["accounts"].as_array().map(Vec::len), Some(1));
    let below = api.create(Some(&api.tenant.plain)).send(&api.stage.create_agency_account()).await;
    assert_eq!(below.status, 422, "it is no parent");
    let again = api.create(None).send(&api.stage.create_agency_account()).await.json();
    assert_eq!(again["account"]["slug"], "Plain2");
}

#[tokio::test]
async fn it_is_one_read_and_one_transaction() {
    let api = Api::new().await;
    let mut spare = Vec::new();
    for _ in 0..2 {
        let created = api.create(None).send(&api.stage.create_agency_account()).await.json();
        spare.push(created["account"]["lcuid"].as_str().expect("an id").to_owned());
    }
    api.stage.operations.take();
    api.send(delete(&spare[0])).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "GetItem", "TransactWriteItems"]);
    api.send(delete(&spare[1])).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "TransactWriteItems"]);
    // Only for what may have sub-accounts are they looked for.
    api.send(delete(&api.tenant.parent)).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "Query", "TransactWriteItems"]);
}

#[tokio::test]
async fn an_account_with_sub_accounts_stays_until_they_are_gone() {
    let api = Api::new().await;
    let below = [api.sub_account().await, api.sub_account().await];
    for sub_account in &below {
        let before = api.stage.snapshot().await;
        for call in [delete(&api.tenant.parent), delete(&api.tenant.parent).key("k")] {
            let reply = api.send(call).await;
            assert_eq!((reply.status, reply.text.as_str()), (422, HAS_SUB_ACCOUNTS));
        }
        assert!(api.stage.snapshot().await == before);
        assert_eq!(api.send(delete(sub_account)).await.status, 200);
    }
    // A refusal is not kept under its key.
    assert_eq!(api.send(delete(&api.tenant.parent).key("k")).await.status, 200);
    assert!(!api.is_there(&api.tenant.parent).await);
}

#[tokio::test]
async fn a_sub_account_of_before_they_were_counted_counts() {
    let api = Api::new().await;
    api.sub_account().await;
    let (pk, sk) =
        (format!("AGENCY#{}", api.tenant.lcuid), format!("ACCOUNT#{}", api.tenant.parent));
    api.stage.remove(&pk, &sk, "sub_accounts_made").await;
    assert_eq!(api.send(delete(&api.tenant.parent)).await.text, HAS_SUB_ACCOUNTS);
    // And one below an account that may have none any more.
    api.sub_account().await;
    api.stage.set(&pk, &sk, "is_parent_account", AttributeValue::Bool(false)).await;
    assert_eq!(api.send(delete(&api.tenant.parent)).await.text, HAS_SUB_ACCOUNTS);
}

#[tokio::test]
async fn sub_accounts_beyond_a_megabyte_are_found() {
    let api = Api::new().await;
    // The one below sorts behind all of these.
    api.stage.many_accounts(&api.tenant.lcuid, 80, 5_000).await;
    api.sub_account().await;
    assert_eq!(api.send(delete(&api.tenant.parent)).await.text, HAS_SUB_ACCOUNTS);
}

#[tokio::test]
async fn a_retry_under_a_key_has_the_first_answer() {
    let api = Api::new().await;
    let call = delete(&api.tenant.plain).key("k");
    assert!(!api.send(call.clone()).await.is_replay());
    let after = api.stage.snapshot().await;
    api.stage.ports.advance(SignedDuration::from_hours(23));
    let again = api.send(call.clone()).await;
    assert_eq!((again.status, again.text.as_str()), (200, r#"{"success":true}"#));
    assert!(again.is_replay());
    // Another body is another request, another account too.
    let other = Call::text("{}").at(&format!("/api/v3/objects/{}", api.tenant.plain)).key("k");
    let message = "This Idempotency-Key was used with another request body; nothing was done.";
    let other = api.send(other).await;
    assert_eq!((other.status, other.json()["message"].clone()), (422, json!(message)));
    let missing = forbidden(&PERMISSIONS, &api.tenant.plain);
    for call in [delete(&api.tenant.plain), delete(&api.tenant.plain).key("another")] {
        let reply = api.send(call).await;
        assert_eq!((reply.status, reply.json()), (403, missing.clone()));
    }
    assert!(api.stage.snapshot().await == after);
    api.stage.ports.advance(SignedDuration::from_hours(2));
    assert_eq!(api.send(call).await.json(), missing);
    assert_eq!(api.send(delete(&api.tenant.parent).key("k")).await.status, 200);
}

#[tokio::test]
async fn the_audit_says_who_deleted_what_and_when() {
    let api = Api::new().await;
    api.stage.ports.advance(SignedDuration::from_hours(1));
    api.send(delete(&api.tenant.plain)).await;
    let [entry] = &api.items("AUDIT#").await[..] else { panic!("one entry") };
    for (name, value) in [
        ("agency", api.tenant.lcuid.as_str()),
        ("credential", api.token.split('_').nth(1).expect("an id")),
        ("route", "DELETE /api/v3/objects/{lcuid}"),
        ("at", "2026-02-03T19:12:47.000000Z"),
        ("request_id", "request-1"),
    ] {
        assert_eq!(text_of(entry, name), Some(value), "{name}");
    }
    assert_eq!(
        entry["objects"],
        AttributeValue::L(vec![AttributeValue::S(api.tenant.plain.clone())])
    );
    assert_eq!(entry["fields"], AttributeValue::L(Vec::new()));
}

#[tokio::test]
async fn either_permission_will_do_and_nothing_of_others_is_deleted() {
    let api = Api::new().await;
    let other = api.stage.agency_tenant().await;
    let accounts = (api.tenant.plain.as_str(), other.plain.as_str());
    asks_for_one_of(&api.stage, &api.tenant, &PERMISSIONS, accounts, delete, &api.function).await;
    let accounts = (other.plain.as_str(), api.tenant.parent.as_str());
    asks_for_one_of(&api.stage, &other, &PERMISSIONS, accounts, delete, &api.function).await;
    for (permission, lcuid) in PERMISSIONS.into_iter().zip([&api.tenant.plain, &api.tenant.parent])
    {
        let token = api.stage.credential(api.tenant.holder(), &[permission]).await;
        let reply = api.tenant.signed(delete(lcuid), &token).send(&api.function).await;
        assert_eq!(reply.status, 200, "{permission:?}");
    }
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let api = Api::new().await;
    let call = delete(&api.tenant.plain);
    let permission = Permission::AccountDelete;
    lets_in_nobody_else(&api.stage, &api.tenant, permission, &call, &api.function).await;
}

/// Whatever comes first: either the account is gone and nothing is below it, or it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_account_and_the_end_of_its_parent_exclude_each_other() {
    for round in 0..12 {
        let api = Arc::new(Api::new().await);
        let deleting = {
            let api = Arc::clone(&api);
            tokio::spawn(async move { api.send(delete(&api.tenant.parent)).await })
        };
        let creating = {
            let api = Arc::clone(&api);
            tokio::spawn(async move {
                // Now the one begins earlier, now the other.
                for _ in 0..round {
                    tokio::task::yield_now().await;
                }
                let function = api.stage.create_agency_account();
                api.create(Some(&api.tenant.parent)).send(&function).await
            })
        };
        let (deleted, created) =
            (deleting.await.expect("no panic"), creating.await.expect("no panic"));
        assert!(
            matches!((deleted.status, created.status), (200, 422) | (422, 200)),
            "{deleted:?} {created:?}"
        );
        assert_eq!(api.is_there(&api.tenant.parent).await, created.status == 200);
    }
}

/// The same, with the create in the very place where it could be overlooked: between what the
/// deletion has read and its transaction.
#[tokio::test]
async fn a_sub_account_that_is_made_behind_the_back_of_a_deletion_keeps_its_parent() {
    use headcount_model::agency::{
        AgencyAccountDeletions, DeletableAccounts, DeletionCommit, NotCommitted,
    };
    use headcount_model::audit::Entry;
    use headcount_model::credential::Credentials;
    use headcount_model::credential::Presented;
    use headcount_model::id::{AgencyAccountLcuid, AuditId};
    use headcount_model::port::Clock;
    use headcount_model::right::DeleteAgencyAccounts;

    let api = Api::new().await;
    let presented = Presented::of_token(&api.token).expect("a token");
    let table = &api.stage.table;
    let credential = table.credential(&presented).await.expect("a table").expect("a credential");
    let granted = credential.grant::<DeleteAgencyAccounts>().expect("the permission");
    let lcuid = AgencyAccountLcuid::parse(&api.tenant.parent).expect("an id");
    for _ in 0..2 {
        let read = table.deletable(granted, &lcuid).await.expect("a table").expect("an account");
        assert!(!read.has_sub_accounts);
        let sub_account = api.sub_account().await;
        let ports = &api.stage.ports;
        let commit = DeletionCommit {
            lcuid: &lcuid,
            read,
            audit: Entry {
                id: AuditId::new(ports, ports).expect("entropy"),
                credential: granted.by(),
                route: "DELETE /api/v3/objects/{lcuid}",
                objects: vec![lcuid.as_str()],
                fields: &[],
                at: ports.now(),
                request_id: "request-1",
            },
            record: None,
            now: ports.now(),
        };
        // Neither the first one nor a later one, though the first is gone again by then.
        assert_eq!(table.delete(granted, commit).await, Err(NotCommitted::Changed));
        assert_eq!(api.send(delete(&sub_account)).await.status, 200);
    }
}

#[tokio::test]
async fn a_change_and_a_deletion_do_not_overtake_each_other() {
    let api = Api::new().await;
    let token = api.stage.credential(api.tenant.holder(), &Permission::ALL).await;
    let change = Call::json(&json!({"name": "A"}));
    let change = change.at(&format!("/api/v3/accounts/{}", api.tenant.plain));
    let change = api.tenant.signed(change, &token);
    assert_eq!(change.send(&api.stage.update_agency_account()).await.status, 200);
    assert_eq!(api.send(delete(&api.tenant.plain)).await.status, 200);
    let reply = change.send(&api.stage.update_agency_account()).await;
    assert_eq!(reply.status, 403, "what is gone is not made again");
    assert!(!api.is_there(&api.tenant.plain).await);
}

#[tokio::test]
async fn a_table_in_trouble_is_told_as_such() {
    let api = Api::new().await;
    // An answer that is lost: the account is gone, and the SDK's retry is the same transaction.
    api.stage.wire.strike([Fault::AnswerLost]);
    let reply = api.send(delete(&api.tenant.plain).key("k")).await;
    assert_eq!((reply.status, reply.json()), (200, json!({"success": true})));
    assert_eq!(api.send(delete(NOBODYS).key("k")).await.status, 403);
    api.stage.wire.cut();
    let reply = api.send(delete(&api.tenant.parent)).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert_eq!(reply.json()["message"].as_str().map(str::is_empty), Some(false));
}
