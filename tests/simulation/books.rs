//! An independent account of what happened, kept from the stream of commits and from what Stripe
//! was told. It shares no code with what it checks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use headcount_model::seats::SeatsEnd;
use jiff::Timestamp;

use serde_json::Value;

use crate::kernel::lock;
use crate::lives::Lives;
use crate::stack::{AgencyTenant, Tenant, period};
use crate::stripe::Account;
use crate::table::{Row, number, text};
use crate::world::World;

/// Seats by tier: basic, premium.
pub(crate) type Counts = (u64, u64);

/// How long before the end of a period its seats end, in seconds.
pub(crate) const LEAD: i64 = 6 * 60 * 60;

/// How far clocks are off at most, in seconds.
const CLOCKS: i64 = 5 * 60;

/// Clones are the same books.
#[derive(Clone)]
pub(crate) struct Books {
    world: World,
    account: Account,
    pages: Arc<Mutex<Pages>>,
}

#[derive(Default)]
struct Pages {
    /// By the id of the organization.
    seats: BTreeMap<String, Counts>,
    /// How many there ever were at the same time.
    ever: BTreeMap<String, BTreeSet<Counts>>,
    /// The most that Stripe was told.
    most: BTreeMap<String, Counts>,
    /// The organization of each subscription.
    organization: BTreeMap<String, String>,
    /// The subscription of each organization whose seats end with the period.
    by_period: BTreeMap<String, String>,
    /// Agency accounts that may have accounts below them now.
    parents: BTreeSet<String>,
    /// The seats of each version of each organization.
    versions: BTreeMap<(String, i64), Counts>,
    /// What the history says that each organization's subscription was told: the version before.
    told: BTreeMap<(String, i64), i64>,
    /// What Stripe bills after the update under a key.
    asked: BTreeMap<String, Counts>,
    /// Every state that seats and identity accounts have had.
    lives: Lives,
    /// The organizations of which a seat has gone into another tier.
    moved: BTreeSet<String>,
}

impl Books {
    pub(crate) fn new(
        world: &World,
        account: &Account,
        tenants: &[Tenant],
        agencies: &[AgencyTenant],
    ) -> Self {
        let pages = Pages {
            seats: BTreeMap::new(),
            ever: BTreeMap::new(),
            most: BTreeMap::new(),
            versions: BTreeMap::new(),
            told: BTreeMap::new(),
            asked: BTreeMap::new(),
            lives: Lives::default(),
            moved: BTreeSet::new(),
            organization: tenants
                .iter()
                .map(|tenant| (tenant.subscription.clone(), tenant.organization.to_string()))
                .collect(),
            by_period: tenants
                .iter()
                .filter(|tenant| tenant.seats_end == SeatsEnd::PeriodEnd)
                .map(|tenant| (tenant.organization.to_string(), tenant.subscription.clone()))
                .collect(),
            parents: agencies.iter().map(|agency| agency.parent.clone()).collect(),
        };
        let (world, account) = (world.clone(), account.clone());
        Self { world, account, pages: Arc::new(Mutex::new(pages)) }
    }

    /// Takes what one operation committed, which belongs together.
    pub(crate) fn commit(&self, records: &[Value]) {
        let images: Vec<_> = records.iter().map(Images::of).collect();
        let mut pages = lock(&self.pages);
        let of_items = images.iter().map(|images| (images.old, images.new));
        for (invariant, what) in pages.lives.commit(self.world.kernel.now(), of_items) {
            self.world.broken(invariant, what);
        }
        for images in &images {
            self.enter(&mut pages, images);
        }
        let seats: Vec<_> = pages.seats.iter().map(|(id, seats)| (id.clone(), *seats)).collect();
        for (organization, seats) in seats {
            pages.ever.entry(organization).or_default().insert(seats);
        }
        self.compare_seats(&pages, &images);
        for images in &images {
            self.compare(&pages, images);
        }
    }

