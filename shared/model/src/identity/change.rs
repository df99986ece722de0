//! Changing an account by a JSON merge patch (LIFECYCLE, "Identity API"; RFC 7396).

use std::future::Future;

use jiff::Timestamp;

use super::{
    AccountStatus, Currency, Email, Hashing, KeptAccount, Language, NewAccount, Password,
    PasswordHash, PasswordPolicy, Salt, SessionId, TimeZone,
};
use crate::audit::Entry;
use crate::credential::LookupFailed;
use crate::fault::{Fault, Form, Given, Rule};
use crate::grant::{Grant, Right};
use crate::id::{AccountId, AuditId};
use crate::idempotency::{Keyed, StoredAnswer};
use crate::port::{Clock, Entropy, NoEntropy};
use crate::text::Text;

/// How often an account is read again because somebody else changed it meanwhile.
const MAX_TRIES: usize = 5;

/// The members of a patch as a caller sent them. `None` where one was left out, which is not the same
/// as `null`.
#[derive(Default, Clone)]
#[allow(missing_docs)] // The members are the published API's; LIFECYCLE describes them.
pub struct AccountPatchInput {
    pub email: Option<Given<String>>,
    pub name: Option<Given<String>>,
    pub password: Option<Given<String>>,
    pub current_password: Option<Given<String>>,
    pub settings: Option<Given<SettingsPatchInput>>,
    pub status: Option<Given<String>>,
    /// Whether a new password needs the current one beside it.
    pub is_own: bool,
}

/// The preferences of a patch as a caller sent them.
#[derive(Default, Clone)]
#[allow(missing_docs)] // As above.
pub struct SettingsPatchInput {
    pub currency: Option<Given<String>>,
    pub timezone: Option<Given<String>>,
    pub language: Option<Given<String>>,
}

/// A valid patch.
#[derive(Debug, Clone)]
pub struct AccountPatch {
    email: Option<Email>,
    name: Option<Text>,
    password: Option<Password>,
    current_password: Option<Password>,
    currency: Option<Currency>,
    timezone: Option<TimeZone>,
    language: Option<Language>,
    status: Option<AccountStatus>,
}

/// What an account can be made by a patch.
const STATUSES: [AccountStatus; 2] = [AccountStatus::Active, AccountStatus::Suspended];

impl AccountPatch {
    /// Checks every member by the rules of a create. `null` takes a preference back to its default; what
    /// every account has cannot be taken away.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault.
    pub fn parse(
        input: AccountPatchInput,
        policy: PasswordPolicy,
        faults: Vec<Fault>,
    ) -> Result<Self, Vec<Fault>> {
        let found_by_reader = faults;
        let mut faults = Vec::new();
        let mut form = Form::new(&mut faults);
        let email =
            input.email.and_then(|given| form.required("email", given, |raw| Email::parse(&raw)));
        let name = input.name.and_then(|given| {
            form.required("name", given, |raw| Text::line(&raw, 1..=NewAccount::MAX_NAME))
        });
        let has_password = input.password.is_some();
        let password = input.password.and_then(|given| {
            form.required("password", given, |raw| {
                Ok(Password::parse(&raw, policy, email.as_ref(), name.as_ref()))
            })
        });
        let password = password.and_then(|parsed| {
            let told = parsed.map_err(|rules| {
                for rule in rules {
                    form.fault("password", rule);
                }
            });
            told.ok()
        });
        let current = input.current_password.unwrap_or_default();
        let current_password = match (has_password, current.is_present()) {
            (true, _) if input.is_own => {
                form.required("current_password", current, |raw| Password::candidate(&raw))
            }
            (false, true) => {
                form.fault("password", Rule::Required);
                None
            }
            _ => None,
        };
        let settings = match input.settings {
            None => SettingsPatchInput::default(),
            // Taken away, they are the defaults.
            Some(Given::Absent) => SettingsPatchInput {
                currency: Some(Given::Absent),
                timezone: Some(Given::Absent),
                language: Some(Given::Absent),
            },
            Some(given) => form.optional("settings", given, Ok).unwrap_or_default(),
        };
        let currency = settings
            .currency
            .map(|given| form.optional("settings.currency", given, |raw| Currency::parse(&raw)));
        let timezone = settings
            .timezone
            .map(|given| form.optional("settings.timezone", given, |raw| TimeZone::parse(&raw)));
        let language = settings
            .language
            .map(|given| form.optional("settings.language", given, |raw| Language::parse(&raw)));
        let status =
            input.status.and_then(|given| form.required("status", given, |raw| status_of(&raw)));
        faults.extend(found_by_reader);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            email,
            name,
            password,
            current_password,
            currency: currency.map(Option::unwrap_or_default),
            timezone: timezone.map(Option::unwrap_or_default),
            language: language.map(Option::unwrap_or_default),
            status,
        })
    }

    /// The rules that the new password breaks beside what the account has and keeps.
    fn faults_beside(&self, account: &KeptAccount) -> Vec<Fault> {
        let Some(password) = &self.password else { return Vec::new() };
        let email = self.email.as_ref().unwrap_or(&account.email);
        let name = self.name.as_ref().map_or(account.name.as_str(), Text::as_str);
        let rules = password.gives_away(email, name).into_iter();
        rules.map(|rule| fault("password", rule)).collect()
    }

    /// Changes an account, and says which fields are other ones now. With another password all its
    /// sessions are over but the one that is spared.
    pub fn apply(
        &self,
        account: &mut KeptAccount,
        hash: Option<PasswordHash>,
        spared: Option<&SessionId>,
    ) -> Vec<&'static str> {
        let before = account.clone();
        if let Some(email) = &self.email {
            account.email = email.clone();
        }
        if let Some(name) = &self.name {
            account.name = name.to_string();
        }
        if let Some(currency) = &self.currency {
            account.currency = currency.as_str().to_owned();
        }
        if let Some(timezone) = &self.timezone {
            account.timezone = timezone.as_str().to_owned();
        }
        if let Some(language) = &self.language {
            account.language = language.as_str().to_owned();
        }
        account.status = self.status.unwrap_or(account.status);
        let differs = [
            ("email", before.email != account.email),
            ("name", before.name != account.name),
            ("password", hash.is_some()),
            ("settings.currency", before.currency != account.currency),
            ("settings.timezone", before.timezone != account.timezone),
            ("settings.language", before.language != account.language),
            ("status", before.status != account.status),
        ];
        if let Some(hash) = hash {
            account.password_hash = hash;
            account.session_epoch += 1;
            account.spared_session = spared.cloned();
        }
        differs.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
    }
}

