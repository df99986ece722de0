//! `POST /billing/deactivate`: seats are given back, or kept after all.

use headcount_model::fault::Fault;
use headcount_model::id::SeatId;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::seats::{DeactivateSeats, DeactivationRefusal, Told, Which};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::{Refusal, Success};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::Object;
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
    let several = fields.texts("account_ids");
    let revoke = fields.flag("revoke");
    fields.refuse_rest(&mut faults);
    DeactivateSeats::parse(one, several, revoke, faults)
}

/// What the caller is told: the published body for `account_id`, the plural for `account_ids`. Beside
/// it stands when the seats end that have not ended yet; where several differ, when the last one does.
pub fn deactivated(seats: &DeactivateSeats, ends_at: Option<Timestamp>) -> String {
    let ends_at = ends_at.map(|time| format!("{time:.3}"));
    let answer = match (&seats.which, seats.revoke) {
        (Which::One(id), revoke) => success(DeactivatedView {
            message: if revoke { "Deactivation revoked" } else { DEACTIVATED },
            account_id: id.as_str(),
            ends_at,
        }),
        (Which::Several(ids), revoke) => success(DeactivatedSeveralView {
            message: if revoke {
                format!("Revoked the deactivation of {} account(s)", ids.len())
            } else {
                format!("Deactivated {} account(s) and billing updated", ids.len())
            },
            account_ids: ids.iter().map(SeatId::as_str).collect(),
            ends_at,
        }),
    };
    answer.body
}

/// The original's words.
const DEACTIVATED: &str = "Account deactivated and billing updated";

/// The answer.
pub fn told(told: Told) -> Answer {
    let stored = StoredAnswer { status: 200, location: None, body: told.answer };
    Answer::stored(stored, told.is_replay)
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
    /// When it ends, ISO 8601, UTC, with three decimals; absent when it has ended, and when its
    /// deactivation is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::ends_at"))]
    ends_at: Option<String>,
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
    /// When all of them have ended, ISO 8601, UTC, with three decimals; absent when they have, and when
    /// their deactivation is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::ends_at"))]
    ends_at: Option<String>,
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
            DeactivationRefusal::Faults(faults) => Failure::Faults(faults),
            DeactivationRefusal::KeyReused => Failure::KeyReused,
            DeactivationRefusal::Throttled => Failure::TooManyRequests,
            DeactivationRefusal::Unavailable => Failure::Unavailable,
        }
    }
}
