//! Accounts of agencies as they are kept, and what is done with them after their creation.

use std::future::Future;

use super::AgencySettings;
use crate::credential::LookupFailed;
use crate::grant::Grant;
use crate::id::{AgencyAccountLcuid, AgencyLcuid};
use crate::right::ViewAgencyAccounts;
use crate::text::Text;

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAccount {
    /// Its id.
    pub lcuid: AgencyAccountLcuid,
    /// Its name.
    pub name: String,
    /// Its name for URLs.
    pub slug: String,
    /// Its description.
    pub description: Option<String>,
    /// Its site.
    pub website: Option<String>,
    /// Whether it may have sub-accounts.
    pub is_parent_account: bool,
    /// When it was created: UTC, six decimals.
    pub created_at: String,
}

/// The agency of an account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAgency {
    /// Its id.
    pub lcuid: AgencyLcuid,
    /// Its name.
    pub name: Text,
    /// What its accounts are.
    pub settings: AgencySettings,
    /// When it was created: UTC, six decimals.
    pub created_at: String,
}

/// Where the accounts of an agency are read.
pub trait AgencyAccountRecords {
    /// An account and its agency, as of now, in one step; `None` where the agency has no such
    /// account.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn account(
        &self,
        granted: Grant<'_, ViewAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> impl Future<Output = Result<Option<(KeptAccount, KeptAgency)>, LookupFailed>> + Send;
}
