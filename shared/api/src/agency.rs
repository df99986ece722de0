//! The Agency API (CONTRACT section 2), whose clients know the conventions of the Laravel
//! framework (<https://laravel.com/docs/validation#validation-error-response-format>).

pub(crate) mod kept;

use std::collections::HashMap;

use headcount_model::agency::{
    AccountRefusal, AgencyAccount, AgencyAccountInput, AgencySettings, CommitRefusal,
    NewAgencyAccount, Slug,
};
use headcount_model::credential::{Credential, Holder, Permission};
use headcount_model::fault::{Fault, Given, Kind, Rule, UrlRule};
use headcount_model::grant::{Grant, NotGranted, Right};
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid, AppLcuid, micros};
use headcount_model::idempotency::StoredAnswer;
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::dialect::{Answer, Dialect, Failure};
use crate::fields::Fields;
use crate::incoming::{APP_ID, Incoming};
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;
use crate::wording;

pub use kept::{MOST_LISTED, change, deletable, listed, page, shown, told};

/// The dialect of the Agency API.
pub struct Agency;

/// What the Agency API refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The `AppIdV3` header is missing or is no app id.
    AppHeader,
    /// The token belongs to another app.
    ForeignApp,
    /// The whole list would be too long for one answer.
    TooManyAccounts,
    /// The account has sub-accounts, which keep it from being deleted.
    HasSubAccounts,
    /// The token lacks a permission on an object, or there is no such object.
    Forbidden {
        /// The permissions, of which one is needed.
        one_of: &'static [Permission],
        /// The object as the caller names it.
        object: String,
    },
}

impl From<CommitRefusal> for Failure<Refusal> {
    fn from(refusal: CommitRefusal) -> Self {
        match refusal {
            CommitRefusal::UnusableParent => Failure::Faults(vec![Fault {
                index: None,
                field: "parent_account_lcuid".into(),
                rule: Rule::UnusableParent,
            }]),
            CommitRefusal::KeyReused => Failure::KeyReused,
            CommitRefusal::SlugTaken { .. } | CommitRefusal::Throttled => Failure::TooManyRequests,
            CommitRefusal::Unavailable => Failure::Unavailable,
        }
    }
}

/// The app that a request names in its `AppIdV3` header.
///
/// # Errors
/// [`Refusal::AppHeader`].
pub fn app_of(request: &Incoming) -> Result<AppLcuid, Failure<Refusal>> {
    request
        .header(&APP_ID)
        .and_then(|value| std::str::from_utf8(value).ok())
        .and_then(|text| AppLcuid::parse(text.trim()).ok())
        .ok_or(Failure::Refused(Refusal::AppHeader))
}

/// The caller: an app with a good token, named by the `AppIdV3` header too.
///
/// # Errors
/// [`Failure::Unauthorized`] without a good token of this API, [`Refusal::AppHeader`] or
/// [`Refusal::ForeignApp`].
pub fn caller<'c>(
    request: &Incoming,
    credential: Option<&'c Credential>,
) -> Result<&'c Credential, Failure<Refusal>> {
    let credential = credential.ok_or(Failure::Unauthorized)?;
    let Holder::App { app, .. } = &credential.holder else {
        return Err(Failure::Unauthorized);
    };
    if app_of(request)? != *app {
        return Err(Failure::Refused(Refusal::ForeignApp));
    }
    Ok(credential)
}

/// What the caller's token allows of a right to an object.
///
/// # Errors
/// [`Failure::Unauthorized`] for a credential of another API, or [`Refusal::Forbidden`].
pub fn grant<'c, R: Right<Of = AgencyLcuid>>(
    credential: &'c Credential,
    object: &str,
) -> Result<Grant<'c, R>, Failure<Refusal>> {
    credential.grant().map_err(|refused| match refused {
        NotGranted::Foreign => Failure::Unauthorized,
        NotGranted::Lacking => forbidden::<R>(object),
    })
}

/// The answer to who may not do something to an object, and to who names one that does not exist.
pub fn forbidden<R: Right>(object: &str) -> Failure<Refusal> {
    Failure::Refused(Refusal::Forbidden { one_of: R::ONE_OF, object: object.to_owned() })
}

