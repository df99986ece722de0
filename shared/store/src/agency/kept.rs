//! Accounts of agencies after their creation.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use headcount_model::agency::{
    AgencyAccountChanges, AgencyAccountDeletions, AgencyAccountRecords, ChangeCommit, Deletable,
    DeletableAccounts, DeletionCommit, EarlierAnswers, KeptAccount, KeptAgency, NotCommitted,
};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, micros};
use headcount_model::idempotency::{Keyed, StoredAnswer};
use headcount_model::right::{
    DeleteAgencyAccounts, ListAgencyAccounts, UpdateAgencyAccounts, ViewAgencyAccounts,
};
use jiff::Timestamp;

use crate::credentials::{decode, failure};
use crate::idempotency::{self, Found};
use crate::key::{AGENCY_ACCOUNT, Key};
use crate::rows::{AgencyAccountRow, AgencyRow, AuditRow, Malformed};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, delete, number, put, text, unchanged};

impl AgencyAccountRecords for Table {
    async fn account(
        &self,
        granted: Grant<'_, ViewAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> Result<Option<(KeptAccount, KeptAgency)>, LookupFailed> {
        let agency = granted.tenant().agency;
        // The two lie beside each other: one call.
        let (account_key, agency_key) = (Key::agency_account(agency, lcuid), Key::agency(agency));
        let mut items = self.get_both(&account_key, &agency_key).await?;
        let Some(account) = items.remove(&account_key) else { return Ok(None) };
        // Whoever has a token has an agency too.
        let agency = items.remove(&agency_key).ok_or(LookupFailed::Unavailable)?;
        Ok(Some((read::<AgencyAccountRow, _>(account)?, read::<AgencyRow, _>(agency)?)))
    }

    async fn accounts(
        &self,
        granted: Grant<'_, ListAgencyAccounts>,
        at_most: usize,
    ) -> Result<Option<(Vec<KeptAccount>, KeptAgency)>, LookupFailed> {
        let agency = Key::agency(granted.tenant().agency);
        let mut accounts: Vec<KeptAccount> = Vec::new();
        let (mut own, mut from) = (None, None);
        loop {
            // The agency lies just behind its accounts.
            let query = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :accounts AND :agency")
                .expression_attribute_values(":pk", text(&agency.pk))
                .expression_attribute_values(":accounts", text(AGENCY_ACCOUNT))
                .expression_attribute_values(":agency", text(&agency.sk))
                .set_exclusive_start_key(from);
            let found = query.send().await.map_err(failure)?;
            for item in found.items.unwrap_or_default() {
                if item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&agency.sk) {
                    own = Some(read::<AgencyRow, KeptAgency>(item)?);
                } else {
                    accounts.push(read::<AgencyAccountRow, _>(item)?);
                }
            }
            if accounts.len() > at_most {
                return Ok(None);
            }
            from = found.last_evaluated_key;
            if from.is_none() {
                // Whoever has a token has an agency too.
                let own = own.ok_or(LookupFailed::Unavailable)?;
                let order = |a: &KeptAccount, b: &KeptAccount| {
                    (&a.created_at, &a.lcuid).cmp(&(&b.created_at, &b.lcuid))
                };
                accounts.sort_unstable_by(order);
                return Ok(Some((accounts, own)));
            }
        }
    }
}

impl AgencyAccountChanges for Table {
    async fn change(
        &self,
        granted: Grant<'_, UpdateAgencyAccounts>,
        commit: ChangeCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        let agency = granted.tenant().agency;
        let actions = || {
            let mut actions = Vec::with_capacity(3);
            if let Some((request, answer)) = &commit.record {
                actions.push(idempotency::record(self, request, 0, answer, commit.now)?);
            }
            if !commit.fields.is_empty() {
                actions.push(update(self, agency, &commit)?);
            }
            if let Some(entry) = &commit.audit {
                let row = AuditRow::of_agency(agency, entry);
                actions.push(put(self, &row, Condition::absent())?);
            }
            Ok(actions)
        };
        let outcome = self.transact(actions).await;
        earlier_or_changed(outcome, commit.record.as_ref().map(|(request, _)| *request))
    }
}

impl EarlierAnswers for Table {
    async fn earlier(
        &self,
        request: &Keyed,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        let item = self.get(&Key::idempotency(&request.name, 0)).await.map_err(failure);
        match item {
            Ok(Some(item)) if idempotency::is_valid(&item, now) => answered(request, Some(item)),
            Ok(_) => Ok(None),
            Err(LookupFailed::Throttled) => Err(NotCommitted::Throttled),
            Err(LookupFailed::Unavailable) => Err(NotCommitted::Unavailable),
        }
    }
}

impl DeletableAccounts for Table {
    async fn deletable(
        &self,
        granted: Grant<'_, DeleteAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> Result<Option<Deletable>, LookupFailed> {
        let key = Key::agency_account(granted.tenant().agency, lcuid);
        let Some(item) = self.get(&key).await.map_err(failure)? else { return Ok(None) };
        let row: AgencyAccountRow = decode(item)?;
        // Only what may have sub-accounts, or once had one, can have one now. They are looked for
        // after the count was read: one that is made meanwhile raises it.
        let may_have = row.is_parent_account || row.sub_accounts_made.is_some();
        Ok(Some(Deletable {
            version: row.version.unwrap_or(0),
            sub_accounts_made: row.sub_accounts_made,
            has_sub_accounts: may_have && self.has_sub_accounts(&key.pk, lcuid).await?,
            created_at: row.created_at,
            created_by: row.created_by,
        }))
    }
}

