//! Sessions: what a log-in opens, and the two tokens that come with it
//! (docs/adr/0028-tokens-and-sessions.md).

use std::fmt;
use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::audit::Entry;
use crate::credential::{LookupFailed, Presented, new_token};
use crate::grant::Grant;
use crate::id::{AccountId, CredentialId, NotAnId};
use crate::identity::KeptAccount;
use crate::page::{Looked, Page, looks_at};
use crate::port::{Clock, Entropy, NoEntropy};
use crate::right::OwnAccount;

/// How long an access token works (LIFECYCLE, `expires_in`).
pub const ACCESS_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// How long a refresh token works.
pub const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Names a session: the id that its tokens have, behind a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(CredentialId);

impl SessionId {
    /// What it begins with.
    pub const PREFIX: &str = "sess_";

    /// The session whose tokens have this id.
    pub fn of(token: CredentialId) -> Self {
        Self(token)
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`NotAnId`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let id = text.strip_prefix(Self::PREFIX).ok_or(NotAnId)?;
        CredentialId::parse(id).map(Self)
    }

    /// The id of its tokens: their public half.
    pub fn token(&self) -> &CredentialId {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

/// A session as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names it.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// SHA-256 of the secret half of the access token.
    pub access_hash: [u8; 32],
    /// SHA-256 of the secret half of the refresh token.
    pub refresh_hash: [u8; 32],
    /// How often the sessions of the account had been ended when it began.
    pub epoch: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When the access token stops working.
    pub access_until: Timestamp,
    /// When the refresh token stops working.
    pub refresh_until: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
}

/// The tokens of a new session: the only time that they are known.
#[derive(Debug)]
pub struct Tokens {
    /// Opens what is the account's own.
    pub access: SecretString,
    /// Gets new tokens.
    pub refresh: SecretString,
}

/// The new tokens of a session that goes on.
#[derive(Debug)]
pub struct NewTokens {
    /// Takes the place of the access token.
    pub access: SecretString,
    /// Takes the place of the refresh token, if that was asked for.
    pub refresh: Option<SecretString>,
}

impl Session {
    /// How many tokens end with a session: one to access and one to refresh.
    pub const TOKENS: u32 = 2;

    /// Opens a session of an account.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn open(
        account: &AccountId,
        epoch: u64,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Tokens), NoEntropy> {
        let now = clock.now();
        let id = CredentialId::new(clock, entropy)?;
        let (access, access_hash) = new_token(&id, entropy)?;
        let (refresh, refresh_hash) = new_token(&id, entropy)?;
        let after = |lifetime| now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let session = Self {
            id: SessionId(id),
            account: account.clone(),
            access_hash,
            refresh_hash,
            epoch,
            created_at: now,
            access_until: after(ACCESS_LIFETIME),
            refresh_until: after(REFRESH_LIFETIME),
            ended_at: None,
        };
        Ok((session, Tokens { access, refresh }))
    }

    /// Whether this is its access token.
    pub fn is_opened_by(&self, presented: &Presented) -> bool {
        presented.is_of(&self.id.0, &self.access_hash)
    }

    /// Whether this is its refresh token.
    pub fn is_refreshed_by(&self, presented: &Presented) -> bool {
        presented.is_of(&self.id.0, &self.refresh_hash)
    }

    /// Whether it was not ended and its refresh token still works at `now`.
    pub fn goes_on(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.refresh_until
    }

    /// The session with a new access token and, where `rotate`, with a new refresh token, which works for as
    /// long as that of a new session.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn refreshed(
        &self,
        rotate: bool,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<(Self, NewTokens), NoEntropy> {
        let now = clock.now();
        let after = |lifetime| now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let (access, access_hash) = new_token(&self.id.0, entropy)?;
        let mut next = Self { access_hash, access_until: after(ACCESS_LIFETIME), ..self.clone() };
        let refresh = if rotate {
            let (refresh, refresh_hash) = new_token(&self.id.0, entropy)?;
            next.refresh_hash = refresh_hash;
            next.refresh_until = after(REFRESH_LIFETIME);
            Some(refresh)
        } else {
            // No access token outlives what it comes from.
            next.access_until = next.access_until.min(self.refresh_until);
            None
        };
        Ok((next, NewTokens { access, refresh }))
    }

    /// The session, if the token is its access token and works at `now`.
    pub fn verify(self, presented: &Presented, now: Timestamp) -> Option<Self> {
        let works = self.is_opened_by(presented) && self.ended_at.is_none();
        (works && now < self.access_until).then_some(self)
    }
}

/// Where sessions are looked up.
pub trait Sessions {
    /// The session with the id of the token presented. It may be up to 30 s old, but only for who
    /// presents the secret of its access token
    /// ([`Credentials::credential`](crate::credential::Credentials::credential)).
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn session(
        &self,
        presented: &Presented,
    ) -> impl Future<Output = Result<Option<Session>, LookupFailed>> + Send;
}

