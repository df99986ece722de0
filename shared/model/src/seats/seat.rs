//! One seat: what a caller may ask for and what it becomes.

use std::str::FromStr;

use jiff::Timestamp;

use crate::fault::{Fault, Form, Given, Rule};
use crate::id::SeatId;
use crate::text::{Text, check_length};
use crate::web_url::WebUrl;

/// Fixes the price of a seat and the kind of device behind it. Which these are is configuration:
/// [`Tiers`](crate::tiers::Tiers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Written `basic`.
    Basic,
    /// Written `premium`.
    Premium,
}

impl Tier {
    /// Every tier, in the order in which bills list them.
    pub const ALL: [Tier; 2] = [Tier::Basic, Tier::Premium];

    /// The tier as callers and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Basic => "basic",
            Tier::Premium => "premium",
        }
    }
}

impl FromStr for Tier {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        one_of(text, Tier::ALL, Tier::as_str)
    }
}

/// Where a seat is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatStatus {
    /// Paid for, without account details yet.
    Uninitialized,
    /// Details are known and setup has begun.
    Pending,
    /// Setup has succeeded: there is a device with the account on it.
    Initialized,
    /// Setup has not succeeded; details that are sent again begin another one.
    Failed,
    /// Given back: it is kept, and neither counted nor billed.
    Deactivated,
}

impl SeatStatus {
    /// Every status, in the order of a seat's life.
    pub const ALL: [SeatStatus; 5] = [
        SeatStatus::Uninitialized,
        SeatStatus::Pending,
        SeatStatus::Initialized,
        SeatStatus::Failed,
        SeatStatus::Deactivated,
    ];

    /// Those that a seat can be created with.
    pub const NEW: [SeatStatus; 2] = [SeatStatus::Uninitialized, SeatStatus::Pending];

    /// The status as callers and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            SeatStatus::Uninitialized => "uninitialized",
            SeatStatus::Pending => "pending",
            SeatStatus::Initialized => "initialized",
            SeatStatus::Failed => "failed",
            SeatStatus::Deactivated => "deactivated",
        }
    }
}

impl FromStr for SeatStatus {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        one_of(text, SeatStatus::ALL, SeatStatus::as_str)
    }
}

/// The social platforms that a deployment serves; a list in configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platforms(Vec<String>);

impl Platforms {
    /// Reads a comma-separated list; blanks are skipped.
    pub fn from_list(list: &str) -> Self {
        Self(
            list.split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    pub(super) fn check(&self, raw: &str) -> Result<String, Rule> {
        let name = raw.trim();
        if self.0.iter().any(|known| known == name) {
            Ok(name.to_owned())
        } else {
            Err(Rule::OneOf(self.0.clone()))
        }
    }
}

/// A handle on a platform, without the leading `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// The longest handle, without the `@`.
    pub const MAX_LENGTH: usize = 64;

    /// Reads a handle: 1 to 64 of `A-Z a-z 0-9 . _ -`, a leading `@` dropped.
    ///
    /// # Errors
    /// [`Rule::MinLength`], [`Rule::MaxLength`] or [`Rule::Alphabet`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let name = raw.trim();
        let name = name.strip_prefix('@').unwrap_or(name);
        check_length(name, 1..=Self::MAX_LENGTH)?;
        if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Rule::Alphabet("A-Z a-z 0-9 . _ -"))
        }
    }

    /// The handle.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Comma-separated keywords: 1 to 50 of 1 to 64 characters each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keywords(String);

impl Keywords {
    /// The most keywords of one seat.
    pub const MAX_COUNT: usize = 50;
    /// The longest keyword, in Unicode scalar values.
    pub const MAX_LENGTH: usize = 64;

    /// Reads a list, trimming each keyword.
    ///
    /// # Errors
    /// [`Rule::Count`], [`Rule::KeywordLength`] or [`Rule::ForbiddenCharacter`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let parts: Vec<&str> = raw.split(',').collect();
        if parts.len() > Self::MAX_COUNT || raw.trim().is_empty() {
            return Err(Rule::Count { min: 1, max: Self::MAX_COUNT });
        }
        let keywords = parts
            .into_iter()
            .map(|part| {
                Text::line(part, 1..=Self::MAX_LENGTH).map_err(|rule| match rule {
                    Rule::MinLength(_) | Rule::MaxLength(_) => {
                        Rule::KeywordLength(Self::MAX_LENGTH)
                    }
                    other => other,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let keywords: Vec<&str> = keywords.iter().map(Text::as_str).collect();
        Ok(Self(keywords.join(",")))
    }

    /// The keywords, separated by single commas.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An age range such as `18-24`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeRange(String);

impl AgeRange {
    /// The highest age, in years.
    pub const MAX_AGE: u8 = 120;

    /// Reads two ages in years, at most 120, the first not above the second.
    ///
    /// # Errors
    /// [`Rule::AgeRange`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let age = |text: &str| -> Option<u8> {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        };
        let (low, high) = raw.trim().split_once('-').ok_or(Rule::AgeRange)?;
        match (age(low), age(high)) {
            (Some(from), Some(to)) if from <= to && to <= Self::MAX_AGE => {
                Ok(Self(format!("{from}-{to}")))
            }
            _ => Err(Rule::AgeRange),
        }
    }

    /// The range as callers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The sex of the persona that an account shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `male`
    Male,
    /// `female`
    Female,
    /// `other`
    Other,
}

impl Sex {
    /// Every value.
    pub const ALL: [Sex; 3] = [Sex::Male, Sex::Female, Sex::Other];

    /// The value as callers and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Other => "other",
        }
    }
}

impl FromStr for Sex {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        one_of(text, Sex::ALL, Sex::as_str)
    }
}

