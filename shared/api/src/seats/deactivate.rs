//! `POST /billing/deactivate`: seats are given back.

use headcount_model::fault::{Fault, Given, Kind};
use headcount_model::id::SeatId;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{DeactivateSeats, DeactivationRefusal};
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::{Refusal, Success};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::{Json, Object};
#[cfg(feature = "openapi")]
use crate::schema;

/// Reads the body of `POST /billing/deactivate`.
///
/// # Errors
/// Every fault.
pub fn deactivate_seats(body: Object) -> Result<DeactivateSeats, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let one = fields.text("account_id");
    let several = match fields.array("account_ids") {
        Given::Absent => Given::Absent,
        Given::Wrong(kind) => Given::Wrong(kind),
        Given::Value(list) => Given::Value(list.into_iter().map(text).collect()),
    };
    fields.refuse_rest(&mut faults);
    DeactivateSeats::parse(one, several, faults)
}

/// An element of a list of texts.
fn text(element: Json) -> Given<String> {
    match element {
        Json::Null => Given::Absent,
        Json::String(text) => Given::Value(text),
        _ => Given::Wrong(Kind::String),
    }
}

/// What the caller is told: the published body for `account_id`, the plural for `account_ids`.
pub fn deactivated(seats: &DeactivateSeats) -> Answer {
    match seats {
        DeactivateSeats::One(id) => success(DeactivatedView {
            message: "Account deactivated and billing updated",
            account_id: id.as_str(),
        }),
        DeactivateSeats::Several(ids) => success(DeactivatedSeveralView {
            message: format!("Deactivated {} account(s) and billing updated", ids.len()),
            account_ids: ids.iter().map(SeatId::as_str).collect(),
        }),
    }
}

/// What the caller was told before.
pub fn deactivated_before(body: String) -> Answer {
    Answer::stored(StoredAnswer { status: 200, location: None, body }, true)
}

fn success(data: impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "DeactivatedOne"))]
pub(crate) struct DeactivatedView<'d> {
    /// A sentence for a person.
    message: &'static str,
    /// The account.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::seat_id"))]
    account_id: &'d str,
}

#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "DeactivatedSeveral")
)]
pub(crate) struct DeactivatedSeveralView<'d> {
    /// A sentence for a person.
    message: String,
    /// The accounts, in the order of the request.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::seat_ids"))]
    account_ids: Vec<&'d str>,
}

/// One of the two answers.
#[cfg(feature = "openapi")]
#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[allow(dead_code, reason = "stands for its schema")]
pub(crate) enum EitherView<'d> {
    One(DeactivatedView<'d>),
    Several(DeactivatedSeveralView<'d>),
}

impl From<DeactivationRefusal> for Failure<Refusal> {
    fn from(refusal: DeactivationRefusal) -> Self {
        match refusal {
            DeactivationRefusal::Missing(faults) => Failure::Faults(faults),
            DeactivationRefusal::KeyReused => Failure::KeyReused,
            DeactivationRefusal::Throttled => Failure::TooManyRequests,
            DeactivationRefusal::Unavailable => Failure::Unavailable,
        }
    }
}
