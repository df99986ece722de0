//! What items look like. A row is how the table spells something; the domain's types are in
//! `headcount-model`. Rows are also what the stream carries, which is why they are public.

use headcount_model::agency::{AgencyAccount, AgencySettings, KeptAccount, KeptAgency, Slug};
use headcount_model::api_key::ApiKey;
use headcount_model::audit::Entry;
use headcount_model::billing::{
    Attempt, BillingError, BillingRecord, ItemTarget, ProrationBehavior, RememberedItems,
    SeatCounts,
};
use headcount_model::credential::{Credential, Holder};
use headcount_model::fewer::Fewer;
use headcount_model::history::By;
use headcount_model::id::{
    AccountId, AgencyAccountLcuid, AgencyLcuid, AppLcuid, CredentialId, NotAnId, OrganizationId,
    micros,
};
use headcount_model::idempotency::{Keyed, StoredAnswer, hex, unhex};
use headcount_model::identity::{
    Account, AccountStatus, Attempts, ClosedAccount, Email, KeptAccount as OwnAccount,
    ListedSession, PasswordHash, Session, SessionId,
};
use headcount_model::reconcile::Shard;
use headcount_model::seats::Seat;
use headcount_model::text::Text;
use headcount_model::tiers::Tiers;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::transaction::{Item, number, text};

/// An item that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed item: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl From<NotAnId> for Malformed {
    fn from(_: NotAnId) -> Self {
        Malformed("id")
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct OrganizationRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    pub name: String,
    pub created_at: String,
}

/// An entry of the directory of organizations, which lets them be walked through without a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct DirectoryRow {
    #[serde(flatten)]
    pub key: Key,
    pub organization: String,
    pub created_at: String,
}

/// What an organization without a spending limit may spend, in cents a month: more than all the
/// money there is. So one and the same update counts down whether there is a limit or not.
pub const NO_SPENDING_LIMIT: i64 = 1_000_000_000_000_000_000;

/// The billing record of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingRow {
    /// Primary key.
    #[serde(flatten)]
    pub key: Key,
    /// Whose it is.
    pub organization: String,
    /// `cus_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_customer: Option<String>,
    /// `sub_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_subscription: Option<String>,
    /// The subscription's status in Stripe's words; absent when none is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_status: Option<String>,
    /// When the subscription was first seen past due; absent while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_due_since: Option<String>,
    /// Whether the subscription ends with the current period.
    #[serde(default)]
    pub cancel_at_period_end: bool,
    /// When the current billing period began, in Unix seconds; absent until Stripe told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_period_start: Option<i64>,
    /// When the current billing period ends, in Unix seconds; present together with its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_period_end: Option<i64>,
    /// Whether invoices are collected no longer; absent while they are.
    #[serde(default, skip_serializing_if = "is_false")]
    pub collection_paused: bool,
    /// How often status, grace, cancellation and period were written: their optimistic lock.
    #[serde(default)]
    pub status_version: u64,
    /// Basic seats that exist.
    pub seats_basic: u64,
    /// Premium seats that exist.
    pub seats_premium: u64,
    /// The most seats that the organization may have.
    pub seat_limit: u64,
    /// `seat_limit` less the seats that exist. Kept, because a condition cannot subtract.
    /// Below zero after the limit was lowered under them.
    pub seats_left: i64,
    /// The most that all seats together may cost, in cents a month; absent when there is no
    /// limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending_limit: Option<i64>,
    /// `spending_limit`, or [`NO_SPENDING_LIMIT`], less what the seats cost when they were
    /// created. Kept, because a condition cannot subtract; absent before the first seat of an
    /// organization without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cents_left: Option<i64>,
    /// Stripe's `proration_behavior`; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proration_behavior: Option<String>,
    /// What becomes of the difference when seats are given back: `none` or `credit`; absent for
    /// `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewer_seats: Option<String>,
    /// When seats end that are given back: `at_once` or `period_end`; absent for `at_once`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_end: Option<String>,
    /// The version of the last change that may have left fewer seats; absent before the first.
    /// While Stripe has not been told of it, what to say depends on what Stripe bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewer_version: Option<u64>,
    /// When that change was; present together with `fewer_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewer_at: Option<String>,
    /// `si_…` of basic seats; absent until Stripe told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_basic: Option<String>,
    /// `si_…` of premium seats; absent until Stripe told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_premium: Option<String>,
    /// How often the seats have changed.
    pub version: u64,
    /// The version that Stripe was last told.
    pub applied_version: u64,
    /// The basic seats that Stripe was last told; absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_basic: Option<u64>,
    /// The premium seats that Stripe was last told; present together with `told_basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_premium: Option<u64>,
    /// The last caller that changed the seats, as [`By::text`] has it; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// The version that this made; present together with `changed_by`. Of another version nobody is
    /// named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_version: Option<u64>,
    /// How far the updates sent to Stripe reach at the allowed pace; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paced_until: Option<String>,
    /// The update that Stripe was asked for and whose answer is not on record; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptRow>,
    /// When `applied_version` fell behind; absent while it is not. Sort key of the index
    /// `behind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_since: Option<String>,
    /// Partition key of the index `behind`; present together with `behind_since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_shard: Option<String>,
    /// Why the last attempt to tell Stripe failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastErrorRow>,
    /// Last change.
    pub updated_at: String,
}

