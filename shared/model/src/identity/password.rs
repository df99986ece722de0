//! Passwords (CONTRACT section 3, "Password"; NIST SP 800-63B-4, section 3.1.1.2).

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

use crate::fault::Rule;
use crate::identity::Email;
use crate::port::{Entropy, NoEntropy, random};
use crate::text::{Text, check_length};

/// Passwords that attackers try first, one a line, in lower case, each between two newlines.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");

/// What passwords are hashed in, one at a time: two would not fit into the memory of a function.
/// It is kept, because to get and clear so much takes a third of the time of a hash.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// How long passwords must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_length: usize,
}

impl PasswordPolicy {
    /// The longest password.
    pub const MAX_LENGTH: usize = 128;
    /// The shortest minimum that an operator may choose.
    pub const LOWEST_MINIMUM: usize = 8;
    /// The minimum unless an operator chooses another.
    pub const DEFAULT_MINIMUM: usize = 15;

    /// A policy with a minimum length, in Unicode scalar values; `None` when it is outside
    /// [`PasswordPolicy::LOWEST_MINIMUM`]`..=`[`PasswordPolicy::MAX_LENGTH`].
    pub fn new(min_length: usize) -> Option<Self> {
        (Self::LOWEST_MINIMUM..=Self::MAX_LENGTH)
            .contains(&min_length)
            .then_some(Self { min_length })
    }
}

impl Default for PasswordPolicy {
    /// [`PasswordPolicy::DEFAULT_MINIMUM`].
    fn default() -> Self {
        Self { min_length: Self::DEFAULT_MINIMUM }
    }
}

/// A password that the policy accepts, in NFC. It cannot be printed.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

impl Password {
    /// Checks a password. It is not trimmed: spaces are characters like any other.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn parse(
        raw: &str,
        policy: PasswordPolicy,
        email: Option<&Email>,
        name: Option<&Text>,
    ) -> Result<Self, Vec<Rule>> {
        let password: String = raw.nfc().collect();
        let mut rules = Vec::new();
        if let Err(rule) = check_length(&password, policy.min_length..=PasswordPolicy::MAX_LENGTH) {
            rules.push(rule);
        }
        let folded = fold(&password);
        if is_common(&folded) {
            rules.push(Rule::CommonPassword);
        }
        rules.extend(given_away(&folded, email, name.map(Text::as_str)));
        if rules.is_empty() { Ok(Self(password.into())) } else { Err(rules) }
    }

    /// The rules that it breaks as the password of who has this address and name.
    pub fn gives_away(&self, email: &Email, name: &str) -> Vec<Rule> {
        given_away(&fold(self.0.expose_secret()), Some(email), Some(name)).collect()
    }

    /// A password to compare with one that is kept, whatever the policy is by now. It has 1 to
    /// [`PasswordPolicy::MAX_LENGTH`] characters, as every password ever had.
    ///
    /// # Errors
    /// [`Rule::MinLength`] or [`Rule::MaxLength`].
    pub fn candidate(raw: &str) -> Result<Self, Rule> {
        let password: String = raw.nfc().collect();
        check_length(&password, 1..=PasswordPolicy::MAX_LENGTH)?;
        Ok(Self(password.into()))
    }

    /// Hashes the password: Argon2id, 19,456 KiB, 2 passes, 1 lane. It takes some 30 ms, and
    /// longer while another one is hashed in the process: they take turns.
    ///
    /// # Errors
    /// Never for a password that was parsed: parameters and salt length are constants that the
    /// algorithm takes, and the password has at most 512 bytes.
    pub fn hash(&self, salt: &Salt) -> Result<PasswordHash, argon2::Error> {
        let argon2 = argon2id();
        let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
        self.hash_into(&argon2, &salt.0, &mut hash)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt.0), STANDARD_NO_PAD.encode(hash));
        let (m, t, p) =
            (argon2.params().m_cost(), argon2.params().t_cost(), argon2.params().p_cost());
        Ok(PasswordHash(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}")))
    }

    /// Whether it is the password that was hashed. It takes as long as [`Password::hash`] with the
    /// parameters of the hash.
    pub fn is_of(&self, hash: &PasswordHash) -> bool {
        let Some((argon2, salt, kept)) = hash.parts() else { return false };
        let mut own = vec![0; kept.len()];
        self.hash_into(&argon2, &salt, &mut own).is_ok() && bool::from(own.ct_eq(&kept))
    }

    fn hash_into(
        &self,
        argon2: &Argon2<'_>,
        salt: &[u8],
        into: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        memory.resize(argon2.params().block_count(), Block::new());
        let password = self.0.expose_secret().as_bytes();
        argon2.hash_password_into_with_memory(password, salt, into, &mut *memory)
    }
}

