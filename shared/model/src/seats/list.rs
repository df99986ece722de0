//! The list of an organization's seats (LIFECYCLE, "Seats API"; docs/adr/0030-lists-of-seats.md).
//!
//! Seats are listed in the order of their ids, which is that of their creation. A page is read in a few
//! steps, each of which looks at a bounded number of seats: what a page costs does not depend on how many
//! seats there are.

use std::collections::BTreeSet;
use std::future::Future;

use jiff::Timestamp;

use crate::credential::LookupFailed;
use crate::fault::{Fault, Form, Given, Rule};
use crate::grant::Grant;
use crate::id::SeatId;
use crate::right::ReadSeats;
use crate::text::Text;

use super::{Platforms, Profile, SeatStatus, Tier};

/// The most seats of one page.
pub const MAX_SEATS_PAGE: u16 = 1_000;

/// The most ids that a list can be filtered by: as many as the table reads in one call.
pub const MAX_LISTED_IDS: usize = 100;

/// The most bytes of seats in one answer, 4 MB (LIFECYCLE): Lambda passes on 6 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const MAX_LISTED_BYTES: usize = 4 * 1024 * 1024;

/// How many seats a step looks at when not all of them are expected on the page.
const STEP: u16 = MAX_SEATS_PAGE;

/// The most steps of a page. It ends early, with a cursor, where so many have not filled it.
const MAX_STEPS: usize = 4;

/// The most steps of a list that has to be whole, each of 1 MB of the table.
const MAX_STEPS_OF_ALL: usize = 16;

/// Another name of [`SeatStatus::Pending`], which clients of the original send.
const SETUP: &str = "setup";

/// The filters of a list as a caller sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // As in `SeatFilter`.
pub struct FilterInput {
    pub tag: Given<String>,
    pub org_group: Given<String>,
    pub user_group: Given<String>,
    pub status: Given<String>,
    pub tier: Given<String>,
    pub platform: Given<String>,
    pub ids: Given<Vec<Given<String>>>,
}

/// Which seats a list shows: those that all of it fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeatFilter {
    /// With exactly this tag.
    pub tag: Option<Text>,
    /// In exactly this group of the organization.
    pub org_group: Option<Text>,
    /// In exactly this group of users.
    pub user_group: Option<Text>,
    /// In this state; `None`: in any but [`SeatStatus::Deactivated`].
    pub status: Option<SeatStatus>,
    /// Of this tier.
    pub tier: Option<Tier>,
    /// On this platform.
    pub platform: Option<String>,
    /// Among these; of those that the organization does not have nothing is said.
    pub ids: Option<BTreeSet<SeatId>>,
}

impl SeatFilter {
    /// Reads the filters, adding what is wrong to `faults`. What is returned is to be used only when
    /// nothing was.
    pub fn parse(input: FilterInput, platforms: &Platforms, faults: &mut Vec<Fault>) -> Self {
        let mut form = Form::new(faults);
        let line = |max| move |raw: String| Text::line(&raw, 1..=max);
        let status = |raw: String| match raw.trim() {
            SETUP => Ok(SeatStatus::Pending),
            other => other.parse(),
        };
        let id = |text: &str| SeatId::parse(text).map_err(|_| Rule::SeatId);
        Self {
            tag: form.optional("tag", input.tag, line(Profile::MAX_TAG)),
            org_group: form.optional("org_group", input.org_group, line(Profile::MAX_ORG_GROUP)),
            user_group: form.optional("user_group", input.user_group, line(Profile::MAX_ORG_GROUP)),
            status: form.optional("status", input.status, status),
            tier: form.optional("tier", input.tier, |raw| raw.parse()),
            platform: form.optional("platform", input.platform, |raw| platforms.check(&raw)),
            ids: form.each_once("ids", input.ids, MAX_LISTED_IDS, id).map(BTreeSet::from_iter),
        }
    }

    /// The attributes that a seat must have, with their values, in an order that is always the same.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let attributes = [
            ("tag", self.tag.as_ref().map(Text::as_str)),
            ("org_group", self.org_group.as_ref().map(Text::as_str)),
            ("user_group", self.user_group.as_ref().map(Text::as_str)),
            ("status", self.status.map(SeatStatus::as_str)),
            ("tier", self.tier.map(Tier::as_str)),
            ("platform", self.platform.as_deref()),
        ];
        attributes.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Whether it shows a seat.
    pub fn shows(&self, seat: &ListedSeat) -> bool {
        let has = |(name, value): (&str, &str)| seat.attribute(name) == Some(value);
        let is_over = self.status.is_none() && seat.status == SeatStatus::Deactivated.as_str();
        let is_meant = self.ids.as_ref().is_none_or(|ids| ids.contains(&seat.id));
        is_meant && !is_over && self.attributes().all(has)
    }

    /// Whether a step may meet many seats that it does not show. Without a filter it meets those that
    /// are deactivated alone.
    fn is_selective(&self) -> bool {
        self.attributes().next().is_some()
    }
}

