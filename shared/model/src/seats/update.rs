//! Changing seats that exist: their details, their place in the organization and their tier. Each
//! seat is one transaction, with its effect on billing and its piece of the idempotency record.

use std::collections::HashMap;
use std::future::Future;

use jiff::{SignedDuration, Timestamp};

use super::create::CommitRefusal;
use super::list::ListedSeat;
use super::seat::{AgeRange, Keywords, Platforms, Profile, SeatStatus, Sex, Tier, Username};
use crate::audit::Entry;
use crate::fault::{Fault, Form, Given, Rule};
use crate::id::{AuditId, CredentialId, OrganizationId, SeatId};
use crate::idempotency::{Keyed, StoredAnswer};
use crate::policy::BillingPolicy;
use crate::port::{Clock, Entropy};
use crate::text::{Text, check_length};
use crate::tiers::Tiers;
use crate::web_url::WebUrl;

/// The most seats that one request may change.
pub const MAX_UPDATES_PER_REQUEST: usize = 100;

/// The longest JSON text that is kept of a field that means nothing here, in characters.
pub const MAX_KEPT_JSON: usize = 4_096;

/// The highest version that a caller may expect.
pub const MAX_VERSION: u32 = u32::MAX;

/// How often a seat is read again because somebody else changed it meanwhile.
const MAX_TRIES: usize = 5;

/// How long transactions of one request are begun, as in a create.
const SERIES_BUDGET: SignedDuration = SignedDuration::from_secs(12);

/// The fields that are texts, as callers and the table name them. `type` is another name of
/// `platform` and kept as that.
pub const TEXT_FIELDS: [&str; 13] = [
    "platform",
    "type",
    "username",
    "pfp_url",
    "keywords",
    "nick_name",
    "age_range",
    "sex",
    "location",
    "description",
    "tag",
    "org_group",
    "user_group",
];

/// The fields that the original documents and that mean nothing here: they are kept as the JSON that
/// was sent, and given back.
pub const KEPT_FIELDS: [&str; 3] = ["profiles", "warmupVersion", "postVersion"];

/// What setup needs to know: all four or none.
const DETAILS: [&str; 4] = ["platform", "username", "pfp_url", "keywords"];

/// The fields of one update as a caller sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateInput {
    /// Which seat.
    pub account_id: Given<String>,
    /// Those of [`TEXT_FIELDS`] and [`KEPT_FIELDS`] that are there, in this order; absent is `null`.
    pub fields: Vec<(&'static str, Given<String>)>,
    /// `None` when it is left out.
    pub tier: Option<Given<String>>,
    /// The version that the seat is expected to have; `None` when it is left out.
    pub version: Option<Given<Option<u64>>>,
}

/// A valid wish for a change of a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatUpdate {
    /// Which seat.
    pub id: SeatId,
    /// The new values by their fields; `None` clears one.
    changes: Vec<(&'static str, Option<String>)>,
    tier: Option<Tier>,
    version: Option<u64>,
    index: Option<usize>,
}

