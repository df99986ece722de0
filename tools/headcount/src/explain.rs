//! What Stripe was told of an organization's seats, by whose doing, what it answered, and which lines of
//! which invoice came of it.

use std::collections::BTreeSet;

use clap::Args;
use headcount_billing::StripeFailure;
use headcount_billing::stripe::Stripe;
use headcount_model::billing::{ProrationBehavior, RememberedItems, SeatCounts};
use headcount_model::credential::LookupFailed;
use headcount_model::history::{Change, Entry, MAX_PAGE, Outcome, Told};
use headcount_model::id::{OrganizationId, micros};
use headcount_model::seats::Tier;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::report::Report;
use crate::target::Target;

/// How far our clock and Stripe's may lie apart, in seconds.
const TOLERANCE: i64 = 5;

/// Which entries.
#[derive(Args)]
pub(crate) struct Explain {
    /// The organization.
    #[arg(value_name = "ORG", value_parser = OrganizationId::parse)]
    org: OrganizationId,
    /// The most entries of the history, from the newest on.
    #[arg(
        long,
        value_name = "ENTRIES",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_PAGE))
    )]
    limit: u16,
}

impl Explain {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        let (table, stripe) = (target.table().await?, target.stripe()?);
        let row = table
            .billing_row(&self.org)
            .await?
            .ok_or_else(|| Failure::new(format!("{} has no billing record", self.org)))?;
        let page = table.told(&self.org, None, self.limit).await?;
        let lines = lines(&stripe, row.stripe_customer.as_deref(), &page.entries).await?;
        let told: Vec<&Told> = page.entries.iter().map(|entry| &entry.told).collect();
        let found = matched(&told, &lines);
        let entries = page.entries.iter().zip(found);
        let entries: Vec<Value> =
            entries.map(|(entry, found)| shown(entry, &found, &lines)).collect();
        Ok(Report::new()
            .field("org", self.org.as_str())
            .field("version", row.version)
            .field("applied_version", row.applied_version)
            .field("history", entries)
            .field("more", page.next.is_some())
            .note(
                "A line is certain when no other update can have made it: two of one second and one \
                 quantity look the same on an invoice.",
            ))
    }
}

impl From<LookupFailed> for Failure {
    fn from(_: LookupFailed) -> Self {
        Self::new("the table did not answer, or not what it should; see the log").advise(
            "Check --table, AWS_REGION, AWS_ENDPOINT_URL and the AWS credentials, then repeat \
             the command.",
        )
    }
}

// ------------------------------------------------------------------------ What Stripe has

/// A line of an invoice, or what waits to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    id: String,
    /// The invoice, `in_…`; `None` for what waits for the next one.
    invoice: Option<String>,
    /// How the invoice stands.
    status: Option<String>,
    /// The subscription's item, `si_…`.
    item: String,
    /// Whether it is for a part of a period.
    is_proration: bool,
    /// Cents; below zero it is a credit.
    amount: i64,
    quantity: u64,
    /// Unix seconds.
    start: i64,
    end: i64,
    description: Option<String>,
}

/// The lines that entries can have made: of the invoices of their subscriptions, and what waits for the
/// next. That is read from the pending invoice items and not from a preview, whose lines cannot be listed.
async fn lines(
    stripe: &Stripe,
    customer: Option<&str>,
    entries: &[Entry],
) -> Result<Vec<Line>, StripeFailure> {
    let mut lines = Vec::new();
    let Some(oldest) = entries.iter().map(|entry| entry.told.begun_at).min() else {
        return Ok(lines);
    };
    let subscriptions: BTreeSet<&str> =
        entries.iter().map(|entry| entry.told.subscription.as_str()).collect();
    let since = (oldest.as_second() - TOLERANCE).to_string();
    for subscription in &subscriptions {
        let query = [("subscription", *subscription), ("created[gte]", &since)];
        for invoice in all::<InvoiceObject>(stripe, "/v1/invoices", &query).await? {
            let InvoiceObject { id, status, lines: first } = invoice;
            let objects = if first.has_more {
                all::<LineObject>(stripe, &format!("/v1/invoices/{id}/lines"), &[]).await?
            } else {
                first.data
            };
            let objects = objects.into_iter().filter_map(|line| line.of(&id, status.as_deref()));
            lines.extend(objects);
        }
    }
    if let Some(customer) = customer {
        let query = [("customer", customer), ("pending", "true")];
        let pending = all::<PendingObject>(stripe, "/v1/invoiceitems", &query).await?;
        lines.extend(pending.into_iter().filter_map(|item| item.line(&subscriptions)));
    }
    Ok(lines)
}