impl BillingRow {
    /// The caller that made the record's version; `None` when it was none.
    pub fn changed_by(&self) -> Option<By> {
        let text =
            self.changed_by.as_deref().filter(|_| self.changed_version == Some(self.version))?;
        By::parse(text).ok()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// An update that Stripe was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AttemptRow {
    pub idempotency_key: String,
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<u64>,
    pub targets: Vec<TargetRow>,
    pub proration_behavior: String,
    pub at: String,
}

/// What an item's quantity shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TargetRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub price: String,
    pub quantity: u64,
}

impl From<&Attempt> for AttemptRow {
    fn from(attempt: &Attempt) -> Self {
        let target = |target: &ItemTarget| TargetRow {
            id: target.id.clone(),
            price: target.price.clone(),
            quantity: target.quantity,
        };
        Self {
            idempotency_key: attempt.key.clone(),
            version: attempt.version,
            part_of: attempt.part_of,
            targets: attempt.targets.iter().map(target).collect(),
            proration_behavior: attempt.proration.as_str().to_owned(),
            at: micros(attempt.at),
        }
    }
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = Malformed;

    fn try_from(row: AttemptRow) -> Result<Self, Malformed> {
        let target = |target: TargetRow| ItemTarget {
            id: target.id,
            price: target.price,
            quantity: target.quantity,
        };
        Ok(Self {
            key: row.idempotency_key,
            version: row.version,
            part_of: row.part_of,
            targets: row.targets.into_iter().map(target).collect(),
            proration: proration(Some(&row.proration_behavior))?,
            at: row.at.parse().map_err(|_| Malformed("attempt"))?,
        })
    }
}

/// Why billing is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct LastErrorRow {
    pub code: String,
    pub message: String,
    pub at: String,
}

impl From<LastErrorRow> for BillingError {
    fn from(row: LastErrorRow) -> Self {
        Self { code: row.code, message: row.message, request_id: None }
    }
}

impl TryFrom<BillingRow> for BillingRecord {
    type Error = Malformed;

    fn try_from(row: BillingRow) -> Result<Self, Malformed> {
        let fewer = fewer(&row)?;
        Ok(Self {
            organization: OrganizationId::parse(&row.organization)?,
            subscription: row.stripe_subscription,
            seats: SeatCounts { basic: row.seats_basic, premium: row.seats_premium },
            version: row.version,
            applied_version: row.applied_version,
            told: row
                .told_basic
                .zip(row.told_premium)
                .map(|(basic, premium)| SeatCounts { basic, premium }),
            proration: proration(row.proration_behavior.as_deref())?,
            fewer,
            items: RememberedItems { basic: row.item_basic, premium: row.item_premium },
            paced_until: row
                .paced_until
                .map(|text| text.parse().map_err(|_| Malformed("paced_until")))
                .transpose()?,
            attempt: row.attempt.map(Attempt::try_from).transpose()?,
            last_error: row.last_error.map(BillingError::from),
        })
    }
}

/// An organization without a behaviour of its own has the default.
pub(crate) fn proration(text: Option<&str>) -> Result<ProrationBehavior, Malformed> {
    text.map_or(Ok(ProrationBehavior::default()), |text| {
        text.parse().map_err(|_| Malformed("proration_behavior"))
    })
}

