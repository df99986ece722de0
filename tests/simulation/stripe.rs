//! The way from our Stripe client to the stand-in, with everything that can go wrong on it; what
//! people do in Stripe's dashboard; and webhooks on their way back.

use std::sync::{Arc, Mutex};

use headcount_billing::stripe::{
    Answered, CALL_BUDGET, Call, CallKind, NoAnswer, Transport, carried_out,
};
use serde_json::Value;
use stripe_stand_in::{Fault as StandInFault, FaultKind, Reply, Request, Status, WebhookPost};

use crate::faults::{Effect, Fault, Side};
use crate::kernel::lock;
use crate::world::World;

/// Where webhooks are posted to, in name.
const WEBHOOK_URL: &str = "https://headcount.invalid/webhooks/stripe";

/// Told of every subscription that a call of ours changed: the call's key, and the subscription as it was
/// and as it is.
type Observer = Arc<dyn Fn(&str, &Value, &Value) + Send + Sync>;
type Bell = Arc<dyn Fn() + Send + Sync>;

/// A Stripe account and the way to it. Clones are the same.
#[derive(Clone)]
pub(crate) struct Account {
    world: World,
    stripe: Arc<Mutex<stripe_stand_in::Stripe>>,
    listeners: Arc<Mutex<Listeners>>,
}

#[derive(Default)]
struct Listeners {
    observer: Option<Observer>,
    bell: Option<Bell>,
}

impl Account {
    pub(crate) fn new(world: &World) -> Self {
        Self { world: world.clone(), stripe: Arc::default(), listeners: Arc::default() }
    }

    /// Tells of every change that a call of ours makes, and rings when there may be webhooks.
    pub(crate) fn follow(
        &self,
        observer: impl Fn(&str, &Value, &Value) + Send + Sync + 'static,
        bell: impl Fn() + Send + Sync + 'static,
    ) {
        let mut listeners = lock(&self.listeners);
        listeners.observer = Some(Arc::new(observer));
        listeners.bell = Some(Arc::new(bell));
    }

    /// Tells nothing any more.
    pub(crate) fn unfollow(&self) {
        *lock(&self.listeners) = Listeners::default();
    }

    /// A call by hand, without anything going wrong.
    pub(crate) fn by_hand(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let form: Vec<_> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Request::new(method, path).form(encode(&form));
        let reply = self.handle(request);
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.body);
        self.ring();
        reply.body
    }

    /// A call by hand, as far as Stripe lets it be done.
    pub(crate) fn try_by_hand(&self, method: &str, path: &str, form: &[(&str, &str)]) {
        let form: Vec<_> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = self.handle(Request::new(method, path).form(encode(&form)));
        self.world.note(format_args!("{method} {path} by hand -> {}", reply.status));
        self.ring();
    }

    /// Makes an object; its id.
    pub(crate) fn make(&self, path: &str, form: &[(&str, &str)]) -> String {
        self.by_hand("POST", path, form)["id"].as_str().expect("an id").to_owned()
    }

    /// The secret of a webhook endpoint that hears of subscriptions.
    pub(crate) fn listen(&self) -> String {
        let events = ["created", "updated", "deleted", "paused", "resumed"]
            .map(|what| format!("customer.subscription.{what}"));
        let mut form = vec![("url", WEBHOOK_URL)];
        form.extend(events.iter().map(|event| ("enabled_events[]", event.as_str())));
        let endpoint = self.by_hand("POST", "/v1/webhook_endpoints", &form);
        endpoint["secret"].as_str().expect("a secret").to_owned()
    }

    /// Moves a subscription to a status, as a payment that fails does.
    pub(crate) fn set_status(&self, subscription: &str, status: Status) {
        lock(&self.stripe).set_status(subscription, status, self.world.true_seconds());
        self.ring();
    }

    /// A subscription as it is.
    pub(crate) fn subscription(&self, id: &str) -> Value {
        self.handle(Request::new("GET", &format!("/v1/subscriptions/{id}"))).body
    }

    /// What all changes of a subscription within its periods were worth, in cents.
    pub(crate) fn prorated(&self, subscription: &str) -> i64 {
        let mut sum = 0;
        let mut query = "limit=100".to_owned();
        loop {
            let request = Request { query, ..Request::new("GET", "/v1/invoiceitems") };
            let page = self.handle(request).body;
            let items = page["data"].as_array().cloned().unwrap_or_default();
            let own = items.iter().filter(|item| {
                item["parent"]["subscription_details"]["subscription"] == subscription
            });
            sum += own.filter_map(|item| item["amount"].as_i64()).sum::<i64>();
            match items.last().filter(|_| page["has_more"] == true) {
                Some(last) => {
                    let id = last["id"].as_str().unwrap_or_default();
                    query = format!("limit=100&starting_after={id}");
                }
                None => return sum,
            }
        }
    }

    /// The webhooks that are due.
    pub(crate) fn webhooks(&self) -> Vec<WebhookPost> {
        lock(&self.stripe).due_webhooks(self.world.true_seconds())
    }

    /// Says what became of a webhook.
    pub(crate) fn delivered(&self, post: &WebhookPost, is_acknowledged: bool) {
        let now = self.world.true_seconds();
        lock(&self.stripe).delivered(&post.delivery, is_acknowledged, now);
    }

    fn handle(&self, request: Request) -> Reply {
        lock(&self.stripe).handle(request, self.world.true_seconds())
    }

    fn ring(&self) {
        let bell = lock(&self.listeners).bell.clone();
        if let Some(bell) = bell {
            bell();
        }
    }

    /// Carries out a call of ours, with a fault of the stand-in's own if there is one.
    fn carry_out(&self, request: Request, fault: Option<StandInFault>) -> Reply {
        let is_update = request.method == "POST" && request.path.starts_with("/v1/subscriptions/");
        let id = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        // A call that fails although it is carried out may have had nothing to carry out.
        let is_applied = fault.as_ref().is_some_and(|fault| fault.applied);
        let key = request.idempotency_key.clone().unwrap_or_default();
        let before = if is_update { self.subscription(&id) } else { Value::Null };
        let reply = {
            let mut stripe = lock(&self.stripe);
            if let Some(fault) = fault {
                stripe.add_fault(fault).expect("a fault that makes sense");
            }
            let reply = stripe.handle(request, self.world.true_seconds());
            // One that met no call must not strike the next.
            stripe.clear_faults();
            reply
        };
        let is_replayed = reply.headers.iter().any(|(name, _)| *name == "Idempotent-Replayed");
        if is_update && !is_replayed && (reply.status == 200 || is_applied) {
            let unanswered;
            let after = if reply.status == 200 {
                &reply.body
            } else {
                unanswered = self.subscription(&id);
                &unanswered
            };
            let observer = lock(&self.listeners).observer.clone();
            if let Some(observer) = observer
                && (!is_applied || before != *after)
            {
                observer(&key, &before, after);
            }
            self.ring();
        }
        reply
    }
}

