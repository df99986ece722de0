//! New tokens for a session (LIFECYCLE, "Identity API"; docs/adr/0033-refresh-tokens.md).
//!
//! A refresh token that another one has taken the place of is kept by its hash. Whoever presents it again
//! has it from somebody else, or somebody else has it: the session ends.

use std::future::Future;

use jiff::Timestamp;

use super::{EndSession, NewTokens, NotEnded, Session, SessionEndings};
use crate::audit::Entry;
use crate::credential::{LookupFailed, Presented};
use crate::id::AuditId;
use crate::port::{Clock, Entropy, NoEntropy};

/// What is known of a refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshable {
    /// The session whose tokens have its id.
    pub session: Session,
    /// Whether it was a refresh token of the session before.
    pub was_rotated: bool,
}

/// One transaction: the session, whose refresh token must still be that of `before`, the hash of a token
/// that works no more, and the account, which must still admit the session.
#[derive(Debug)]
pub struct Refresh<'a> {
    /// The session as it was read.
    pub before: &'a Session,
    /// The session with its new tokens.
    pub after: &'a Session,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a session has no new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRefreshed {
    /// The token is no refresh token of a session that goes on, or its account is not to be used.
    Invalid,
    /// The table is asked for more than it takes; later is fine.
    Throttled,
    /// Something that is needed did not answer in time; what happened is unknown.
    Unavailable,
}

/// What came of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// The session has its new tokens.
    Refreshed,
    /// Another refresh was first: the token was rotated meanwhile.
    Rotated,
    /// The session was ended meanwhile, or its account does not admit it.
    Over,
}

impl From<LookupFailed> for NotRefreshed {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => NotRefreshed::Throttled,
            LookupFailed::Unavailable => NotRefreshed::Unavailable,
        }
    }
}

impl From<NoEntropy> for NotRefreshed {
    fn from(_: NoEntropy) -> Self {
        NotRefreshed::Unavailable
    }
}

/// Where sessions are refreshed.
pub trait Refreshes: SessionEndings {
    /// What is known of a token, as of now and in one step; `None` where no session has its id.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn refreshable(
        &self,
        presented: &Presented,
    ) -> impl Future<Output = Result<Option<Refreshable>, LookupFailed>> + Send;

    /// Commits all of it or nothing.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn refresh(
        &self,
        refresh: Refresh<'_>,
    ) -> impl Future<Output = Result<Committed, LookupFailed>> + Send;
}

/// In which request it is.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The token presented.
    pub presented: &'a Presented,
    /// Whether the refresh token is to be another one.
    pub rotate: bool,
    /// By which route.
    pub route: &'static str,
    /// In which request.
    pub request_id: &'a str,
}

/// Gives a session a new access token and, if that is asked for, a new refresh token. Without
/// one it keeps the one presented.
///
/// # Errors
/// [`NotRefreshed`]. A token that was rotated has ended its session by then.
pub async fn refresh<S, P>(
    store: &S,
    ports: &P,
    asked: Asked<'_>,
) -> Result<(Session, NewTokens), NotRefreshed>
where
    S: Refreshes + Sync,
    P: Clock + Entropy,
{
    let now = ports.now();
    let found = store.refreshable(asked.presented).await?.ok_or(NotRefreshed::Invalid)?;
    let Refreshable { session, was_rotated } = found;
    if !session.goes_on(now) {
        return Err(NotRefreshed::Invalid);
    }
    if was_rotated {
        return Err(end(store, ports, &session, asked, now).await);
    }
    if !session.is_refreshed_by(asked.presented) {
        return Err(NotRefreshed::Invalid);
    }
    let (after, tokens) = session.refreshed(asked.rotate, ports, ports)?;
    match store.refresh(Refresh { before: &session, after: &after, now }).await? {
        Committed::Refreshed => Ok((after, tokens)),
        Committed::Rotated => Err(end(store, ports, &session, asked, now).await),
        Committed::Over => Err(NotRefreshed::Invalid),
    }
}

/// Ends a session of which a rotated token was used, and tells what its caller is told.
async fn end<S, P>(
    store: &S,
    ports: &P,
    session: &Session,
    asked: Asked<'_>,
    now: Timestamp,
) -> NotRefreshed
where
    S: Refreshes + Sync,
    P: Clock + Entropy,
{
    let granted = session.grant();
    let Ok(id) = AuditId::new(ports, ports) else { return NotRefreshed::Unavailable };
    let named = session.id.to_string();
    let audit = Entry {
        id,
        credential: Some(granted.by()),
        route: asked.route,
        objects: vec![&named],
        fields: &["ended_at"],
        at: now,
        request_id: asked.request_id,
    };
    match store.end(granted, EndSession { session: &session.id, audit, now }).await {
        Ok(_) | Err(NotEnded::Missing) => NotRefreshed::Invalid,
        // Whoever sends it again ends the session then.
        Err(NotEnded::Throttled) => NotRefreshed::Throttled,
        Err(NotEnded::Unavailable) => NotRefreshed::Unavailable,
    }
}
