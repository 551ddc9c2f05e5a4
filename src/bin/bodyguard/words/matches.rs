//! What a route asks of a request, in words: the `match` of the document, a predicate for each field.

use serde_json::{Map, Value};

/// What is said first; the rest follows by name.
const ORDER: [&str; 6] = ["path_exact", "path_regex", "path_prefix", "methods", "content_type", "headers"];

/// The predicates of a route; empty where it takes every request.
pub(super) fn predicates(matches: Option<&Value>) -> Vec<String> {
    let none = Map::new();
    let fields = matches.and_then(Value::as_object).unwrap_or(&none);
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
    fields.into_iter().flat_map(|(name, value)| predicate(name, value)).collect()
}

fn predicate(name: &str, value: &Value) -> Vec<String> {
    let either = |what: &str, items: Vec<String>| {
        if items.is_empty() { Vec::new() } else { vec![format!("{what} is {}", items.join(" or "))] }
    };
    let one_of = |what: &str| either(what, texts(value));
    let text = value.as_str().unwrap_or_default();
    match name {
        _ if value.is_null() => Vec::new(),
        "path_exact" => vec![format!("path is {text}")],
        // It covers everything.
        "path_prefix" if text.trim_matches('/').is_empty() => Vec::new(),
        "path_prefix" => vec![format!("path is {text} or below it")],
        "path_regex" => vec![format!("path matches the regex {text}")],
        "methods" => either("method", texts(value).iter().map(|method| method.to_ascii_uppercase()).collect()),
        "content_type" => one_of("content type"),
        "headers" => headers(value),
        "source_principals" => one_of("source principal"),
        "destination_ports" => one_of("destination port"),
        "clusters" => one_of("cluster"),
        other => vec![format!("{other} is {value}")],
    }
}

fn headers(value: &Value) -> Vec<String> {
    let short = value.as_object().into_iter().flatten();
    let short = short.map(|(name, value)| format!("header {} is {value}", name.to_ascii_lowercase()));
    short.chain(value.as_array().into_iter().flatten().map(header)).collect()
}

fn header(header: &Value) -> String {
    let field = |name| header.get(name).filter(|value| !value.is_null());
    let name = field("name").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if let Some(exact) = field("exact") {
        format!("header {name} is {exact}")
    } else if let Some(part) = field("contains") {
        format!("header {name} contains {part}")
    } else if let Some(regex) = field("regex").and_then(Value::as_str) {
        format!("header {name} matches the regex {regex}")
    } else if field("present") == Some(&Value::Bool(false)) {
        format!("header {name} is not there")
    } else {
        format!("header {name} is there")
    }
}

/// A list, or the short form of one, as texts.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Null => Vec::new(),
        one => vec![text(one)],
    }
}
