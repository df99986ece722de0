//! What is measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{FINGERPRINT_KEY, TABLE};
use crate::aws::Aws;
use crate::failure::{Doing, Failure};
use crate::process::Program;
use crate::signature;

/// Why something is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// A function of Headcount.
    Ours,
    /// The least that a function can do.
    Floor,
    /// What others would deploy for `create-seats`.
    Peer,
}

/// How a process reaches AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transport {
    /// In the clear: what is measured is the function.
    Plain,
    /// As in production.
    Tls,
}

/// What an answer must say for the work to have been done.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// An answer for the gateway with this status, and this in its body.
    Http(u16, &'static str),
    /// An answer to a queue or a stream: nothing comes back.
    NoFailures,
    /// A report with this in it.
    Report(&'static str),
}

/// One thing to measure.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Its name in tables.
    pub(crate) name: String,
    /// Why it is measured.
    pub(crate) role: Role,
    /// How it is started.
    pub(crate) program: Program,
    /// What is deployed: a file, or a folder.
    pub(crate) code: PathBuf,
    event: PathBuf,
    expected: Expected,
    /// An event that a peer must refuse, or it would not do the same work.
    pub(crate) refused: Option<PathBuf>,
}

/// The functions, with the event that each is given.
const OURS: [(&str, &str, Expected); 35] = [
    ("create-seats", "created", Expected::Http(200, "\"successful\":2")),
    ("create-agency-account", "created", Expected::Http(200, "\"success\":true")),
    ("create-account", "created", Expected::Http(201, "\"id\":\"acct_")),
    ("list-seats", "listed", Expected::Http(200, "\"ok\":true")),
    ("get-organization", "shown", Expected::Http(200, "\"ok\":true")),
    ("list-api-keys", "listed", Expected::Http(200, "\"ok\":true")),
    ("create-api-key", "created", Expected::Http(200, "\"ok\":true")),
    ("update-api-key", "updated", Expected::Http(200, "\"ok\":true")),
    ("delete-api-key", "deleted", Expected::Http(200, "\"ok\":true")),
    ("get-billing", "shown", Expected::Http(200, "\"ok\":true")),
    ("get-billing-history", "shown", Expected::Http(200, "\"ok\":true")),
    ("update-seats", "updated", Expected::Http(200, "\"ok\":true")),
    ("deactivate-seats", "deactivated", Expected::Http(200, "\"ok\":true")),
    ("quote-seats", "quoted", Expected::Http(200, "\"ok\":true")),
    ("check-token", "good", Expected::Http(200, "\"success\":true")),
    ("get-agency-account", "shown", Expected::Http(200, "\"success\":true")),
    ("list-agency-accounts", "listed", Expected::Http(200, "\"success\":true")),
    ("list-accounts-of-agency", "listed", Expected::Http(200, "\"success\":true")),
    ("update-agency-account", "updated", Expected::Http(200, "\"success\":true")),
    ("delete-agency-account", "deleted", Expected::Http(200, "\"success\":true")),
    ("check-deletion", "can-be-deleted", Expected::Http(200, "\"can_be_deleted\":true")),
    ("get-own-account", "shown", Expected::Http(200, "\"id\":\"acct_")),
    ("list-accounts", "listed", Expected::Http(200, "\"has_more\":false")),
    ("get-account", "shown", Expected::Http(200, "\"id\":\"acct_")),
    ("update-own-account", "updated", Expected::Http(200, "\"id\":\"acct_")),
    ("update-account", "updated", Expected::Http(200, "\"id\":\"acct_")),
    ("delete-own-account", "closed", Expected::Http(200, "\"status\":\"closed\"")),
    ("delete-account", "closed", Expected::Http(200, "\"status\":\"closed\"")),
    ("list-sessions", "listed", Expected::Http(200, "\"has_more\":false")),
    ("end-session", "ended", Expected::Http(200, "\"success\":true")),
    ("stripe-webhook", "recorded", Expected::Http(200, "")),
    ("stripe-events", "recorded", Expected::Report("\"received\":true")),
    ("publish-changes", "seats-created", Expected::NoFailures),
    ("sync-billing", "applied", Expected::NoFailures),
    ("reconcile-billing", "schedule", Expected::Report("\"shards_finished\":16")),
];

/// The functions that create, which have targets.
pub(crate) const CREATES: [&str; 3] = ["create-seats", "create-agency-account", "create-account"];

/// The functions that show something, which have the goals of a read. `list-sessions` is none of them: it reads the
/// account as well.
pub(crate) const READS: [&str; 13] = [
    "list-seats",
    "get-organization",
    "list-api-keys",
    "get-billing",
    "get-billing-history",
    "check-token",
    "get-agency-account",
    "list-agency-accounts",
    "list-accounts-of-agency",
    "check-deletion",
    "get-own-account",
    "list-accounts",
    "get-account",
];

