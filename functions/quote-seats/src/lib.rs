//! `POST /accounts/quote`: what a create would cost (CONTRACT, "Reading and the rest of an
//! account's life"). Nothing is created and nothing is kept: the quote is in its id.

use std::time::Duration;

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_billing::StripeFailure;
use headcount_billing::preview::{Change, Previewed, Previews};
use headcount_model::billing::SeatCounts;
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::policy::BillingPolicy;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::CreateSeats;
use headcount_model::seats::{Platforms, Quote};
use headcount_model::statement::Statements;
use headcount_model::tiers::Tiers;

/// How long Stripe may take for its calls together. The function has 25 s, of which the table may
/// take 6, and a caller should hear from us that Stripe does not answer.
const STRIPE_BUDGET: Duration = Duration::from_secs(7);

/// The function, over its ports.
pub struct Function<S, B, P> {
    /// Billing records and credentials.
    pub store: S,
    /// Stripe.
    pub stripe: B,
    /// Time and randomness.
    pub ports: P,
    /// The platforms that seats may be on.
    pub platforms: Platforms,
    /// What the tiers stand for.
    pub tiers: Tiers,
    /// Which subscriptions take seats.
    pub policy: BillingPolicy,
    /// Secret of the quotes.
    pub fingerprint_key: FingerprintKey,
}

impl<S, B, P> Endpoint for Function<S, B, P>
where
    S: Statements + Credentials + Sync,
    B: Previews + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/quote-seats/quoted.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let granted = seats::grant::<CreateSeats>(credential.as_ref())?;
        let added = seats::quote_seats(request.json_of_seats()?, &self.platforms)?.counts();

        let statement = self.store.statement(granted.implied()).await?;
        let statement = statement.ok_or(Failure::Refused(Refusal::NoBilling))?;
        let linked = statement.room_for(added, self.tiers.monthly(added), &self.policy, now)?;
        let (before, after) = (statement.seats, statement.seats + added);
        let change = Change {
            subscription: &linked.id,
            before,
            after,
            tiers: &self.tiers,
            proration: statement.proration,
            policy: &self.policy,
            now,
        };
        let proration = if statement.fewer.asks_first(Some(statement.applied_version), now) {
            self.unpaid(&change).await?
        } else {
            self.proration(&change).await?
        };

        let quote = Quote::new(statement.version, added, &self.tiers, statement.proration, now);
        let id = quote.id(granted.tenant(), &self.fingerprint_key);
        let id = id.map_err(|_| Failure::Unavailable)?;
        let (tiers, policy, expires_at) = (&self.tiers, &self.policy, quote.expires_at);
        Ok(seats::quoted(seats::Quoted { id, before, after, tiers, proration, policy, expires_at }))
    }
}

impl<S, B, P> Function<S, B, P>
where
    B: Previews,
    P: Entropy,
{
    /// What the rest of the period would cost more where seats were given back without a credit:
    /// those that are paid for cost nothing, which is for each tier to say.
    async fn unpaid(&self, change: &Change<'_>) -> Result<i64, Failure<Refusal>> {
        let (before, added) = (change.before, change.after);
        let mut cents: i64 = 0;
        for after in [
            SeatCounts { basic: added.basic, ..before },
            SeatCounts { premium: added.premium, ..before },
        ] {
            if after != before {
                let change = Change { after, ..change.clone() };
                cents = cents.saturating_add(self.proration(&change).await?.max(0));
            }
        }
        Ok(cents)
    }

    /// What the rest of the period would cost more, as Stripe says.
    async fn proration(&self, change: &Change<'_>) -> Result<i64, Failure<Refusal>> {
        let asked = self.stripe.proration(change, &self.ports);
        let Ok(answer) = tokio::time::timeout(STRIPE_BUDGET, asked).await else {
            tracing::warn!("Stripe took too long");
            return Err(Failure::Unavailable);
        };
        match answer {
            Ok(Previewed::Proration(cents)) => Ok(cents),
            Ok(Previewed::Ended) => Err(Failure::Refused(Refusal::NoBilling)),
            Err(StripeFailure::Transient(cause) | StripeFailure::Stored(cause)) => {
                tracing::warn!(cause, "Stripe made no preview");
                Err(Failure::Unavailable)
            }
            Err(StripeFailure::Permanent(error)) => {
                let (code, cause) = (error.code, error.message);
                tracing::error!(code, cause, "Stripe refused a preview");
                Err(Failure::Unavailable)
            }
        }
    }
}
