//! Creating seats: the whole request is checked first, then committed in as few transactions
//! as the table allows, each with its billing effect and its piece of the idempotency record.

use std::collections::HashMap;
use std::future::Future;

use jiff::{SignedDuration, Timestamp};

use super::quote::Quoted;
use super::seat::{NewSeat, Platforms, Seat, SeatInput};
use crate::billing::SeatCounts;
use crate::fault::{Fault, Given, Kind, Rule};
use crate::id::{CredentialId, OrganizationId, SeatId};
use crate::idempotency::Keyed as KeyedRequest;
use crate::policy::BillingPolicy;
use crate::port::{Clock, Entropy, NoEntropy};
use crate::tiers::Tiers;

/// The most seats that one request may create.
pub const MAX_SEATS_PER_REQUEST: usize = 1_000;

/// A valid request to create seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSeats(Vec<NewSeat>);

impl CreateSeats {
    /// Checks every seat of a request.
    ///
    /// `faults` holds what the reader of the body has found already, unknown fields for
    /// example.
    ///
    /// # Errors
    /// Every fault of every seat, in the order of the request.
    pub fn parse(
        accounts: Given<Vec<Given<SeatInput>>>,
        platforms: &Platforms,
        mut faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let fault = |rule| Fault { index: None, field: "accounts".into(), rule };
        let seats = match accounts {
            Given::Absent => {
                faults.push(fault(Rule::Required));
                Vec::new()
            }
            Given::Wrong(kind) => {
                faults.push(fault(Rule::Type(kind)));
                Vec::new()
            }
            Given::Value(seats) if (1..=MAX_SEATS_PER_REQUEST).contains(&seats.len()) => {
                parse_seats(seats, platforms, &mut faults)
            }
            Given::Value(_) => {
                faults.push(fault(Rule::Count { min: 1, max: MAX_SEATS_PER_REQUEST }));
                Vec::new()
            }
        };
        if faults.is_empty() {
            Ok(Self(seats))
        } else {
            // Stable, so that the faults of one seat keep the order of its fields.
            faults.sort_by_key(|fault| fault.index);
            Err(faults)
        }
    }

    /// How many seats of each tier are asked for.
    pub fn counts(&self) -> SeatCounts {
        SeatCounts::of(&self.0)
    }

    /// The seats of this request with ids and time.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn identify(
        self,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Vec<Seat>, NoEntropy> {
        let created_at = clock.now();
        let ids = SeatId::batch(self.0.len(), clock, entropy)?;
        Ok(ids.into_iter().zip(self.0).map(|(id, new)| Seat { id, new, created_at }).collect())
    }
}

fn parse_seats(
    inputs: Vec<Given<SeatInput>>,
    platforms: &Platforms,
    faults: &mut Vec<Fault>,
) -> Vec<NewSeat> {
    let mut seats = Vec::with_capacity(inputs.len());
    let mut first_with: HashMap<(String, String), usize> = HashMap::new();
    for (index, input) in inputs.into_iter().enumerate() {
        let Given::Value(input) = input else {
            faults.push(Fault {
                index: Some(index),
                field: "accounts".into(),
                rule: Rule::Type(Kind::Object),
            });
            continue;
        };
        // A duplicate is one whatever else is wrong with either seat.
        let account = input.account(platforms);
        seats.extend(NewSeat::parse(index, input, platforms, faults));
        let Some(account) = account else { continue };
        match first_with.get(&account) {
            Some(&first) => faults.push(Fault {
                index: Some(index),
                field: "username".into(),
                rule: Rule::DuplicateOf(first),
            }),
            None => {
                first_with.insert(account, index);
            }
        }
    }
    seats
}

/// One transaction's worth of a request: seats, their billing effect, and the piece of the
/// idempotency record that says they exist. None of the three can be saved without the others.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// Who pays.
    pub organization: &'a OrganizationId,
    /// The seats, in the order of the request.
    pub seats: &'a [Seat],
    /// The record, when the caller sent an idempotency key.
    pub record: Option<Keyed<'a>>,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// What the billing record has to be, when the caller was quoted for it.
    pub quoted: Option<Quoted>,
    /// Which subscriptions take seats.
    pub policy: &'a BillingPolicy,
    /// Who creates them: the credential, and the request by its id.
    pub by: (&'a CredentialId, &'a str),
    /// The time of the request.
    pub now: Timestamp,
}

