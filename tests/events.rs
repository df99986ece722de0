//! The sample events of `tests/events/`, fed to the functions that they are for. Each answer is
//! held to a snapshot; after a change that means to change one, `INSTA_UPDATE=always cargo test
//! -p headcount-tests --test events` writes them anew, to be read before they are kept.

mod sample_events;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_lambda_events::event::sqs::SqsEvent;
use headcount_tests::samples::{
    Gateway, SUBSCRIPTION, Sample, all, fall_past_due, functions, one, reply, seed, shown, tenants,
};
use headcount_tests::{Item, Stage};
use publish_changes::Batch;
use sample_events::{make_seats, outbox, partner, queue, refusals, results, schedule};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.into_string().expect("a name in UTF-8")).collect()
}

/// The samples that are requests, by function.
fn requests() -> BTreeMap<String, Vec<Sample>> {
    let mut requests: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for sample in all().into_iter().filter(|sample| sample.gateway().is_some()) {
        requests.entry(sample.function.clone()).or_default().push(sample);
    }
    requests
}

// ------------------------------------------------------------------------------ Answers

#[tokio::test]
async fn every_event_has_its_answer() {
    for sample in all() {
        let answer = answer(&sample).await;
        insta::assert_json_snapshot!(format!("{}__{}", sample.function, sample.case), answer);
    }
}

/// What a function answers to an event, and what it does elsewhere, on a table of its own.
async fn answer(sample: &Sample) -> Value {
    let event = &sample.event;
    let stage = Stage::new().await;
    seed(&stage, SUBSCRIPTION).await;
    match sample.function.as_str() {
        "publish-changes" => outbox::publish(event).await,
        "sync-billing" => queue::sync(&stage, event).await,
        "record-setup" => results::record(&stage, event).await,
        "reconcile-billing" => schedule::reconcile(&stage, event).await,
        "stripe-events" => {
            fall_past_due(&stage, SUBSCRIPTION).await;
            let answer = partner::heed(&stage, event).await;
            json!({"answer": answer, "subscription_afterwards": subscription(&stage).await})
        }
        "stripe-webhook" => {
            fall_past_due(&stage, SUBSCRIPTION).await;
            let reply = reply(&stage, &sample.function, event).await;
            json!({"answer": shown(&reply), "subscription_afterwards": subscription(&stage).await})
        }
        function => shown(&reply(&stage, function, event).await),
    }
}

/// How the subscription stands as far as the table knows.
async fn subscription(stage: &Stage) -> Value {
    let billing = one("get-billing", "shown");
    reply(stage, &billing.function, &billing.event).await.json()["data"]["subscription"].clone()
}

#[test]
fn every_snapshot_has_an_event() {
    let names = names_in(&root().join("snapshots"));
    let kept: BTreeSet<&str> =
        names.iter().filter_map(|name| name.strip_prefix("events__")).collect();
    let known: BTreeSet<String> =
        all().iter().map(|sample| format!("{}__{}.snap", sample.function, sample.case)).collect();
    assert_eq!(kept, known.iter().map(String::as_str).collect::<BTreeSet<_>>());
}

// ------------------------------------------------------------------------------ By hand

/// What people and tools send first: the default event of the console's Test button, nothing, pings that
/// keep a function warm, and what is nearly the event of a gateway.
fn by_hand() -> Vec<Value> {
    vec![
        json!({"key1": "value1", "key2": "value2", "key3": "value3"}),
        json!({}),
        json!(null),
        json!("ping"),
        json!([]),
        json!(1),
        json!(true),
        json!({"warmup": true}),
        json!({"source": "serverless-plugin-warmup"}),
        json!({"httpMethod": "POST", "path": "/accounts/create", "body": "{}"}),
        json!({"requestContext": {"stage": "x"}, "headers": {}, "body": "{}"}),
    ]
}

