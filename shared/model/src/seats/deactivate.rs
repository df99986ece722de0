//! Giving seats back: which, when they end, and in which transactions. A seat that is deactivated
//! stays, and is counted no more. One that is to end later is counted until then, and its end can be
//! revoked.

use std::collections::HashMap;
use std::future::Future;

use jiff::Timestamp;

use super::create::{Keyed, Stored};
use super::ends::EndTerms;
use super::seat::Tier;
use crate::audit::Entry;
use crate::billing::SeatCounts;
use crate::fault::{Fault, Form, Given, Rule};
use crate::id::{AuditId, CredentialId, OrganizationId, SeatId};
use crate::idempotency::Keyed as KeyedRequest;
use crate::port::{Clock, Entropy, NoEntropy};
use crate::tiers::Tiers;

/// The most seats that one request may deactivate.
pub const MAX_DEACTIVATIONS_PER_REQUEST: usize = 100;

/// How often the seats are read again because somebody else changed one of them meanwhile.
const MAX_TRIES: usize = 5;

/// A valid request to deactivate seats, or to revoke that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeactivateSeats {
    /// Which.
    pub which: Which,
    /// `revoke`: whether seats that are to end are to stay after all.
    pub revoke: bool,
}

/// The seats of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// `account_id`: one, as the published API has it.
    One(SeatId),
    /// `account_ids`: several, each once, in the order of the request.
    Several(Vec<SeatId>),
}

impl DeactivateSeats {
    /// Checks the fields of a request, of which one of the first two must be there.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault. Of a list, the field names the place: `account_ids[3]`.
    pub fn parse(
        one: Given<String>,
        several: Given<Vec<Given<String>>>,
        revoke: Given<bool>,
        mut faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let mut form = Form::new(&mut faults);
        if one.is_present() && several.is_present() {
            form.fault("account_ids", Rule::Beside("account_id"));
        } else if !one.is_present() && !several.is_present() {
            form.fault("account_id", Rule::Required);
        }
        let id = |text: &str| SeatId::parse(text).map_err(|_| Rule::SeatId);
        let one = form.optional("account_id", one, |text| id(&text));
        let several = form.each_once("account_ids", several, MAX_DEACTIVATIONS_PER_REQUEST, id);
        let revoke = form.optional("revoke", revoke, Ok).unwrap_or(false);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            which: one.map_or(Which::Several(several.unwrap_or_default()), Which::One),
            revoke,
        })
    }

    /// The seats, in the order of the request.
    pub fn ids(&self) -> &[SeatId] {
        match &self.which {
            Which::One(id) => std::slice::from_ref(id),
            Which::Several(ids) => ids,
        }
    }

    /// What is wrong with the seats as they are: some are not there, or are somebody else's; some
    /// have ended, and cannot be taken back.
    fn faults(&self, kept: &Seats) -> Vec<Fault> {
        let rule = |id: &SeatId| match kept.of.get(id) {
            None => Some(Rule::NoSuchSeat),
            Some(seat) if self.revoke && seat.is_deactivated => Some(Rule::SeatHasEnded),
            Some(_) => None,
        };
        let field = |place| match &self.which {
            Which::One(_) => "account_id".into(),
            Which::Several(_) => format!("account_ids[{place}]").into(),
        };
        let faults = self.ids().iter().enumerate().filter_map(|(place, id)| {
            Some(Fault { index: None, field: field(place), rule: rule(id)? })
        });
        faults.collect()
    }
}

/// A seat as it is kept, as far as its end needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSeat {
    /// Its id.
    pub id: SeatId,
    /// What it is billed by.
    pub tier: Tier,
    /// Whether it has been given back.
    pub is_deactivated: bool,
    /// When it is to end; `None` while it is not, and when it has.
    pub ends_at: Option<Timestamp>,
    /// How often it has been changed: its optimistic lock. 0 for one that never was.
    pub version: u64,
}

/// Seats, and what decides when they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Those of the seats that are there, in any order.
    pub seats: Vec<KeptSeat>,
    /// Of the organization.
    pub terms: EndTerms,
}

/// What is done to seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// They end: they are counted no more.
    End,
    /// They are to end then, and are counted until they do.
    EndAt(Timestamp),
    /// They are not to end any more.
    Revoke,
}

impl Change {
    /// The fields of a seat that are changed, for the audit.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Change::End => &["status"],
            Change::EndAt(_) | Change::Revoke => &["ends_at"],
        }
    }

    /// Whether there is anything to do. A seat that is to end already ends when it was told.
    fn concerns(self, seat: &KeptSeat) -> bool {
        match self {
            Change::End => !seat.is_deactivated,
            Change::EndAt(_) => !seat.is_deactivated && seat.ends_at.is_none(),
            Change::Revoke => seat.ends_at.is_some(),
        }
    }
}

