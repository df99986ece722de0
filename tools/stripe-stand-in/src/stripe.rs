//! The account as one value: a request and a time in, a reply out. No clock, no socket and no
//! random number of its own, so that a simulation can replay it.

use std::{collections::HashSet, io, path::Path};

use serde_json::Value;

use crate::{
    billing_cycle,
    call::{Call, Origin},
    control,
    errors::{Answer, ApiError},
    expand,
    faults::{Early, Fault, FaultKind, Faults, Injected},
    form::Params,
    idempotency::{Stored, Use},
    ids,
    messages::{self, Reply, Request},
    params::Fields,
    request_log::{LogEntry, RequestLog},
    routes,
    state::State,
    state_file,
    subscription::Status,
    subscriptions,
};

/// The API version for callers that do not name one, and of every event.
pub(crate) const API_VERSION: &str = "2026-10-28.endive";
/// A Stripe account and the API in front of it.
#[derive(Debug, Default)]
pub struct Stripe {
    pub(crate) state: State,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    /// Idempotency keys of requests that have begun and not finished.
    running: HashSet<String>,
    /// Webhook deliveries that are on their way.
    pub(crate) posting: HashSet<String>,
    requests: u64,
}

/// A request that is being carried out.
#[derive(Debug)]
pub(crate) struct Ticket {
    entry: LogEntry,
    expand: Vec<String>,
    key: Option<Use>,
    injected: Injected,
}

/// A request that may be carried out, or that was answered before.
struct Prepared {
    expand: Vec<String>,
    key: Option<Use>,
    stored: Option<Stored>,
}

/// How far a request came without taking time.
#[derive(Debug)]
pub(crate) enum Begun {
    Answered(Reply),
    /// To be finished after the ticket's delay.
    Running(Box<Ticket>),
}

impl Ticket {
    /// How long the request is to take.
    pub(crate) fn delay_ms(&self) -> u64 {
        self.injected.delay_ms
    }
}

impl Stripe {
    /// An empty account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The account in a state file, or an empty one when there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read or is not a state file.
    pub fn load(path: &Path) -> io::Result<Self> {
        Ok(Self { state: state_file::load(path)?, ..Self::default() })
    }