impl SeatUpdate {
    /// Checks every field of the update at position `index`; `None` for the form that has one alone.
    ///
    /// # Errors
    /// Every fault, behind those in `faults` that the reader of the body has found already.
    pub fn parse(
        index: Option<usize>,
        input: UpdateInput,
        platforms: &Platforms,
        mut faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let mut form = match index {
            None => Form::new(&mut faults),
            Some(index) => Form::of_seat(index, &mut faults),
        };
        let is_empty = input.fields.is_empty() && input.tier.is_none() && input.version.is_none();
        let id = form.required("accountId", input.account_id, |text| {
            SeatId::parse(&text).map_err(|_| Rule::SeatId)
        });
        if is_empty {
            form.fault("accountId", Rule::NothingToChange);
        }
        let mut changes: Vec<(&'static str, Option<String>)> = Vec::new();
        for (field, given) in input.fields {
            let is_null = !given.is_present();
            let value = form.optional(field, given, |raw| parse(field, &raw, platforms));
            if !is_null && value.is_none() {
                continue;
            }
            let name = if field == "type" { "platform" } else { field };
            match changes.iter().find(|(known, _)| *known == name) {
                None => changes.push((name, value)),
                // What was read and is sent back has both.
                Some((_, known)) if *known == value => {}
                Some(_) => form.fault(field, Rule::Beside("platform")),
            }
        }
        let tier = input.tier.and_then(|tier| form.required("tier", tier, |raw| raw.parse()));
        let version = input.version.and_then(|version| {
            form.optional("version", version, |number| {
                let is_known = |number: &u64| *number <= MAX_VERSION.into();
                number.filter(is_known).ok_or(Rule::Range { min: 0, max: MAX_VERSION })
            })
        });
        match id {
            Some(id) if faults.is_empty() => Ok(Self { id, changes, tier, version, index }),
            _ => Err(faults),
        }
    }

    /// What becomes of a seat.
    ///
    /// A seat that was not set up yet, or in vain, is set up once its details are whole.
    ///
    /// # Errors
    /// [`UpdateRefusal`], but for that by billing.
    fn apply(
        &self,
        kept: Option<&ListedSeat>,
        now: Timestamp,
    ) -> Result<(ListedSeat, Vec<&'static str>), UpdateRefusal> {
        let kept = kept.ok_or(UpdateRefusal::NoSuchSeat)?;
        if kept.status == SeatStatus::Deactivated.as_str() {
            return Err(UpdateRefusal::Deactivated);
        }
        if self.version.is_some_and(|version| version != kept.version) {
            return Err(UpdateRefusal::VersionMismatch);
        }
        let mut seat = kept.clone();
        let mut fields = Vec::new();
        for (field, value) in &self.changes {
            let Some(slot) = seat.slot(field) else { continue };
            if slot != value {
                slot.clone_from(value);
                fields.push(*field);
            }
        }
        let touches = |name: &&str| self.changes.iter().any(|(field, _)| field == name);
        if DETAILS.iter().any(touches) {
            let missing: Vec<_> = DETAILS
                .into_iter()
                .filter(|name| seat.slot(name).is_none_or(|s| s.is_none()))
                .collect();
            if (1..DETAILS.len()).contains(&missing.len()) {
                let fault = |name: &'static str| Fault {
                    index: self.index,
                    field: name.into(),
                    rule: Rule::RequiredInGroup,
                };
                return Err(UpdateRefusal::Faults(missing.into_iter().map(fault).collect()));
            }
            if missing.len() == DETAILS.len() && kept.platform.is_some() {
                // What setup was told cannot be taken back.
                let fault = |name: &'static str| Fault {
                    index: self.index,
                    field: name.into(),
                    rule: Rule::Required,
                };
                return Err(UpdateRefusal::Faults(missing.into_iter().map(fault).collect()));
            }
            let waits = [SeatStatus::Uninitialized, SeatStatus::Failed].map(SeatStatus::as_str);
            if missing.is_empty() && waits.contains(&&*kept.status) {
                SeatStatus::Pending.as_str().clone_into(&mut seat.status);
                fields.push("status");
            }
        }
        if let Some(tier) = self.tier.filter(|tier| tier.as_str() != kept.tier) {
            tier.as_str().clone_into(&mut seat.tier);
            fields.push("tier");
        }
        if !fields.is_empty() {
            seat.version += 1;
            seat.updated_at = now;
        }
        Ok((seat, fields))
    }
}

/// Reads the value of a field as it is kept.
fn parse(field: &str, raw: &str, platforms: &Platforms) -> Result<String, Rule> {
    let line = |max| Text::line(raw, 1..=max).map(|text| text.as_str().to_owned());
    match field {
        "platform" | "type" => platforms.check(raw),
        "username" => Username::parse(raw).map(|name| name.as_str().to_owned()),
        "pfp_url" => WebUrl::parse(raw).map(|url| url.as_str().to_owned()),
        "keywords" => Keywords::parse(raw).map(|keywords| keywords.as_str().to_owned()),
        "nick_name" => line(Profile::MAX_NICK_NAME),
        "age_range" => AgeRange::parse(raw).map(|range| range.as_str().to_owned()),
        "sex" => raw.parse::<Sex>().map(|sex| sex.as_str().to_owned()),
        "location" => line(Profile::MAX_LOCATION),
        "description" => {
            Text::lines(raw, 1..=Profile::MAX_DESCRIPTION).map(|text| text.as_str().to_owned())
        }
        "tag" => line(Profile::MAX_TAG),
        "org_group" | "user_group" => line(Profile::MAX_ORG_GROUP),
        // JSON, of which nothing is asked but that it is short.
        _ => check_length(raw, 1..=MAX_KEPT_JSON).map(|()| raw.to_owned()),
    }
}

