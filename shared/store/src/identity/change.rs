//! Changes of identity accounts.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{AccountId, micros};
use headcount_model::idempotency::{Keyed, StoredAnswer};
use headcount_model::identity::{
    AccountChanges, AccountCommit, AccountStatus, KeptAccount, NotCommitted,
};
use headcount_model::right::{OwnAccount, UpdateAccounts};
use jiff::Timestamp;

use crate::credentials::failure;
use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{AuditRow, EmailRow};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, free, number, put, text, unchanged, values};

/// What the actions of the transaction are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Record,
    Account,
    NewAddress,
    OldAddress,
    Audit,
}

impl AccountChanges<OwnAccount> for Table {
    async fn kept(
        &self,
        granted: Grant<'_, OwnAccount>,
        _: &AccountId,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        let kept = self.kept_account(granted.tenant()).await?;
        Ok(kept.filter(|kept| kept.status == AccountStatus::Active))
    }

    async fn commit(
        &self,
        granted: Grant<'_, OwnAccount>,
        commit: AccountCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        if *granted.tenant() != commit.account.id {
            return Err(NotCommitted::Unavailable);
        }
        self.commit_change(&commit).await
    }

    async fn earlier(
        &self,
        _: Grant<'_, OwnAccount>,
        request: &Keyed,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        self.earlier_change(request, now).await
    }
}

impl AccountChanges<UpdateAccounts> for Table {
    async fn kept(
        &self,
        _: Grant<'_, UpdateAccounts>,
        id: &AccountId,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        self.kept_account(id).await
    }

    async fn commit(
        &self,
        _: Grant<'_, UpdateAccounts>,
        commit: AccountCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        self.commit_change(&commit).await
    }

    async fn earlier(
        &self,
        _: Grant<'_, UpdateAccounts>,
        request: &Keyed,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        self.earlier_change(request, now).await
    }
}

impl Table {
    async fn commit_change(
        &self,
        commit: &AccountCommit<'_>,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        let labelled = || actions(self, commit);
        let unlabelled = || Ok(labelled()?.into_iter().map(|(_, action)| action).collect());
        let failed = match self.transact(unlabelled).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed,
            Err(Refused::Throttled) => return Err(NotCommitted::Throttled),
            Err(Refused::Unavailable) => return Err(NotCommitted::Unavailable),
        };
        let labelled = labelled().map_err(|_| NotCommitted::Unavailable)?;
        for ((purpose, _), item) in labelled.into_iter().zip(failed) {
            let Some(item) = item else { continue };
            match (purpose, &commit.record) {
                (Purpose::Record, Some((request, _))) => return answered(request, item),
                (Purpose::Account, _) => return Err(NotCommitted::Changed),
                (Purpose::NewAddress, _) => return Err(NotCommitted::EmailExists),
                // The lock of an address that the account has is its own, and an entry of this id is none
                // of anybody.
                _ => return Err(NotCommitted::Unavailable),
            }
        }
        Err(NotCommitted::Unavailable)
    }

    async fn earlier_change(
        &self,
        request: &Keyed,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, NotCommitted> {
        match self.get(&Key::idempotency(&request.name, 0)).await.map_err(failure) {
            Ok(Some(item)) if idempotency::is_valid(&item, now) => answered(request, Some(item)),
            Ok(_) => Ok(None),
            Err(LookupFailed::Throttled) => Err(NotCommitted::Throttled),
            Err(LookupFailed::Unavailable) => Err(NotCommitted::Unavailable),
        }
    }
}

/// What the record of a request says.
fn answered(request: &Keyed, record: Option<Item>) -> Result<Option<StoredAnswer>, NotCommitted> {
    match idempotency::found(request, record) {
        Found::Same(answer, _) => Ok(Some(answer)),
        Found::Other => Err(NotCommitted::KeyReused),
        Found::Unreadable => Err(NotCommitted::Unavailable),
    }
}

fn actions(
    table: &Table,
    commit: &AccountCommit<'_>,
) -> Result<Vec<(Purpose, TransactWriteItem)>, Refused> {
    let mut actions = Vec::with_capacity(5);
    if let Some((request, answer)) = &commit.record {
        let record = idempotency::record(table, request, 0, answer, commit.now)?;
        actions.push((Purpose::Record, record));
    }
    if !commit.fields.is_empty() {
        actions.push((Purpose::Account, update(table, commit)?));
    }
    let account = &commit.account.id;
    let (old, new) = (commit.before.email.unique_form(), commit.account.email.unique_form());
    if old != new {
        let lock = EmailRow::new(&commit.account.email, account);
        actions.push((Purpose::NewAddress, put(table, &lock, free(commit.now))?));
        let own = vec![(":account", text(account.as_str()))];
        let delete = Delete::builder()
            .table_name(&*table.name)
            .set_key(Some(Key::email(&old).attributes()))
            .condition_expression("account = :account")
            .set_expression_attribute_values(values(own))
            .build()
            .map_err(|_| Refused::Unavailable)?;
        actions.push((Purpose::OldAddress, TransactWriteItem::builder().delete(delete).build()));
    }
    if let Some(entry) = &commit.audit {
        let row = AuditRow::of_account(account, entry);
        actions.push((Purpose::Audit, put(table, &row, Condition::absent())?));
    }
    Ok(actions)
}

/// Writes the changed fields of an account that is still what was read.
fn update(table: &Table, commit: &AccountCommit<'_>) -> Result<TransactWriteItem, Refused> {
    let account = commit.account;
    let mut set: Vec<(&str, AttributeValue)> = vec![
        ("version", number(account.version)),
        ("updated_at", text(micros(account.updated_at))),
    ];
    let mut remove = Vec::new();
    for field in commit.fields {
        match *field {
            "email" => set.extend([
                ("email", text(account.email.as_typed())),
                ("email_ascii", text(account.email.as_ascii())),
            ]),
            "name" => set.push(("name", text(&account.name))),
            "settings.currency" => set.push(("currency", text(&account.currency))),
            "settings.timezone" => set.push(("timezone", text(&account.timezone))),
            "settings.language" => set.push(("language", text(&account.language))),
            "status" => set.push(("status", text(account.status.as_str()))),
            "password" => {
                set.push(("password_hash", text(account.password_hash.as_phc())));
                set.push(("session_epoch", number(account.session_epoch)));
                match &account.spared_session {
                    Some(spared) => set.push(("spared_session", text(spared.to_string()))),
                    None => remove.push("spared_session"),
                }
            }
            _ => {}
        }
    }
    // Each by a placeholder, since some are words of DynamoDB's own.
    let names = set.iter().map(|(name, _)| *name).chain(remove.iter().copied());
    let names = names.map(|name| (format!("#{name}"), name.to_owned())).collect::<HashMap<_, _>>();
    let sets: Vec<_> = set.iter().map(|(name, _)| format!("#{name} = :new_{name}")).collect();
    let mut expression = format!("SET {}", sets.join(", "));
    if !remove.is_empty() {
        let removes: Vec<_> = remove.iter().map(|name| format!("#{name}")).collect();
        expression += &format!(" REMOVE {}", removes.join(", "));
    }
    let all = set.into_iter().map(|(name, value)| (format!(":new_{name}"), value));
    let read = (":version".to_owned(), number(commit.before.version));
    let update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::account(&account.id).attributes()))
        .update_expression(expression)
        .condition_expression(unchanged(commit.before.version))
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(all.chain([read]).collect()))
        // What it is instead is read again.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
