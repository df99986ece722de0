//! The end of sessions.

use headcount_model::grant::Grant;
use headcount_model::id::micros;
use headcount_model::identity::{EndSession, NotEnded, SessionEndings};
use headcount_model::right::OwnAccount;
use jiff::Timestamp;

use crate::credentials::decode;
use crate::key::Key;
use crate::rows::{AuditRow, SessionRow};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, put, text, update};

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
