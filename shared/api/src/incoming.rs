//! A request as an endpoint sees it.

use headcount_model::credential::{Credential, Credentials, LookupFailed, Presented, bearer};
use headcount_model::idempotency::{FingerprintKey, IdempotencyKey, Keyed};
use headcount_model::seats::MAX_SEATS_PER_REQUEST;
use jiff::Timestamp;
use lambda_http::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH,
};
use lambda_http::http::{HeaderMap, HeaderName};
use lambda_http::{Body, Request, RequestExt};
use secrecy::SecretString;

use crate::dialect::{Failure, Transport};
use crate::etag::{Comparison, names};
use crate::json::{Object, parse_object};

/// The largest body of a request for one thing, in bytes, after base64 decoding (CONTRACT, "Transport errors").
pub const MAX_BODY: usize = 256 * 1024;

/// The largest body of a request for seats, in bytes, after base64 decoding: 4 KiB for each of the most
/// seats that one may have. In base64, with its headers, it fits an invocation of Lambda, 6 MB
/// (docs/adr/0016-size-of-a-body.md).
pub const MAX_SEATS_BODY: usize = MAX_SEATS_PER_REQUEST * 4 * 1024;

/// The app that calls the Agency API.
pub(crate) const APP_ID: HeaderName = HeaderName::from_static("appidv3");
/// Stripe's signature of a webhook.
pub const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Every header that an endpoint looks at. Of a gateway's event no other is kept.
pub(crate) static HEADERS: [HeaderName; 8] = [
    APP_ID,
    AUTHORIZATION,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    STRIPE_SIGNATURE,
];

/// A request, with its body decoded.
pub struct Incoming {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The gateway handed the body over as text and put U+FFFD where it was not UTF-8.
    repaired: bool,
    /// Lambda's id of the request.
    request_id: String,
    query: Object,
}

impl From<Request> for Incoming {
    fn from(request: Request) -> Self {
        let context = request.lambda_context_ref();
        let request_id = context.map(|context| context.request_id.clone()).unwrap_or_default();
        let path = request.raw_http_path().to_owned();
        let (parts, body) = request.into_parts();
        // A gateway that hands a body over as text has decoded it, and U+FFFD is all that shows
        // of bytes that were not UTF-8. A caller who means the character can write `\ufffd`.
        let repaired = matches!(&body, Body::Text(text) if text.contains('\u{FFFD}'));
        let body = match body {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            // The enum is open; a body of another kind is none that we can read.
            _ => Vec::new(),
        };
        Self { path, headers: parts.headers, body, repaired, request_id, query: Object::new() }
    }
}

impl Incoming {
    /// With the parameters of its query.
    pub(crate) fn with_query(self, query: Object) -> Self {
        Self { query, ..self }
    }

    /// The parameters of the query, each a text.
    pub fn query(&self) -> Object {
        self.query.clone()
    }

