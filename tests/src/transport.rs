//! Requests that cannot be read, and unusual ones that can: the same for all three APIs
//! (CONTRACT, "Transport errors").

use serde_json::Value;

use crate::call::Call;

/// A request that cannot be read.
pub struct Unreadable {
    /// What is wrong with it.
    pub what: &'static str,
    /// The request, without credentials.
    pub call: Call,
    /// The status it must get.
    pub status: u64,
    /// The sentence in the answer, whatever the envelope.
    pub message: String,
}

/// Everything that makes a request unreadable. `good` is a body that the endpoint accepts, `most` the size
/// of the largest one, in KiB.
pub fn unreadable(good: &Value, most: usize) -> Vec<Unreadable> {
    let malformed = malformed().into_iter().map(|(what, call, why)| Unreadable {
        what,
        call,
        status: 400,
        message: format!("The request body is not a valid JSON object: {why}."),
    });
    let keys = ["", "two words", "tab\there", "ключ", &"k".repeat(256)].map(|key| Unreadable {
        what: "idempotency key",
        call: Call::json(good).key(key),
        status: 400,
        message: "The Idempotency-Key header must be 1 to 255 visible ASCII characters.".to_owned(),
    });
    malformed.chain(keys).chain(too_large(good, most)).chain(wrong_type(good)).collect()
}