/// Nothing of it is an error of the function, which would end a deployment: it is answered, with one
/// sentence that names a sample event that works.
#[tokio::test]
async fn whoever_sends_something_else_is_told_what_the_function_takes() {
    for (function, event) in functions()
        .into_iter()
        .flat_map(|function| by_hand().into_iter().map(move |event| (function.clone(), event)))
    {
        // A run of this one needs to be told nothing, so that any object will do.
        if function == "reconcile-billing" && event.is_object() {
            continue;
        }
        let what = format!("{function}, {event}");
        let path = root().join("by-hand");
        let sample = Sample { function: function.clone(), case: "by-hand".to_owned(), path, event };
        let answer = answer(&sample).await;
        let returned = answer.get("answer").unwrap_or(&answer);
        let response = returned.get("response").or(returned.get("report")).unwrap_or(returned);
        let (status, body) = (&response["status"], response.get("body").unwrap_or(response));
        assert!(status.is_null() || *status == 400, "{what}: {answer}");
        let sentence = body["message"].as_str().unwrap_or_else(|| panic!("{what}: {answer}"));
        assert!(sentence.starts_with("This function takes ") && sentence.ends_with('.'), "{what}");
        let named = sentence.split_once("tests/events/").map(|(_, behind)| behind);
        let named = named.and_then(|behind| behind.split_once(".json")).map(|(name, _)| name);
        let (of, case) = named.and_then(|name| name.split_once('/')).expect("a sample");
        assert_eq!(of, function);
        let kept = one(of, case).kept_answer();
        let kept = kept.get("answer").unwrap_or(&kept);
        assert!(kept["status"].as_u64().is_none_or(|status| status < 300), "{what}: {kept}");
        assert!(!kept.to_string().contains("This function takes"), "{what}: {kept}");
    }
}

/// A batch that cannot be read comes again. Were it refused, Lambda would take it for delivered.
#[tokio::test]
async fn a_batch_that_cannot_be_read_is_an_error_of_the_function() {
    for event in [json!({"Records": {}}), json!({"Records": "x"})] {
        let read = async |_: SqsEvent| Ok(());
        assert!(sync_billing::TAKES.answer(event.clone(), read).await.is_err(), "{event}");
        assert!(record_setup::TAKES.answer(event.clone(), read).await.is_err(), "{event}");
        let read = async |_: Batch| Ok(());
        assert!(publish_changes::TAKES.answer(event.clone(), read).await.is_err(), "{event}");
    }
}

// ------------------------------------------------------------------------------ Coverage

#[test]
fn every_function_has_events_and_every_event_a_function() {
    assert_eq!(functions(), names_in(&root().join("../functions")));
    for function in functions() {
        let count = all().iter().filter(|sample| sample.function == function).count();
        assert!(count >= 2, "{function} needs a success and a refusal");
    }
}

/// What the gateway was returned, as the snapshot keeps it.
fn returned(sample: &Sample) -> Value {
    let kept = sample.kept_answer();
    // Webhooks are kept with what follows from them.
    if kept["answer"].is_object() { kept["answer"].clone() } else { kept }
}

/// Through every gateway, the body as text and as base64, a request has one and the same answer.
#[test]
fn every_function_behind_a_gateway_is_shown_behind_each() {
    for (function, samples) in requests() {
        let example = samples.iter().find(|one| one.gateway() == Some(Gateway::RestApi));
        let example = example.unwrap_or_else(|| panic!("{function} has no event of a REST API"));
        let case = example.case.trim_end_matches("-base64");
        let case = case.trim_end_matches(Gateway::RestApi.suffix());
        let has_body = example.event["body"].is_string();
        let mut answers = BTreeMap::new();
        for gateway in Gateway::ALL {
            for is_base64 in [false, true].into_iter().filter(|is_base64| has_body || !is_base64) {
                let encoding = if is_base64 { "-base64" } else { "" };
                let sample = one(&function, &format!("{case}{}{encoding}", gateway.suffix()));
                let path = sample.path.display().to_string();
                assert_eq!(sample.gateway(), Some(gateway), "{path}");
                assert_eq!(sample.is_base64(), is_base64, "{path}");
                let returned = returned(&sample);
                let status = returned["status"].as_u64().expect("a status");
                assert!((200..300).contains(&status), "{path}: {returned}");
                answers.insert((status, returned["body"].to_string()), path);
            }
        }
        assert_eq!(answers.len(), 1, "{answers:#?}");
    }
}

