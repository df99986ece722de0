//! Lists of identity accounts. They lie in the index `accounts`, which has what is shown of them, in the order
//! of their creation (docs/adr/0037-lists-of-accounts.md).

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::{AccountId, micros};
use headcount_model::identity::{AccountFilter, AccountLists, Email, KeptAccount, ListedAccount};
use headcount_model::page::Looked;
use headcount_model::right::ReadAccounts;
use serde::Deserialize;

use crate::credentials::{decode, failure};
use crate::key::{ACCOUNT, Key};
use crate::provision::ProvisionError;
use crate::rows::{EmailRow, Malformed, listed_as};
use crate::table::Table;
use crate::transaction::{Item, text};

/// The index. Its partition is that of the sort key `ACCOUNT`, of which all identity accounts are.
const INDEX: &str = "accounts";
/// Its sort key.
const LISTED_AS: &str = "listed_as";

/// What the index has of an account. The fields are those of [`ListedAccount`].
#[derive(Deserialize)]
struct ListedAccountRow {
    listed_as: String,
    id: String,
    email: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    currency: String,
    timezone: String,
    language: String,
    created_at: String,
    updated_at: String,
}

impl TryFrom<ListedAccountRow> for ListedAccount {
    type Error = Malformed;

    fn try_from(row: ListedAccountRow) -> Result<Self, Malformed> {
        Ok(Self {
            id: AccountId::parse(&row.id)?,
            email: Email::parse(&row.email).map_err(|_| Malformed("email"))?,
            name: row.name,
            kind: row.kind.parse().map_err(|_| Malformed("type"))?,
            status: row.status.parse().map_err(|_| Malformed("status"))?,
            currency: row.currency,
            timezone: row.timezone,
            language: row.language,
            created_at: row.created_at.parse().map_err(|_| Malformed("created_at"))?,
            updated_at: row.updated_at.parse().map_err(|_| Malformed("updated_at"))?,
        })
    }
}

/// An account, and where in the list it stands.
fn listed(item: Item) -> Result<(String, ListedAccount), LookupFailed> {
    let row: ListedAccountRow = decode(item)?;
    let position = row.listed_as.clone();
    let account = ListedAccount::try_from(row).map_err(|error| {
        tracing::error!(%error, "an account could not be read");
        LookupFailed::Unavailable
    })?;
    Ok((position, account))
}

/// The key in the index of what stands at a position.
fn at(position: &str) -> Option<Item> {
    let (_, id) = position.split_once('#')?;
    let mut key = Key::account(&AccountId::parse(id).ok()?).attributes();
    key.insert(LISTED_AS.to_owned(), text(position));
    Some(key)
}

/// The condition on the sort key, with its values. What stands at a time begins with it, and so lies behind it.
fn times(filter: &AccountFilter) -> (&'static str, Vec<(&'static str, String)>) {
    let from = filter.created_after.map(|time| (":from", micros(time)));
    let to = filter.created_before.map(|time| (":to", micros(time)));
    let condition = match (&from, &to) {
        (None, None) => "",
        (Some(_), None) => " AND listed_as >= :from",
        (None, Some(_)) => " AND listed_as < :to",
        (Some(_), Some(_)) => " AND listed_as BETWEEN :from AND :to",
    };
    (condition, from.into_iter().chain(to).collect())
}

impl AccountLists for Table {
    async fn accounts(
        &self,
        _: Grant<'_, ReadAccounts>,
        filter: &AccountFilter,
        after: Option<&str>,
        at_most: u16,
    ) -> Result<Looked<ListedAccount>, LookupFailed> {
        let start = after.map(|position| at(position).ok_or(LookupFailed::Unavailable));
        let (condition, values) = times(filter);
        let mut query = self
            .client
            .query()
            .table_name(&*self.name)
            .index_name(INDEX)
            .key_condition_expression(format!("sk = :account{condition}"))
            .expression_attribute_values(":account", text(ACCOUNT))
            .set_exclusive_start_key(start.transpose()?)
            .limit(at_most.into());
        for (name, value) in values {
            query = query.expression_attribute_values(name, text(value));
        }
        if let Some(status) = filter.status {
            // `status` is a word of DynamoDB's own.
            query = query
                .filter_expression("#status = :status")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(status.as_str()));
        }
        let output = query.send().await.map_err(failure)?;
        let entries = output.items.unwrap_or_default().into_iter().map(listed);
        let last = output.last_evaluated_key;
        let position = |key: Item| key.get(LISTED_AS)?.as_s().ok().cloned();
        let more_behind = last.map(|key| position(key).ok_or(LookupFailed::Unavailable));
        Ok(Looked {
            entries: entries.collect::<Result<_, _>>()?,
            more_behind: more_behind.transpose()?,
        })
    }

    async fn account_at(
        &self,
        _: Grant<'_, ReadAccounts>,
        email: &Email,
    ) -> Result<Option<KeptAccount>, LookupFailed> {
        let lock = self.get(&Key::email(&email.unique_form())).await.map_err(failure)?;
        let Some(lock) = lock.map(decode::<EmailRow>).transpose()? else { return Ok(None) };
        let id = AccountId::parse(&lock.account).map_err(|_| LookupFailed::Unavailable)?;
        self.kept_account(&id).await
    }
}

impl Table {
    /// Puts accounts that are older than the list into it; how many there were. To repeat it is harmless. It
    /// reads the whole table, which no function does.
    ///
    /// # Errors
    /// [`ProvisionError::Unavailable`]; those before are in the list.
    pub async fn list_older_accounts(&self) -> Result<u64, ProvisionError> {
        let mut pages = self
            .client
            .scan()
            .table_name(&*self.name)
            .consistent_read(true)
            // What is left of an account that was closed has no address.
            .filter_expression(
                "sk = :account AND attribute_exists(email) AND attribute_not_exists(listed_as)",
            )
            .expression_attribute_values(":account", text(ACCOUNT))
            .projection_expression("pk, id, created_at")
            .into_paginator()
            .send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| unavailable(failure(error)))?;
            for item in page.items.unwrap_or_default() {
                count += u64::from(self.list_account(&item).await?);
            }
        }
        Ok(count)
    }

    /// Puts an account into the list that is open still, and not in it yet; whether it was so.
    async fn list_account(&self, item: &Item) -> Result<bool, ProvisionError> {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        let (Some(pk), Some(id), Some(created_at)) = (part("pk"), part("id"), part("created_at"))
        else {
            tracing::error!("an account could not be read");
            return Err(ProvisionError::Unavailable);
        };
        let update = self
            .client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(Key { pk: pk.clone(), sk: ACCOUNT.to_owned() }.attributes()))
            .update_expression("SET listed_as = :listed_as")
            .condition_expression("attribute_exists(email) AND attribute_not_exists(listed_as)")
            .expression_attribute_values(
                ":listed_as",
                AttributeValue::S(listed_as(created_at, id)),
            );
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(failure(error))),
        }
    }
}

fn unavailable(_: LookupFailed) -> ProvisionError {
    ProvisionError::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let id = "acct_01kgjb9z8rd3m00wner0000000";
        let position = listed_as("2026-02-03T18:12:47.000000Z", id);
        let key = at(&position).expect("a position");
        assert_eq!(key["pk"], text(format!("ACCOUNT#{id}")));
        assert_eq!((&key["sk"], &key[LISTED_AS]), (&text(ACCOUNT), &text(position)));
        assert_eq!(at("2026-02-03T18:12:47.000000Z"), None);
        assert_eq!(at("x#y"), None);
    }
}
