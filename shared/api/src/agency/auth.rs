//! `POST /api/v3/auth`, which words what it refuses in a form of its own.

use headcount_model::app_token::{NotGiven, Pair};
use headcount_model::credential::reveal;
use headcount_model::id::{AppLcuid, CredentialId};
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;

use super::{FieldErrors, message, named_app, worded};
use crate::dialect::{Answer, Dialect, Failure, Transport};
use crate::fields::Fields;
use crate::form::parse_form;
use crate::incoming::Incoming;
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;

/// The dialect of `POST /api/v3/auth`: the words of the Agency API in a form of its own.
pub struct Auth;

/// What `POST /api/v3/auth` alone refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The `AppIdV3` header is missing or is no app id.
    AppHeader,
    /// The body is not the form that its content type says it is; a sentence says why.
    MalformedForm(&'static str),
    /// The content type is neither JSON nor that of a form.
    NeitherJsonNorForm,
}

impl Dialect for Auth {
    type Refusal = Refusal;

    fn word(failure: Failure<Refusal>) -> Answer {
        let worded = match failure {
            Failure::Refused(Refusal::AppHeader) => {
                worded(Failure::Refused(super::Refusal::AppHeader))
            }
            Failure::Refused(Refusal::MalformedForm(why)) => message(
                StatusCode::BAD_REQUEST,
                format!("The request body is not a valid form: {why}."),
            ),
            Failure::Refused(Refusal::NeitherJsonNorForm) => message(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The Content-Type must be application/json or application/x-www-form-urlencoded.",
            ),
            Failure::Transport(transport) => worded(Failure::Transport(transport)),
            Failure::Faults(faults) => worded(Failure::Faults(faults)),
            Failure::Unauthorized => worded(Failure::Unauthorized),
            Failure::KeyReused => worded(Failure::KeyReused),
            Failure::TooManyRequests => worded(Failure::TooManyRequests),
            Failure::Unavailable => worded(Failure::Unavailable),
        };
        worded.answer(|status, body| AuthErrorBody {
            ok: false,
            message: body.message,
            code: status.as_u16(),
            errors: body.errors,
        })
    }
}

impl From<NotGiven> for Failure<Refusal> {
    fn from(not: NotGiven) -> Self {
        match not {
            NotGiven::Refused => Failure::Unauthorized,
            NotGiven::Throttled => Failure::TooManyRequests,
            NotGiven::Unavailable => Failure::Unavailable,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct AuthErrorBody {
    ok: bool,
    /// A sentence for a person: that of the first fault, when fields are the cause.
    message: String,
    /// The HTTP status.
    code: u16,
    /// Sentences by field, where fields are the cause.
    #[serde(skip_serializing_if = "FieldErrors::is_empty")]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::sentences_by_field"))]
    errors: FieldErrors,
}

/// The app that a request names in its `AppIdV3` header.
///
/// # Errors
/// [`Refusal::AppHeader`].
pub fn app_of(request: &Incoming) -> Result<AppLcuid, Failure<Refusal>> {
    named_app(request).ok_or(Failure::Refused(Refusal::AppHeader))
}

/// The fields of a body: of a form each is a text.
fn body(request: &Incoming) -> Result<Object, Failure<Refusal>> {
    if request.is_form() {
        return parse_form(request.form()?)
            .map_err(|why| Failure::Refused(Refusal::MalformedForm(why)));
    }
    request.json().map_err(|transport| match transport {
        Transport::NotJson => Failure::Refused(Refusal::NeitherJsonNorForm),
        transport => Failure::Transport(transport),
    })
}

/// The pair in a body, be it JSON or a form.
///
/// # Errors
/// Why the body cannot be read, or every fault.
pub fn pair(request: &Incoming) -> Result<Pair, Failure<Refusal>> {
    let body = body(request)?;
    let mut fields = Fields::new(body);
    let (token, secret) = (fields.text("token"), fields.text("secret"));
    let mut faults = Vec::new();
    fields.refuse_rest(&mut faults);
    Ok(Pair::parse(token, secret, faults)?)
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Given<'a> {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    ok: bool,
    /// To be sent as the bearer token of the other calls. It is shown this once.
    token: &'a str,
    /// Names who holds the pair: the same each time.
    user_lcuid: String,
}

/// The answer to a good pair.
pub fn given(credential: &CredentialId, token: &SecretString) -> Answer {
    let view = Given { ok: true, token: reveal(token), user_lcuid: credential.user_lcuid() };
    Answer::new(StatusCode::OK, &view)
}
