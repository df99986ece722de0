//! Requests as text, so that they can be read, written and mutated: lines `name: value`, an empty
//! line, the body. Lines that begin with a colon say how the request arrives:
//!
//! - `:gateway: rest` or `:gateway: balancer`, otherwise an HTTP API;
//! - `:base64: yes`: the gateway hands the body over as base64;
//! - `:path: /api/v3/accounts/x`: what it is sent to;
//! - `:query: name=value`: a parameter of the query, or several with `&` between them;
//! - `:table: taken`, `reused` or `replayed`: what the table finds when the request commits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What the table finds when a request commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing that is in the way.
    Nothing,
    /// What must be unique, or a limit.
    Taken,
    /// The record of another request under this key.
    Reused,
    /// The record of this request.
    Replayed,
}

/// A request.
pub(crate) struct Sent {
    headers: Vec<(String, String)>,
    control: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    /// Reads any bytes as a request.
    pub(crate) fn read(input: &[u8]) -> Self {
        let end = input.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input, &[][..]),
        };
        let mut sent = Self { headers: Vec::new(), control: Vec::new(), body: body.to_owned() };
        for line in String::from_utf8_lossy(head).lines() {
            let (list, line) = match line.strip_prefix(':') {
                Some(line) => (&mut sent.control, line),
                None => (&mut sent.headers, line),
            };
            if let Some((name, value)) = line.split_once(':') {
                let value = value.strip_prefix(' ').unwrap_or(value);
                list.push((name.to_owned(), value.to_owned()));
            }
        }
        sent
    }

    fn control(&self, name: &str) -> &str {
        self.control.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// What the table finds.
    pub(crate) fn found(&self) -> Found {
        match self.control("table") {
            "taken" => Found::Taken,
            "reused" => Found::Reused,
            "replayed" => Found::Replayed,
            _ => Found::Nothing,
        }
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// With one header more.
    pub(crate) fn add_header(&mut self, name: &str, value: String) {
        self.headers.push((name.to_owned(), value));
    }

    /// The event that the gateway makes of it.
    pub(crate) fn event(&self) -> Value {
        let is_base64 = self.control("base64") == "yes";
        let body = if is_base64 {
            STANDARD.encode(&self.body)
        } else {
            String::from_utf8_lossy(&self.body).into_owned()
        };
        let path = match self.control("path") {
            "" => "/",
            path => path,
        };
        let mut event = match self.control("gateway") {
            "rest" => self.lists(path, json!({"httpMethod": "POST", "stage": "prod"})),
            "balancer" => self.lists(path, json!({"elb": {}})),
            _ => json!({
                "version": "2.0",
                "rawPath": path,
                "headers": self.joined(),
                "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"}
            }),
        };
        event["queryStringParameters"] = Value::Object(self.query());
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(is_base64);
        event
    }

    fn query(&self) -> Map<String, Value> {
        let parameters = self.control.iter().filter(|(name, _)| name == "query");
        let pairs = parameters.flat_map(|(_, text)| text.split('&'));
        let parameter = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), json!(value)))
        };
        pairs.filter_map(parameter).collect()
    }

    /// HTTP APIs join the values of one header by commas.
    fn joined(&self) -> Map<String, Value> {
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in &self.headers {
            let value = match headers.get(&name.to_lowercase()).and_then(Value::as_str) {
                Some(known) => format!("{known},{value}"),
                None => value.clone(),
            };
            headers.insert(name.to_lowercase(), json!(value));
        }
        headers
    }

    /// The others give the last value and all of them.
    fn lists(&self, path: &str, context: Value) -> Value {
        let (mut last, mut all) = (Map::new(), Map::new());
        for (name, value) in &self.headers {
            last.insert(name.clone(), json!(value));
            let list = all.entry(name.clone()).or_insert_with(|| json!([]));
            list.as_array_mut().expect("a list").push(json!(value));
        }
        json!({
            "httpMethod": "POST",
            "path": path,
            "headers": last,
            "multiValueHeaders": all,
            "requestContext": context
        })
    }
}
