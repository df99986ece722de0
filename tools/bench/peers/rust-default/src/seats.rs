//! What a seat may be (the rules of the Seats API).

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};
use validator::{Validate, ValidationError};

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateSeats {
    #[validate(length(min = 1, max = 1_000), nested)]
    accounts: Vec<NewSeat>,
    #[serde(rename = "quote_id")]
    _quote_id: Option<String>,
}

#[derive(Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "whole_group"))]
pub struct NewSeat {
    #[validate(custom(function = "check_tier"))]
    pub tier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "check_platform"))]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "check_username"))]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 2_048), custom(function = "web_url"))]
    pub pfp_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "check_keywords"))]
    pub keywords: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64), custom(function = "harmless"))]
    pub nick_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "check_age_range"))]
    pub age_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "check_sex"))]
    pub sex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 128), custom(function = "harmless"))]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 1_000), custom(function = "harmless_lines"))]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64), custom(function = "harmless"))]
    pub tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64), custom(function = "harmless"))]
    pub org_group: Option<String>,
}

impl CreateSeats {
    /// The seats with their texts normalised, and the places of those that come twice.
    pub fn tidy(self) -> (Vec<NewSeat>, Vec<usize>) {
        let mut seats = self.accounts;
        let mut seen = HashSet::new();
        let mut twice = Vec::new();
        for (index, seat) in seats.iter_mut().enumerate() {
            seat.tidy();
            if let (Some(platform), Some(username)) = (&seat.platform, &seat.username)
                && !seen.insert((platform.clone(), username.to_lowercase()))
            {
                twice.push(index);
            }
        }
        (seats, twice)
    }
}

impl NewSeat {
    fn tidy(&mut self) {
        self.tier = self.tier.trim().to_owned();
        for text in [
            &mut self.platform,
            &mut self.pfp_url,
            &mut self.nick_name,
            &mut self.age_range,
            &mut self.sex,
            &mut self.location,
            &mut self.description,
            &mut self.tag,
            &mut self.org_group,
        ]
        .into_iter()
        .flatten()
        {
            *text = text.trim().nfc().collect();
        }
        if let Some(username) = &mut self.username {
            let name = username.trim();
            *username = name.strip_prefix('@').unwrap_or(name).to_owned();
        }
        if let Some(keywords) = &mut self.keywords {
            let parts: Vec<String> =
                keywords.split(',').map(|part| part.trim().nfc().collect()).collect();
            *keywords = parts.join(",");
        }
    }
}

fn when(holds: bool, code: &'static str) -> Result<(), ValidationError> {
    if holds { Ok(()) } else { Err(ValidationError::new(code)) }
}

fn one_of(text: &str, names: &[&str]) -> Result<(), ValidationError> {
    when(names.contains(&text.trim()), "one_of")
}

fn check_tier(text: &str) -> Result<(), ValidationError> {
    one_of(text, &["basic", "premium"])
}

fn check_sex(text: &str) -> Result<(), ValidationError> {
    one_of(text, &["male", "female", "other"])
}

fn check_platform(text: &str) -> Result<(), ValidationError> {
    let known = std::env::var("PLATFORMS").unwrap_or_default();
    when(known.split(',').any(|name| name == text.trim()), "one_of")
}

fn check_username(text: &str) -> Result<(), ValidationError> {
    let name = text.trim();
    let name = name.strip_prefix('@').unwrap_or(name);
    let right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    when((1..=64).contains(&name.len()) && name.chars().all(right), "username")
}

fn check_keywords(text: &str) -> Result<(), ValidationError> {
    when(text.split(',').count() <= 50, "count")?;
    for part in text.split(',').map(str::trim) {
        harmless(part)?;
        when((1..=64).contains(&part.chars().count()), "length")?;
    }
    Ok(())
}

fn check_age_range(text: &str) -> Result<(), ValidationError> {
    let ages = text
        .trim()
        .split_once('-')
        .and_then(|(low, high)| Some((low.parse::<u8>().ok()?, high.parse::<u8>().ok()?)));
    when(ages.is_some_and(|(low, high)| low <= high && high <= 120), "age_range")
}

fn web_url(text: &str) -> Result<(), ValidationError> {
    harmless(text)?;
    let url = Url::parse(text.trim()).map_err(|_| ValidationError::new("url"))?;
    let private = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        Some(Host::Domain(_)) => false,
        None => true,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    when(matches!(url.scheme(), "http" | "https") && plain && !private, "url")
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{E0000}'..='\u{E007F}' | '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

fn harmless(text: &str) -> Result<(), ValidationError> {
    when(!text.trim().chars().any(is_forbidden), "forbidden_character")
}

fn harmless_lines(text: &str) -> Result<(), ValidationError> {
    let text: Cow<str> = text.replace(['\n', '\t'], "").into();
    harmless(&text)
}

fn whole_group(seat: &NewSeat) -> Result<(), ValidationError> {
    let group = [&seat.platform, &seat.username, &seat.pfp_url, &seat.keywords];
    let present = group.iter().filter(|field| field.is_some()).count();
    when(present == 0 || present == group.len(), "missing_detail_fields")
}
