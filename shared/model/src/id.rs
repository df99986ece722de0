//! Identifiers. Ids of ours are ULIDs (time-ordered) behind a prefix; the Agency API names
//! things by LCUID, a UUID behind a prefix.

use std::fmt;

use jiff::Timestamp;
use ulid::Ulid;
use uuid::Uuid;

use crate::port::{Clock, Entropy, NoEntropy, random};

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id of this kind")
    }
}

impl std::error::Error for NotAnId {}

/// A new ULID of this moment.
fn new_ulid(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Ulid, NoEntropy> {
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    let random = u128::from_be_bytes(random::<16>(entropy)?);
    Ok(Ulid::from_parts(millis, random))
}

/// The first ULID of a moment: what begins with it or sorts behind it is not older.
pub fn ulid_of(time: Timestamp) -> String {
    let millis = u64::try_from(time.as_millisecond()).unwrap_or(0);
    Ulid::from_parts(millis, 0).to_string().to_ascii_lowercase()
}

fn parse_ulid(text: &str) -> Result<String, NotAnId> {
    // The alphabet is fixed to lower case, so that one id has one spelling in the table.
    let well_formed =
        text.len() == 26 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if well_formed && Ulid::from_string(text).is_ok() { Ok(text.to_owned()) } else { Err(NotAnId) }
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// What it begins with.
            pub const PREFIX: &str = $prefix;

            /// A new id, ordered by the time of the clock.
            ///
            /// # Errors
            /// When the random source fails.
            pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
                Ok(Self::from_ulid(new_ulid(clock, entropy)?))
            }

            fn from_ulid(ulid: Ulid) -> Self {
                Self(format!(concat!($prefix, "{}"), ulid.to_string().to_ascii_lowercase()))
            }

            /// Reads an id.
            ///
            /// # Errors
            /// [`NotAnId`] when the text has another form.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                let ulid = parse_ulid(text.strip_prefix($prefix).ok_or(NotAnId)?)?;
                Ok(Self(format!(concat!($prefix, "{}"), ulid)))
            }

            /// The id as callers see it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

ulid_id!(
    /// An organization of the Seats API.
    OrganizationId,
    "org_"
);
ulid_id!(
    /// An account seat of the Seats API.
    SeatId,
    "acc_"
);
ulid_id!(
    /// An account of the Identity API.
    AccountId,
    "acct_"
);
ulid_id!(
    /// The public half of a credential.
    CredentialId,
    ""
);
ulid_id!(
    /// An entry of an organization's audit.
    AuditId,
    "aud_"
);

impl SeatId {
    /// `count` ids of one moment, in ascending order, so that the seats of a request sort in
    /// the table as they stood in the request.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn batch(
        count: usize,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Vec<Self>, NoEntropy> {
        let first = new_ulid(clock, entropy)?;
        // Counting up from the random part; clearing its top bit leaves 2^79 steps of room, so
        // the count never runs into the time.
        let base = first.random() & !(1 << 79);
        Ok((0..count as u128)
            .map(|n| Self::from_ulid(Ulid::from_parts(first.timestamp_ms(), base + n)))
            .collect())
    }
}

impl CredentialId {
    /// The user that the Agency API sees in who holds it: its 128 bits as a UUID. It is the same at each call.
    pub fn user_lcuid(&self) -> String {
        let bits = Ulid::from_string(&self.0).unwrap_or_default();
        format!("LCUID-LU-{}", Uuid::from_u128(bits.0).hyphenated())
    }
}

macro_rules! lcuid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// What it begins with.
            pub const PREFIX: &str = $prefix;

            /// A new random id.
            ///
            /// # Errors
            /// When the random source fails.
            pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
                let uuid = uuid::Builder::from_random_bytes(random::<16>(entropy)?).into_uuid();
                Ok(Self(format!(concat!($prefix, "{}"), uuid.hyphenated())))
            }

            /// Reads an id; the UUID may be in either case and is kept in lower case.
            ///
            /// # Errors
            /// [`NotAnId`] when the text has another form.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                let uuid = text.strip_prefix($prefix).ok_or(NotAnId)?;
                // `Uuid` also reads braced, URN and undashed spellings; an LCUID has one.
                if uuid.len() != 36 {
                    return Err(NotAnId);
                }
                let uuid = Uuid::try_parse(uuid).map_err(|_| NotAnId)?;
                Ok(Self(format!(concat!($prefix, "{}"), uuid.hyphenated())))
            }

            /// The id as callers see it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

