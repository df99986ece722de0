"""Who calls, and the one transaction of a create."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import os
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

TABLE = os.environ["TABLE_NAME"]
TIERS = {tier["name"]: tier for tier in json.loads(os.environ["TIERS"])}
GRACE = timedelta(days=int(os.environ["PAST_DUE_GRACE_DAYS"]))
FINGERPRINT_KEY = os.environ["FINGERPRINT_KEY"].encode()
ROUTE = "POST /accounts/create"
MEMORY_SECONDS = 30
UNLIMITED = 1_000_000_000_000_000_000

client = boto3.client("dynamodb")
serialize = TypeSerializer().serialize
deserialize = TypeDeserializer().deserialize
remembered: dict[str, tuple[float, dict]] = {}


def marshal(item: dict) -> dict:
    return {name: serialize(value) for name, value in item.items() if value is not None}


def unmarshal(item: dict) -> dict:
    return {name: deserialize(value) for name, value in item.items()}


def micros(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def authenticate(header: str) -> dict | None:
    """The caller's credential; None for every kind of bad one."""
    match = re.fullmatch(r"bearer +hc_([0-9a-z]{26})_([0-9a-fA-F]{64})", header.strip(), re.IGNORECASE)
    if not match:
        return None
    kept = look_up(match[1])
    presented = hashlib.sha256(match[2].encode()).hexdigest()
    same = hmac.compare_digest(presented, kept["secret_hash"] if kept else "0" * 64)
    if not kept or not same or kept["revoked"]:
        return None
    expired = "valid_until" in kept and micros(datetime.now(timezone.utc)) >= kept["valid_until"]
    return None if expired else kept


def look_up(id: str) -> dict | None:
    known = remembered.get(id)
    if known and time.monotonic() - known[0] < MEMORY_SECONDS:
        return known[1]
    key = marshal({"pk": f"CREDENTIAL#{id}", "sk": "CREDENTIAL"})
    item = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    if item is None:
        return None
    if len(remembered) >= 1000:
        remembered.clear()
    remembered[id] = (time.monotonic(), unmarshal(item))
    return remembered[id][1]


@dataclass(frozen=True)
class Keyed:
    """A request that carries an idempotency key."""

    name: str
    fingerprint: str
    expires_at: int

    @classmethod
    def of(cls, organization: str, key: str, body: bytes, now: datetime) -> Keyed:
        return cls(
            name=f"{organization}#{ROUTE}#{hashlib.sha256(key.encode()).hexdigest()}",
            fingerprint=hmac.new(FINGERPRINT_KEY, body, hashlib.sha256).hexdigest(),
            expires_at=math.ceil(now.timestamp()) + 86_400,
        )


class Refused(Exception):
    """Nothing was created; says why."""


def put(item: dict, condition: str, values: dict | None = None) -> dict:
    action = {
        "TableName": TABLE,
        "Item": marshal(item),
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if values:
        action["ExpressionAttributeValues"] = marshal(values)
    return {"Put": action}


def record(request: Keyed, answer: str, now: datetime) -> dict:
    item = {
        "pk": f"IDEMPOTENCY#{request.name}",
        "sk": "IDEMPOTENCY",
        "fingerprint": request.fingerprint,
        "status": 200,
        "body": answer,
        "expires_at": request.expires_at,
    }
    return put(item, "attribute_not_exists(pk) OR expires_at <= :now", {":now": int(now.timestamp())})


def billing(organization: str, seats: list[dict], now: datetime) -> dict:
    basic = sum(seat["tier"] == "basic" for seat in seats)
    premium = len(seats) - basic
    values = {
        ":basic": basic,
        ":premium": premium,
        ":all": len(seats),
        ":unlimited": UNLIMITED,
        ":cents": basic * TIERS["basic"]["unit_amount"] + premium * TIERS["premium"]["unit_amount"],
        ":one": 1,
        ":now": micros(now),
        ":shard": organization[-1],
        ":active": "active",
        ":trialing": "trialing",
        ":past_due": "past_due",
        ":cutoff": micros(now - GRACE),
    }
    return {
        "Update": {
            "TableName": TABLE,
            "Key": marshal({"pk": f"ORG#{organization}", "sk": "BILLING"}),
            "UpdateExpression": "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, "
            "seats_left = seats_left - :all, cents_left = if_not_exists(cents_left, :unlimited) - :cents, "
            "version = version + :one, behind_since = if_not_exists(behind_since, :now), "
            "behind_shard = :shard, updated_at = :now",
            "ConditionExpression": "(subscription_status IN (:active, :trialing) "
            "OR (subscription_status = :past_due "
            "AND (attribute_not_exists(past_due_since) OR past_due_since > :cutoff))) AND seats_left >= :all "
            "AND (attribute_not_exists(cents_left) OR cents_left >= :cents)",
            "ExpressionAttributeValues": marshal(values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def seat_item(organization: str, seat: dict, now: datetime) -> dict:
    return {
        "pk": f"ORG#{organization}",
        "sk": f"SEAT#{seat['id']}",
        "organization": organization,
        **seat,
        "device_type": TIERS[seat["tier"]]["device_type"],
        "created_at": micros(now),
        "updated_at": micros(now),
    }


def commit(organization: str, seats: list[dict], request: Keyed | None, answer: str, now: datetime) -> str | None:
    """Commits all or nothing. Returns the answer that an earlier request of the same key left, if any."""
    actions = [record(request, answer, now)] if request else []
    actions.append(billing(organization, seats, now))
    actions += [put(seat_item(organization, seat, now), "attribute_not_exists(pk)") for seat in seats]
    try:
        client.transact_write_items(TransactItems=actions)
    except client.exceptions.TransactionCanceledException as error:
        return cancelled(error.response["CancellationReasons"], request, seats)
    return None


def cancelled(reasons: list[dict], request: Keyed | None, seats: list[dict]) -> str:
    failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
    if request and failed[0]:
        kept = unmarshal(reasons[0]["Item"])
        if kept["fingerprint"] != request.fingerprint:
            raise Refused("idempotency_key_reused")
        return kept["body"]
    at = 1 if request else 0
    if not failed[at]:
        raise RuntimeError("the transaction was cancelled for another reason")
    row = unmarshal(reasons[at].get("Item", {}))
    if row.get("subscription_status") not in ("active", "trialing", "past_due"):
        raise Refused("no_billing")
    raise Refused("seat_limit_reached" if row["seats_left"] < len(seats) else "spending_limit_reached")
