//! How things are kept: one DynamoDB table.
//!
//! [`Table`] implements the store traits of `headcount-model`. A use case that writes does so
//! in one `TransactWriteItems` call (`transaction`), and what the caller is told about a
//! refusal is read from the reasons that DynamoDB gives for cancelling it, never from a second
//! read. What the items look like is in [`rows`], where they lie in [`key`].

mod agency;
mod api_keys;
mod audit;
mod billing;
mod cancellation;
mod credentials;
mod deactivate;
mod history;
mod idempotency;
mod identity;
pub mod key;
mod limits;
mod list;
mod organization;
mod provision;
mod reconcile;
pub mod rows;
mod seats;
mod setup;
mod standing;
mod statement;
mod table;
mod transaction;
mod update;

pub use audit::Audited;
pub use limits::{Allowance, Limits, SpendingLimit};
pub use provision::{ProvisionError, Provisioned, StripeLink};
pub use table::{Table, connect, endpoint, time_limits};
