"""Puts template.yaml on the local AWS, the way `sam package` and `sam deploy` put it on AWS."""

from __future__ import annotations

import hashlib
import platform
import re
import time
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws import client
from console import Failure, say
from settings import (
    STACK_NAME,
    STRIPE_API_KEY,
    STRIPE_SECRET_NAME,
    STRIPE_WEBHOOK_SECRET_NAME,
    Settings,
)

BUCKET = "headcount-packages"
CODE_URI = re.compile(r"^(?P<key>\s*CodeUri:\s*)(?P<folder>target/lambda/(?P<name>[a-z0-9-]+)/?)\s*$", re.MULTILINE)
POLL_SECONDS = 0.1
UNFINISHED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS")
"""States of a stack whose first deploy never ended; nothing can be updated from them."""


def put_stripe_secrets(settings: Settings, signing_secret: str) -> None:
    """Makes the secrets that the operator makes by hand on AWS: Stripe's API key and what it signs webhooks with."""
    secrets = client(settings, "secretsmanager")
    for name, text in ((STRIPE_SECRET_NAME, STRIPE_API_KEY), (STRIPE_WEBHOOK_SECRET_NAME, signing_secret)):
        try:
            secrets.create_secret(Name=name, SecretString=text)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=name, SecretString=text)


def package(settings: Settings, template: str, folders: Mapping[str, Path]) -> str:
    """Uploads each function's code, and the template with the uploads' addresses as CodeUri; returns the template's
    address. Of text CloudFormation takes 51,200 bytes; `sam deploy` uploads the template, too."""
    s3 = client(settings, "s3")
    try:
        s3.head_bucket(Bucket=BUCKET)
    except ClientError:
        s3.create_bucket(Bucket=BUCKET)
    uploads: dict[str, str] = {}

    def upload(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in folders:
            raise Failure(f"template.yaml names the function {name}, but there is no functions/{name}.")
        uploads[name] = _upload(s3, name, folders[name] / "bootstrap")
        return f"{match['key']}s3://{BUCKET}/{uploads[name]}"

    packaged = CODE_URI.sub(upload, template)
    if unused := sorted(set(folders) - set(uploads)):
        raise Failure(f"template.yaml has no function for {', '.join('functions/' + name for name in unused)}.")
    key = f"template/{hashlib.sha256(packaged.encode()).hexdigest()}.yaml"
    s3.put_object(Bucket=BUCKET, Key=key, Body=packaged.encode())
    _drop_all_but(s3, {*uploads.values(), key})
    return f"{settings.aws_url}/{BUCKET}/{key}"


def deploy(settings: Settings, template_url: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploys by a change set, the first time and every later time; returns the stack's outputs."""
    cloudformation = client(settings, "cloudformation")
    status = _status(cloudformation)
    if status in UNFINISHED:
        cloudformation.delete_stack(StackName=STACK_NAME)
        _wait_for_stack(cloudformation)
        status = None
    try:
        change_set = cloudformation.create_change_set(
            StackName=STACK_NAME,
            ChangeSetName=f"local-{int(time.time() * 1000)}",
            ChangeSetType="UPDATE" if status else "CREATE",
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )["Id"]
    except ClientError as error:
        raise Failure(f"CloudFormation refused template.yaml: {error.response['Error']['Message']}") from None
    described = _wait_for_change_set(cloudformation, change_set)
    changes = described.get("Changes", [])
    if described["Status"] == "FAILED":
        if changes or "didn't contain changes" not in described.get("StatusReason", ""):
            raise Failure(f"CloudFormation refused template.yaml: {described.get('StatusReason')}")
        cloudformation.delete_change_set(ChangeSetName=change_set)
        say("  nothing to change")
    else:
        cloudformation.execute_change_set(ChangeSetName=change_set)
        say(f"  {len(changes)} resources to create or change")
    return _wait_for_stack(cloudformation)


def local_parameters(price_basic: str, price_premium: str, allowed_origins: str) -> dict[str, str]:
    """The template's parameters where the local stack differs from their defaults."""
    return {
        "Stage": "local",
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "StripeSecretName": STRIPE_SECRET_NAME,
        "StripeWebhookSecretName": STRIPE_WEBHOOK_SECRET_NAME,
        "StripePriceBasic": price_basic,
        "StripePricePremium": price_premium,
        "AllowedOrigins": allowed_origins,
    }


def _upload(s3: Any, name: str, bootstrap: Path) -> str:
    """Uploads one binary as a deployment package, named by its content; one that is there already stays."""
    code = bootstrap.read_bytes()
    key = f"{name}/{hashlib.sha256(code).hexdigest()}.zip"
    try:
        s3.head_object(Bucket=BUCKET, Key=key)
    except ClientError:
        s3.put_object(Bucket=BUCKET, Key=key, Body=_zip(code))
        say(f"  uploaded {name}")
    return key


def _zip(code: bytes) -> bytes:
    """A deployment package, the same bytes for the same code."""
    packed = BytesIO()
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, code, zipfile.ZIP_DEFLATED, compresslevel=1)
    return packed.getvalue()


def _drop_all_but(s3: Any, keys: set[str]) -> None:
    """Deletes the packages of earlier builds, which a long day of work would pile up."""
    for stored in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        if stored["Key"] not in keys:
            s3.delete_object(Bucket=BUCKET, Key=stored["Key"])


def _status(cloudformation: Any) -> str | None:
    try:
        return cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackStatus"]
    except ClientError:
        return None


def _wait_for_change_set(cloudformation: Any, change_set: str) -> dict[str, Any]:
    while True:
        described = cloudformation.describe_change_set(ChangeSetName=change_set)
        if described["Status"] in ("CREATE_COMPLETE", "FAILED"):
            return described
        time.sleep(POLL_SECONDS)


def _wait_for_stack(cloudformation: Any) -> dict[str, str]:
    while (status := _status(cloudformation) or "DELETE_COMPLETE").endswith("_IN_PROGRESS"):
        time.sleep(POLL_SECONDS)
    if status == "DELETE_COMPLETE":
        return {}
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise Failure(f"the deploy ended as {status}:\n{_failures(cloudformation)}")
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _failures(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    return "\n".join(
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    )
