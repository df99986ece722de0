//! create-seats
