//! What the table has to hold whichever function writes: limits, races, faults, the audit.

mod audit;
mod limits;
mod races;
mod store_faults;