/// A session as the list of its account has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// Names it.
    pub id: SessionId,
    /// How often the sessions of the account had been ended when it began.
    pub epoch: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was given new tokens last, if it was.
    pub refreshed_at: Option<Timestamp>,
    /// When the access token stops working.
    pub access_until: Timestamp,
    /// When the refresh token stops working.
    pub refresh_until: Timestamp,
}

/// Where the sessions of an account are listed.
pub trait SessionLists {
    /// Looks at `at_most` sessions of the account behind a position, the newest first. One that was ended by
    /// itself is not among them; one that ended with all others, or by its time, may be.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn sessions(
        &self,
        granted: Grant<'_, OwnAccount>,
        after: Option<&str>,
        at_most: u16,
    ) -> impl Future<Output = Result<Looked<ListedSession>, LookupFailed>> + Send;
}

/// A page of the sessions of an account that go on at `now`, the newest first.
///
/// # Errors
/// [`LookupFailed`].
pub async fn list_sessions(
    store: &(impl SessionLists + Sync),
    account: &KeptAccount,
    granted: Grant<'_, OwnAccount>,
    (after, limit): (Option<&str>, u16),
    now: Timestamp,
) -> Result<Page<ListedSession>, LookupFailed> {
    // Sessions that ended all at once stay in the list until their time.
    let at_most = looks_at(limit, account.session_epoch > 0);
    let looked = store.sessions(granted, after, at_most).await?;
    Ok(looked.page(limit, |session| {
        now < session.refresh_until && !account.has_ended(&session.id, session.epoch)
    }))
}

/// The end of a session: one transaction with its audit entry.
#[derive(Debug)]
pub struct EndSession<'a> {
    /// Which.
    pub session: &'a SessionId,
    /// The entry that says who did it.
    pub audit: Entry<'a>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a session was not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEnded {
    /// The account has no such session.
    Missing,
    /// More writes than the table takes; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Where sessions end.
pub trait SessionEndings {
    /// Ends a session of the account, and tells when it ended: now, or before.
    ///
    /// # Errors
    /// [`NotEnded`].
    fn end(
        &self,
        granted: Grant<'_, OwnAccount>,
        end: EndSession<'_>,
    ) -> impl Future<Output = Result<Timestamp, NotEnded>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::reveal;
    use crate::id::tests::{At, Same};

    fn open() -> (Session, Tokens) {
        let account = AccountId::parse("acct_01kgjb9z8rd3m0seats0000000").expect("an id");
        Session::open(&account, 3, &At(Timestamp::UNIX_EPOCH), &Same(9)).expect("entropy")
    }

    fn presented(token: &SecretString) -> Presented {
        Presented::of_token(reveal(token)).expect("well-formed")
    }

    #[test]
    fn the_access_token_opens_it_for_an_hour_unless_it_is_ended() {
        let (session, tokens) = open();
        let access = presented(&tokens.access);
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        assert_eq!(session.clone().verify(&access, at(3_599)), Some(session.clone()));
        assert_eq!(session.clone().verify(&access, at(3_600)), None);
        let ended = Session { ended_at: Some(at(1)), ..session.clone() };
        assert_eq!(ended.verify(&access, at(2)), None);
        let other = CredentialId::parse("01kgjb9z8rd3m0seats0000000").expect("an id");
        let other = Session { id: SessionId(other), ..session.clone() };
        assert_eq!(other.verify(&access, at(0)), None);
        assert_eq!((session.refresh_until, session.epoch), (at(30 * 86_400), 3));
    }

    #[test]
    fn the_refresh_token_is_another_one_and_opens_nothing() {
        let account = AccountId::parse("acct_01kgjb9z8rd3m0seats0000000").expect("an id");
        let (clock, entropy) = (At(Timestamp::UNIX_EPOCH), crate::port::System);
        let (session, tokens) = Session::open(&account, 0, &clock, &entropy).expect("entropy");
        assert_ne!(reveal(&tokens.access), reveal(&tokens.refresh));
        let refresh = presented(&tokens.refresh);
        assert_eq!(refresh.secret_hash(), &session.refresh_hash);
        assert_eq!(session.verify(&refresh, Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn its_id_is_that_of_its_tokens_and_its_secrets_are_not_printed() {
        let (session, tokens) = open();
        assert_eq!(presented(&tokens.access).id(), session.id.token());
        assert_eq!(SessionId::parse(&session.id.to_string()), Ok(session.id.clone()));
        for bad in ["", "sess_", session.id.token().as_str(), "SESS_01kgjb9z8rd3m0seats0000000"] {
            assert_eq!(SessionId::parse(bad), Err(NotAnId), "{bad}");
        }
        let secret = reveal(&tokens.access).rsplit('_').next().expect("a secret").to_owned();
        assert!(!format!("{session:?} {tokens:?}").contains(&secret));
        assert_eq!(session.grant().by(), session.id.token());
        assert_eq!(session.grant().tenant(), &session.account);
    }
}
