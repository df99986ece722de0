#!/usr/bin/env bash
# Agency API: creates a sub-account and prints its lcuid.
# Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN, HEADCOUNT_AGENCY_APP_ID (the app the token belongs to),
# HEADCOUNT_AGENCY_LCUID and HEADCOUNT_PARENT_ACCOUNT_LCUID.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_AGENCY_TOKEN:?}" "${HEADCOUNT_AGENCY_APP_ID:?}"
: "${HEADCOUNT_AGENCY_LCUID:?}" "${HEADCOUNT_PARENT_ACCOUNT_LCUID:?}"

# One key per intent: however often --retry sends the request, one account is created.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X POST "$HEADCOUNT_API/api/v3/accounts" \
  -H "Authorization: Bearer $HEADCOUNT_AGENCY_TOKEN" \
  -H "AppIdV3: $HEADCOUNT_AGENCY_APP_ID" \
  -H "Content-Type: application/json" \
  -H "Accept: application/json" \
  -H "Idempotency-Key: $key" \
  --data @- <<JSON
{
  "name": "My New Account",
  "description": "My New Account Description",
  "agency_lcuid": "$HEADCOUNT_AGENCY_LCUID",
  "website": "https://www.mynewaccount.com",
  "parent_account_lcuid": "$HEADCOUNT_PARENT_ACCOUNT_LCUID"
}
JSON
)

if [[ $status != 200 ]]; then
  # {"message":"…"}, with "errors":{"<field>":["…"]} when fields are at fault
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
grep -o '"lcuid":"[^"]*"' "$answer" | cut -d '"' -f 4
