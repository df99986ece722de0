//! The subscription endpoints. Source: <https://docs.stripe.com/api/subscriptions>.

use serde_json::{Map, Value};

use crate::{
    billing_cycle,
    call::Call,
    errors::{Answer, ApiError},
    events::SubscriptionEvent,
    invoice_items,
    invoices::{self, Reason},
    items::{self, ItemChange},
    params::Fields,
    proration::{self, Behavior, Terms},
    subscription::{
        BillingMode, Cancellation, PauseBehavior, PauseCollection, Status, Subscription,
    },
    table::Page,
};

/// Reads `cancellation_details`.
fn take_cancellation(fields: &mut Fields) -> Result<Option<Cancellation>, ApiError> {
    let Some(mut details) = fields.branch("cancellation_details")? else {
        return Ok(None);
    };
    let cancellation = Cancellation {
        comment: details.text("comment")?,
        feedback: details.text("feedback")?,
        reason: None,
    };
    details.finish()?;
    Ok(Some(cancellation))
}

/// Reads `pause_collection`.
fn take_pause(mut fields: Fields) -> Result<PauseCollection, ApiError> {
    let behavior = fields.choice("behavior", &PauseBehavior::WORDS)?;
    let behavior = behavior.ok_or_else(|| ApiError::missing("pause_collection[behavior]"))?;
    let resumes_at = fields.integer("resumes_at")?;
    fields.finish()?;
    Ok(PauseCollection { behavior, resumes_at })
}

/// `GET /v1/subscriptions/{id}`
pub(crate) fn retrieve(call: &mut Call, fields: Fields, id: &str) -> Answer {
    fields.finish()?;
    Ok(call.state.subscriptions.find(id)?.view(call.state))
}

/// Which statuses a list asks for. Source:
/// <https://docs.stripe.com/api/subscriptions/list#list_subscriptions-status>.
#[derive(Clone, Copy)]
enum Wanted {
    All,
    Ended,
    Only(Status),
}

/// `GET /v1/subscriptions`: without a `status`, all that are not canceled.
pub(crate) fn list(call: &mut Call, mut fields: Fields) -> Answer {
    let page = Page::take(&mut fields)?;
    let customer = fields.text("customer")?;
    let price = fields.text("price")?;
    let mut words = vec![("all", Wanted::All), ("ended", Wanted::Ended)];
    words.extend(Status::WORDS.map(|(word, status)| (word, Wanted::Only(status))));
    let wanted = fields.choice("status", &words)?;
    fields.finish()?;
    let state = &*call.state;
    let rows = state.subscriptions.iter().rev().filter(|subscription| {
        let status = match wanted {
            None => subscription.status != Status::Canceled,
            Some(Wanted::All) => true,
            Some(Wanted::Ended) => subscription.status.is_final(),
            Some(Wanted::Only(status)) => subscription.status == status,
        };
        let has_price = |price: &String| subscription.items.iter().any(|item| item.price == *price);
        status
            && customer.as_ref().is_none_or(|customer| subscription.customer == *customer)
            && price.as_ref().is_none_or(has_price)
    });
    page.list("/v1/subscriptions", rows, |subscription| subscription.view(state))
}

/// `POST /v1/subscriptions/{id}`
pub(crate) fn update(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let mut subscription = call.state.subscriptions.find(id)?.clone();
    let before = subscription.view(call.state);
    let metadata = fields.metadata()?;
    let cancellation = take_cancellation(&mut fields)?;
    let ended = subscription.status.is_final();
    let changes = ItemChange::take_all(&mut fields)?;
    let terms = Terms::take(&mut fields)?;
    let edited = edit(&mut subscription, &mut fields)?;
    fields.finish()?;
    if ended && (edited || !changes.is_empty()) {
        return Err(canceled());
    }
    change_items(call, &mut subscription, &changes, terms)?;
    metadata.apply(&mut subscription.metadata);
    if let Some(cancellation) = cancellation {
        let reason = subscription.cancellation.reason.take();
        subscription.cancellation = Cancellation { reason, ..cancellation };
    }
    note_scheduled_end(&mut subscription, call.now);
    let view = subscription.view(call.state);
    commit(call, subscription, before);
    Ok(view)
}

/// What Stripe says to a change of a subscription that has ended.
pub(crate) fn canceled() -> ApiError {
    ApiError::refused(
        "A canceled subscription can only update its cancellation_details and metadata.",
    )
}

