//! The demo tenants: what `tools/local/demo-tenants.json` describes, brought into a table.
//!
//! Everybody knows their credentials, so they belong into the table of a local stack or of a test
//! and nowhere else. The sample events of `tests/events/` name them: what a sample needs to be
//! refused, such as an address that is taken, is there from the start.

mod file;
mod seed;

pub use file::{Agency, DemoTenants, Identity, Organization, OtherAgency, Studio};
pub use seed::{SeedError, seed};
