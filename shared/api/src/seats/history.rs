//! `GET /billing/history`: what Stripe was told. Of Stripe's own words and ids nothing is shown.

use headcount_model::billing::SeatCounts;
use headcount_model::history::{Change, Entry, Outcome, Page};
use headcount_model::id::CredentialId;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::billing::{ErrorView, SlotsView};
use crate::dialect::Answer;
#[cfg(feature = "openapi")]
use crate::schema;

/// A page of a list.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ListView<T> {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    ok: bool,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::ok_status"))]
    code: u16,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::success_message"))]
    message: &'static str,
    data: Vec<T>,
    /// Gives the next page as `cursor`; `null` at the end.
    next_cursor: Option<String>,
}

impl<T> ListView<T> {
    pub(crate) fn new(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { ok: true, code: 200, message: "Success", data, next_cursor }
    }
}

/// An update of the subscription.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "HistoryEntry"))]
pub(crate) struct EntryView<'e> {
    /// The version of the seats that it is about, as `sync.version` of `GET /billing` counts them.
    version: u64,
    /// The version that Stripe had been told before; what lies between the two was told together.
    since: u64,
    /// `told`: Stripe bills the seats of the version. `partly`: seats that were given back are billed no
    /// longer; the rest was told by the entry of the same version after it. `failed`: Stripe could not be
    /// told.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::outcome"))]
    outcome: &'static str,
    /// Why it failed; `null` unless it did.
    error: Option<ErrorView<'e>>,
    /// How often it was tried in vain; 0 unless it failed.
    failures: u64,
    /// The seats that Stripe billed, as far as it had been told by the service, and those that it was told.
    seats: BeforeAndAfterView,
    /// What becomes of the difference within a period.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::proration_behavior"))]
    proration_behavior: &'static str,
    /// When it was written down, before Stripe was asked. ISO 8601, UTC, with three decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    begun_at: String,
    /// When Stripe had answered.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    answered_at: String,
    /// How the versions came about, the newest first. One that is not here is not on record; of more than
    /// 1,000 the newest are.
    changes: Vec<ChangeView<'e>>,
}

/// Seats before and after.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "HistorySeats"))]
struct BeforeAndAfterView {
    /// `null` where that is not on record.
    before: Option<SlotsView>,
    /// The seats of the version.
    after: SlotsView,
}

/// How a version came about.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "HistoryChange"))]
struct ChangeView<'e> {
    /// The version.
    version: u64,
    /// When. ISO 8601, UTC, with three decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    at: String,
    /// The API key that made it: what lies between the underscores of `hc_<id>_<secret>`. `null` when no
    /// caller made it: the service corrected itself, or its operator did.
    credential: Option<&'e str>,
    /// The request, as its `x-request-id` has it; `null` together with `credential`.
    request_id: Option<&'e str>,
    /// Basic seats that were added; below zero, that were given back.
    basic: i64,
    /// Premium seats that were added; below zero, that were given back.
    premium: i64,
}

impl<'e> From<&'e Change> for ChangeView<'e> {
    fn from(change: &'e Change) -> Self {
        let by = change.by.as_ref();
        Self {
            version: change.version,
            at: iso(change.at),
            credential: by.map(|by| CredentialId::as_str(&by.credential)),
            request_id: by.map(|by| by.request_id.as_str()),
            basic: change.seats.basic,
            premium: change.seats.premium,
        }
    }
}

impl<'e> From<&'e Entry> for EntryView<'e> {
    fn from(entry: &'e Entry) -> Self {
        let told = &entry.told;
        let (error, failures) = match &told.outcome {
            Outcome::Failed { error, times } => (Some(error.into()), *times),
            Outcome::Partly | Outcome::Told => (None, 0),
        };
        let slots = |seats: SeatCounts| SlotsView { basic: seats.basic, premium: seats.premium };
        Self {
            version: told.version,
            since: told.since,
            outcome: told.outcome.as_str(),
            error,
            failures,
            seats: BeforeAndAfterView { before: told.before.map(slots), after: slots(told.after) },
            proration_behavior: told.proration.as_str(),
            begun_at: iso(told.begun_at),
            answered_at: iso(told.answered_at),
            changes: entry.changes.iter().map(ChangeView::from).collect(),
        }
    }
}

/// The answer to `GET /billing/history`.
pub fn history(page: &Page, next_cursor: Option<String>) -> Answer {
    let data: Vec<EntryView<'_>> = page.entries.iter().map(EntryView::from).collect();
    Answer::new(StatusCode::OK, &ListView::new(data, next_cursor))
}

/// A time as the original writes it: `2026-02-03T18:12:47.000Z`.
pub(crate) fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}