/// One update of a request that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The seat as the caller named it.
    pub account_id: String,
    /// What is to be done to it, or what is wrong with that.
    pub update: Result<SeatUpdate, Vec<Fault>>,
}

/// A valid request to change seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateSeats {
    /// The older form: one, whose faults are those of the request.
    One(SeatUpdate),
    /// `updates`: several, in the order of the request, each with faults of its own.
    Several(Vec<Asked>),
}

impl UpdateSeats {
    /// Several updates. Of those that name the same seat none is carried out: which one was meant
    /// is not known.
    pub fn several(mut updates: Vec<Asked>) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, asked) in updates.iter().enumerate() {
            // An id is read whatever space is around it.
            let id = SeatId::parse(&asked.account_id);
            let name = id.map_or_else(|_| asked.account_id.clone(), |id| id.to_string());
            places.entry(name).or_default().push(place);
        }
        for places in places.into_values().filter(|places| places.len() > 1) {
            for &place in &places {
                let other = if place == places[0] { places[1] } else { places[0] };
                let fault = Fault {
                    index: Some(place),
                    field: "accountId".into(),
                    rule: Rule::RepeatOf(other),
                };
                match &mut updates[place].update {
                    Err(faults) => faults.push(fault),
                    update => *update = Err(vec![fault]),
                }
            }
        }
        UpdateSeats::Several(updates)
    }

    fn ids(&self) -> Vec<SeatId> {
        match self {
            UpdateSeats::One(update) => vec![update.id.clone()],
            UpdateSeats::Several(updates) => {
                let valid = updates.iter().filter_map(|asked| asked.update.as_ref().ok());
                valid.map(|update| update.id.clone()).collect()
            }
        }
    }
}

/// Why a seat was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateRefusal {
    /// Fields break rules.
    Faults(Vec<Fault>),
    /// The seat is not there, or is somebody else's, which looks the same.
    NoSuchSeat,
    /// The seat was given back.
    Deactivated,
    /// The seat has another version than the one expected.
    VersionMismatch,
    /// Billing does not take the other tier.
    Billing(CommitRefusal),
}

/// Why a request was not carried out to its end. What was done is done once, also when the request
/// comes again under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateFailure {
    /// The one seat of the older form was refused.
    Refused(UpdateRefusal),
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The organization is written to faster than the table takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// One transaction: a seat under its version, what a tier changes of the billing record, the audit
/// entry, and the piece of the idempotency record that says what was done or refused. None of these
/// can be saved without the others.
#[derive(Debug, Clone)]
pub struct UpdateCommit<'a> {
    /// Whose seat it is.
    pub organization: &'a OrganizationId,
    /// What is changed; `None` when nothing is, and there is only a record to be made.
    pub change: Option<SeatChange<'a>>,
    /// Key and fingerprint, the number of the update, and what is told about it; `None` without a key.
    pub record: Option<(&'a Keyed, usize, StoredAnswer)>,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// Which subscriptions take seats.
    pub policy: &'a BillingPolicy,
    /// The time of the request.
    pub now: Timestamp,
}

/// The change of one seat.
#[derive(Debug, Clone)]
pub struct SeatChange<'a> {
    /// The version that it was read with.
    pub read: u64,
    /// The seat as it shall be.
    pub seat: &'a ListedSeat,
    /// The fields that differ.
    pub fields: &'a [&'static str],
    /// From which tier to which, where that is changed.
    pub tier: Option<(Tier, Tier)>,
    /// Who did it.
    pub audit: Entry<'a>,
}

/// Why a transaction was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUpdated {
    /// The seat is not what it was when it was read.
    Changed,
    /// As in [`CommitRefusal`].
    Refused(CommitRefusal),
}

/// What an earlier commit of the same request left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierUpdate {
    /// What the caller was told.
    pub answer: StoredAnswer,
    /// When its record stops answering.
    pub expires_at: Timestamp,
}

