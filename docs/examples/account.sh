#!/usr/bin/env bash
# Identity API: an account logs in, gets new tokens, looks at itself and its sessions, and logs out; prints its id.
# Needs HEADCOUNT_API (base address), HEADCOUNT_EMAIL and HEADCOUNT_PASSWORD.
set -euo pipefail
: "${HEADCOUNT_API:?}" "${HEADCOUNT_EMAIL:?}" "${HEADCOUNT_PASSWORD:?}"

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# call <method> <path> [curl arguments]: leaves the body in $answer.
call() {
  local status
  status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --retry 3 --retry-connrefused --max-time 30 \
    -X "$1" "$HEADCOUNT_API$2" "${@:3}")
  if [[ $status != 200 ]]; then
    echo "$status $(cat "$answer")" >&2
    exit 1
  fi
}

# The password goes in by standard input: an argument is seen by everybody on the machine.
call POST /v1/auth/login -H "Content-Type: application/json" --data @- <<JSON
{"email": "$HEADCOUNT_EMAIL", "password": "$HEADCOUNT_PASSWORD"}
JSON
refresh=$(grep -o '"refresh_token":"[^"]*"' "$answer" | cut -d '"' -f 4)
# Within the hour: both tokens are new, and the old ones end.
call POST /v1/auth/refresh -H "Authorization: Bearer $refresh"
token=$(grep -o '"access_token":"[^"]*"' "$answer" | cut -d '"' -f 4)

call GET /v1/account -H "Authorization: Bearer $token"
id=$(grep -o '"id":"[^"]*"' "$answer" | cut -d '"' -f 4)
call GET /v1/auth/sessions -H "Authorization: Bearer $token"
echo "$(grep -o '"session_id"' "$answer" | wc -l) session(s)" >&2
call DELETE /v1/auth/session -H "Authorization: Bearer $token"
echo "$id"
