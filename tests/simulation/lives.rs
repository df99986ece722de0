//! What became of each seat and of each identity account, commit by commit. Whoever is told of a state
//! has to be told of one that there was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::table::{Row, number, text};

/// What one commit left of a seat or an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// When, in microseconds since the beginning.
    pub(crate) at: u64,
    pub(crate) version: i64,
    row: Row,
}

impl State {
    /// An attribute; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        text(&self.row, name)
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.text("status"), "deactivated" | "closed")
    }
}

/// What does not hold: the number of the invariant, and in words.
type Broken = (u8, String);

/// For how long the address of a closed account is nobody's, in microseconds: 30 days, less what clocks are off.
const RETENTION: u64 = (30 * 24 * 60 - 10) * 60_000_000;

/// What an account had that nobody may find when it is closed.
const PERSONAL: [&str; 6] =
    ["email", "email_ascii", "name", "password_hash", "currency", "timezone"];

/// All of them, by their ids.
#[derive(Default)]
pub(crate) struct Lives {
    seats: BTreeMap<String, Vec<State>>,
    accounts: BTreeMap<String, Vec<State>>,
    /// Whose each address is, and whether it is only kept from others after their end.
    locks: BTreeMap<String, (String, bool)>,
    /// When accounts were closed: their addresses are kept for 30 days.
    closed: BTreeMap<String, u64>,
}

impl Lives {
    /// Takes what one operation committed: each item as it was and is.
    pub(crate) fn commit<'r>(
        &mut self,
        at: u64,
        images: impl Iterator<Item = (Option<&'r Row>, Option<&'r Row>)>,
    ) -> Vec<Broken> {
        let mut broken = Vec::new();
        let mut has_identity = false;
        for (old, new) in images {
            let Some(row) = new.or(old) else { continue };
            match (text(row, "sk"), new) {
                ("EMAIL", _) => {
                    has_identity = true;
                    let address = text(row, "pk").trim_start_matches("EMAIL#").to_owned();
                    if let Some((id, true)) = self.locks.remove(&address)
                        && self.closed.get(&id).is_some_and(|closed| at < closed + RETENTION)
                    {
                        broken.push((
                            3,
                            format!("{address} of {id}, which was closed, is given away"),
                        ));
                    }
                    if let Some(lock) = new {
                        let is_kept = lock.contains_key("expires_at");
                        self.locks.insert(address, (text(lock, "account").to_owned(), is_kept));
                    }
                }
                ("ACCOUNT", Some(new)) => {
                    has_identity = true;
                    let id = text(new, "pk").trim_start_matches("ACCOUNT#").to_owned();
                    if text(new, "status") == "closed" {
                        self.closed.entry(id.clone()).or_insert(at);
                    }
                    let states = self.accounts.entry(id).or_default();
                    broken.extend(of_account(states, at, new));
                }
                (sk, Some(new)) if sk.starts_with("SEAT#") => {
                    let states = self.seats.entry(text(new, "id").to_owned()).or_default();
                    broken.extend(of_seat(states, at, new));
                }
                _ => {}
            }
        }
        if has_identity {
            broken.extend(self.addresses());
        }
        broken
    }

    /// Each open account has the lock on its address, and each other lock keeps that of a closed one.
    fn addresses(&self) -> Option<Broken> {
        let open = self.accounts.iter().filter_map(|(id, states)| {
            let state = states.last().filter(|state| !state.has_ended())?;
            Some((state.text("email").to_lowercase(), (id.clone(), false)))
        });
        let mut due: BTreeMap<_, _> = open.collect();
        let is_closed = |id: &String| {
            let states = self.accounts.get(id);
            states.and_then(|states| states.last()).is_some_and(State::has_ended)
        };
        let kept = self.locks.iter().filter(|(_, (id, is_kept))| *is_kept && is_closed(id));
        due.extend(kept.map(|(address, lock)| (address.clone(), lock.clone())));
        (self.locks != due).then(|| (3, format!("locks {:?} for accounts {due:?}", self.locks)))
    }

    /// Every state that a seat has had.
    pub(crate) fn seat(&self, id: &str) -> &[State] {
        self.seats.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every state that an account has had.
    pub(crate) fn account(&self, id: &str) -> &[State] {
        self.accounts.get(id).map_or(&[], Vec::as_slice)
    }

    /// Seats that callers have changed, but for their end, and accounts likewise; and accounts that are
    /// closed.
    pub(crate) fn changed(&self) -> BTreeSet<(&'static str, String, String)> {
        let mut changed = BTreeSet::new();
        for (id, states) in &self.seats {
            let pairs = states.windows(2);
            let is_update = |pair: &[State]| {
                !pair[1].has_ended() && pair[0].text("ends_at") == pair[1].text("ends_at")
            };
            if pairs.into_iter().any(is_update) {
                let owner = states[0].text("organization").to_owned();
                changed.insert(("SeatUpdated", owner, id.clone()));
            }
        }
        for (id, states) in &self.accounts {
            let raised = states.windows(2).filter(|pair| pair[0].version < pair[1].version);
            let kinds = raised.map(|pair| match pair[1].has_ended() {
                true => "AccountDeleted",
                false => "AccountUpdated",
            });
            changed.extend(kinds.map(|kind| (kind, String::new(), id.clone())));
            if !states.is_empty() {
                changed.insert(("AccountCreated", String::new(), id.clone()));
            }
        }
        changed
    }

    /// The accounts that signed up under a name.
    pub(crate) fn signed_up(&self, name: &str) -> BTreeSet<String> {
        let first = self.accounts.iter().filter(|(_, states)| states[0].text("name") == name);
        first.map(|(id, _)| id.clone()).collect()
    }

    /// How often accounts were given a name after their sign-up.
    pub(crate) fn named<'s>(
        &'s self,
        name: &'s str,
    ) -> impl Iterator<Item = (&'s String, usize)> + 's {
        self.accounts.iter().map(move |(id, states)| {
            let into =
                |pair: &&[State]| pair[0].text("name") != name && pair[1].text("name") == name;
            (id, states.windows(2).filter(into).count())
        })
    }

    /// Whether one account has had an address all the time since then.
    pub(crate) fn is_held_since(&self, address: &str, since: u64) -> bool {
        self.accounts.values().any(|states| {
            let is_it = |state: &&State| {
                !state.has_ended() && state.text("email").eq_ignore_ascii_case(address)
            };
            let held = states.iter().rev().take_while(is_it).last();
            held.is_some_and(|first| first.at <= since)
        })
    }

    /// Whether a seat that somebody was shown is an organization's and was once as it was shown.
    pub(crate) fn has_been(
        &self,
        organization: &str,
        id: &str,
        shown: &Value,
    ) -> Result<(), String> {
        let states = self.seat(id);
        let is_own = states.iter().any(|state| state.text("organization") == organization);
        if !is_own {
            return Err("which is not its own".to_owned());
        }
        let is_it = |state: &&State| {
            let names = ["tier", "status", "tag", "org_group", "platform", "username"];
            Some(state.version) == shown["version"].as_i64()
                && names.iter().all(|n| state.text(n) == shown[n].as_str().unwrap_or_default())
        };
        let is_known = states.iter().any(|state| is_it(&state));
        is_known.then_some(()).ok_or_else(|| format!("which was never {shown}"))
    }

    /// The seats of an organization that are there from one time to another, of a tag or of any.
    pub(crate) fn there(
        &self,
        organization: &str,
        tag: Option<&str>,
        (from, to): (u64, u64),
    ) -> BTreeSet<String> {
        let is_there = |states: &&Vec<State>| {
            let first = &states[0];
            first.text("organization") == organization
                && tag.is_none_or(|tag| first.text("tag") == tag)
                && first.at <= from
                && !states.iter().any(|state| state.has_ended() && state.at <= to)
        };
        let seats = self.seats.iter().filter(|(_, states)| is_there(states));
        seats.map(|(id, _)| id.clone()).collect()
    }
}

