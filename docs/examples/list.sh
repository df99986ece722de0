#!/usr/bin/env bash
# Seats API: lists the organization's seats, page by page, and prints their ids.
# Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY. HEADCOUNT_PAGE is how many a page has, 100 otherwise.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_SEATS_API_KEY:?}"

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
cursor=null

while true; do
  status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
    -X POST "$HEADCOUNT_API/accounts" \
    -H "Authorization: Bearer $HEADCOUNT_SEATS_API_KEY" \
    -H "Content-Type: application/json" \
    --data "{\"limit\": ${HEADCOUNT_PAGE:-100}, \"cursor\": $cursor}")

  if [[ $status != 200 ]]; then
    # {"ok":false,"code":…,"message":"…","error":"…","errors":[{"field":"…","message":"…"}]}
    echo "$status $(cat "$answer")" >&2
    exit 1
  fi
  # A page may be empty, and not the last one.
  { grep -o '"id":"acc_[^"]*"' "$answer" || true; } | cut -d '"' -f 4
  cursor=$(grep -o '"next_cursor":"[^"]*"' "$answer" | cut -d : -f 2) || exit 0
done