/// Takes the plain parameters of an update; says whether there was one.
fn edit(subscription: &mut Subscription, fields: &mut Fields) -> Result<bool, ApiError> {
    use crate::subscription::Collection;
    let mut edited = false;
    let (at_period_end, at) =
        (fields.flag("cancel_at_period_end")?, fields.clearable("cancel_at")?);
    if at_period_end.is_some() && at.is_some() {
        return Err(ApiError::refused(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
        ));
    }
    if let Some(flag) = at_period_end {
        // In flexible billing mode the two are ends of their own: `false` takes back what `true` has set,
        // and not a `cancel_at` that was set alone, as the portal does.
        if flag || subscription.billing_mode == BillingMode::Classic {
            subscription.cancel_at = None;
        }
        subscription.cancel_at_period_end = flag;
        edited = true;
    }
    if let Some(end) = at {
        let param = || ApiError::invalid_integer("cancel_at", "Invalid timestamp.");
        let end = end.map(|end| end.parse().map_err(|_| param())).transpose()?;
        subscription.cancel_at = end;
        subscription.cancel_at_period_end = false;
        edited = true;
    }
    if let Some(pause) = fields.clearable_branch("pause_collection")? {
        subscription.pause_collection = pause.map(take_pause).transpose()?;
        edited = true;
    }
    if let Some(description) = fields.clearable("description")? {
        subscription.description = description;
        edited = true;
    }
    if let Some(method) = fields.clearable("default_payment_method")? {
        subscription.default_payment_method = method;
        edited = true;
    }
    if let Some(collection) = fields.choice("collection_method", &Collection::WORDS)? {
        subscription.collection = collection;
        edited = true;
    }
    if let Some(days) = fields.natural("days_until_due")? {
        subscription.days_until_due = Some(days);
        edited = true;
    }
    // Payments always succeed here, so that how a failed one is treated makes no difference.
    take_payment_behavior(fields)?;
    fields.flag("off_session")?;
    Ok(edited)
}

/// `payment_behavior`; true for `default_incomplete`.
pub(crate) fn take_payment_behavior(fields: &mut Fields) -> Result<bool, ApiError> {
    let words = [
        ("allow_incomplete", false),
        ("default_incomplete", true),
        ("error_if_incomplete", false),
        ("pending_if_incomplete", false),
    ];
    Ok(fields.choice("payment_behavior", &words)?.unwrap_or(false))
}

/// Keeps `canceled_at` true to the scheduled end: it "reflects the date of the cancel request".
pub(crate) fn note_scheduled_end(subscription: &mut Subscription, now: i64) {
    if subscription.status.is_final() {
        return;
    }
    if subscription.scheduled_end().is_some() {
        subscription.canceled_at.get_or_insert(now);
        let reason = &mut subscription.cancellation.reason;
        reason.get_or_insert_with(|| "cancellation_requested".to_owned());
    } else {
        subscription.canceled_at = None;
        subscription.cancellation.reason = None;
    }
}

/// Applies item changes and records what they are worth. On an error nothing has changed.
pub(crate) fn change_items(
    call: &mut Call,
    subscription: &mut Subscription,
    changes: &[ItemChange],
    terms: Terms,
) -> Result<(), ApiError> {
    let at = terms.moment(subscription.period, call.now)?;
    if changes.is_empty() {
        return Ok(());
    }
    let mut ids = call.state.ids.clone();
    let mut fresh = items::apply(call.state, &mut ids, call.now, &subscription.items, changes)?;
    items::same(&billing_cycle::billing(subscription), &items::billing(call.state, &fresh)?)?;
    call.state.ids = ids;
    let prorates = terms.behavior != Behavior::None && subscription.status.prorates();
    let charges = if prorates {
        proration::between(call.state, subscription, &fresh, at)
    } else {
        Vec::new()
    };
    let invoice_now = terms.behavior == Behavior::AlwaysInvoice && !charges.is_empty();
    if prorates {
        proration::replace_debits(&subscription.items, &mut fresh, &charges);
    }
    invoice_items::keep(call, subscription, charges);
    subscription.items = fresh;
    if invoice_now {
        invoices::issue(call, subscription, Reason::SubscriptionUpdate, Vec::new());
    }
    Ok(())
}