/// What a record says about fewer seats; nothing, where it is older than that.
pub(crate) fn fewer(row: &BillingRow) -> Result<Fewer, Malformed> {
    let setting = row.fewer_seats.as_deref().map(str::parse).transpose();
    let at = row.fewer_at.as_deref().map(str::parse).transpose();
    Ok(Fewer {
        setting: setting.map_err(|_| Malformed("fewer_seats"))?.unwrap_or_default(),
        version: row.fewer_version.unwrap_or(0),
        at: at.map_err(|_| Malformed("fewer_at"))?,
    })
}

/// The partition of the index `behind` that an organization lies in: one of 16, so that the
/// index takes as many writes as the table.
pub(crate) fn behind_shard(organization: &OrganizationId) -> String {
    Shard::of(organization).to_string()
}

/// A seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SeatRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    pub organization: String,
    pub tier: String,
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pfp_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keywords: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_range: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_group: Option<String>,
    /// The kind of device that the tier stood for when the seat was created; absent on seats
    /// that are older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
    /// When it is to end; absent while it is not, and when it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// When it was given back; absent while it is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<String>,
    /// How often it has been changed: its optimistic lock. Absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Who created it, as [`headcount_model::audit::created_by`] has it; absent on what is older than that,
    /// and on what no caller created. Never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl SeatRow {
    /// The row of a seat of `organization`.
    pub fn new(
        organization: &OrganizationId,
        seat: &Seat,
        tiers: &Tiers,
        created_by: &str,
    ) -> Self {
        let text = |text: &headcount_model::text::Text| text.as_str().to_owned();
        let details = seat.new.details.as_ref();
        let profile = &seat.new.profile;
        let created_at = micros(seat.created_at);
        Self {
            key: Key::seat(organization, &seat.id),
            id: seat.id.to_string(),
            organization: organization.to_string(),
            tier: seat.new.tier.as_str().to_owned(),
            status: seat.status().as_str().to_owned(),
            platform: details.map(|details| details.platform.clone()),
            username: details.map(|details| details.username.as_str().to_owned()),
            pfp_url: details.map(|details| details.pfp_url.as_str().to_owned()),
            keywords: details.map(|details| details.keywords.as_str().to_owned()),
            nick_name: profile.nick_name.as_ref().map(text),
            age_range: profile.age_range.as_ref().map(|range| range.as_str().to_owned()),
            sex: profile.sex.map(|sex| sex.as_str().to_owned()),
            location: profile.location.as_ref().map(text),
            description: profile.description.as_ref().map(text),
            tag: profile.tag.as_ref().map(text),
            org_group: profile.org_group.as_ref().map(text),
            device_type: Some(tiers.of(seat.new.tier).device_type.clone()),
            ends_at: None,
            deactivated_at: None,
            version: None,
            created_by: Some(created_by.to_owned()),
            updated_at: created_at.clone(),
            created_at,
        }
    }
}

/// What serde would make of it, for a third of the work: a create writes up to 98 of them.
impl From<SeatRow> for Item {
    fn from(row: SeatRow) -> Self {
        let required = [
            ("pk", row.key.pk),
            ("sk", row.key.sk),
            ("id", row.id),
            ("organization", row.organization),
            ("tier", row.tier),
            ("status", row.status),
            ("created_at", row.created_at),
            ("updated_at", row.updated_at),
        ];
        let optional = [
            ("platform", row.platform),
            ("username", row.username),
            ("pfp_url", row.pfp_url),
            ("keywords", row.keywords),
            ("nick_name", row.nick_name),
            ("age_range", row.age_range),
            ("sex", row.sex),
            ("location", row.location),
            ("description", row.description),
            ("tag", row.tag),
            ("org_group", row.org_group),
            ("device_type", row.device_type),
            ("ends_at", row.ends_at),
            ("deactivated_at", row.deactivated_at),
            ("created_by", row.created_by),
        ];
        let mut item = Item::with_capacity(required.len() + optional.len());
        item.extend(row.version.map(|version| ("version".to_owned(), number(version))));
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in required.into_iter().chain(optional) {
            item.insert(name.to_owned(), text(value));
        }
        item
    }
}

/// An entry of the audit of an organization, of an agency or of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `headcount_model::audit::Entry`.
pub struct AuditRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    pub route: String,
    pub objects: Vec<String>,
    pub fields: Vec<String>,
    pub at: String,
    pub request_id: String,
    /// When what was removed had been created, since nothing else tells it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// By whom; absent where that was not on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

