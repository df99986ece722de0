//! Accounts of agencies as they are kept, and what is done with them after their creation.

use std::future::Future;

use super::AgencySettings;
use crate::credential::LookupFailed;
use crate::fault::{Fault, Form, Given, Rule};
use crate::grant::Grant;
use crate::id::{AgencyAccountLcuid, AgencyLcuid};
use crate::right::{ListAgencyAccounts, ViewAgencyAccounts};
use crate::text::Text;

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAccount {
    /// Its id.
    pub lcuid: AgencyAccountLcuid,
    /// Its name.
    pub name: String,
    /// Its name for URLs.
    pub slug: String,
    /// Its description.
    pub description: Option<String>,
    /// Its site.
    pub website: Option<String>,
    /// Whether it may have sub-accounts.
    pub is_parent_account: bool,
    /// When it was created: UTC, six decimals.
    pub created_at: String,
    /// How often it has been changed: its optimistic lock. 0 for one that never was.
    pub version: u64,
}

/// The agency of an account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAgency {
    /// Its id.
    pub lcuid: AgencyLcuid,
    /// Its name.
    pub name: Text,
    /// What its accounts are.
    pub settings: AgencySettings,
    /// When it was created: UTC, six decimals.
    pub created_at: String,
}

/// A part of a list, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Counted from 1.
    number: usize,
    size: usize,
}

impl Page {
    /// The last page there may be.
    pub const MAX_NUMBER: usize = 1_000_000;
    /// The most accounts of a page, and those of one whose size is not given.
    pub const MAX_SIZE: usize = 100;

    /// Reads `page` and `per_page`. `None` when neither is given: the whole list.
    ///
    /// # Errors
    /// Every fault.
    pub fn parse(page: Given<String>, per_page: Given<String>) -> Result<Option<Self>, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut form = Form::new(&mut faults);
        let (page, per_page) = (page.blank_is_absent(), per_page.blank_is_absent());
        let number = form.optional("page", page, |text| within(&text, Self::MAX_NUMBER));
        let size = form.optional("per_page", per_page, |text| within(&text, Self::MAX_SIZE));
        if !faults.is_empty() {
            return Err(faults);
        }
        let is_asked_for = number.is_some() || size.is_some();
        let page = Self { number: number.unwrap_or(1), size: size.unwrap_or(Self::MAX_SIZE) };
        Ok(is_asked_for.then_some(page))
    }

    /// What of a list is on the page.
    pub fn of<T>(self, list: &[T]) -> &[T] {
        let begin = ((self.number - 1) * self.size).min(list.len());
        &list[begin..(begin + self.size).min(list.len())]
    }
}

/// A whole number from 1 on, in digits alone.
fn within(text: &str, max: usize) -> Result<usize, Rule> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_digits && (1..=max).contains(number));
    number.ok_or(Rule::Between { min: 1, max })
}

/// Where the accounts of an agency are read.
pub trait AgencyAccountRecords {
    /// An account and its agency, as of now, in one step; `None` where the agency has no such
    /// account.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn account(
        &self,
        granted: Grant<'_, ViewAgencyAccounts>,
        lcuid: &AgencyAccountLcuid,
    ) -> impl Future<Output = Result<Option<(KeptAccount, KeptAgency)>, LookupFailed>> + Send;

    /// The accounts of the agency as of now, the first created first, and the agency; `None` where
    /// there are more than `at_most`.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn accounts(
        &self,
        granted: Grant<'_, ListAgencyAccounts>,
        at_most: usize,
    ) -> impl Future<Output = Result<Option<(Vec<KeptAccount>, KeptAgency)>, LookupFailed>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(page: &str, per_page: &str) -> Result<Option<Page>, Vec<Fault>> {
        Page::parse(Given::Value(page.to_owned()), Given::Value(per_page.to_owned()))
    }

    #[test]
    fn a_page_is_read_and_cut_out() {
        let list: Vec<_> = (0..7).collect();
        let of = |page, per_page| {
            parse(page, per_page).expect("a page").map(|page| page.of(&list).to_vec())
        };
        assert_eq!(of("", " "), None);
        assert_eq!(of("1", "3"), Some(vec![0, 1, 2]));
        assert_eq!(of("3", "3"), Some(vec![6]));
        assert_eq!(of("4", "3"), Some(vec![]));
        assert_eq!(of("1000000", "100"), Some(vec![]));
        assert_eq!(of("", "2"), Some(vec![0, 1]));
        assert_eq!(of("1", ""), Some(list.clone()));
        assert_eq!(of("2", ""), Some(vec![]));
        assert_eq!(Page::parse(Given::Absent, Given::Absent), Ok(None));
    }

    #[test]
    fn what_is_no_page_is_told_with_its_limits() {
        for bad in [
            "0",
            "-1",
            "+1",
            "1.0",
            "1e1",
            "x",
            "1,1",
            "1 ",
            "٣",
            "1000001",
            "99999999999999999999",
        ] {
            let faults = parse(bad, "101").expect_err("faults");
            let rules: Vec<_> = faults.iter().map(|fault| &fault.rule).collect();
            let expected =
                [Rule::Between { min: 1, max: 1_000_000 }, Rule::Between { min: 1, max: 100 }];
            assert_eq!(rules, expected.iter().collect::<Vec<_>>(), "{bad}");
        }
    }
}
