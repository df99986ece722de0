//! What the sample events are fed to, and which of them there have to be.

pub(crate) mod outbox;
pub(crate) mod partner;
pub(crate) mod queue;
pub(crate) mod refusals;
pub(crate) mod results;
pub(crate) mod schedule;

use std::sync::Mutex;

use headcount_tests::{Stage, samples};
use serde_json::Value;

/// Keeps what it is given.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Value>>);

impl Recorder {
    fn keep(&self, values: impl IntoIterator<Item = Value>) {
        self.0.lock().expect("not poisoned").extend(values);
    }

    fn kept(self) -> Vec<Value> {
        self.0.into_inner().expect("not poisoned")
    }
}

/// Makes the seats that `create-seats/created.json` asks for.
pub(crate) async fn make_seats(stage: &Stage) {
    let created = samples::one("create-seats", "created");
    let created = samples::reply(stage, &created.function, &created.event).await;
    assert_eq!(created.status, 200, "{}", created.text);
}
