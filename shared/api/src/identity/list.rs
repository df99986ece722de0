//! Lists, page by page.

use headcount_model::cursor::List;
use headcount_model::fault::Fault;
use headcount_model::id::seconds;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{
    AccountFilter, AccountFilterInput, ListedAccount, ListedSession, SessionId,
};
use headcount_model::page::Page;
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::{AccountView, Refusal};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::Object;
use crate::paging::{self, Asked};
#[cfg(feature = "openapi")]
use crate::schema;

/// The most entries of a page, and how many it has when it is not said.
pub const MAX_PAGE: u16 = 100;

/// Whose the accounts are that administrators list.
const EVERY_ACCOUNT: &str = "every account";

/// A page of a list.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct PageView<T> {
    data: Vec<T>,
    /// Whether there is another page. Also a page with fewer entries than were asked for may have one behind it.
    has_more: bool,
    /// Gives the next page as `cursor`; `null` at the end.
    next_cursor: Option<String>,
}

fn page<T: Serialize>(data: Vec<T>, next_cursor: Option<String>) -> Answer {
    let view = PageView { data, has_more: next_cursor.is_some(), next_cursor };
    Answer::new(StatusCode::OK, &view)
}

/// The route of the list of accounts.
pub const ACCOUNTS_ROUTE: &str = "GET /v1/accounts";

/// Reads the query of `GET /v1/accounts`.
///
/// # Errors
/// Every fault, unknown parameters among them.
pub fn list_accounts(
    query: Object,
    secret: &FingerprintKey,
) -> Result<(AccountFilter, Asked), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(query);
    let input = AccountFilterInput {
        email: fields.text("email"),
        status: fields.text("status"),
        created_after: fields.text("created_after"),
        created_before: fields.text("created_before"),
    };
    let filter = AccountFilter::parse(input, &mut faults);
    let is_known = faults.is_empty();
    let asked = with_list(&filter, |list| {
        let list = is_known.then_some(list);
        paging::asked(&mut fields, &mut faults, list, secret, (MAX_PAGE, MAX_PAGE))
    });
    fields.refuse_rest(&mut faults);
    if faults.is_empty() { Ok((filter, asked)) } else { Err(faults) }
}

/// The list that cursors are signed for. All administrators have the same accounts before them.
fn with_list<T>(filter: &AccountFilter, then: impl FnOnce(&List<'_>) -> T) -> T {
    let filters = filter.parameters();
    let filters: Vec<_> = filters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    then(&List { tenant: EVERY_ACCOUNT, route: ACCOUNTS_ROUTE, filters: &filters })
}

/// A page of the accounts that a filter shows.
///
/// # Errors
/// As [`paging::next`].
pub fn accounts(
    of: &Page<ListedAccount>,
    filter: &AccountFilter,
    secret: &FingerprintKey,
) -> Result<Answer, Failure<Refusal>> {
    let next = with_list(filter, |list| paging::next(of.next.as_deref(), list, secret))?;
    Ok(page(of.entries.iter().map(AccountView::from).collect(), next))
}

/// A session that goes on. Of its tokens nothing is told.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Session"))]
pub(crate) struct SessionView {
    /// Names the session.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::session_id"))]
    session_id: String,
    /// UTC, whole seconds; when it was logged in.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: String,
    /// UTC, whole seconds; when it was given new tokens last. `null` before the first time.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::period_boundary"))]
    refreshed_at: Option<String>,
    /// UTC, whole seconds; until when the access token works.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    expires_at: String,
    /// UTC, whole seconds; until when the refresh token works, and so the session lasts.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    refresh_token_expires_at: String,
    /// Whether it is the one of the token.
    current: bool,
}

/// A page of the sessions of an account, of which `this` is the one that asks.
pub fn sessions(
    sessions: &[ListedSession],
    this: &SessionId,
    next_cursor: Option<String>,
) -> Answer {
    let view = |session: &ListedSession| SessionView {
        session_id: session.id.to_string(),
        created_at: seconds(session.created_at),
        refreshed_at: session.refreshed_at.map(seconds),
        expires_at: seconds(session.access_until),
        refresh_token_expires_at: seconds(session.refresh_until),
        current: session.id == *this,
    };
    page(sessions.iter().map(view).collect(), next_cursor)
}