impl AuditRow {
    /// The row of an entry in the audit of `organization`.
    pub fn new(organization: &OrganizationId, entry: &Entry<'_>) -> Self {
        Self {
            organization: Some(organization.to_string()),
            ..Self::at(Key::audit(organization, &entry.id), entry)
        }
    }

    /// The row of an entry in the audit of `agency`.
    pub fn of_agency(agency: &AgencyLcuid, entry: &Entry<'_>) -> Self {
        let key = Key::agency_audit(agency, &entry.id);
        Self { agency: Some(agency.to_string()), ..Self::at(key, entry) }
    }

    /// The row of an entry in the audit of `account`.
    pub fn of_account(account: &AccountId, entry: &Entry<'_>) -> Self {
        let key = Key::account_audit(account, &entry.id);
        Self { account: Some(account.to_string()), ..Self::at(key, entry) }
    }

    fn at(key: Key, entry: &Entry<'_>) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            key,
            id: entry.id.to_string(),
            organization: None,
            agency: None,
            account: None,
            credential: entry.credential.map(ToString::to_string),
            route: entry.route.to_owned(),
            objects: texts(&entry.objects),
            fields: texts(entry.fields),
            at: micros(entry.at),
            request_id: entry.request_id.to_owned(),
            created_at: None,
            created_by: None,
        }
    }
}

/// An agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AgencyRow {
    #[serde(flatten)]
    pub key: Key,
    pub lcuid: String,
    pub name: String,
    pub inventory_item_class: Vec<String>,
    pub account_class: String,
    pub inventory_item_class_description: String,
    pub account_class_description: String,
    pub created_at: String,
}

impl From<AgencyRow> for AgencySettings {
    fn from(row: AgencyRow) -> Self {
        Self {
            inventory_item_class: row.inventory_item_class,
            account_class: row.account_class,
            inventory_item_class_description: row.inventory_item_class_description,
            account_class_description: row.account_class_description,
        }
    }
}

impl TryFrom<AgencyRow> for KeptAgency {
    type Error = Malformed;

    fn try_from(row: AgencyRow) -> Result<Self, Malformed> {
        Ok(Self {
            lcuid: AgencyLcuid::parse(&row.lcuid)?,
            name: Text::line(&row.name, 1..=usize::MAX).map_err(|_| Malformed("name"))?,
            created_at: row.created_at.clone(),
            settings: row.into(),
        })
    }
}

/// An account of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AgencyAccountRow {
    #[serde(flatten)]
    pub key: Key,
    pub lcuid: String,
    pub agency: String,
    pub name: String,
    pub slug: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    pub is_parent_account: bool,
    /// How many sub-accounts were ever made below it; absent for none, and what was made before they
    /// were counted is not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_accounts_made: Option<u64>,
    /// How often it has been changed; absent for one that never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Who created it, as [`headcount_model::audit::created_by`] has it; absent on what is older than that,
    /// and on what no caller created. Never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl AgencyAccountRow {
    /// The row of an account under a slug.
    pub fn new(account: &AgencyAccount, slug: &Slug) -> Self {
        let created_at = micros(account.created_at);
        Self {
            key: Key::agency_account(&account.agency, &account.lcuid),
            lcuid: account.lcuid.to_string(),
            agency: account.agency.to_string(),
            name: account.new.name.to_string(),
            slug: slug.to_string(),
            description: account.new.description.as_ref().map(ToString::to_string),
            website: account.new.website.as_ref().map(|url| url.as_str().to_owned()),
            parent: account.new.parent.as_ref().map(ToString::to_string),
            is_parent_account: account.is_parent_account,
            sub_accounts_made: None,
            version: None,
            created_by: account.created_by.clone(),
            updated_at: created_at.clone(),
            created_at,
        }
    }
}

impl TryFrom<AgencyAccountRow> for KeptAccount {
    type Error = Malformed;

    fn try_from(row: AgencyAccountRow) -> Result<Self, Malformed> {
        Ok(Self {
            lcuid: AgencyAccountLcuid::parse(&row.lcuid)?,
            name: row.name,
            slug: row.slug,
            description: row.description,
            website: row.website,
            is_parent_account: row.is_parent_account,
            created_at: row.created_at,
            version: row.version.unwrap_or(0),
        })
    }
}