/// The functions that change what was created, which have the goals of a write. `open-session` is none of
/// them: what it takes is a password hash.
pub(crate) const CHANGES: [&str; 11] = [
    "create-api-key",
    "update-api-key",
    "delete-api-key",
    "deactivate-seats",
    "update-agency-account",
    "delete-agency-account",
    "update-own-account",
    "update-account",
    "delete-own-account",
    "delete-account",
    "end-session",
];

/// Where things lie in a checkout.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    root: PathBuf,
    /// Where the release binaries are.
    binaries: PathBuf,
    /// Where the peers were made.
    peers: PathBuf,
}

impl Places {
    /// The places below the root of the checkout.
    pub(crate) fn of(root: &Path, binaries: &Path) -> Self {
        Self {
            root: root.to_owned(),
            binaries: root.join(binaries),
            peers: root.join("target/bench/peers"),
        }
    }

    /// Everything there is to measure.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let ours = OURS.iter().map(|&(name, case, expected)| Subject {
            event: self.event(name, case),
            expected,
            ..self.binary(name, Role::Ours)
        });
        let floors = ["floor-put-item", "floor-get-item", "floor-hello"];
        let floors = floors.map(|name| self.binary(name, Role::Floor));
        ours.chain(floors).chain([self.rust(), self.node(), self.python()]).collect()
    }

    /// One of them, which must have been built.
    pub(crate) fn subject(&self, name: &str) -> Result<Subject, Failure> {
        let found = self.subjects().into_iter().find(|subject| subject.name == name);
        let subject = found.ok_or_else(|| Failure::new(format!("there is no subject {name}")))?;
        if subject.exists() {
            return Ok(subject);
        }
        let code = subject.code.display();
        Err(Failure::new(format!("{code} is not there; `make build` makes it")))
    }

    fn event(&self, function: &str, case: &str) -> PathBuf {
        self.root.join(format!("tests/events/{function}/{case}.json"))
    }

    /// A binary of the workspace, which takes the event of `create-seats` unless said otherwise.
    fn binary(&self, name: &str, role: Role) -> Subject {
        // As `make build` lays them out, or as cargo does.
        let deployed = self.binaries.join(name).join("bootstrap");
        let file = if deployed.exists() { deployed } else { self.binaries.join(name) };
        Subject {
            name: name.to_owned(),
            role,
            code: file.clone(),
            program: Program { file, arguments: Vec::new(), directory: self.root.clone() },
            event: self.event("create-seats", "created"),
            expected: Expected::Http(200, ""),
            refused: None,
        }
    }

    fn peer(&self, name: &str, code: PathBuf, file: PathBuf, arguments: &[&str]) -> Subject {
        let [(_, case, expected), ..] = OURS;
        Subject {
            name: name.to_owned(),
            role: Role::Peer,
            program: Program {
                file,
                arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
                directory: code.parent().unwrap_or(&self.root).to_owned(),
            },
            code,
            event: self.event("create-seats", case),
            expected,
            refused: Some(self.event("create-seats", "missing-detail-fields")),
        }
    }

    fn rust(&self) -> Subject {
        let file = self.peers.join("rust-default/release/create-seats");
        self.peer("peer-rust", file.clone(), file, &[])
    }

    fn node(&self) -> Subject {
        let bundle = self.peers.join("node/bundle.mjs");
        let path = bundle.display().to_string();
        self.peer("peer-node", bundle, PathBuf::from("node"), &[&path])
    }

    fn python(&self) -> Subject {
        let folder = self.peers.join("python");
        let interpreter = self.peers.join("python-venv/bin/python");
        let mut peer = self.peer(
            "peer-python",
            folder.clone(),
            interpreter,
            &["-m", "awslambdaric", "handler.handler"],
        );
        peer.program.directory = folder;
        peer
    }
}

impl Subject {
    /// Whether it has been built.
    pub(crate) fn exists(&self) -> bool {
        self.code.exists()
    }

    /// The event, fit for this moment.
    pub(crate) fn event(&self) -> Result<Bytes, Failure> {
        Ok(serde_json::to_vec(&self.sample()?)?.into())
    }

    /// The event as a value, to be varied.
    pub(crate) fn sample(&self) -> Result<Value, Failure> {
        let text = fs::read_to_string(&self.event).doing(self.event.display())?;
        let mut event: Value = serde_json::from_str(&text).doing(self.event.display())?;
        if self.name == "stripe-webhook" {
            signature::renew(&mut event, Timestamp::now())?;
        }
        Ok(event)
    }

    /// Makes sure that the work was done: a function that refuses is fast.
    pub(crate) fn check(&self, answer: &[u8]) -> Result<(), Failure> {
        let value: Value = serde_json::from_slice(answer).doing("reading an answer")?;
        let right = match self.expected {
            Expected::Http(status, part) => {
                let body = value["body"].as_str().unwrap_or_default();
                value["statusCode"] == status && body.contains(part)
            }
            Expected::NoFailures => value["batchItemFailures"] == json!([]),
            Expected::Report(part) => String::from_utf8_lossy(answer).contains(part),
        };
        if right { Ok(()) } else { Err(Failure::new(format!("{} answered {value}", self.name))) }
    }

