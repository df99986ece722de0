//! The Seats API (CONTRACT section 1): `{"ok":…,"code":…,"message":…}`.

pub(crate) mod billing;
pub(crate) mod deactivate;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod manage;
pub(crate) mod update;

use headcount_model::credential::Credential;
use headcount_model::fault::{Fault, Form, Given, Kind, Rule};
use headcount_model::grant::{Grant, NotGranted, OfAnyCredential, Right};
use headcount_model::id::OrganizationId;
use headcount_model::seats::{
    CommitRefusal, CreateSeats, Created, Platforms, Quote, Seat, SeatInput,
};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::dialect::{Answer, Dialect, Failure};
use crate::fields::Fields;
use crate::json::{Json, Object};
#[cfg(feature = "openapi")]
use crate::schema;
use crate::wording;

#[cfg(feature = "openapi")]
pub(crate) use billing::told_codes;
pub use billing::{Quoted, billing, organizations, quoted};
pub use deactivate::{deactivate_seats, deactivated, told};
pub use history::history;
pub use keys::{
    api_keys, create_api_key, created_api_key, delete_api_key, deleted_api_key, list_api_keys,
    rename_api_key, renamed_api_key,
};
pub use list::{LIST_ROUTE, list_seats, listed, weight};
pub use manage::{cancel_billing, cancelled, open_portal, portal, resumed};
pub use update::{update_seats, update_told, updated};

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
    /// The organization's spending limit is reached.
    SpendingLimitReached,
    /// Seats or prices are not those of the quote any more, or its time is up.
    QuoteExpired,
    /// The list has more seats than one answer holds, and no limit.
    TooManyAccounts,
    /// The organization has no such API key.
    NoSuchKey,
    /// The organization has as many API keys as it may have.
    TooManyKeys,
    /// The API key is the last one that may manage keys, and would delete itself.
    LastManager,
    /// The seat was given back, and is changed no more.
    Deactivated,
    /// The seat has another version than the one expected.
    VersionMismatch,
}

impl From<CommitRefusal> for Failure<Refusal> {
    fn from(refusal: CommitRefusal) -> Self {
        match refusal {
            CommitRefusal::NoBilling => Failure::Refused(Refusal::NoBilling),
            CommitRefusal::SeatLimitReached => Failure::Refused(Refusal::SeatLimitReached),
            CommitRefusal::SpendingLimitReached => Failure::Refused(Refusal::SpendingLimitReached),
            CommitRefusal::QuoteExpired => Failure::Refused(Refusal::QuoteExpired),
            CommitRefusal::KeyReused => Failure::KeyReused,
            CommitRefusal::Throttled => Failure::TooManyRequests,
            CommitRefusal::Unavailable => Failure::Unavailable,
        }
    }
}

/// What the caller's API key allows of a right.
///
/// # Errors
/// [`Failure::Unauthorized`] for a credential of another API, or [`Refusal::Forbidden`], which
/// names the first of the permissions that would do.
pub fn grant<R: Right<Of = OrganizationId>>(
    credential: Option<&Credential>,
) -> Result<Grant<'_, R>, Failure<Refusal>> {
    let credential = credential.ok_or(Failure::Unauthorized)?;
    credential.grant().map_err(|refused| match refused {
        NotGranted::Foreign => Failure::Unauthorized,
        NotGranted::Lacking => {
            let first = R::ONE_OF.first().map_or("", |permission| permission.as_str());
            Failure::Refused(Refusal::Forbidden(first))
        }
    })
}

/// What the caller's API key allows of a right that needs no permission.
///
/// # Errors
/// [`Failure::Unauthorized`].
pub fn belongs<R: OfAnyCredential<Of = OrganizationId>>(
    credential: Option<&Credential>,
) -> Result<Grant<'_, R>, Failure<Refusal>> {
    let granted = credential.and_then(|credential| credential.belongs().ok());
    granted.ok_or(Failure::Unauthorized)
}

/// Reads the body of `POST /accounts/create`. `parse_quote` reads the optional `quote_id`, which
/// has to be that of a quote for as many seats of each tier.
///
/// # Errors
/// Every fault of every seat.
pub fn create_seats(
    body: Object,
    platforms: &Platforms,
    parse_quote: impl FnOnce(String) -> Result<Quote, Rule>,
) -> Result<(CreateSeats, Option<Quote>), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let given = fields.text(QUOTE_ID);
    let quote = Form::new(&mut faults).optional(QUOTE_ID, given, parse_quote);
    let command = read_seats(fields, platforms, faults)?;
    match quote {
        Some(quote) if quote.added != command.counts() => {
            Err(vec![Fault { index: None, field: QUOTE_ID.into(), rule: Rule::Quote }])
        }
        quote => Ok((command, quote)),
    }
}

/// Reads the body of `POST /accounts/quote`: that of a create, without a quote.
///
/// # Errors
/// Every fault of every seat.
pub fn quote_seats(body: Object, platforms: &Platforms) -> Result<CreateSeats, Vec<Fault>> {
    read_seats(Fields::new(body), platforms, Vec::new())
}