/// A list to its end (<https://docs.stripe.com/api/pagination>).
async fn all<T: DeserializeOwned + Identified>(
    stripe: &Stripe,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Vec<T>, StripeFailure> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let mut query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        query.push(("limit".to_owned(), "100".to_owned()));
        let last = all.last().map(|last| ("starting_after".to_owned(), last.id().to_owned()));
        query.extend(last);
        let page: List<T> = stripe.get(path, &query).await?;
        let is_end = !page.has_more || page.data.is_empty();
        all.extend(page.data);
        if is_end {
            return Ok(all);
        }
    }
}

trait Identified {
    fn id(&self) -> &str;
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct PeriodObject {
    start: i64,
    end: i64,
}

/// <https://docs.stripe.com/api/invoices/object>
#[derive(Deserialize)]
struct InvoiceObject {
    id: String,
    status: Option<String>,
    lines: List<LineObject>,
}

impl Identified for InvoiceObject {
    fn id(&self) -> &str {
        &self.id
    }
}

/// <https://docs.stripe.com/api/invoice-line-item/object>. Since 2025-03-31 a line names its subscription's
/// item and whether it is a proration in its `parent` alone.
#[derive(Deserialize)]
struct LineObject {
    id: String,
    amount: i64,
    quantity: Option<u64>,
    description: Option<String>,
    period: PeriodObject,
    parent: Option<LineParent>,
}

#[derive(Deserialize)]
struct LineParent {
    subscription_item_details: Option<LineDetails>,
}

#[derive(Deserialize)]
struct LineDetails {
    subscription_item: Option<String>,
    #[serde(default)]
    proration: bool,
}

impl Identified for LineObject {
    fn id(&self) -> &str {
        &self.id
    }
}

impl LineObject {
    /// `None` for what is of no item of a subscription.
    fn of(self, invoice: &str, status: Option<&str>) -> Option<Line> {
        let details = self.parent?.subscription_item_details?;
        Some(Line {
            id: self.id,
            invoice: Some(invoice.to_owned()),
            status: status.map(str::to_owned),
            item: details.subscription_item?,
            is_proration: details.proration,
            amount: self.amount,
            quantity: self.quantity.unwrap_or(0),
            start: self.period.start,
            end: self.period.end,
            description: self.description,
        })
    }
}

/// <https://docs.stripe.com/api/invoiceitems/object>
#[derive(Deserialize)]
struct PendingObject {
    id: String,
    amount: i64,
    quantity: Option<u64>,
    description: Option<String>,
    period: PeriodObject,
    #[serde(default)]
    proration: bool,
    parent: Option<PendingParent>,
}

#[derive(Deserialize)]
struct PendingParent {
    subscription_details: Option<PendingDetails>,
}

#[derive(Deserialize)]
struct PendingDetails {
    subscription: String,
    subscription_item: Option<String>,
}

impl Identified for PendingObject {
    fn id(&self) -> &str {
        &self.id
    }
}

impl PendingObject {
    /// `None` for what is of no item of these subscriptions.
    fn line(self, subscriptions: &BTreeSet<&str>) -> Option<Line> {
        let details = self.parent?.subscription_details?;
        if !subscriptions.contains(details.subscription.as_str()) {
            return None;
        }
        Some(Line {
            id: self.id,
            invoice: None,
            status: None,
            item: details.subscription_item?,
            is_proration: self.proration,
            amount: self.amount,
            quantity: self.quantity.unwrap_or(0),
            start: self.period.start,
            end: self.period.end,
            description: self.description,
        })
    }
}

// ------------------------------------------------------------------------ What came of what

/// A line that an entry made, or may have made: its place, and whether no other can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    line: usize,
    is_certain: bool,
}

/// The lines of each entry. A line goes to every entry that can have made it.
fn matched(entries: &[&Told], lines: &[Line]) -> Vec<Vec<Found>> {
    let mut found = vec![Vec::new(); entries.len()];
    for (place, line) in lines.iter().enumerate() {
        let makers: Vec<usize> = if line.is_proration {
            (0..entries.len()).filter(|&n| prorates(entries[n], line, lines)).collect()
        } else {
            renews(entries, line).into_iter().collect()
        };
        for &maker in &makers {
            found[maker].push(Found { line: place, is_certain: makers.len() == 1 });
        }
    }
    found
}

