//! create-agency-account