fn fault(field: &'static str, rule: Rule) -> Fault {
    Fault { index: None, field: field.into(), rule }
}

fn status_of(raw: &str) -> Result<AccountStatus, Rule> {
    let found = STATUSES.into_iter().find(|status| status.as_str() == raw.trim());
    found.ok_or_else(|| Rule::OneOf(STATUSES.map(|status| status.as_str().to_owned()).to_vec()))
}

/// One transaction: the changed fields under the version that was read, the locks of a changed address,
/// the audit entry, and the idempotency record.
#[derive(Debug, Clone)]
pub struct AccountCommit<'a> {
    /// The account as it was read.
    pub before: &'a KeptAccount,
    /// The account as it is to be.
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
    /// Another account has the address.
    EmailExists,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The table is written to faster than it takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Where accounts are changed by who has a right to.
pub trait AccountChanges<R: Right> {
    /// An account as of now; `None` when there is none, or it is not for this caller to change.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn kept(
        &self,
        granted: Grant<'_, R>,
        id: &AccountId,
    ) -> impl Future<Output = Result<Option<KeptAccount>, LookupFailed>> + Send;

    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the same
    /// request: nothing was done now.
    ///
    /// # Errors
    /// [`NotCommitted`].
    fn commit(
        &self,
        granted: Grant<'_, R>,
        commit: AccountCommit<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotCommitted>> + Send;

    /// The answer that an earlier sending of a request was given, whatever became of the account since.
    ///
    /// # Errors
    /// [`NotCommitted`], never [`NotCommitted::Changed`].
    fn earlier(
        &self,
        granted: Grant<'_, R>,
        request: &Keyed,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotCommitted>> + Send;
}

/// A valid request about an account, with everything that decides about it.
pub struct PatchRequest<'a, R: Right> {
    /// Who asks.
    pub granted: Grant<'a, R>,
    /// Which account.
    pub id: &'a AccountId,
    /// The account, where it was just read.
    pub known: Option<KeptAccount>,
    /// The session that goes on when the password is changed.
    pub spared: Option<&'a SessionId>,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a Keyed>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why an account was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// There is no such account.
    Missing,
    /// The caller means another version of it.
    VersionMismatch,
    /// What is asked for breaks rules beside what the account has.
    Faults(Vec<Fault>),
    /// As in [`NotCommitted`].
    EmailExists,
    /// As in [`NotCommitted`].
    KeyReused,
    /// As in [`NotCommitted`].
    Throttled,
    /// As in [`NotCommitted`].
    Unavailable,
}

