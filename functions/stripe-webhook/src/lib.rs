//! `POST /webhooks/stripe`: Stripe tells that something happened to a subscription, and the
//! billing record of its organization is brought to how the subscription stands now.
//!
//! Stripe delivers an event again until it is answered with a 2xx, for three days
//! (<https://docs.stripe.com/webhooks#retries>). So what is none of ours is acknowledged, and
//! only what another delivery can put right is not.

mod signing;

use headcount_api::webhooks::{NotAWebhook, Webhooks, received};
use headcount_api::{Answer, Endpoint, Failure, Incoming, STRIPE_SIGNATURE};
use headcount_billing::rotation::{Rejected, SignatureCheck, SigningSecretSource};
use headcount_billing::webhook;
use headcount_billing::{Subscriptions, heed};
use headcount_model::billing::SubscriptionLedger;
use headcount_model::port::Clock;

pub use signing::Kept;

/// The function, over its ports.
pub struct Function<L, S, K, P> {
    /// The billing records.
    pub ledger: L,
    /// Stripe.
    pub stripe: S,
    /// The check of what webhooks are signed with.
    pub signatures: SignatureCheck<K>,
    /// Time.
    pub ports: P,
}

impl<L, S, K, P> Endpoint for Function<L, S, K, P>
where
    L: SubscriptionLedger + Sync,
    S: Subscriptions + Sync,
    K: SigningSecretSource,
    P: Clock,
{
    type Dialect = Webhooks;

    const SAMPLE: &str =
        "tests/events/stripe-webhook/recorded.json (signed anew: headcount webhook sign)";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<NotAWebhook>> {
        let body = request.raw()?;
        let header = request.header(&STRIPE_SIGNATURE);
        self.signatures.check(header, body, self.ports.now()).await.map_err(rejected)?;
        let event = webhook::read(body).map_err(|not| refused(&not))?;
        let heeded = heed(&self.ledger, &self.stripe, &event, &self.ports).await;
        heeded.map_err(|_| Failure::Unavailable)?;
        Ok(received())
    }
}

fn rejected(reason: Rejected) -> Failure<NotAWebhook> {
    match reason {
        Rejected::BadSignature(bad) => refused(&bad),
        Rejected::Unanswered(unanswered) => {
            let cause = unanswered.to_string();
            tracing::error!(cause, "the signature could not be checked");
            Failure::Unavailable
        }
    }
}

fn refused(reason: &dyn std::fmt::Display) -> Failure<NotAWebhook> {
    Failure::Refused(NotAWebhook(reason.to_string()))
}
