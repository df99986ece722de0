//! The client examples of docs/examples, run as their readers run them: from the shell, told by
//! environment variables where the API is and who calls. A language whose runtime is not installed
//! is left out, which continuous integration takes for PHP alone.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use headcount_tests::text_of;

use crate::stack::Stack;

/// What a refusal's credential looks like: nobody has it.
const UNKNOWN: &str = "hc_unknown";

/// Succeeds in PHP where the examples find Guzzle.
const HAS_GUZZLE: &str = "exit(is_file('vendor/autoload.php') || \
                          is_file('/usr/share/php/GuzzleHttp/autoload.php') ? 0 : 1);";

/// One language of the examples.
struct Language {
    name: &'static str,
    extension: &'static str,
    program: PathBuf,
    /// A command that succeeds where the examples can run.
    probe: (PathBuf, &'static [&'static str]),
}

/// What an example said.
struct Said {
    is_success: bool,
    /// The ids that it printed, a line each.
    ids: Vec<String>,
    complaint: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The languages whose runtimes this machine has.
fn languages() -> Vec<Language> {
    let python = root().join(".local/venv/bin/python");
    let all = [
        ("curl", "sh", "bash".into(), ("curl".into(), &["--version"] as &[_])),
        ("Python", "py", python.clone(), (python, &["-c", "import requests"])),
        ("JavaScript", "mjs", "node".into(), ("node".into(), &["-e", "fetch.name"])),
        ("PHP", "php", "php".into(), ("php".into(), &["-r", HAS_GUZZLE])),
    ];
    let all =
        all.map(|(name, extension, program, probe)| Language { name, extension, program, probe });
    all.into_iter().filter(Language::is_installed).collect()
}

impl Language {
    fn is_installed(&self) -> bool {
        let (program, arguments) = &self.probe;
        let probed = Command::new(program).args(*arguments).current_dir(root()).output();
        let is_installed = probed.is_ok_and(|output| output.status.success());
        if !is_installed {
            let is_needed = std::env::var_os("CI").is_some() && self.name != "PHP";
            assert!(!is_needed, "the examples in {} cannot run here", self.name);
            // Past the capture of the test harness: a reader of the output has to know.
            writeln!(std::io::stderr(), "left out: the examples in {}, not installed", self.name)
                .expect("an output");
        }
        is_installed
    }

