//! docs/errors.md: every error with its cause and its cure.

use std::fmt::Write;

use serde_json::Value;

use crate::Refusal;
use crate::operation::Api;
use crate::rules;

const HEAD: &str = "# Errors

Every error of each API: what it looks like, why it happens, what helps. `make openapi` writes this page from the code that words
the errors; a test fails when the two differ. What each endpoint takes is in [api.md](api.md) and in the [reference](reference/).

Match on the status and, in the Seats and the Identity API, on the stable codes `error` and `rule`; sentences may change.
`Retry-After` is in seconds. The answers do not link here: their bodies are those of the published APIs, which have no room for
an address, and a stack does not know where its documents are.
";

const GATEWAY: &str = "
## Before the function

API Gateway answers some requests by itself, in every API alike, without `x-request-id`.

| status | body | cause | cure |
|---|---|---|---|
| 404 | `{\"message\":\"Not Found\"}` | There is no such route: path or method. | Compare both with the reference. |
| 413 | `{\"message\":\"Request Entity Too Large\"}` | The body has more than 10 MB, or more than 6 MB as part of the function's event. | Send less in one request. |
| 429 | `{\"message\":\"Too Many Requests\"}` | More requests than the stage's rate (`ThrottlingRate`, `ThrottlingBurst`). | \
Send it again later; wait longer each time. |
| 500, 503 | `{\"message\":\"Internal Server Error\"}`, `{\"message\":\"Service Unavailable\"}` | The function could not be run, \
or took longer than it may: 25 s, `/webhooks/stripe` 29 s. | Send it again with the same `Idempotency-Key`. |

A page of another origin may be unable to read these: its `fetch` fails with a `TypeError`, also where the origin is allowed.
";

/// The page.
pub(crate) fn page(apis: &[Api]) -> String {
    let mut page = HEAD.to_owned();
    for api in apis {
        section(&mut page, api);
    }
    page.push_str(GATEWAY);
    rules_section(&mut page);
    page
}

fn section(page: &mut String, api: &Api) {
    let has_codes = api.refusals.iter().any(|refusal| code(refusal).is_some());
    let columns = if has_codes {
        "| status | `error` | message | at | cause | cure |\n|---|---|---|---|---|---|\n"
    } else {
        "| status | message | at | cause | cure |\n|---|---|---|---|---|\n"
    };
    // Writing to a String does not fail.
    let _ = write!(page, "\n## {}\n\n{columns}", api.tag);
    for refusal in &api.refusals {
        row(page, refusal, has_codes);
    }
}

fn row(page: &mut String, refusal: &Refusal, has_code: bool) {
    let retry = if refusal.answer.retry_after.is_some() { ", `Retry-After`" } else { "" };
    let code = code(refusal).filter(|_| has_code).map(|code| format!("`{code}` | "));
    let at = refusal.at.iter().map(|op| {
        let (method, path) = op.route();
        format!("`{} {path}`", method.to_uppercase())
    });
    let at: Vec<String> = at.collect();
    let _ = writeln!(
        page,
        "| {}{retry} | {}{} | {} | {} | {} |",
        refusal.answer.status.as_u16(),
        code.unwrap_or_default(),
        cell(&message(refusal)),
        at.join(", "),
        cell(refusal.words.cause),
        cell(refusal.words.cure),
    );
}

fn rules_section(page: &mut String) {
    page.push_str(
        "
## Rules

What a field can break: `errors[].rule` in the Seats API, `details[].rule` in the Identity API; the Agency API has sentences
alone. The sentences are those of an example.

| `rule` | message | cure |
|---|---|---|
",
    );
    for told in rules::told() {
        let code =
            if told.code.is_empty() { "none".to_owned() } else { format!("`{}`", told.code) };
        let sentences: Vec<_> = told
            .sentences
            .iter()
            .map(|(api, sentence)| format!("{api}: {}", cell(sentence)))
            .collect();
        let _ = writeln!(page, "| {code} | {} | {} |", sentences.join("<br>"), cell(told.cure));
    }
}

fn body(refusal: &Refusal) -> Value {
    serde_json::from_str(&refusal.answer.body).unwrap_or_default()
}

/// The stable code, in the APIs that have one.
fn code(refusal: &Refusal) -> Option<String> {
    body(refusal)["error"].as_str().map(str::to_owned)
}

fn message(refusal: &Refusal) -> String {
    let body = body(refusal);
    let message = body["message"].as_str().or(body["error"]["message"].as_str());
    message.unwrap_or_default().to_owned()
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").replace("[[", "\\[\\[").replace("]]", "\\]\\]")
}
