use proptest::prelude::*;

use super::*;

/// `printf '12345.{"a":1}' | openssl dgst -sha256 -hmac whsec_test`
const KNOWN: &str = "6891b7a66b05b0e53771b0ad1be66a73fc29b6b3c4b4961ddb1efa062c8c05e9";
const BODY: &[u8] = br#"{"a":1}"#;

fn secrets(text: &str) -> SigningSecrets {
    SigningSecrets::parse(text).expect("signing secrets")
}

fn verify_at(header: &str, now: i64) -> Result<(), BadSignature> {
    let now = Timestamp::from_second(now).expect("a time");
    secrets("whsec_test").verify(Some(header.as_bytes()), BODY, now)
}

#[test]
fn a_known_signature_is_right() {
    assert_eq!(verify_at(&format!("t=12345,v1={KNOWN}"), 12_345), Ok(()));
}

#[test]
fn a_signature_of_ours_is_stripes() {
    let at = Timestamp::from_second(12_345).expect("a time");
    assert_eq!(secrets("whsec_test").sign(BODY, at), format!("t=12345,v1={KNOWN}"));
    let both = secrets("whsec_old,whsec_test").sign(BODY, at);
    assert_eq!(both.matches(",v1=").count(), 2);
    assert_eq!(verify_at(&both, 12_345), Ok(()));
}

#[test]
fn headers() {
    use BadSignature::{Malformed, Wrong};
    let zeros = "0".repeat(64);
    let upper = KNOWN.to_uppercase();
    let cases = [
        // As Stripe sends it.
        (format!("t=12345,v1={KNOWN},v0={zeros}"), Ok(())),
        // Any order, any number, room between them, upper case.
        (format!("v1={KNOWN},t=12345"), Ok(())),
        (format!("t=12345,v1={zeros},v1={KNOWN}"), Ok(())),
        (format!("t=12345,v1={KNOWN},v1={zeros}"), Ok(())),
        (format!(" t=12345 , v1={KNOWN} "), Ok(())),
        (format!("t=12345,v1={upper}"), Ok(())),
        (format!("t=12345,v2=x=y,v1={KNOWN},=,x="), Ok(())),
        // Signatures that are none.
        ("t=12345".to_owned(), Err(Wrong)),
        ("t=12345,v1=".to_owned(), Err(Wrong)),
        (format!("t=12345,v1={zeros}"), Err(Wrong)),
        (format!("t=12345,v1={}", &KNOWN[1..]), Err(Wrong)),
        (format!("t=12345,v1={KNOWN}00"), Err(Wrong)),
        (format!("t=12345,v1=+{}", &KNOWN[1..]), Err(Wrong)),
        (format!("t=12345,v1={}", "é".repeat(32)), Err(Wrong)),
        (format!("t=12345,v0={KNOWN}"), Err(Wrong)),
        (format!("t=12345,V1={KNOWN}"), Err(Wrong)),
        (format!("t=12346,v1={KNOWN}"), Err(Wrong)),
        (format!("t=012345,v1={KNOWN}"), Err(Wrong)),
        // Times that are none.
        (String::new(), Err(Malformed)),
        (",".to_owned(), Err(Malformed)),
        ("t".to_owned(), Err(Malformed)),
        (format!("v1={KNOWN}"), Err(Malformed)),
        (format!("t=,v1={KNOWN}"), Err(Malformed)),
        (format!("t=-12345,v1={KNOWN}"), Err(Malformed)),
        (format!("t=+12345,v1={KNOWN}"), Err(Malformed)),
        (format!("t=12345.0,v1={KNOWN}"), Err(Malformed)),
        (format!("t=1e4,v1={KNOWN}"), Err(Malformed)),
        (format!("t=١٢٣,v1={KNOWN}"), Err(Malformed)),
        (format!("t={},v1={KNOWN}", "9".repeat(400)), Err(Malformed)),
        (format!("t=12345,t=12345,v1={KNOWN}"), Err(Malformed)),
        (format!("t=12345,v1={KNOWN},"), Err(Malformed)),
        (format!("t=12345;v1={KNOWN}"), Err(Malformed)),
    ];
    for (header, expected) in cases {
        assert_eq!(verify_at(&header, 12_345), expected, "{header}");
    }
}

#[test]
fn a_header_that_is_no_text_is_malformed() {
    let verified = secrets("whsec_test").verify(Some(b"t=1,v1=\xff"), BODY, Timestamp::UNIX_EPOCH);
    assert_eq!(verified, Err(BadSignature::Malformed));
}

