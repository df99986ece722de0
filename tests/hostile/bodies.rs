//! Bodies: JSON that readers read differently, sizes, and fields that are not the caller's to set.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::{Tenants, sign_up};

const INVALID: &str = "invalid_request";

/// A body of an organization that has the tier given in JSON.
fn tier(tenants: &Tenants, tier: &str) -> Call {
    tenants.seats_text(format!("{{\"accounts\":[{{\"tier\":{tier}}}]}}"))
}

/// A seat with one field more, both as JSON.
fn seat_and(tenants: &Tenants, more: &str) -> Call {
    tenants.seats_text(format!("{{\"accounts\":[{{\"tier\":\"basic\",{more}}}]}}"))
}

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let mut rows = syntax(t);
    rows.extend(encodings(t));
    rows.extend(sizes(t));
    rows.extend(assignments(t));
    rows.extend(names(t));
    rows
}

fn syntax(t: &Tenants) -> Vec<Row> {
    let malformed = |name, call| refused(name, To::Seats, call, 400, INVALID);
    let typed =
        |name, json| refused(name, To::Seats, tier(t, json), 400, "invalid_request tier:type");
    let fields = r#"{"accounts":[{"tier":"basic"}]}"#;
    vec![
        malformed("one key twice, once escaped", seat_and(t, r#""t\u0069er":"premium""#)),
        malformed(
            "one key twice at the top",
            t.seats_text(r#"{"accounts":[],"accounts":[{"tier":"basic"}]}"#),
        ),
        malformed("two documents", t.seats_text(format!("{fields}{fields}"))),
        malformed("a comment behind", t.seats_text(format!("{fields} // basic"))),
        malformed("NUL behind", t.seats_text(format!("{fields}\0"))),
        malformed("a number without end", tier(t, "1e999")),
        malformed("minus infinity", tier(t, "-Infinity")),
        malformed("a hexadecimal number", tier(t, "0x1F")),
        malformed("a lone surrogate", tier(t, r#""\ud83d""#)),
        malformed("a surrogate pair the wrong way round", tier(t, r#""\ude80\ud83d""#)),
        malformed("a raw newline in text", tier(t, "\"basic\n\"")),
        malformed("a key without quotes", t.seats_text("{accounts:[]}")),
        malformed("text for the object", t.seats_text(format!("{fields:?}"))),
        malformed("a list for the object", t.seats_text(format!("[{fields}]"))),
        typed("a huge integer", "99999999999999999999999999999999999999"),
        typed("true", "true"),
        typed("a list for a text", r#"["basic"]"#),
        typed("an object for a text", r#"{"$ne":""}"#),
        refused(
            "null for a required text",
            To::Seats,
            tier(t, "null"),
            400,
            "invalid_request tier:required",
        ),
        refused(
            "the right text in another case",
            To::Seats,
            tier(t, "\"Basic\""),
            400,
            "invalid_request tier:one_of",
        ),
        refused(
            "the right text with a joiner inside",
            To::Seats,
            tier(t, "\"ba\u{200D}sic\""),
            400,
            "invalid_request tier:one_of",
        ),
        refused(
            "the right text in full width",
            To::Seats,
            tier(t, "\"ｂａｓｉｃ\""),
            400,
            "invalid_request tier:one_of",
        ),
        refused(
            "NUL in text, escaped",
            To::Seats,
            seat_and(t, r#""tag":"a\u0000b""#),
            400,
            "invalid_request tag:forbidden_character",
        ),
        accepted("every letter escaped", To::Seats, tier(t, r#""\u0062\u0061\u0073\u0069\u0063""#)),
    ]
}

fn encodings(t: &Tenants) -> Vec<Row> {
    let malformed = |name, call: Call| refused(name, To::Seats, call.bearer(&t.key), 400, INVALID);
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base64 = "eyJhY2NvdW50cyI6W3sidGllciI6ImJhc2ljIn1dfQ";
    vec![
        malformed("UTF-16", Call::bytes(&utf16)),
        malformed("a byte order mark", Call::bytes("\u{FEFF}{\"accounts\":[]}".as_bytes())),
        malformed("overlong UTF-8", Call::bytes(b"{\"accounts\":[{\"tier\":\"\xc1\xa2asic\"}]}")),
        malformed("a surrogate in UTF-8", Call::bytes(b"{\"tag\":\"\xed\xa0\xbd\"}")),
        malformed(
            "bytes that the gateway replaced",
            Call::text("{\"accounts\":[{\"tier\":\"\u{FFFD}\"}]}"),
        ),
        malformed("text that says it is base64", Call::raw_base64("{\"accounts\":[]}")),
        malformed("base64 without padding", Call::raw_base64(base64)),
        malformed(
            "base64 in lines",
            Call::raw_base64(&format!("{}\r\n{}==", &base64[..20], &base64[20..])),
        ),
        malformed("base64 of the other alphabet", Call::raw_base64("eyJhIjoi77-9In0=")),
        malformed("base64 that does not say so", Call::text(format!("{base64}=="))),
        malformed(
            "a chunk of a chunked body",
            Call::text("1f\r\n{\"accounts\":[{\"tier\":\"basic\"}]}\r\n0\r\n\r\n"),
        ),
        malformed("gzip", Call::bytes(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])),
    ]
}

fn sizes(t: &Tenants) -> Vec<Row> {
    let nested = |open: &str, close: &str, depth: usize| {
        let body = format!("{{\"accounts\":{}{}}}", open.repeat(depth), close.repeat(depth));
        t.seats_text(body)
    };
    let many: Vec<_> = (0..10_000).map(|n| format!("\"f{n}\":1")).collect();
    let ninety: Vec<_> = (0..90_000).map(|n| format!("\"f{n}\":1")).collect();
    let longest: Value = (0..90)
        .map(|n| {
            json!({
                "tier": "premium", "platform": "tiktok", "username": format!("{n:064}"), "age_range": "100-120",
                "pfp_url": format!("https://example.com/{}", "a".repeat(2_028)), "sex": "female",
                "keywords": vec!["🚀".repeat(64); 50].join(","), "nick_name": "🚀".repeat(64),
                "location": "🚀".repeat(128), "description": "🚀".repeat(1_000), "tag": "🚀".repeat(64),
                "org_group": "🚀".repeat(64),
            })
        })
        .collect();
    let counted = "invalid_request accounts:count";
    vec![
        refused("a hundred thousand lists", To::Seats, nested("[", "]", 100_000), 400, INVALID),
        refused("forty objects in each other", To::Seats, nested("{\"a\":", "}", 40), 400, INVALID),
        refused("1,001 seats", To::Seats, t.seats(&json!(vec![json!({"tier": "basic"}); 1_001])), 400, counted),
        refused("80,000 seats that are nothing", To::Seats, t.seats_text(format!("{{\"accounts\":[{}{{}}]}}", "{},".repeat(80_000))), 400, counted),
        refused("no seats", To::Seats, t.seats(&json!([])), 400, counted),
        refused("a seat of 4,000 KiB", To::Seats, t.seats(&json!([{"tier": "basic", "tag": "x".repeat(4_096_000)}])), 413, "payload_too_large"),
        refused("a quote of 4,000 KiB", To::Quote, t.seats(&json!([{"tier": "basic", "tag": "x".repeat(4_096_000)}])), 413, "payload_too_large"),
        refused("an account of 256 KiB", To::Identity, sign_up(&json!({"name": "x".repeat(262_144)})), 413, "payload_too_large"),
        refused("an agency's account of 256 KiB", To::Agency, t.account(&json!({"name": "x".repeat(262_144)})), 413, "The request body is larger than 256 KiB."),
        refused("a tag of four million characters", To::Seats, t.seats(&json!([{"tier": "basic", "tag": "x".repeat(4_000_000)}])), 400, "invalid_request tag:max_length"),
        refused("a tag of 240,000 line breaks", To::Seats, t.seats_text(format!("{{\"accounts\":[{{\"tier\":\"basic\",\"tag\":\"x{}\"}}]}}", "\\r\\n".repeat(240_000) + "x")), 400, "invalid_request tag:forbidden_character"),
        refused("two million seats that are numbers", To::Seats, t.seats_text(format!("{{\"accounts\":[{}0]}}", "0,".repeat(2_000_000))), 400, INVALID),
        refused("a million seats that are nothing", To::Seats, t.seats_text(format!("{{\"accounts\":[{}{{}}]}}", "{},".repeat(1_000_000))), 400, INVALID),
        refused("half a million objects of one field", To::Seats, t.seats_text(format!("{{\"accounts\":[{}0]}}", "{\"\":0},".repeat(500_000))), 400, INVALID),
        refused("lists of lists, two million in all", To::Seats, t.seats_text(format!("{{\"accounts\":[{}0]}}", "[[]],".repeat(800_000))), 400, INVALID),
        refused("ninety thousand unknown fields", To::Seats, t.seats_text(format!("{{{}}}", ninety.join(","))), 400, "invalid_request f0:unknown_field f1:unknown_field f10:unknown_field f100:unknown_field"),
        refused("a field name of four million characters", To::Seats, t.seats_text(format!("{{\"{}\":1}}", "x".repeat(4_000_000))), 400, format!("invalid_request {}…:unknown_field accounts:required", "x".repeat(64))),
        accepted("ninety seats with every field at its longest", To::Seats, t.seats(&longest)),
        refused("a field name of 250,000 characters", To::Identity, sign_up(&json!({"x".repeat(250_000): 1})), 400, format!("invalid_request {}…:unknown_field", "x".repeat(64))),
        refused("ten thousand unknown fields", To::Identity, Call::text(format!("{{{}}}", many.join(","))), 400, "invalid_request email:required name:required type:required password:required"),
        refused("a quarter of a million combining marks", To::Identity, sign_up(&json!({"name": format!("e{}", "\u{301}".repeat(120_000))})), 400, "invalid_request name:max_length"),
        refused("a password of 129 characters", To::Identity, sign_up(&json!({"password": "🚀".repeat(129)})), 400, "invalid_request password:max_length"),
        refused("a keyword list of nothing but commas", To::Seats, t.seats(&json!([{"tier": "basic", "platform": "tiktok", "username": "u", "pfp_url": "https://example.com", "keywords": ",".repeat(50_000)}])), 400, "invalid_request keywords:count"),
    ]
}

fn assignments(t: &Tenants) -> Vec<Row> {
    let unknown = |fields: &[&str]| {
        let named = fields.iter().map(|field| format!(" {field}:unknown_field"));
        format!("invalid_request{}", named.collect::<String>())
    };
    let agency = |name, fields, says| refused(name, To::Agency, t.account(&fields), 422, says);
    vec![
        refused(
            "a seat's own id and status",
            To::Seats,
            t.seats(&json!([{"tier": "basic", "id": "acc_1", "status": "active"}])),
            400,
            unknown(&["id", "status"]),
        ),
        refused(
            "a seat of another organization",
            To::Seats,
            t.seats(&json!([{"tier": "basic", "organization": "org_1", "pk": "ORG#x"}])),
            400,
            unknown(&["organization", "pk"]),
        ),
        refused(
            "a seat of another device and price",
            To::Seats,
            t.seats(&json!([{"tier": "basic", "device_type": "dedicated", "unit_amount": "0"}])),
            400,
            unknown(&["device_type", "unit_amount"]),
        ),
        refused(
            "the seat limit beside the seats",
            To::Seats,
            t.seats_text(r#"{"accounts":[{"tier":"basic"}],"seat_limit":9,"version":1}"#),
            400,
            unknown(&["seat_limit", "version"]),
        ),
        refused(
            "prototype pollution",
            To::Seats,
            t.seats_text(
                r#"{"accounts":[{"tier":"basic"}],"__proto__":{"ok":true},"constructor":1}"#,
            ),
            400,
            unknown(&["__proto__", "constructor"]),
        ),
        refused(
            "an account's own id and status",
            To::Identity,
            sign_up(&json!({"id": "acct_1", "status": "admin"})),
            400,
            unknown(&["id", "status"]),
        ),
        refused(
            "a hash for the password",
            To::Identity,
            sign_up(&json!({"password_hash": "$argon2id$", "role": "admin"})),
            400,
            unknown(&["password_hash", "role"]),
        ),
        refused(
            "settings that are none",
            To::Identity,
            sign_up(&json!({"settings": {"currency": "USD", "admin": true}})),
            400,
            unknown(&["settings.admin"]),
        ),
        refused(
            "a field name with a dot",
            To::Identity,
            sign_up(&json!({"settings.currency": "EUR"})),
            400,
            unknown(&["settings.currency"]),
        ),
        refused(
            "a field name in another case",
            To::Identity,
            sign_up(&json!({"Email": "other@example.com"})),
            400,
            unknown(&["Email"]),
        ),
        agency(
            "the parent flag",
            json!({"is_parent_account": true}),
            "The is parent account field is prohibited.",
        ),
        agency(
            "an account's own lcuid and slug",
            json!({"lcuid": "LCUID-LA-1", "slug": "mine"}),
            "The lcuid field is prohibited. (and 1 more error)",
        ),
        agency(
            "a parent of another agency",
            json!({"parent_account_lcuid": t.other_agency.parent}),
            "The selected parent account lcuid is invalid.",
        ),
        agency(
            "a parent that is none",
            json!({"parent_account_lcuid": t.agency.plain}),
            "The selected parent account lcuid is invalid.",
        ),
        agency(
            "a parent that is a key of the table",
            json!({"parent_account_lcuid": format!("{}#AGENCY", t.agency.parent)}),
            "The selected parent account lcuid is invalid.",
        ),
        refused(
            "another agency",
            To::Agency,
            t.account(&json!({"agency_lcuid": t.other_agency.lcuid})),
            403,
            format!(
                "Unauthorized. Requires agency.createAccounts permission to perform this action on object [[{}]]",
                t.other_agency.lcuid
            ),
        ),
        refused(
            "an agency that is a list of two",
            To::Agency,
            t.account(&json!({"agency_lcuid": [t.agency.lcuid, t.other_agency.lcuid]})),
            422,
            "The agency lcuid field must be a string.",
        ),
    ]
}

/// Names that become one slug, or none.
fn names(t: &Tenants) -> Vec<Row> {
    let named = |name: &str| t.account(&json!({ "name": name }));
    let slug = |what, name, slug| {
        accepted(what, To::Agency, named(name)).keeps("SLUG#", "pk", format!("SLUG#{slug}"))
    };
    vec![
        slug("a name of one slug, composed", "Café Río", "CafeRio"),
        slug("the same, decomposed", "Cafe\u{301} Ri\u{301}o", "CafeRio2"),
        slug("the same, in other punctuation and case", "CAFÉ - río!!", "CafeRio3"),
        slug("the slug that a number would give", "Cafe Rio4", "CafeRio4"),
        slug("a path", "../../etc/passwd", "EtcPasswd"),
        slug("a key of the table", "SLUG#AGENCY#x", "SlugAgencyX"),
        slug("nothing that can be transliterated", "\u{E000}", "account"),
        refused(
            "a name that is read backwards",
            To::Agency,
            named("abc\u{202E}txt.exe"),
            422,
            "The name field must not contain the character U+202E.",
        ),
        refused(
            "a name of tags that nobody sees",
            To::Agency,
            named("A\u{E0041}\u{E007F}"),
            422,
            "The name field must not contain the character U+E0041.",
        ),
        refused(
            "a name with a terminal's escape",
            To::Agency,
            named("\u{1b}[2J"),
            422,
            "The name field must not contain the character U+001B.",
        ),
        refused(
            "a name of spaces of every kind",
            To::Agency,
            named("\u{a0}\u{2003}\u{3000} "),
            422,
            "The name field is required.",
        ),
        refused(
            "a name of fillers",
            To::Agency,
            named("\u{3164}\u{FFA0}"),
            422,
            "The name field is required.",
        ),
        refused(
            "a name of blank braille",
            To::Identity,
            sign_up(&json!({"name": "\u{2800} \u{2800}"})),
            400,
            "invalid_request name:min_length",
        ),
        refused(
            "a tag of a joiner alone",
            To::Seats,
            t.seats(&json!([{"tier": "basic", "tag": "\u{200D}"}])),
            400,
            "invalid_request tag:min_length",
        ),
        accepted("a name with a joiner inside its word", To::Agency, named("می\u{200C}خواهم")),
        accepted("a name of joined emoji", To::Identity, sign_up(&json!({"name": "👩\u{200D}🚀"}))),
    ]
}
