"""Mends what ministack, the local AWS, does unlike AWS."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions
from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers, provisioners
from samtranslator.translator import transform as sam

_apply_transforms = engine._apply_transforms
_sam_transform = sam.transform
_extract_iam_action = iam_actions.extract_iam_action
_execute_function = lambda_svc._execute_function
_handle_execute = apigateway._handle_execute_in_scope

HTTP_API = "AWS::ApiGatewayV2::Api"
CORS = "x-amazon-apigateway-cors"


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


def take_cors_from_the_body() -> None:
    """The OpenAPI body that SAM makes for an HTTP API carries its CORS configuration; ministack ignores that body.

    Source: "x-amazon-apigateway-cors object" in the API Gateway developer guide.
    """
    handler = provisioners._RESOURCE_HANDLERS[HTTP_API]
    create, update = handler["create"], handler["update"]

    def with_cors(properties: dict[str, Any]) -> dict[str, Any]:
        return {**properties, "CorsConfiguration": properties.get("Body", {}).get(CORS)}

    def create_api(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        return create(logical_id, with_cors(properties), stack)

    def update_api(physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any, **options: Any) -> Any:
        return update(physical_id, with_cors(old), with_cors(new), *more, **options)

    handler.update(create=create_api, update=update_api)


def answer_options_as_aws_does() -> None:
    """Without a CORS configuration OPTIONS is a method like any other, and no route has it: 404, where ministack has a
    403 of its own. With one, what lacks `Origin` or `Access-Control-Request-Method` gets no CORS headers.

    Source: "Configure CORS for HTTP APIs in API Gateway" and "Create routes for HTTP APIs in API Gateway" in the API
    Gateway developer guide.
    """

    async def handle_execute(
        api_id: str, stage: str, path: str, method: str, headers: dict[str, str], *more: Any
    ) -> Any:
        if method == "OPTIONS":
            if not apigateway._apis.get(api_id, {}).get("corsConfiguration"):
                return apigateway._http_api_not_found()
            if "access-control-request-method" not in {name.lower() for name in headers}:
                return 204, {}, b""
        return await _handle_execute(api_id, stage, path, method, headers, *more)

    apigateway._handle_execute_in_scope = handle_execute
