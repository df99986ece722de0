//! The history of what Stripe was told: rows, and how they are read. What is told and how a version came
//! about lie apart, each by its version: the one is known when Stripe has answered, the other when the
//! change was published.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::{BillingError, RememberedItems, SeatCounts};
use headcount_model::credential::LookupFailed;
use headcount_model::grant::Grant;
use headcount_model::history::{
    BillingHistory, By, Change, Entry, FAILED, MAX_PAGE, Outcome, PARTLY, Page, SeatChange, TOLD,
    Told,
};
use headcount_model::id::{CredentialId, OrganizationId, micros};
use headcount_model::right::ReadBilling;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::credentials::{decode, failure};
use crate::key::{self, Key};
use crate::rows::{Malformed, proration};
use crate::table::Table;
use crate::transaction::{Item, text};

/// What Stripe was told of a version. The fields are those of [`Told`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldRow {
    #[serde(flatten)]
    pub(crate) key: Key,
    organization: String,
    version: u64,
    since: u64,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// How often, of what may come more than once.
    #[serde(default, skip_serializing)]
    times: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_basic: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_premium: Option<u64>,
    after_basic: u64,
    after_premium: u64,
    proration_behavior: String,
    stripe_subscription: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item_basic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item_premium: Option<String>,
    idempotency_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stripe_request: Option<String>,
    begun_at: String,
    answered_at: String,
}

impl ToldRow {
    pub(crate) fn new(organization: &OrganizationId, told: &Told) -> Self {
        let error = match &told.outcome {
            Outcome::Failed { error, .. } => Some(error),
            Outcome::Partly | Outcome::Told => None,
        };
        let outcome = told.outcome.as_str();
        Self {
            key: Key::told(organization, told.version, outcome),
            organization: organization.to_string(),
            version: told.version,
            since: told.since,
            outcome: outcome.to_owned(),
            error_code: error.map(|error| error.code.clone()),
            error_message: error.map(|error| error.message.clone()),
            times: None,
            before_basic: told.before.map(|before| before.basic),
            before_premium: told.before.map(|before| before.premium),
            after_basic: told.after.basic,
            after_premium: told.after.premium,
            proration_behavior: told.proration.as_str().to_owned(),
            stripe_subscription: told.subscription.clone(),
            item_basic: told.items.basic.clone(),
            item_premium: told.items.premium.clone(),
            idempotency_key: told.key.clone(),
            stripe_request: told.request_id.clone(),
            begun_at: micros(told.begun_at),
            answered_at: micros(told.answered_at),
        }
    }
}

impl TryFrom<ToldRow> for Told {
    type Error = Malformed;

    fn try_from(row: ToldRow) -> Result<Self, Malformed> {
        let error = row.error_code.zip(row.error_message);
        let error = error.map(|(code, message)| BillingError {
            code,
            message,
            request_id: row.stripe_request.clone(),
        });
        let before = row.before_basic.zip(row.before_premium);
        Ok(Self {
            version: row.version,
            since: row.since,
            outcome: match (row.outcome.as_str(), error) {
                (FAILED, Some(error)) => Outcome::Failed { error, times: row.times.unwrap_or(1) },
                (PARTLY, _) => Outcome::Partly,
                (TOLD, _) => Outcome::Told,
                _ => return Err(Malformed("outcome")),
            },
            before: before.map(|(basic, premium)| SeatCounts { basic, premium }),
            after: SeatCounts { basic: row.after_basic, premium: row.after_premium },
            proration: proration(Some(&row.proration_behavior))?,
            subscription: row.stripe_subscription,
            items: RememberedItems { basic: row.item_basic, premium: row.item_premium },
            key: row.idempotency_key,
            request_id: row.stripe_request,
            begun_at: row.begun_at.parse().map_err(|_| Malformed("begun_at"))?,
            answered_at: row.answered_at.parse().map_err(|_| Malformed("answered_at"))?,
        })
    }
}

/// How a version came about. The fields are those of [`Change`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeRow {
    #[serde(flatten)]
    key: Key,
    organization: String,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    at: String,
    more_basic: i64,
    more_premium: i64,
}

impl ChangeRow {
    pub(crate) fn new(organization: &OrganizationId, change: &Change) -> Self {
        let by = change.by.as_ref();
        Self {
            key: Key::author(organization, change.version),
            organization: organization.to_string(),
            version: change.version,
            credential: by.map(|by| by.credential.to_string()),
            request_id: by.map(|by| by.request_id.clone()),
            at: micros(change.at),
            more_basic: change.seats.basic,
            more_premium: change.seats.premium,
        }
    }
}

