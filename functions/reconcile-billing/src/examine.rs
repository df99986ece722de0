//! Looking at one organization.

use headcount_billing::reconcile::{Drift, Remedy, Seen, compare, compare_standing, news, remedy};
use headcount_billing::{Subscriptions, Unanswered};
use headcount_model::billing::{Recorded, SubscriptionLedger};
use headcount_model::id::OrganizationId;
use headcount_model::port::Clock;
use headcount_model::reconcile::{
    Correction, CountedSeats, LedgerState, ReconciliationStore, Written,
};

use crate::Function;
use crate::findings::{Action, Finding, Findings};
use crate::pace::{Pace, Pause};

/// What came of looking at an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Examined {
    /// It was compared; so many drifts were found.
    Compared(u64),
    /// Stripe has not been told of its newest version, so that a comparison would say nothing of
    /// the seats; so many drifts of the rest were found.
    Behind(u64),
    /// It changed while it was being looked at; the next round has better luck.
    Moving,
    /// The table or Stripe gave no answer.
    Unanswered,
}

impl<L, S, Q, R, P> Function<L, S, Q, R, P>
where
    L: ReconciliationStore + SubscriptionLedger,
    S: Subscriptions,
    R: Findings,
    P: Clock + Pause,
{
    /// Compares an organization's seats, ledger and subscription, and heals what differs.
    pub(crate) async fn examine(&self, organization: &OrganizationId, pace: &Pace) -> Examined {
        self.try_examine(organization, pace).await.unwrap_or_else(|error| {
            let organization = organization.as_str();
            tracing::warn!(organization, %error, "an organization could not be looked at");
            Examined::Unanswered
        })
    }

    async fn try_examine(
        &self,
        organization: &OrganizationId,
        pace: &Pace,
    ) -> Result<Examined, Unanswered> {
        let Some(ledger) = self.ledger.ledger_state(organization).await? else {
            return Err(Unanswered("the organization has no billing record".to_owned()));
        };
        if ledger.is_behind() {
            return match ledger.failed_at {
                Some(_) => self.look_at_standing(&ledger, pace).await,
                None => Ok(Examined::Behind(0)),
            };
        }
        let seen = self.see(&ledger, pace).await?;
        let counted = self.ledger.count_seats(organization).await?;
        // Whatever was created or applied since the first read makes a difference that is none.
        if self.ledger.ledger_state(organization).await?.as_ref() != Some(&ledger) {
            return Ok(Examined::Moving);
        }
        let drifts = compare(&counted, &ledger, &seen, &self.tiers);
        let standing = self.record_news(&ledger, &seen).await?;
        let remedied = self.heal(&ledger, &counted, remedy(&drifts)).await?;
        for drift in &drifts {
            self.findings.record(&Finding {
                organization: organization.clone(),
                version: ledger.version,
                accounts: accounts(drift, &counted),
                action: action(drift, standing, remedied),
                drift: drift.clone(),
            });
        }
        Ok(Examined::Compared(drifts.len() as u64))
    }

    /// Records how the subscription of an organization stands that cannot be brought up to date:
    /// perhaps it has ended, and nobody has told. Until that is known, seats are added to it.
    async fn look_at_standing(
        &self,
        ledger: &LedgerState,
        pace: &Pace,
    ) -> Result<Examined, Unanswered> {
        let seen = self.see(ledger, pace).await?;
        let action = self.record_news(ledger, &seen).await?;
        let Some(drift) = compare_standing(ledger, &seen) else {
            return Ok(Examined::Behind(0));
        };
        self.findings.record(&Finding {
            organization: ledger.organization.clone(),
            version: ledger.version,
            accounts: Vec::new(),
            action,
            drift,
        });
        Ok(Examined::Behind(1))
    }

    async fn see(&self, ledger: &LedgerState, pace: &Pace) -> Result<Seen, Unanswered> {
        let Some(linked) = &ledger.linked else {
            return Ok(Seen::NotLinked);
        };
        self.ports.pause_until(pace.slot(self.ports.now())).await;
        match self.stripe.fetch(&linked.subscription).await {
            Ok(subscription) => Ok(Seen::There(subscription)),
            Err(failure) if failure.is_missing() => Ok(Seen::Gone),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Records how the subscription stands, where that is new.
    async fn record_news(&self, ledger: &LedgerState, seen: &Seen) -> Result<Action, Unanswered> {
        let (Some(linked), Some(standing)) = (&ledger.linked, news(ledger, seen)) else {
            return Ok(Action::Reported);
        };
        let now = self.ports.now();
        let recorded =
            self.ledger.record_standing(&ledger.organization, linked, &standing, now).await?;
        Ok(match recorded {
            Recorded::Yes => Action::Recorded,
            Recorded::Overtaken => Action::Overtaken,
        })
    }

    async fn heal(
        &self,
        ledger: &LedgerState,
        counted: &CountedSeats,
        remedy: Remedy,
    ) -> Result<Action, Unanswered> {
        let now = self.ports.now();
        let (written, action) = match remedy {
            Remedy::None => return Ok(Action::Reported),
            Remedy::Correct => {
                let correction = Correction::of(ledger, counted.seats, &self.tiers);
                (self.ledger.correct(ledger, &correction, now).await?, Action::Corrected)
            }
            Remedy::TellAgain => (self.ledger.raise_version(ledger, now).await?, Action::ToldAgain),
        };
        Ok(match written {
            Written::Yes => action,
            Written::Overtaken => Action::Overtaken,
        })
    }
}

/// The accounts that explain a drift.
fn accounts(drift: &Drift, counted: &CountedSeats) -> Vec<String> {
    match drift {
        Drift::UnreadableSeats => counted.unreadable.clone(),
        other => other.accounts(counted).iter().map(ToString::to_string).collect(),
    }
}

/// What was done about one of the drifts that were found together.
fn action(drift: &Drift, standing: Action, remedied: Action) -> Action {
    match drift {
        Drift::Status { .. } => standing,
        Drift::Ledger { .. }
        | Drift::Room { .. }
        | Drift::Spending { .. }
        | Drift::Quantity { .. }
        | Drift::ItemMissing { .. }
        | Drift::Unfit { .. } => remedied,
        Drift::UnreadableSeats
        | Drift::PriceNotConfigured { .. }
        | Drift::UnitAmount { .. }
        | Drift::Metadata { .. }
        | Drift::NotLinked { .. }
        | Drift::SubscriptionGone
        | Drift::Ended { .. } => Action::Reported,
    }
}
