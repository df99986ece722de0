//! Every command of docs/runbook.md, run as it is written, on the local stack. The operator's
//! shell is made of the local stack's addresses; the runbook's own first lines say the rest. What
//! needs something to be there beforehand gets it from [`PREPARED`]. `sam` alone is not run: what
//! its commands say is held against samconfig.toml and template.yaml in tests/structure.rs.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use headcount_tests::runbook;
use stripe_stand_in::Server;

use crate::stack::Stack;

/// The name of a local stack, in the place of the one that the runbook exports.
const LOCAL_STACK: &str = "headcount";

/// What has to be done before a block, by a text that is in it. `$ORG` is an organization that is
/// billed and has no seats unless it is set to another one here.
const PREPARED: [(&str, &str); 9] = [
    ("$SEAT:0:ready", "SEAT=acc_01kgjb9z8rd3m0backseat0000"),
    (
        "--restore-date-time",
        "RESTORE_TIME=2026-11-28T12:00:00Z\n\
         aws dynamodb delete-table --table-name $TABLE_NAME-restored || true",
    ),
    (
        "> missing.json",
        "aws dynamodb put-item --table-name $TABLE_NAME-restored \
         --item '{\"pk\":{\"S\":\"RESTORED#'$ORG'\"},\"sk\":{\"S\":\"RESTORED\"}}'",
    ),
    (
        "org create --name \"Acme\"",
        "ORG=$(made org create --name Acme --seat-limit 5 --spending-limit none)",
    ),
    (
        "org relink",
        "curl -fsS -H 'content-type: application/json' -d '{\"status\":\"canceled\"}' \
         $STRIPE_API_BASE/_stand-in/subscriptions/$(subscription)/status",
    ),
    (
        "delete-message",
        "aws sqs send-message --queue-url $BILLING_DLQ_URL --message-group-id foreign \
         --message-deduplication-id foreign-$ORG --message-body foreign\n\
         RECEIPT_HANDLE=$(aws sqs receive-message --queue-url $BILLING_DLQ_URL \
         --query 'Messages[0].ReceiptHandle' --output text)",
    ),
    (
        "put-secret-value",
        "aws secretsmanager create-secret --name headcount/stripe-webhook --secret-string old || true\n\
         OLD_SECRET=whsec_old NEW_SECRET=whsec_new",
    ),
    (
        "create-secret",
        "aws secretsmanager delete-secret --secret-id headcount/stripe-2 \
         --force-delete-without-recovery || true",
    ),
    (
        "\"ORGS#'$SHARD'\"",
        "aws dynamodb delete-item --table-name $TABLE_NAME --key \
         '{\"pk\":{\"S\":\"ORGS#'$(printf '%x' $(($(printf '%d' \"'${ORG: -1}\") % 16)))'\"},\
         \"sk\":{\"S\":\"ORG#'$ORG'\"}}'",
    ),
];

/// What preparations are said with.
const WORDS: &str = r#"
made() { headcount --output json "$@" | jq -r .org; }
subscription() { headcount --output json org show $ORG | jq -r .billing.subscription; }
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The shell of an operator of the stack.
struct Shell<'s> {
    stack: &'s Stack,
    /// A folder with `aws` and `headcount`, before all others on the path.
    programs: PathBuf,
    /// The lines of the runbook that say what the stack's outputs are.
    outputs: String,
}

impl<'s> Shell<'s> {
    fn new(stack: &'s Stack, outputs: String) -> Self {
        let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runbook");
        std::fs::create_dir_all(&programs).expect("a folder");
        // The first major version of the command line does not look at AWS_ENDPOINT_URL for SQS.
        let aws = root().join(".local/venv/bin/aws");
        let aws = format!("exec {} --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"", aws.display());
        let headcount = stack.command_line();
        let headcount = format!("exec {} \"$@\"", headcount.display());
        for (name, line) in [("aws", aws), ("headcount", headcount)] {
            let file = programs.join(name);
            std::fs::write(&file, format!("#!/bin/sh\n{line}\n")).expect("a program");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
                .expect("it can be run");
        }
        Self { stack, programs, outputs }
    }

    /// Runs a script; variables are those of the local stack, and nothing of this machine's AWS.
    fn run(&self, script: &str, stripe: &str, organization: &str) -> Output {
        let path = std::env::var("PATH").expect("a path");
        let script = format!("set -euo pipefail\n{}\n{WORDS}\n{script}", self.outputs);
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(&self.programs)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env("HOME", &self.programs)
            .env("AWS_ENDPOINT_URL", self.stack.get("/aws_endpoint"))
            .env("AWS_REGION", self.stack.get("/aws/region"))
            .env("AWS_DEFAULT_REGION", self.stack.get("/aws/region"))
            .env("AWS_ACCESS_KEY_ID", self.stack.get("/aws/access_key_id"))
            .env("AWS_SECRET_ACCESS_KEY", self.stack.get("/aws/secret_access_key"))
            .env("STRIPE_API_KEY", "sk_test_runbook")
            .env("STRIPE_API_BASE", stripe)
            .env("STACK", LOCAL_STACK)
            .env("ORG", organization)
            .output()
            .expect("bash runs")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_runbook_runs_as_it_is_written() {
    let stack = Stack::up();
    let mut blocks = runbook::blocks();
    assert_eq!(blocks.remove(0), "export STACK=headcount-prod");
    let shell = Shell::new(&stack, blocks.remove(0));
    // New prices would take the lookup keys away from those that other tests are billed by.
    let other = Server::bind(0, None).await.expect("a free port");
    let other_stripe = format!("http://{}", other.address());
    tokio::spawn(other.run(std::future::pending()));

    let mut unused: Vec<&str> = PREPARED.iter().map(|(needle, _)| *needle).collect();
    for block in blocks.iter().filter(|block| !runbook::is_of_sam(block)) {
        let (organization, _, _) = stack.organization();
        let mut script = String::new();
        for (needle, preparation) in PREPARED.iter().filter(|(needle, _)| block.contains(needle)) {
            script += &format!("{{ {preparation}\n}} > /dev/null\n");
            unused.retain(|unused| unused != needle);
        }
        script += block;
        let makes_prices = block.contains("stripe setup");
        let stripe = if makes_prices { &other_stripe } else { stack.get("/stripe") };
        let output = shell.run(&script, stripe, &organization);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{block}\n{told}", output.status);
        writeln!(std::io::stderr(), "ran: {}", block.replace('\n', "\n     ")).expect("an output");
    }
    assert!(unused.is_empty(), "prepared, and nowhere in the runbook: {unused:?}");
}

/// Whoever forgets to say which stack it is about changes none.
#[test]
fn sam_deploys_nothing_that_is_not_named() {
    let sam = root().join(".local/venv/bin/sam");
    let output = Command::new(sam)
        .arg("deploy")
        .current_dir(root())
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .expect("the SAM CLI is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("--stack-name"), "{told}");
}
