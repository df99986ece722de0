//! Bearer credentials: `hc_<id>_<secret>`. The table keeps the id and the SHA-256 of the
//! secret; 256 random bits need no slow hash.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::agency::AgencySettings;
use crate::id::{AgencyLcuid, AppLcuid, CredentialId, OrganizationId};
use crate::idempotency::hex;
use crate::port::{Clock, Entropy, NoEntropy, random};

/// What a credential begins with.
const CREDENTIAL: &str = "hc_";
/// What a token of an app begins with ([`crate::app_token`]).
const APP_TOKEN: &str = "hca_";
/// A credential that nobody has: its time is that of the epoch, and its random part zero.
const NOBODY: &str = "00000000000000000000000000";

/// What a credential may allow. The names are those of the published APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Create seats (Seats API) or accounts of others (Identity API).
    AccountsCreate,
    /// See accounts (Seats API and Identity API).
    AccountsRead,
    /// Change accounts (Seats API and Identity API).
    AccountsUpdate,
    /// Delete accounts (Identity API).
    AccountsDelete,
    /// Give seats back.
    AccountsDeactivate,
    /// See how the organization is billed.
    BillingRead,
    /// Open the organization's billing portal; end its subscription with the period, or not after all.
    BillingManage,
    /// See, make, name and delete the organization's API keys.
    KeysManage,
    /// Create accounts in the agency.
    AgencyCreateAccounts,
    /// List the accounts of the agency.
    AgencyViewAccounts,
    /// See, change and delete every account of the agency.
    AgencyUpdateDeleteAllAccounts,
    /// See an account of the agency.
    AccountView,
    /// Change an account of the agency.
    AccountUpdate,
    /// Delete an account of the agency.
    AccountDelete,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 14] = [
        Permission::AccountsCreate,
        Permission::AccountsRead,
        Permission::AccountsUpdate,
        Permission::AccountsDelete,
        Permission::AccountsDeactivate,
        Permission::BillingRead,
        Permission::BillingManage,
        Permission::KeysManage,
        Permission::AgencyCreateAccounts,
        Permission::AgencyViewAccounts,
        Permission::AgencyUpdateDeleteAllAccounts,
        Permission::AccountView,
        Permission::AccountUpdate,
        Permission::AccountDelete,
    ];

    /// The permission as the APIs and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::AccountsCreate => "accounts:create",
            Permission::AccountsRead => "accounts:read",
            Permission::AccountsUpdate => "accounts:update",
            Permission::AccountsDelete => "accounts:delete",
            Permission::AccountsDeactivate => "accounts:deactivate",
            Permission::BillingRead => "billing:read",
            Permission::BillingManage => "billing:manage",
            Permission::KeysManage => "keys:manage",
            Permission::AgencyCreateAccounts => "agency.createAccounts",
            Permission::AgencyViewAccounts => "agency.viewAccounts",
            Permission::AgencyUpdateDeleteAllAccounts => "agency.updateDeleteAllAgencyAccounts",
            Permission::AccountView => "account.view",
            Permission::AccountUpdate => "account.update",
            Permission::AccountDelete => "account.delete",
        }
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Permission::as_str).join(", ");
            format!("no such permission; there are: {known}")
        })
    }
}

/// Whose credential it is. It speaks for this tenant and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An organization of the Seats API.
    Organization(OrganizationId),
    /// An app of the Agency API, acting on one agency.
    App {
        /// The app.
        app: AppLcuid,
        /// The agency.
        agency: AgencyLcuid,
    },
    /// An administrator of the Identity API.
    Administrator,
}

/// A credential as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The public half.
    pub id: CredentialId,
    /// SHA-256 of the secret half.
    pub secret_hash: [u8; 32],
    /// Whose it is.
    pub holder: Holder,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// Whether it was taken back.
    pub revoked: bool,
}

impl Credential {
    /// Makes a credential, and the text to hand to its holder: the only time it is known.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn issue(
        holder: Holder,
        permissions: BTreeSet<Permission>,
        expires_at: Option<Timestamp>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<(Self, SecretString), NoEntropy> {
        let id = CredentialId::new(clock, entropy)?;
        let (token, secret_hash) = new_token(&id, entropy)?;
        let credential = Self { id, secret_hash, holder, permissions, expires_at, revoked: false };
        Ok((credential, token))
    }

