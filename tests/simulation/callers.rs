//! Callers: what they ask for, how often they ask again, and what they were told.

use std::sync::{Arc, Mutex};

use headcount_model::seats::SeatsEnd;
use headcount_tests::{Call, Reply};
use serde_json::{Value, json};

use crate::books::Books;
use crate::kernel::lock;
use crate::rng::Rng;
use crate::stack::{AgencyTenant, Stack, Tenant};

/// Which API a request goes to, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Api {
    Seats(usize),
    /// Seats of a tenant are given back, or that is revoked. Which, is known when the request is sent.
    Endings(usize),
    /// Seats of a tenant are put into another group or another tier. Which, is known when the request is sent.
    Updates(usize),
    Agency(usize),
    Identity,
    /// Whoever has an address logs in, and changes the account or closes it.
    Own,
}

/// One request. Whoever hears nothing, or is told to come back, sends it again.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) api: Api,
    /// The idempotency key.
    pub(crate) key: Option<String>,
    pub(crate) body: Arc<Value>,
    /// What tells its effect from that of others.
    pub(crate) mark: String,
    /// Whether it names an agency, a parent or a seat that is not the caller's.
    pub(crate) is_foreign: bool,
    /// How many seats or accounts it asks for.
    pub(crate) count: usize,
    /// How often it was sent.
    pub(crate) sent: usize,
    /// When it was sent first and last, in microseconds since the beginning.
    pub(crate) sent_at: (u64, u64),
    /// What came back, as far as something did.
    pub(crate) replies: Vec<Reply>,
}

impl Request {
    /// Whether it lets seats stay that are to end.
    pub(crate) fn is_revocation(&self) -> bool {
        self.body["revoke"] == true
    }

    /// What it asks to become of which seats.
    pub(crate) fn updates(&self) -> Vec<&Value> {
        match self.body["updates"].as_array() {
            Some(updates) => updates.iter().collect(),
            None => vec![&*self.body],
        }
    }

    /// The namespace of its idempotency key: whose request it is, and of sign-ups, the address.
    pub(crate) fn caller(&self) -> (Api, Option<String>) {
        (self.api, self.body["email"].as_str().map(str::to_lowercase))
    }
}

/// Every request of a run. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct History {
    requests: Arc<Mutex<Vec<Request>>>,
    /// What was given to whoever logged in.
    tokens: Arc<Mutex<Vec<String>>>,
}

impl History {
    /// Which keys were used where.
    pub(crate) fn keys(&self) -> Vec<(Api, Option<String>)> {
        lock(&self.requests).iter().map(|request| (request.api, request.key.clone())).collect()
    }

    /// Looks at every request.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Request]) -> T) -> T {
        look(&lock(&self.requests))
    }

    /// Every token that anybody was given.
    pub(crate) fn tokens(&self) -> Vec<String> {
        lock(&self.tokens).clone()
    }

    fn add(&self, request: Request) -> usize {
        let mut requests = lock(&self.requests);
        requests.push(request);
        requests.len() - 1
    }
}

/// Names that several requests want at once.
const NAMES: [&str; 3] = ["Blue River", "blue river!", "Lake"];
const EMAILS: [&str; 4] =
    ["owner@example.com", "OWNER@example.com", "owner@EXAMPLE.com", "other@example.com"];
pub(crate) const PASSWORD: &str = "a password that is not common";

/// Draws a request. `number` is its own.
pub(crate) fn draw(
    rng: &mut Rng,
    number: usize,
    api: Api,
    agencies: &[AgencyTenant],
    is_big: bool,
    earlier: &[(Api, Option<String>)],
) -> Request {
    // Some use a key again, by mistake, with another body.
    let used: Vec<_> = earlier.iter().filter(|(of, _)| *of == api).collect();
    let key = match rng.below(10) {
        0 | 1 => None,
        2 if !used.is_empty() => rng.pick(&used).1.clone(),
        // The same word in the mouths of several tenants.
        3 => Some("once".to_owned()),
        _ => Some(format!("key-{number}")),
    };
    let mark = format!("r{number}");
    let is_foreign = matches!(api, Api::Agency(_)) && agencies.len() > 1 && rng.chance(200);
    let (count, body) = match api {
        Api::Seats(_) => {
            let count = if is_big { rng.between(99, 215) } else { rng.between(1, 4) };
            let count = usize::try_from(count).expect("small");
            (count, json!({"accounts": seats(rng, count, &mark)}))
        }
        Api::Endings(_) | Api::Updates(_) => (0, Value::Null),
        Api::Agency(own) => {
            let other = &agencies[(own + 1) % agencies.len()];
            (1, agency_account(rng, &mark, &agencies[own], is_foreign.then_some(other)))
        }
        Api::Identity => {
            let body = json!({
                "email": rng.pick(&EMAILS),
                "name": mark,
                "type": "business",
                "password": PASSWORD
            });
            (1, body)
        }
        Api::Own => (0, own_change(rng, &mark)),
    };
    Request {
        api,
        key,
        body: Arc::new(body),
        mark,
        is_foreign,
        count,
        sent: 0,
        sent_at: (u64::MAX, 0),
        replies: Vec::new(),
    }
}