/// Whether an entry can have made a proration: it changed the quantity of the item, at that moment, to the
/// quantity that is charged. A credit goes with the charge of its moment: of what it gives back the
/// quantities are those of earlier charges.
fn prorates(told: &Told, line: &Line, lines: &[Line]) -> bool {
    let is_prorated = told.proration != ProrationBehavior::None;
    if !is_taken(told) || !is_prorated || !is_within(told, line.start) {
        return false;
    }
    let Some((before, after)) = quantities(told, &line.item) else { return false };
    if before == Some(after) {
        return false;
    }
    if line.amount > 0 {
        return line.quantity == after;
    }
    let mut charges = lines.iter().filter(|other| {
        let is_beside = (&other.item, other.start) == (&line.item, line.start);
        is_beside && other.is_proration && other.amount > 0
    });
    let is_beside_none = charges.clone().next().is_none();
    charges.any(|charge| charge.quantity == after) || is_beside_none
}

/// The entry whose quantity a full period is charged for: the last one that was told before it began.
fn renews(entries: &[&Told], line: &Line) -> Option<usize> {
    // An item without seats has a line that says so on every invoice.
    let told_before = |told: &Told| {
        line.quantity > 0
            && is_taken(told)
            && told.answered_at.as_second() <= line.start
            && quantities(told, &line.item).is_some()
    };
    let candidates = (0..entries.len()).filter(|&n| told_before(entries[n]));
    let newest = candidates.max_by_key(|&n| (entries[n].version, entries[n].answered_at))?;
    let (_, after) = quantities(entries[newest], &line.item)?;
    (after == line.quantity).then_some(newest)
}

fn is_taken(told: &Told) -> bool {
    !matches!(told.outcome, Outcome::Failed { .. })
}

/// Whether Stripe can have carried out an update at a second of its clock.
fn is_within(told: &Told, second: i64) -> bool {
    let from = told.begun_at.as_second() - TOLERANCE;
    let to = told.answered_at.as_second() + TOLERANCE;
    (from..=to).contains(&second)
}

/// The quantities of an item before and after an update; `None` when the update was not about it.
fn quantities(told: &Told, item: &str) -> Option<(Option<u64>, u64)> {
    let is_its = |tier: &Tier| told.items.of(*tier) == Some(item);
    let tier = Tier::ALL.into_iter().find(is_its)?;
    Some((told.before.map(|before| before.get(tier)), told.after.get(tier)))
}

// ------------------------------------------------------------------------ What is shown

fn shown(entry: &Entry, found: &[Found], lines: &[Line]) -> Value {
    let Entry { told, changes } = entry;
    let RememberedItems { basic, premium } = &told.items;
    let (error, failures) = match &told.outcome {
        Outcome::Failed { error, times } => {
            (json!({"code": error.code, "message": error.message}), *times)
        }
        Outcome::Partly | Outcome::Told => (Value::Null, 0),
    };
    let of = |found: &Found| {
        let Line { id, invoice, status, item, is_proration, amount, quantity, start, end, .. } =
            &lines[found.line];
        json!({
            "id": id,
            "invoice": invoice,
            "status": status.as_deref().unwrap_or("pending"),
            "item": item,
            "proration": is_proration,
            "amount": amount,
            "quantity": quantity,
            "period": {"start": start, "end": end},
            "description": lines[found.line].description,
            "certain": found.is_certain,
        })
    };
    let seats = |seats: SeatCounts| json!({"basic": seats.basic, "premium": seats.premium});
    json!({
        "version": told.version,
        "since": told.since,
        "outcome": told.outcome.as_str(),
        "error": error,
        "failures": failures,
        "before": told.before.map(seats),
        "after": seats(told.after),
        "proration_behavior": told.proration.as_str(),
        "begun_at": micros(told.begun_at),
        "answered_at": micros(told.answered_at),
        "stripe": {
            "request": told.request_id,
            "idempotency_key": told.key,
            "subscription": told.subscription,
            "item_basic": basic,
            "item_premium": premium,
        },
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "lines": found.iter().map(of).collect::<Vec<_>>(),
    })
}