    /// Runs the example of an API with these variables besides `HEADCOUNT_API`.
    fn run(&self, api: &str, stack: &Stack, variables: &[(&str, &str)]) -> Said {
        let output = Command::new(&self.program)
            .arg(format!("docs/examples/{api}.{}", self.extension))
            .current_dir(root())
            .env("HEADCOUNT_API", stack.get("/api"))
            .envs(variables.iter().copied())
            .output()
            .expect("an interpreter");
        Said {
            is_success: output.status.success(),
            ids: String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs an example that must succeed; returns the ids that it printed.
    fn created(&self, api: &str, stack: &Stack, variables: &[(&str, &str)]) -> Vec<String> {
        let said = self.run(api, stack, variables);
        assert!(said.is_success, "{api} in {}: {}", self.name, said.complaint);
        said.ids
    }

    /// Runs an example that must be refused with this message.
    fn refused(&self, api: &str, stack: &Stack, variables: &[(&str, &str)], message: &str) {
        let said = self.run(api, stack, variables);
        assert!(!said.is_success, "{api} in {} printed {:?}", self.name, said.ids);
        assert!(said.ids.is_empty(), "{api} in {} printed {:?}", self.name, said.ids);
        let is_told = said.complaint.contains("401") && said.complaint.contains(message);
        assert!(is_told, "{api} in {}: {}", self.name, said.complaint);
    }
}

/// The sort keys of a partition.
async fn sort_keys(stack: &Stack, pk: &str) -> BTreeSet<String> {
    let items = stack.partition(pk).await;
    items.iter().filter_map(|item| item["sk"].as_s().ok()).cloned().collect()
}

#[tokio::test]
async fn the_seats_examples_create_two_seats_each() {
    let stack = Stack::up();
    let (org, key, subscription) = stack.organization();
    let languages = languages();
    for language in &languages {
        let ids = language.created("seats", &stack, &[("HEADCOUNT_SEATS_API_KEY", &key)]);
        assert_eq!(ids.len(), 2, "{ids:?} in {}", language.name);
        let kept = sort_keys(&stack, &format!("ORG#{org}")).await;
        for id in ids {
            assert!(kept.contains(&format!("SEAT#{id}")), "{id} in {}", language.name);
        }
        let unknown = [("HEADCOUNT_SEATS_API_KEY", UNKNOWN)];
        language.refused("seats", &stack, &unknown, "A valid API key is required.");
    }
    let each = languages.len() as u64;
    stack.until_billed(&subscription, (each, each)).await;
}

#[tokio::test]
async fn the_examples_that_give_a_seat_back_leave_one_each() {
    let stack = Stack::up();
    let (org, _, subscription) = stack.organization();
    let permissions = ["--permission", "accounts:create", "--permission", "accounts:deactivate"];
    let made = stack.headcount(&[&["api-key", "create", "--org", &org][..], &permissions].concat());
    let key = made["credential"].as_str().expect("a key").to_owned();
    let languages = languages();
    for language in &languages {
        let ids = language.created("seats", &stack, &[("HEADCOUNT_SEATS_API_KEY", &key)]);
        let variables = |key, revoke| {
            [
                ("HEADCOUNT_SEATS_API_KEY", key),
                ("HEADCOUNT_ACCOUNT_ID", ids[0].as_str()),
                ("HEADCOUNT_REVOKE", revoke),
            ]
        };
        // One that is not to end stays anyway.
        for revoke in ["true", "false"] {
            let given = language.created("deactivate", &stack, &variables(&key, revoke));
            assert_eq!(given, ids[..1], "{}", language.name);
        }
        let unknown = variables(UNKNOWN, "false");
        language.refused("deactivate", &stack, &unknown, "A valid API key is required.");
    }
    let each = languages.len() as u64;
    stack.until_billed(&subscription, (0, each)).await;
}

#[tokio::test]
async fn the_examples_that_change_a_seat_make_it_premium() {
    let stack = Stack::up();
    let (org, _, subscription) = stack.organization();
    let permissions = ["--permission", "accounts:create", "--permission", "accounts:update"];
    let made = stack.headcount(&[&["api-key", "create", "--org", &org][..], &permissions].concat());
    let key = made["credential"].as_str().expect("a key").to_owned();
    let languages = languages();
    for language in &languages {
        let ids = language.created("seats", &stack, &[("HEADCOUNT_SEATS_API_KEY", &key)]);
        let variables = |key, account| {
            [
                ("HEADCOUNT_SEATS_API_KEY", key),
                ("HEADCOUNT_ACCOUNT_ID", account),
                ("HEADCOUNT_TAG", language.name),
            ]
        };
        let changed = language.created("update", &stack, &variables(&key, &ids[0]));
        assert_eq!(changed, ids[..1], "{}", language.name);
        let items = stack.partition(&format!("ORG#{org}")).await;
        let is_changed = items.iter().any(|item| {
            text_of(item, "id") == Some(&ids[0]) && text_of(item, "tag") == Some(language.name)
        });
        assert!(is_changed, "by {}", language.name);
        let nobodys = language.run("update", &stack, &variables(&key, "acc_1"));
        assert!(!nobodys.is_success && nobodys.ids.is_empty(), "{}", language.name);
        assert!(nobodys.complaint.contains("invalid_request"), "{}", nobodys.complaint);
        let unknown = variables(UNKNOWN, &ids[0]);
        language.refused("update", &stack, &unknown, "A valid API key is required.");
    }
    let each = languages.len() as u64;
    stack.until_billed(&subscription, (0, 2 * each)).await;
}

#[tokio::test]
async fn the_list_examples_find_every_seat() {
    let stack = Stack::up();
    let (_, key, _) = stack.organization();
    for language in &languages() {
        let variables = |key| [("HEADCOUNT_SEATS_API_KEY", key), ("HEADCOUNT_PAGE", "1")];
        let before = language.created("list", &stack, &variables(&key));
        let made = language.created("seats", &stack, &variables(&key)[..1]);
        let after = language.created("list", &stack, &variables(&key));
        assert_eq!(after, [before, made].concat(), "in {}", language.name);
        language.refused("list", &stack, &variables(UNKNOWN), "A valid API key is required.");
    }
}

#[tokio::test]
async fn the_agency_examples_create_a_sub_account_each() {
    let stack = Stack::up();
    let agency = stack.get("/demo/agency/agency_lcuid");
    for language in languages() {
        let variables = |token| {
            [
                ("HEADCOUNT_AGENCY_TOKEN", token),
                ("HEADCOUNT_AGENCY_APP_ID", stack.get("/demo/agency/app_id")),
                ("HEADCOUNT_AGENCY_LCUID", agency),
                ("HEADCOUNT_PARENT_ACCOUNT_LCUID", stack.get("/demo/agency/parent_account_lcuid")),
            ]
        };
        let good = variables(stack.get("/demo/agency/token"));
        let ids = language.created("agency", &stack, &good);
        assert_eq!(ids.len(), 1, "{ids:?} in {}", language.name);
        let kept = sort_keys(&stack, &format!("AGENCY#{agency}")).await;
        assert!(kept.contains(&format!("ACCOUNT#{}", ids[0])), "{ids:?} in {}", language.name);
        language.refused("agency", &stack, &variables(UNKNOWN), "Unauthenticated.");
    }
}

#[tokio::test]
async fn the_agency_account_examples_rename_an_account() {
    let stack = Stack::up();
    let agency = stack.get("/demo/agency/agency_lcuid");
    let account = stack.get("/demo/agency/sub_account_lcuid");
    for language in languages() {
        let name = format!("Renamed by {}", language.name);
        let variables = |token| {
            [
                ("HEADCOUNT_AGENCY_TOKEN", token),
                ("HEADCOUNT_AGENCY_APP_ID", stack.get("/demo/agency/app_id")),
                ("HEADCOUNT_ACCOUNT_LCUID", account),
                ("HEADCOUNT_ACCOUNT_NAME", &*name),
            ]
        };
        let good = variables(stack.get("/demo/agency/token"));
        assert_eq!(language.created("agency-account", &stack, &good), [account]);
        let items = stack.partition(&format!("AGENCY#{agency}")).await;
        let is_renamed = items.iter().any(|item| {
            text_of(item, "lcuid") == Some(account) && text_of(item, "name") == Some(&name)
        });
        assert!(is_renamed, "by {}", language.name);
        language.refused("agency-account", &stack, &variables(UNKNOWN), "Unauthenticated.");
    }
}

#[tokio::test]
async fn the_identity_examples_create_an_account_each() {
    let stack = Stack::up();
    for language in languages() {
        let email = stack.unused_email("example");
        let variables = |token| [("HEADCOUNT_ADMIN_TOKEN", token), ("HEADCOUNT_EMAIL", &*email)];
        let good = variables(stack.get("/demo/identity/admin_token"));
        let ids = language.created("identity", &stack, &good);
        assert_eq!(ids.len(), 1, "{ids:?} in {}", language.name);
        let kept = sort_keys(&stack, &format!("ACCOUNT#{}", ids[0])).await;
        assert!(kept.contains("ACCOUNT"), "{ids:?} in {}", language.name);
        let bad = variables(UNKNOWN);
        language.refused("identity", &stack, &bad, "A valid access token is required.");
    }
}

#[tokio::test]
async fn the_accounts_examples_find_every_active_account() {
    let stack = Stack::up();
    for language in languages() {
        let variables = |token| [("HEADCOUNT_ADMIN_TOKEN", token), ("HEADCOUNT_PAGE", "1")];
        let listed = language.created(
            "accounts",
            &stack,
            &variables(stack.get("/demo/identity/admin_token")),
        );
        let has = |name: &str| listed.iter().any(|id| id == stack.get(name));
        assert!(has("/demo/identity/account"), "{listed:?} in {}", language.name);
        assert!(!has("/demo/identity/suspended_account"), "{listed:?} in {}", language.name);
        let bad = variables(UNKNOWN);
        language.refused("accounts", &stack, &bad, "A valid access token is required.");
    }
}

#[tokio::test]
async fn the_account_examples_log_in() {
    let stack = Stack::up();
    let email = stack.get("/demo/identity/email");
    for language in languages() {
        let variables = |password| [("HEADCOUNT_EMAIL", email), ("HEADCOUNT_PASSWORD", password)];
        let good = variables(stack.get("/demo/identity/password"));
        let account = stack.get("/demo/identity/account");
        assert_eq!(language.created("account", &stack, &good), [account]);
        let bad = variables("not the password of the demos");
        language.refused("account", &stack, &bad, "The email or the password is wrong.");
    }
}
