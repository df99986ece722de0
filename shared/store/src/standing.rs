//! How the standing of a subscription is written into the billing record.

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::{Standing, SubscriptionStatus};

use crate::transaction::{Condition, Values, number, text};

/// What an update sets, by the names of [`values`] and `:now`, and what it removes. A period that is
/// not told stays as it is.
pub(crate) fn clauses(standing: &Standing) -> (String, Vec<&'static str>) {
    let mut set = "subscription_status = :status, cancel_at_period_end = :cancel".to_owned();
    let mut remove = Vec::new();
    if standing.period.is_some() {
        set += ", current_period_start = :start, current_period_end = :end";
    }
    // The grace runs from when it was first seen, however often it is seen again.
    match standing.status {
        SubscriptionStatus::PastDue => {
            set += ", past_due_since = if_not_exists(past_due_since, :now)";
        }
        _ => remove.push("past_due_since"),
    }
    if standing.collection_paused {
        set += ", collection_paused = :paused";
    } else {
        remove.push("collection_paused");
    }
    (set, remove)
}

/// An update expression that sets `also` too.
pub(crate) fn expression(also: &str, standing: &Standing) -> String {
    let (set, remove) = clauses(standing);
    let remove =
        if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
    format!("SET {also}, {set}{remove}")
}

/// The values of [`clauses`].
pub(crate) fn values(standing: &Standing) -> Values {
    let mut values = vec![
        (":status", text(standing.status.as_str())),
        (":cancel", AttributeValue::Bool(standing.cancel_at_period_end)),
    ];
    if let Some(period) = standing.period {
        values.extend([(":start", number(period.start)), (":end", number(period.end))]);
    }
    if standing.collection_paused {
        values.push((":paused", AttributeValue::Bool(true)));
    }
    values
}

/// That the standing of a subscription was written this often, and that it is still the one that is linked.
pub(crate) fn unchanged(subscription: &str, status_version: u64) -> Condition {
    let expression = if status_version == 0 {
        "stripe_subscription = :subscription \
         AND (status_version = :from OR attribute_not_exists(status_version))"
    } else {
        "stripe_subscription = :subscription AND status_version = :from"
    };
    let values = vec![(":subscription", text(subscription)), (":from", number(status_version))];
    Condition { expression: expression.into(), values }
}
