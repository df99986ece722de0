//! The Seats API: an organization creates account seats in bulk and is billed by tier.

mod create;
mod deactivate;
mod ends;
mod list;
mod quote;
mod seat;
mod setup;
mod update;

pub use create::{
    Commit, CommitRefusal, CreateSeats, Created, Keyed, MAX_SEATS_PER_REQUEST, Order, SeatLedger,
    Stored, create,
};
pub use deactivate::{
    Change, DeactivateSeats, Deactivation, DeactivationRefusal, Ending, Kept, KeptSeat,
    MAX_DEACTIVATIONS_PER_REQUEST, NotDeactivated, SeatEndings, Told, Which, deactivate,
};
pub use ends::{Billed, EndTerms, Fate, LEAD, SeatsEnd, fate};
pub use list::{
    FilterInput, ListSeats, ListedSeat, MAX_LISTED_BYTES, MAX_LISTED_IDS, MAX_SEATS_PAGE,
    SeatFilter, SeatLists, SeatPage, Step, list,
};
pub use quote::{PriceList, Quote, Quoted};
pub use seat::{
    AgeRange, Details, Keywords, NewSeat, Platforms, Profile, Seat, SeatInput, SeatStatus, Sex,
    Tier, Username,
};
pub use setup::{
    Decided, Decision, MAX_REASON, NotRecorded, Outcome, Passed, SETUP_FIELDS, SetupInput,
    SetupResult, SetupState, SetupUndecided, Setups, record_setup,
};
pub use update::{
    Asked, EarlierUpdate, KEPT_FIELDS, MAX_KEPT_JSON, MAX_UPDATES_PER_REQUEST, MAX_VERSION,
    NotUpdated, SeatChange, SeatUpdate, SeatUpdates, SeatsUpdated, TEXT_FIELDS, UpdateCommit,
    UpdateFailure, UpdateInput, UpdateRefusal, UpdateSeats, Updating, Word, update,
};
