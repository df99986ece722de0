//! Clients that others' generators make of docs/openapi.json, used as their readers use them: the
//! compiler of each language takes the program, and the program creates an account in each API.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::stack::Stack;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// tools/local/clients.py, which knows the generators.
fn clients(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(root().join(".local/venv/bin/python"))
        .arg(root().join("tools/local/clients.py"))
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("Python runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The sort keys of a partition.
async fn sort_keys(stack: &Stack, pk: &str) -> BTreeSet<String> {
    let items = stack.partition(pk).await;
    items.iter().filter_map(|item| item["sk"].as_s().ok()).cloned().collect()
}

/// Runs the program of a language; what it says that it created has to be there.
async fn creates(stack: &Stack, language: &str) {
    let (org, key, _) = stack.organization();
    let email = stack.unused_email(language);
    let agency = stack.get("/demo/agency/agency_lcuid");
    let variables = [
        ("HEADCOUNT_API", stack.get("/api")),
        ("HEADCOUNT_SEATS_API_KEY", &*key),
        ("HEADCOUNT_AGENCY_TOKEN", stack.get("/demo/agency/token")),
        ("HEADCOUNT_AGENCY_APP_ID", stack.get("/demo/agency/app_id")),
        ("HEADCOUNT_AGENCY_LCUID", agency),
        ("HEADCOUNT_ADMIN_TOKEN", stack.get("/demo/identity/admin_token")),
        ("HEADCOUNT_EMAIL", &*email),
        ("RUN", &*org),
    ];
    let output = clients(&["run", "--language", language], &variables);
    assert!(output.status.success(), "{language}: {}", said(&output));
    let ids: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |pointer: &str| ids.pointer(pointer).and_then(Value::as_str).unwrap_or("none");

    assert_eq!(ids["seats"].as_array().map(Vec::len), Some(2), "{language}: {ids}");
    let kept = sort_keys(stack, &format!("ORG#{org}")).await;
    for id in [text("/seats/0"), text("/seats/1")] {
        assert!(kept.contains(&format!("SEAT#{id}")), "{language}: {ids}");
    }
    let kept = sort_keys(stack, &format!("AGENCY#{agency}")).await;
    assert!(kept.contains(&format!("ACCOUNT#{}", text("/agency"))), "{language}: {ids}");
    let kept = sort_keys(stack, &format!("ACCOUNT#{}", text("/identity"))).await;
    assert!(kept.contains("ACCOUNT"), "{language}: {ids}");
}

#[tokio::test]
async fn generated_clients_create_an_account_in_each_api() {
    let stack = Stack::up();
    let output = clients(&["generate"], &[]);
    assert!(output.status.success(), "{}", said(&output));
    creates(&stack, "python").await;
    creates(&stack, "typescript").await;
}

/// A client is only as good as its types: a document that is wrong about one must not pass.
#[test]
fn a_wrong_type_in_the_document_does_not_compile() {
    let document = std::fs::read_to_string(root().join("docs/openapi.json")).expect("a document");
    let mut document: Value = serde_json::from_str(&document).expect("JSON");
    let field = "/components/schemas/CreatedSeatsData/properties/successful";
    *document.pointer_mut(field).expect("the field") = json!({ "type": "string" });
    let file = root().join(".local/node/wrong-openapi.json");
    std::fs::write(&file, document.to_string()).expect("a file");
    let file = file.to_string_lossy().into_owned();
    for (language, name) in [("python", "Python"), ("typescript", "TypeScript")] {
        let wrong = ["generate", "--name", "wrong", "--language", language, "--document", &file];
        let output = clients(&wrong, &[]);
        assert!(!output.status.success(), "{name}");
        let what = format!("the {name} client has other types");
        assert!(said(&output).contains(&what), "{}", said(&output));
    }
}
