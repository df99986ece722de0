//! `GET /api/v3/accounts`: LIFECYCLE, "Common" and "Agency API".

use std::collections::BTreeSet;

use headcount_model::credential::Permission;
use headcount_tests::agency::lets_in_nobody_else;
use headcount_tests::{AgencyTenant, Call, Reply, Stage};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn call() -> Call {
    Call::empty().at("/api/v3/accounts")
}

struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    token: String,
    function: list_agency_accounts::Function<headcount_store::Table, headcount_tests::Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let token = stage.credential(tenant.holder(), &[Permission::AccountView]).await;
        let function = stage.list_agency_accounts();
        stage.operations.take();
        Self { stage, tenant, token, function }
    }

    async fn send(&self, call: Call) -> Reply {
        self.tenant.signed(call, &self.token).send(&self.function).await
    }

    async fn list(&self, query: &[(&str, &str)]) -> Vec<Value> {
        let call = query.iter().fold(call(), |call, (name, value)| call.query(name, value));
        let reply = self.send(call).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["accounts"].as_array().expect("a list").clone()
    }

    async fn create(&self, name: &str) -> Value {
        self.stage.ports.advance(SignedDuration::from_secs(1));
        let body = json!({"name": name, "agency_lcuid": self.tenant.lcuid});
        let call = self.tenant.signed(Call::json(&body), &self.tenant.token);
        let reply = call.send(&self.stage.create_agency_account()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["account"].clone()
    }
}

