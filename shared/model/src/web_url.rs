//! URLs that callers hand over to be stored (CONTRACT, "URLs"). They are never fetched here,
//! but whoever fetches them later must not be led into a private network by them.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::fault::{Rule, UrlRule};
use crate::text::is_forbidden;

/// An absolute `http` or `https` URL without user info whose host is neither a private address nor a
/// name of a private network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// The longest URL, in characters, both as sent and as stored.
    pub const MAX_LENGTH: usize = 2_048;

    /// Parses a URL and keeps it as sent (trimmed).
    ///
    /// The checks look at the URL as the WHATWG parser understands it, because that parser
    /// rewrites odd spellings of addresses (`0x7f.1`, `2130706433`) and drops tabs.
    ///
    /// # Errors
    /// [`Rule::MaxLength`], [`Rule::ForbiddenCharacter`] or [`Rule::Url`].
    pub fn parse(raw: &str) -> Result<Self, Rule> {
        let raw = raw.trim();
        if raw.chars().count() > Self::MAX_LENGTH {
            return Err(Rule::MaxLength(Self::MAX_LENGTH));
        }
        if let Some(bad) = raw.chars().find(|&c| is_forbidden(c)) {
            return Err(Rule::ForbiddenCharacter(bad));
        }
        let url = Url::parse(raw).map_err(|_| Rule::Url(UrlRule::Absolute))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Rule::Url(UrlRule::Scheme));
        }
        // The parser forgives `http:example.com` and `http:\\example.com`; a stored URL should
        // mean the same to every reader.
        let after_scheme = &raw[url.scheme().len()..];
        if !after_scheme.starts_with("://") || after_scheme.starts_with(":///") {
            return Err(Rule::Url(UrlRule::Absolute));
        }
        // As RFC 3986 reads it. The parser ends it at a backslash too, others do not: of
        // `https://a\@b` one calls `a`, another `b`.
        let authority = after_scheme[3..].split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Rule::Url(UrlRule::UserInfo));
        }
        if authority.contains('\\') {
            return Err(Rule::Url(UrlRule::Absolute));
        }
        match url.host() {
            None => Err(Rule::Url(UrlRule::Absolute)),
            Some(host) if is_private(&host) => Err(Rule::Url(UrlRule::PrivateHost)),
            Some(_) if url.as_str().chars().count() > Self::MAX_LENGTH => {
                Err(Rule::MaxLength(Self::MAX_LENGTH))
            }
            Some(_) => Ok(Self(raw.to_owned())),
        }
    }

    /// The URL as it was sent, trimmed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_private_name(name),
        Host::Ipv4(address) => is_private_v4(*address),
        Host::Ipv6(address) => is_private_v6(*address),
    }
}

/// Top-level domains under which no name leads out of the own machine or network, in the letters that
/// the parser makes of every spelling. `example` and its like are reserved too, and mean nothing.
const PRIVATE_DOMAINS: [&str; 16] = [
    // IANA's special-use names: not in the global DNS (RFC 9476), Tor's (RFC 7686), the own machine, tests
    // and what never exists (RFC 6761), multicast DNS (RFC 6762).
    "alt",
    "onion",
    "localhost",
    "test",
    "invalid",
    "local",
    // The DNS's own infrastructure, no place for a site (RFC 3172): of homes, `home.arpa` (RFC 8375), and
    // the reverse zones of private addresses (RFC 6761).
    "arpa",
    // Reserved for private use by ICANN (resolution 2024.07.29.06).
    "internal",
    // In use in private networks; none is delegated (RFC 6762, appendix G).
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    // What systems have called themselves in their table of hosts: `localhost.localdomain`.
    "localdomain",
    "localhost6",
    "localdomain6",
];

/// Names that only ever mean the own machine or network. A name of one label does: it is completed by
/// the resolver's own domain, and no site has one (RFC 7085). A trailing dot says that a name is whole,
/// not that it is another one.
fn is_private_name(name: &str) -> bool {
    match name.trim_end_matches('.').rsplit_once('.') {
        None => true,
        Some((_, top)) => PRIVATE_DOMAINS.contains(&top),
    }
}

/// Private, loopback, link-local and "this network" addresses (RFC 1918, 1122, 3927, 6598).
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || a == 0
        // Carrier-grade NAT: 100.64.0.0/10.
        || (a == 100 && b & 0b1100_0000 == 64)
}