#[test]
fn every_refusal_that_an_event_can_bring_about_is_shown() {
    for (function, samples) in requests() {
        let returned: Vec<Value> = samples.iter().map(returned).collect();
        let not_shown = refusals::not_shown(&function, &returned);
        assert!(not_shown.is_empty(), "{function} has no event for {not_shown:#?}");
    }
}

// ------------------------------------------------------------------------------ Truth

/// Every text in the description of the demo tenants.
fn texts(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::String(text) => BTreeSet::from([text.as_str()]),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn the_credentials_are_those_of_the_demo_tenants() {
    let (tenants, _) = tenants();
    let known = texts(&tenants);
    for sample in all() {
        let Some(credential) = sample.header("authorization") else { continue };
        let credential = credential.strip_prefix("Bearer ").expect("a bearer credential");
        let is_bad = sample.case == "bad-credential";
        assert_eq!(known.contains(credential), !is_bad, "{}", sample.path.display());
    }
}

#[test]
fn a_success_can_be_had_again_and_again() {
    for (function, samples) in requests() {
        if !function.starts_with("create-") {
            continue;
        }
        // One key and one body, whatever the gateway: the second one is a replay of the first.
        let created = samples.iter().filter(|one| one.case.starts_with("created"));
        let keys: BTreeSet<_> = created.map(|one| one.header("idempotency-key")).collect();
        assert_eq!(keys.len(), 1, "{function}: {keys:?}");
        assert!(!keys.contains(&None), "{function}");
    }
}

/// The names of an item's attributes, by the kind of item.
fn attributes(sk: &str, names: impl Iterator<Item = String>) -> (String, BTreeSet<String>) {
    (sk.split('#').next().unwrap_or_default().to_owned(), names.collect())
}

/// An image of a batch has exactly the attributes that the store writes for such an item. Three cases
/// are about items that no request leaves behind at once, one about an item that nobody writes.
#[tokio::test]
async fn the_images_of_the_stream_are_those_that_the_store_writes() {
    let stage = Stage::new().await;
    seed(&stage, SUBSCRIPTION).await;
    make_seats(&stage).await;
    let mut items = Vec::new();
    for (function, case) in [
        ("create-account", "created"),
        ("create-agency-account", "created"),
        ("update-agency-account", "updated"),
        ("update-seats", "updated"),
        ("update-api-key", "updated"),
        ("update-own-account", "updated"),
        ("delete-own-account", "closed"),
    ] {
        let done = one(function, case);
        assert!(reply(&stage, function, &done.event).await.status < 300);
        items.extend(stage.items().await);
    }
    let kind = |item: &Item| {
        let sk = item["sk"].as_s().expect("text").clone();
        attributes(&sk, item.keys().cloned())
    };
    let written: BTreeSet<_> = items.iter().map(kind).collect();
    for sample in all().into_iter().filter(|sample| sample.function == "publish-changes") {
        let others =
            ["unreadable-record", "seat-became-pending", "billing-applied", "limits-reached"];
        if others.contains(&sample.case.as_str()) {
            continue;
        }
        for record in sample.event["Records"].as_array().expect("records") {
            let change = &record["dynamodb"];
            for image in [&change["NewImage"], &change["OldImage"]] {
                let Some(members) = image.as_object() else { continue };
                let sk = image["sk"]["S"].as_str().expect("text");
                let found = attributes(sk, members.keys().cloned());
                assert!(written.contains(&found), "{}: {found:?}", sample.path.display());
            }
        }
    }
}
