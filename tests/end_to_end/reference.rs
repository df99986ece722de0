//! The API reference that the stack serves, as a reader sees it in a browser.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::browser;
use crate::stack::Stack;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[tokio::test]
async fn the_stack_serves_the_reference_and_the_document_and_no_other_file() {
    let stack = Stack::up();
    let text = async |path: &str| {
        let url = format!("{}{path}", stack.get("/api"));
        let response = reqwest::get(url).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.bytes().await.expect("a body");
        (status, String::from_utf8(bytes.into()).expect("text"))
    };
    let kept =
        |name: &str| std::fs::read_to_string(root().join("docs").join(name)).expect("a file");
    assert_eq!(text("/openapi.json").await, (200, kept("openapi.json")));
    assert_eq!(text("/reference").await, (200, kept("reference/index.html")), "by a redirect");
    assert_eq!(text("/reference/reference.js").await, (200, kept("reference/reference.js")));
    for elsewhere in [
        "/reference/../stack.json",
        "/reference/%2e%2e/api.md",
        "/reference/..%2fapi.md",
        "/api.md",
    ] {
        assert_eq!(text(elsewhere).await.0, 404, "{elsewhere}");
    }
    let answer = stack.post("/reference/", &[], &json!({})).await;
    assert_eq!(answer.status, 404, "only what is read is served");
}

#[tokio::test]
async fn a_reader_finds_every_operation_and_creates_an_account() {
    let stack = Stack::up();
    let documented = std::fs::read_to_string(root().join("docs/openapi.json")).expect("a document");
    let documented: Value = serde_json::from_str(&documented).expect("JSON");
    let Some(seen) = browser::seen_by("reference.py", &[], &stack) else { return };
    let paths = documented["paths"].as_object().expect("paths").values();
    let operations: usize = paths.map(|path| path.as_object().expect("methods").len()).sum();
    let quote = "#tag/seats/POST/accounts/quote";
    assert_eq!(seen, json!({"operations": operations, "found": quote, "created": 201}));
}