    /// The bytes of one of the headers that are kept. They need not be text. `None` without it, and when
    /// it is there more than once: it would be open which one is meant.
    pub fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        values.next().is_none().then(|| value.as_bytes())
    }

    /// What stands in the path where `route` has `{…}`; `None` when the path is none of that route.
    /// Compared from the end, because a gateway may put its stage before it.
    pub fn path_parameter(&self, route: &str) -> Option<&str> {
        let mut segments = self.path.rsplit('/');
        let mut parameter = None;
        for pattern in route.rsplit('/').take_while(|pattern| !pattern.ends_with(' ')) {
            let segment = segments.next()?;
            if pattern.starts_with('{') {
                parameter = Some(segment);
            } else if pattern != segment {
                return None;
            }
        }
        parameter
    }

    /// The id of the request, as `x-request-id` of its response has it.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Whether the caller presents a credential of any kind, good or bad.
    pub fn has_credential(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// The credential that the caller presents, if it has the right form.
    pub fn presented(&self) -> Option<Presented> {
        Presented::parse(self.header(&AUTHORIZATION)?)
    }

    /// What the caller of the Agency API presents, a credential or a token of an app, if it has the right form.
    pub fn presented_to_agency(&self) -> Option<Presented> {
        Presented::of_agency(self.header(&AUTHORIZATION)?)
    }

    /// The token that the caller presents, as it is written: for an answer that gives it back.
    pub fn bearer(&self) -> Option<SecretString> {
        bearer(self.header(&AUTHORIZATION)?).map(SecretString::from)
    }

    /// The caller's credential; `None` for every kind of bad one, so that they cannot be told
    /// apart.
    ///
    /// # Errors
    /// [`LookupFailed`].
    pub async fn authenticate(
        &self,
        credentials: &impl Credentials,
        now: Timestamp,
    ) -> Result<Option<Credential>, LookupFailed> {
        let Some(presented) = self.presented() else {
            return Ok(None);
        };
        let kept = credentials.credential(&presented).await?;
        Ok(presented.verify(kept, now))
    }

    /// Whether the body is said to be a form (`application/x-www-form-urlencoded`).
    pub(crate) fn is_form(&self) -> bool {
        const FORM: &[&str] = &["application/x-www-form-urlencoded"];
        self.header(&CONTENT_TYPE).is_some_and(|given| is_one_of(FORM, given))
    }

    /// The bytes of a body that is a form, if it is not encoded.
    ///
    /// # Errors
    /// [`Transport::Encoded`], then [`Transport::TooLarge`].
    pub(crate) fn form(&self) -> Result<&[u8], Transport> {
        self.plain(MAX_BODY)
    }

    /// Whether `If-None-Match` names an entity tag: the caller has it already. Compared weakly
    /// (RFC 9110, section 13.1.2).
    pub fn has_already(&self, etag: &str) -> bool {
        self.names_tag(&IF_NONE_MATCH, etag, Comparison::Weak)
    }

    /// Whether there is an `If-Match` that does not name an entity tag: the caller means another state
    /// of it. Compared strongly (RFC 9110, section 13.1.1).
    pub fn means_another(&self, etag: &str) -> bool {
        self.headers.contains_key(IF_MATCH) && !self.names_tag(&IF_MATCH, etag, Comparison::Strong)
    }

    fn names_tag(&self, header: &HeaderName, etag: &str, comparison: Comparison) -> bool {
        let mut values = self.headers.get_all(header).iter();
        values.any(|value| names(value.as_bytes(), etag.as_bytes(), comparison))
    }

    /// The body to the byte, whatever it is.
    ///
    /// # Errors
    /// [`Transport::TooLarge`].
    pub fn raw(&self) -> Result<&[u8], Transport> {
        self.at_most(MAX_BODY)
    }

    fn at_most(&self, bytes: usize) -> Result<&[u8], Transport> {
        if self.body.len() > bytes {
            return Err(Transport::TooLarge(bytes));
        }
        Ok(&self.body)
    }

    /// The JSON object in the body of a request for one thing.
    ///
    /// # Errors
    /// [`Transport`]: content type, encoding, size, then syntax.
    pub fn json(&self) -> Result<Object, Transport> {
        self.json_of(MAX_BODY)
    }

    /// The JSON merge patch in the body of a request (RFC 7396), under its own content type or as JSON.
    ///
    /// # Errors
    /// As [`Incoming::json`].
    pub fn merge_patch(&self) -> Result<Object, Transport> {
        self.json_as(MAX_BODY, &["application/json", "application/merge-patch+json"])
    }

    /// The JSON object in the body of a request that needs none: without a body, an empty one.
    ///
    /// # Errors
    /// As [`Incoming::json`].
    pub fn json_if_any(&self) -> Result<Object, Transport> {
        if self.body.is_empty() { Ok(Object::new()) } else { self.json() }
    }

    /// The JSON object in the body of a request for seats.
    ///
    /// # Errors
    /// As [`Incoming::json`].
    pub fn json_of_seats(&self) -> Result<Object, Transport> {
        self.json_of(MAX_SEATS_BODY)
    }

    fn json_of(&self, max_bytes: usize) -> Result<Object, Transport> {
        self.json_as(max_bytes, &["application/json"])
    }

    fn json_as(&self, max_bytes: usize, essences: &[&str]) -> Result<Object, Transport> {
        if !self.header(&CONTENT_TYPE).is_some_and(|given| is_one_of(essences, given)) {
            return Err(Transport::NotJson);
        }
        let body = self.plain(max_bytes)?;
        if self.repaired {
            return Err(Transport::MalformedJson("it is not UTF-8".to_owned()));
        }
        parse_object(body)
    }

    /// The body, if it is not encoded.
    fn plain(&self, max_bytes: usize) -> Result<&[u8], Transport> {
        if self.headers.contains_key(CONTENT_ENCODING) {
            return Err(Transport::Encoded);
        }
        self.at_most(max_bytes)
    }

    /// The identity of this request for retries, if it carries an idempotency key. `caller`
    /// must name one caller of `route` and no other.
    ///
    /// # Errors
    /// [`Transport::IdempotencyKey`].
    pub fn keyed<R>(
        &self,
        caller: &str,
        route: &str,
        secret: &FingerprintKey,
        now: Timestamp,
    ) -> Result<Option<Keyed>, Failure<R>> {
        if !self.headers.contains_key(IDEMPOTENCY_KEY) {
            return Ok(None);
        }
        let key = self.header(&IDEMPOTENCY_KEY).ok_or(Transport::IdempotencyKey)?;
        let key = IdempotencyKey::parse(key).map_err(|_| Transport::IdempotencyKey)?;
        Keyed::new(caller, route, &key, &self.body, secret, now)
            .map(Some)
            .map_err(|_| Failure::Unavailable)
    }
}

