//! Where items lie (DESIGN, "Table").

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::id::{
    AccountId, AgencyAccountLcuid, AgencyLcuid, AppLcuid, AuditId, CredentialId, OrganizationId,
    SeatId,
};
use headcount_model::idempotency::hex;
use headcount_model::identity::SessionId;
use headcount_model::reconcile::Shard;
use serde::{Deserialize, Serialize};

/// Sort key of the billing record of an organization.
pub const BILLING: &str = "BILLING";
/// Partition key prefix of an organization, and sort key prefix of its entry in the directory.
pub(crate) const ORGANIZATION: &str = "ORG#";
/// Sort key prefix of a seat.
pub const SEAT: &str = "SEAT#";
/// Sort key prefix of an agency account.
pub const AGENCY_ACCOUNT: &str = "ACCOUNT#";
/// Sort key prefix of an entry of a tenant's audit.
pub const AUDIT: &str = "AUDIT#";
/// Sort key prefix of an API key in the list of its organization. It lies outside of what is read with the
/// billing record.
pub const API_KEY: &str = "APIKEY#";
/// Sort key prefix of what Stripe was told of a version.
pub(crate) const TOLD: &str = "TOLD#";
/// Sort key prefix of how a version came about. It lies outside of what is read with the billing record.
pub(crate) const AUTHOR: &str = "AUTHOR#";
/// Sort key of an identity account.
pub const ACCOUNT: &str = "ACCOUNT";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    fn of(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// An organization.
    pub fn organization(id: &OrganizationId) -> Self {
        Self::of(format!("ORG#{id}"), "ORG")
    }

    /// The billing record of an organization.
    pub fn billing(id: &OrganizationId) -> Self {
        Self::of(format!("ORG#{id}"), BILLING)
    }

    /// An organization in the directory of its shard.
    pub fn directory(id: &OrganizationId) -> Self {
        Self::of(Self::directory_of(Shard::of(id)), format!("{ORGANIZATION}{id}"))
    }

    /// Partition key of the directory of a shard.
    pub(crate) fn directory_of(shard: Shard) -> String {
        format!("ORGS#{shard}")
    }

    /// How far the reconciliation of a shard has come.
    pub fn reconcile(shard: Shard) -> Self {
        Self::of(format!("RECONCILE#{shard}"), "RECONCILE")
    }

    /// A seat of an organization.
    pub fn seat(organization: &OrganizationId, id: &SeatId) -> Self {
        Self::of(format!("ORG#{organization}"), format!("{SEAT}{id}"))
    }

    /// An entry of an organization's audit. Ids sort by time: backwards, the newest comes first.
    pub fn audit(organization: &OrganizationId, id: &AuditId) -> Self {
        Self::of(format!("ORG#{organization}"), format!("{AUDIT}{id}"))
    }

    /// An API key in the list of its organization.
    pub fn api_key(organization: &OrganizationId, id: &CredentialId) -> Self {
        Self::listed(organization, id.as_str())
    }

    /// The same by an id that was not read.
    pub(crate) fn listed(organization: &OrganizationId, id: &str) -> Self {
        Self::of(format!("ORG#{organization}"), format!("{API_KEY}{id}"))
    }

    /// What Stripe was told of a version of an organization's billing record, by its outcome. Versions are
    /// padded: backwards, the newest comes first.
    pub fn told(organization: &OrganizationId, version: u64, outcome: &str) -> Self {
        Self::of(format!("ORG#{organization}"), format!("{TOLD}{version:020}#{outcome}"))
    }

    /// How a version of an organization's billing record came about.
    pub fn author(organization: &OrganizationId, version: u64) -> Self {
        Self::of(format!("ORG#{organization}"), format!("{AUTHOR}{version:020}"))
    }

    /// An entry of an agency's audit.
    pub fn agency_audit(agency: &AgencyLcuid, id: &AuditId) -> Self {
        Self::of(format!("AGENCY#{agency}"), format!("{AUDIT}{id}"))
    }

    /// An agency.
    pub fn agency(lcuid: &AgencyLcuid) -> Self {
        Self::of(format!("AGENCY#{lcuid}"), "AGENCY")
    }

    /// An account of an agency.
    pub fn agency_account(agency: &AgencyLcuid, lcuid: &AgencyAccountLcuid) -> Self {
        Self::of(format!("AGENCY#{agency}"), format!("{AGENCY_ACCOUNT}{lcuid}"))
    }

    /// The lock on a slug.
    pub fn slug(slug: &str) -> Self {
        Self::of(format!("SLUG#{slug}"), "SLUG")
    }

    /// An app.
    pub fn app(lcuid: &AppLcuid) -> Self {
        Self::of(format!("APP#{lcuid}"), "APP")
    }

    /// A credential.
    pub fn credential(id: &CredentialId) -> Self {
        Self::of(format!("CREDENTIAL#{id}"), "CREDENTIAL")
    }

    /// An identity account.
    pub fn account(id: &AccountId) -> Self {
        Self::of(format!("ACCOUNT#{id}"), ACCOUNT)
    }

    /// The lock on an e-mail address, in its unique form.
    pub fn email(unique_form: &str) -> Self {
        Self::of(format!("EMAIL#{unique_form}"), "EMAIL")
    }

    /// An entry of an identity account's audit.
    pub fn account_audit(account: &AccountId, id: &AuditId) -> Self {
        Self::of(format!("ACCOUNT#{account}"), format!("{AUDIT}{id}"))
    }

    /// A session of an identity account, by what its tokens have in common.
    pub fn session(id: &SessionId) -> Self {
        Self::of(format!("SESSION#{}", id.token()), "SESSION")
    }

    /// A session in the list of its account. Ids sort by time: backwards, the newest comes first.
    pub fn listed_session(account: &AccountId, id: &SessionId) -> Self {
        Self::of(Self::sessions_of(account), format!("SESSION#{}", id.token()))
    }

    /// Partition key of the list of an account's sessions.
    pub(crate) fn sessions_of(account: &AccountId) -> String {
        format!("SESSIONS#{account}")
    }

    /// A refresh token that another one of its session has taken the place of, by the hash of its secret.
    pub fn rotated(id: &SessionId, hash: &[u8; 32]) -> Self {
        Self::of(Self::session(id).pk, format!("ROTATED#{}", hex(hash)))
    }

    /// The attempts to log in at an address, by the keyed hash of it.
    pub fn log_ins(counted_as: &str) -> Self {
        Self::of(format!("LOGIN#{counted_as}"), "LOGIN")
    }

    /// Part `part` of an idempotency record.
    ///
    /// The parts of a long request lie in partitions of their own: the transactions that write
    /// them do not slow each other down.
    pub fn idempotency(name: &str, part: usize) -> Self {
        let pk = if part == 0 {
            format!("IDEMPOTENCY#{name}")
        } else {
            format!("IDEMPOTENCY#{name}#{part}")
        };
        Self::of(pk, "IDEMPOTENCY")
    }

    /// The key as DynamoDB takes it.
    pub(crate) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}