/// An account that a path names, and what the caller may do to it if it is there.
pub struct Named<'c, R: Right> {
    /// What the token allows.
    pub granted: Grant<'c, R>,
    /// The account.
    pub lcuid: AgencyAccountLcuid,
    /// As the path has it.
    object: String,
}

impl<'c, R: Right<Of = AgencyLcuid>> Named<'c, R> {
    /// The account in the place of `{…}` of a route.
    ///
    /// # Errors
    /// As [`caller`] and [`grant`]; what is no id of an account is one that does not exist.
    pub fn by(
        request: &Incoming,
        route: &str,
        credential: Option<&'c Credential>,
    ) -> Result<Self, Failure<Refusal>> {
        let credential = caller(request, credential)?;
        // A path that could name nothing is not kept.
        let object = request.path_parameter(route).unwrap_or_default();
        let granted = grant(credential, object)?;
        let lcuid = AgencyAccountLcuid::parse(object).map_err(|_| forbidden::<R>(object))?;
        Ok(Self { granted, lcuid, object: object.to_owned() })
    }

    /// The answer when there is no such account.
    pub fn missing(&self) -> Failure<Refusal> {
        forbidden::<R>(&self.object)
    }

    /// The route with the account in the place of `{…}`: an idempotency key belongs to it.
    pub fn address(&self, route: &str) -> String {
        let segments = route.split('/');
        let named =
            segments.map(|part| if part.starts_with('{') { self.lcuid.as_str() } else { part });
        named.collect::<Vec<_>>().join("/")
    }

    /// The answer when the account was not changed.
    pub fn refused(&self, refusal: AccountRefusal) -> Failure<Refusal> {
        match refusal {
            AccountRefusal::Missing => self.missing(),
            AccountRefusal::HasSubAccounts => Failure::Refused(Refusal::HasSubAccounts),
            AccountRefusal::KeyReused => Failure::KeyReused,
            AccountRefusal::Throttled => Failure::TooManyRequests,
            AccountRefusal::Unavailable => Failure::Unavailable,
        }
    }
}

/// What the caller may do to the agency that a path names, which has to be its own.
///
/// # Errors
/// As [`caller`] and [`grant`].
pub fn own_agency<'c, R: Right<Of = AgencyLcuid>>(
    request: &Incoming,
    route: &str,
    credential: Option<&'c Credential>,
) -> Result<Grant<'c, R>, Failure<Refusal>> {
    let credential = caller(request, credential)?;
    let object = request.path_parameter(route).unwrap_or_default();
    let granted: Grant<'_, R> = grant(credential, object)?;
    let is_own = AgencyLcuid::parse(object).as_ref() == Ok(granted.tenant().agency);
    if is_own { Ok(granted) } else { Err(forbidden::<R>(object)) }
}

/// The answer of `GET /api/v3/status`, where the token is good, and of `DELETE
/// /api/v3/objects/{lcuid}`.
pub fn done() -> Answer {
    Answer::new(StatusCode::OK, &Done { success: true })
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Done {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    success: bool,
}

/// Why an account cannot be deleted.
pub(crate) const HAS_SUB_ACCOUNTS: &str = "The account has sub-accounts.";

/// The body of `POST /api/v3/accounts`, read but not checked.
pub struct AccountBody {
    input: AgencyAccountInput,
    faults: Vec<Fault>,
}

impl From<Object> for AccountBody {
    fn from(body: Object) -> Self {
        let mut fields = Fields::new(body);
        let input = AgencyAccountInput {
            name: fields.text("name"),
            description: fields.text("description"),
            agency_lcuid: fields.text("agency_lcuid"),
            website: fields.text("website"),
            parent_account_lcuid: fields.text("parent_account_lcuid"),
        };
        let mut faults = Vec::new();
        fields.refuse_rest(&mut faults);
        Self { input, faults }
    }
}

impl AccountBody {
    /// The agency as the caller names it, if it does: authorization comes before the other
    /// fields.
    pub fn agency(&self) -> Option<&str> {
        match &self.input.agency_lcuid {
            Given::Value(text) if !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// The account that the caller wants.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(self) -> Result<NewAgencyAccount, Vec<Fault>> {
        NewAgencyAccount::parse(self.input, self.faults)
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Success<'a> {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    success: bool,
    account: AccountView<'a>,
}

/// An account as the caller sees it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AgencyAccount"))]
struct AccountView<'a> {
    /// The account's name, trimmed.
    name: &'a str,
    options: Options,
    /// Names the account.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::agency_account_lcuid"))]
    lcuid: &'a str,
    /// The name for URLs: ASCII PascalCase, unique, with a number behind a taken one.
    slug: String,
    /// The account's site, as sent.
    website: Option<&'a str>,
    /// The account's description, trimmed.
    description: Option<&'a str>,
    /// When it was created: UTC, six decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: String,
    /// The agency's class names of what an account's inventory holds.
    inventory_item_class: &'a [String],
    /// The agency's class name of an account.
    account_class: &'a str,
    /// The inventory classes for a person.
    inventory_item_class_description: &'a str,
    /// The account class for a person.
    account_class_description: &'a str,
}

/// Images of an account. None can be set at creation.
#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "AgencyAccountOptions")
)]
struct Options {
    primary_image_public_url: Option<String>,
    primary_image_background_removed_public_url: Option<String>,
}

