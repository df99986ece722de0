//! The Seats API (CONTRACT section 1): `{"ok":…,"code":…,"message":…}`.

use headcount_model::fault::{Fault, Given, Kind, Rule};
use headcount_model::seats::{CommitRefusal, CreateSeats, Created, Platforms, Seat, SeatInput};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::dialect::{Answer, Dialect, Failure};
use crate::fields::Fields;
use crate::json::{Json, Object};
use crate::wording;

/// The dialect of the Seats API.
pub struct Seats;

/// What the Seats API refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The key lacks the permission named.
    Forbidden(&'static str),
    /// The organization has no subscription that may be billed.
    NoBilling,
    /// The organization's seat limit is reached.
    SeatLimitReached,
}

impl From<CommitRefusal> for Failure<Refusal> {
    fn from(refusal: CommitRefusal) -> Self {
        match refusal {
            CommitRefusal::NoBilling => Failure::Refused(Refusal::NoBilling),
            CommitRefusal::SeatLimitReached => Failure::Refused(Refusal::SeatLimitReached),
            CommitRefusal::KeyReused => Failure::KeyReused,
            CommitRefusal::Throttled => Failure::TooManyRequests,
            CommitRefusal::Unavailable => Failure::Unavailable,
        }
    }
}

/// Reads the body of `POST /accounts/create`.
///
/// # Errors
/// Every fault of every seat.
pub fn create_seats(body: Object, platforms: &Platforms) -> Result<CreateSeats, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let accounts = match fields.array("accounts") {
        Given::Absent => Given::Absent,
        Given::Wrong(kind) => Given::Wrong(kind),
        Given::Value(seats) => Given::Value(
            seats
                .into_iter()
                .enumerate()
                .map(|(index, seat)| seat_input(index, seat, &mut faults))
                .collect(),
        ),
    };
    fields.refuse_rest(&mut faults);
    CreateSeats::parse(accounts, platforms, faults)
}

fn seat_input(index: usize, seat: Json, faults: &mut Vec<Fault>) -> Given<SeatInput> {
    let Json::Object(members) = seat else {
        return Given::Wrong(Kind::Object);
    };
    let mut fields = Fields::of_seat(index, members);
    let input = SeatInput {
        tier: fields.text("tier"),
        platform: fields.text("platform"),
        username: fields.text("username"),
        pfp_url: fields.text("pfp_url"),
        keywords: fields.text("keywords"),
        nick_name: fields.text("nick_name"),
        age_range: fields.text("age_range"),
        sex: fields.text("sex"),
        location: fields.text("location"),
        description: fields.text("description"),
        tag: fields.text("tag"),
        org_group: fields.text("org_group"),
    };
    fields.refuse_rest(faults);
    Given::Value(input)
}

/// A created seat as the caller sees it.
#[derive(Debug, Serialize, Deserialize)]
struct SeatView {
    id: String,
    tier: String,
    status: String,
    platform: Option<String>,
    username: Option<String>,
}

impl From<&Seat> for SeatView {
    fn from(seat: &Seat) -> Self {
        let details = seat.new.details.as_ref();
        Self {
            id: seat.id.to_string(),
            tier: seat.new.tier.as_str().to_owned(),
            status: seat.status().as_str().to_owned(),
            platform: details.map(|details| details.platform.clone()),
            username: details.map(|details| details.username.as_str().to_owned()),
        }
    }
}

/// What the caller is told about some of the seats of a request: a piece of the answer, which
/// is kept under its idempotency key.
pub fn piece(seats: &[Seat]) -> String {
    let views: Vec<SeatView> = seats.iter().map(SeatView::from).collect();
    serde_json::to_string(&views).unwrap_or_default()
}

