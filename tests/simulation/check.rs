//! What has to be true when everything has come to rest (DESIGN, "Invariants").

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::fewer::FewerSeats;
use headcount_tests::Reply;
use serde_json::Value;

use crate::books::{Books, Counts, quantities};
use crate::callers::{Api, Request, created};
use crate::stack::{AgencyTenant, Stack, Tenant};
use crate::table::{Row, number, text};

/// What is looked at.
pub(crate) struct Rest<'r> {
    pub(crate) stack: &'r Stack,
    pub(crate) tenants: &'r [Tenant],
    pub(crate) agencies: &'r [AgencyTenant],
    pub(crate) books: &'r Books,
    pub(crate) requests: &'r [Request],
    pub(crate) items: &'r [Row],
    /// What the functions logged, where it was kept.
    pub(crate) logs: Option<&'r str>,
    /// Whether somebody changed statuses of subscriptions.
    pub(crate) statuses_changed: bool,
    /// Whether nothing was lost, given up or changed by hand.
    pub(crate) is_all_heard: bool,
    /// Whether reconcile-billing makes versions of its own.
    pub(crate) corrects: bool,
    /// Whether the limits of seats are low.
    pub(crate) limits_are_low: bool,
    /// Whether Stripe was down and nothing else went wrong.
    pub(crate) is_outage: bool,
    /// Whether somebody took the parent's flag away.
    pub(crate) parents_changed: bool,
}

