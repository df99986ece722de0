//! The passing of time: periods end and begin, trials end, first payments expire. Source:
//! <https://docs.stripe.com/billing/subscriptions/overview>.

use crate::{
    calendar,
    call::{Call, Origin},
    invoices::{self, Reason},
    items::Billing,
    proration::{self, Charge},
    state::State,
    subscription::{Cancellation, Period, Status, Subscription},
    subscriptions,
};

/// "If no payment is made within 23 hours, the subscription moves to incomplete_expired".
const FIRST_PAYMENT_WINDOW: i64 = 23 * 3_600;

/// Brings every subscription up to `now`, one boundary at a time, each stamped with its own moment.
pub(crate) fn advance(state: &mut State, now: i64) {
    while let Some((id, due)) = next_due(state, now) {
        let mut call = Call { state, now: due, origin: Origin::default() };
        pass(&mut call, &id);
    }
}

/// The earliest boundary that lies behind.
fn next_due(state: &State, now: i64) -> Option<(String, i64)> {
    state
        .subscriptions
        .iter()
        .filter_map(|subscription| Some((subscription, due(subscription)?)))
        .filter(|(_, due)| *due <= now)
        .min_by_key(|(_, due)| *due)
        .map(|(subscription, due)| (subscription.id.clone(), due))
}

fn due(subscription: &Subscription) -> Option<i64> {
    match subscription.status {
        Status::Incomplete => Some(subscription.created + FIRST_PAYMENT_WINDOW),
        status if status.renews() => {
            let end = subscription.period.end;
            Some(subscription.scheduled_end().map_or(end, |scheduled| scheduled.min(end)))
        }
        _ => None,
    }
}

fn pass(call: &mut Call, id: &str) {
    let Some(subscription) = call.state.subscriptions.get(id) else {
        return;
    };
    if subscription.status == Status::Incomplete {
        subscriptions::move_to(call, id, Status::IncompleteExpired);
    } else if subscription.scheduled_end().is_some_and(|end| end <= call.now) {
        subscriptions::end(call, id, Cancellation::default());
    } else {
        renew(call, id);
    }
}

fn renew(call: &mut Call, id: &str) {
    let Some(mut subscription) = call.state.subscriptions.get(id).cloned() else {
        return;
    };
    let before = subscription.view(call.state);
    if subscription.status == Status::Trialing {
        subscription.status = Status::Active;
    }
    subscription.period = next_period(&subscription);
    let charges = full_period(call.state, &subscription);
    proration::note_debits(&mut subscription.items, &charges);
    invoices::issue(call, &mut subscription, Reason::SubscriptionCycle, charges);
    subscriptions::commit(call, subscription, before);
}

/// The charges for the subscription's current period.
pub(crate) fn full_period(state: &State, subscription: &Subscription) -> Vec<Charge> {
    let items = subscription.items.iter();
    items.map(|item| Charge::full(state, item, subscription.period)).collect()
}

/// The period after the current one.
pub(crate) fn next_period(subscription: &Subscription) -> Period {
    let start = subscription.period.end;
    Period { start, end: calendar::next_boundary(subscription.anchor, subscription.every, start) }
}

/// What the subscription's items have in common.
pub(crate) fn billing(subscription: &Subscription) -> Billing {
    Billing { currency: subscription.currency.clone(), every: subscription.every }
}
