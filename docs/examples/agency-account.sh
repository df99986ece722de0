#!/usr/bin/env bash
# Agency API: renames an account, leaves everything else of it as it is, and prints its lcuid.
# Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN (with account.update), HEADCOUNT_AGENCY_APP_ID (the app the token
# belongs to), HEADCOUNT_ACCOUNT_LCUID and HEADCOUNT_ACCOUNT_NAME (letters, digits and spaces).
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_AGENCY_TOKEN:?}" "${HEADCOUNT_AGENCY_APP_ID:?}"
: "${HEADCOUNT_ACCOUNT_LCUID:?}" "${HEADCOUNT_ACCOUNT_NAME:?}"

# One key per intent: however often --retry sends the request, the account is changed once.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X PUT "$HEADCOUNT_API/api/v3/accounts/$HEADCOUNT_ACCOUNT_LCUID" \
  -H "Authorization: Bearer $HEADCOUNT_AGENCY_TOKEN" \
  -H "AppIdV3: $HEADCOUNT_AGENCY_APP_ID" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $key" \
  --data "{\"name\": \"$HEADCOUNT_ACCOUNT_NAME\"}")

if [[ $status != 200 ]]; then
  # {"message":"…"}, with "errors":{"<field>":["…"]} when fields are at fault
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
grep -o '"lcuid":"LCUID-LA-[^"]*"' "$answer" | cut -d '"' -f 4
