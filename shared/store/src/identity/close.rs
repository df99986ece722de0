//! The end of identity accounts.

use aws_sdk_dynamodb::types::TransactWriteItem;
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{AccountId, micros};
use headcount_model::identity::{AccountClosings, CloseCommit, Found, NotCommitted};
use headcount_model::right::{DeleteAccounts, OwnAccount};

use crate::key::Key;
use crate::rows::{AuditRow, ClosedAccountRow};
use crate::table::Table;
use crate::transaction::{Condition, Refused, number, put, text, unchanged, update};

impl AccountClosings<OwnAccount> for Table {
    async fn found(
        &self,
        granted: Grant<'_, OwnAccount>,
        _: &AccountId,
    ) -> Result<Option<Found>, LookupFailed> {
        self.found_account(granted.tenant()).await
    }

    async fn close(
        &self,
        granted: Grant<'_, OwnAccount>,
        commit: CloseCommit<'_>,
    ) -> Result<(), NotCommitted> {
        if *granted.tenant() != commit.account.id {
            return Err(NotCommitted::Unavailable);
        }
        self.commit_close(&commit).await
    }
}

impl AccountClosings<DeleteAccounts> for Table {
    async fn found(
        &self,
        _: Grant<'_, DeleteAccounts>,
        id: &AccountId,
    ) -> Result<Option<Found>, LookupFailed> {
        self.found_account(id).await
    }

    async fn close(
        &self,
        _: Grant<'_, DeleteAccounts>,
        commit: CloseCommit<'_>,
    ) -> Result<(), NotCommitted> {
        self.commit_close(&commit).await
    }
}

impl Table {
    async fn commit_close(&self, commit: &CloseCommit<'_>) -> Result<(), NotCommitted> {
        match self.transact(|| actions(self, commit)).await {
            Ok(()) => Ok(()),
            // The lock of an address that the account has is its own: where that is otherwise, the account
            // is, too.
            Err(Refused::Conditions(_)) => Err(NotCommitted::Changed),
            Err(Refused::Throttled) => Err(NotCommitted::Throttled),
            Err(Refused::Unavailable) => Err(NotCommitted::Unavailable),
        }
    }
}

fn actions(table: &Table, commit: &CloseCommit<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    let account = commit.account;
    let still = Condition {
        expression: unchanged(account.version).into(),
        values: vec![(":version", number(account.version))],
    };
    let lock = Key::email(&account.email.unique_form());
    let own = Condition {
        expression: "account = :account".into(),
        values: vec![(":account", text(account.id.as_str()))],
    };
    let free_at = vec![(":free", number(commit.free_at.as_second()))];
    // Of its creation, what is not personal stays.
    let closed = ClosedAccountRow {
        created_at: Some(micros(account.created_at)),
        created_by: account.created_by.clone(),
        ..ClosedAccountRow::new(commit.closed, account.version + 1)
    };
    Ok(vec![
        put(table, &closed, still)?,
        update(table, &lock, "SET expires_at = :free", own, free_at)?,
        put(table, &AuditRow::of_account(&account.id, &commit.audit), Condition::absent())?,
    ])
}