/// How long transactions of one request are begun. Together with the last one's own time limit it
/// stays below the time that the function and the gateway give a request.
const SERIES_BUDGET: SignedDuration = SignedDuration::from_secs(12);

/// What an earlier commit of the same request left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What the caller was told.
    pub answer: String,
    /// When its record stops answering.
    pub expires_at: Timestamp,
}

/// The piece of an idempotency record that goes with one transaction.
#[derive(Debug, Clone)]
pub struct Keyed<'a> {
    /// Key and fingerprint of the request.
    pub request: &'a KeyedRequest,
    /// Which transaction of the request this is, counted from 0.
    pub part: usize,
    /// What the caller is told about these seats, kept for the replay.
    pub answer: String,
}

/// Why seats could not be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitRefusal {
    /// The organization has no subscription that may be billed.
    NoBilling,
    /// The organization's seat limit does not leave room for these seats.
    SeatLimitReached,
    /// The organization's spending limit does not leave enough for these seats.
    SpendingLimitReached,
    /// What the caller was quoted does not hold any more.
    QuoteExpired,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The organization is written to faster than the table takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Where seats and their billing record are kept.
pub trait SeatLedger {
    /// The most seats that one commit may hold, with or without an idempotency record.
    ///
    /// Retries of a request with a key must cut it at the same places, so this must not change
    /// while records live (24 h).
    fn seats_per_commit(&self, keyed: bool) -> usize;

    /// Commits all of it or nothing. `Some` is what an earlier commit of the same request left:
    /// nothing was done now.
    ///
    /// # Errors
    /// [`CommitRefusal`]; nothing was written, except that it is unknown for
    /// [`CommitRefusal::Unavailable`].
    fn commit(
        &self,
        commit: Commit<'_>,
    ) -> impl Future<Output = Result<Option<Stored>, CommitRefusal>> + Send;
}

/// A valid request to create seats, with everything that decides about it.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// Who pays.
    pub organization: &'a OrganizationId,
    /// The seats, in the order of the request.
    pub seats: &'a [Seat],
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a KeyedRequest>,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// What the billing record has to be, when the caller was quoted for it.
    pub quoted: Option<Quoted>,
    /// Which subscriptions take seats.
    pub policy: &'a BillingPolicy,
    /// Who creates them: the credential, and the request by its id.
    pub by: (&'a CredentialId, &'a str),
    /// The time of the request.
    pub now: Timestamp,
}

impl Order<'_> {
    /// The transaction number `part`, which creates `seats` of this order.
    fn commit<'c>(
        &'c self,
        part: usize,
        seats: &'c [Seat],
        request: Option<&'c KeyedRequest>,
        answer: &str,
    ) -> Commit<'c> {
        let record = |request| Keyed { request, part, answer: answer.to_owned() };
        Commit {
            organization: self.organization,
            seats,
            record: request.map(record),
            tiers: self.tiers,
            // The first transaction is what changes the version for those behind it.
            quoted: self.quoted.filter(|_| part == 0),
            policy: self.policy,
            by: self.by,
            now: self.now,
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The answers of the committed transactions, in order.
    pub answers: Vec<String>,
    /// How many seats of the request do not exist because their transaction did not commit.
    pub failed: usize,
    /// Nothing was done now: every answer comes from the record.
    pub replayed: bool,
}

