//! What follows from a change of the table.

use aws_lambda_events::event::dynamodb::EventRecord;
use headcount_model::billing::{BillingChange, SeatCounts};
use headcount_model::history::{Change, SeatChange};
use headcount_model::id::OrganizationId;
use headcount_store::key;
use headcount_store::rows::{
    AccountRow, AgencyAccountRow, ApiKeyRow, BillingRow, ClosedAccountRow, SeatRow,
};
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Value, json};

use crate::limits::{Crossed, crossed};

/// The version of every event's shape. A field may be added under the same version.
const EVENT_VERSION: u32 = 1;

/// Something to deliver.
#[derive(Debug, Clone, PartialEq)]
pub enum Parcel {
    /// To the billing queue.
    Billing(BillingChange),
    /// To the event bus.
    Event(Event),
    /// To the queue for what cannot be published.
    SetAside(SetAside),
}

/// An event on the bus. It holds no secret and nothing that identifies a person beyond what its
/// consumers need.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `SeatCreated`, `SeatSetupRequested`, `SeatUpdated`, `SeatDeactivated`, `AgencyAccountCreated`,
    /// `AgencyAccountUpdated`, `AgencyAccountDeleted`, `AccountCreated`, `AccountUpdated`, `AccountDeleted`,
    /// `ApiKeyCreated`, `ApiKeyUpdated`, `ApiKeyDeleted`, `SubscriptionStatusChanged`, `SubscriptionEndChanged`, `SeatLimitReached` or `SpendingLimitReached`.
    pub detail_type: &'static str,
    /// `{"version":1,"id":…,"data":{…}}`; the id is the same when the event comes twice.
    pub detail: Value,
}

/// A stream record that cannot be read. Only its keys are kept: the item may hold a password
/// hash.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAside {
    /// Why it cannot be read.
    pub reason: &'static str,
    /// The record's id.
    pub event_id: String,
    /// The item's key, where the record has one.
    pub keys: Value,
}

/// Adds a parcel that comes from the record at `origin`. Of several billing changes of one
/// organization the newest says all, but its failure is the failure of the earliest.
pub(crate) fn add(
    parcels: &mut Vec<Parcel>,
    origins: &mut Vec<usize>,
    parcel: Parcel,
    origin: usize,
) {
    if let Parcel::Billing(new) = &parcel {
        for known in parcels.iter_mut() {
            if let Parcel::Billing(known) = known
                && known.organization == new.organization
            {
                known.version = known.version.max(new.version);
                known.changes.extend_from_slice(&new.changes);
                return;
            }
        }
    }
    parcels.push(parcel);
    origins.push(origin);
}