impl AgencyAccountDeletions for Table {
    async fn delete(
        &self,
        granted: Grant<'_, DeleteAgencyAccounts>,
        commit: DeletionCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        let agency = granted.tenant().agency;
        let actions = || {
            let mut actions = Vec::with_capacity(3);
            if let Some((request, answer)) = &commit.record {
                actions.push(idempotency::record(self, request, 0, answer, commit.now)?);
            }
            let key = Key::agency_account(agency, commit.lcuid);
            actions.push(delete(self, &key, still_deletable(&commit.read))?);
            let row = AuditRow {
                created_at: Some(commit.read.created_at.clone()),
                created_by: commit.read.created_by.clone(),
                ..AuditRow::of_agency(agency, &commit.audit)
            };
            actions.push(put(self, &row, Condition::absent())?);
            Ok(actions)
        };
        let outcome = self.transact(actions).await;
        earlier_or_changed(outcome, commit.record.as_ref().map(|(request, _)| *request))
    }
}

impl Table {
    /// Whether an account of a partition is below `parent`.
    async fn has_sub_accounts(
        &self,
        pk: &str,
        parent: &AgencyAccountLcuid,
    ) -> Result<bool, LookupFailed> {
        let mut from = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :accounts)")
                .filter_expression("parent = :parent")
                .projection_expression("sk")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":accounts", text(AGENCY_ACCOUNT))
                .expression_attribute_values(":parent", text(parent.as_str()))
                .set_exclusive_start_key(from);
            let found = query.send().await.map_err(failure)?;
            if !found.items.unwrap_or_default().is_empty() {
                return Ok(true);
            }
            from = found.last_evaluated_key;
            if from.is_none() {
                return Ok(false);
            }
        }
    }
}

/// That nobody has changed an account since it was read, nor made one below it.
fn still_deletable(read: &Deletable) -> Condition {
    let version = unchanged(read.version);
    let mut values = vec![(":version", number(read.version))];
    let made = match read.sub_accounts_made {
        None => "attribute_not_exists(sub_accounts_made)",
        Some(made) => {
            values.push((":made", number(made)));
            "sub_accounts_made = :made"
        }
    };
    Condition { expression: format!("{version} AND {made}").into(), values }
}

/// What the record of a request says.
fn answered(request: &Keyed, record: Option<Item>) -> Result<Option<StoredAnswer>, NotCommitted> {
    match idempotency::found(request, record) {
        Found::Same(answer, _) => Ok(Some(answer)),
        Found::Other => Err(NotCommitted::KeyReused),
        Found::Unreadable => Err(NotCommitted::Unavailable),
    }
}

/// What a transaction on an account came to. The record, where there is one, is its first action.
fn earlier_or_changed(
    outcome: Result<(), Refused>,
    request: Option<&Keyed>,
) -> Result<Option<StoredAnswer>, NotCommitted> {
    let failed = match outcome {
        Ok(()) => return Ok(None),
        Err(Refused::Conditions(failed)) => failed,
        Err(Refused::Throttled) => return Err(NotCommitted::Throttled),
        Err(Refused::Unavailable) => return Err(NotCommitted::Unavailable),
    };
    if let Some(request) = request
        && let Some(item) = failed.into_iter().next().flatten()
    {
        return answered(request, item);
    }
    Err(NotCommitted::Changed)
}

/// Writes the changed fields of an account that is still what was read.
fn update(
    table: &Table,
    agency: &AgencyLcuid,
    commit: &ChangeCommit<'_>,
) -> Result<TransactWriteItem, Refused> {
    let account = commit.account;
    let mut set = vec!["version = :next".to_owned(), "updated_at = :now".to_owned()];
    let mut remove = Vec::new();
    let mut update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::agency_account(agency, &account.lcuid).attributes()))
        .condition_expression(unchanged(account.version))
        .expression_attribute_values(":version", number(account.version))
        .expression_attribute_values(":next", number(account.version + 1))
        .expression_attribute_values(":now", text(micros(commit.now)))
        // What it is instead is read with its agency.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None);
    // `name` is a word of DynamoDB's own.
    for (field, value) in [
        ("name", Some(&account.name)),
        ("description", account.description.as_ref()),
        ("website", account.website.as_ref()),
    ] {
        if !commit.fields.contains(&field) {
            continue;
        }
        let (name, placeholder) = (format!("#{field}"), format!(":{field}"));
        match value {
            Some(value) => {
                set.push(format!("{name} = {placeholder}"));
                update = update.expression_attribute_values(placeholder, text(value));
            }
            None => remove.push(name.clone()),
        }
        update = update.expression_attribute_names(name, field);
    }
    let mut expression = format!("SET {}", set.join(", "));
    if !remove.is_empty() {
        expression += &format!(" REMOVE {}", remove.join(", "));
    }
    let update = update.update_expression(expression).build().map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Reads an item as what its row stands for.
fn read<R, T>(item: Item) -> Result<T, LookupFailed>
where
    R: serde::de::DeserializeOwned,
    T: TryFrom<R, Error = Malformed>,
{
    T::try_from(decode::<R>(item)?).map_err(|error| {
        tracing::error!(%error, "an agency or an account of one could not be read");
        LookupFailed::Unavailable
    })
}
