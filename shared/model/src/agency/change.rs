//! Changing an account of an agency.

use std::future::Future;

use jiff::Timestamp;

use super::{AgencyAccountRecords, KeptAccount, KeptAgency, NewAgencyAccount};
use crate::audit::Entry;
use crate::credential::LookupFailed;
use crate::fault::{Fault, Form, Given};
use crate::grant::{Grant, Right};
use crate::id::{AgencyAccountLcuid, AuditId};
use crate::idempotency::{Keyed, StoredAnswer};
use crate::port::{Clock, Entropy, NoEntropy};
use crate::right::UpdateAgencyAccounts;
use crate::text::Text;
use crate::web_url::WebUrl;

/// How often an account is read again because somebody else changed it meanwhile.
pub(super) const MAX_TRIES: usize = 5;

/// The fields of a change as a caller sent them. `None` where a field was left out, which is not
/// the same as `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are the published API's; LIFECYCLE describes them.
pub struct AccountChangeInput {
    pub name: Given<String>,
    pub description: Option<Given<String>>,
    pub website: Option<Given<String>>,
}

/// A valid wish to change an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChange {
    name: Text,
    /// `Some(None)` clears it.
    description: Option<Option<Text>>,
    website: Option<Option<WebUrl>>,
}

impl AccountChange {
    /// Checks every field, by the rules of a create. Blank text counts as `null`.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault, in the order of the published documentation.
    pub fn parse(input: AccountChangeInput, faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        let found_by_reader = faults;
        let mut faults = Vec::new();
        let mut form = Form::new(&mut faults);
        let name = form.required("name", input.name.blank_is_absent(), |raw| {
            Text::line(&raw, 1..=NewAgencyAccount::MAX_NAME)
        });
        let description = input.description.map(|given| {
            form.optional("description", given.blank_is_absent(), |raw| {
                Text::lines(&raw, 0..=NewAgencyAccount::MAX_DESCRIPTION)
            })
        });
        let website = input.website.map(|given| {
            form.optional("website", given.blank_is_absent(), |raw| WebUrl::parse(&raw))
        });
        faults.extend(found_by_reader);
        match name {
            Some(name) if faults.is_empty() => Ok(Self { name, description, website }),
            _ => Err(faults),
        }
    }

    /// Changes an account, and says which fields are other ones now.
    pub fn apply(&self, account: &mut KeptAccount) -> Vec<&'static str> {
        let before = account.clone();
        account.name = self.name.to_string();
        if let Some(description) = &self.description {
            account.description = description.as_ref().map(ToString::to_string);
        }
        if let Some(website) = &self.website {
            account.website = website.as_ref().map(|url| url.as_str().to_owned());
        }
        let differs = [
            ("name", before.name != account.name),
            ("description", before.description != account.description),
            ("website", before.website != account.website),
        ];
        differs.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
    }
}

/// One transaction: the changed fields under the version that was read, the audit entry, and the
/// idempotency record.
#[derive(Debug, Clone)]
pub struct ChangeCommit<'a> {
    /// The account as it is to be, but for its version, which is still the one that was read.
    pub account: &'a KeptAccount,
    /// Which of its fields are other ones; without any, the record alone is written.
    pub fields: &'a [&'static str],
    /// The entry that says who did it; `None` where nothing is changed.
    pub audit: Option<Entry<'a>>,
    /// The request and the answer to keep for its retries, when it has a key.
    pub record: Option<(&'a Keyed, StoredAnswer)>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a transaction on an account was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCommitted {
    /// The account is not what it was when it was read, or is gone.
    Changed,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The agency is written to faster than the table takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Why an account was not changed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRefusal {
    /// The agency has no such account.
    Missing,
    /// It cannot be deleted: it has sub-accounts.
    HasSubAccounts,
    /// As in [`NotCommitted`].
    KeyReused,
    /// As in [`NotCommitted`].
    Throttled,
    /// As in [`NotCommitted`].
    Unavailable,
}

impl From<NotCommitted> for AccountRefusal {
    fn from(refused: NotCommitted) -> Self {
        match refused {
            NotCommitted::KeyReused => AccountRefusal::KeyReused,
            // Whoever keeps changing it, later is better.
            NotCommitted::Changed | NotCommitted::Throttled => AccountRefusal::Throttled,
            NotCommitted::Unavailable => AccountRefusal::Unavailable,
        }
    }
}

impl From<LookupFailed> for AccountRefusal {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => AccountRefusal::Throttled,
            LookupFailed::Unavailable => AccountRefusal::Unavailable,
        }
    }
}

impl From<NoEntropy> for AccountRefusal {
    fn from(_: NoEntropy) -> Self {
        AccountRefusal::Unavailable
    }
}

