//! Looking at one organization.

use headcount_billing::reconcile::{
    Drift, Remedy, Seen, billed, compare, compare_standing, news, remedy,
};
use headcount_billing::{Subscriptions, Unanswered};
use headcount_model::billing::{Recorded, SubscriptionLedger};
use headcount_model::id::OrganizationId;
use headcount_model::port::{Clock, Entropy};
use headcount_model::reconcile::{
    Correction, CountedSeats, LedgerState, MAX_NAMED, ReconciliationStore, Written,
};
use headcount_model::seats::{
    Billed, Change, Deactivation, Fate, KeptSeat, NotDeactivated, SeatEndings, fate,
};
use jiff::Timestamp;

use crate::findings::{Action, Finding, Findings};
use crate::pace::Pause;
use crate::walk::Run;
use crate::{Function, NAME};

/// How often the seats of an organization are read again because somebody else changed one of them
/// meanwhile. Then the next round has better luck.
const MAX_TRIES: usize = 3;

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
    L: ReconciliationStore + SubscriptionLedger + SeatEndings,
    S: Subscriptions,
    R: Findings,
    P: Clock + Entropy + Pause,
{
    /// Compares an organization's seats, ledger and subscription, and heals what differs.
    pub(crate) async fn examine(&self, organization: &OrganizationId, run: &Run<'_>) -> Examined {
        self.try_examine(organization, run).await.unwrap_or_else(|error| {
            let organization = organization.as_str();
            tracing::warn!(organization, %error, "an organization could not be looked at");
            Examined::Unanswered
        })
    }

    async fn try_examine(
        &self,
        organization: &OrganizationId,
        run: &Run<'_>,
    ) -> Result<Examined, Unanswered> {
        let Some(ledger) = self.ledger.ledger_state(organization).await? else {
            return Err(Unanswered("the organization has no billing record".to_owned()));
        };
        if ledger.is_behind() {
            return self.examine_behind(&ledger, run).await;
        }
        let seen = self.see(&ledger, run).await?;
        let counted = self.ledger.count_seats(organization).await?;
        self.settle(&ledger, counted.ending.clone(), &seen, run).await?;
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

    /// Looks at an organization of which Stripe has not been told everything. The time of its seats
    /// comes all the same.
    async fn examine_behind(
        &self,
        ledger: &LedgerState,
        run: &Run<'_>,
    ) -> Result<Examined, Unanswered> {
        let ending = self.ledger.count_seats(&ledger.organization).await?.ending;
        if ending.is_empty() && ledger.failed_at.is_none() {
            return Ok(Examined::Behind(0));
        }
        let seen = self.see(ledger, run).await?;
        self.settle(ledger, ending, &seen, run).await?;
        match ledger.failed_at {
            Some(_) => self.look_at_standing(ledger, &seen).await,
            None => Ok(Examined::Behind(0)),
        }
    }

    /// Records how the subscription of an organization stands that cannot be brought up to date:
    /// perhaps it has ended, and nobody has told. Until that is known, seats are added to it.
    async fn look_at_standing(
        &self,
        ledger: &LedgerState,
        seen: &Seen,
    ) -> Result<Examined, Unanswered> {
        let action = self.record_news(ledger, seen).await?;
        let Some(drift) = compare_standing(ledger, seen) else {
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

    /// Ends the seats whose time has come, as if they were given back now, and lets the others end
    /// with the period that runs. What was decided of a seat before it changed is decided anew.
    async fn settle(
        &self,
        ledger: &LedgerState,
        mut ending: Vec<KeptSeat>,
        seen: &Seen,
        run: &Run<'_>,
    ) -> Result<(), Unanswered> {
        for _ in 0..MAX_TRIES {
            let due = by_fate(ending, billed(seen), self.ports.now());
            if self.settle_all(ledger, &due, run).await? {
                return Ok(());
            }
            ending = self.ledger.count_seats(&ledger.organization).await?.ending;
        }
        Ok(())
    }

    /// Whether no seat was changed meanwhile.
    async fn settle_all(
        &self,
        ledger: &LedgerState,
        due: &[(Fate, Vec<KeptSeat>)],
        run: &Run<'_>,
    ) -> Result<bool, Unanswered> {
        for (fate, seats) in due {
            let change = match *fate {
                Fate::Ends { .. } => Change::End,
                Fate::Moves(ends_at) => Change::EndAt(ends_at),
                Fate::Stays => continue,
            };
            for part in seats.chunks(self.ledger.deactivations_per_commit()) {
                let deactivation = Deactivation::of_the_stack(
                    &ledger.organization,
                    change,
                    part,
                    (NAME, run.invocation),
                    &self.tiers,
                    &self.ports,
                );
                let deactivation =
                    deactivation.map_err(|no_entropy| Unanswered(no_entropy.to_string()))?;
                match self.ledger.deactivate(deactivation).await {
                    Ok(_) => self.tell_settled(ledger, *fate, part, run),
                    Err(NotDeactivated::Changed) => return Ok(false),
                    Err(_) => return Err(Unanswered("the table ended no seats".to_owned())),
                }
            }
        }
        Ok(true)
    }

    fn tell_settled(&self, ledger: &LedgerState, fate: Fate, part: &[KeptSeat], run: &Run<'_>) {
        let Fate::Ends { is_late } = fate else { return };
        let seats = part.len() as u64;
        run.add_ended(seats);
        if is_late {
            let named = part.iter().take(MAX_NAMED);
            self.findings.record(&Finding {
                organization: ledger.organization.clone(),
                version: ledger.version,
                accounts: named.map(|seat| seat.id.to_string()).collect(),
                action: Action::Reported,
                drift: Drift::EndedLate { seats },
            });
        }
    }

    async fn see(&self, ledger: &LedgerState, run: &Run<'_>) -> Result<Seen, Unanswered> {
        let Some(linked) = &ledger.linked else {
            return Ok(Seen::NotLinked);
        };
        self.ports.pause_until(run.pace.slot(self.ports.now())).await;
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

/// Seats that are to end, by what becomes of them.
fn by_fate(ending: Vec<KeptSeat>, billed: Billed, now: Timestamp) -> Vec<(Fate, Vec<KeptSeat>)> {
    let mut groups: Vec<(Fate, Vec<KeptSeat>)> = Vec::new();
    for seat in ending {
        let Some(ends_at) = seat.ends_at else { continue };
        let fate = fate(ends_at, billed, now);
        match groups.iter_mut().find(|(of, _)| *of == fate) {
            Some((_, seats)) => seats.push(seat),
            None => groups.push((fate, vec![seat])),
        }
    }
    groups
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
        | Drift::Ended { .. }
        | Drift::EndedLate { .. } => Action::Reported,
    }
}
