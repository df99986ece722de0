//! What Stripe was told, when, by whose doing, and what it answered: one entry for each version that
//! it was told, kept for ever (docs/adr/0022-billing-history.md).

use std::future::Future;

use jiff::Timestamp;

use crate::audit::{Creator, created_by};
use crate::billing::{BillingError, ProrationBehavior, RememberedItems, SeatCounts};
use crate::credential::LookupFailed;
use crate::grant::Grant;
use crate::id::{CredentialId, NotAnId};
use crate::right::ReadBilling;

/// The most entries of one page.
pub const MAX_PAGE: u16 = 1_000;

/// The entries of a page when the caller does not say how many.
pub const DEFAULT_PAGE: u16 = 100;

/// Who made a version: the caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The public half of its credential.
    pub credential: CredentialId,
    /// The request, as `x-request-id` of its response has it.
    pub request_id: String,
}

impl By {
    /// How the billing record keeps it: as what is created keeps who created it.
    pub fn text(credential: &CredentialId, request_id: &str) -> String {
        created_by(Some(credential), request_id)
    }

    /// Reads what [`By::text`] writes.
    ///
    /// # Errors
    /// [`NotAnId`].
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let Creator { credential, request_id } = Creator::parse(text)?;
        Ok(Self { credential: credential.ok_or(NotAnId)?, request_id })
    }
}

/// How a version came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version.
    pub version: u64,
    /// Who made it; `None` when it was no caller: a correction by `reconcile-billing`, or an operator.
    pub by: Option<By>,
    /// When.
    pub at: Timestamp,
    /// By how much it changed the number of seats.
    pub seats: SeatChange,
}

/// More or, below zero, fewer seats by tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeatChange {
    /// Basic seats.
    pub basic: i64,
    /// Premium seats.
    pub premium: i64,
}

impl SeatChange {
    /// What lies between two numbers of seats.
    pub fn between(before: SeatCounts, after: SeatCounts) -> Self {
        let less = |after: u64, before: u64| {
            let (after, before) = (i64::try_from(after), i64::try_from(before));
            after.unwrap_or(i64::MAX).saturating_sub(before.unwrap_or(i64::MAX))
        };
        Self {
            basic: less(after.basic, before.basic),
            premium: less(after.premium, before.premium),
        }
    }
}

/// An update that Stripe was asked for and has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The version that it is about.
    pub version: u64,
    /// The version that Stripe had been told before. What lies between the two was told together.
    pub since: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// What Stripe had been told before; `None` where that is not on record. Who changed quantities by
    /// hand in between is not in it.
    pub before: Option<SeatCounts>,
    /// What it was told, or asked for without success.
    pub after: SeatCounts,
    /// What becomes of the difference.
    pub proration: ProrationBehavior,
    /// The subscription, `sub_…`.
    pub subscription: String,
    /// Its items.
    pub items: RememberedItems,
    /// The idempotency key.
    pub key: String,
    /// Stripe's id of the request, `req_…`; `None` when no answer had one.
    pub request_id: Option<String>,
    /// When it was written down, before Stripe was asked.
    pub begun_at: Timestamp,
    /// When Stripe had answered.
    pub answered_at: Timestamp,
}

/// What came of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stripe refused it, or cannot bill seats like this. Of one version the last failure is kept, and how
    /// many there were.
    Failed {
        /// Why.
        error: BillingError,
        /// How often.
        times: u64,
    },
    /// Stripe took the first of two updates: of what goes down.
    Partly,
    /// Stripe holds the quantities of the version.
    Told,
}

/// [`Outcome::Failed`] as the table and the API write it. Of one version the order of the three texts is
/// that of time: when it is told nothing comes after it.
pub const FAILED: &str = "failed";
/// [`Outcome::Partly`] as the table and the API write it.
pub const PARTLY: &str = "partly";
/// [`Outcome::Told`] as the table and the API write it.
pub const TOLD: &str = "told";

impl Outcome {
    /// The outcome as the table and the API write it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Failed { .. } => FAILED,
            Outcome::Partly => PARTLY,
            Outcome::Told => TOLD,
        }
    }
}

/// An entry of the history: an update, and the changes that it told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The update.
    pub told: Told,
    /// How each of its versions came about, the newest first. One that is not here is not on record: it is
    /// older than the history, or the message that carried it was lost. Of more than [`MAX_PAGE`] the
    /// newest are here.
    pub changes: Vec<Change>,
}

/// Some of the entries, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Behind which entry the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Where the history of an organization is read.
pub trait BillingHistory {
    /// At most `limit` entries behind the entry that `after` names: a [`Page::next`], or `None` for the
    /// newest. A page is cut where it would show more than [`MAX_PAGE`] changes.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn history(
        &self,
        granted: Grant<'_, ReadBilling>,
        after: Option<&str>,
        limit: u16,
    ) -> impl Future<Output = Result<Page, LookupFailed>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_made_a_version_is_read_back() {
        let credential = CredentialId::parse("01kgjb9z8rd3m0seats0000000").expect("an id");
        let text = By::text(&credential, "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
        let request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
        assert_eq!(By::parse(&text), Ok(By { credential: credential.clone(), request_id }));
        // Whatever a gateway gives its requests for an id.
        let by = By { credential: credential.clone(), request_id: "a b".to_owned() };
        assert_eq!(By::parse(&By::text(&credential, "a b")), Ok(by));
        for text in ["", " ", "01kgjb9z8rd3m0seats0000000", "nobody x"] {
            assert_eq!(By::parse(text), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn seats_are_counted_in_both_directions() {
        let (before, after) =
            (SeatCounts { basic: 5, premium: 1 }, SeatCounts { basic: 2, premium: 4 });
        let change = SeatChange::between(before, after);
        assert_eq!(change, SeatChange { basic: -3, premium: 3 });
    }

    #[test]
    fn of_one_version_what_is_told_comes_last() {
        assert!(FAILED < PARTLY && PARTLY < TOLD);
    }
}
