//! API keys of an organization, managed by the organization itself (LIFECYCLE, "Seats API";
//! docs/adr/0030-lists-of-seats.md, "API keys").
//!
//! A key is a [`Credential`] and an entry in the organization's list of keys. Its text is known when it is
//! made and never again: no record has it, the idempotency record neither.

use std::collections::BTreeSet;
use std::future::Future;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::audit::Entry;
use crate::credential::{Credential, Holder, LookupFailed, Permission};
use crate::fault::{Fault, Form, Given, Rule};
use crate::grant::Grant;
use crate::id::{AuditId, CredentialId};
use crate::idempotency::{Keyed, StoredAnswer};
use crate::port::{Clock, Entropy, NoEntropy};
use crate::right::ManageKeys;
use crate::text::Text;

/// The longest name of a key, in Unicode scalar values after trimming.
pub const MAX_KEY_NAME: usize = 64;

/// The most keys of an organization. Of two that are made at once, both may be the last.
pub const MAX_KEYS: usize = 1_000;

/// How often keys are read again because somebody else changed them meanwhile.
const MAX_TRIES: usize = 5;

/// The permissions of this API.
pub const KEY_PERMISSIONS: [Permission; 7] = [
    Permission::AccountsCreate,
    Permission::AccountsRead,
    Permission::AccountsUpdate,
    Permission::AccountsDeactivate,
    Permission::BillingRead,
    Permission::BillingManage,
    Permission::KeysManage,
];

/// A key as its organization sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public half.
    pub id: CredentialId,
    /// What the organization calls it.
    pub name: String,
    /// What it allows, as it is written.
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// How often it was named.
    pub version: u64,
}

impl ApiKey {
    /// Whether it may manage keys at `now`.
    fn manages(&self, now: Timestamp) -> bool {
        let allows = self.permissions.iter().any(|one| one == Permission::KeysManage.as_str());
        allows && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The fields of a create as a caller sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // As in `NewKey`.
pub struct NewKeyInput {
    pub name: Given<String>,
    pub permissions: Given<Vec<Given<String>>>,
    pub expires_at: Given<String>,
}

/// A valid wish for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What it is called.
    pub name: Text,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// When it stops working; `None`: when the key that gives it does.
    pub expires_at: Option<Timestamp>,
}

impl NewKey {
    /// Reads a name.
    ///
    /// # Errors
    /// Those of [`Text::line`].
    pub fn name(raw: &str) -> Result<Text, Rule> {
        Text::line(raw, 1..=MAX_KEY_NAME)
    }

    /// Checks every field of a key that `giver` gives at `now`. `faults` holds what the reader of the
    /// body has found already.
    ///
    /// # Errors
    /// Every fault. What the giver lacks is none: see [`NewKey::lacking`].
    pub fn parse(
        input: NewKeyInput,
        giver: &Credential,
        now: Timestamp,
        mut faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let found_by_reader = std::mem::take(&mut faults);
        let mut form = Form::new(&mut faults);
        let name = form.required("name", input.name, |raw| Self::name(&raw));
        if !input.permissions.is_present() {
            form.fault("permissions", Rule::Required);
        }
        let most = KEY_PERMISSIONS.len();
        let permissions = form.each_once("permissions", input.permissions, most, permission);
        let expires_at = form.optional("expires_at", input.expires_at, |raw| {
            let end: Timestamp = raw.trim().parse().map_err(|_| Rule::KeyEnd)?;
            let is_within = giver.expires_at.is_none_or(|own| end <= own);
            if end > now && is_within { Ok(end) } else { Err(Rule::KeyEnd) }
        });
        faults.extend(found_by_reader);
        match (name, permissions) {
            (Some(name), Some(permissions)) if faults.is_empty() => {
                let permissions = permissions.into_iter().collect();
                Ok(Self { name, permissions, expires_at: expires_at.or(giver.expires_at) })
            }
            _ => Err(faults),
        }
    }