/// Where seats are changed.
pub trait SeatUpdates {
    /// The seats of an organization among `ids`, at most [`MAX_UPDATES_PER_REQUEST`], in any order, as
    /// of now (consistent reads).
    ///
    /// # Errors
    /// [`NotUpdated::Refused`] with [`CommitRefusal::Throttled`] or [`CommitRefusal::Unavailable`].
    fn seats_to_update(
        &self,
        organization: &OrganizationId,
        ids: &[SeatId],
    ) -> impl Future<Output = Result<Vec<ListedSeat>, NotUpdated>> + Send;

    /// What an earlier commit of the same request left, if there was one.
    ///
    /// # Errors
    /// [`NotUpdated::Refused`].
    fn earlier_update(
        &self,
        request: &Keyed,
        part: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<EarlierUpdate>, NotUpdated>> + Send;

    /// Commits all of it or nothing. `Some` is what an earlier commit of the same request left: nothing
    /// was done now.
    ///
    /// # Errors
    /// [`NotUpdated`]; nothing was written, except that it is unknown for
    /// [`CommitRefusal::Unavailable`].
    fn update_seat(
        &self,
        commit: UpdateCommit<'_>,
    ) -> impl Future<Output = Result<Option<EarlierUpdate>, NotUpdated>> + Send;
}

/// What a caller is told about an update; `None` names the older form.
pub type Word = fn(Option<&str>, Result<&ListedSeat, &UpdateRefusal>) -> StoredAnswer;

/// A valid request to change seats, with everything that decides about it.
#[derive(Debug, Clone)]
pub struct Updating<'a> {
    /// Whose seats they are.
    pub organization: &'a OrganizationId,
    /// Which, and what is to be changed.
    pub updates: &'a UpdateSeats,
    /// Who asks.
    pub credential: &'a CredentialId,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a Keyed>,
    /// What the caller is told, by the seat as it was named.
    pub word: Word,
    /// What the tiers stand for.
    pub tiers: &'a Tiers,
    /// Which subscriptions take seats.
    pub policy: &'a BillingPolicy,
    /// The time of the request.
    pub now: Timestamp,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatsUpdated {
    /// What is told about each update, in order.
    pub answers: Vec<StoredAnswer>,
    /// Nothing was done now: every answer comes from the record.
    pub is_replay: bool,
}

/// Changes seats, each in a transaction of its own, in order.
///
/// Under a key every update leaves its piece of the record, also one that is refused: a retry after a
/// crash in between finds what was told about those before it, whatever became of the seats since, and
/// goes on behind them. The pieces expire together, with the first.
///
/// # Errors
/// [`UpdateFailure`]. Updates before the one that met it are done; the same request again does the rest.
pub async fn update(
    store: &impl SeatUpdates,
    ports: &(impl Clock + Entropy),
    updating: &Updating<'_>,
) -> Result<SeatsUpdated, UpdateFailure> {
    let ids = updating.updates.ids();
    let mut kept = HashMap::new();
    if !ids.is_empty() {
        let seats = store.seats_to_update(updating.organization, &ids).await?;
        kept.extend(seats.into_iter().map(|seat| (seat.id.clone(), seat)));
    }
    let asked = match updating.updates {
        UpdateSeats::One(update) => {
            let mut request = updating.request.cloned();
            let done = one(store, ports, updating, &mut kept, (0, None), Ok(update), &mut request);
            let (answer, is_replay) = done.await?;
            return Ok(SeatsUpdated { answers: vec![answer], is_replay });
        }
        UpdateSeats::Several(asked) => asked,
    };
    let mut request = updating.request.cloned();
    let mut done = SeatsUpdated { answers: Vec::with_capacity(asked.len()), is_replay: true };
    for (part, asked) in asked.iter().enumerate() {
        if part > 0 && ports.now().duration_since(updating.now) > SERIES_BUDGET {
            return Err(UpdateFailure::Unavailable);
        }
        let at = (part, Some(&*asked.account_id));
        let update = asked.update.as_ref().map_err(Vec::as_slice);
        let (answer, is_replay) =
            one(store, ports, updating, &mut kept, at, update, &mut request).await?;
        done.answers.push(answer);
        done.is_replay &= is_replay;
    }
    Ok(done)
}

/// One update, tried again when somebody else was faster.
async fn one(
    store: &impl SeatUpdates,
    ports: &(impl Clock + Entropy),
    updating: &Updating<'_>,
    kept: &mut HashMap<SeatId, ListedSeat>,
    (part, name): (usize, Option<&str>),
    update: Result<&SeatUpdate, &[Fault]>,
    request: &mut Option<Keyed>,
) -> Result<(StoredAnswer, bool), UpdateFailure> {
    let mut refused_by_billing = None;
    for _ in 0..MAX_TRIES {
        let applied = match (update, refused_by_billing.take()) {
            (_, Some(refusal)) => Err(UpdateRefusal::Billing(refusal)),
            (Err(faults), None) => Err(UpdateRefusal::Faults(faults.to_vec())),
            (Ok(update), None) => update.apply(kept.get(&update.id), updating.now),
        };
        if let (Err(refusal), None) = (&applied, name) {
            // The older form is refused as a request is, and that is not on record. But it may have
            // been carried out, and the seat be another one since.
            let earlier = match &*request {
                Some(request) => store.earlier_update(request, part, updating.now).await?,
                None => None,
            };
            let earlier = earlier.ok_or_else(|| UpdateFailure::Refused(refusal.clone()))?;
            return Ok((earlier.answer, true));
        }
        let answer = (updating.word)(name, applied.as_ref().map(|(seat, _)| seat));
        let change = match (&applied, update) {
            (Ok((seat, fields)), Ok(update)) if !fields.is_empty() => {
                Some(change(ports, updating, kept, update, (seat, fields))?)
            }
            _ => None,
        };
        if change.is_none() && request.is_none() {
            return Ok((answer, false));
        }
        let commit = UpdateCommit {
            organization: updating.organization,
            change,
            record: request.as_ref().map(|request| (request, part, answer.clone())),
            tiers: updating.tiers,
            policy: updating.policy,
            now: updating.now,
        };
        match store.update_seat(commit).await {
            Ok(None) => return Ok((answer, false)),
            Ok(Some(earlier)) => {
                if let Some(request) = request {
                    // The parts of a record expire together, with the first.
                    request.expires_at = earlier.expires_at;
                }
                return Ok((earlier.answer, true));
            }
            Err(NotUpdated::Changed) => {
                if let Ok(update) = update {
                    let ids = std::slice::from_ref(&update.id);
                    let seats = store.seats_to_update(updating.organization, ids).await?;
                    kept.remove(&update.id);
                    kept.extend(seats.into_iter().map(|seat| (seat.id.clone(), seat)));
                }
            }
            Err(NotUpdated::Refused(
                refusal @ (CommitRefusal::NoBilling
                | CommitRefusal::SeatLimitReached
                | CommitRefusal::SpendingLimitReached),
            )) => refused_by_billing = Some(refusal),
            Err(other) => return Err(other.into()),
        }
    }
    Err(UpdateFailure::Unavailable)
}

/// What a transaction changes of a seat.
fn change<'a>(
    ports: &(impl Clock + Entropy),
    updating: &Updating<'a>,
    kept: &HashMap<SeatId, ListedSeat>,
    update: &'a SeatUpdate,
    (seat, fields): (&'a ListedSeat, &'a [&'static str]),
) -> Result<SeatChange<'a>, UpdateFailure> {
    let before = kept.get(&update.id).ok_or(UpdateFailure::Unavailable)?;
    let tier = update.tier.filter(|tier| tier.as_str() != before.tier);
    // A tier that is not known cannot be counted down.
    let from = before.tier.parse::<Tier>().map_err(|_| UpdateFailure::Unavailable);
    let audit = Entry {
        id: AuditId::new(ports, ports).map_err(|_| UpdateFailure::Unavailable)?,
        credential: Some(updating.credential),
        route: updating.route,
        objects: vec![update.id.as_str()],
        fields,
        at: updating.now,
        request_id: updating.request_id,
    };
    Ok(SeatChange {
        read: before.version,
        seat,
        fields,
        tier: tier.map(|to| from.map(|from| (from, to))).transpose()?,
        audit,
    })
}

impl From<NotUpdated> for UpdateFailure {
    fn from(failed: NotUpdated) -> Self {
        match failed {
            NotUpdated::Refused(CommitRefusal::KeyReused) => UpdateFailure::KeyReused,
            NotUpdated::Refused(CommitRefusal::Throttled) => UpdateFailure::Throttled,
            NotUpdated::Changed | NotUpdated::Refused(_) => UpdateFailure::Unavailable,
        }
    }
}
