//! What a request costs must not tell what is in the table: a known and an unknown key, a taken
//! and a free address are the same work.
//!
//! Work is counted, not timed: the calls to DynamoDB with their bytes, what is drawn of the random
//! source, and the password hashes, which are more than all the rest. With the feature `measure`,
//! `measured` tells the processor time, for a person to read.

use std::sync::{Arc, Mutex};

use create_account::Hashing;
use headcount_model::identity::{Password, PasswordHash, Salt};
use headcount_model::port::{Clock, Entropy, NoEntropy};
use headcount_tests::{Call, Ports, Stage};
use jiff::Timestamp;
use serde_json::json;

use crate::tenants::{Tenants, sign_up};

/// What one request made the function do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Work {
    status: u64,
    /// Operations of DynamoDB and the bytes of each.
    calls: Vec<(String, usize)>,
    /// Bytes of each draw of the random source.
    draws: Vec<usize>,
    /// How often a password was hashed.
    hashes: usize,
}

/// Counts hashes instead of making them: all but the first are copies of the first.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<(usize, Option<PasswordHash>)>>);

impl Hashing for Counted {
    async fn hash(&self, password: Password, salt: Salt) -> Option<PasswordHash> {
        let mut counted = self.0.lock().expect("not poisoned");
        counted.0 += 1;
        let hash = || password.hash(&salt).expect("memory");
        Some(counted.1.get_or_insert_with(hash).clone())
    }
}

impl Counted {
    fn take(&self) -> usize {
        std::mem::take(&mut self.0.lock().expect("not poisoned").0)
    }
}

/// Ports that note what is drawn of the random source.
#[derive(Clone)]
struct Noted {
    ports: Ports,
    draws: Arc<Mutex<Vec<usize>>>,
}

impl Clock for Noted {
    fn now(&self) -> Timestamp {
        self.ports.now()
    }
}

impl Entropy for Noted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.draws.lock().expect("not poisoned").push(bytes.len());
        self.ports.fill(bytes)
    }
}

fn sign_ups<H: Hashing>(
    stage: &Stage,
    hashing: H,
) -> create_account::Function<headcount_store::Table, Noted, H> {
    let usual = stage.create_account();
    create_account::Function {
        store: usual.store,
        hashing,
        ports: Noted { ports: usual.ports, draws: Arc::default() },
        password_policy: usual.password_policy,
        self_signup: usual.self_signup,
        fingerprint_key: usual.fingerprint_key,
    }
}

/// Credentials that are refused, all of one length: the good id with a wrong secret, or a good
/// secret with an id that is none.
fn key(good: &str, is_known: bool, n: usize) -> String {
    let (id, secret) = (&good[3..29], &good[30..]);
    if is_known { format!("hc_{id}_{n:064x}") } else { format!("hc_01kgjb9z8r{n:016}_{secret}") }
}

/// A sign-up of an address that is taken, or of one that is free and as long.
fn email(is_known: bool, n: usize) -> Call {
    let email =
        if is_known { "taken0@example.com".to_owned() } else { format!("t{n:05}@example.com") };
    sign_up(&json!({ "email": email }))
}

/// The work of a request that hashes nothing.
fn seen(stage: &Stage, status: u64) -> Work {
    Work { status, calls: stage.operations.take_sizes(), draws: Vec::new(), hashes: 0 }
}

#[tokio::test]
async fn a_known_and_an_unknown_key_are_the_same_work() {
    let tenants = Tenants::new().await;
    let (stage, function) = (&tenants.stage, tenants.stage.create_seats());
    // A warm process, which has seen the good key.
    assert_eq!(tenants.seat().send(&function).await.status, 200);
    let mut first = None;
    for n in 0..1_000_usize {
        let call = tenants.seat().bearer(&key(&tenants.key, n.is_multiple_of(2), n));
        stage.operations.take();
        let status = call.send(&function).await.status;
        let work = seen(stage, status);
        assert_eq!((work.status, work.calls.len()), (401, 1), "{n}");
        assert_eq!(*first.get_or_insert_with(|| work.clone()), work, "{n}");
    }
}

