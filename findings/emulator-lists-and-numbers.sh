#!/bin/sh
# ministack, an emulator of AWS that gets DynamoDB's transactions right, gets two small things of update expressions
# wrong, without an error. REMOVE of two elements of a list takes the second index after the first removal has moved
# everything; DynamoDB takes both from the item as it was. And sums are rounded to 28 digits, the context that Python's
# decimal module starts with; DynamoDB computes with 38. A test can pass here with another list, or another counter, than the
# one that the table will hold. (moto 5.2.5 has both right, and forgets client tokens: see emulator-idempotency.sh.)
#
# Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html, "Removing
# elements from a list", whose example is the one below and leaves Chisel, Screwdriver, Hacksaw;
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html (38 digits).
#
# Seen on 2026-11-29, ministack 1.5.33, boto3 1.43.106:
#   after REMOVE tools[1], tools[2]: Chisel, Nails, Hacksaw
#   12345678901234567890123456789012345678 + 1 = 12345678901234567890123456790000000000
#
# Needs python3 with venv. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ministack==1.5.33 boto3==1.43.106
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
BIND_HOST=127.0.0.1 GATEWAY_PORT=$port SERVICES=dynamodb IOT_MTLS_ENABLED=0 venv/bin/ministack >server.log 2>&1 &
server=$!
cat >update.py <<'PYTHON'
import sys

import boto3
from botocore.config import Config

client = boto3.client(
    "dynamodb",
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
    aws_access_key_id="none",
    aws_secret_access_key="none",
    region_name="us-east-1",
    config=Config(retries={"total_max_attempts": 10}),
)
client.create_table(
    TableName="table",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
key = {"pk": {"S": "item"}}
tools = ["Chisel", "Hammer", "Nails", "Screwdriver", "Hacksaw"]
big = "12345678901234567890123456789012345678"
client.put_item(TableName="table", Item={**key, "tools": {"L": [{"S": tool} for tool in tools]}, "n": {"N": big}})


def update(expression, **values):
    more = {"ExpressionAttributeValues": values["values"]} if values else {}
    answer = client.update_item(
        TableName="table", Key=key, UpdateExpression=expression, ReturnValues="ALL_NEW", **more
    )
    return answer["Attributes"]


left = update("REMOVE tools[1], tools[2]")["tools"]["L"]
print("after REMOVE tools[1], tools[2]:", ", ".join(tool["S"] for tool in left))
print(big, "+ 1 =", update("ADD n :one", values={":one": {"N": "1"}})["n"]["N"])
PYTHON
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  curl --silent --output /dev/null "http://127.0.0.1:$port/" && break
  sleep 0.5
done
seen=$(venv/bin/python update.py "$port")
echo "$seen"
test "$seen" = "after REMOVE tools[1], tools[2]: Chisel, Nails, Hacksaw
12345678901234567890123456789012345678 + 1 = 12345678901234567890123456790000000000"