/// The lock on a slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlugRow {
    /// Primary key.
    #[serde(flatten)]
    pub key: Key,
    /// The account that has it.
    pub account: String,
    /// The highest number given behind this name so far; absent while none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_number: Option<u64>,
}

/// An app of the Agency API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AppRow {
    #[serde(flatten)]
    pub key: Key,
    pub lcuid: String,
    pub agency: String,
    pub name: String,
    pub created_at: String,
}

/// An identity account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AccountRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    pub email: String,
    pub email_ascii: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub password_hash: String,
    pub currency: String,
    pub timezone: String,
    pub language: String,
    /// How often it has been changed: its optimistic lock. Absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// How often all its sessions were ended; absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_epoch: Option<u64>,
    /// The session that was spared the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<String>,
    /// Who created it, as [`headcount_model::audit::created_by`] has it; absent on what is older than that,
    /// and on what no caller created. Never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Where it stands among all accounts, [`listed_as`]: sort key of the index `accounts`. Absent on what is
    /// older than that. Never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_as: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

/// Where an account stands among all: by the time of its creation, and then by its id.
pub(crate) fn listed_as(created_at: &str, id: &str) -> String {
    format!("{created_at}#{id}")
}

impl From<&Account> for AccountRow {
    fn from(account: &Account) -> Self {
        let created_at = micros(account.created_at);
        Self {
            key: Key::account(&account.id),
            id: account.id.to_string(),
            email: account.email.as_typed().to_owned(),
            email_ascii: account.email.as_ascii().to_owned(),
            name: account.name.to_string(),
            kind: account.kind.as_str().to_owned(),
            status: "active".to_owned(),
            password_hash: account.password_hash.as_phc().to_owned(),
            currency: account.settings.currency.as_str().to_owned(),
            timezone: account.settings.timezone.as_str().to_owned(),
            language: account.settings.language.as_str().to_owned(),
            version: None,
            session_epoch: None,
            spared_session: None,
            created_by: None,
            listed_as: Some(listed_as(&created_at, account.id.as_str())),
            updated_at: created_at.clone(),
            created_at,
        }
    }
}

impl TryFrom<AccountRow> for OwnAccount {
    type Error = Malformed;

    fn try_from(row: AccountRow) -> Result<Self, Malformed> {
        let time = |text: &str, name| text.parse().map_err(|_| Malformed(name));
        Ok(Self {
            id: AccountId::parse(&row.id)?,
            email: Email::parse(&row.email).map_err(|_| Malformed("email"))?,
            name: row.name,
            kind: row.kind.parse().map_err(|_| Malformed("type"))?,
            status: row.status.parse().map_err(|_| Malformed("status"))?,
            password_hash: PasswordHash::of_phc(row.password_hash),
            currency: row.currency,
            timezone: row.timezone,
            language: row.language,
            created_at: time(&row.created_at, "created_at")?,
            created_by: row.created_by,
            updated_at: time(&row.updated_at, "updated_at")?,
            version: row.version.unwrap_or(0),
            session_epoch: row.session_epoch.unwrap_or(0),
            spared_session: row.spared_session.as_deref().map(SessionId::parse).transpose()?,
        })
    }
}

/// A session of an identity account. Of its tokens the hashes alone are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `headcount_model::identity::Session`.
pub struct SessionRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    pub account: String,
    /// SHA-256 of the secret, lower-case hexadecimal.
    pub access_hash: String,
    /// SHA-256 of the secret, lower-case hexadecimal.
    pub refresh_hash: String,
    pub epoch: u64,
    pub access_until: String,
    pub refresh_until: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    pub created_at: String,
    /// When DynamoDB may delete it, in seconds since the epoch: neither token works any more.
    pub expires_at: i64,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            key: Key::session(&session.id),
            id: session.id.to_string(),
            account: session.account.to_string(),
            access_hash: hex(&session.access_hash),
            refresh_hash: hex(&session.refresh_hash),
            epoch: session.epoch,
            access_until: micros(session.access_until),
            refresh_until: micros(session.refresh_until),
            ended_at: session.ended_at.map(micros),
            created_at: micros(session.created_at),
            expires_at: session.refresh_until.as_second().saturating_add(1),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = Malformed;

    fn try_from(row: SessionRow) -> Result<Self, Malformed> {
        let time = |text: &str, name| text.parse::<Timestamp>().map_err(|_| Malformed(name));
        let ended_at = row.ended_at.as_deref().map(|text| time(text, "ended_at"));
        Ok(Self {
            id: SessionId::parse(&row.id)?,
            account: AccountId::parse(&row.account)?,
            access_hash: unhex(&row.access_hash).ok_or(Malformed("access_hash"))?,
            refresh_hash: unhex(&row.refresh_hash).ok_or(Malformed("refresh_hash"))?,
            epoch: row.epoch,
            created_at: time(&row.created_at, "created_at")?,
            access_until: time(&row.access_until, "access_until")?,
            refresh_until: time(&row.refresh_until, "refresh_until")?,
            ended_at: ended_at.transpose()?,
        })
    }
}