/// The value of `all` that is written like `text`.
pub(super) fn one_of<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, Rule> {
    let text = text.trim();
    all.into_iter()
        .find(|&value| name(value) == text)
        .ok_or_else(|| Rule::OneOf(all.map(|value| name(value).to_owned()).to_vec()))
}

/// The fields of one seat as a caller sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are the published API's; CONTRACT section 1 describes them.
pub struct SeatInput {
    pub tier: Given<String>,
    pub platform: Given<String>,
    pub username: Given<String>,
    pub pfp_url: Given<String>,
    pub keywords: Given<String>,
    pub nick_name: Given<String>,
    pub age_range: Given<String>,
    pub sex: Given<String>,
    pub location: Given<String>,
    pub description: Given<String>,
    pub tag: Given<String>,
    pub org_group: Given<String>,
}

impl SeatInput {
    /// Which account on which platform the seat is for, if both are given and valid. Handles
    /// are one account whatever their case, on both platforms.
    pub(super) fn account(&self, platforms: &Platforms) -> Option<(String, String)> {
        let (Given::Value(platform), Given::Value(username)) = (&self.platform, &self.username)
        else {
            return None;
        };
        let platform = platforms.check(platform).ok()?;
        let username = Username::parse(username).ok()?;
        Some((platform, username.as_str().to_ascii_lowercase()))
    }
}

/// What setup needs to know: all four or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// One of the configured platforms.
    pub platform: String,
    /// The handle on it.
    pub username: Username,
    /// The profile picture.
    pub pfp_url: WebUrl,
    /// What the account is about.
    pub keywords: Keywords,
}

/// The optional description of a seat's persona and its place in the organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Display name, at most [`Profile::MAX_NICK_NAME`] characters.
    pub nick_name: Option<Text>,
    /// Age range of the persona.
    pub age_range: Option<AgeRange>,
    /// Sex of the persona.
    pub sex: Option<Sex>,
    /// Location, at most [`Profile::MAX_LOCATION`] characters.
    pub location: Option<Text>,
    /// Interests, at most [`Profile::MAX_DESCRIPTION`] characters; the only field that may hold
    /// newlines.
    pub description: Option<Text>,
    /// Tag, at most [`Profile::MAX_TAG`] characters.
    pub tag: Option<Text>,
    /// Group within the organization, at most [`Profile::MAX_ORG_GROUP`] characters.
    pub org_group: Option<Text>,
}

/// The longest texts, in Unicode scalar values after trimming.
impl Profile {
    /// Of the display name.
    pub const MAX_NICK_NAME: usize = 64;
    /// Of the location.
    pub const MAX_LOCATION: usize = 128;
    /// Of the interests.
    pub const MAX_DESCRIPTION: usize = 1_000;
    /// Of the tag.
    pub const MAX_TAG: usize = 64;
    /// Of the group.
    pub const MAX_ORG_GROUP: usize = 64;
}

/// A valid wish for a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSeat {
    /// The tier to bill.
    pub tier: Tier,
    /// The detail group.
    pub details: Option<Details>,
    /// Everything optional.
    pub profile: Profile,
}

