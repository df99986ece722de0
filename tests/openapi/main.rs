//! The API reference says what the code does: the documents are the ones that the code makes, the
//! examples happen, every refusal that is documented happens and no other, and the schemas of
//! requests accept what the endpoints accept.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

mod answers;
mod document;
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::document::Document;

/// A file of the checkout.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_documents_are_the_ones_that_the_code_makes() {
    for (name, made) in [
        ("docs/openapi.json", api_reference::openapi()),
        ("docs/errors.md", api_reference::errors()),
    ] {
        let kept = read(name);
        let differing = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
        assert!(kept == made, "{name} is not up to date (line {differing:?}): run `make openapi`");
    }
}

#[test]
fn every_schema_is_one_and_every_reference_leads_somewhere() {
    let document = Document::new();
    for (name, schema) in document.schemas() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
    for reference in document.references() {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.json.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn examples_hold_to_their_schemas() {
    let document = Document::new();
    for answer in document.answers() {
        document.holds(&answer.schema, &answer.example, &format!("{answer:?}"));
    }
    for request in document.requests() {
        let validator = document.validator(&request.schema);
        let status = document.answer_to(&request).status;
        assert_eq!(validator.is_valid(&request.example), status < 400, "{request:?}");
    }
}

/// Method, in lower case, and path of every route that template.yaml declares.
fn routes_of_the_template() -> Vec<(String, String)> {
    let template = read("template.yaml");
    let mut routes = Vec::new();
    let mut method = None;
    for line in template.lines() {
        if let Some(name) = line.trim().strip_prefix("Method: ") {
            method = Some(name.to_lowercase());
        } else if let Some(path) = line.trim().strip_prefix("Path: ") {
            routes.push((method.take().expect("a method before the path"), path.to_owned()));
        }
    }
    routes.sort();
    routes
}

#[test]
fn the_document_has_the_routes_of_the_template_and_no_others() {
    let mut routes = Document::new().routes();
    routes.sort();
    assert_eq!(routes, routes_of_the_template());
}

/// What a page of another origin may do is what the document has, but for what only Stripe sends.
#[test]
fn pages_of_other_origins_may_send_and_read_what_is_documented() {
    let template = read("template.yaml");
    let listed = |name: &str| -> BTreeSet<String> {
        let line = template.lines().find_map(|line| line.trim().strip_prefix(name));
        let list = line.and_then(|list| list.strip_prefix(": [")?.strip_suffix(']'));
        let names = list.expect("a list in the template").split(", ");
        names.map(str::to_owned).collect()
    };
    let document = Document::new();
    let methods = document.routes().into_iter().map(|(method, _)| method.to_uppercase());
    assert_eq!(listed("AllowMethods"), methods.collect());

    let parameters = document::members(&document.json["components"]["parameters"]);
    let sent = parameters
        .filter(|(_, parameter)| parameter["in"] == "header")
        .map(|(_, parameter)| parameter["name"].as_str().expect("a name").to_lowercase())
        .filter(|name| name != "stripe-signature")
        .chain(["authorization", "content-type"].map(str::to_owned));
    assert_eq!(listed("AllowHeaders"), sent.collect());

    let answers = document.answers().into_iter().flat_map(|answer| answer.headers);
    assert_eq!(listed("ExposeHeaders"), answers.chain(["apigw-requestid".to_owned()]).collect());
}

#[test]
fn what_is_configuration_is_documented_with_what_the_template_has() {
    let template = read("template.yaml");
    let configured = |name: &str| {
        let mut values = template.lines().filter_map(|line| line.trim().strip_prefix(name));
        let value = values.find(|value| !value.starts_with('!')).expect("a value");
        value.trim_matches('"').to_owned()
    };
    assert_eq!(configured("Platforms: "), api_reference::DEFAULT_PLATFORMS.join(","));
    let document = Document::new();
    let schema = &document.schemas()["CreateAccount"]["properties"]["password"];
    assert_eq!(configured("PasswordMinLength: "), schema["minLength"].to_string());
}

#[test]
fn no_function_has_the_schemas_on_board() {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(file(""))
        .no_deps()
        .exec()
        .expect("cargo describes the workspace");
    let functions = metadata.workspace_packages().into_iter().filter(|package| {
        let folder = package.manifest_path.ancestors().nth(2).and_then(|folder| folder.file_name());
        folder == Some("functions")
    });
    let needs: Vec<_> = functions.flat_map(|function| &function.dependencies).collect();
    let api = needs.iter().filter(|dependency| dependency.name == "headcount-api");
    assert!(api.clone().count() >= 6, "the functions of the endpoints");
    for dependency in api {
        assert_eq!(dependency.features, Vec::<String>::new());
    }
}
