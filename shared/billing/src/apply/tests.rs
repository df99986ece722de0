use std::cell::{Cell, RefCell};
use std::future::{Future, ready};

use headcount_model::billing::{ProrationBehavior, SeatCounts};
use headcount_model::fewer::{Fewer, FewerSeats};
use headcount_model::history::{Change, SeatChange};
use headcount_model::id::OrganizationId;
use headcount_model::port::NoEntropy;
use jiff::Timestamp;

use super::*;
use crate::subscription::Item;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// Counts up, so that fresh keys differ.
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        Ok(())
    }
}

fn organization() -> OrganizationId {
    OrganizationId::parse("org_01kafzqzxqxqxqxqxqxqxqxqxq").expect("an id")
}

fn record(version: u64, applied_version: u64, basic: u64, premium: u64) -> BillingRecord {
    BillingRecord {
        organization: organization(),
        subscription: Some("sub_1".to_owned()),
        seats: SeatCounts { basic, premium },
        version,
        applied_version,
        told: None,
        proration: ProrationBehavior::default(),
        fewer: Fewer::default(),
        items: RememberedItems::default(),
        paced_until: None,
        attempt: None,
        last_error: None,
    }
}

/// What another writer does to a record.
type Interference = Box<dyn FnOnce(&mut BillingRecord)>;

/// A ledger in memory. `interference` runs once, just before a version is recorded: another
/// writer comes between.
#[derive(Default)]
struct Ledger {
    record: RefCell<Option<BillingRecord>>,
    interference: RefCell<Option<Interference>>,
    /// What the history was given.
    told: RefCell<Vec<Told>>,
    changes: RefCell<Vec<Change>>,
}

impl Ledger {
    fn with(record: BillingRecord) -> Self {
        Self { record: RefCell::new(Some(record)), ..Self::default() }
    }

    fn record(&self) -> BillingRecord {
        self.record.borrow().clone().expect("a record")
    }

    /// Another writer changes the record.
    fn change(&self, change: impl FnOnce(&mut BillingRecord)) {
        change(self.record.borrow_mut().as_mut().expect("a record"));
    }

    /// Does `change` if the attempt of this key is the one on record, which it no longer is then.
    fn end(&self, key: &str, change: impl FnOnce(&mut BillingRecord)) -> Recorded {
        let mut record = self.record.borrow_mut();
        let record = record.as_mut().expect("a record");
        if record.attempt.as_ref().is_none_or(|attempt| attempt.key != key) {
            return Recorded::Overtaken;
        }
        record.attempt = None;
        change(record);
        Recorded::Yes
    }
}

// The futures below are ready at once and never leave the thread that polls them.
impl BillingLedger for Ledger {
    fn billing(
        &self,
        _: &OrganizationId,
    ) -> impl Future<Output = Result<Option<BillingRecord>, LedgerUnavailable>> + Send {
        ready(Ok(self.record.borrow().clone()))
    }