/// What makes two hashes of one password differ: 128 random bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    /// A new one.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        random(entropy).map(Self)
    }
}

/// Text without case: letter by letter, so that where a letter stands does not matter (a final
/// sigma), and through upper case, so that letters with one capital are one (sharp s and ss).
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The rules that a folded password breaks by what it has of an address and a name.
fn given_away(
    folded: &str,
    email: Option<&Email>,
    name: Option<&str>,
) -> impl Iterator<Item = Rule> {
    let contains = |part: &str| part.chars().count() >= 4 && folded.contains(&fold(part));
    let of_email = email.is_some_and(|email| contains(email.local_part()));
    let of_name = name.is_some_and(contains);
    let rules = [of_email.then_some(Rule::ContainsEmail), of_name.then_some(Rule::ContainsName)];
    rules.into_iter().flatten()
}

/// Whether a password, in lower case, is in the embedded list.
fn is_common(folded: &str) -> bool {
    !folded.contains('\n') && COMMON_PASSWORDS.contains(&format!("\n{folded}\n"))
}

/// OWASP's second choice for Argon2id: the one with the least memory that is still advised
/// with two passes.
fn params() -> Params {
    Params::new(19_456, 2, 1, None).unwrap_or(Params::DEFAULT)
}

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params())
}

/// A hashed password as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The PHC string, for the table.
    pub fn as_phc(&self) -> &str {
        &self.0
    }

    /// The hash that a PHC string of the table is.
    pub fn of_phc(phc: String) -> Self {
        Self(phc)
    }

    /// A hash that no password is known to have, made with today's parameters: to compare with it is
    /// the work of a real comparison.
    pub fn of_nobody() -> Self {
        let params = params();
        let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
        let (salt, hash) = (
            STANDARD_NO_PAD.encode([0; 16]),
            STANDARD_NO_PAD.encode([0; Params::DEFAULT_OUTPUT_LEN]),
        );
        Self(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}"))
    }

    /// Whether a password is the one that was hashed.
    pub fn verify(&self, candidate: &str) -> bool {
        Password::candidate(candidate).is_ok_and(|candidate| candidate.is_of(self))
    }

    /// Whether it was made with less memory or fewer passes than a hash of today, or by another
    /// algorithm.
    pub fn is_weak(&self) -> bool {
        let today = params();
        self.parts().is_none_or(|(argon2, ..)| {
            let own = argon2.params();
            own.m_cost() < today.m_cost() || own.t_cost() < today.t_cost()
        })
    }

    /// The algorithm with its parameters, the salt and the hash; `None` for any but Argon2id of today's
    /// version.
    fn parts(&self) -> Option<(Argon2<'static>, Vec<u8>, Vec<u8>)> {
        let parsed = phc::PasswordHash::new(&self.0).ok()?;
        let is_known = parsed.algorithm.as_str() == "argon2id"
            && parsed.version == Some(u32::from(Version::V0x13));
        let params = Params::try_from(&parsed).ok().filter(|_| is_known)?;
        let (salt, hash) = (parsed.salt?, parsed.hash?);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Some((argon2, salt.to_vec(), hash.as_bytes().to_vec()))
    }
}

/// A place to hash passwords and to compare them with hashes, which takes the processor for tens of
/// milliseconds each.
pub trait Hashing: Sync {
    /// The hash; `None` when there is no memory for it.
    fn hash(
        &self,
        password: Password,
        salt: Salt,
    ) -> impl Future<Output = Option<PasswordHash>> + Send;

