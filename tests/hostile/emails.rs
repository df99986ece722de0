//! E-mail addresses that look like another, or are another in disguise.

use headcount_tests::Call;
use serde_json::json;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::{Tenants, sign_up};

fn with(email: &str) -> Call {
    sign_up(&json!({ "email": email }))
}

pub(crate) fn rows(_: &Tenants) -> Vec<Row> {
    let mut rows = collisions();
    rows.extend(confusables());
    rows.extend(no_addresses());
    rows
}

/// Spellings of an address that is taken.
fn collisions() -> Vec<Row> {
    let taken = |name, email| refused(name, To::Identity, with(email), 409, "email_exists");
    vec![
        taken("another case", "OWNER@EXAMPLE.COM").after(To::Identity, with("owner@example.com")),
        taken("a domain in full width", "owner@ｅｘａｍｐｌｅ．ｃｏｍ"),
        taken("an ideographic full stop", "owner@example。com"),
        taken("a domain in mathematical letters", "owner@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.com"),
        taken("a soft hyphen in the domain", "owner@exam\u{ad}ple.com"),
        taken("spaces around", "\u{2003} owner@example.com\u{a0}"),
        taken("the Kelvin sign in the domain", "o@\u{212a}elvin.example")
            .after(To::Identity, with("o@kelvin.example")),
        taken("a decomposed domain", "o@bu\u{308}cher.example")
            .after(To::Identity, with("o@bücher.example")),
        taken("the A-label of a domain", "o@xn--bcher-kva.example"),
        taken("the A-label in upper case", "o@XN--BCHER-KVA.example"),
    ]
}

/// Addresses that look like another and are their own: kept under what they are.
fn confusables() -> Vec<Row> {
    let own = |name, email, key: &str| {
        accepted(name, To::Identity, with(email)).keeps("EMAIL#", "pk", format!("EMAIL#{key}"))
    };
    vec![
        own(
            "a Cyrillic letter in the domain",
            "owner@ex\u{430}mple.com",
            "owner@xn--exmple-4nf.com",
        ),
        own("sharp s, which is not ss", "o@straße.example", "o@xn--strae-oqa.example"),
        own(
            "dots and a tag in the local part",
            "o.w.n.e.r+x@example.com",
            "o.w.n.e.r+x@example.com",
        ),
        // Normalisation makes it the letter before anything looks at it.
        own("the Kelvin sign in the local part", "\u{212a}elvin@example.com", "kelvin@example.com"),
        own(
            "signs that are allowed",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ),
    ]
}

fn no_addresses() -> Vec<Row> {
    let none = |name, email: &str| {
        refused(name, To::Identity, with(email), 400, "invalid_request email:email")
    };
    let long = |name, email: String| {
        refused(name, To::Identity, with(&email), 400, "invalid_request email:max_length")
    };
    vec![
        none("a Cyrillic letter in the local part", "\u{43e}wner@example.com"),
        none("full width in the local part", "ｏwner@example.com"),
        none("a header behind the address", "owner@example.com\r\nBcc: all@example.com"),
        none("NUL behind the address", "owner@example.com\0.evil.example"),
        none("two addresses", "owner@example.com,other@example.com"),
        none("two at signs", "owner@evil.example@example.com"),
        none("a quoted local part", "\"owner two\"@example.com"),
        none("a comment", "owner(comment)@example.com"),
        none("a name and brackets", "Owner <owner@example.com>"),
        none("an address literal", "owner@[127.0.0.1]"),
        none("an IPv4 address", "owner@127.0.0.1"),
        none("an IPv4 address in full width", "owner@１２７.0.0.1"),
        none("one label", "owner@localhost"),
        none("a trailing dot", "owner@example.com."),
        none("two dots", "owner@example..com"),
        none("a dot before the at sign", "owner.@example.com"),
        none("an A-label that is none", "owner@xn--a.example"),
        none("a label that begins with a hyphen", "owner@-example.com"),
        none("an underscore in the domain", "owner@ex_ample.com"),
        none("a joiner in the domain", "owner@exam\u{200d}ple.com"),
        none("a zero-width space", "owner\u{200b}@example.com"),
        none("read backwards", "owner@\u{202e}moc.elpmaxe"),
        none("scripts of both directions", "owner@aא1.example"),
        none("a label of 64 characters", &format!("owner@{}.example", "a".repeat(64))),
        none("a local part of 65 characters", &format!("{}@example.com", "a".repeat(65))),
        long("255 characters", format!("{}@{}.example", "a".repeat(64), "b".repeat(182))),
        long(
            "a domain that grows in ASCII",
            format!("{}@{}.example", "a".repeat(64), vec!["ü".repeat(55); 3].join(".")),
        ),
        long("a quarter of a million at signs", "@".repeat(250_000)),
    ]
}
