//! Batches of the billing queue.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use headcount_billing::{Prices, message};
use headcount_model::billing::BillingChange;
use headcount_tests::Stage;
use headcount_tests::samples::{SampleStripe, tiers};
use serde_json::{Value, json};
use sync_billing::TAKES;

use super::{Recorder, make_seats};

impl sync_billing::BillingQueue for &Recorder {
    async fn send_again(&self, change: &BillingChange, _: &SqsMessage) -> bool {
        self.keep([json!({"sent_again": message::encode(change)})]);
        true
    }

    async fn delay(&self, messages: &[SqsMessage], delay: Duration) {
        let ids: Vec<_> = messages.iter().map(|message| &message.message_id).collect();
        self.keep([json!({"delayed": ids, "seconds": delay.as_secs()})]);
    }
}

/// What becomes of a batch. Its messages are about the first seats of the organization.
pub(crate) async fn sync(stage: &Stage, event: &Value) -> Value {
    make_seats(stage).await;
    deliver(stage, event).await
}

/// What becomes of a batch that is about the seats that there are.
pub(crate) async fn deliver(stage: &Stage, event: &Value) -> Value {
    let (stripe, recorder) = (SampleStripe::default(), Recorder::default());
    let function = sync_billing::Function {
        ledger: stage.table.clone(),
        stripe: &stripe,
        queue: &recorder,
        prices: Prices::from(&tiers()),
        ports: stage.ports.clone(),
    };
    let answer = |batch| function.handle(batch);
    let response = TAKES.answer(event.clone(), answer).await.expect("messages have ids");
    let (told, queue) = (stripe.was_told(), recorder.kept());
    json!({"response": response, "stripe_was_told": told, "queue_was_told": queue})
}
