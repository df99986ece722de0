//! The answer of device provisioning to a setup that was asked for (docs/adr/0036-results-of-setups.md).
//!
//! A result says which request it answers: the number that `SeatSetupRequested` carries, which is the
//! version that the seat got by it. It decides only while the seat waits for that very setup, so that
//! results may come late, twice and in any order.

use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;

use super::SeatStatus;
use crate::audit::Entry;
use crate::fault::{Fault, Form, Given, Rule};
use crate::id::{AuditId, OrganizationId, SeatId};
use crate::port::{Clock, Entropy};
use crate::text::Text;

/// The longest reason, in Unicode scalar values after trimming.
pub const MAX_REASON: usize = 1_000;

/// The fields of a result. There are no others: a name that is misspelt must not count as left out.
pub const SETUP_FIELDS: [&str; 5] = ["organization", "id", "outcome", "reason", "request"];

/// How often a seat is read again because somebody else changed it meanwhile.
const MAX_TRIES: usize = 5;

/// How a setup ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Written `ready`: the seat can be used.
    Ready,
    /// Written `failed`: it cannot.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 2] = [Outcome::Ready, Outcome::Failed];

    /// The outcome as provisioning writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ready => "ready",
            Outcome::Failed => "failed",
        }
    }

    /// What the seat becomes by it.
    pub fn status(self) -> SeatStatus {
        match self {
            Outcome::Ready => SeatStatus::Initialized,
            Outcome::Failed => SeatStatus::Failed,
        }
    }
}

impl FromStr for Outcome {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        super::seat::one_of(text, Outcome::ALL, Outcome::as_str)
    }
}

/// The fields of a result as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // As in `SetupResult`.
pub struct SetupInput {
    pub organization: Given<String>,
    pub id: Given<String>,
    pub outcome: Given<String>,
    pub reason: Given<String>,
    /// `None` in it is a number that is no whole one from 0.
    pub request: Given<Option<u64>>,
}

/// A valid result of a setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupResult {
    /// Whose seat it is.
    pub organization: OrganizationId,
    /// Which.
    pub id: SeatId,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, for a person.
    pub reason: Option<Text>,
    /// Which request it answers; `None` where the sender does not know.
    pub request: Option<u64>,
}

impl SetupResult {
    /// Checks every field.
    ///
    /// # Errors
    /// Every fault, behind those in `faults` that the reader of the message has found already.
    pub fn parse(input: SetupInput, mut faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        let mut form = Form::new(&mut faults);
        let organization = form.required("organization", input.organization, |text| {
            OrganizationId::parse(&text).map_err(|_| Rule::OrganizationId)
        });
        let id =
            form.required("id", input.id, |text| SeatId::parse(&text).map_err(|_| Rule::SeatId));
        let outcome = form.required("outcome", input.outcome, |text| text.parse());
        let reason =
            form.optional("reason", input.reason, |text| Text::lines(&text, 1..=MAX_REASON));
        let request = form.optional("request", input.request, |number| {
            let is_known = |number: &u64| *number <= u32::MAX.into();
            number.filter(is_known).ok_or(Rule::Range { min: 0, max: u32::MAX })
        });
        match (organization, id, outcome) {
            (Some(organization), Some(id), Some(outcome)) if faults.is_empty() => {
                Ok(Self { organization, id, outcome, reason, request })
            }
            _ => Err(faults),
        }
    }
}

impl SetupResult {
    /// The reason, where it is kept: of a setup that failed.
    pub fn kept_reason(&self) -> Option<&Text> {
        self.reason.as_ref().filter(|_| self.outcome == Outcome::Failed)
    }
}

/// What of a seat decides about a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupState {
    /// Its status in its own words: one that a later version wrote is no `pending`.
    pub status: String,
    /// How often it was changed.
    pub version: u64,
    /// The request for the setup that it is in, or was in last.
    pub request: u64,
}

/// One transaction: the seat under its version, and the audit entry.
#[derive(Debug, Clone)]
pub struct Decision<'a> {
    /// What it follows from.
    pub result: &'a SetupResult,
    /// The version that the seat was read with.
    pub read: u64,
    /// What was done, and when.
    pub audit: Entry<'a>,
}

/// Why the table did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRecorded {
    /// The seat is not what it was when it was read.
    Changed,
    /// The table takes no more, or did not answer; what happened is unknown.
    Unavailable,
}

/// Where results are recorded.
pub trait Setups {
    /// The state of a seat as of now (a consistent read); `None` when there is none.
    ///
    /// # Errors
    /// [`NotRecorded::Unavailable`].
    fn setup_state(
        &self,
        organization: &OrganizationId,
        id: &SeatId,
    ) -> impl Future<Output = Result<Option<SetupState>, NotRecorded>> + Send;

    /// Commits all of it or nothing.
    ///
    /// # Errors
    /// [`NotRecorded`].
    fn decide_setup(
        &self,
        decision: Decision<'_>,
    ) -> impl Future<Output = Result<(), NotRecorded>> + Send;
}

/// Why a result changes nothing, and need not come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// The seat waits for no setup: it was decided before, or given back.
    NotPending,
    /// The seat waits for a later setup than this one.
    EarlierRequest,
}

