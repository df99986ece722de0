//! Batches of the table's stream.

use headcount_billing::message;
use publish_changes::{Batch, Event, Outbox, Parcel, SetAside, TAKES, handle};
use serde_json::{Value, json};

use super::Recorder;

impl Outbox for Recorder {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        self.keep(parcels.iter().map(view));
        Vec::new()
    }
}

fn view(parcel: &Parcel) -> Value {
    match parcel {
        Parcel::Billing(change) => json!({"billing_queue": message::encode(change)}),
        Parcel::Event(Event { detail_type, detail }) => {
            json!({"event": detail_type, "detail": detail})
        }
        Parcel::SetAside(SetAside { reason, event_id, keys }) => {
            json!({"set_aside": {"reason": reason, "event_id": event_id, "keys": keys}})
        }
    }
}

/// What becomes of a batch.
pub(crate) async fn publish(event: &Value) -> Value {
    let outbox = Recorder::default();
    let answer = |batch: Batch| handle(&outbox, batch);
    let response = TAKES.answer(event.clone(), answer).await.expect("records have numbers");
    json!({"response": response, "delivered": outbox.kept()})
}