/// A session in the list of its account: there while it goes on, as far as nobody but itself ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `headcount_model::identity::ListedSession`.
pub struct ListedSessionRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    pub epoch: u64,
    pub created_at: String,
    /// Absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_at: Option<String>,
    pub access_until: String,
    pub refresh_until: String,
    /// As in [`SessionRow`].
    pub expires_at: i64,
}

impl ListedSessionRow {
    /// The row of a session that was given its tokens by a log-in, or else at `refreshed_at`.
    pub fn new(session: &Session, refreshed_at: Option<Timestamp>) -> Self {
        let row = SessionRow::from(session);
        Self {
            key: Key::listed_session(&session.account, &session.id),
            id: row.id,
            epoch: row.epoch,
            created_at: row.created_at,
            refreshed_at: refreshed_at.map(micros),
            access_until: row.access_until,
            refresh_until: row.refresh_until,
            expires_at: row.expires_at,
        }
    }
}

impl TryFrom<ListedSessionRow> for ListedSession {
    type Error = Malformed;

    fn try_from(row: ListedSessionRow) -> Result<Self, Malformed> {
        let time = |text: &str, name| text.parse::<Timestamp>().map_err(|_| Malformed(name));
        let refreshed_at = row.refreshed_at.as_deref().map(|text| time(text, "refreshed_at"));
        Ok(Self {
            id: SessionId::parse(&row.id)?,
            epoch: row.epoch,
            created_at: time(&row.created_at, "created_at")?,
            refreshed_at: refreshed_at.transpose()?,
            access_until: time(&row.access_until, "access_until")?,
            refresh_until: time(&row.refresh_until, "refresh_until")?,
        })
    }
}

/// A refresh token that another one has taken the place of. Of the token the hash alone is in it, in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RotatedRow {
    #[serde(flatten)]
    pub key: Key,
    pub rotated_at: String,
    /// When DynamoDB may delete it, in seconds since the epoch: the token would have stopped working anyway.
    pub expires_at: i64,
}

impl RotatedRow {
    /// The row of the token that a session had, when it has been given another one.
    pub fn new(before: &Session, now: Timestamp) -> Self {
        Self {
            key: Key::rotated(&before.id, &before.refresh_hash),
            rotated_at: micros(now),
            expires_at: before.refresh_until.as_second().saturating_add(1),
        }
    }
}

/// The attempts to log in at an address since the last that succeeded. The address is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `headcount_model::identity::Attempts`.
pub struct LogInsRow {
    #[serde(flatten)]
    pub key: Key,
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_until: Option<String>,
    /// When they are forgotten, in seconds since the epoch. DynamoDB deletes the item some time later.
    pub expires_at: i64,
}

impl LogInsRow {
    /// The row of attempts of which the last is made at `now`.
    pub fn new(counted_as: &str, attempts: Attempts, now: Timestamp) -> Self {
        let end = now.saturating_add(Attempts::MEMORY).unwrap_or(Timestamp::MAX);
        Self {
            key: Key::log_ins(counted_as),
            attempts: attempts.count,
            wait_until: attempts.wait_until.map(micros),
            expires_at: end.as_second(),
        }
    }
}

/// The lock on an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailRow {
    /// Primary key.
    #[serde(flatten)]
    pub key: Key,
    /// The account that has it.
    pub account: String,
    /// When it is free, in seconds since the epoch, once its account is no more. DynamoDB deletes the item
    /// some time later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl EmailRow {
    /// The lock of an account on its address.
    pub fn new(address: &Email, account: &AccountId) -> Self {
        let key = Key::email(&address.unique_form());
        Self { key, account: account.to_string(), expires_at: None }
    }
}

