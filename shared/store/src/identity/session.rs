//! The sessions of an account: their list, and their end.

use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::micros;
use headcount_model::identity::{
    EndSession, ListedSession, NotEnded, SessionEndings, SessionLists,
};
use headcount_model::page::Looked;
use headcount_model::right::OwnAccount;
use jiff::Timestamp;

use crate::credentials::{decode, failure};
use crate::key::Key;
use crate::rows::{AuditRow, ListedSessionRow, SessionRow};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, put, remove, text, update};

impl SessionLists for Table {
    async fn sessions(
        &self,
        granted: Grant<'_, OwnAccount>,
        after: Option<&str>,
        at_most: u16,
    ) -> Result<Looked<ListedSession>, LookupFailed> {
        let pk = Key::sessions_of(granted.tenant());
        let start = after.map(|sk| Key { pk: pk.clone(), sk: sk.to_owned() }.attributes());
        let query = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .scan_index_forward(false)
            .set_exclusive_start_key(start)
            .limit(at_most.into());
        let output = query.send().await.map_err(failure)?;
        let entries = output.items.unwrap_or_default().into_iter().map(listed);
        let more_behind = output.last_evaluated_key.map(decode::<Key>).transpose()?;
        Ok(Looked {
            entries: entries.collect::<Result<_, _>>()?,
            more_behind: more_behind.map(|key| key.sk),
        })
    }
}

/// A session, and where in the list it stands.
fn listed(item: Item) -> Result<(String, ListedSession), LookupFailed> {
    let row: ListedSessionRow = decode(item)?;
    let position = row.key.sk.clone();
    let session = ListedSession::try_from(row).map_err(|error| {
        tracing::error!(%error, "a session could not be read");
        LookupFailed::Unavailable
    })?;
    Ok((position, session))
}

impl SessionEndings for Table {
    async fn end(
        &self,
        granted: Grant<'_, OwnAccount>,
        end: EndSession<'_>,
    ) -> Result<Timestamp, NotEnded> {
        let account = granted.tenant();
        let actions = || {
            let condition = Condition {
                expression: "account = :account AND attribute_not_exists(ended_at)".into(),
                values: vec![(":account", text(account.as_str()))],
            };
            let key = Key::session(end.session);
            let ended = vec![(":now", text(micros(end.now)))];
            Ok(vec![
                update(self, &key, "SET ended_at = :now", condition, ended)?,
                remove(self, &Key::listed_session(account, end.session))?,
                put(self, &AuditRow::of_account(account, &end.audit), Condition::absent())?,
            ])
        };
        match self.transact(actions).await {
            Ok(()) => Ok(end.now),
            Err(Refused::Conditions(failed)) => match failed.into_iter().next().flatten() {
                Some(item) => ended_before(account.as_str(), item),
                // An entry of this id exists: the random source repeats itself.
                None => Err(NotEnded::Unavailable),
            },
            Err(Refused::Throttled) => Err(NotEnded::Throttled),
            Err(Refused::Unavailable) => Err(NotEnded::Unavailable),
        }
    }
}

/// When a session that cannot be ended now was ended; it may be somebody else's, or none.
fn ended_before(account: &str, item: Option<Item>) -> Result<Timestamp, NotEnded> {
    let Some(item) = item else { return Err(NotEnded::Missing) };
    let row: SessionRow = decode(item).map_err(|_| NotEnded::Unavailable)?;
    if row.account != account {
        return Err(NotEnded::Missing);
    }
    row.ended_at.and_then(|ended_at| ended_at.parse().ok()).ok_or(NotEnded::Unavailable)
}
