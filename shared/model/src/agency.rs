//! The Agency API: apps create accounts and sub-accounts inside an agency.

mod change;
mod deletion;
mod kept;

use std::future::Future;

use deunicode::deunicode;
use jiff::Timestamp;

use crate::fault::{Fault, Form, Given, Rule};
use crate::id::{AgencyAccountLcuid, AgencyLcuid};
use crate::idempotency::{Keyed, StoredAnswer};
use crate::port::{Entropy, NoEntropy, random};
use crate::text::Text;
use crate::web_url::WebUrl;

pub use change::{
    AccountChange, AccountChangeInput, AccountRefusal, AccountRequest, AgencyAccountChanges,
    ChangeCommit, EarlierAnswers, NotCommitted, change,
};
pub use deletion::{AgencyAccountDeletions, Deletable, DeletableAccounts, DeletionCommit, delete};
pub use kept::{AgencyAccountRecords, KeptAccount, KeptAgency, Page};

/// What an account is, in the words of an agency's own systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencySettings {
    /// Class names of what an account's inventory holds.
    pub inventory_item_class: Vec<String>,
    /// Class name of an account.
    pub account_class: String,
    /// The inventory classes for a person.
    pub inventory_item_class_description: String,
    /// The account class for a person.
    pub account_class_description: String,
}

impl Default for AgencySettings {
    /// The settings of a new agency: those of the published API's example.
    fn default() -> Self {
        let class = |name: &str| format!("App\\LuCore\\InventoryItems\\{name}InventoryItemClass");
        Self {
            inventory_item_class: ["Generic", "PhotoStream", "Creative"].map(class).to_vec(),
            account_class: "App\\LuCore\\Accounts\\InventoryAccountClass".to_owned(),
            inventory_item_class_description: "Generic, Post, Creative".to_owned(),
            account_class_description: "Inventory".to_owned(),
        }
    }
}

/// An agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its id.
    pub lcuid: AgencyLcuid,
    /// Its name.
    pub name: Text,
    /// What its accounts are.
    pub settings: AgencySettings,
}

/// The fields of an account as a caller sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are the published API's; CONTRACT section 2 describes them.
pub struct AgencyAccountInput {
    pub name: Given<String>,
    pub description: Given<String>,
    pub agency_lcuid: Given<String>,
    pub website: Given<String>,
    pub parent_account_lcuid: Given<String>,
}

/// A valid wish for an account. The agency is not part of it: authorization has settled that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgencyAccount {
    /// 1 to [`NewAgencyAccount::MAX_NAME`] characters.
    pub name: Text,
    /// At most [`NewAgencyAccount::MAX_DESCRIPTION`] characters.
    pub description: Option<Text>,
    /// The account's site.
    pub website: Option<WebUrl>,
    /// The account above this one.
    pub parent: Option<AgencyAccountLcuid>,
}

impl NewAgencyAccount {
    /// The longest name, in Unicode scalar values after trimming.
    pub const MAX_NAME: usize = 255;
    /// The longest description, in Unicode scalar values after trimming.
    pub const MAX_DESCRIPTION: usize = 5_000;

    /// Checks every field. Blank text counts as absent, as callers of this API know it.
    ///
    /// `faults` holds what the reader of the body has found already.
    ///
    /// # Errors
    /// Every fault, in the order of the published documentation.
    pub fn parse(input: AgencyAccountInput, mut faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        let found_by_reader = std::mem::take(&mut faults);
        let mut form = Form::new(&mut faults);
        let name = form.required("name", input.name.blank_is_absent(), |raw| {
            Text::line(&raw, 1..=Self::MAX_NAME)
        });
        let description =
            form.optional("description", input.description.blank_is_absent(), |raw| {
                Text::lines(&raw, 0..=Self::MAX_DESCRIPTION)
            });
        // Whether the agency exists and is the caller's is decided by authorization.
        form.required("agency_lcuid", input.agency_lcuid.blank_is_absent(), Ok);
        let website =
            form.optional("website", input.website.blank_is_absent(), |raw| WebUrl::parse(&raw));
        let parent = form.optional(
            "parent_account_lcuid",
            input.parent_account_lcuid.blank_is_absent(),
            |raw| AgencyAccountLcuid::parse(raw.trim()).map_err(|_| Rule::UnusableParent),
        );
        faults.extend(found_by_reader);
        match name {
            Some(name) if faults.is_empty() => Ok(Self { name, description, website, parent }),
            _ => Err(faults),
        }
    }
}

/// An account as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyAccount {
    /// Who creates it, as [`crate::audit::created_by`] has it; `None` for an operator.
    pub created_by: Option<String>,
    /// Its id.
    pub lcuid: AgencyAccountLcuid,
    /// The agency it belongs to.
    pub agency: AgencyLcuid,
    /// What the caller asked for.
    pub new: NewAgencyAccount,
    /// Whether it may have sub-accounts.
    pub is_parent_account: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

