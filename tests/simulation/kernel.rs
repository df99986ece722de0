//! One thread and virtual time. Tasks run until they wait; of those that can go on, chance picks
//! the next; when all wait, time jumps to the first that ends its sleep. The run is over when no
//! task is left.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::rng::Rng;

/// Names a task; tasks are numbered as they begin.
pub(crate) type TaskId = u64;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// More steps than any schedule takes: it goes round in circles.
const MAX_STEPS: u64 = 400_000;

/// Locks without minding that a thread may have panicked: the run is over then anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clones are the same kernel.
#[derive(Clone)]
pub(crate) struct Kernel {
    core: Arc<Mutex<Core>>,
    ready: Arc<Mutex<Vec<TaskId>>>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kernel")
    }
}

struct Core {
    /// Microseconds since the beginning.
    now: u64,
    rng: Rng,
    /// Who wants to be woken when; the second number keeps equal times apart.
    timers: BTreeMap<(u64, u64), Waker>,
    last_number: u64,
    current: TaskId,
    begun: Vec<(TaskId, Work)>,
    doomed: Vec<TaskId>,
    names: BTreeMap<TaskId, &'static str>,
}

struct Alarm {
    task: TaskId,
    ready: Arc<Mutex<Vec<TaskId>>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let mut ready = lock(&self.ready);
        if !ready.contains(&self.task) {
            ready.push(self.task);
        }
    }
}

/// Why a task did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Died {
    /// It was killed.
    Killed,
    /// Its time was up.
    TimeUp,
}

/// A schedule that does not come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restless;

impl Kernel {
    pub(crate) fn new(seed: u64) -> Self {
        let core = Core {
            now: 0,
            rng: Rng::new(seed),
            timers: BTreeMap::new(),
            last_number: 0,
            current: 0,
            begun: Vec::new(),
            doomed: Vec::new(),
            names: BTreeMap::new(),
        };
        Self { core: Arc::new(Mutex::new(core)), ready: Arc::default() }
    }

