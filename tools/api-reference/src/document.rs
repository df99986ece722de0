//! The OpenAPI document, put together.

use std::collections::BTreeMap;

use headcount_api::identity::MAX_PAGE as MAX_SHORT;
use headcount_model::agency::Page;
use headcount_model::history::{DEFAULT_PAGE, MAX_PAGE};
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, AppLcuid};
use headcount_model::idempotency::IdempotencyKey;
use headcount_model::identity::{AccountStatus, Email, LISTED_STATUSES};

use crate::fields::{component, one_of};
use crate::json::{Json, object};
use crate::operation::{Api, Example, Op, Operation, Success};
use crate::{Refusal, body};

const INTRODUCTION: &str = "Headcount creates accounts and bills for them. It speaks three published account-creation \
    APIs, each in its own words; `errors.md` lists every error of each with cause and cure.\n\n\
    **Common to all.** JSON in UTF-8, at most 256 KiB, for seats 4,000 KiB. Unknown fields are refused by name. `null` for an optional field \
    means absent. Text is NFC-normalised and trimmed, and lengths count Unicode scalar values after that; characters \
    that control, hide or reorder text are refused. Every answer carries `x-request-id`.\n\n\
    **Retries.** Every create takes an `Idempotency-Key`. Send a request again when you do not know what became of it: \
    the same body with the same key gets the same answer for 24 hours, and nothing is done twice.\n\n\
    **In front of it** stands an API Gateway. It answers by itself, with `{\"message\":\"…\"}` and without `x-request-id`: \
    404 to other routes, 429 above the stage's rate, 413 above 10 MB.";

/// The document.
pub(crate) fn document(apis: &[Api]) -> Json {
    let tag = |api: &Api| object! { "name" => api.tag, "description" => api.description };
    object! {
        "openapi" => "3.1.0",
        "info" => object! {
            "title" => "Headcount",
            "version" => env!("CARGO_PKG_VERSION"),
            "summary" => "Account provisioning and seat billing",
            "description" => INTRODUCTION,
            "contact" => object! { "name" => "Whoever operates the stack that answers" },
            "license" => object! { "name" => "Apache-2.0", "identifier" => "Apache-2.0" },
        },
        "servers" => vec![object! { "url" => "/", "description" => "Where this page comes from" }],
        "tags" => apis.iter().map(tag).collect::<Vec<_>>(),
        "paths" => Json::Object(apis.iter().flat_map(paths).collect()),
        "components" => object! {
            "securitySchemes" => security_schemes(),
            "parameters" => parameters(),
            "headers" => headers(),
            "schemas" => Json::Object(apis.iter().flat_map(schemas).collect()),
        },
    }
}

/// The paths of an API, each with its methods.
fn paths(api: &Api) -> Vec<(String, Json)> {
    let mut paths: Vec<(String, Json)> = Vec::new();
    for operation in &api.operations {
        let (method, path) = operation.op.route();
        let described = described(api, operation);
        match paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, methods)) => *methods = methods.clone().with(method, described),
            None => paths.push((path.to_owned(), object! { method => described })),
        }
    }
    paths
}

/// The names of what stands in a path in braces.
fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    let places = path.split('/').zip(path.split('/').skip(1));
    places.filter(|(_, place)| place.starts_with('{')).map(|(of, place)| match (of, place) {
        (_, "{id}") => "AccountId",
        ("agencies", _) => "AgencyLcuid",
        _ => "AccountLcuid",
    })
}

fn described(api: &Api, operation: &Operation) -> Json {
    let mut json = object! {
        "operationId" => operation.op.id(),
        "tags" => [api.tag],
        "summary" => operation.summary,
        "description" => operation.description,
        "security" => security(operation.security),
    };
    let names = path_parameters(operation.op.route().1).chain(operation.parameters.iter().copied());
    let parameters: Vec<_> = names.map(|name| reference("parameters", name)).collect();
    if !parameters.is_empty() {
        json = json.with("parameters", parameters);
    }
    if let Some(request) = &operation.request {
        let content = content(request.schema, request.examples.iter().map(shown));
        let required = !matches!(
            operation.op,
            Op::RefreshSession
                | Op::EndSession
                | Op::ListApiKeys
                | Op::OpenBillingPortal
                | Op::CancelBilling
                | Op::ResumeBilling
        );
        json = json.with("requestBody", object! { "required" => required, "content" => content });
    }
    json.with("responses", responses(api, operation))
}

fn security(schemes: &[&str]) -> Json {
    let requirement = |name: &&str| {
        if name.is_empty() {
            object! {}
        } else {
            object! { *name => Json::Array(Vec::new()) }
        }
    };
    Json::Array(schemes.iter().map(requirement).collect())
}