/// The ids that the answer to a create tells of.
pub(crate) fn created(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let accounts = body["data"]["accounts"].as_array().into_iter().flatten();
    let id = |account: &Value| account["id"].as_str().unwrap_or_default().to_owned();
    accounts.map(id).collect()
}

/// Some seats to give back, or to keep after all as often as in so many of 1,000 cases, and whether any
/// is not the caller's.
fn endings(rng: &mut Rng, own: &[String], foreign: &[String], revoked: u64) -> (Value, bool) {
    let (mut body, is_foreign) = given_back(rng, own, foreign);
    if rng.chance(revoked) {
        body["revoke"] = json!(true);
    }
    (body, is_foreign)
}

fn given_back(rng: &mut Rng, own: &[String], foreign: &[String]) -> (Value, bool) {
    let is_foreign = own.is_empty() || rng.chance(60);
    if is_foreign {
        let nobodys = ["acc_00000000000000000000000000".to_owned()];
        let others = if foreign.is_empty() { &nobodys[..] } else { foreign };
        return (json!({"account_id": rng.pick(others)}), true);
    }
    if rng.chance(500) {
        return (json!({"account_id": rng.pick(own)}), false);
    }
    let mut ids: Vec<_> = own.iter().filter(|_| rng.chance(600)).take(100).collect();
    if ids.is_empty() {
        ids.push(&own[0]);
    }
    (json!({"account_ids": ids}), false)
}

/// Some seats that go into a group of the request's own, and maybe into another tier; the older form or
/// several, and whether any is not the caller's.
fn updates(rng: &mut Rng, mark: &str, own: &[String], foreign: &[String]) -> (Value, bool) {
    let is_foreign = own.is_empty() || rng.chance(60);
    let nobodys = "acc_00000000000000000000000000".to_owned();
    let mut ids: Vec<_> = own.iter().filter(|_| rng.chance(500)).take(20).collect();
    if is_foreign {
        ids.insert(0, foreign.first().unwrap_or(&nobodys));
    } else if ids.is_empty() {
        ids.push(&own[0]);
    }
    let mut update = |id: &&String| {
        let mut update = json!({"accountId": id, "org_group": mark});
        if rng.chance(600) {
            update["tier"] = json!(rng.pick(&["basic", "premium"]));
        }
        update
    };
    let mut updates: Vec<_> = ids.iter().map(&mut update).collect();
    let is_single = updates.len() == 1 && mark.len().is_multiple_of(2);
    (if is_single { updates.remove(0) } else { json!({ "updates": updates }) }, is_foreign)
}

/// Which address logs in, and how its account is changed; `null` closes it.
fn own_change(rng: &mut Rng, mark: &str) -> Value {
    let mut change = json!({ "name": mark });
    if rng.chance(500) {
        change["email"] = json!(rng.pick(&EMAILS));
    }
    if rng.chance(250) {
        change = Value::Null;
    }
    json!({"address": rng.pick(&EMAILS), "change": change})
}

fn seats(rng: &mut Rng, count: usize, mark: &str) -> Vec<Value> {
    let seat = |n| {
        let tier = *rng.pick(&["basic", "premium"]);
        if rng.chance(500) {
            return json!({"tier": tier, "tag": mark});
        }
        json!({
            "tier": tier, "tag": mark, "platform": "tiktok",
            "username": format!("{mark}.{n}"),
            "pfp_url": "https://example.com/a.jpg", "keywords": "a"
        })
    };
    (0..count).map(seat).collect()
}

/// An account of the caller's `own` agency, or one that reaches into `another`.
fn agency_account(
    rng: &mut Rng,
    mark: &str,
    own: &AgencyTenant,
    another: Option<&AgencyTenant>,
) -> Value {
    let mut body = json!({
        "name": rng.pick(&NAMES), "description": mark, "agency_lcuid": own.lcuid
    });
    match another {
        Some(another) if rng.chance(500) => body["agency_lcuid"] = json!(another.lcuid),
        Some(another) => body["parent_account_lcuid"] = json!(another.parent),
        None if rng.chance(500) => body["parent_account_lcuid"] = json!(own.parent),
        None => {}
    }
    body
}

/// Everybody who calls.
#[derive(Clone)]
pub(crate) struct Callers {
    pub(crate) stack: Stack,
    pub(crate) tenants: Arc<Vec<Tenant>>,
    pub(crate) agencies: Arc<Vec<AgencyTenant>>,
    pub(crate) history: History,
    pub(crate) books: Books,
}

impl Callers {
    /// Begins to send a request after some microseconds; `senders` send it side by side.
    pub(crate) fn begin(&self, request: Request, wait: u64, senders: u64) {
        let position = self.history.add(request);
        for _ in 0..senders {
            let callers = self.clone();
            let kernel = self.stack.world.kernel.clone();
            self.stack.world.kernel.spawn("caller", async move {
                kernel.sleep_micros(wait).await;
                callers.ask(position).await;
            });
        }
    }