impl TryFrom<ChangeRow> for Change {
    type Error = Malformed;

    fn try_from(row: ChangeRow) -> Result<Self, Malformed> {
        let by = row.credential.zip(row.request_id);
        let by = by.map(|(credential, request_id)| {
            Ok::<_, Malformed>(By { credential: CredentialId::parse(&credential)?, request_id })
        });
        Ok(Self {
            version: row.version,
            by: by.transpose()?,
            at: row.at.parse().map_err(|_| Malformed("at"))?,
            seats: SeatChange { basic: row.more_basic, premium: row.more_premium },
        })
    }
}

impl BillingHistory for Table {
    async fn history(
        &self,
        granted: Grant<'_, ReadBilling>,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page, LookupFailed> {
        self.told(granted.tenant(), after, limit).await
    }
}

impl Table {
    /// A page of what Stripe was told of an organization, as [`BillingHistory::history`] gives it to callers: for
    /// operators, who need no grant.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub async fn told(
        &self,
        organization: &OrganizationId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page, LookupFailed> {
        // One more than is shown tells whether there is more.
        let bounds = (key::TOLD.to_owned(), format!("{}~", key::TOLD));
        let start = after.map(|sk| Key { sk: sk.to_owned(), ..Key::billing(organization) });
        let start = start.map(|key| key.attributes());
        let (rows, is_cut) =
            self.newest::<ToldRow>(organization, bounds, i32::from(limit) + 1, start).await?;
        let has_more = is_cut || rows.len() > usize::from(limit);
        let mut page = Page::default();
        for row in rows.into_iter().take(limit.into()) {
            page.next = has_more.then(|| row.key.sk.clone());
            let told = readable(Told::try_from(row))?;
            page.entries.push(Entry { told, changes: Vec::new() });
        }
        self.add_changes(organization, &mut page).await?;
        Ok(page)
    }
}

impl Table {
    /// Adds to each entry how its versions came about, and cuts the page before the first entry, but the
    /// very first, whose changes are too many to be read in one call.
    async fn add_changes(
        &self,
        organization: &OrganizationId,
        page: &mut Page,
    ) -> Result<(), LookupFailed> {
        let versions = page.entries.iter().map(|entry| &entry.told);
        let Some(newest) = versions.clone().map(|told| told.version).max() else { return Ok(()) };
        let oldest = versions.map(|told| told.since).min().unwrap_or(0).saturating_add(1);
        let bound = |version| Key::author(organization, version).sk;
        let bounds = (bound(oldest), bound(newest));
        let (rows, is_cut) =
            self.newest::<ChangeRow>(organization, bounds, i32::from(MAX_PAGE), None).await?;
        let changes: Vec<Change> = rows
            .into_iter()
            .map(|row| readable(Change::try_from(row)))
            .collect::<Result<_, _>>()?;
        // Of what lies before this one nothing is known.
        let known = changes.last().filter(|_| is_cut).map_or(0, |change| change.version);
        let is_known = |entry: &Entry| entry.told.since + 1 >= known;
        let whole = page.entries.iter().position(|entry| !is_known(entry));
        if let Some(whole) = whole {
            page.entries.truncate(whole.max(1));
            let last = page.entries.last().map(|entry| &entry.told);
            page.next =
                last.map(|told| Key::told(organization, told.version, told.outcome.as_str()).sk);
        }
        for Entry { told, changes: own } in &mut page.entries {
            let of_entry =
                |change: &&Change| told.since < change.version && change.version <= told.version;
            own.extend(changes.iter().filter(of_entry).cloned());
        }
        Ok(())
    }

    /// At most `limit` rows between two sort keys, the newest first; and whether there are more, as far as
    /// one call tells.
    async fn newest<T: DeserializeOwned>(
        &self,
        organization: &OrganizationId,
        (from, to): (String, String),
        limit: i32,
        start: Option<HashMap<String, AttributeValue>>,
    ) -> Result<(Vec<T>, bool), LookupFailed> {
        let query = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(Key::billing(organization).pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .set_exclusive_start_key(start)
            .limit(limit);
        let output = query.send().await.map_err(failure)?;
        let is_cut = output.last_evaluated_key.is_some();
        let items: Vec<Item> = output.items.unwrap_or_default();
        let rows = items.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok((rows, is_cut))
    }
}

fn readable<T>(read: Result<T, Malformed>) -> Result<T, LookupFailed> {
    read.map_err(|error| {
        tracing::error!(%error, "an entry of the history could not be read");
        LookupFailed::Unavailable
    })
}