    /// The bytes that are deployed.
    pub(crate) fn size(&self) -> Result<u64, Failure> {
        bytes_of(&self.code).doing(self.code.display())
    }

    /// What Lambda and the template put into the environment.
    pub(crate) fn environment(
        &self,
        runtime_api: &str,
        aws: &Aws,
        transport: Transport,
    ) -> BTreeMap<String, String> {
        let endpoint = match transport {
            Transport::Plain => &aws.plain,
            Transport::Tls => &aws.tls,
        };
        let queue = format!("{endpoint}/123456789012/queue");
        let (authority, bundle) =
            (aws.trust.authority.display().to_string(), aws.trust.bundle.display().to_string());
        // Boto reads the whole bundle of certifi wherever it runs; ours is the same and one more.
        let ca_bundle = if self.name == "peer-python" { &bundle } else { &authority };
        let code = self.program.directory.display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/02/03/[1]00000000000000000000000000000000"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("_HANDLER", "handler.handler"),
            ("LAMBDA_TASK_ROOT", &code),
            ("TZ", ":UTC"),
            ("LANG", "en_US.UTF-8"),
            ("PATH", &path),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_CA_BUNDLE", ca_bundle),
            ("SSL_CERT_FILE", &bundle),
            ("NODE_EXTRA_CA_CERTS", &authority),
            // A warning that Lambda's newer Node would not make either.
            ("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true"),
            ("RUST_LOG", "info"),
            ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=127"),
            ("POWERTOOLS_SERVICE_NAME", "bench"),
            ("POWERTOOLS_LOG_LEVEL", "INFO"),
            ("TABLE_NAME", TABLE),
            ("FINGERPRINT_SECRET_NAME", "fingerprint"),
            // Where the peers find it.
            ("FINGERPRINT_KEY", FINGERPRINT_KEY),
            ("PLATFORMS", "tiktok,instagram"),
            ("TIERS", TIERS),
            ("BILLABLE_STATES", "active,trialing,past_due"),
            ("PAST_DUE_GRACE_DAYS", "7"),
            ("RETENTION_DAYS", "30"),
            ("SELF_SIGNUP", "on"),
            ("PASSWORD_MIN_LENGTH", "15"),
            ("BILLING_QUEUE_URL", &queue),
            ("UNDELIVERED_QUEUE_URL", &queue),
            ("EVENT_BUS_NAME", "bench"),
            ("STRIPE_API_BASE", endpoint),
            ("STRIPE_SECRET_NAME", "stripe"),
            ("STRIPE_WEBHOOK_SECRET_NAME", "stripe-webhook"),
            ("STRIPE_READS_PER_SECOND", "15"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }
}

/// As long as those that Lambda gives, since it is signed and sent with each call.
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE";

/// The tiers as the template has them.
const TIERS: &str = r#"[{"name":"basic","price":"price_basic","unit_amount":4000,"device_type":"shared"},{"name":"premium","price":"price_premium","unit_amount":10000,"device_type":"dedicated"}]"#;

/// The size of a file, or of all files in a folder.
fn bytes_of(path: &Path) -> Result<u64, Failure> {
    if !path.is_dir() {
        return Ok(fs::metadata(path)?.len());
    }
    fs::read_dir(path)?.map(|entry| bytes_of(&entry?.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers;

    fn subjects() -> Vec<Subject> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Places::of(&root, Path::new("target/lambda")).subjects()
    }

    #[test]
    fn whatever_has_a_goal_is_measured_and_has_one() {
        let ours: Vec<_> = OURS.iter().map(|(name, ..)| *name).collect();
        let mut goals: Vec<_> = [&CREATES[..], &READS, &CHANGES].concat();
        for name in &goals {
            assert!(ours.contains(name), "{name} is not measured");
        }
        goals.sort_unstable();
        goals.dedup();
        assert_eq!(goals.len(), CREATES.len() + READS.len() + CHANGES.len());
    }

    /// Who is not let in is answered fast.
    #[test]
    fn who_calls_in_an_event_is_known_to_the_table() {
        let mut calls = 0;
        for subject in subjects().iter().filter(|subject| subject.role == Role::Ours) {
            let event = subject.sample().expect("an event");
            let Some(header) = event["headers"]["authorization"].as_str() else { continue };
            let id = header.split('_').nth(1).expect("the id of a credential");
            let known = |kind: &str| {
                let key = format!("{{\"pk\":{{\"S\":\"{kind}#{id}\"}}}}");
                answers::of_aws("GetItem", key.as_bytes())["Item"].is_object()
            };
            assert!(known("CREDENTIAL") || known("SESSION"), "{}: {id}", subject.name);
            calls += 1;
        }
        assert!(calls >= READS.len() + CHANGES.len(), "{calls}");
    }
}