/// The answer to a creation.
pub fn created(account: &AgencyAccount, slug: &Slug, settings: &AgencySettings) -> StoredAnswer {
    let new = &account.new;
    let view = Success {
        success: true,
        account: AccountView {
            name: new.name.as_str(),
            options: Options {
                primary_image_public_url: None,
                primary_image_background_removed_public_url: None,
            },
            lcuid: account.lcuid.as_str(),
            slug: slug.to_string(),
            website: new.website.as_ref().map(|url| url.as_str()),
            description: new.description.as_ref().map(|text| text.as_str()),
            created_at: micros(account.created_at),
            inventory_item_class: &settings.inventory_item_class,
            account_class: &settings.account_class,
            inventory_item_class_description: &settings.inventory_item_class_description,
            account_class_description: &settings.account_class_description,
        },
    };
    StoredAnswer {
        status: 200,
        location: None,
        body: serde_json::to_string(&view).unwrap_or_default(),
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ErrorBody {
    /// A sentence for a person: that of the first fault, when fields are the cause.
    message: String,
    /// Sentences by field, where fields are the cause.
    #[serde(skip_serializing_if = "FieldErrors::is_empty")]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::sentences_by_field"))]
    errors: FieldErrors,
}

/// Messages by field, in the order in which the fields were checked.
struct FieldErrors(Vec<(String, Vec<String>)>);

impl FieldErrors {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, messages) in &self.0 {
            map.serialize_entry(field, messages)?;
        }
        map.end()
    }
}

fn message(status: StatusCode, message: impl Into<String>) -> Answer {
    Answer::new(status, &ErrorBody { message: message.into(), errors: FieldErrors(Vec::new()) })
}

/// `422` with all messages by field; the first one is the summary.
fn invalid(messages: Vec<(String, String)>) -> Answer {
    let first = messages.first().map_or("", |(_, message)| message);
    let summary = match messages.len().saturating_sub(1) {
        0 => first.to_owned(),
        1 => format!("{first} (and 1 more error)"),
        more => format!("{first} (and {more} more errors)"),
    };
    // A place for each field: a body may hold tens of thousands of unknown ones.
    let mut errors: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (field, message) in messages {
        let place = *places.entry(field).or_insert_with_key(|field| {
            errors.push((field.clone(), Vec::new()));
            errors.len() - 1
        });
        errors[place].1.push(message);
    }
    Answer::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        &ErrorBody { message: summary, errors: FieldErrors(errors) },
    )
}

impl Dialect for Agency {
    type Refusal = Refusal;

