//! `GET /v1/auth/sessions`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::identity::AccountStatus;
use headcount_model::port::Clock;
use headcount_tests::identity::{NOT_ACTIVE, UNAUTHORIZED, lets_in_nobody_else, log_in};
use headcount_tests::{Call, Item, OwnTenant, PASSWORD, Reply, Stage, text_of};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn call(own: &OwnTenant) -> Call {
    Call::empty().at("/v1/auth/sessions").without("content-type").bearer(&own.token)
}

async fn list(stage: &Stage, own: &OwnTenant) -> Reply {
    call(own).send(&stage.list_sessions()).await
}

/// The ids of a page, and the cursor of the next.
fn ids(reply: &Reply) -> (Vec<String>, Option<String>) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let next = body["next_cursor"].as_str().map(str::to_owned);
    assert_eq!(body["has_more"], next.is_some(), "{}", reply.text);
    let id = |session: &Value| session["session_id"].as_str().expect("an id").to_owned();
    (body["data"].as_array().expect("a list").iter().map(id).collect(), next)
}

async fn shown(stage: &Stage, own: &OwnTenant) -> Vec<String> {
    let (ids, next) = ids(&list(stage, own).await);
    assert_eq!(next, None);
    ids
}

/// The ids of all pages.
async fn all(stage: &Stage, own: &OwnTenant) -> Vec<String> {
    let (mut all, mut next) = ids(&list(stage, own).await);
    while let Some(cursor) = next {
        let reply = call(own).query("cursor", &cursor).send(&stage.list_sessions()).await;
        let (page, behind) = ids(&reply);
        all.extend(page);
        next = behind;
    }
    all
}

fn id(own: &OwnTenant) -> String {
    own.session.id.to_string()
}

/// One more session of an account, a second later.
async fn later(stage: &Stage, own: &OwnTenant) -> OwnTenant {
    stage.ports.advance(SignedDuration::from_secs(1));
    stage.session_of(&own.id, &own.email, 0).await
}

async fn refresh(stage: &Stage, token: &str, rotate: bool) -> Reply {
    let call = Call::json(&json!({ "rotate_refresh_token": rotate })).bearer(token);
    call.send(&stage.refresh_session()).await
}

async fn end(stage: &Stage, own: &OwnTenant, other: &OwnTenant) {
    let call = Call::json(&json!({ "session_id": id(other) })).bearer(&own.token);
    assert_eq!(call.send(&stage.end_session()).await.status, 200);
}

/// A session that began before there was a list.
async fn older_than_the_list(stage: &Stage, own: &OwnTenant) -> OwnTenant {
    let old = later(stage, own).await;
    let sk = format!("SESSION#{}", old.session.id.token());
    stage.forget(&format!("SESSIONS#{}", own.id), &sk).await;
    old
}

#[tokio::test]
async fn the_whole_answer() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let second = later(&stage, &own).await;
    stage.ports.advance(SignedDuration::from_mins(30));
    assert_eq!(refresh(&stage, &second.refresh, false).await.status, 200);
    let reply = list(&stage, &own).await;
    let expected = format!(
        concat!(
            r#"{{"data":[{{"session_id":"{}","created_at":"2026-02-03T18:12:48Z","refreshed_at":"2026-02-03T18:42:48Z","#,
            r#""expires_at":"2026-02-03T19:42:48Z","refresh_token_expires_at":"2026-03-05T18:12:48Z","current":false}},"#,
            r#"{{"session_id":"{}","created_at":"2026-02-03T18:12:47Z","refreshed_at":null,"#,
            r#""expires_at":"2026-02-03T19:12:47Z","refresh_token_expires_at":"2026-03-05T18:12:47Z","current":true}}],"#,
            r#""has_more":false,"next_cursor":null}}"#
        ),
        id(&second),
        id(&own)
    );
    assert_eq!((reply.status, reply.text.as_str()), (200, expected.as_str()));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-request-id"), "request-1");
    assert_eq!(reply.header("etag"), "");
}

