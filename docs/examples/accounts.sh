#!/usr/bin/env bash
# Identity API: an administrator lists the active accounts, page by page; prints their ids.
# Needs HEADCOUNT_API (base address) and HEADCOUNT_ADMIN_TOKEN. HEADCOUNT_PAGE is how many a page has, 100 otherwise.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_ADMIN_TOKEN:?}"

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
query="status=active&limit=${HEADCOUNT_PAGE:-100}"
cursor=

while true; do
  status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
    "$HEADCOUNT_API/v1/accounts?$query$cursor" -H "Authorization: Bearer $HEADCOUNT_ADMIN_TOKEN")

  if [[ $status != 200 ]]; then
    # {"error":"…","message":"…","details":[{"field":"…","rule":"…","message":"…"}]}
    echo "$status $(cat "$answer")" >&2
    exit 1
  fi
  # A page may be empty, and not the last one. A cursor needs no encoding.
  { grep -o '"id":"acct_[^"]*"' "$answer" || true; } | cut -d '"' -f 4
  next=$(grep -o '"next_cursor":"[^"]*"' "$answer" | cut -d '"' -f 4) || exit 0
  cursor="&cursor=$next"
done
