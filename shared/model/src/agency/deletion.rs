//! Deleting an account of an agency.

use std::future::Future;

use jiff::Timestamp;

use super::change::MAX_TRIES;
use super::{AccountRefusal, AccountRequest, EarlierAnswers, NotCommitted};
use crate::audit::Entry;
use crate::credential::LookupFailed;
use crate::grant::Grant;
use crate::id::{AgencyAccountLcuid, AuditId};
use crate::idempotency::{Keyed, StoredAnswer};
use crate::port::{Clock, Entropy};
use crate::right::DeleteAgencyAccounts;

/// An account, as far as its deletion needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletable {
    /// How often it has been changed: its optimistic lock.
    pub version: u64,
    /// How many sub-accounts were ever made below it since they are counted; `None` for none. It
    /// is the lock against one that is being made.
    pub sub_accounts_made: Option<u64>,
    /// Whether an account is below it now.
    pub has_sub_accounts: bool,
    /// When it was created, as it is kept.
    pub created_at: String,
    /// Who created it, as [`crate::audit::created_by`] has it; `None` on what is older than that.
    pub created_by: Option<String>,
}

/// One transaction: the account goes if it still is what was read, the audit entry, and the
/// idempotency record.
#[derive(Debug, Clone)]
pub struct DeletionCommit<'a> {
    /// Which account.
    pub lcuid: &'a AgencyAccountLcuid,
    /// What was read of it. Its creation goes into the entry, since the account will not tell any more.
    pub read: Deletable,
    /// The entry that says who did it.
    pub audit: Entry<'a>,
    /// The request and the answer to keep for its retries, when it has a key.
    pub record: Option<(&'a Keyed, StoredAnswer)>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Where it is known what keeps an account from being deleted.
pub trait DeletableAccounts {
    /// An account as of now; `None` where the agency has no such account.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn deletable(
        &self,
        granted: Grant<'_, DeleteAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> impl Future<Output = Result<Option<Deletable>, LookupFailed>> + Send;
}

/// Where accounts are deleted.
pub trait AgencyAccountDeletions: DeletableAccounts + EarlierAnswers {
    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the same
    /// request: nothing was done now. The slug stays taken.
    ///
    /// # Errors
    /// [`NotCommitted`].
    fn delete(
        &self,
        granted: Grant<'_, DeleteAgencyAccounts>,
        commit: DeletionCommit<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotCommitted>> + Send;
}

/// Deletes an account without sub-accounts. Returns the answer to give, and whether it is a replay.
///
/// # Errors
/// [`AccountRefusal`]; nothing was done, except that it is unknown for
/// [`AccountRefusal::Unavailable`].
pub async fn delete(
    store: &impl AgencyAccountDeletions,
    ports: &(impl Clock + Entropy),
    asked: &AccountRequest<'_, DeleteAgencyAccounts>,
    answer: &StoredAnswer,
) -> Result<(StoredAnswer, bool), AccountRefusal> {
    for _ in 0..MAX_TRIES {
        let Some(read) = store.deletable(asked.granted, asked.lcuid).await? else {
            return asked.earlier(store).await;
        };
        if read.has_sub_accounts {
            return Err(AccountRefusal::HasSubAccounts);
        }
        let commit = DeletionCommit {
            lcuid: asked.lcuid,
            read,
            audit: Entry {
                id: AuditId::new(ports, ports)?,
                credential: Some(asked.granted.by()),
                route: asked.route,
                objects: vec![asked.lcuid.as_str()],
                fields: &[],
                at: asked.now,
                request_id: asked.request_id,
            },
            record: asked.request.map(|request| (request, answer.clone())),
            now: asked.now,
        };
        match store.delete(asked.granted, commit).await {
            Ok(Some(stored)) => return Ok((stored, true)),
            Ok(None) => return Ok((answer.clone(), false)),
            Err(NotCommitted::Changed) => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    Err(NotCommitted::Changed.into())
}