    fn begin(
        &self,
        read: &BillingRecord,
        attempt: &Attempt,
        paced_until: Timestamp,
        _: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send {
        let began = |record: &BillingRecord| {
            (record.applied_version, record.paced_until, record.attempt.clone())
        };
        let is_as_read = began(&self.record()) == began(read);
        if is_as_read {
            self.change(|record| {
                record.attempt = Some(attempt.clone());
                record.paced_until = Some(paced_until);
            });
        }
        ready(Ok(if is_as_read { Recorded::Yes } else { Recorded::Overtaken }))
    }

    fn keep_changes(
        &self,
        _: &OrganizationId,
        changes: &[Change],
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send {
        self.changes.borrow_mut().extend_from_slice(changes);
        ready(Ok(()))
    }

    fn keep_told(
        &self,
        _: &OrganizationId,
        told: &Told,
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send {
        self.told.borrow_mut().push(told.clone());
        ready(Ok(()))
    }

    fn record_applied(
        &self,
        _: &OrganizationId,
        update: &TakenUpdate,
        _: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send {
        if let Some(interfere) = self.interference.borrow_mut().take() {
            self.change(interfere);
        }
        ready(Ok(self.end(&update.key, |record| {
            record.applied_version = update.version;
            record.told = Some(update.seats);
            record.items = update.items.clone();
            record.last_error = None;
        })))
    }

    fn record_failure(
        &self,
        _: &OrganizationId,
        attempt: Option<&str>,
        error: &BillingError,
        _: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send {
        let note = |record: &mut BillingRecord| record.last_error = Some(error.clone());
        match attempt {
            Some(key) => {
                self.end(key, note);
            }
            None if self.record.borrow().is_some() => self.change(note),
            None => {}
        }
        ready(Ok(()))
    }
}

/// A subscription in memory that answers updates as scripted, then normally.
#[derive(Default)]
struct Remote {
    items: RefCell<Vec<Item>>,
    script: RefCell<Vec<(bool, StripeFailure)>>,
    keys: RefCell<Vec<String>>,
    /// The keys under which something was carried out.
    carried_out: RefCell<Vec<String>>,
    prorations: RefCell<Vec<ProrationBehavior>>,
    /// What a change of one tier is worth.
    worth: Cell<i64>,
    fetches: Cell<u32>,
}

impl Remote {
    fn with(items: &[(&str, u64)]) -> Self {
        let items = items
            .iter()
            .map(|(price, quantity)| Item {
                id: format!("si_{price}"),
                price: (*price).to_owned(),
                quantity: *quantity,
                unit_amount: None,
            })
            .collect();
        Self { items: RefCell::new(items), worth: Cell::new(1), ..Self::default() }
    }

    /// The next update takes effect or not, and answers with a failure.
    fn then(self, takes_effect: bool, failure: StripeFailure) -> Self {
        self.script.borrow_mut().push((takes_effect, failure));
        self
    }

    fn quantities(&self) -> Vec<(String, u64)> {
        let items = self.items.borrow();
        items.iter().map(|item| (item.price.clone(), item.quantity)).collect()
    }

    fn subscription(&self) -> Subscription {
        Subscription {
            id: "sub_1".to_owned(),
            status: "active".to_owned(),
            collection_paused: false,
            cancel_at_period_end: false,
            period: None,
            organization: None,
            unfit: Vec::new(),
            customer: "cus_1".to_owned(),
            items: self.items.borrow().clone(),
        }
    }

    /// A call arrives, be it that somebody waits for it or not. Under one key it is carried out once.
    fn arrive(&self, targets: &[ItemTarget], key: &str) {
        if self.carried_out.borrow().iter().any(|known| known == key) {
            return;
        }
        self.carried_out.borrow_mut().push(key.to_owned());
        let mut items = self.items.borrow_mut();
        for target in targets {
            match items.iter_mut().find(|item| Some(&item.id) == target.id.as_ref()) {
                Some(item) => {
                    (item.price, item.quantity) = (target.price.clone(), target.quantity);
                }
                None => items.push(Item {
                    id: format!("si_{}", target.price),
                    price: target.price.clone(),
                    quantity: target.quantity,
                    unit_amount: None,
                }),
            }
        }
    }
}

impl Subscriptions for Remote {
    fn fetch(&self, _: &str) -> impl Future<Output = Result<Subscription, StripeFailure>> + Send {
        self.fetches.set(self.fetches.get() + 1);
        ready(Ok(self.subscription()))
    }

    fn set_quantities(
        &self,
        _: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> impl Future<Output = Result<Updated, StripeFailure>> + Send {
        self.keys.borrow_mut().push(key.to_owned());
        self.prorations.borrow_mut().push(proration);
        let mut script = self.script.borrow_mut();
        let scripted = (!script.is_empty()).then(|| script.remove(0));
        if scripted.as_ref().is_none_or(|(takes_effect, _)| *takes_effect) {
            self.arrive(targets, key);
        }
        ready(match scripted {
            Some((_, failure)) => Err(failure),
            None => Ok(Updated {
                subscription: self.subscription(),
                request_id: Some(format!("req_{}", self.keys.borrow().len())),
            }),
        })
    }
}

impl Worth for Remote {
    fn worth(
        &self,
        _: &Subscription,
        _: &[ItemTarget],
        _: &dyn Entropy,
    ) -> impl Future<Output = Result<i64, StripeFailure>> + Send {
        ready(Ok(self.worth.get()))
    }
}

fn prices() -> Prices {
    Prices { basic: Some("basic".to_owned()), premium: Some("premium".to_owned()) }
}

fn run_with(
    ledger: &Ledger,
    remote: &Remote,
    prices: &Prices,
    version: u64,
) -> Result<Applied, Failure> {
    let change = BillingChange { organization: organization(), version, changes: Vec::new() };
    run_message(ledger, remote, prices, &change)
}

fn run_message(
    ledger: &Ledger,
    remote: &Remote,
    prices: &Prices,
    change: &BillingChange,
) -> Result<Applied, Failure> {
    let entropy = Counting(std::sync::atomic::AtomicU8::new(0));
    let future = apply(ledger, remote, prices, change, &Fixed, &entropy);
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(result) => result,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

fn run(ledger: &Ledger, remote: &Remote, version: u64) -> Result<Applied, Failure> {
    run_with(ledger, remote, &prices(), version)
}

fn quantities(basic: u64, premium: u64) -> Vec<(String, u64)> {
    vec![("basic".to_owned(), basic), ("premium".to_owned(), premium)]
}

#[test]
fn both_quantities_are_set_in_one_call_keyed_by_the_version() {
    let ledger = Ledger::with(record(3, 1, 5, 2));
    let remote = Remote::with(&[("basic", 1), ("premium", 0)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(3)));
    assert_eq!(remote.quantities(), quantities(5, 2));
    assert_eq!(*remote.keys.borrow(), [format!("{}:3", organization())]);
    assert_eq!(ledger.record().applied_version, 3);
}

#[test]
fn a_stale_message_is_acknowledged_without_a_call() {
    let ledger = Ledger::with(record(3, 3, 5, 2));
    let remote = Remote::with(&[("basic", 5), ("premium", 2)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Before(3)));
    assert!(remote.keys.borrow().is_empty());
}

#[test]
fn a_tier_without_an_item_gets_one_and_an_empty_tier_keeps_its_item() {
    let ledger = Ledger::with(record(1, 0, 0, 4));
    let remote = Remote::with(&[("basic", 7)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.quantities(), quantities(0, 4));
}

#[test]
fn an_empty_tier_without_an_item_gets_none() {
    let ledger = Ledger::with(record(1, 0, 2, 0));
    let remote = Remote::default();
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 2)]);
}

#[test]
fn a_price_that_is_not_configured_is_an_error_on_record() {
    let ledger = Ledger::with(record(1, 0, 2, 1));
    let remote = Remote::with(&[("basic", 0)]);
    let prices = Prices { premium: None, ..prices() };
    let result = run_with(&ledger, &remote, &prices, 1);
    assert!(matches!(result, Err(Failure::Permanent(_))), "{result:?}");
    let code = ledger.record().last_error.map(|error| error.code);
    assert_eq!(code.as_deref(), Some("price_not_configured"));
    assert!(remote.keys.borrow().is_empty());
}

#[test]
fn an_overtaken_writer_leaves_stripe_to_who_came_after() {
    let ledger = Ledger::with(record(1, 0, 1, 0));
    // Another asked again for what was asked for, and then for version 2.
    *ledger.interference.borrow_mut() = Some(Box::new(|record| {
        (record.version, record.applied_version) = (2, 2);
        record.attempt = None;
        record.seats.basic = 9;
    }));
    let remote = Remote::with(&[("basic", 0)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Before(2)));
    assert_eq!(remote.keys.borrow().len(), 1);
}

#[test]
fn what_was_asked_for_without_an_answer_is_asked_for_first() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let cut = || StripeFailure::Transient("cut off".to_owned());
    let remote = Remote::with(&[("basic", 0)]).then(false, cut());
    assert!(matches!(run(&ledger, &remote, 1), Err(Failure::TryLater(_))));
    let late = ledger.record().attempt.expect("it is written down");
    ledger.change(|record| (record.version, record.seats.basic) = (2, 5));

    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    let (first, second) = (format!("{}:1", organization()), format!("{}:2", organization()));
    assert_eq!(*remote.keys.borrow(), [first.clone(), first, second]);
    remote.arrive(&late.targets, &late.key);
    assert_eq!(remote.quantities(), [("basic".to_owned(), 5)], "what is late changes nothing");
    assert_eq!(ledger.record().attempt, None);
}

#[test]
fn an_overtaken_writer_that_fails_is_not_acknowledged() {
    // Version 2 was asked for and recorded by nobody; version 1 is the one that is delivered.
    let ledger = Ledger::with(record(2, 0, 2, 0));
    let remote = Remote::with(&[("basic", 0)])
        .then(true, StripeFailure::Transient("cut off".to_owned()))
        .then(false, StripeFailure::Transient("down".to_owned()));
    for _ in 0..2 {
        assert!(matches!(run(&ledger, &remote, 1), Err(Failure::TryLater(_))));
    }
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(2)));
    assert_eq!(ledger.record().applied_version, 2);
}

#[test]
fn what_is_too_old_to_arrive_is_not_asked_for_again() {
    let ledger = Ledger::with(record(2, 0, 2, 0));
    let at = |hours| Timestamp::UNIX_EPOCH.checked_sub(SignedDuration::from_hours(hours));
    let attempt = |hours| Attempt {
        key: "old".to_owned(),
        version: 1,
        part_of: None,
        targets: vec![ItemTarget { id: None, price: "basic".to_owned(), quantity: 1 }],
        proration: ProrationBehavior::default(),
        at: at(hours).expect("a time"),
    };
    ledger.change(|record| record.attempt = Some(attempt(23)));
    let remote = Remote::default();
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    assert_eq!(remote.keys.borrow().len(), 1);
    assert_ne!(remote.keys.borrow()[0], "old");

    ledger.change(|record| {
        (record.version, record.attempt) = (3, Some(attempt(22)));
    });
    assert_eq!(run(&ledger, &remote, 3), Ok(Applied::Now(3)));
    assert_eq!(remote.keys.borrow()[1..], ["old".to_owned(), format!("{}:3", organization())]);
}

#[test]
fn a_call_without_an_answer_counts_towards_the_pace() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let mut remote = Remote::with(&[("basic", 0)]);
    for _ in 0..6 {
        remote = remote.then(false, StripeFailure::Transient("cut off".to_owned()));
    }
    for _ in 0..6 {
        assert!(matches!(run(&ledger, &remote, 1), Err(Failure::TryLater(_))));
    }
    let wait = SignedDuration::from_secs(20);
    assert_eq!(run(&ledger, &remote, 1), Err(Failure::TooSoon(wait)));
    assert_eq!(remote.keys.borrow().len(), 6);
}

#[test]
fn a_stored_failure_that_took_effect_is_found_out_by_reading() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let remote = Remote::with(&[("basic", 0)]).then(true, StripeFailure::Stored("500".to_owned()));
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.keys.borrow().len(), 1);
}