lcuid!(
    /// An agency.
    AgencyLcuid,
    "LCUID-LY-"
);
lcuid!(
    /// An account of an agency.
    AgencyAccountLcuid,
    "LCUID-LA-"
);
lcuid!(
    /// An app, the holder of tokens of the Agency API.
    AppLcuid,
    "LCUID-LAP-"
);

/// A time as the table and the Agency API write it: UTC with six decimals, so that text order
/// is time order.
pub fn micros(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// A time as the Identity API writes it: UTC, whole seconds.
pub fn seconds(time: Timestamp) -> String {
    format!("{time:.0}")
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A clock that stands still.
    pub(crate) struct At(pub(crate) Timestamp);
    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    /// Entropy that is always the same byte.
    pub(crate) struct Same(pub(crate) u8);
    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    /// The highest of the 80 random bits alone.
    struct Half;
    impl Entropy for Half {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            bytes.fill(0);
            bytes[6] = 0x80;
            Ok(())
        }
    }

    #[test]
    fn a_batch_is_ascending_even_from_the_highest_random_part() {
        let clock = At(Timestamp::from_second(1_790_000_000).expect("in range"));
        for entropy in [&Same(0xff) as &dyn Entropy, &Half, &Same(0)] {
            let ids = SeatId::batch(1_000, &clock, entropy).expect("entropy");
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(ids.len(), 1_000);
            assert!(ids.iter().all(|id| SeatId::parse(id.as_str()).is_ok()));
        }
    }

    #[test]
    fn batches_of_one_moment_differ() {
        let clock = At(Timestamp::from_second(1_790_000_000).expect("in range"));
        let first = |random| SeatId::batch(1, &clock, &Same(random)).expect("entropy");
        assert_ne!(first(0x11), first(0x22));
    }

    #[test]
    fn lcuids_have_one_spelling() {
        let lower = "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";
        let upper = "LCUID-LA-60F1BC3D-4172-45AD-BE4D-1DCBFCE926EF";
        assert_eq!(AgencyAccountLcuid::parse(upper), AgencyAccountLcuid::parse(lower));
        for bad in [
            "",
            "LCUID-LA-",
            "LCUID-LY-60f1bc3d-4172-45ad-be4d-1dcbfce926ef",
            "LCUID-LA-60f1bc3d417245adbe4d1dcbfce926ef",
            "LCUID-LA-{60f1bc3d-4172-45ad-be4d-1dcbfce926ef}",
            "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926eg",
            "lcuid-la-60f1bc3d-4172-45ad-be4d-1dcbfce926ef",
        ] {
            assert_eq!(AgencyAccountLcuid::parse(bad), Err(NotAnId), "{bad}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        let time: Timestamp = "2026-02-03T18:12:47Z".parse().expect("a time");
        assert_eq!(micros(time), "2026-02-03T18:12:47.000000Z");
        assert_eq!(seconds(time), "2026-02-03T18:12:47Z");
        let later = time + jiff::SignedDuration::from_nanos(999_999_999);
        assert_eq!(micros(later), "2026-02-03T18:12:47.999999Z");
        assert_eq!(seconds(later), "2026-02-03T18:12:47Z");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_the_spelling(text in any::<String>()) {
            if let Ok(id) = OrganizationId::parse(&text) {
                prop_assert_eq!(id.as_str(), text);
            }
        }
    }

    #[test]
    fn ids_are_written_with_their_prefix() {
        let clock = At(Timestamp::from_second(1_790_000_000).expect("in range"));
        let seat = SeatId::new(&clock, &Same(0)).expect("entropy");
        assert_eq!((seat.to_string(), seat.as_str()), (seat.0.clone(), seat.0.as_str()));
        assert!(seat.as_str().starts_with("acc_01") && seat.as_str().ends_with("0000"));
        assert_eq!(OrganizationId::parse(seat.as_str()), Err(NotAnId));
        let app = AppLcuid::new(&Same(0xff)).expect("entropy");
        assert_eq!(app.to_string(), "LCUID-LAP-ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(AppLcuid::parse(app.as_str()), Ok(app));
        assert_eq!(NotAnId.to_string(), "not an id of this kind");
        for bad in ["org_", "org_01KAFZQZXQXQXQXQXQXQXQXQXQ", "org_01kafzqzxqxqxqxqxqxqxqxqx!"] {
            assert_eq!(OrganizationId::parse(bad), Err(NotAnId), "{bad}");
        }
    }
}
