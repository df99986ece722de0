//! The list of an account's sessions, and their end.

use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::id::micros;
use headcount_model::identity::{
    EndSession, NotEnded, SessionEndings, SessionId, SessionLists, SessionPage,
};
use headcount_model::right::OwnAccount;
use jiff::Timestamp;

use crate::credentials::{decode, failure, readable_session};
use crate::key::Key;
use crate::rows::{AuditRow, OpenedRow, SessionRow};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, delete, put, text, update};

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
                put(self, &AuditRow::of_account(account, &end.audit), Condition::absent())?,
                delete(self, &Key::opened(account, end.session), Condition::none())?,
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

impl SessionLists for Table {
    async fn opened(
        &self,
        granted: Grant<'_, OwnAccount>,
        after: Option<&SessionId>,
        limit: u16,
    ) -> Result<SessionPage, LookupFailed> {
        let account = granted.tenant();
        let start = after.map(|id| Key::opened(account, id).attributes());
        let query = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(Key::opened_by(account)))
            .set_exclusive_start_key(start)
            // One more than is shown tells whether there is more.
            .limit(i32::from(limit) + 1);
        let found = query.send().await.map_err(failure)?.items.unwrap_or_default();
        let id = |item| {
            let row: OpenedRow = decode(item)?;
            SessionId::parse(&row.id).map_err(|_| LookupFailed::Unavailable)
        };
        let mut ids: Vec<_> = found.into_iter().map(id).collect::<Result<_, _>>()?;
        let has_more = ids.len() > usize::from(limit);
        ids.truncate(limit.into());
        if ids.is_empty() {
            return Ok(SessionPage::default());
        }
        let keys = ids.iter().map(|id| Key::session(id).attributes()).collect();
        let items = self.items_at(keys).await?;
        let sessions = items.into_iter().map(readable_session);
        let mut sessions: Vec<_> = sessions.collect::<Result<_, _>>()?;
        // The list of another account leads to none of its own.
        sessions.retain(|session| session.account == *account);
        sessions.sort_by(|one, other| other.id.token().as_str().cmp(one.id.token().as_str()));
        Ok(SessionPage { sessions, next: ids.pop().filter(|_| has_more) })
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
