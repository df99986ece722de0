//! The audit: LIFECYCLE, "Common". What is created tells who created it, in the transaction that creates it,
//! and the reader tells that and what came later in one list (docs/adr/0034-audit-of-creates.md).

use headcount_model::audit::{CREATE_ACCOUNT, CREATE_AGENCY_ACCOUNT, CREATE_SEATS};
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::{AccountId, AgencyLcuid};
use headcount_model::port::Clock;
use headcount_store::Audited;
use headcount_tests::{Call, PASSWORD, Reply, Stage};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Route, credential, request and objects of an entry.
type Told<'a> = (&'a str, Option<&'a str>, &'a str, &'a [String]);

fn told(entry: &Audited) -> Told<'_> {
    (
        entry.route.as_deref().expect("a route"),
        entry.credential.as_deref(),
        entry.request_id.as_deref().expect("a request"),
        &entry.objects,
    )
}

/// The id in a credential.
fn id_of(credential: &str) -> &str {
    credential.split('_').nth(1).expect("an id")
}

fn text(reply: &Reply, pointer: &str) -> String {
    let value = reply.json().pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    value.unwrap_or_else(|| panic!("{pointer} in {}", reply.text))
}

fn seats(count: usize) -> Call {
    Call::json(&json!({"accounts": vec![json!({"tier": "basic"}); count]}))
}

#[tokio::test]
async fn of_an_organization_the_newest_comes_first_creates_included() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let (_, foreign) = stage.seats_tenant().await;
    seats(1).bearer(&foreign).send(&stage.create_seats()).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let call = seats(1).bearer(&key);
        ids.push(text(&call.send(&stage.create_seats()).await, "/data/accounts/0/id"));
        stage.ports.advance(SignedDuration::from_mins(5));
    }
    let end = Call::json(&json!({"account_id": ids[0]})).bearer(&key);
    assert_eq!(end.send(&stage.deactivate_seats()).await.status, 200);

    let all = stage.table.audit_of_organization(&organization, Timestamp::UNIX_EPOCH, 100).await;
    let (all, more) = all.expect("a table");
    let by = Some(id_of(&key));
    let expected: [Told<'_>; 3] = [
        ("POST /billing/deactivate", by, "request-1", &ids[..1]),
        (CREATE_SEATS, by, "request-1", &ids[1..]),
        (CREATE_SEATS, by, "request-1", &ids[..1]),
    ];
    assert_eq!(all.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!((more, &all[0].fields[..]), (false, &["status".to_owned()][..]));

    let (newest, more) =
        stage.table.audit_of_organization(&organization, all[1].at, 100).await.expect("a table");
    assert_eq!((&newest[..], more), (&all[..2], false), "since then, itself included");
    let cut = stage.table.audit_of_organization(&organization, all[2].at, 2).await;
    assert_eq!(cut.expect("a table"), (all[..2].to_vec(), true));
}

#[tokio::test]
async fn every_seat_of_many_is_in_it_and_costs_no_item() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let before = stage.items().await.len();
    stage.operations.take();
    assert_eq!(seats(97).bearer(&key).send(&stage.create_seats()).await.status, 200);
    assert_eq!(stage.operations.take().last().map(String::as_str), Some("TransactWriteItems"));
    assert_eq!(stage.items().await.len(), before + 97);
    let (all, more) = stage
        .table
        .audit_of_organization(&organization, Timestamp::UNIX_EPOCH, 97)
        .await
        .expect("a table");
    assert_eq!((all.len(), more), (97, false));
    assert!(all.iter().all(|entry| entry.credential.as_deref() == Some(id_of(&key))));
}

#[tokio::test]
async fn of_an_agency_what_is_deleted_still_has_its_creation() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    stage.ports.advance(SignedDuration::from_mins(5));
    let since = stage.ports.now();
    let token = stage.credential(tenant.holder(), &Permission::ALL).await;
    let body = json!({"name": "New", "agency_lcuid": tenant.lcuid});
    let create = Call::json(&body);
    let created = tenant.signed(create, &token).send(&stage.create_agency_account()).await;
    let lcuid = text(&created, "/account/lcuid");
    let agency = AgencyLcuid::parse(&tenant.lcuid).expect("an id");
    let by = Some(id_of(&token));
    let own = std::slice::from_ref(&lcuid);

    let (all, _) = stage.table.audit_of_agency(&agency, since, 100).await.expect("a table");
    let creation: Told<'_> = (CREATE_AGENCY_ACCOUNT, by, "request-1", own);
    assert_eq!(all.iter().map(told).collect::<Vec<_>>(), [creation]);

    stage.ports.advance(SignedDuration::from_mins(5));
    let delete = Call::empty().at(&format!("/api/v3/objects/{lcuid}"));
    let deleted = tenant.signed(delete, &token).send(&stage.delete_agency_account()).await;
    assert_eq!(deleted.status, 200);
    let (after, more) = stage.table.audit_of_agency(&agency, since, 100).await.expect("a table");
    let route = "DELETE /api/v3/objects/{lcuid}";
    let expected: [Told<'_>; 2] = [(route, by, "request-1", own), creation];
    assert_eq!(after.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!((&after[1], more), (&all[0], false));
}

#[tokio::test]
async fn of_an_identity_account_who_signed_up_is_nobody_and_its_end_hides_nothing() {
    let stage = Stage::new().await;
    let body = |email: &str| json!({"email": email, "name": "New", "type": "individual", "password": PASSWORD});
    let signed_up = Call::json(&body("a@example.com")).send(&stage.create_account()).await;
    let administrator = stage
        .credential(
            Holder::Administrator,
            &[Permission::AccountsCreate, Permission::AccountsDelete],
        )
        .await;
    let for_somebody = Call::json(&body("b@example.com")).bearer(&administrator);
    let for_somebody = for_somebody.send(&stage.create_account()).await;
    for (created, by) in [(signed_up, None), (for_somebody, Some(id_of(&administrator)))] {
        let id = text(&created, "/id");
        let account = AccountId::parse(&id).expect("an id");
        let own = std::slice::from_ref(&id);
        let creation: Told<'_> = (CREATE_ACCOUNT, by, "request-1", own);
        let read = async || {
            let read = stage.table.audit_of_account(&account, Timestamp::UNIX_EPOCH, 100).await;
            read.expect("a table").0
        };
        assert_eq!(read().await.iter().map(told).collect::<Vec<_>>(), [creation]);

        stage.ports.advance(SignedDuration::from_mins(1));
        let delete = Call::empty().at(&format!("/v1/accounts/{id}")).bearer(&administrator);
        assert_eq!(delete.send(&stage.delete_account()).await.status, 200);
        let route = "DELETE /v1/accounts/{id}";
        let expected: [Told<'_>; 2] =
            [(route, Some(id_of(&administrator)), "request-1", own), creation];
        assert_eq!(read().await.iter().map(told).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn what_is_older_than_the_audit_is_told_without_who_did_it() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let id = text(&seats(1).bearer(&key).send(&stage.create_seats()).await, "/data/accounts/0/id");
    let (pk, sk) = (format!("ORG#{organization}"), format!("SEAT#{id}"));
    stage.remove(&pk, &sk, "created_by").await;
    let read = stage.table.audit_of_organization(&organization, Timestamp::UNIX_EPOCH, 1).await;
    let (all, _) = read.expect("a table");
    let [entry] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&entry.route, &entry.credential, &entry.request_id), (&None, &None, &None));
    assert_eq!(entry.objects, [id]);
}
