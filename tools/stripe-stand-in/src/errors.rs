//! Stripe's error object and the errors that the stand-in answers with.
//!
//! Source: <https://docs.stripe.com/api/errors> and <https://docs.stripe.com/error-codes>.

use serde_json::{Map, Value, json};

/// What an endpoint answers: the object, or why not.
pub(crate) type Answer = Result<Value, ApiError>;

/// One error object with its HTTP status.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    param: Option<String>,
    /// Whether the endpoint had begun to execute. Only then does Stripe keep the answer under the
    /// idempotency key: "We save results only after the execution of an endpoint begins."
    pub(crate) executed: bool,
}

impl ApiError {
    fn new(status: u16, code: Option<&'static str>, message: impl Into<String>) -> Self {
        let kind = if status >= 500 { "api_error" } else { "invalid_request_error" };
        Self { status, kind, code, message: message.into(), param: None, executed: false }
    }

    fn on(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    fn executed(mut self) -> Self {
        self.executed = true;
        self
    }

    /// 400: the request cannot be read at all.
    pub(crate) fn unreadable(message: &str) -> Self {
        Self::new(400, None, message)
    }

    /// 400: a parameter's value is refused before anything is done.
    pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self::new(400, None, message).on(param)
    }

    /// 400 `parameter_invalid_integer`.
    pub(crate) fn invalid_integer(param: &str, message: impl Into<String>) -> Self {
        Self::new(400, Some("parameter_invalid_integer"), message).on(param)
    }

    /// 400 `parameter_invalid_empty`.
    pub(crate) fn empty(param: &str) -> Self {
        let message = format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty value."
        );
        Self::new(400, Some("parameter_invalid_empty"), message).on(param)
    }

    /// 400 `parameter_missing`.
    pub(crate) fn missing(param: &str) -> Self {
        Self::new(400, Some("parameter_missing"), format!("Missing required param: {param}."))
            .on(param)
    }

    /// 400 `parameter_unknown`; `params` holds at least one name.
    pub(crate) fn unknown_parameters(params: &[String]) -> Self {
        let plural = if params.len() > 1 { "s" } else { "" };
        let message = format!("Received unknown parameter{plural}: {}", params.join(", "));
        let error = Self::new(400, Some("parameter_unknown"), message);
        match params.first() {
            Some(first) => error.on(first),
            None => error,
        }
    }

    /// 404 `resource_missing`: the object that the path names.
    pub(crate) fn no_such(object: &str, id: &str) -> Self {
        Self::new(404, Some("resource_missing"), format!("No such {object}: '{id}'"))
            .on("id")
            .executed()
    }

    /// 404: what Stripe says for a subscription item in the path.
    pub(crate) fn no_such_item(id: &str) -> Self {
        Self::new(404, Some("resource_missing"), format!("Invalid subscription_item id: {id}"))
            .on("item")
            .executed()
    }

    /// 400 `resource_missing`: an object that a parameter names.
    pub(crate) fn no_such_in(param: &str, object: &str, id: &str) -> Self {
        Self::new(400, Some("resource_missing"), format!("No such {object}: '{id}'"))
            .on(param)
            .executed()
    }

    /// 400: the request is well-formed, but the objects do not allow it.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(400, None, message).executed()
    }

    /// 400, as [`Self::refused`], naming the parameter.
    pub(crate) fn refused_on(param: &str, message: impl Into<String>) -> Self {
        Self::refused(message).on(param)
    }

    /// 404 `invoice_upcoming_none`.
    pub(crate) fn no_upcoming_invoice(customer: &str) -> Self {
        let message = format!("No upcoming invoices for customer: {customer}");
        Self::new(404, Some("invoice_upcoming_none"), message).executed()
    }

    /// 401: no key, or one that is not a test key.
    pub(crate) fn unauthorized(key: Option<&str>) -> Self {
        let message = match key {
            None => "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').".to_owned(),
            Some(key) => format!("Invalid API Key provided: {}", masked(key)),
        };
        Self::new(401, None, message)
    }

    /// 404: no such endpoint.
    pub(crate) fn unrecognized_url(method: &str, path: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code."
        );
        Self::new(404, None, message)
    }

    /// 429: the rate limiter. Source: <https://docs.stripe.com/rate-limits>.
    pub(crate) fn rate_limited() -> Self {
        Self::new(
            429,
            Some("rate_limit"),
            "Request rate limit exceeded. You can learn more about rate limits here https://docs.stripe.com/rate-limits.",
        )
    }

    /// 429 `lock_timeout`: another request holds the object. Source:
    /// <https://docs.stripe.com/rate-limits#object-lock-timeouts>.
    pub(crate) fn lock_timeout() -> Self {
        Self::new(
            429,
            Some("lock_timeout"),
            "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.",
        )
    }

    /// 409 `idempotency_key_in_use`.
    pub(crate) fn key_in_use(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): {key}. Please try again later."
        );
        Self {
            kind: "idempotency_error",
            ..Self::new(409, Some("idempotency_key_in_use"), message)
        }
    }

    /// 400 `idempotency_error`: the key was first used with other parameters.
    pub(crate) fn key_reused(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self { kind: "idempotency_error", ..Self::new(400, None, message) }
    }

    /// 400 `idempotency_error`: the key was first used on another endpoint.
    pub(crate) fn key_reused_elsewhere(key: &str, path: &str, first_path: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{path}' vs '{first_path}'). Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self { kind: "idempotency_error", ..Self::new(400, None, message) }
    }

    /// 402 `card_declined`. Source: <https://docs.stripe.com/declines/codes>.
    pub(crate) fn card_declined() -> Self {
        let error = Self::new(402, Some("card_declined"), "Your card was declined.").executed();
        Self { kind: "card_error", ..error }
    }

    /// 500, as Stripe words it.
    pub(crate) fn internal() -> Self {
        Self::new(500, None, "An unknown error occurred").executed()
    }

    /// The response body.
    pub(crate) fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("type".into(), self.kind.into());
        error.insert("message".into(), self.message.as_str().into());
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            let page = code.replace('_', "-");
            error.insert(
                "doc_url".into(),
                format!("https://docs.stripe.com/error-codes#{page}").into(),
            );
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), param.as_str().into());
        }
        json!({ "error": error })
    }

    /// The stable code, for the response headers.
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.code
    }
}

/// A credential is never repeated in an answer: at most its prefix and its last four characters.
fn masked(key: &str) -> String {
    let tail: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let shown = if key.chars().count() > 8 { tail } else { String::new() };
    let prefix = if key.starts_with("sk_live_") { "sk_live_" } else { "" };
    format!("{prefix}********{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_stripes_error_object() {
        let body = ApiError::no_such("customer", "cus_1").body();
        assert_eq!(
            body,
            json!({"error": {
                "type": "invalid_request_error",
                "code": "resource_missing",
                "doc_url": "https://docs.stripe.com/error-codes#resource-missing",
                "message": "No such customer: 'cus_1'",
                "param": "id",
            }})
        );
    }

    #[test]
    fn a_key_is_masked() {
        assert_eq!(masked("sk_live_abcdefgh1234"), "sk_live_********1234");
        assert_eq!(masked("short"), "********");
    }
}
