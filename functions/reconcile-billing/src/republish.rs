//! Sending the messages again of organizations that have been behind for too long.

use std::future::Future;

use futures_util::future::join_all;
use headcount_model::billing::{BillingChange, LedgerUnavailable};
use headcount_model::port::Clock;
use headcount_model::reconcile::{Behind, LedgerState, ReconciliationStore, Shard};
use jiff::{SignedDuration, Timestamp};

use crate::findings::Findings;
use crate::{Function, Report};

/// How long an organization may be behind before its message counts as lost. In a quiet system a
/// message takes seconds.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// How long nothing is sent after a failure that will not pass by itself. Each message of such an
/// organization ends in the dead-letter queue; one an hour shows that somebody has put it right.
const REST_AFTER_FAILURE: SignedDuration = SignedDuration::from_hours(1);

/// One batch of SQS.
const BATCH: u16 = 10;

/// A message to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says; its organization is its group.
    pub change: BillingChange,
    /// Another one than that of the message that was lost, which SQS may still remember.
    pub deduplication_id: String,
}

/// The billing queue.
pub trait BillingQueue {
    /// Sends at most ten messages; returns how many the queue took.
    fn send(&self, messages: &[Message]) -> impl Future<Output = usize> + Send;
}

impl<L, S, Q, R, P> Function<L, S, Q, R, P>
where
    L: ReconciliationStore,
    Q: BillingQueue,
    R: Findings,
    P: Clock,
{
    /// How long the organization has been behind that has been so for longest, in seconds; told by
    /// a record of the log before anything else can go wrong. A metric filter of template.yaml
    /// looks for the field of this name. What rests after a failure counts too: it is not billed.
    pub(crate) async fn oldest_behind(&self) -> Result<u64, LedgerUnavailable> {
        let now = self.ports.now();
        let oldest = Shard::all().map(|shard| self.ledger.behind(shard, now, None, 1));
        let oldest = join_all(oldest).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let waits = oldest
            .iter()
            .flat_map(|listed| &listed.readable)
            .map(|behind| now.duration_since(behind.since));
        let longest = waits.max().unwrap_or_default().as_secs();
        let oldest_behind_seconds = u64::try_from(longest).unwrap_or(0);
        tracing::info!(oldest_behind_seconds, "looked at what is behind");
        Ok(oldest_behind_seconds)
    }

    /// Sends again what is behind, until it has or `until` comes.
    /// Which shard comes first changes with the time, so that none is always cut off.
    pub(crate) async fn republish(
        &self,
        until: Timestamp,
        report: &mut Report,
    ) -> Result<(), LedgerUnavailable> {
        let now = self.ports.now();
        let minute = now.as_second().div_euclid(60);
        let since = now.checked_sub(LOST_AFTER).unwrap_or(Timestamp::MIN);
        for shard in Shard::all_from(minute) {
            let mut after: Option<Behind> = None;
            while self.ports.now() < until {
                let page = self.ledger.behind(shard, since, after.as_ref(), BATCH).await?;
                report.drifts += self.tell_unreadable(&page.unreadable);
                let messages = self.messages(&page.readable, minute).await;
                if !messages.is_empty() {
                    report.republished += self.queue.send(&messages).await as u64;
                }
                if page.is_end {
                    break;
                }
                after = page.readable.into_iter().next_back();
            }
        }
        Ok(())
    }

    /// The messages of those that are behind indeed: the index may be late.
    async fn messages(&self, page: &[Behind], minute: i64) -> Vec<Message> {
        let states = page.iter().map(|behind| self.ledger.ledger_state(&behind.organization));
        let now = self.ports.now();
        let states = join_all(states).await.into_iter().filter_map(|state| match state {
            Ok(state) => state.filter(|state| needs_message(state, now)),
            Err(error) => {
                tracing::warn!(%error, "a record that is behind could not be read");
                None
            }
        });
        states.map(|state| message(state, minute)).collect()
    }
}

fn needs_message(state: &LedgerState, now: Timestamp) -> bool {
    let rests = state.failed_at.is_some_and(|at| now.duration_since(at) < REST_AFTER_FAILURE);
    state.is_behind() && !rests
}

/// The same within a minute, so that two runs at once send one message.
fn message(state: LedgerState, minute: i64) -> Message {
    let LedgerState { organization, version, .. } = state;
    Message {
        deduplication_id: format!("{organization}:{version}:r{minute}"),
        change: BillingChange { organization, version, changes: Vec::new() },
    }
}
