//! Paths that nearly name an account of the caller's agency, and tokens that nearly allow it.

use headcount_tests::Call;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

/// What a refusal says of an object.
fn forbidden(permissions: &str, object: &str) -> String {
    format!(
        "Unauthorized. Requires {permissions} permission to perform this action on object [[{object}]]"
    )
}

const UPDATE: &str = "account.update or agency.updateDeleteAllAgencyAccounts";
const DELETE: &str = "account.delete or agency.updateDeleteAllAgencyAccounts";
const VIEW: &str = "account.view or agency.updateDeleteAllAgencyAccounts";

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let get = |object: &str| t.managing(Call::empty(), &format!("/api/v3/accounts/{object}"));
    let unknown =
        |name, object: &str| refused(name, To::Account, get(object), 403, forbidden(VIEW, object));
    let unwritten =
        |name, object: &str| refused(name, To::Account, get(object), 403, forbidden(VIEW, ""));
    let list = |query: &[(&str, &str)]| {
        let call = t.managing(Call::empty(), "/api/v3/accounts");
        query.iter().fold(call, |call, (name, value)| call.query(name, value))
    };
    let bad_page = |name, query: &[(&str, &str)], field: &str, max: usize| {
        let says = format!("The {field} field must be between 1 and {max}.");
        refused(name, To::Accounts, list(query), 422, says)
    };
    let of_agency =
        |object: &str| t.managing(Call::empty(), &format!("/api/v3/agencies/{object}/accounts"));
    let put = |object: &str, body: &str| {
        t.managing(Call::text(body), &format!("/api/v3/accounts/{object}"))
    };
    let bad_change = |name, body: &str, says: &str| {
        refused(name, To::Change, put(&t.agency.plain, body), 422, says)
    };
    let delete = |object: &str| t.managing(Call::empty(), &format!("/api/v3/objects/{object}"));
    let gone = |name, object: &str, told: &str| {
        refused(name, To::Delete, delete(object), 403, forbidden(DELETE, told))
    };
    let (own, other) = (&t.agency.plain, &t.other_agency.plain);
    vec![
        accepted("an account", To::Account, get(own)),
        accepted("an account behind a stage", To::Account, {
            t.managing(Call::empty(), &format!("/prod/api/v3/accounts/{own}"))
        }),
        accepted("a body where none is asked for", To::Account, {
            t.managing(Call::text("{\"name\":"), &format!("/api/v3/accounts/{own}"))
        }),
        unknown("another agency's account", other),
        unknown("nobody's account", "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef"),
        unknown("the agency as an account", &t.agency.lcuid),
        unknown("the app as an account", &t.agency.app),
        unknown("an account without dashes", &own.replace('-', "")),
        unknown("two accounts", &format!("{own}.{other}")),
        unknown("a folder above", ".."),
        unknown("a very long name", &"a".repeat(6_000)),
        unwritten("an account with an encoded letter", &own.replace("LCUID", "%4CCUID")),
        unwritten("another agency behind an encoded slash", &format!("..%2F..%2F{other}")),
        unwritten("an end of text in the path", &format!("{own}%00")),
        unwritten("a key of the table in the path", &format!("ACCOUNT#{own}")),
        unwritten(
            "two keys of the table in the path",
            &format!("AGENCY#{}|ACCOUNT#{own}", t.agency.lcuid),
        ),
        unwritten("a wildcard in the path", "*"),
        unwritten("a query in the path", &format!("{own}?agency={}", t.other_agency.lcuid)),
        unwritten("an overriding character in the path", &format!("{own}\u{202E}")),
        unwritten("a line end in the path", &format!("{own}\r\nx: y")),
        unwritten("a script in the path", "<script>alert(1)</script>"),
        unwritten("no account", ""),
        refused(
            "a path of another route",
            To::Account,
            t.managing(Call::empty(), &format!("/api/v3/agencies/{own}")),
            403,
            forbidden(VIEW, ""),
        ),
        refused(
            "another agency's account by its own app's id and the agency's token",
            To::Account,
            get(other).header("appidv3", &t.other_agency.app),
            403,
            "Unauthorized. The token does not belong to the app that the AppIdV3 header names.",
        ),
        refused(
            "an account for a token that only creates",
            To::Account,
            get(own).bearer(&t.agency.token),
            403,
            forbidden(VIEW, own),
        ),
        refused(
            "an account for an administrator",
            To::Account,
            get(own).bearer(&t.administrator),
            401,
            "Unauthenticated.",
        ),
        accepted("a page far behind the last", To::Accounts, list(&[("page", "1000000")])),
        accepted(
            "a parameter that nobody knows",
            To::Accounts,
            list(&[("agency_lcuid", &t.other_agency.lcuid)]),
        ),
        accepted("blank parameters", To::Accounts, list(&[("page", ""), ("per_page", "")])),
        bad_page("a page of nothing", &[("per_page", "0")], "per page", 100),
        bad_page("a page of too much", &[("per_page", "101")], "per page", 100),
        bad_page("a page before the first", &[("page", "-1")], "page", 1_000_000),
        bad_page("a page of half", &[("page", "1.5")], "page", 1_000_000),
        bad_page("a page in Arabic digits", &[("page", "%D9%A1")], "page", 1_000_000),
        bad_page("a page twice", &[("page", "1"), ("page", "1")], "page", 1_000_000),
        bad_page("a page beyond numbers", &[("page", "18446744073709551617")], "page", 1_000_000),
        bad_page("an end of text for a page", &[("page", "1%00")], "page", 1_000_000),
        bad_page("a page with a line end", &[("page", "1%0D%0Ax:%20y")], "page", 1_000_000),
        refused(
            "the accounts of another agency",
            To::AccountsOfAgency,
            of_agency(&t.other_agency.lcuid),
            403,
            forbidden("agency.viewAccounts", &t.other_agency.lcuid),
        ),
        refused(
            "the accounts of an account",
            To::AccountsOfAgency,
            of_agency(own),
            403,
            forbidden("agency.viewAccounts", own),
        ),
        refused(
            "the accounts of an encoded agency",
            To::AccountsOfAgency,
            of_agency(&t.agency.lcuid.replace("LCUID", "%4CCUID")),
            403,
            forbidden("agency.viewAccounts", ""),
        ),
        accepted("a change that clears", To::Change, put(own, r#"{"name":"A","website":null}"#))
            .keeps("AGENCY#", "name", "A"),
        accepted("a name of DynamoDB's own", To::Change, put(own, r##"{"name":"#name = :name"}"##))
            .keeps("AGENCY#", "name", "#name = :name"),
        refused(
            "a change of another agency's account",
            To::Change,
            put(other, r#"{"name":"Mine now"}"#),
            403,
            forbidden(UPDATE, other),
        ),
        refused(
            "a change of an account by its key in the table",
            To::Change,
            put(&format!("ACCOUNT#{own}"), r#"{"name":"A"}"#),
            403,
            forbidden(UPDATE, ""),
        ),
        bad_change(
            "a change of the agency",
            r#"{"name":"A","agency_lcuid":"x"}"#,
            "The agency lcuid field is prohibited.",
        ),
        bad_change(
            "a change of the slug",
            r#"{"name":"A","slug":"Admin"}"#,
            "The slug field is prohibited.",
        ),
        bad_change(
            "a change of the lock",
            r#"{"name":"A","version":9}"#,
            "The version field is prohibited.",
        ),
        bad_change(
            "a change that makes a parent",
            r#"{"name":"A","is_parent_account":true}"#,
            "The is parent account field is prohibited.",
        ),
        bad_change(
            "a change without a name",
            r#"{"description":"d"}"#,
            "The name field is required.",
        ),
        bad_change(
            "a change to a private site",
            r#"{"name":"A","website":"http://169.254.169.254/"}"#,
            "The website field must not point to a private network.",
        ),
        bad_change("a change to a list", r#"{"name":["A"]}"#, "The name field must be a string."),
        accepted("whether the account can be deleted", To::CanBeDeleted, {
            t.managing(Call::empty(), &format!("/api/v3/objects/{own}/can-be-deleted"))
        }),
        gone("a deletion of another agency's account", other, other),
        gone("a deletion of the agency", &t.agency.lcuid, &t.agency.lcuid),
        gone("a deletion of the app", &t.agency.app, &t.agency.app),
        gone("a deletion of a slug", "SLUG#Plain", ""),
        gone("a deletion of everything", "*", ""),
        gone("a deletion of an encoded account", &format!("%4C{}", &own[1..]), ""),
        gone("a deletion of nothing", "", ""),
        refused(
            "whether another agency's account can be deleted",
            To::CanBeDeleted,
            t.managing(Call::empty(), &format!("/api/v3/objects/{other}/can-be-deleted")),
            403,
            forbidden(DELETE, other),
        ),
        refused(
            "a deletion of an account with another one below it",
            To::Delete,
            delete(&t.agency.parent),
            422,
            "The account cannot be deleted. The account has sub-accounts.",
        )
        .after(
            To::Agency,
            t.account(&serde_json::json!({"parent_account_lcuid": t.agency.parent})),
        ),
        refused(
            "a deletion of what is deleted",
            To::Delete,
            delete(own),
            403,
            forbidden(DELETE, own),
        )
        .after(To::Delete, delete(own)),
        accepted("the token itself", To::Token, t.managing(Call::empty(), "/api/v3/status")),
        refused(
            "the token of an organization as one of an app",
            To::Token,
            t.managing(Call::empty(), "/api/v3/status").bearer(&t.key),
            401,
            "Unauthenticated.",
        ),
        refused(
            "two apps at once",
            To::Token,
            t.managing(Call::empty(), "/api/v3/status").header_again("appidv3", &t.agency.app),
            400,
            "The AppIdV3 header is required and must be an app id such as LCUID-LAP-00000000-0000-4000-8000-000000000000.",
        ),
    ]
}
