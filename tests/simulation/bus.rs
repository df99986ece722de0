//! What publish-changes delivers to: the billing queue, the bus, and the queue for what cannot be
//! read. And the stream that it reads from.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use publish_changes::{Batch, Event, Outbox, Parcel, handle};
use serde_json::Value;

use crate::kernel::lock;
use crate::queue::Queue;
use crate::world::World;

/// How long Lambda lets publish-changes run.
const LIMIT: Duration = Duration::from_secs(30);

/// Clones are the same bus.
#[derive(Clone)]
pub(crate) struct Bus {
    world: World,
    queue: Queue,
    events: Arc<Mutex<Vec<Event>>>,
    aside: Arc<Mutex<u64>>,
}

impl Bus {
    pub(crate) fn new(world: &World, queue: &Queue) -> Self {
        Self {
            world: world.clone(),
            queue: queue.clone(),
            events: Arc::default(),
            aside: Arc::default(),
        }
    }

    /// Looks at everything that was put on the bus.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Event]) -> T) -> T {
        look(&lock(&self.events))
    }

    /// How many records could not be read.
    pub(crate) fn set_aside(&self) -> u64 {
        *lock(&self.aside)
    }

    fn take(&self, parcel: Parcel) {
        match parcel {
            Parcel::Billing(change) => {
                let id = format!("{}:{}", change.organization, change.version);
                self.queue.send(&change, &id);
            }
            Parcel::Event(event) => lock(&self.events).push(event),
            Parcel::SetAside(_) => *lock(&self.aside) += 1,
        }
    }

    /// One call of SQS or EventBridge; the positions of what it did not take, as far as we hear.
    async fn call(&self, parcels: Vec<(usize, Parcel)>) -> Vec<usize> {
        // Some entries of a call may fail while others are taken.
        let refused: Vec<bool> = parcels.iter().map(|_| self.world.is_entry_refused()).collect();
        let positions: Vec<usize> = parcels.iter().map(|(position, _)| *position).collect();
        let bus = self.clone();
        let entries: Vec<_> = parcels.into_iter().zip(refused.clone()).collect();
        let is_heard = self
            .queue
            .call(move || {
                for ((_, parcel), refused) in entries {
                    if !refused {
                        bus.take(parcel);
                    }
                }
            })
            .await;
        let failed = positions.into_iter().zip(refused);
        failed.filter(|(_, refused)| *refused || !is_heard).map(|(position, _)| position).collect()
    }
}

impl Outbox for Bus {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        let all = || parcels.iter().cloned().enumerate();
        let (billing, others): (Vec<_>, Vec<_>) =
            all().partition(|(_, parcel)| matches!(parcel, Parcel::Billing(_)));
        let mut failed = Vec::new();
        for mut entries in [billing, others] {
            while !entries.is_empty() {
                let rest = entries.split_off(entries.len().min(10));
                failed.extend(self.call(entries).await);
                entries = rest;
            }
        }
        failed
    }
}

/// The stream of the table, in shards. Records of one partition key are in one shard, in order.
#[derive(Clone)]
pub(crate) struct Stream {
    world: World,
    bus: Bus,
    shards: Arc<Vec<Mutex<Shard>>>,
}

#[derive(Default)]
struct Shard {
    records: Vec<Value>,
    position: usize,
    is_read: bool,
}

impl Stream {
    pub(crate) fn new(world: &World, bus: &Bus) -> Self {
        let count = world.kernel.draw(|rng| rng.between(1, 3));
        let shards = (0..count).map(|_| Mutex::default()).collect();
        Self { world: world.clone(), bus: bus.clone(), shards: Arc::new(shards) }
    }

    /// Takes what was committed.
    pub(crate) fn append(&self, records: Vec<Value>) {
        for record in records.into_iter().filter(is_wanted) {
            let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str().expect("a key");
            let sum: usize = pk.bytes().map(usize::from).sum();
            let at = sum % self.shards.len();
            let mut shard = lock(&self.shards[at]);
            shard.records.push(record);
            let is_idle = !std::mem::replace(&mut shard.is_read, true);
            drop(shard);
            if is_idle {
                let stream = self.clone();
                self.world.kernel.spawn("stream", async move { stream.read(at).await });
            }
        }
    }

    /// Reads a shard to its end, as Lambda does: a batch that failed comes again, from the record
    /// that failed when the function names it.
    async fn read(self, at: usize) {
        let mut most = usize::MAX;
        loop {
            let wait = self.world.kernel.draw(|rng| match rng.below(20) {
                0 => rng.between(500_000, 4_000_000),
                _ => rng.between(2_000, 150_000),
            });
            self.world.kernel.sleep_micros(wait).await;
            let batch = {
                let mut shard = lock(&self.shards[at]);
                let waiting = shard.records.len() - shard.position;
                if waiting == 0 {
                    shard.is_read = false;
                    return;
                }
                let size = self.world.kernel.draw(|rng| match rng.below(4) {
                    0 => rng.between(1, 3),
                    _ => 100,
                });
                let size = usize::try_from(size).expect("small").min(most).min(waiting);
                shard.records[shard.position..shard.position + size].to_vec()
            };
            let size = batch.len();
            let numbers: Vec<_> = batch.iter().map(number).collect();
            match self.publish(batch).await {
                Some(failed) => {
                    let done = match &failed {
                        Some(failed) => numbers.iter().position(|number| number == failed),
                        None => Some(size),
                    };
                    most = usize::MAX;
                    // What was done may come again all the same.
                    if !self.world.is_duplicated() {
                        lock(&self.shards[at]).position += done.unwrap_or(0);
                    }
                }
                None => most = (size / 2).max(1),
            }
        }
    }

    /// The number of the record that failed, if one did; `None` when the whole batch did.
    async fn publish(&self, records: Vec<Value>) -> Option<Option<String>> {
        let (bus, world) = (self.bus.clone(), self.world.clone());
        let count = records.len();
        let work = async move {
            let response = handle(&bus, Batch { records }).await;
            response.map_err(|error| error.to_string())
        };
        let outcome = self.world.kernel.isolated("publish-changes", LIMIT, work).await;
        let response = outcome.ok()?.ok()?;
        let failed = response.batch_item_failures.first();
        let failed = failed.map(|failed| failed.item_identifier.clone());
        world.note(format_args!("published {count}, failed at {failed:?}"));
        Some(failed)
    }
}

fn number(record: &Value) -> String {
    record["dynamodb"]["SequenceNumber"].as_str().expect("a number").to_owned()
}

/// The filter of template.yaml.
fn is_wanted(record: &Value) -> bool {
    let sk = record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap_or_default();
    let prefixes = ["SEAT#", "ACCOUNT#", "APIKEY#"];
    matches!(sk, "BILLING" | "ACCOUNT") || prefixes.iter().any(|prefix| sk.starts_with(prefix))
}
