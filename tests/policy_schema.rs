//! policies/schema.json, as editors complete and check with it: it takes every policy that is shipped, each names it in its first
//! line, and it agrees with `bodyguard check` about what is wrong. The documents of `policy_errors` are shown to it there.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use bodyguard::policy::Policy;
use serde_json::Value;

#[path = "support/schema.rs"]
mod schema;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const HEADER: &str = "# yaml-language-server: $schema=";

/// Every policy that stands in a file of its own.
fn shipped() -> Vec<PathBuf> {
    let mut files = Vec::new();
    yaml_files(&Path::new(ROOT).join("policies"), &mut files);
    // Cases are no policies.
    files.retain(|file| !file.starts_with(Path::new(ROOT).join("policies/tests")));
    yaml_files(&Path::new(ROOT).join("examples/dashboard/policies"), &mut files);
    files.push(Path::new(ROOT).join("istio/policy/policy.yaml"));
    files.push(Path::new(ROOT).join("istio/chart/policy.yaml"));
    files
}

#[test]
fn it_takes_every_policy_that_is_shipped_and_each_names_it_first() {
    let files = shipped();
    assert!(files.len() >= 9);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(schema::complaints(&text), Some(Vec::new()), "{}", file.display());
        assert!(Policy::from_yaml_or_json(&text).is_ok(), "{}", file.display());
        let named = text.lines().next().unwrap().strip_prefix(HEADER).unwrap_or_else(|| panic!("{}: no header", file.display()));
        let found = file.parent().unwrap().join(named).canonicalize().unwrap();
        assert_eq!(found, Path::new(ROOT).join("policies/schema.json").canonicalize().unwrap());
    }
}

/// The policies within an example: what a StringValue, a Struct or Envoy Gateway's `config` holds.
fn embedded(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            let is = |name: &str| fields.get("@type").and_then(Value::as_str).is_some_and(|found| found.ends_with(name));
            match fields.get("value") {
                Some(Value::String(text)) if is("StringValue") => found.push(serde_json::from_str(text).unwrap()),
                Some(inner) if is("protobuf.Struct") => found.push(inner.clone()),
                _ => {}
            }
            found.extend(fields.get("config").filter(|config| config.get("spec").is_some()).cloned());
            fields.values().for_each(|inner| embedded(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| embedded(inner, found)),
        _ => {}
    }
}

fn yaml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn it_takes_every_policy_within_an_example() {
    let mut files = Vec::new();
    yaml_files(&Path::new(ROOT).join("examples"), &mut files);
    let mut policies = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut found = Vec::new();
        // Lists of rules and the like are of several documents, and hold no policy.
        let Ok(tree) = serde_saphyr::from_str::<Value>(&text) else { continue };
        embedded(&tree, &mut found);
        for policy in found {
            let policy = policy.to_string();
            assert!(Policy::from_yaml_or_json(&policy).is_ok(), "{}", file.display());
            assert_eq!(schema::complaints(&policy), Some(Vec::new()), "{}", file.display());
            policies += 1;
        }
    }
    assert!(policies >= 4, "the examples have lost their policies: {policies}");
}

/// The first change of a table's row that makes a shipped policy wrong, as JSON pointer and value; both must refuse it.
#[test]
fn it_refuses_a_shipped_policy_with_one_thing_wrong() {
    let text = include_str!("../policies/full-example.yaml");
    let route = "/spec/domains/0/routes/0";
    for (pointer, wrong) in [
        ("/apiVersion", "\"v2\""),
        ("/metadata/name", "\"with space\""),
        ("/spec/exclude/0", "\"healthz\""),
        ("/spec/max_inflight_body_bytes", "0"),
        ("/spec/defaults/mode", "\"blok\""),
        ("/spec/domains/0/hosts/0", "\"a*.com\""),
        ("/spec/domains/0/hosts/0", "\"a.com:443\""),
        (&format!("{route}/match"), "{\"methods\": [\"FETCH\"]}"),
        (&format!("{route}/match"), "{\"path_exact\": \"/a\", \"path_prefix\": \"/a\"}"),
        (&format!("{route}/match"), "{\"headers\": [{\"name\": \"a b\"}]}"),
        (&format!("{route}/policy/inspect_request_body"), "\"yes\""),
        (&format!("{route}/policy/max_request_body_bytes"), "134217729"),
        (&format!("{route}/policy/skip_content_types/0"), "\"image\""),
        (&format!("{route}/policy/block_response/status"), "99"),
        (&format!("{route}/policy/checks/body/dlp/block/0"), "\"stripe_key\""),
        (&format!("{route}/policy/checks/body/dlp/redact/0"), "\"e mail\""),
        (&format!("{route}/policy/checks/body/dlp"), "{\"block\": []}"),
        (&format!("{route}/policy"), "{\"engines\": {}}"),
    ] {
        let mut document: Value = serde_saphyr::from_str(text).unwrap();
        *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = serde_json::from_str(wrong).unwrap();
        let document = document.to_string();
        assert!(Policy::from_yaml_or_json(&document).is_err(), "check takes {pointer}: {wrong}");
        assert_ne!(schema::complaints(&document), Some(Vec::new()), "the schema takes {pointer}: {wrong}");
    }
}

#[test]
fn what_editors_complete_is_what_can_be_written() {
    let schema: Value = serde_json::from_str(include_str!("../policies/schema.json")).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let allowed = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
    assert_eq!(allowed("/$defs/policy/properties/mode/enum/3"), "block");
    assert_eq!(allowed("/$defs/dlp/properties/block/items/anyOf/0/enum/0"), "credit_card");
    // Every field says what it is for.
    for (name, shape) in schema["$defs"].as_object().unwrap() {
        for (field, described) in shape["properties"].as_object().unwrap() {
            assert!(described["description"].as_str().is_some_and(|text| text.len() > 5), "{name}.{field}");
        }
    }
}