fn change(change: &Change) -> Value {
    let by = change.by.as_ref();
    json!({
        "version": change.version,
        "at": micros(change.at),
        "credential": by.map(|by| by.credential.as_str()),
        "request": by.map(|by| by.request_id.as_str()),
        "basic": change.seats.basic,
        "premium": change.seats.premium,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    /// An update of basic seats.
    fn told(version: u64, second: i64, before: u64, after: u64) -> Told {
        let basic = |basic| SeatCounts { basic, premium: 0 };
        Told {
            version,
            since: version - 1,
            outcome: Outcome::Told,
            before: Some(basic(before)),
            after: basic(after),
            proration: ProrationBehavior::CreateProrations,
            subscription: "sub_1".to_owned(),
            items: RememberedItems {
                basic: Some("si_b".to_owned()),
                premium: Some("si_p".to_owned()),
            },
            key: format!("k{version}"),
            request_id: None,
            begun_at: at(second),
            answered_at: at(second),
        }
    }

    fn line(item: &str, start: i64, quantity: u64, amount: i64) -> Line {
        Line {
            id: "il_1".to_owned(),
            invoice: None,
            status: None,
            item: item.to_owned(),
            is_proration: true,
            amount,
            quantity,
            start,
            end: 9_999,
            description: None,
        }
    }

    fn places(entries: &[Told], lines: &[Line]) -> Vec<Vec<(usize, bool)>> {
        let entries: Vec<&Told> = entries.iter().collect();
        let found = matched(&entries, lines).into_iter();
        found
            .map(|found| found.iter().map(|found| (found.line, found.is_certain)).collect())
            .collect()
    }

    #[test]
    fn a_change_made_the_credit_and_the_charge_of_its_moment() {
        let entries = [told(2, 200, 1, 3), told(1, 100, 0, 1)];
        let lines = [
            line("si_b", 100, 1, 4_000),
            line("si_b", 200, 1, -3_900),
            line("si_b", 200, 3, 11_700),
            line("si_p", 200, 3, 9_900),
            line("si_b", 300, 3, 11_000),
        ];
        assert_eq!(places(&entries, &lines), [vec![(1, true), (2, true)], vec![(0, true)]]);
    }

    #[test]
    fn clocks_may_lie_a_little_apart() {
        let entries = [told(1, 100, 0, 1)];
        let on = |second| places(&entries, &[line("si_b", second, 1, 4_000)])[0].len();
        assert_eq!([94, 95, 105, 106].map(on), [0, 1, 1, 0]);
        // A call that was cut off may have been carried out at any time until it was answered.
        let entries = [Told { answered_at: at(900), ..told(1, 100, 0, 1) }];
        assert_eq!(places(&entries, &[line("si_b", 500, 1, 4_000)])[0], [(0, true)]);
    }

    #[test]
    fn what_cannot_be_told_apart_is_said_to_be_so() {
        // Up, down and up again within the same seconds: both ended with three.
        let entries = [told(3, 102, 2, 3), told(2, 101, 3, 2), told(1, 100, 1, 3)];
        let lines = [line("si_b", 101, 3, 11_000), line("si_b", 101, 2, 7_000)];
        let found = places(&entries, &lines);
        assert_eq!(found, [vec![(0, false)], vec![(1, true)], vec![(0, false)]]);
    }

    #[test]
    fn what_was_told_without_proration_or_in_vain_made_none() {
        let lines = [line("si_b", 100, 1, 4_000)];
        let without = Told { proration: ProrationBehavior::None, ..told(1, 100, 0, 1) };
        let error = headcount_model::billing::BillingError {
            code: "card_declined".to_owned(),
            message: String::new(),
            request_id: None,
        };
        let failed = Told { outcome: Outcome::Failed { error, times: 1 }, ..told(1, 100, 0, 1) };
        for entry in [without, failed, told(1, 100, 1, 1)] {
            assert_eq!(places(&[entry], &lines), [vec![]]);
        }
    }

    #[test]
    fn a_credit_alone_goes_with_the_update_of_its_moment() {
        let entries = [told(2, 200, 3, 0), told(1, 100, 0, 3)];
        let lines = [line("si_b", 200, 3, -11_000)];
        assert_eq!(places(&entries, &lines), [vec![(0, true)], vec![]]);
    }

    #[test]
    fn a_line_of_no_seats_is_nobodys() {
        let none = Line { is_proration: false, ..line("si_p", 200, 0, 0) };
        assert_eq!(places(&[told(1, 100, 0, 1)], &[none]), [vec![]]);
    }

    #[test]
    fn a_full_period_is_the_last_update_before_it() {
        let entries = [told(3, 300, 2, 5), told(2, 200, 1, 2), told(1, 100, 0, 1)];
        let renewal =
            |start, quantity| Line { is_proration: false, ..line("si_b", start, quantity, 1) };
        let lines = [renewal(250, 2), renewal(350, 5), renewal(350, 4), renewal(50, 1)];
        assert_eq!(places(&entries, &lines), [vec![(1, true)], vec![(0, true)], vec![]]);
    }
}
