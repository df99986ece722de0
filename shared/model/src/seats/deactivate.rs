//! Giving seats back: which, and in which transactions. A seat that is deactivated stays, and is
//! counted no more.

use std::collections::HashMap;
use std::future::Future;

use jiff::Timestamp;

use super::create::{Keyed, Stored};
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

/// A valid request to deactivate seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeactivateSeats {
    /// `account_id`: one, as the published API has it.
    One(SeatId),
    /// `account_ids`: several, each once, in the order of the request.
    Several(Vec<SeatId>),
}

impl DeactivateSeats {
    /// Checks the two fields of a request, of which one must be there.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault. Of a list, the field names the place: `account_ids[3]`.
    pub fn parse(
        one: Given<String>,
        several: Given<Vec<Given<String>>>,
        mut faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let mut form = Form::new(&mut faults);
        if one.is_present() && several.is_present() {
            form.fault("account_ids", Rule::Beside("account_id"));
        } else if !one.is_present() && !several.is_present() {
            form.fault("account_id", Rule::Required);
        }
        let id = |text: String| SeatId::parse(&text).map_err(|_| Rule::SeatId);
        let one = form.optional("account_id", one, id);
        let listed = |ids: Vec<_>| {
            let fits = (1..=MAX_DEACTIVATIONS_PER_REQUEST).contains(&ids.len());
            let count = Rule::Count { min: 1, max: MAX_DEACTIVATIONS_PER_REQUEST };
            if fits { Ok(ids) } else { Err(count) }
        };
        let several = form.optional("account_ids", several, listed).unwrap_or_default();
        let several = parse_list(several, id, &mut form);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(one.map_or(Self::Several(several), Self::One))
    }

    /// The seats, in the order of the request.
    pub fn ids(&self) -> &[SeatId] {
        match self {
            DeactivateSeats::One(id) => std::slice::from_ref(id),
            DeactivateSeats::Several(ids) => ids,
        }
    }

    /// What is wrong when some of the seats are not there, or are somebody else's.
    fn missing(&self, kept: &HashMap<SeatId, KeptSeat>) -> Vec<Fault> {
        let places = self.ids().iter().enumerate().filter(|(_, id)| !kept.contains_key(id));
        let field = |place| match self {
            DeactivateSeats::One(_) => "account_id".into(),
            DeactivateSeats::Several(_) => format!("account_ids[{place}]").into(),
        };
        let fault = |(place, _)| Fault { index: None, field: field(place), rule: Rule::NoSuchSeat };
        places.map(fault).collect()
    }
}

fn parse_list(
    list: Vec<Given<String>>,
    id: impl Fn(String) -> Result<SeatId, Rule>,
    form: &mut Form<'_>,
) -> Vec<SeatId> {
    let mut ids = Vec::with_capacity(list.len());
    let mut first_at: HashMap<SeatId, usize> = HashMap::new();
    for (place, given) in list.into_iter().enumerate() {
        let rule = match given {
            Given::Absent => Err(Rule::Required),
            Given::Wrong(kind) => Err(Rule::Type(kind)),
            Given::Value(text) => id(text),
        };
        let rule = rule.and_then(|id| match first_at.get(&id) {
            Some(&first) => Err(Rule::RepeatOf(first)),
            None => {
                first_at.insert(id.clone(), place);
                Ok(id)
            }
        });
        match rule {
            Ok(id) => ids.push(id),
            Err(rule) => form.fault(format!("account_ids[{place}]"), rule),
        }
    }
    ids
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
    /// How often it has been changed: its optimistic lock. 0 for one that never was.
    pub version: u64,
}

/// One transaction's worth of a request: the seats that are still counted, what they take from
/// the billing record, the audit entry, and the piece of the idempotency record that says that it
/// was done. None of these can be saved without the others.
#[derive(Debug, Clone)]
pub struct Deactivation<'a> {
    /// Whose seats they are.
    pub organization: &'a OrganizationId,
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

impl Deactivation<'_> {
    /// How many seats of each tier are counted no more.
    pub fn counts(&self) -> SeatCounts {
        let mut counts = SeatCounts::default();
        for seat in self.seats {
            match seat.tier {
                Tier::Basic => counts.basic += 1,
                Tier::Premium => counts.premium += 1,
            }
        }
        counts
    }
}

