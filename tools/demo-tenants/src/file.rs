//! The file that describes the tenants. A value that makes no sense is refused by its reader.

use std::fmt::Display;

use headcount_model::credential::Presented;
use headcount_model::id::{
    AccountId, AgencyAccountLcuid, AgencyLcuid, AppLcuid, OrganizationId, SeatId,
};
use headcount_model::idempotency::IdempotencyKey;
use headcount_model::identity::{Email, Password, PasswordPolicy, SessionId};
use headcount_model::text::Text;
use serde::de::{Deserialize, Deserializer, Error};

/// Every demo tenant. The fields are what `demo` in `.local/stack.json` holds.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoTenants {
    /// An organization that is billed.
    pub seats: Studio,
    /// One without a subscription.
    pub seats_no_billing: Organization,
    /// One that is billed and may have no seat.
    pub seats_at_seat_limit: Organization,
    /// One that is billed and may spend nothing.
    pub seats_at_spending_limit: Spent,
    /// An agency with an app.
    pub agency: Agency,
    /// Somebody else's.
    pub other_agency: OtherAgency,
    /// What the Identity API knows.
    pub identity: Identity,
    /// An idempotency key that each of [`DemoTenants::seats`], the app of the agency and the
    /// administrator has used with a body that nobody knows.
    #[serde(deserialize_with = "key")]
    pub taken_idempotency_key: IdempotencyKey,
}

/// An organization with several keys.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // As in `Organization`.
pub struct Studio {
    #[serde(deserialize_with = "name")]
    pub name: Text,
    #[serde(deserialize_with = "organization")]
    pub org: OrganizationId,
    #[serde(deserialize_with = "credential")]
    pub api_key: Presented,
    /// A key that allows nothing.
    #[serde(deserialize_with = "credential")]
    pub api_key_without_permission: Presented,
    /// A key that was deleted.
    #[serde(deserialize_with = "credential")]
    pub deleted_api_key: Presented,
    /// A seat that was given back.
    #[serde(deserialize_with = "seat")]
    pub deactivated_account: SeatId,
}

/// An organization that has a seat, and may spend nothing any more.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // As in `Organization`.
pub struct Spent {
    #[serde(deserialize_with = "name")]
    pub name: Text,
    #[serde(deserialize_with = "organization")]
    pub org: OrganizationId,
    #[serde(deserialize_with = "credential")]
    pub api_key: Presented,
    /// A seat that can be changed.
    #[serde(deserialize_with = "seat")]
    pub account: SeatId,
}

/// An organization.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its name.
    #[serde(deserialize_with = "name")]
    pub name: Text,
    /// Its id.
    #[serde(deserialize_with = "organization")]
    pub org: OrganizationId,
    /// A key that may create seats and give them back.
    #[serde(deserialize_with = "credential")]
    pub api_key: Presented,
}

/// An agency with an app, its tokens and four accounts.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Its name.
    #[serde(deserialize_with = "name")]
    pub name: Text,
    /// Its id.
    #[serde(deserialize_with = "agency")]
    pub agency_lcuid: AgencyLcuid,
    /// The app.
    #[serde(deserialize_with = "app")]
    pub app_id: AppLcuid,
    /// A token that may create, see, change and delete accounts.
    #[serde(deserialize_with = "credential")]
    pub token: Presented,
    /// A token that may not.
    #[serde(deserialize_with = "credential")]
    pub token_without_permission: Presented,
    /// An account that may have sub-accounts.
    #[serde(deserialize_with = "agency_account")]
    pub parent_account_lcuid: AgencyAccountLcuid,
    /// An account that may not.
    #[serde(deserialize_with = "agency_account")]
    pub plain_account_lcuid: AgencyAccountLcuid,
    /// An account below the parent.
    #[serde(deserialize_with = "agency_account")]
    pub sub_account_lcuid: AgencyAccountLcuid,
    /// An account that is there to be deleted.
    #[serde(deserialize_with = "agency_account")]
    pub spare_account_lcuid: AgencyAccountLcuid,
}

/// An agency that the tokens of the first one say nothing about.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherAgency {
    /// Its name.
    #[serde(deserialize_with = "name")]
    pub name: Text,
    /// Its id.
    #[serde(deserialize_with = "agency")]
    pub agency_lcuid: AgencyLcuid,
    /// Its app.
    #[serde(deserialize_with = "app")]
    pub app_id: AppLcuid,
    /// An account that may have sub-accounts.
    #[serde(deserialize_with = "agency_account")]
    pub parent_account_lcuid: AgencyAccountLcuid,
}

