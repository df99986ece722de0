//! Tokens of apps: what a credential of an app is exchanged for, `hca_<id of the credential>_<secret>`
//! (docs/adr/0038-tokens-of-apps.md).

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::credential::{Credential, Credentials, Holder, LookupFailed, Presented, new_app_token};
use crate::fault::{Fault, Form, Given};
use crate::id::{AppLcuid, CredentialId};
use crate::port::{Clock, Entropy, NoEntropy};

/// For how long a token of an app works: 1 to 3,650 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppTokenLifetime(u16);

impl AppTokenLifetime {
    /// So many days; `None` when they are not 1 to 3,650.
    pub fn new(days: u16) -> Option<Self> {
        (1..=3_650).contains(&days).then_some(Self(days))
    }

    fn from(self, now: Timestamp) -> Timestamp {
        let lifetime = SignedDuration::from_hours(24 * i64::from(self.0));
        now.saturating_add(lifetime).unwrap_or(Timestamp::MAX)
    }
}

/// A token as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppToken {
    /// The credential that it was given for, on which it depends.
    pub credential: CredentialId,
    /// SHA-256 of its secret half.
    pub secret_hash: [u8; 32],
    /// When it was given.
    pub created_at: Timestamp,
    /// When it stops working, if its credential does not before.
    pub until: Timestamp,
}

impl AppToken {
    /// Gives a token for a credential, and its text: the only time that it is known.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn issue(
        credential: &Credential,
        lifetime: AppTokenLifetime,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<(Self, SecretString), NoEntropy> {
        let (text, secret_hash) = new_app_token(&credential.id, entropy)?;
        let until = lifetime.from(now);
        let until = credential.expires_at.map_or(until, |expiry| until.min(expiry));
        Ok((Self { credential: credential.id.clone(), secret_hash, created_at: now, until }, text))
    }

    /// What it allows: what its credential does as it is now, until the first of both ends. It is opened by
    /// the token's secret alone. `None` for the token of another credential.
    pub fn stands_for(&self, credential: Credential) -> Option<Credential> {
        let expires_at = credential.expires_at.map_or(self.until, |expiry| expiry.min(self.until));
        (self.credential == credential.id).then_some(Credential {
            secret_hash: self.secret_hash,
            expires_at: Some(expires_at),
            ..credential
        })
    }
}

/// The pair that an operator hands out, as a caller sent it.
pub struct Pair(Option<Presented>);

impl Pair {
    /// Reads the fields. A pair of another form than ours is one that nobody has: which form ours
    /// has is not told.
    ///
    /// # Errors
    /// Every fault.
    pub fn parse(
        token: Given<String>,
        secret: Given<String>,
        faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let found_by_reader = faults;
        let mut faults = Vec::new();
        let mut form = Form::new(&mut faults);
        let token = form.required("token", token.blank_is_absent(), Ok);
        let secret = form.required("secret", secret.blank_is_absent(), Ok);
        faults.extend(found_by_reader);
        match (token, secret) {
            (Some(token), Some(secret)) if faults.is_empty() => {
                Ok(Self(Presented::of_pair(token.trim(), secret.trim())))
            }
            _ => Err(faults),
        }
    }
}

/// Where the tokens of apps are kept.
pub trait AppTokens: Credentials {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn keep_app_token(
        &self,
        token: &AppToken,
    ) -> impl Future<Output = Result<(), LookupFailed>> + Send;
}

/// Why no token was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGiven {
    /// Nobody has this pair, or it works no more, or it is another app's. Which of these is not told.
    Refused,
    /// More than the table takes; later is fine.
    Throttled,
    /// The table or the random source did not answer.
    Unavailable,
}

impl From<LookupFailed> for NotGiven {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => Self::Throttled,
            LookupFailed::Unavailable => Self::Unavailable,
        }
    }
}

/// Gives an app a token for the pair of its credential: its id, and the text. One read for every pair, and
/// one write for a good one.
///
/// # Errors
/// [`NotGiven`].
pub async fn give_app_token<S: AppTokens, P: Clock + Entropy>(
    store: &S,
    ports: &P,
    lifetime: AppTokenLifetime,
    app: &AppLcuid,
    Pair(presented): &Pair,
) -> Result<(CredentialId, SecretString), NotGiven> {
    let now = ports.now();
    let presented = presented.as_ref().ok_or(NotGiven::Refused)?;
    let kept = store.credential(presented).await?;
    let credential = presented.verify(kept, now).ok_or(NotGiven::Refused)?;
    if !matches!(&credential.holder, Holder::App { app: own, .. } if own == app) {
        return Err(NotGiven::Refused);
    }
    let issued = AppToken::issue(&credential, lifetime, now, ports);
    let (token, text) = issued.map_err(|NoEntropy| NotGiven::Unavailable)?;
    store.keep_app_token(&token).await?;
    Ok((credential.id, text))
}
