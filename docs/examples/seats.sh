#!/usr/bin/env bash
# Seats API: creates two seats and prints their ids.
# Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_SEATS_API_KEY:?}"

# One key per intent: however often --retry sends the request, the seats are created and billed once.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X POST "$HEADCOUNT_API/accounts/create" \
  -H "Authorization: Bearer $HEADCOUNT_SEATS_API_KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $key" \
  --data @- <<'JSON'
{
  "accounts": [
    {"tier": "basic"},
    {
      "tier": "premium",
      "platform": "tiktok",
      "username": "newcreator",
      "pfp_url": "https://example.com/avatar.jpg",
      "keywords": "fitness,health,workout",
      "nick_name": "New Creator",
      "tag": "influencer"
    }
  ]
}
JSON
)

if [[ $status != 200 ]]; then
  # {"ok":false,"code":…,"message":"…","error":"…","errors":[{"index":…,"field":"…","message":"…"}]}
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
grep -o '"id":"[^"]*"' "$answer" | cut -d '"' -f 4