/// A seat as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // As in `NewSeat`. What a version of the service wrote that knows more is shown as it is.
pub struct ListedSeat {
    pub id: SeatId,
    pub tier: String,
    pub status: String,
    pub platform: Option<String>,
    pub username: Option<String>,
    pub nick_name: Option<String>,
    pub pfp_url: Option<String>,
    pub keywords: Option<String>,
    pub description: Option<String>,
    pub age_range: Option<String>,
    pub sex: Option<String>,
    pub location: Option<String>,
    pub tag: Option<String>,
    pub org_group: Option<String>,
    /// A group of the caller's own, which means nothing here.
    pub user_group: Option<String>,
    /// JSON of the caller's own, which means nothing here; and so the two below.
    pub profiles: Option<String>,
    pub warmup_version: Option<String>,
    pub post_version: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// How often it was changed.
    pub version: u64,
}

impl ListedSeat {
    /// The place of a field that callers may change; `None` of any other.
    pub(super) fn slot(&mut self, field: &str) -> Option<&mut Option<String>> {
        Some(match field {
            "platform" => &mut self.platform,
            "username" => &mut self.username,
            "pfp_url" => &mut self.pfp_url,
            "keywords" => &mut self.keywords,
            "nick_name" => &mut self.nick_name,
            "age_range" => &mut self.age_range,
            "sex" => &mut self.sex,
            "location" => &mut self.location,
            "description" => &mut self.description,
            "tag" => &mut self.tag,
            "org_group" => &mut self.org_group,
            "user_group" => &mut self.user_group,
            "profiles" => &mut self.profiles,
            "warmupVersion" => &mut self.warmup_version,
            "postVersion" => &mut self.post_version,
            _ => return None,
        })
    }

    /// What it has of a field that callers may change, as the table keeps it.
    pub fn value(&self, field: &str) -> Option<String> {
        self.clone().slot(field).and_then(|slot| slot.clone())
    }

    /// What it has of an attribute that lists are filtered by.
    fn attribute(&self, name: &str) -> Option<&str> {
        match name {
            "tag" => self.tag.as_deref(),
            "org_group" => self.org_group.as_deref(),
            "user_group" => self.user_group.as_deref(),
            "status" => Some(&self.status),
            "tier" => Some(&self.tier),
            "platform" => self.platform.as_deref(),
            _ => None,
        }
    }
}

/// What a step found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Those of the seats looked at that the filter may show, in the order of their ids.
    pub seats: Vec<ListedSeat>,
    /// The last seat that was looked at, where there may be more behind it.
    pub more_behind: Option<SeatId>,
}

/// Where the seats of an organization are read.
pub trait SeatLists {
    /// Looks at the seats behind `after` in the order of their ids: at `at_most` of them, and at no more
    /// than 1 MB. Seats that the filter does not show may be left out.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn look_at(
        &self,
        granted: Grant<'_, ReadSeats>,
        filter: &SeatFilter,
        after: Option<&SeatId>,
        at_most: Option<u16>,
    ) -> impl Future<Output = Result<Step, LookupFailed>> + Send;

    /// Those of the organization's seats that are named, [`MAX_LISTED_IDS`] at most, in any order.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn named(
        &self,
        granted: Grant<'_, ReadSeats>,
        ids: &[SeatId],
    ) -> impl Future<Output = Result<Vec<ListedSeat>, LookupFailed>> + Send;
}

/// A valid request for seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSeats {
    /// Which.
    pub filter: SeatFilter,
    /// Behind which seat; `None` for the first.
    pub after: Option<SeatId>,
    /// How many at most; `None` for all of them.
    pub limit: Option<u16>,
}

/// Some of the seats, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeatPage {
    /// The seats.
    pub seats: Vec<ListedSeat>,
    /// Behind which seat the next page begins; `None` at the end.
    pub next: Option<SeatId>,
}

