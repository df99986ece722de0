//! Log-ins, sessions, and who calls by one.

use headcount_model::credential::reveal;
use headcount_model::fault::{Fault, Form, Given};
use headcount_model::id::seconds;
use headcount_model::identity::{
    ACCESS_LIFETIME, KeptAccount, LogIn, LogInInput, LoggedIn, NewTokens, NotAdmitted, NotEnded,
    NotLoggedIn, NotRefreshed, OwnAccounts, Session, SessionId, SessionPage, Sessions,
};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;

use super::Refusal;
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::incoming::Incoming;
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;

/// How an access token is presented (RFC 6750).
pub(crate) const TOKEN_TYPE: &str = "Bearer";

/// An account that calls for itself.
#[derive(Debug)]
pub struct Caller {
    /// By which session.
    pub session: Session,
    /// The account, as of now.
    pub account: KeptAccount,
}

/// Whose own token it is that a request carries.
///
/// # Errors
/// [`Failure::Unauthorized`] for every kind of bad token, [`Refusal::NotActive`] for a good one of an
/// account that is not to be used.
pub async fn caller(
    request: &Incoming,
    store: &(impl Sessions + OwnAccounts),
    now: Timestamp,
) -> Result<Caller, Failure<Refusal>> {
    let session = session(request, store, now).await?;
    let account = store.own(session.grant()).await?.ok_or(Failure::Unauthorized)?;
    admit(&account, &session)?;
    Ok(Caller { session, account })
}

/// The session whose access token a request carries. What its account says is not asked.
///
/// # Errors
/// [`Failure::Unauthorized`] for every kind of bad token.
pub async fn session(
    request: &Incoming,
    store: &impl Sessions,
    now: Timestamp,
) -> Result<Session, Failure<Refusal>> {
    let presented = request.presented().ok_or(Failure::Unauthorized)?;
    let kept = store.session(&presented).await?;
    kept.and_then(|kept| kept.verify(&presented, now)).ok_or(Failure::Unauthorized)
}

/// Holds a session against what its account says.
///
/// # Errors
/// As [`caller`].
pub fn admit(account: &KeptAccount, session: &Session) -> Result<(), Failure<Refusal>> {
    account.admit(session).map_err(|not| match not {
        NotAdmitted::Over => Failure::Unauthorized,
        NotAdmitted::Suspended => Failure::Refused(Refusal::NotActive),
    })
}

impl From<NotLoggedIn> for Failure<Refusal> {
    fn from(not: NotLoggedIn) -> Self {
        match not {
            NotLoggedIn::Invalid => Failure::Refused(Refusal::InvalidCredentials),
            NotLoggedIn::Wait(seconds) => Failure::Refused(Refusal::TooManyAttempts(seconds)),
            NotLoggedIn::Throttled => Failure::TooManyRequests,
            NotLoggedIn::Unavailable => Failure::Unavailable,
        }
    }
}

impl From<NotEnded> for Failure<Refusal> {
    fn from(not: NotEnded) -> Self {
        match not {
            NotEnded::Missing => Failure::Refused(Refusal::NoSuchSession),
            NotEnded::Throttled => Failure::TooManyRequests,
            NotEnded::Unavailable => Failure::Unavailable,
        }
    }
}

/// Reads the body of `POST /v1/auth/login`.
///
/// # Errors
/// Every fault.
pub fn log_in(body: Object) -> Result<LogIn, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let input = LogInInput { email: fields.text("email"), password: fields.text("password") };
    fields.refuse_rest(&mut faults);
    LogIn::parse(input, faults)
}

/// Reads the body of `POST /v1/auth/refresh`: whether the refresh token is to be another one, which it is unless
/// it says otherwise.
///
/// # Errors
/// Every fault.
pub fn refresh(body: Object) -> Result<bool, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let rotate = fields.flag("rotate_refresh_token");
    let rotate = Form::new(&mut faults).optional("rotate_refresh_token", rotate, Ok);
    fields.refuse_rest(&mut faults);
    if faults.is_empty() { Ok(rotate.unwrap_or(true)) } else { Err(faults) }
}

/// What new tokens are answered.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct RefreshedView<'a> {
    /// Opens what is the account's own, in the place of the one before.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::token"))]
    access_token: &'a str,
    /// Good for new tokens; opens nothing. The one presented where it was to stay.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::token"))]
    refresh_token: &'a str,
    /// UTC, whole seconds; until when the access token works.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    expires_at: String,
    /// Names the session.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::session_id"))]
    session_id: String,
    /// UTC, whole seconds; until when the refresh token works.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    refresh_token_expires_at: String,
}

/// The answer with new tokens. `presented` is the token that they were given for.
pub fn refreshed(session: &Session, tokens: &NewTokens, presented: &SecretString) -> Answer {
    let view = RefreshedView {
        access_token: reveal(&tokens.access),
        refresh_token: reveal(tokens.refresh.as_ref().unwrap_or(presented)),
        expires_at: seconds(session.access_until),
        session_id: session.id.to_string(),
        refresh_token_expires_at: seconds(session.refresh_until),
    };
    Answer::new(StatusCode::OK, &view)
}

