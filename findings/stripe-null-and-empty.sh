#!/bin/sh
# Two official libraries of Stripe, the same update, different requests. `null` in stripe-node clears a field: it is sent
# as an empty string. `None` in stripe-python is left out: the field keeps what it has, and the call succeeds; there it
# takes "". And an empty list is left out by both, because a list is sent as its elements: `discounts: []` removes
# no discount. A port from one language to the other loses its deletions without an error.
#
# Source: https://docs.stripe.com/api/metadata (a key is unset by an empty value); the readmes tell nothing of null, None or [].
#
# Seen on 2026-11-29, stripe 23.1.0 (npm) and 16.1.0 (PyPI), the body that arrives:
#   node description=&metadata[plan]=&cancel_at_period_end=false
#   python cancel_at_period_end=false
#
# Needs node, npm and python3 with venv. Fails when the packages behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund stripe@23.1.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check stripe==16.1.0
cat > update.mjs <<'NODE'
import http from "node:http";
import Stripe from "stripe";

const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    console.log("node", decodeURIComponent(body));
    response.end('{"id":"sub_1","object":"subscription"}');
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const stripe = new Stripe("sk_test_x", { host: "127.0.0.1", port: server.address().port, protocol: "http" });
await stripe.subscriptions.update("sub_1", {
  description: null,
  metadata: { plan: null },
  discounts: [],
  cancel_at_period_end: false,
});
process.exit(0);
NODE
cat > update.py <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

import stripe


class Stripe(BaseHTTPRequestHandler):
    def do_POST(self):
        print("python", unquote(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        answer = b'{"id":"sub_1","object":"subscription"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Stripe)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = stripe.StripeClient("sk_test_x", base_addresses={"api": f"http://127.0.0.1:{server.server_port}"})
client.v1.subscriptions.update(
    "sub_1",
    {"description": None, "metadata": {"plan": None}, "discounts": [], "cancel_at_period_end": False},
)
PYTHON
seen=$(node update.mjs && venv/bin/python update.py)
echo "$seen"
test "$seen" = "node description=&metadata[plan]=&cancel_at_period_end=false
python cancel_at_period_end=false"
