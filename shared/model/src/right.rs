//! Every right there is: whose things it is about, and which permissions give it. This is the whole
//! of who may do what (LIFECYCLE).

use crate::credential::Permission::{
    self, AccountDelete, AccountUpdate, AccountView, AccountsCreate, AccountsDeactivate,
    AccountsDelete, AccountsRead, AccountsUpdate, AgencyCreateAccounts,
    AgencyUpdateDeleteAllAccounts, AgencyViewAccounts, BillingManage, BillingRead, KeysManage,
};
use crate::grant::{EveryAccount, Implies, OfAnyCredential, Right};
use crate::id::{AccountId, AgencyLcuid, OrganizationId};

/// A type for each right.
macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident of $tenant:ty: $($permission:expr),*;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $right {}

        impl Right for $right {
            type Of = $tenant;
            const ONE_OF: &'static [Permission] = &[$($permission),*];
        }
    )+};
}

rights! {
    /// To see what the organization is called. No permission gives it, but every good credential of the
    /// organization ([`OfAnyCredential`]).
    ReadOrganization of OrganizationId: ;
    /// To create seats, and to be told beforehand what they will cost.
    CreateSeats of OrganizationId: AccountsCreate;
    /// To see the seats. Whoever may create seats may see them.
    ReadSeats of OrganizationId: AccountsRead, AccountsCreate;
    /// To change seats that exist: their details and their tier.
    UpdateSeats of OrganizationId: AccountsUpdate;
    /// To give seats back.
    DeactivateSeats of OrganizationId: AccountsDeactivate;
    /// To see how the organization is billed. Whoever may create seats may see what they cost.
    ReadBilling of OrganizationId: BillingRead, AccountsCreate;
    /// To open the billing portal, and to end the subscription with its period, or not after all.
    ManageBilling of OrganizationId: BillingManage;
    /// To see, make, name and delete the organization's API keys.
    ManageKeys of OrganizationId: KeysManage;
    /// To create accounts in the agency.
    CreateAgencyAccounts of AgencyLcuid: AgencyCreateAccounts;
    /// To see the accounts of the agency, each whole.
    ViewAgencyAccounts of AgencyLcuid: AccountView, AgencyUpdateDeleteAllAccounts;
    /// To change the accounts of the agency.
    UpdateAgencyAccounts of AgencyLcuid: AccountUpdate, AgencyUpdateDeleteAllAccounts;
    /// To delete the accounts of the agency.
    DeleteAgencyAccounts of AgencyLcuid: AccountDelete, AgencyUpdateDeleteAllAccounts;
    /// To see which accounts the agency has.
    ListAgencyAccounts of AgencyLcuid: AgencyViewAccounts;
    /// What an account may do to itself. No permission gives it, but a session
    /// ([`Session::grant`](crate::identity::Session::grant)).
    OwnAccount of AccountId: ;
    /// To see every identity account. Whoever may create accounts may see them.
    ReadAccounts of EveryAccount: AccountsRead, AccountsCreate;
    /// To change every identity account.
    UpdateAccounts of EveryAccount: AccountsUpdate;
    /// To delete every identity account.
    DeleteAccounts of EveryAccount: AccountsDelete;
}

impl OfAnyCredential for ReadOrganization {}
impl Implies<ReadBilling> for CreateSeats {}
// Whoever changes an account is answered with all of it.
impl Implies<ViewAgencyAccounts> for UpdateAgencyAccounts {}
impl Implies<ListAgencyAccounts> for ViewAgencyAccounts {}
