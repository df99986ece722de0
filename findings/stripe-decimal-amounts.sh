#!/bin/sh
# stripe-node reads `unit_amount_decimal` and its like as objects since major 21, no longer as strings. They print, join
# and go to JSON like the string did, so code that was written before seems to work. But two equal amounts are never
# equal, neither with == nor as keys of a Map or a Set, and < compares them as text: 900 is more than 1050.5, and the cheapest
# price is the wrong one. `-` computes, `+` joins. What works is `.cmp`, `.eq`, `.lt`, `.add`.
#
# Source: stripe-node's changelog tells of the type; that valueOf gives text stands in a comment of its source alone.
#
# Seen on 2026-11-29, stripe 23.1.0 (npm), prices of 900, 1050.50 and 900:
#   json ["900","1050.5","900"]
#   900 < 1050.5: false, with lt: true
#   900 == 900: false, distinct amounts: 3
#   900 + 1050.5: 9001050.5, 1050.5 - 900: 150.5
#
# Needs node and npm. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund stripe@23.1.0
cat > prices.mjs <<'NODE'
import http from "node:http";
import Stripe from "stripe";

const prices = ["900", "1050.50", "900"].map((unit_amount_decimal, at) => ({
  id: `price_${at}`,
  object: "price",
  unit_amount_decimal,
}));
const server = http.createServer((request, response) =>
  response.end(JSON.stringify({ object: "list", url: "/v1/prices", has_more: false, data: prices })),
);
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const stripe = new Stripe("sk_test_x", { host: "127.0.0.1", port: server.address().port, protocol: "http" });
const [a, b, c] = (await stripe.prices.list()).data.map((price) => price.unit_amount_decimal);
console.log("json", JSON.stringify([a, b, c]));
console.log(`900 < 1050.5: ${a < b}, with lt: ${a.lt(b)}`);
console.log(`900 == 900: ${a == c}, distinct amounts: ${new Set([a, b, c]).size}`);
console.log(`900 + 1050.5: ${a + b}, 1050.5 - 900: ${b - a}`);
process.exit(0);
NODE
seen=$(node prices.mjs)
echo "$seen"
test "$seen" = 'json ["900","1050.5","900"]
900 < 1050.5: false, with lt: true
900 == 900: false, distinct amounts: 3
900 + 1050.5: 9001050.5, 1050.5 - 900: 150.5'
