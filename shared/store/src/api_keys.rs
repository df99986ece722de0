//! API keys, managed by their organization: the credential, which decides, and its entry in the list of the
//! organization's keys, beside it in each transaction. A key that is older than the list is in it once it is named.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use headcount_model::api_key::{ApiKey, ApiKeys, KeptKey, KeyChange, KeyCommit, NotCommitted};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{CredentialId, OrganizationId};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::right::ManageKeys;

use crate::credentials::{decode, failure};
use crate::idempotency::{self, Found};
use crate::key::{API_KEY, Key};
use crate::rows::{ApiKeyRow, AuditRow, CredentialRow, HolderRow, Malformed};
use crate::table::Table;
use crate::transaction::{Condition, Refused, check, number, put, text, update};

impl ApiKeys for Table {
    async fn keys(&self, granted: Grant<'_, ManageKeys>) -> Result<Vec<ApiKey>, LookupFailed> {
        let (mut keys, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :keys)")
                .expression_attribute_values(":pk", text(Key::organization(granted.tenant()).pk))
                .expression_attribute_values(":keys", text(API_KEY))
                .set_exclusive_start_key(from);
            let found = query.send().await.map_err(failure)?;
            for item in found.items.unwrap_or_default() {
                keys.push(readable(decode::<ApiKeyRow>(item)?.try_into())?);
            }
            from = found.last_evaluated_key;
            if from.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn key(
        &self,
        granted: Grant<'_, ManageKeys>,
        id: &CredentialId,
    ) -> Result<Option<KeptKey>, LookupFailed> {
        let organization = granted.tenant();
        let (kept, listed) = (Key::credential(id), Key::api_key(organization, id));
        let mut items = self.get_both(&kept, &listed).await?;
        let Some(item) = items.remove(&kept) else { return Ok(None) };
        let row: CredentialRow = decode(item)?;
        let is_own = matches!(&row.holder, HolderRow::Organization { organization: of } if of == organization.as_str());
        if !is_own {
            return Ok(None);
        }
        let is_revoked = row.revoked;
        let row = match items.remove(&listed) {
            Some(item) => decode(item)?,
            None => ApiKeyRow::unnamed(organization, row),
        };
        Ok(Some(KeptKey { key: readable(row.try_into())?, is_revoked }))
    }

    async fn commit(
        &self,
        granted: Grant<'_, ManageKeys>,
        commit: KeyCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        let failed = match self.transact(|| actions(self, granted, &commit)).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed,
            Err(Refused::Throttled) => return Err(NotCommitted::Throttled),
            Err(Refused::Unavailable) => return Err(NotCommitted::Unavailable),
        };
        let mut failed = failed.into_iter();
        if let Some((request, _)) = &commit.record
            && let Some(item) = failed.next().flatten()
        {
            return match idempotency::found(request, item) {
                Found::Same(answer, _) => Ok(Some(answer)),
                Found::Other => Err(NotCommitted::KeyReused),
                Found::Unreadable => Err(NotCommitted::Unavailable),
            };
        }
        // The next action is about the caller's own key.
        Err(match failed.next().flatten() {
            Some(_) => NotCommitted::CallerRevoked,
            None => NotCommitted::Changed,
        })
    }
}

/// The idempotency record first, as in every transaction that has one, and then the caller's own key. No two
/// actions of a transaction may be about one item.
fn actions(
    table: &Table,
    granted: Grant<'_, ManageKeys>,
    commit: &KeyCommit<'_>,
) -> Result<Vec<TransactWriteItem>, Refused> {
    let organization = granted.tenant();
    let mut actions = Vec::with_capacity(6);
    if let Some((request, answer)) = &commit.record {
        actions.push(idempotency::record(table, request, 0, answer, commit.now)?);
    }
    let own = granted.by();
    let works = |id| check(table, &Key::credential(id), works_still());
    match commit.change {
        KeyChange::Delete { id, .. } if id == own => actions.push(revoke(table, own)?),
        _ => actions.push(works(own)?),
    }
    match commit.change {
        KeyChange::Nothing => {}
        KeyChange::Create { credential, key } => {
            let row = CredentialRow::new(credential, commit.now);
            actions.push(put(table, &row, Condition::absent())?);
            let row = ApiKeyRow::new(organization, key, 0);
            actions.push(put(table, &row, Condition::absent())?);
        }
        KeyChange::Rename(key) => {
            if key.id != *own {
                actions.push(works(&key.id)?);
            }
            let row = ApiKeyRow::new(organization, key, key.version + 1);
            actions.push(put(table, &row, unchanged(key.version))?);
        }
        KeyChange::Delete { id, witness } => {
            if id != own {
                actions.push(revoke(table, id)?);
            }
            if let Some(witness) = witness {
                actions.push(works(witness)?);
            }
            actions.push(unlist(table, organization, id)?);
        }
    }
    if let Some(entry) = &commit.audit {
        actions.push(put(table, &AuditRow::new(organization, entry), Condition::absent())?);
    }
    Ok(actions)
}

/// That a credential was not taken back.
fn works_still() -> Condition {
    Condition {
        expression: "revoked = :false".into(),
        values: vec![(":false", AttributeValue::Bool(false))],
    }
}

fn revoke(table: &Table, id: &CredentialId) -> Result<TransactWriteItem, Refused> {
    let values = vec![(":true", AttributeValue::Bool(true))];
    update(table, &Key::credential(id), "SET revoked = :true", works_still(), values)
}

/// Takes a key out of the list, if it is in it.
pub(crate) fn unlist(
    table: &Table,
    organization: &OrganizationId,
    id: &CredentialId,
) -> Result<TransactWriteItem, Refused> {
    let delete = Delete::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::api_key(organization, id).attributes()))
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// That an entry of the list is of a version; one of version 0 may not be there yet.
fn unchanged(version: u64) -> Condition {
    let expression = if version == 0 {
        "attribute_not_exists(pk) OR attribute_not_exists(version) OR version = :version"
    } else {
        "version = :version"
    };
    Condition { expression: expression.into(), values: vec![(":version", number(version))] }
}

fn readable(read: Result<ApiKey, Malformed>) -> Result<ApiKey, LookupFailed> {
    read.map_err(|error| {
        tracing::error!(%error, "an API key could not be read");
        LookupFailed::Unavailable
    })
}
