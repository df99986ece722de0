"""Gives the deployed HTTP APIs their routes.

On AWS the OpenAPI body that SAM makes for an HTTP API carries the routes. The emulator ignores that body, so here they
are read from the very template it deployed and made one by one. Nothing in this file knows an endpoint by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from aws import client
from console import Failure
from settings import STACK_NAME, Settings

INTEGRATION = "x-amazon-apigateway-integration"
ANY_METHOD = "x-amazon-apigateway-any-method"
FUNCTION = re.compile(r"/functions/\$\{(?P<logical_id>\w+?)(?:\.Arn)?\}/invocations")


@dataclass(frozen=True)
class Route:
    """One route as the template declares it; `function` is the logical id of a function, version or alias."""

    key: str
    function: str
    payload_format: str


def apply(settings: Settings, source_template: str) -> str:
    """Makes the routes match the deployed template; returns the id of its one API."""
    cloudformation = client(settings, "cloudformation")
    body = cloudformation.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    processed = body if isinstance(body, dict) else json.loads(body)
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    apis = {
        logical_id: list(_declared_routes(resource["Properties"]["Body"]))
        for logical_id, resource in processed["Resources"].items()
        if resource["Type"] == "AWS::ApiGatewayV2::Api"
    }
    if len(apis) != 1:
        raise Failure(f"template.yaml declares {len(apis)} HTTP APIs; the local front serves one.")
    logical_id, routes = next(iter(apis.items()))
    api_id = physical[logical_id]
    _make(client(settings, "apigatewayv2"), api_id, routes, physical)
    _check_count(client(settings, "apigatewayv2"), api_id, source_template)
    return api_id


def _declared_routes(body: dict[str, Any]) -> Iterator[Route]:
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            integration = operation[INTEGRATION]
            function = FUNCTION.search(integration["uri"]["Fn::Sub"])
            if function is None:
                raise Failure(f"the integration of {method} {path} is not a function: {integration['uri']}")
            if operation.get("security"):
                raise Failure(f"{method} {path} has an authorizer, which the local run does not apply.")
            yield Route(
                key="$default" if path == "/$default" else f"{_method(method)} {path}",
                function=function["logical_id"],
                payload_format=integration["payloadFormatVersion"],
            )


def _method(declared: str) -> str:
    return "ANY" if declared == ANY_METHOD else declared.upper()


def _make(gateway: Any, api_id: str, routes: list[Route], physical: dict[str, str]) -> None:
    """Replaces all routes: which is quick, and leaves none of an earlier template."""
    for existing in gateway.get_routes(ApiId=api_id, MaxResults="500")["Items"]:
        gateway.delete_route(ApiId=api_id, RouteId=existing["RouteId"])
    for existing in gateway.get_integrations(ApiId=api_id, MaxResults="500")["Items"]:
        gateway.delete_integration(ApiId=api_id, IntegrationId=existing["IntegrationId"])
    for route in routes:
        integration = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=physical[route.function],
            PayloadFormatVersion=route.payload_format,
        )
        gateway.create_route(ApiId=api_id, RouteKey=route.key, Target=f"integrations/{integration['IntegrationId']}")


def _check_count(gateway: Any, api_id: str, source_template: str) -> None:
    deployed = len(gateway.get_routes(ApiId=api_id, MaxResults="500")["Items"])
    declared = _declared_events(source_template)
    if deployed != declared:
        raise Failure(f"{deployed} routes are deployed, but template.yaml declares {declared}.")


def _declared_events(source_template: str) -> int:
    """How many HttpApi events the functions of template.yaml have."""
    resources = yaml.load(source_template, Loader=_TemplateLoader)["Resources"].values()
    events = [event for resource in resources for event in resource.get("Properties", {}).get("Events", {}).values()]
    return sum(event["Type"] == "HttpApi" for event in events)


class _TemplateLoader(yaml.SafeLoader):
    """Reads a CloudFormation template and drops what its short functions (!Ref, !Sub …) say."""


_TemplateLoader.add_multi_constructor("!", lambda loader, suffix, node: None)
