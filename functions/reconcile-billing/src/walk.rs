//! The walk through the directory of organizations.
//!
//! The shard that has been walked least often comes first, and of several the one with the lowest
//! number; so any two runs want the same shard, and the claim on its cursor lets one of them have
//! it. The other leaves the whole walk to the first: there is one walker at a time, and Stripe is
//! read at the rate of one. A claim ends with the time that Lambda gives its run, so that a run
//! that is killed holds up nobody.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use headcount_billing::Subscriptions;
use headcount_model::billing::{LedgerUnavailable, SubscriptionLedger};
use headcount_model::id::OrganizationId;
use headcount_model::port::{Clock, Entropy};
use headcount_model::reconcile::{Cursor, ReconciliationStore, Shard, Written};
use headcount_model::seats::SeatEndings;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::examine::Examined;
use crate::findings::Findings;
use crate::pace::{Pace, Pause};
use crate::{Function, Report};

/// How many organizations are looked at side by side. The cursor is written behind them, so that
/// a run that is killed repeats no more than these.
const GROUP: u16 = 8;

/// How long before the end of a run no group is begun: more than one group can take, with the
/// table and Stripe as slow as their clients allow.
const RESERVE: SignedDuration = SignedDuration::from_secs(30);

/// How many runs in a row may fail at one group before the walk leaves it for the next cycle. A
/// group that never answers must not keep all others from being looked at.
const MAX_STALLS: u32 = 3;

/// Why a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Every shard was walked to its end.
    Complete,
    /// The time was up; the next run goes on.
    OutOfTime,
    /// Stripe or the table answered nothing; the next run tries the same group again.
    Unanswered,
    /// Another run is walking.
    LeftToAnother,
}

/// What all looks of one run share.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    /// When Stripe may be read.
    pub(crate) pace: Pace,
    /// The invocation, as Lambda names it.
    pub(crate) invocation: &'r str,
    seats_ended: AtomicU64,
}

impl Run<'_> {
    /// Counts seats whose time had come.
    pub(crate) fn add_ended(&self, seats: u64) {
        self.seats_ended.fetch_add(seats, Ordering::Relaxed);
    }
}

/// A shard's walk, or the step before its end.
enum Step {
    Finished,
    Ended(Ended),
}

impl<L, S, Q, R, P> Function<L, S, Q, R, P>
where
    L: ReconciliationStore + SubscriptionLedger + SeatEndings,
    S: Subscriptions,
    R: Findings,
    P: Clock + Entropy + Pause,
{
    /// Goes on where the last run ended, through each shard once at most.
    pub(crate) async fn walk(
        &self,
        deadline: Timestamp,
        invocation: &str,
        report: &mut Report,
    ) -> Result<Ended, LedgerUnavailable> {
        let cursors = join_all(Shard::all().map(|shard| self.ledger.cursor(shard))).await;
        let mut cursors = cursors.into_iter().collect::<Result<Vec<_>, _>>()?;
        cursors.sort_by_key(|cursor| (cursor.cycle, cursor.shard));
        let pace = Pace::per_second(self.reads_per_second, self.ports.now());
        let run = Run { pace, invocation, seats_ended: AtomicU64::new(0) };
        let mut ended = Ended::Complete;
        for cursor in cursors {
            match self.walk_shard(cursor, &run, deadline, report).await? {
                Step::Finished => report.shards_finished += 1,
                Step::Ended(early) => {
                    ended = early;
                    break;
                }
            }
        }
        report.seats_ended = run.seats_ended.into_inner();
        Ok(ended)
    }

    async fn walk_shard(
        &self,
        mut cursor: Cursor,
        run: &Run<'_>,
        deadline: Timestamp,
        report: &mut Report,
    ) -> Result<Step, LedgerUnavailable> {
        const LEFT: Step = Step::Ended(Ended::LeftToAnother);
        if !self.is_time_left(deadline) {
            return Ok(Step::Ended(Ended::OutOfTime));
        }
        if cursor.claimed_until.is_some_and(|until| until > self.ports.now()) {
            return Ok(LEFT);
        }
        cursor.claimed_until = Some(deadline);
        if !self.save(&mut cursor).await? {
            return Ok(LEFT);
        }
        loop {
            let group = self.ledger.organizations(cursor.shard, cursor.after.as_ref(), GROUP);
            let group = group.await?;
            report.drifts += self.tell_unreadable(&group.unreadable);
            let answered = self.examine_group(&group.readable, run, report).await;
            let is_last = group.is_end;
            let step = next(&mut cursor, group.readable, answered);
            let step = match step {
                None if is_last => Some(Step::Finished),
                None if !self.is_time_left(deadline) => Some(Step::Ended(Ended::OutOfTime)),
                other => other,
            };
            if let Some(Step::Finished) = step {
                cursor.cycle += 1;
                cursor.after = None;
            }
            if step.is_some() {
                cursor.claimed_until = None;
            }
            if !self.save(&mut cursor).await? {
                return Ok(LEFT);
            }
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    fn is_time_left(&self, deadline: Timestamp) -> bool {
        self.ports.now().checked_add(RESERVE).is_ok_and(|end| end < deadline)
    }

    /// Whether the cursor is still this run's.
    async fn save(&self, cursor: &mut Cursor) -> Result<bool, LedgerUnavailable> {
        let written = self.ledger.save_cursor(cursor, self.ports.now()).await?;
        Ok(written == Written::Yes)
    }

    /// Whether at least one of a group, if there is any, could be looked at.
    async fn examine_group(
        &self,
        group: &[OrganizationId],
        run: &Run<'_>,
        report: &mut Report,
    ) -> bool {
        let looks = group.iter().map(|organization| self.examine(organization, run));
        let mut answered = group.is_empty();
        for examined in join_all(looks).await {
            answered |= examined != Examined::Unanswered;
            report.add(examined);
        }
        answered
    }
}

/// Moves the cursor behind a group. A group that did not answer stays where it is, and ends the
/// run: whoever is silent needs no more questions. Too many such runs, and it is passed over.
fn next(cursor: &mut Cursor, group: Vec<OrganizationId>, answered: bool) -> Option<Step> {
    let stalls = if answered { 0 } else { cursor.stalls + 1 };
    if answered || stalls >= MAX_STALLS {
        cursor.stalls = 0;
        cursor.after = group.into_iter().next_back().or_else(|| cursor.after.take());
    } else {
        cursor.stalls = stalls;
    }
    (!answered).then_some(Step::Ended(Ended::Unanswered))
}