/// `DELETE /v1/subscriptions/{id}`: cancels at once.
pub(crate) fn cancel(call: &mut Call, mut fields: Fields, id: &str) -> Answer {
    let invoice_now = fields.flag("invoice_now")?.unwrap_or(false);
    let prorate = fields.flag("prorate")?.unwrap_or(false);
    let cancellation = take_cancellation(&mut fields)?.unwrap_or_default();
    fields.finish()?;
    let mut subscription = call.state.subscriptions.find(id)?.clone();
    if subscription.status.is_final() {
        return Err(ApiError::no_such("subscription", id));
    }
    if prorate && subscription.status.prorates() {
        let at = call.now.clamp(subscription.period.start, subscription.period.end);
        let charges = proration::unused(call.state, &subscription, at);
        invoice_items::keep(call, &subscription, charges);
    }
    if invoice_now && invoice_items::pending(call.state, id).next().is_some() {
        invoices::issue(call, &mut subscription, Reason::SubscriptionUpdate, Vec::new());
        *call.state.subscriptions.find_mut(id)? = subscription;
    }
    end(call, id, cancellation);
    Ok(call.state.subscriptions.find(id)?.view(call.state))
}

/// Cancels what a deleted customer still had.
pub(crate) fn cancel_all_of(call: &mut Call, customer: &str) {
    let running: Vec<String> = call
        .state
        .subscriptions
        .iter()
        .filter(|subscription| subscription.customer == customer && !subscription.status.is_final())
        .map(|subscription| subscription.id.clone())
        .collect();
    for id in running {
        end(call, &id, Cancellation::default());
    }
}

/// Ends a subscription now and says so.
pub(crate) fn end(call: &mut Call, id: &str, cancellation: Cancellation) {
    let now = call.now;
    let Some(subscription) = call.state.subscriptions.get_mut(id) else {
        return;
    };
    subscription.status = Status::Canceled;
    subscription.canceled_at.get_or_insert(now);
    subscription.ended_at = Some(now);
    let reason = Some("cancellation_requested".to_owned());
    subscription.cancellation = Cancellation { reason, ..cancellation };
    let subscription = subscription.clone();
    let view = subscription.view(call.state);
    call.emit(SubscriptionEvent::Deleted, view, None);
}

/// Attaches a schedule, with the event, as if somebody had made one from the subscription.
pub(crate) fn attach_schedule(call: &mut Call, id: &str) {
    let Some(mut subscription) = call.state.subscriptions.get(id).cloned() else {
        return;
    };
    let before = subscription.view(call.state);
    subscription.schedule = Some(call.id("sub_sched_"));
    commit(call, subscription, before);
}

/// Cancels at the period's end as the customer does in the billing portal: in flexible billing mode
/// that sets `cancel_at` alone
/// (<https://docs.stripe.com/billing/subscriptions/billing-mode/compare>).
pub(crate) fn cancel_in_portal(call: &mut Call, id: &str) {
    let Some(mut subscription) = call.state.subscriptions.get(id).cloned() else {
        return;
    };
    let before = subscription.view(call.state);
    if subscription.billing_mode == BillingMode::Flexible {
        subscription.cancel_at = Some(subscription.period.end);
    } else {
        subscription.cancel_at_period_end = true;
    }
    note_scheduled_end(&mut subscription, call.now);
    commit(call, subscription, before);
}

/// Moves a subscription to a status as Stripe itself would (a payment failed, a trial ended).
pub(crate) fn move_to(call: &mut Call, id: &str, status: Status) {
    let Some(mut subscription) = call.state.subscriptions.get(id).cloned() else {
        return;
    };
    if status == Status::Canceled {
        if subscription.status != Status::Canceled {
            end(call, id, Cancellation::default());
        }
        return;
    }
    let before = subscription.view(call.state);
    let was = std::mem::replace(&mut subscription.status, status);
    subscription.ended_at = status.is_final().then_some(call.now);
    if was == Status::Canceled {
        subscription.canceled_at = None;
    }
    let view = subscription.view(call.state);
    commit(call, subscription, before);
    if was != status && status == Status::Paused {
        call.emit(SubscriptionEvent::Paused, view, None);
    } else if was == Status::Paused && status == Status::Active {
        call.emit(SubscriptionEvent::Resumed, view, None);
    }
}

/// Stores a changed subscription; an event says what is different from `before`, if anything is.
pub(crate) fn commit(call: &mut Call, subscription: Subscription, before: Value) {
    let after = subscription.view(call.state);
    if let Some(stored) = call.state.subscriptions.get_mut(&subscription.id) {
        *stored = subscription;
    }
    let previous = differences(before, &after);
    if !previous.is_empty() {
        call.emit(SubscriptionEvent::Updated, after, Some(Value::Object(previous)));
    }
}

/// `previous_attributes`: the old values of what changed.
fn differences(before: Value, after: &Value) -> Map<String, Value> {
    let Value::Object(before) = before else {
        return Map::new();
    };
    before.into_iter().filter(|(key, old)| after.get(key) != Some(old)).collect()
}