#[tokio::test]
async fn a_log_in_comes_into_the_list_and_what_is_ended_goes_out_of_it() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    stage.ports.advance(SignedDuration::from_secs(1));
    let token = log_in(&stage, &own.email, PASSWORD).await.json()["access_token"].clone();
    let opened = format!("sess_{}", &token.as_str().expect("a token")[3..29]);
    assert_eq!(shown(&stage, &own).await, [opened, id(&own)]);
    let other = later(&stage, &own).await;
    assert_eq!(shown(&stage, &own).await.len(), 3);
    end(&stage, &own, &other).await;
    assert!(!shown(&stage, &own).await.contains(&id(&other)));
    // Ended again, it does not come back.
    end(&stage, &own, &other).await;
    assert_eq!(shown(&stage, &own).await.len(), 2);
    assert_eq!(refresh(&stage, &other.refresh, true).await.status, 401);
    assert_eq!(shown(&stage, &own).await.len(), 2);
    // Believed for 30 s more, a session that was ended is not among those it is shown.
    let itself = later(&stage, &own).await;
    assert!(shown(&stage, &itself).await.contains(&id(&itself)));
    end(&stage, &own, &itself).await;
    assert!(!shown(&stage, &itself).await.contains(&id(&itself)));
}

#[tokio::test]
async fn a_refresh_is_told_and_one_by_a_used_token_ends_the_session() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = later(&stage, &own).await;
    // A session lives on in the list as long as its last refresh token.
    stage.ports.advance(SignedDuration::from_hours(24 * 29));
    let refreshed = refresh(&stage, &other.refresh, true).await.json();
    stage.ports.advance(SignedDuration::from_hours(24 * 29));
    let own = stage.session_of(&own.id, &own.email, 0).await;
    let reply = list(&stage, &own).await;
    let body = reply.json();
    assert_eq!(body["data"].as_array().map(Vec::len), Some(2), "{body}");
    let told = &body["data"][1];
    assert_eq!(told["session_id"], id(&other));
    assert_eq!(told["refreshed_at"], "2026-03-04T18:12:48Z");
    for name in ["expires_at", "refresh_token_expires_at"] {
        assert_eq!(told[name], refreshed[name], "{name}");
    }
    assert_eq!(refresh(&stage, &other.refresh, true).await.status, 401, "it was used");
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
}

#[tokio::test]
async fn a_changed_password_leaves_the_session_that_changed_it_and_those_behind_it() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    for _ in 0..3 {
        later(&stage, &own).await;
    }
    let body = json!({"password": "another long password", "current_password": PASSWORD});
    let changed = Call::json(&body).bearer(&own.token).send(&stage.update_own_account()).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
    stage.ports.advance(SignedDuration::from_secs(1));
    let new = stage.session_of(&own.id, &own.email, 1).await;
    assert_eq!(shown(&stage, &new).await, [id(&new), id(&own)]);
    // However short the pages are.
    let (page, next) = ids(&call(&new).query("limit", "1").send(&stage.list_sessions()).await);
    assert_eq!(page, [id(&new)]);
    let next = call(&new).query("limit", "1").query("cursor", &next.expect("there is more"));
    assert_eq!(ids(&next.send(&stage.list_sessions()).await), (vec![id(&own)], None));
}

#[tokio::test]
async fn one_whose_time_is_over_is_not_shown_though_it_is_still_kept() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.ports.advance(SignedDuration::from_hours(24 * 30) - SignedDuration::from_secs(1));
    let new = stage.session_of(&own.id, &own.email, 0).await;
    assert_eq!(shown(&stage, &new).await, [id(&new), id(&own)]);
    stage.ports.advance(SignedDuration::from_secs(1));
    assert_eq!(shown(&stage, &new).await, [id(&new)]);
    assert_eq!(stage.items_under("SESSIONS#").await.len(), 2);
    // Both items of a session have one time to live.
    let times = |prefix: &'static str| {
        let items = stage.items_under(prefix);
        async { items.await.iter().map(|item| item["expires_at"].clone()).collect::<Vec<_>>() }
    };
    let (mut kept, mut listed) = (times("SESSION#").await, times("SESSIONS#").await);
    kept.sort_by_key(|time| format!("{time:?}"));
    listed.sort_by_key(|time| format!("{time:?}"));
    assert_eq!(kept, listed);
}

