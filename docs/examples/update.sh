#!/usr/bin/env bash
# Seats API: gives a seat another tag, makes it premium, and prints its id.
# Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY, HEADCOUNT_ACCOUNT_ID and HEADCOUNT_TAG.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_SEATS_API_KEY:?}" "${HEADCOUNT_ACCOUNT_ID:?}" "${HEADCOUNT_TAG:?}"

# One key per intent: however often --retry sends the request, it has one answer.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X POST "$HEADCOUNT_API/accounts/update-info" \
  -H "Authorization: Bearer $HEADCOUNT_SEATS_API_KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $key" \
  --data "{\"updates\": [{\"accountId\": \"$HEADCOUNT_ACCOUNT_ID\", \"tag\": \"$HEADCOUNT_TAG\", \"tier\": \"premium\"}]}")

# Of several updates each is done or refused by itself.
if [[ $status != 200 ]] || grep -q '"success":false' "$answer"; then
  # {"ok":false,"code":…,"message":"…","error":"…","errors":[{"field":"…","message":"…"}]}
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
grep -o '"accountId":"[^"]*"' "$answer" | cut -d '"' -f 4
