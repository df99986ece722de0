//! Log-ins: the count of attempts, and the session that one opens.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem, Update};
use headcount_model::credential::LookupFailed;
use headcount_model::id::{AccountId, micros};
use headcount_model::identity::{
    AccountStatus, Attempts, Email, KeptAccount, LogIns, Opening, Tried,
};
use jiff::Timestamp;

use crate::credentials::{decode, failure};
use crate::idempotency::is_valid;
use crate::key::Key;
use crate::rows::{EmailRow, ListedSessionRow, LogInsRow, SessionRow};
use crate::table::Table;
use crate::transaction::{Condition, Refused, number, put, remove, replace, text, values};

/// An account that nobody has: its time is that of the epoch, and its random part zero.
const NOBODY: &str = "acct_00000000000000000000000000";

impl LogIns for Table {
    async fn tried(
        &self,
        address: &Email,
        counted_as: &str,
        now: Timestamp,
    ) -> Result<Tried, LookupFailed> {
        let (lock, count) = (Key::email(&address.unique_form()), Key::log_ins(counted_as));
        let mut items = self.get_both(&lock, &count).await?;
        let lock = items.remove(&lock).map(decode::<EmailRow>).transpose()?;
        let account = lock.map(|lock| AccountId::parse(&lock.account)).transpose();
        let count = items.remove(&count).filter(|item| is_valid(item, now));
        let attempts = count.map(decode::<LogInsRow>).transpose()?.map(attempts).transpose()?;
        Ok(Tried {
            account: account.map_err(|_| LookupFailed::Unavailable)?,
            attempts: attempts.unwrap_or_default(),
        })
    }

    async fn count(
        &self,
        counted_as: &str,
        so_far: Attempts,
        next: Attempts,
        now: Timestamp,
    ) -> Result<bool, LookupFailed> {
        let condition = if so_far.count == 0 {
            Condition {
                expression: "attribute_not_exists(pk) OR expires_at <= :now".into(),
                values: vec![(":now", number(now.as_second()))],
            }
        } else {
            let until = so_far.wait_until.map_or_else(String::new, micros);
            let unchanged = if so_far.wait_until.is_some() {
                "attempts = :attempts AND wait_until = :until"
            } else {
                "attempts = :attempts AND attribute_not_exists(wait_until)"
            };
            let mut values = vec![(":attempts", number(so_far.count))];
            values.extend((!until.is_empty()).then(|| (":until", text(until))));
            Condition { expression: unchanged.into(), values }
        };
        let row = LogInsRow::new(counted_as, next, now);
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(&row).map_err(|error| {
            tracing::error!(%error, "a row could not be encoded");
            LookupFailed::Unavailable
        })?;
        let put = self
            .client
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item))
            .set_expression_attribute_values(values(condition.values))
            .condition_expression(condition.expression);
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure(error)),
        }
    }

    async fn at_address(
        &self,
        account: Option<&AccountId>,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        let Some(account) = account else {
            let nobody = AccountId::parse(NOBODY).map_err(|_| LookupFailed::Unavailable)?;
            self.kept_account(&nobody).await?;
            return Ok(None);
        };
        self.kept_account(account).await
    }

    async fn open(&self, opening: Opening<'_>) -> Result<bool, LookupFailed> {
        match self.transact(|| actions(self, &opening)).await {
            Ok(()) => Ok(true),
            Err(Refused::Conditions(failed)) => {
                let [session, account, ..] = failed.as_slice() else {
                    return Err(LookupFailed::Unavailable);
                };
                // A session of this id exists: the random source repeats itself.
                if session.is_some() {
                    Err(LookupFailed::Unavailable)
                } else {
                    Ok(account.is_none())
                }
            }
            Err(Refused::Throttled) => Err(LookupFailed::Throttled),
            Err(Refused::Unavailable) => Err(LookupFailed::Unavailable),
        }
    }
}

fn attempts(row: LogInsRow) -> Result<Attempts, LookupFailed> {
    let wait_until = row.wait_until.map(|until| until.parse()).transpose();
    Ok(Attempts {
        count: row.attempts,
        wait_until: wait_until.map_err(|_| {
            tracing::error!("a count of log-ins could not be read");
            LookupFailed::Unavailable
        })?,
    })
}

/// The session, the account that is still what was read, the session in the account's list, and the end of
/// the count.
fn actions(table: &Table, opening: &Opening<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    Ok(vec![
        put(table, &SessionRow::from(opening.session), Condition::absent())?,
        unchanged(table, opening)?,
        replace(table, &ListedSessionRow::new(opening.session, None))?,
        remove(table, &Key::log_ins(opening.counted_as))?,
    ])
}

/// Holds the account to the password that was compared, and puts a better hash in its place where
/// there is one. No caller sees that, so that it is no new version.
fn unchanged(table: &Table, opening: &Opening<'_>) -> Result<TransactWriteItem, Refused> {
    const UNCHANGED: &str = "password_hash = :hash AND #status = :active";
    let account = opening.account;
    let key = Key::account(&account.id).attributes();
    // `status` is a word of DynamoDB's own.
    let names = HashMap::from([("#status".to_owned(), "status".to_owned())]);
    let mut all = vec![
        (":hash", text(account.password_hash.as_phc())),
        (":active", text(AccountStatus::Active.as_str())),
    ];
    let action = TransactWriteItem::builder();
    let Some(rehashed) = opening.rehashed else {
        let check = ConditionCheck::builder()
            .table_name(&*table.name)
            .set_key(Some(key))
            .condition_expression(UNCHANGED)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(values(all))
            .build()
            .map_err(|_| Refused::Unavailable)?;
        return Ok(action.condition_check(check).build());
    };
    all.push((":new", text(rehashed.as_phc())));
    let update = Update::builder()
        .table_name(&*table.name)
        .set_key(Some(key))
        .update_expression("SET password_hash = :new")
        .condition_expression(UNCHANGED)
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(values(all))
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(action.update(update).build())
}