fn responses(api: &Api, operation: &Operation) -> Json {
    let mut by_status: BTreeMap<u16, Vec<&Refusal>> = BTreeMap::new();
    for refusal in refusals_of(api, operation.op) {
        by_status.entry(refusal.answer.status.as_u16()).or_default().push(refusal);
    }
    let requests = operation.request.as_ref().map_or(&[][..], |request| &request.refused);
    let refused = by_status
        .into_iter()
        .map(|(status, refusals)| (status.to_string(), refused(api.error.0, &refusals, requests)));
    let success = (operation.success.status.to_string(), succeeded(&operation.success));
    let unchanged = operation.parameters.contains(&"IfNoneMatch").then(|| {
        let headers = header_references(["RequestId", "ETag"].into_iter());
        let description = "`If-None-Match` names what would be shown. There is no body.";
        ("304".to_owned(), object! { "description" => description, "headers" => headers })
    });
    Json::Object(std::iter::once(success).chain(unchanged).chain(refused).collect())
}

/// The refusals that an operation can give.
pub(crate) fn refusals_of(api: &Api, op: Op) -> impl Iterator<Item = &Refusal> {
    api.refusals.iter().filter(move |refusal| refusal.at.contains(&op))
}

fn succeeded(success: &Success) -> Json {
    object! {
        "description" => success.description,
        "headers" => header_references(std::iter::once("RequestId").chain(success.headers.iter().copied())),
        "content" => content(success.schema, success.examples.iter().map(shown)),
    }
}

/// An example of a request that is refused breaks the request's schema more often than not, so that it is
/// no example of a request in the document. It stands beside the answer to it.
fn refused(schema: &str, refusals: &[&Refusal], requests: &[Example]) -> Json {
    let description: Vec<_> =
        refusals.iter().map(|refusal| format!("- {}", refusal.words.cause)).collect();
    let description = match refusals {
        [only] => only.words.cause.to_owned(),
        _ => description.join("\n"),
    };
    let retry = refusals.iter().any(|refusal| refusal.answer.retry_after.is_some());
    let headers = std::iter::once("RequestId").chain(retry.then_some("RetryAfter"));
    let example = |refusal: &&Refusal| {
        let summary = refusal.key.replace('_', " ");
        let (key, answer) = shown(&Example::new(refusal.key, summary, body::of(&refusal.answer)));
        match requests.iter().find(|request| request.key == refusal.key) {
            Some(request) => (key, answer.with("x-request", request.body.clone())),
            None => (key, answer),
        }
    };
    object! {
        "description" => description,
        "headers" => header_references(headers),
        "content" => content(schema, refusals.iter().map(example)),
    }
}

fn header_references<'n>(names: impl Iterator<Item = &'n str>) -> Json {
    let name_of = |name: &str| match name {
        "RequestId" => "x-request-id",
        "IdempotencyReplayed" => "Idempotency-Replayed",
        "RetryAfter" => "Retry-After",
        "ETag" => "ETag",
        _ => "Location",
    };
    Json::Object(names.map(|name| (name_of(name).to_owned(), reference("headers", name))).collect())
}

fn content(schema: &str, examples: impl Iterator<Item = (String, Json)>) -> Json {
    object! { "application/json" => object! {
        "schema" => component(schema),
        "examples" => Json::Object(examples.collect()),
    } }
}

/// An example under its key.
fn shown(example: &Example) -> (String, Json) {
    let shown = object! { "summary" => example.summary.clone(), "value" => example.body.clone() };
    (example.key.to_owned(), shown)
}

fn reference(kind: &str, name: &str) -> Json {
    object! { "$ref" => format!("#/components/{kind}/{name}") }
}

/// The schemas of an API, each with its parts behind it. What several have in common is there once.
fn schemas(api: &Api) -> Vec<(String, Json)> {
    let mut all: Vec<(String, Json)> = Vec::new();
    for (name, schema) in api.schemas.iter().chain(std::iter::once(&api.error)) {
        let mut schema = schema.clone();
        let parts = match schema.take("$defs") {
            Some(Json::Object(parts)) => parts,
            _ => Vec::new(),
        };
        for (name, schema) in std::iter::once(((*name).to_owned(), schema)).chain(parts) {
            match all.iter().find(|(known, _)| *known == name) {
                Some((_, known)) => assert!(*known == schema, "two schemas are called {name}"),
                None => all.push((name, schema)),
            }
        }
    }
    all
}

fn security_schemes() -> Json {
    let bearer = |description: &str| {
        object! { "type" => "http", "scheme" => "bearer", "description" => description }
    };
    object! {
        "apiKey" => bearer("An API key of an organization, `hc_…`. It carries the permission `accounts:create`, `billing:read` or both."),
        "accountToken" => bearer("The access token of an account's own session, `hc_…`, as a log-in gives it."),
        "refreshToken" => bearer("The refresh token of an account's own session, `hc_…`, as a log-in or the last refresh gives it."),
        "appToken" => bearer("A token of an app, `hc_…`. Each endpoint says which permissions it asks for."),
        "adminToken" => bearer("A token of an administrator, `hc_…`. Each endpoint says which permissions it asks for."),
    }
}