    fn word(failure: Failure<Refusal>) -> Answer {
        match failure {
            Failure::Transport(transport) => message(transport.status(), transport.message()),
            Failure::Faults(faults) => invalid(
                faults
                    .into_iter()
                    .map(|fault| {
                        let sentence = sentence(&fault.field, &fault.rule);
                        (fault.field.into_owned(), sentence)
                    })
                    .collect(),
            ),
            Failure::Unauthorized => message(StatusCode::UNAUTHORIZED, "Unauthenticated."),
            Failure::KeyReused => {
                invalid(vec![("Idempotency-Key".to_owned(), wording::KEY_REUSED.to_owned())])
            }
            Failure::TooManyRequests => {
                message(StatusCode::TOO_MANY_REQUESTS, wording::TOO_MANY_REQUESTS).retry_soon()
            }
            Failure::Unavailable => {
                message(StatusCode::SERVICE_UNAVAILABLE, wording::UNAVAILABLE).retry_soon()
            }
            Failure::Refused(Refusal::AppHeader) => message(
                StatusCode::BAD_REQUEST,
                "The AppIdV3 header is required and must be an app id such as LCUID-LAP-00000000-0000-4000-8000-000000000000.",
            ),
            Failure::Refused(Refusal::ForeignApp) => message(
                StatusCode::FORBIDDEN,
                "Unauthorized. The token does not belong to the app that the AppIdV3 header names.",
            ),
            Failure::Refused(Refusal::TooManyAccounts) => message(
                StatusCode::BAD_REQUEST,
                "There are too many accounts for one answer. Ask for them page by page, with page and per_page.",
            ),
            Failure::Refused(Refusal::HasSubAccounts) => message(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("The account cannot be deleted. {HAS_SUB_ACCOUNTS}"),
            ),
            Failure::Refused(Refusal::Forbidden { one_of, object }) => {
                let names: Vec<_> = one_of.iter().map(|permission| permission.as_str()).collect();
                let names = names.join(" or ");
                message(
                    StatusCode::FORBIDDEN,
                    format!(
                        "Unauthorized. Requires {names} permission to perform this action on object [[{object}]]"
                    ),
                )
            }
        }
    }
}

/// What a rule asks of a field, in the framework's words where it has some.
fn sentence(field: &str, rule: &Rule) -> String {
    let field = field.replace('_', " ");
    match rule {
        Rule::Required | Rule::RequiredInGroup => format!("The {field} field is required."),
        Rule::Unknown => format!("The {field} field is prohibited."),
        Rule::Type(Kind::String) => format!("The {field} field must be a string."),
        Rule::Type(Kind::Object) => format!("The {field} field must be an object."),
        Rule::Type(Kind::Array) => format!("The {field} field must be an array."),
        Rule::Type(Kind::Boolean) => format!("The {field} field must be true or false."),
        Rule::Type(Kind::Integer) => format!("The {field} field must be an integer."),
        Rule::MinLength(min) => format!("The {field} field must be at least {min} characters."),
        Rule::MaxLength(max) => {
            format!("The {field} field must not be greater than {max} characters.")
        }
        Rule::ForbiddenCharacter(c) => {
            format!("The {field} field must not contain the character U+{:04X}.", u32::from(*c))
        }
        Rule::OneOf(_) | Rule::UnusableParent | Rule::DuplicateOf(_) => {
            format!("The selected {field} is invalid.")
        }
        Rule::Count { min, max } => {
            format!("The {field} field must have between {min} and {max} items.")
        }
        Rule::Range { min, max } => format!("The {field} field must be between {min} and {max}."),
        Rule::Url(UrlRule::Absolute) => format!("The {field} field must be a valid URL."),
        Rule::Url(UrlRule::Scheme) => {
            format!("The {field} field must be a valid http or https URL.")
        }
        Rule::Url(UrlRule::UserInfo) => {
            format!("The {field} field must be a URL without user name and password.")
        }
        Rule::Url(UrlRule::PrivateHost) => {
            format!("The {field} field must not point to a private network.")
        }
        Rule::Email => format!("The {field} field must be a valid email address."),
        Rule::TimeZone => format!("The {field} field must be a valid timezone."),
        Rule::Alphabet(_)
        | Rule::KeywordLength(_)
        | Rule::AgeRange
        | Rule::Currency
        | Rule::WithdrawnCurrency { .. }
        | Rule::Language
        | Rule::CommonPassword
        | Rule::ContainsEmail
        | Rule::ContainsName
        | Rule::IdempotencyKey
        | Rule::SeatId
        | Rule::RepeatOf(_)
        | Rule::Beside(_)
        | Rule::CurrentPassword
        | Rule::NoSuchSeat
        | Rule::SeatHasEnded
        | Rule::Quote
        | Rule::KeyId
        | Rule::KeyEnd
        | Rule::NothingToChange
        | Rule::Time
        | Rule::Cursor => format!("The {field} field format is invalid."),
    }
}