    /// Whether it allows something.
    pub fn allows(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}

/// A new token under an id, and the SHA-256 of its secret half.
pub(crate) fn new_token(
    id: &CredentialId,
    entropy: &dyn Entropy,
) -> Result<(SecretString, [u8; 32]), NoEntropy> {
    let secret = SecretString::from(hex(&random::<32>(entropy)?));
    let token = SecretString::from(format!("hc_{id}_{}", secret.expose_secret()));
    Ok((token, Sha256::digest(secret.expose_secret()).into()))
}

/// A new token of an app for a credential, and the SHA-256 of its secret half.
pub(crate) fn new_app_token(
    id: &CredentialId,
    entropy: &dyn Entropy,
) -> Result<(SecretString, [u8; 32]), NoEntropy> {
    let secret = SecretString::from(hex(&random::<32>(entropy)?));
    let token = SecretString::from(format!("{APP_TOKEN}{id}_{}", secret.expose_secret()));
    Ok((token, Sha256::digest(secret.expose_secret()).into()))
}

/// The token in the value of an `Authorization` header. The scheme is read in any case (RFC 9110, section
/// 11.1); `None` for any other.
pub fn bearer(header: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A credential as a caller presents it.
pub struct Presented {
    id: CredentialId,
    secret_hash: [u8; 32],
    is_app_token: bool,
}

impl Presented {
    /// Reads the value of an `Authorization` header ([`bearer`]); `None` for any other form.
    pub fn parse(header: &[u8]) -> Option<Self> {
        Self::of_token(bearer(header)?)
    }

    /// Reads a credential without anything around it; `None` for any other form.
    pub fn of_token(token: &str) -> Option<Self> {
        Self::of_halves(token.strip_prefix(CREDENTIAL)?, false)
    }

    /// Reads the value of an `Authorization` header of the Agency API, where a token of an app does as well
    /// as a credential; `None` for any other form.
    pub fn of_agency(header: &[u8]) -> Option<Self> {
        let token = bearer(header)?;
        Self::of_token(token).or_else(|| Self::of_halves(token.strip_prefix(APP_TOKEN)?, true))
    }

    fn of_halves(halves: &str, is_app_token: bool) -> Option<Self> {
        let (id, secret) = halves.split_once('_')?;
        let well_formed = secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit());
        if !well_formed {
            return None;
        }
        let (id, secret_hash) = (CredentialId::parse(id).ok()?, Sha256::digest(secret).into());
        Some(Self { id, secret_hash, is_app_token })
    }

    /// A credential whose halves come on their own. Of an id of another form it is the credential that nobody
    /// has, so that it is looked up like any other.
    pub fn of_pair(id: &str, secret: &str) -> Option<Self> {
        let id = CredentialId::parse(id).or_else(|_| CredentialId::parse(NOBODY)).ok()?;
        Some(Self { id, secret_hash: Sha256::digest(secret).into(), is_app_token: false })
    }

    /// Whether it is a token of an app, which stands for the credential of its id.
    pub fn is_app_token(&self) -> bool {
        self.is_app_token
    }

    /// The public half, under which the credential is kept.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Whether it is the one that is kept, with its secret. The time that this takes tells
    /// nothing of either secret.
    pub fn is(&self, kept: &Credential) -> bool {
        self.is_of(&kept.id, &kept.secret_hash)
    }

    /// Whether it has this id and the secret of this hash. The time that this takes tells nothing of
    /// either secret.
    pub(crate) fn is_of(&self, id: &CredentialId, secret_hash: &[u8; 32]) -> bool {
        bool::from(self.secret_hash.ct_eq(secret_hash)) && *id == self.id
    }

    /// SHA-256 of the secret half.
    pub fn secret_hash(&self) -> &[u8; 32] {
        &self.secret_hash
    }

    /// The credential that it is if it was issued to `holder` and never expires: for those whose
    /// text is chosen beforehand, which those of demos and tests are.
    pub fn issued_to(&self, holder: Holder, permissions: BTreeSet<Permission>) -> Credential {
        Credential {
            id: self.id.clone(),
            secret_hash: self.secret_hash,
            holder,
            permissions,
            expires_at: None,
            revoked: false,
        }
    }

    /// The credential, if it is the one presented and still works at `now`.
    pub fn verify(&self, kept: Option<Credential>, now: Timestamp) -> Option<Credential> {
        kept.filter(|kept| {
            self.is(kept) && !kept.revoked && kept.expires_at.is_none_or(|expiry| now < expiry)
        })
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presented({})", self.id)
    }
}

/// Why a credential could not be looked up. It says nothing about the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupFailed {
    /// More reads than the table takes; later is fine.
    Throttled,
    /// The table did not answer in time.
    Unavailable,
}

/// Where credentials are kept.
pub trait Credentials {
    /// The credential with the id of the one presented. It may be up to 30 s old, but only for
    /// who presents its secret: to anyone else a known id costs as much as an unknown one, so that
    /// the time it takes does not tell which ids there are.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn credential(
        &self,
        presented: &Presented,
    ) -> impl Future<Output = Result<Option<Credential>, LookupFailed>> + Send;
}

/// Where credentials and the settings of agencies are kept.
pub trait AgencyDirectory: Credentials {
    /// The credential with the id of the one presented and the settings of an agency, in one
    /// step. Each may be up to 30 s old, as far as they belong to who presents the secret.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn credential_and_agency(
        &self,
        presented: &Presented,
        agency: Option<&AgencyLcuid>,
    ) -> impl Future<Output = Result<(Option<Credential>, Option<AgencySettings>), LookupFailed>> + Send;
}

