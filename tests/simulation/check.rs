//! What has to be true when everything has come to rest (DESIGN, "Invariants").

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::fewer::FewerSeats;
use headcount_tests::Reply;
use serde_json::{Value, json};

use crate::books::{Books, Counts, quantities};
use crate::callers::{Api, Request, created};
use crate::lives::{Lives, State};
use crate::stack::{AgencyTenant, Stack, Tenant};
use crate::table::{Row, number, text};

/// What is looked at.
pub(crate) struct Rest<'r> {
    pub(crate) stack: &'r Stack,
    pub(crate) tenants: &'r [Tenant],
    pub(crate) agencies: &'r [AgencyTenant],
    pub(crate) books: &'r Books,
    pub(crate) requests: &'r [Request],
    /// What whoever logged in was given.
    pub(crate) tokens: &'r [String],
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
            match request.api {
                Api::Endings(tenant) => {
                    self.check_ending(request, &self.tenants[tenant]);
                    continue;
                }
                Api::Updates(tenant) => {
                    self.check_update(request, &self.tenants[tenant]);
                    continue;
                }
                Api::Own => {
                    self.check_own(request);
                    continue;
                }
                Api::Seats(_) | Api::Agency(_) | Api::Identity => {}
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
        let (aws, slow) = self.stack.world.faults(|faults| (faults.aws > 0, faults.slow > 0));
        for request in self.requests {
            // Nothing but the table can keep a create waiting. A log-in is counted by a single write.
            let may_fail = aws || (slow && request.api == Api::Own);
            for reply in &request.replies {
                if self.is_outage && matches!(reply.status, 429 | 503) {
                    self.broken(11, format_args!("{} failed because of Stripe", request.mark));
                }
                let is_expected = match (request.api, reply.status) {
                    (_, 422) if self.is_key_shared(request) => true,
                    // Who has no account, or not any more, is not let in; whether that is so, is looked at then.
                    (Api::Own, 200 | 401) => true,
                    (Api::Own, 409) => request.body["change"]["email"].is_string(),
                    // Of several, each has its own answer.
                    (Api::Updates(_), 200) => {
                        !request.is_foreign || !request.body["updates"].is_null()
                    }
                    (Api::Updates(_), 404) => request.is_foreign,
                    (Api::Updates(_), 402) => self.statuses_changed,
                    (Api::Updates(_), 409) => self.names_an_ended_seat(request),
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
                Api::Endings(_) | Api::Updates(_) | Api::Own => false,
                Api::Agency(_) => {
                    sk.starts_with("ACCOUNT#") && text(item, "description") == request.mark
                }
                // Its name changes, and is gone in the end.
                Api::Identity => {
                    let id = text(item, "pk").trim_start_matches("ACCOUNT#");
                    sk == "ACCOUNT" && self.books.lives(|l| l.signed_up(&request.mark).contains(id))
                }
            }
        };
        self.items.iter().filter(is_mine)
    }

    /// The ids of what a request made, as the table has them.
    fn made(&self, request: &Request) -> BTreeSet<String> {
        if request.api == Api::Identity {
            return self.books.lives(|lives| lives.signed_up(&request.mark));
        }
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
                Api::Endings(_) | Api::Updates(_) | Api::Identity | Api::Own => continue,
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

    /// Whether a request names a seat that has ended by now.
    fn names_an_ended_seat(&self, request: &Request) -> bool {
        let ids = request.updates().into_iter().filter_map(|update| update["accountId"].as_str());
        let has_ended = |id: &str| {
            let last = |lives: &Lives| lives.seat(id).last().is_some_and(State::has_ended);
            self.books.lives(last)
        };
        ids.into_iter().any(has_ended)
    }

    /// Who is told of a change was told of one that there was; under a key it is made once, and has one
    /// answer. Nobody changes what is not his.
    fn check_update(&self, request: &Request, tenant: &Tenant) {
        let (mark, organization) = (&request.mark, tenant.organization.as_str());
        let updates = request.updates();
        for update in &updates {
            let id = update["accountId"].as_str().unwrap_or_default();
            let (made, is_own) = self.books.lives(|lives| {
                let states = lives.seat(id);
                let into = |pair: &&[State]| {
                    pair[0].text("org_group") != mark && pair[1].text("org_group") == mark
                };
                let is_own = states.iter().all(|state| state.text("organization") == organization);
                (states.windows(2).filter(into).count(), is_own)
            });
            let allowed = if request.key.is_some() { 1 } else { request.sent };
            if made > allowed {
                self.broken(1, format_args!("{mark} changed {id} {made} times"));
            }
            if made > 0 && !is_own {
                self.broken(8, format_args!("{mark} changed {id}, which is not its own"));
            }
        }
        for reply in successes(request) {
            let body = reply.json();
            let results = body["data"]["results"].as_array().cloned();
            // The older form tells of its one seat alone.
            let results = results.unwrap_or_else(|| {
                vec![json!({"success": true, "account": body["data"]["account"]})]
            });
            if results.len() != updates.len() {
                self.broken(4, format_args!("{mark} was told of {} seats", results.len()));
            }
            for (update, result) in updates.iter().zip(&results) {
                self.check_result(request, organization, update, result);
            }
        }
        if request.key.is_some() {
            let bodies: BTreeSet<_> = successes(request).map(|reply| &reply.text).collect();
            let is_first = |reply: &&Reply| reply.header("idempotency-replayed").is_empty();
            let first = successes(request).filter(is_first).count();
            // Each is a transaction, and may be another sender's.
            if bodies.len() > 1 || first > updates.len() {
                self.broken(1, format_args!("{mark} was answered {first} times: {bodies:?}"));
            }
        }
    }

    /// What is told about one update of a request.
    fn check_result(&self, request: &Request, organization: &str, asked: &Value, told: &Value) {
        let mark = &request.mark;
        let id = asked["accountId"].as_str().unwrap_or_default();
        if told["success"] != true {
            let is_due = match told["error"].as_str().unwrap_or_default() {
                "account_not_found" => request.is_foreign,
                "no_billing" => self.statuses_changed,
                _ => self.names_an_ended_seat(request),
            };
            if !is_due {
                self.broken(10, format_args!("{mark} was told of {id}: {told}"));
            }
            return;
        }
        let seat = &told["account"];
        if let Err(why) = self.books.lives(|lives| lives.has_been(organization, id, seat)) {
            self.broken(5, format_args!("{mark} was told of {id}, {why}"));
        }
        let is_asked = ["tier", "org_group"]
            .iter()
            .all(|name| asked[name].is_null() || asked[name] == seat[name]);
        if !is_asked || seat["id"] != id {
            self.broken(4, format_args!("{mark} asked for {asked} and was told of {seat}"));
        }
    }

    /// Who is told of a change of an account was told of one that there was, or is; who closed one, that
    /// it is closed.
    fn check_own(&self, request: &Request) {
        let (mark, change) = (&request.mark, &request.body["change"]);
        self.books.lives(|lives| {
            for reply in successes(request) {
                let body = reply.json();
                let id = body["id"].as_str().unwrap_or_default();
                let states = lives.account(id);
                // What is told again tells of no version.
                let version = reply.header("etag").trim_matches('"').parse::<i64>().ok();
                let is_it = |state: &State| {
                    version.is_none_or(|version| state.version == version)
                        && ["email", "name"].iter().all(|name| body[name] == state.text(name))
                };
                let is_true = if change.is_null() {
                    body["status"] == "closed" && states.last().is_some_and(State::has_ended)
                } else {
                    body["name"] == *mark.as_str() && states.iter().any(is_it)
                };
                if !is_true {
                    self.broken(5, format_args!("{mark} was told of {body}, {version:?} of {id}"));
                }
            }
            let allowed = if request.key.is_some() { 1 } else { request.sent };
            for (id, made) in lives.named(mark) {
                if made > allowed {
                    self.broken(1, format_args!("{mark} changed {id} {made} times"));
                }
            }
        });
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
        let open = |item: &&Row| text(item, "sk") == "ACCOUNT" && text(item, "status") != "closed";
        for item in self.items.iter().filter(open) {
            let address = text(item, "email").to_lowercase();
            let id = text(item, "id");
            if let Some(other) = addresses.insert(address.clone(), id) {
                self.broken(3, format_args!("{address} has the accounts {other} and {id}"));
            }
        }
        // What keeps the address of one that is closed is looked at as it is committed.
        let is_lock = |item: &&Row| text(item, "sk") == "EMAIL" && !item.contains_key("expires_at");
        let locks = self.items.iter().filter(is_lock);
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
        let mut due = self.books.lives(Lives::changed);
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
        let tokens = self.tokens.iter();
        let keys = self.tenants.iter().map(|tenant| &tenant.api_key);
        let keys = keys.chain(self.agencies.iter().map(|agency| &agency.token));
        let keys = keys.chain(tokens);
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
            let is_moved = self.books.is_moved(organization);
            let gives_back = |request: &Request| match request.api {
                Api::Endings(of) => self.tenants[of].organization == tenant.organization,
                _ => false,
            };
            let (basic, premium) = match tenant.fewer {
                FewerSeats::None if !is_moved => self.books.most(organization),
                // What such seats cost until the period ends depends on the order (ADR 0031).
                FewerSeats::None if self.requests.iter().any(gives_back) => continue,
                // Another tier is charged and credited.
                FewerSeats::None | FewerSeats::Credit => self.books.seats(organization),
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
        Api::Endings(_) | Api::Updates(_) | Api::Own => Vec::new(),
        Api::Agency(_) => vec![text(&body["account"]["lcuid"])],
        Api::Identity => vec![text(&body["id"])],
    }
}
