//! Stripe's events from EventBridge, in the place of `POST /webhooks/stripe`: the billing record of an
//! organization is brought to how its subscription stands now. What follows from an event is the same
//! whichever way it comes (`headcount_billing::heed`). There is no signature to check: the partner event
//! source takes events of Stripe alone, and the rule those of one source
//! (docs/adr/0023-events-by-eventbridge.md).

use headcount_billing::webhook;
use headcount_billing::{Subscriptions, heed};
use headcount_model::billing::SubscriptionLedger;
use headcount_model::port::Clock;
use headcount_platform::Takes;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the function takes.
pub const TAKES: Takes = Takes::partner_events(
    "an event of Stripe from EventBridge",
    "tests/events/stripe-events/recorded.json",
);

/// What EventBridge hands over, as far as it is looked at
/// (<https://docs.stripe.com/event-destinations/eventbridge>).
#[derive(Debug, Clone, Deserialize)]
pub struct Envelope {
    /// Stripe's event, thin or with a snapshot of its object.
    pub detail: Value,
}

/// Nobody waits for it; a person who sends an event by hand sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Whether the event needs not come again.
    pub received: bool,
}

/// The function, over its ports.
pub struct Function<L, S, P> {
    /// The billing records.
    pub ledger: L,
    /// Stripe.
    pub stripe: S,
    /// Time.
    pub ports: P,
}

impl<L, S, P> Function<L, S, P>
where
    L: SubscriptionLedger,
    S: Subscriptions,
    P: Clock,
{
    /// Does what follows from an event.
    ///
    /// # Errors
    /// When table or Stripe do not answer, or the detail is no event. Lambda tries again twice, and then
    /// puts the event into the dead-letter queue.
    pub async fn handle(&self, envelope: Envelope) -> Result<Received, Error> {
        let event = webhook::read_value(envelope.detail)?;
        heed(&self.ledger, &self.stripe, &event, &self.ports).await?;
        Ok(Received { received: true })
    }
}