#[test]
fn a_stored_failure_without_effect_is_repeated_under_another_key() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let remote = Remote::with(&[("basic", 0)]).then(false, StripeFailure::Stored("500".to_owned()));
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 3)]);
    let keys = remote.keys.borrow();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn a_transient_failure_leaves_the_record_behind_and_the_key_for_next_time() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let remote =
        Remote::with(&[("basic", 0)]).then(true, StripeFailure::Transient("429".to_owned()));
    assert!(matches!(run(&ledger, &remote, 1), Err(Failure::TryLater(_))));
    assert_eq!(ledger.record().applied_version, 0);
    assert_eq!(ledger.record().last_error, None);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    let keys = remote.keys.borrow();
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn a_permanent_failure_is_recorded_and_a_later_success_clears_it() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let gone = BillingError {
        code: "subscription_missing".to_owned(),
        message: "No such subscription".to_owned(),
        request_id: None,
    };
    let remote = Remote::with(&[("basic", 0)]).then(false, StripeFailure::Permanent(gone.clone()));
    assert_eq!(run(&ledger, &remote, 1), Err(Failure::Permanent(gone.clone())));
    assert_eq!(ledger.record().last_error, Some(gone));
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(ledger.record().last_error, None);
    let keys = remote.keys.borrow();
    assert_ne!(keys[0], keys[1], "Stripe may replay the failure under its key");
}

