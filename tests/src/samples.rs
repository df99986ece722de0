//! The sample events of `tests/events/`, the demo tenants that they name, and what the functions
//! behind a gateway answer to them.

mod gateways;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use demo_tenants::{DemoTenants, SeedError};
use headcount_model::billing::{Period, Standing, SubscriptionStatus};
use headcount_model::id::OrganizationId;
use headcount_store::StripeLink;
use serde_json::{Value, json};

use crate::stage::Stage;

pub use gateways::{PRICES, SampleStripe, fall_past_due, reply, tiers};

/// The subscription of an organization that is billed. The webhooks are about the one of
/// [`DemoTenants::seats`].
pub const SUBSCRIPTION: &str = "sub_demo";

/// February 2026, in which the events happen.
pub const PERIOD: Period = Period { start: 1_769_904_000, end: 1_772_323_200 };

/// One file.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The function that it is for.
    pub function: String,
    /// What it shows: the file's name.
    pub case: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The event.
    pub event: Value,
}

/// Through what a request came, and so what its event looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gateway {
    /// An HTTP API, payload version 2.0.
    HttpApi,
    /// A REST API, payload version 1.0.
    RestApi,
    /// A load balancer.
    LoadBalancer,
    /// A load balancer whose target group takes headers of several values.
    LoadBalancerMultiValue,
}

impl Gateway {
    /// Every gateway.
    pub const ALL: [Gateway; 4] = [
        Gateway::HttpApi,
        Gateway::RestApi,
        Gateway::LoadBalancer,
        Gateway::LoadBalancerMultiValue,
    ];

    /// What the names of its files end with, before `-base64`.
    pub fn suffix(self) -> &'static str {
        match self {
            Gateway::HttpApi => "",
            Gateway::RestApi => "-rest-api",
            Gateway::LoadBalancer => "-alb",
            Gateway::LoadBalancerMultiValue => "-alb-multi-value",
        }
    }
}

impl Sample {
    /// The gateway that sends such an event; `None` for queues, streams and schedules.
    pub fn gateway(&self) -> Option<Gateway> {
        let event = &self.event;
        if event["version"] == "2.0" {
            Some(Gateway::HttpApi)
        } else if event["requestContext"]["elb"].is_object() {
            let several = event["multiValueHeaders"].is_object();
            Some(if several { Gateway::LoadBalancerMultiValue } else { Gateway::LoadBalancer })
        } else {
            event["resource"].is_string().then_some(Gateway::RestApi)
        }
    }

    /// Whether its body is base64.
    pub fn is_base64(&self) -> bool {
        self.event["isBase64Encoded"] == true
    }

    /// The body of a request as the function sees it.
    pub fn body(&self) -> Vec<u8> {
        body_of(&self.event)
    }

    /// What its function answers in a test, as its snapshot keeps it: what stands below the second
    /// line of dashes.
    pub fn kept_answer(&self) -> Value {
        let file = format!("snapshots/events__{}__{}.snap", self.function, self.case);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(&path).expect("a snapshot");
        let answer = text.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
        serde_json::from_str(answer).expect("answers are JSON")
    }

    /// A header of a request, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = ["headers", "multiValueHeaders"].map(|member| &self.event[member]);
        let mut headers = headers.into_iter().filter_map(Value::as_object).flatten();
        let (_, value) = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        value.as_str().or(value[0].as_str())
    }
}

/// The body in the event of a gateway.
fn body_of(event: &Value) -> Vec<u8> {
    let text = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] == true {
        STANDARD.decode(text).unwrap_or_default()
    } else {
        text.as_bytes().to_owned()
    }
}

/// Every sample, by function and case.
pub fn all() -> Vec<Sample> {
    let root = folder();
    let mut samples = Vec::new();
    for function in functions() {
        for path in list(&root.join(&function)) {
            let text = std::fs::read_to_string(&path).expect("a file in UTF-8");
            let event = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            samples.push(Sample { function: function.clone(), case: stem(&path), path, event });
        }
    }
    samples
}

/// One sample.
pub fn one(function: &str, case: &str) -> Sample {
    let found = all().into_iter().find(|one| one.function == function && one.case == case);
    found.unwrap_or_else(|| panic!("there is no event {function}/{case}"))
}

/// The functions that have a folder of samples.
pub fn functions() -> BTreeSet<String> {
    let folders = list(&folder()).into_iter().filter(|path| path.is_dir());
    folders.map(|path| stem(&path)).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events")
}

/// What is in a folder, by name.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    let name = path.file_stem().and_then(|name| name.to_str());
    name.expect("a name in UTF-8").to_owned()
}

/// The demo tenants as the local stack has them, as text and read.
pub fn tenants() -> (Value, DemoTenants) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/local/demo-tenants.json");
    let text = std::fs::read(path).expect("the demo tenants");
    let read = serde_json::from_slice(&text).expect("demo tenants");
    (serde_json::from_slice(&text).expect("JSON"), read)
}

/// Brings the demo tenants onto a stage. The first organization is billed by `subscription`, the
/// others by subscriptions that no sample names.
pub async fn seed(stage: &Stage, subscription: &str) {
    let (_, tenants) = tenants();
    let link = |org: &OrganizationId| StripeLink {
        customer: "cus_demo".to_owned(),
        subscription: if *org == tenants.seats.org {
            subscription.to_owned()
        } else {
            format!("sub_{org}")
        },
        standing: Standing { period: Some(PERIOD), ..SubscriptionStatus::Active.into() },
    };
    let seeded: Result<(), SeedError> =
        demo_tenants::seed(&stage.table, &stage.ports, &tenants, async |org, _| Ok(link(org)))
            .await;
    seeded.expect("demo tenants");
}

/// What a snapshot holds of a reply.
pub fn shown(reply: &crate::Reply) -> Value {
    json!({"status": reply.status, "headers": reply.headers, "body": reply.json()})
}
