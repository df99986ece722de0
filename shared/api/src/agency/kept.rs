//! Accounts of the Agency API after their creation: how callers see them.

use headcount_model::agency::{AgencySettings, KeptAccount, KeptAgency, Slug};
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::{AccountView, Options};
use crate::dialect::Answer;
#[cfg(feature = "openapi")]
use crate::schema;

/// The status of an agency: there is no other yet.
pub(crate) const ACTIVE: &str = "active";

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

/// The answer of `GET /api/v3/accounts/{lcuid}`.
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

fn account_view<'a>(account: &'a KeptAccount, settings: &'a AgencySettings) -> AccountView<'a> {
    AccountView {
        name: &account.name,
        options: Options {
            primary_image_public_url: None,
            primary_image_background_removed_public_url: None,
        },
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
