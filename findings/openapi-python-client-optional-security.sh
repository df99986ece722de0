#!/bin/sh
# openapi-python-client 0.29.1 takes security that is optional for required. `security: [{}, {token: []}]` says that an
# operation takes a token or none (OpenAPI 3.1, Security Requirement Object: an empty one makes security optional), yet
# the generated functions take an AuthenticatedClient alone: a type checker refuses `Client`, which works when it is run.
# An operation without security takes both. An AuthenticatedClient with an empty token is no way out: it sends the header.
#
# Seen on 2026-11-29, Python 3.11:
#   optional: client: AuthenticatedClient
#   none: client: AuthenticatedClient | Client
#
# Needs python3 with venv. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1
cat > openapi.json <<'DOCUMENT'
{
  "openapi": "3.1.0",
  "info": { "title": "Two operations", "version": "1" },
  "paths": {
    "/optional": { "get": { "operationId": "optional", "security": [{}, { "token": [] }],
                            "responses": { "204": { "description": "Done." } } } },
    "/none": { "get": { "operationId": "none", "responses": { "204": { "description": "Done." } } } }
  },
  "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } }
}
DOCUMENT
PATH="$folder/venv/bin:$PATH" openapi-python-client generate --path openapi.json --meta none --output-path client >/dev/null
seen=$(for operation in optional none; do
  echo "$operation: $(grep -A3 'def sync_detailed' "client/api/default/$operation.py" | grep -o 'client: Auth[A-Za-z |]*')"
done)
echo "$seen"
test "$seen" = "optional: client: AuthenticatedClient
none: client: AuthenticatedClient | Client"