#[test]
fn an_organization_without_subscription_or_record_is_a_permanent_failure() {
    let ledger = Ledger::with(BillingRecord { subscription: None, ..record(1, 0, 3, 0) });
    assert!(matches!(run(&ledger, &Remote::default(), 1), Err(Failure::Permanent(_))));
    let nobody = Ledger::default();
    assert!(matches!(run(&nobody, &Remote::default(), 1), Err(Failure::Permanent(_))));
}

#[test]
fn remembered_items_make_it_one_call() {
    let ledger = Ledger::with(record(1, 0, 2, 1));
    let remote = Remote::with(&[("basic", 0), ("premium", 0)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.fetches.get(), 1, "the first time it looks");
    let change = |record: &mut BillingRecord| {
        record.version = 2;
        record.seats.basic = 5;
    };
    change(ledger.record.borrow_mut().as_mut().expect("a record"));
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    assert_eq!(remote.fetches.get(), 1, "and then knows");
    assert_eq!(remote.quantities(), quantities(5, 1));
}

#[test]
fn a_remembered_item_that_is_gone_is_replaced_under_another_key() {
    let ledger = Ledger::with(BillingRecord {
        items: RememberedItems { basic: Some("si_gone".to_owned()), premium: None },
        ..record(1, 0, 2, 0)
    });
    let gone = BillingError {
        code: "item_missing".to_owned(),
        message: "No such subscription item".to_owned(),
        request_id: None,
    };
    let remote = Remote::default().then(false, StripeFailure::Permanent(gone));
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 2)]);
    assert_eq!(ledger.record().last_error, None);
    let keys = remote.keys.borrow();
    assert_ne!(keys[0], keys[1]);
}

