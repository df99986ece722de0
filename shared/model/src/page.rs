//! Pages of lists of which not everything that is looked at is shown: one look, at a known price, whatever
//! there is.

/// The most entries that are looked at for a page of a list most of which may not be shown.
pub const MOST_LOOKED_AT: u16 = 1_000;

/// What was looked at of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked<T> {
    /// The entries, each with its position.
    pub entries: Vec<(String, T)>,
    /// The last position that was looked at, where there may be more behind it.
    pub more_behind: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is shown.
    pub entries: Vec<T>,
    /// Behind which position the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// How many entries are looked at for a page of `limit`: one more than it shows tells whether there is more.
/// Where many are not shown, which `is_selective` says, it is [`MOST_LOOKED_AT`].
pub fn looks_at(limit: u16, is_selective: bool) -> u16 {
    let more = limit.saturating_add(1);
    if is_selective { more.max(MOST_LOOKED_AT) } else { more }
}

impl<T> Looked<T> {
    /// The page: of the entries that are shown the first `limit`. It may have fewer, even none, before the
    /// end.
    pub fn page(self, limit: u16, shows: impl Fn(&T) -> bool) -> Page<T> {
        let mut shown: Vec<_> = self.entries.into_iter().filter(|(_, one)| shows(one)).collect();
        let is_full = shown.len() > usize::from(limit);
        shown.truncate(limit.into());
        let last = shown.last().map(|(position, _)| position.clone());
        Page {
            next: if is_full { last } else { self.more_behind },
            entries: shown.into_iter().map(|(_, one)| one).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(count: u16, more_behind: Option<&str>) -> Looked<u16> {
        Looked {
            entries: (0..count).map(|n| (n.to_string(), n)).collect(),
            more_behind: more_behind.map(str::to_owned),
        }
    }

    #[test]
    fn a_page_ends_at_the_last_that_it_shows_or_where_it_stopped_looking() {
        let page = |(count, more_behind), all: bool| {
            let page = looked(count, more_behind).page(2, |n: &u16| all || n.is_multiple_of(2));
            (page.entries, page.next)
        };
        let at = |position: &str| Some(position.to_owned());
        assert_eq!(page((3, Some("2")), true), (vec![0, 1], at("1")));
        assert_eq!(page((2, None), true), (vec![0, 1], None));
        assert_eq!(page((6, Some("5")), false), (vec![0, 2], at("2")));
        assert_eq!(page((2, Some("1")), false), (vec![0], at("1")));
        assert_eq!(page((0, Some("x")), false), (vec![], at("x")));
    }

    #[test]
    fn it_looks_at_one_more_or_as_far_as_it_may() {
        assert_eq!((looks_at(1, false), looks_at(100, false)), (2, 101));
        assert_eq!((looks_at(1, true), looks_at(u16::MAX, true)), (1_000, u16::MAX));
    }
}
