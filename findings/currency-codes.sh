#!/bin/sh
# npm currency-codes 2.2.0, the most used list of ISO 4217 in JavaScript, is the list of 2024-06-25, and nothing in its
# version says so. A program that validates with it takes ANG (withdrawn 2025-03), BGN (2026-01) and CUC (2021-06), and
# refuses XCG, which is paid with in Curaçao since 2025-03-31. The lists of 2026-01-01 have none of the three.
#
# Seen on 2026-11-29, Node 20:
#   2024-06-25 ANG:true BGN:true CUC:true HRK:false XCG:false ZWG:true
#
# Needs node and npm. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund currency-codes@2.2.0
seen=$(node --eval '
  const codes = require("currency-codes");
  const known = ["ANG", "BGN", "CUC", "HRK", "XCG", "ZWG"].map((code) => `${code}:${codes.code(code) !== undefined}`);
  console.log(codes.publishDate, ...known);
')
echo "$seen"
test "$seen" = "2024-06-25 ANG:true BGN:true CUC:true HRK:false XCG:false ZWG:true"
