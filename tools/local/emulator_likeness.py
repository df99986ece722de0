"""Mends three things that ministack, the local AWS, does unlike AWS."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions
from ministack.services import lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers
from samtranslator.translator import transform as sam

_apply_transforms = engine._apply_transforms
_sam_transform = sam.transform
_extract_iam_action = iam_actions.extract_iam_action
_execute_function = lambda_svc._execute_function


def authorize_batches_as_aws_does() -> None:
    """Sending a batch to a queue takes the right to send a message; ministack asks for a right that IAM does not know.

    Source: "Amazon SQS API permissions: Actions and resource reference" in the SQS developer guide.
    """

    def extract_iam_action(service: str, *arguments: Any, **options: Any) -> str | None:
        action = _extract_iam_action(service, *arguments, **options)
        return action.removesuffix("Batch") if action and service == "sqs" else action

    iam_actions.extract_iam_action = extract_iam_action


def retry_stream_records() -> None:
    """A stream record that a function reports as failed comes again; ministack takes it for done.

    Here the whole batch comes again, where AWS begins with the failed record. Either is at-least-once delivery.
    """

    def execute_function(function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        result = _execute_function(function, event)
        body = result.get("body")
        from_stream = any("dynamodb" in record for record in event.get("Records", ()))
        if from_stream and isinstance(body, dict) and body.get("batchItemFailures"):
            failure = {"errorType": "BatchItemFailures", "errorMessage": "the function reported failed records"}
            return {**result, "error": True, "body": failure}
        return result

    lambda_svc._execute_function = execute_function


def give_parameters_to_the_sam_transform() -> None:
    """The SAM transform knows the values of the parameters; ministack gives it their defaults.

    What it has to know while it transforms, such as whether a deployment is gradual, would else be that of the defaults.
    """

    def apply_transforms(template: dict[str, Any], provided: Any = None, previous: Any = None) -> dict[str, Any]:
        values = engine._transform_parameters(template, provided, previous)
        sam.transform = lambda template, _values, policies: _sam_transform(template, values, policies)
        return _apply_transforms(template, provided, previous)

    changesets._apply_transforms = apply_transforms
    handlers._apply_transforms = apply_transforms
