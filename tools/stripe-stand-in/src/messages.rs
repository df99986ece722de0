//! Requests and replies, free of any HTTP library.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    errors::ApiError,
    form::{self, Params},
};

/// One call of Stripe's API, or of the control plane.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// The path alone: `/v1/subscriptions/sub_123`.
    pub path: String,
    /// What follows the question mark, still encoded.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `Stripe-Version` header.
    pub api_version: Option<String>,
    /// The body: form-encoded for the API, JSON for the control plane.
    pub body: Vec<u8>,
}

impl Request {
    /// A call with a test key and no parameters.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            authorization: Some("Bearer sk_test_in_process".to_owned()),
            ..Self::default()
        }
    }

    /// The same call with an encoded form as its body.
    #[must_use]
    pub fn form(mut self, form: impl Into<Vec<u8>>) -> Self {
        self.body = form.into();
        self
    }

    /// The same call under an idempotency key.
    #[must_use]
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// The parameters of query and body together.
    pub(crate) fn params(&self) -> Result<Params, ApiError> {
        let mut params = Params::new();
        form::parse(&self.query, &mut params)?;
        let body = std::str::from_utf8(&self.body)
            .map_err(|_| ApiError::unreadable("Invalid UTF-8 in the request."))?;
        form::parse(body, &mut params)?;
        Ok(params)
    }

    /// Any `sk_test_…` key will do, as a bearer token or as the user name of HTTP Basic. Source:
    /// <https://docs.stripe.com/api/authentication>.
    pub(crate) fn authorize(&self) -> Result<(), ApiError> {
        let header = self.authorization.as_deref().unwrap_or_default();
        let (scheme, credential) = header.split_once(' ').unwrap_or((header, ""));
        let credential = credential.trim();
        let key = if scheme.eq_ignore_ascii_case("bearer") {
            credential.to_owned()
        } else if scheme.eq_ignore_ascii_case("basic") {
            basic_user(credential).unwrap_or_default()
        } else {
            String::new()
        };
        if key.is_empty() {
            return Err(ApiError::unauthorized(None));
        }
        let secret = key.strip_prefix("sk_test_").filter(|secret| !secret.is_empty());
        secret.map(|_| ()).ok_or_else(|| ApiError::unauthorized(Some(&key)))
    }
}

/// `2025-09-30.clover`, or a bare date from before releases had names. Source:
/// <https://docs.stripe.com/api/versioning>.
pub(crate) fn check_version(version: &str) -> Result<(), ApiError> {
    let (date, name) = version.split_once('.').unwrap_or((version, "named"));
    let date_fits = date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let name_fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    if date_fits && name_fits {
        return Ok(());
    }
    Err(ApiError::unreadable(&format!("Invalid Stripe API version: {version}")))
}

fn basic_user(credential: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(credential).ok()?).ok()?;
    let user = decoded.split_once(':').map_or(decoded.as_str(), |(user, _)| user);
    Some(user.to_owned())
}

/// What comes back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Value,
    /// The caller never sees this reply: its connection is cut. Whether the request was carried
    /// out is another matter.
    pub cut: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(header: &str) -> Request {
        Request { authorization: Some(header.to_owned()), ..Request::default() }
    }

    #[test]
    fn test_keys_are_taken_in_both_forms() {
        assert!(with("Bearer sk_test_1").authorize().is_ok());
        assert!(with(&format!("Basic {}", STANDARD.encode("sk_test_1:"))).authorize().is_ok());
    }

    #[test]
    fn everything_else_is_401() {
        let basic = format!("Basic {}", STANDARD.encode("sk_live_1:sk_test_1"));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer sk_live_1",
            "Bearer sk_test_",
            "Basic !!",
            "Token x",
            &basic,
        ] {
            assert_eq!(with(header).authorize().unwrap_err().status, 401, "{header}");
        }
        assert_eq!(Request::default().authorize().unwrap_err().status, 401);
    }

    #[test]
    fn api_versions_have_stripes_form() {
        for (version, good) in [
            ("2025-09-30.clover", true),
            ("2024-06-20", true),
            ("2025-9-30", false),
            ("", false),
            ("2025-09-30.", false),
            ("2025-09-30.Clover", false),
        ] {
            assert_eq!(check_version(version).is_ok(), good, "{version}");
        }
    }
}
