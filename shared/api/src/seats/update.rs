//! `POST /accounts/update-info`: seats that exist are changed, one or up to 100.

use headcount_model::fault::{Fault, Given, Kind, Rule};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{
    Asked, KEPT_FIELDS, ListedSeat, MAX_UPDATES_PER_REQUEST, Platforms, SeatUpdate, SeatsUpdated,
    TEXT_FIELDS, UpdateFailure, UpdateInput, UpdateRefusal, UpdateSeats,
};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::list::ListedSeatView;
use super::{Refusal, Seats, Success};
use crate::dialect::{Answer, Dialect, Failure};
use crate::fields::Fields;
use crate::json::{Json, Object};
const UPDATES: &str = "updates";

/// Reads the body of `POST /accounts/update-info`: `updates`, or the older form, a single one.
///
/// # Errors
/// Every fault of the older form; of `updates`, those that leave it open which accounts are meant.
/// Others are told with the update whose they are.
pub fn update_seats(body: Object, platforms: &Platforms) -> Result<UpdateSeats, Vec<Fault>> {
    if !body.contains_key(UPDATES) {
        return read(None, body, platforms).map(UpdateSeats::One);
    }
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let given = fields.array(UPDATES);
    fields.refuse_rest(&mut faults);
    let fault = |index, rule| Fault { index, field: UPDATES.into(), rule };
    let mut updates = Vec::new();
    match given {
        Given::Absent => faults.push(fault(None, Rule::Required)),
        Given::Wrong(kind) => faults.push(fault(None, Rule::Type(kind))),
        Given::Value(list) if !(1..=MAX_UPDATES_PER_REQUEST).contains(&list.len()) => {
            faults.push(fault(None, Rule::Count { min: 1, max: MAX_UPDATES_PER_REQUEST }));
        }
        Given::Value(list) => {
            for (index, update) in list.into_iter().enumerate() {
                let Json::Object(members) = update else {
                    faults.push(fault(Some(index), Rule::Type(Kind::Object)));
                    continue;
                };
                let rule = match members.get("accountId") {
                    Some(Json::String(id)) => {
                        let account_id = id.clone();
                        let update = read(Some(index), members, platforms);
                        updates.push(Asked { account_id, update });
                        continue;
                    }
                    None | Some(Json::Null) => Rule::Required,
                    Some(_) => Rule::Type(Kind::String),
                };
                faults.push(Fault { index: Some(index), field: "accountId".into(), rule });
            }
        }
    }
    if faults.is_empty() { Ok(UpdateSeats::several(updates)) } else { Err(faults) }
}

fn read(
    index: Option<usize>,
    members: Object,
    platforms: &Platforms,
) -> Result<SeatUpdate, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = match index {
        None => Fields::new(members),
        Some(index) => Fields::of_seat(index, members),
    };
    let account_id = fields.text("accountId");
    let tier = fields.text_if_there("tier");
    let version = fields.number_if_there("version");
    let mut given: Vec<_> = TEXT_FIELDS
        .into_iter()
        .filter_map(|name| Some((name, fields.text_if_there(name)?)))
        .collect();
    given.extend(
        KEPT_FIELDS.into_iter().filter_map(|name| Some((name, fields.json_if_there(name)?))),
    );
    fields.refuse_rest(&mut faults);
    let input = UpdateInput { account_id, fields: given, tier, version };
    SeatUpdate::parse(index, input, platforms, faults)
}

/// What the caller is told about one update, by the account as it was named; of the older form, which
/// names none, what the whole answer is.
pub fn update_told(
    account_id: Option<&str>,
    done: Result<&ListedSeat, &UpdateRefusal>,
) -> StoredAnswer {
    match (account_id, done) {
        (None, Ok(seat)) => success(&UpdatedOneView {
            message: "Account info updated successfully",
            account: seat.into(),
        }),
        (Some(account_id), Ok(seat)) => Answer::new(
            StatusCode::OK,
            &UpdatedView { account_id, success: true, account: seat.into() },
        ),
        (account_id, Err(refusal)) => {
            let answer = Seats::word(refusal.clone().into());
            let Some(account_id) = account_id else { return answer.kept() };
            // Worded once: the code and the faults are those of the request that has it alone.
            let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
            let view = NotUpdatedView {
                account_id,
                success: false,
                error: body["error"].as_str().unwrap_or_default(),
                errors: body["errors"].as_array().cloned().unwrap_or_default(),
            };
            Answer::new(answer.status, &view)
        }
    }
    .kept()
}

