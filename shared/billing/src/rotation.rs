//! Signing secrets that are replaced while a process lives.
//!
//! To replace one: let Stripe roll it, with the old one valid for a while, and put both into the
//! secret; when the old one has expired, put the new one alone
//! (<https://docs.stripe.com/webhooks#roll-endpoint-secrets>). No deploy is needed.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::follow::Unanswered;
use crate::webhook::{BadSignature, SigningSecrets};

/// How long secrets are believed after they were read: so long a secret that was taken away
/// may still be good.
const BELIEVED: SignedDuration = SignedDuration::from_mins(5);

/// How soon they are read again for a signature that is wrong by them: it may be made with a
/// new secret, or by somebody who wants us to be busy.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// Where signing secrets come from.
pub trait SigningSecretSource: Send + Sync {
    /// The secrets as they are now.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self) -> impl Future<Output = Result<SigningSecrets, Unanswered>> + Send;
}

/// Why a request is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// It is not one of Stripe's.
    BadSignature(BadSignature),
    /// It cannot be said whether it is.
    Unanswered(Unanswered),
}

/// Checks signatures by secrets that are read when they are needed.
#[derive(Debug)]
pub struct SignatureCheck<S> {
    source: S,
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    secrets: SigningSecrets,
    read_at: Timestamp,
}

impl<S: SigningSecretSource> SignatureCheck<S> {
    /// A check that has read nothing yet.
    pub fn new(source: S) -> Self {
        Self { source, known: Mutex::default() }
    }

    /// Whether Stripe signed `body`; see [`SigningSecrets::verify`].
    ///
    /// # Errors
    /// [`Rejected`].
    pub async fn check(
        &self,
        header: Option<&[u8]>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Rejected> {
        let verdict = self.secrets(BELIEVED, now).await?.verify(header, body, now);
        let verdict = match verdict {
            Err(BadSignature::Wrong) => {
                self.secrets(READ_AGAIN, now).await?.verify(header, body, now)
            }
            verdict => verdict,
        };
        verdict.map_err(Rejected::BadSignature)
    }

    /// The secrets, read at most `age` ago.
    async fn secrets(
        &self,
        age: SignedDuration,
        now: Timestamp,
    ) -> Result<SigningSecrets, Rejected> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known
            && known.read_at.duration_until(now).abs() < age
        {
            return Ok(known.secrets);
        }
        let secrets = self.source.read().await.map_err(Rejected::Unanswered)?;
        let known = Known { secrets: secrets.clone(), read_at: now };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(secrets)
    }
}