/// One of some content types, in any case, with no charset or UTF-8.
fn is_one_of(essences: &[&str], content_type: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content_type) else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    let is_named = parts
        .next()
        .is_some_and(|given| essences.iter().any(|essence| essence.eq_ignore_ascii_case(given)));
    is_named
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                let charset = value.trim().trim_matches('"');
                charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
    use lambda_http::http::HeaderValue;
    use lambda_http::request::LambdaRequest;

    use super::*;

    fn json(body: Body) -> Result<Object, Transport> {
        let mut request = Request::new(body);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Incoming::from(request).json()
    }

    #[test]
    fn what_a_gateway_repaired_is_refused_and_what_the_caller_wrote_is_not() {
        assert!(json(Body::Text("{\"a\":\"\u{FFFD}\"}".to_owned())).is_err());
        assert!(json(Body::Text(r#"{"a":"\ufffd"}"#.to_owned())).is_ok());
        assert!(json(Body::Binary("{\"a\":\"\u{FFFD}\"}".as_bytes().to_vec())).is_ok());
    }

    #[test]
    fn a_path_is_read_by_its_route() {
        let of = |path: &str, route| {
            let mut event = ApiGatewayV2httpRequest::default();
            event.raw_path = Some(path.to_owned());
            let incoming = Incoming::from(Request::from(LambdaRequest::ApiGatewayV2(event)));
            incoming.path_parameter(route).map(str::to_owned)
        };
        let (one, below) = ("GET /v3/accounts/{id}", "GET /v3/objects/{id}/can-be-deleted");
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(of("/v3/accounts/LCUID-1", one), some("LCUID-1"));
        assert_eq!(of("/stage/v3/accounts/a", one), some("a"));
        assert_eq!(of("/v3/objects/a/can-be-deleted", below), some("a"));
        assert_eq!(of("/v3/accounts/", one), some(""));
        for other in ["", "/", "/v3/accounts", "/v3/accounts/a/", "/v3/other/a", "/v3/accounts/a/b"]
        {
            assert_eq!(of(other, one), None, "{other}");
        }
        assert_eq!(of("/v3/objects/a/can-be-delete", below), None);
    }

    #[test]
    fn content_types() {
        let is_json = |given: &[u8]| is_one_of(&["application/json"], given);
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            "application/json; Charset=\"utf-8\"",
            "application/json; profile=x",
            "application/json;",
        ] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "text/json",
            "application/jsonp",
            "application/vnd.api+json",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "text/plain; application/json",
        ] {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
        assert!(!is_json(b"application/json\xff"));
        let patches = ["application/json", "application/merge-patch+json"];
        for good in ["application/merge-patch+json; charset=utf-8", "Application/JSON"] {
            assert!(is_one_of(&patches, good.as_bytes()), "{good}");
        }
        assert!(!is_json(b"application/merge-patch+json"));
        assert!(!is_one_of(&patches, b"application/json-patch+json"));
    }
}
