//! The billing queue: a model of an SQS FIFO queue as template.yaml sets it up, with its
//! dead-letter queue (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use headcount_billing::message;
use headcount_model::billing::BillingChange;

use crate::faults::{Fault, Side};
use crate::kernel::lock;
use crate::world::World;

const SECOND: u64 = 1_000_000;
const DELAY: u64 = SECOND;
const VISIBILITY_TIMEOUT: u64 = 180 * SECOND;
const DEDUPLICATION: u64 = 300 * SECOND;
const MAX_RECEIVE_COUNT: u32 = 8;
const BATCH: usize = 10;
/// How long the functions' clients of the queue wait for an answer, with all attempts.
const CALL_LIMIT: Duration = Duration::from_secs(6);

/// A message of the queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    id: u64,
    pub(crate) group: String,
    pub(crate) body: String,
    visible_at: u64,
    received: u32,
}

impl Message {
    /// Its id, as the function names it.
    pub(crate) fn name(&self) -> String {
        self.id.to_string()
    }
}

/// Told when something may be received at a time.
type Bell = Arc<dyn Fn(u64) + Send + Sync>;

/// Clones are the same queue.
#[derive(Clone)]
pub(crate) struct Queue {
    world: World,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    dead: Vec<Message>,
    /// When each deduplication id of a group is forgotten.
    seen: BTreeMap<(String, String), u64>,
    last_id: u64,
    /// What every message ever said.
    bodies: Vec<String>,
    ever_dead: u64,
    is_lossy: bool,
    bell: Option<Bell>,
}

impl Queue {
    pub(crate) fn new(world: &World) -> Self {
        Self { world: world.clone(), state: Arc::default() }
    }

    pub(crate) fn follow(&self, bell: impl Fn(u64) + Send + Sync + 'static) {
        lock(&self.state).bell = Some(Arc::new(bell));
    }

    /// Rings no more.
    pub(crate) fn unfollow(&self) {
        lock(&self.state).bell = None;
    }

    /// Takes a message, unless it knows the deduplication id.
    pub(crate) fn put(&self, group: &str, deduplication_id: &str, body: &str) {
        let now = self.world.kernel.now();
        let is_new = {
            let mut state = lock(&self.state);
            state.seen.retain(|_, until| *until > now);
            let key = (group.to_owned(), deduplication_id.to_owned());
            let is_new = !state.seen.contains_key(&key);
            if is_new {
                state.seen.insert(key, now + DEDUPLICATION);
                state.last_id += 1;
                let message = Message {
                    id: state.last_id,
                    group: group.to_owned(),
                    body: body.to_owned(),
                    visible_at: now + DELAY,
                    received: 0,
                };
                state.messages.push(message);
                state.bodies.push(body.to_owned());
            }
            is_new
        };
        let what = if is_new { "takes" } else { "knows" };
        self.world.note(format_args!("queue {what} {deduplication_id}"));
        self.ring(now + DELAY);
    }

    fn ring(&self, at: u64) {
        let bell = lock(&self.state).bell.clone();
        if let Some(bell) = bell {
            bell(at);
        }
    }

    /// A batch for the function: of each group the messages at its head, up to ten in all. A group
    /// of which a message is held gives none.
    pub(crate) fn receive(&self) -> Vec<Message> {
        let now = self.world.kernel.now();
        let mut state = lock(&self.state);
        let mut batch = Vec::new();
        let mut blocked = BTreeSet::new();
        let mut dead = Vec::new();
        for message in &mut state.messages {
            let is_visible = message.visible_at <= now;
            if !is_visible || blocked.contains(&message.group) || batch.len() == BATCH {
                blocked.insert(message.group.clone());
                continue;
            }
            if message.received >= MAX_RECEIVE_COUNT {
                dead.push(message.id);
                continue;
            }
            message.received += 1;
            message.visible_at = now + VISIBILITY_TIMEOUT;
            batch.push(message.clone());
        }
        for id in dead {
            let at = state.messages.iter().position(|message| message.id == id);
            let message = state.messages.remove(at.expect("it is there"));
            state.ever_dead += 1;
            state.dead.push(message);
        }
        drop(state);
        if !batch.is_empty() {
            self.ring(now + VISIBILITY_TIMEOUT);
        }
        batch
    }

    /// The messages as the function gets them.
    pub(crate) fn event(batch: &[Message]) -> Vec<SqsMessage> {
        let message = |message: &Message| {
            let mut event = SqsMessage::default();
            event.message_id = Some(message.id.to_string());
            event.receipt_handle = Some(message.id.to_string());
            event.body = Some(message.body.clone());
            let attributes = [
                ("MessageGroupId", message.group.clone()),
                ("ApproximateReceiveCount", message.received.to_string()),
            ];
            for (name, value) in attributes {
                event.attributes.insert(name.to_owned(), value);
            }
            event
        };
        batch.iter().map(message).collect()
    }