/// The same for IPv6 (RFC 4193, 4291), and for IPv4 addresses written inside IPv6 ones
/// (mapped, compatible, NAT64 and 6to4). `::` and `::1` are read as compatible ones.
fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let tail = || {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    let embedded = match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(tail()),
        [0x2002, high, low, ..] => Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        _ => None,
    };
    address.is_unique_local()
        || address.is_unicast_link_local()
        // Deprecated site-local, fec0::/10, still routed privately by old equipment.
        || segments[0] & 0xffc0 == 0xfec0
        || embedded.is_some_and(is_private_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_urls_are_kept_as_sent() {
        for url in [
            "https://example.com/avatar.jpg",
            "http://example.com",
            "https://www.mynewaccount.com",
            "https://example.com:8443/a?b=c#d",
            "https://bücher.example/ä",
            "https://8.8.8.8/x",
            "https://8.100.8.8/",
            "https://8.64.8.8/",
            "https://100.8.8.8/",
            "https://100.128.0.1/",
            "https://[2606:4700::1111]/",
            "https://[2002:808:808::]/",
            "https://example.com/@handle?mail=a@b",
            "HTTPS://EXAMPLE.COM/",
            "https://example.com./",
            "https://localhost.example.com/",
            "https://localhosts.example/",
            "https://internal.example/",
            "https://local.tv/",
            "https://home.earth/",
        ] {
            assert_eq!(WebUrl::parse(url).as_ref().map(WebUrl::as_str), Ok(url));
        }
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://2130706433/",
            "http://0/",
            "http://10.0.0.1/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://100.64.0.1/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[feff::1]/",
            "http://①②⑦.0.0.1/",
            "http://127。0。0。1/",
        ] {
            assert_eq!(WebUrl::parse(url), Err(Rule::Url(UrlRule::PrivateHost)), "{url}");
        }
    }

    #[test]
    fn names_of_the_own_machine_or_network_are_refused() {
        for url in [
            "http://localhost/",
            "http://localhost./",
            "http://localhost../",
            "http://LOCALHOST:8080",
            "http://x.localhost/",
            "http://x.localhost./",
            "http://ｌｏｃａｌｈｏｓｔ/",
            "http://%6cocalhost/",
            "http://local\u{ad}host/",
            "http://localhost。/",
            "http://localhost.localdomain/",
            "http://localhost6.localdomain6/",
            "http://ip6-localhost/",
            "http://x.localhost6/",
            "http://instance-data/latest/meta-data/",
            "http://metadata.google.internal/",
            "http://host.docker.internal./",
            "http://kubernetes.default.svc.cluster.local/",
            "http://printer.local/",
            "http://router.home.arpa/",
            "http://1.0.0.10.in-addr.arpa/",
            "http://a.test/",
            "http://a.invalid/",
            "http://a.onion/",
            "http://a.alt/",
            "http://a.intranet/",
            "http://a.private/",
            "http://a.corp/",
            "http://a.home/",
            "http://a.LAN/",
            "http://intranet/",
            "http://com/",
            "http://bücher/",
            "http://./",
        ] {
            assert_eq!(WebUrl::parse(url), Err(Rule::Url(UrlRule::PrivateHost)), "{url}");
        }
    }

    #[test]
    fn other_faults_have_their_own_rule() {
        for (url, rule) in [
            ("example.com/a", UrlRule::Absolute),
            ("//example.com/a", UrlRule::Absolute),
            ("http:example.com", UrlRule::Absolute),
            ("http:///example.com", UrlRule::Absolute),
            ("http:\\\\example.com", UrlRule::Absolute),
            ("", UrlRule::Absolute),
            ("ftp://example.com/", UrlRule::Scheme),
            ("javascript:alert(1)", UrlRule::Scheme),
            ("data:text/html,x", UrlRule::Scheme),
            ("file:///etc/passwd", UrlRule::Scheme),
            ("https://user@example.com/", UrlRule::UserInfo),
            ("https://user:pass@example.com/", UrlRule::UserInfo),
            ("https://@example.com/", UrlRule::UserInfo),
            ("https://example.com\\@169.254.169.254/", UrlRule::UserInfo),
            ("https://example.com\\.internal/", UrlRule::Absolute),
        ] {
            assert_eq!(WebUrl::parse(url), Err(Rule::Url(rule)), "{url}");
        }
        assert_eq!(WebUrl::parse("https://exam\tple.com/"), Err(Rule::ForbiddenCharacter('\t')));
    }

    #[test]
    fn the_length_limit_holds_as_sent_and_as_parsed() {
        let base = "https://example.com/";
        let fits = format!("{base}{}", "a".repeat(2_048 - base.len()));
        assert!(WebUrl::parse(&fits).is_ok());
        assert_eq!(WebUrl::parse(&format!("{fits}a")), Err(Rule::MaxLength(2_048)));
        // Percent-encoding makes the parsed form three times as long.
        let grows = format!("{base}{}", "é".repeat(1_000));
        assert_eq!(WebUrl::parse(&grows), Err(Rule::MaxLength(2_048)));
    }
}
