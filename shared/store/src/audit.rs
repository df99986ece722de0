//! The audit as it is read: the entries of changes, and of what was created its own word about that
//! (docs/adr/0034-audit-of-creates.md).

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::audit::{CREATE_ACCOUNT, CREATE_AGENCY_ACCOUNT, CREATE_SEATS, Creator};
use headcount_model::credential::LookupFailed;
use headcount_model::id::{AccountId, AgencyLcuid, AuditId, OrganizationId, SeatId, ulid_of};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::credentials::{decode, failure};
use crate::key::{AGENCY_ACCOUNT, AUDIT, Key, SEAT};
use crate::rows::AuditRow;
use crate::table::Table;
use crate::transaction::text;

/// What was done once, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// When.
    pub at: Timestamp,
    /// By which route, or by which function; `None` for what no caller created.
    pub route: Option<String>,
    /// By whom: the public half of the credential; `None` where there was none.
    pub credential: Option<String>,
    /// In which request; `None` where that was not on record.
    pub request_id: Option<String>,
    /// What was created or changed.
    pub objects: Vec<String>,
    /// Which fields of it; none for a creation or a deletion.
    pub fields: Vec<String>,
}

/// What is read of something about its creation.
#[derive(Deserialize)]
struct CreatedRow {
    #[serde(alias = "lcuid")]
    id: String,
    created_at: Option<String>,
    created_by: Option<String>,
}

impl CreatedRow {
    fn audited(self, route: &str) -> Result<Option<Audited>, LookupFailed> {
        creation(self.id, self.created_at, self.created_by, route)
    }
}

fn creation(
    id: String,
    at: Option<String>,
    by: Option<String>,
    route: &str,
) -> Result<Option<Audited>, LookupFailed> {
    let Some(at) = at else { return Ok(None) };
    let creator = by.map(|by| Creator::parse(&by)).transpose().map_err(|_| unreadable(&id))?;
    Ok(Some(Audited {
        at: time(&at, &id)?,
        route: creator.as_ref().map(|_| route.to_owned()),
        credential: creator
            .as_ref()
            .and_then(|creator| creator.credential.as_ref())
            .map(ToString::to_string),
        request_id: creator.map(|creator| creator.request_id),
        objects: vec![id],
        fields: Vec::new(),
    }))
}

/// An entry, and what it says about the creation of what it removed.
fn entry(row: AuditRow) -> Result<Vec<Audited>, LookupFailed> {
    let removed = row.objects.first().cloned().unwrap_or_default();
    // Accounts of agencies are all that goes without a trace of its own.
    let created = creation(removed, row.created_at, row.created_by, CREATE_AGENCY_ACCOUNT)?;
    let own = Audited {
        at: time(&row.at, &row.id)?,
        route: Some(row.route),
        credential: row.credential,
        request_id: Some(row.request_id),
        objects: row.objects,
        fields: row.fields,
    };
    Ok(std::iter::once(own).chain(created).collect())
}

fn time(text: &str, of: &str) -> Result<Timestamp, LookupFailed> {
    text.parse().map_err(|_| unreadable(of))
}

fn unreadable(what: &str) -> LookupFailed {
    tracing::error!(what, "an entry of the audit could not be read");
    LookupFailed::Unavailable
}

impl Table {
    /// What was done in an organization since then, the newest first: at most `at_most`, and whether there
    /// is more. It costs what it shows.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub async fn audit_of_organization(
        &self,
        id: &OrganizationId,
        since: Timestamp,
        at_most: usize,
    ) -> Result<(Vec<Audited>, bool), LookupFailed> {
        let pk = Key::organization(id).pk;
        let mut all = self.entries(&pk, since, at_most).await?;
        let from = begun(SEAT, SeatId::PREFIX, since);
        for row in self.newest_of::<CreatedRow>(&pk, SEAT, from, at_most + 1).await? {
            all.extend(row.audited(CREATE_SEATS)?);
        }
        Ok(newest_first(all, since, at_most))
    }

    /// The same of an agency. Its accounts do not lie in the order of time: all are read.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub async fn audit_of_agency(
        &self,
        lcuid: &AgencyLcuid,
        since: Timestamp,
        at_most: usize,
    ) -> Result<(Vec<Audited>, bool), LookupFailed> {
        let pk = Key::agency(lcuid).pk;
        let mut all = self.entries(&pk, since, at_most).await?;
        let from = AGENCY_ACCOUNT.to_owned();
        for row in self.newest_of::<CreatedRow>(&pk, AGENCY_ACCOUNT, from, usize::MAX).await? {
            all.extend(row.audited(CREATE_AGENCY_ACCOUNT)?);
        }
        Ok(newest_first(all, since, at_most))
    }

    /// The same of an identity account, also of one that is closed.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub async fn audit_of_account(
        &self,
        id: &AccountId,
        since: Timestamp,
        at_most: usize,
    ) -> Result<(Vec<Audited>, bool), LookupFailed> {
        let key = Key::account(id);
        let mut all = self.entries(&key.pk, since, at_most).await?;
        if let Some(item) = self.get(&key).await.map_err(failure)? {
            all.extend(decode::<CreatedRow>(item)?.audited(CREATE_ACCOUNT)?);
        }
        Ok(newest_first(all, since, at_most))
    }

    /// The newest entries of changes, one more than asked for.
    async fn entries(
        &self,
        pk: &str,
        since: Timestamp,
        at_most: usize,
    ) -> Result<Vec<Audited>, LookupFailed> {
        let from = begun(AUDIT, AuditId::PREFIX, since);
        let rows = self.newest_of::<AuditRow>(pk, AUDIT, from, at_most + 1).await?;
        let entries = rows.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        Ok(entries.into_iter().flatten().collect())
    }

    /// At most so many rows of a kind from a sort key on, the last first.
    async fn newest_of<T: DeserializeOwned>(
        &self,
        pk: &str,
        kind: &str,
        from: String,
        at_most: usize,
    ) -> Result<Vec<T>, LookupFailed> {
        let mut rows = Vec::new();
        let mut start = None;
        loop {
            let left = i32::try_from(at_most - rows.len()).ok();
            let query = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                // No id has this character, which is behind all that ids have.
                .expression_attribute_values(":to", text(format!("{kind}~")))
                .set_exclusive_start_key(start)
                .set_limit(left);
            let found = query.send().await.map_err(failure)?;
            for item in found.items.unwrap_or_default() {
                rows.push(decode(item)?);
            }
            start = found.last_evaluated_key;
            if start.is_none() || rows.len() >= at_most {
                return Ok(rows);
            }
        }
    }
}

/// The first sort key that something of then can have. An id is drawn a little before or after the time that
/// its item tells.
fn begun(kind: &str, prefix: &str, since: Timestamp) -> String {
    let since = since.saturating_sub(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MIN);
    format!("{kind}{prefix}{}", ulid_of(since))
}

fn newest_first(mut all: Vec<Audited>, since: Timestamp, at_most: usize) -> (Vec<Audited>, bool) {
    all.retain(|audited| audited.at >= since);
    all.sort_by(|a, b| (b.at, &b.objects).cmp(&(a.at, &a.objects)));
    let is_cut = all.len() > at_most;
    all.truncate(at_most);
    (all, is_cut)
}
