//! An organization, as its own callers see it.

use std::future::Future;

use crate::credential::LookupFailed;
use crate::grant::Grant;
use crate::id::OrganizationId;
use crate::right::ReadOrganization;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// What it is called.
    pub name: String,
}

/// Where organizations are kept.
pub trait Organizations {
    /// The caller's organization; `None` when it is gone.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn organization(
        &self,
        granted: Grant<'_, ReadOrganization>,
    ) -> impl Future<Output = Result<Option<Organization>, LookupFailed>> + Send;
}
