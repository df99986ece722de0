#!/bin/sh
# moto, the usual stand-in for AWS in Python's tests, does twice what AWS does once. Its TransactWriteItems takes a
# ClientRequestToken and forgets it: the same call with the same token adds again, and a call with other contents under the
# token passes, where DynamoDB answers IdempotentParameterMismatchException. Its FIFO queue forgets a deduplication id
# when the message is deleted: sent again a moment later, it is delivered again. A test that retries after an answer was
# lost therefore shows a double booking that AWS does not make, or, worse, is written so that it passes with one.
#
# Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html (calls with one token
# have the effect of one call, for ten minutes);
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (the id counts for five minutes,
# also when the message has been received and deleted).
#
# Seen on 2026-11-29, moto 5.2.5, boto3 1.44.8 (AWS: 1, IdempotentParameterMismatchException, 0):
#   counter after two calls with one token: 2
#   other contents under the token: accepted
#   deliveries after the message was deleted and sent again: 1
#
# Needs python3 with venv. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[dynamodb,sqs]==5.2.5' boto3==1.44.8
cat > twice.py <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

CREDENTIALS = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}


def transactions(client):
    client.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"pk": {"S": "billing"}}

    def add(seats):
        update = {
            "TableName": "table",
            "Key": key,
            "UpdateExpression": "ADD seats :seats",
            "ExpressionAttributeValues": {":seats": {"N": str(seats)}},
        }
        client.transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken="token")

    add(1)
    add(1)
    item = client.get_item(TableName="table", Key=key, ConsistentRead=True)["Item"]
    print("counter after two calls with one token:", item["seats"]["N"])
    try:
        add(5)
        print("other contents under the token: accepted")
    except ClientError as error:
        print("other contents under the token:", error.response["Error"]["Code"])


def queue(client):
    url = client.create_queue(QueueName="queue.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send():
        client.send_message(QueueUrl=url, MessageBody="body", MessageGroupId="group", MessageDeduplicationId="id")

    def receive():
        return client.receive_message(QueueUrl=url).get("Messages", [])

    send()
    [message] = receive()
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    send()
    print("deliveries after the message was deleted and sent again:", len(receive()))


with mock_aws():
    transactions(boto3.client("dynamodb", **CREDENTIALS))
    queue(boto3.client("sqs", **CREDENTIALS))
PYTHON
seen=$(venv/bin/python twice.py)
echo "$seen"
test "$seen" = "counter after two calls with one token: 2
other contents under the token: accepted
deliveries after the message was deleted and sent again: 1"
