#!/bin/sh
# aws-sam-translator 1.113.0, SAM's own transform, replaces `!Ref` of a parameter inside its resources by the parameter's
# text before CloudFormation sees it. Of a CommaDelimitedList, which CloudFormation makes a list of, one text is left: an
# HTTP API with `AllowOrigins: !Ref Origins` allows one origin, "https://a.example,https://b.example", that no browser
# has. `!Split [",", !Ref Origins]` stays a function and becomes a list. And the names of CORS settings are replaced as
# text wherever the configuration is a function: a condition that is called AllowOrigins is looked for as `allowOrigins`.
#
# Seen on 2026-11-29, Python 3.11:
#   Ref: {"Fn::If": ["allowOrigins", {"allowOrigins": "https://a.example,https://b.example"}, {"Ref": "AWS::NoValue"}]}
#   Split: {"Fn::If": ["allowOrigins", {"allowOrigins": {"Fn::Split": [",", "https://a.example,https://b.example"]}}, {"Ref": "AWS::NoValue"}]}
#
# Needs python3 with venv. Fails when the package behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aws-sam-translator==1.113.0
cat > transform.py <<'PROGRAM'
import json
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    def load(self):
        return {}


origins = {"Ref": "Origins"}
for name, value in (("Ref", origins), ("Split", {"Fn::Split": [",", origins]})):
    cors = {"Fn::If": ["AllowOrigins", {"AllowOrigins": value}, {"Ref": "AWS::NoValue"}]}
    event = {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Method": "GET", "Path": "/"}}
    function = {"Runtime": "provided.al2023", "Handler": "bootstrap", "CodeUri": "s3://bucket/key", "Events": {"Get": event}}
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"Origins": {"Type": "CommaDelimitedList"}},
        "Conditions": {"AllowOrigins": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", origins]}, ""]}]}},
        "Resources": {
            "Api": {"Type": "AWS::Serverless::HttpApi", "Properties": {"CorsConfiguration": cors}},
            "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
        },
    }
    made = transform(template, {"Origins": "https://a.example,https://b.example"}, NoManagedPolicies())
    print(f"{name}: {json.dumps(made['Resources']['Api']['Properties']['Body']['x-amazon-apigateway-cors'])}")
PROGRAM
seen=$(AWS_DEFAULT_REGION=us-east-1 venv/bin/python transform.py 2>/dev/null)
echo "$seen"
test "$seen" = 'Ref: {"Fn::If": ["allowOrigins", {"allowOrigins": "https://a.example,https://b.example"}, {"Ref": "AWS::NoValue"}]}
Split: {"Fn::If": ["allowOrigins", {"allowOrigins": {"Fn::Split": [",", "https://a.example,https://b.example"]}}, {"Ref": "AWS::NoValue"}]}'
