//! Identity accounts and the locks on their e-mail addresses.

mod change;
mod close;
mod kept;
mod list;
mod log_in;
mod refresh;
mod session;

use headcount_model::idempotency::StoredAnswer;
use headcount_model::identity::{Accounts, Commit, CommitRefusal};

use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::idempotency::{self, Found};
use crate::rows::{AccountRow, EmailRow};
use crate::table::Table;
use crate::transaction::{Condition, Refused, free, put};

impl Accounts for Table {
    async fn commit(&self, commit: Commit<'_>) -> Result<Option<StoredAnswer>, CommitRefusal> {
        let mut failed = match self.transact(|| actions(self, &commit)).await {
            Ok(()) => return Ok(None),
            Err(Refused::Conditions(failed)) => failed.into_iter(),
            Err(Refused::Throttled) => return Err(CommitRefusal::Throttled),
            Err(Refused::Unavailable) => return Err(CommitRefusal::Unavailable),
        };
        if let Some((request, _)) = commit.record
            && let Some(item) = failed.next().flatten()
        {
            return match idempotency::found(request, item) {
                Found::Same(answer, _) => Ok(Some(answer)),
                Found::Other => Err(CommitRefusal::KeyReused),
                Found::Unreadable => Err(CommitRefusal::Unavailable),
            };
        }
        Err(match failed.next().flatten() {
            Some(_) => CommitRefusal::EmailExists,
            // An account of this id exists: the random source repeats itself.
            None => CommitRefusal::Unavailable,
        })
    }
}

fn actions(table: &Table, commit: &Commit<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    let account = commit.account;
    let mut actions = Vec::with_capacity(3);
    if let Some((request, answer)) = commit.record {
        actions.push(idempotency::record(table, request, 0, answer, commit.now)?);
    }
    let lock = EmailRow::new(&account.email, &account.id);
    actions.push(put(table, &lock, free(commit.now))?);
    let row =
        AccountRow { created_by: Some(commit.created_by.to_owned()), ..AccountRow::from(account) };
    actions.push(put(table, &row, Condition::absent())?);
    Ok(actions)
}
