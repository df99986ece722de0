//! Single texts: headers and fields. What is accepted must be what it claims to be.

use headcount_billing::webhook::{BadSignature, SigningSecrets};
use headcount_model::credential::Presented;
use headcount_model::id::CredentialId;
use headcount_model::idempotency::IdempotencyKey;
use headcount_model::identity::Email;
use headcount_model::port::Clock;
use headcount_model::text::Text;
use headcount_model::web_url::WebUrl;

use crate::endpoints::sign;
use crate::ports::{SIGNING_SECRET, Still};

const BODY: &[u8] = b"{}";

/// A header is good only when it holds the signature of this body and a time of now.
pub(crate) fn signature(input: &[u8]) {
    let secrets = SigningSecrets::parse(SIGNING_SECRET).expect("a secret");
    let now = Still.now();
    let verdict = secrets.verify(Some(input), BODY, now);
    if matches!(verdict, Ok(()) | Err(BadSignature::OutOfTime)) {
        let text = std::str::from_utf8(input).expect("text");
        let mut times = text.split(',').filter_map(|part| part.trim().strip_prefix("t="));
        let is_signed = |time: &str| {
            let time = time.parse::<i64>().expect("a time");
            (verdict != Ok(()) || time.abs_diff(now.as_second()) <= 300)
                && text.to_ascii_lowercase().contains(&sign(time, BODY))
        };
        // A time may be written with zeros before it, and is then signed so.
        assert!(times.any(|time| time.starts_with('0') || is_signed(time)), "{text}");
    }
    let _ = SigningSecrets::parse(&String::from_utf8_lossy(input));
}

/// What is read has an id of one spelling, and a secret of 64 digits in the header.
pub(crate) fn credential(input: &[u8]) {
    if let Some(presented) = Presented::parse(input) {
        let text = std::str::from_utf8(input).expect("text");
        let id = presented.id().as_str();
        assert!(text.contains(&format!("hc_{id}_")), "{text}");
        assert_eq!(CredentialId::parse(id).as_ref(), Ok(presented.id()));
    }
}

/// Accepted exactly when it is 1 to 255 visible characters of ASCII.
pub(crate) fn idempotency_key(input: &[u8]) {
    let is_visible =
        !input.is_empty() && input.len() <= 255 && input.iter().all(u8::is_ascii_graphic);
    assert_eq!(IdempotencyKey::parse(input).is_ok(), is_visible);
}

/// An accepted address is one in ASCII too, and the same one.
pub(crate) fn email(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(email) = Email::parse(text) else { return };
    let ascii = email.as_ascii();
    assert!(ascii.is_ascii() && ascii.len() <= Email::MAX_LENGTH, "{ascii}");
    assert_eq!(ascii.matches('@').count(), 1, "{ascii}");
    assert!(ascii.starts_with(email.local_part()));
    for same in [ascii, email.as_typed(), &email.unique_form(), &ascii.to_ascii_uppercase()] {
        let again = Email::parse(same).expect("an address");
        assert_eq!(again.unique_form(), email.unique_form(), "{same}");
    }
}

/// An accepted URL is kept as sent, and is accepted again as any parser writes it.
pub(crate) fn web_url(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(url) = WebUrl::parse(text) else { return };
    assert_eq!(url.as_str(), text.trim());
    assert!(url.as_str().chars().count() <= WebUrl::MAX_LENGTH);
    assert_eq!(WebUrl::parse(url.as_str()).as_ref(), Ok(&url));
}

/// Accepted text is the same when it is read again, and does not control what shows it.
pub(crate) fn text(input: &[u8]) {
    let Ok(raw) = std::str::from_utf8(input) else { return };
    for parse in [Text::line, Text::lines] {
        let Ok(text) = parse(raw, 1..=1_000) else { continue };
        assert_eq!(parse(text.as_str(), 1..=1_000).as_ref(), Ok(&text));
        assert!(!text.as_str().contains(['\0', '\u{1b}', '\r', '\u{202E}', '\u{200B}']));
    }
}