fn names(accounts: &[Value]) -> Vec<&str> {
    accounts.iter().map(|account| account["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn every_account_comes_with_all_that_the_create_told() {
    let api = Api::new().await;
    let mut created = Vec::new();
    for name in ["Zebra", "Blue River", "Crème"] {
        created.push(api.create(name).await);
    }
    let reply = api.send(call()).await;
    assert!(reply.text.starts_with(r#"{"success":true,"accounts":[{"name":""#), "{}", reply.text);
    let accounts = api.list(&[]).await;
    let own: BTreeSet<_> = names(&accounts[..2]).into_iter().collect();
    assert_eq!(own, BTreeSet::from(["Parent", "Plain"]));
    assert_eq!(names(&accounts[2..]), ["Zebra", "Blue River", "Crème"]);
    for (listed, mut created) in accounts[2..].iter().zip(created) {
        created["is_parent_account"] = json!(false);
        assert_eq!(*listed, created);
    }
    for account in &accounts[..2] {
        assert_eq!(account["is_parent_account"], account["name"] == "Parent");
    }
}

#[tokio::test]
async fn an_agency_without_accounts_has_an_empty_list() {
    let api = Api::new().await;
    for lcuid in [&api.tenant.parent, &api.tenant.plain] {
        let delete = api.stage.client.delete_item().table_name(headcount_tests::TABLE);
        let text = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
        let delete = delete.key("pk", text(format!("AGENCY#{}", api.tenant.lcuid)));
        delete.key("sk", text(format!("ACCOUNT#{lcuid}"))).send().await.expect("deleted");
    }
    assert_eq!(api.send(call()).await.text, r#"{"success":true,"accounts":[]}"#);
}

#[tokio::test]
async fn it_makes_one_call_besides_the_credential() {
    let api = Api::new().await;
    api.list(&[]).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "Query"]);
    api.list(&[("page", "1")]).await;
    assert_eq!(api.stage.operations.take(), ["Query"], "the credential is remembered");
}

#[tokio::test]
async fn pages_show_each_account_once_whatever_is_created_and_changed_meanwhile() {
    let api = Api::new().await;
    for n in 0..9 {
        api.create(&format!("Account {n}")).await;
    }
    let before: Vec<Value> = api.list(&[]).await;
    let mut seen = Vec::new();
    for page in 1.. {
        let number = page.to_string();
        let accounts = api.list(&[("page", &number), ("per_page", "3")]).await;
        if accounts.is_empty() {
            break;
        }
        seen.extend(accounts);
        // New ones come behind, wherever their ids would sort.
        if page < 4 {
            api.create("Meanwhile").await;
        }
    }
    assert_eq!(seen[..before.len()], before);
    assert_eq!(names(&seen[before.len()..]), ["Meanwhile"; 3]);
    assert_eq!(api.list(&[]).await, seen);
}

#[tokio::test]
async fn page_and_per_page_stand_in_for_each_other() {
    let api = Api::new().await;
    api.stage.many_accounts(&api.tenant.lcuid, 120, 1).await;
    let all = api.list(&[]).await;
    // Those made past the use case are older, in the reverse order of their ids.
    assert_eq!(all.len(), 122);
    assert_eq!(names(&all[..2]), ["Account 119", "Account 118"]);
    assert_eq!(api.list(&[("page", "1")]).await, all[..100]);
    assert_eq!(api.list(&[("page", "2")]).await, all[100..]);
    assert_eq!(api.list(&[("per_page", "5")]).await, all[..5]);
    assert_eq!(api.list(&[("page", "2"), ("per_page", "5")]).await, all[5..10]);
    assert_eq!(api.list(&[("page", "1000000"), ("per_page", "100")]).await, [] as [Value; 0]);
    assert_eq!(api.list(&[("page", ""), ("per_page", "")]).await, all);
    assert_eq!(api.list(&[("search", "x"), ("agency_lcuid", "x")]).await, all);
}

#[tokio::test]
async fn what_is_no_page_is_told_all_at_once() {
    let api = Api::new().await;
    let reply = api.send(call().query("page", "0").query("per_page", "101")).await;
    let (page, per_page) = (
        "The page field must be between 1 and 1000000.",
        "The per page field must be between 1 and 100.",
    );
    let expected = json!({
        "message": format!("{page} (and 1 more error)"),
        "errors": {"page": [page], "per_page": [per_page]},
    });
    assert_eq!((reply.status, reply.json()), (422, expected));
}

#[tokio::test]
async fn a_list_beyond_four_megabytes_is_refused_and_its_pages_are_not() {
    let api = Api::new().await;
    // More than a megabyte, which is what DynamoDB gives at once.
    api.stage.many_accounts(&api.tenant.lcuid, 200, 5_000).await;
    assert_eq!(api.list(&[]).await.len(), 202);
    api.stage.operations.take();
    api.stage.many_accounts(&api.tenant.lcuid, 300, 5_000).await;
    api.stage.operations.take();
    let reply = api.send(call()).await;
    let expected = json!({"message": "There are too many accounts for one answer. Ask for them page by page, with page and per_page."});
    assert_eq!((reply.status, reply.json()), (400, expected));
    assert!(api.stage.operations.take().len() > 3, "a query for each megabyte");
    let mut seen = BTreeSet::new();
    for page in ["1", "2", "3", "4"] {
        for account in api.list(&[("page", page)]).await {
            assert!(seen.insert(account["lcuid"].to_string()), "{account}");
        }
    }
    assert_eq!(seen.len(), 302);
}

#[tokio::test]
async fn a_token_sees_the_accounts_that_it_may_see_and_never_those_of_others() {
    let api = Api::new().await;
    let other = api.stage.agency_tenant().await;
    for permission in Permission::ALL {
        let sees = matches!(
            permission,
            Permission::AccountView | Permission::AgencyUpdateDeleteAllAccounts
        );
        for tenant in [&api.tenant, &other] {
            let token = api.stage.credential(tenant.holder(), &[permission]).await;
            let calls = [call(), call().query("page", "1").query("agency_lcuid", &other.lcuid)];
            for call in calls {
                let reply = tenant.signed(call, &token).send(&api.function).await;
                assert_eq!(reply.status, 200, "{permission:?}");
                let accounts = reply.json()["accounts"].clone();
                let lcuids = accounts.as_array().expect("a list").iter();
                let lcuids: BTreeSet<_> =
                    lcuids.filter_map(|account| account["lcuid"].as_str()).collect();
                let own = BTreeSet::from([tenant.parent.as_str(), tenant.plain.as_str()]);
                assert_eq!(lcuids, if sees { own } else { BTreeSet::new() }, "{permission:?}");
            }
        }
    }
    // Whoever may see none costs nothing.
    let token = api.stage.credential(api.tenant.holder(), &[]).await;
    api.stage.operations.take();
    let reply = api.tenant.signed(call(), &token).send(&api.function).await;
    assert_eq!(reply.text, r#"{"success":true,"accounts":[]}"#);
    assert_eq!(api.stage.operations.take(), ["GetItem"]);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let api = Api::new().await;
    let permission = Permission::AccountView;
    lets_in_nobody_else(&api.stage, &api.tenant, permission, &call(), &api.function).await;
    api.stage.wire.cut();
    assert_eq!(api.send(call()).await.status, 503);
}
