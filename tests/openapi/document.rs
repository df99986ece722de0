//! The document that is checked in, taken apart.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::read;

/// docs/openapi.json.
pub(crate) struct Document {
    pub(crate) json: Value,
}

/// An example of a request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) key: String,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// An example of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) operation: String,
    pub(crate) status: u64,
    pub(crate) key: String,
    pub(crate) schema: Value,
    pub(crate) example: Value,
    /// Names of headers, in lower case.
    pub(crate) headers: BTreeSet<String>,
}

impl Document {
    pub(crate) fn new() -> Self {
        Self { json: serde_json::from_str(&read("docs/openapi.json")).expect("JSON") }
    }

    pub(crate) fn schemas(&self) -> &Map<String, Value> {
        self.json["components"]["schemas"].as_object().expect("schemas")
    }

    /// Method and path of every operation.
    pub(crate) fn routes(&self) -> Vec<(String, String)> {
        let paths = self.json["paths"].as_object().expect("paths");
        let of_path = |(path, methods): (&String, &Value)| {
            let methods: Vec<String> = members(methods).map(|(method, _)| method.clone()).collect();
            methods.into_iter().map(|method| (method, path.clone())).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// Every operation by its id.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &Value)> {
        members(&self.json["paths"])
            .flat_map(|(_, methods)| members(methods))
            .map(|(_, operation)| (operation["operationId"].as_str().expect("an id"), operation))
    }

    /// Every example of a request: those that are taken, and those that stand beside their refusals.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let mut requests = Vec::new();
        for (id, operation) in self.operations() {
            let content = &operation["requestBody"]["content"]["application/json"];
            let mut add = |key: &str, example: &Value| {
                requests.push(Request {
                    operation: id.to_owned(),
                    key: key.to_owned(),
                    schema: content["schema"].clone(),
                    example: example.clone(),
                });
            };
            for (key, example) in members(&content["examples"]) {
                add(key, &example["value"]);
            }
            for (_, response) in members(&operation["responses"]) {
                let examples = &response["content"]["application/json"]["examples"];
                for (key, example) in members(examples) {
                    example.get("x-request").into_iter().for_each(|request| add(key, request));
                }
            }
        }
        requests
    }

    /// A schema, or the one that it refers to, alone or as what may be `null`.
    pub(crate) fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let either = schema["anyOf"].as_array().and_then(|either| either.first());
        match either.unwrap_or(schema)["$ref"].as_str() {
            Some(reference) => self.json.pointer(&reference[1..]).expect("it leads somewhere"),
            None => schema,
        }
    }

    /// The example of a request by operation and key.
    pub(crate) fn request(&self, operation: &str, key: &str) -> Value {
        let mut requests = self.requests().into_iter();
        let found = requests.find(|request| request.operation == operation && request.key == key);
        found.unwrap_or_else(|| panic!("{operation} has no example {key}")).example
    }

    /// Every example of an answer.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for (id, operation) in self.operations() {
            for (status, response) in members(&operation["responses"]) {
                let content = &response["content"]["application/json"];
                let headers = members(&response["headers"]).map(|(name, _)| name.to_lowercase());
                let headers: BTreeSet<String> = headers.collect();
                for (key, example) in members(&content["examples"]) {
                    answers.push(Answer {
                        operation: id.to_owned(),
                        status: status.parse().expect("a status"),
                        key: key.clone(),
                        schema: content["schema"].clone(),
                        example: example["value"].clone(),
                        headers: headers.clone(),
                    });
                }
            }
        }
        answers
    }

    /// The answer that a request is an example of: the one with its key.
    pub(crate) fn answer_to(&self, request: &Request) -> Answer {
        let is_its =
            |answer: &Answer| answer.operation == request.operation && answer.key == request.key;
        let mut answers: Vec<_> = self.answers().into_iter().filter(is_its).collect();
        assert_eq!(answers.len(), 1, "answers to {request:?}");
        answers.remove(0)
    }

    /// The validator of a schema of the document.
    pub(crate) fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({ "allOf": [schema], "components": self.json["components"] });
        jsonschema::validator_for(&whole).expect("a schema")
    }

    /// Fails when a value breaks a schema.
    pub(crate) fn holds(&self, schema: &Value, value: &Value, what: &str) {
        let validator = self.validator(schema);
        let errors: Vec<String> = validator.iter_errors(value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{what}: {errors:?} in {value}");
    }

    /// The target of every reference.
    pub(crate) fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        references(&self.json, &mut found);
        found
    }
}

/// The members of an object; none of anything else.
pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(array) => array.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
