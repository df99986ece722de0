//! Accounts of the Agency API after their creation: how callers see them.

use headcount_model::agency::{
    AccountChange, AccountChangeInput, AgencySettings, KeptAccount, KeptAgency, Page, Slug,
};
use headcount_model::fault::Fault;
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::{AccountView, HAS_SUB_ACCOUNTS, Options, Refusal};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::incoming::Incoming;
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;

/// The status of an agency: there is no other yet.
pub(crate) const ACTIVE: &str = "active";

/// The longest list that is one answer, in bytes: Lambda passes on 6 MB, in base64 or not.
const MAX_LIST: usize = 4_000_000;
/// More accounts than this are longer than that, however short they are.
pub const MOST_LISTED: usize = MAX_LIST / 250;

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct List<V> {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    success: bool,
    /// The first created comes first.
    accounts: Vec<V>,
}

/// An account of a list.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ListedView<'a> {
    #[serde(flatten)]
    account: AccountView<'a>,
    /// Whether it may have sub-accounts.
    is_parent_account: bool,
}

/// An account as the list of its agency tells it: without the agency's classes.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ToldView<'a> {
    /// The account's name.
    name: &'a str,
    options: Options,
    /// Names the account.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::agency_account_lcuid"))]
    lcuid: &'a str,
    /// The account's name for URLs.
    slug: &'a str,
    /// The account's site.
    website: Option<&'a str>,
    /// The account's description.
    description: Option<&'a str>,
    /// When it was created: UTC, six decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: &'a str,
    /// Whether it may have sub-accounts.
    is_parent_account: bool,
}

/// Whether an account can be deleted.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct DeletableView {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    success: bool,
    can_be_deleted: bool,
    /// Always empty: an account takes nothing with it.
    what_else_will_be_deleted: Nothing,
    /// A sentence for each thing that stands against it.
    reasons: Vec<&'static str>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Nothing {}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Shown<'a> {
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::yes"))]
    success: bool,
    account: ShownView<'a>,
}

/// An account as it is shown, with its agency.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct ShownView<'a> {
    #[serde(flatten)]
    account: AccountView<'a>,
    /// Whether it may have sub-accounts.
    is_parent_account: bool,
    agency: AgencyView<'a>,
}

/// The agency of an account. What nobody can set is `null`.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct AgencyView<'a> {
    /// The agency's name.
    name: &'a str,
    /// Always `null`.
    description: Option<&'a str>,
    /// Always `null`.
    software_provider: Option<&'a str>,
    /// Always `null`.
    website: Option<&'a str>,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::agency_status"))]
    status: &'a str,
    /// Always `null`.
    agency_class: Option<&'a str>,
    options: AgencyOptions,
    /// Names the agency.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::agency_lcuid"))]
    lcuid: &'a str,
    /// The agency's name in ASCII PascalCase. It need not be unique.
    slug: String,
    /// When it was created: UTC, six decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: &'a str,
    /// When it was last changed: UTC, six decimals.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    updated_at: &'a str,
    /// Always `null`.
    agency_class_description: Option<&'a str>,
}

/// Image and texts of an agency. None can be set.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct AgencyOptions {
    primary_image_public_url: Option<String>,
    support_text: Option<String>,
    proof_legal_text: Option<String>,
}

/// The answer of `GET` and `PUT /api/v3/accounts/{lcuid}`.
pub fn shown(account: &KeptAccount, agency: &KeptAgency) -> Answer {
    Answer::new(
        StatusCode::OK,
        &Shown {
            success: true,
            account: ShownView {
                account: account_view(account, &agency.settings),
                is_parent_account: account.is_parent_account,
                agency: agency_view(agency),
            },
        },
    )
}

/// The page of a list that a request asks for.
///
/// # Errors
/// Every fault of `page` and `per_page`.
pub fn page(request: &Incoming) -> Result<Option<Page>, Failure<Refusal>> {
    Ok(Page::parse(request.parameter("page"), request.parameter("per_page"))?)
}

