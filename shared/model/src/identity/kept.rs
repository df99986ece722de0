//! Accounts as they are kept.

use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;

use super::{AccountKind, Email, PasswordHash, Session, SessionId};
use crate::credential::LookupFailed;
use crate::grant::Grant;
use crate::id::{AccountId, NotAnId};
use crate::right::{OwnAccount, ReadAccounts};

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    /// It can be used.
    Active,
    /// An administrator keeps it from being used.
    Suspended,
    /// It cannot be used yet.
    Pending,
    /// It is no more.
    Closed,
}

impl AccountStatus {
    /// Every status.
    pub const ALL: [AccountStatus; 4] = [
        AccountStatus::Active,
        AccountStatus::Suspended,
        AccountStatus::Pending,
        AccountStatus::Closed,
    ];

    /// The status as callers and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            AccountStatus::Active => "active",
            AccountStatus::Suspended => "suspended",
            AccountStatus::Pending => "pending",
            AccountStatus::Closed => "closed",
        }
    }
}

impl FromStr for AccountStatus {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(NotAnId)
    }
}

/// An account as it is kept. Preferences are kept as they were chosen, also where they would not be
/// taken any more: a currency may have been withdrawn since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAccount {
    /// Its id.
    pub id: AccountId,
    /// Its address.
    pub email: Email,
    /// Its name.
    pub name: String,
    /// Person or business.
    pub kind: AccountKind,
    /// How it stands.
    pub status: AccountStatus,
    /// The hash of its password.
    pub password_hash: PasswordHash,
    /// ISO 4217.
    pub currency: String,
    /// A time zone of the IANA database.
    pub timezone: String,
    /// BCP 47.
    pub language: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it, as [`crate::audit::created_by`] has it; `None` on what is older than that.
    pub created_by: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How often it has been changed: its optimistic lock, and its `ETag`.
    pub version: u64,
    /// How often all its sessions were ended.
    pub session_epoch: u64,
    /// The session that was spared the last time.
    pub spared_session: Option<SessionId>,
}

/// Why a session opens its account no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The session is over, or the account is.
    Over,
    /// The account is not to be used.
    Suspended,
}

impl KeptAccount {
    /// Whether a session that began when all had been ended so often has been ended with all others since.
    pub fn has_ended(&self, session: &SessionId, epoch: u64) -> bool {
        epoch != self.session_epoch && self.spared_session.as_ref() != Some(session)
    }

    /// Whether a session of this account still opens it.
    ///
    /// # Errors
    /// [`NotAdmitted`].
    pub fn admit(&self, session: &Session) -> Result<(), NotAdmitted> {
        if session.account != self.id || self.has_ended(&session.id, session.epoch) {
            return Err(NotAdmitted::Over);
        }
        match self.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Suspended | AccountStatus::Pending => Err(NotAdmitted::Suspended),
            AccountStatus::Closed => Err(NotAdmitted::Over),
        }
    }
}

/// Where accounts are read for themselves.
pub trait OwnAccounts {
    /// The account, as of now; `None` when there is no such account.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn own(
        &self,
        granted: Grant<'_, OwnAccount>,
    ) -> impl Future<Output = Result<Option<KeptAccount>, LookupFailed>> + Send;
}

/// Where administrators read accounts.
pub trait AccountRecords {
    /// An account as of now; `None` when there is none, or no more.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn account(
        &self,
        granted: Grant<'_, ReadAccounts>,
        id: &AccountId,
    ) -> impl Future<Output = Result<Option<KeptAccount>, LookupFailed>> + Send;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::id::CredentialId;
    use crate::id::tests::{At, Same};

    pub(crate) fn kept(status: AccountStatus) -> KeptAccount {
        KeptAccount {
            id: AccountId::parse("acct_01kgjb9z8rd3m0seats0000000").expect("an id"),
            email: Email::parse("owner@example.com").expect("an address"),
            name: "Acme Inc.".to_owned(),
            kind: AccountKind::Business,
            status,
            password_hash: PasswordHash::of_nobody(),
            currency: "USD".to_owned(),
            timezone: "UTC".to_owned(),
            language: "en".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: None,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 0,
            session_epoch: 2,
            spared_session: None,
        }
    }

    #[test]
    fn a_session_opens_its_account_until_all_are_ended_but_one() {
        let account = kept(AccountStatus::Active);
        let open = |epoch| {
            let ports = (At(Timestamp::UNIX_EPOCH), Same(9));
            Session::open(&account.id, epoch, &ports.0, &ports.1).expect("entropy").0
        };
        let (old, new) = (open(1), open(2));
        assert_eq!(account.admit(&new), Ok(()));
        assert_eq!(account.admit(&old), Err(NotAdmitted::Over));
        let sparing = KeptAccount { spared_session: Some(old.id.clone()), ..account.clone() };
        assert_eq!(sparing.admit(&old), Ok(()));
        let other = CredentialId::parse("01kgjb9z8rd3m0seats0000000").expect("an id");
        let other = Session { id: SessionId::of(other), ..old };
        assert_eq!(sparing.admit(&other), Err(NotAdmitted::Over));
        let foreign = AccountId::parse("acct_01kgjb9z8rd3m0seats0000001").expect("an id");
        assert_eq!(account.admit(&Session { account: foreign, ..new }), Err(NotAdmitted::Over));
    }

    #[test]
    fn only_an_active_account_is_opened() {
        for status in AccountStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            let account = kept(status);
            let ports = (At(Timestamp::UNIX_EPOCH), Same(9));
            let session = Session::open(&account.id, 2, &ports.0, &ports.1).expect("entropy").0;
            let expected = match status.as_str() {
                "active" => Ok(()),
                "closed" => Err(NotAdmitted::Over),
                _ => Err(NotAdmitted::Suspended),
            };
            assert_eq!(account.admit(&session), expected, "{status:?}");
        }
        assert!("Active".parse::<AccountStatus>().is_err());
    }
}