/// Administrators and an account.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// A token that may create, see, change and delete accounts.
    #[serde(deserialize_with = "credential")]
    pub admin_token: Presented,
    /// A token that may not.
    #[serde(deserialize_with = "credential")]
    pub admin_token_without_permission: Presented,
    /// An account that exists.
    #[serde(deserialize_with = "account")]
    pub account: AccountId,
    /// Its address.
    #[serde(deserialize_with = "email")]
    pub email: Email,
    /// Its password.
    #[serde(deserialize_with = "password")]
    pub password: Password,
    /// The access token of a session of it.
    #[serde(deserialize_with = "credential")]
    pub account_token: Presented,
    /// The refresh token of another session of it.
    #[serde(deserialize_with = "credential")]
    pub account_refresh_token: Presented,
    /// A session of it that was ended.
    #[serde(deserialize_with = "session")]
    pub ended_session: SessionId,
    /// An account that is closed.
    #[serde(deserialize_with = "account")]
    pub closed_account: AccountId,
    /// The access token of a session of it.
    #[serde(deserialize_with = "credential")]
    pub closed_account_token: Presented,
    /// An account that is suspended; it has the same password.
    #[serde(deserialize_with = "account")]
    pub suspended_account: AccountId,
    /// Its address.
    #[serde(deserialize_with = "email")]
    pub suspended_email: Email,
    /// The access token of a session of it.
    #[serde(deserialize_with = "credential")]
    pub suspended_account_token: Presented,
}

/// Reads a text and parses it.
fn parsed<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

fn organization<'de, D: Deserializer<'de>>(from: D) -> Result<OrganizationId, D::Error> {
    parsed(from, OrganizationId::parse)
}

fn account<'de, D: Deserializer<'de>>(from: D) -> Result<AccountId, D::Error> {
    parsed(from, AccountId::parse)
}

fn session<'de, D: Deserializer<'de>>(from: D) -> Result<SessionId, D::Error> {
    parsed(from, SessionId::parse)
}

fn seat<'de, D: Deserializer<'de>>(from: D) -> Result<SeatId, D::Error> {
    parsed(from, SeatId::parse)
}

fn agency<'de, D: Deserializer<'de>>(from: D) -> Result<AgencyLcuid, D::Error> {
    parsed(from, AgencyLcuid::parse)
}

fn app<'de, D: Deserializer<'de>>(from: D) -> Result<AppLcuid, D::Error> {
    parsed(from, AppLcuid::parse)
}

fn agency_account<'de, D: Deserializer<'de>>(from: D) -> Result<AgencyAccountLcuid, D::Error> {
    parsed(from, AgencyAccountLcuid::parse)
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    parsed(from, |text| Text::line(text, 1..=255).map_err(|_| "a name has 1 to 255 characters"))
}

fn credential<'de, D: Deserializer<'de>>(from: D) -> Result<Presented, D::Error> {
    parsed(from, |text| Presented::of_token(text).ok_or("a credential is hc_<id>_<secret>"))
}

fn key<'de, D: Deserializer<'de>>(from: D) -> Result<IdempotencyKey, D::Error> {
    parsed(from, |text| IdempotencyKey::parse(text.as_bytes()).map_err(|_| "no idempotency key"))
}

fn email<'de, D: Deserializer<'de>>(from: D) -> Result<Email, D::Error> {
    parsed(from, |text| Email::parse(text).map_err(|_| "no e-mail address"))
}

fn password<'de, D: Deserializer<'de>>(from: D) -> Result<Password, D::Error> {
    parsed(from, |text| {
        Password::parse(text, PasswordPolicy::default(), None, None)
            .map_err(|_| "a password that the API would refuse")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../local/demo-tenants.json");

    #[test]
    fn the_file_of_the_local_stack_is_read() {
        let tenants: DemoTenants = serde_json::from_str(FILE).expect("demo tenants");
        assert_ne!(tenants.seats.org, tenants.seats_no_billing.org);
        assert!(!format!("{tenants:?}").contains("5ea75ea7"), "secrets are not printed");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (good, bad) in [
            ("org_01kgjb9z8rd3m0acme00000000", "org_1"),
            ("hc_01kgjb9z8rd3m0seats0000000", "hc_1"),
            ("LCUID-LAP-", "LCUID-LA-"),
            ("demo.owner@example.com", "demo.owner"),
            ("only for demos and tests", "short"),
            ("\"email\"", "\"mail\""),
        ] {
            let file = FILE.replace(good, bad);
            assert_ne!(file, FILE);
            assert!(serde_json::from_str::<DemoTenants>(&file).is_err(), "{bad}");
        }
    }
}