/// The answer of `GET /api/v3/objects/{lcuid}/can-be-deleted`.
pub fn deletable(has_sub_accounts: bool) -> Answer {
    let reasons = if has_sub_accounts { vec![HAS_SUB_ACCOUNTS] } else { Vec::new() };
    Answer::new(
        StatusCode::OK,
        &DeletableView {
            success: true,
            can_be_deleted: !has_sub_accounts,
            what_else_will_be_deleted: Nothing {},
            reasons,
        },
    )
}

/// Reads the body of `PUT /api/v3/accounts/{lcuid}`.
///
/// # Errors
/// Every fault.
pub fn change(body: Object) -> Result<AccountChange, Vec<Fault>> {
    let mut fields = Fields::new(body);
    let input = AccountChangeInput {
        name: fields.text("name"),
        description: fields.text_if_there("description"),
        website: fields.text_if_there("website"),
    };
    let mut faults = Vec::new();
    fields.refuse_rest(&mut faults);
    AccountChange::parse(input, faults)
}

/// The answer of `GET /api/v3/accounts`.
///
/// # Errors
/// [`Refusal::TooManyAccounts`].
pub fn listed(
    accounts: &[KeptAccount],
    settings: &AgencySettings,
) -> Result<Answer, Failure<Refusal>> {
    list(accounts.iter().map(|account| ListedView {
        account: account_view(account, settings),
        is_parent_account: account.is_parent_account,
    }))
}

/// The answer of `GET /api/v3/agencies/{lcuid}/accounts`.
///
/// # Errors
/// [`Refusal::TooManyAccounts`].
pub fn told(accounts: &[KeptAccount]) -> Result<Answer, Failure<Refusal>> {
    list(accounts.iter().map(|account| ToldView {
        name: &account.name,
        options: no_images(),
        lcuid: account.lcuid.as_str(),
        slug: &account.slug,
        website: account.website.as_deref(),
        description: account.description.as_deref(),
        created_at: &account.created_at,
        is_parent_account: account.is_parent_account,
    }))
}

fn list<V: Serialize>(accounts: impl Iterator<Item = V>) -> Result<Answer, Failure<Refusal>> {
    let answer = Answer::new(StatusCode::OK, &List { success: true, accounts: accounts.collect() });
    // The longest page is shorter than that.
    if answer.body.len() > MAX_LIST {
        return Err(Failure::Refused(Refusal::TooManyAccounts));
    }
    Ok(answer)
}

fn no_images() -> Options {
    Options { primary_image_public_url: None, primary_image_background_removed_public_url: None }
}

fn account_view<'a>(account: &'a KeptAccount, settings: &'a AgencySettings) -> AccountView<'a> {
    AccountView {
        name: &account.name,
        options: no_images(),
        lcuid: account.lcuid.as_str(),
        slug: account.slug.clone(),
        website: account.website.as_deref(),
        description: account.description.as_deref(),
        created_at: account.created_at.clone(),
        inventory_item_class: &settings.inventory_item_class,
        account_class: &settings.account_class,
        inventory_item_class_description: &settings.inventory_item_class_description,
        account_class_description: &settings.account_class_description,
    }
}

fn agency_view(agency: &KeptAgency) -> AgencyView<'_> {
    AgencyView {
        name: agency.name.as_str(),
        description: None,
        software_provider: None,
        website: None,
        status: ACTIVE,
        agency_class: None,
        options: AgencyOptions {
            primary_image_public_url: None,
            support_text: None,
            proof_legal_text: None,
        },
        lcuid: agency.lcuid.as_str(),
        slug: Slug::of(&agency.name).to_string(),
        created_at: &agency.created_at,
        // Nothing changes an agency.
        updated_at: &agency.created_at,
        agency_class_description: None,
    }
}