    fn enter(&self, pages: &mut Pages, images: &Images<'_>) {
        let Some(new) = images.new else { return };
        let sk = text(new, "sk");
        if sk.starts_with("SEAT#") && images.old.is_none() {
            let counts = pages.seats.entry(text(new, "organization").to_owned()).or_default();
            match text(new, "tier") {
                "basic" => counts.0 += 1,
                _ => counts.1 += 1,
            }
        }
        if sk.starts_with("SEAT#")
            && let Some(old) = images.old
        {
            self.enter_change(pages, old, new);
        }
        if sk == "BILLING" {
            let version = (text(new, "organization").to_owned(), number(new, "version"));
            pages.versions.insert(version, counts(new));
        }
        if sk.starts_with("TOLD#") && text(new, "outcome") != "failed" {
            self.enter_told(pages, images.old, new);
        }
        if sk.starts_with("ACCOUNT#") {
            let parent = text(new, "parent");
            if images.old.is_none() && !parent.is_empty() && !pages.parents.contains(parent) {
                let account = text(new, "lcuid");
                self.world.broken(
                    4,
                    format_args!("{account} was created below {parent}, which was no parent then"),
                );
            }
            let lcuid = text(new, "lcuid").to_owned();
            if new["is_parent_account"]["BOOL"] == Value::Bool(true) {
                pages.parents.insert(lcuid);
            } else {
                pages.parents.remove(&lcuid);
            }
        }
    }

    /// What the history says that Stripe was told is what it was told under that key, and of a whole
    /// version its seats; it is said once.
    fn enter_told(&self, pages: &mut Pages, old: Option<&Row>, new: &Row) {
        let organization = text(new, "organization");
        let version = (organization.to_owned(), number(new, "version"));
        let count = |name| u64::try_from(number(new, name)).unwrap_or(u64::MAX);
        let told = (count("after_basic"), count("after_premium"));
        if let Some(billed) = pages.asked.get(text(new, "idempotency_key"))
            && *billed != told
        {
            self.world.broken(
                13,
                format_args!("{organization} is billed for {billed:?}, on record are {told:?}"),
            );
        }
        if text(new, "outcome") != "told" {
            return;
        }
        if old.is_some() {
            self.world.broken(13, format_args!("{version:?} is on record twice"));
        }
        let there = pages.versions.get(&version).copied().unwrap_or_default();
        if there != told {
            self.world.broken(13, format_args!("{version:?} is {there:?}, on record are {told:?}"));
        }
        pages.told.insert(version, number(new, "since"));
    }

    /// What is recorded as told is in the history by then, behind the version that was told before.
    fn compare_told(&self, pages: &Pages, old: &Row, new: &Row) {
        let (before, after) = (number(old, "applied_version"), number(new, "applied_version"));
        if before == after {
            return;
        }
        let version = (text(new, "organization").to_owned(), after);
        match pages.told.get(&version) {
            Some(&since) if since == before => {}
            Some(since) => {
                self.world.broken(13, format_args!("{version:?} came after {before}, not {since}"));
            }
            None => self.world.broken(13, format_args!("nothing says that {version:?} was told")),
        }
    }

    /// A seat that changes is given back, once; nobody takes it up again. Or it is to end, or not any
    /// more, and stays what it is until then. Or it changes its group or tier, and nothing else.
    fn enter_change(&self, pages: &mut Pages, old: &Row, new: &Row) {
        let (was, is) = (text(old, "status"), text(new, "status"));
        let (id, organization) = (text(new, "id"), text(new, "organization"));
        let is_moved = text(old, "ends_at") != text(new, "ends_at");
        let is_tier_left = text(old, "tier") != text(new, "tier");
        if was == "deactivated" || (is != "deactivated" && was != is) || (is_moved && is_tier_left)
        {
            self.world.broken(4, format_args!("{id} went from {was} to {is}"));
            return;
        }
        if is != "deactivated" && !is_moved {
            if is_tier_left {
                let counts = pages.seats.entry(organization.to_owned()).or_default();
                match text(new, "tier") {
                    "basic" => *counts = (counts.0 + 1, counts.1.saturating_sub(1)),
                    _ => *counts = (counts.0.saturating_sub(1), counts.1 + 1),
                }
                pages.moved.insert(organization.to_owned());
            }
            return;
        }
        let subscription = pages.by_period.get(organization);
        if is != "deactivated" {
            if subscription.is_none() {
                self.world.broken(4, format_args!("{id} is to end later than at once"));
            }
            return;
        }
        if let Some(subscription) = subscription {
            self.check_time(id, &self.account.subscription(subscription));
        }
        let counts = pages.seats.entry(organization.to_owned()).or_default();
        let count = if text(new, "tier") == "basic" { &mut counts.0 } else { &mut counts.1 };
        *count = count.saturating_sub(1);
    }