    /// The first permission that the giver has not itself. What one of its permissions includes it
    /// has.
    pub fn lacking(&self, giver: &Credential) -> Option<Permission> {
        let includes = |permission| {
            matches!(permission, Permission::AccountsRead | Permission::BillingRead)
                && giver.allows(Permission::AccountsCreate)
        };
        let has = |permission| giver.allows(permission) || includes(permission);
        self.permissions.iter().copied().find(|&permission| !has(permission))
    }
}

/// One of [`KEY_PERMISSIONS`].
fn permission(raw: &str) -> Result<Permission, Rule> {
    let known = KEY_PERMISSIONS.into_iter().find(|one| one.as_str() == raw.trim());
    known.ok_or_else(|| Rule::OneOf(KEY_PERMISSIONS.map(|one| one.as_str().to_owned()).to_vec()))
}

/// What is done to the list of keys, in one transaction with the credential itself.
#[derive(Debug, Clone, Copy)]
pub enum KeyChange<'a> {
    /// A key is made.
    Create {
        /// What is kept of it.
        credential: &'a Credential,
        /// As it is listed.
        key: &'a ApiKey,
    },
    /// A key gets the name that it has here. Its version is still the one that was read.
    Rename(&'a ApiKey),
    /// Nothing: only the record is kept.
    Nothing,
    /// A key works no more, and is listed no more.
    Delete {
        /// Which.
        id: &'a CredentialId,
        /// Another key that may manage keys; there has to be one where a key deletes itself.
        witness: Option<&'a CredentialId>,
    },
}

/// One transaction. It is committed only while the caller's own key works, so that one that was
/// deleted cannot leave another behind.
#[derive(Debug, Clone)]
pub struct KeyCommit<'a> {
    /// What is done.
    pub change: KeyChange<'a>,
    /// The entry that says who did it; `None` where nothing is done.
    pub audit: Option<Entry<'a>>,
    /// The request and the answer to keep for its retries, when it has a key. The answer has no secret.
    pub record: Option<(&'a Keyed, StoredAnswer)>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a transaction on keys was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCommitted {
    /// The caller's own key does not work any more.
    CallerRevoked,
    /// A key is not what it was when it was read.
    Changed,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// Later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Why keys were not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// The caller's own key does not work any more.
    CallerRevoked,
    /// The caller lacks a permission that it would give.
    Lacking(Permission),
    /// The organization has no such key.
    Missing,
    /// The organization has [`MAX_KEYS`].
    TooMany,
    /// The caller is the last key that may manage keys.
    LastManager,
    /// As in [`NotCommitted`].
    KeyReused,
    /// As in [`NotCommitted`].
    Throttled,
    /// As in [`NotCommitted`].
    Unavailable,
}

impl From<NotCommitted> for KeyRefusal {
    fn from(refused: NotCommitted) -> Self {
        match refused {
            NotCommitted::CallerRevoked => KeyRefusal::CallerRevoked,
            NotCommitted::KeyReused => KeyRefusal::KeyReused,
            // Whoever keeps changing it, later is better.
            NotCommitted::Changed | NotCommitted::Throttled => KeyRefusal::Throttled,
            NotCommitted::Unavailable => KeyRefusal::Unavailable,
        }
    }
}

impl From<LookupFailed> for KeyRefusal {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => KeyRefusal::Throttled,
            LookupFailed::Unavailable => KeyRefusal::Unavailable,
        }
    }
}

impl From<NoEntropy> for KeyRefusal {
    fn from(_: NoEntropy) -> Self {
        KeyRefusal::Unavailable
    }
}

/// A key of the organization, whether it works or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// As it is listed. One that is older than the list has no name of its own yet.
    pub key: ApiKey,
    /// Whether it was deleted.
    pub is_revoked: bool,
}

/// Where the keys of organizations are kept.
pub trait ApiKeys {
    /// The keys of the organization that work or have expired, the oldest first.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn keys(
        &self,
        granted: Grant<'_, ManageKeys>,
    ) -> impl Future<Output = Result<Vec<ApiKey>, LookupFailed>> + Send;

    /// One of the organization's keys, in the list or older than it.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn key(
        &self,
        granted: Grant<'_, ManageKeys>,
        id: &CredentialId,
    ) -> impl Future<Output = Result<Option<KeptKey>, LookupFailed>> + Send;

    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the same
    /// request: nothing was done now.
    ///
    /// # Errors
    /// [`NotCommitted`].
    fn commit(
        &self,
        granted: Grant<'_, ManageKeys>,
        commit: KeyCommit<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotCommitted>> + Send;
}

/// A valid request about keys, with everything that decides about it.
pub struct KeyRequest<'a> {
    /// Who asks, and whose keys they are.
    pub granted: Grant<'a, ManageKeys>,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a Keyed>,
    /// The time of the request.
    pub now: Timestamp,
}

impl KeyRequest<'_> {
    async fn commit(
        &self,
        store: &impl ApiKeys,
        ports: &(impl Clock + Entropy),
        (change, id, fields): (KeyChange<'_>, &CredentialId, &[&'static str]),
        answer: StoredAnswer,
    ) -> Result<(StoredAnswer, bool), NotCommitted> {
        let audit = Entry {
            id: AuditId::new(ports, ports).map_err(|_| NotCommitted::Unavailable)?,
            credential: Some(self.granted.by()),
            route: self.route,
            objects: vec![id.as_str()],
            fields,
            at: self.now,
            request_id: self.request_id,
        };
        let audit = (!matches!(change, KeyChange::Nothing)).then_some(audit);
        let record = self.request.map(|request| (request, answer.clone()));
        let commit = KeyCommit { change, audit, record, now: self.now };
        let stored = store.commit(self.granted, commit).await?;
        Ok(stored.map_or((answer, false), |stored| (stored, true)))
    }
}

