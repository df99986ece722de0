#!/usr/bin/env bash
# Seats API: prints the address of a Stripe portal session in which the organization sees its invoices. With HEADCOUNT_DO=cancel
# its subscription ends with the billing period, with HEADCOUNT_DO=resume it does not after all; then that is printed in words.
# Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_SEATS_API_KEY:?}"

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# To cancel or to resume twice is to do it once.
status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
  -X POST "$HEADCOUNT_API/billing/${HEADCOUNT_DO:-portal}" \
  -H "Authorization: Bearer $HEADCOUNT_SEATS_API_KEY")

if [[ $status != 200 ]]; then
  # {"ok":false,"code":…,"message":"…","error":"…","errors":[{"field":"…","message":"…"}]}
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
# {"ok":true,…,"data":{"url":"…"}} or {"ok":true,…,"data":{"message":"…"}}
sed -E 's/.*"data":\{"(url|message)":"([^"]*)".*/\2/' "$answer"