    /// Whether the time of a seat has come that ends with the period.
    fn check_time(&self, id: &str, subscription: &Value) {
        let ends_at = period(subscription).end - LEAD;
        let now = self.world.true_seconds();
        if subscription["status"] != "canceled" && now + CLOCKS < ends_at {
            let early = ends_at - now;
            self.world.broken(4, format_args!("{id} ended {early} s before its time"));
        }
    }

    /// Whether a billing record counts what there is, at every commit.
    fn compare(&self, pages: &Pages, images: &Images<'_>) {
        let (Some(old), Some(new)) = (images.old, images.new) else { return };
        if text(new, "sk") != "BILLING" {
            return;
        }
        self.compare_counts(pages, new);
        self.compare_told(pages, old, new);
        let (after, before) = (counts(new), counts(old));
        let grown = after.0 > before.0 || after.1 > before.1;
        let status = text(old, "subscription_status");
        if grown && !matches!(status, "active" | "trialing" | "past_due") {
            self.world
                .broken(4, format_args!("seats were added to a subscription that is {status}"));
        }
        let room = number(new, "seat_limit") - i64::try_from(after.0 + after.1).unwrap_or(i64::MAX);
        if number(new, "seats_left") != room {
            let left = number(new, "seats_left");
            self.world.broken(4, format_args!("the record leaves {left} seats, the limit {room}"));
        }
        if number(new, "seats_left") < 0 {
            self.world.broken(4, "there are more seats than the limit allows");
        }
        let applied = number(new, "applied_version");
        if applied < number(old, "applied_version") {
            self.world.broken(5, "the applied version went back");
        }
        let is_behind = applied < number(new, "version");
        if is_behind != new.contains_key("behind_shard") {
            let organization = text(new, "organization");
            let marked = if is_behind { "is not marked as behind" } else { "is marked as behind" };
            self.world.broken(5, format_args!("{organization} {marked}"));
        }
    }