/// Everything that follows from a stream record.
pub(crate) fn of_record(record: &EventRecord) -> Result<Vec<Parcel>, &'static str> {
    let change = &record.change;
    let key: key::Key = read(&change.keys)?;
    if record.event_name == "REMOVE" {
        if key.sk.starts_with(key::API_KEY) {
            let row: ApiKeyRow = read(&change.old_image)?;
            return Ok(vec![event(record, "ApiKeyDeleted", api_key(&row))]);
        }
        // Whatever else goes has lived its time.
        if !key.sk.starts_with(key::AGENCY_ACCOUNT) {
            return Ok(Vec::new());
        }
        let row: AgencyAccountRow = read(&change.old_image)?;
        return Ok(vec![event(record, "AgencyAccountDeleted", account_deleted(&row))]);
    }
    let old = (!change.old_image.is_empty()).then_some(&change.old_image);
    let new = &change.new_image;
    let event = |detail_type, data| event(record, detail_type, data);
    match key.sk.as_str() {
        key::BILLING => billing(record, old, new),
        sk if sk.starts_with(key::SEAT) => seat(old, new, &event),
        sk if sk.starts_with(key::API_KEY) => {
            let row: ApiKeyRow = read(new)?;
            // One that is older than the list comes into it by its first name.
            let is_new = old.is_none() && row.version.is_none();
            let what = if is_new { "ApiKeyCreated" } else { "ApiKeyUpdated" };
            Ok(vec![event(what, api_key(&row))])
        }
        sk if sk.starts_with(key::AGENCY_ACCOUNT) => {
            let row: AgencyAccountRow = read(new)?;
            let Some(old) = old else {
                return Ok(vec![event("AgencyAccountCreated", agency_account(&row))]);
            };
            // What callers change raises the version; the rest is bookkeeping.
            let is_changed = row.version > read::<AgencyAccountRow>(old)?.version;
            let changed = is_changed.then(|| event("AgencyAccountUpdated", account_changed(&row)));
            Ok(changed.into_iter().collect())
        }
        key::ACCOUNT if is_closed(new) => {
            let row: ClosedAccountRow = read(new)?;
            let was_open = old.is_some_and(|old| !is_closed(old));
            let closed = was_open.then(|| event("AccountDeleted", own_account_deleted(&row)));
            Ok(closed.into_iter().collect())
        }
        key::ACCOUNT => {
            let row: AccountRow = read(new)?;
            let Some(old) = old else { return Ok(vec![event("AccountCreated", account(&row))]) };
            // As of agencies' accounts: a hash that is made anew at a log-in is bookkeeping.
            let is_changed = row.version > read::<AccountRow>(old)?.version;
            let changed = is_changed.then(|| event("AccountUpdated", own_account_changed(&row)));
            Ok(changed.into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn billing(
    record: &EventRecord,
    old: Option<&Item>,
    new: &Item,
) -> Result<Vec<Parcel>, &'static str> {
    let new: BillingRow = read(new)?;
    let old: Option<BillingRow> = old.map(read).transpose()?;
    let mut parcels = Vec::new();
    // What sync-billing writes changes no version, and so does not come back to it.
    if new.version > old.as_ref().map_or(0, |old| old.version) {
        parcels.push(Parcel::Billing(BillingChange {
            organization: OrganizationId::parse(&new.organization).map_err(|_| "organization")?,
            version: new.version,
            changes: made(old.as_ref(), &new).into_iter().collect(),
        }));
    }
    let Some(old) = old else { return Ok(parcels) };
    if old.subscription_status != new.subscription_status {
        parcels.push(event(record, "SubscriptionStatusChanged", status_changed(&old, &new)));
    }
    if old.cancel_at_period_end != new.cancel_at_period_end {
        parcels.push(event(record, "SubscriptionEndChanged", end_changed(&new)));
    }
    for Crossed { detail_type, percent, data } in crossed(&old, &new) {
        // One record may cross both thresholds of a limit: two events of one type.
        parcels.push(numbered(record, detail_type, &format!("{detail_type}:{percent}"), data));
    }
    Ok(parcels)
}

/// How a new version came about. Billing does not wait for one that cannot be said.
fn made(old: Option<&BillingRow>, new: &BillingRow) -> Option<Change> {
    let counts =
        |row: &BillingRow| SeatCounts { basic: row.seats_basic, premium: row.seats_premium };
    Some(Change {
        version: new.version,
        by: new.changed_by(),
        at: new.updated_at.parse().ok()?,
        seats: SeatChange::between(old.map(counts).unwrap_or_default(), counts(new)),
    })
}

/// Whether seats are billed is up to the organization's operator to know at once: `from` is null
/// for the first subscription.
fn status_changed(old: &BillingRow, new: &BillingRow) -> Value {
    json!({
        "organization": new.organization,
        "subscription": new.stripe_subscription,
        "from": old.subscription_status,
        "to": new.subscription_status,
        "seats": { "basic": new.seats_basic, "premium": new.seats_premium },
        "changed_at": new.updated_at,
    })
}

/// Whoever asked for it, by us or in Stripe's portal.
fn end_changed(new: &BillingRow) -> Value {
    json!({
        "organization": new.organization,
        "subscription": new.stripe_subscription,
        "cancel_at_period_end": new.cancel_at_period_end,
        "current_period_end": new.current_period_end,
        "changed_at": new.updated_at,
    })
}

fn seat(
    old: Option<&Item>,
    new: &Item,
    event: &dyn Fn(&'static str, Value) -> Parcel,
) -> Result<Vec<Parcel>, &'static str> {
    let row: SeatRow = read(new)?;
    let before = old.map(read::<SeatRow>).transpose()?;
    let status_before = before.as_ref().map(|row| row.status.clone());
    let mut parcels = Vec::new();
    if old.is_none() {
        parcels.push(event("SeatCreated", seat_created(&row)));
    }
    // What callers change raises the version. An end that is told or revoked changes nothing yet.
    if let Some(before) = &before
        && row.version > before.version
        && row.ends_at == before.ends_at
        && row.status != "deactivated"
    {
        parcels.push(event("SeatUpdated", seat_updated(&row)));
    }
    if row.status == "pending" && status_before.as_deref() != Some("pending") {
        parcels.push(event("SeatSetupRequested", setup_requested(&row)));
    }
    if row.status == "deactivated" && status_before.as_deref() != Some("deactivated") {
        parcels.push(event("SeatDeactivated", seat_deactivated(&row)));
    }
    Ok(parcels)
}

fn event(record: &EventRecord, detail_type: &'static str, data: Value) -> Parcel {
    numbered(record, detail_type, detail_type, data)
}

/// An event that `id` tells from others of its record.
fn numbered(record: &EventRecord, detail_type: &'static str, id: &str, data: Value) -> Parcel {
    Parcel::Event(Event {
        detail_type,
        detail: json!({
            "version": EVENT_VERSION,
            "id": format!("{}:{id}", record.event_id),
            "data": data,
        }),
    })
}

fn seat_created(row: &SeatRow) -> Value {
    json!({
        "organization": row.organization,
        "id": row.id,
        "tier": row.tier,
        "status": row.status,
        "platform": row.platform,
        "username": row.username,
        "tag": row.tag,
        "org_group": row.org_group,
        "created_at": row.created_at,
    })
}

/// Not what is new: who needs the rest may ask for it.
fn seat_updated(row: &SeatRow) -> Value {
    let mut data = json!({
        "organization": row.organization,
        "id": row.id,
        "tier": row.tier,
        "device_type": row.device_type,
        "status": row.status,
        "platform": row.platform,
        "username": row.username,
        "tag": row.tag,
        "org_group": row.org_group,
        "version": row.version,
        "updated_at": row.updated_at,
    });
    if let Some(error) = &row.setup_error {
        data["setup_error"] = json!(error);
    }
    data
}

/// What tells device provisioning which device is free again.
fn seat_deactivated(row: &SeatRow) -> Value {
    json!({
        "organization": row.organization,
        "id": row.id,
        "tier": row.tier,
        "device_type": row.device_type,
        "platform": row.platform,
        "username": row.username,
        "tag": row.tag,
        "org_group": row.org_group,
        "deactivated_at": row.deactivated_at,
    })
}

/// Everything that device provisioning needs, so that it need not read the table.
fn setup_requested(row: &SeatRow) -> Value {
    json!({
        "organization": row.organization,
        "id": row.id,
        "tier": row.tier,
        "device_type": row.device_type,
        "platform": row.platform,
        "username": row.username,
        "pfp_url": row.pfp_url,
        "keywords": row.keywords,
        "nick_name": row.nick_name,
        "age_range": row.age_range,
        "sex": row.sex,
        "location": row.location,
        "description": row.description,
        // Which setup it is: the seat keeps the same number, and the result gives it back.
        "request": row.version.unwrap_or(0),
        "requested_at": row.updated_at,
    })
}

/// What tells who watches over keys which there are. The secret is in no item.
fn api_key(row: &ApiKeyRow) -> Value {
    json!({
        "organization": row.organization,
        "id": row.id,
        "name": row.name,
        "permissions": row.permissions,
        "expires_at": row.valid_until,
        "created_at": row.created_at,
    })
}

fn agency_account(row: &AgencyAccountRow) -> Value {
    json!({
        "agency_lcuid": row.agency,
        "lcuid": row.lcuid,
        "name": row.name,
        "slug": row.slug,
        "parent_account_lcuid": row.parent,
        "is_parent_account": row.is_parent_account,
        "created_at": row.created_at,
    })
}

fn account_changed(row: &AgencyAccountRow) -> Value {
    json!({
        "agency_lcuid": row.agency,
        "lcuid": row.lcuid,
        "name": row.name,
        "slug": row.slug,
        "parent_account_lcuid": row.parent,
        "is_parent_account": row.is_parent_account,
        "version": row.version,
        "updated_at": row.updated_at,
    })
}

fn account_deleted(row: &AgencyAccountRow) -> Value {
    json!({
        "agency_lcuid": row.agency,
        "lcuid": row.lcuid,
        "name": row.name,
        "slug": row.slug,
        "parent_account_lcuid": row.parent,
        "is_parent_account": row.is_parent_account,
    })
}

/// Neither name nor address: whoever may know them can ask for the account.
fn account(row: &AccountRow) -> Value {
    json!({
        "id": row.id,
        "type": row.kind,
        "status": row.status,
        "created_at": row.created_at,
    })
}

/// Whether an item is what is left of an identity account.
fn is_closed(item: &Item) -> bool {
    matches!(item.get("status"), Some(AttributeValue::S(status)) if status == "closed")
}

fn own_account_deleted(row: &ClosedAccountRow) -> Value {
    json!({ "id": row.id, "deleted_at": row.closed_at })
}

/// Not what is new: who needs the address or the name may ask for it.
fn own_account_changed(row: &AccountRow) -> Value {
    json!({
        "id": row.id,
        "type": row.kind,
        "status": row.status,
        "version": row.version,
        "updated_at": row.updated_at,
    })
}

fn read<T: DeserializeOwned>(item: &Item) -> Result<T, &'static str> {
    serde_dynamo::from_item(item.clone()).map_err(|_| "an item of another shape")
}