#[test]
fn five_minutes_both_ways() {
    let header = format!("t=12345,v1={KNOWN}");
    for (now, expected) in [
        (12_345 - 301, Err(BadSignature::OutOfTime)),
        (12_345 - 300, Ok(())),
        (12_345 + 300, Ok(())),
        (12_345 + 301, Err(BadSignature::OutOfTime)),
    ] {
        assert_eq!(verify_at(&header, now), expected, "{now}");
    }
}

#[test]
fn the_time_tells_nothing_without_the_secret() {
    let header = format!("t=12345,v1={}", "0".repeat(64));
    assert_eq!(verify_at(&header, 99_999), Err(BadSignature::Wrong));
}

#[test]
fn signing_secrets_come_as_a_list() {
    for (text, count) in [
        ("whsec_a", 1),
        (" whsec_a , whsec_b ", 2),
        (r#"["whsec_a"]"#, 1),
        (" [\"whsec_a\", \"whsec_b\"] ", 2),
    ] {
        assert_eq!(secrets(text).0.len(), count, "{text}");
    }
    for bad in ["", ",", "whsec_", "sk_test_a", "whsec_a,", "whsec_a b", "[]", "[1]", "[\"\"]", "["]
    {
        assert_eq!(SigningSecrets::parse(bad).err(), Some(NoSigningSecrets), "{bad}");
    }
    assert!(!format!("{:?}", secrets("whsec_a")).contains("whsec_a"));
}

fn organization() -> OrganizationId {
    OrganizationId::parse("org_01kafzqzxqxqxqxqxqxqxqxqxq").expect("an id")
}

#[test]
fn an_event_about_a_subscription_names_it_and_no_more() {
    let body = format!(
        r#"{{"id":"evt_1","type":"customer.subscription.updated","data":{{"object":
            {{"id":"sub_1","status":"active","metadata":{{"organization":"{}"}}}}}}}}"#,
        organization()
    );
    let notice = Notice { subscription: "sub_1".to_owned(), organization: Some(organization()) };
    let event = read(body.as_bytes()).expect("an event");
    assert_eq!(event.subscription, Some(notice));
}

#[test]
fn other_events_are_events() {
    for body in [
        r#"{"id":"evt_1","type":"invoice.upcoming","data":{"object":{"lines":[]}}}"#,
        r#"{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.no_meter_found"}"#,
        r#"{"id":"evt_1","type":"customer.created","data":null}"#,
    ] {
        assert_eq!(read(body.as_bytes()).expect("an event").subscription, None, "{body}");
    }
}

#[test]
fn an_event_that_cannot_be_understood_is_none() {
    let about = |object: &str| {
        format!(
            r#"{{"id":"evt_1","type":"customer.subscription.deleted","data":{{"object":{object}}}}}"#
        )
    };
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "\"evt_1\"",
        r#"{"id":1,"type":"x"}"#,
        r#"{"type":"x"}"#,
        r#"{"id":"evt_1","type":"customer.subscription.deleted"}"#,
        &about("null"),
        &about("[]"),
        &about(r#"{"id":7}"#),
        &about(r#"{"id":"sub_"}"#),
        &about(r#"{"id":"sub_1/../customers"}"#),
        &about(r#"{"id":"cus_1"}"#),
    ] {
        assert_eq!(read(body.as_bytes()), Err(NotAnEvent), "{body}");
    }
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(header in proptest::collection::vec(any::<u8>(), 0..300)) {
        let verified = secrets("whsec_test").verify(Some(&header), BODY, Timestamp::UNIX_EPOCH);
        prop_assert!(verified.is_err());
    }

    #[test]
    fn nothing_like_a_header_is_accepted(
        header in "((t|v0|v1|v2| )=(-?[0-9]{0,30}|[0-9a-f]{62,66}|)[,= ]?){0,8}",
        now in -100_000_i64..100_000,
    ) {
        prop_assert!(verify_at(&header, now).is_err());
    }

    #[test]
    fn a_right_signature_is_found_among_others(
        before in proptest::collection::vec("v[0-9]=[0-9a-f]{0,70}", 0..5),
        after in proptest::collection::vec("v[0-9]=[0-9a-f]{0,70}", 0..5),
    ) {
        let own = [format!("v1={KNOWN}"), "t=12345".to_owned()];
        let header = before.into_iter().chain(own).chain(after).collect::<Vec<_>>().join(",");
        prop_assert_eq!(verify_at(&header, 12_345), Ok(()));
    }

    #[test]
    fn no_other_body_has_the_signature(body in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assume!(body != BODY);
        let header = format!("t=12345,v1={KNOWN}");
        let now = Timestamp::from_second(12_345).expect("a time");
        let verified = secrets("whsec_test").verify(Some(header.as_bytes()), &body, now);
        prop_assert_eq!(verified, Err(BadSignature::Wrong));
    }

    #[test]
    fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&body);
    }
}
