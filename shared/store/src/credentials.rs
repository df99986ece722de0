//! Looking up who calls, with a short memory: a warm process asks the table about a credential
//! at most once in [`MEMORY`].

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use headcount_model::agency::AgencySettings;
use headcount_model::app_token::{AppToken, AppTokens};
use headcount_model::credential::{
    AgencyDirectory, Credential, Credentials, Holder, LookupFailed, Presented,
};
use headcount_model::id::{AgencyLcuid, CredentialId};
use headcount_model::identity::{Session, SessionId, Sessions};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::key::Key;
use crate::rows::{AgencyRow, AppTokenRow, CredentialRow, SessionRow};
use crate::table::Table;
use crate::transaction::{Item, is_throttling};

/// How long a credential is believed without asking again, and so how long one that was
/// revoked may still work.
const MEMORY: SignedDuration = SignedDuration::from_secs(30);
/// What one process remembers at most of each kind, so that many tenants do not fill it.
const MOST_REMEMBERED: usize = 1_000;

/// What a warm process remembers. Only what exists is remembered: a caller cannot fill it with
/// made-up ids, and a new credential works at once.
#[derive(Default)]
pub(crate) struct Cache {
    credentials: Memory<CredentialId, Credential>,
    agencies: Memory<AgencyLcuid, AgencySettings>,
    sessions: Memory<CredentialId, Session>,
    /// What a token of an app stands for, by the hash of its secret.
    app_tokens: Memory<[u8; 32], Credential>,
}

struct Memory<K, V>(Mutex<HashMap<K, (Timestamp, V)>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: std::hash::Hash + Eq + Clone, V: Clone> Memory<K, V> {
    fn recall(&self, key: &K, now: Timestamp) -> Option<V> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = remembered.get(key)?;
        let age = now.duration_since(*since);
        // A clock that was set back must not make a memory immortal.
        (SignedDuration::ZERO <= age && age < MEMORY).then(|| value.clone())
    }

    fn remember(&self, key: &K, value: &V, now: Timestamp) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key.clone(), (now, value.clone()));
    }
}

impl Credentials for Table {
    async fn credential(&self, presented: &Presented) -> Result<Option<Credential>, LookupFailed> {
        if presented.is_app_token() {
            return Ok(self.app_token(presented, None).await?.0);
        }
        let now = self.clock.now();
        if let Some(known) = self.recall_credential(presented, now) {
            return Ok(Some(known));
        }
        let item = self.get(&Key::credential(presented.id())).await.map_err(failure)?;
        self.learn_credential(presented, item, now)
    }
}

impl Sessions for Table {
    async fn session(&self, presented: &Presented) -> Result<Option<Session>, LookupFailed> {
        let now = self.clock.now();
        let known = self.cache.sessions.recall(presented.id(), now);
        if let Some(known) = known.filter(|known| known.is_opened_by(presented)) {
            return Ok(Some(known));
        }
        let key = Key::session(&SessionId::of(presented.id().clone()));
        let Some(item) = self.get(&key).await.map_err(failure)? else { return Ok(None) };
        let session = readable_session(item)?;
        if session.is_opened_by(presented) {
            self.cache.sessions.remember(presented.id(), &session, now);
        }
        Ok(Some(session))
    }
}

impl AppTokens for Table {
    async fn keep_app_token(&self, token: &AppToken) -> Result<(), LookupFailed> {
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(AppTokenRow::from(token));
        let item = item.map_err(|error| {
            tracing::error!(%error, "a row could not be encoded");
            LookupFailed::Unavailable
        })?;
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item));
        put.send().await.map(drop).map_err(failure)
    }
}

impl AgencyDirectory for Table {
    async fn credential_and_agency(
        &self,
        presented: &Presented,
        agency: Option<&AgencyLcuid>,
    ) -> Result<(Option<Credential>, Option<AgencySettings>), LookupFailed> {
        let Some(lcuid) = agency else {
            return Ok((self.credential(presented).await?, None));
        };
        if presented.is_app_token() {
            return self.app_token(presented, Some(lcuid)).await;
        }
        let now = self.clock.now();
        let credential = self.recall_credential(presented, now);
        let agency = self.cache.agencies.recall(lcuid, now);
        if credential.as_ref().is_some_and(|known| is_of_agency(known, lcuid)) && agency.is_some() {
            return Ok((credential, agency));
        }
        // Both in one call: the second call of a cold create is the transaction.
        let (credential_key, agency_key) = (Key::credential(presented.id()), Key::agency(lcuid));
        let mut items = self.get_both(&credential_key, &agency_key).await?;
        let agency = self.learn_agency(lcuid, items.remove(&agency_key), now)?;
        let credential = self.learn_credential(presented, items.remove(&credential_key), now)?;
        Ok((credential, agency))
    }
}

/// Whether an agency is the one that a credential acts on. To others an agency that exists costs
/// as much as one that does not.
fn is_of_agency(credential: &Credential, lcuid: &AgencyLcuid) -> bool {
    matches!(&credential.holder, Holder::App { agency, .. } if agency == lcuid)
}

impl Table {
    /// What is remembered of a credential, for who presents its secret.
    fn recall_credential(&self, presented: &Presented, now: Timestamp) -> Option<Credential> {
        let known = self.cache.credentials.recall(presented.id(), now);
        known.filter(|known| presented.is(known))
    }

    fn learn_credential(
        &self,
        presented: &Presented,
        item: Option<Item>,
        now: Timestamp,
    ) -> Result<Option<Credential>, LookupFailed> {
        let Some(item) = item else { return Ok(None) };
        let credential = readable_credential(item)?;
        if presented.is(&credential) {
            self.cache.credentials.remember(presented.id(), &credential, now);
        }
        Ok(Some(credential))
    }

