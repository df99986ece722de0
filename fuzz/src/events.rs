//! Events of Lambda as JSON: of a gateway, of the queue, of the table's stream.

use aws_lambda_events::event::sqs::SqsEvent;
use headcount_api::GatewayEvent;
use headcount_billing::Prices;
use headcount_model::seats::MAX_REASON;
use publish_changes::Batch;
use serde_json::Value;
use sync_billing::Function;

use crate::endpoints::{seats, status, tiers};
use crate::ports::{FailingAt, Still, Table, Willing, block_on};
use crate::request::Found;

/// Any JSON gets an answer.
pub(crate) fn gateway(input: &[u8]) {
    let read = serde_json::from_slice::<GatewayEvent>(input);
    assert!(read.is_ok() || serde_json::from_slice::<Value>(input).is_err(), "{read:?}");
    if let Ok(event) = read {
        let status = status(&seats(Found::Nothing), event);
        assert!(status < 500, "{status}");
    }
}

/// What comes again is part of what came, once each.
pub(crate) fn billing_messages(input: &[u8]) {
    let Ok(event) = serde_json::from_slice::<SqsEvent>(input) else { return };
    let mut ids: Vec<_> =
        event.records.iter().filter_map(|message| message.message_id.clone()).collect();
    let function = Function {
        ledger: Table(Found::Nothing),
        stripe: Willing,
        queue: Willing,
        prices: Prices::from(&tiers()),
        ports: Still,
    };
    if let Ok(response) = block_on(function.handle(event)) {
        for failure in response.batch_item_failures {
            let place = ids.iter().position(|id| *id == failure.item_identifier);
            ids.swap_remove(place.expect("a message of the batch"));
        }
    }
}

/// As of the billing queue. Whatever is read has its fields within their rules.
pub(crate) fn setup_results(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(result) = record_setup::decode(text)
    {
        assert!(result.request.is_none_or(|request| request <= u32::MAX.into()));
        let length = result.reason.map_or(1, |reason| reason.as_str().chars().count());
        assert!((1..=MAX_REASON).contains(&length), "{length}");
    }
}

/// Lambda is sent back to a record of the batch, when something was not delivered, and only then.
pub(crate) fn stream_records(input: &[u8]) {
    let Ok(batch) = serde_json::from_slice::<Batch>(input) else { return };
    let numbers: Vec<Value> =
        batch.records.iter().map(|record| record["dynamodb"]["SequenceNumber"].clone()).collect();
    for fails in [Vec::new(), vec![0], vec![2, 1]] {
        let is_failure = !fails.is_empty();
        let Ok(response) = block_on(publish_changes::handle(&FailingAt(fails), batch.clone()))
        else {
            continue;
        };
        assert!(response.batch_item_failures.len() <= usize::from(is_failure));
        for failed in response.batch_item_failures {
            assert!(numbers.contains(&Value::String(failed.item_identifier)));
        }
    }
}
