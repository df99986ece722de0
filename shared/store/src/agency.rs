//! Accounts of agencies and the locks on their slugs.

mod kept;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use headcount_model::agency::{AgencyAccounts, Commit, CommitRefusal};
use headcount_model::idempotency::StoredAnswer;

use crate::idempotency::{self, Found};
use crate::key::Key;
use crate::rows::{AgencyAccountRow, SlugRow};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, number, put, update};

/// What the actions of the transaction are for, in their order.
enum Purpose {
    Record,
    Account,
    Slug,
    Numbering,
    Parent,
}

impl AgencyAccounts for Table {
    async fn commit(&self, commit: Commit<'_>) -> Result<Option<StoredAnswer>, CommitRefusal> {
        let labelled = || actions(self, &commit);
        let actions = || Ok(labelled()?.into_iter().map(|(_, action)| action).collect());
        let failed = match self.transact(actions).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed,
            Err(Refused::Throttled) => return Err(CommitRefusal::Throttled),
            Err(Refused::Unavailable) => return Err(CommitRefusal::Unavailable),
        };
        let mut slug_taken = None;
        let labelled = labelled().map_err(|_| CommitRefusal::Unavailable)?;
        for ((purpose, _), item) in labelled.into_iter().zip(failed) {
            let Some(item) = item else { continue };
            match (purpose, &commit.record) {
                (Purpose::Record, Some((request, _))) => {
                    return match idempotency::found(request, item) {
                        Found::Same(answer, _) => Ok(Some(answer)),
                        Found::Other => Err(CommitRefusal::KeyReused),
                        Found::Unreadable => Err(CommitRefusal::Unavailable),
                    };
                }
                (Purpose::Parent, _) => return Err(CommitRefusal::UnusableParent),
                // The lock on a name with a number counts the numbers behind that whole name.
                (Purpose::Slug, _) if commit.slug.number().is_some() => {
                    slug_taken = slug_taken.max(Some(1));
                }
                (Purpose::Slug | Purpose::Numbering, _) => {
                    slug_taken = slug_taken.max(Some(last_number(item)));
                }
                // An account of this id exists: the random source repeats itself.
                (Purpose::Account | Purpose::Record, _) => {
                    return Err(CommitRefusal::Unavailable);
                }
            }
        }
        Err(slug_taken.map_or(CommitRefusal::Unavailable, |last_number| CommitRefusal::SlugTaken {
            last_number,
        }))
    }
}

fn actions(
    table: &Table,
    commit: &Commit<'_>,
) -> Result<Vec<(Purpose, TransactWriteItem)>, Refused> {
    let account = commit.account;
    let mut actions = Vec::with_capacity(5);
    if let Some((request, answer)) = &commit.record {
        let record = idempotency::record(table, request, 0, answer, commit.now)?;
        actions.push((Purpose::Record, record));
    }
    let row = AgencyAccountRow::new(account, commit.slug);
    actions.push((Purpose::Account, put(table, &row, Condition::absent())?));
    let lock = SlugRow {
        key: Key::slug(&commit.slug.to_string()),
        account: account.lcuid.to_string(),
        last_number: None,
    };
    actions.push((Purpose::Slug, put(table, &lock, Condition::absent())?));
    if let Some(given) = commit.slug.number() {
        let numbering = update(
            table,
            &Key::slug(commit.slug.base()),
            "SET last_number = :given",
            Condition {
                expression: "attribute_not_exists(last_number) OR last_number < :given".into(),
                values: vec![(":given", number(given))],
            },
            Vec::new(),
        )?;
        actions.push((Purpose::Numbering, numbering));
    }
    if let Some(parent) = &account.new.parent {
        // Within the caller's own agency by its key: a parent elsewhere is not there. The count is
        // what a deletion of the parent holds to (docs/adr/0026-accounts-of-agencies.md).
        let counted = update(
            table,
            &Key::agency_account(&account.agency, parent),
            "SET sub_accounts_made = if_not_exists(sub_accounts_made, :zero) + :one",
            Condition {
                expression: "is_parent_account = :true".into(),
                values: vec![(":true", AttributeValue::Bool(true))],
            },
            vec![(":zero", number(0)), (":one", number(1))],
        )?;
        actions.push((Purpose::Parent, counted));
    }
    Ok(actions)
}

/// The highest number given behind a taken name; 1 stands for the bare name.
fn last_number(lock: Option<Item>) -> u64 {
    lock.and_then(|item| serde_dynamo::aws_sdk_dynamodb_1::from_item::<SlugRow>(item).ok())
        .and_then(|row| row.last_number)
        .unwrap_or(1)
}