const QUOTE_ID: &str = "quote_id";

fn read_seats(
    mut fields: Fields,
    platforms: &Platforms,
    mut faults: Vec<Fault>,
) -> Result<CreateSeats, Vec<Fault>> {
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CreatedSeat"))]
pub(crate) struct SeatView {
    /// Names the seat.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::seat_id"))]
    id: String,
    /// What it is billed by.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::tier"))]
    tier: String,
    /// `pending`: its setup has begun. `uninitialized`: its details are not known yet.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::seat_status"))]
    status: String,
    /// The platform of its detail group; `null` without one.
    platform: Option<String>,
    /// The handle of its detail group, without `@`; `null` without one.
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Success<T> {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    ok: bool,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::ok_status"))]
    code: u16,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::success_message"))]
    message: &'static str,
    data: T,
}

#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "CreatedSeatsData")
)]
pub(crate) struct CreatedView {
    /// A sentence for a person.
    message: String,
    /// How many seats were created.
    successful: usize,
    /// How many seats of the request do not exist, because a transaction of the series did not
    /// commit.
    failed: usize,
    /// The created seats, in the order of the request.
    accounts: Vec<SeatView>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ErrorBody {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::no"))]
    ok: bool,
    /// The HTTP status again.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::error_status"))]
    code: u16,
    /// A sentence for a person. It may change.
    message: String,
    /// The stable code. Match on this one.
    error: &'static str,
    /// What is wrong with which field, where fields are the cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FaultView>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SeatsFault"))]
struct FaultView {
    /// Position of the seat in the request, from 0; `null` when the fault is the request's own.
    index: Option<usize>,
    /// The field as the request names it.
    field: String,
    /// The stable code of the rule that it breaks.
    rule: &'static str,
    /// A sentence for a person. It may change.
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
            Failure::Refused(Refusal::SpendingLimitReached) => error(
                StatusCode::CONFLICT,
                "spending_limit_reached",
                "The organization's monthly spending limit does not cover these accounts.",
            ),
            Failure::Refused(Refusal::QuoteExpired) => error(
                StatusCode::CONFLICT,
                "quote_expired",
                "The quote no longer holds: seats or prices have changed, or its time is up.",
            ),
            Failure::Refused(Refusal::NoSuchKey) => error(
                StatusCode::NOT_FOUND,
                "api_key_not_found",
                "The organization has no such API key.",
            ),
            Failure::Refused(Refusal::TooManyKeys) => error(
                StatusCode::CONFLICT,
                "api_key_limit_reached",
                "The organization has as many API keys as it may have. Delete one that is not needed.",
            ),
            Failure::Refused(Refusal::LastManager) => error(
                StatusCode::CONFLICT,
                "last_managing_api_key",
                "This is the last API key that may manage keys. It cannot delete itself.",
            ),
            Failure::Refused(Refusal::Deactivated) => error(
                StatusCode::CONFLICT,
                "account_deactivated",
                "The account has ended. It cannot be changed any more.",
            ),
            Failure::Refused(Refusal::VersionMismatch) => error(
                StatusCode::CONFLICT,
                "version_mismatch",
                "The account has another version than the one expected: somebody has changed it.",
            ),
            Failure::Refused(Refusal::TooManyAccounts) => error(
                StatusCode::BAD_REQUEST,
                "too_many_accounts",
                "There are more accounts than one answer holds, 4 MB. Ask for pages: with limit, and next_cursor as cursor.",
            ),
        }
    }
}

fn word_faults(faults: &[Fault]) -> Answer {
    // What is missing is looked for only when nothing else is wrong.
    if faults.iter().any(|fault| fault.rule == Rule::NoSuchSeat) {
        let message = "The organization has no such account.";
        return with_faults(StatusCode::NOT_FOUND, "account_not_found", message, faults);
    }
    if faults.iter().any(|fault| fault.rule == Rule::SeatHasEnded) {
        let message = "The account has ended. That cannot be revoked any more.";
        return with_faults(StatusCode::CONFLICT, "account_deactivated", message, faults);
    }
    let status = StatusCode::BAD_REQUEST;
    let incomplete = faults.iter().find(|fault| fault.rule == Rule::RequiredInGroup);
    let Some(index) = incomplete.map(|fault| fault.index) else {
        let message = match faults {
            [only] => wording::located(only),
            _ => format!("The request has {} faults; see errors.", faults.len()),
        };
        return with_faults(status, "invalid_request", message, faults);
    };
    let missing: Vec<&str> = faults
        .iter()
        .filter(|fault| fault.index == index && fault.rule == Rule::RequiredInGroup)
        .map(|fault| fault.field.as_ref())
        .collect();
    let account = index.map_or("The account".to_owned(), |index| format!("accounts[{index}]"));
    let message = format!(
        "{account} is missing {}: give platform, username, pfp_url and keywords together or none of them.",
        missing.join(", ")
    );
    with_faults(status, "missing_detail_fields", message, faults)
}