#[tokio::test]
async fn one_that_is_older_than_the_list_comes_into_it_with_its_next_tokens() {
    for rotate in [true, false] {
        let stage = Stage::new().await;
        let own = stage.own_account("owner").await;
        let old = older_than_the_list(&stage, &own).await;
        assert_eq!(shown(&stage, &own).await, [id(&own)]);
        assert_eq!(refresh(&stage, &old.refresh, rotate).await.status, 200);
        assert_eq!(shown(&stage, &own).await, [id(&old), id(&own)]);
        // One that never does can be ended all the same.
        let old = older_than_the_list(&stage, &own).await;
        end(&stage, &own, &old).await;
        assert_eq!(shown(&stage, &own).await.len(), 2);
    }
}

#[tokio::test]
async fn nobody_sees_anothers() {
    let stage = Stage::new().await;
    let (own, other) = (stage.own_account("owner").await, stage.own_account("other").await);
    later(&stage, &other).await;
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
    let first = call(&other).query("limit", "1").send(&stage.list_sessions()).await;
    let cursor = ids(&first).1.expect("there is more");
    let foreign = call(&own).query("cursor", &cursor).send(&stage.list_sessions()).await;
    assert_eq!(foreign.status, 400, "{}", foreign.text);
    let made_up = format!("cursor_00_{}", "0".repeat(64));
    let made_up = call(&own).query("cursor", &made_up).send(&stage.list_sessions()).await;
    assert_eq!(foreign.text, made_up.text);
    let details = foreign.json()["details"].clone();
    assert_eq!((&details[0]["field"], &details[0]["rule"]), (&json!("cursor"), &json!("cursor")));
    // Its own it is good for.
    let own_list = call(&other).query("cursor", &cursor).send(&stage.list_sessions()).await;
    assert_eq!(ids(&own_list), (vec![id(&other)], None));
}

#[tokio::test]
async fn pages_have_every_session_once_whatever_happens_meanwhile() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let mut all = vec![own.session.clone()];
    let mut tokens = vec![own.refresh.clone()];
    for _ in 0..6 {
        let next = later(&stage, &own).await;
        all.push(next.session);
        tokens.push(next.refresh);
    }
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    for (page, token) in tokens.iter().enumerate() {
        let asked = call(&own).query("limit", "3");
        let asked = match &cursor {
            Some(cursor) => asked.query("cursor", cursor),
            None => asked,
        };
        let (shown, next) = ids(&asked.send(&stage.list_sessions()).await);
        assert!(shown.len() <= 3);
        seen.extend(shown);
        let Some(next) = next else { break };
        cursor = Some(next);
        // Others begin, and those that are there go on.
        later(&stage, &own).await;
        assert_eq!(refresh(&stage, token, page % 2 == 0).await.status, 200);
    }
    let all: Vec<_> = all.iter().rev().map(|session| session.id.to_string()).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn it_is_one_call_besides_those_that_tell_who_calls_however_many_there_are() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    list(&stage, &own).await;
    for count in [0, 130] {
        for _ in 0..count {
            stage.session_of(&own.id, &own.email, 0).await;
        }
        stage.operations.take();
        let (shown, next) = ids(&list(&stage, &own).await);
        assert_eq!(
            (shown.len(), next.is_some()),
            if count == 0 { (1, false) } else { (100, true) }
        );
        assert_eq!(stage.operations.take(), ["GetItem", "Query"]);
    }
}