/// The seconds at which updates go that never stop coming.
fn taken(behavior: ProrationBehavior, seconds: i64, step: usize) -> Vec<i64> {
    let at = |second| Timestamp::from_second(second).expect("in range");
    let mut paced_until = None;
    let mut taken = Vec::new();
    for second in (0..=seconds).step_by(step) {
        if let Ok(next) = Pace::of(behavior).one_more(paced_until, at(second)) {
            paced_until = Some(next);
            taken.push(second);
        }
    }
    taken
}

#[test]
fn six_updates_at_once_then_one_every_twenty_seconds() {
    for behavior in [ProrationBehavior::CreateProrations, ProrationBehavior::None] {
        let taken = taken(behavior, 3_600, 1);
        assert_eq!(taken[..8], [0, 1, 2, 3, 4, 5, 20, 40]);
        assert!(taken.len() <= 200, "Stripe takes 200 an hour, not {}", taken.len());
    }
}

#[test]
fn updates_that_are_invoiced_at_once_stay_under_twenty_a_day() {
    let taken = taken(ProrationBehavior::AlwaysInvoice, 3 * 86_400, 60);
    assert_eq!(taken[..7], [0, 60, 120, 180, 240, 6_000, 12_000]);
    for (n, &first) in taken.iter().enumerate() {
        let in_a_day = taken[n..].iter().take_while(|&&second| second < first + 86_400).count();
        assert!(in_a_day <= 20, "{in_a_day} invoices in the day that begins at {first}");
    }
}

#[test]
fn too_soon_calls_nobody_and_changes_nothing() {
    let far = Timestamp::from_second(101).expect("in range");
    let before = BillingRecord { paced_until: Some(far), ..record(4, 3, 2, 0) };
    let ledger = Ledger::with(before.clone());
    let remote = Remote::with(&[("basic", 1)]);
    let wait = SignedDuration::from_secs(1);
    assert_eq!(run(&ledger, &remote, 4), Err(Failure::TooSoon(wait)));
    assert!(remote.keys.borrow().is_empty());
    assert_eq!(ledger.record(), before);
}

#[test]
fn a_clock_set_back_does_not_stop_billing() {
    let next_year = Timestamp::from_second(31_536_000).expect("in range");
    let ledger = Ledger::with(BillingRecord { paced_until: Some(next_year), ..record(4, 3, 2, 0) });
    let remote = Remote::with(&[("basic", 1)]);
    assert_eq!(run(&ledger, &remote, 4), Ok(Applied::Now(4)));
}