/// What came of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The seat has become what it says.
    Now(SeatStatus),
    /// Nothing has changed.
    Passed(Passed),
}

/// Why a result was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetupUndecided {
    /// It can never be: it is about nothing that was asked for.
    Faults(Vec<Fault>),
    /// Later it can.
    TryLater,
}

/// What a result does to a seat.
///
/// # Errors
/// The fault of a result that answers nothing which was ever asked for.
fn judge(result: &SetupResult, state: Option<&SetupState>) -> Result<Option<Passed>, Fault> {
    let fault = |field: &'static str, rule| Fault { index: None, field: field.into(), rule };
    let state = state.ok_or_else(|| fault("id", Rule::NoSuchSeat))?;
    // What is asked for is committed before it is told.
    let max = u32::try_from(state.request).unwrap_or(u32::MAX);
    if result.request.is_some_and(|request| request > max.into()) {
        return Err(fault("request", Rule::Range { min: 0, max }));
    }
    if state.status != SeatStatus::Pending.as_str() {
        return Ok(Some(Passed::NotPending));
    }
    let is_earlier = result.request.is_some_and(|request| request < state.request);
    Ok(is_earlier.then_some(Passed::EarlierRequest))
}

/// Records a result, unless the seat has come to something later.
///
/// # Errors
/// [`SetupUndecided`]; nothing was changed, except that it is unknown for [`SetupUndecided::TryLater`].
pub async fn record_setup(
    store: &impl Setups,
    ports: &(impl Clock + Entropy),
    result: &SetupResult,
    invocation: &str,
) -> Result<Decided, SetupUndecided> {
    for _ in 0..MAX_TRIES {
        let state = store.setup_state(&result.organization, &result.id).await;
        let state = state.map_err(|_| SetupUndecided::TryLater)?;
        let passed = judge(result, state.as_ref());
        if let Some(passed) = passed.map_err(|fault| SetupUndecided::Faults(vec![fault]))? {
            return Ok(Decided::Passed(passed));
        }
        let decision = Decision {
            result,
            read: state.map_or(0, |state| state.version),
            audit: audit(ports, result, ports.now(), invocation)?,
        };
        match store.decide_setup(decision).await {
            Ok(()) => return Ok(Decided::Now(result.outcome.status())),
            Err(NotRecorded::Changed) => {}
            Err(NotRecorded::Unavailable) => break,
        }
    }
    Err(SetupUndecided::TryLater)
}

fn audit<'a>(
    ports: &(impl Clock + Entropy),
    result: &'a SetupResult,
    at: Timestamp,
    invocation: &'a str,
) -> Result<Entry<'a>, SetupUndecided> {
    Ok(Entry {
        id: AuditId::new(ports, ports).map_err(|_| SetupUndecided::TryLater)?,
        credential: None,
        route: "record-setup",
        objects: vec![result.id.as_str()],
        fields: match result.kept_reason() {
            Some(_) => &["status", "setup_error"],
            None => &["status"],
        },
        at,
        request_id: invocation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(request: Option<u64>) -> SetupResult {
        let given = |text: &str| Given::Value(text.to_owned());
        let input = SetupInput {
            organization: given("org_01kgjb9z8rd3m0acme00000000"),
            id: given("acc_01kgjb9z8rd3m0backseat0000"),
            outcome: given("ready"),
            reason: Given::Absent,
            request: request.map_or(Given::Absent, |request| Given::Value(Some(request))),
        };
        SetupResult::parse(input, Vec::new()).expect("a result")
    }

    fn judged(request: Option<u64>, status: &str, version: u64, of: u64) -> Result<bool, Rule> {
        let state = SetupState { status: status.to_owned(), version, request: of };
        let passed = judge(&result(request), Some(&state));
        passed.map(|passed| passed.is_none()).map_err(|fault| fault.rule)
    }

    #[test]
    fn a_result_decides_about_the_setup_that_it_answers_and_no_other() {
        for (request, version, of, decides) in [
            (None, 7, 3, true),
            (Some(3), 7, 3, true),
            (Some(0), 0, 0, true),
            (Some(0), 7, 3, false),
            (Some(2), 7, 3, false),
        ] {
            assert_eq!(judged(request, "pending", version, of), Ok(decides), "{request:?}");
            for status in ["uninitialized", "initialized", "failed", "deactivated", "of tomorrow"] {
                assert_eq!(judged(request, status, version, of), Ok(false), "{status}");
            }
        }
        for status in ["pending", "initialized"] {
            let range = Rule::Range { min: 0, max: 3 };
            assert_eq!(judged(Some(4), status, 7, 3), Err(range), "never asked for");
        }
        assert_eq!(judge(&result(None), None).map_err(|fault| fault.rule), Err(Rule::NoSuchSeat));
    }

    #[test]
    fn every_fault_is_told() {
        let long = Given::Value("x".repeat(MAX_REASON + 1));
        let input = SetupInput {
            organization: Given::Value("org_x".to_owned()),
            outcome: Given::Value("done".to_owned()),
            reason: long,
            request: Given::Value(None),
            ..SetupInput::default()
        };
        let faults = SetupResult::parse(input, Vec::new()).expect_err("faults");
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(fields, ["organization", "id", "outcome", "reason", "request"]);
    }
}