    /// Asks until there is an answer, at most a few times.
    async fn ask(&self, position: usize) {
        let kernel = &self.stack.world.kernel;
        let tries = kernel.draw(|rng| rng.between(1, 5));
        for _ in 0..tries {
            self.choose_seats(position);
            let (api, key, body) = {
                let request = &mut lock(&self.history.requests)[position];
                request.sent += 1;
                let (first, now) = (request.sent_at.0, kernel.now());
                request.sent_at = (first.min(now), now);
                (request.api, request.key.clone(), Arc::clone(&request.body))
            };
            let reply = self.send(api, key.as_deref(), &body).await;
            let is_final = reply.as_ref().is_some_and(is_final);
            if let Some(reply) = reply {
                lock(&self.history.requests)[position].replies.push(reply);
            }
            // Some send again what has been answered.
            if is_final && !kernel.draw(|rng| rng.chance(100)) {
                return;
            }
            let wait = kernel.draw(|rng| rng.between(10_000, 4_000_000));
            kernel.sleep_micros(wait).await;
        }
    }

    /// Decides which seats a request gives back or changes, once: of those that somebody was told of.
    fn choose_seats(&self, position: usize) {
        let mut requests = lock(&self.history.requests);
        let request = &requests[position];
        let (Api::Endings(tenant) | Api::Updates(tenant)) = request.api else { return };
        if !request.body.is_null() {
            return;
        }
        let told = |is_wanted: &dyn Fn(usize) -> bool| -> Vec<String> {
            let creates = requests.iter().filter(|request| match request.api {
                Api::Seats(of) => is_wanted(of),
                _ => false,
            });
            let replies = creates.flat_map(|request| request.replies.last());
            replies.flat_map(created).collect()
        };
        let (own, foreign) = (told(&|of| of == tenant), told(&|of| of != tenant));
        let revoked = match self.tenants[tenant].seats_end {
            SeatsEnd::AtOnce => 30,
            SeatsEnd::PeriodEnd => 350,
        };
        let kernel = &self.stack.world.kernel;
        let (body, is_foreign) = kernel.draw(|rng| match request.api {
            Api::Updates(_) => updates(rng, &request.mark, &own, &foreign),
            _ => endings(rng, &own, &foreign, revoked),
        });
        let request = &mut requests[position];
        (request.body, request.is_foreign) = (Arc::new(body), is_foreign);
    }

    async fn send(&self, api: Api, key: Option<&str>, body: &Value) -> Option<Reply> {
        let mut call = Call::json(body);
        if let Some(key) = key {
            call = call.key(key);
        }
        let reply = match api {
            Api::Seats(tenant) => {
                self.stack.create_seats(call.bearer(&self.tenants[tenant].api_key)).await
            }
            Api::Endings(tenant) => {
                self.stack.deactivate_seats(call.bearer(&self.tenants[tenant].api_key)).await
            }
            Api::Updates(tenant) => {
                self.stack.update_seats(call.bearer(&self.tenants[tenant].api_key)).await
            }
            Api::Own => return self.change_own(key, body).await,
            Api::Agency(agency) => {
                let agency = &self.agencies[agency];
                let call = call.bearer(&agency.token).header("appidv3", &agency.app);
                self.stack.create_agency_account(call).await
            }
            Api::Identity => self.stack.create_account(call).await,
        };
        reply.ok()
    }
}

impl Callers {
    /// Logs in, and changes the account or closes it. The answer is that of the last step there was.
    async fn change_own(&self, key: Option<&str>, body: &Value) -> Option<Reply> {
        let world = &self.stack.world;
        let address = body["address"].as_str().unwrap_or_default();
        let began = world.kernel.now();
        let log_in = Call::json(&json!({"email": address, "password": PASSWORD}));
        let reply = self.stack.open_session(log_in).await.ok()?;
        if reply.status == 401 && self.books.lives(|lives| lives.is_held_since(address, began)) {
            world.broken(10, format_args!("{address} was not let in: {}", reply.text));
        }
        if reply.status != 200 {
            return Some(reply);
        }
        let told = reply.json();
        let token = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let access = token("access_token");
        lock(&self.history.tokens).extend([access.clone(), token("refresh_token")]);
        if body["change"].is_null() {
            let call = Call::empty().bearer(&access);
            return self.stack.delete_own_account(call).await.ok();
        }
        let call = Call::json(&body["change"]);
        let mut call = call.header("content-type", "application/merge-patch+json").bearer(&access);
        if let Some(key) = key {
            call = call.key(key);
        }
        self.stack.update_own_account(call).await.ok()
    }
}

fn is_final(reply: &Reply) -> bool {
    let is_incomplete = reply.json()["data"]["failed"].as_u64().is_some_and(|failed| failed > 0);
    !matches!(reply.status, 429 | 503) && !is_incomplete
}
