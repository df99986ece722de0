//! `POST /accounts`: the organization's seats. The body holds the filters, as in the original.

use std::io::{self, Write};

use headcount_model::cursor::{List, is_of_form};
use headcount_model::fault::{Fault, Form, Rule};
use headcount_model::id::{OrganizationId, SeatId};
use headcount_model::idempotency::{FingerprintKey, WeakKey};
use headcount_model::seats::{
    FilterInput, ListSeats, ListedSeat, MAX_SEATS_PAGE, Platforms, SeatFilter, SeatPage,
};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::Refusal;
use super::history::{ListView, iso};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;

/// The route of the list.
pub const LIST_ROUTE: &str = "POST /accounts";

/// Reads the body of `POST /accounts`.
///
/// # Errors
/// Every fault.
pub fn list_seats(
    body: Object,
    organization: &OrganizationId,
    platforms: &Platforms,
    secret: &FingerprintKey,
) -> Result<ListSeats, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let input = FilterInput {
        tag: fields.text("tag"),
        org_group: fields.text("org_group"),
        user_group: fields.text("user_group"),
        status: fields.text("status"),
        tier: fields.text("tier"),
        platform: fields.text("platform"),
        ids: fields.texts("ids"),
    };
    let (limit, cursor) = (fields.number("limit"), fields.text("cursor"));
    let filter = SeatFilter::parse(input, platforms, &mut faults);
    let is_filter_good = faults.is_empty();
    let mut form = Form::new(&mut faults);
    let limit = form.optional("limit", limit, |number| {
        let number = number.and_then(|number| u16::try_from(number).ok());
        let range = Rule::Range { min: 1, max: MAX_SEATS_PAGE.into() };
        number.filter(|number| (1..=MAX_SEATS_PAGE).contains(number)).ok_or(range)
    });
    let after = form.optional("cursor", cursor, |cursor| {
        if !is_filter_good {
            // Which list is meant is not known.
            return if is_of_form(&cursor) { Ok(None) } else { Err(Rule::Cursor) };
        }
        let position = with_list(organization, &filter, |list| list.position(&cursor, secret))?;
        SeatId::parse(&position).map(Some).map_err(|_| Rule::Cursor)
    });
    fields.refuse_rest(&mut faults);
    if faults.is_empty() {
        Ok(ListSeats { filter, after: after.flatten(), limit })
    } else {
        Err(faults)
    }
}

/// The list that cursors are signed for: whose it is, and with which filters.
fn with_list<T>(
    organization: &OrganizationId,
    filter: &SeatFilter,
    then: impl FnOnce(&List<'_>) -> T,
) -> T {
    let ids = filter.ids.iter().flatten().map(|id| ("ids", id.as_str()));
    let filters: Vec<_> = filter.attributes().chain(ids).collect();
    then(&List { tenant: organization.as_str(), route: LIST_ROUTE, filters: &filters })
}

/// A seat of the list.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ListedSeat"))]
pub(crate) struct ListedSeatView<'s> {
    /// Names the seat.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::seat_id"))]
    id: &'s str,
    /// The same as `platform`.
    r#type: Option<&'s str>,
    /// What it is billed by.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::tier"))]
    tier: &'s str,
    /// Where it is in its life.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::any_seat_status"))]
    status: &'s str,
    /// The platform of its detail group; `null` without one.
    platform: Option<&'s str>,
    /// The handle of its detail group, without `@`; `null` without one.
    username: Option<&'s str>,
    /// Display name.
    nick_name: Option<&'s str>,
    /// The profile picture of its detail group; `null` without one.
    pfp_url: Option<&'s str>,
    /// The keywords of its detail group, separated by commas; `null` without one.
    keywords: Option<&'s str>,
    /// Interests.
    description: Option<&'s str>,
    /// Two ages, `18-24`.
    age_range: Option<&'s str>,
    /// Of the persona.
    sex: Option<&'s str>,
    /// Of the persona.
    location: Option<&'s str>,
    /// A label of the organization's own.
    tag: Option<&'s str>,
    /// A group within the organization.
    org_group: Option<&'s str>,
    /// A group of users; kept, and means nothing here.
    user_group: Option<&'s str>,
    /// Kept as it was sent, and means nothing here; absent where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    profiles: Option<Value>,
    /// As `profiles`.
    #[serde(rename = "warmupVersion", skip_serializing_if = "Option::is_none")]
    warmup_version: Option<Value>,
    /// As `profiles`.
    #[serde(rename = "postVersion", skip_serializing_if = "Option::is_none")]
    post_version: Option<Value>,
    /// When it was created. ISO 8601, UTC, with three decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: String,
    /// When it was changed last.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    updated_at: String,
    /// How often it was changed.
    version: u64,
}

impl<'s> From<&'s ListedSeat> for ListedSeatView<'s> {
    fn from(seat: &'s ListedSeat) -> Self {
        Self {
            id: seat.id.as_str(),
            r#type: seat.platform.as_deref(),
            tier: &seat.tier,
            status: &seat.status,
            platform: seat.platform.as_deref(),
            username: seat.username.as_deref(),
            nick_name: seat.nick_name.as_deref(),
            pfp_url: seat.pfp_url.as_deref(),
            keywords: seat.keywords.as_deref(),
            description: seat.description.as_deref(),
            age_range: seat.age_range.as_deref(),
            sex: seat.sex.as_deref(),
            location: seat.location.as_deref(),
            tag: seat.tag.as_deref(),
            org_group: seat.org_group.as_deref(),
            user_group: seat.user_group.as_deref(),
            profiles: seat.profiles.as_deref().and_then(kept),
            warmup_version: seat.warmup_version.as_deref().and_then(kept),
            post_version: seat.post_version.as_deref().and_then(kept),
            created_at: iso(seat.created_at),
            updated_at: iso(seat.updated_at),
            version: seat.version,
        }
    }
}

/// What a caller sent, as it is kept.
fn kept(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

/// How many bytes a seat takes in an answer, with the comma behind it.
pub fn weight(seat: &ListedSeat) -> usize {
    let mut counter = Counter(1);
    // Texts and numbers always serialize, and the counter takes everything.
    let _ = serde_json::to_writer(&mut counter, &ListedSeatView::from(seat));
    counter.0
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer to `POST /accounts`: a page, with the cursor of the next one.
///
/// # Errors
/// [`Refusal::TooManyAccounts`] without a page, and [`Failure::Unavailable`] where the secret is none.
pub fn listed(
    page: Option<&SeatPage>,
    organization: &OrganizationId,
    filter: &SeatFilter,
    secret: &FingerprintKey,
) -> Result<Answer, Failure<Refusal>> {
    let page = page.ok_or(Failure::Refused(Refusal::TooManyAccounts))?;
    let cursor = |next: &SeatId| -> Result<String, WeakKey> {
        with_list(organization, filter, |list| list.cursor(next.as_str(), secret))
    };
    let next = page.next.as_ref().map(cursor).transpose().map_err(|_| Failure::Unavailable)?;
    let data: Vec<ListedSeatView<'_>> = page.seats.iter().map(ListedSeatView::from).collect();
    Ok(Answer::new(StatusCode::OK, &ListView::new(data, next)))
}