#[tokio::test]
async fn an_agency_of_somebody_else_and_one_that_does_not_exist_are_the_same_work() {
    let tenants = Tenants::new().await;
    let (stage, function) = (&tenants.stage, tenants.stage.create_agency_account());
    assert_eq!(tenants.account(&json!({})).send(&function).await.status, 200);
    let mut first = None;
    for n in 0..1_000_usize {
        let lcuid = match n % 2 {
            0 => tenants.other_agency.lcuid.clone(),
            _ => format!("LCUID-LY-60f1bc3d-4172-45ad-be4d-{n:012}"),
        };
        let call = tenants.account(&json!({ "agency_lcuid": lcuid }));
        stage.operations.take();
        let status = call.send(&function).await.status;
        let work = seen(stage, status);
        assert_eq!((work.status, work.calls.len()), (403, 1), "{n}");
        assert_eq!(*first.get_or_insert_with(|| work.clone()), work, "{n}");
    }
}

#[tokio::test]
async fn a_taken_and_a_free_address_are_the_same_work() {
    let stage = Stage::new().await;
    let hashes = Counted::default();
    let function = sign_ups(&stage, hashes.clone());
    assert_eq!(email(true, 0).send(&function).await.status, 201);
    let mut first = None;
    for n in 0..1_000_usize {
        let is_known = n.is_multiple_of(2);
        function.ports.draws.lock().expect("not poisoned").clear();
        stage.operations.take();
        hashes.take();
        let status = email(is_known, n).send(&function).await.status;
        assert_eq!(status, if is_known { 409 } else { 201 });
        let draws = function.ports.draws.lock().expect("not poisoned").clone();
        let work = Work { draws, hashes: hashes.take(), ..seen(&stage, 0) };
        assert_eq!(work.hashes, 1, "{n}");
        assert_eq!(*first.get_or_insert_with(|| work.clone()), work, "{n}");
    }
}

#[cfg(feature = "measure")]
mod measured {
    use super::*;

    /// The processor time that this thread has used, in nanoseconds (Linux).
    fn cpu_time() -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        let time = stat.split_whitespace().next().expect("a time");
        time.parse().expect("nanoseconds")
    }

    /// Median, 5th and 95th percentile in microseconds.
    fn quantiles(mut nanos: Vec<u64>) -> [u64; 3] {
        nanos.sort_unstable();
        [50, 5, 95].map(|percent| nanos[nanos.len() * percent / 100] / 1_000)
    }

    /// Hashes in the thread whose time is measured, not in one of its own.
    struct InThisThread;

    impl Hashing for InThisThread {
        async fn hash(&self, password: Password, salt: Salt) -> Option<PasswordHash> {
            password.hash(&salt).ok()
        }
    }

    /// Prints what a thousand tries of each kind cost; see docs/reliability/hostile-input.md.
    #[tokio::test]
    async fn cpu_time_of_a_thousand_tries() {
        let tenants = Tenants::new().await;
        let seats = tenants.stage.create_seats();
        let sign_ups = sign_ups(&tenants.stage, InThisThread);
        assert_eq!(email(true, 0).send(&sign_ups).await.status, 201);
        let (mut keys, mut emails) = ([vec![], vec![]], [vec![], vec![]]);
        for n in 0..1_000_usize {
            let is_known = n.is_multiple_of(2);
            let call = tenants.seat().bearer(&key(&tenants.key, is_known, n));
            let before = cpu_time();
            call.send(&seats).await;
            keys[usize::from(is_known)].push(cpu_time() - before);
            let before = cpu_time();
            email(is_known, n).send(&sign_ups).await;
            emails[usize::from(is_known)].push(cpu_time() - before);
        }
        for (what, [unknown, known]) in [("key", keys), ("address", emails)] {
            let (known, unknown) = (quantiles(known), quantiles(unknown));
            eprintln!("{what}: known {known:?}, unknown {unknown:?} (median, 5 %, 95 % in µs)");
        }
    }
}