    /// Whether every new seat lies with its organization, and came with a billing record that
    /// counts it.
    fn compare_seats(&self, pages: &Pages, images: &[Images<'_>]) {
        let records = images.iter().filter_map(|images| images.new);
        let records = records.filter(|new| text(new, "sk") == "BILLING");
        let counted: BTreeSet<_> = records.map(|record| text(record, "organization")).collect();
        let changed = images.iter().filter_map(|images| Some((images.old?, images.new?)));
        for (old, seat) in changed.filter(|(_, new)| text(new, "sk").starts_with("SEAT#")) {
            let id = text(seat, "id");
            let is_count_due =
                text(seat, "status") == "deactivated" || text(old, "tier") != text(seat, "tier");
            if is_count_due && !counted.contains(text(seat, "organization")) {
                self.world.broken(4, format_args!("the end or the tier of {id} is not counted"));
            }
            let names = |entry: &&Row| {
                text(entry, "sk").starts_with("AUDIT#") && entry["objects"].to_string().contains(id)
            };
            match images.iter().filter_map(|images| images.new).find(names) {
                None => self.world.broken(4, format_args!("nothing says who changed {id}")),
                // Whoever is asked by nobody ends what is to end, and nothing else.
                Some(entry) if text(entry, "credential").is_empty() => {
                    if text(old, "ends_at").is_empty() {
                        self.world.broken(8, format_args!("{id} was not to end"));
                    }
                }
                Some(_) => {}
            }
        }
        let new = images.iter().filter(|images| images.old.is_none());
        let new = new.filter_map(|images| images.new);
        for seat in new.filter(|new| text(new, "sk").starts_with("SEAT#")) {
            let organization = text(seat, "organization");
            if !pages.organization.values().any(|tenant| tenant == organization)
                || text(seat, "pk") != format!("ORG#{organization}")
            {
                let pk = text(seat, "pk");
                self.world.broken(8, format_args!("a seat of {organization} lies in {pk}"));
            }
            if !counted.contains(organization) {
                self.world.broken(4, format_args!("a seat of {organization} is not counted"));
            }
        }
    }

    fn compare_counts(&self, pages: &Pages, record: &Row) {
        let organization = text(record, "organization");
        let there = pages.seats.get(organization).copied().unwrap_or_default();
        let counted = counts(record);
        if counted != there {
            self.world.broken(
                4,
                format_args!("{organization} has {there:?} seats and its record says {counted:?}"),
            );
        }
    }

    /// Says which seats should have ended with the period that ends at `end`, in Unix seconds.
    pub(crate) fn check_ended(&self, items: &[Row], end: i64) {
        for seat in items.iter().filter(|item| text(item, "sk").starts_with("SEAT#")) {
            let ends_at = text(seat, "ends_at").parse::<Timestamp>();
            if ends_at.is_ok_and(|ends_at| ends_at.as_second() < end) {
                let id = text(seat, "id");
                self.world.broken(5, format_args!("{id} is billed for a period after its end"));
            }
        }
    }

    /// Looks at what became of seats and accounts.
    pub(crate) fn lives<T>(&self, look: impl FnOnce(&Lives) -> T) -> T {
        look(&lock(&self.pages).lives)
    }

    /// Whether a seat of an organization has gone into another tier.
    pub(crate) fn is_moved(&self, organization: &str) -> bool {
        lock(&self.pages).moved.contains(organization)
    }

    /// How many seats an organization has.
    pub(crate) fn seats(&self, organization: &str) -> Counts {
        lock(&self.pages).seats.get(organization).copied().unwrap_or_default()
    }

    /// The most that Stripe was told of an organization's seats.
    pub(crate) fn most(&self, organization: &str) -> Counts {
        lock(&self.pages).most.get(organization).copied().unwrap_or_default()
    }

    /// Takes what Stripe bills before and after a call of ours: what the call changed, it changed to
    /// what there was once, if not to what there is.
    pub(crate) fn billed(&self, key: &str, before: &Value, after: &Value) {
        let id = after["id"].as_str().unwrap_or_default();
        let mut pages = lock(&self.pages);
        let Some(organization) = pages.organization.get(id).cloned() else { return };
        let there = pages.seats.get(&organization).copied().unwrap_or_default();
        let (before, billed) = (quantities(before), quantities(after));
        pages.asked.entry(key.to_owned()).or_insert(billed);
        self.world.note(format_args!("Stripe bills {billed:?} of {there:?}"));
        let ever = pages.ever.get(&organization);
        let ever = ever.into_iter().flatten().copied().chain([(0, 0)]);
        let (basic, premium): (BTreeSet<u64>, BTreeSet<u64>) = ever.unzip();
        let is_made_up = |before: u64, billed: u64, ever: &BTreeSet<u64>| {
            billed != before && !ever.contains(&billed)
        };
        if is_made_up(before.0, billed.0, &basic) || is_made_up(before.1, billed.1, &premium) {
            self.world.broken(
                5,
                format_args!("{organization} is billed for {billed:?} and never had as many"),
            );
        }
        let most = pages.most.entry(organization).or_default();
        *most = (most.0.max(billed.0), most.1.max(billed.1));
    }
}

struct Images<'r> {
    old: Option<&'r Row>,
    new: Option<&'r Row>,
}

impl<'r> Images<'r> {
    fn of(record: &'r Value) -> Self {
        let image = |name: &str| record["dynamodb"][name].as_object();
        Self { old: image("OldImage"), new: image("NewImage") }
    }
}

fn counts(record: &Row) -> Counts {
    let count = |name| u64::try_from(number(record, name)).unwrap_or(u64::MAX);
    (count("seats_basic"), count("seats_premium"))
}

/// The quantities of a subscription by what its items cost: 40 and 100 dollars.
pub(crate) fn quantities(subscription: &Value) -> Counts {
    let of = |cents: u64| {
        let items = subscription["items"]["data"].as_array().into_iter().flatten();
        let of_price = items.filter(|item| item["price"]["unit_amount"].as_u64() == Some(cents));
        of_price.filter_map(|item| item["quantity"].as_u64()).sum()
    };
    (of(4_000), of(10_000))
}