impl NewSeat {
    /// Checks every field of the seat at position `index`, adding what is wrong to `faults`.
    /// `None` when anything was.
    pub fn parse(
        index: usize,
        input: SeatInput,
        platforms: &Platforms,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let before = faults.len();
        let mut form = Form::of_seat(index, faults);
        let line = |max| move |raw: String| Text::line(&raw, 1..=max);

        let tier = form.required("tier", input.tier, |raw| raw.parse());
        require_whole_group(
            &mut form,
            [
                ("platform", input.platform.is_present()),
                ("username", input.username.is_present()),
                ("pfp_url", input.pfp_url.is_present()),
                ("keywords", input.keywords.is_present()),
            ],
        );
        let platform = form.optional("platform", input.platform, |raw| platforms.check(&raw));
        let username = form.optional("username", input.username, |raw| Username::parse(&raw));
        let pfp_url = form.optional("pfp_url", input.pfp_url, |raw| WebUrl::parse(&raw));
        let keywords = form.optional("keywords", input.keywords, |raw| Keywords::parse(&raw));
        let profile = Profile {
            nick_name: form.optional("nick_name", input.nick_name, line(Profile::MAX_NICK_NAME)),
            age_range: form.optional("age_range", input.age_range, |raw| AgeRange::parse(&raw)),
            sex: form.optional("sex", input.sex, |raw| raw.parse()),
            location: form.optional("location", input.location, line(Profile::MAX_LOCATION)),
            description: form.optional("description", input.description, |raw| {
                Text::lines(&raw, 1..=Profile::MAX_DESCRIPTION)
            }),
            tag: form.optional("tag", input.tag, line(Profile::MAX_TAG)),
            org_group: form.optional("org_group", input.org_group, line(Profile::MAX_ORG_GROUP)),
        };

        if faults.len() > before {
            return None;
        }
        Some(Self {
            tier: tier?,
            details: match (platform, username, pfp_url, keywords) {
                (Some(platform), Some(username), Some(pfp_url), Some(keywords)) => {
                    Some(Details { platform, username, pfp_url, keywords })
                }
                _ => None,
            },
            profile,
        })
    }
}

/// Records each missing field of a group of which some but not all fields are present.
fn require_whole_group(form: &mut Form<'_>, group: [(&'static str, bool); 4]) {
    if group.iter().any(|(_, present)| *present) {
        for (field, _) in group.into_iter().filter(|(_, present)| !present) {
            form.fault(field, Rule::RequiredInGroup);
        }
    }
}

