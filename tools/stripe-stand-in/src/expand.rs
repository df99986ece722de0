//! `expand[]`: ids replaced by the objects that they name. Source:
//! <https://docs.stripe.com/api/expanding_objects>.

use serde_json::Value;

use crate::{errors::ApiError, form::Params, params::Fields, state::State};

/// "Expansions have a maximum depth of four levels."
const MAX_DEPTH: usize = 4;
/// Every property that a path may go through or end at.
const KNOWN: [&str; 10] = [
    "customer",
    "data",
    "invoice",
    "items",
    "latest_invoice",
    "lines",
    "price",
    "product",
    "subscription",
    "default_price",
];

/// Takes the paths out of the parameters, and refuses what cannot be expanded before anything is
/// done.
pub(crate) fn take(params: &mut Params) -> Result<Vec<String>, ApiError> {
    let mut only = Params::new();
    if let Some(node) = params.remove("expand") {
        only.insert("expand".to_owned(), node);
    }
    let paths = Fields::new(only).texts("expand")?;
    for path in &paths {
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > MAX_DEPTH {
            let message = format!(
                "You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}"
            );
            return Err(ApiError::invalid("expand", message));
        }
        if segments.iter().any(|segment| !KNOWN.contains(segment)) {
            let message = format!(
                "This property cannot be expanded ({path}). You may want to try expanding something else."
            );
            return Err(ApiError::invalid("expand", message));
        }
    }
    Ok(paths)
}

/// Expands every path in `object`.
pub(crate) fn apply(state: &State, object: &mut Value, paths: &[String]) {
    for path in paths {
        let segments: Vec<&str> = path.split('.').collect();
        expand(state, object, &segments);
    }
}

fn expand(state: &State, value: &mut Value, path: &[&str]) {
    if let Value::Array(elements) = value {
        for element in elements {
            expand(state, element, path);
        }
        return;
    }
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let Some(inner) = value.get_mut(*first) else {
        return;
    };
    if let Some(object) = inner.as_str().and_then(|id| look_up(state, id)) {
        *inner = object;
    }
    expand(state, inner, rest);
}

fn look_up(state: &State, id: &str) -> Option<Value> {
    match id.split_once('_')?.0 {
        "cus" => Some(state.customers.get(id)?.view()),
        "price" => Some(state.prices.get(id)?.view()),
        "sub" => Some(state.subscriptions.get(id)?.view(state)),
        "in" => Some(state.invoices.get(id)?.view(state)),
        // A product may have an id of the caller's choice, with or without the prefix.
        _ => Some(state.products.get(id)?.view()),
    }
}