/// Why seats could not be deactivated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeactivationRefusal {
    /// Some of the seats are not there, or are somebody else's, which looks the same.
    Missing(Vec<Fault>),
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

    /// The seats of an organization among `ids`, in any order, as of now (consistent reads).
    ///
    /// # Errors
    /// [`NotDeactivated::Throttled`] and [`NotDeactivated::Unavailable`].
    fn seats(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> impl Future<Output = Result<Vec<KeptSeat>, NotDeactivated>> + Send;

    /// Commits all of it or nothing. `Some` is what an earlier commit of the same request left:
    /// nothing was done now.
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
    /// Which.
    pub seats: &'a DeactivateSeats,
    /// Who asks.
    pub credential: &'a CredentialId,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a KeyedRequest>,
    /// What the caller is told.
    pub answer: &'a str,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// The time of the request.
    pub now: Timestamp,
}

/// Deactivates seats in as few transactions as possible, in the order of the request. `Some` is
/// what an earlier sending of the same request was told.
///
/// That a seat is deactivated already is no fault: it is counted down once. Should a later
/// transaction of a long request fail, the same request again does the rest.
///
/// # Errors
/// [`DeactivationRefusal`]. With [`DeactivationRefusal::Missing`] and
/// [`DeactivationRefusal::KeyReused`] nothing was done.
pub async fn deactivate(
    store: &impl SeatEndings,
    ports: &(impl Clock + Entropy),
    ending: &Ending<'_>,
) -> Result<Option<String>, DeactivationRefusal> {
    let mut kept = read(store, ending).await?;
    let missing = ending.seats.missing(&kept);
    if !missing.is_empty() {
        return Err(DeactivationRefusal::Missing(missing));
    }
    let mut told = None;
    let mut request = ending.request.cloned();
    for (part, ids) in ending.seats.ids().chunks(store.deactivations_per_commit()).enumerate() {
        let stored = commit(store, ports, ending, &mut kept, (part, ids), request.as_ref()).await?;
        if let (Some(stored), Some(request)) = (&stored, &mut request) {
            // The parts of a record expire together, with the first.
            request.expires_at = stored.expires_at;
        }
        // What one part did now was not done before.
        let stored = stored.map(|stored| stored.answer);
        told = if part == 0 { stored } else { told.and(stored) };
    }
    Ok(told)
}

async fn read(
    store: &impl SeatEndings,
    ending: &Ending<'_>,
) -> Result<HashMap<SeatId, KeptSeat>, NotDeactivated> {
    let seats = store.seats(ending.organization, ending.seats.ids()).await?;
    Ok(seats.into_iter().map(|seat| (seat.id.clone(), seat)).collect())
}

/// One transaction of a request, tried again when somebody else was faster.
async fn commit(
    store: &impl SeatEndings,
    ports: &(impl Clock + Entropy),
    ending: &Ending<'_>,
    kept: &mut HashMap<SeatId, KeptSeat>,
    (part, ids): (usize, &[SeatId]),
    request: Option<&KeyedRequest>,
) -> Result<Option<Stored>, DeactivationRefusal> {
    for _ in 0..MAX_TRIES {
        let counted = ids.iter().filter_map(|id| kept.get(id));
        let seats: Vec<_> = counted.filter(|seat| !seat.is_deactivated).cloned().collect();
        if seats.is_empty() && request.is_none() {
            return Ok(None);
        }
        let audit = Entry {
            id: AuditId::new(ports, ports)?,
            credential: ending.credential,
            route: ending.route,
            objects: seats.iter().map(|seat| seat.id.as_str()).collect(),
            fields: &["status"],
            at: ending.now,
            request_id: ending.request_id,
        };
        let deactivation = Deactivation {
            organization: ending.organization,
            audit: (!seats.is_empty()).then_some(audit),
            seats: &seats,
            record: request.map(|request| Keyed {
                request,
                part,
                answer: ending.answer.to_owned(),
            }),
            tiers: ending.tiers,
            now: ending.now,
        };
        match store.deactivate(deactivation).await {
            Err(NotDeactivated::Changed) => *kept = read(store, ending).await?,
            done => return Ok(done?),
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
        let faults = DeactivateSeats::parse(one, several, Vec::new()).expect_err("faults");
        faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect()
    }

    #[test]
    fn one_or_several_and_not_both() {
        let one = DeactivateSeats::parse(given(&id('1')), Given::Absent, Vec::new());
        assert_eq!(one.expect("valid").ids().len(), 1);
        let list = several(&[&id('1'), &id('2')]);
        let both = DeactivateSeats::parse(Given::Absent, list.clone(), Vec::new());
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