/// The seats that are asked for. `weigh` says how many bytes one takes in an answer.
///
/// A page has as many seats as its limit, fewer at the end and where reading on would cost too much: more
/// than a few thousand seats that the filter does not show, or more than [`MAX_LISTED_BYTES`]. Without a
/// limit it has all of them; `None` where those are more than one answer holds or may look for.
///
/// # Errors
/// [`LookupFailed`].
pub async fn list(
    store: &(impl SeatLists + Sync),
    granted: Grant<'_, ReadSeats>,
    asked: &ListSeats,
    weigh: impl Fn(&ListedSeat) -> usize,
) -> Result<Option<SeatPage>, LookupFailed> {
    let limit = asked.limit.map_or(usize::MAX, usize::from);
    let mut page = SeatPage::default();
    let mut bytes = 0;
    let mut after = asked.after.clone();
    for step in 0.. {
        let found = if step == 0 && asked.filter.ids.is_some() {
            named(store, granted, asked).await?
        } else {
            let at_most = asked.limit.map(|limit| match step {
                // One more than is shown tells whether there is more.
                0 if !asked.filter.is_selective() => limit + 1,
                _ => STEP + 1,
            });
            store.look_at(granted, &asked.filter, after.as_ref(), at_most).await?
        };
        for seat in found.seats.into_iter().filter(|seat| asked.filter.shows(seat)) {
            bytes += weigh(&seat);
            if page.seats.len() == limit || bytes > MAX_LISTED_BYTES {
                let is_whole = asked.limit.is_some();
                page.next = page.seats.last().map(|seat| seat.id.clone());
                return Ok(is_whole.then_some(page));
            }
            page.seats.push(seat);
        }
        let Some(last) = found.more_behind else { return Ok(Some(page)) };
        let most = if asked.limit.is_some() { MAX_STEPS } else { MAX_STEPS_OF_ALL };
        if step + 1 == most {
            page.next = Some(last);
            return Ok(asked.limit.is_some().then_some(page));
        }
        after = Some(last);
    }
    Ok(Some(page))
}

