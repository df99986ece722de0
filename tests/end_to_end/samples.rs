//! The sample events of `tests/events/`, sent to the stack as the requests that they are of: the
//! tenants and credentials in them are the demo tenants of every local stack.

use headcount_tests::samples::{Gateway, Sample, all};
use serde_json::Value;

use crate::stack::Stack;

/// What a client says of itself and a gateway adds is not sent again.
const OF_THE_WAY: [&str; 4] = ["content-length", "host", "user-agent", "x-"];

/// Webhooks are signed for another time; a body of bytes is the gateway's doing.
fn can_be_sent(sample: &Sample) -> bool {
    sample.gateway() == Some(Gateway::HttpApi)
        && !sample.is_base64()
        && sample.function != "stripe-webhook"
}

#[tokio::test]
async fn the_sample_events_name_the_demo_tenants_of_the_stack() {
    let stack = Stack::up();
    let http = reqwest::Client::new();
    let samples: Vec<_> = all().into_iter().filter(can_be_sent).collect();
    assert!(!samples.is_empty());
    for sample in samples {
        let text = |pointer: &str| sample.event.pointer(pointer).and_then(Value::as_str);
        let method = text("/requestContext/http/method").expect("a method");
        let path = text("/rawPath").expect("a path");
        let query = text("/rawQueryString").unwrap_or_default();
        let url = format!("{}{path}?{query}", stack.get("/api"));
        let mut request = http.request(method.parse().expect("a method"), url).body(sample.body());
        for (name, value) in sample.event["headers"].as_object().expect("headers") {
            if !OF_THE_WAY.iter().any(|own| name.starts_with(own)) {
                request = request.header(name, value.as_str().expect("a text"));
            }
        }
        let response = request.send().await.expect("the API answers");
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("every answer is JSON");
        let kept = sample.kept_answer();
        assert_eq!(Value::from(status), kept["status"], "{}: {body}", sample.path.display());
        assert_eq!(body["error"], kept["body"]["error"], "{}: {body}", sample.path.display());
    }
}
