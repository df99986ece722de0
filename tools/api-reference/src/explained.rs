//! What can go wrong, explained to callers: why, and what to do.

use headcount_api::Answer;

use crate::operation::Op;

/// Why something is refused and what helps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) cause: &'static str,
    pub(crate) cure: &'static str,
}

/// One refusal.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Names its example in the document.
    pub key: &'static str,
    /// The operations that can give it.
    pub at: &'static [Op],
    /// What the caller is answered, to the byte; a part of it may depend on the request.
    pub answer: Answer,
    pub(crate) words: Words,
}

/// Lists every value of a type with something to say about it. Each line has a pattern and a sample
/// of it; the patterns are the arms of a `match`, so that the compiler asks for a line for
/// whatever is new.
macro_rules! explained {
    ($name:ident: $of:ty => $about:ty; $($pattern:pat, $sample:expr => $said:expr;)*) => {
        fn $name() -> Vec<($of, $about)> {
            #[allow(unreachable_patterns)] // A pattern may have several samples.
            const COMPLETE: fn(&$of) = |it| match it { $($pattern => {})* };
            let line = |of: $of, about: $about| (of, about);
            let all = vec![$(line($sample, $said)),*];
            all.iter().for_each(|(it, _)| COMPLETE(it));
            all
        }
    };
}
pub(crate) use explained;

/// What is said about a refusal: the key of its example, the operations that can give it, cause
/// and cure. Nothing is said about one that no operation gives.
pub(crate) type Said = Option<(&'static str, &'static [Op], Words)>;

/// The refusals of an API, worded by its dialect.
pub(crate) fn worded<D: headcount_api::Dialect>(
    all: Vec<(headcount_api::Failure<D::Refusal>, Said)>,
) -> Vec<Refusal> {
    all.into_iter()
        .filter_map(|(failure, said)| {
            let (key, at, words) = said?;
            Some(Refusal { key, at, answer: D::word(failure), words })
        })
        .collect()
}

pub(crate) const MALFORMED_JSON: Words = Words {
    cause: "The body is not one JSON object: it is malformed or empty, an array or another value, has text behind it, \
            the same key twice, a lone surrogate, bytes that are not UTF-8, more than 32 levels, or more than 100,000 values. A body that \
            reaches the function as text and holds U+FFFD counts as not UTF-8: gateways put that character where \
            bytes were not. The message says what and where.",
    cure: "Send one JSON object in UTF-8. If you mean U+FFFD, write `\\ufffd`.",
};
pub(crate) const BAD_KEY: Words = Words {
    cause: "The `Idempotency-Key` header is there twice, empty, longer than 255 characters or has something other \
            than visible ASCII in it.",
    cure: "Send one key of 1 to 255 visible ASCII characters, a UUID for example.",
};
pub(crate) const TOO_LARGE: Words = Words {
    cause: "The body has more bytes than the message says.",
    cure: "Send less in one request.",
};
pub(crate) const NOT_JSON: Words = Words {
    cause: "`Content-Type` is missing or says something other than JSON in UTF-8.",
    cure: "Send `Content-Type: application/json`.",
};
pub(crate) const ENCODED: Words = Words {
    cause: "The request has a `Content-Encoding`.",
    cure: "Send the body as it is, not compressed.",
};
pub(crate) const KEY_REUSED: Words = Words {
    cause: "The same caller used this `Idempotency-Key` on this endpoint within the last 24 hours with a body that \
            differs, be it in one byte. Nothing was done.",
    cure: "To repeat the earlier request, send its very body. For a new one, take a new key.",
};
pub(crate) const TOO_MANY_REQUESTS: Words = Words {
    cause: "More requests than the table takes at this moment, in all or for one tenant. Nothing was done.",
    cure: "Send it again after `Retry-After` seconds, with the same `Idempotency-Key`; wait longer each time.",
};
pub(crate) const UNAVAILABLE: Words = Words {
    cause: "Something behind the API did not answer in time. A create may have been carried out all the same.",
    cure: "Send the same body with the same `Idempotency-Key` after `Retry-After` seconds: nothing is done twice. \
           Without a key, look before you create again.",
};