/// The seats that the filter names, as one step that looks at all that are left of them.
async fn named(
    store: &impl SeatLists,
    granted: Grant<'_, ReadSeats>,
    asked: &ListSeats,
) -> Result<Step, LookupFailed> {
    let ids = asked.filter.ids.iter().flatten();
    let ids: Vec<_> =
        ids.filter(|id| asked.after.as_ref().is_none_or(|after| *id > after)).cloned().collect();
    let mut seats = if ids.is_empty() { Vec::new() } else { store.named(granted, &ids).await? };
    seats.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(Step { seats, more_behind: None })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet as Set;
    use std::sync::Mutex;

    use super::*;
    use crate::credential::{Credential, Holder, Permission};
    use crate::id::OrganizationId;
    use crate::id::tests::{At, Same};

    /// Seats by number, of which each `nth` has the tag, and how far each step looked.
    struct Shelf {
        count: usize,
        nth: usize,
        looked: Mutex<Vec<Option<u16>>>,
    }

    fn id(n: usize) -> SeatId {
        SeatId::parse(&format!("acc_01kgjb9z8rd3m0many{n:08}")).expect("an id")
    }

    fn seat(n: usize, tag: Option<&str>) -> ListedSeat {
        ListedSeat {
            id: id(n),
            tier: "basic".to_owned(),
            status: "uninitialized".to_owned(),
            platform: None,
            username: None,
            nick_name: None,
            pfp_url: None,
            keywords: None,
            description: None,
            age_range: None,
            sex: None,
            location: None,
            tag: tag.map(str::to_owned),
            org_group: None,
            user_group: None,
            profiles: None,
            warmup_version: None,
            post_version: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 0,
        }
    }

    impl SeatLists for Shelf {
        async fn look_at(
            &self,
            _: Grant<'_, ReadSeats>,
            _: &SeatFilter,
            after: Option<&SeatId>,
            at_most: Option<u16>,
        ) -> Result<Step, LookupFailed> {
            self.looked.lock().expect("not poisoned").push(at_most);
            let from = (0..self.count).find(|&n| after.is_none_or(|after| id(n) > *after));
            let from = from.unwrap_or(self.count);
            // As many as may be a megabyte.
            let to = (from + at_most.map_or(2_000, usize::from)).min(self.count);
            let seats = (from..to).map(|n| seat(n, n.is_multiple_of(self.nth).then_some("a")));
            Ok(Step { seats: seats.collect(), more_behind: (to < self.count).then(|| id(to - 1)) })
        }

        async fn named(
            &self,
            _: Grant<'_, ReadSeats>,
            ids: &[SeatId],
        ) -> Result<Vec<ListedSeat>, LookupFailed> {
            let all = (0..self.count).map(|n| seat(n, None));
            Ok(all.filter(|seat| ids.contains(&seat.id)).collect())
        }
    }

    fn tagged() -> SeatFilter {
        SeatFilter { tag: Some(Text::line("a", 1..=1).expect("a tag")), ..Default::default() }
    }

    /// The seats of a page, and behind which the next one begins.
    type Shown = (Vec<SeatId>, Option<SeatId>);

    /// The page, and how far each step looked.
    fn listed(
        (count, nth): (usize, usize),
        filter: SeatFilter,
        (after, limit): (Option<usize>, Option<u16>),
        weight: usize,
    ) -> (Option<Shown>, Vec<Option<u16>>) {
        let organization = OrganizationId::parse("org_01kgjb9z8rd3m0acme00000000").expect("an id");
        let (clock, entropy) = (At(Timestamp::UNIX_EPOCH), Same(9));
        let permissions = Set::from([Permission::AccountsRead]);
        let holder = Holder::Organization(organization);
        let issued = Credential::issue(holder, permissions, None, &clock, &entropy);
        let credential = issued.expect("entropy").0;
        let shelf = Shelf { count, nth, looked: Mutex::default() };
        let asked = ListSeats { filter, after: after.map(id), limit };
        let listing = list(&shelf, credential.grant().expect("a grant"), &asked, |_| weight);
        let page = at_once(listing).expect("it answers");
        let page =
            page.map(|page| (page.seats.into_iter().map(|seat| seat.id).collect(), page.next));
        (page, shelf.looked.into_inner().expect("not poisoned"))
    }

    /// Runs a future that waits for nothing.
    fn at_once<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("it waits"),
        }
    }

    fn numbers(range: impl IntoIterator<Item = usize>) -> Vec<SeatId> {
        range.into_iter().map(id).collect()
    }

    #[test]
    fn a_page_looks_at_one_seat_more_than_it_shows() {
        let (page, looked) = listed((1_000_000, 1), SeatFilter::default(), (Some(9), Some(100)), 1);
        assert_eq!(page, Some((numbers(10..110), Some(id(109)))));
        assert_eq!(looked, [Some(101)]);
    }

    #[test]
    fn a_page_that_few_seats_fit_ends_early_and_goes_on_where_it_ended() {
        let (page, looked) = listed((1_000_000, 3_000), tagged(), (None, Some(100)), 1);
        // Four steps of 1,001.
        assert_eq!(page, Some((numbers([0, 3_000]), Some(id(4_003)))));
        assert_eq!(looked, [Some(1_001); 4]);
        let (page, _) = listed((1_000_000, 3_000), tagged(), (Some(4_003), Some(100)), 1);
        assert_eq!(page.map(|page| page.0), Some(numbers([6_000])));
    }

    #[test]
    fn a_page_that_is_full_ends_at_the_last_seat_it_shows() {
        let (page, looked) = listed((10_000, 10), tagged(), (None, Some(5)), 1);
        assert_eq!(page, Some((numbers((0..50).step_by(10)), Some(id(40)))));
        assert_eq!(looked, [Some(1_001)]);
    }

    #[test]
    fn without_a_limit_there_is_all_or_nothing() {
        let (page, looked) = listed((5_000, 1), SeatFilter::default(), (None, None), 1);
        assert_eq!(page, Some((numbers(0..5_000), None)));
        assert_eq!(looked, [None; 3]);
        // What was looked at bounds it.
        let (page, looked) = listed((1_000_000, 1_000_000), tagged(), (None, None), 1);
        assert_eq!((page, looked.len()), (None, MAX_STEPS_OF_ALL));
        // So do the bytes of the answer.
        let weight = MAX_LISTED_BYTES / 8;
        assert_eq!(weight * 8, MAX_LISTED_BYTES, "eight seats fill it to the byte");
        let (page, _) = listed((8, 1), SeatFilter::default(), (None, None), weight);
        assert_eq!(page.map(|page| page.0.len()), Some(8));
        let (page, _) = listed((9, 1), SeatFilter::default(), (None, None), weight);
        assert_eq!(page, None);
        // A page ends in front of the seat that is too many.
        let (page, _) = listed((20, 1), SeatFilter::default(), (None, Some(20)), weight);
        assert_eq!(page, Some((numbers(0..8), Some(id(7)))));
    }

    #[test]
    fn those_named_are_shown_in_the_order_of_the_list() {
        let filter = || SeatFilter {
            ids: Some(numbers([7, 3, 5, 99]).into_iter().collect()),
            ..Default::default()
        };
        let (page, looked) = listed((10, 1), filter(), (None, Some(2)), 1);
        assert_eq!((page, looked), (Some((numbers([3, 5]), Some(id(5)))), vec![]));
        let (page, _) = listed((10, 1), filter(), (Some(5), Some(2)), 1);
        assert_eq!(page, Some((numbers([7]), None)));
        let (page, _) = listed((10, 1), filter(), (Some(99), None), 1);
        assert_eq!(page, Some((vec![], None)));
    }
}
