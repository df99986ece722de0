//! `DELETE /v1/accounts/{id}`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::AccountStatus;
use headcount_tests::identity::{NO_SUCH_ACCOUNT, lets_in_administrators_again};
use headcount_tests::{Call, Reply, Stage, text_of};
use jiff::SignedDuration;

const PERMISSIONS: [Permission; 1] = [Permission::AccountsDelete];

fn call(id: &str) -> Call {
    Call::empty().at(&format!("/v1/accounts/{id}"))
}

async fn administrator(stage: &Stage) -> String {
    stage.credential(Holder::Administrator, &PERMISSIONS).await
}

async fn delete(stage: &Stage, token: &str, id: &str) -> Reply {
    call(id).bearer(token).send(&stage.delete_account()).await
}

#[tokio::test]
async fn an_account_in_any_status_is_closed_and_repeated_it_is_the_same_answer() {
    for status in [AccountStatus::Active, AccountStatus::Suspended, AccountStatus::Pending] {
        let stage = Stage::new().await;
        let own = stage.own_account("owner").await;
        stage.stand(&own.id, status).await;
        let token = administrator(&stage).await;
        let first = delete(&stage, &token, own.id.as_str()).await;
        let expected = format!(
            r#"{{"id":"{}","status":"closed","closed_at":"2026-02-03T18:12:47Z","message":"The account is closed."}}"#,
            own.id
        );
        assert_eq!((first.status, first.text.as_str()), (200, expected.as_str()));
        let items = stage.items().await;
        stage.ports.advance(SignedDuration::from_hours(24 * 365));
        for token in [&token, &administrator(&stage).await] {
            let again = delete(&stage, token, own.id.as_str()).await;
            assert_eq!((again.status, again.text.as_str()), (200, expected.as_str()));
        }
        assert_eq!(stage.items().await.len(), items.len() + 1, "but for the second credential");
    }
}

#[tokio::test]
async fn it_is_no_account_any_more_to_who_reads_or_changes() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = stage.credential(Holder::Administrator, &Permission::ALL).await;
    assert_eq!(delete(&stage, &token, own.id.as_str()).await.status, 200);
    let shown = call(own.id.as_str()).bearer(&token).send(&stage.get_account()).await;
    assert_eq!((shown.status, shown.text.as_str()), (404, NO_SUCH_ACCOUNT));
    let patch = Call::text(r#"{"status":"active"}"#).at(&format!("/v1/accounts/{}", own.id));
    let patched = patch.bearer(&token).send(&stage.update_account()).await;
    assert_eq!((patched.status, patched.text.as_str()), (404, NO_SUCH_ACCOUNT));
}

#[tokio::test]
async fn the_audit_entry_names_the_administrator() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = administrator(&stage).await;
    delete(&stage, &token, own.id.as_str()).await;
    let mut items = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    items.retain(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    let [entry] = items.try_into().expect("one");
    assert_eq!(text_of(&entry, "credential"), Some(&token[3..29]));
    assert_eq!(text_of(&entry, "route"), Some("DELETE /v1/accounts/{id}"));
}

#[tokio::test]
async fn of_many_at_once_one_closes_it_and_all_are_told() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = administrator(&stage).await;
    let ends = (0..8).map(|_| delete(&stage, &token, own.id.as_str()));
    let replies = futures_util::future::join_all(ends).await;
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.text == replies[0].text));
    let items = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    assert_eq!(items.len(), 2, "the tombstone and one audit entry");
}

#[tokio::test]
async fn nobody_else_is_let_in_and_missing_ones_are_one() {
    let stage = Stage::new().await;
    lets_in_administrators_again(&stage, &PERMISSIONS, call, &stage.delete_account()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = administrator(&stage).await;
    stage.wire.cut();
    let reply = delete(&stage, &token, own.id.as_str()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
}