/// Where answers are kept for retries.
pub trait EarlierAnswers {
    /// The answer that an earlier sending of a request was given, whatever became of the account
    /// since.
    ///
    /// # Errors
    /// [`NotCommitted`], never [`NotCommitted::Changed`].
    fn earlier(
        &self,
        request: &Keyed,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotCommitted>> + Send;
}

/// Where accounts are changed.
pub trait AgencyAccountChanges: AgencyAccountRecords + EarlierAnswers {
    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the same
    /// request: nothing was done now.
    ///
    /// # Errors
    /// [`NotCommitted`].
    fn change(
        &self,
        granted: Grant<'_, UpdateAgencyAccounts>,
        commit: ChangeCommit<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotCommitted>> + Send;
}

/// A valid request about an account, with everything that decides about it.
pub struct AccountRequest<'a, R: Right> {
    /// Who asks, and whose account it is.
    pub granted: Grant<'a, R>,
    /// Which account.
    pub lcuid: &'a AgencyAccountLcuid,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a Keyed>,
    /// The time of the request.
    pub now: Timestamp,
}

impl<R: Right> AccountRequest<'_, R> {
    /// What to say of an account that is not there: it may have been when this very request was
    /// answered.
    pub(super) async fn earlier(
        &self,
        store: &impl EarlierAnswers,
    ) -> Result<(StoredAnswer, bool), AccountRefusal> {
        let Some(request) = self.request else { return Err(AccountRefusal::Missing) };
        let earlier = store.earlier(request, self.now).await?;
        earlier.map(|stored| (stored, true)).ok_or(AccountRefusal::Missing)
    }
}

/// Changes an account. Returns the answer to give, and whether it is a replay.
///
/// What is asked for may be so already: then nothing is written but the record.
///
/// # Errors
/// [`AccountRefusal`], never [`AccountRefusal::HasSubAccounts`]; nothing was done, except that it
/// is unknown for [`AccountRefusal::Unavailable`].
pub async fn change(
    store: &impl AgencyAccountChanges,
    ports: &(impl Clock + Entropy),
    asked: &AccountRequest<'_, UpdateAgencyAccounts>,
    change: &AccountChange,
    answer: impl Fn(&KeptAccount, &KeptAgency) -> StoredAnswer,
) -> Result<(StoredAnswer, bool), AccountRefusal> {
    let granted = asked.granted;
    for _ in 0..MAX_TRIES {
        let Some((mut account, agency)) = store.account(granted.implied(), asked.lcuid).await?
        else {
            return asked.earlier(store).await;
        };
        let fields = change.apply(&mut account);
        let fresh = answer(&account, &agency);
        if fields.is_empty() && asked.request.is_none() {
            return Ok((fresh, false));
        }
        let audit = Entry {
            id: AuditId::new(ports, ports)?,
            credential: granted.by(),
            route: asked.route,
            objects: vec![asked.lcuid.as_str()],
            fields: &fields,
            at: asked.now,
            request_id: asked.request_id,
        };
        let commit = ChangeCommit {
            account: &account,
            fields: &fields,
            audit: (!fields.is_empty()).then_some(audit),
            record: asked.request.map(|request| (request, fresh.clone())),
            now: asked.now,
        };
        match store.change(granted, commit).await {
            Ok(Some(stored)) => return Ok((stored, true)),
            Ok(None) => return Ok((fresh, false)),
            Err(NotCommitted::Changed) => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    Err(NotCommitted::Changed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given<String> {
        Given::Value(text.to_owned())
    }

    fn account() -> KeptAccount {
        KeptAccount {
            lcuid: AgencyAccountLcuid::parse("LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef")
                .expect("an id"),
            name: "A".to_owned(),
            slug: "A".to_owned(),
            description: Some("d".to_owned()),
            website: Some("https://example.com".to_owned()),
            is_parent_account: false,
            created_at: String::new(),
            version: 3,
        }
    }

    #[test]
    fn left_out_is_unchanged_and_null_is_cleared() {
        let rows = [
            (None, None, vec![], (Some("d"), Some("https://example.com"))),
            (Some(Given::Absent), None, vec!["description"], (None, Some("https://example.com"))),
            (None, Some(given(" ")), vec!["website"], (Some("d"), None)),
            (
                Some(given(" e ")),
                Some(given("https://example.com")),
                vec!["description"],
                (Some("e"), Some("https://example.com")),
            ),
        ];
        for (description, website, fields, (kept_description, kept_website)) in rows {
            let input = AccountChangeInput { name: given(" A "), description, website };
            let change = AccountChange::parse(input, Vec::new()).expect("valid");
            let mut changed = account();
            assert_eq!(change.apply(&mut changed), fields);
            assert_eq!(changed.description.as_deref(), kept_description);
            assert_eq!(changed.website.as_deref(), kept_website);
            assert_eq!((changed.slug.as_str(), changed.version), ("A", 3));
        }
    }

    #[test]
    fn the_name_is_required_and_every_fault_is_told() {
        let input = AccountChangeInput {
            name: given(""),
            description: Some(Given::Value("x".repeat(5_001))),
            website: Some(given("nowhere")),
        };
        let faults = AccountChange::parse(input, Vec::new()).expect_err("faults");
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(fields, ["name", "description", "website"]);
    }
}