/// A form. Nothing in ours needs another spelling than its own.
fn encode(form: &[(String, String)]) -> String {
    let pairs: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&").replace(' ', "+")
}

fn request(call: Call<'_>) -> Request {
    let form = encode(call.parameters);
    match call.kind {
        CallKind::Get => Request { query: form, ..Request::new("GET", call.path) },
        CallKind::Post { key } => Request::new("POST", call.path).form(form).idempotency_key(key),
    }
}

fn once(kind: FaultKind, applied: bool) -> StandInFault {
    StandInFault { applied, ..StandInFault::once(kind) }
}

fn answered(reply: &Reply) -> Answered {
    let header = |wanted: &str| {
        let mut headers = reply.headers.iter();
        headers.find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    };
    Answered {
        request_id: carried_out(header("Original-Request"), header("Request-Id")),
        status: reply.status.try_into().expect("a status"),
        body: serde_json::to_vec(&reply.body).expect("JSON"),
    }
}

impl Transport for Account {
    async fn carry(&self, call: Call<'_>) -> Result<Answered, NoAnswer> {
        let side = match call.kind {
            CallKind::Get => Side::StripeRead,
            CallKind::Post { .. } => Side::StripeWrite,
        };
        let world = &self.world;
        let what = match call.kind {
            CallKind::Get => format!("GET {}", call.path),
            CallKind::Post { key } => {
                format!("POST {} {} ({key})", call.path, quantities(call.parameters))
            }
        };
        let request = request(call);
        let account = self.clone();
        let attempt = async move {
            let Some(fault) = world.depart(side).await else {
                let reply = self.carry_out(request, None);
                world.note(format_args!("{what} -> {}", reply.status));
                world.travel(side).await;
                return Ok(answered(&reply));
            };
            world.note(format_args!("{what} {fault:?}"));
            let reply = match fault {
                Fault::Throttled => {
                    self.carry_out(request, Some(once(FaultKind::RateLimited, false)))
                }
                Fault::Conflict => {
                    self.carry_out(request, Some(once(FaultKind::LockTimeout, false)))
                }
                Fault::Refused => {
                    self.carry_out(request, Some(once(FaultKind::ServerErrorBefore, false)))
                }
                Fault::Declined => self.carry_out(request, Some(once(FaultKind::Declined, false))),
                Fault::StoredFailure(effect) => {
                    let is_done = effect == Effect::Done;
                    self.carry_out(request, Some(once(FaultKind::ServerError, is_done)))
                }
                Fault::Silent(_) | Fault::Broken(_) | Fault::Killed(_) => {
                    let effect = move || {
                        let reply = account.carry_out(request, None);
                        account.world.note(format_args!("{what} arrives -> {}", reply.status));
                    };
                    world.carry_out(fault, effect).await;
                    return Err(NoAnswer("the connection broke".to_owned()));
                }
            };
            world.travel(side).await;
            Ok(answered(&reply))
        };
        let limit = world.kernel.sleep(CALL_BUDGET);
        first(attempt, limit).await.unwrap_or_else(|| Err(NoAnswer("it took too long".to_owned())))
    }
}

/// The quantities that a form sets, for the record.
fn quantities(form: &[(String, String)]) -> String {
    let quantities = form.iter().filter(|(name, _)| name.ends_with("[quantity]"));
    quantities.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("+")
}

/// What comes of `work`, or `None` when `limit` is over first.
async fn first<T>(work: impl Future<Output = T>, limit: impl Future<Output = ()>) -> Option<T> {
    use std::task::Poll;
    let (mut work, mut limit) = (std::pin::pin!(work), std::pin::pin!(limit));
    std::future::poll_fn(|context| {
        if let Poll::Ready(outcome) = work.as_mut().poll(context) {
            return Poll::Ready(Some(outcome));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}
