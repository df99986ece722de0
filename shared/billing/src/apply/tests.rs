use std::cell::{Cell, RefCell};
use std::future::{Future, ready};

use headcount_model::billing::{ProrationBehavior, SeatCounts};
use headcount_model::fewer::{Fewer, FewerSeats};
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
        proration: ProrationBehavior::default(),
        fewer: Fewer::default(),
        items: RememberedItems::default(),
        paced_until: None,
        last_error: None,
    }
}

/// What another writer does to a record.
type Interference = Box<dyn FnOnce(&mut BillingRecord)>;

/// A ledger in memory. `interference` runs once, just before a version is recorded: another
/// writer comes between.
struct Ledger {
    record: RefCell<Option<BillingRecord>>,
    interference: RefCell<Option<Interference>>,
}

impl Ledger {
    fn with(record: BillingRecord) -> Self {
        Self { record: RefCell::new(Some(record)), interference: RefCell::default() }
    }

    fn record(&self) -> BillingRecord {
        self.record.borrow().clone().expect("a record")
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

    fn record_applied(
        &self,
        _: &OrganizationId,
        update: &TakenUpdate,
        _: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send {
        let mut record = self.record.borrow_mut();
        let record = record.as_mut().expect("a record");
        if let Some(interfere) = self.interference.borrow_mut().take() {
            interfere(record);
        }
        let began = (update.from, update.paced_from);
        ready(Ok(if (record.applied_version, record.paced_until) == began {
            record.applied_version = update.version;
            record.items = update.items.clone();
            record.paced_until = Some(update.paced_until);
            record.last_error = None;
            Recorded::Yes
        } else {
            Recorded::Overtaken
        }))
    }

    fn record_failure(
        &self,
        _: &OrganizationId,
        error: &BillingError,
        _: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send {
        if let Some(record) = self.record.borrow_mut().as_mut() {
            record.last_error = Some(error.clone());
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
            cancel_at_period_end: false,
            period: None,
            organization: None,
            unfit: Vec::new(),
            customer: "cus_1".to_owned(),
            items: self.items.borrow().clone(),
        }
    }

    fn take_effect(&self, targets: &[ItemTarget]) {
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
    ) -> impl Future<Output = Result<Subscription, StripeFailure>> + Send {
        self.keys.borrow_mut().push(key.to_owned());
        self.prorations.borrow_mut().push(proration);
        let mut script = self.script.borrow_mut();
        let scripted = (!script.is_empty()).then(|| script.remove(0));
        if scripted.as_ref().is_none_or(|(takes_effect, _)| *takes_effect) {
            self.take_effect(targets);
        }
        ready(match scripted {
            Some((_, failure)) => Err(failure),
            None => Ok(self.subscription()),
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
    let change = BillingChange { organization: organization(), version };
    let entropy = Counting(std::sync::atomic::AtomicU8::new(0));
    let future = apply(ledger, remote, prices, &change, &Fixed, &entropy);
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
fn an_overtaken_writer_applies_again_under_a_key_of_its_own() {
    let ledger = Ledger::with(record(1, 0, 1, 0));
    *ledger.interference.borrow_mut() = Some(Box::new(|record| {
        // Somebody else applied version 2 with 9 seats before our call reached Stripe.
        record.version = 2;
        record.applied_version = 2;
        record.seats.basic = 9;
    }));
    let remote = Remote::with(&[("basic", 0)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(2)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 9)]);
    let keys = remote.keys.borrow();
    assert_eq!(keys.len(), 2);
    assert!(keys[1].starts_with(&format!("{}:2:", organization())));
}

#[test]
fn a_writer_notices_one_that_told_of_the_applied_version_again() {
    let ledger = Ledger::with(record(2, 1, 9, 0));
    *ledger.interference.borrow_mut() = Some(Box::new(|record| {
        // One that had been overtaken put version 1 right, perhaps after our call reached Stripe.
        record.paced_until = Timestamp::from_second(20).ok();
    }));
    let remote = Remote::with(&[("basic", 0)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    assert_eq!(remote.keys.borrow().len(), 2, "it told Stripe once more");
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
        code: "resource_missing".to_owned(),
        message: "No such subscription".to_owned(),
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
    let nobody = Ledger { record: RefCell::default(), interference: RefCell::default() };
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
        code: "resource_missing".to_owned(),
        message: "No such subscription item".to_owned(),
    };
    let remote = Remote::default().then(false, StripeFailure::Permanent(gone));
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(1)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 2)]);
    assert_eq!(ledger.record().last_error, None);
    let keys = remote.keys.borrow();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn six_updates_at_once_then_one_every_twenty_seconds() {
    let at = |second| Timestamp::from_second(second).expect("in range");
    let mut paced_until = None;
    let mut taken = Vec::new();
    for second in 0..=3_600 {
        if let Some(next) = paced(paced_until, at(second)) {
            paced_until = Some(next);
            taken.push(second);
        }
    }
    assert_eq!(taken[..8], [0, 1, 2, 3, 4, 5, 20, 40]);
    assert!(taken.len() <= 200, "Stripe takes 200 an hour, not {}", taken.len());
}

#[test]
fn too_soon_calls_nobody_and_changes_nothing() {
    let far = Timestamp::from_second(101).expect("in range");
    let before = BillingRecord { paced_until: Some(far), ..record(4, 3, 2, 0) };
    let ledger = Ledger::with(before.clone());
    let remote = Remote::with(&[("basic", 1)]);
    assert_eq!(run(&ledger, &remote, 4), Err(Failure::TooSoon));
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
fn an_overtaken_writer_does_not_wait() {
    let ledger = Ledger::with(record(1, 0, 1, 0));
    *ledger.interference.borrow_mut() = Some(Box::new(|record| {
        record.version = 2;
        record.applied_version = 2;
        record.seats.basic = 9;
        record.paced_until = Timestamp::from_second(110).ok();
    }));
    let remote = Remote::with(&[("basic", 0)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(2)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 9)]);
    // Those after it wait for this update, too.
    assert_eq!(ledger.record().paced_until, Timestamp::from_second(130).ok());
}

#[test]
fn what_overtaken_writers_sent_is_waited_for_too() {
    let at = |second| Timestamp::from_second(second).expect("in range");
    for ahead in [101, 140, 200] {
        assert_eq!(paced(Some(at(ahead)), at(0)), None, "{ahead}");
    }
    assert_eq!(paced(Some(at(201)), at(0)), Some(at(20)), "a clock was set back");
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
    assert_eq!(*remote.prorations.borrow(), [UNPRORATED, CREATE]);
    assert_eq!(remote.quantities(), quantities(3, 4));
}

#[test]
fn what_was_applied_and_not_recorded_is_not_told_again() {
    let ledger = Ledger::with(with_fewer(2, 1, 3, 1));
    let remote = Remote::with(&[("basic", 3), ("premium", 1)]);
    assert_eq!(run(&ledger, &remote, 2), Ok(Applied::Now(2)));
    assert!(remote.keys.borrow().is_empty());
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

#[test]
fn an_overtaken_writer_gives_no_credit_either() {
    let ledger = Ledger::with(record(1, 0, 5, 0));
    *ledger.interference.borrow_mut() = Some(Box::new(|record| {
        // Somebody else told of fewer seats before our call reached Stripe.
        *record = with_fewer(2, 2, 4, 0);
    }));
    let remote = Remote::with(&[("basic", 0)]);
    assert_eq!(run(&ledger, &remote, 1), Ok(Applied::Now(2)));
    assert_eq!(remote.quantities(), [("basic".to_owned(), 4)]);
    assert_eq!(*remote.prorations.borrow(), [CREATE, UNPRORATED]);
}