/// The text of an issued credential, to be shown once.
pub fn reveal(token: &SecretString) -> &str {
    token.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::tests::{At, Same};

    fn issue(expires_at: Option<Timestamp>) -> (Credential, String) {
        let (credential, token) = Credential::issue(
            Holder::Administrator,
            BTreeSet::from([Permission::AccountsCreate]),
            expires_at,
            &At(Timestamp::UNIX_EPOCH),
            &Same(9),
        )
        .expect("entropy");
        (credential, reveal(&token).to_owned())
    }

    fn present(text: &str) -> Option<Presented> {
        Presented::parse(text.as_bytes())
    }

    #[test]
    fn what_was_issued_verifies_and_anything_else_does_not() {
        let (credential, token) = issue(None);
        let now = Timestamp::UNIX_EPOCH;
        let good = present(&format!("bearer {token}")).expect("well-formed");
        assert_eq!(good.verify(Some(credential.clone()), now), Some(credential.clone()));
        assert_eq!(good.verify(None, now), None);

        let mut tampered = token.clone();
        tampered.replace_range(token.len() - 1.., "a");
        let tampered = present(&format!("Bearer {tampered}")).expect("well-formed");
        assert_eq!(tampered.verify(Some(credential.clone()), now), None);

        let revoked = Credential { revoked: true, ..credential };
        assert_eq!(good.verify(Some(revoked), now), None);
    }

    #[test]
    fn a_chosen_text_is_a_credential_of_its_own() {
        let (issued, token) = issue(None);
        let presented = Presented::of_token(&token).expect("well-formed");
        assert_eq!(presented.issued_to(issued.holder.clone(), issued.permissions.clone()), issued);
        assert!(Presented::of_token(&format!(" {token}")).is_none());
    }

    #[test]
    fn the_secret_of_one_credential_does_not_open_another() {
        let (credential, token) = issue(None);
        let good = present(&format!("Bearer {token}")).expect("well-formed");
        let other_id = CredentialId::parse("01kgjb9z8rd3m0seats0000000").expect("an id");
        let other = Credential { id: other_id, ..credential };
        assert!(!good.is(&other));
        assert_eq!(good.verify(Some(other), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn it_expires_at_the_second_that_is_named() {
        let expiry = Timestamp::from_second(100).expect("in range");
        let (credential, token) = issue(Some(expiry));
        let good = present(&format!("Bearer {token}")).expect("well-formed");
        let at = |second| Timestamp::from_second(second).expect("in range");
        assert!(good.verify(Some(credential.clone()), at(99)).is_some());
        assert!(good.verify(Some(credential), at(100)).is_none());
    }

    #[test]
    fn malformed_headers_are_nobody() {
        let (_, token) = issue(None);
        for bad in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            token.clone(),
            format!("Basic {token}"),
            format!("Bearer {}", &token[..token.len() - 1]),
            format!("Bearer {token}0"),
            format!("Bearer {}", token.replace("hc_", "hd_")),
            "Bearer hc__".to_owned(),
            "Bearer hc_é_é".to_owned(),
        ] {
            assert!(present(&bad).is_none(), "{bad}");
        }
        assert!(Presented::parse(b"Bearer \xff\xfe").is_none());
    }

    #[test]
    fn the_secret_is_not_in_what_is_kept_or_printed() {
        let (credential, token) = issue(None);
        let secret = token.rsplit('_').next().expect("a secret");
        assert!(!format!("{credential:?}").contains(secret));
        assert!(!format!("{:?}", present(&format!("Bearer {token}"))).contains(secret));
    }

    #[test]
    fn permissions_go_by_their_names() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        let unknown = "accounts".parse::<Permission>().expect_err("part of a name");
        assert!(
            unknown.ends_with(
                "accounts:create, accounts:read, accounts:update, accounts:delete, \
                 accounts:deactivate, billing:read, billing:manage, keys:manage, agency.createAccounts, agency.viewAccounts, agency.updateDeleteAllAgencyAccounts, account.view, \
                 account.update, account.delete"
            ),
            "{unknown}"
        );
        let (credential, _) = issue(None);
        let allowed = Permission::ALL.into_iter().filter(|&each| credential.allows(each));
        assert_eq!(allowed.collect::<Vec<_>>(), [Permission::AccountsCreate]);
    }

    #[test]
    fn what_is_presented_is_printed_by_its_id() {
        let (credential, token) = issue(None);
        let presented = present(&format!("Bearer {token}")).expect("well-formed");
        assert_eq!(presented.id(), &credential.id);
        assert_eq!(format!("{presented:?}"), format!("Presented({})", credential.id));
    }
}
