//! Lists of accounts, for administrators (docs/adr/0037-lists-of-accounts.md).

use std::future::Future;

use jiff::Timestamp;

use super::{AccountKind, AccountStatus, Email, KeptAccount};
use crate::credential::LookupFailed;
use crate::fault::{Fault, Form, Given, Rule};
use crate::grant::Grant;
use crate::id::{AccountId, micros};
use crate::page::{Looked, Page, looks_at};
use crate::right::ReadAccounts;

/// The statuses of what is listed: an account that is closed is none any more.
pub const LISTED_STATUSES: [AccountStatus; 3] =
    [AccountStatus::Active, AccountStatus::Suspended, AccountStatus::Pending];

/// The filters of a list as a caller sent them.
#[derive(Debug, Default)]
#[allow(missing_docs)] // As in `AccountFilter`.
pub struct AccountFilterInput {
    pub email: Given<String>,
    pub status: Given<String>,
    pub created_after: Given<String>,
    pub created_before: Given<String>,
}

/// Which accounts are listed: those that all of it fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Whose address this is, whatever the case.
    pub email: Option<Email>,
    /// That stand so.
    pub status: Option<AccountStatus>,
    /// That were created then or later, to the microsecond.
    pub created_after: Option<Timestamp>,
    /// That were created earlier.
    pub created_before: Option<Timestamp>,
}

impl AccountFilter {
    /// Checks every filter.
    pub fn parse(input: AccountFilterInput, faults: &mut Vec<Fault>) -> Self {
        let mut form = Form::new(faults);
        Self {
            email: form.optional("email", input.email, |raw| Email::parse(&raw)),
            status: form.optional("status", input.status, |raw| status(&raw)),
            created_after: form.optional("created_after", input.created_after, |raw| time(&raw)),
            created_before: form.optional("created_before", input.created_before, |raw| time(&raw)),
        }
    }

    /// Names and values of what is filtered by, in an order that is always the same. Filters that show the
    /// same have the same.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let parameters = [
            ("email", self.email.as_ref().map(Email::unique_form)),
            ("status", self.status.map(|status| status.as_str().to_owned())),
            ("created_after", self.created_after.map(micros)),
            ("created_before", self.created_before.map(micros)),
        ];
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Whether it shows an account.
    pub fn shows(&self, account: &ListedAccount) -> bool {
        let unique_form = |email: &Email| email.unique_form();
        let has = self
            .email
            .as_ref()
            .is_none_or(|email| unique_form(email) == unique_form(&account.email));
        has && LISTED_STATUSES.contains(&account.status)
            && self.status.is_none_or(|status| status == account.status)
            && self.created_after.is_none_or(|after| after <= account.created_at)
            && self.created_before.is_none_or(|before| account.created_at < before)
    }

    /// Whether there is no time between its two.
    fn is_empty(&self) -> bool {
        self.created_after.zip(self.created_before).is_some_and(|(after, before)| before <= after)
    }
}

fn status(raw: &str) -> Result<AccountStatus, Rule> {
    let listed = || LISTED_STATUSES.into_iter();
    listed()
        .find(|status| status.as_str() == raw.trim())
        .ok_or_else(|| Rule::OneOf(listed().map(|status| status.as_str().to_owned()).collect()))
}

/// A time in whole microseconds, as accounts have it.
fn time(raw: &str) -> Result<Timestamp, Rule> {
    let time: Timestamp = raw.trim().parse().map_err(|_| Rule::Time)?;
    Timestamp::from_microsecond(time.as_microsecond()).map_err(|_| Rule::Time)
}

/// An account as lists have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // As in `KeptAccount`.
pub struct ListedAccount {
    pub id: AccountId,
    pub email: Email,
    pub name: String,
    pub kind: AccountKind,
    pub status: AccountStatus,
    pub currency: String,
    pub timezone: String,
    pub language: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<KeptAccount> for ListedAccount {
    fn from(kept: KeptAccount) -> Self {
        Self {
            id: kept.id,
            email: kept.email,
            name: kept.name,
            kind: kept.kind,
            status: kept.status,
            currency: kept.currency,
            timezone: kept.timezone,
            language: kept.language,
            created_at: kept.created_at,
            updated_at: kept.updated_at,
        }
    }
}

/// Where accounts are listed.
pub trait AccountLists {
    /// Looks at `at_most` accounts behind a position that the filter's times fit, the first created first. Those
    /// that the rest of it does not fit may be left out. It may be a moment behind.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn accounts(
        &self,
        granted: Grant<'_, ReadAccounts>,
        filter: &AccountFilter,
        after: Option<&str>,
        at_most: u16,
    ) -> impl Future<Output = Result<Looked<ListedAccount>, LookupFailed>> + Send;