/// One transaction's worth of a request: the seats that are changed, what that takes from the billing
/// record, the audit entry, and the piece of the idempotency record that says that it was done.
/// None of these can be saved without the others.
#[derive(Debug, Clone)]
pub struct Deactivation<'a> {
    /// Whose seats they are.
    pub organization: &'a OrganizationId,
    /// What is done to them.
    pub change: Change,
    /// The seats, none of them deactivated yet. Empty when a retry finds nothing left to do.
    pub seats: &'a [KeptSeat],
    /// The record, when the caller sent an idempotency key.
    pub record: Option<Keyed<'a>>,
    /// The entry that says who did it; `None` without a seat.
    pub audit: Option<Entry<'a>>,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// The time of the request.
    pub now: Timestamp,
}

impl<'a> Deactivation<'a> {
    /// How many seats of each tier are counted no more.
    pub fn counts(&self) -> SeatCounts {
        let mut counts = SeatCounts::default();
        if self.change != Change::End {
            return counts;
        }
        for seat in self.seats {
            match seat.tier {
                Tier::Basic => counts.basic += 1,
                Tier::Premium => counts.premium += 1,
            }
        }
        counts
    }

    /// What a function of the stack does to seats whose time has come: nobody asked for it by a
    /// request.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn of_the_stack(
        organization: &'a OrganizationId,
        change: Change,
        seats: &'a [KeptSeat],
        (function, invocation): (&'static str, &'a str),
        tiers: &'a Tiers,
        ports: &(impl Clock + Entropy),
    ) -> Result<Self, NoEntropy> {
        let now = ports.now();
        let audit = Entry {
            id: AuditId::new(ports, ports)?,
            credential: None,
            route: function,
            objects: seats.iter().map(|seat| seat.id.as_str()).collect(),
            fields: change.fields(),
            at: now,
            request_id: invocation,
        };
        Ok(Self { organization, change, seats, record: None, audit: Some(audit), tiers, now })
    }
}

/// Why seats could not be deactivated, or that not be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeactivationRefusal {
    /// Some of the seats are not there, or are somebody else's, which looks the same; or some have
    /// ended, and cannot be taken back.
    Faults(Vec<Fault>),
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The organization is written to faster than the table takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

impl From<NoEntropy> for DeactivationRefusal {
    fn from(_: NoEntropy) -> Self {
        DeactivationRefusal::Unavailable
    }
}

/// Why a transaction was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDeactivated {
    /// A seat or the billing record is not what it was when it was read.
    Changed,
    /// As in [`DeactivationRefusal`].
    KeyReused,
    /// As in [`DeactivationRefusal`].
    Throttled,
    /// As in [`DeactivationRefusal`].
    Unavailable,
}

impl From<NotDeactivated> for DeactivationRefusal {
    fn from(refused: NotDeactivated) -> Self {
        match refused {
            NotDeactivated::KeyReused => DeactivationRefusal::KeyReused,
            NotDeactivated::Throttled => DeactivationRefusal::Throttled,
            // Whoever keeps changing them, or whatever the record counts, later is better.
            NotDeactivated::Changed | NotDeactivated::Unavailable => {
                DeactivationRefusal::Unavailable
            }
        }
    }
}

/// Where seats end.
pub trait SeatEndings {
    /// The most seats that one transaction may hold. Retries of a request with a key must cut it
    /// at the same places, so this must not change while records live (24 h).
    fn deactivations_per_commit(&self) -> usize;

    /// The seats of an organization among `ids`, and what decides when they end, as of now
    /// (consistent reads).
    ///
    /// # Errors
    /// [`NotDeactivated::Throttled`] and [`NotDeactivated::Unavailable`].
    fn seats(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> impl Future<Output = Result<Kept, NotDeactivated>> + Send;

    /// Commits all of it or nothing: each seat must be at its version and not deactivated. `Some` is
    /// what an earlier commit of the same request left: nothing was done now.
    ///
    /// # Errors
    /// [`NotDeactivated`]; nothing was written, except that it is unknown for
    /// [`NotDeactivated::Unavailable`].
    fn deactivate(
        &self,
        deactivation: Deactivation<'_>,
    ) -> impl Future<Output = Result<Option<Stored>, NotDeactivated>> + Send;
}

/// A valid request to deactivate seats, with everything that decides about it.
#[derive(Debug, Clone)]
pub struct Ending<'a> {
    /// Whose seats they are.
    pub organization: &'a OrganizationId,
    /// Which, and whether they are to end or to stay.
    pub seats: &'a DeactivateSeats,
    /// Who asks.
    pub credential: &'a CredentialId,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a KeyedRequest>,
    /// What the caller is told, by when all of the seats have ended: `None` when they have.
    pub answer: fn(&DeactivateSeats, Option<Timestamp>) -> String,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// The time of the request.
    pub now: Timestamp,
}

