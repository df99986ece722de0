"""Clients of the local AWS."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from settings import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Settings


def client(settings: Settings, service: str) -> Any:
    """A client that speaks to the emulator as its administrator, whatever the environment says."""
    return boto3.client(
        service,
        endpoint_url=settings.aws_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        config=Config(
            retries={"max_attempts": 1},
            s3={"addressing_style": "path"},
            proxies={},  # None would mean those of the environment.
        ),
    )