/// What is left of an identity account, in its place: nothing that is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `headcount_model::identity::ClosedAccount`.
pub struct ClosedAccountRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    /// `closed`.
    pub status: String,
    pub version: u64,
    pub closed_at: String,
    /// When the account was created; absent where that was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// By whom, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

impl ClosedAccountRow {
    /// The row of what is left of an account of some version.
    pub fn new(closed: &ClosedAccount, version: u64) -> Self {
        Self {
            key: Key::account(&closed.id),
            id: closed.id.to_string(),
            status: AccountStatus::Closed.as_str().to_owned(),
            version,
            closed_at: micros(closed.closed_at),
            created_at: None,
            created_by: None,
        }
    }
}

impl TryFrom<ClosedAccountRow> for ClosedAccount {
    type Error = Malformed;

    fn try_from(row: ClosedAccountRow) -> Result<Self, Malformed> {
        Ok(Self {
            id: AccountId::parse(&row.id)?,
            closed_at: row.closed_at.parse().map_err(|_| Malformed("closed_at"))?,
        })
    }
}

/// A credential. The secret is not in it, only its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CredentialRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    /// SHA-256 of the secret, lower-case hexadecimal.
    pub secret_hash: String,
    pub holder: HolderRow,
    pub permissions: Vec<String>,
    /// Unlike the `expires_at` of a record, this is no time to live: an expired credential
    /// stays for the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    pub revoked: bool,
    pub created_at: String,
}

/// Whose credential it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum HolderRow {
    Organization { organization: String },
    App { app: String, agency: String },
    Administrator,
}

impl CredentialRow {
    /// The row of a credential made at `now`.
    pub fn new(credential: &Credential, now: Timestamp) -> Self {
        Self {
            key: Key::credential(&credential.id),
            id: credential.id.to_string(),
            secret_hash: hex(&credential.secret_hash),
            holder: match &credential.holder {
                Holder::Organization(organization) => {
                    HolderRow::Organization { organization: organization.to_string() }
                }
                Holder::App { app, agency } => {
                    HolderRow::App { app: app.to_string(), agency: agency.to_string() }
                }
                Holder::Administrator => HolderRow::Administrator,
            },
            permissions: credential
                .permissions
                .iter()
                .map(|permission| permission.as_str().to_owned())
                .collect(),
            valid_until: credential.expires_at.map(micros),
            revoked: credential.revoked,
            created_at: micros(now),
        }
    }
}

impl TryFrom<CredentialRow> for Credential {
    type Error = Malformed;

    fn try_from(row: CredentialRow) -> Result<Self, Malformed> {
        Ok(Self {
            id: CredentialId::parse(&row.id)?,
            secret_hash: unhex(&row.secret_hash).ok_or(Malformed("secret_hash"))?,
            holder: match row.holder {
                HolderRow::Organization { organization } => {
                    Holder::Organization(OrganizationId::parse(&organization)?)
                }
                HolderRow::App { app, agency } => Holder::App {
                    app: AppLcuid::parse(&app)?,
                    agency: AgencyLcuid::parse(&agency)?,
                },
                HolderRow::Administrator => Holder::Administrator,
            },
            // A permission that this version does not know allows nothing in it.
            permissions: row.permissions.iter().filter_map(|text| text.parse().ok()).collect(),
            expires_at: row
                .valid_until
                .map(|text| text.parse().map_err(|_| Malformed("valid_until")))
                .transpose()?,
            revoked: row.revoked,
        })
    }
}

/// What a key is called that nobody has named.
const UNNAMED: &str = "API key";

/// An API key in the list of its organization. What it allows is decided by its [`CredentialRow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `headcount_model::api_key::ApiKey`.
pub struct ApiKeyRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: String,
    pub organization: String,
    pub name: String,
    pub permissions: Vec<String>,
    /// As in [`CredentialRow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// How often it was named: its optimistic lock. Absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    pub created_at: String,
}

impl ApiKeyRow {
    /// The row of a key of `organization`, which will be of a version.
    pub fn new(organization: &OrganizationId, key: &ApiKey, version: u64) -> Self {
        Self {
            key: Key::api_key(organization, &key.id),
            id: key.id.to_string(),
            organization: organization.to_string(),
            name: key.name.clone(),
            permissions: key.permissions.clone(),
            valid_until: key.expires_at.map(micros),
            version: (version > 0).then_some(version),
            created_at: micros(key.created_at),
        }
    }