    /// Microseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        lock(&self.core).now
    }

    /// Draws.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut lock(&self.core).rng)
    }

    /// The running task and what it is.
    pub(crate) fn current(&self) -> (TaskId, &'static str) {
        let core = lock(&self.core);
        (core.current, core.names.get(&core.current).copied().unwrap_or("-"))
    }

    /// Waits.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.sleep_micros(micros)
    }

    pub(crate) fn sleep_micros(&self, micros: u64) -> Sleep {
        Sleep { kernel: self.clone(), until: self.now().saturating_add(micros), key: None }
    }

    /// Begins a task that nobody waits for.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> TaskId {
        let mut core = lock(&self.core);
        core.last_number += 1;
        let id = core.last_number;
        core.names.insert(id, name);
        core.begun.push((id, Box::pin(work)));
        id
    }

    /// Does something in a task of its own, which can be killed, for at most `limit`.
    pub(crate) async fn isolated<T: Send + 'static>(
        &self,
        name: &'static str,
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Died> {
        let slot = Arc::new(Mutex::new(Slot { outcome: None, is_settled: false, waiting: None }));
        let report = Report(Arc::clone(&slot));
        let id = self.spawn(name, async move {
            let outcome = work.await;
            report.give(Ok(outcome));
        });
        let mut sleep = self.sleep(limit);
        let waited = std::future::poll_fn(|context| {
            let mut slot = lock(&slot);
            if let Some(outcome) = slot.outcome.take() {
                return Poll::Ready(Some(outcome));
            }
            slot.waiting = Some(context.waker().clone());
            drop(slot);
            Pin::new(&mut sleep).poll(context).map(|()| None)
        });
        match waited.await {
            Some(outcome) => outcome,
            None => {
                self.kill(id);
                Err(Died::TimeUp)
            }
        }
    }

    fn kill(&self, task: TaskId) {
        lock(&self.core).doomed.push(task);
    }

    /// Kills the task that calls this.
    pub(crate) async fn die(&self) {
        let current = self.current().0;
        self.kill(current);
        std::future::pending::<()>().await;
    }

    /// Runs until no task is left.
    pub(crate) fn run(&self) -> Result<(), Restless> {
        let mut tasks: BTreeMap<TaskId, Work> = BTreeMap::new();
        for _ in 0..MAX_STEPS {
            let begun = std::mem::take(&mut lock(&self.core).begun);
            for (id, work) in begun {
                tasks.insert(id, work);
                lock(&self.ready).push(id);
            }
            let doomed = std::mem::take(&mut lock(&self.core).doomed);
            for id in doomed {
                // What is dropped may wake others, so that nothing may be locked here.
                let work = tasks.remove(&id);
                drop(work);
                lock(&self.core).names.remove(&id);
            }
            match self.next_ready() {
                Some(id) => self.step(&mut tasks, id),
                None if self.is_begun() => {}
                None if tasks.is_empty() => return Ok(()),
                None => {
                    if !self.jump() {
                        // Whoever still waits waits for ever.
                        return if tasks.is_empty() { Ok(()) } else { Err(Restless) };
                    }
                }
            }
        }
        Err(Restless)
    }

    fn is_begun(&self) -> bool {
        let core = lock(&self.core);
        !core.begun.is_empty() || !core.doomed.is_empty()
    }

    fn next_ready(&self) -> Option<TaskId> {
        let mut ready = lock(&self.ready);
        if ready.is_empty() {
            return None;
        }
        let count = ready.len() as u64;
        let at = if count == 1 { 0 } else { self.draw(|rng| rng.below(count)) };
        Some(ready.remove(usize::try_from(at).expect("a position")))
    }

    fn step(&self, tasks: &mut BTreeMap<TaskId, Work>, id: TaskId) {
        let Some(work) = tasks.get_mut(&id) else { return };
        lock(&self.core).current = id;
        let alarm = Alarm { task: id, ready: Arc::clone(&self.ready) };
        let waker = Waker::from(Arc::new(alarm));
        let done = work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if done {
            let work = tasks.remove(&id);
            drop(work);
            lock(&self.core).names.remove(&id);
        }
        lock(&self.core).current = 0;
    }

    /// Lets time pass until the next alarm; false when there is none.
    fn jump(&self) -> bool {
        let mut core = lock(&self.core);
        let Some(((at, _), waker)) = core.timers.pop_first() else { return false };
        core.now = core.now.max(at);
        drop(core);
        waker.wake();
        true
    }
}

struct Slot<T> {
    outcome: Option<Result<T, Died>>,
    is_settled: bool,
    waiting: Option<Waker>,
}

/// Reports the outcome of a task, or that it died.
struct Report<T>(Arc<Mutex<Slot<T>>>);

impl<T> Report<T> {
    fn give(&self, outcome: Result<T, Died>) {
        let mut slot = lock(&self.0);
        if slot.is_settled {
            return;
        }
        slot.is_settled = true;
        slot.outcome = Some(outcome);
        let waiting = slot.waiting.take();
        drop(slot);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

impl<T> Drop for Report<T> {
    fn drop(&mut self) {
        self.give(Err(Died::Killed));
    }
}

/// Waits until a time.
pub(crate) struct Sleep {
    kernel: Kernel,
    until: u64,
    key: Option<(u64, u64)>,
}

impl Sleep {
    fn forget(&mut self) {
        if let Some(key) = self.key.take() {
            lock(&self.kernel.core).timers.remove(&key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.forget();
        let kernel = self.kernel.clone();
        let mut core = lock(&kernel.core);
        if core.now >= self.until {
            return Poll::Ready(());
        }
        core.last_number += 1;
        let key = (self.until, core.last_number);
        core.timers.insert(key, context.waker().clone());
        drop(core);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}