/// The answer, put together from what is told about each update.
pub fn updated(updates: &UpdateSeats, done: SeatsUpdated) -> Answer {
    let SeatsUpdated { mut answers, is_replay } = done;
    if matches!(updates, UpdateSeats::One(_))
        && let Some(answer) = answers.pop()
    {
        return Answer::stored(answer, is_replay);
    }
    let ok = StatusCode::OK.as_u16();
    let successful = answers.iter().filter(|answer| answer.status == ok).count();
    let whole = success(&UpdatedSeveralView {
        message: format!("Updated {successful} account(s)"),
        successful,
        failed: answers.len() - successful,
        results: Vec::new(),
    });
    // The results are JSON already, and go to the letter into the list that ends the answer.
    let results: Vec<_> = answers.into_iter().map(|answer| answer.body).collect();
    let open = whole.body.strip_suffix("]}}").unwrap_or_default();
    Answer { body: format!("{open}{}]}}}}", results.join(",")), replayed: is_replay, ..whole }
}

fn success(data: &impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "UpdatedOne"))]
pub(crate) struct UpdatedOneView<'s> {
    /// A sentence for a person.
    message: &'static str,
    /// The account as it is now.
    account: ListedSeatView<'s>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "UpdatedSeveral"))]
pub(crate) struct UpdatedSeveralView<'s> {
    /// A sentence for a person.
    message: String,
    /// How many accounts are as they were asked to be.
    successful: usize,
    /// How many are as they were.
    failed: usize,
    /// What became of each, in the order of the request.
    results: Vec<ResultView<'s>>,
}

/// What became of one of several updates.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "UpdateResult"))]
#[allow(dead_code, reason = "stands for its schema; what is sent was written one by one")]
pub(crate) enum ResultView<'s> {
    Updated(UpdatedView<'s>),
    NotUpdated(NotUpdatedView<'s>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Updated"))]
pub(crate) struct UpdatedView<'s> {
    /// The account as the request named it.
    account_id: &'s str,
    /// `true`
    success: bool,
    /// The account as it is now.
    account: ListedSeatView<'s>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NotUpdated"))]
pub(crate) struct NotUpdatedView<'s> {
    /// The account as the request named it.
    account_id: &'s str,
    /// `false`
    success: bool,
    /// The stable code, as an update of this account alone would have it.
    error: &'s str,
    /// What is wrong with which field; empty where no field is the cause.
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<super::FaultView>"))]
    errors: Vec<Value>,
}

impl From<UpdateRefusal> for Failure<Refusal> {
    fn from(refusal: UpdateRefusal) -> Self {
        match refusal {
            UpdateRefusal::Faults(faults) => Failure::Faults(faults),
            UpdateRefusal::NoSuchSeat => Failure::Faults(vec![Fault {
                index: None,
                field: "accountId".into(),
                rule: Rule::NoSuchSeat,
            }]),
            UpdateRefusal::Deactivated => Failure::Refused(Refusal::Deactivated),
            UpdateRefusal::VersionMismatch => Failure::Refused(Refusal::VersionMismatch),
            UpdateRefusal::Billing(refusal) => refusal.into(),
        }
    }
}

impl From<UpdateFailure> for Failure<Refusal> {
    fn from(failure: UpdateFailure) -> Self {
        match failure {
            UpdateFailure::Refused(refusal) => refusal.into(),
            UpdateFailure::KeyReused => Failure::KeyReused,
            UpdateFailure::Throttled => Failure::TooManyRequests,
            UpdateFailure::Unavailable => Failure::Unavailable,
        }
    }
}