#[tokio::test]
async fn a_query_that_is_none_of_the_list_is_refused() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let range = "limit must be a whole number from 1 to 100.";
    for (name, value, rule, message) in [
        ("limit", "0", "range", range),
        ("limit", "101", "range", range),
        ("limit", "", "range", range),
        ("limit", "1,1", "range", range),
        ("cursor", "", "cursor", "cursor is not one that was given out for this list."),
        ("account", "x", "unknown_field", "account is not a field of this request."),
    ] {
        let reply = call(&own).query(name, value).send(&stage.list_sessions()).await;
        let expected = json!([{"field": name, "rule": rule, "message": message}]);
        assert_eq!((reply.status, &reply.json()["details"]), (400, &expected), "{name}={value}");
    }
    // Who is not let in is not told what is wrong.
    let stranger = call(&own).query("limit", "0").bearer("x").send(&stage.list_sessions()).await;
    assert_eq!((stranger.status, stranger.text.as_str()), (401, UNAUTHORIZED));
    // The same behind every gateway, encoded or not; a body is not looked at.
    let good = Call::text("{").at("/v1/auth/sessions").bearer(&own.token).query("limit", "1");
    for event in [good.event(), good.rest_event(), good.load_balancer_event()] {
        assert_eq!(ids(&Reply::to_event(&stage.list_sessions(), &event).await).0, [id(&own)]);
    }
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    let call = Call::empty().at("/v1/auth/sessions");
    lets_in_nobody_else(&stage, &call, &stage.list_sessions()).await;
    let own = stage.own_account("owner").await;
    stage.stand(&own.id, AccountStatus::Pending).await;
    let reply = list(&stage, &own).await;
    assert_eq!((reply.status, reply.text.as_str()), (403, NOT_ACTIVE));
    stage.close(&own.id).await;
    let reply = list(&stage, &own).await;
    assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
}

#[tokio::test]
async fn no_secret_of_a_session_is_in_the_list_nor_in_its_items() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    refresh(&stage, &own.refresh, true).await;
    let reply = list(&stage, &stage.session_of(&own.id, &own.email, 0).await).await;
    let items = format!("{:?}", stage.items_under("SESSIONS#").await);
    for text in [&reply.text, &items] {
        for secret in [&own.token[30..], &own.refresh[30..], "hash", "hc_"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    assert!(!reply.text.contains("epoch"));
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.wire.cut();
    let reply = list(&stage, &own).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    stage.wire.mend();
    // An item that says nothing is no session, and none is left out silently.
    let sk = format!("SESSION#{}", own.session.id.token());
    stage.remove(&format!("SESSIONS#{}", own.id), &sk, "created_at").await;
    assert_eq!(list(&stage, &own).await.status, 503);
}

/// Of every few sessions that begin, are refreshed, end and expire, those are listed that a refresh would
/// go on with.
#[tokio::test]
async fn what_is_listed_is_what_goes_on() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let mut sessions: Vec<OwnTenant> = Vec::new();
    for step in 0..60_usize {
        stage.ports.advance(SignedDuration::from_hours(30));
        sessions.push(stage.session_of(&own.id, &own.email, 0).await);
        let one = (step * 7) % sessions.len();
        match step % 4 {
            0 => {
                let reply = refresh(&stage, &sessions[one].refresh, true).await;
                if let Some(token) = reply.json()["refresh_token"].as_str() {
                    token.clone_into(&mut sessions[one].refresh);
                }
            }
            1 => end(&stage, &sessions[sessions.len() - 1], &sessions[one]).await,
            2 => drop(refresh(&stage, &sessions[one].refresh, false).await),
            _ => {}
        }
        let now = stage.ports.now();
        let kept = stage.items_under("SESSION#").await;
        let mut going: Vec<_> = kept.iter().filter(|item| goes_on(item, now)).collect();
        going.sort_by_key(|item| text_of(item, "id"));
        let going: Vec<_> = going.iter().rev().filter_map(|item| text_of(item, "id")).collect();
        let caller = stage.session_of(&own.id, &own.email, 0).await;
        let mut listed = all(&stage, &caller).await;
        listed.retain(|listed| *listed != id(&caller));
        assert_eq!(listed, going, "{step}");
        sessions.push(caller);
    }
}

fn goes_on(item: &Item, now: Timestamp) -> bool {
    let until = text_of(item, "refresh_until");
    let until = until.and_then(|until| until.parse::<Timestamp>().ok());
    !item.contains_key("ended_at") && until.is_some_and(|until| now < until)
}
