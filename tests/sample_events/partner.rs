//! What Stripe sends by EventBridge.

use headcount_tests::Stage;
use headcount_tests::samples::SampleStripe;
use serde_json::{Value, json};
use stripe_events::{Function, TAKES};

/// What becomes of an event.
pub(crate) async fn heed(stage: &Stage, event: &Value) -> Value {
    let stripe = SampleStripe::default();
    let (ledger, ports) = (stage.table.clone(), stage.ports.clone());
    let function = Function { ledger, stripe: &stripe, ports };
    let answer = |envelope| function.handle(envelope);
    json!(TAKES.answer(event.clone(), answer).await.expect("an event of Stripe"))
}