/// Makes a key. `answer` words it, with its text for the caller who makes it and without for the record
/// that answers retries.
///
/// # Errors
/// [`KeyRefusal`].
pub async fn create(
    store: &impl ApiKeys,
    ports: &(impl Clock + Entropy),
    asked: &KeyRequest<'_>,
    (new, giver): (&NewKey, &Credential),
    answer: impl Fn(&ApiKey, Option<&SecretString>) -> StoredAnswer,
) -> Result<(StoredAnswer, bool), KeyRefusal> {
    if let Some(permission) = new.lacking(giver) {
        return Err(KeyRefusal::Lacking(permission));
    }
    let holder = Holder::Organization(asked.granted.tenant().clone());
    let (credential, token) =
        Credential::issue(holder, new.permissions.clone(), new.expires_at, ports, ports)?;
    let names = new.permissions.iter().map(|permission| permission.as_str().to_owned());
    let key = ApiKey {
        id: credential.id.clone(),
        name: new.name.to_string(),
        permissions: names.collect(),
        created_at: asked.now,
        expires_at: new.expires_at,
        version: 0,
    };
    if store.keys(asked.granted).await?.len() >= MAX_KEYS {
        return Err(KeyRefusal::TooMany);
    }
    let change = KeyChange::Create { credential: &credential, key: &key };
    let fields: &[_] = &["name", "permissions", "expires_at"];
    let without = answer(&key, None);
    let done = asked.commit(store, ports, (change, &key.id, fields), without).await?;
    Ok(if done.1 { done } else { (answer(&key, Some(&token)), false) })
}

/// Gives a key another name.
///
/// # Errors
/// [`KeyRefusal`].
pub async fn rename(
    store: &impl ApiKeys,
    ports: &(impl Clock + Entropy),
    asked: &KeyRequest<'_>,
    (id, name): (&CredentialId, &Text),
    answer: impl Fn(&ApiKey) -> StoredAnswer,
) -> Result<(StoredAnswer, bool), KeyRefusal> {
    for _ in 0..MAX_TRIES {
        let kept = store.key(asked.granted, id).await?.filter(|kept| !kept.is_revoked);
        let mut key = kept.ok_or(KeyRefusal::Missing)?.key;
        key.name = name.to_string();
        let change = (KeyChange::Rename(&key), id, &["name"] as &[_]);
        match asked.commit(store, ports, change, answer(&key)).await {
            Err(NotCommitted::Changed) => {}
            done => return Ok(done?),
        }
    }
    Err(NotCommitted::Changed.into())
}

/// Deletes a key. That it is deleted already is no fault.
///
/// # Errors
/// [`KeyRefusal`].
pub async fn delete(
    store: &impl ApiKeys,
    ports: &(impl Clock + Entropy),
    asked: &KeyRequest<'_>,
    id: &CredentialId,
    answer: impl Fn(&CredentialId) -> StoredAnswer,
) -> Result<(StoredAnswer, bool), KeyRefusal> {
    let mut gone: Vec<CredentialId> = Vec::new();
    for _ in 0..MAX_TRIES {
        let kept = store.key(asked.granted, id).await?.ok_or(KeyRefusal::Missing)?;
        if kept.is_revoked {
            if asked.request.is_none() {
                return Ok((answer(id), false));
            }
            return Ok(asked
                .commit(store, ports, (KeyChange::Nothing, id, &[]), answer(id))
                .await?);
        }
        // Whoever deletes another key may manage keys itself, and goes on to.
        let is_own = id == asked.granted.by();
        let others = if is_own { store.keys(asked.granted).await? } else { Vec::new() };
        let mut others = others.iter().filter(|key| key.id != *id && !gone.contains(&key.id));
        let witness = others.find(|key| key.manages(asked.now)).map(|key| &key.id);
        if is_own && witness.is_none() {
            return Err(KeyRefusal::LastManager);
        }
        let change = (KeyChange::Delete { id, witness }, id, &["revoked"] as &[_]);
        match asked.commit(store, ports, change, answer(id)).await {
            // The list may be behind: a key that an operator took back is not looked at again.
            Err(NotCommitted::Changed) => gone.extend(witness.cloned()),
            done => return Ok(done?),
        }
    }
    Err(NotCommitted::Changed.into())
}
