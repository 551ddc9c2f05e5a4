//! The JSON Schema (2020-12) of the document, made from the same table that checks it.
//!
//! It says what the table says: fields, types, ranges and names. What cannot stand together (a kind in both lists, a host in two
//! domains) is for `bodyguard check`.

use serde_json::{Map, Value, json};

use super::document::{RESOURCE, SPEC};
use super::format::KIND_NAME;
use super::kinds;
use super::reference::allowed;
use super::shape::{Choice, Format, Holds, Shape};
use crate::detect::{GROUPS, Kind};

/// The schema, pretty-printed, with a line feed at the end.
pub fn json_schema() -> String {
    let mut defs = Map::new();
    define(&RESOURCE, &mut defs);
    define(&SPEC, &mut defs);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:bodyguard:policy:v1",
        "title": "bodyguard policy",
        "description": "a SecurityPolicy resource, or the spec of one",
        "if": {"type": "object", "anyOf": RESOURCE.fields.iter().map(|field| json!({"required": [field.name]})).collect::<Vec<_>>()},
        "then": {"$ref": "#/$defs/resource", "required": ["spec"]},
        "else": {"$ref": "#/$defs/spec"},
        "$defs": defs,
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn define(shape: &Shape, defs: &mut Map<String, Value>) {
    if defs.contains_key(shape.name) {
        return;
    }
    defs.insert(shape.name.into(), Value::Null);
    let mut properties = Map::new();
    for field in shape.fields {
        let mut schema = describe(&field.holds, defs);
        let about = match &field.holds {
            Holds::Ignored(why) => format!("{}; ignored: {why}", field.about),
            Holds::Refused(why) => format!("{}; refused: {why}", field.about),
            holds => match allowed(holds) {
                Some(expected) => format!("{}. Allowed: {expected}", field.about),
                None => field.about.to_owned(),
            },
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".into(), about.into());
            let default = field.default.and_then(|json| serde_json::from_str(json).ok());
            schema.extend(default.map(|value: Value| ("default".to_owned(), value)));
        }
        properties.insert(field.name.into(), schema);
    }
    let mut schema = Map::from_iter([
        ("type".into(), json!("object")),
        ("properties".into(), properties.into()),
        ("additionalProperties".into(), json!(false)),
    ]);
    if !shape.some_of.is_empty() {
        let filled = |name: &&str| json!({"required": [name], "properties": {*name: {"not": {"const": []}}}});
        schema.insert("anyOf".into(), shape.some_of.iter().map(filled).collect());
    }
    let groups = shape.one_of.iter().copied();
    let pairs = groups
        .flat_map(|group| group.iter().enumerate().flat_map(|(at, one)| group.iter().take(at).map(move |other| [other, one])));
    let not_both: Vec<Value> = pairs.map(|pair| json!({"not": {"required": pair}})).collect();
    if !not_both.is_empty() {
        schema.insert("allOf".into(), not_both.into());
    }
    defs.insert(shape.name.into(), schema.into());
}

fn describe(holds: &Holds, defs: &mut Map<String, Value>) -> Value {
    match holds {
        Holds::Bool => json!({"type": "boolean"}),
        Holds::Integer(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
        Holds::Choice(choice) => choice_schema(choice),
        Holds::OrByKind(values) => {
            let value = describe(values, defs);
            let of_kinds: Map<String, Value> = kinds::names().map(|name| (name.into(), value.clone())).collect();
            let groups: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
            let names = json!({"anyOf": [{"enum": groups}, own_kind()]});
            json!({"anyOf": [
                value,
                {"type": "object", "properties": of_kinds, "propertyNames": names, "additionalProperties": value},
            ]})
        }
        Holds::ChoiceOr(choice, shape) => {
            define(shape, defs);
            json!({"anyOf": [choice_schema(choice), {"$ref": format!("#/$defs/{}", shape.name)}]})
        }
        Holds::Text(format) | Holds::Secret(format) => text_schema(format),
        // What a policy calls its own kinds is not known here.
        Holds::Kind => json!({"anyOf": [{"enum": kinds::names().collect::<Vec<_>>()}, own_kind()]}),
        Holds::List(items) => json!({"type": "array", "items": describe(items, defs)}),
        Holds::Object(shape) | Holds::ObjectOnly(shape, _) => {
            define(shape, defs);
            json!({"$ref": format!("#/$defs/{}", shape.name)})
        }
        Holds::Map(values) => json!({"type": "object", "additionalProperties": describe(values, defs)}),
        Holds::NamedMap(names, values) => {
            json!({"type": "object", "propertyNames": text_schema(names), "additionalProperties": describe(values, defs)})
        }
        Holds::ListOr(items, short) => {
            json!({"anyOf": [{"type": "array", "items": describe(items, defs)}, describe(short, defs)]})
        }
        Holds::Ignored(_) => json!({}),
        Holds::Refused(_) => json!({"not": {}}),
    }
}

/// A name that may be a policy's own kind: no built-in one that no list may hold.
fn own_kind() -> Value {
    let refused: Vec<&str> = Kind::all().filter(|kind| kind.spec().detect_only).map(Kind::name).collect();
    let mut schema = text_schema(&KIND_NAME);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("not".into(), json!({"enum": refused}));
    }
    schema
}

fn choice_schema(choice: &Choice) -> Value {
    let mut names: Vec<Value> = choice.allowed.iter().map(|name| json!(name)).collect();
    if choice.read_from_false.is_some() {
        names.push(json!(false));
    }
    json!({"enum": names})
}

fn text_schema(format: &Format) -> Value {
    match format.pattern {
        Some(pattern) => json!({"type": "string", "pattern": pattern}),
        None => json!({"type": "string"}),
    }
}