/// A seat as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its id, ascending in the order of the request.
    pub id: SeatId,
    /// What the caller asked for.
    pub new: NewSeat,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Seat {
    /// `pending` with the detail group, `uninitialized` without.
    pub fn status(&self) -> SeatStatus {
        match self.new.details {
            Some(_) => SeatStatus::Pending,
            None => SeatStatus::Uninitialized,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given<String> {
        Given::Value(text.to_owned())
    }

    fn platforms() -> Platforms {
        Platforms::from_list("tiktok, instagram")
    }

    fn faults_of(input: SeatInput) -> Vec<(String, Rule)> {
        let mut faults = Vec::new();
        let seat = NewSeat::parse(0, input, &platforms(), &mut faults);
        assert_eq!(seat.is_none(), !faults.is_empty());
        faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect()
    }

    #[test]
    fn each_incomplete_combination_names_exactly_the_missing_fields() {
        for present in 1_u8..15 {
            let pick = |bit: u8, text: &str| {
                if present & (1 << bit) == 0 { Given::Absent } else { given(text) }
            };
            let faults = faults_of(SeatInput {
                tier: given("basic"),
                platform: pick(0, "tiktok"),
                username: pick(1, "creator"),
                pfp_url: pick(2, "https://example.com/a.jpg"),
                keywords: pick(3, "a,b"),
                ..SeatInput::default()
            });
            let missing: Vec<_> = ["platform", "username", "pfp_url", "keywords"]
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| present & (1 << bit) == 0)
                .map(|(_, field)| (field.to_owned(), Rule::RequiredInGroup))
                .collect();
            assert_eq!(faults, missing, "combination {present:04b}");
        }
    }

    #[test]
    fn all_faults_of_a_seat_come_back_at_once() {
        let faults = faults_of(SeatInput {
            tier: given("gold"),
            platform: given("myspace"),
            username: given("no spaces"),
            pfp_url: given("ftp://example.com"),
            keywords: given("a,,b"),
            age_range: given("24-18"),
            sex: Given::Wrong(crate::fault::Kind::String),
            ..SeatInput::default()
        });
        let fields: Vec<_> = faults.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            ["tier", "platform", "username", "pfp_url", "keywords", "age_range", "sex"]
        );
    }

    #[test]
    fn usernames() {
        for (raw, kept) in [("@new.creator", "new.creator"), (" a_b-c9 ", "a_b-c9")] {
            assert_eq!(
                Username::parse(raw).map(|name| name.as_str().to_owned()),
                Ok(kept.to_owned())
            );
        }
        assert_eq!(Username::parse("@"), Err(Rule::MinLength(1)));
        assert_eq!(Username::parse(&"a".repeat(65)), Err(Rule::MaxLength(64)));
        for bad in ["@@a", "a b", "é", "a/b"] {
            assert!(matches!(Username::parse(bad), Err(Rule::Alphabet(_))), "{bad}");
        }
    }

    #[test]
    fn keywords_are_trimmed_and_counted() {
        assert_eq!(
            Keywords::parse(" fitness , health,workout").map(|k| k.as_str().to_owned()),
            Ok("fitness,health,workout".to_owned())
        );
        assert!(Keywords::parse(&["k"; 50].join(",")).is_ok());
        assert_eq!(Keywords::parse(&["k"; 51].join(",")), Err(Rule::Count { min: 1, max: 50 }));
        assert_eq!(Keywords::parse("  "), Err(Rule::Count { min: 1, max: 50 }));
        assert_eq!(Keywords::parse("a,"), Err(Rule::KeywordLength(64)));
        assert_eq!(Keywords::parse(&"k".repeat(65)), Err(Rule::KeywordLength(64)));
    }

    #[test]
    fn age_ranges() {
        for good in ["18-24", "0-120", "30-30"] {
            assert!(AgeRange::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "18", "18-", "-24", "24-18", "18-121", "+18-24", "18–24", "18-24-30", "a-b"]
        {
            assert_eq!(AgeRange::parse(bad), Err(Rule::AgeRange), "{bad}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for tier in Tier::ALL {
            assert_eq!(format!(" {} ", tier.as_str()).parse(), Ok(tier));
        }
        for (status, text) in
            [(SeatStatus::Uninitialized, "uninitialized"), (SeatStatus::Pending, "pending")]
        {
            assert_eq!((status.as_str(), text.parse()), (text, Ok(status)));
        }
        for (sex, text) in [(Sex::Male, "male"), (Sex::Female, "female"), (Sex::Other, "other")] {
            assert_eq!((sex.as_str(), text.parse()), (text, Ok(sex)));
        }
        let known = Rule::OneOf(vec!["basic".to_owned(), "premium".to_owned()]);
        assert_eq!("BASIC".parse::<Tier>(), Err(known));
        assert_eq!(AgeRange::parse(" 018-24 ").map(|range| range.0), Ok("18-24".to_owned()));
    }

    #[test]
    fn a_seat_holds_every_field_as_it_is_kept() {
        let mut faults = Vec::new();
        let input = SeatInput {
            tier: given("premium"),
            platform: given(" tiktok "),
            username: given("@New.Creator"),
            pfp_url: given("https://example.com/a.jpg"),
            keywords: given("a, b"),
            nick_name: given(" N "),
            age_range: given("18-24"),
            sex: given("other"),
            location: given("L"),
            description: given("one\n\ttwo"),
            tag: given("T"),
            org_group: given("G"),
        };
        let account = Some(("tiktok".to_owned(), "new.creator".to_owned()));
        assert_eq!(input.account(&platforms()), account);
        let new = NewSeat::parse(0, input, &platforms(), &mut faults).expect("valid");
        let details = new.details.as_ref().expect("the group");
        assert_eq!(
            (details.platform.as_str(), details.username.as_str()),
            ("tiktok", "New.Creator")
        );
        assert_eq!(details.pfp_url.as_str(), "https://example.com/a.jpg");
        assert_eq!(details.keywords.as_str(), "a,b");
        let profile = &new.profile;
        let texts = [&profile.nick_name, &profile.location, &profile.description];
        let texts = texts.map(|text| text.as_ref().expect("given").as_str());
        assert_eq!(texts, ["N", "L", "one\n\ttwo"]);
        let texts = [&profile.tag, &profile.org_group];
        assert_eq!(texts.map(|text| text.as_ref().expect("given").as_str()), ["T", "G"]);
        assert_eq!(profile.age_range.as_ref().map(AgeRange::as_str), Some("18-24"));
        assert_eq!(profile.sex, Some(Sex::Other));
    }

    #[test]
    fn every_text_has_its_own_length() {
        let field = |name: &'static str, length: usize| {
            let text = given(&"x".repeat(length));
            let mut input = SeatInput { tier: given("basic"), ..SeatInput::default() };
            match name {
                "nick_name" => input.nick_name = text,
                "location" => input.location = text,
                "description" => input.description = text,
                "tag" => input.tag = text,
                _ => input.org_group = text,
            }
            faults_of(input)
        };
        for (name, max) in [
            ("nick_name", 64),
            ("location", 128),
            ("description", 1_000),
            ("tag", 64),
            ("org_group", 64),
        ] {
            assert_eq!(field(name, 1), []);
            assert_eq!(field(name, max), []);
            assert_eq!(field(name, max + 1), [(name.to_owned(), Rule::MaxLength(max))]);
            assert_eq!(field(name, 0), [(name.to_owned(), Rule::MinLength(1))]);
        }
    }
}