impl Ending<'_> {
    /// What is to be done to the seats.
    fn change(&self, kept: &Seats) -> Change {
        match kept.terms.ends_at(self.now) {
            _ if self.seats.revoke => Change::Revoke,
            Some(ends_at) => Change::EndAt(ends_at),
            None => Change::End,
        }
    }

    /// What the caller is told once `change` is done to all of the seats.
    fn answer(&self, kept: &Seats, change: Change) -> String {
        let ends_at = match change {
            Change::EndAt(ends_at) => {
                let seats = self.seats.ids().iter().filter_map(|id| kept.of.get(id));
                let left = seats.filter(|seat| !seat.is_deactivated);
                left.map(|seat| seat.ends_at.unwrap_or(ends_at)).max()
            }
            Change::End | Change::Revoke => None,
        };
        (self.answer)(self.seats, ends_at)
    }
}

/// What a caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The answer.
    pub answer: String,
    /// Whether an earlier sending of the same request was told it, and nothing was done now.
    pub is_replay: bool,
}

/// The seats of a request, by their ids.
struct Seats {
    of: HashMap<SeatId, KeptSeat>,
    terms: EndTerms,
}

/// Deactivates seats, or revokes that, in as few transactions as possible, in the order of the
/// request.
///
/// That a seat is deactivated already is no fault: it is counted down once. Nor is that one is to end
/// already, or is not to end when that is revoked. Should a later transaction of a long request fail,
/// the same request again does the rest.
///
/// # Errors
/// [`DeactivationRefusal`]. With [`DeactivationRefusal::KeyReused`] nothing was done, nor with
/// [`DeactivationRefusal::Faults`], unless a seat ended between two transactions.
pub async fn deactivate(
    store: &impl SeatEndings,
    ports: &(impl Clock + Entropy),
    ending: &Ending<'_>,
) -> Result<Told, DeactivationRefusal> {
    let mut kept = read(store, ending).await?;
    let faults = ending.seats.faults(&kept);
    if !faults.is_empty() {
        let told = told_before(store, ending, &kept, &faults).await?;
        return told.ok_or(DeactivationRefusal::Faults(faults));
    }
    let mut told: Option<Told> = None;
    let mut request = ending.request.cloned();
    for (part, ids) in ending.seats.ids().chunks(store.deactivations_per_commit()).enumerate() {
        let (stored, answer) =
            commit(store, ports, ending, &mut kept, (part, ids), request.as_ref()).await?;
        if let (Some(stored), Some(request)) = (&stored, &mut request) {
            // The parts of a record expire together, with the first.
            request.expires_at = stored.expires_at;
        }
        let is_replay = stored.is_some();
        let answer = stored.map_or(answer, |stored| stored.answer);
        // What the first part was told is the answer. What one part did now was not done before.
        told = Some(match told {
            None => Told { answer, is_replay },
            Some(first) => Told { is_replay: first.is_replay && is_replay, ..first },
        });
    }
    told.ok_or(DeactivationRefusal::Unavailable)
}

async fn read(store: &impl SeatEndings, ending: &Ending<'_>) -> Result<Seats, NotDeactivated> {
    let kept = store.seats(ending.organization, ending.seats.ids()).await?;
    let of = kept.seats.into_iter().map(|seat| (seat.id.clone(), seat)).collect();
    Ok(Seats { of, terms: kept.terms })
}