    /// Answers one request. `now` is the caller's time in Unix seconds; time that was added by the
    /// control plane comes on top. Delays are not waited for.
    pub fn handle(&mut self, request: Request, now: i64) -> Reply {
        match self.begin(request, now) {
            Begun::Answered(reply) => reply,
            Begun::Running(ticket) => self.finish(*ticket, now),
        }
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// Says what makes no sense about it.
    pub fn add_fault(&mut self, fault: Fault) -> Result<(), String> {
        self.faults.add(fault)
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Moves a subscription to a status, with the events, as if it had happened at Stripe. False
    /// when there is no such subscription.
    pub fn set_status(&mut self, subscription: &str, status: Status, now: i64) -> bool {
        self.by_hand(subscription, now, |call, id| subscriptions::move_to(call, id, status))
    }

    /// Cancels a subscription at its period's end, with the event, as its customer does in the
    /// billing portal. False when there is no such subscription.
    pub fn cancel_in_portal(&mut self, subscription: &str, now: i64) -> bool {
        self.by_hand(subscription, now, subscriptions::cancel_in_portal)
    }

    /// Attaches a schedule to a subscription, with the event. False when there is no such
    /// subscription.
    pub fn attach_schedule(&mut self, subscription: &str, now: i64) -> bool {
        self.by_hand(subscription, now, subscriptions::attach_schedule)
    }

    fn by_hand(&mut self, id: &str, now: i64, change: impl Fn(&mut Call, &str)) -> bool {
        let now = self.advance(now);
        let known = self.state.subscriptions.get(id).is_some();
        let mut call = Call { state: &mut self.state, now, origin: Origin::default() };
        change(&mut call, id);
        self.state.touch();
        known
    }

    /// Forgets everything, the faults and the log included.
    pub fn reset(&mut self) {
        *self = Self { state: self.state.emptied(), ..Self::default() };
    }

    /// Brings the account to the present and says when that is on its own clock.
    pub(crate) fn advance(&mut self, now: i64) -> i64 {
        let now = now.saturating_add(self.state.clock_offset);
        billing_cycle::advance(&mut self.state, now);
        now
    }

    /// The part of a request before its effect: who asks, what for, and whether it is a repetition.
    pub(crate) fn begin(&mut self, request: Request, now: i64) -> Begun {
        if control::is_for(&request.path) {
            return Begun::Answered(control::handle(self, &request, now));
        }
        let now = self.advance(now);
        let mut entry = self.entry(&request, now);
        let Prepared { expand, key, stored } = match self.prepare(&request, &mut entry, now) {
            Ok(prepared) => prepared,
            Err(error) => return self.refuse(entry, &error),
        };
        let injected = self.faults.strike(&request.method, &request.path, stored.is_some());
        entry.fault = injected.fault.map(|(kind, _)| kind);
        match injected.early(key.as_ref().map(|key| key.key.as_str())) {
            Some(Early::Refuse(error)) => return self.refuse(entry, &error),
            Some(Early::Cut) => return Begun::Answered(self.cut(entry, 500, Value::Null)),
            None => {}
        }
        if let Some(Stored { status, body, request_id }) = stored {
            entry.original_request = request_id;
            entry.replayed = true;
            let ticket = Ticket { entry, expand, key: None, injected };
            return Begun::Answered(self.answer(ticket, status, body));
        }
        if let Some(key) = &key
            && !self.running.insert(key.key.clone())
        {
            return self.refuse(entry, &ApiError::key_in_use(&key.key));
        }
        Begun::Running(Box::new(Ticket { entry, expand, key, injected }))
    }

    /// Checks the credential, reads the parameters, and looks for an earlier answer.
    fn prepare(
        &self,
        request: &Request,
        entry: &mut LogEntry,
        now: i64,
    ) -> Result<Prepared, ApiError> {
        request.authorize()?;
        messages::check_version(&entry.api_version)?;
        entry.params = request.params()?;
        let key = match (&request.idempotency_key, request.method.as_str()) {
            (Some(key), "POST") => Some(Use::new(key, &request.path, &entry.params)?),
            _ => None,
        };
        let expand = expand::take(&mut entry.params.clone())?;
        let stored = match &key {
            Some(key) => key.stored(&self.state, now)?,
            None => None,
        };
        Ok(Prepared { expand, key, stored })
    }

    /// The effect of a request that has begun, and its reply.
    pub(crate) fn finish(&mut self, mut ticket: Ticket, now: i64) -> Reply {
        let now = self.advance(now);
        if let Some(key) = &ticket.key {
            self.running.remove(&key.key);
        }
        let outcome = match ticket.injected.fault {
            Some((FaultKind::ServerError, applied)) => {
                if applied {
                    // The caller learns nothing about how it went.
                    let _ = self.execute(&ticket, now);
                }
                Err(ApiError::internal())
            }
            Some((FaultKind::Declined, _)) => Err(ApiError::card_declined()),
            _ => self.execute(&ticket, now),
        };
        let (status, body, keep) = match outcome {
            Ok(body) => (200, body, true),
            Err(error) => (error.status, error.body(), error.executed),
        };
        if let Some(key) = ticket.key.take().filter(|_| keep) {
            key.store(&mut self.state, now, (status, &body), &ticket.entry.request_id);
        }
        self.answer(ticket, status, body)
    }

    fn execute(&mut self, ticket: &Ticket, now: i64) -> Answer {
        let entry = &ticket.entry;
        let mut params = entry.params.clone();
        params.remove("expand");
        let origin = Origin {
            request_id: Some(entry.request_id.clone()),
            idempotency_key: entry.idempotency_key.clone(),
            api_version: Some(ticket.entry.api_version.clone()),
        };
        let mut call = Call { state: &mut self.state, now, origin };
        let answer = routes::execute(&mut call, &entry.method, &entry.path, Fields::new(params));
        if entry.method != "GET" {
            self.state.touch();
        }
        let mut body = answer?;
        expand::apply(&self.state, &mut body, &ticket.expand);
        Ok(body)
    }

    fn entry(&mut self, request: &Request, now: i64) -> LogEntry {
        self.requests += 1;
        let seconds = u64::try_from(now).unwrap_or_default();
        LogEntry {
            at: now,
            // The counter starts over with the process; the time keeps its ids apart.
            request_id: format!("req_{}", ids::word((seconds << 24) ^ self.requests)),
            method: request.method.clone(),
            path: request.path.clone(),
            params: Params::new(),
            idempotency_key: request.idempotency_key.clone(),
            api_version: request.api_version.clone().unwrap_or_else(|| API_VERSION.to_owned()),
            status: None,
            replayed: false,
            original_request: None,
            fault: None,
        }
    }

    fn refuse(&mut self, entry: LogEntry, error: &ApiError) -> Begun {
        let code = error.code();
        let ticket = Ticket { entry, expand: Vec::new(), key: None, injected: Injected::default() };
        let mut reply = self.answer(ticket, error.status, error.body());
        match code {
            Some("rate_limit") => {
                reply.headers.push(("Stripe-Rate-Limited-Reason", "global-rate".to_owned()));
            }
            Some("lock_timeout") => reply.headers.push(("Stripe-Should-Retry", "true".to_owned())),
            _ => {}
        }
        Begun::Answered(reply)
    }

    fn answer(&mut self, ticket: Ticket, status: u16, body: Value) -> Reply {
        let Ticket { mut entry, injected, .. } = ticket;
        if matches!(injected.fault, Some((FaultKind::CutAfter, _))) {
            return self.cut(entry, status, body);
        }
        entry.status = Some(status);
        let reply = reply(&entry, status, body);
        self.log.push(entry);
        reply
    }

    fn cut(&mut self, entry: LogEntry, status: u16, body: Value) -> Reply {
        let reply = Reply { cut: true, ..reply(&entry, status, body) };
        self.log.push(entry);
        reply
    }
}

fn reply(entry: &LogEntry, status: u16, body: Value) -> Reply {
    let mut headers = vec![
        ("Request-Id", entry.request_id.clone()),
        ("Stripe-Version", entry.api_version.clone()),
    ];
    if let Some(key) = &entry.idempotency_key {
        headers.push(("Idempotency-Key", key.clone()));
        let original = entry.original_request.as_ref().unwrap_or(&entry.request_id);
        headers.push(("Original-Request", original.clone()));
    }
    if entry.replayed {
        headers.push(("Idempotent-Replayed", "true".to_owned()));
    }
    Reply { status, headers, body, cut: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(begun: Begun) -> Ticket {
        match begun {
            Begun::Running(ticket) => *ticket,
            Begun::Answered(reply) => panic!("answered at once: {reply:?}"),
        }
    }

    fn answered(begun: Begun) -> Reply {
        match begun {
            Begun::Answered(reply) => reply,
            Begun::Running(_) => panic!("not answered"),
        }
    }

    #[test]
    fn a_key_is_in_use_while_its_request_runs() {
        let mut stripe = Stripe::new();
        let request = Request::new("POST", "/v1/customers").idempotency_key("k");
        let ticket = running(stripe.begin(request.clone(), 1));
        let second = answered(stripe.begin(request.clone(), 1));
        assert_eq!(
            (second.status, &second.body["error"]["code"]),
            (409, &"idempotency_key_in_use".into())
        );
        let first = stripe.finish(ticket, 2);
        let third = answered(stripe.begin(request, 3));
        assert_eq!((third.status, third.body), (200, first.body));
    }
}