fn malformed() -> Vec<(&'static str, Call, &'static str)> {
    let text = |body: &str| Call::text(body);
    let lists = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        Call::text(format!("{{\"id\":{open}{close}}}"))
    };
    let objects = |depth: usize| {
        let (open, close) = ("{\"a\":".repeat(depth - 1), "}".repeat(depth - 1));
        Call::text(format!("{{\"id\":{open}1{close}}}"))
    };
    let surrogate = "unexpected end of hex escape at line 1 column 16";
    vec![
        ("no body", Call::empty(), "it is empty"),
        ("empty body", text(""), "it is empty"),
        ("blank body", text(" \r\n\t"), "it is empty"),
        ("empty base64", Call::bytes(b""), "it is empty"),
        ("cut off", text("{\"name\":\"a\""), "EOF while parsing an object at line 1 column 11"),
        ("trailing text", text("{\"name\":\"a\"} x"), "trailing characters at line 1 column 14"),
        ("two documents", text("{}{}"), "trailing characters at line 1 column 3"),
        ("trailing NUL", text("{}\0"), "trailing characters at line 1 column 3"),
        (
            "duplicate keys",
            text("{\"name\":\"a\",\"name\":\"a\"}"),
            "an object has the same key twice at line 1 column 23",
        ),
        (
            "duplicate keys, one escaped",
            text("{\"name\":\"a\",\"n\\u0061me\":\"b\"}"),
            "an object has the same key twice at line 1 column 28",
        ),
        (
            "duplicate keys in a field that is unknown",
            text("{\"id\":[{\"a\":1,\"a\":2}]}"),
            "an object has the same key twice at line 1 column 20",
        ),
        ("top-level array", text("[]"), "it is not an object"),
        (
            "top-level array of the fields",
            text("[\"owner@example.com\",\"Acme\"]"),
            "it is not an object",
        ),
        ("top-level text", text("\"name\""), "it is not an object"),
        ("top-level number", text("1"), "it is not an object"),
        ("top-level null", text("null"), "it is not an object"),
        ("lone leading surrogate", text(r#"{"name":"\ud800"}"#), surrogate),
        (
            "leading surrogate before a letter",
            text(r#"{"name":"\ud800\u0041"}"#),
            "lone leading surrogate in hex escape at line 1 column 21",
        ),
        (
            "lone trailing surrogate",
            text(r#"{"name":"\udc00"}"#),
            "lone leading surrogate in hex escape at line 1 column 15",
        ),
        (
            "lone surrogate in a key",
            text(r#"{"\ud800":1}"#),
            "unexpected end of hex escape at line 1 column 9",
        ),
        ("invalid UTF-8 in a value", Call::bytes(b"{\"name\":\"\xff\"}"), "it is not UTF-8"),
        ("invalid UTF-8 in a key", Call::bytes(b"{\"\xc3\x28\":1}"), "it is not UTF-8"),
        (
            "invalid UTF-8 in a field that is unknown",
            Call::bytes(b"{\"id\":[{\"a\":\"\xe2\x82\"}]}"),
            "it is not UTF-8",
        ),
        ("overlong UTF-8", Call::bytes(b"{\"name\":\"\xc0\x80\"}"), "it is not UTF-8"),
        ("surrogate in UTF-8", Call::bytes(b"{\"name\":\"\xed\xa0\x80\"}"), "it is not UTF-8"),
        ("UTF-16", Call::bytes(b"\xff\xfe{\0}\0"), "it is not UTF-8"),
        ("byte order mark", Call::bytes(b"\xef\xbb\xbf{}"), "expected value at line 1 column 1"),
        ("not base64", Call::raw_base64("{\"name\":\"a\"}"), "expected value at line 1 column 1"),
        ("base64 without padding", Call::raw_base64("e30"), "expected value at line 1 column 1"),
        ("33 lists", lists(33), "nested deeper than 32 levels at line 1 column 39"),
        ("33 objects", objects(33), "nested deeper than 32 levels at line 1 column 162"),
        (
            "a hundred thousand lists",
            lists(100_000),
            "nested deeper than 32 levels at line 1 column 38",
        ),
        ("trailing comma", text("{\"name\":\"a\",}"), "trailing comma at line 1 column 13"),
        ("single quotes", text("{'name':'a'}"), "key must be a string at line 1 column 2"),
        ("comment", text("{/* */}"), "key must be a string at line 1 column 2"),
        ("NaN", text("{\"name\":NaN}"), "expected value at line 1 column 9"),
        ("number without end", text("{\"name\":1e999}"), "number out of range at line 1 column 13"),
        ("leading zero", text("{\"name\":01}"), "invalid number at line 1 column 10"),
        (
            "control character in text",
            text("{\"name\":\"a\nb\"}"),
            "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0",
        ),
        ("unknown escape", text("{\"name\":\"\\x41\"}"), "invalid escape at line 1 column 11"),
        ("a form", text("name=a&email=b"), "expected ident at line 1 column 2"),
    ]
}

fn too_large(good: &Value, most: usize) -> Vec<Unreadable> {
    let body = padded(good, most * 1024 + 1);
    [
        ("one byte too many", Call::text(body.clone())),
        ("one byte too many in base64", Call::bytes(body.as_bytes())),
        ("too large and not JSON", Call::text("x".repeat(most * 1024 + 1))),
    ]
    .map(|(what, call)| Unreadable {
        what,
        call,
        status: 413,
        message: format!("The request body is larger than {most} KiB."),
    })
    .into()
}

fn wrong_type(good: &Value) -> Vec<Unreadable> {
    let types = [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "text/plain; application/json",
        "application/json, text/plain",
        "application/jsön",
    ];
    let types = types.map(|content_type| Call::json(good).header("content-type", content_type));
    let untyped = Call::json(good).without("content-type");
    let encodings = ["gzip", "br", "identity", ""];
    let encoded = encodings.map(|encoding| Call::json(good).header("content-encoding", encoding));
    let typed = |call| Unreadable {
        what: "content type",
        call,
        status: 415,
        message: "The Content-Type must be application/json.".to_owned(),
    };
    let coded = |call| Unreadable {
        what: "content encoding",
        call,
        status: 415,
        message: "The request body must not have a Content-Encoding.".to_owned(),
    };
    let types = types.into_iter().chain([untyped]).map(typed);
    types.chain(encoded.into_iter().map(coded)).collect()
}

/// Unusual ways of sending `good` that must be read like the usual one; `most` as for [`unreadable`].
pub fn readable(good: &Value, most: usize) -> Vec<(&'static str, Call)> {
    let typed = |content_type| Call::json(good).header("content-type", content_type);
    vec![
        ("charset", typed("application/json; charset=utf-8")),
        ("charset without a space", typed("application/json;charset=UTF-8")),
        ("quoted charset", typed("application/json; charset=\"utf-8\"")),
        ("odd case", typed("Application/JSON; Charset=Utf-8")),
        ("another parameter", typed("application/json; profile=x")),
        ("base64", Call::bytes(good.to_string().as_bytes())),
        ("the largest body", Call::text(padded(good, most * 1024))),
        ("the largest body in base64", Call::bytes(padded(good, most * 1024).as_bytes())),
        ("space around", Call::text(format!("\r\n\t {good} \n"))),
        (
            "every letter of a key escaped",
            Call::text(good.to_string().replace("\"name\":", r#""\u006e\u0061\u006d\u0065":"#)),
        ),
        ("a longest idempotency key", Call::json(good).key(&"~".repeat(255))),
    ]
}

/// The body with spaces behind it, `length` bytes in all.
fn padded(body: &Value, length: usize) -> String {
    let body = body.to_string();
    let spaces = " ".repeat(length - body.len());
    body + &spaces
}
