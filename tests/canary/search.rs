//! Looking for secrets, however they are written.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How many bytes of a secret in a row count as the secret. Fewer may be chance.
const WINDOW: usize = 12;

/// Something that must not be told.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    what: String,
    bytes: Vec<u8>,
}

impl Secret {
    pub(crate) fn new(what: impl Into<String>, secret: impl AsRef<[u8]>) -> Self {
        let bytes = secret.as_ref().to_owned();
        assert!(bytes.len() >= WINDOW, "too short to be told from chance");
        Self { what: what.into(), bytes }
    }

    /// Any part of the secret that is long enough, as it might be written: raw, percent-encoded,
    /// in hexadecimal, as Rust prints bytes, and in base64 at each of three offsets. Each spelling
    /// has at least [`WINDOW`] bytes.
    fn spellings(&self) -> Vec<Vec<u8>> {
        let mut spellings = Vec::new();
        for window in self.bytes.windows(WINDOW).step_by(WINDOW / 2) {
            let joined = |each: &dyn Fn(&u8) -> String, between: &str| {
                window.iter().map(each).collect::<Vec<_>>().join(between).into_bytes()
            };
            spellings.push(window.to_vec());
            spellings.push(joined(&|byte| format!("{byte:02x}"), ""));
            spellings.push(joined(&|byte| format!("{byte:02X}"), ""));
            spellings.push(joined(&|byte| format!("%{byte:02X}"), ""));
            spellings.push(joined(&|byte| byte.to_string(), ", "));
            spellings.push(joined(&|byte| percent_encoded(*byte), ""));
            spellings.push(joined(&|byte| byte.escape_ascii().to_string(), ""));
            for offset in 0..3 {
                spellings.extend(base64_inside(window, offset));
            }
        }
        spellings
    }
}

/// As a form encodes it.
fn percent_encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02X}"),
    }
}

/// The digits of base64, in both alphabets, that depend on nothing but these bytes, when `offset`
/// bytes come before them in their group of three.
fn base64_inside(bytes: &[u8], offset: usize) -> [Vec<u8>; 2] {
    let whole = &bytes[(3 - offset) % 3..];
    let whole = &whole[..whole.len() - whole.len() % 3];
    [STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)].map(String::into_bytes)
}

/// Finds all spellings of all secrets in one pass over a text.
pub(crate) struct Finder<'s> {
    secrets: &'s [Secret],
    /// By their first bytes, the spellings with the secret that each belongs to.
    spellings: HashMap<[u8; WINDOW], Vec<(usize, Vec<u8>)>>,
    /// Whether some spelling begins with these two bytes.
    begins: Vec<bool>,
}

impl<'s> Finder<'s> {
    pub(crate) fn new(secrets: &'s [Secret]) -> Self {
        let mut finder = Self { secrets, spellings: HashMap::new(), begins: vec![false; 1 << 16] };
        for (n, secret) in secrets.iter().enumerate() {
            for spelling in secret.spellings() {
                let first: [u8; WINDOW] = spelling[..WINDOW].try_into().expect("long enough");
                finder.begins[usize::from(u16::from_be_bytes([first[0], first[1]]))] = true;
                finder.spellings.entry(first).or_default().push((n, spelling));
            }
        }
        finder
    }

    /// The names of the secrets that are in a text.
    pub(crate) fn find(&self, text: &[u8]) -> BTreeSet<&'s str> {
        let mut found = BTreeSet::new();
        for (place, first) in text.windows(WINDOW).enumerate() {
            if !self.begins[usize::from(u16::from_be_bytes([first[0], first[1]]))] {
                continue;
            }
            for (n, spelling) in self.spellings.get(first).into_iter().flatten() {
                if text[place..].starts_with(spelling) {
                    found.insert(self.secrets[*n].what.as_str());
                }
            }
        }
        found
    }
}

/// Everything that leaves the functions, each piece with where it was found. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collected(Arc<Mutex<Vec<Piece>>>);

/// A place, and what was found there.
type Piece = (&'static str, Vec<u8>);

impl Collected {
    /// Keeps a text or bytes.
    pub(crate) fn keep(&self, place: &'static str, text: impl AsRef<[u8]>) {
        let piece = (place, text.as_ref().to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
    }

    /// Keeps what a value looks like when somebody prints it.
    pub(crate) fn debug(&self, value: &(impl Debug + ?Sized)) {
        self.keep("Debug", format!("{value:?}"));
    }

    /// How many pieces came from a place.
    pub(crate) fn count(&self, place: &str) -> usize {
        let pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.iter().filter(|(from, _)| *from == place).count()
    }

    /// The secrets that are told, and where.
    pub(crate) fn told(&self, secrets: &[Secret]) -> Vec<String> {
        let finder = Finder::new(secrets);
        let pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        for (place, text) in pieces.iter() {
            for what in finder.find(text) {
                told.push(format!("{what} in {place}: {}", String::from_utf8_lossy(text)));
            }
        }
        told
    }
}

/// Log lines are kept one by one, less those of the embedded DynamoDB, which stands for another
/// service.
impl io::Write for Collected {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !line.windows(11).any(|part| part == b" dynoxide::") {
            self.keep("log", line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_spelling_is_found() {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    const SECRET: &str = "correct horse/battery+staple é";
    let secrets = [Secret::new("a secret", SECRET)];
    let finder = Finder::new(&secrets);
    let finds = |text: &str| finder.find(text.as_bytes()).contains("a secret");
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(finds(&format!("password={SECRET}&")));
    assert!(finds(&format!("…{}…", &SECRET[5..25])), "a part of it");
    assert!(finds(&hex));
    assert!(finds(&hex.to_uppercase()));
    assert!(finds("p=correct+horse%2Fbattery%2Bstaple+%C3%A9"));
    assert!(finds(&format!("{:?}", SECRET.as_bytes())), "as Rust prints bytes");
    assert!(finds(r#"b"battery+staple \xc3\xa9""#), "as Rust escapes bytes");
    for before in ["", "a", "ab"] {
        assert!(finds(&STANDARD.encode(format!("{before}{SECRET}"))), "{before}");
        assert!(finds(&URL_SAFE_NO_PAD.encode(format!("{before}{SECRET}"))), "{before}");
    }
    assert!(!finds("another text altogether, of no horse and no battery"));
}