impl Rest<'_> {
    fn broken(&self, invariant: u8, what: impl std::fmt::Display) {
        self.stack.world.broken(invariant, what);
    }

    /// Everything that needs no convergence with Stripe.
    pub(crate) fn check(&self) {
        self.check_statuses();
        self.check_owners();
        let mut of_key: BTreeMap<_, Vec<&Request>> = BTreeMap::new();
        for request in self.requests {
            if let Api::Endings(tenant) = request.api {
                self.check_ending(request, &self.tenants[tenant]);
                continue;
            }
            match &request.key {
                Some(key) => of_key.entry((request.caller(), key)).or_default().push(request),
                None => self.check_unkeyed(request),
            }
        }
        for requests in of_key.values() {
            self.check_key(requests);
        }
        self.check_ended();
        self.check_emails();
        self.check_slugs();
        self.check_events();
        self.check_authors();
        self.check_secrets();
    }

    // ------------------------------------------------------------------------ Requests

    /// No answer is a 5xx but the documented 503, and each refusal has its reason.
    fn check_statuses(&self) {
        // Nothing but the table can keep a create waiting.
        let may_fail = self.stack.world.faults(|faults| faults.aws > 0);
        for request in self.requests {
            for reply in &request.replies {
                if self.is_outage && matches!(reply.status, 429 | 503) {
                    self.broken(11, format_args!("{} failed because of Stripe", request.mark));
                }
                let is_expected = match (request.api, reply.status) {
                    (_, 422) if self.is_key_shared(request) => true,
                    (Api::Endings(_), 404) => request.is_foreign,
                    (Api::Endings(_), 409) => request.is_revocation(),
                    (Api::Endings(_), 200) => !request.is_foreign,
                    (_, 503) => may_fail && reply.header("retry-after") == "1",
                    (_, 429) => may_fail && !reply.header("retry-after").is_empty(),
                    (_, status) if request.is_foreign => matches!(status, 403 | 422),
                    (Api::Seats(_) | Api::Agency(_), 200) | (Api::Identity, 201 | 409) => true,
                    (Api::Seats(_), 402) => self.statuses_changed,
                    (Api::Seats(_), 409) => self.limits_are_low,
                    (Api::Agency(_), 422) => self.parents_changed,
                    _ => false,
                };
                if !is_expected {
                    let (mark, status, text) = (&request.mark, reply.status, &reply.text);
                    self.broken(10, format_args!("{mark} was answered {status}: {text}"));
                }
            }
        }
    }

    /// Whether a request with another body has the same key.
    fn is_key_shared(&self, request: &Request) -> bool {
        request.key.is_some()
            && self.requests.iter().any(|other| {
                other.caller() == request.caller()
                    && other.key == request.key
                    && other.mark != request.mark
            })
    }

    /// What a request made, wherever it lies.
    fn items_of<'s>(&'s self, request: &'s Request) -> impl Iterator<Item = &'s Row> {
        let is_mine = move |item: &&Row| {
            let sk = text(item, "sk");
            match request.api {
                Api::Seats(_) => sk.starts_with("SEAT#") && text(item, "tag") == request.mark,
                Api::Endings(_) => false,
                Api::Agency(_) => {
                    sk.starts_with("ACCOUNT#") && text(item, "description") == request.mark
                }
                Api::Identity => sk == "ACCOUNT" && text(item, "name") == request.mark,
            }
        };
        self.items.iter().filter(is_mine)
    }

    /// The ids of what a request made, as the table has them.
    fn made(&self, request: &Request) -> BTreeSet<String> {
        let name = if matches!(request.api, Api::Agency(_)) { "lcuid" } else { "id" };
        self.items_of(request).map(|item| text(item, name).to_owned()).collect()
    }

    /// What a request made lies with its caller and tells of its credential; in another's name it made nothing.
    fn check_owners(&self) {
        for request in self.requests {
            let (owner, credential) = match request.api {
                Api::Seats(tenant) => {
                    let tenant = &self.tenants[tenant];
                    (format!("ORG#{}", tenant.organization), tenant.api_key.as_str())
                }
                Api::Agency(agency) => {
                    let agency = &self.agencies[agency];
                    (format!("AGENCY#{}", agency.lcuid), agency.token.as_str())
                }
                Api::Endings(_) | Api::Identity => continue,
            };
            let creator = credential.split('_').nth(1);
            for item in self.items_of(request) {
                let (mark, pk) = (&request.mark, text(item, "pk"));
                if request.is_foreign || pk != owner {
                    self.broken(8, format_args!("{mark} of {owner} made something in {pk}"));
                }
                let told = text(item, "created_by").split(' ').next();
                if told != creator {
                    self.broken(13, format_args!("{mark} was made by {creator:?}, not {told:?}"));
                }
            }
        }
    }

    /// Without a key each sending may have an effect; what was acknowledged has one of its own.
    fn check_unkeyed(&self, request: &Request) {
        let made = self.made(request);
        let told: Vec<_> = successes(request).map(|reply| told(request.api, reply)).collect();
        let all: BTreeSet<_> = told.iter().flatten().cloned().collect();
        let count: usize = told.iter().map(Vec::len).sum();
        let mark = &request.mark;
        if all.len() != count || !all.is_subset(&made) {
            self.broken(5, format_args!("{mark} was told of {told:?}, and there are {made:?}"));
        }
        let is_whole = request.count > 98 || made.len().is_multiple_of(request.count);
        if !is_whole || made.len() > request.count * request.sent {
            let (count, sent) = (request.count, request.sent);
            let there = made.len();
            self.broken(4, format_args!("{mark} asked {sent} times for {count} and made {there}"));
        }
    }

    /// What was acknowledged is done, and under a key has one answer.
    fn check_ending(&self, request: &Request, tenant: &Tenant) {
        let mark = &request.mark;
        let pk = format!("ORG#{}", tenant.organization);
        if successes(request).next().is_some() {
            for id in named(request) {
                let is_it = |item: &&Row| text(item, "pk") == pk && text(item, "id") == id;
                let seat = self.items.iter().find(is_it);
                let (status, ends_at) =
                    seat.map_or(("", ""), |seat| (text(seat, "status"), text(seat, "ends_at")));
                let (has_ended, is_to_end) = (status == "deactivated", !ends_at.is_empty());
                if request.is_revocation() {
                    // Some seconds after its sender gave up a call may still arrive.
                    let since = request.sent_at.0.saturating_sub(60_000_000);
                    let is_asked = self.is_to_end(&id, |other| other.sent_at.1 >= since);
                    // What another request was told under this key it did before.
                    let is_first = |reply: &Reply| reply.header("idempotency-replayed").is_empty();
                    let is_done = successes(request).any(is_first);
                    if is_done && (has_ended || is_to_end) && !is_asked {
                        self.broken(5, format_args!("{mark} revoked the end of {id}"));
                    }
                } else if !has_ended && !is_to_end && !self.is_revoked(&id) {
                    self.broken(5, format_args!("{mark} was told of the end of {id}"));
                }
            }
        }
        if request.key.is_some() {
            let bodies: BTreeSet<_> = successes(request).map(|reply| &reply.text).collect();
            let is_first = |reply: &&Reply| reply.header("idempotency-replayed").is_empty();
            let first = successes(request).filter(is_first).count();
            // Of several transactions each may be another sender's.
            let parts = named(request).len().div_ceil(97);
            if bodies.len() > 1 || first > parts {
                self.broken(1, format_args!("{mark} was answered {first} times: {bodies:?}"));
            }
        }
    }

    /// Whether some request gives a seat back.
    fn is_to_end(&self, id: &str, is_meant: impl Fn(&Request) -> bool) -> bool {
        self.requests.iter().any(|request| {
            matches!(request.api, Api::Endings(_))
                && !request.is_revocation()
                && is_meant(request)
                && named(request).iter().any(|named| named == id)
        })
    }

    /// Whether some request lets a seat stay.
    fn is_revoked(&self, id: &str) -> bool {
        self.requests.iter().any(|request| {
            request.is_revocation() && named(request).iter().any(|named| named == id)
        })
    }

    /// Nobody but its own organization has ended a seat.
    fn check_ended(&self) {
        let ended_seats = self.items.iter().filter(|item| {
            text(item, "sk").starts_with("SEAT#") && text(item, "status") == "deactivated"
        });
        for seat in ended_seats {
            let (id, pk) = (text(seat, "id"), text(seat, "pk"));
            let is_asked = self.requests.iter().any(|request| match request.api {
                Api::Endings(tenant) => {
                    let own = format!("ORG#{}", self.tenants[tenant].organization);
                    own == pk
                        && !request.is_revocation()
                        && named(request).iter().any(|asked| asked == id)
                }
                _ => false,
            });
            if !is_asked {
                self.broken(8, format_args!("nobody of {pk} has ended {id}"));
            }
        }
    }

    /// All requests under one key of one caller.
    fn check_key(&self, requests: &[&Request]) {
        let effective: Vec<_> =
            requests.iter().filter(|request| !self.made(request).is_empty()).collect();
        let answered: BTreeSet<_> = requests
            .iter()
            .filter(|request| successes(request).next().is_some())
            .map(|request| &request.mark)
            .collect();
        if effective.len() > 1 || answered.len() > 1 {
            let marks: Vec<_> = effective.iter().map(|request| &request.mark).collect();
            self.broken(
                2,
                format_args!("under one key {marks:?} had effects and {answered:?} were answered"),
            );
        }
        for request in requests {
            self.check_keyed(request);
        }
    }

    /// One request under a key: one effect, one answer.
    fn check_keyed(&self, request: &Request) {
        let made = self.made(request);
        let mark = &request.mark;
        let is_series = request.count > 98;
        let is_whole = if is_series {
            made.len() <= request.count
        } else {
            made.is_empty() || made.len() == request.count
        };
        if !is_whole {
            let (count, there) = (request.count, made.len());
            self.broken(1, format_args!("{mark} asked for {count} under a key and made {there}"));
        }
        let mut longest: Option<Vec<String>> = None;
        for reply in successes(request) {
            let told = told(request.api, reply);
            let (short, long) = match &longest {
                Some(longest) if longest.len() >= told.len() => (told.clone(), longest.clone()),
                Some(longest) => (longest.clone(), told.clone()),
                None => (Vec::new(), told.clone()),
            };
            if !long.starts_with(&short) || (!is_series && !short.is_empty() && short != long) {
                self.broken(1, format_args!("{mark} was told of {short:?} and of {long:?}"));
            }
            if !long.iter().all(|id| made.contains(id)) {
                self.broken(5, format_args!("{mark} was told of {long:?}, and there are {made:?}"));
            }
            let failed = reply.json()["data"]["failed"].as_u64().unwrap_or(0);
            if told.len() as u64 + failed != request.count as u64 {
                self.broken(4, format_args!("{mark} was told of {} and {failed}", told.len()));
            }
            longest = Some(long);
        }
        if !is_series {
            self.check_one_answer(request, !made.is_empty());
        }
    }

    /// A request under a key has the answer that it had first, which is told to be that.
    fn check_one_answer(&self, request: &Request, has_effect: bool) {
        let mark = &request.mark;
        let bodies: BTreeSet<_> = successes(request).map(|reply| &reply.text).collect();
        if bodies.len() > 1 {
            self.broken(1, format_args!("{mark} was answered differently: {bodies:?}"));
        }
        let is_first = |reply: &&Reply| reply.header("idempotency-replayed").is_empty();
        let first = successes(request).filter(is_first).count();
        if first > 1 {
            self.broken(1, format_args!("{mark} was answered {first} times as if it were new"));
        }
        // What a request took, an address or the room for its seats, is no reason to refuse it
        // when it comes again. A parent may have been none for a while, and there may have been no
        // room until seats were given back.
        let success = request.replies.iter().position(|reply| matches!(reply.status, 200 | 201));
        let success = success.unwrap_or(request.replies.len());
        let is_excused = |(at, reply): &(usize, &Reply)| match reply.status {
            422 => self.parents_changed,
            _ => *at < success && self.gives_seats_back(request.api),
        };
        let refused = request.replies.iter().enumerate();
        let mut refused = refused.filter(|(_, reply)| matches!(reply.status, 409 | 422));
        if let Some((_, reply)) = refused.find(|reply| has_effect && !is_excused(reply)) {
            let (status, text) = (reply.status, &reply.text);
            self.broken(1, format_args!("{mark} had an effect, and was answered {status}: {text}"));
        }
    }

    /// Whether the tenant of a create gave seats back, or tried to.
    fn gives_seats_back(&self, api: Api) -> bool {
        let Api::Seats(tenant) = api else { return false };
        self.requests.iter().any(|request| request.api == Api::Endings(tenant))
    }

    // ------------------------------------------------------------------------ Uniqueness

    /// One account per address, and a lock for each.
    fn check_emails(&self) {
        let mut addresses = BTreeMap::new();
        for item in self.items.iter().filter(|item| text(item, "sk") == "ACCOUNT") {
            let address = text(item, "email").to_lowercase();
            let id = text(item, "id");
            if let Some(other) = addresses.insert(address.clone(), id) {
                self.broken(3, format_args!("{address} has the accounts {other} and {id}"));
            }
        }
        let locks = self.items.iter().filter(|item| text(item, "sk") == "EMAIL");
        let locks: BTreeMap<_, _> = locks
            .map(|item| (text(item, "pk").trim_start_matches("EMAIL#"), text(item, "account")))
            .collect();
        let held: BTreeMap<_, _> =
            addresses.iter().map(|(address, id)| (&**address, *id)).collect();
        if locks != held {
            self.broken(3, format_args!("locks {locks:?} for accounts {held:?}"));
        }
    }

    /// One account per slug, and a lock for each.
    fn check_slugs(&self) {
        let mut slugs = BTreeMap::new();
        for item in self.items.iter().filter(|item| text(item, "sk").starts_with("ACCOUNT#")) {
            let (slug, id) = (text(item, "slug"), text(item, "lcuid"));
            if let Some(other) = slugs.insert(slug, id) {
                self.broken(3, format_args!("slug {slug} belongs to {other} and {id}"));
            }
        }
        let locks = self.items.iter().filter(|item| text(item, "sk") == "SLUG");
        let locks: BTreeMap<_, _> = locks
            .map(|item| (text(item, "pk").trim_start_matches("SLUG#"), text(item, "account")))
            .collect();
        if locks != slugs {
            self.broken(3, format_args!("locks {locks:?} for accounts {slugs:?}"));
        }
    }

    // ------------------------------------------------------------------------ Publication

    /// Everything that was committed was told of.
    fn check_events(&self) {
        // Each event by its type, whose it is, and of what.
        let told: BTreeSet<(&str, String, String)> = self.stack.bus.look(|events| {
            let of_records = [
                "SubscriptionStatusChanged",
                "SubscriptionEndChanged",
                "SeatLimitReached",
                "SpendingLimitReached",
            ];
            let of_creates = events.iter().filter(|event| !of_records.contains(&event.detail_type));
            let told = of_creates.map(|event| {
                let data = &event.detail["data"];
                let one_of = |names: [&str; 2]| {
                    let text = names.iter().find_map(|name| data[*name].as_str());
                    text.unwrap_or_default().to_owned()
                };
                let owner = one_of(["organization", "agency_lcuid"]);
                (event.detail_type, owner, one_of(["id", "lcuid"]))
            });
            told.collect()
        });
        let mut due: BTreeSet<(&str, String, String)> = BTreeSet::new();
        for item in self.items {
            let (sk, pk) = (text(item, "sk"), text(item, "pk"));
            let id = text(item, "id").to_owned();
            if sk.starts_with("SEAT#") {
                let owner = pk.trim_start_matches("ORG#").to_owned();
                if text(item, "status") == "deactivated" {
                    due.insert(("SeatDeactivated", owner.clone(), id.clone()));
                }
                if !text(item, "platform").is_empty() {
                    due.insert(("SeatSetupRequested", owner.clone(), id.clone()));
                }
                due.insert(("SeatCreated", owner, id));
            } else if sk == "ACCOUNT" {
                due.insert(("AccountCreated", String::new(), id));
            } else if sk.starts_with("ACCOUNT#") && !text(item, "description").is_empty() {
                let owner = pk.trim_start_matches("AGENCY#").to_owned();
                due.insert(("AgencyAccountCreated", owner, text(item, "lcuid").to_owned()));
            }
        }
        if told != due {
            let missing: Vec<_> = due.difference(&told).collect();
            let idle: Vec<_> = told.difference(&due).collect();
            self.broken(5, format_args!("not told: {missing:?}; told without reason: {idle:?}"));
        }
        self.check_status_events();
        self.check_limit_events();
        if self.stack.bus.set_aside() > 0 {
            self.broken(5, "a record of ours could not be read");
        }
    }

    /// An event tells of the status that each record has by now, unless it has had it from the start;
    /// none tells of a change that was none.
    fn check_status_events(&self) {
        let told: BTreeSet<(String, String)> = self.stack.bus.look(|events| {
            let changes =
                events.iter().filter(|event| event.detail_type == "SubscriptionStatusChanged");
            let changes = changes.map(|event| {
                let data = &event.detail["data"];
                let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
                let idle = data["from"] == data["to"];
                (text("organization"), if idle { "idle".to_owned() } else { text("to") })
            });
            changes.collect()
        });
        for item in self.items.iter().filter(|item| text(item, "sk") == "BILLING") {
            let (organization, status) =
                (text(item, "organization"), text(item, "subscription_status"));
            let is_told = told.contains(&(organization.to_owned(), status.to_owned()));
            if status != "active" && !is_told {
                self.broken(5, format_args!("{organization} is {status}, and no event says so"));
            }
            if told.contains(&(organization.to_owned(), "idle".to_owned())) {
                self.broken(5, format_args!("an event of {organization} says nothing new"));
            }
        }
    }

    /// An event tells of each threshold that a record has behind it by now.
    fn check_limit_events(&self) {
        let told: BTreeSet<(String, u64)> = self.stack.bus.look(|events| {
            let reached = events.iter().filter(|event| event.detail_type == "SeatLimitReached");
            let reached = reached.map(|event| {
                let data = &event.detail["data"];
                let organization = data["organization"].as_str().unwrap_or_default().to_owned();
                (organization, data["percent"].as_u64().unwrap_or_default())
            });
            reached.collect()
        });
        for item in self.items.iter().filter(|item| text(item, "sk") == "BILLING") {
            let (organization, limit) = (text(item, "organization"), number(item, "seat_limit"));
            let used = limit - number(item, "seats_left");
            for (percent, hundredths) in [(80, 80), (100, 100)] {
                let is_told = told.contains(&(organization.to_owned(), percent));
                if used * 100 >= limit * hundredths && !is_told {
                    self.broken(5, format_args!("{organization} has {used} of {limit}, untold"));
                }
            }
        }
    }

    /// No secret is in the table, in an event, in a message, in an answer or in a log.
    fn check_secrets(&self) {
        let Some(logs) = self.logs else { return };
        let mut secrets = vec![crate::callers::PASSWORD.to_owned()];
        secrets.extend(self.stack.signing_secret());
        let keys = self.tenants.iter().map(|tenant| &tenant.api_key);
        let keys = keys.chain(self.agencies.iter().map(|agency| &agency.token));
        secrets.extend(keys.map(|key| key.rsplit('_').next().unwrap_or_default().to_owned()));
        let items = self.items.iter().map(|item| Value::Object(item.clone()).to_string());
        let events = self.stack.bus.look(|events| {
            let texts = events.iter().map(|event| event.detail.to_string());
            texts.collect::<Vec<_>>()
        });
        let replies = self.requests.iter().flat_map(|request| &request.replies);
        let replies = replies.map(|reply| reply.text.clone());
        let messages = self.stack.queue.every_body();
        let texts = items.chain(events).chain(messages).chain(replies).chain([logs.to_owned()]);
        for text in texts {
            for secret in secrets.iter().filter(|secret| text.contains(secret.as_str())) {
                let text: String = text.chars().take(2_000).collect();
                self.broken(9, format_args!("{secret} is in {text}"));
            }
        }
    }

    // ------------------------------------------------------------------------ History

    /// Each version says who made it: a key of the organization and no other's. What reconcile-billing ends
    /// is nobody's doing, and each time has an entry of the audit.
    fn check_authors(&self) {
        for tenant in self.tenants {
            let Some(record) = self.record(tenant) else { continue };
            let pk = text(record, "pk");
            let own =
                |item: &&Row| text(item, "pk") == pk && text(item, "sk").starts_with("AUTHOR#");
            let authors: BTreeMap<i64, &str> = self
                .items
                .iter()
                .filter(own)
                .map(|item| (number(item, "version"), text(item, "credential")))
                .collect();
            let key = tenant.api_key.split('_').nth(1).unwrap_or_default();
            let due = |item: &&Row| {
                text(item, "pk") == pk
                    && text(item, "sk").starts_with("AUDIT#")
                    && text(item, "route") == "reconcile-billing"
            };
            let mut ended = self.items.iter().filter(due).count();
            for (version, author) in &authors {
                let mut is_nobody = author.is_empty() && (self.corrects || !self.is_all_heard);
                if author.is_empty() && !is_nobody && ended > 0 {
                    ended -= 1;
                    is_nobody = true;
                }
                if *author != key && !is_nobody {
                    self.broken(13, format_args!("{version} of {pk} was made by {author:?}"));
                }
            }
            let versions = 1..=number(record, "version");
            let missing: Vec<_> =
                versions.filter(|version| !authors.contains_key(version)).collect();
            if self.is_all_heard && !missing.is_empty() {
                self.broken(13, format_args!("nothing says who made {missing:?} of {pk}"));
            }
        }
    }

    // ------------------------------------------------------------------------ Billing

    /// Whether seats, record and Stripe agree about every organization.
    pub(crate) fn check_billing(&self) {
        for tenant in self.tenants {
            if let Err(why) = self.agreement(tenant) {
                self.broken(5, why);
            }
        }
        let (waiting, dead) = self.stack.queue.left();
        if !waiting.is_empty() {
            self.broken(6, format_args!("{} messages are left in the queue", waiting.len()));
        }
        let is_poison = |body: &str| headcount_billing::message::decode(body).is_err();
        for message in dead {
            let mut tenants = self.tenants.iter();
            let tenant = tenants.find(|tenant| tenant.organization.as_str() == message.group);
            let is_ended = || tenant.is_some_and(|tenant| has_ended(&self.subscription(tenant)));
            if !is_poison(&message.body) && !is_ended() {
                self.broken(7, format_args!("a message of {} is dead", message.group));
            }
        }
    }

    fn subscription(&self, tenant: &Tenant) -> Value {
        self.stack.account.subscription(&tenant.subscription)
    }

    fn agreement(&self, tenant: &Tenant) -> Result<(), String> {
        let organization = tenant.organization.as_str();
        let record = self.record(tenant).ok_or("a billing record is gone")?;
        let there = self.books.seats(organization);
        let listed = self.listed(organization);
        if there != listed {
            return Err(format!("{organization} has {listed:?} seats of the {there:?} committed"));
        }
        let subscription = self.subscription(tenant);
        if has_ended(&subscription) {
            return Ok(());
        }
        let (version, applied) = (number(record, "version"), number(record, "applied_version"));
        if version != applied || record.contains_key("behind_since") {
            return Err(format!("{organization} is at version {version}, Stripe at {applied}"));
        }
        let billed = quantities(&subscription);
        if billed != there {
            return Err(format!("{organization} has {there:?} seats and is billed for {billed:?}"));
        }
        Ok(())
    }

    /// Whether every organization was charged for the seats that it had at most, to the end of the
    /// period, and credited for none of those that it gave back; or, where that is set, for all.
    pub(crate) fn check_money(&self) {
        for tenant in self.tenants {
            let organization = tenant.organization.as_str();
            let (basic, premium) = match tenant.fewer {
                FewerSeats::None => self.books.most(organization),
                FewerSeats::Credit => self.books.seats(organization),
            };
            let due = i64::try_from(4_000 * basic + 10_000 * premium).unwrap_or(i64::MAX);
            let charged = self.stack.account.prorated(&tenant.subscription);
            // A schedule takes minutes of the month: less than a tenth of a seat, unless it has many.
            if (due - charged).abs() > 400 + due / 500 {
                self.broken(
                    5,
                    format_args!("{organization} was charged {charged} cents, {due} are due"),
                );
            }
        }
    }

    fn record(&self, tenant: &Tenant) -> Option<&Row> {
        let pk = format!("ORG#{}", tenant.organization);
        self.items.iter().find(|item| text(item, "pk") == pk && text(item, "sk") == "BILLING")
    }

    fn listed(&self, organization: &str) -> Counts {
        let pk = format!("ORG#{organization}");
        let of = |tier: &str| {
            let seats = self.items.iter().filter(|item| {
                text(item, "pk") == pk
                    && text(item, "sk").starts_with("SEAT#")
                    && text(item, "tier") == tier
                    && text(item, "status") != "deactivated"
            });
            seats.count() as u64
        };
        (of("basic"), of("premium"))
    }

    /// Whether the records say of every subscription what Stripe says.
    pub(crate) fn check_standing(&self) {
        for tenant in self.tenants {
            let Some(record) = self.record(tenant) else { continue };
            let kept = text(record, "subscription_status");
            let subscription = self.subscription(tenant);
            let status = subscription["status"].as_str().unwrap_or_default();
            if kept != status {
                let organization = &tenant.organization;
                self.broken(12, format_args!("{organization} is {status}, its record says {kept}"));
            }
        }
    }
}

fn has_ended(subscription: &Value) -> bool {
    subscription["status"] == "canceled"
}

/// The seats that a request gives back, or lets stay.
fn named(request: &Request) -> Vec<String> {
    let body = &request.body;
    let several = body["account_ids"].as_array().into_iter().flatten();
    let ids = several.chain(body.get("account_id"));
    ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

fn successes(request: &Request) -> impl Iterator<Item = &Reply> {
    request.replies.iter().filter(|reply| matches!(reply.status, 200 | 201))
}

/// The ids that an answer tells of.
fn told(api: Api, reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match api {
        Api::Seats(_) => created(reply),
        Api::Endings(_) => Vec::new(),
        Api::Agency(_) => vec![text(&body["account"]["lcuid"])],
        Api::Identity => vec![text(&body["id"])],
    }
}