    /// Whether a password is the one that was hashed; `None` as above.
    fn verify(
        &self,
        password: Password,
        hash: PasswordHash,
    ) -> impl Future<Output = Option<bool>> + Send {
        async move { Some(password.is_of(&hash)) }
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::tests::Same;

    fn parse(raw: &str) -> Result<Password, Vec<Rule>> {
        let email = Email::parse("owner@example.com").expect("an address");
        let name = Text::line("Acme Inc.", 1..=255).expect("a name");
        Password::parse(raw, PasswordPolicy::default(), Some(&email), Some(&name))
    }

    fn salt(byte: u8) -> Salt {
        Salt::new(&Same(byte)).expect("entropy")
    }

    fn rules(raw: &str) -> Vec<Rule> {
        parse(raw).err().unwrap_or_default()
    }

    #[test]
    fn the_policy() {
        assert_eq!(rules("secure_password_here"), []);
        assert_eq!(rules("пароль из многих слов"), []);
        assert_eq!(rules("               "), [], "spaces are characters");
        assert_eq!(rules("fourteen chars"), [Rule::MinLength(15)]);
        assert_eq!(rules(&"x7".repeat(64)), []);
        assert_eq!(rules(&"x7".repeat(65)), [Rule::MaxLength(128)]);
        assert_eq!(rules("PasswordPassword"), [Rule::CommonPassword]);
        assert_eq!(rules("123456789012345"), [Rule::CommonPassword]);
        assert_eq!(rules("my OWNER is great"), [Rule::ContainsEmail]);
        assert_eq!(rules("long enough acme inc."), [Rule::ContainsName]);
        assert_eq!(rules("owner acme inc"), [Rule::MinLength(15), Rule::ContainsEmail]);
    }

    #[test]
    fn short_parts_may_appear() {
        let email = Email::parse("bob@example.com").expect("an address");
        let name = Text::line("Bo", 1..=255).expect("a name");
        let policy = PasswordPolicy::default();
        assert!(Password::parse("bob bob bob bob bob", policy, Some(&email), Some(&name)).is_ok());
    }

    #[test]
    fn the_minimum_can_be_lowered_to_eight() {
        assert_eq!(PasswordPolicy::new(7), None);
        let policy = PasswordPolicy::new(8).expect("allowed");
        assert!(Password::parse("7 chars", policy, None, None).is_err());
        assert!(Password::parse("8 chars!", policy, None, None).is_ok());
        assert_eq!(
            Password::parse("sunshine", policy, None, None).err(),
            Some(vec![Rule::CommonPassword])
        );
    }

    #[test]
    fn a_line_break_does_not_reach_across_the_list() {
        let mut lines = COMMON_PASSWORDS.lines().filter(|line| !line.is_empty());
        let two = format!("{}\n{}", lines.next().unwrap(), lines.next().unwrap());
        assert!(COMMON_PASSWORDS.contains(&two));
        assert!(!is_common(&two));
        assert!(!is_common(""));
    }

    #[test]
    fn the_hash_is_argon2id_with_the_documented_parameters_and_verifies() {
        let password = parse("secure_password_here").expect("accepted");
        let hash = password.hash(&salt(3)).expect("a hash");
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_phc());
        assert!(hash.verify("secure_password_here"));
        assert!(!hash.verify("secure_password_herf"));
        let other_salt = password.hash(&salt(4)).expect("a hash");
        assert_ne!(hash, other_salt);
    }

    #[test]
    fn a_hash_of_other_parameters_is_compared_with_these_and_told_when_it_is_weak() {
        let password = Password::candidate("x").expect("one character");
        for (m, t, is_weak) in
            [(19_456, 2, false), (19_456, 1, true), (8, 2, true), (20_000, 3, false)]
        {
            let params = Params::new(m, t, 1, None).expect("parameters");
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut hash = [0; 32];
            password.hash_into(&argon2, &[7; 16], &mut hash).expect("memory");
            let (salt, hash) = (STANDARD_NO_PAD.encode([7; 16]), STANDARD_NO_PAD.encode(hash));
            let kept =
                PasswordHash::of_phc(format!("$argon2id$v=19$m={m},t={t},p=1${salt}${hash}"));
            assert!(password.is_of(&kept) && kept.verify("x") && !kept.verify("y"), "{m} {t}");
            assert_eq!(kept.is_weak(), is_weak, "{m} {t}");
        }
        for broken in ["", "x", "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA"] {
            let broken = PasswordHash::of_phc(broken.to_owned());
            assert!(!password.is_of(&broken) && broken.is_weak());
        }
    }

    #[test]
    fn the_hash_of_nobody_is_as_much_work_and_nobodys() {
        let nobody = PasswordHash::of_nobody();
        assert!(!nobody.is_weak() && nobody.parts().is_some());
        assert!(!nobody.verify("secure_password_here"));
    }

    #[test]
    fn a_candidate_has_a_length_that_a_password_can_have_and_no_other_rule() {
        for good in ["x", "password", &"é".repeat(128)] {
            assert!(Password::candidate(good).is_ok(), "{good}");
        }
        assert_eq!(Password::candidate("").err(), Some(Rule::MinLength(1)));
        assert_eq!(Password::candidate(&"x".repeat(129)).err(), Some(Rule::MaxLength(128)));
    }

    #[test]
    fn composed_and_decomposed_spellings_are_one_password() {
        let composed = parse("caf\u{e9} au lait, sil vous plait").expect("accepted");
        let hash = composed.hash(&salt(3)).expect("a hash");
        assert!(hash.verify("cafe\u{301} au lait, sil vous plait"));
    }

    #[test]
    fn it_cannot_be_printed() {
        let password = parse("secure_password_here").expect("accepted");
        assert!(!format!("{password:?}").contains("secure_password"));
    }
}
