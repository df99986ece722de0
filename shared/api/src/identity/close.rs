//! The end of accounts.

use headcount_model::id::seconds;
use headcount_model::identity::{AccountStatus, ClosedAccount};
use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::dialect::Answer;
#[cfg(feature = "openapi")]
use crate::schema;

/// What is left of an account.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ClosedView<'a> {
    /// Names the account.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::account_id"))]
    id: &'a str,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::closed"))]
    status: &'static str,
    /// UTC, whole seconds; when it was closed the first time.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    closed_at: String,
    /// A sentence for a person. It may change.
    message: &'static str,
}

/// The answer to the end of an account.
pub fn closed(account: &ClosedAccount) -> Answer {
    let view = ClosedView {
        id: account.id.as_str(),
        status: AccountStatus::Closed.as_str(),
        closed_at: seconds(account.closed_at),
        message: "The account is closed.",
    };
    Answer::new(StatusCode::OK, &view)
}