    /// Forgets messages that were acknowledged.
    pub(crate) fn delete(&self, acknowledged: &[Message]) {
        let mut state = lock(&self.state);
        state.messages.retain(|held| acknowledged.iter().all(|message| message.id != held.id));
        drop(state);
        self.ring(self.world.kernel.now());
    }

    /// Makes messages come again at a time.
    fn set_visible(&self, ids: &[u64], at: u64) {
        let mut state = lock(&self.state);
        for message in &mut state.messages {
            if ids.contains(&message.id) {
                message.visible_at = at;
            }
        }
        drop(state);
        self.ring(at);
    }

    /// Lets a batch that is being worked on come a second time, soon.
    pub(crate) fn duplicate(&self, batch: &[Message]) {
        let ids: Vec<_> = batch.iter().map(|message| message.id).collect();
        let soon = self.world.kernel.draw(|rng| match rng.below(2) {
            0 => rng.between(0, SECOND / 2),
            _ => rng.between(0, 3 * SECOND),
        });
        self.set_visible(&ids, self.world.kernel.now() + soon);
    }

    /// Whether a message other than `but` says that `organization` reached `version` or more.
    pub(crate) fn will_tell_beside(&self, but: &Message, organization: &str, version: u64) -> bool {
        let state = lock(&self.state);
        let mut all = state.messages.iter().chain(&state.dead);
        all.any(|message| {
            message.id != but.id
                && message::decode(&message.body).is_ok_and(|change| {
                    change.organization.as_str() == organization && change.version >= version
                })
        })
    }

    /// Puts what is dead back, as `headcount billing redrive` does. What is poison stays.
    pub(crate) fn redrive(&self) {
        let dead = std::mem::take(&mut lock(&self.state).dead);
        for message in dead {
            if message::decode(&message.body).is_ok() {
                self.put(&message.group, &format!("redrive:{}", message.id), &message.body);
            }
        }
    }

    /// Loses every message, as an operator does who purges the wrong queue.
    pub(crate) fn lose(&self) {
        let mut state = lock(&self.state);
        state.messages.clear();
        state.is_lossy = true;
    }

    /// Whether messages were lost.
    pub(crate) fn is_lossy(&self) -> bool {
        lock(&self.state).is_lossy
    }

    /// What every message ever said.
    pub(crate) fn every_body(&self) -> Vec<String> {
        lock(&self.state).bodies.clone()
    }

    /// How many messages were ever given up.
    pub(crate) fn ever_dead(&self) -> u64 {
        lock(&self.state).ever_dead
    }

    /// The messages that wait, and those that are dead.
    pub(crate) fn left(&self) -> (Vec<Message>, Vec<Message>) {
        let state = lock(&self.state);
        (state.messages.clone(), state.dead.clone())
    }

    /// Takes the message of a change.
    pub(crate) fn send(&self, change: &BillingChange, deduplication_id: &str) {
        self.put(change.organization.as_str(), deduplication_id, &message::encode(change));
    }

    /// One call of a function to the queue: whether the function hears that it worked.
    pub(crate) async fn call(&self, effect: impl FnOnce() + Send + 'static) -> bool {
        let Some(fault) = self.world.depart(Side::Queue).await else {
            effect();
            self.world.travel(Side::Queue).await;
            return true;
        };
        self.world.note(format_args!("queue {fault:?}"));
        // The client of the queue has its own time limit, which ends silence.
        let fault = match fault {
            Fault::Silent(when) => {
                self.world.kernel.sleep(CALL_LIMIT).await;
                Fault::Broken(when)
            }
            other => other,
        };
        self.world.carry_out(fault, effect).await;
        false
    }
}

impl sync_billing::BillingQueue for Queue {
    async fn delay(&self, messages: &[SqsMessage], delay: Duration) {
        let ids =
            messages.iter().filter_map(|message| message.receipt_handle.as_ref()?.parse().ok());
        let ids: Vec<u64> = ids.collect();
        let queue = self.clone();
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        let at = move || queue.world.kernel.now() + micros;
        let queue = self.clone();
        self.call(move || queue.set_visible(&ids, at())).await;
    }

    async fn send_again(&self, change: &BillingChange, waiting: &SqsMessage) -> bool {
        let id = sync_billing::deduplication_id(change, waiting);
        let (queue, change) = (self.clone(), change.clone());
        self.call(move || queue.send(&change, &id)).await
    }
}

impl reconcile_billing::BillingQueue for Queue {
    async fn send(&self, messages: &[reconcile_billing::Message]) -> usize {
        // Some entries of a call may fail while others are taken.
        let taken: Vec<_> =
            messages.iter().filter(|_| !self.world.is_entry_refused()).cloned().collect();
        let (queue, count) = (self.clone(), taken.len());
        let is_sent = self
            .call(move || {
                for message in taken {
                    queue.send(&message.change, &message.deduplication_id);
                }
            })
            .await;
        if is_sent { count } else { 0 }
    }
}
