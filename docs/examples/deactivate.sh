#!/usr/bin/env bash
# Seats API: gives a seat back and prints its id. Where seats end with the billing period, says when on stderr.
# Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY and HEADCOUNT_ACCOUNT_ID. With HEADCOUNT_REVOKE=true the seat stays after all.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_SEATS_API_KEY:?}" "${HEADCOUNT_ACCOUNT_ID:?}"

# One key per intent: however often --retry sends the request, it has one answer.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X POST "$HEADCOUNT_API/billing/deactivate" \
  -H "Authorization: Bearer $HEADCOUNT_SEATS_API_KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $key" \
  --data "{\"account_id\": \"$HEADCOUNT_ACCOUNT_ID\", \"revoke\": ${HEADCOUNT_REVOKE:-false}}")

if [[ $status != 200 ]]; then
  # {"ok":false,"code":…,"message":"…","error":"…","errors":[{"field":"…","message":"…"}]}
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
grep -o '"account_id":"[^"]*"' "$answer" | cut -d '"' -f 4
if grep -q '"ends_at"' "$answer"; then
  echo "ends at $(grep -o '"ends_at":"[^"]*"' "$answer" | cut -d '"' -f 4)" >&2
fi