fn parameters() -> Json {
    let header = |name: &str, required: bool, description: &str, schema: Json| {
        object! {
            "name" => name, "in" => "header", "required" => required,
            "description" => description, "schema" => schema,
        }
    };
    let query = |name: &str, description: &str, schema: Json| {
        object! {
            "name" => name, "in" => "query", "required" => false,
            "description" => description, "schema" => schema,
        }
    };
    let key = object! {
        "type" => "string", "minLength" => 1_usize, "maxLength" => IdempotencyKey::MAX_LENGTH,
        "pattern" => "^[!-~]+$",
    };
    let lcuid = |prefix: &str| object! { "type" => "string", "pattern" => headcount_api::schema::lcuid_pattern(prefix) };
    let of_path = |description: &str, schema: Json| {
        object! {
            "name" => "lcuid", "in" => "path", "required" => true,
            "description" => description, "schema" => schema,
        }
    };
    let of_query = |name: &str, description: &str, max: u32| {
        object! {
            "name" => name, "in" => "query", "required" => false, "description" => description,
            "schema" => object! { "type" => "integer", "minimum" => 1_usize, "maximum" => max },
        }
    };
    let app = lcuid(AppLcuid::PREFIX);
    let time = object! { "type" => "string", "format" => "date-time" };
    object! {
        "AccountId" => object! {
            "name" => "id", "in" => "path", "required" => true, "description" => "The account.",
            "schema" => object! { "type" => "string", "pattern" => headcount_api::schema::account_id_pattern() },
        },
        "AccountLcuid" => of_path("The account.", lcuid(AgencyAccountLcuid::PREFIX)),
        "AgencyLcuid" => of_path("The agency.", lcuid(AgencyLcuid::PREFIX)),
        "Page" => of_query("page", "The number of the page, from 1. Without it and `per_page`, the whole list.", Page::MAX_NUMBER),
        "PerPage" => of_query("per_page", "How many accounts a page has; 100 when only `page` is given.", Page::MAX_SIZE),
        "IdempotencyKey" => header(
            "Idempotency-Key", false,
            "Visible ASCII. A request with the same key, from the same caller to the same endpoint, within 24 hours: \
             with the same body it gets the stored answer, with another it is refused (422). Refusals are not stored.",
            key,
        ),
        "Cursor" => query(
            "cursor",
            "The `next_cursor` of the page before. It is good for the same list of the same caller alone.",
            object! { "type" => "string", "pattern" => "^cursor_[0-9a-f]*_[0-9a-f]{64}$" },
        ),
        "Limit" => query(
            "limit", &format!("The most entries of the page; {DEFAULT_PAGE} when it is left out."),
            object! { "type" => "integer", "minimum" => 1_usize, "maximum" => usize::from(MAX_PAGE) },
        ),
        "ShortLimit" => query(
            "limit", &format!("The most entries of the page; {MAX_SHORT} when it is left out."),
            object! { "type" => "integer", "minimum" => 1_usize, "maximum" => usize::from(MAX_SHORT) },
        ),
        "Email" => query(
            "email", "The whole address of an account, in any case.",
            object! { "type" => "string", "format" => "email", "maxLength" => Email::MAX_LENGTH },
        ),
        "Status" => query(
            "status", "How the accounts stand.",
            one_of("A status.", LISTED_STATUSES.map(AccountStatus::as_str)),
        ),
        "CreatedAfter" => query("created_after", "Created then or later, with a zone.", time.clone()),
        "CreatedBefore" => query("created_before", "Created earlier, with a zone.", time),
        "IfMatch" => header(
            "If-Match", false,
            "Strong entity tags of the versions that are meant, as `ETag` told them, or `*`. Any other version is not changed (412).",
            object! { "type" => "string" },
        ),
        "IfNoneMatch" => header(
            "If-None-Match", false,
            "Entity tags of what the caller has already, as `ETag` told them, strong or weak, or `*`.",
            object! { "type" => "string" },
        ),
        "AppIdV3" => header("AppIdV3", true, "The app that the token belongs to.", app),
        "StripeSignature" => header(
            "Stripe-Signature", true,
            "`t=<Unix seconds>,v1=<signature>`: made by Stripe with the endpoint's signing secret, within 5 minutes.",
            object! { "type" => "string" },
        ),
    }
}

fn headers() -> Json {
    let header = |description: &str, schema: Json| object! { "description" => description, "schema" => schema };
    let text = object! { "type" => "string" };
    object! {
        "RequestId" => header("The id under which the function's log has the request.", text.clone()),
        "IdempotencyReplayed" => header(
            "There, and `true`, when this answer was given before and nothing was done now.",
            object! { "type" => "string", "const" => "true" },
        ),
        "Location" => header("Path of the new account.", text.clone()),
        "ETag" => header("The version of what is shown, in quotes.", text),
        "RetryAfter" => header("Seconds to wait.", object! { "type" => "integer", "minimum" => 0_usize }),
    }
}