#[test]
fn what_was_sent_at_a_slower_pace_is_not_waited_for_at_a_faster() {
    let at = |second| Timestamp::from_second(second).expect("in range");
    let pace = Pace::of(ProrationBehavior::default());
    assert_eq!(pace.one_more(Some(at(100)), at(0)), Ok(at(120)));
    assert_eq!(pace.one_more(Some(at(120)), at(0)), Err(SignedDuration::from_secs(20)));
    assert_eq!(pace.one_more(Some(at(121)), at(0)), Ok(at(20)));
}

#[test]
fn what_is_asked_for_again_does_not_make_the_invoices_of_the_day_forgotten() {
    let far = Timestamp::from_second(4 * 6_000).ok();
    let mut invoiced = record(2, 1, 3, 0);
    invoiced.proration = ProrationBehavior::AlwaysInvoice;
    invoiced.paced_until = far;
    invoiced.attempt = Some(Attempt {
        key: "unprorated".to_owned(),
        version: 1,
        part_of: None,
        targets: vec![ItemTarget { id: None, price: "basic".to_owned(), quantity: 2 }],
        proration: ProrationBehavior::None,
        at: Timestamp::UNIX_EPOCH,
    });
    let ledger = Ledger::with(invoiced);
    let remote = Remote::default();
    let wait = SignedDuration::from_mins(100);
    assert_eq!(run(&ledger, &remote, 2), Err(Failure::TooSoon(wait)), "the fifth was the last");
    assert_eq!(*remote.keys.borrow(), ["unprorated"]);
}

