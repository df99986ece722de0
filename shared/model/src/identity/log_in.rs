//! Logging in (LIFECYCLE, "Identity API"; docs/adr/0028-tokens-and-sessions.md).
//!
//! An attempt is counted before its password is looked at: of many at once none gets more than one
//! look. Who succeeds is forgotten.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};

use super::{
    AccountStatus, Email, Hashing, KeptAccount, Password, PasswordHash, Salt, Session, Tokens,
};
use crate::credential::LookupFailed;
use crate::fault::{Fault, Form, Given};
use crate::id::AccountId;
use crate::idempotency::FingerprintKey;
use crate::port::{Clock, Entropy, NoEntropy};

/// The fields of a log-in as a caller sent them.
#[derive(Default, Clone)]
#[allow(missing_docs)] // The fields are the published API's; LIFECYCLE describes them.
pub struct LogInInput {
    pub email: Given<String>,
    pub password: Given<String>,
}

/// A wish to log in.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// The address.
    pub email: Email,
    /// What is said to be the password.
    pub password: Password,
}

impl LogIn {
    /// Checks every field. What no account can have is a fault, which says nothing of any account.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault.
    pub fn parse(input: LogInInput, faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        let found_by_reader = faults;
        let mut faults = Vec::new();
        let mut form = Form::new(&mut faults);
        let email = form.required("email", input.email, |raw| Email::parse(&raw));
        let password = form.required("password", input.password, |raw| Password::candidate(&raw));
        faults.extend(found_by_reader);
        match (email, password) {
            (Some(email), Some(password)) if faults.is_empty() => Ok(Self { email, password }),
            _ => Err(faults),
        }
    }
}

/// The attempts to log in at an address since the last that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// When there may be another one, if it has to wait.
    pub wait_until: Option<Timestamp>,
}

impl Attempts {
    /// How many there may be at any pace.
    pub const FREE: u32 = 10;
    /// How long one waits that comes after these. Each that follows waits twice as long.
    pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
    /// The longest wait.
    pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
    /// After so long without an attempt they are forgotten.
    pub const MEMORY: SignedDuration = SignedDuration::from_hours(24);

    /// One more, at `now`.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        let count = self.count.saturating_add(1);
        let beyond = count.checked_sub(Self::FREE);
        let wait = beyond.map(|beyond| {
            let factor = 1_i32.checked_shl(beyond).filter(|factor| *factor > 0);
            let wait = factor.and_then(|factor| Self::FIRST_WAIT.checked_mul(factor));
            wait.unwrap_or(Self::LONGEST_WAIT).min(Self::LONGEST_WAIT)
        });
        let wait_until = wait.map(|wait| now.saturating_add(wait).unwrap_or(Timestamp::MAX));
        Self { count, wait_until }
    }

    /// The whole seconds that an attempt at `now` has to wait, if any.
    pub fn wait(self, now: Timestamp) -> Option<u32> {
        let left = self.wait_until?.duration_since(now);
        // A clock that was set back must not make a wait longer than it ever was.
        let left = left.min(Self::LONGEST_WAIT);
        if !left.is_positive() {
            return None;
        }
        let up = i64::from(left.subsec_nanos() > 0);
        u32::try_from(left.as_secs() + up).ok()
    }
}

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The account that has it.
    pub account: Option<AccountId>,
    /// The attempts so far.
    pub attempts: Attempts,
}

/// One transaction: the session, the account as it was when its password was compared, and the end
/// of the count.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The session.
    pub session: &'a Session,
    /// The account, whose password hash and status must still be these.
    pub account: &'a KeptAccount,
    /// The hash to keep in the place of a weak one.
    pub rehashed: Option<&'a PasswordHash>,
    /// The name of the count.
    pub counted_as: &'a str,
}

/// Where log-ins are kept.
pub trait LogIns {
    /// What is known of an address, in one step.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn tried(
        &self,
        address: &Email,
        counted_as: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Tried, LookupFailed>> + Send;

    /// Puts `next` in the place of the attempts `so_far`. `false` where they are others by now.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn count(
        &self,
        counted_as: &str,
        so_far: Attempts,
        next: Attempts,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, LookupFailed>> + Send;

    /// The account at an address. Without one, the same is asked of the table for nothing.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn at_address(
        &self,
        account: Option<&AccountId>,
    ) -> impl Future<Output = Result<Option<KeptAccount>, LookupFailed>> + Send;

    /// Commits all of it or nothing. `false` where the account is another one by now.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn open(&self, opening: Opening<'_>)
    -> impl Future<Output = Result<bool, LookupFailed>> + Send;
}

/// Why nobody is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLoggedIn {
    /// There is no such account, it has another password, or it is not to be used.
    Invalid,
    /// Too many attempts; the next may be made after so many seconds.
    Wait(u32),
    /// The table is asked for more than it takes; later is fine.
    Throttled,
    /// Something that is needed did not answer in time.
    Unavailable,
}