impl From<NotCommitted> for ChangeRefusal {
    fn from(refused: NotCommitted) -> Self {
        match refused {
            NotCommitted::EmailExists => ChangeRefusal::EmailExists,
            NotCommitted::KeyReused => ChangeRefusal::KeyReused,
            // Whoever keeps changing it, later is better.
            NotCommitted::Changed | NotCommitted::Throttled => ChangeRefusal::Throttled,
            NotCommitted::Unavailable => ChangeRefusal::Unavailable,
        }
    }
}

impl From<LookupFailed> for ChangeRefusal {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => ChangeRefusal::Throttled,
            LookupFailed::Unavailable => ChangeRefusal::Unavailable,
        }
    }
}

impl From<NoEntropy> for ChangeRefusal {
    fn from(_: NoEntropy) -> Self {
        ChangeRefusal::Unavailable
    }
}

/// What became of a request to change an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The account is like this now.
    Now(Box<KeptAccount>),
    /// The same request was carried out before: this was its answer.
    Before(StoredAnswer),
}

/// Changes an account. What is asked for may be so already: then nothing is written but the record.
///
/// # Errors
/// [`ChangeRefusal`]; nothing was done, except that it is unknown for [`ChangeRefusal::Unavailable`].
pub async fn change<R, S, H, P>(
    store: &S,
    (hashing, ports): (&H, &P),
    asked: PatchRequest<'_, R>,
    patch: &AccountPatch,
    is_meant: impl Fn(&KeptAccount) -> bool,
    answer: impl Fn(&KeptAccount) -> StoredAnswer,
) -> Result<Changed, ChangeRefusal>
where
    R: Right,
    S: AccountChanges<R> + Sync,
    H: Hashing,
    P: Clock + Entropy,
{
    // Before anything is looked at that the first sending has changed, such as the password.
    if let Some(request) = asked.request
        && let Some(stored) = store.earlier(asked.granted, request, asked.now).await?
    {
        return Ok(Changed::Before(stored));
    }
    let mut known = asked.known;
    let mut compared: Option<PasswordHash> = None;
    let mut hash: Option<PasswordHash> = None;
    for _ in 0..MAX_TRIES {
        let before = match known.take() {
            Some(known) => known,
            None => store.kept(asked.granted, asked.id).await?.ok_or(ChangeRefusal::Missing)?,
        };
        if !is_meant(&before) {
            return Err(ChangeRefusal::VersionMismatch);
        }
        let faults = patch.faults_beside(&before);
        if !faults.is_empty() {
            return Err(ChangeRefusal::Faults(faults));
        }
        if let Some(current) = &patch.current_password
            && compared.as_ref() != Some(&before.password_hash)
        {
            let right = hashing.verify(current.clone(), before.password_hash.clone()).await;
            if !right.ok_or(ChangeRefusal::Unavailable)? {
                let wrong = fault("current_password", Rule::CurrentPassword);
                return Err(ChangeRefusal::Faults(vec![wrong]));
            }
            compared = Some(before.password_hash.clone());
        }
        if let Some(password) = patch.password.as_ref().filter(|_| hash.is_none()) {
            let made = hashing.hash(password.clone(), Salt::new(ports)?).await;
            hash = Some(made.ok_or(ChangeRefusal::Unavailable)?);
        }
        let mut account = before.clone();
        let fields = patch.apply(&mut account, hash.clone(), asked.spared);
        if !fields.is_empty() {
            account.version += 1;
            account.updated_at = asked.now;
        } else if asked.request.is_none() {
            return Ok(Changed::Now(Box::new(account)));
        }
        let audit = Entry {
            id: AuditId::new(ports, ports)?,
            credential: Some(asked.granted.by()),
            route: asked.route,
            objects: vec![asked.id.as_str()],
            fields: &fields,
            at: asked.now,
            request_id: asked.request_id,
        };
        let commit = AccountCommit {
            before: &before,
            account: &account,
            fields: &fields,
            audit: (!fields.is_empty()).then_some(audit),
            record: asked.request.map(|request| (request, answer(&account))),
            now: asked.now,
        };
        match store.commit(asked.granted, commit).await {
            Ok(Some(stored)) => return Ok(Changed::Before(stored)),
            Ok(None) => return Ok(Changed::Now(Box::new(account))),
            Err(NotCommitted::Changed) => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    Err(NotCommitted::Changed.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::kept::tests::kept;

    fn given(text: &str) -> Option<Given<String>> {
        Some(Given::Value(text.to_owned()))
    }

    fn parse(input: AccountPatchInput) -> Result<AccountPatch, Vec<(String, Rule)>> {
        AccountPatch::parse(input, PasswordPolicy::default(), Vec::new()).map_err(|faults| {
            faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect()
        })
    }

    fn settings(currency: Option<Given<String>>) -> Option<Given<SettingsPatchInput>> {
        Some(Given::Value(SettingsPatchInput { currency, ..SettingsPatchInput::default() }))
    }

    #[test]
    fn what_is_left_out_stays_and_null_takes_a_preference_back_to_its_default() {
        let euros = || KeptAccount { currency: "EUR".to_owned(), ..kept(AccountStatus::Active) };
        for (settings, fields, currency) in [
            (None, vec![], "EUR"),
            (settings(None), vec![], "EUR"),
            (settings(Some(Given::Absent)), vec!["settings.currency"], "USD"),
            (settings(given("NOK")), vec!["settings.currency"], "NOK"),
            (settings(given("EUR")), vec![], "EUR"),
            (Some(Given::Absent), vec!["settings.currency"], "USD"),
        ] {
            let patch = parse(AccountPatchInput { settings, ..AccountPatchInput::default() });
            let mut account = euros();
            assert_eq!(patch.expect("valid").apply(&mut account, None, None), fields);
            assert_eq!(account.currency, currency);
        }
    }

    #[test]
    fn what_every_account_has_cannot_be_taken_away() {
        let null = || Some(Given::Absent);
        let faults = parse(AccountPatchInput {
            email: null(),
            name: null(),
            password: null(),
            status: null(),
            is_own: true,
            ..AccountPatchInput::default()
        });
        let required = |field: &str| (field.to_owned(), Rule::Required);
        let expected = ["email", "name", "password", "current_password", "status"].map(required);
        assert_eq!(faults.err(), Some(expected.to_vec()));
    }

    #[test]
    fn a_password_and_the_current_one_go_together_where_it_is_the_own() {
        let input = |password: Option<&str>, current: Option<&str>, is_own| AccountPatchInput {
            password: password.and_then(given),
            current_password: current.and_then(given),
            is_own,
            ..AccountPatchInput::default()
        };
        let good = Some("another long password");
        assert!(parse(input(good, Some("x"), true)).is_ok());
        assert!(parse(input(good, None, false)).is_ok());
        let faults = |input| parse(input).err().unwrap_or_default();
        assert_eq!(
            faults(input(good, None, true)),
            [("current_password".to_owned(), Rule::Required)]
        );
        assert_eq!(faults(input(None, Some("x"), true)), [("password".to_owned(), Rule::Required)]);
    }

    #[test]
    fn a_new_password_is_held_against_what_the_account_keeps() {
        let patch = |password: &str, name: Option<&str>| {
            parse(AccountPatchInput {
                password: given(password),
                name: name.and_then(given),
                ..AccountPatchInput::default()
            })
        };
        let account = kept(AccountStatus::Active);
        let beside = |patch: AccountPatch| -> Vec<Rule> {
            patch.faults_beside(&account).into_iter().map(|fault| fault.rule).collect()
        };
        assert_eq!(beside(patch("my OWNER is great", None).expect("valid")), [Rule::ContainsEmail]);
        assert_eq!(
            beside(patch("long enough acme inc.", None).expect("valid")),
            [Rule::ContainsName]
        );
        assert_eq!(beside(patch("long enough acme inc.", Some("Other")).expect("valid")), []);
        assert!(patch("long enough other", Some("Other")).is_err());
    }

    #[test]
    fn another_password_ends_all_sessions_but_one() {
        let patch = parse(AccountPatchInput {
            password: given("another long password"),
            ..AccountPatchInput::default()
        });
        let mut account = kept(AccountStatus::Active);
        let spared = SessionId::parse("sess_01kgjb9z8rd3m0seats0000000").expect("an id");
        let hash = Some(PasswordHash::of_phc("new".to_owned()));
        let fields = patch.expect("valid").apply(&mut account, hash, Some(&spared));
        assert_eq!(fields, ["password"]);
        assert_eq!((account.session_epoch, account.spared_session), (3, Some(spared)));
    }

    #[test]
    fn only_an_administrators_two_statuses_can_be_given() {
        let status = |text: &str| {
            parse(AccountPatchInput { status: given(text), ..AccountPatchInput::default() })
        };
        for good in ["active", "suspended", " suspended "] {
            assert!(status(good).is_ok(), "{good}");
        }
        for bad in ["closed", "pending", "Active", ""] {
            let rule = Rule::OneOf(vec!["active".to_owned(), "suspended".to_owned()]);
            assert_eq!(status(bad).err(), Some(vec![("status".to_owned(), rule)]), "{bad}");
        }
    }
}
