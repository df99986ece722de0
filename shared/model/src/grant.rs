//! What a caller may do, and to whose things, as one value (docs/adr/0025-grants.md).
//!
//! Only a credential gives a [`Grant`], and what a caller reads or changes takes one: without a
//! tenant, or with a right to something else, it does not compile.
//!
//! ```compile_fail
//! # use headcount_model::{grant::Grant, id::OrganizationId, right::ReadBilling};
//! # fn made_up<'c>(organization: &'c OrganizationId) -> Grant<'c, ReadBilling> {
//! Grant::of(organization)
//! # }
//! ```
//!
//! ```compile_fail
//! # use headcount_model::{grant::Grant, right::{CreateSeats, ReadBilling}};
//! # fn other<'c>(read: Grant<'c, ReadBilling>) -> Grant<'c, CreateSeats> {
//! read.implied()
//! # }
//! ```

use std::marker::PhantomData;

use crate::credential::{Credential, Holder, Permission};
use crate::id::{AccountId, AgencyLcuid, AppLcuid, CredentialId, OrganizationId};
use crate::identity::Session;
use crate::right::OwnAccount;

/// Whose things they are.
pub trait Tenant {
    /// The tenant, as a holder of a credential names it.
    type Named<'h>: Copy + std::fmt::Debug;

    /// The tenant that a holder speaks for; `None` when it speaks for one of another API.
    fn named(holder: &Holder) -> Option<Self::Named<'_>>;
}

impl Tenant for OrganizationId {
    type Named<'h> = &'h OrganizationId;

    fn named(holder: &Holder) -> Option<&OrganizationId> {
        match holder {
            Holder::Organization(organization) => Some(organization),
            _ => None,
        }
    }
}

/// An app, and the agency that it acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct App<'h> {
    /// The app.
    pub app: &'h AppLcuid,
    /// The agency.
    pub agency: &'h AgencyLcuid,
}

impl Tenant for AgencyLcuid {
    type Named<'h> = App<'h>;

    fn named(holder: &Holder) -> Option<App<'_>> {
        match holder {
            Holder::App { app, agency } => Some(App { app, agency }),
            _ => None,
        }
    }
}

/// An account of the Identity API speaks for itself, by a session and by no credential.
impl Tenant for AccountId {
    type Named<'h> = &'h AccountId;

    fn named(_: &Holder) -> Option<&AccountId> {
        None
    }
}

/// The accounts of the Identity API, all of which an administrator speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EveryAccount {}

impl Tenant for EveryAccount {
    type Named<'h> = ();

    fn named(holder: &Holder) -> Option<()> {
        (*holder == Holder::Administrator).then_some(())
    }
}

/// Something that a credential may allow.
pub trait Right {
    /// Whose things it is about.
    type Of: Tenant;
    /// Any one of these permissions is enough. A refusal names the first, or all.
    const ONE_OF: &'static [Permission];
}

/// A right that needs no permission: every good credential of the tenant gives it.
///
/// One that no credential gives, such as [`OwnAccount`], is none of these, though no permission
/// stands for it either:
///
/// ```compile_fail
/// # use headcount_model::{credential::Credential, grant::Grant, right::OwnAccount};
/// # fn any(credential: &Credential) -> Option<Grant<'_, OwnAccount>> {
/// credential.belongs().ok()
/// # }
/// ```
pub trait OfAnyCredential: Right {}

/// A right that includes another one.
pub trait Implies<R>: Right {}

/// That a caller may do `R` to the things of its tenant.
#[derive(Debug)]
pub struct Grant<'c, R: Right> {
    tenant: <R::Of as Tenant>::Named<'c>,
    by: &'c CredentialId,
    right: PhantomData<fn() -> R>,
}

// Not derived, since `R` itself is never copied.
impl<R: Right> Clone for Grant<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Right> Copy for Grant<'_, R> {}

/// Why there is no grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGranted {
    /// The credential is one of another API.
    Foreign,
    /// The credential has none of the permissions.
    Lacking,
}

