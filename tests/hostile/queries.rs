//! Queries that are none of a list, and cursors that are none.

use headcount_tests::Call;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let call = || Call::empty().bearer(&t.key);
    let bad = |name, parameter: &str, value: &str, fault: &str| {
        let says = format!("invalid_request {parameter}:{fault}");
        refused(name, To::History, call().query(parameter, value), 400, says)
    };
    let long = "9".repeat(10_000);
    vec![
        accepted("no query", To::History, call()),
        accepted("zeros in front", To::History, call().query("limit", "0001")),
        accepted("a body on a list", To::History, Call::text("\0{").bearer(&t.key)),
        bad("nothing for a limit", "limit", "", "range"),
        bad("no entries", "limit", "0", "range"),
        bad("fewer than none", "limit", "-1", "range"),
        bad("one too many", "limit", "1001", "range"),
        bad("more than any number", "limit", &long, "range"),
        bad("digits of another script", "limit", "\u{0661}", "range"),
        bad("an operator of the table", "limit", "1 OR 1=1", "range"),
        bad("nothing for a cursor", "cursor", "", "cursor"),
        bad(
            "a key of the table for a cursor",
            "cursor",
            "TOLD#00000000000000000001#told",
            "cursor",
        ),
        bad("a cursor without signature", "cursor", "cursor_544f4c4423_", "cursor"),
        bad(
            "a cursor with one that is made up",
            "cursor",
            &format!("cursor_00_{}", "0".repeat(64)),
            "cursor",
        ),
        bad("a cursor without end", "cursor", &format!("cursor_{long}_{long}"), "cursor"),
        bad("letters that are no bytes", "cursor", "cursor_\u{e9}\u{e9}_\u{1F600}", "cursor"),
        bad("half a byte", "cursor", &format!("cursor_0_{}", "0".repeat(64)), "cursor"),
        bad("another tenant by name", "org", "org_01kgjb9z8rd3m0acme00000000", "unknown_field"),
        bad("a member of every object", "__proto__", "x", "unknown_field"),
    ]
}
