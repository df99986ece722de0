//! The outbox of `publish-changes`, with whoever listens on loopback in the place of AWS.

use publish_changes::AwsOutbox;

use crate::plain_http;

/// An outbox through the real SDK: queues and bus are below `base`, an address without TLS.
pub fn outbox(base: &str) -> AwsOutbox {
    let region = aws_sdk_sqs::config::Region::from_static("us-east-1");
    let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test");
    let sqs = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(region.clone())
        .credentials_provider(credentials.clone())
        .endpoint_url(base)
        .http_client(plain_http())
        .build();
    let events = aws_sdk_eventbridge::Config::builder()
        .behavior_version(aws_sdk_eventbridge::config::BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .endpoint_url(base)
        .http_client(plain_http())
        .build();
    AwsOutbox {
        sqs: aws_sdk_sqs::Client::from_conf(sqs),
        events: aws_sdk_eventbridge::Client::from_conf(events),
        billing_queue_url: format!("{base}/billing.fifo"),
        undelivered_queue_url: format!("{base}/undelivered"),
        event_bus_name: "bus".to_owned(),
    }
}