/// Creates seats in as few transactions as possible, in order, stopping at the first that is
/// refused. With a key, a retry finds the transactions that did commit and goes on behind them.
///
/// The parts of a record expire together, with the first: otherwise a request sent again after that
/// would take up parts of the old one.
///
/// `answer` words what the caller is told about some of the seats.
///
/// # Errors
/// The refusal of the first transaction: then there is nothing to report but the refusal. A
/// later one shows in [`Created::failed`].
pub async fn create(
    ledger: &impl SeatLedger,
    clock: &dyn Clock,
    order: &Order<'_>,
    answer: impl Fn(&[Seat]) -> String,
) -> Result<Created, CommitRefusal> {
    let mut created = Created { answers: Vec::new(), failed: order.seats.len(), replayed: true };
    let size = ledger.seats_per_commit(order.request.is_some());
    let mut request = order.request.cloned();
    for (part, seats) in order.seats.chunks(size).enumerate() {
        if part > 0 && clock.now().duration_since(order.now) > SERIES_BUDGET {
            break;
        }
        let fresh = answer(seats);
        let commit = order.commit(part, seats, request.as_ref(), &fresh);
        match ledger.commit(commit).await {
            Ok(stored) => {
                created.failed -= seats.len();
                created.replayed &= stored.is_some();
                if let (Some(stored), Some(request)) = (&stored, &mut request) {
                    request.expires_at = stored.expires_at;
                }
                created.answers.push(stored.map_or(fresh, |stored| stored.answer));
            }
            Err(refusal) if part == 0 => return Err(refusal),
            Err(_) => break,
        }
    }
    Ok(created)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::id::tests::{At, Same};
    use crate::tiers::tests::tiers;

    fn seat(tier: &str) -> Given<SeatInput> {
        Given::Value(SeatInput { tier: Given::Value(tier.to_owned()), ..SeatInput::default() })
    }

    fn detailed(platform: &str, username: &str) -> Given<SeatInput> {
        let text = |text: &str| Given::Value(text.to_owned());
        Given::Value(SeatInput {
            tier: text("basic"),
            platform: text(platform),
            username: text(username),
            pfp_url: text("https://example.com/a.jpg"),
            keywords: text("a"),
            ..SeatInput::default()
        })
    }

    fn parse(seats: Vec<Given<SeatInput>>) -> Result<CreateSeats, Vec<Fault>> {
        CreateSeats::parse(
            Given::Value(seats),
            &Platforms::from_list("tiktok,instagram"),
            Vec::new(),
        )
    }

    #[test]
    fn from_one_to_a_thousand_seats() {
        for (count, valid) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
            assert_eq!(parse(vec![seat("basic"); count]).is_ok(), valid, "{count}");
        }
    }

    #[test]
    fn one_account_twice_in_a_request_is_refused() {
        let faults = parse(vec![
            detailed("tiktok", "a"),
            detailed("instagram", "a"),
            detailed("tiktok", "@A"),
        ])
        .expect_err("a duplicate");
        assert_eq!(
            faults,
            [Fault { index: Some(2), field: "username".into(), rule: Rule::DuplicateOf(0) }]
        );
    }

    #[test]
    fn a_duplicate_of_a_faulty_seat_is_one() {
        let mut gold = detailed("tiktok", "a");
        if let Given::Value(seat) = &mut gold {
            seat.tier = Given::Absent;
        }
        let faults = parse(vec![gold.clone(), gold]).expect_err("three faults");
        let rules: Vec<_> = faults.into_iter().map(|fault| fault.rule).collect();
        assert_eq!(rules, [Rule::Required, Rule::Required, Rule::DuplicateOf(0)]);
    }

    #[test]
    fn faults_come_in_the_order_of_the_seats() {
        let faults = parse(vec![seat("gold"), Given::Wrong(Kind::Object), seat("")])
            .expect_err("three faults");
        let indexes: Vec<_> = faults.iter().map(|fault| fault.index).collect();
        assert_eq!(indexes, [Some(0), Some(1), Some(2)]);
    }

    /// Holds three seats a commit and refuses the commits whose numbers are listed.
    struct Scripted {
        stored: RefCell<HashMap<usize, Stored>>,
        refused: Vec<usize>,
    }

    impl SeatLedger for Scripted {
        fn seats_per_commit(&self, _keyed: bool) -> usize {
            3
        }

        fn commit(
            &self,
            commit: Commit<'_>,
        ) -> impl Future<Output = Result<Option<Stored>, CommitRefusal>> + Send {
            let record = commit.record.expect("a keyed request");
            assert_eq!(commit.quoted.is_some(), record.part == 0, "a quote is for the first");
            let result = if let Some(stored) = self.stored.borrow().get(&record.part) {
                Ok(Some(stored.clone()))
            } else if self.refused.contains(&record.part) {
                Err(CommitRefusal::Unavailable)
            } else {
                Ok(None)
            };
            if result == Ok(None) {
                let (answer, expires_at) = (record.answer, record.request.expires_at);
                self.stored.borrow_mut().insert(record.part, Stored { answer, expires_at });
            }
            std::future::ready(result)
        }
    }

    /// Each look at this clock takes seconds.
    struct Slow(AtomicI64);

    impl Clock for Slow {
        fn now(&self) -> Timestamp {
            let second = self.0.fetch_add(7, Ordering::Relaxed);
            Timestamp::from_second(second).expect("in range")
        }
    }

    fn run(ledger: &Scripted, tag: &str) -> Result<Created, CommitRefusal> {
        run_at(ledger, tag, &At(Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH)
    }

    /// Creates eight seats under a key whose new records stop answering at `expires_at`.
    fn run_at(
        ledger: &Scripted,
        tag: &str,
        time: &dyn Clock,
        expires_at: Timestamp,
    ) -> Result<Created, CommitRefusal> {
        let clock = At(Timestamp::UNIX_EPOCH);
        let seats = parse(vec![seat("basic"); 8])
            .expect("valid")
            .identify(&clock, &Same(1))
            .expect("entropy");
        let organization = OrganizationId::new(&clock, &Same(2)).expect("entropy");
        let request = KeyedRequest { expires_at, ..KeyedRequest::for_tests() };
        let tiers = tiers();
        let policy = BillingPolicy::default();
        let credential = CredentialId::new(&clock, &Same(3)).expect("entropy");
        let order = Order {
            organization: &organization,
            seats: &seats,
            request: Some(&request),
            tiers: &tiers,
            quoted: Some(Quoted::Expired),
            policy: &policy,
            by: (&credential, "request-1"),
            now: clock.0,
        };
        let future = create(ledger, time, &order, |seats| format!("{tag}{}", seats.len()));
        // Every future here is ready at once.
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(result) => result,
            std::task::Poll::Pending => panic!("the scripted ledger never waits"),
        }
    }

    #[test]
    fn a_retry_goes_on_where_the_first_try_stopped() {
        let mut ledger = Scripted { stored: RefCell::default(), refused: vec![1] };
        let first = run(&ledger, "a").expect("the first commit holds");
        assert_eq!(first.answers, ["a3"]);
        assert_eq!((first.failed, first.replayed), (5, false));

        ledger.refused.clear();
        let second = run(&ledger, "b").expect("all commits hold");
        assert_eq!(second.answers, ["a3", "b3", "b2"]);
        assert_eq!((second.failed, second.replayed), (0, false));

        let third = run(&ledger, "c").expect("all commits hold");
        assert_eq!(third.answers, second.answers);
        assert_eq!((third.failed, third.replayed), (0, true));
    }

    #[test]
    fn the_parts_of_a_record_expire_together() {
        let mut ledger = Scripted { stored: RefCell::default(), refused: vec![1] };
        let clock = At(Timestamp::UNIX_EPOCH);
        let at = |second| Timestamp::from_second(second).expect("in range");
        run_at(&ledger, "a", &clock, at(100)).expect("the first commit holds");
        ledger.refused.clear();
        run_at(&ledger, "b", &clock, at(200)).expect("all commits hold");
        let expiries: Vec<_> =
            ledger.stored.borrow().values().map(|stored| stored.expires_at).collect();
        assert_eq!(expiries, [at(100); 3]);
    }

    #[test]
    fn a_series_that_takes_too_long_ends_and_can_be_continued() {
        let ledger = Scripted { stored: RefCell::default(), refused: Vec::new() };
        let slow = Slow(AtomicI64::new(7));
        let created = run_at(&ledger, "a", &slow, Timestamp::UNIX_EPOCH).expect("in part");
        assert_eq!(created.answers, ["a3", "a3"]);
        assert_eq!(created.failed, 2);
        let rest = run(&ledger, "b").expect("all commits hold");
        assert_eq!(rest.answers, ["a3", "a3", "b2"]);
    }

    #[test]
    fn a_refusal_of_the_first_commit_is_the_answer() {
        let ledger = Scripted { stored: RefCell::default(), refused: vec![0] };
        assert_eq!(run(&ledger, "a"), Err(CommitRefusal::Unavailable));
    }
}