/// The answer, put together from the pieces.
///
/// # Errors
/// [`Failure::Unavailable`] when a stored piece cannot be read.
pub fn created(created: &Created) -> Result<Answer, Failure<Refusal>> {
    let mut accounts: Vec<SeatView> = Vec::new();
    for piece in &created.answers {
        let views: Vec<SeatView> = serde_json::from_str(piece).map_err(|error| {
            tracing::error!(%error, "a stored answer could not be read");
            Failure::Unavailable
        })?;
        accounts.extend(views);
    }
    let answer = Answer::new(
        StatusCode::OK,
        &Success {
            ok: true,
            code: 200,
            message: "Success",
            data: CreatedView {
                message: format!("Successfully created {} account(s)", accounts.len()),
                successful: accounts.len(),
                failed: created.failed,
                accounts,
            },
        },
    );
    Ok(Answer { replayed: created.replayed, ..answer })
}

#[derive(Serialize)]
struct Success<T> {
    ok: bool,
    code: u16,
    message: &'static str,
    data: T,
}

#[derive(Serialize)]
struct CreatedView {
    message: String,
    successful: usize,
    failed: usize,
    accounts: Vec<SeatView>,
}

#[derive(Serialize)]
struct ErrorBody {
    ok: bool,
    code: u16,
    message: String,
    error: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FaultView>,
}

#[derive(Serialize)]
struct FaultView {
    index: Option<usize>,
    field: String,
    rule: &'static str,
    message: String,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        Self {
            index: fault.index,
            field: fault.field.clone().into_owned(),
            rule: wording::code(&fault.rule),
            message: wording::sentence(&fault.field, &fault.rule),
        }
    }
}

fn error(status: StatusCode, error: &'static str, message: impl Into<String>) -> Answer {
    with_faults(status, error, message, &[])
}

fn with_faults(
    status: StatusCode,
    error: &'static str,
    message: impl Into<String>,
    faults: &[Fault],
) -> Answer {
    Answer::new(
        status,
        &ErrorBody {
            ok: false,
            code: status.as_u16(),
            message: message.into(),
            error,
            errors: faults.iter().map(FaultView::from).collect(),
        },
    )
}

impl Dialect for Seats {
    type Refusal = Refusal;

    fn word(failure: Failure<Refusal>) -> Answer {
        match failure {
            Failure::Transport(transport) => {
                error(transport.status(), wording::transport_code(&transport), transport.message())
            }
            Failure::Faults(faults) => word_faults(&faults),
            Failure::Unauthorized => {
                error(StatusCode::UNAUTHORIZED, "unauthorized", "A valid API key is required.")
            }
            Failure::KeyReused => error(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                wording::KEY_REUSED,
            ),
            Failure::TooManyRequests => {
                error(StatusCode::TOO_MANY_REQUESTS, "rate_limited", wording::TOO_MANY_REQUESTS)
                    .retry_soon()
            }
            Failure::Unavailable => {
                error(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", wording::UNAVAILABLE)
                    .retry_soon()
            }
            Failure::Refused(Refusal::Forbidden(permission)) => error(
                StatusCode::FORBIDDEN,
                "forbidden",
                format!("This API key lacks the permission {permission}."),
            ),
            Failure::Refused(Refusal::NoBilling) => error(
                StatusCode::PAYMENT_REQUIRED,
                "no_billing",
                "The organization has no active subscription to bill seats to.",
            ),
            Failure::Refused(Refusal::SeatLimitReached) => error(
                StatusCode::CONFLICT,
                "seat_limit_reached",
                "The organization's seat limit leaves no room for these accounts.",
            ),
        }
    }
}

fn word_faults(faults: &[Fault]) -> Answer {
    let status = StatusCode::BAD_REQUEST;
    let incomplete = faults
        .iter()
        .find(|fault| fault.rule == Rule::RequiredInGroup)
        .and_then(|fault| fault.index);
    let Some(index) = incomplete else {
        let message = match faults {
            [only] => wording::located(only),
            _ => format!("The request has {} faults; see errors.", faults.len()),
        };
        return with_faults(status, "invalid_request", message, faults);
    };
    let missing: Vec<&str> = faults
        .iter()
        .filter(|fault| fault.index == Some(index) && fault.rule == Rule::RequiredInGroup)
        .map(|fault| fault.field.as_ref())
        .collect();
    let message = format!(
        "accounts[{index}] is missing {}: give platform, username, pfp_url and keywords together or none of them.",
        missing.join(", ")
    );
    with_faults(status, "missing_detail_fields", message, faults)
}