impl From<LookupFailed> for NotLoggedIn {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => NotLoggedIn::Throttled,
            LookupFailed::Unavailable => NotLoggedIn::Unavailable,
        }
    }
}

impl From<NoEntropy> for NotLoggedIn {
    fn from(_: NoEntropy) -> Self {
        NotLoggedIn::Unavailable
    }
}

/// Who is logged in now.
#[derive(Debug)]
pub struct LoggedIn {
    /// The account.
    pub account: KeptAccount,
    /// The tokens of its new session.
    pub tokens: Tokens,
}

/// How often a count or an account is read again because it changed meanwhile.
const MAX_TRIES: usize = 5;

/// Logs in. Whether there is such an account, what its password is and how it stands makes no
/// difference to the work, up to success.
///
/// # Errors
/// [`NotLoggedIn`].
pub async fn log_in<S, H, P>(
    store: &S,
    hashing: &H,
    ports: &P,
    secret: &FingerprintKey,
    wish: &LogIn,
) -> Result<LoggedIn, NotLoggedIn>
where
    S: LogIns + Sync,
    H: Hashing,
    P: Clock + Entropy,
{
    let now = ports.now();
    let counted_as = secret.log_ins_at(&wish.email).map_err(|_| NotLoggedIn::Unavailable)?;
    let account = count(store, &wish.email, &counted_as, now).await?;
    for _ in 0..MAX_TRIES {
        let kept = store.at_address(account.as_ref()).await?;
        let hash =
            kept.as_ref().map_or_else(PasswordHash::of_nobody, |kept| kept.password_hash.clone());
        let verified = hashing.verify(wish.password.clone(), hash).await;
        let is_right = verified.ok_or(NotLoggedIn::Unavailable)?;
        let usable = kept.filter(|kept| is_right && kept.status == AccountStatus::Active);
        let Some(kept) = usable else { return Err(NotLoggedIn::Invalid) };
        let rehashed = if kept.password_hash.is_weak() {
            let salt = Salt::new(ports)?;
            let hash = hashing.hash(wish.password.clone(), salt).await;
            Some(hash.ok_or(NotLoggedIn::Unavailable)?)
        } else {
            None
        };
        let (session, tokens) = Session::open(&kept.id, kept.session_epoch, ports, ports)?;
        let opening = Opening {
            session: &session,
            account: &kept,
            rehashed: rehashed.as_ref(),
            counted_as: &counted_as,
        };
        if store.open(opening).await? {
            return Ok(LoggedIn { account: kept, tokens });
        }
    }
    Err(NotLoggedIn::Unavailable)
}

/// Counts an attempt that may be made, and tells whose address it is.
async fn count(
    store: &impl LogIns,
    email: &Email,
    counted_as: &str,
    now: Timestamp,
) -> Result<Option<AccountId>, NotLoggedIn> {
    for _ in 0..MAX_TRIES {
        let tried = store.tried(email, counted_as, now).await?;
        if let Some(seconds) = tried.attempts.wait(now) {
            return Err(NotLoggedIn::Wait(seconds));
        }
        let next = tried.attempts.and_one(now);
        if store.count(counted_as, tried.attempts, next, now).await? {
            return Ok(tried.account);
        }
    }
    // Others try at the same time.
    Err(NotLoggedIn::Wait(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    #[test]
    fn ten_attempts_are_free_and_each_further_one_waits_twice_as_long() {
        let mut attempts = Attempts::default();
        for _ in 0..9 {
            attempts = attempts.and_one(at(0));
            assert_eq!(attempts.wait(at(0)), None, "{attempts:?}");
        }
        let mut waits = Vec::new();
        for _ in 0..40 {
            attempts = attempts.and_one(at(0));
            waits.push(attempts.wait(at(0)).expect("a wait"));
        }
        assert_eq!(waits[..7], [30, 60, 120, 240, 480, 900, 900]);
        assert!(waits[6..].iter().all(|wait| *wait == 900));
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_ends() {
        let attempts = Attempts { count: 9, wait_until: None }.and_one(at(100));
        assert_eq!(attempts.wait(at(129)), Some(1));
        assert_eq!(attempts.wait(at(130)), None);
        let half = at(129) + SignedDuration::from_millis(500);
        assert_eq!(attempts.wait(half), Some(1));
        assert_eq!(attempts.wait(at(-1_000_000)), Some(900), "a clock that was set back");
    }

    #[test]
    fn every_fault_comes_back_at_once() {
        let faults = |email: Given<String>, password: Given<String>| {
            let parsed = LogIn::parse(LogInInput { email, password }, Vec::new());
            parsed.map_or_else(|faults| faults.len(), |_| 0)
        };
        let text = |text: &str| Given::Value(text.to_owned());
        assert_eq!(faults(Given::Absent, Given::Absent), 2);
        assert_eq!(faults(text("owner"), text("")), 2);
        assert_eq!(faults(text("owner@example.com"), text("x")), 0);
    }
}
