#!/bin/sh
# moto's EventBridge does not look into arrays of objects, and takes true for 1. A rule on a field of the objects in an
# array matches, in EventBridge, when one object of the array does. In moto it never matches, and says nothing: the
# event just does not arrive. The other way round a rule on `true` lets the number 1 through, because `True == 1` in
# Python. Arrays of plain values, `anything-but`, `$or`, `exists`, `cidr`, `wildcard` and numbers written otherwise
# (300, 3.0e2) are as on AWS.
#
# Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html; the readme of aws/event-ruler,
# which EventBridge runs, on arrays ("array consistency") and on values, which are compared by their JSON type.
#
# Seen on 2026-11-29, moto 5.2.5, boto3 1.44.8 (AWS delivers 1, 1, 0):
#   one value of an array: 1
#   one field of an object in an array: 0
#   true, when the event has 1: 1
#
# Needs python3 with venv. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[events,sqs]==5.2.5' boto3==1.44.8
cat > rules.py <<'PYTHON'
import json

import boto3
from moto import mock_aws

CREDENTIALS = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
CASES = {
    "one value of an array": ({"tiers": ["premium"]}, {"tiers": ["basic", "premium"]}),
    "one field of an object in an array": (
        {"seats": {"tier": ["premium"]}},
        {"seats": [{"tier": "basic"}, {"tier": "premium"}]},
    ),
    "true, when the event has 1": ({"billable": [True]}, {"billable": 1}),
}


def delivered(pattern, detail):
    with mock_aws():
        events, sqs = boto3.client("events", **CREDENTIALS), boto3.client("sqs", **CREDENTIALS)
        url = sqs.create_queue(QueueName="queue")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["seats"], "detail": pattern}))
        events.put_targets(Rule="rule", Targets=[{"Id": "queue", "Arn": arn}])
        events.put_events(Entries=[{"Source": "seats", "DetailType": "SeatCreated", "Detail": json.dumps(detail)}])
        return len(sqs.receive_message(QueueUrl=url).get("Messages", []))


for name, (pattern, detail) in CASES.items():
    print(f"{name}: {delivered(pattern, detail)}")
PYTHON
seen=$(venv/bin/python rules.py)
echo "$seen"
test "$seen" = "one value of an array: 1
one field of an object in an array: 0
true, when the event has 1: 1"
