"""POST /accounts/create, for requests of one transaction: as it is usually written for Python."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timezone

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError
from ulid import ULID

from seats import CreateSeats
from table import Keyed, Refused, authenticate, commit

MOST_SEATS = 98
MOST_BYTES = 256 * 1024
STATUS = {
    "invalid_request": 400,
    "missing_detail_fields": 400,
    "unauthorized": 401,
    "no_billing": 402,
    "forbidden": 403,
    "seat_limit_reached": 409,
    "spending_limit_reached": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "idempotency_key_reused": 422,
}
logger = Logger()


@event_source(data_class=APIGatewayProxyEventV2)
def handler(event: APIGatewayProxyEventV2, context: LambdaContext) -> dict:
    try:
        status, body, replayed = create(event)
    except Refused as refused:
        status, body, replayed = refusal(str(refused))
    except ValidationError as error:
        status, body, replayed = invalid(error)
    logger.info("answered", extra={"request_id": context.aws_request_id, "status": status})
    headers = {"content-type": "application/json", "x-request-id": context.aws_request_id}
    if replayed:
        headers["idempotency-replayed"] = "true"
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def create(event: APIGatewayProxyEventV2) -> tuple[int, str, bool]:
    credential = authenticate(event.headers.get("authorization", ""))
    if not credential or credential["holder"]["kind"] != "organization":
        raise Refused("unauthorized")
    if "accounts:create" not in credential["permissions"]:
        raise Refused("forbidden")
    body = base64.b64decode(event.body) if event.is_base64_encoded else (event.body or "").encode()
    content_type = event.headers.get("content-type", "")
    if not re.fullmatch(r'application/json(;\s*charset="?utf-?8"?)?', content_type, re.IGNORECASE):
        raise Refused("unsupported_media_type")
    if len(body) > MOST_BYTES:
        raise Refused("payload_too_large")
    command = CreateSeats.model_validate_json(body)
    if len(command.accounts) > MOST_SEATS:
        raise Refused("invalid_request")

    now = datetime.now(timezone.utc)
    organization = credential["holder"]["organization"]
    seats = [
        {
            "id": f"acc_{str(ULID.from_datetime(now)).lower()}",
            "status": "pending" if seat.platform else "uninitialized",
            **seat.model_dump(exclude_none=True),
        }
        for seat in command.accounts
    ]
    views = [{name: seat.get(name) for name in ("id", "tier", "status", "platform", "username")} for seat in seats]
    key = event.headers.get("idempotency-key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise Refused("invalid_request")
    request = Keyed.of(organization, key, body, now) if key is not None else None
    stored = commit(organization, seats, request, json.dumps(views, separators=(",", ":")), now)
    return created(json.loads(stored) if stored else views, replayed=stored is not None)


def created(accounts: list[dict], *, replayed: bool) -> tuple[int, str, bool]:
    data = {
        "message": f"Successfully created {len(accounts)} account(s)",
        "successful": len(accounts),
        "failed": 0,
        "accounts": accounts,
    }
    answer = {"ok": True, "code": 200, "message": "Success", "data": data}
    return 200, json.dumps(answer, separators=(",", ":")), replayed


def refusal(error: str, errors: list[dict] | None = None) -> tuple[int, str, bool]:
    code = STATUS[error]
    answer = {"ok": False, "code": code, "message": error, "error": error}
    return code, json.dumps(answer | ({"errors": errors} if errors else {})), False


def invalid(error: ValidationError) -> tuple[int, str, bool]:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [
        {
            "index": next((part for part in fault["loc"] if isinstance(part, int)), None),
            "field": str(fault["loc"][-1]) if fault["loc"] else "accounts",
            "rule": fault["type"],
            "message": fault["msg"],
        }
        for fault in faults
    ]
    incomplete = any("required_in_group" in fault["msg"] for fault in faults)
    return refusal("missing_detail_fields" if incomplete else "invalid_request", errors)
