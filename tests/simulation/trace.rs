//! What happened, one line a step. Always hashed, so that two runs can be compared; kept as text
//! when somebody wants to read it.

use std::fmt::{self, Write};

/// The record of a run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    hash: Fnv,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A record that keeps its lines.
    pub(crate) fn kept() -> Self {
        Self { lines: Some(Vec::new()), ..Self::default() }
    }

    pub(crate) fn note(&mut self, micros: u64, who: (u64, &str), what: fmt::Arguments<'_>) {
        // Hashing cannot fail.
        let _ = write!(self.hash, "{micros} {} {} {what}", who.0, who.1);
        if let Some(lines) = &mut self.lines {
            let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
            lines.push(format!("{seconds:>5}.{rest:06}  {:>3} {:<18} {what}", who.0, who.1));
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.0
    }

    pub(crate) fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>).
#[derive(Debug)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}