impl AgencyAccount {
    /// How many accounts there may be, one below the other, the uppermost counted: who is on this
    /// level has nobody below (LIFECYCLE, "Agency API"; docs/adr/0035-nesting-of-agency-accounts.md).
    pub const MAX_LEVELS: usize = 5;
}

/// A name for URLs: the account's name in ASCII PascalCase, unique over all agencies by a
/// number behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug {
    base: String,
    number: Option<u64>,
}

impl Slug {
    /// The longest name part: a name of plain letters keeps all of them. Transliteration can
    /// turn one character into many, and a slug is a key of the table, so it needs an end.
    const MAX_LENGTH: usize = 255;

    /// The slug of a name, without a number.
    pub fn of(name: &Text) -> Self {
        let ascii = deunicode(name.as_str());
        let mut base = String::new();
        for word in ascii.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            base.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            base.extend(letters.map(|letter| letter.to_ascii_lowercase()));
        }
        base.truncate(Self::MAX_LENGTH);
        if base.is_empty() {
            "account".clone_into(&mut base);
        }
        Self { base, number: None }
    }

    /// The same name with a number behind it.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Self {
        Self { base: self.base.clone(), number: Some(number) }
    }

    /// The name part, under which the numbers given so far are counted.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The number behind the name, if any.
    pub fn number(&self) -> Option<u64> {
        self.number
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)?;
        self.number.map_or(Ok(()), |number| write!(f, "{number}"))
    }
}

