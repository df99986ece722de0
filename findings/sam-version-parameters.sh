#!/bin/sh
# AWS SAM: a parameter or a mapping that changes publishes no new version of a function, not even with
# AutoPublishAliasAllProperties, which SAM's page of AWS::Serverless::Function describes as a new version whenever any
# property of the function is modified. The transform names the version after a hash of the properties as they are
# written, with `Ref`, `Fn::Sub` and `Fn::FindInMap` unresolved; only the place of the code is resolved first. So the
# stack update succeeds, $LATEST has the new value, and the alias, which all events call, stays at a version with the
# old one: a new price or the name of a new secret arrives with the next change of code.
#
# Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html;
# aws/serverless-application-model issue 3820 and pull request 3965, both open when this was written. What does publish:
# a value that stands in the template itself, or AutoPublishCodeSha256 with a `Ref`.
#
# Seen on 2026-11-29, aws-sam-translator 1.115.0 (`yes`: the change makes a new version):
#   literal yes
#   Ref no
#   Sub no
#   FindInMap no
#   memory-by-Ref no
#   code-by-Ref yes
#   AutoPublishCodeSha256-by-Ref yes
#
# Needs python3 with venv. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aws-sam-translator==1.115.0
cat > transform.py <<'PYTHON'
import copy

from samtranslator.translator.transform import transform


class NoManagedPolicies:
    def load(self):
        return {}


def variable(value):
    return {"Environment": {"Variables": {"PRICE": value}}}


def versions(change, value):
    function = {
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "CodeUri": "s3://bucket/key",
        "AutoPublishAlias": "live",
        "AutoPublishAliasAllProperties": True,
    }
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"P": {"Type": "String"}},
        "Mappings": {"M": {"prices": {"basic": value}}},
        "Resources": {
            "F": {"Type": "AWS::Serverless::Function", "Properties": {**function, **change(value)}}
        },
    }
    resources = transform(copy.deepcopy(template), {"P": value}, NoManagedPolicies())["Resources"]
    return [name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"]


ref = {"Ref": "P"}
changes = {
    "literal": lambda value: variable(value),
    "Ref": lambda value: variable(ref),
    "Sub": lambda value: variable({"Fn::Sub": "${P}"}),
    "FindInMap": lambda value: variable({"Fn::FindInMap": ["M", "prices", "basic"]}),
    "memory-by-Ref": lambda value: {"MemorySize": ref},
    "code-by-Ref": lambda value: {"CodeUri": {"Bucket": "bucket", "Key": ref}},
    "AutoPublishCodeSha256-by-Ref": lambda value: {"AutoPublishCodeSha256": ref},
}
for name, change in changes.items():
    before, after = versions(change, "1" * 64), versions(change, "2" * 64)
    assert len(before) == len(after) == 1
    print(name, "no" if before == after else "yes")
PYTHON
seen=$(AWS_DEFAULT_REGION=us-east-1 venv/bin/python transform.py 2>errors) || { cat errors >&2; exit 1; }
echo "$seen"
test "$seen" = "literal yes
Ref no
Sub no
FindInMap no
memory-by-Ref no
code-by-Ref yes
AutoPublishCodeSha256-by-Ref yes"
