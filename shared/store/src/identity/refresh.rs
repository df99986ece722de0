//! New tokens for sessions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use headcount_model::credential::{LookupFailed, Presented};
use headcount_model::idempotency::hex;
use headcount_model::identity::{
    AccountStatus, Refresh, RefreshCommitted, Refreshable, Refreshes, Session, SessionId,
};

use crate::credentials::{decode, readable_session};
use crate::key::Key;
use crate::rows::{ListedSessionRow, RotatedRow, SessionRow};
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, number, put, replace, text, update, values};

impl Refreshes for Table {
    async fn refreshable(
        &self,
        presented: &Presented,
    ) -> Result<Option<Refreshable>, LookupFailed> {
        let id = SessionId::of(presented.id().clone());
        let (session, rotated) = (Key::session(&id), Key::rotated(&id, presented.secret_hash()));
        let mut items = self.get_both(&session, &rotated).await?;
        let Some(item) = items.remove(&session) else { return Ok(None) };
        let session = readable_session(item)?;
        Ok(Some(Refreshable { session, was_rotated: items.contains_key(&rotated) }))
    }

    async fn refresh(&self, refresh: Refresh<'_>) -> Result<RefreshCommitted, LookupFailed> {
        match self.transact(|| actions(self, &refresh)).await {
            Ok(()) => Ok(RefreshCommitted::Refreshed),
            Err(Refused::Conditions(failed)) => match failed.into_iter().next().flatten() {
                Some(session) => instead(session),
                // The rotated token can be there only where the session is another one: it is the account.
                None => Ok(RefreshCommitted::Over),
            },
            Err(Refused::Throttled) => Err(LookupFailed::Throttled),
            Err(Refused::Unavailable) => Err(LookupFailed::Unavailable),
        }
    }
}

/// What became of a session that is no more as it was read.
fn instead(item: Option<Item>) -> Result<RefreshCommitted, LookupFailed> {
    let Some(item) = item else { return Ok(RefreshCommitted::Over) };
    let row: SessionRow = decode(item)?;
    Ok(if row.ended_at.is_some() { RefreshCommitted::Over } else { RefreshCommitted::Rotated })
}

/// The session first. Of two refreshes at once one finds that its token is that of the session no more.
fn actions(table: &Table, refresh: &Refresh<'_>) -> Result<Vec<TransactWriteItem>, Refused> {
    let Refresh { before, after, now } = refresh;
    let still = Condition {
        expression: "refresh_hash = :presented AND attribute_not_exists(ended_at)".into(),
        values: vec![(":presented", text(hex(&before.refresh_hash)))],
    };
    let row = SessionRow::from(*after);
    let new = vec![
        (":access", text(row.access_hash)),
        (":access_until", text(row.access_until)),
        (":refresh", text(row.refresh_hash)),
        (":refresh_until", text(row.refresh_until)),
        (":expires_at", number(row.expires_at)),
    ];
    let set = "SET access_hash = :access, access_until = :access_until, refresh_hash = :refresh, \
               refresh_until = :refresh_until, expires_at = :expires_at";
    let mut actions = vec![update(table, &Key::session(&before.id), set, still, new)?];
    actions.push(admitted(table, before)?);
    // A session that is older than the list comes into it here.
    actions.push(replace(table, &ListedSessionRow::new(after, Some(*now)))?);
    if before.refresh_hash != after.refresh_hash {
        actions.push(put(table, &RotatedRow::new(before, *now), Condition::absent())?);
    }
    Ok(actions)
}

/// That the account admits the session, as [`KeptAccount::admit`](headcount_model::identity::KeptAccount::admit)
/// has it.
fn admitted(table: &Table, session: &Session) -> Result<TransactWriteItem, Refused> {
    // An account whose sessions were never ended has no count of it.
    let epoch = if session.epoch == 0 {
        "attribute_not_exists(session_epoch) OR session_epoch = :epoch"
    } else {
        "session_epoch = :epoch"
    };
    let check = ConditionCheck::builder()
        .table_name(&*table.name)
        .set_key(Some(Key::account(&session.account).attributes()))
        .condition_expression(format!(
            "#status = :active AND ({epoch} OR spared_session = :session)"
        ))
        // `status` is a word of DynamoDB's own.
        .set_expression_attribute_names(Some(HashMap::from([(
            "#status".to_owned(),
            "status".to_owned(),
        )])))
        .set_expression_attribute_values(values(vec![
            (":active", text(AccountStatus::Active.as_str())),
            (":epoch", number(session.epoch)),
            (":session", text(session.id.to_string())),
        ]))
        .build()
        .map_err(|_| Refused::Unavailable)?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}
