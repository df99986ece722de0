#!/bin/sh
# AWS's Lambda Runtime Interface Emulator, which `sam local` runs, tells a function that failed from one that worked in
# nothing that an SDK reads. Lambda's Invoke answers an error of the function with the header X-Amz-Function-Error, so
# that boto3's answer has FunctionError; the emulator sends 200 and the error as if it were the result, also when the
# function timed out, and then as plain text. DryRun runs the function (Lambda only checks and answers 204), and Event
# waits for the result (Lambda answers 202 at once). A test that asserts on FunctionError never fails here.
#
# Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: FunctionError "If present, indicates that an error
# occurred during function execution"; status 202 for Event, 204 for DryRun.
#
# Seen on 2026-11-29, the emulator in aws-sam-cli 1.170.0, boto3 1.44.8:
#   worked 200 None {"ran": true}
#   failed 200 None {"errorMessage": "no", "errorType": "My.Error"}
#   timed out 200 None Task timed out after 1.00 seconds
#   DryRun 200 None {"ran": true}
#   Event 200 None {"ran": true}
#
# Needs python3 with venv, Linux on x86_64. Fails when the emulator behaves otherwise.
set -eu
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.44.8
venv/bin/pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: aws-sam-cli==1.170.0
python3 -m zipfile --extract aws_sam_cli-*.whl wheel
chmod +x wheel/samcli/local/rapid/aws-lambda-rie-x86_64
cat > bootstrap <<'PYTHON'
#!/usr/bin/env python3
import http.client
import json
import os
import time

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    runtime.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = runtime.getresponse()
    event, request = json.loads(answer.read()), answer.getheader("Lambda-Runtime-Aws-Request-Id")
    if event.get("sleep"):
        time.sleep(event["sleep"])
    end, body = "response", {"ran": True}
    if event.get("fail"):
        end, body = "error", {"errorMessage": "no", "errorType": "My.Error"}
    runtime.request("POST", f"/2018-06-01/runtime/invocation/{request}/{end}", json.dumps(body))
    runtime.getresponse().read()
PYTHON
chmod +x bootstrap
cat > invoke.py <<'PYTHON'
import json
import sys

import boto3

client = boto3.client(
    "lambda",
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
    aws_access_key_id="none",
    aws_secret_access_key="none",
    region_name="us-east-1",
)


def invoke(name, event, kind="RequestResponse"):
    answer = client.invoke(FunctionName="function", InvocationType=kind, Payload=json.dumps(event))
    print(name, answer["StatusCode"], answer.get("FunctionError"), answer["Payload"].read().decode())


invoke("worked", {})
invoke("failed", {"fail": True})
invoke("timed out", {"sleep": 10})
invoke("DryRun", {}, "DryRun")
invoke("Event", {}, "Event")
PYTHON
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(port)
AWS_LAMBDA_FUNCTION_TIMEOUT=1 wheel/samcli/local/rapid/aws-lambda-rie-x86_64 --runtime-interface-emulator-address \
  "127.0.0.1:$port" --runtime-api-address "127.0.0.1:$(port)" ./bootstrap >server.log 2>&1 &
server=$!
sleep 1
seen=$(venv/bin/python invoke.py "$port")
echo "$seen"
test "$seen" = 'worked 200 None {"ran": true}
failed 200 None {"errorMessage": "no", "errorType": "My.Error"}
timed out 200 None Task timed out after 1.00 seconds
DryRun 200 None {"ran": true}
Event 200 None {"ran": true}'