/// Why an account could not be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitRefusal {
    /// The slug is taken. `last_number` is the highest number given behind its name so far.
    SlugTaken {
        /// 1 when only the bare name is taken.
        last_number: u64,
    },
    /// The parent does not exist in this agency or may not have sub-accounts.
    UnusableParent,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// The table is written to faster than it takes it; later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// One transaction: the account, its slug, the check of its parent, and the idempotency record.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The account.
    pub account: &'a AgencyAccount,
    /// The slug to take for it.
    pub slug: &'a Slug,
    /// The request and the answer to keep for its retries, when it has a key.
    pub record: Option<(&'a Keyed, StoredAnswer)>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Where agency accounts are kept.
pub trait AgencyAccounts {
    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the
    /// same request: nothing was done now.
    ///
    /// # Errors
    /// [`CommitRefusal`].
    fn commit(
        &self,
        commit: Commit<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, CommitRefusal>> + Send;
}

/// How many slugs are tried before the caller is asked to come back later.
const SLUG_ATTEMPTS: u32 = 16;

/// Creates an account under the first free slug. Returns the answer to give, and whether it
/// is a replay.
///
/// A taken slug costs another transaction with the next number. When that one is taken too,
/// others are creating the same name right now: the numbers tried then spread out at random,
/// doubling each time, so that any number of them finds free ones in a few rounds.
///
/// # Errors
/// [`CommitRefusal`], never [`CommitRefusal::SlugTaken`]: too many rounds are
/// [`CommitRefusal::Throttled`].
pub async fn create(
    accounts: &impl AgencyAccounts,
    entropy: &dyn Entropy,
    account: &AgencyAccount,
    request: Option<&Keyed>,
    answer: impl Fn(&AgencyAccount, &Slug) -> StoredAnswer,
) -> Result<(StoredAnswer, bool), CommitRefusal> {
    let bare = Slug::of(&account.new.name);
    let mut slug = bare.clone();
    for attempt in 0..SLUG_ATTEMPTS {
        let fresh = answer(account, &slug);
        let commit = Commit {
            account,
            slug: &slug,
            record: request.map(|request| (request, fresh.clone())),
            now: account.created_at,
        };
        match accounts.commit(commit).await {
            Ok(Some(stored)) => return Ok((stored, true)),
            Ok(None) => return Ok((fresh, false)),
            Err(CommitRefusal::SlugTaken { last_number }) => {
                let skip = spread(entropy, attempt).map_err(|_| CommitRefusal::Unavailable)?;
                let tried = slug.number().unwrap_or(1);
                slug = bare.numbered(last_number.max(tried) + 1 + skip);
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Err(CommitRefusal::Throttled)
}

/// A random number below 2^attempt.
fn spread(entropy: &dyn Entropy, attempt: u32) -> Result<u64, NoEntropy> {
    let random = u64::from(u32::from_be_bytes(random::<4>(entropy)?));
    Ok(random % (1 << attempt))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use proptest::prelude::*;

    use super::*;
    use crate::id::tests::{At, Same};
    use crate::port::Clock;

    fn slug(name: &str) -> String {
        Slug::of(&Text::line(name, 1..=255).expect("a name")).to_string()
    }

    #[test]
    fn slugs_are_ascii_pascal_case() {
        for (name, expected) in [
            ("Blue River Real Estate", "BlueRiverRealEstate"),
            ("Unit Test Account - etKzC", "UnitTestAccountEtkzc"),
            ("Crème Brûlée", "CremeBrulee"),
            ("Straße 7", "Strasse7"),
            ("москва", "Moskva"),
            ("北京", "BeiJing"),
            ("--- !!!", "account"),
            ("\u{E000}", "account"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
    }

    #[test]
    fn a_number_goes_behind_the_name() {
        let bare = Slug::of(&Text::line("Blue River", 1..=255).expect("a name"));
        let numbered = bare.numbered(28);
        assert_eq!(numbered.to_string(), "BlueRiver28");
        assert_eq!((numbered.base(), numbered.number()), ("BlueRiver", Some(28)));
        assert_eq!((bare.base(), bare.number()), ("BlueRiver", None));
    }

    /// Refuses the first slugs and notes all that were tried.
    struct Taken {
        refusals: usize,
        last_number: u64,
        tried: Mutex<Vec<String>>,
    }

    impl AgencyAccounts for Taken {
        async fn commit(&self, commit: Commit<'_>) -> Result<Option<StoredAnswer>, CommitRefusal> {
            let mut tried = self.tried.lock().expect("not poisoned");
            tried.push(commit.slug.to_string());
            if tried.len() > self.refusals {
                return Ok(None);
            }
            Err(CommitRefusal::SlugTaken { last_number: self.last_number })
        }
    }

    fn slugs_tried(refusals: usize, last_number: u64, random: u8) -> (Vec<String>, bool) {
        let clock = At(Timestamp::UNIX_EPOCH);
        let new = NewAgencyAccount {
            name: Text::line("Ka", 1..=255).expect("a name"),
            description: None,
            website: None,
            parent: None,
        };
        let account = AgencyAccount {
            lcuid: AgencyAccountLcuid::new(&Same(1)).expect("entropy"),
            agency: AgencyLcuid::new(&Same(1)).expect("entropy"),
            new,
            is_parent_account: false,
            created_by: None,
            created_at: clock.now(),
        };
        let taken = Taken { refusals, last_number, tried: Mutex::default() };
        let answer = |_: &AgencyAccount, slug: &Slug| StoredAnswer {
            status: 200,
            location: None,
            body: slug.to_string(),
        };
        let entropy = Same(random);
        let created = pin!(create(&taken, &entropy, &account, None, answer));
        let Poll::Ready(created) = created.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing waits here");
        };
        let tried = taken.tried.lock().expect("not poisoned").clone();
        if let Ok((answer, is_replay)) = &created {
            assert_eq!((tried.last(), *is_replay), (Some(&answer.body), false));
        }
        (tried, created.is_ok())
    }

    #[test]
    fn the_next_number_is_tried_and_then_ever_further_ones() {
        assert_eq!(slugs_tried(1, 1, 0xff).0, ["Ka", "Ka2"]);
        assert_eq!(slugs_tried(1, 27, 0xff).0, ["Ka", "Ka28"]);
        assert_eq!(slugs_tried(3, 1, 0).0, ["Ka", "Ka2", "Ka3", "Ka4"]);
        // As far as 2, 4 and 8 possible numbers reach.
        assert_eq!(slugs_tried(4, 1, 0xff).0, ["Ka", "Ka2", "Ka4", "Ka8", "Ka16"]);
    }

    #[test]
    fn tries_end() {
        let (tried, is_created) = slugs_tried(usize::MAX, 1, 0);
        assert_eq!((tried.len(), is_created), (16, false));
    }

    #[test]
    fn blank_text_counts_as_absent() {
        let text = |text: &str| Given::Value(text.to_owned());
        let account = NewAgencyAccount::parse(
            AgencyAccountInput {
                name: text(" A "),
                description: text("  "),
                agency_lcuid: text("x"),
                website: text(""),
                parent_account_lcuid: text(""),
            },
            Vec::new(),
        )
        .expect("valid");
        assert_eq!(account.name.as_str(), "A");
        assert_eq!((account.description, account.website, account.parent), (None, None, None));
    }

    #[test]
    fn one_fault_is_enough() {
        let text = |text: &str| Given::Value(text.to_owned());
        let faults = NewAgencyAccount::parse(
            AgencyAccountInput {
                name: text("A"),
                agency_lcuid: text("x"),
                website: text("nowhere"),
                ..AgencyAccountInput::default()
            },
            Vec::new(),
        )
        .expect_err("a fault");
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn faults_come_in_the_documented_order_with_unknown_fields_last() {
        let unknown = Fault { index: None, field: "is_parent_account".into(), rule: Rule::Unknown };
        let faults = NewAgencyAccount::parse(
            AgencyAccountInput {
                website: Given::Value("nowhere".to_owned()),
                parent_account_lcuid: Given::Value("nobody".to_owned()),
                ..AgencyAccountInput::default()
            },
            vec![unknown],
        )
        .expect_err("faults");
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(
            fields,
            ["name", "agency_lcuid", "website", "parent_account_lcuid", "is_parent_account"]
        );
    }

    proptest! {
        #[test]
        fn any_name_gives_a_slug_that_fits_a_key(name in "\\PC{1,255}") {
            if let Ok(name) = Text::line(&name, 1..=255) {
                let slug = Slug::of(&name).to_string();
                prop_assert!((1..=Slug::MAX_LENGTH).contains(&slug.len()));
                prop_assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric()));
            }
        }
    }
}