/// Each change of a seat raises its version by one, and leaves what nobody can change.
fn of_seat(states: &mut Vec<State>, at: u64, new: &Row) -> Option<Broken> {
    let (id, version) = (text(new, "id"), number(new, "version"));
    let state = State { at, version, row: new.clone() };
    let broken = states.last().and_then(|last| {
        let same = ["organization", "tag", "created_at", "created_by", "username"];
        let other = same.into_iter().find(|name| last.text(name) != state.text(name));
        if let Some(name) = other {
            return Some((4, format!("{id} has another {name}")));
        }
        let is_next = version == last.version + 1;
        (!is_next).then(|| (4, format!("{id} went from version {} to {version}", last.version)))
    });
    states.push(state);
    broken
}

/// As of a seat. What changes without a version is bookkeeping, and what is closed changes no more.
fn of_account(states: &mut Vec<State>, at: u64, new: &Row) -> Option<Broken> {
    let (id, version) = (text(new, "pk").to_owned(), number(new, "version"));
    let state = State { at, version, row: new.clone() };
    let broken = states.last().and_then(|last| {
        if last.has_ended() {
            return Some((4, format!("{id} was closed and changed")));
        }
        if state.has_ended()
            && let Some(name) = PERSONAL.iter().find(|name| new.contains_key(**name))
        {
            return Some((9, format!("{id} is closed and has its {name}")));
        }
        let kept = ["email", "name", "status", "updated_at"];
        let is_same = kept.iter().all(|name| last.text(name) == state.text(name));
        let is_next = version == last.version + 1 || (version == last.version && is_same);
        (!is_next).then(|| (4, format!("{id} went from version {} to {version}", last.version)))
    });
    states.push(state);
    broken
}
