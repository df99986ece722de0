//! Seats, ledger and Stripe, compared on a schedule.
//!
//! A run begins with telling how long the oldest organization has been behind, for an alarm of
//! template.yaml. Then it does two things. First it sends the messages again of organizations that have been
//! behind for more than two minutes: whatever became of the first message, Stripe will be told.
//! Second it walks through the directory of organizations, counts the seats of each, and compares
//! the counts with the billing record and the subscription. What differs is healed the ordinary
//! way, by a new version of the record, and told: one [`Finding`] each. Seats that were to end with
//! their billing period, and whose time has come, end on the way.
//!
//! # How long a cycle takes
//! Stripe takes 25 reads a second at one endpoint and 100 requests a second in all
//! (<https://docs.stripe.com/rate-limits>). There is one walker at a time, and it reads
//! 15 subscriptions a second, so that sync-billing keeps 10. Lambda gives a run 240 seconds. The
//! last 30 are kept in reserve, so that a run looks at 210 × 15 = 3,150 organizations, and
//! 100,000 take 32 runs: at one every five minutes, 2 hours and 40 minutes. A stack of up to
//! 3,150 organizations is looked at completely every five minutes. While much is behind, half of
//! a run at most goes into sending messages again.

mod aws;
pub mod configuration;
mod examine;
mod findings;
mod pace;
mod republish;
mod walk;

use std::num::NonZeroU32;

use headcount_billing::Subscriptions;
use headcount_model::billing::SubscriptionLedger;
use headcount_model::port::{Clock, Entropy};
use headcount_model::reconcile::ReconciliationStore;
use headcount_model::seats::SeatEndings;
use headcount_model::tiers::Tiers;
use headcount_platform::Takes;
use jiff::Timestamp;
use lambda_runtime::{Context, Error};
use serde::{Deserialize, Serialize};

pub use aws::AwsQueue;
pub use findings::{Action, BILLING_DRIFT, Finding, Findings, LogFindings};
pub use pace::Pause;
pub use republish::{BillingQueue, Message};
pub use walk::Ended;

use crate::examine::Examined;

/// What the audit calls it.
const NAME: &str = "reconcile-billing";

/// What the function takes.
pub const TAKES: Takes = Takes::objects(
    "the event of a schedule or any other object",
    "tests/events/reconcile-billing/by-hand.json",
);

/// What the schedule sends. Nothing in it matters.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Tick {}

/// The function, over its ports.
pub struct Function<L, S, Q, R, P> {
    /// The table.
    pub ledger: L,
    /// Stripe.
    pub stripe: S,
    /// The billing queue.
    pub queue: Q,
    /// Where drift is told.
    pub findings: R,
    /// What the tiers stand for.
    pub tiers: Tiers,
    /// How many subscriptions are read a second.
    pub reads_per_second: NonZeroU32,
    /// Time, and waiting.
    pub ports: P,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How long the organization had been behind at the run's begin that has been so for longest,
    /// in seconds; 0 when none was.
    pub oldest_behind_seconds: u64,
    /// Messages that were sent again.
    pub republished: u64,
    /// Organizations that were compared.
    pub compared: u64,
    /// Organizations whose seats were left alone, because Stripe has not been told everything yet.
    pub behind: u64,
    /// Organizations that changed while they were being looked at.
    pub moving: u64,
    /// Organizations about which the table or Stripe gave no answer.
    pub unanswered: u64,
    /// Drifts and rows that cannot be read that were found.
    pub drifts: u64,
    /// Seats that ended because their time had come.
    pub seats_ended: u64,
    /// Shards of the directory that were walked to their end.
    pub shards_finished: u8,
    /// Why the walk ended.
    pub ended: Ended,
}

impl Report {
    fn new() -> Self {
        Self {
            oldest_behind_seconds: 0,
            republished: 0,
            compared: 0,
            behind: 0,
            moving: 0,
            unanswered: 0,
            drifts: 0,
            seats_ended: 0,
            shards_finished: 0,
            ended: Ended::OutOfTime,
        }
    }

    fn add(&mut self, examined: Examined) {
        match examined {
            Examined::Compared(drifts) => {
                self.compared += 1;
                self.drifts += drifts;
            }
            Examined::Behind(drifts) => {
                self.behind += 1;
                self.drifts += drifts;
            }
            Examined::Moving => self.moving += 1,
            Examined::Unanswered => self.unanswered += 1,
        }
    }
}

impl<L, S, Q, R, P> Function<L, S, Q, R, P>
where
    L: ReconciliationStore + SubscriptionLedger + SeatEndings,
    S: Subscriptions,
    Q: BillingQueue,
    R: Findings,
    P: Clock + Entropy + Pause,
{
    /// Makes one run, which ends before `deadline`. The audit names `invocation`.
    ///
    /// # Errors
    /// When the table does not answer; the next run goes on.
    pub async fn handle(&self, deadline: Timestamp, invocation: String) -> Result<Report, Error> {
        let now = self.ports.now();
        let half = now.checked_add(deadline.duration_since(now) / 2).unwrap_or(now);
        let mut report = Report::new();
        report.oldest_behind_seconds = self.oldest_behind().await?;
        self.republish(half, &mut report).await?;
        report.ended = self.walk(deadline, &invocation, &mut report).await?;
        tracing::info!(
            republished = report.republished,
            compared = report.compared,
            behind = report.behind,
            moving = report.moving,
            unanswered = report.unanswered,
            drifts = report.drifts,
            seats_ended = report.seats_ended,
            shards_finished = report.shards_finished,
            ended = ?report.ended,
            "reconciled"
        );
        Ok(report)
    }
}

impl<L, S, Q, R: Findings, P> Function<L, S, Q, R, P> {
    /// Tells of rows that cannot be read; returns how many they are.
    pub(crate) fn tell_unreadable(&self, keys: &[String]) -> u64 {
        keys.iter().for_each(|key| self.findings.unreadable(key));
        keys.len() as u64
    }
}

/// When Lambda ends the run.
pub fn deadline(context: &Context) -> Timestamp {
    // What does not fit is a time that a run does not reach.
    let millis = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