    /// The account that has an address, as of now.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn account_at(
        &self,
        granted: Grant<'_, ReadAccounts>,
        email: &Email,
    ) -> impl Future<Output = Result<Option<KeptAccount>, LookupFailed>> + Send;
}

/// A page of the accounts that a filter shows, the first created first.
///
/// # Errors
/// [`LookupFailed`].
pub async fn list_accounts(
    store: &(impl AccountLists + Sync),
    granted: Grant<'_, ReadAccounts>,
    filter: &AccountFilter,
    (after, limit): (Option<&str>, u16),
) -> Result<Page<ListedAccount>, LookupFailed> {
    let looked = if filter.is_empty() {
        Looked { entries: Vec::new(), more_behind: None }
    } else if let Some(email) = &filter.email {
        let account = store.account_at(granted, email).await?.map(ListedAccount::from);
        let entries = account.map(|account| (String::new(), account)).into_iter().collect();
        Looked { entries, more_behind: None }
    } else {
        let at_most = looks_at(limit, filter.status.is_some());
        store.accounts(granted, filter, after, at_most).await?
    };
    Ok(looked.page(limit, |account| filter.shows(account)))
}

#[cfg(test)]
mod tests {
    use super::super::kept::tests::kept;
    use super::*;

    fn given(text: &str) -> Given<String> {
        Given::Value(text.to_owned())
    }

    fn parsed(input: AccountFilterInput) -> Result<AccountFilter, Vec<(String, Rule)>> {
        let mut faults = Vec::new();
        let filter = AccountFilter::parse(input, &mut faults);
        let faults: Vec<_> =
            faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect();
        if faults.is_empty() { Ok(filter) } else { Err(faults) }
    }

    fn between(after: &str, before: &str) -> AccountFilter {
        let input = AccountFilterInput {
            created_after: given(after),
            created_before: given(before),
            ..Default::default()
        };
        parsed(input).expect("two times")
    }

    #[test]
    fn all_faults_are_told() {
        let faults = parsed(AccountFilterInput {
            email: given("owner"),
            status: given("closed"),
            created_after: given("2026-01-01"),
            created_before: given("2026-01-01T00:00:00"),
        });
        let statuses = ["active", "suspended", "pending"].map(str::to_owned).to_vec();
        let expected = [
            ("email", Rule::Email),
            ("status", Rule::OneOf(statuses)),
            ("created_after", Rule::Time),
            ("created_before", Rule::Time),
        ];
        assert_eq!(faults, Err(expected.map(|(name, rule)| (name.to_owned(), rule)).to_vec()));
    }

    #[test]
    fn filters_that_show_the_same_are_signed_the_same() {
        let parameters = |email: &str, after: &str| {
            let input = AccountFilterInput {
                email: given(email),
                created_after: given(after),
                ..Default::default()
            };
            parsed(input).expect("a filter").parameters()
        };
        let one = parameters("Owner@Bücher.example", "2026-01-01T00:00:00Z");
        assert_eq!(
            one,
            parameters(" owner@xn--bcher-kva.example", "2026-01-01T02:00:00.0000009+02:00")
        );
        assert_ne!(one, parameters("owner@bucher.example", "2026-01-01T00:00:00Z"));
        assert_eq!(AccountFilter::default().parameters(), []);
    }

    #[test]
    fn the_first_moment_is_in_and_the_last_is_not() {
        let account = ListedAccount::from(kept(AccountStatus::Active));
        let epoch = "1970-01-01T00:00:00Z";
        let shows = |after, before| between(after, before).shows(&account);
        assert!(shows(epoch, "1970-01-01T00:00:00.000001Z"));
        assert!(!shows("1970-01-01T00:00:00.000001Z", "1971-01-01T00:00:00Z"));
        assert!(!shows("1969-01-01T00:00:00Z", epoch));
        assert!(
            between(epoch, epoch).is_empty() && between(epoch, "1969-01-01T00:00:00Z").is_empty()
        );
        assert!(!between("1969-01-01T00:00:00Z", epoch).is_empty());
    }

    #[test]
    fn what_is_closed_is_never_shown() {
        for status in AccountStatus::ALL {
            let account = ListedAccount::from(kept(status));
            let is_shown = AccountFilter::default().shows(&account);
            assert_eq!(is_shown, status != AccountStatus::Closed);
            for wanted in LISTED_STATUSES {
                let filter = AccountFilter { status: Some(wanted), ..Default::default() };
                assert_eq!(filter.shows(&account), wanted == status);
            }
        }
    }
}