/// What a revocation was told that was carried out before the seats ended: that they have is no reason
/// to refuse it when it comes again. A transaction that would change a seat that has ended commits
/// nothing, and says whether the record of the request is there.
async fn told_before(
    store: &impl SeatEndings,
    ending: &Ending<'_>,
    kept: &Seats,
    faults: &[Fault],
) -> Result<Option<Told>, DeactivationRefusal> {
    let (Some(request), true) =
        (ending.request, faults.iter().all(|f| f.rule == Rule::SeatHasEnded))
    else {
        return Ok(None);
    };
    let ended: Vec<_> =
        kept.of.values().filter(|seat| seat.is_deactivated).take(1).cloned().collect();
    let mut told: Option<Told> = None;
    let parts = ending.seats.ids().len().div_ceil(store.deactivations_per_commit());
    for part in 0..parts {
        let deactivation = Deactivation {
            organization: ending.organization,
            change: Change::Revoke,
            seats: &ended,
            record: Some(Keyed { request, part, answer: String::new() }),
            audit: None,
            tiers: ending.tiers,
            now: ending.now,
        };
        match store.deactivate(deactivation).await {
            Ok(Some(stored)) => {
                told.get_or_insert(Told { answer: stored.answer, is_replay: true });
            }
            Ok(None) | Err(NotDeactivated::Changed) => return Ok(None),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(told)
}

/// One transaction of a request, tried again when somebody else was faster; with the answer of the
/// request.
async fn commit(
    store: &impl SeatEndings,
    ports: &(impl Clock + Entropy),
    ending: &Ending<'_>,
    kept: &mut Seats,
    (part, ids): (usize, &[SeatId]),
    request: Option<&KeyedRequest>,
) -> Result<(Option<Stored>, String), DeactivationRefusal> {
    for _ in 0..MAX_TRIES {
        let change = ending.change(kept);
        let answer = ending.answer(kept, change);
        let there = ids.iter().filter_map(|id| kept.of.get(id));
        let seats: Vec<_> = there.filter(|seat| change.concerns(seat)).cloned().collect();
        if seats.is_empty() && request.is_none() {
            return Ok((None, answer));
        }
        let audit = Entry {
            id: AuditId::new(ports, ports)?,
            credential: Some(ending.credential),
            route: ending.route,
            objects: seats.iter().map(|seat| seat.id.as_str()).collect(),
            fields: change.fields(),
            at: ending.now,
            request_id: ending.request_id,
        };
        let deactivation = Deactivation {
            organization: ending.organization,
            change,
            audit: (!seats.is_empty()).then_some(audit),
            seats: &seats,
            record: request.map(|request| Keyed { request, part, answer: answer.clone() }),
            tiers: ending.tiers,
            now: ending.now,
        };
        match store.deactivate(deactivation).await {
            Err(NotDeactivated::Changed) => *kept = read(store, ending).await?,
            done => return Ok((done?, answer)),
        }
        // One may have ended meanwhile.
        let faults = ending.seats.faults(kept);
        if !faults.is_empty() {
            return Err(DeactivationRefusal::Faults(faults));
        }
    }
    Err(NotDeactivated::Changed.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    fn id(last: char) -> String {
        format!("acc_01kafzqzxqxqxqxqxqxqxqxqx{last}")
    }

    fn given(text: &str) -> Given<String> {
        Given::Value(text.to_owned())
    }

    fn several(ids: &[&str]) -> Given<Vec<Given<String>>> {
        Given::Value(ids.iter().map(|id| given(id)).collect())
    }

    fn faults(one: Given<String>, several: Given<Vec<Given<String>>>) -> Vec<(String, Rule)> {
        let faults =
            DeactivateSeats::parse(one, several, Given::Absent, Vec::new()).expect_err("faults");
        faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect()
    }

    #[test]
    fn one_or_several_and_not_both() {
        let one = DeactivateSeats::parse(given(&id('1')), Given::Absent, Given::Absent, Vec::new());
        assert_eq!(one.expect("valid").ids().len(), 1);
        let list = several(&[&id('1'), &id('2')]);
        let both =
            DeactivateSeats::parse(Given::Absent, list.clone(), Given::Value(true), Vec::new());
        assert_eq!(both.expect("valid").ids().len(), 2);
        assert_eq!(
            faults(given(&id('1')), list),
            [("account_ids".to_owned(), Rule::Beside("account_id"))]
        );
        assert_eq!(
            faults(Given::Absent, Given::Absent),
            [("account_id".to_owned(), Rule::Required)]
        );
    }

    #[test]
    fn from_one_to_a_hundred() {
        let count = Rule::Count { min: 1, max: 100 };
        let list = |count: usize| Given::Value(vec![Given::Absent; count]);
        assert_eq!(faults(Given::Absent, list(0)), [("account_ids".to_owned(), count.clone())]);
        assert_eq!(faults(Given::Absent, list(101)), [("account_ids".to_owned(), count)]);
        assert_eq!(faults(Given::Absent, list(100)).len(), 100);
    }

    #[test]
    fn every_fault_of_a_list_names_its_place() {
        let list = vec![
            given(&id('1')),
            given("acc_"),
            given(&id('1')),
            Given::Wrong(Kind::String),
            given(&id('2')),
            Given::Absent,
        ];
        let found = faults(given("org_"), Given::Value(list));
        let expected = [
            ("account_ids", Rule::Beside("account_id")),
            ("account_id", Rule::SeatId),
            ("account_ids[1]", Rule::SeatId),
            ("account_ids[2]", Rule::RepeatOf(0)),
            ("account_ids[3]", Rule::Type(Kind::String)),
            ("account_ids[5]", Rule::Required),
        ];
        assert_eq!(found, expected.map(|(field, rule)| (field.to_owned(), rule)));
    }
}