impl From<NotRefreshed> for Failure<Refusal> {
    fn from(not: NotRefreshed) -> Self {
        match not {
            NotRefreshed::Invalid => Failure::Unauthorized,
            NotRefreshed::Throttled => Failure::TooManyRequests,
            NotRefreshed::Unavailable => Failure::Unavailable,
        }
    }
}

/// Reads the body of `DELETE /v1/auth/session`: which session, if it says so. A text that is no id is
/// as good as the id of a session that the account does not have.
///
/// # Errors
/// Every fault, or [`Refusal::NoSuchSession`].
pub fn end_session(body: Object) -> Result<Option<SessionId>, Failure<Refusal>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let given = fields.text("session_id");
    fields.refuse_rest(&mut faults);
    let named = match given {
        Given::Absent => None,
        Given::Value(text) => Some(text),
        Given::Wrong(kind) => {
            faults.insert(
                0,
                Fault {
                    index: None,
                    field: "session_id".into(),
                    rule: headcount_model::fault::Rule::Type(kind),
                },
            );
            None
        }
    };
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    let parse = |text: String| SessionId::parse(text.trim());
    named.map(parse).transpose().map_err(|_| Failure::Refused(Refusal::NoSuchSession))
}

/// What a log-in is answered.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct LoggedInView<'a> {
    /// Opens what is the account's own.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::token"))]
    access_token: &'a str,
    /// Good for new tokens; opens nothing.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::token"))]
    refresh_token: &'a str,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::token_type"))]
    token_type: &'static str,
    /// For how many seconds the access token works.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::expires_in"))]
    expires_in: i64,
    user: UserView<'a>,
}

/// Who is logged in.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct UserView<'a> {
    /// Names the account.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::account_id"))]
    id: &'a str,
    /// The address as it was typed when it was given.
    email: &'a str,
    /// The account's name.
    name: &'a str,
}

/// The answer to a log-in: the only one that has the tokens.
pub fn logged_in(logged_in: &LoggedIn) -> Answer {
    let LoggedIn { account, tokens } = logged_in;
    let view = LoggedInView {
        access_token: reveal(&tokens.access),
        refresh_token: reveal(&tokens.refresh),
        token_type: TOKEN_TYPE,
        expires_in: ACCESS_LIFETIME.as_secs(),
        user: UserView {
            id: account.id.as_str(),
            email: account.email.as_typed(),
            name: &account.name,
        },
    };
    Answer::new(StatusCode::OK, &view)
}

/// What the end of a session is answered.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct EndedView {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    success: bool,
    /// Names the session.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::session_id"))]
    invalidated_session_id: String,
    /// How many tokens it had.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::tokens_of_session"))]
    revoked_tokens: u32,
    /// UTC, whole seconds; when it was ended the first time.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    revoked_at: String,
}

/// The answer to the end of a session.
pub fn ended(session: &SessionId, at: Timestamp) -> Answer {
    let view = EndedView {
        success: true,
        invalidated_session_id: session.to_string(),
        revoked_tokens: Session::TOKENS,
        revoked_at: seconds(at),
    };
    Answer::new(StatusCode::OK, &view)
}

/// A page of the account's own sessions.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Sessions"))]
pub(crate) struct SessionsView {
    /// Those that go on, the newest first. A page may have fewer than were asked for, and more behind it.
    data: Vec<SessionView>,
    /// Whether there is a page behind this one.
    has_more: bool,
    /// Gives the next page as `cursor`; `null` at the end.
    next_cursor: Option<String>,
}

/// A session that goes on.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Session"))]
struct SessionView {
    /// Names the session.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::session_id"))]
    session_id: String,
    /// Whether the request came in it.
    current: bool,
    /// UTC, whole seconds; when the log-in was.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: String,
    /// UTC, whole seconds; until when its access token works.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    expires_at: String,
    /// UTC, whole seconds; until when its refresh token works.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    refresh_token_expires_at: String,
}

/// The sessions of a page that go on at `now`, as far as the caller's account says. `next_cursor` gives the
/// page behind it.
pub fn sessions(
    caller: &Caller,
    page: &SessionPage,
    next_cursor: Option<String>,
    now: Timestamp,
) -> Answer {
    let goes_on =
        |session: &&Session| session.goes_on(now) && caller.account.admit(session).is_ok();
    let view = |session: &Session| SessionView {
        session_id: session.id.to_string(),
        current: session.id == caller.session.id,
        created_at: seconds(session.created_at),
        expires_at: seconds(session.access_until),
        refresh_token_expires_at: seconds(session.refresh_until),
    };
    let data = page.sessions.iter().filter(goes_on).map(view).collect();
    let view = SessionsView { data, has_more: next_cursor.is_some(), next_cursor };
    Answer::new(StatusCode::OK, &view)
}
