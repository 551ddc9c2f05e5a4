//! docs/policy.md: its tables are written from the table of the document, `UPDATE=1 cargo test --test policy_page` rewrites them; its
//! defaults are what holds; its links lead to its headings. That its policies load is checked with those of the other pages.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use bodyguard::policy::{FieldReference, ObjectReference, Policy, json_schema, reference};
use serde_json::{Value, json};

#[path = "support/page.rs"]
mod page;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md");

fn read() -> String {
    std::fs::read_to_string(PATH).unwrap()
}

/// An object's name in brackets is a link to its heading.
fn linked(holds: &str, objects: &[ObjectReference]) -> String {
    let mut text = holds.to_owned();
    for object in objects {
        text = text.replace(&format!("[{}]", object.name), &format!("[{0}](#{0})", object.name));
    }
    text
}

/// A text as a table's cell shows it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}

fn table(object: &ObjectReference, objects: &[ObjectReference]) -> String {
    let mut table = String::from("| field | holds | default | what it says |\n|---|---|---|---|\n");
    let (used, unused): (Vec<_>, Vec<_>) = object.fields.iter().partition(|field| field.in_use);
    let row = |field: &FieldReference| {
        let default = field.default.map(|json| format!("`{}`", json.trim_matches('"'))).unwrap_or_default();
        format!("| `{}` | {} | {default} | {} |\n", field.name, cell(&linked(&field.holds, objects)), cell(field.about))
    };
    used.iter().chain(&unused).for_each(|field| table += &row(field));
    if !object.notes.is_empty() {
        table += &format!("\n{}\n", object.notes.join(" "));
    }
    table
}

#[test]
fn its_tables_are_fresh_and_every_object_has_one() {
    let objects = reference();
    assert!(objects.len() >= 20);
    let mut made = read();
    for object in &objects {
        assert!(made.contains(&format!("\n### {}\n", object.name)), "no heading for {}", object.name);
        made = page::with_part(&made, "policy_page", object.name, &table(object, &objects));
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, &made).unwrap();
    }
    assert!(read() == made, "docs/policy.md is stale: UPDATE=1 cargo test --test policy_page");
}

#[test]
fn its_links_within_lead_to_headings() {
    let page = read();
    let slug = |heading: &str| -> String {
        let kept =
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
        kept.replace(' ', "-")
    };
    let headings: Vec<String> =
        page.lines().filter_map(|line| line.strip_prefix('#')).map(|line| slug(line.trim_start_matches('#').trim())).collect();
    for link in page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(headings.iter().any(|heading| heading == link), "#{link}");
    }
}

/// A policy with every object in it, and most fields left out.
fn sparse() -> Value {
    let lists = json!({"block": ["aws_access_key"], "redact": ["email"]});
    json!({
        "metadata": {},
        "spec": {
            "detectors": {
                "part": {"words": ["PN-1"], "near": {"words": ["part"]}},
                "grade": {"json_keys": ["grade"]},
            },
            "events": {"otlp": {"cluster": "otel"}},
            "defaults": {
                "inspect_request_body": true,
                "inspect_response_body": true,
                "response_body_mode": "streamed",
                "block_response": {"body": "no"},
                "checks": {"headers": {"dlp": lists}, "query": {"dlp": lists}, "body": {"dlp": {"redact": ["part", "grade", "email"]}}},
            },
            // No more specific block, which would win over the defaults.
            "domains": [{"hosts": ["*"], "routes": [{"match": {"path_prefix": "/a", "headers": [{"name": "a"}]}}]}],
        },
    })
}

/// All that the policy makes of requests, but for its hash.
fn effect(document: &Value) -> String {
    let policy = Policy::from_yaml_or_json(&document.to_string()).unwrap_or_else(|problems| panic!("{document}: {problems:?}"));
    let rules: Vec<String> = policy.rules().map(|rule| format!("{rule} {rule:?}")).collect();
    let rules = rules.join("\n");
    format!(
        "{} {} {} {:?} {rules} {:?}",
        policy.name, policy.allow_on_headers_stop_iteration, policy.max_inflight_body_bytes, policy.otlp, policy.detectors
    )
}

/// Calls `visit` with the path and the schema of every object of the document.
fn objects_of(value: &Value, path: &str, schema: &Value, root: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    let named = schema["$ref"].as_str().map(|name| &root["$defs"][name.rsplit('/').next().unwrap()]);
    let schema = named.unwrap_or(schema);
    let any = schema["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] == "array"));
    let schema = any.filter(|_| value.is_array()).unwrap_or(schema);
    match value {
        Value::Object(fields) => {
            if schema["properties"].is_object() {
                visit(path, schema);
            }
            for (name, value) in fields {
                let inner = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                objects_of(value, &format!("{path}/{name}"), inner, root, visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects_of(item, &format!("{path}/{index}"), &schema["items"], root, visit);
            }
        }
        _ => {}
    }
}

#[test]
fn a_default_that_is_written_down_changes_nothing() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let document = sparse();
    let before = effect(&document);
    let mut written = Vec::new();
    objects_of(&document, "", &schema["$defs"]["resource"], &schema, &mut |path, object| {
        for (name, field) in object["properties"].as_object().unwrap() {
            let default = &field["default"];
            let mut explicit = document.clone();
            let place = explicit.pointer_mut(path).unwrap();
            // Where the field is there, or cannot stand beside what is there, nothing is to be shown.
            let apart = matches!((name.as_str(), place.get("words").is_some()), ("values", true))
                || matches!(
                    (name.as_str(), place.get("json_keys").is_some()),
                    ("except" | "except_regex" | "require" | "ignore_case", true)
                );
            if default.is_null() || place.get(name).is_some() || apart {
                continue;
            }
            place[name] = default.clone();
            written.push(name.clone());
            // Of the block reply, what is set is kept as set.
            let after = effect(&explicit)
                .replace("status: Some(403)", "status: None")
                .replace("content_type: Some(\"application/json\")", "content_type: None");
            assert!(after == before, "{path}/{name}: {default} is not what holds where it is not there");
        }
    });
    for name in
        ["mode", "fail_mode", "max_request_body_bytes", "min_findings", "within", "direction", "max_queue", "interval", "mask"]
    {
        assert!(written.iter().any(|known| known == name), "{name} was not tried");
    }
}

/// Every name of a field in a document.
fn keys(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.push(name.clone());
            keys(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn every_field_is_shown_in_use_there_or_in_the_library() {
    let page = read();
    let mut texts: Vec<String> = page::blocks(&page, "yaml").into_iter().map(|(_, text)| text.to_owned()).collect();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "yaml") {
            texts.push(std::fs::read_to_string(file).unwrap());
        }
    }
    let mut shown = Vec::new();
    texts.iter().for_each(|text| keys(&serde_saphyr::from_str(text).unwrap(), &mut shown));
    let objects = reference();
    let missing = objects.iter().flat_map(|object| object.fields.iter().filter(|field| field.in_use).map(|field| field.name));
    let missing: Vec<&str> = missing.filter(|name| !shown.iter().any(|key| key == name)).collect();
    assert_eq!(missing, [""; 0], "no example uses them");
}
