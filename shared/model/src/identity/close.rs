//! Deleting an account (LIFECYCLE, "Identity API"): what is personal goes at once, a tombstone stays, and the
//! address is kept from others for a while.

use std::future::Future;

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

use super::{ChangeRefusal, KeptAccount, NotCommitted};
use crate::audit::Entry;
use crate::credential::LookupFailed;
use crate::grant::{Grant, Right};
use crate::id::{AccountId, AuditId};
use crate::port::{Clock, Entropy};

/// How often an account is read again because somebody else changed it meanwhile.
const MAX_TRIES: usize = 5;
/// What of an account is others than it was when it is closed, as the audit has it.
const FIELDS: &[&str] = &["status", "email", "name", "password", "settings"];

/// For how long the address of a deleted account is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(SignedDuration);

impl Retention {
    /// The longest, in days.
    pub const MAX_DAYS: u16 = 3_650;

    /// So many days; 0 frees the address at once. `None` for more than [`Retention::MAX_DAYS`].
    pub fn new(days: u16) -> Option<Self> {
        let hours = SignedDuration::from_hours(24 * i64::from(days));
        (days <= Self::MAX_DAYS).then_some(Self(hours))
    }

    /// When an address is free that is kept from `now` on, in whole seconds: never before its time.
    fn end(self, now: Timestamp) -> Timestamp {
        if self.0.is_zero() {
            return now;
        }
        let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
        now.saturating_add(self.0).and_then(|end| end.round(up)).unwrap_or(Timestamp::MAX)
    }
}

/// What is left of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedAccount {
    /// Its id.
    pub id: AccountId,
    /// When it was closed.
    pub closed_at: Timestamp,
}

/// What there is under the id of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An account.
    Open(Box<KeptAccount>),
    /// What is left of one.
    Closed(ClosedAccount),
}

/// One transaction: the tombstone in the place of an account that is still what was read, the end of the
/// lock on its address, and the audit entry.
#[derive(Debug)]
pub struct CloseCommit<'a> {
    /// The account as it was read.
    pub account: &'a KeptAccount,
    /// What is to be left of it.
    pub closed: &'a ClosedAccount,
    /// When its address is free for others.
    pub free_at: Timestamp,
    /// The entry that says who did it.
    pub audit: Entry<'a>,
}

/// Where accounts are closed by who has a right to.
pub trait AccountClosings<R: Right> {
    /// What there is under an id as of now; `None` when there never was such an account.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn found(
        &self,
        granted: Grant<'_, R>,
        id: &AccountId,
    ) -> impl Future<Output = Result<Option<Found>, LookupFailed>> + Send;

    /// Commits all of it or nothing.
    ///
    /// # Errors
    /// [`NotCommitted`].
    fn close(
        &self,
        granted: Grant<'_, R>,
        commit: CloseCommit<'_>,
    ) -> impl Future<Output = Result<(), NotCommitted>> + Send;
}

/// A request to close an account, with everything that decides about it.
pub struct CloseRequest<'a, R: Right> {
    /// Who asks.
    pub granted: Grant<'a, R>,
    /// Which account.
    pub id: &'a AccountId,
    /// The account, where it was just read.
    pub known: Option<Box<KeptAccount>>,
    /// For how long its address is kept from others.
    pub retention: Retention,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// The time of the request.
    pub now: Timestamp,
}

/// Closes an account, or tells when it was closed.
///
/// # Errors
/// [`ChangeRefusal`].
pub async fn close<R: Right>(
    store: &(impl AccountClosings<R> + Sync),
    ports: &(impl Clock + Entropy),
    mut asked: CloseRequest<'_, R>,
) -> Result<ClosedAccount, ChangeRefusal> {
    for _ in 0..MAX_TRIES {
        let found = match asked.known.take() {
            Some(known) => Some(Found::Open(known)),
            None => store.found(asked.granted, asked.id).await?,
        };
        let account = match found {
            None => return Err(ChangeRefusal::Missing),
            Some(Found::Closed(closed)) => return Ok(closed),
            Some(Found::Open(account)) => account,
        };
        let closed = ClosedAccount { id: account.id.clone(), closed_at: asked.now };
        let audit = Entry {
            id: AuditId::new(ports, ports)?,
            credential: Some(asked.granted.by()),
            route: asked.route,
            objects: vec![asked.id.as_str()],
            fields: FIELDS,
            at: asked.now,
            request_id: asked.request_id,
        };
        let free_at = asked.retention.end(asked.now);
        let commit = CloseCommit { account: &account, closed: &closed, free_at, audit };
        match store.close(asked.granted, commit).await {
            Ok(()) => return Ok(closed),
            Err(NotCommitted::Changed) => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    Err(NotCommitted::Changed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_for_days_in_whole_seconds_and_never_less() {
        let now: Timestamp = "2026-02-03T18:12:47.5Z".parse().expect("a time");
        let end = |days| Retention::new(days).map(|retention| retention.end(now).to_string());
        assert_eq!(end(0).as_deref(), Some("2026-02-03T18:12:47.5Z"));
        assert_eq!(end(30).as_deref(), Some("2026-03-05T18:12:48Z"));
        assert!(end(3_650).is_some() && end(3_651).is_none());
    }
}
