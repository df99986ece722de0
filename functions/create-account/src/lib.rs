//! `POST /v1/accounts`: anyone signs up, or an administrator creates an account for somebody
//! (CONTRACT section 3).

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::audit;
use headcount_model::credential::{Credentials, Holder, Permission};
use headcount_model::id::{AccountId, CredentialId};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{Account, Accounts, Commit, PasswordPolicy, Salt};
use headcount_model::port::{Clock, Entropy};
use jiff::Timestamp;

pub use headcount_model::identity::Hashing;
pub use headcount_platform::OwnThread;

const ROUTE: &str = audit::CREATE_ACCOUNT;

/// The function, over its ports.
pub struct Function<S, P, H = OwnThread> {
    /// Accounts and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// Where passwords are hashed.
    pub hashing: H,
    /// How long passwords must be.
    pub password_policy: PasswordPolicy,
    /// Whether anyone may create an account.
    pub self_signup: bool,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

/// Who may create an account.
enum Caller {
    /// Somebody who signs up.
    Anyone,
    /// An administrator, by credential.
    Administrator(CredentialId),
}

impl<S, P, H> Endpoint for Function<S, P, H>
where
    S: Accounts + Credentials + Sync,
    P: Clock + Entropy,
    H: Hashing,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/create-account/created.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        // Side by side: the table is asked who calls while the password is hashed. What is wrong
        // with the caller is told first all the same.
        let (caller, account) = tokio::join!(self.caller(request), self.account(request, now));
        let (caller, account) = (caller?, account?);
        let creator = match &caller {
            Caller::Administrator(id) => Some(id),
            Caller::Anyone => None,
        };
        let created_by = audit::created_by(creator, request.request_id());
        let caller = match caller {
            Caller::Administrator(id) => id.to_string(),
            // All that tells those who sign up apart. Were they one caller, a stranger's request would
            // block a key for everybody. The keyed hash of the body, password included, keeps one from
            // reading another's answer.
            Caller::Anyone => {
                self.fingerprint_key.caller_at(&account.email).map_err(|_| Failure::Unavailable)?
            }
        };
        let keyed = request.keyed(&caller, ROUTE, &self.fingerprint_key, now)?;
        let fresh = identity::created(&account);
        let stored = self
            .store
            .commit(Commit {
                account: &account,
                created_by: &created_by,
                record: keyed.as_ref().map(|keyed| (keyed, &fresh)),
                now,
            })
            .await?;
        let replayed = stored.is_some();
        Ok(Answer::stored(stored.unwrap_or(fresh), replayed))
    }
}

impl<S, P, H> Function<S, P, H>
where
    S: Credentials + Sync,
    P: Clock + Entropy,
    H: Hashing,
{
    /// Who is calling. A credential that is present is never ignored.
    async fn caller(&self, request: &Incoming) -> Result<Caller, Failure<Refusal>> {
        if !request.has_credential() && self.self_signup {
            return Ok(Caller::Anyone);
        }
        let credential = request
            .authenticate(&self.store, self.ports.now())
            .await?
            .filter(|credential| credential.holder == Holder::Administrator)
            .ok_or(Failure::Unauthorized)?;
        if !credential.allows(Permission::AccountsCreate) {
            let missing = Permission::AccountsCreate.as_str();
            return Err(Failure::Refused(Refusal::Forbidden(missing)));
        }
        Ok(Caller::Administrator(credential.id))
    }

    /// The account that is asked for. Its password is hashed whoever calls, and whether or not
    /// the address is taken, which the transaction finds out: the time it takes tells nothing.
    async fn account(
        &self,
        request: &Incoming,
        now: Timestamp,
    ) -> Result<Account, Failure<Refusal>> {
        let new = identity::create_account(request.json()?, self.password_policy)?;
        let id = AccountId::new(&self.ports, &self.ports)?;
        let salt = Salt::new(&self.ports)?;
        let hash = self.hashing.hash(new.password, salt).await;
        let password_hash = hash.ok_or(Failure::Unavailable)?;
        Ok(Account {
            id,
            password_hash,
            email: new.email,
            name: new.name,
            kind: new.kind,
            settings: new.settings,
            created_at: now,
        })
    }
}