    fn learn_agency(
        &self,
        lcuid: &AgencyLcuid,
        item: Option<Item>,
        now: Timestamp,
    ) -> Result<Option<AgencySettings>, LookupFailed> {
        let agency = item.map(decode::<AgencyRow>).transpose()?.map(AgencySettings::from);
        if let Some(agency) = &agency {
            self.cache.agencies.remember(lcuid, agency, now);
        }
        Ok(agency)
    }

    /// What a token of an app stands for and, where one is named, the settings of an agency: one call, or none.
    async fn app_token(
        &self,
        presented: &Presented,
        agency: Option<&AgencyLcuid>,
    ) -> Result<(Option<Credential>, Option<AgencySettings>), LookupFailed> {
        let now = self.clock.now();
        let known = self.cache.app_tokens.recall(presented.secret_hash(), now);
        let known = known.filter(|known| presented.is(known));
        let own = known.as_ref().filter(|known| agency.is_none_or(|it| is_of_agency(known, it)));
        let settings = agency.and_then(|lcuid| self.cache.agencies.recall(lcuid, now));
        if own.is_some() && agency.is_some() == settings.is_some() {
            return Ok((known, settings));
        }
        let credential_key = Key::credential(presented.id());
        let token_key = Key::app_token(presented.id(), presented.secret_hash());
        let agency_key = agency.map(Key::agency);
        let keys = [Some(&credential_key), Some(&token_key), agency_key.as_ref()];
        let mut items = self.get_all(keys.into_iter().flatten()).await?;
        let settings = match (agency, &agency_key) {
            (Some(lcuid), Some(key)) => self.learn_agency(lcuid, items.remove(key), now)?,
            _ => None,
        };
        let (Some(credential), Some(token)) =
            (items.remove(&credential_key), items.remove(&token_key))
        else {
            return Ok((None, settings));
        };
        let row: AppTokenRow = decode(token)?;
        let token = row.of(presented.id(), *presented.secret_hash()).map_err(|error| {
            tracing::error!(%error, "a token of an app could not be read");
            LookupFailed::Unavailable
        })?;
        let standing = token.stands_for(readable_credential(credential)?);
        if let Some(standing) = standing.as_ref().filter(|standing| presented.is(standing)) {
            self.cache.app_tokens.remember(presented.secret_hash(), standing, now);
        }
        Ok((standing, settings))
    }

    /// What is there of two items, as of now.
    pub(crate) async fn get_both(
        &self,
        one: &Key,
        other: &Key,
    ) -> Result<HashMap<Key, Item>, LookupFailed> {
        self.get_all([one, other]).await
    }

    /// What is there of some items, as of now.
    async fn get_all<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k Key>,
    ) -> Result<HashMap<Key, Item>, LookupFailed> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.into_iter().map(Key::attributes).collect()))
            .consistent_read(true)
            .build()
            .map_err(|_| LookupFailed::Unavailable)?;
        let output = self
            .client
            .batch_get_item()
            .request_items(&*self.name, keys)
            .send()
            .await
            .map_err(failure)?;
        // DynamoDB leaves keys unprocessed when it throttles. Taking them for missing would turn
        // a caller away for good.
        if output.unprocessed_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err(LookupFailed::Throttled);
        }
        output
            .responses
            .into_iter()
            .flat_map(|mut tables| tables.remove(&*self.name).unwrap_or_default())
            .map(|item| Ok((decode::<Key>(item.clone())?, item)))
            .collect()
    }
}

/// Reads an item as a credential.
fn readable_credential(item: Item) -> Result<Credential, LookupFailed> {
    Credential::try_from(decode::<CredentialRow>(item)?).map_err(|error| {
        tracing::error!(%error, "a credential could not be read");
        LookupFailed::Unavailable
    })
}

/// Reads an item as a session.
pub(crate) fn readable_session(item: Item) -> Result<Session, LookupFailed> {
    Session::try_from(decode::<SessionRow>(item)?).map_err(|error| {
        tracing::error!(%error, "a session could not be read");
        LookupFailed::Unavailable
    })
}

/// Reads an item as a row.
pub(crate) fn decode<T: DeserializeOwned>(item: Item) -> Result<T, LookupFailed> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|error| {
        tracing::error!(%error, "an item could not be read");
        LookupFailed::Unavailable
    })
}

/// What a failed read means for the caller.
pub(crate) fn failure<E>(error: SdkError<E>) -> LookupFailed
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if is_throttling(error.code()) {
        LookupFailed::Throttled
    } else {
        let cause = DisplayErrorContext(&error);
        tracing::error!(%cause, "the table did not answer");
        LookupFailed::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_forgotten_after_thirty_seconds_or_a_clock_step_back() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let memory = Memory::<u8, u8>::default();
        memory.remember(&1, &2, at(100));
        assert_eq!(memory.recall(&1, at(129)), Some(2));
        assert_eq!(memory.recall(&1, at(130)), None);
        assert_eq!(memory.recall(&1, at(99)), None);
        assert_eq!(memory.recall(&2, at(100)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let memory = Memory::<usize, ()>::default();
        for key in 0..MOST_REMEMBERED * 3 {
            memory.remember(&key, &(), Timestamp::UNIX_EPOCH);
        }
        let held = memory.0.lock().expect("not poisoned").len();
        assert!((1..=MOST_REMEMBERED).contains(&held));
    }
}