    /// The row of a credential of `organization` that nobody has named.
    pub fn unnamed(organization: &OrganizationId, credential: CredentialRow) -> Self {
        Self {
            key: Key::listed(organization, &credential.id),
            id: credential.id,
            organization: organization.to_string(),
            name: UNNAMED.to_owned(),
            permissions: credential.permissions,
            valid_until: credential.valid_until,
            version: None,
            created_at: credential.created_at,
        }
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = Malformed;

    fn try_from(row: ApiKeyRow) -> Result<Self, Malformed> {
        let end = row.valid_until.map(|end| end.parse().map_err(|_| Malformed("valid_until")));
        Ok(Self {
            id: CredentialId::parse(&row.id)?,
            name: row.name,
            permissions: row.permissions,
            created_at: row.created_at.parse().map_err(|_| Malformed("created_at"))?,
            expires_at: end.transpose()?,
            version: row.version.unwrap_or(0),
        })
    }
}

/// What a caller was told, under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRow {
    /// Primary key.
    #[serde(flatten)]
    pub key: Key,
    /// Keyed hash of the request body, lower-case hexadecimal.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// `Location` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Body, JSON.
    pub body: String,
    /// When the record stops answering, in seconds since the epoch. DynamoDB deletes the item
    /// some time later.
    pub expires_at: i64,
}

impl IdempotencyRow {
    /// The row that keeps part `part` of the answer to `request`.
    pub fn new(request: &Keyed, part: usize, answer: &StoredAnswer) -> Self {
        Self {
            key: Key::idempotency(&request.name, part),
            fingerprint: hex(&request.fingerprint),
            status: answer.status,
            location: answer.location.clone(),
            body: answer.body.clone(),
            expires_at: request.expires_at.as_second(),
        }
    }
}

/// What serde would make of it, for a third of the work: most creates write one.
impl From<IdempotencyRow> for Item {
    fn from(row: IdempotencyRow) -> Self {
        let mut item = Item::from([
            ("pk".to_owned(), text(row.key.pk)),
            ("sk".to_owned(), text(row.key.sk)),
            ("fingerprint".to_owned(), text(row.fingerprint)),
            ("status".to_owned(), number(row.status)),
            ("body".to_owned(), text(row.body)),
            ("expires_at".to_owned(), number(row.expires_at)),
        ]);
        item.extend(row.location.map(|location| ("location".to_owned(), text(location))));
        item
    }
}

#[cfg(test)]
mod tests {
    use serde_dynamo::aws_sdk_dynamodb_1::to_item;

    use super::*;

    fn key() -> Key {
        Key { pk: "p".to_owned(), sk: "s".to_owned() }
    }

    fn written<R: Serialize + Into<Item>>(row: R) {
        assert_eq!(to_item(&row).expect("an item"), row.into());
    }

    #[test]
    fn a_seat_is_written_as_serde_would() {
        let some = |name: &str| Some(name.to_owned());
        let bare = SeatRow {
            key: key(),
            id: "1".to_owned(),
            organization: "2".to_owned(),
            tier: "3".to_owned(),
            status: "4".to_owned(),
            platform: None,
            username: None,
            pfp_url: None,
            keywords: None,
            nick_name: None,
            age_range: None,
            sex: None,
            location: None,
            description: None,
            tag: None,
            org_group: None,
            device_type: None,
            ends_at: None,
            deactivated_at: None,
            version: None,
            created_by: None,
            created_at: "5".to_owned(),
            updated_at: "6".to_owned(),
        };
        written(bare.clone());
        written(SeatRow {
            platform: some("7"),
            username: some("8"),
            pfp_url: some("9"),
            keywords: some("10"),
            nick_name: some("11"),
            age_range: some("12"),
            sex: some("13"),
            location: some("14"),
            description: some("15"),
            tag: some("16"),
            org_group: some("17"),
            device_type: some("18"),
            deactivated_at: some("19"),
            version: Some(20),
            ..bare
        });
    }

    #[test]
    fn an_idempotency_record_is_written_as_serde_would() {
        for location in [None, Some("/accounts/1".to_owned())] {
            written(IdempotencyRow {
                key: key(),
                fingerprint: "f".to_owned(),
                status: 201,
                location,
                body: "{}".to_owned(),
                expires_at: -1,
            });
        }
    }
}
