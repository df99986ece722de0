//! What the schedule sends.

use std::num::NonZeroU32;

use headcount_billing::message;
use headcount_model::port::{Clock, Entropy, NoEntropy, System};
use headcount_tests::Stage;
use headcount_tests::samples::{SampleStripe, tiers};
use jiff::{SignedDuration, Timestamp};
use reconcile_billing::{Finding, Findings, Message, Pause, TAKES, Tick};
use serde_json::{Value, json};

use super::{Recorder, make_seats};

/// When an event happens that does not say so.
const LATER: &str = "2026-02-03T18:15:00Z";

/// Time that stands still, for whoever would wait.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        System.fill(bytes)
    }
}

impl Pause for Still {
    async fn pause_until(&self, _: Timestamp) {}
}

impl reconcile_billing::BillingQueue for &Recorder {
    async fn send(&self, messages: &[Message]) -> usize {
        let sent = messages.iter().map(|Message { change, deduplication_id }| {
            json!({"billing_queue": message::encode(change), "deduplication_id": deduplication_id})
        });
        self.keep(sent);
        messages.len()
    }
}

impl Findings for &Recorder {
    fn record(&self, finding: &Finding) {
        let (drift, action) = (finding.drift.kind(), finding.action.as_str());
        self.keep([json!({"drift": drift, "action": action})]);
    }

    fn unreadable(&self, key: &str) {
        self.keep([json!({"unreadable": key})]);
    }
}

/// Seats were made at the usual moment, and the message about them was lost. The run is at the
/// time of the event.
pub(crate) async fn reconcile(stage: &Stage, event: &Value) -> Value {
    make_seats(stage).await;
    run(stage, event).await
}

/// What a run does about the seats that there are.
pub(crate) async fn run(stage: &Stage, event: &Value) -> Value {
    let now: Timestamp = event["time"].as_str().unwrap_or(LATER).parse().expect("a time");
    let (stripe, recorder) = (SampleStripe::default(), Recorder::default());
    let function = reconcile_billing::Function {
        ledger: stage.table.clone(),
        stripe: &stripe,
        queue: &recorder,
        findings: &recorder,
        tiers: tiers(),
        reads_per_second: NonZeroU32::new(15).expect("above 0"),
        ports: Still(now),
    };
    let deadline = now + SignedDuration::from_secs(240);
    let answer = |_: Tick| function.handle(deadline, "invocation-1".to_owned());
    let report = TAKES.answer(event.clone(), answer).await.expect("the table answers");
    json!({"report": report, "delivered": recorder.kept()})
}
