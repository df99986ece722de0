//! Spellings of private addresses, and what else a URL may hide.

use serde_json::json;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let picture = |url: &str| {
        t.seats(&json!([{
            "tier": "basic", "platform": "tiktok", "username": "u", "keywords": "k", "pfp_url": url
        }]))
    };
    let bad = |name, url: &str, rule: &str| {
        refused(name, To::Seats, picture(url), 400, format!("invalid_request pfp_url:{rule}"))
    };
    let private = |name, url| bad(name, url, "url_private_address");
    let character = |name, url| bad(name, url, "forbidden_character");
    vec![
        private("a decimal number", "http://2130706433/"),
        private("a hexadecimal number", "http://0x7F000001/"),
        private("an octal number", "http://017700000001/"),
        private("numbers of three bases", "http://0x7f.0.01/"),
        private("two numbers", "http://127.1/"),
        private("a long last number", "http://192.168.257/"),
        private("zero", "http://0/"),
        private("a trailing dot", "http://127.0.0.1./"),
        private("full-width digits", "http://１２７．０．０．１/"),
        private("circled digits", "http://①②⑦.⓪.⓪.①/"),
        private("percent-encoded digits", "http://%31%32%37.0.0.1/"),
        private("a soft hyphen among the digits", "http://127.\u{ad}0.0.1/"),
        private("the metadata service", "http://169.254.169.254/latest/meta-data/"),
        private("the metadata service as a number", "http://2852039166/"),
        private("the metadata service in IPv6", "http://[fd00:ec2::254]/"),
        private("loopback in IPv6, written out", "http://[0:0:0:0:0:0:0:1]/"),
        private("mapped into IPv6", "http://[::ffff:127.0.0.1]/"),
        private("mapped into IPv6, as hexadecimal", "http://[::FFFF:7f00:1]/"),
        private("compatible with IPv6", "http://[::127.0.0.1]/"),
        private("through NAT64", "http://[64:ff9b::10.0.0.1]/"),
        private("through 6to4", "http://[2002:a00:1::1]/"),
        private("this network", "http://0.0.0.0:80/"),
        private("with a port and no path", "https://10.0.0.1:443"),
        private("the own machine", "http://localhost/"),
        private("the own machine, with a trailing dot", "http://localhost./"),
        private("a name under the own machine's", "http://x.localhost/"),
        private("the own machine in full width", "http://ｌｏｃａｌｈｏｓｔ/"),
        private("a name of one label", "http://instance-data/latest/meta-data/"),
        private("the metadata service by name", "http://metadata.google.internal/"),
        private("multicast DNS", "http://printer.local/"),
        private("a home network", "http://router.home.arpa/"),
        bad("a zone", "http://[fe80::1%25eth0]/", "url"),
        bad("a number too large", "http://4294967296/", "url"),
        bad("a user", "http://example.com@127.0.0.1/", "url_user_info"),
        bad("a user behind a backslash", "http://example.com\\@127.0.0.1/", "url_user_info"),
        bad("an empty user", "http://@example.com/", "url_user_info"),
        bad("an at sign, percent-encoded", "http://127.0.0.1%40example.com/", "url"),
        bad("backslashes", "http:\\\\example.com/", "url"),
        bad("no slashes", "http:example.com", "url"),
        bad("three slashes", "http:///example.com/", "url"),
        bad("a relative one", "//example.com/a.jpg", "url"),
        bad("a space in the host", "http://exa mple.com/", "url"),
        bad("a script", "javascript://example.com/%0aalert(1)", "url_scheme"),
        bad("data", "data:image/svg+xml,<svg/>", "url_scheme"),
        bad("a file", "file:///etc/passwd", "url_scheme"),
        bad("a long s in the scheme", "http\u{17f}://example.com/", "url"),
        bad(
            "2,049 characters",
            &format!("https://example.com/{}", "a".repeat(2_029)),
            "max_length",
        ),
        bad(
            "2,000 letters that are 6,000 bytes",
            &format!("https://example.com/{}", "é".repeat(2_000)),
            "max_length",
        ),
        character("a tab in the address", "http://127.0.\t0.1/"),
        character("a line break in the scheme", "ht\ntp://127.0.0.1/"),
        character("read backwards", "https://example.com/\u{202e}gpj.exe"),
        character("a line separator", "https://example.com/\u{2028}a.jpg"),
        accepted(
            "an at sign in the path",
            To::Seats,
            picture("https://example.com/@handle?a@b#c@d"),
        ),
        accepted("a public address", To::Seats, picture("https://8.8.8.8/a.jpg")),
    ]
}
