#!/bin/sh
# @redocly/cli 2.77.0 takes an object schema for closed that says nothing of additional properties. By JSON Schema, and so
# by OpenAPI 3.1, it is open: an example with one more property is valid. The recommended rules complain of it all the
# same ("must NOT have unevaluated properties"), as of a mistake, until the schema says `additionalProperties: true`,
# which is what saying nothing means. The rule's option allowAdditionalProperties, off by default, is behind it.
#
# Seen on 2026-11-29, Node 20:
#   silent: 1
#   said: 0
#
# Needs node 20.19 or newer and npm. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @redocly/cli@2.77.0
document() {
  cat > "$1.json" <<DOCUMENT
{
  "openapi": "3.1.0",
  "info": { "title": "One operation", "version": "1", "license": { "name": "MIT", "identifier": "MIT" } },
  "servers": [{ "url": "/" }],
  "security": [],
  "paths": { "/events": { "post": {
    "operationId": "take", "summary": "Take an event",
    "requestBody": { "content": { "application/json": {
      "schema": { "type": "object", "properties": { "id": { "type": "string" } }$2 },
      "example": { "id": "evt_1", "object": "event" }
    } } },
    "responses": { "204": { "description": "Taken." }, "400": { "description": "Refused." } }
  } } }
}
DOCUMENT
}
document silent ''
document said ', "additionalProperties": true'
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
seen=$(for name in silent said; do
  found=$(node_modules/.bin/redocly lint --extends recommended --format json "$name.json" 2>/dev/null)
  echo "$name: $(echo "$found" | grep -c 'must NOT have unevaluated properties' || true)"
done)
echo "$seen"
test "$seen" = "silent: 1
said: 0"