#[test]
fn an_item_at_its_tiers_old_price_moves_to_the_new_one() {
    let mut before = record(1, 0, 3, 1);
    before.items.basic = Some("si_old".to_owned());
    let ledger = Ledger::with(before);
    let remote = Remote::with(&[("old", 2)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    let quantities = [("basic".to_owned(), 3), ("premium".to_owned(), 1)];
    assert_eq!(remote.quantities(), quantities);
    assert_eq!(ledger.record().items.basic.as_deref(), Some("si_old"));
}

#[test]
fn an_item_that_bills_another_tier_now_is_left_to_it() {
    let mut before = record(1, 0, 3, 1);
    before.items.basic = Some("si_premium".to_owned());
    let ledger = Ledger::with(before);
    let remote = Remote::with(&[("premium", 1)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    let quantities = [("premium".to_owned(), 1), ("basic".to_owned(), 3)];
    assert_eq!(remote.quantities(), quantities);
}

/// A record whose newest version may have left fewer seats.
fn with_fewer(version: u64, applied_version: u64, basic: u64, premium: u64) -> BillingRecord {
    let fewer = Fewer { version, at: Some(Timestamp::UNIX_EPOCH), ..Fewer::default() };
    BillingRecord { fewer, ..record(version, applied_version, basic, premium) }
}

const CREATE: ProrationBehavior = ProrationBehavior::CreateProrations;
const UNPRORATED: ProrationBehavior = ProrationBehavior::None;

#[test]
fn fewer_seats_are_told_without_proration() {
    let ledger = Ledger::with(with_fewer(2, 1, 3, 1));
    let remote = Remote::with(&[("basic", 5), ("premium", 1)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    assert_eq!(remote.quantities(), quantities(3, 1));
    assert_eq!(*remote.prorations.borrow(), [UNPRORATED]);
    assert_eq!(*remote.keys.borrow(), [format!("{}:2", organization())]);
}

#[test]
fn fewer_seats_are_prorated_like_more_where_the_organization_is_credited() {
    let mut record = with_fewer(2, 1, 3, 4);
    record.fewer.setting = FewerSeats::Credit;
    let ledger = Ledger::with(record);
    let remote = Remote::with(&[("basic", 5), ("premium", 1)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    assert_eq!(remote.quantities(), quantities(3, 4));
    assert_eq!(*remote.prorations.borrow(), [CREATE]);
}

#[test]
fn one_tier_down_and_the_other_up_are_two_updates_with_the_lower_one_first() {
    let ledger = Ledger::with(with_fewer(3, 1, 3, 4));
    let remote = Remote::with(&[("basic", 5), ("premium", 1)]);
    assert_eq!(run(&ledger, &remote, 3), Ok(Applied::Now(3)));
    assert_eq!(remote.quantities(), quantities(3, 4));
    assert_eq!(*remote.prorations.borrow(), [UNPRORATED, CREATE]);
    let organization = organization();
    let keys = [format!("{organization}:3:unprorated"), format!("{organization}:3")];
    assert_eq!(*remote.keys.borrow(), keys);
    let paced_until = ledger.record().paced_until.expect("paced");
    assert_eq!(paced_until.as_second(), 40, "both count");
}

#[test]
fn what_was_interrupted_between_the_two_updates_goes_on_with_the_second() {
    let ledger = Ledger::with(with_fewer(3, 1, 3, 4));
    let remote = Remote::with(&[("basic", 5), ("premium", 1)]);
    remote.script.borrow_mut().push((true, StripeFailure::Transient("cut off".to_owned())));
    assert!(matches!(run(&ledger, &remote, 3), Err(Failure::TryLater(_))));
    assert_eq!(remote.quantities(), quantities(3, 1));
    assert_eq!(run(&ledger, &remote, 3), Ok(Applied::Now(3)));
    // The first is asked for again under its key, and does nothing.
    assert_eq!(*remote.prorations.borrow(), [UNPRORATED, UNPRORATED, CREATE]);
    assert_eq!(remote.carried_out.borrow().len(), 2);
    assert_eq!(remote.quantities(), quantities(3, 4));
}

#[test]
fn what_was_applied_and_not_recorded_is_not_prorated_again() {
    let ledger = Ledger::with(with_fewer(2, 1, 3, 1));
    let remote = Remote::with(&[("basic", 3), ("premium", 1)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    // Nothing is left to change, and nothing is prorated.
    assert_eq!(*remote.prorations.borrow(), [UNPRORATED]);
    assert_eq!(ledger.record().applied_version, 2);
}

#[test]
fn seats_that_were_paid_for_and_given_back_are_not_credited_when_they_come_again() {
    for (worth, proration) in [(-4_000, UNPRORATED), (0, UNPRORATED), (4_000, CREATE)] {
        let mut record = with_fewer(2, 2, 4, 1);
        record.version = 3;
        let ledger = Ledger::with(record);
        let remote = Remote::with(&[("basic", 3), ("premium", 1)]);
        remote.worth.set(worth);
        assert_eq!(run(&ledger, &remote, 3), Ok(Applied::Now(3)));
        assert_eq!(*remote.prorations.borrow(), [proration], "{worth}");
        assert_eq!(remote.quantities(), quantities(4, 1));
    }
}

// ------------------------------------------------------------------------ History

fn counts(basic: u64, premium: u64) -> SeatCounts {
    SeatCounts { basic, premium }
}

#[test]
fn the_history_has_what_stripe_was_told_and_what_it_answered() {
    let ledger = Ledger::with(record(3, 1, 5, 2));
    let remote = Remote::with(&[("basic", 1), ("premium", 0)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(3)));
    let key = format!("{}:3", organization());
    let item = |price: &str| Some(format!("si_{price}"));
    let told = Told {
        version: 3,
        since: 1,
        outcome: Outcome::Told,
        before: None,
        after: counts(5, 2),
        proration: ProrationBehavior::CreateProrations,
        subscription: "sub_1".to_owned(),
        items: RememberedItems { basic: item("basic"), premium: item("premium") },
        key,
        request_id: Some("req_1".to_owned()),
        begun_at: Timestamp::UNIX_EPOCH,
        answered_at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(ledger.told.take(), [told]);
    ledger.change(|record| (record.version, record.seats.premium) = (4, 0));
    assert_eq!(run(&ledger, &remote, 4), Ok(Applied::Now(4)));
    let told = ledger.told.take();
    let [next] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((next.before, next.after), (Some(counts(5, 2)), counts(5, 0)));
}

#[test]
fn of_an_update_that_somebody_left_behind_the_history_has_what_that_asked_for() {
    let ledger = Ledger::with(record(4, 1, 9, 0));
    ledger.change(|record| {
        record.attempt = Some(Attempt {
            key: "left behind".to_owned(),
            version: 2,
            part_of: None,
            targets: vec![ItemTarget { id: None, price: "basic".to_owned(), quantity: 3 }],
            proration: ProrationBehavior::None,
            at: Timestamp::UNIX_EPOCH,
        });
    });
    assert_eq!(run(&ledger, &Remote::default(), 4), Ok(Applied::Now(4)));
    let told = ledger.told.take();
    let of = |told: &Told| (told.version, told.since, told.before, told.after, told.proration);
    assert_eq!(
        told.iter().map(of).collect::<Vec<_>>(),
        [
            (2, 1, None, counts(3, 0), ProrationBehavior::None),
            (4, 2, Some(counts(3, 0)), counts(9, 0), ProrationBehavior::CreateProrations),
        ]
    );
    assert_eq!(told[0].key, "left behind");
}

#[test]
fn of_two_directions_the_history_has_both_updates() {
    let ledger = Ledger::with(with_fewer(3, 2, 1, 5));
    ledger.change(|record| record.told = Some(counts(4, 3)));
    let remote = Remote::with(&[("basic", 4), ("premium", 3)]);
    remote.worth.set(100);
    assert_eq!(run(&ledger, &remote, 3), Ok(Applied::Now(3)));
    let told = ledger.told.take();
    let of = |told: &Told| (told.version, told.since, told.outcome.as_str(), told.after);
    assert_eq!(
        told.iter().map(of).collect::<Vec<_>>(),
        [(3, 2, "partly", counts(1, 3)), (3, 2, "told", counts(1, 5))]
    );
    assert_eq!(told[1].before, Some(counts(1, 3)));
}

#[test]
fn an_item_that_was_deleted_by_hand_is_billed_no_longer() {
    let ledger = Ledger::with(with_fewer(3, 2, 4, 1));
    ledger.change(|record| record.told = Some(counts(4, 3)));
    let remote = Remote::with(&[("premium", 3)]);
    remote.worth.set(100);
    assert_eq!(run(&ledger, &remote, 3), Ok(Applied::Now(3)));
    let told = ledger.told.take();
    let of = |told: &Told| (told.outcome.as_str(), told.after);
    let expected = [("partly", counts(0, 1)), ("told", counts(4, 1))];
    assert_eq!(told.iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn a_refusal_is_in_the_history_with_its_request() {
    let ledger = Ledger::with(record(1, 0, 3, 0));
    let declined = BillingError {
        code: "card_declined".to_owned(),
        message: "Declined.".to_owned(),
        request_id: Some("req_9".to_owned()),
    };
    let remote = Remote::default().then(false, StripeFailure::Permanent(declined.clone()));
    assert_eq!(run(&ledger, &remote, 1), Err(Failure::Permanent(declined.clone())));
    let told = ledger.told.take();
    let [failed] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(failed.outcome, Outcome::Failed { error: declined, times: 1 });
    assert_eq!((failed.after, failed.request_id.as_deref()), (counts(3, 0), Some("req_9")));
    // What Stripe was not asked for is none of its history.
    let ledger = Ledger::with(BillingRecord { subscription: None, ..record(1, 0, 3, 0) });
    assert!(run(&ledger, &Remote::default(), 1).is_err());
    assert_eq!(ledger.told.take(), []);
}

#[test]
fn who_changed_what_is_kept_whether_or_not_stripe_is_to_be_told() {
    let ledger = Ledger::with(record(2, 2, 3, 0));
    let change = Change {
        version: 2,
        by: None,
        at: Timestamp::UNIX_EPOCH,
        seats: SeatChange { basic: 1, premium: 0 },
    };
    let changes = vec![change.clone()];
    let message = BillingChange { organization: organization(), version: 2, changes };
    let applied = run_message(&ledger, &Remote::default(), &prices(), &message);
    assert_eq!(applied, Ok(Applied::Before(2)));
    assert_eq!(ledger.changes.take(), [change]);
}