impl Credential {
    /// What it allows of a right.
    ///
    /// # Errors
    /// [`NotGranted`].
    pub fn grant<R: Right>(&self) -> Result<Grant<'_, R>, NotGranted> {
        let tenant = R::Of::named(&self.holder).ok_or(NotGranted::Foreign)?;
        if !R::ONE_OF.iter().any(|&permission| self.allows(permission)) {
            return Err(NotGranted::Lacking);
        }
        Ok(Grant { tenant, by: &self.id, right: PhantomData })
    }

    /// What it allows of a right that needs no permission.
    ///
    /// # Errors
    /// [`NotGranted::Foreign`].
    pub fn belongs<R: OfAnyCredential>(&self) -> Result<Grant<'_, R>, NotGranted> {
        let tenant = R::Of::named(&self.holder).ok_or(NotGranted::Foreign)?;
        Ok(Grant { tenant, by: &self.id, right: PhantomData })
    }
}

impl Session {
    /// What its access token allows: everything that is the account's own.
    pub fn grant(&self) -> Grant<'_, OwnAccount> {
        Grant { tenant: &self.account, by: self.id.token(), right: PhantomData }
    }
}

impl<'c, R: Right> Grant<'c, R> {
    /// Whose things.
    pub fn tenant(&self) -> <R::Of as Tenant>::Named<'c> {
        self.tenant
    }

    /// Who does it: the public half of the credential.
    pub fn by(&self) -> &'c CredentialId {
        self.by
    }

    /// The same for a right that this one includes.
    pub fn implied<T: Right<Of = R::Of>>(self) -> Grant<'c, T>
    where
        R: Implies<T>,
    {
        Grant { tenant: self.tenant, by: self.by, right: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::id::tests::{At, Same};
    use crate::right::{ReadBilling, ReadOrganization};

    fn credential(holder: Holder, permissions: &[Permission]) -> Credential {
        let permissions: BTreeSet<_> = permissions.iter().copied().collect();
        let ports = (At(Timestamp::UNIX_EPOCH), Same(9));
        let issued = Credential::issue(holder, permissions, None, &ports.0, &ports.1);
        issued.expect("entropy").0
    }

    #[test]
    fn one_permission_of_the_right_tenant_is_enough() {
        let organization = OrganizationId::parse("org_01kgjb9z8rd3m0seats0000000").expect("an id");
        let holder = || Holder::Organization(organization.clone());
        for permission in Permission::ALL {
            let one = credential(holder(), &[permission]);
            match one.grant::<ReadBilling>() {
                Ok(grant) => {
                    assert!(ReadBilling::ONE_OF.contains(&permission), "{permission:?}");
                    assert_eq!((grant.tenant(), grant.by()), (&organization, &one.id));
                }
                Err(refused) => {
                    assert!(!ReadBilling::ONE_OF.contains(&permission), "{permission:?}");
                    assert_eq!(refused, NotGranted::Lacking);
                }
            }
        }
        let nothing = credential(holder(), &[]);
        assert_eq!(nothing.grant::<ReadBilling>().err(), Some(NotGranted::Lacking));
        let foreign = credential(Holder::Administrator, &Permission::ALL);
        assert_eq!(foreign.grant::<ReadBilling>().err(), Some(NotGranted::Foreign));
        // Of what needs no permission it is the tenant alone that counts.
        let grant = nothing.belongs::<ReadOrganization>().expect("a grant");
        assert_eq!((grant.tenant(), grant.by()), (&organization, &nothing.id));
        assert_eq!(foreign.belongs::<ReadOrganization>().err(), Some(NotGranted::Foreign));
        // By permissions nobody gets it, nor what only a session gives.
        let all = credential(holder(), &Permission::ALL);
        assert_eq!(all.grant::<ReadOrganization>().err(), Some(NotGranted::Lacking));
        assert_eq!(all.grant::<OwnAccount>().err(), Some(NotGranted::Foreign));
    }
}
