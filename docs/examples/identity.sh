#!/usr/bin/env bash
# Identity API: an administrator creates an account; prints its id.
# Needs HEADCOUNT_API (base address), HEADCOUNT_ADMIN_TOKEN and HEADCOUNT_EMAIL, an address that has no account yet.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_ADMIN_TOKEN:?}" "${HEADCOUNT_EMAIL:?}"

# One key per intent: a request that --retry sends again finds its own account, not "email_exists".
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X POST "$HEADCOUNT_API/v1/accounts" \
  -H "Authorization: Bearer $HEADCOUNT_ADMIN_TOKEN" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $key" \
  --data @- <<JSON
{
  "email": "$HEADCOUNT_EMAIL",
  "name": "Acme Inc.",
  "type": "business",
  "password": "secure_password_here",
  "settings": {"currency": "USD", "timezone": "America/New_York", "language": "en"}
}
JSON
)

if [[ $status != 201 ]]; then
  # {"error":"…","message":"…","details":[{"field":"…","rule":"…","message":"…"}]}
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
grep -o '"id":"[^"]*"' "$answer" | cut -d '"' -f 4
