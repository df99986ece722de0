#!/bin/sh
# The crate argon2 does not verify every hash that the reference implementation made, although it reads the same text form.
# Where the version is left out, as in all hashes made before version 1.3 (2016), it means 1.0: the crate takes it for 1.3
# and answers that the password is wrong. Hashes of more than 64 bytes and salts of more than 48 do not parse. Accounts that come
# from another system with such hashes can never log in, and the error looks like the user's. `$v=16` put into the
# text before it is parsed is the cure for the first.
#
# Sources: the reference implementation, src/encoding.c, decode_string (version 0x10 where `v` is missing); RFC 9106, 3.1
# (a tag of up to 2^32-1 bytes, a salt likewise).
#
# Seen on 2026-11-29, argon2-cffi 25.1.0 with argon2-cffi-bindings 26.2.0 (the reference implementation), crate argon2 0.6.0:
#   hash              reference  crate
#   v=19              True       Ok(())
#   v=16              True       Ok(())
#   version left out  True       Err(PasswordInvalid)
#   65 bytes          True       unreadable
#   salt of 49 bytes  True       unreadable
#
# Needs cargo and python3 with venv. Fails when the packages behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check argon2-cffi==25.1.0 argon2-cffi-bindings==26.2.0
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "hashes"
edition = "2024"

[workspace]

[dependencies]
argon2 = "=0.6.0"
TOML
cat > hashes.py <<'PYTHON'
from argon2.low_level import Type, hash_secret, verify_secret

PASSWORD = b"correct horse"


def made(version=19, salt=16, length=32):
    cheap = {"time_cost": 2, "memory_cost": 64, "parallelism": 1, "type": Type.ID}
    return hash_secret(PASSWORD, b"s" * salt, hash_len=length, version=version, **cheap).decode()


hashes = {
    "v=19": made(),
    "v=16": made(version=16),
    "version left out": made(version=16).replace("$v=16", ""),
    "65 bytes": made(length=65),
    "salt of 49 bytes": made(salt=49),
}
for name, text in hashes.items():
    print(name, verify_secret(text.encode(), PASSWORD, Type.ID), text, sep="\t")
PYTHON
cat > src/main.rs <<'RUST'
use argon2::{Argon2, PasswordVerifier, password_hash::phc::PasswordHash};

fn main() {
    for line in std::io::stdin().lines().map(Result::unwrap) {
        let [name, reference, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let verified = PasswordHash::new(text)
            .map(|hash| format!("{:?}", Argon2::default().verify_password(b"correct horse", &hash)))
            .unwrap_or("unreadable".to_owned());
        println!("{name:<17} {reference:<10} {verified}");
    }
}
RUST
venv/bin/python hashes.py >hashes.txt
seen=$(cargo run --quiet <hashes.txt)
echo "$seen"
test "$seen" = "v=19              True       Ok(())
v=16              True       Ok(())
version left out  True       Err(PasswordInvalid)
65 bytes          True       unreadable
salt of 49 bytes  True       unreadable"
